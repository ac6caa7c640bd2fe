//! What a source answers to calls that it cannot take, and what it says of them.

use super::*;
use crate::source::budget;
use crate::testing::{Heard, assembly, batch, memory_channel, silent, source_context, start_source};
use actix::prelude::*;
use bytes::BytesMut;
use event::Batch;
use flow::channel::ChannelRef;
use flow::source::SourceActor;
use flow::supervise::address::address_cell;
use runtime::within::Within;
use std::collections::HashMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wire::avro::{ClientEvent, ClientSession, FrameDecoder, Outcome, TAIL};

/// A source that runs, and what it says.
struct Running {
    port: u16,
    channel: ChannelRef,
    heard: Heard,
    _source: Addr<SourceActor>,
}

impl Running {
    async fn start(keys: &[(&str, &str)], channel: ChannelRef) -> Running {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (mut context, mut ready) = source_context(&channel);
        let heard = Heard::default();
        context.log = slog::Logger::root(heard.clone(), slog::o!());
        let place = [("bind", "127.0.0.1".to_owned()), ("port", port.to_string())];
        let keys = keys.iter().map(|(key, value)| (*key, (*value).to_owned())).chain(place);
        let source = start_source(&COMPONENT, keys, context);
        ready.recv().within("the source to be ready").await;
        Running { port, channel, heard, _source: source }
    }

    /// A client that has shaken hands.
    async fn connect(&self, session: ClientSession) -> Client {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).within("a connection").await.unwrap();
        let decoder = FrameDecoder::new(1 << 20);
        let mut client = Client { stream, session, decoder, input: BytesMut::new() };
        let mut out = BytesMut::new();
        client.session.ping(&mut out);
        client.stream.write_all(&out).within("a write").await.unwrap();
        assert!(matches!(client.hear().await, Some(ClientEvent::Ready { .. })));
        client
    }
}

/// The other end.
struct Client {
    stream: TcpStream,
    session: ClientSession,
    decoder: FrameDecoder,
    input: BytesMut,
}

impl Client {
    /// Sends all of it at once, and tells how each call ended; a connection that ends gives no more.
    async fn ask(&mut self, batches: &[Batch]) -> Vec<Outcome> {
        let mut out = BytesMut::new();
        for batch in batches {
            self.session.call_head(&mut out, batch.len(), batch.event_bytes(), None);
            batch.runs().for_each(|run| out.extend_from_slice(&run));
            out.extend_from_slice(TAIL);
        }
        let _closed = self.stream.write_all(&out).within("a write").await; // the answers, or none, tell
        let mut outcomes = Vec::new();
        while outcomes.len() < batches.len()
            && let Some(ClientEvent::Answer { outcome, .. }) = self.hear().await
        {
            outcomes.push(outcome);
        }
        outcomes
    }

    async fn hear(&mut self) -> Option<ClientEvent> {
        loop {
            if let Some(frame) = self.decoder.decode(&mut self.input).unwrap() {
                return Some(self.session.receive(frame).unwrap());
            }
            match self.stream.read_buf(&mut self.input).within("an answer").await {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }
}

#[actix::test]
async fn a_frame_beyond_the_limit_ends_its_connection_with_one_line_that_names_the_property() {
    let channel = memory_channel(&[("capacity", "100000"), ("transactionCapacity", "100000")]);
    let running = Running::start(&[("maxFrameBytes", "65536")], channel).await;
    let mut client = running.connect(ClientSession::new()).await;
    assert_eq!(client.ask(&[batch(0..1_000)]).await, [Outcome::Ok]);
    assert_eq!(client.ask(&[batch(0..20_000)]).await, []);
    running.heard.wait(1).await;
    let heard = running.heard.lines();
    assert!(heard.len() == 1 && heard[0].starts_with("127.0.0.1:"), "{heard:?}");
    for words in ["at most 65536 are taken", "after 2 good frames", "raise maxFrameBytes of this source"] {
        assert!(heard[0].contains(words), "{heard:?}");
    }
    assert_eq!(running.channel.fill().within("the fill of the channel").await.unwrap().events, 1_000);
}

#[actix::test]
async fn a_call_of_more_events_than_a_transaction_is_refused_in_its_turn_as_the_channel_would() {
    use Outcome::{Failed, Ok};
    let channel = memory_channel(&[("capacity", "100000"), ("transactionCapacity", "1000")]);
    let running = Running::start(&[], channel).await;
    let calls = [batch(0..10), batch(0..1_001), batch(0..1_000)];
    // Of a native node nothing that it had sent behind a refused call is stored; a Flume sends one call at a time.
    for (session, outcomes) in
        [(ClientSession::new(), [Ok, Failed, Failed]), (ClientSession::flume(), [Ok, Failed, Ok])]
    {
        assert_eq!(running.connect(session).await.ask(&calls).await, outcomes);
    }
    assert_eq!(
        running.channel.fill().within("the fill of the channel").await.unwrap().events,
        10 + 10 + 1_000
    );
    let line = "a batch of 1001 events is larger than the transactionCapacity 1000 of channel c1: raise it (and capacity, if need be) or send smaller batches; the sender was answered FAILED and keeps its events";
    assert_eq!(running.heard.lines(), [line]);
}

#[actix::test]
async fn the_index_of_a_call_takes_no_more_than_a_frame_whatever_the_channel_takes() {
    let channel = memory_channel(&[("capacity", "100000"), ("transactionCapacity", "100000")]);
    let running = Running::start(&[("maxFrameBytes", "65536")], channel).await;
    let empty = |events: usize| {
        let mut builder = event::BatchBuilder::default();
        (0..events).for_each(|_| builder.push([], b""));
        builder.finish()
    };
    let outcomes = running.connect(ClientSession::flume()).await.ask(&[empty(4_096), empty(4_097)]).await;
    assert_eq!(outcomes, [Outcome::Ok, Outcome::Failed]);
    let heard = running.heard.lines();
    assert!(heard.len() == 1 && heard[0].contains("4097 events is larger than the 4096 that maxFrameBytes"));
}

#[test]
fn only_what_a_channel_would_refuse_for_sure_is_refused_before() {
    let channels: HashMap<String, ChannelRef> = [("a", 100), ("b", 10)]
        .map(|(name, most)| (name.to_owned(), ChannelRef::new(name, most, address_cell().1)))
        .into();
    let narrowest = |more: &[(&str, &str)]| {
        let mut keys = vec![
            ("sources", "r"),
            ("channels", "a b"),
            ("channels.a.type", "memory"),
            ("channels.b.type", "memory"),
            ("sources.r.type", "seq"),
            ("sources.r.channels", "a b"),
        ];
        keys.extend(more);
        let source = assembly(&keys).unwrap().sources.remove(0);
        let processor = ChannelProcessor::build(&source, &channels, &silent()).unwrap();
        processor.narrowest().map(|channel| channel.transaction)
    };
    let kind = "sources.r.selector.type";
    let filter = [("sources.r.interceptors", "i"), ("sources.r.interceptors.i.type", "regex_filter")];
    assert_eq!(narrowest(&[]), Some(10));
    assert_eq!(narrowest(&[(kind, "replicating"), ("sources.r.selector.optional", "b")]), Some(100));
    assert_eq!(narrowest(&filter), None);
    assert_eq!(narrowest(&[(kind, "multiplexing"), ("sources.r.selector.default", "b")]), None);
    assert_eq!(narrowest(&[(kind, "load_balancing")]), None);
}

/// What [`super`] and its neighbours bound stands in ARCHITECTURE.md, for an operator to reckon with.
#[test]
fn the_table_of_what_bounds_memory_has_the_numbers_of_the_code() {
    let text = include_str!("../../../../../ARCHITECTURE.md");
    let (_, table) = text.split_once("## What bounds memory").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let (kib, mib) = (|bytes: usize| bytes >> 10, |bytes: usize| bytes >> 20);
    let most_connections =
        COMPONENT.descriptor.property("maxConnections").and_then(|property| property.default).unwrap();
    for words in [
        format!(
            "{FRAMES} frames of `maxFrameBytes` ({} MiB unless set)",
            mib(plan::Properties::new(&COMPONENT.descriptor).count("maxFrameBytes"))
        ),
        format!("no less than {} MiB", mib(LEAST_MEMORY_BYTES)),
        format!("where their events stand ({} bytes each)", size_of::<event::Span>()),
        format!(
            "1/{part} is kept for connections that hold up to {} KiB and 1/{part} for those that hold up to {} MiB",
            kib(budget::lanes::TINY),
            mib(budget::lanes::SMALL),
            part = budget::lanes::SMALL_PART
        ),
        format!("does nothing with it for {} s", budget::stall::WINDOW.as_secs()),
        format!("reads none of its answers for {} s", vigil::UNREAD.as_secs()),
        format!("| {} KiB; with TLS", kib(budget::FREE)),
        format!("reads of {} KiB", kib(runtime::net::LAST_READ)),
        format!("of all together {} MiB or {} KiB each", mib(budget::READS), kib(budget::FREE / 2)),
        format!("`maxConnections`: {most_connections} unless set"),
        format!(
            "{} or {} MiB; {} KiB of answers",
            HELLO.window + 1,
            mib(MOST_WAITING_BYTES),
            kib(MOST_OUTPUT_BYTES)
        ),
    ] {
        assert!(table.contains(&words), "the table does not say: {words}");
    }
}

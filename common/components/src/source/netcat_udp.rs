//! `netcatudp`: takes each datagram for an event, up to its first line feed.
//!
//! Source: Flume 1.11 `NetcatUdpSource`. UDP has no way to ask its sender to wait: datagrams that come while the channel
//! is full wait in the kernel's buffer, and what that does not hold is lost, as with Flume.

use super::NO_BIND;
use super::port::open_datagrams;
use bytes::BytesMut;
use event::Span;
use flow::component::{Component, Configure};
use flow::counters::Counted;
use flow::error::ChannelError;
use flow::message::PutTimeout;
use flow::source::{Source, SourceContext, Stopping};
use futures_util::future::LocalBoxFuture;
use plan::{Descriptor, Kind, Problem, Properties, Property, Value};
use runtime::clock::{self, Duration};
use runtime::net::Datagrams;
use runtime::told::Told;
use std::net::SocketAddr;

/// Its row in the catalogue.
pub(crate) const COMPONENT: Component = Component {
    descriptor: Descriptor::new(
        Kind::Source,
        "netcatudp",
        "org.apache.flume.source.NetcatUdpSource",
        &[PROPERTIES],
    )
    .since("1.9.0"),
    configure: Configure::Source(|properties, _, findings| {
        if properties.text("remoteAddress").is_none() {
            let note = Problem::note(
                "no-header",
                &findings.owner.at,
                format!("the {} has no `remoteAddress`", findings.owner.noun),
            )
            .flume(
                "stores the sender under a header without a name, which file channels and avro sinks refuse",
            )
            .here("no header says who sent a datagram");
            let fix = format!("`{} = HEADER`, the header for the sender", findings.key("remoteAddress"));
            findings.add(note.fix(fix));
        }
        let config = Config::new(properties);
        Some(Box::new(move || Box::new(NetcatUdp(config.clone()))))
    }),
};

const PROPERTIES: &[Property] = &[
    Property::with("bind", Value::Host, "0.0.0.0").bad(NO_BIND),
    Property::required("port", Value::Port).outside(NO_BIND),
    Property::optional("remoteAddress", Value::Text),
];

#[derive(Debug, Clone)]
struct Config {
    bind: String,
    port: u16,
    /// `remoteAddress`: the header that gets the sender, as `/ADDRESS:PORT`.
    header: Option<String>,
}

impl Config {
    fn new(properties: &Properties) -> Config {
        Config {
            bind: properties.word("bind").to_owned(),
            port: properties.count("port"),
            header: properties.text("remoteAddress").map(str::to_owned),
        }
    }
}

/// At a stop it takes no more datagrams and stores those that it has read.
struct NetcatUdp(Config);

impl Source for NetcatUdp {
    fn counted(&self) -> Counted {
        Counted::Events
    }

    fn run(self: Box<Self>, context: SourceContext, stop: Stopping) -> LocalBoxFuture<'static, ()> {
        Box::pin(run(self.0, context, stop))
    }
}

async fn run(config: Config, mut context: SourceContext, mut stop: Stopping) {
    let (bind, port) = (&config.bind, config.port);
    let Some(socket) = open_datagrams("netcatudp", bind, port, &mut context, &mut stop).await else { return };
    context.ready.done();
    let mut reader =
        Reader { config, context, socket, buffer: vec![0; MOST_BYTES], lost: Told::every(NEWS_PAUSE) };
    loop {
        let first = tokio::select! { biased;
            _ = stop.changed() => return,
            first = reader.socket.next(&mut reader.buffer) => first,
        };
        match first {
            Ok((length, sender)) => reader.store_all(length, sender).await,
            // About a peer, such as an answer to nobody; the port stays.
            Err(error) => {
                slog::debug!(reader.context.log, "netcatudp source {}: {error}", reader.context.name)
            }
        }
    }
}

struct Reader {
    config: Config,
    context: SourceContext,
    socket: Datagrams,
    buffer: Vec<u8>,
    lost: Told,
}

impl Reader {
    /// Stores the datagram in the buffer and all that have come meanwhile.
    async fn store_all(&mut self, mut length: usize, mut sender: SocketAddr) {
        let mut prefix = BytesMut::new();
        let finished = self.config.header.is_none() && self.context.processor.prefix(&[], &mut prefix);
        let most = self.context.processor.transaction().clamp(1, MOST_EVENTS);
        let mut builder = self.context.processor.builder();
        loop {
            let body = line(&self.buffer[..length]);
            match &self.config.header {
                Some(header) => builder.push([(header.as_str(), format!("/{sender}").as_str())], body),
                None if finished => builder.push_encoded(&prefix, Span::BORN_HERE, body),
                None => builder.push([], body),
            }
            if builder.len() == most {
                break;
            }
            match self.socket.more(&mut self.buffer) {
                Some(more) => (length, sender) = more,
                None => break,
            }
        }
        let batch = self.context.processor.finish(builder);
        for (events, stored) in
            self.context.processor.store_parts(batch, finished, PutTimeout::KeepAlive).await
        {
            if let Err(error) = stored {
                self.tell_lost(events, &error);
            }
        }
    }

    fn tell_lost(&mut self, events: usize, error: &ChannelError) {
        if let Some(before) = self.lost.tell(clock::now()) {
            slog::error!(
                self.context.log,
                "source {}: {events} datagrams are lost, since UDP does not send them again: {error} ({before} such lines were left out)",
                self.context.name
            );
        }
    }
}

/// The bytes up to the first line feed.
fn line(datagram: &[u8]) -> &[u8] {
    let end = memchr::memchr(b'\n', datagram).unwrap_or(datagram.len());
    &datagram[..end]
}

/// Of a datagram; the rest of a longer one is lost, as with Flume.
const MOST_BYTES: usize = 2048;

/// In a batch: 2 MiB at most.
const MOST_EVENTS: usize = 1000;

/// Between two lines about datagrams that are lost.
const NEWS_PAUSE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{memory_channel, source_context, start_source};
    use flow::channel::ChannelRef;
    use flow::message::Stop;
    use runtime::net::UdpSocket;
    use runtime::within::Within;

    async fn events(channel: &ChannelRef, wanted: usize) -> Vec<(String, String)> {
        let mut events = Vec::new();
        while events.len() < wanted {
            let lease = channel.take(100).within("an event").await.unwrap();
            for event in lease.batches().iter().flat_map(|batch| batch.events().collect::<Vec<_>>()) {
                let header = event.header("from").unwrap_or_default().to_owned();
                events.push((header, String::from_utf8_lossy(event.body()).into_owned()));
            }
            lease.commit();
        }
        events
    }

    #[actix::test]
    async fn a_datagram_is_an_event_up_to_its_first_line_feed() {
        let channel = memory_channel(&[]);
        let sender = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let from = format!("/{}", sender.local_addr().unwrap());
        for header in [Some("from"), None] {
            let port = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port().to_string();
            let (context, mut ready) = source_context(&channel);
            let keys = [("bind", "127.0.0.1"), ("port", port.as_str())];
            let keys = keys.into_iter().chain(header.map(|header| ("remoteAddress", header)));
            let source = start_source(&COMPONENT, keys, context);
            ready.recv().within("the source to be ready").await;
            let to = format!("127.0.0.1:{port}");
            let long = [b'x'; 3000];
            for datagram in [&b"one\nrest"[..], b"", b"two", &long] {
                sender.send_to(datagram, &to).await.unwrap();
            }
            let from = if header.is_some() { from.clone() } else { String::new() };
            let expected: Vec<(String, String)> = ["one", "", "two", &"x".repeat(MOST_BYTES)]
                .map(|body| (from.clone(), body.to_owned()))
                .into();
            assert_eq!(events(&channel, 4).await, expected);
            source.send(Stop).within("the stop").await.unwrap();
        }
    }

    #[actix::test]
    async fn what_a_full_channel_does_not_take_is_told_and_the_source_goes_on() {
        let channel = memory_channel(&[("capacity", "1"), ("transactionCapacity", "1"), ("keep-alive", "0")]);
        let sender = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let port = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port().to_string();
        let (mut context, mut ready) = source_context(&channel);
        let heard = crate::testing::Heard::default();
        context.log = slog::Logger::root(heard.clone(), slog::o!());
        let _source = start_source(&COMPONENT, [("bind", "127.0.0.1"), ("port", port.as_str())], context);
        ready.recv().within("the source to be ready").await;
        for datagram in ["kept", "lost"] {
            sender.send_to(datagram.as_bytes(), format!("127.0.0.1:{port}")).await.unwrap();
        }
        heard.wait(1).await;
        assert!(heard.lines()[0].contains("1 datagrams are lost"), "{:?}", heard.lines());
        assert_eq!(events(&channel, 1).await[0].1, "kept");
        sender.send_to(b"next", format!("127.0.0.1:{port}")).await.unwrap();
        assert_eq!(events(&channel, 1).await[0].1, "next");
    }
}

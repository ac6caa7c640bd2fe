use super::*;
use crate::testing::{free_port, memory_channel, source_context, start_source};
use actix::prelude::*;
use flow::channel::ChannelRef;
use flow::message::Stop;
use flow::source::SourceActor;
use plan::Properties as Keys;
use runtime::clock::Duration;
use runtime::net::{TcpListener, TcpStream};
use runtime::within::Within;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

/// A netcat source at a free port that stores into `channel`.
struct Stage {
    port: u16,
    source: Addr<SourceActor>,
    ready: mpsc::UnboundedReceiver<()>,
}

fn stage(port: u16, channel: &ChannelRef, keys: &[(&str, &str)]) -> Stage {
    let (context, ready) = source_context(channel);
    let port_text = port.to_string();
    let keys = [("bind", "127.0.0.1"), ("port", &port_text)].into_iter().chain(keys.iter().copied());
    Stage { port, source: start_source(&COMPONENT, keys, context), ready }
}

async fn start(channel: &ChannelRef, keys: &[(&str, &str)]) -> Stage {
    let mut stage = stage(free_port().await, channel, keys);
    stage.ready.recv().within("the source to be ready").await.unwrap();
    stage
}

impl Stage {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).within("a connection").await.unwrap()
    }

    /// Sends `bytes` and no more, and gives all that is answered until the source closes.
    async fn ask(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes).within("a write").await.unwrap();
        stream.shutdown().within("the end of the stream").await.unwrap();
        let mut answers = Vec::new();
        stream.read_to_end(&mut answers).within("the end of the stream").await.unwrap();
        String::from_utf8(answers).unwrap()
    }
}

/// All bodies that are in the channel now.
async fn bodies(channel: &ChannelRef) -> Vec<String> {
    let mut bodies = Vec::new();
    while channel.fill().within("the fill of the channel").await.is_some_and(|fill| fill.events > 0) {
        let lease = channel.take(usize::MAX).within("events from the channel").await.unwrap();
        for event in lease.batches().iter().flat_map(event::Batch::events) {
            assert_eq!(event.headers().count(), 0);
            bodies.push(String::from_utf8(event.body().to_vec()).unwrap());
        }
        lease.commit();
    }
    bodies
}

async fn read(stream: &mut TcpStream, length: usize) -> String {
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer).within("an answer").await.unwrap();
    String::from_utf8(answer).unwrap()
}

const TOO_LONG: &str = "FAILED: Event exceeds the maximum length (20 chars, including newline)\n";

#[test]
fn settings_as_flumes() {
    let plain = NetcatConfig::new(&Keys::of(&COMPONENT.descriptor, [("bind", "h"), ("port", "44444")]));
    assert_eq!((plain.place.bind.as_str(), plain.place.port, plain.max_line_length), ("h", 44444, 512));
    assert!(plain.ack_every_event);
    assert_eq!(plain.encoding, Charset::UTF_8);
    let set = NetcatConfig::new(&Keys::of(
        &COMPONENT.descriptor,
        [("ack-every-event", "no"), ("encoding", "iso-8859-1")],
    ));
    assert_eq!((set.ack_every_event, set.encoding.name()), (false, "ISO-8859-1"));
}

/// The answers of Flume 1.9.0 to the same bytes.
#[actix::test]
async fn each_line_is_answered_as_by_flume() {
    let channel = memory_channel(&[]);
    let stage = start(&channel, &[("max-line-length", "20")]).await;
    let wide = "\u{1f600}".repeat(9);
    let ten = "\u{1f600}".repeat(10) + "\n";
    for (sent, answers, stored) in [
        (&b"a\r\n\nlast"[..], "OK\nOK\n", vec!["a\r", ""]),
        (b"1234567890123456789\n", "OK\n", vec!["1234567890123456789"]),
        (b"12345678901234567890", TOO_LONG, vec![]),
        (b"12345678901234567890\n", TOO_LONG, vec![]),
        (b"ok\nyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\n", &format!("OK\n{TOO_LONG}"), vec!["ok"]),
        (format!("{wide}\n").as_bytes(), "OK\n", vec![wide.as_str()]),
        (ten.as_bytes(), TOO_LONG, vec![]),
        (b"abc\n\xc3", "OK\n", vec!["abc"]),
        // Flume loses "good", which came with the same read, and answers nothing.
        (b"good\n\xff\nmore\n", "OK\n", vec!["good"]),
        (b"", "", vec![]),
    ] {
        assert_eq!(stage.ask(sent).await, answers, "{:?}", String::from_utf8_lossy(sent));
        assert_eq!(bodies(&channel).await, stored);
    }
}

#[actix::test]
async fn answers_come_while_the_peer_stays() {
    let channel = memory_channel(&[]);
    let stage = start(&channel, &[]).await;
    let mut stream = stage.connect().await;
    for part in ["one\ntw", "o\n"] {
        stream.write_all(part.as_bytes()).within("a write").await.unwrap();
        assert_eq!(read(&mut stream, 3).await, "OK\n");
    }
    assert_eq!(bodies(&channel).await, ["one", "two"]);
}

#[actix::test]
async fn lines_in_bulk_are_stored_and_answered_in_order() {
    let channel = memory_channel(&[("capacity", "100000"), ("transactionCapacity", "100")]);
    let stage = start(&channel, &[]).await;
    let lines: Vec<String> = (0..50_000).map(|n| format!("line {n}")).collect();
    let (mut reading, mut writing) = tokio::io::split(stage.connect().await);
    let text = lines.join("\n") + "\n";
    let sent = actix_rt::spawn(async move {
        writing.write_all(text.as_bytes()).within("a write").await.unwrap();
        writing.shutdown().within("the end of the stream").await.unwrap();
    });
    let mut answers = String::new();
    reading.read_to_string(&mut answers).within("the end of the stream").await.unwrap();
    sent.within("the task that sends").await.unwrap();
    assert!(answers == "OK\n".repeat(lines.len()), "{} bytes of answers", answers.len());
    assert!(bodies(&channel).await == lines);
}

#[actix::test]
async fn a_full_channel_is_answered_for_each_line_and_the_session_goes_on() {
    let channel = memory_channel(&[("capacity", "2"), ("transactionCapacity", "2"), ("keep-alive", "0")]);
    let stage = start(&channel, &[("ack-every-event", "false")]).await;
    let mut stream = stage.connect().await;
    stream.write_all(b"a\nb\nc\nd\n").within("a write").await.unwrap();
    let failed = "FAILED: Space for commit to queue couldn't be acquired. Sinks are likely not keeping up with sources, or \
        the buffer size is too tight\n";
    assert_eq!(
        read(&mut stream, 2 * failed.len()).await,
        failed.repeat(2),
        "and nothing for those that were stored"
    );
    assert_eq!(bodies(&channel).await, ["a", "b"]);
    stream.write_all(b"e\nf\ng\n").within("a write").await.unwrap();
    assert_eq!(read(&mut stream, failed.len()).await, failed);
    assert_eq!(bodies(&channel).await, ["e", "f"]);
}

#[actix::test]
async fn lines_in_one_write_are_stored_though_the_channel_holds_few_at_a_time() {
    let channel = memory_channel(&[("capacity", "100"), ("byteCapacity", "2000")]);
    let stage = start(&channel, &[]).await;
    let lines: Vec<String> = (0..60).map(|n| format!("line {n}")).collect();
    let mut stream = stage.connect().await;
    stream.write_all((lines.join("\n") + "\n").as_bytes()).await.unwrap();
    let mut taken = Vec::new();
    while taken.len() < lines.len() {
        let lease = channel.take(100).await.unwrap();
        for event in lease.batches().iter().flat_map(event::Batch::events) {
            taken.push(String::from_utf8(event.body().to_vec()).unwrap());
        }
        lease.commit();
    }
    assert_eq!(taken, lines);
    assert_eq!(read(&mut stream, 3 * 60).await, "OK\n".repeat(60));
}

#[actix::test]
async fn bodies_are_utf_8_whatever_comes_in() {
    let channel = memory_channel(&[]);
    let stage = start(&channel, &[("encoding", "ISO-8859-1")]).await;
    assert_eq!(stage.ask(b"gr\xfc\xdfe\n").await, "OK\n");
    assert_eq!(bodies(&channel).await, ["grüße"]);
}

/// A port from which connections go out may by chance be connected with itself.
async fn is_listening(port: u16) -> bool {
    let connected = TcpStream::connect(("127.0.0.1", port)).within("a connection, or a refusal").await;
    connected.is_ok_and(|stream| stream.local_addr().unwrap() != stream.peer_addr().unwrap())
}

#[actix::test]
async fn a_port_in_use_is_told_once_and_taken_when_it_is_free() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let channel = memory_channel(&[]);
    let mut stage = stage(taken.local_addr().unwrap().port(), &channel, &[]);
    stage.ready.recv().within("the source to be ready").await.unwrap();
    drop(taken);
    // It tries again every second.
    let listens = async {
        while !is_listening(stage.port).await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    listens.within("the source to listen once the port is free").await;
    assert_eq!(stage.ask(b"late\n").await, "OK\n");
}

#[actix::test]
async fn a_stop_closes_silent_sessions_and_the_port() {
    let channel = memory_channel(&[]);
    let stage = start(&channel, &[]).await;
    let mut silent = stage.connect().await;
    silent.write_all(b"one\nhalf").within("a write").await.unwrap();
    assert_eq!(read(&mut silent, 3).await, "OK\n");
    stage.source.send(Stop).within("the stop").await.unwrap();
    let mut rest = Vec::new();
    silent.read_to_end(&mut rest).within("the end of the stream").await.unwrap();
    assert!(rest.is_empty());
    assert!(TcpStream::connect(("127.0.0.1", stage.port)).within("a connection").await.is_err());
    assert_eq!(bodies(&channel).await, ["one"]);
}

#[actix::test]
async fn silent_peers_disturb_nobody() {
    let channel = memory_channel(&[]);
    let stage = start(&channel, &[]).await;
    let mut silent = Vec::new();
    for _ in 0..400 {
        silent.push(stage.connect().await);
    }
    assert_eq!(stage.ask(b"hello\n").await, "OK\n");
}

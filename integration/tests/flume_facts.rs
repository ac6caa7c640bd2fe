//! What released Flume does on the wire, as far as ours relies on it.

use integration::{
    flume::{
        self, Flume, Version,
        avro::{Answer, Connection, Event, Hello, Meta, Outcome, RELEASED, SNAPSHOT, parameters},
        stand_in::StandIn,
    },
    ports,
};
use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

/// One port for an Avro source, with a logger behind it.
fn collector(version: Version) -> (Flume, SocketAddr, tempfile::TempDir) {
    flume::require();
    let dir = tempfile::tempdir().expect("a folder");
    let port = ports::free(&["127.0.0.1"]).expect("a port");
    let file = COLLECTOR.replace("PORT", &port.to_string());
    let flume = Flume::start(version, &file, "a1", dir.path()).expect("a JVM");
    flume.wait_for_line("Avro source r1 started.", PATIENCE).expect("it starts");
    (flume, (Ipv4Addr::LOCALHOST, port).into(), dir)
}

fn meta(pairs: &[(&str, &str)]) -> Meta {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), value.as_bytes().to_vec())).collect()
}

fn status(answer: &Answer) -> Option<i64> {
    match answer.outcome {
        Some(Outcome::Status(status)) => Some(status),
        _ => None,
    }
}

/// The lines after the mark that are neither events nor the connection's own.
fn complaints(flume: &Flume, mark: usize) -> Vec<String> {
    let lines = flume.console().lines_from(mark).into_iter().map(|line| line.text);
    lines.filter(|line| !ORDINARY.iter().any(|ordinary| line.contains(ordinary))).collect()
}

fn unknown_meta_is_ignored_by_a_collector(version: Version) {
    let (flume, at, _dir) = collector(version);
    let mark = flume.console().mark();
    let mut connection = Connection::open(at).expect("a connection");
    let hello =
        Hello { meta: Some(meta(&[("node", "x"), ("", ""), ("bytes", "\0\u{1}")])), ..Hello::default() };
    let call = meta(&[("stream", "1"), ("sequence", "\0\0\0\u{7}")]);
    for n in 0..3 {
        let hello = (n == 0).then_some(&hello);
        let answer = connection
            .call(hello, &call, "appendBatch", &parameters(&[Event::new(&[("n", "1")], "with meta")]))
            .expect("an answer");
        assert_eq!(status(&answer), Some(0));
        assert_eq!(answer.welcome.is_some(), n == 0);
        assert!(answer.welcome.is_none_or(|welcome| welcome.matches == 0 && welcome.meta.is_none()));
    }
    flume.console().wait_from(mark, PATIENCE, "three events", third_event()).expect("they are printed");
    assert_eq!(complaints(&flume, mark), Vec::<String>::new());
}

/// Holds for the third `Event:` line it is shown.
fn third_event() -> impl FnMut(&integration::console::Line) -> bool {
    let mut seen = 0;
    move |line| {
        seen += usize::from(line.text.contains("Event: {"));
        seen == 3
    }
}

fn a_null_meta_is_taken(version: Version) {
    let (flume, at, _dir) = collector(version);
    let mark = flume.console().mark();
    let mut connection = Connection::open(at).expect("a connection");
    let hello = Hello { meta: None, ..Hello::default() };
    let one = parameters(&[Event::new(&[], "x")]);
    let answer = connection.call(Some(&hello), &Meta::new(), "appendBatch", &one).expect("an answer");
    assert_eq!(status(&answer), Some(0));
    assert_eq!(complaints(&flume, mark), Vec::<String>::new());
}

fn a_ping_is_answered(version: Version) {
    let (flume, at, _dir) = collector(version);
    let mark = flume.console().mark();
    let mut connection = Connection::open(at).expect("a connection");
    let first = connection.call(Some(&Hello::default()), &Meta::new(), "", &[]).expect("an answer");
    assert!(first.welcome.is_some_and(|welcome| welcome.matches == 0));
    assert_eq!(first.outcome, None);
    for serial in [2, 3] {
        let next = connection.call(None, &Meta::new(), "", &[]).expect("an answer");
        assert_eq!(next, Answer { serial, welcome: None, outcome: None });
    }
    let answer = connection.append_batch(&[Event::new(&[], "after")]).expect("an answer");
    assert_eq!(status(&answer), Some(0));
    assert_eq!(complaints(&flume, mark), Vec::<String>::new());
}

fn hashes(version: Version) {
    let (flume, at, _dir) = collector(version);
    // An unknown hash without a text is NONE, and tells the server's own.
    let unknown = Hello { client: [7; 16], ..Hello::default() };
    let mut connection = Connection::open(at).expect("a connection");
    let one = parameters(&[Event::new(&[], "x")]);
    let none = connection.call(Some(&unknown), &Meta::new(), "appendBatch", &one).expect("an answer");
    let welcome = none.welcome.expect("a handshake");
    assert_eq!((welcome.matches, none.outcome), (2, None));
    assert_eq!(welcome.hash.as_deref(), Some(&RELEASED[..]));
    // With a text it is known, for later connections as well.
    let told = Hello { protocol: welcome.protocol, ..unknown.clone() };
    let both = connection.call(Some(&told), &Meta::new(), "appendBatch", &one).expect("an answer");
    assert_eq!((both.welcome.as_ref().map(|w| w.matches), status(&both)), (Some(0), Some(0)));
    let again =
        Connection::open(at).and_then(|mut c| c.call(Some(&unknown), &Meta::new(), "appendBatch", &one));
    assert_eq!(again.expect("an answer").welcome.map(|w| w.matches), Some(0));
    // A right client hash with a wrong guess of the server's is CLIENT, and the call is done.
    let guess = Hello { server: SNAPSHOT, ..Hello::default() };
    let client =
        Connection::open(at).and_then(|mut c| c.call(Some(&guess), &Meta::new(), "appendBatch", &one));
    let client = client.expect("an answer");
    assert_eq!((client.welcome.as_ref().map(|w| w.matches), status(&client)), (Some(1), Some(0)));
    drop(flume);
}

fn unknown_meta_is_ignored_by_an_agent(version: Version) {
    flume::require();
    let dir = tempfile::tempdir().expect("a folder");
    let stand_in = StandIn::listen().expect("a port");
    stand_in.welcome(meta(&[("node", "x"), ("credits", "\0\0\0\u{8}")]));
    let file = AGENT.replace("PORT", &stand_in.address().port().to_string());
    let flume = Flume::start(version, &file, "a1", dir.path()).expect("a JVM");
    assert!(stand_in.wait_for(20, PATIENCE));
    let calls = stand_in.calls();
    assert!(calls.len() >= 2, "more than the first call was made with that handshake");
    let hello = calls[0].hello.as_ref().expect("a handshake");
    assert_eq!((hello.client, hello.server), (RELEASED, RELEASED));
    assert_eq!((hello.meta.as_ref(), hello.protocol.as_ref()), (Some(&Meta::new()), None));
    assert!(calls[1..].iter().all(|call| call.hello.is_none()));
    let bad = |line: &String| line.contains("WARN") && !line.contains("no configfilters");
    assert_eq!(flume.lines().into_iter().find(|line| bad(line) || line.contains("ERROR")), None);
}

/// What a file channel has taken outlives `kill -9`, in the JVM and the folder that [`Flume::start`] gives it.
fn a_file_channel_outlives_a_kill(version: Version) {
    flume::require();
    let dir = tempfile::tempdir().expect("a folder");
    let mut stand_in = StandIn::listen().expect("a port");
    stand_in.close();
    // All in one transaction: when the sink has seen an event the channel has all of them.
    let file = AGENT
        .replace("PORT", &stand_in.address().port().to_string())
        .replace("= memory", "= file")
        .replace("transactionCapacity = 10", "transactionCapacity = 20\na1.sources.r1.batchSize = 20");
    let mut flume = Flume::start(version, &file, "a1", dir.path()).expect("a JVM");
    flume.wait_for_line("Unable to deliver event", PATIENCE).expect("nobody listens");
    flume.kill();
    stand_in.open().expect("the port is still free");
    let idle = file.replace("totalEvents = 20", "totalEvents = 0");
    let flume = Flume::start(version, &idle, "a1", dir.path()).expect("a JVM");
    assert!(stand_in.wait_for(20, PATIENCE), "{:#?}", flume.lines());
}

/// What a connection leaves on the console: 1.9 tells its whole life, 1.11 only its end.
fn the_console_of_a_connection(version: Version) {
    let (flume, at, _dir) = collector(version);
    let mark = flume.console().mark();
    let mut connection = Connection::open(at).expect("a connection");
    connection.append_batch(&[Event::new(&[], "x")]).expect("an answer");
    drop(connection);
    flume
        .console()
        .wait_from(mark, PATIENCE, "its end", |line| line.text.contains(" disconnected."))
        .expect("its end");
    let lines = flume.console().lines_from(mark);
    let places: Vec<String> =
        lines.iter().filter(|line| !line.text.contains("Event: {")).map(|l| place(&l.text)).collect();
    match version {
        Version::V1_9 => assert_eq!(
            places,
            [
                "(New I/O server boss #N) [INFO - org.apache.avro.ipc.NettyServer$NettyServerAvroHandler.handleUpstream(NettyServer.java:N)] [id: N, /N => /N] OPEN",
                "(New I/O worker #N) [INFO - org.apache.avro.ipc.NettyServer$NettyServerAvroHandler.handleUpstream(NettyServer.java:N)] [id: N, /N => /N] BOUND: /N",
                "(New I/O worker #N) [INFO - org.apache.avro.ipc.NettyServer$NettyServerAvroHandler.handleUpstream(NettyServer.java:N)] [id: N, /N => /N] CONNECTED: /N",
                "(New I/O worker #N) [INFO - org.apache.avro.ipc.NettyServer$NettyServerAvroHandler.handleUpstream(NettyServer.java:N)] [id: N, /N :> /N] DISCONNECTED",
                "(New I/O worker #N) [INFO - org.apache.avro.ipc.NettyServer$NettyServerAvroHandler.handleUpstream(NettyServer.java:N)] [id: N, /N :> /N] UNBOUND",
                "(New I/O worker #N) [INFO - org.apache.avro.ipc.NettyServer$NettyServerAvroHandler.handleUpstream(NettyServer.java:N)] [id: N, /N :> /N] CLOSED",
                "(New I/O worker #N) [INFO - org.apache.avro.ipc.NettyServer$NettyServerAvroHandler.channelClosed(NettyServer.java:N)] Connection to /N disconnected.",
            ]
        ),
        Version::V1_11 => assert_eq!(
            places,
            [
                "(nioEventLoopGroup-N-N) [INFO - org.apache.avro.ipc.netty.NettyServer$NettyServerAvroHandler.channelInactive(NettyServer.java:N)] Connection to /N disconnected."
            ]
        ),
    }
}

/// A console line without its date, with N for each number, address and identity in it.
fn place(line: &str) -> String {
    let text = line.split_at_checked("2018-11-13 16:34:55,386 ".len()).map_or(line, |(_, rest)| rest);
    let mut out = String::new();
    for word in text.split_inclusive(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == ':')) {
        let end = word.trim_end_matches(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == ':')).len();
        let (word, rest) = word.split_at(end);
        let number = word.starts_with(|c: char| c.is_ascii_digit());
        match word.split_once(".java:") {
            Some((file, _)) => out.push_str(&format!("{file}.java:N")),
            None if number => out.push('N'),
            None => out.push_str(word),
        }
        out.push_str(rest);
    }
    out
}

macro_rules! facts {
    ($($fact:ident),* $(,)?) => {$(
        mod $fact {
            use super::*;

            #[test]
            #[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
            fn in_1_9() {
                super::$fact(Version::V1_9);
            }

            #[test]
            #[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
            fn in_1_11() {
                super::$fact(Version::V1_11);
            }
        }
    )*};
}

facts!(
    unknown_meta_is_ignored_by_a_collector,
    unknown_meta_is_ignored_by_an_agent,
    a_null_meta_is_taken,
    a_ping_is_answered,
    hashes,
    a_file_channel_outlives_a_kill,
    the_console_of_a_connection,
);

const PATIENCE: Duration = Duration::from_secs(120);

/// Lines that any connection and any event leave.
const ORDINARY: [&str; 3] = ["Event: {", "] [id: 0x", "Connection to /"];

const COLLECTOR: &str = "a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.channels.c1.type = memory
a1.sources.r1.type = avro
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = PORT
a1.sources.r1.channels = c1
a1.sinks.k1.type = logger
a1.sinks.k1.channel = c1
";

const AGENT: &str = "a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.channels.c1.type = memory
a1.channels.c1.transactionCapacity = 10
a1.sources.r1.type = seq
a1.sources.r1.totalEvents = 20
a1.sources.r1.channels = c1
a1.sinks.k1.type = avro
a1.sinks.k1.hostname = 127.0.0.1
a1.sinks.k1.port = PORT
a1.sinks.k1.batch-size = 5
a1.sinks.k1.channel = c1
";

//! TLS and deflate between ours and released Flume, each as sender and as receiver.
//!
//! One sender with a sink for each way, one receiver with a source for each: compressed, encrypted, both. With both, Flume up to 1.9
//! has TLS outside and zlib within, later ones the other way round; ours understands either.

use integration::{
    flume::{
        self, Version,
        oracle::{Node, Side},
    },
    ports,
};
use std::{
    fs,
    net::{Ipv4Addr, TcpStream},
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// Everything that `sender` counts arrives at `receiver` in order, by each of the ways.
fn every_way(sender: &Side, receiver: &Side) {
    if [sender, receiver].iter().any(|side| matches!(side, Side::Flume(_))) {
        flume::require();
    }
    let scene = tempfile::tempdir().expect("a folder");
    let ports = WAYS.map(|_| ports::free(&["127.0.0.1"]).expect("a port"));
    let (from, to) = (scene.path().join("sender"), scene.path().join("receiver"));
    let receiver = start(receiver, &receiver_file(&ports, &to), &to);
    for port in &ports {
        let open = || TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).is_ok();
        assert!(wait(open), "{:#?}", last(&receiver));
    }
    let sender = start(sender, &sender_file(&ports), &from);
    let wanted: Vec<String> = (0..EVENTS).map(|number| number.to_string()).collect();
    for (way, settings) in WAYS.iter().enumerate() {
        let folder = to.join(format!("out{way}"));
        let came = wait(|| lines(&folder).len() >= EVENTS);
        let found = lines(&folder);
        assert!(
            came,
            "{} of {EVENTS} by {settings:?}; sender {:#?}; receiver {:#?}",
            found.len(),
            last(&sender),
            last(&receiver)
        );
        assert!(found == wanted, "{} lines by {settings:?}, not in order", found.len());
    }
}

fn start(side: &Side, text: &str, dir: &Path) -> Node {
    WAYS.iter()
        .enumerate()
        .for_each(|(way, _)| fs::create_dir_all(dir.join(format!("out{way}"))).expect("a folder"));
    let file = dir.join("a1.properties");
    fs::write(&file, text).expect("a file");
    Node::start(side, &file, "a1", dir).expect("a process")
}

fn sender_file(ports: &[u16]) -> String {
    let (channels, sinks) = (names('c'), names('k'));
    let mut text = format!("a1.sources = r\na1.channels = {channels}\na1.sinks = {sinks}\n");
    text.push_str(&format!(
        "a1.sources.r.type = seq\na1.sources.r.batchSize = 50\na1.sources.r.channels = {channels}\n"
    ));
    text.push_str(&format!("a1.sources.r.totalEvents = {EVENTS}\n"));
    for (way, (_, keys)) in WAYS.iter().enumerate() {
        text.push_str(&CHANNEL.replace('$', &way.to_string()));
        let sink = format!("a1.sinks.k{way}.");
        text.push_str(&format!(
            "{sink}type = avro\n{sink}hostname = 127.0.0.1\n{sink}port = {}\n{sink}channel = c{way}\n",
            ports[way]
        ));
        text.push_str(&settings(&sink, keys));
    }
    text
}

fn receiver_file(ports: &[u16], dir: &Path) -> String {
    let (sources, channels, sinks) = (names('r'), names('c'), names('k'));
    let mut text = format!("a1.sources = {sources}\na1.channels = {channels}\na1.sinks = {sinks}\n");
    for (way, (keys, _)) in WAYS.iter().enumerate() {
        text.push_str(&CHANNEL.replace('$', &way.to_string()));
        let (source, sink) = (format!("a1.sources.r{way}."), format!("a1.sinks.k{way}."));
        text.push_str(&format!(
            "{source}type = avro\n{source}bind = 127.0.0.1\n{source}port = {}\n{source}channels = c{way}\n",
            ports[way]
        ));
        text.push_str(&settings(&source, keys));
        text.push_str(&format!(
            "{sink}type = file_roll\n{sink}sink.rollInterval = 0\n{sink}channel = c{way}\n"
        ));
        text.push_str(&format!("{sink}sink.directory = {}\n", dir.join(format!("out{way}")).display()));
    }
    text
}

/// `c0 c1 c2 ...`, one for each way.
fn names(letter: char) -> String {
    (0..WAYS.len()).map(|way| format!("{letter}{way} ")).collect()
}

/// `a=b c=d` as lines; `@NAME` stands for a store of the runtime crate's test data.
fn settings(prefix: &str, keys: &str) -> String {
    let stores = Path::new(env!("CARGO_MANIFEST_DIR")).join("../common/runtime/testdata/stores");
    let line = |word: &str| {
        format!("{prefix}{}\n", word.replace('=', " = ").replace('@', &format!("{}/", stores.display())))
    };
    keys.split_whitespace().map(line).collect()
}

fn lines(folder: &Path) -> Vec<String> {
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("it is there").flatten().map(|entry| entry.path()).collect();
    files.sort();
    let text: String = files.iter().map(|file| fs::read_to_string(file).unwrap_or_default()).collect();
    text.lines().map(str::to_owned).collect()
}

fn last(node: &Node) -> Vec<String> {
    let lines = node.console.lines_from(0);
    lines.iter().rev().take(20).rev().map(|line| line.text.clone()).collect()
}

fn wait(done: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        if Instant::now() > deadline {
            return false;
        }
        thread::sleep(Duration::from_millis(50));
    }
    true
}

fn ours(name: &str) -> Side {
    Side::ours(name).expect("the binaries are built")
}

#[test]
fn ours_to_ours() {
    every_way(&ours("agent"), &ours("collector"));
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn ours_to_flume_1_9() {
    every_way(&ours("agent"), &Side::Flume(Version::V1_9));
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn ours_to_flume_1_11() {
    every_way(&ours("agent"), &Side::Flume(Version::V1_11));
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn flume_1_9_to_ours() {
    every_way(&Side::Flume(Version::V1_9), &ours("collector"));
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn flume_1_11_to_ours() {
    every_way(&Side::Flume(Version::V1_11), &ours("collector"));
}

/// What a source and what a sink is told.
const WAYS: [(&str, &str); 4] = [
    ("compression-type=deflate", "compression-type=deflate compression-level=4"),
    (
        "ssl=true keystore=@server.jks keystore-password=changeit",
        "ssl=true truststore=@trust.jks truststore-password=changeit",
    ),
    (
        "ssl=true keystore=@chain.p12 keystore-password=changeit keystore-type=PKCS12",
        "ssl=true truststore=@authority-trust.p12 truststore-password=changeit truststore-type=PKCS12",
    ),
    (
        "ssl=true keystore=@chain.p12 keystore-password=changeit keystore-type=JKS compression-type=deflate",
        "ssl=true truststore=@authority-trust.p12 truststore-password=changeit truststore-type=JKS compression-type=deflate",
    ),
];

const CHANNEL: &str = "a1.channels.c$.type = memory\na1.channels.c$.capacity = 10000\na1.channels.c$.transactionCapacity = 1000\n";
const EVENTS: usize = 3000;
const PATIENCE: Duration = Duration::from_secs(120);

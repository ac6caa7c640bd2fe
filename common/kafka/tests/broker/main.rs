//! The Kafka components in real processes, with a real broker, and beside a real Flume.
//!
//! `cargo test -p kafka --test broker -- --ignored --test-threads=1`
#![expect(clippy::disallowed_methods, reason = "real processes run on real clocks")]

mod channel;
mod sink;
mod source;
mod storm;

use integration::binaries::workspace;
use integration::console::Console;
use integration::flume::{Flume, Launch, Version};
use integration::ports;
use integration::process::Process;
use integration::stores::{Broker, flumes_parts};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Headers, Message};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What a topic holds.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Record {
    partition: i32,
    key: Option<String>,
    headers: Vec<(String, String)>,
    timestamp: i64,
    value: Vec<u8>,
}

fn client(broker: &Broker) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", broker.address());
    config
}

/// Makes topics of these names, with so many partitions.
fn make(broker: &Broker, topics: &[(&str, i32)]) {
    let admin: AdminClient<DefaultClientContext> = client(broker).create().expect("a client");
    let wanted: Vec<NewTopic<'_>> = topics
        .iter()
        .map(|(name, partitions)| NewTopic::new(name, *partitions, TopicReplication::Fixed(1)))
        .collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let made = runtime.block_on(admin.create_topics(&wanted, &AdminOptions::new())).expect("an answer");
    assert!(made.iter().all(Result::is_ok), "{made:?}");
}

/// All that `topic` holds and that is committed.
fn all_of(broker: &Broker, topic: &str) -> Vec<Record> {
    let mut config = client(broker);
    config.set("group.id", "reader").set("enable.auto.commit", "false").set("enable.partition.eof", "true");
    let consumer: BaseConsumer = config.create().expect("a client");
    let known = consumer.fetch_metadata(Some(topic), LONG).expect("an answer");
    let partitions = known.topics()[0].partitions();
    let mut list = TopicPartitionList::new();
    for partition in partitions {
        list.add_partition_offset(topic, partition.id(), Offset::Beginning).expect("a partition");
    }
    consumer.assign(&list).expect("an assignment");
    let (mut ended, mut all) = (0, Vec::new());
    let deadline = Instant::now() + LONG;
    while ended < partitions.len() {
        assert!(Instant::now() < deadline, "{topic} is not read in {LONG:?}: {} records", all.len());
        match consumer.poll(Duration::from_secs(1)) {
            Some(Ok(message)) => all.push(Record {
                partition: message.partition(),
                key: message.key().map(text),
                headers: message
                    .headers()
                    .map(|headers| {
                        headers
                            .iter()
                            .map(|header| (header.key.to_owned(), text(header.value.unwrap_or_default())))
                            .collect()
                    })
                    .unwrap_or_default(),
                timestamp: message.timestamp().to_millis().unwrap_or_default(),
                value: message.payload().unwrap_or_default().to_vec(),
            }),
            Some(Err(KafkaError::PartitionEOF(_))) => ended += 1,
            Some(Err(error)) => eprintln!("{error}"),
            None => {}
        }
    }
    all
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Bodies of numbered lines: which are missing of `0..lines`, and how many came more than once.
fn account(bodies: impl Iterator<Item = Vec<u8>>, lines: usize) -> (Vec<usize>, usize) {
    let mut seen = vec![0usize; lines];
    for body in bodies {
        let body = text(&body);
        let number = body.split_once(' ').and_then(|(_, number)| number.parse::<usize>().ok());
        seen[number.unwrap_or_else(|| panic!("no line of the test: {body}"))] += 1;
    }
    let missing = (0..lines).filter(|line| seen[*line] == 0).collect();
    (missing, seen.iter().filter(|count| **count > 1).count())
}

/// A native node, with a directory for its files.
struct Node {
    directory: TempDir,
    console: Console,
    process: Process,
    text: String,
}

impl Node {
    /// The agent `a1` of `text`, in which `DIR` stands for its directory and `BROKER` for the broker.
    fn start(broker: &Broker, text: &str) -> Node {
        Node::start_in(tempfile::tempdir().expect("a folder"), broker, text)
    }

    fn start_in(directory: TempDir, broker: &Broker, text: &str) -> Node {
        let text = text
            .replace("DIR/", &format!("{}/", directory.path().display()))
            .replace("BROKER", &broker.address());
        let console = Console::default();
        let process = run(directory.path(), &text, &console);
        Node { directory, console, process, text }
    }

    fn start_again(&mut self) {
        self.process = run(self.directory.path(), &self.text, &self.console);
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn said(&self, part: &str) -> usize {
        self.console.visit(0, |line| line.text.contains(part).then_some(())).len()
    }

    fn wait_for(&self, part: &str) {
        if let Err(error) = self.console.wait_from(0, LONG, part, |line| line.text.contains(part)) {
            panic!("{error}");
        }
    }
}

impl Drop for Node {
    /// Says what it said, where the test has failed.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.console.lines_from(0).iter().for_each(|line| eprintln!("{}", line.text));
        }
    }
}

fn run(directory: &Path, text: &str, console: &Console) -> Process {
    let file = directory.join("a1.conf");
    fs::write(&file, text).expect("a file");
    let mut command = Command::new(agent());
    command.args(["-n", "a1", "--drain-timeout", "20", "-f"]).arg(file);
    Process::spawn(command, console, 0).expect("it runs")
}

/// The program, built with Kafka in it.
fn agent() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let mut cargo = Command::new(option_env!("CARGO").unwrap_or("cargo"));
        cargo.current_dir(workspace()).args(["build", "--quiet", "-p", "agent", "--features", "kafka"]);
        assert!(cargo.status().expect("cargo runs").success(), "the agent is not built");
        let own = std::env::current_exe().expect("a program");
        own.ancestors().nth(2).expect("target/debug/deps/broker").join("agent")
    })
}

/// A real Flume 1.11 with its Kafka components.
fn flume(broker: &Broker, text: &str, directory: &Path) -> Flume {
    integration::flume::require();
    let file = directory.join("flume.properties");
    fs::write(&file, text.replace("BROKER", &broker.address())).expect("a file");
    let launch = Launch { before: format!("{}:", flumes_parts()), ..Launch::default() };
    Flume::start_as(Version::V1_11, &file, "a1", directory, &launch, &Console::default()).expect("java runs")
}

/// Sends events to an HTTP source, which may not listen yet.
fn post(port: u16, events: &str) {
    let deadline = Instant::now() + LONG;
    loop {
        assert!(Instant::now() < deadline, "the http source at {port} has not taken the events in {LONG:?}");
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
            std::thread::sleep(LOOK);
            continue;
        };
        let head = format!(
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            events.len()
        );
        let mut answer = String::new();
        let sent = stream
            .write_all(format!("{head}{events}").as_bytes())
            .and_then(|()| stream.read_to_string(&mut answer));
        if sent.is_ok() && answer.contains(" 200 ") {
            return;
        }
        std::thread::sleep(LOOK);
    }
}

fn free_port() -> u16 {
    ports::free(&["127.0.0.1"]).expect("a port")
}

/// Waits until it `holds`.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + LONG;
    while !holds() {
        assert!(Instant::now() < deadline, "in {LONG:?}: {what}");
        std::thread::sleep(LOOK);
    }
}

/// Numbered lines, as a file has them.
fn lines(numbers: std::ops::Range<usize>) -> String {
    numbers.map(|number| format!("line {number}\n")).collect()
}

fn append(path: &Path, text: &str) {
    let mut file = fs::OpenOptions::new().create(true).append(true).open(path).expect("a file");
    file.write_all(text.as_bytes()).expect("room");
}

const LONG: Duration = Duration::from_secs(90);
const LOOK: Duration = Duration::from_millis(100);

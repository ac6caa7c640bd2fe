//! The Kafka components in real processes, with a real broker, and beside a real Flume.
//!
//! `cargo test -p kafka --test broker -- --ignored --test-threads=1`
#![expect(clippy::disallowed_methods, reason = "real processes run on real clocks")]

mod channel;
mod compliance;
mod migration;
mod secured;
mod sink;
mod source;
mod storm;

use integration::console::Console;
use integration::flume::{Flume, Launch, Version};
use integration::ports;
use integration::process::Process;
use integration::stores::{
    Broker, FOLLOWS, Node, append, flumes_parts, follows_into, lines, post, posted_into, until,
};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Headers, Message};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

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
    let topic = |(name, partitions)| NewTopic::new(name, partitions, TopicReplication::Fixed(1));
    make_all(broker, topics.iter().copied().map(topic).collect());
}

fn make_all(broker: &Broker, wanted: Vec<NewTopic<'_>>) {
    let admin: AdminClient<DefaultClientContext> = client(broker).create().expect("a client");
    let options = AdminOptions::new().request_timeout(Some(LONG)); // it may not serve yet
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let made = runtime.block_on(admin.create_topics(&wanted, &options)).expect("an answer");
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

/// How many records of `topic` this group has committed.
fn committed(broker: &Broker, group: &str, topic: &str) -> i64 {
    let consumer: BaseConsumer = client(broker).set("group.id", group).create().expect("a client");
    let known = consumer.fetch_metadata(Some(topic), LONG).expect("an answer");
    let mut list = TopicPartitionList::new();
    known.topics()[0].partitions().iter().for_each(|partition| {
        list.add_partition(topic, partition.id());
    });
    let offsets = consumer.committed_offsets(list, LONG).expect("an answer");
    let of = |offset| if let Offset::Offset(offset) = offset { offset } else { 0 };
    offsets.elements().iter().map(|element| of(element.offset())).sum()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Bodies of numbered lines: which are missing of `0..lines`, and how many came more than once.
fn account(bodies: impl Iterator<Item = Vec<u8>>, lines: usize) -> (Vec<usize>, usize) {
    let mut seen = vec![0usize; lines];
    numbers(bodies).for_each(|number| seen[number] += 1);
    let missing = (0..lines).filter(|line| seen[*line] == 0).collect();
    (missing, seen.iter().filter(|count| **count > 1).count())
}

fn numbers(bodies: impl Iterator<Item = Vec<u8>>) -> impl Iterator<Item = usize> {
    bodies.map(|body| {
        let body = text(&body);
        let number = body.split_once(' ').and_then(|(_, number)| number.parse().ok());
        number.unwrap_or_else(|| panic!("no line of the test: {body}"))
    })
}

/// The agent `a1` of `text`, in which `BROKER` stands for the broker.
fn start(broker: &Broker, text: &str) -> Node {
    Node::start(&text.replace("BROKER", &broker.address()))
}

/// A real Flume 1.11 with its Kafka components.
fn flume(broker: &Broker, text: &str, directory: &Path) -> Flume {
    integration::flume::require();
    let file = directory.join("flume.properties");
    fs::write(&file, text.replace("BROKER", &broker.address())).expect("a file");
    let launch = Launch { before: format!("{}:", flumes_parts()), ..Launch::default() };
    Flume::start_as(Version::V1_11, &file, "a1", directory, &launch, &Console::default()).expect("java runs")
}

fn free_port() -> u16 {
    ports::free(&["127.0.0.1"]).expect("a port")
}

const LONG: Duration = Duration::from_secs(180);

//! The source.

use super::*;
use integration::flume::zookeeper::ZooKeeper;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use rpc::zookeeper::{Client, Ensemble};
use rustix::process::Signal;
use std::ops::Range;
use std::thread::{self, JoinHandle};

/// A topic that is written to files.
const WRITTEN: &str = "
a1.sources = r
a1.channels = c
a1.sinks = k
a1.sources.r.type = org.apache.flume.source.kafka.KafkaSource
a1.sources.r.kafka.bootstrap.servers = BROKER
a1.sources.r.kafka.topics = TOPIC
a1.sources.r.kafka.consumer.group.id = GROUP
a1.sources.r.kafka.consumer.auto.offset.reset = earliest
a1.sources.r.batchSize = 100
a1.sources.r.channels = c
a1.channels.c.type = memory
a1.channels.c.capacity = 1000
a1.channels.c.transactionCapacity = 100
a1.sinks.k.type = file_roll
a1.sinks.k.sink.directory = DIR
a1.sinks.k.sink.rollInterval = 0
a1.sinks.k.channel = c
";

pub(crate) fn written(topic: &str, group: &str, directory: &Path) -> String {
    fs::create_dir_all(directory).expect("a folder");
    let directory = directory.display().to_string();
    WRITTEN.replace("TOPIC", topic).replace("GROUP", group).replace("DIR", &directory)
}

/// Lines of all files of these directories, in the order in which a directory's were begun: their names are times and counts. One
/// whose end is not written yet is none.
pub(crate) fn lines_in(directories: &[&Path]) -> Vec<Vec<u8>> {
    let files = directories.iter().flat_map(|directory| {
        let files = fs::read_dir(directory).expect("a folder");
        let mut files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
        files.sort();
        files
    });
    let texts = files.map(|file| fs::read(file).expect("its text"));
    texts
        .flat_map(|text| {
            text.split_inclusive(|byte| *byte == b'\n')
                .filter_map(|line| line.strip_suffix(b"\n"))
                .filter(|line| !line.is_empty())
                .map(<[u8]>::to_vec)
                .collect::<Vec<_>>()
        })
        .collect()
}

fn producer(broker: &Broker) -> ThreadedProducer<DefaultProducerContext> {
    client(broker).set("partitioner", "murmur2_random").create().expect("a client")
}

/// Writes numbered lines, each with a key.
pub(crate) fn produce(broker: &Broker, topic: &str, numbers: Range<usize>) {
    let producer = producer(broker);
    for number in numbers {
        let (value, key) = (format!("line {number}"), format!("k{}", number % 100));
        producer
            .send(BaseRecord::to(topic).payload(&value).key(&key))
            .map_err(|(error, _)| error)
            .expect("room");
    }
    producer.flush(LONG).expect("all are taken");
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn events_are_those_of_a_released_flume() {
    let broker = Broker::start("");
    make(&broker, &[("raw", 1), ("whole", 1)]);
    let all = producer(&broker);
    let traced = OwnedHeaders::new().insert(Header { key: "X-Trace", value: Some("t-1") });
    let record =
        BaseRecord::to("raw").payload("hello").key("k1").timestamp(1_700_000_000_000).headers(traced);
    all.send(record).map_err(|(error, _)| error).expect("room");
    all.send(BaseRecord::<(), _>::to("raw").payload("plain").timestamp(1_700_000_000_001))
        .map_err(|(error, _)| error)
        .expect("room");
    for value in [
        &b"\x02\x12timestamp\x02\x35\x00\x04hi"[..],
        b"\x00\x06all",
        b"\x02\x08host\x06h\xc3\xa9\x00\x08with",
    ] {
        all.send(BaseRecord::to("whole").payload(value).key("k2").timestamp(1_700_000_000_002))
            .map_err(|(error, _)| error)
            .expect("room");
    }
    all.flush(LONG).expect("all are taken");
    let directory = tempfile::tempdir().unwrap();
    for (topic, more, events) in [
        ("raw", "a1.sources.r.header.trace = X-Trace\n", 2),
        ("whole", "a1.sources.r.useFlumeEventFormat = true\na1.sources.r.topicHeader = from\n", 3),
    ] {
        let place = |who: &str| directory.path().join(format!("{topic}-{who}"));
        let text = |who: &str| {
            format!(
                "{}{more}a1.sinks.k.sink.serializer = header_and_text\n",
                written(topic, who, &place(who))
            )
        };
        let _node = start(&broker, &text("ours"));
        let home = tempfile::tempdir().unwrap();
        let mut released = flume(&broker, &text("flumes"), home.path());
        until("both have read all", || {
            ["ours", "flumes"].iter().all(|who| lines_in(&[&place(who)]).len() >= events)
                || !released.process().is_running()
        });
        let [ours, theirs] = ["ours", "flumes"].map(|who| {
            let mut lines: Vec<String> = lines_in(&[&place(who)]).iter().map(|line| text_of(line)).collect();
            lines.sort();
            lines
        });
        assert_eq!(ours, theirs, "{topic}");
    }
}

/// Its headers in order: Flume's are in that of a hash.
pub(crate) fn text_of(line: &[u8]) -> String {
    let line = String::from_utf8_lossy(line).into_owned();
    let (headers, body) = line.split_once("} ").unwrap_or_else(|| panic!("no line of headers: {line}"));
    let mut headers: Vec<&str> = headers.trim_start_matches('{').split(", ").collect();
    headers.sort_unstable();
    format!("{headers:?} {body}")
}

/// As files of Flume 1.6 have it. The test puts into a real ZooKeeper what a broker of that time puts there.
#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn brokers_are_found_in_zookeeper_which_is_waited_for() {
    let broker = Broker::start("");
    make(&broker, &[("lines", 1)]);
    produce(&broker, "lines", 0..10);
    let mut zookeeper = ZooKeeper::new();
    let directory = tempfile::tempdir().unwrap();
    let connect = format!("zookeeperConnect = {}/kafka", zookeeper.place());
    let text = written("lines", "found", directory.path());
    let node = start(&broker, &text.replace("kafka.bootstrap.servers = BROKER", &connect));
    node.wait_for("names no broker");
    zookeeper.start();
    node.wait_for("there is no /kafka/brokers/ids");
    let (host, port) =
        broker.address().rsplit_once(':').map(|(host, port)| (host.to_owned(), port.to_owned())).unwrap();
    let ensemble = Ensemble::parse(&zookeeper.place()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut client = Client::connect(&ensemble).await.unwrap();
        for (name, listener) in
            [("7", format!("PLAINTEXT://{host}:{port}")), ("12", "PLAINTEXT://127.0.0.1:1".to_owned())]
        {
            let text = format!(r#"{{"endpoints":["{listener}"],"host":"{host}","port":{port},"version":4}}"#);
            client.create(&format!("/kafka/brokers/ids/{name}"), text.as_bytes()).await.unwrap();
        }
        client.close().await;
    });
    node.wait_for(&format!("names the brokers {},127.0.0.1:1", broker.address()));
    until("all is read", || lines_in(&[directory.path()]).len() == 10);
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn one_group_is_handed_over_to_a_released_flume_and_back() {
    let broker = Broker::start("");
    make(&broker, &[("lines", 3)]);
    let directory = tempfile::tempdir().unwrap();
    let [first, second, third] = ["first", "second", "third"].map(|name| directory.path().join(name));
    produce(&broker, "lines", 0..1_000);
    let stop = |process: &mut Process| {
        process.signal(Signal::TERM);
        assert!(process.wait(LONG).is_some(), "it stops");
    };
    let mut node = start(&broker, &written("lines", "g", &first));
    until("the node has read all", || lines_in(&[&first]).len() >= 1_000);
    stop(&mut node.process);
    produce(&broker, "lines", 1_000..2_000);
    let home = tempfile::tempdir().unwrap();
    let mut released = flume(&broker, &written("lines", "g", &second), home.path());
    until("Flume has read the rest", || lines_in(&[&second]).len() >= 1_000);
    // It commits a batch some time after it has put it into its channel.
    until("Flume has committed the rest", || committed(&broker, "g", "lines") >= 2_000);
    stop(released.process());
    produce(&broker, "lines", 2_000..3_000);
    let mut node = start(&broker, &written("lines", "g", &third));
    until("the node has read the rest", || lines_in(&[&third]).len() >= 1_000);
    stop(&mut node.process);
    assert_eq!(account(lines_in(&[&first, &second, &third]).into_iter(), 3_000), (vec![], 0));
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn a_killed_broker_and_members_that_come_and_go_lose_nothing() {
    let mut broker = Broker::start("");
    make(&broker, &[("lines", 4)]);
    let directory = tempfile::tempdir().unwrap();
    let [first, second] = ["first", "second"].map(|name| directory.path().join(name));
    let mut one = start(
        &broker,
        &written("lines", "g", &first).replace("kafka.topics = lines", "kafka.topics.regex = l\\\\w+s"),
    );
    let all = |lines: usize| move || account(lines_in(&[&first, &second]).into_iter(), lines);
    fs::create_dir_all(directory.path().join("second")).unwrap();
    let count = all(12_000);
    produce(&broker, "lines", 0..4_000);
    until("the first lines are read", || count().0.len() <= 11_000);
    broker.kill();
    thread::sleep(Duration::from_secs(1));
    broker.start_again();
    produce(&broker, "lines", 4_000..8_000);
    until("lines are read after the kill", || count().0.len() <= 7_000);
    let mut two = start(&broker, &written("lines", "g", &directory.path().join("second")));
    two.wait_for("partitions assigned");
    produce(&broker, "lines", 8_000..12_000);
    until("the second member reads", || !lines_in(&[&directory.path().join("second")]).is_empty());
    two.process.signal(Signal::TERM);
    assert!(two.process.wait(LONG).is_some_and(|ended| ended.status.success()));
    until("all lines are read", || count().0.is_empty());
    one.process.signal(Signal::TERM);
    assert!(one.process.wait(LONG).is_some_and(|ended| ended.status.success()));
    let (missing, doubles) = count();
    eprintln!("{} lost, {doubles} twice", missing.len());
    assert!(missing.is_empty(), "{missing:?}");
    // A broker that dies with a commit on its way has what was under way read again: a batch for each partition at most.
    assert!(doubles <= 4 * 200, "{doubles}");
}

/// As [`written`], but for a sink that has nobody to send to as long as nothing listens at `port`.
fn sent(topic: &str, group: &str, port: u16) -> String {
    let (flow, _) = WRITTEN.split_once("a1.sinks.k.type").expect("a sink");
    let flow = flow.replace("TOPIC", topic).replace("GROUP", group);
    format!(
        "{flow}a1.sinks.k.type = avro\na1.sinks.k.hostname = 127.0.0.1\na1.sinks.k.port = {port}\n\
         a1.sinks.k.channel = c\n"
    )
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn a_channel_that_is_full_while_members_come_and_go_is_filled_again_when_it_has_room() {
    let broker = Broker::start("");
    make(&broker, &[("lines", 4)]);
    let directory = tempfile::tempdir().unwrap();
    let [first, second] = ["first", "second"].map(|name| directory.path().join(name));
    let port = ports::free(&["127.0.0.1"]).expect("a port");
    let one = start(&broker, &sent("lines", "g", port));
    produce(&broker, "lines", 0..20_000);
    one.wait_for("partitions assigned");
    // It has stopped fetching by then.
    until("its channel has been full for four seconds", || {
        one.process.signal(Signal::QUIT);
        (4..60).any(|seconds| one.said(&format!("wait for room, the first for {seconds}.")) > 0)
    });
    fs::create_dir_all(&first).unwrap();
    let mut two = start(&broker, &written("lines", "g", &second));
    until("the other member reads", || lines_in(&[&second]).len() >= 2_000);
    two.process.signal(Signal::TERM);
    assert!(two.process.wait(LONG).is_some_and(|ended| ended.status.success()));
    until("the first member has all partitions again", || one.said("partitions assigned") >= 3);
    let receiver = written("lines", "g", &first);
    let (_, sink) = receiver.split_once("a1.sources.r.channels").expect("a source");
    let _receiver = Node::start(&format!(
        "a1.sources = r\na1.channels = c\na1.sinks = k\na1.sources.r.type = avro\na1.sources.r.bind = 127.0.0.1\n\
         a1.sources.r.port = {port}\na1.sources.r.channels{sink}"
    ));
    let count = || account(lines_in(&[&first, &second]).into_iter(), 20_000);
    until("all lines have come", || count().0.is_empty());
    let (_, doubles) = count();
    eprintln!("{doubles} twice");
    // What was on its way to the full channel when its partitions went to the other one.
    assert!(doubles <= 4 * 100, "{doubles}");
}

/// Writes numbered lines, a few at a time, while a test does something else.
fn produce_meanwhile(broker: &Broker, topic: &'static str, lines: usize) -> JoinHandle<()> {
    let mut config = client(broker);
    config.set("partitioner", "murmur2_random").set("enable.idempotence", "true"); // a broker dies meanwhile
    thread::spawn(move || {
        let producer: ThreadedProducer<DefaultProducerContext> = config.create().expect("a client");
        for number in 0..lines {
            let (value, key) = (format!("line {number}"), format!("k{}", number % 100));
            let record = BaseRecord::to(topic).payload(&value).key(&key);
            producer.send(record).map_err(|(error, _)| error).expect("room");
            if number % 200 == 199 {
                thread::sleep(Duration::from_millis(100));
            }
        }
        producer.flush(LONG).expect("all are taken");
    })
}

/// Batches of the source that are stored and not surely committed, and those that are being stored.
const UNDER_WAY: usize = 8 * 100;

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn a_commit_that_is_under_way_at_a_rebalance_a_stop_and_a_brokers_death_loses_nothing() {
    let mut broker = Broker::start("");
    make(&broker, &[("lines", 4)]);
    let directory = tempfile::tempdir().unwrap();
    let places = ["one", "two"].map(|name| directory.path().join(name));
    let [mut one, mut two] = [0, 1].map(|who: usize| start(&broker, &written("lines", "g", &places[who])));
    let all = 60_000;
    let read = || lines_in(&[&places[0], &places[1]]).len();
    let producing = produce_meanwhile(&broker, "lines", all);
    let goes_on = |what: &str| {
        let next = read() + 2_000;
        until(&format!("lines are read {what}"), || read() >= next.min(all));
    };
    goes_on("by both");
    for _ in 0..3 {
        two.process.signal(Signal::TERM);
        assert!(two.process.wait(LONG).is_some_and(|ended| ended.status.success()));
        goes_on("when the other one has stopped");
        two.start_again();
        goes_on("when the other one has begun again");
    }
    let (_, in_order) = account(lines_in(&[&places[0], &places[1]]).into_iter(), all);
    eprintln!("{in_order} twice at stops and rebalances");
    broker.kill();
    broker.start_again();
    producing.join().expect("all are written");
    let count = || account(lines_in(&[&places[0], &places[1]]).into_iter(), all);
    until("all lines are read", || count().0.is_empty());
    for node in [&mut one, &mut two] {
        node.process.signal(Signal::TERM);
        assert!(node.process.wait(LONG).is_some_and(|ended| ended.status.success()));
    }
    let (missing, doubles) = count();
    eprintln!("{} lost, {doubles} twice", missing.len());
    assert!(missing.is_empty(), "{missing:?}");
    // A stop leaves what is just being stored, the broker's death what was under way of both.
    assert!(in_order <= 3 * 2 * 100, "{in_order}");
    assert!(doubles - in_order <= 2 * UNDER_WAY, "{doubles}");
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn a_stop_waits_no_longer_than_its_time_for_a_broker_that_answers_no_commit() {
    let broker = Broker::start("");
    make(&broker, &[("lines", 1)]);
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("out");
    let mut node = start(&broker, &written("lines", "g", &place));
    node.wait_for("partitions assigned");
    let all = 20_000;
    let producing = produce_meanwhile(&broker, "lines", all);
    until("lines are read", || lines_in(&[&place]).len() >= 2_000);
    broker.freeze(true);
    node.process.signal(Signal::TERM);
    assert!(node.process.wait(STOPS_WITHIN).is_some_and(|ended| ended.status.success()), "it stops");
    broker.freeze(false);
    node.start_again();
    producing.join().expect("all are written");
    let count = || account(lines_in(&[&place]).into_iter(), all);
    until("all lines are read", || count().0.is_empty());
    let doubles = count().1;
    eprintln!("{doubles} twice");
    assert!(doubles <= UNDER_WAY, "{doubles}");
}

const STOPS_WITHIN: Duration = Duration::from_secs(15);

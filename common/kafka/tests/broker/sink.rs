//! The sink.

use super::*;
use event::Batch;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};

const EVENTS: &str = r#"[
    {"headers": {"key": "k1", "pid": "2", "traceid": "t-1", "timestamp": "1700000000000"}, "body": "hello"},
    {"headers": {"key": "k2"}, "body": "keyed"},
    {"headers": {}, "body": ""},
    {"headers": {"topic": "over", "host": "hé"}, "body": "with topic é"}
]"#;

/// Two sinks: of bodies, and of whole events.
const BOTH: &str = "
a1.sources = r
a1.channels = c1 c2
a1.sinks = k1 k2
a1.sources.r.type = http
a1.sources.r.bind = 127.0.0.1
a1.sources.r.port = PORT
a1.sources.r.channels = c1 c2
a1.channels.c1.type = memory
a1.channels.c2.type = memory
a1.sinks.k1.type = org.apache.flume.sink.kafka.KafkaSink
a1.sinks.k1.channel = c1
a1.sinks.k1.kafka.bootstrap.servers = BROKER
a1.sinks.k1.kafka.topic = WHO-raw
a1.sinks.k1.partitionIdHeader = pid
a1.sinks.k1.timestampHeader = timestamp
a1.sinks.k1.header.traceid = X-Trace
a1.sinks.k1.topicHeader = WHO-topic
a1.sinks.k2.type = org.apache.flume.sink.kafka.KafkaSink
a1.sinks.k2.channel = c2
a1.sinks.k2.brokerList = BROKER
a1.sinks.k2.topic = WHO-whole
a1.sinks.k2.allowTopicOverride = false
a1.sinks.k2.useFlumeEventFormat = true
";

/// Entries of a map in any order, since Java's is a hash's, and without the name of who has written it.
fn comparable(record: &Record, who: &str, whole: bool) -> Record {
    if !whole {
        return record.clone();
    }
    let (mut entries, body) = decoded(&record.value);
    for (name, _) in &mut entries {
        *name = name.replace(&format!("{who}-topic"), "topic");
    }
    entries.sort();
    Record { value: format!("{entries:?} {body:?}").into_bytes(), ..record.clone() }
}

fn decoded(value: &[u8]) -> (Vec<(String, String)>, String) {
    let batch = Batch::parse(value.to_vec().into()).expect("an event of Flume");
    let event = batch.events().next().expect("an event");
    (event.headers().map(|(name, value)| (text(name), text(value))).collect(), text(event.body()))
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn records_are_those_of_a_released_flume() {
    let broker = Broker::start("");
    make(&broker, &[("ours-raw", 3), ("ours-whole", 3), ("flumes-raw", 3), ("flumes-whole", 3), ("over", 1)]);
    let file = |who: &str, port: u16| BOTH.replace("WHO", who).replace("PORT", &port.to_string());
    let (ours, theirs) = (free_port(), free_port());
    let node = start(&broker, &file("ours", ours));
    let directory = tempfile::tempdir().unwrap();
    let _flume = flume(&broker, &file("flumes", theirs), directory.path());
    for (who, port) in [("ours", ours), ("flumes", theirs)] {
        post(port, &EVENTS.replace("\"topic\"", &format!("\"{who}-topic\"")));
    }
    until("both have written all", || {
        all_of(&broker, "over").len() == 2
            && ["ours-whole", "flumes-whole"].iter().all(|topic| all_of(&broker, topic).len() == 4)
    });
    let over = all_of(&broker, "over");
    assert_eq!((&over[0].value, &over[0].key), (&over[1].value, &over[1].key));
    assert_eq!(over[0].value, "with topic é".as_bytes());
    for whole in [false, true] {
        let kind = if whole { "whole" } else { "raw" };
        let [ours, theirs] = ["ours", "flumes"].map(|who| {
            let mut all: Vec<Record> = all_of(&broker, &format!("{who}-{kind}"))
                .iter()
                .map(|record| comparable(record, who, whole))
                .collect();
            for record in &mut all {
                // Those without a key go to any partition; those without a time have that of sending.
                if record.key.is_none() {
                    record.partition = -1;
                }
                if record.timestamp != 1_700_000_000_000 {
                    record.timestamp = 0;
                }
            }
            all.sort_by_key(|record| (record.value.clone(), record.key.clone()));
            all
        });
        assert_eq!(ours, theirs, "{kind}");
        assert!(!whole || ours.iter().all(|record| record.headers.is_empty()));
    }
    assert_eq!(node.said("WARN"), 0, "{:?}", node.console.lines_from(0));
}

/// Into a topic.
const SINK: &str = "a1.sinks.k.type = org.apache.flume.sink.kafka.KafkaSink
a1.sinks.k.kafka.bootstrap.servers = BROKER
a1.sinks.k.kafka.topic = TOPIC
a1.sinks.k.kafka.producer.delivery.timeout.ms = 180000
";

fn bodies(records: Vec<Record>) -> impl Iterator<Item = Vec<u8>> {
    records.into_iter().map(|record| record.value)
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn a_broker_that_is_killed_and_one_that_freezes_cost_no_event() {
    let mut broker = Broker::start("");
    make(&broker, &[("lines", 1)]);
    for (name, extra) in [("plain", ""), ("transactions", "a1.sinks.k.kafka.producer.transactional.id = t\n")]
    {
        let topic = format!("lines-{name}");
        make(&broker, &[(&topic, 1)]);
        let text = follows_into(&(SINK.replace("TOPIC", &topic) + extra));
        let mut node = start(&broker, &text);
        let log = node.path("log");
        append(&log, &lines(0..5_000));
        until("the first lines are written", || all_of(&broker, &topic).len() >= 100);
        broker.kill();
        append(&log, &lines(5_000..8_000));
        broker.start_again();
        until("lines are written after the kill", || all_of(&broker, &topic).len() >= 6_000);
        broker.freeze(true);
        append(&log, &lines(8_000..10_000));
        node.wait_for("has acknowledged nothing for 10 s");
        broker.freeze(false);
        until("all lines are written", || account(bodies(all_of(&broker, &topic)), 10_000).0.is_empty());
        node.process.signal(rustix::process::Signal::TERM);
        assert!(node.process.wait(LONG).is_some_and(|ended| ended.status.success()));
        let (missing, doubles) = account(bodies(all_of(&broker, &topic)), 10_000);
        eprintln!("{name}: {} lost, {doubles} twice", missing.len());
        assert_eq!((missing, doubles), (vec![], 0), "{name}");
        // Several batches are on their way at a time, and none overtakes another.
        assert!(numbers(bodies(all_of(&broker, &topic))).is_sorted(), "{name}");
    }
}

fn dead_letters(node: &Node) -> String {
    fs::read_to_string(node.path("dead/k.dead.json")).unwrap_or_default()
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn what_kafka_never_takes_is_put_aside_and_what_may_come_is_waited_for() {
    let broker = Broker::start("message.max.bytes=20000");
    make(&broker, &[("lines", 1)]);
    let port = free_port();
    let sink = "
a1.sinks.k.type = org.apache.flume.sink.kafka.KafkaSink
a1.sinks.k.kafka.bootstrap.servers = BROKER
a1.sinks.k.kafka.topic = TOPIC
a1.sinks.k.partitionIdHeader = pid
a1.sinks.k.kafka.producer.topic.metadata.propagation.max.ms = 1000
";
    let text = posted_into(port, sink);
    let aside = format!("{}a1.sinks.k.deadLetterDir = DIR/dead\n", text.replace("TOPIC", "lines"));
    let node = start(&broker, &aside);
    let large = "x".repeat(30_000);
    post(
        port,
        &format!(
            r#"[{{"body": "line 0"}}, {{"body": "{large}"}}, {{"headers": {{"pid": "no"}}, "body": "bad"}}, {{"headers": {{"topic": "a b"}}, "body": "bad"}}, {{"headers": {{"topic": "absent"}}, "body": "bad"}}, {{"body": "line 1"}}]"#
        ),
    );
    post(port, r#"[{"body": "line 2"}]"#);
    until("the queue moves on", || account(bodies(all_of(&broker, "lines")), 3).0.is_empty());
    assert_eq!(account(bodies(all_of(&broker, "lines")), 3), (vec![], 0));
    // The first batch is done with when its event without a topic has been tried for long enough; the second may overtake it.
    until("every dead letter is written", || dead_letters(&node).lines().count() >= 4);
    let dead = dead_letters(&node);
    let reasons = [
        "max.message.bytes",
        "partition `no`",
        "`a b` cannot be the name of a topic",
        "there is no topic `absent`",
    ];
    for reason in reasons {
        assert_eq!(dead.lines().filter(|line| line.contains(reason)).count(), 1, "{reason}: {dead:.2000}");
    }
    assert_eq!(dead.lines().count(), reasons.len());
    drop(node);

    // Too large together: one by one then.
    let pad = "x".repeat(1_000);
    let mut events: Vec<String> = (0..30)
        .map(|number| format!(r#"{{"headers": {{"pad": "{pad}"}}, "body": "line {number}"}}"#))
        .collect();
    events.insert(7, format!(r#"{{"body": "{large}"}}"#));
    make(&broker, &[("crowded", 1)]);
    let node =
        start(&broker, &format!("{}a1.sinks.k.header.pad = pad\n", aside.replace("= lines", "= crowded")));
    post(port, &format!("[{}]", events.join(",")));
    until("all but the large one are written", || {
        account(bodies(all_of(&broker, "crowded")), 30).0.is_empty()
            && dead_letters(&node).contains("max.message.bytes")
    });
    assert_eq!(account(bodies(all_of(&broker, "crowded")), 30), (vec![], 0));
    assert_eq!(dead_letters(&node).lines().count(), 1);
    drop(node);

    let node = start(&broker, &text.replace("TOPIC", "later"));
    node.wait_for("there is no topic `later`");
    post(port, r#"[{"body": "line 0"}]"#);
    make(&broker, &[("later", 1)]);
    until("the topic that was made has the event", || all_of(&broker, "later").len() == 1);
}

/// Into a topic, each batch in a transaction.
const TRANSACTIONS: &str = "
a1.sinks.k.type = org.apache.flume.sink.kafka.KafkaSink
a1.sinks.k.kafka.bootstrap.servers = BROKER
a1.sinks.k.kafka.topic = TOPIC
a1.sinks.k.kafka.producer.transactional.id = t
a1.sinks.k.kafka.producer.max.request.size = 40000
a1.sinks.k.header.pad = pad
a1.sinks.k.deadLetterDir = DIR/dead
";

/// A batch of so many lines, each with as many bytes in a header, and among them one large event or more.
fn with_large(lines: usize, pad: usize, large: &[usize]) -> String {
    let pad = "x".repeat(pad);
    let mut events: Vec<String> = (0..lines)
        .map(|number| format!(r#"{{"headers": {{"pad": "{pad}"}}, "body": "line {number}"}}"#))
        .collect();
    for (place, bytes) in large.iter().enumerate() {
        events.insert(7 + 2 * place, format!(r#"{{"body": "{}"}}"#, "y".repeat(*bytes)));
    }
    format!("[{}]", events.join(","))
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn a_transaction_goes_on_without_events_that_are_too_large_and_keeps_its_order() {
    let broker = Broker::start("message.max.bytes=20000");
    make(&broker, &[("of-client", 1), ("of-broker", 1), ("many", 1), ("crowded", 1)]);
    let limited = NewTopic::new("of-topic", 1, TopicReplication::Fixed(1)).set("max.message.bytes", "15000");
    make_all(&broker, vec![limited]);
    for (topic, pad, large) in [
        ("of-client", 1, &[50_000][..]),
        ("of-broker", 1, &[30_000]),
        ("of-topic", 1, &[17_000]),
        ("many", 1, &[30_000, 50_000, 25_000, 31_000]),
        // Too large together, too.
        ("crowded", 1_000, &[30_000]),
    ] {
        let port = free_port();
        let node = start(&broker, &posted_into(port, &TRANSACTIONS.replace("TOPIC", topic)));
        let began = Instant::now();
        post(port, &with_large(30, pad, large));
        post(port, r#"[{"body": "line 30"}]"#);
        until(&format!("{topic}: all but what is too large is written"), || {
            all_of(&broker, topic).len() >= 31
        });
        let written: Vec<String> = bodies(all_of(&broker, topic)).map(|body| text(&body)).collect();
        let expected: Vec<String> = (0..31).map(|number| format!("line {number}")).collect();
        assert_eq!(written, expected, "{topic}");
        let dead = dead_letters(&node);
        eprintln!("{topic}: {} put aside in {:?}", dead.lines().count(), began.elapsed());
        assert_eq!(dead.lines().count(), large.len(), "{topic}: {dead:.2000}");
        assert!(dead.lines().all(|line| line.contains("max.message.bytes")), "{topic}: {dead:.2000}");
    }
}

/// Who begins with an id fences whoever has it: the sink tells that, and begins anew with it, which fences the other one.
#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn another_producer_with_the_id_of_the_transactions_is_told_and_fenced_in_its_turn() {
    let broker = Broker::start("");
    make(&broker, &[("lines", 1)]);
    let port = free_port();
    let node = start(&broker, &posted_into(port, &TRANSACTIONS.replace("TOPIC", "lines")));
    let written = |lines| account(bodies(all_of(&broker, "lines")), lines) == (vec![], 0);
    post(port, r#"[{"body": "line 0"}]"#);
    until("the first transaction is committed", || written(1));
    let id = format!("{}-a1-k-t", gethostname::gethostname().display());
    let mut config = client(&broker);
    let other: ThreadedProducer<DefaultProducerContext> =
        config.set("transactional.id", &id).create().expect("a client");
    other.init_transactions(LONG).expect("the id is its own now");
    other.begin_transaction().expect("it begins");
    post(port, r#"[{"body": "line 1"}]"#);
    node.wait_for(&format!("another producer has the `transactional.id` `{id}`"));
    until("the sink goes on", || written(2));
    let sent = other.send(BaseRecord::<(), _>::to("lines").payload("line 1"));
    let committed = sent.map_err(|(error, _)| error).and_then(|()| other.commit_transaction(LONG));
    assert!(committed.is_err(), "the other producer is fenced");
    assert!(written(2), "nothing of it can be read");
}

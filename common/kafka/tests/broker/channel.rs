//! The channel.

use super::source::{lines_in, text_of};
use super::*;
use rustix::process::Signal;
use std::collections::{BTreeMap, HashMap, HashSet};

/// The channel of an agent without a sink.
pub(crate) const CHANNEL: &str = "a1.channels.c.type = org.apache.flume.channel.kafka.KafkaChannel
a1.channels.c.kafka.bootstrap.servers = BROKER
a1.channels.c.kafka.topic = chan
";

/// An agent without a source.
pub(crate) const EMPTIES: &str = "
a1.channels = c
a1.sinks = k
a1.channels.c.type = org.apache.flume.channel.kafka.KafkaChannel
a1.channels.c.kafka.bootstrap.servers = BROKER
a1.channels.c.kafka.topic = chan
a1.channels.c.kafka.consumer.session.timeout.ms = 6000
a1.channels.c.kafka.consumer.heartbeat.interval.ms = 500
a1.sinks.k.type = file_roll
a1.sinks.k.sink.directory = OUT
a1.sinks.k.sink.rollInterval = 0
a1.sinks.k.channel = c
";

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn kills_of_the_broker_and_of_both_agents_lose_nothing_and_keep_the_order() {
    let mut broker = Broker::start("");
    make(&broker, &[("chan", 2)]);
    let out = tempfile::tempdir().unwrap();
    let count = |lines: usize| account(lines_in(&[out.path()]).into_iter(), lines);
    let mut fills = start(&broker, &format!("{FOLLOWS}{CHANNEL}"));
    let mut empties = start(&broker, &EMPTIES.replace("OUT", &out.path().display().to_string()));
    let log = fills.path("log");
    let all = 4 * ROUND;
    for round in 0..4 {
        let end = (round + 1) * ROUND;
        append(&log, &lines(end - ROUND..end));
        until("some lines arrive", || count(all).0.len() < all - end + ROUND / 2);
        match round {
            0 => {
                empties.process.kill();
                empties.start_again();
            }
            1 => {
                fills.process.kill();
                fills.start_again();
            }
            2 => {
                broker.kill();
                broker.start_again();
            }
            _ => {}
        }
    }
    until("all lines arrive", || count(all).0.is_empty());
    for node in [&mut fills, &mut empties] {
        node.process.signal(Signal::TERM);
        assert!(node.process.wait(LONG).is_some_and(|ended| ended.status.success()));
    }
    let (missing, doubles) = count(all);
    let put_twice = account(topics_lines(&broker).into_iter().map(|(_, line)| line), all).1;
    eprintln!("{} lost, {doubles} twice, of which {put_twice} were put twice", missing.len());
    assert!(missing.is_empty());
    // Who puts follows a file, and writes down some time later how far it is. Who takes was killed, and its broker.
    assert!(put_twice <= ROUND, "{put_twice}");
    assert!(doubles <= put_twice + 2 * UNDER_WAY, "{doubles}");
    arrive_in_order(&broker, out.path());
    // Who stops in order has nothing to do again.
    let held = lines_in(&[out.path()]).len();
    let again = start(&broker, &EMPTIES.replace("OUT", &out.path().display().to_string()));
    again.wait_for("partitions assigned");
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(lines_in(&[out.path()]).len(), held);
}

/// Lines between two kills.
const ROUND: usize = 15_000;

/// What of a channel has left and is not surely committed: commits for five batches may be on their way when the last of eight are
/// given to a sink, of a thousand events each.
const UNDER_WAY: usize = (5 + 8) * 1_000;

/// Partitions and lines of the events that the topic has, in its order.
fn topics_lines(broker: &Broker) -> Vec<(i32, Vec<u8>)> {
    let line = |value: &[u8]| {
        let start = value.windows(5).position(|part| part == b"line ").expect("an event of the test");
        value[start..].to_vec()
    };
    all_of(broker, "chan").into_iter().map(|record| (record.partition, line(&record.value))).collect()
}

/// The first arrivals of each partition's lines are in its order, and that is the order in which they were put. A line that was put
/// into both partitions, by an agent that was killed, may arrive by the later one.
fn arrive_in_order(broker: &Broker, out: &Path) {
    let arrived = lines_in(&[out]);
    let mut put: BTreeMap<i32, HashSet<Vec<u8>>> = BTreeMap::new();
    for (partition, line) in topics_lines(broker) {
        put.entry(partition).or_default().insert(line);
    }
    assert_eq!(put.len(), 2, "both partitions have lines");
    let mut all: HashMap<Vec<u8>, usize> = HashMap::new();
    put.values().flatten().for_each(|line| *all.entry(line.clone()).or_default() += 1);
    for (partition, mut lines) in put {
        lines.retain(|line| all[line] == 1);
        let mut seen = HashSet::new();
        let first = arrived.iter().filter(|line| lines.contains(*line) && seen.insert(*line)).cloned();
        let first: Vec<usize> = numbers(first).collect();
        assert!(first.len() > 100 && first.is_sorted(), "partition {partition}: {first:?}");
    }
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn of_two_that_take_one_that_is_killed_loses_nothing() {
    let broker = Broker::start("");
    make(&broker, &[("chan", 2)]);
    let places = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let taken = |who: usize| lines_in(&[places[who].path()]);
    let fills = start(&broker, &format!("{FOLLOWS}{CHANNEL}"));
    let takes = |who: usize| {
        let node = start(&broker, &EMPTIES.replace("OUT", &places[who].path().display().to_string()));
        node.wait_for("partitions assigned");
        node
    };
    let (mut one, _two) = (takes(0), takes(1));
    let log = fills.path("log");
    let mut put = 0;
    until("both take", || {
        append(&log, &lines(put..put + 500));
        put += 500;
        !taken(0).is_empty() && !taken(1).is_empty()
    });
    append(&log, &lines(put..put + 5_000));
    one.process.kill();
    append(&log, &lines(put + 5_000..put + 10_000));
    let all = put + 10_000;
    let count = || account(taken(0).into_iter().chain(taken(1)), all);
    until("the other one takes all that is left", || count().0.is_empty());
    let doubles = count().1;
    eprintln!("{doubles} of {all} twice");
    assert!(doubles <= UNDER_WAY, "{doubles}");
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn a_released_flume_takes_what_is_put_and_puts_what_is_taken() {
    let broker = Broker::start("");
    make(&broker, &[("chan", 1)]);
    let directory = tempfile::tempdir().unwrap();
    let [theirs, ours] = ["theirs", "ours"].map(|name| directory.path().join(name));
    let file = |out: &Path| {
        EMPTIES.replace("OUT", &out.display().to_string()) + "a1.sinks.k.sink.serializer = header_and_text\n"
    };
    fs::create_dir_all(&theirs).unwrap();
    fs::create_dir_all(&ours).unwrap();
    // What a node puts is taken by Flume.
    let port = free_port();
    let http = format!(
        "a1.sources = r\na1.channels = c\na1.sources.r.type = http\na1.sources.r.bind = 127.0.0.1\na1.sources.r.port = {port}\n\
         a1.sources.r.channels = c\n{CHANNEL}"
    );
    let fills = start(&broker, &http);
    post(port, r#"[{"headers": {"key": "k1", "host": "h1"}, "body": "one"}, {"body": "two"}]"#);
    let home = tempfile::tempdir().unwrap();
    let mut released = flume(&broker, &file(&theirs), home.path());
    until("Flume has taken both", || lines_in(&[&theirs]).len() == 2);
    // It commits what it has taken some time after its sink has written it.
    until("Flume has committed both", || committed(&broker, "flume", "chan") == 2);
    released.process().signal(Signal::TERM);
    assert!(released.process().wait(LONG).is_some());
    drop(fills);
    // What Flume puts is taken by a node, in the same group.
    let port = free_port();
    let http = http
        .lines()
        .map(|line| {
            if line.contains("r.port") {
                format!("a1.sources.r.port = {port}\n")
            } else {
                format!("{line}\n")
            }
        })
        .collect::<String>();
    let home = tempfile::tempdir().unwrap();
    let _released = flume(&broker, &http, home.path());
    post(port, r#"[{"headers": {"key": "k1", "host": "h1"}, "body": "one"}, {"body": "two"}]"#);
    let _empties = start(&broker, &file(&ours));
    until("the node has taken both", || lines_in(&[&ours]).len() == 2);
    let sorted = |place: &Path| {
        let mut lines: Vec<String> = lines_in(&[place]).iter().map(|line| text_of(line)).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&ours), sorted(&theirs));
}

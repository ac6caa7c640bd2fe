//! The channel.

use super::source::{lines_in, text_of};
use super::*;
use rustix::process::Signal;

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
fn kills_of_the_broker_and_of_both_agents_lose_nothing() {
    let mut broker = Broker::start("");
    make(&broker, &[("chan", 2)]);
    let out = tempfile::tempdir().unwrap();
    let count = |lines: usize| account(lines_in(&[out.path()]).into_iter(), lines);
    let mut fills = start(&broker, &format!("{FOLLOWS}{CHANNEL}"));
    let mut empties = start(&broker, &EMPTIES.replace("OUT", &out.path().display().to_string()));
    let log = fills.path("log");
    let all = 12_000;
    for (round, numbers) in [0..3_000, 3_000..6_000, 6_000..9_000, 9_000..all].into_iter().enumerate() {
        let end = numbers.end;
        append(&log, &lines(numbers));
        until("some lines arrive", || count(all).0.len() < all - end + 2_000);
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
    eprintln!("{} lost, {doubles} twice", missing.len());
    assert!(missing.is_empty());
    // What was under way at three kills: read ahead, put and not answered.
    assert!(doubles <= 9_000, "{doubles}");
    // Who stops in order has nothing to do again.
    let held = lines_in(&[out.path()]).len();
    let again = start(&broker, &EMPTIES.replace("OUT", &out.path().display().to_string()));
    again.wait_for("partitions assigned");
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(lines_in(&[out.path()]).len(), held);
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

//! Storm's own Kafka spout behind the sink.

use super::*;
use integration::stores::Storm;
use rustix::process::Signal;

const SINK: &str = "a1.sinks.k.type = org.apache.flume.sink.kafka.KafkaSink
a1.sinks.k.kafka.bootstrap.servers = BROKER
a1.sinks.k.kafka.topic = storm
";

/// Storm's worker, the broker and the agent end in turn while lines come; the topology fails a tenth of them the first time.
#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn a_storm_topology_acknowledges_every_event_of_a_topic_that_the_sink_fills() {
    let mut broker = Broker::start("");
    make(&broker, &[("storm", 2)]);
    let mut storm = Storm::start(&["kafka", &broker.address(), "storm"]);
    let mut node = start(&broker, &follows_into(SINK));
    let log = node.path("log");
    let numbered = |numbers: std::ops::Range<usize>| {
        numbers.map(|number| format!("line {number:07}\n")).collect::<String>()
    };
    let count =
        |storm: &Storm, lines| account(storm.acknowledged().into_iter().map(String::into_bytes), lines);
    let all = 8_000;
    for (round, numbers) in [0..2_000, 2_000..4_000, 4_000..6_000, 6_000..all].into_iter().enumerate() {
        let end = numbers.end;
        append(&log, &numbered(numbers));
        until("some lines arrive", || count(&storm, all).0.len() < all - end + 1_000);
        match round {
            0 => {
                storm.process.kill();
                storm.start_again();
            }
            1 => {
                broker.kill();
                broker.start_again();
            }
            2 => {
                node.process.signal(Signal::TERM);
                assert!(node.process.wait(LONG).is_some_and(|ended| ended.status.success()));
                node.start_again();
            }
            _ => {}
        }
    }
    until("all lines arrive", || count(&storm, all).0.is_empty());
    let (missing, doubles) = count(&storm, all);
    eprintln!("{} lost, {doubles} twice", missing.len());
    // What the topology had acknowledged at a kill and not committed.
    assert!(missing.is_empty() && doubles <= 4_000, "{doubles}");
}

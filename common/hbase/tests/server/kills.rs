//! The server is killed, and the node stopped, in the middle of the writing.

use super::*;
use integration::stores::{append, follows_into, lines, until};
use rustix::process::Signal;
use std::env;
use std::time::Duration;

/// Into a table.
const SINK: &str = "a1.sinks.k.type = asynchbase
a1.sinks.k.table = lines
a1.sinks.k.columnFamily = cf
a1.sinks.k.zookeeperQuorum = QUORUM
";

/// The lines of the table, each as often as it stands there.
fn written(hbase: &mut Hbase) -> Vec<String> {
    let cells = table(hbase, "lines").into_iter().filter(|((_, column), _)| column == "cf:pCol");
    let mut bodies: Vec<String> = cells.map(|(_, body)| body).collect();
    bodies.sort();
    bodies
}

fn expected(upto: usize) -> Vec<String> {
    let mut all: Vec<String> = lines(0..upto).lines().map(str::to_owned).collect();
    all.sort();
    all
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn a_server_that_is_killed_and_a_node_that_stops_cost_no_event_and_count_none_twice() {
    const PART: usize = 3_000;
    let number = |name: &str, usual| env::var(name).map_or(usual, |text| text.parse().expect("a number"));
    let (kills, seed) = (number("KILLS", 2), number("SEED", 20_261_127));
    eprintln!("SEED={seed} KILLS={kills}");
    let mut random = runtime::random::Random::seeded(seed as u64);
    let mut hbase = Hbase::start();
    hbase.ask("create lines cf default8");
    let mut node = start(&hbase, &follows_into(SINK));
    let log = node.path("log");
    let mut upto = 0;
    for kill in 0..kills {
        append(&log, &lines(upto..upto + PART));
        let some = upto + 1 + random.peek_below(PART / 2);
        random.advance();
        upto += PART;
        until(&format!("{some} lines are written"), || counter(&mut hbase, "lines") >= some);
        if kill % 2 == 0 {
            hbase.kill();
            hbase.start_again();
        } else {
            node.process.signal(Signal::TERM);
            assert!(node.process.wait(Duration::from_secs(180)).is_some_and(|ended| ended.status.success()));
            node.start_again();
        }
    }
    append(&log, &lines(upto..upto + PART));
    until("lines are written after all that", || counter(&mut hbase, "lines") > upto);
    upto += PART;
    until("all lines are counted", || counter(&mut hbase, "lines") >= upto);
    node.process.signal(Signal::TERM);
    assert!(node.process.wait(Duration::from_secs(180)).is_some_and(|ended| ended.status.success()));
    assert_eq!(counter(&mut hbase, "lines"), upto, "each is counted once");
    let written = written(&mut hbase);
    eprintln!("{} lines, {} rows", upto, written.len());
    assert!(written == expected(upto), "each line has one row: {} rows of {upto} lines", written.len());
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn events_wait_for_a_server_that_stands_still_and_that_is_told() {
    let mut hbase = Hbase::start_with(&[("zookeeper.session.timeout.localHBaseCluster", "40000")]);
    hbase.ask("create lines cf");
    let mut node = start(&hbase, &follows_into(SINK));
    let log = node.path("log");
    append(&log, &lines(0..500));
    until("the first lines are written", || counter(&mut hbase, "lines") == 500);
    hbase.freeze(true);
    append(&log, &lines(500..1_000));
    node.wait_for("has acknowledged nothing for 10 s; the events wait");
    hbase.freeze(false);
    until("all lines are written", || counter(&mut hbase, "lines") == 1_000);
    node.process.signal(Signal::TERM);
    assert!(node.process.wait(Duration::from_secs(60)).is_some_and(|ended| ended.status.success()));
    assert_eq!((written(&mut hbase), counter(&mut hbase, "lines")), (expected(1_000), 1_000));
}

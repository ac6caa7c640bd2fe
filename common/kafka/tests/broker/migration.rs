//! Offsets that Flume 1.6 has left in ZooKeeper.

use super::channel::{CHANNEL, EMPTIES};
use super::source::{lines_in, produce, written};
use super::*;
use integration::flume::zookeeper::ZooKeeper;
use rpc::zookeeper::{Client, Ensemble};
use rustix::process::Signal;

/// Puts offsets where Flume 1.6 has them, each of a partition of `topic`.
fn leave_offsets(zookeeper: &ZooKeeper, group: &str, topic: &str, offsets: &[(i32, &str)]) {
    let ensemble = Ensemble::parse(&zookeeper.place()).expect("a place");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut client = Client::connect(&ensemble).await.expect("it serves");
        for (partition, offset) in offsets {
            let path = format!("/kafka/consumers/{group}/offsets/{topic}/{partition}");
            client.create(&path, offset.as_bytes()).await.expect("it is made");
        }
        client.close().await;
    });
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn a_group_goes_on_where_flume_1_6_has_left_it_in_zookeeper_as_a_released_flume_does() {
    let broker = Broker::start("");
    make(&broker, &[("lines", 1)]);
    produce(&broker, "lines", 0..10);
    let mut zookeeper = ZooKeeper::new();
    zookeeper.start();
    for group in ["ours", "flumes"] {
        leave_offsets(&zookeeper, group, "lines", &[(0, "6")]);
    }
    leave_offsets(&zookeeper, "ours", "lines", &[(7, "1")]);
    zookeeper.kill();
    let directory = tempfile::tempdir().unwrap();
    let place = |who: &str| directory.path().join(who);
    let text = |who: &str| {
        let connect = format!("a1.sources.r.zookeeperConnect = {}/kafka\n", zookeeper.place());
        written("lines", who, &place(who)) + &connect
    };
    let (ours, flumes) = (text("ours"), text("flumes"));
    let mut node = start(&broker, &ours);
    node.wait_for("are not taken over: ZooKeeper:");
    zookeeper.start();
    node.wait_for("are taken over: partition 0 at 6");
    node.wait_for("those of partitions that the topic has not are left out: [7]");
    let home = tempfile::tempdir().unwrap();
    let _released = flume(&broker, &flumes, home.path());
    until("both have read the rest", || {
        ["ours", "flumes"].iter().all(|who| lines_in(&[&place(who)]).len() >= 4)
    });
    for who in ["ours", "flumes"] {
        let rest: Vec<Vec<u8>> = (6..10).map(|number| format!("line {number}").into_bytes()).collect();
        assert_eq!(lines_in(&[&place(who)]), rest, "{who}");
    }
    // What is in Kafka counts from now on, with ZooKeeper or without.
    until("it is committed", || committed(&broker, "ours", "lines") == 10);
    node.process.signal(Signal::TERM);
    assert!(node.process.wait(LONG).is_some_and(|ended| ended.status.success()));
    zookeeper.kill();
    produce(&broker, "lines", 10..12);
    let _again = start(&broker, &ours);
    until("the new lines are read", || lines_in(&[&place("ours")]).len() >= 6);
    assert_eq!(lines_in(&[&place("ours")]).len(), 6);
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn events_that_flume_1_6_has_taken_are_not_taken_again() {
    let broker = Broker::start("");
    make(&broker, &[("chan", 1)]);
    let mut zookeeper = ZooKeeper::new();
    zookeeper.start();
    leave_offsets(&zookeeper, "flume", "chan", &[(0, "90")]);
    let fills = start(&broker, &format!("{FOLLOWS}{CHANNEL}"));
    append(&fills.path("log"), &lines(0..100));
    until("all lines are in Kafka", || all_of(&broker, "chan").len() == 100);
    let out = tempfile::tempdir().unwrap();
    let text = EMPTIES.replace("OUT", &out.path().display().to_string())
        + &format!("a1.channels.c.zookeeperConnect = {}/kafka\n", zookeeper.place());
    let empties = start(&broker, &text);
    empties.wait_for("are taken over: partition 0 at 90");
    until("the rest arrives", || lines_in(&[out.path()]).len() >= 10);
    assert_eq!(lines_in(&[out.path()]).len(), 10);
}

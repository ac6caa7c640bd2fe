//! What our avro sink does towards a peer that has nothing of ours, beyond that every event arrives.

use integration::flume::{
    oracle::{Node, Side},
    stand_in::StandIn,
};
use std::{fs, time::Duration};

#[test]
fn one_call_at_a_time_and_no_more_than_batch_size_in_it() {
    let (stand_in, dir) = (StandIn::listen().expect("a port"), tempfile::tempdir().expect("a folder"));
    stand_in.hold(Duration::from_millis(20));
    let file = dir.path().join("agent.properties");
    fs::write(&file, AGENT.replace("$PORT", &stand_in.address().port().to_string())).expect("a file");
    let agent = Side::ours("agent").expect("the binaries are built");
    let _agent = Node::start(&agent, &file, "a1", dir.path()).expect("a process");
    assert!(stand_in.wait_for(100, Duration::from_secs(30)), "{} events", stand_in.events().len());
    let bodies: Vec<String> =
        stand_in.events().iter().map(|event| String::from_utf8_lossy(&event.body).into_owned()).collect();
    assert_eq!(bodies, (1..=100).map(|number| number.to_string()).collect::<Vec<_>>());
    let sizes: Vec<usize> = stand_in.calls().iter().map(|call| call.events.len()).collect();
    assert!(sizes.iter().all(|events| *events <= 7) && sizes.contains(&7), "{sizes:?}");
    assert_eq!(stand_in.impatient(), 0, "calls behind which more came before they were answered");
}

const AGENT: &str = "a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.sources.r1.type = exec
a1.sources.r1.command = seq 1 100
a1.sources.r1.channels = c1
a1.channels.c1.type = memory
a1.channels.c1.capacity = 1000
a1.channels.c1.transactionCapacity = 100
a1.sinks.k1.type = avro
a1.sinks.k1.hostname = 127.0.0.1
a1.sinks.k1.port = $PORT
a1.sinks.k1.batch-size = 7
a1.sinks.k1.channel = c1
";

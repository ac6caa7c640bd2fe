//! A native sink with a real store in a JVM.

use integration::{
    binaries, ports,
    solo::{Solo, until},
    stores::{SearchNode, StormCluster, append, lines},
};
use std::{collections::BTreeSet, fs};

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn a_killed_opensearch_has_each_event_once_and_what_it_never_takes_is_put_aside() {
    has_each_event_once(SearchNode::opensearch(), "is OpenSearch 2.19.1", "mapper_parsing_exception");
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn a_killed_elasticsearch_7_has_each_event_once_and_what_it_never_takes_is_put_aside() {
    has_each_event_once(SearchNode::elasticsearch_7(), "is Elasticsearch 7.10.2", "mapper_parsing_exception");
}

/// It refuses documents without a type; what it says of one that does not fit depends on what came with it.
#[test]
#[ignore = "needs a JVM, Maven, a registry and minutes"]
fn a_killed_elasticsearch_6_has_each_event_once_and_what_it_never_takes_is_put_aside() {
    has_each_event_once(SearchNode::elasticsearch_6(), "is Elasticsearch 6.8.23", "400 ");
}

/// Its index has an object where the last line has a text: that document is never taken.
fn has_each_event_once(mut store: SearchNode, greeting: &str, refusal: &str) {
    let lines = "printf '{\"n\":1}\\\\n{\"n\":2}\\\\nno json\\\\n{\"n\":3}\\\\n'";
    let text = format!(
        "a1.sources = r1 r2\na1.channels = c1 c2\na1.sinks = k1 k2\n\
         a1.sources.r1.type = seq\na1.sources.r1.totalEvents = 20000\na1.sources.r1.channels = c1\n\
         a1.sources.r2.type = exec\na1.sources.r2.command = {lines}\na1.sources.r2.shell = /bin/sh -c\na1.sources.r2.channels = c2\n\
         a1.channels.c1.type = memory\na1.channels.c1.capacity = 1000\na1.channels.c2.type = memory\n\
         a1.sinks.k1.type = elasticsearch\na1.sinks.k1.hostNames = 127.0.0.1:{0}\na1.sinks.k1.channel = c1\n\
         a1.sinks.k1.clusterName = lab\na1.sinks.k1.deadLetterDir = DIR/dead1\n\
         a1.sinks.k2.type = elasticsearch\na1.sinks.k2.hostNames = 127.0.0.1:{0}\na1.sinks.k2.channel = c2\n\
         a1.sinks.k2.indexName = mixed\na1.sinks.k2.deadLetterDir = DIR/dead2\n",
        store.port()
    );
    let agent = Solo::start(&text, &[]);
    agent.wait_for(greeting);
    until("the first documents are there", || store.count("flume-*").is_some_and(|count| count > 0));
    until("the dead letter is there", || agent.path("dead2").exists());
    until("what is behind it is there", || store.count("mixed-*") == Some(3));
    store.kill();
    store.start_again();
    until("all documents are there", || store.count("flume-*").is_some_and(|count| count >= 20_000));
    assert_eq!(store.count("flume-*"), Some(20_000), "each once");
    let dead = fs::read_dir(agent.path("dead2")).expect("a folder").flatten();
    let dead: Vec<String> = dead
        .map(|file| String::from_utf8_lossy(&fs::read(file.path()).expect("a file")).into_owned())
        .collect();
    assert_eq!(dead.len(), 1, "{dead:?}");
    assert!(dead[0].contains("no json") && dead[0].contains(refusal), "{}", dead[0]);
    assert!(!agent.path("dead1").exists());
}

/// The spout's tuples go to bolts in other processes. A worker that is killed, with the spout or without it, is started again by its
/// supervisor, on the same machine.
#[test]
#[ignore = "needs a JVM, Maven, a registry and minutes"]
fn a_storm_cluster_of_three_workers_has_every_event_when_workers_are_killed() {
    let (cluster, directory) = (StormCluster::start(), tempfile::tempdir().expect("a folder"));
    let port = ports::free(&["127.0.0.1"]).expect("a port");
    let spout = directory.path().join("spout.conf").display().to_string();
    let text = SPOUT.replace("PORT", &port.to_string());
    fs::write(&spout, text).expect("a file");
    let program = binaries::directory().expect("it is built").join("agent").display().to_string();
    cluster.submit(&["shell", &program, "storm-spout", "-n", "a1", "-f", &spout]);
    let agent = Solo::start(&SENDER.replace("PORT", &port.to_string()), &[]);
    let there = || {
        let bodies = cluster.acknowledged();
        (bodies.iter().filter(|bodies| !bodies.is_empty()).count(), bodies.concat())
    };
    for (round, of_spout) in [(0, true), (1, false)] {
        append(&agent.path("log"), &lines(round * LINES..(round + 1) * LINES));
        let more = round * LINES + 500;
        until("the topology acknowledges lines", || there().1.len() >= more);
        cluster.kill_worker(of_spout);
    }
    append(&agent.path("log"), &lines(2 * LINES..3 * LINES));
    until("every line is acknowledged", || there().1.into_iter().collect::<BTreeSet<_>>().len() == 3 * LINES);
    let (bolts, bodies) = there();
    assert_eq!(bolts, 3, "each bolt is in a worker of its own");
    eprintln!("{} lines, {} of them more than once", 3 * LINES, bodies.len() - 3 * LINES);
}

const LINES: usize = 5_000;

const SPOUT: &str = "a1.sources = r1\na1.channels = c1\na1.sources.r1.type = avro\na1.sources.r1.bind = 127.0.0.1\n\
    a1.sources.r1.port = PORT\na1.sources.r1.channels = c1\na1.channels.c1.type = storm\n";

const SENDER: &str = "a1.sources = r1\na1.channels = c1\na1.sinks = k1\na1.sources.r1.type = TAILDIR\n\
    a1.sources.r1.filegroups = f\na1.sources.r1.filegroups.f = DIR/log\na1.sources.r1.positionFile = DIR/positions\n\
    a1.sources.r1.channels = c1\na1.channels.c1.type = memory\na1.channels.c1.capacity = 1000\n\
    a1.sinks.k1.type = avro\na1.sinks.k1.hostname = 127.0.0.1\na1.sinks.k1.port = PORT\na1.sinks.k1.channel = c1\n";

//! A native sink with a real store in a JVM.

use integration::{
    solo::{Solo, until},
    stores::OpenSearch,
};
use std::fs;

/// Its index has an object where the last line has a text: that document is never taken.
#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn a_killed_opensearch_has_each_event_once_and_what_it_never_takes_is_put_aside() {
    let mut store = OpenSearch::start();
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
    agent.wait_for("is OpenSearch 2.19.1");
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
    assert!(dead[0].contains("no json") && dead[0].contains("mapper_parsing_exception"), "{}", dead[0]);
    assert!(!agent.path("dead1").exists());
}

//! What is written, and what is not.

use super::*;
use integration::console::Console;
use integration::flume::{Flume, Launch, Version};
use integration::ports;
use integration::stores::{flumes_hbase, post, posted_into, until};
use std::fs;

/// Three sinks, with a table each for whoever writes.
const THREE: &str = "
a1.sources = r
a1.channels = c1 c2 c3
a1.sinks = k1 k2 k3
a1.sources.r.type = http
a1.sources.r.bind = 127.0.0.1
a1.sources.r.port = PORT
a1.sources.r.channels = c1 c2 c3
a1.channels.c1.type = memory
a1.channels.c2.type = memory
a1.channels.c3.type = memory
a1.sinks.k1.type = hbase2
a1.sinks.k1.channel = c1
a1.sinks.k1.table = WHO-simple
a1.sinks.k1.columnFamily = cf
a1.sinks.k1.zookeeperQuorum = QUORUM
a1.sinks.k1.znodeParent = /hbase
a1.sinks.k1.serializer = org.apache.flume.sink.hbase2.SimpleHBase2EventSerializer
a1.sinks.k1.serializer.payloadColumn = p
a1.sinks.k1.serializer.rowPrefix = sim-
a1.sinks.k2.type = hbase2
a1.sinks.k2.channel = c2
a1.sinks.k2.table = WHO-regex
a1.sinks.k2.columnFamily = cf
a1.sinks.k2.zookeeperQuorum = QUORUM
a1.sinks.k2.serializer = org.apache.flume.sink.hbase2.RegexHBase2EventSerializer
a1.sinks.k2.serializer.regex = ^(\\\\S+) (\\\\S+)$
a1.sinks.k2.serializer.colNames = first,second
a1.sinks.k2.serializer.depositHeaders = true
a1.sinks.k3.type = hbase2
a1.sinks.k3.channel = c3
a1.sinks.k3.table = WHO-keyed
a1.sinks.k3.columnFamily = cf
a1.sinks.k3.zookeeperQuorum = QUORUM
a1.sinks.k3.coalesceIncrements = true
a1.sinks.k3.serializer = org.apache.flume.sink.hbase2.RegexHBase2EventSerializer
a1.sinks.k3.serializer.regex = (h\\\\w+|T\\\\w+) (.*)
a1.sinks.k3.serializer.regexIgnoreCase = true
a1.sinks.k3.serializer.colNames = ROW_KEY,rest
a1.sinks.k3.serializer.rowKeyIndex = 0
a1.sinks.k3.serializer.charset = ISO-8859-1
a1.sinks.k3.serializer.depositHeaders = true
";

const EVENTS: &str = r#"[
    {"headers": {"host": "h1", "k": "v\u00e9"}, "body": "hello world"},
    {"headers": {}, "body": "nomatch"},
    {"headers": {"first": "over"}, "body": "two words"},
    {"headers": {"k": ""}, "body": "h\u00e9llo \u00fc"},
    {"headers": {}, "body": "TWO lines more\nthan one"}
]"#;

/// Rows by what they hold: keys that are made are others each time.
fn comparable(cells: BTreeMap<(String, String), String>, keys: bool) -> Vec<String> {
    let mut rows = BTreeMap::<String, Vec<String>>::new();
    for ((row, column), value) in cells {
        rows.entry(row).or_default().push(format!("{column} = {value}"));
    }
    let mut all: Vec<String> = rows
        .into_iter()
        .map(|(row, cells)| {
            let shape = if keys || row == "incRow" {
                row
            } else {
                // The letters of a UUID, or of ten at random, become one.
                let parts =
                    row.split('-').map(|part| if part == "sim" { part.len() } else { part.len().min(13) });
                format!("{:?}", parts.collect::<Vec<_>>())
            };
            format!("{shape}: {cells:?}")
        })
        .collect();
    all.sort();
    all
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn rows_are_those_of_a_released_flume() {
    integration::flume::require();
    let mut hbase = Hbase::start();
    for who in ["ours", "flumes"] {
        for kind in ["simple", "regex", "keyed"] {
            hbase.ask(&format!("create {who}-{kind} cf"));
        }
    }
    let file = |who: &str, port: u16| THREE.replace("WHO", who).replace("PORT", &port.to_string());
    let [ours, theirs] = [(); 2].map(|()| ports::free(&["127.0.0.1"]).expect("a port"));
    let node = start(&hbase, &file("ours", ours));
    let directory = tempfile::tempdir().expect("a folder");
    let properties = directory.path().join("flume.properties");
    fs::write(&properties, file("flumes", theirs).replace("QUORUM", &hbase.quorum())).expect("a file");
    let launch = Launch { before: format!("{}:", flumes_hbase()), ..Launch::default() };
    let _flume =
        Flume::start_as(Version::V1_11, &properties, "a1", directory.path(), &launch, &Console::default())
            .expect("java runs");
    for port in [ours, theirs] {
        post(port, EVENTS);
    }
    for (kind, cells) in [("simple", 6), ("regex", 9), ("keyed", 6)] {
        for who in ["ours", "flumes"] {
            let name = format!("{who}-{kind}");
            until(&format!("{name} has all"), || table(&mut hbase, &name).len() >= cells);
        }
        let keys = kind == "keyed";
        let [ours, theirs] =
            ["ours", "flumes"].map(|who| comparable(table(&mut hbase, &format!("{who}-{kind}")), keys));
        assert_eq!(ours, theirs, "{kind}");
    }
    assert_eq!(counter(&mut hbase, "ours-simple"), 5);
    assert_eq!(node.said("events of a batch are left out, as Flume does"), 2, "of each sink that matches");
    let warnings = node.said("WARN");
    assert_eq!(warnings, 2, "{:?}", node.console.lines_from(0));
}

const SINK: &str = "
a1.sinks.k.type = hbase
a1.sinks.k.table = t
a1.sinks.k.columnFamily = cf
a1.sinks.k.zookeeperQuorum = QUORUM
a1.sinks.k.deadLetterDir = DIR/dead
a1.sinks.k.serializer.suffix = random
a1.sinks.k.serializer.rowPrefix = r
";

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn what_hbase_never_takes_is_put_aside_and_what_may_come_is_waited_for() {
    let mut hbase = Hbase::start();
    let port = ports::free(&["127.0.0.1"]).expect("a port");
    let node = start(&hbase, &posted_into(port, SINK));
    node.wait_for("there is no table `t`: create it");
    post(port, r#"[{"body": "never"}]"#);
    hbase.ask("create t other");
    let dead = || fs::read_to_string(node.path("dead/k.dead.json")).unwrap_or_default();
    until("the event of the unknown family is put aside", || dead().lines().count() == 1);
    assert!(
        dead().contains("\"never\"") && dead().contains("has no column family `cf`: add it"),
        "{}",
        dead()
    );
    hbase.ask("family t cf");
    post(port, r#"[{"body": "one"}, {"body": "two"}]"#);
    until("the queue moves on", || counter(&mut hbase, "t") == 2);
    hbase.ask("disable t");
    post(port, r#"[{"body": "three"}]"#);
    node.wait_for("the table `t` is disabled: enable it");
    hbase.ask("enable t");
    until("the table that is enabled again has the event", || counter(&mut hbase, "t") == 3);
    // Below `r-` are the half of all numbers.
    hbase.ask("split t r0");
    let more: Vec<String> = (0..50).map(|number| format!(r#"{{"body": "{number}"}}"#)).collect();
    post(port, &format!("[{}]", more.join(",")));
    until("both halves have their rows", || counter(&mut hbase, "t") == 53);
    assert_eq!((table(&mut hbase, "t").len(), dead().lines().count()), (54, 1));
}

//! What several components have to agree on.

use super::{check, load_with, plan, text};
use plan::Sources;

const TWO_SINKS: [&str; 3] = ["sinks = k l", "sinks.l.type = null", "sinks.l.channel = c"];

/// Two sinks in a group of this processor, and more keys.
fn group<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let common = ["sinkgroups = g", "sinkgroups.g.sinks = k l"];
    TWO_SINKS.into_iter().chain(common).chain(more.iter().copied()).collect()
}

#[test]
fn what_fits_together() {
    let exec = ["-sources.r.bind", "-sources.r.port", "sources.r.type = exec", "sources.r.command = x"];
    let with = |more: &[&'static str]| exec.iter().chain(more).copied().collect::<Vec<_>>();
    check(&[
        (&with(&["channels.c.transactionCapacity = 20"]), &[]),
        (&with(&["channels.c.transactionCapacity = 19"]), &["error batch-too-large"]),
        (&with(&["sources.r.batchSize = 101"]), &["error batch-too-large"]),
        (
            &[
                "sinks.k.type = avro",
                "sinks.k.hostname = h",
                "sinks.k.port = 1",
                "channels.c.transactionCapacity = 99",
            ],
            &["error batch-too-large"],
        ),
        (&["sinks.k.type = null", "sinks.k.batchSize = 100"], &[]),
        (&["channels.c.transactionCapacity = 101"], &["error transaction-too-large"]),
        (&["channels.c.capacity = 99"], &["error transaction-too-large"]),
        (&["channels.c.capacity = 1000", "channels.c.transactionCapacity = 1000"], &[]),
        (
            &[
                "sources = r s",
                "sources.s.type = avro",
                "sources.s.bind = 0.0.0.0",
                "sources.s.port = 4444",
                "sources.s.channels = c",
            ],
            &["error port-twice"],
        ),
        (
            &[
                "sources = r s",
                "sources.s.type = avro",
                "sources.s.bind = 127.0.0.2",
                "sources.s.port = 4444",
                "sources.s.channels = c",
            ],
            &[],
        ),
    ]);
}

#[test]
fn a_storm_channel_is_alone_and_has_no_sink() {
    let storm = ["-sinks", "-sinks.k.type", "-sinks.k.channel", "channels.c.type = storm"];
    let with = |more: &[&'static str]| storm.iter().chain(more).copied().collect::<Vec<_>>();
    check(&[
        (&with(&[]), &["note not-in-flume"]),
        (&["channels.c.type = storm"], &["error sink-behind-storm", "note not-in-flume"]),
        (
            &with(&["channels = c d", "channels.d.type = storm", "sources.r.channels = c d"]),
            &["note not-in-flume", "error two-storms", "note not-in-flume"],
        ),
    ]);
}

#[test]
fn groups() {
    let two_groups: Vec<&str> = TWO_SINKS
        .into_iter()
        .chain(["sinkgroups = g h", "sinkgroups.g.sinks = k l", "sinkgroups.g.processor.type = load_balance"])
        .chain(["sinkgroups.h.sinks = k", "sinkgroups.h.processor.type = default"])
        .collect();
    let failover = |more: &[&'static str]| {
        let common = ["sinkgroups.g.processor.type = failover"];
        group(&common.iter().chain(more).copied().collect::<Vec<_>>())
    };
    check(&[
        (&failover(&["sinkgroups.g.processor.priority.k = 1", "sinkgroups.g.processor.priority.l = 2"]), &[]),
        (
            &failover(&["sinkgroups.g.processor.priority.k = 1", "sinkgroups.g.processor.priority.l = 1"]),
            &["warning equal-priorities"],
        ),
        (
            &failover(&["sinkgroups.g.processor.priority.k = high", "sinkgroups.g.processor.priority.l = 1"]),
            &["error bad-value"],
        ),
        (
            &failover(&[
                "sinkgroups.g.processor.priority.k = 10 # first",
                "sinkgroups.g.processor.priority.l = 1",
            ]),
            &["warning inline-comment"],
        ),
        (
            &failover(&["sinkgroups.g.processor.priority.k = 1", "sinkgroups.g.processor.priority.m = 2"]),
            &["warning no-priority", "warning priority-of-nobody"],
        ),
        (&failover(&["sinkgroups.g.priority.k = 1"]), &["warning no-priority", "warning unknown-property"]),
        (
            &group(&[
                "sinkgroups.g.processor.type = load_balance",
                "sinkgroups.g.processor.selector = round",
            ]),
            &["error bad-value"],
        ),
        (&group(&["sinkgroups.g.processor.type = default"]), &["error wrong-processor"]),
        (&group(&[]), &["error no-type"]),
        (&["sinkgroups = g", "sinkgroups.g.sinks = k"], &["warning no-processor"]),
        (
            &["sinkgroups = g", "sinkgroups.g.sinks = k", "sinkgroups.g.processor.type = load_balance"],
            &["error wrong-processor"],
        ),
        (&["sinkgroups = g", "sinkgroups.g.processor.type = failover"], &["error no-members"]),
        (
            &["sinkgroups = g", "sinkgroups.g.sinks = x", "sinkgroups.g.processor.type = failover"],
            &["error no-such-member"],
        ),
        (
            &["sinkgroups = g", "sinkgroups.g.sinks = k x", "sinkgroups.g.processor.type = failover"],
            &["warning no-such-member"],
        ),
        (&["sinkgroups = g"], &["warning no-keys"]),
        (&two_groups, &["warning sink-in-two-groups"]),
    ]);
    let equal = failover(&["sinkgroups.g.processor.priority.k = 1", "sinkgroups.g.processor.priority.l = 1"]);
    assert_eq!(plan(&equal).groups[0].sinks, ["k", "l"]);
}

#[test]
fn members_that_lead_to_the_same_place_are_told() {
    let avro = |host: &str, port: &str, kind: &str| {
        let processor = format!("sinkgroups.g.processor.type = {kind}");
        let (host, port) = (format!("sinks.l.hostname = {host}"), format!("sinks.l.port = {port}"));
        text(&[
            "sinks = k l",
            "sinks.k.type = avro",
            "sinks.k.hostname = Localhost",
            "sinks.k.port = 4545",
            "sinks.l.type = avro",
            "sinks.l.channel = c",
            &host,
            &port,
            "sinkgroups = g",
            "sinkgroups.g.sinks = k l",
            &processor,
            "sinkgroups.g.processor.priority.k = 2",
            "sinkgroups.g.processor.priority.l = 1",
        ])
    };
    let same =
        "the sinks `k` and `l` of the sink group `g` lead to the same 127.0.0.1:4545 [same-destination]";
    for host in ["localhost", "127.0.0.1"] {
        assert!(avro(host, "4545", "failover").contains(same), "{}", avro(host, "4545", "failover"));
        assert!(avro(host, "4545", "load_balance").contains("double share"));
    }
    for (host, port) in [("localhost", "4546"), ("other", "4545")] {
        assert!(!avro(host, port, "failover").contains("same-destination"));
    }
}

#[test]
fn a_channel_that_other_processes_share_needs_no_source_and_no_sink() {
    let kafka = "channels.c.type = org.apache.flume.channel.kafka.KafkaChannel";
    let source = ["sources.r.type", "sources.r.bind", "sources.r.port", "sources.r.channels"]
        .map(|key| format!("-{key}"));
    let servers = "channels.c.kafka.bootstrap.servers = h:9092";
    let without_source: Vec<&str> =
        ["-sources", kafka, servers].into_iter().chain(source.iter().map(String::as_str)).collect();
    let without_sink = ["-sinks", "-sinks.k.type", "-sinks.k.channel", kafka, servers];
    check(&[(&without_source, &["error needs-java"]), (&without_sink, &["error needs-java"])]);
}

#[test]
fn what_flume_would_do_depends_on_the_group() {
    let lone = text(&["sinks.k.type = null", "sinks.k.batchSize = x"]);
    assert!(lone.contains("in Flume: removes the sink `k`\n"), "{lone}");
    let grouped = load_with(
        &group(&["sinkgroups.g.processor.type = load_balance", "sinks.l.batchSize = x"]),
        &Sources::default(),
    );
    assert!(
        grouped
            .report
            .head("a")
            .ends_with("in Flume it starts nothing and stays up: the sink group `g` counts on the sink `l`"),
        "{}",
        grouped.report.head("a")
    );
}

#[test]
fn files_that_the_agent_writes_itself() {
    let tail = |more: &[&'static str]| {
        let source = [
            "-sources.r.bind",
            "-sources.r.port",
            "sources.r.type = TAILDIR",
            "sources.r.filegroups = f",
            "sources.r.positionFile = /x/p.json",
        ];
        [&source[..], more].concat()
    };
    let second = [
        "sources = r s",
        "sources.s.type = TAILDIR",
        "sources.s.channels = c",
        "sources.s.filegroups = f",
        "sources.s.filegroups.f = /y/b",
        "sources.r.filegroups.f = /y/a",
    ];
    let with = |last: &'static [&'static str]| tail(&[&second[..], last].concat());
    let by_default: Vec<_> =
        with(&[]).into_iter().filter(|line| !line.starts_with("sources.r.positionFile")).collect();
    let rolls = |pattern: &'static str| {
        tail(&[
            pattern,
            "sinks.k.type = file_roll",
            "sinks.k.sink.directory = /tmp/",
            "sinks.k.sink.pathManager.prefix = p-",
        ])
    };
    check(&[
        (&tail(&["sources.r.filegroups.f = /x/.*\\\\.log"]), &[]),
        (&tail(&["sources.r.filegroups.f = /y/.*"]), &[]),
        (&tail(&["sources.r.filegroups.f = //x/./.*"]), &["warning follows-own-file"]),
        (&rolls("sources.r.filegroups.f = /tmp/p.*"), &["warning follows-own-file"]),
        (&rolls("sources.r.filegroups.f = /tmp/q.*"), &[]),
        (&with(&["sources.s.positionFile = /x/p.json"]), &["warning shared-position-file"]),
        (&with(&["sources.s.positionFile = /x/q.json"]), &[]),
        (&by_default, &["warning shared-position-file"]),
        (&with(&["sources.s.positionFile = /dev/null"]), &["warning device-position-file"]),
    ]);
}

#[test]
fn sinks_of_one_group_that_post_to_one_server_are_told() {
    let with = |other: &'static str| {
        [
            "sinks = k l",
            "sinkgroups = g",
            "sinkgroups.g.sinks = k l",
            "sinkgroups.g.processor.type = load_balance",
            "sinks.k.type = http",
            "sinks.k.endpoint = http://h/x",
            "sinks.k.rollback.200 = false",
            "sinks.l.type = http",
            "sinks.l.rollback.200 = false",
            "sinks.l.channel = c",
            other,
        ]
    };
    check(&[
        (&with("sinks.l.endpoint = http://H:80/y"), &["warning same-destination"]),
        (&with("sinks.l.endpoint = https://h/x"), &[]),
        (&with("sinks.l.endpoint = http://i/x"), &[]),
    ]);
}

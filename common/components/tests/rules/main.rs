//! Each rule of the check: what is written, and what is said of it.

mod around;
mod components;
mod hosted;
mod local;
mod part;
mod report;
#[path = "../support/mod.rs"]
mod support;
mod together;

use plan::{Loaded, Plan, Sources, Text};
use support::{load_texts, options};

/// An agent `a` with nothing wrong: a netcat source, a memory channel, a logger. Its keys can be set again.
const BASE: &[(&str, &str)] = &[
    ("sources", "r"),
    ("channels", "c"),
    ("sinks", "k"),
    ("channels.c.type", "memory"),
    ("sources.r.type", "netcat"),
    ("sources.r.bind", "localhost"),
    ("sources.r.port", "4444"),
    ("sources.r.channels", "c"),
    ("sinks.k.type", "logger"),
    ("sinks.k.channel", "c"),
];

/// The base with `changes` (`key = value`; a key with `-` in front leaves that key out), loaded.
fn load_with(changes: &[&str], sources: &Sources) -> Loaded {
    let changed =
        |key: &str| changes.iter().any(|line| line.trim_start_matches('-').split(" = ").next() == Some(key));
    let mut text: String = BASE
        .iter()
        .filter(|(key, _)| !changed(key))
        .map(|(key, value)| format!("a.{key} = {value}\n"))
        .collect();
    for line in changes.iter().filter(|line| !line.starts_with('-')) {
        text += &format!("a.{line}\n");
    }
    load_texts(&[Text { name: "f".into(), bytes: text.into_bytes() }], sources, "a", &options())
}

/// What is said: severity and code of each finding, with what tells it apart.
fn said(changes: &[&str]) -> Vec<String> {
    let loaded = load_with(changes, &Sources::default());
    assert_eq!(loaded.plan.is_none(), loaded.report.has_errors(), "{}", loaded.report);
    let problems = loaded.report.problems.iter();
    problems.map(|problem| format!("{} {}", problem.severity, problem.code)).collect()
}

fn text(changes: &[&str]) -> String {
    load_with(changes, &Sources::default()).report.to_string()
}

fn plan(changes: &[&str]) -> Plan {
    let loaded = load_with(changes, &Sources::default());
    let report = loaded.report.to_string();
    loaded.plan.expect(&report)
}

/// Checks a table of cases; all that fail are shown.
fn check(cases: &[(&[&str], &[&str])]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter(|(changes, expected)| said(changes) != *expected)
        .map(|(changes, expected)| format!("{changes:?}: expected {expected:?}, got\n{}", text(changes)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_base_is_fine() {
    assert_eq!(text(&[]), "");
}

#[test]
fn comments_behind_values() {
    check(&[
        (&["sources.r.port = 4444 # c"], &["warning inline-comment"]),
        (&["sources.r.port = 4444 !c"], &["error bad-value"]),
        (&["sources.r.port = 4444#c"], &["error bad-value"]),
        (&["sources.r.port = # c"], &["error missing-property", "warning inline-comment"]),
        (&["sources.r.type = netcat # c"], &["warning inline-comment"]),
        (&["sources.r.channels = c # d"], &["warning inline-comment"]),
        (&["sinks.k.channel = c # d"], &["warning inline-comment"]),
        (&["sinks = k # l"], &["warning inline-comment"]),
        (
            &[
                "sources.r.interceptors = i",
                "sources.r.interceptors.i.type = static",
                "sources.r.interceptors.i.value = a#b",
            ],
            &[],
        ),
        (
            &[
                "sources.r.interceptors = i",
                "sources.r.interceptors.i.type = static",
                "sources.r.interceptors.i.value = #b",
            ],
            &[],
        ),
        (
            &[
                "sources.r.interceptors = i",
                "sources.r.interceptors.i.type = static",
                "sources.r.interceptors.i.value = a # b",
            ],
            &["warning inline-comment"],
        ),
        (
            &[
                "sources.r.interceptors = i",
                "sources.r.interceptors.i.type = regex_filter",
                "sources.r.interceptors.i.regex = a # b",
            ],
            &["note comment-in-value"],
        ),
        (
            &[
                "-sources.r.bind",
                "-sources.r.port",
                "sources.r.type = exec",
                "sources.r.command = tail -F x # y",
            ],
            &["note comment-in-value"],
        ),
    ]);
    let escaped = [
        "sources.r.interceptors = i",
        "sources.r.interceptors.i.type = static",
        "sources.r.interceptors.i.value = a \\# b",
    ];
    assert_eq!(plan(&escaped).sources[0].interceptors[0].properties.text("value"), Some("a # b"));
}

#[test]
fn names_and_lists() {
    check(&[
        (&["sources.r.hostname = x"], &["warning unknown-property"]),
        (&["-sinks"], &["warning no-sinks"]),
        (&["-sinks", "sinks.k.x = 1"], &["warning no-sinks", "warning unknown-property"]),
        (&["-sources"], &["warning no-sources"]),
        (&["-sources", "-sinks"], &["error nothing-to-do"]),
        (&["-channels"], &["error no-channels"]),
        (&["-channels", "-sources", "-sinks"], &["error no-lists"]),
        (&["-channels", "-sources", "-sinks", "sources.r.port = x"], &["error no-lists", "error bad-value"]),
        (&["channels = ", "sources = ", "sinks = "], &["error no-lists"]),
        (&["sinkgroups = "], &["warning empty-value"]),
        (&["sinks = k l"], &["warning no-keys"]),
        (&["sinks = k,l"], &["warning nobody-drains", "error no-keys"]),
        (&["sinks = k k"], &["note named-twice"]),
        (&["channels = c d"], &["warning no-keys"]),
        (&["channels = c d", "sources.r.channels = c d"], &["error no-keys"]),
        (&["sinks.l.type = null"], &["warning not-listed"]),
        (&["sources.r.channels = c d"], &["warning unknown-channel"]),
        (&["sources.r.channels = d"], &["error unknown-channel"]),
        (&["-sources.r.channels", "sources.r.channel = c"], &["error no-channel"]),
        (&["-sinks.k.channel", "sinks.k.channels = c"], &["error no-channel"]),
        (&["sinks.k.channel = c d"], &["error unknown-channel"]),
        (&["channels = c d", "channels.d.type = memory"], &["warning unused-channel"]),
        (&["source.r.type = x"], &["warning invalid-key"]),
        (&["sources.r = x"], &["warning invalid-key"]),
        (&["sources.r.threads = "], &["warning empty-value"]),
        (&["sources.r.threads"], &["warning bare-line"]),
        (&["sources.r.port = 4444", "sources.r.port = 4445"], &["warning duplicate-key"]),
        (&["sources.r.port = 4444", "sources.r.port = 4444"], &["note duplicate-key"]),
    ]);
}

#[test]
fn types() {
    check(&[
        (&["sinks.k.type = LOGGER"], &[]),
        (&["sinks.k.type = org.apache.flume.sink.LoggerSink"], &[]),
        (&["sinks.k.type = hdfs", "sinks.k.hdfs.path = hdfs://h/x"], &["error needs-java"]),
        (
            &[
                "sinks.k.type = org.apache.flume.sink.kafka.KafkaSink",
                "sinks.k.kafka.bootstrap.servers = h:9092",
                "sinks.k.kafka.topic = t",
            ],
            &["error needs-java"],
        ),
        (&["sinks.k.type = loger"], &["error unknown-type"]),
        (&["sinks.k.type = com.example.Sink"], &["error needs-java"]),
        (&["-sinks.k.type"], &["error no-type"]),
    ]);
    assert!(text(&["sinks.k.type = loger"]).contains("write:    `a.sinks.k.type = logger`"));
    assert!(text(&["sinks.k.type = hdfs"]).contains(
        "the sink `k` needs a JVM with Flume's jars (only builds with the feature `hdfs` run `hdfs` natively)"
    ));
    let builder = [
        "sources.r.interceptors = i",
        "sources.r.interceptors.i.type = org.apache.flume.interceptor.HostInterceptor",
    ];
    assert!(
        text(&builder)
            .contains("`a.sources.r.interceptors.i.type = host`, or the class with `$Builder` behind it")
    );
    assert_eq!(plan(&["sinks.k.type = LOGGER"]).sinks[0].component.kind(), "logger");
}

#[test]
fn what_is_proposed_does_what_was_meant() {
    let channel = |kind: &str| text(&[&format!("channels.c.type = {kind}")]);
    for durable in ["file", "File", "FILE", "jdbc"] {
        let said = channel(durable);
        assert!(said.contains("the channel `c` needs a JVM with Flume's jars"), "{durable}: {said}");
        assert!(!said.contains("memory"), "{durable}: {said}");
    }
    for (kind, expected) in [
        ("disk", "`a.channels.c.type = file`"),
        ("memroy", "`a.channels.c.type = memory`"),
        ("flume.channel.MemoryChannel", "`a.channels.c.type = memory`"),
    ] {
        assert!(channel(kind).contains(&format!("write:    {expected}")), "{kind}: {}", channel(kind));
    }
    let source = |kind: &str| text(&[&format!("sources.r.type = {kind}")]);
    for class in [
        "flume.source.taildir.TaildirSource",
        "TaildirSource",
        "org.apache.flume.source.TaildirSource",
        "tail",
    ] {
        assert!(
            source(class).contains("write:    `a.sources.r.type = TAILDIR`"),
            "{class}: {}",
            source(class)
        );
    }
    let hdfs = text(&["sinks.k.type = hdfs"]);
    assert!(hdfs.contains("FLUME_HOME in the environment") && !hdfs.contains("null"), "{hdfs}");
    let several = text(&["sources.r.interceptors = i", "sources.r.interceptors.i.type = multi_static"]);
    assert!(several.contains("i.type = static`, one interceptor for each header"), "{several}");
    for lists in [vec!["-channels"], vec!["-channels", "sources.r.selector.default = x"]] {
        let said = text(&lists);
        assert!(said.contains("`a.channels = c`") && !said.contains("one of none"), "{said}");
    }
}

#[test]
fn a_list_that_is_missing_or_empty_is_told_as_it_should_stand() {
    let none = text(&["-channels", "-sources", "-sinks", "sinks.l.type = null", "sinks.l.channel = c"]);
    assert!(none.contains("write:    `a.channels = c` and `a.sources = r` and `a.sinks = k l`\n"), "{none}");
    let empty = text(&["sinks = "]);
    assert!(empty.starts_with("f:10:1: warning: the agent `a` has no sinks [no-sinks]"), "{empty}");
    assert!(empty.contains("write:    `a.sinks = k`\n") && !empty.contains("default"), "{empty}");
    assert!(plan(&["sinks = "]).sinks.is_empty());
}

#[test]
fn a_word_in_a_list_has_the_column_of_that_word() {
    for (lines, expected) in [
        (&["sinks = k  l"][..], "f:10:14: warning: the sink `l`"),
        (&["sinks = k \\\n   l"], "f:11:4: warning: the sink `l`"),
        (&["sinks = k k"], "f:10:13: note: `a.sinks` names `k` twice"),
        (&["sources.r.channels = c cc"], "f:10:26: warning: the source `r` names a channel `cc`"),
        (
            &["sources.r.interceptors = i j", "sources.r.interceptors.i.type = host"],
            "f:11:30: error: the interceptor `j`",
        ),
        (
            &["sinkgroups = g", "sinkgroups.g.processor.type = default", "sinkgroups.g.sinks = k x"],
            "f:13:26: warning: the sink group `g` has a member `x`",
        ),
    ] {
        assert!(text(lines).contains(expected), "{expected}: {}", text(lines));
    }
}

#[test]
fn a_class_of_somebodys_own_needs_a_jvm_and_text_with_a_dot_is_none() {
    let own = text(&["sinks.k.type = com.example.LoggerSink"]);
    assert!(own.contains("the sink `k` needs a JVM with Flume's jars (it is a Java class)"), "{own}");
    let slip = text(&["sinks.k.type = org.apache.flume.sinks.LoggerSink"]);
    assert!(slip.contains("[unknown-type]") && slip.contains("`a.sinks.k.type = logger`"), "{slip}");
    let joined = text(&["sinks.k.type = avroa.sinks.k.hostname = h"]);
    assert!(joined.contains("write:    a line end in front of `a.sinks.k.hostname = h`"), "{joined}");
    assert!(!text(&["sinks.k.type = logger.txt"]).contains("class"));
}

#[test]
fn a_part_without_a_native_version_takes_its_component_to_the_jvm_with_all_its_keys() {
    let file = ["sinks.k.type = file_roll", "sinks.k.sink.directory = /tmp", "sinks.k.own.key = a # b"];
    let own = |serializer: &'static str| text(&[&file[..], &[serializer]].concat());
    for serializer in ["com.example.Own$Builder", "org.apache.flume.sink.hdfs.AvroEventSerializer$Builder"] {
        let said = text(&[&file[..], &[&format!("sinks.k.sink.serializer = {serializer}")]].concat());
        assert!(said.contains("(its serializer has no native version)"), "{said}");
        assert!(said.contains("`own.key` is not a property"), "{said}");
    }
    assert!(own("sinks.k.sink.serializer = text").contains("`own.key` is not a property"));
    let misspelt = own("sinks.k.sink.serializer = avro_evnt");
    assert!(misspelt.contains("[unknown-type]"), "{misspelt}");
}

#[test]
fn a_named_component_is_sent_to_the_jvm() {
    let said = |names: &str| text(&[&format!("flume.bridge = {names}")]);
    assert!(
        said("k").contains("the sink `k` needs a JVM with Flume's jars (`a.flume.bridge` names it)"),
        "{}",
        said("k")
    );
    assert!(said("r").contains("the source `r` needs a JVM"), "{}", said("r"));
    assert!(
        said("x").contains("`a.flume.bridge` names `x`, and no component has that name"),
        "{}",
        said("x")
    );
    let comments = text(&["sinks.k.type = com.example.Own # c", "sinks.k.own = a # b"]);
    for code in ["[inline-comment]", "[comment-in-value]"] {
        assert_eq!(comments.matches(code).count(), 1, "{comments}");
    }
}

#[test]
fn a_lone_line_is_no_agent() {
    let said = text(&["sinks = k\nflume2.conf"]);
    assert!(
        said.contains("`flume2.conf` stands alone on its line") && !said.contains("agent `flume2`"),
        "{said}"
    );
}

#[test]
fn which_release_of_flume_has_a_type_is_told() {
    let sink = |kind: &str| text(&[&format!("sinks.k.type = {kind}")]);
    for (kind, flume, fix) in [
        (
            "org.apache.flume.sink.kite.DatasetSink",
            "has it up to 1.9; later releases have not",
            "naming a Flume 1.9 or older",
        ),
        ("hbase2", "has it from 1.9 on", "naming the Flume that this agent ran on"),
        ("hdfs", "has it\n", "naming the Flume that this agent ran on"),
    ] {
        let said = sink(kind);
        assert!(said.contains(&format!("in Flume: {flume}")) && said.contains(fix), "{kind}: {said}");
    }
}

#[test]
fn a_name_that_is_nearly_that_of_a_listed_component_is_told() {
    let base =
        ["sources = r1", "-sources.r.type", "-sources.r.bind", "-sources.r.port", "-sources.r.channels"];
    let r1 = ["sources.r1.type = seq", "sources.r1.channels = c"];
    let with = |last: &'static str| text(&[&base[..], &r1, &[last]].concat());
    let said = with("sources.ri.batchSize = 5");
    assert!(said.contains("write:    `a.sources.r1.batchSize = 5`, if that is meant"), "{said}");
    assert!(with("sources.r2.type = seq").contains("`a.sources = r1 r2`"));
}

#[test]
fn values() {
    check(&[
        (&["sources.r.port = 70000"], &["error bad-value"]),
        (&["sources.r.port = 0"], &[]),
        (&["sources.r.port = +4444"], &[]),
        (&["-sources.r.port"], &["error missing-property"]),
        (&["sources.r.bind = http://x"], &["error bad-value"]),
        (&["sources.r.bind = h:4444"], &["error bad-value"]),
        (&["sources.r.bind = ::1"], &[]),
        (&["sources.r.ack-every-event = yes"], &["warning bad-value"]),
        (&["sources.r.encoding = gbk"], &[]),
        (&["sources.r.encoding = ISO_8859-1"], &[]),
        (&["sources.r.encoding = EBCDIC"], &["error bad-value"]),
        (
            &["channels.c.capacity = many", "channels.c.keep-alive = -1"],
            &["warning bad-value", "warning bad-value"],
        ),
        (&["channels.c.capacity = 99999999999"], &["warning bad-value"]),
        (&["sources.r.port = ${env:NO_SUCH}"], &["error unknown-variable"]),
    ]);
    let unset = plan(&["channels.c.capacity = many"]);
    assert_eq!(unset.channels[0].properties.text("capacity"), None);
    assert!(
        !plan(&["sources.r.ack-every-event = yes"]).sources[0].component.properties.flag("ack-every-event")
    );
}

#[test]
fn a_property_that_is_not_known_is_told_with_the_one_that_is() {
    let report = text(&[
        "sinks.k.type = avro",
        "sinks.k.host = h",
        "sinks.k.port = 1",
        "sinks.k.batchSize = 5",
        "sinks.k.maxIoWorkers = 5",
    ]);
    assert!(report.contains("`a.sinks.k.batch-size = 5`, if that is meant"), "{report}");
    assert!(
        report.contains("error: the sink `k` has no `hostname`, which `avro` needs [missing-property]"),
        "{report}"
    );
    assert!(report.contains("`a.sinks.k.hostname = h` in place of `a.sinks.k.host` at f:11:1"), "{report}");
    assert!(report.contains("note: `maxIoWorkers` has no effect"), "{report}");
}

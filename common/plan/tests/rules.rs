//! Each rule of the check: what is written, and what is said of it.

use plan::{Loaded, Options, Plan, Sources, Text, load_texts};

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
    load_texts(&[Text { name: "f".into(), bytes: text.into_bytes() }], sources, "a", &Options::default())
}

/// What is said: severity and code of each finding, with what tells it apart.
fn said(changes: &[&str]) -> Vec<String> {
    let loaded = load_with(changes, &Sources::default());
    assert_eq!(loaded.plan.is_none(), loaded.report.has_errors(), "{}", loaded.report);
    // What is merely not there yet changes from release to release, and has a test of its own.
    let lasting = loaded.report.problems.iter().filter(|problem| problem.code != "property-not-here-yet");
    lasting.map(|problem| format!("{} {}", problem.severity, problem.code)).collect()
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

const TWO_SINKS: [&str; 3] = ["sinks = k l", "sinks.l.type = null", "sinks.l.channel = c"];

/// Two sinks in a group of this processor, and more keys.
fn group<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let common = ["sinkgroups = g", "sinkgroups.g.sinks = k l"];
    TWO_SINKS.into_iter().chain(common).chain(more.iter().copied()).collect()
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
    assert_eq!(plan(&escaped).sources[0].interceptors[0].context.text("value"), Some("a # b"));
}

#[test]
fn names_and_lists() {
    check(&[
        (&["sources.r.hostname = x"], &["warning unknown-property"]),
        (&["-sinks"], &["warning no-sinks", "warning nobody-drains", "warning not-listed"]),
        (&["-sources"], &["warning no-sources", "warning nobody-fills", "warning not-listed"]),
        (
            &["-sources", "-sinks"],
            &["error nothing-to-do", "warning unused-channel", "warning not-listed", "warning not-listed"],
        ),
        (
            &["-channels"],
            &["error no-channels", "warning not-listed", "error unknown-channel", "error unknown-channel"],
        ),
        (&["sinks = k l"], &["error no-keys"]),
        (&["sinks = k,l"], &["warning nobody-drains", "warning not-listed", "error no-keys"]),
        (&["sinks = k k"], &["note named-twice"]),
        (&["channels = c d"], &["error no-keys"]),
        (&["sinks.l.type = null"], &["warning not-listed"]),
        (&["sources.r.channels = c d"], &["warning unknown-channel"]),
        (&["sources.r.channels = d"], &["warning nobody-fills", "error unknown-channel"]),
        (&["-sources.r.channels", "sources.r.channel = c"], &["warning nobody-fills", "error no-channel"]),
        (&["-sinks.k.channel", "sinks.k.channels = c"], &["warning nobody-drains", "error no-channel"]),
        (&["sinks.k.channel = c d"], &["warning nobody-drains", "error unknown-channel"]),
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
        (&["sinks.k.type = hdfs", "sinks.k.hdfs.path = /x"], &["error type-not-here-yet"]),
        (&["sinks.k.type = org.apache.flume.sink.kafka.KafkaSink"], &["error type-not-here-yet"]),
        (&["sinks.k.type = loger"], &["error unknown-type"]),
        (&["sinks.k.type = com.example.Sink"], &["error unknown-type"]),
        (&["-sinks.k.type"], &["error no-type"]),
    ]);
    assert!(text(&["sinks.k.type = loger"]).contains("write:    `a.sinks.k.type = logger`"));
    assert!(
        text(&["sinks.k.type = hdfs"]).contains("the sink `hdfs` of Flume is not there yet (the sink `k`)")
    );
    let builder = [
        "sources.r.interceptors = i",
        "sources.r.interceptors.i.type = org.apache.flume.interceptor.HostInterceptor",
    ];
    assert!(
        text(&builder)
            .contains("`a.sources.r.interceptors.i.type = host`, or the class with `$Builder` behind it")
    );
    assert_eq!(plan(&["sinks.k.type = LOGGER"]).sinks[0].kind, "logger");
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
        (&["sources.r.encoding = gbk"], &["error bad-value"]),
        (
            &["channels.c.capacity = many", "channels.c.keep-alive = -1"],
            &["warning bad-value", "warning bad-value"],
        ),
        (&["channels.c.capacity = 99999999999"], &["warning bad-value"]),
        (&["sources.r.port = ${env:NO_SUCH}"], &["error bad-value", "warning unknown-variable"]),
    ]);
    let unset = plan(&["channels.c.capacity = many"]);
    assert_eq!(unset.channels[0].context.text("capacity"), None);
    assert!(!plan(&["sources.r.ack-every-event = yes"]).sources[0].context.flag("ack-every-event", true));
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
    assert!(report.contains("`a.sinks.k.batch-size`, if that is meant"), "{report}");
    assert!(
        report.contains("error: the sink `k` has no `hostname`, which `avro` needs [missing-property]"),
        "{report}"
    );
    assert!(report.contains("`a.sinks.k.hostname` in place of `a.sinks.k.host` at f:11:1"), "{report}");
    assert!(report.contains("note: `maxIoWorkers` has no effect"), "{report}");
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
        (&["sinkgroups = g"], &["error no-keys"]),
        (&two_groups, &["warning sink-in-two-groups"]),
    ]);
    let equal = failover(&["sinkgroups.g.processor.priority.k = 1", "sinkgroups.g.processor.priority.l = 1"]);
    assert_eq!(plan(&equal).groups[0].sinks, ["k", "l"]);
}

#[test]
fn what_flume_would_do_depends_on_the_group() {
    let lone = text(&["sinks.k.type = null", "sinks.k.batchSize = x"]);
    assert!(lone.contains("in Flume: removes the sink `k` and runs the rest"), "{lone}");
    let grouped = text(&group(&["sinkgroups.g.processor.type = load_balance", "sinks.l.batchSize = x"]));
    assert!(
        grouped.contains("in Flume: starts nothing at all, because a group counts on the sink `l`"),
        "{grouped}"
    );
}

#[test]
fn selectors() {
    let two = [
        "channels = c d",
        "channels.d.type = memory",
        "sources.r.channels = c d",
        "sinks = k l",
        "sinks.l.type = null",
        "sinks.l.channel = d",
    ];
    let with = |more: &[&'static str]| two.iter().chain(more).copied().collect::<Vec<_>>();
    check(&[
        (&with(&["sources.r.selector.type = replicating", "sources.r.selector.optional = d"]), &[]),
        (&with(&["sources.r.selector.optional = e"]), &["error unknown-channel"]),
        (
            &with(&[
                "sources.r.selector.type = multiplexing",
                "sources.r.selector.header = h",
                "sources.r.selector.mapping.x = d",
            ]),
            &["note no-default"],
        ),
        (
            &with(&[
                "sources.r.selector.type = multiplexing",
                "sources.r.selector.mapping.x = e",
                "sources.r.selector.default = c",
            ]),
            &["error unknown-channel"],
        ),
        (
            &with(&["sources.r.selector.type = multiplexing", "sources.r.selector.default = c"]),
            &["warning no-mapping"],
        ),
        (&with(&["sources.r.selector.type = load_balancing"]), &["note selector-unusable-in-flume"]),
        (&with(&["sources.r.selector.type = custom"]), &["error unknown-type"]),
    ]);
    let mapped = plan(&with(&[
        "sources.r.selector.type = MULTIPLEXING",
        "sources.r.selector.mapping.x.y = d c",
        "sources.r.selector.default = c",
    ]));
    let selector = &mapped.sources[0].selector;
    assert_eq!(
        (selector.kind, selector.context.under("mapping").next()),
        ("multiplexing", Some(("x.y", "d c")))
    );
}

#[test]
fn interceptors() {
    let with = |more: &[&'static str]| [&["sources.r.interceptors = i"], more].concat();
    check(&[
        (&["sources.r.interceptors = i"], &["error no-type"]),
        (&["sources.r.interceptors.i.type = host"], &["warning not-listed"]),
        (
            &with(&["sources.r.interceptors.i.type = regex_filter", "sources.r.interceptors.i.regex = (a"]),
            &["error bad-value"],
        ),
        (
            &with(&[
                "sources.r.interceptors.i.type = regex_filter",
                "sources.r.interceptors.i.regex = (?<!x)a",
            ]),
            &["error bad-value"],
        ),
        (
            &with(&[
                "sources.r.interceptors.i.type = regex_filter",
                "sources.r.interceptors.i.regex = (a)\\\\1",
            ]),
            &["error bad-value"],
        ),
        (&with(&["sources.r.interceptors.i.type = search_replace"]), &["error missing-property"]),
        (&with(&["sources.r.interceptors.i.type = remove_header"]), &["warning no-effect"]),
        (
            &with(&[
                "sources.r.interceptors.i.type = regex_extractor",
                "sources.r.interceptors.i.regex = (a)(b)",
                "sources.r.interceptors.i.serializers = s",
                "sources.r.interceptors.i.serializers.s.name = x",
            ]),
            &["warning groups-and-serializers"],
        ),
        (
            &with(&[
                "sources.r.interceptors.i.type = regex_extractor",
                "sources.r.interceptors.i.regex = (a)",
                "sources.r.interceptors.i.serializers = s",
            ]),
            &["error missing-property"],
        ),
    ]);
    assert!(
        text(&with(&[
            "sources.r.interceptors.i.type = regex_filter",
            "sources.r.interceptors.i.regex = (?<=x)a"
        ]))
        .contains("look-behind")
    );
}

#[test]
fn taildir() {
    let with = |more: &[&'static str]| {
        [&["-sources.r.bind", "-sources.r.port", "sources.r.type = TAILDIR"], more].concat()
    };
    check(&[
        (
            &with(&[
                "sources.r.filegroups = f",
                "sources.r.filegroups.f = /x/.*\\\\.log",
                "sources.r.headers.f.a.b = 1",
            ]),
            &[],
        ),
        (&with(&["sources.r.filegroups = f"]), &["error no-path"]),
        (&with(&["sources.r.filegroups.f = /x/y"]), &["error missing-property", "warning not-listed"]),
        (&with(&["sources.r.filegroups = f g", "sources.r.filegroups.f = /x/y"]), &["warning no-path"]),
        (&with(&["sources.r.filegroups = f", "sources.r.filegroups.f = /x/*.log"]), &["error bad-value"]),
        (
            &with(&["sources.r.filegroups = f", "sources.r.filegroups.f = /x/.*/y"]),
            &["warning literal-directory"],
        ),
        (
            &with(&["sources.r.filegroups = f", "sources.r.filegroups.f = /x/y", "sources.r.headers.f = 1"]),
            &["error bad-value"],
        ),
    ]);
    assert!(
        text(&with(&["sources.r.filegroups = f", "sources.r.filegroups.f = /x/*.log"]))
            .contains("`a.sources.r.filegroups.f = /x/.*\\\\.log`")
    );
    assert_eq!(
        plan(&with(&["sources.r.filegroups = f", "sources.r.filegroups.f = /x/y"])).sources[0].kind,
        "taildir"
    );
}

#[test]
fn other_components() {
    let avro = |more: &[&'static str]| [&["sources.r.type = avro"], more].concat();
    let sink = |more: &[&'static str]| {
        [&["sinks.k.type = avro", "sinks.k.hostname = h", "sinks.k.port = 1"], more].concat()
    };
    let file =
        |more: &[&'static str]| [&["sinks.k.type = file_roll", "sinks.k.sink.directory = /x"], more].concat();
    check(&[
        (&avro(&["sources.r.threads = 5"]), &["note unused-property"]),
        (&avro(&["sources.r.ssl = true"]), &["error missing-property", "error missing-property"]),
        (&avro(&["sources.r.ipFilter = true"]), &["error missing-property"]),
        (&avro(&["sources.r.ipFilter = true", "sources.r.ipFilterRules = allow:ip:127.*,deny:name:*"]), &[]),
        (
            &avro(&["sources.r.ipFilter = true", "sources.r.ipFilterRules = allow:127.*"]),
            &["error bad-value"],
        ),
        (&avro(&["sources.r.compression-type = gzip"]), &["warning bad-value"]),
        (&sink(&["sinks.k.hosts = h1", "sinks.k.hosts.h1 = x:1"]), &[]),
        (&sink(&["sinks.k.hosts = h1"]), &["error bad-value"]),
        (&sink(&["sinks.k.connect-timeout = 999"]), &["warning bad-value"]),
        (&sink(&["sinks.k.compression-level = 10"]), &["error bad-value"]),
        (&["sinks.k.maxBytesToLog = 100"], &["note honoured-here"]),
        (&file(&["sinks.k.sink.rollInterval = -1", "sinks.k.sink.serializer = HEADER_AND_TEXT"]), &[]),
        (&file(&["sinks.k.sink.serializer.appendNewLine = false"]), &["warning unknown-property"]),
        (&file(&["sinks.k.sink.pathManager = rolltime", "sinks.k.sink.pathManager.prefix = x"]), &[]),
        (
            &["sinks.k.type = file_roll", "sinks.k.directory = /x"],
            &["error missing-property", "warning unknown-property"],
        ),
        (
            &["-sources.r.bind", "-sources.r.port", "sources.r.type = exec", "sources.r.command = a | b"],
            &["warning no-shell"],
        ),
        (
            &[
                "-sources.r.bind",
                "-sources.r.port",
                "sources.r.type = exec",
                "sources.r.command = a | b",
                "sources.r.shell = /bin/sh -c",
            ],
            &[],
        ),
    ]);
}

#[test]
fn what_is_not_there_yet_is_refused_and_may_be_off() {
    for (kind, alias, key) in plan::schema::NOT_YET {
        let (component, on, off) = match *key {
            "compression-type" => (kind, "deflate", "none"),
            "client.type" => (kind, "default_failover", "default"),
            _ => (kind, "true", "no"),
        };
        let list = if *component == plan::schema::Kind::Source { "sources.r" } else { "sinks.k" };
        let said = |value: &str| {
            let lines = [format!("{list}.type = {alias}"), format!("{list}.{key} = {value}")];
            text(&[lines[0].as_str(), lines[1].as_str(), "sinks.k.hostname = h", "sinks.k.port = 1"])
        };
        let error = format!("`a.{list}.{key} = {on}` of Flume is not there yet");
        assert!(said(on).contains(&error), "{}", said(on));
        assert!(!said(off).contains("not there yet"), "{}", said(off));
    }
}

#[test]
fn an_agent_that_is_not_there() {
    let loaded = |name: &str| {
        let text =
            Text { name: "f".into(), bytes: b"agent1.sources = r\nagent2.sinks = k\nAgent.x = 1".to_vec() };
        load_texts(&[text], &Sources::default(), name, &Options::default())
    };
    let report = loaded("agent").report.to_string();
    assert!(
        report.contains(
            "f: error: the agent `agent` is not in the file; it names `agent1`, `agent2` [unknown-agent]"
        ),
        "{report}"
    );
    assert!(report.contains("write:    `-n agent1`"), "{report}");
    assert_eq!(loaded("x").agents, ["agent1", "agent2"]);
}

#[test]
fn layers_and_variables_reach_the_components() {
    let pair = |key: &str, value: &str| (key.to_string(), value.to_string());
    let sources = Sources {
        environment: vec![pair("FLUME__a__sources__r__max-line-length", "9"), pair("H", "h1")],
        properties: vec![pair("a.sources.r.port", "5555"), pair("p", "7")],
        ..Sources::default()
    };
    let loaded = load_with(
        &[
            "sources.r.bind = ${env:H}",
            "channels.c.keep-alive = ${sys:p}",
            "channels.c.capacity = 10${a.channels.c.keep-alive}",
        ],
        &sources,
    );
    assert!(!loaded.report.has_warnings(), "{}", loaded.report);
    let plan = loaded.plan.unwrap();
    let source = &plan.sources[0].context;
    assert_eq!(
        (source.text("bind"), source.text("port"), source.text("max-line-length")),
        (Some("h1"), Some("5555"), Some("9"))
    );
    assert_eq!(source.place("port").unwrap().to_string(), "command line -Da.sources.r.port");
    assert_eq!(plan.channels[0].context.number("capacity", 0), 107);
}

#[test]
fn config_filters() {
    let environment = vec![("SECRET".to_string(), "s".to_string())];
    let sources = Sources { environment, ..Sources::default() };
    let load = |value: &'static str| {
        let lines = [
            "configfilters = f",
            "configfilters.f.type = env",
            "sources.r.interceptors = i",
            "sources.r.interceptors.i.type = static",
            value,
        ];
        load_with(&lines, &sources)
    };
    let answered = load("sources.r.interceptors.i.value = <${f['SECRET']}${f[SECRET]}>");
    assert_eq!(answered.report.to_string(), "");
    assert_eq!(answered.plan.unwrap().sources[0].interceptors[0].context.text("value"), Some("<ss>"));
    let unanswered = load("sources.r.interceptors.i.value = ${f[NO]}");
    assert_eq!(unanswered.report.problems[0].code, "filter-without-answer");
}

#[test]
fn the_report_has_a_form_for_programs() {
    let loaded = load_with(&["sources.r.port = x"], &Sources::default());
    let json = serde_json::to_value(&loaded.report).unwrap();
    let problem = &json["problems"][0];
    assert_eq!(problem["severity"], "error");
    assert_eq!(problem["code"], "bad-value");
    assert_eq!(problem["place"], serde_json::json!({"origin": "f", "line": 10, "column": 20}));
    assert!(json.get("left_out").is_none());
}

//! What one type of component asks for.

use super::{check, plan, text};

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
        (selector.kind(), selector.properties.under("mapping").next()),
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
            &[],
        ),
        (
            &with(&[
                "sources.r.interceptors.i.type = regex_filter",
                "sources.r.interceptors.i.regex = (a)\\\\1",
            ]),
            &[],
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
            "sources.r.interceptors.i.regex = (?<=x)\\\\Ga"
        ]))
        .contains("column 7: `\\G`")
    );
}

#[test]
fn what_flume_does_with_a_codec_is_told_as_it_is() {
    let codec = |name: &str| {
        let line = format!("sinks.k.sink.serializer.compressionCodec = {name}");
        let file = [
            "sinks.k.type = file_roll",
            "sinks.k.sink.directory = /tmp",
            "sinks.k.sink.serializer = avro_event",
        ];
        text(&[&file[..], &[&line]].concat())
    };
    assert!(
        codec("lz4").contains("in Flume: does not know the codec and compresses nothing"),
        "{}",
        codec("lz4")
    );
    assert!(codec("SNAPPY").contains("compressionCodec = snappy`"), "{}", codec("SNAPPY"));
    for name in ["null", "deflate", "snappy", "bzip2", "xz", "zstandard"] {
        assert_eq!(codec(name), "");
    }
}

#[test]
fn other_components() {
    let avro = |more: &[&'static str]| [&["sources.r.type = avro"], more].concat();
    let sink = |more: &[&'static str]| {
        [&["sinks.k.type = avro", "sinks.k.hostname = h", "sinks.k.port = 1"], more].concat()
    };
    let file = |more: &[&'static str]| {
        [&["sinks.k.type = file_roll", "sinks.k.sink.directory = /tmp"], more].concat()
    };
    check(&[
        (&avro(&["sources.r.threads = 5"]), &["note unused-property"]),
        (&avro(&["sources.r.ssl = true"]), &["error missing-property", "error missing-property"]),
        (&avro(&["sources.r.ipFilter = true"]), &["error missing-property"]),
        (&avro(&["sources.r.ipFilter = true", "sources.r.ipFilterRules = allow:ip:127.*,deny:name:*"]), &[]),
        (
            &avro(&["sources.r.ipFilter = true", "sources.r.ipFilterRules = allow:127.*"]),
            &["error bad-value"],
        ),
        (
            &avro(&["sources.r.ipFilter = true", "sources.r.ipFilterRules = allow:ip:(,deny:ip:*"]),
            &["error bad-value"],
        ),
        (&avro(&["sources.r.compression-type = gzip"]), &["warning bad-value"]),
        (&avro(&["sources.r.maxFrameBytes = 65536"]), &[]),
        (&avro(&["sources.r.maxFrameBytes = 65535"]), &["error bad-value"]),
        (&avro(&["sources.r.maxFrameBytes = 2147483648"]), &["error bad-value"]),
        (&avro(&["sources.r.maxFrameBytes = 64m"]), &["error bad-value"]),
        (&avro(&["sources.r.maxMemoryBytes = 301989888", "sources.r.maxConnections = 1"]), &[]),
        (&avro(&["sources.r.maxMemoryBytes = 301989887"]), &["error bad-value"]),
        (&avro(&["sources.r.maxMemoryBytes = 3145728", "sources.r.maxFrameBytes = 1048576"]), &[]),
        (&avro(&["sources.r.maxConnections = 0"]), &["error bad-value"]),
        (&avro(&["sources.r.maxIdleSeconds = 0"]), &[]),
        (&avro(&["sources.r.maxIdleSeconds = 1h"]), &["error bad-value"]),
        (&sink(&["sinks.k.hosts = h1", "sinks.k.hosts.h1 = x:1"]), &[]),
        (&sink(&["sinks.k.hosts = h1"]), &["error bad-value"]),
        (&sink(&["sinks.k.connect-timeout = 999"]), &["warning bad-value"]),
        (&sink(&["sinks.k.compression-level = 10"]), &["error bad-value"]),
        (&["sinks.k.maxBytesToLog = 100"], &["note honoured-here"]),
        (&file(&["sinks.k.sink.rollInterval = -1", "sinks.k.sink.serializer = HEADER_AND_TEXT"]), &[]),
        (&file(&["sinks.k.sink.serializer.appendNewLine = false"]), &["warning unknown-property"]),
        (&file(&["sinks.k.sink.pathManager = rolltime", "sinks.k.sink.pathManager.prefix = x"]), &[]),
        (&["sinks.k.type = file_roll", "sinks.k.directory = /x"], &["error missing-property"]),
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
fn a_bad_limit_of_our_own_is_told_with_its_unit_and_that_flume_has_none() {
    let report = text(&["sources.r.type = avro", "sources.r.maxFrameBytes = 64m"]);
    for words in [
        "`a.sources.r.maxFrameBytes` is `64m`: not a whole number",
        "has no such property and ignores it",
        "a whole number of bytes from 65536",
    ] {
        assert!(report.contains(words), "{report}");
    }
}

#[test]
fn what_only_flumes_own_class_can_do_takes_a_component_to_the_jvm() {
    let said = |line: &str| {
        let line = format!("sinks.k.{line}");
        text(&["sinks.k.type = thrift", &line, "sinks.k.hostname = h", "sinks.k.port = 1"])
    };
    let on = said("kerberos = TRUE");
    for part in [
        "the sink `k` needs a JVM with Flume's jars (only Flume's own class has `kerberos = true`), and there is none",
        "in Flume: has it\n",
        "FLUME_HOME in the environment",
    ] {
        assert!(on.contains(part), "{on}");
    }
    for off in ["kerberos = false", "client-keytab = /etc/x"] {
        assert!(!said(off).contains("JVM"), "{off}: {}", said(off));
    }
    // Its channel has nothing to do with that.
    let astray = text(&[
        "sinks.k.type = thrift",
        "sinks.k.hostname = h",
        "sinks.k.port = 1",
        "sinks.k.kerberos = true",
        "sinks.k.channel = nowhere",
    ]);
    assert!(astray.contains("[needs-java]") && astray.contains("[unknown-channel]"), "{astray}");
    assert!(!astray.contains("[bad-value]") && astray.contains("\n2 errors, 0 warnings"), "{astray}");
    let source = text(&["sources.r.type = thrift", "sources.r.kerberos = true"]);
    assert!(source.contains("the source `r` needs a JVM"), "{source}");
}

/// Flume takes all of these without a word. What each does there was read from its `PatternRule`.
#[test]
fn address_rules_that_do_nothing_are_told() {
    for (rules, found) in [
        ("allow:ip:10.0.0.0/8,deny:ip:*", "matches nobody: a pattern is compared as text"),
        ("deny:ip:10.1.2.3/32", "keeps nobody out"),
        ("allow:ip:10.* deny:ip:*", "rules are separated by commas"),
        ("allow:ip:10.*\\tdeny:ip:*", "rules are separated by commas"),
        ("allow:ip: 10.*,deny:ip:*", "it has a blank in its pattern"),
        ("allow:name:a.example.com/24,deny:ip:*", "matches nobody"),
        ("allow:ip:,deny:ip:*", "it has no pattern"),
        ("allow:ip:10.1.2,deny:ip:*", "no address looks so"),
        ("allow:ip:10.,deny:ip:*", "no address looks so"),
        ("allow:ip:300.1.2.3,deny:ip:*", "no address looks so"),
        ("allow:ip:localhost,deny:ip:*", "or `allow:name:NAME`"),
        ("deny:ip:::1", "write:    `deny:ip:0:0:0:0:0:0:0:1`"),
        ("deny:ip:fe80::*", "no address looks so"),
        ("deny:ip:FE80:*", "no address looks so"),
        ("allow:ip:10.*", "keep nobody out"),
        (",,", "keep nobody out"),
        ("allow:ip:10.*,allow:name:*.example.com", "a last rule `deny:ip:*`"),
    ] {
        let line = format!("sources.r.ipFilterRules = {rules}");
        let said = text(&["sources.r.type = avro", "sources.r.ipFilter = true", &line]);
        assert!(said.contains(found) && said.contains("0 errors, 1 warning"), "{rules}: {said}");
    }
    for rules in [
        "deny:ip:10.1.2.3",
        "deny:ip:10.*,",
        "allow:ip:10.[0-4].2.(3|4),deny:ip:*",
        "allow:ip:fe80:0:0:0:*,deny:ip:*",
        "deny:ip:fe80:0:0:0:0:0:0:1%eth0",
        "allow:name:localhost,deny:name:*",
        "deny:ip:*.3",
    ] {
        let line = format!("sources.r.ipFilterRules = {rules}");
        let said = text(&["sources.r.type = avro", "sources.r.ipFilter = true", &line]);
        assert_eq!(said, "", "{rules}");
    }
}

#[test]
fn keys_of_a_part_are_its_own() {
    let spool = |line: &'static str| {
        ["-sources.r.bind", "-sources.r.port", "sources.r.type = spooldir", "sources.r.spoolDir = /tmp", line]
    };
    check(&[
        (&spool("sources.r.deserializer.maxLineLength = 9"), &[]),
        (&spool("sources.r.deserializer.maxLinLength = 9"), &["warning unknown-property"]),
    ]);
}

#[test]
fn an_own_handler_runs_in_the_jvm() {
    let http = |line: &'static str| ["sources.r.type = http", line];
    check(&[
        (&http("sources.r.handler = com.example.Own"), &["error needs-java"]),
        (&http("sources.r.handler = org.apache.flume.source.http.BLOBHandler"), &[]),
        (&http("sources.r.handler = json"), &["error bad-value"]),
    ]);
}

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
fn an_exec_source_cannot_read_wide_characters() {
    let with = |charset: &'static str| {
        ["-sources.r.bind", "-sources.r.port", "sources.r.type = exec", "sources.r.command = c", charset]
    };
    check(&[
        (&with("sources.r.charset = GBK"), &[]),
        (&with("sources.r.charset = ISO_8859-1"), &[]),
        (&with("sources.r.charset = UTF-16"), &["error bad-value"]),
        (&with("sources.r.charset = latin-1"), &["error bad-value"]),
    ]);
    assert!(text(&with("sources.r.charset = utf_16le")).contains("iconv"));
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
        (&with(&["sources.r.filegroups = f", "sources.r.filegroups.f = /x/^((?!old).)*$"]), &[]),
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
    let of_java = text(&with(&["sources.r.filegroups = f", "sources.r.filegroups.f = /x/a\\\\G"]));
    assert!(
        of_java.contains("follows the files whose names match") && of_java.contains("/x/REGEX`"),
        "{of_java}"
    );
    assert_eq!(
        plan(&with(&["sources.r.filegroups = f", "sources.r.filegroups.f = /x/y"])).sources[0]
            .component
            .kind(),
        "taildir"
    );
}

#[test]
fn a_pattern_of_a_shell_where_a_regex_belongs_is_told() {
    let group = |path: &str| {
        let line = format!("sources.r.filegroups.f = {path}");
        text(&[
            "-sources.r.bind",
            "-sources.r.port",
            "sources.r.type = TAILDIR",
            "sources.r.filegroups = f",
            &line,
        ])
    };
    for (glob, regex) in [
        ("access_*.log", "access_.*\\\\.log"),
        ("app.log*", "app\\\\.log.*"),
        ("*.log", ".*\\\\.log"),
        ("a?c.log", "a.c\\\\.log"),
        ("app-{a,b}.log", "app-(a|b)\\\\.log"),
        ("access*", "access.*"),
        ("a*\\\\.log", "a.*\\\\.log"),
    ] {
        let said = group(&format!("/d/{glob}"));
        assert!(
            said.contains(&format!("write:    `a.sources.r.filegroups.f = /d/{regex}`")),
            "{glob}: {said}"
        );
        assert_eq!(group(&format!("/d/{regex}")), "", "{regex}");
    }
    for fine in [".*", ".*log.*", "a.log", "[a-z]*.log", "a\\\\d*.log", "(ab*|c)", "logs?", "a[b-]*"] {
        assert_eq!(group(&format!("/d/{fine}")), "", "{fine}");
    }
}

#[test]
fn what_only_a_shell_understands_is_told_where_there_is_none() {
    let exec = |command: &str| {
        let line = format!("sources.r.command = {command}");
        text(&["-sources.r.bind", "-sources.r.port", "sources.r.type = exec", &line])
    };
    for command in ["tail -F $LOG", "tail -F ~/x", "tail -F /x/*.log", "cd /x", "LANG=C date", "sleep 1 &"] {
        assert!(
            exec(command).contains("only a shell understands [no-shell]"),
            "{command}: {}",
            exec(command)
        );
    }
    assert_eq!(exec("tail -F /x/y.log"), "");
    for directory in ["~/out", "/x/$HOSTNAME"] {
        let line = format!("sinks.k.sink.directory = {directory}");
        let said = text(&["sinks.k.type = file_roll", &line]);
        assert!(said.contains("[shell-in-path]"), "{said}");
    }
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
fn what_is_not_there_yet_is_refused_and_may_be_off() {
    let said = |value: &str| {
        let line = format!("sinks.k.kerberos = {value}");
        text(&["sinks.k.type = thrift", &line, "sinks.k.hostname = h", "sinks.k.port = 1"])
    };
    let (on, off) = (said("true"), said("false"));
    assert!(on.contains("`a.sinks.k.kerberos = true` of Flume is not supported yet"), "{on}");
    assert!(!off.contains("not there yet"), "{off}");
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
fn a_spool_directory_is_judged_with_its_deserializer() {
    let spool = |more: &[&str]| {
        let file =
            ["-sources.r.bind", "-sources.r.port", "sources.r.type = spooldir", "sources.r.spoolDir = /tmp"];
        text(&[&file[..], more].concat())
    };
    assert_eq!(spool(&["sources.r.inputCharset = GBK", "sources.r.deserializer = avro"]), "");
    let own = spool(&["sources.r.deserializer = com.example.MyDeserializer$Builder"]);
    assert!(own.contains("needs a JVM with Flume's jars (its deserializer has no native version)"), "{own}");
    assert!(spool(&["sources.r.deserializer = blob"]).contains("BlobDeserializer$Builder"));
    assert!(spool(&["sources.r.includePattern = *.log"]).contains("[bad-value]"));
    assert!(spool(&["sources.r.deletePolicy = delay"]).contains("fails to start"));
    assert!(spool(&["sources.r.deserializer.maxLineLenght = 7"]).contains("maxLineLength"));
}

#[test]
fn a_charset_is_taken_under_each_of_its_names_wherever_one_is_named() {
    let source = |lines: &[&str]| text(&[&["-sources.r.bind", "-sources.r.port"][..], lines].concat());
    let interceptor = "sources.r.interceptors.i.type = search_replace";
    for charset in
        ["GBK", "cp936", "gb18030", "gb2312", "Big5", "MS932", "sjis", "Cp1251", "windows-1258", "l1"]
    {
        let key = |key: &str| format!("sources.r.{key} = {charset}");
        for lines in [
            ["sources.r.type = exec", "sources.r.command = date", &key("charset")],
            ["sources.r.type = spooldir", "sources.r.spoolDir = /tmp", &key("inputCharset")],
            ["sources.r.type = spooldir", "sources.r.spoolDir = /tmp", &key("deserializer.outputCharset")],
            ["sources.r.type = multiport_syslogtcp", "sources.r.ports = 1", &key("charset.default")],
            ["sources.r.type = multiport_syslogtcp", "sources.r.ports = 1", &key("charset.port.1")],
        ] {
            assert_eq!(source(&lines), "");
        }
        assert_eq!(text(&[&key("encoding")]), "");
        let search = "sources.r.interceptors.i.searchPattern = a";
        assert_eq!(
            text(&["sources.r.interceptors = i", interceptor, search, &key("interceptors.i.charset")]),
            ""
        );
    }
    for wide in ["UTF-16", "utf-16le", "unicode"] {
        assert_eq!(text(&[&format!("sources.r.encoding = {wide}")]), "");
    }
}

#[test]
fn a_directory_that_cannot_be_used_is_found_by_the_check() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let said = |path: &str| {
        let spool = format!("sources.r.spoolDir = {path}");
        let roll = format!("sinks.k.sink.directory = {path}");
        let source = ["-sources.r.bind", "-sources.r.port", "sources.r.type = spooldir", &spool];
        text(&[&source[..], &["sinks.k.type = file_roll", &roll]].concat())
    };
    let at = |path: &std::path::Path| said(path.to_str().unwrap());
    assert_eq!(at(folder.path()), "");
    let missing = at(&folder.path().join("none"));
    for key in ["spoolDir", "sink.directory"] {
        assert!(missing.contains(&format!("warning: the {key} {}", folder.path().display())), "{missing}");
        assert!(
            at(&file).contains(&format!("the {key} {} is a regular file", file.display())),
            "{}",
            at(&file)
        );
    }
    assert_eq!(missing.matches("[unusable-directory]").count(), 2, "{missing}");
    assert!(
        missing.contains("create the directory for this user, or correct `a.sources.r.spoolDir`"),
        "{missing}"
    );
    assert!(!said("~/out").contains("unusable"), "one cause is one finding: {}", said("~/out"));
}

#[test]
fn a_pattern_of_a_shell_is_told_where_a_regular_expression_belongs() {
    let spool = |line: &'static str| {
        ["-sources.r.bind", "-sources.r.port", "sources.r.type = spooldir", "sources.r.spoolDir = /tmp", line]
    };
    check(&[
        (&spool("sources.r.includePattern = data_*.csv"), &["warning glob"]),
        (&spool("sources.r.ignorePattern = *.tmp"), &["error bad-value"]),
        (&spool("sources.r.includePattern = .*\\\\.csv"), &[]),
    ]);
    let fix = |line| text(&spool(line));
    let one = fix("sources.r.includePattern = data_*.csv");
    assert!(one.contains("`a.sources.r.includePattern = data_.*\\\\.csv`"), "{one}");
    let none = fix("sources.r.ignorePattern = *.tmp");
    assert!(
        none.contains("`a.sources.r.ignorePattern = .*\\\\.tmp`, if a pattern of a shell is meant"),
        "{none}"
    );
}

#[test]
fn a_shell_needs_c() {
    let exec = |shell: &'static str| {
        [
            "-sources.r.bind",
            "-sources.r.port",
            "sources.r.type = exec",
            "sources.r.command = date | cat",
            shell,
        ]
    };
    check(&[
        (&exec("sources.r.shell = /bin/bash"), &["warning shell-without-c"]),
        (&exec("sources.r.shell = /bin/bash -lc"), &[]),
        (&exec("sources.r.restart = true"), &["warning no-shell"]),
    ]);
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

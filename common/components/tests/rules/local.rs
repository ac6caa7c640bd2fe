//! What reads files and commands of this host: paths, patterns, shells, charsets.

use super::{check, plan, text};

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
    let header =
        ["sources.r.filegroups = f", "sources.r.filegroups.f = /x/y", "sources.r.filegroups.f.h = v"];
    let said = text(&with(&header));
    assert!(said.contains("write:    `a.sources.r.headers.f.h = v`, if a header is meant"), "{said}");
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
fn a_position_file_without_a_directory_is_told_since_flume_fails_with_it() {
    let said = |path: &str| {
        let line = format!("sources.r.positionFile = {path}");
        let group = ["sources.r.filegroups = f", "sources.r.filegroups.f = /x/y"];
        text(
            &[&["-sources.r.bind", "-sources.r.port", "sources.r.type = TAILDIR", &line], &group[..]]
                .concat(),
        )
    };
    let told = said("pos.json");
    assert!(told.contains("note: `a.sources.r.positionFile = pos.json` names no directory"), "{told}");
    assert!(
        told.contains("NullPointerException") && told.contains("`a.sources.r.positionFile = ./pos.json`"),
        "{told}"
    );
    for fine in ["./pos.json", "/var/pos.json"] {
        assert_eq!(said(fine), "", "{fine}");
    }
}

#[test]
fn a_syslog_source_without_a_host_listens_everywhere_and_later_flumes_do_not() {
    let with = |more: &'static str| ["-sources.r.bind", "sources.r.type = syslogtcp", more];
    check(&[(&with("sources.r.port = 1"), &["note default-host"]), (&with("sources.r.host = 0.0.0.0"), &[])]);
    assert_eq!(plan(&with("sources.r.port = 1")).sources[0].component.properties.word("host"), "0.0.0.0");
}

#[test]
fn a_repeat_count_that_ends_with_the_wrong_bracket_is_mended() {
    let spool =
        ["-sources.r.bind", "-sources.r.port", "sources.r.type = spooldir", "sources.r.spoolDir = /tmp"];
    let said = |line| text(&[&spool[..], &[line]].concat());
    let told = said("sources.r.includePattern = e_[0-9]{4]-[0-9]{2].csv");
    assert!(told.contains("write:    `a.sources.r.includePattern = e_[0-9]{4}-[0-9]{2}.csv`"), "{told}");
    let told = said("sources.r.includePattern = e(");
    assert!(told.contains("`a.sources.r.includePattern = REGEX`, Java's"), "{told}");
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

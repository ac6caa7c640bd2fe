//! Input that nobody means well: never a panic, never without an end.

#![expect(clippy::disallowed_methods, reason = "a test may look at the clock")]

use std::time::{Duration, Instant};

mod support;

use plan::{Loaded, Sources, Text};
use proptest::prelude::*;
use support::{load_texts, options};

fn load(bytes: Vec<u8>) -> Loaded {
    let text = Text { name: "f".into(), bytes };
    let pair = |key: &str, value: &str| (key.to_string(), value.to_string());
    let sources = Sources {
        environment: vec![pair("FLUME__a__sinks", "k"), pair("X", "${a.channels}")],
        properties: vec![pair("a.channels.c.capacity", "5")],
        ..Sources::default()
    };
    load_texts(&[text.clone(), text], &sources, "a", &options())
}

/// Lines that look like a configuration, with slips in every place.
fn line() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "a",
        "b",
        "sources",
        "channels",
        "sinks",
        "sinkgroups",
        "configfilters",
        "r",
        "k",
        "c",
        "g",
        "type",
        "channel",
        "bind",
        "port",
        "hostname",
        "interceptors",
        "i",
        "selector",
        "mapping",
        "processor",
        "priority",
        "serializers",
        "filegroups",
        "headers",
        "regex",
        "command",
        "batchSize",
        "capacity",
        "transactionCapacity",
        "sink.serializer",
        "",
    ]);
    let word = prop::sample::select(vec![
        "avro",
        "exec",
        "netcat",
        "seq",
        "TAILDIR",
        "memory",
        "logger",
        "null",
        "file_roll",
        "failover",
        "load_balance",
        "default",
        "multiplexing",
        "regex_extractor",
        "static",
        "env",
        "r",
        "k",
        "k k2",
        "c",
        "c c2",
        "g",
        "i",
        "10",
        "-1",
        "99999999999999999999",
        "true",
        "# x",
        "x # y",
        "${a.sources}",
        "${f[X]}",
        "${env:X:-${",
        "(",
        "[a",
        "\\u12",
        "\\",
        "/x/*.log",
        "é",
        "\u{0}",
        "",
    ]);
    (prop::collection::vec(part, 1..6), word, prop::sample::select(vec![" = ", "=", ":", " ", ""]))
        .prop_map(|(key, value, separator)| format!("{}{separator}{value}\n", key.join(".")))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let loaded = load(bytes);
        prop_assert_eq!(loaded.plan.is_none(), loaded.report.has_errors());
    }

    #[test]
    fn any_lines(lines in prop::collection::vec(line(), 0..40)) {
        let base = "a.sources = r\na.channels = c\na.sinks = k\na.sinkgroups = g\na.configfilters = f\n";
        let loaded = load(format!("{base}{}", lines.concat()).into_bytes());
        prop_assert_eq!(loaded.plan.is_none(), loaded.report.has_errors());
        loaded.report.to_string();
    }
}

/// What takes longest, a megabyte or so of each. The limit is wide: a quadratic rule would take hours.
#[test]
fn a_large_file_ends_soon() {
    let many = |line: &dyn Fn(usize) -> String| (0..30_000).map(line).collect::<String>();
    let head = "a.sources = r\na.channels = c\na.sinks = k\na.channels.c.type = memory\na.sources.r.type = TAILDIR\n";
    let list = |kind: &str| format!("a.{kind} = {}\n", many(&|n| format!("x{n} ")));
    let cases = [
        many(&|n| format!("word{n}\n")),
        many(&|n| format!("x{n}.sources = y\n")),
        many(&|n| format!("x{n}.soorces = y\n")),
        list("sources") + &list("channels") + &list("sinks") + &list("sinkgroups"),
        format!("{head}{}", many(&|n| format!("a.sources.r.batchSizes{n} = 1\n"))),
        format!("{head}{}", many(&|n| format!("a.sources.r.headers.f.h{n} = 1\n"))),
        format!("{head}{}", many(&|n| format!("a.sources.r.filegroups.f{n} = /x/y{n}\n"))),
        format!("{head}{}", many(&|n| format!("a.sources.s{n}.type = seq\n"))),
        format!("{head}{}", many(&|n| format!("a.sources.r.interceptors.i{n}.type = host\n"))),
        list("sources") + &many(&|n| format!("a.sources.y{n}.type = seq\n")),
        format!("{head}a.sources.r.interceptors = {}\n", many(&|n| format!("i{n} "))),
        format!("{head}a.sources.r.channels = {}\n", many(&|n| format!("c{n} "))),
        format!("{head}a.sources.r.filegroups = {}\n", many(&|n| format!("c{n} "))),
        format!("{head}a.sources.r.selector.optional = {}\n", many(&|n| format!("c{n} "))),
        format!("{head}a.sinkgroups = g\na.sinkgroups.g.sinks = {}\n", many(&|n| format!("c{n} "))),
        many(&|n| format!("a.k{n} = ${{a.k{}}}\n", n + 1)),
        many(&|_| "${".into()),
        many(&|_| "a = ${b:-${".into()),
        many(&|_| "\\\n".into()),
        many(&|_| "a.x = 1\n".into()),
    ];
    for case in cases {
        let start = Instant::now();
        let shown = case[..60.min(case.len())].to_string();
        let loaded = load(case.into_bytes());
        loaded.report.to_string();
        assert!(start.elapsed() < Duration::from_secs(60), "{shown}: {:?}", start.elapsed());
    }
}

/// One line of hundreds of KiB that an operator's slip or a broken file may hold, in a configuration that is good otherwise.
#[test]
fn a_report_about_one_long_line_is_short() {
    let head = "a.sources = r\na.channels = c\na.sinks = k\na.channels.c.type = memory\na.sources.r.type = seq\n\
                a.sources.r.channels = c\na.sinks.k.type = logger\na.sinks.k.channel = c\n";
    let long = |text: &str| text.repeat((256 << 10) / text.len());
    for text in ["${", "${a", "${env:", "${env:X:-", "${f['", "$${", "x", "\u{1b}", "é ", "a#b # "] {
        let closed = format!("{}{}", long(text), "}".repeat(64 << 10));
        for value in [long(text), closed] {
            for line in [
                format!("a.sources.r.batchSize = {value}"),
                format!("a.sources.r.{value} = 1"),
                format!("a.sources.r.interceptors = {value}"),
                value.clone(),
            ] {
                let start = line[..line.floor_char_boundary(40)].to_string();
                let report = load(format!("{head}{line}\n").into_bytes()).report.to_string();
                let whole = report.len();
                assert!(whole < 64 << 10, "{whole} bytes about {start:?}");
            }
        }
    }
}

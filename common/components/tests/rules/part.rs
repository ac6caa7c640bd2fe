//! What Flume leaves out and runs the rest without, and what starts of that here.

use super::{load_with, text};
use plan::Sources;

fn head(changes: &[&str]) -> String {
    load_with(changes, &Sources::default()).report.head("a")
}

#[test]
fn a_name_that_is_left_over_in_a_list_keeps_nothing_from_running() {
    assert_eq!(
        head(&["sinks = k l"]),
        "agent `a` runs here, with 1 warning; in Flume it runs in part, without the sink `l`"
    );
    let said = text(&["sinks = k l", "channels = d c"]);
    assert!(said.contains("here:     it is left out"), "{said}");
    assert!(said.contains("write:    `a.sinks = k`, or `a.sinks.l.KEY = VALUE`"), "{said}");
    assert!(said.contains("write:    `a.channels = c`, or `a.channels.d.KEY = VALUE`"), "{said}");
    // A group counts on its sink.
    let group = [
        "sinks = k l",
        "sinkgroups = g",
        "sinkgroups.g.sinks = k l",
        "sinkgroups.g.processor.type = load_balance",
    ];
    for stays in [&group[..], &["sources = s", "sinks = l"], &["sinks = k sinks.l", "sinks.l.type = null"]] {
        assert!(head(stays).starts_with("agent `a` does not run here"), "{}", head(stays));
    }
}

#[test]
fn a_list_with_commas_is_told_once_with_the_whole_list() {
    let lines = [
        "channels = c, d",
        "channels.d.type = memory",
        "sources.r.channels = c, d",
        "sinks = k, l",
        "sinks.l.type = null",
        "sinks.l.channel = d",
    ];
    let said = text(&lines);
    for line in ["a.channels = c d", "a.sources.r.channels = c d", "a.sinks = k l"] {
        assert!(said.contains(&format!("write:    `{line}`, blanks between the names")), "{said}");
    }
    assert!(!said.contains("not-listed") && !said.contains("k,.") && !said.contains("c,."), "{said}");
    assert!(head(&lines).contains("in Flume it runs in part, without the channel `c,`"), "{said}");
}

/// Loads until nothing is wrong with what is left.
fn in_part(text: &str) -> Vec<String> {
    let texts = [plan::Text { name: "f".into(), bytes: text.into() }];
    let mut before = vec![super::load_texts(&texts, &Sources::default(), "a", &super::options()).report];
    let mut without = plan::Without::default().and(&before[0]).expect("Flume runs it in part");
    loop {
        let loaded = super::support::load_without(&texts, "a", &without);
        let mut report = loaded.report;
        if !report.has_errors() {
            report.started_without(&without, &before);
            let head = report.head("a");
            assert!(head.contains("; in Flume it runs in part, without the "), "{head}");
            return report.problems.iter().map(ToString::to_string).chain([head]).collect();
        }
        without = without.and(&report).expect("Flume leaves out more");
        before.push(report);
    }
}

#[test]
fn what_flume_leaves_out_is_left_out_with_all_that_names_it_and_told() {
    let flow = "a.channels = c d\na.channels.c.type = memory\na.sources = r\na.sources.r.type = seq\n\
                a.sources.r.channels = c d\na.sinks = k l m\n";
    let sink = |name: &str, kind: &str, channel: &str| {
        format!("a.sinks.{name}.type = {kind}\na.sinks.{name}.channel = {channel}\n")
    };
    let group = "a.sinkgroups = g\na.sinkgroups.g.sinks = k l\na.sinkgroups.g.processor.type = failover\n\
                 a.sinkgroups.g.processor.priority.k = 1\na.sinkgroups.g.processor.priority.l = 2\n";
    // `d` has no type, so `m` has no channel; `l` names none; the group goes on with `k`.
    let text = [flow, &sink("k", "logger", "c"), "a.sinks.l.type = null\n", &sink("m", "null", "d"), group];
    let said = in_part(&text.concat());
    let head = said.last().expect("a head");
    assert!(
        head.starts_with(
            "agent `a` starts in part here, without the channel `d`, the sink `l`, the sink `m`, with"
        ),
        "{head}"
    );
    for code in ["[no-keys]", "[no-channel]"] {
        let one = said.iter().find(|one| one.contains(code)).expect("it is reported");
        assert!(
            one.contains(": warning: ") && one.contains("it is left out, as --start-in-part says"),
            "{one}"
        );
    }
    assert_eq!(said.len(), 3, "nothing is said of what names them: {said:#?}");
}

/// What no list names is not checked as if one did, once that list is empty because of what was left out.
#[test]
fn a_list_that_becomes_empty_names_nothing_else() {
    let flow = "a.channels = c\na.channels.c.type = memory\na.sources = r\na.sources.r.type = seq\n\
                a.sources.r.channels = c\na.sinks = k\na.sinks.k.channel = c\na.sinks.l.type = logger\n";
    let said = in_part(flow);
    let head = said.last().expect("a head");
    assert!(head.starts_with("agent `a` starts in part here, without the sink `k`, with"), "{head}");
    assert!(
        said.iter().any(|one| one.contains("the sink `l` has keys and is not in `a.sinks`")),
        "{said:#?}"
    );
}

#[test]
fn what_is_wrong_with_a_component_that_no_list_names_keeps_nothing_from_running() {
    for lines in [
        &["-sinks", "-sinks.k.channel"][..],
        &["-sinks", "-sinks.k.type", "sinks.k.type = nul"],
        &["-sinks", "sinks.k.type = com.example.Own"],
        &["-sources", "sources.r.port = x"],
        &[
            "sources = ",
            "sources.r.interceptors = i",
            "sources.r.interceptors.i.type = regex_filter",
            "sources.r.interceptors.i.regex = (",
        ],
    ] {
        let said = text(lines);
        assert!(head(lines).starts_with("agent `a` runs here, with 2 warnings; in Flume it runs"), "{said}");
        assert!(said.contains("here:     it does not run, as no list names it"), "{said}");
        assert!(!head(lines).contains("class path"), "{said}");
    }
}

/// A selector that runs here and not in Flume: its source goes with the rest, and that is told.
#[test]
fn what_runs_here_alone_is_left_out_with_its_reason() {
    let source = "a.channels = c d\na.channels.c.type = memory\na.channels.d.type = memory\na.sources = r s\n\
                  a.sources.r.type = seq\na.sources.r.channels = c d\na.sources.r.selector.type = load_balancing\n\
                  a.sources.s.type = seq\na.sources.s.channels = c\n";
    let sinks = "a.sinks = k l\na.sinks.k.type = logger\na.sinks.k.channel = c\na.sinks.l.type = logger\n";
    let said = in_part(&format!("{source}{sinks}"));
    let head = said.last().expect("a head");
    assert!(head.contains("without the sink `l`, the source `r`"), "{head}");
    let gone = "it is left out, as --start-in-part says";
    let reason =
        said.iter().find(|one| one.contains("[selector-unusable-in-flume]")).expect("it is reported");
    assert!(reason.contains(": warning: ") && reason.contains(gone), "{reason}");
}

#[test]
fn what_flume_does_not_start_is_not_started_in_part() {
    let load = |text: &str| {
        let texts = [plan::Text { name: "f".into(), bytes: text.into() }];
        super::load_texts(&texts, &Sources::default(), "a", &super::options()).report
    };
    for sinks in ["", "a.sinks.k.type = nul\n", "a.sinks.k.type = logger\n"] {
        let report = load(&format!("a.channels = c\na.sinks = k\n{sinks}a.sinks.k.channel = c\n"));
        assert!(report.has_errors(), "{report}");
        assert!(plan::Without::default().and(&report).is_none(), "{sinks}: {report}");
    }
}

//! Lines of made-up moments.

use super::*;
use crate::{speaker::Speaker, stamp::Stamp};
use slog::Level;
use std::time::{Duration, UNIX_EPOCH};

const FLUMES: &str = "%d{dd MMM yyyy HH:mm:ss,SSS} %-5p [%t] (%C.%M:%L) %x - %m%n";
const PLACE: &str = "org.apache.flume.source.ExecSource$ExecRunnable.run(ExecSource.java:379)";

fn print(pattern: &Pattern, location: &str, level: Level) -> String {
    let speaker = Speaker { thread: "pool-4-thread-1", location };
    let now = UNIX_EPOCH + Duration::from_millis(1_542_097_921_007);
    let mut out = Vec::new();
    pattern.line(&mut out, &mut Stamp::new(None), &Said { now, level, speaker: &speaker }, "grün".as_bytes());
    String::from_utf8(out).unwrap()
}

fn printed(pattern: &str, dialect: Dialect) -> String {
    let (pattern, wrong) = Pattern::parse(pattern, dialect);
    assert_eq!(wrong, Vec::<String>::new());
    print(&pattern, PLACE, Level::Info)
}

#[test]
fn flumes_two_layouts_are_printed() {
    let one = printed(FLUMES, Dialect::One);
    let end = " INFO  [pool-4-thread-1] (org.apache.flume.source.ExecSource$ExecRunnable.run:379)  - grün\n";
    assert!(one.ends_with(end) && one.contains(" Nov 2018 ") && one.contains(",007 INFO"), "{one}");
    let two = printed(&FLUMES.replace("%x", "%equals{%x}{[]}{}"), Dialect::Two);
    assert_eq!(two, one);
    let console = printed("%d (%t) [%p - %l] %m%n", Dialect::One);
    assert!(console.ends_with(&format!(",007 (pool-4-thread-1) [INFO - {PLACE}] grün\n")), "{console}");
}

#[test]
fn words_have_widths_precisions_and_names() {
    for (pattern, dialect, expected) in [
        (
            "%c|%c{1}|%C{2}|%F|%M|%n",
            Dialect::One,
            "org.apache.flume.source.ExecSource|ExecSource|source.ExecSource$ExecRunnable|ExecSource.java|run|\n",
        ),
        ("[%6p][%-6p][%.2p][%6.2p]%n", Dialect::One, "[  INFO][INFO  ][FO][FO]\n"),
        ("%5m|%-5m|%.2m%n", Dialect::One, " grün|grün |ün\n"),
        ("%x|%X{a}|%X|%%%n", Dialect::One, "||{}|%\n"),
        ("%msg %level{length=1} %threadName%ex%n", Dialect::Two, "grün INFO pool-4-thread-1\n"),
        ("%highlight{%-5p}{FATAL=red} %style{%logger{1}}{bright}%n", Dialect::Two, "INFO  ExecSource\n"),
        (
            "%d{UNIX_MILLIS} %d{UNIX} %d{ABSOLUTE}{UTC} %d{ISO8601}{UTC}%n",
            Dialect::Two,
            "1542097921007 1542097921 08:32:01,007 2018-11-13T08:32:01,007\n",
        ),
        ("%equals{%p}{INFO}{i}%equals{%p}{WARN}{w}%n", Dialect::Two, "iINFO\n"),
    ] {
        assert_eq!(printed(pattern, dialect), expected, "{pattern}");
    }
}

#[test]
fn what_has_no_such_parts_prints_what_log4j_prints() {
    let (pattern, _) = Pattern::parse("%c %C.%M:%L %F %l%n", Dialect::One);
    assert_eq!(
        print(&pattern, "com.example.Sink", Level::Info),
        "com.example.Sink com.example.Sink.?:? ? com.example.Sink\n"
    );
    let ours = print(&pattern, "components::source::exec(exec.rs:12)", Level::Info);
    assert_eq!(
        ours,
        "components::source::exec components::source::exec.?:12 exec.rs components::source::exec(exec.rs:12)\n"
    );
}

#[test]
fn what_cannot_be_printed_is_told_once() {
    let (pattern, wrong) = Pattern::parse("%q %5J{x} %d{zzzz} %m", Dialect::One);
    assert_eq!(wrong.len(), 4, "{wrong:?}");
    let line = print(&pattern, PLACE, Level::Info);
    assert!(line.starts_with("%q %5J{x} ") && line.ends_with(" grün\n"), "{line}");
    let (pattern, wrong) = Pattern::parse("%", Dialect::Two);
    assert_eq!((print(&pattern, PLACE, Level::Info).as_str(), wrong.len()), ("%\n", 2));
    let (pattern, _) = Pattern::parse("%99999999999999999999p%5000p%c{%n", Dialect::Two);
    assert!(print(&pattern, PLACE, Level::Info).len() < 2000);
}

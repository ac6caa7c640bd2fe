//! What filters of a configuration hold back: lines of a console with its log files.

use super::{Logging, tests::of};
use slog::Level;
use std::{path::Path, time::Duration};

const NODE: &str = "main|org.apache.flume.node.A.a(A.java:1)";
const SINK: &str = "main|org.apache.flume.sink.S.s(S.java:1)";
const OTHER: &str = "main|com.example.X.x(X.java:1)";

/// Says a few lines on what a configuration comes to, and gives what then stands in a log file, with its levels.
fn written(name: &str, text: &str, told: usize) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let logging = of(name, &text.replace("HERE", &folder.path().display().to_string()), &[]);
    assert_eq!(logging.notices.len(), told, "{:?}", logging.notices);
    say(logging, &folder.path().join("f.log"))
}

fn say(logging: Logging, path: &Path) -> Vec<String> {
    let console = console::Console::to(std::io::sink(), logging.settings);
    let log = console.logger();
    slog::debug!(log, #NODE, "debug");
    slog::info!(log, #NODE, "one");
    slog::info!(log, #SINK, "two");
    slog::warn!(log, #SINK, "three");
    slog::error!(log, #OTHER, "four");
    assert!(console.flush(Duration::from_secs(20)));
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// With filters of the configuration, of its one file, of the logger of sinks, and of the root's reference to the file.
fn log4j_2(all: &str, file: &str, sinks: &str, reference: &str, told: usize) -> Vec<String> {
    let text = format!(
        r#"<Configuration>{all}<Appenders>
        <File name="f" fileName="HERE/f.log"><PatternLayout pattern="%m%n"/>{file}</File>
        <Async name="a"><AppenderRef ref="f">{reference}</AppenderRef></Async></Appenders>
        <Loggers><Logger name="org.apache.flume.sink" level="info">{sinks}</Logger>
        <Root level="INFO"><AppenderRef ref="a"/></Root></Loggers></Configuration>"#
    );
    written("log4j2.xml", &text, told)
}

#[test]
fn each_filter_of_log4j_2_holds_back_what_it_is_for() {
    let all = ["one", "two", "three", "four"];
    for (filter, expected) in [
        ("", &all[..]),
        ("<ThresholdFilter level='WARN' onMatch='ACCEPT' onMismatch='DENY'/>", &["three", "four"]),
        ("<ThresholdFilter level='WARN' onMatch='DENY' onMismatch='NEUTRAL'/>", &["one", "two"]),
        ("<LevelRangeFilter minLevel='WARN' maxLevel='INFO'/>", &["one", "two", "three"]),
        ("<LevelMatchFilter level='WARN'/>", &["three"]),
        ("<LevelMatchFilter/>", &["four"]),
        ("<RegexFilter regex='t[a-z]+'/>", &["two", "three"]),
        ("<RegexFilter regex='(?i)T.*' onMatch='DENY' onMismatch='ACCEPT'/>", &["one", "four"]),
        ("<filter type='StringMatchFilter' text='o'/>", &["one", "two", "four"]),
        ("<BurstFilter level='INFO' rate='0.001' maxBurst='1'/>", &["one", "three", "four"]),
        ("<TimeFilter start='00:00:00' end='00:00:00'/>", &all),
        ("<DenyAllFilter/>", &[]),
        ("<MarkerFilter marker='M'/>", &[]),
        ("<MarkerFilter marker='M' onMismatch='NEUTRAL'/>", &all),
        ("<NoMarkerFilter/>", &all),
        ("<ThreadContextMapFilter><KeyValuePair key='a' value='b'/></ThreadContextMapFilter>", &[]),
        ("<DynamicThresholdFilter key='a' defaultThreshold='ERROR'/>", &all),
        ("<MapFilter><KeyValuePair key='a' value='b'/></MapFilter>", &all),
        (
            "<Filters><RegexFilter regex='two' onMatch='ACCEPT' onMismatch='NEUTRAL'/><ThresholdFilter level='WARN'/></Filters>",
            &["two", "three", "four"],
        ),
    ] {
        assert_eq!(log4j_2("", filter, "", "", 0), expected, "{filter} of an appender");
        assert_eq!(log4j_2("", "", "", filter, 0), expected, "{filter} of a reference");
    }
}

#[test]
fn a_filter_stands_at_a_logger_or_before_all() {
    let deny = "<StringMatchFilter text='t' onMatch='DENY' onMismatch='NEUTRAL'/>";
    assert_eq!(log4j_2("", "", deny, "", 0), ["one", "four"]);
    assert_eq!(log4j_2(deny, "", "", "", 0), ["one", "four"]);
    let accept = "<ThresholdFilter level='DEBUG' onMatch='ACCEPT' onMismatch='NEUTRAL'/>";
    assert_eq!(
        log4j_2(accept, "", deny, "", 0),
        ["debug", "one", "four"],
        "whatever the level of its logger is"
    );
    let both = format!("{deny}<LevelMatchFilter level='INFO'/>");
    assert_eq!(log4j_2(&both, "", "", "", 0), ["one"]);
    assert_eq!(log4j_2("", &both, "", "", 1), ["one", "four"], "the second one counts nowhere else");
}

#[test]
fn of_several_filters_the_first_counts_also_when_it_is_a_threshold() {
    let both = "<ThresholdFilter level='WARN'/><DenyAllFilter/>";
    assert_eq!(log4j_2("", both, "", "", 1), ["three", "four"]);
}

#[test]
fn a_root_without_a_level_is_debug_in_log4j_1_also_with_filters() {
    let filter = "log4j.appender.f.filter.1=org.apache.log4j.varia.StringMatchFilter\n\
        log4j.appender.f.filter.1.StringToMatch=one\nlog4j.appender.f.filter.1.AcceptOnMatch=false\n";
    for (filter, expected) in
        [("", &["debug", "one", "two", "three", "four"][..]), (filter, &["debug", "two", "three", "four"])]
    {
        let text = format!(
            "log4j.rootLogger=,f\nlog4j.appender.f=org.apache.log4j.FileAppender\nlog4j.appender.f.File=HERE/f.log\n\
            log4j.appender.f.layout=org.apache.log4j.PatternLayout\nlog4j.appender.f.layout.ConversionPattern=%m%n\n{filter}"
        );
        assert_eq!(written("log4j.properties", &text, 0), expected);
    }
}

#[test]
fn what_is_said_of_one_file_is_bounded() {
    let unknown = "<Unknown/>".repeat(1000);
    let text = format!(
        "<Configuration>{unknown}<Appenders><Console name='c' target='SYSTEM_ERR'/></Appenders>\
        <Loggers><Root><AppenderRef ref='c'/></Root></Loggers></Configuration>"
    );
    let notices = of("log4j2.xml", &text, &[]).notices;
    assert_eq!(notices.len(), 101);
    assert!(notices[100].contains("900 more such lines"), "{}", notices[100]);
}

#[test]
fn a_filter_that_is_not_whole_is_told_and_holds_nothing_back() {
    for filter in [
        "<ScriptFilter/>",
        "<OwnFilter/>",
        "<RegexFilter/>",
        "<RegexFilter regex='('/>",
        "<TimeFilter start='8'/>",
        "<MarkerFilter/>",
        "<LevelMatchFilter level='loud' onMatch='NEUTRAL' onMismatch='NEUTRAL'/>",
        "<StringMatchFilter onMatch='MAYBE'/>",
    ] {
        assert_eq!(log4j_2("", filter, "", "", 1).len(), 4, "{filter}");
        assert_eq!(log4j_2(filter, "", "", "", 1).len(), 4, "{filter}");
    }
    let deep = format!("{}<DenyAllFilter/>{}", "<Filters>".repeat(18), "</Filters>".repeat(18));
    assert_eq!(log4j_2("", &deep, "", "", 1).len(), 4);
}

fn log4j_1(filters: &str, told: usize) -> Vec<String> {
    let text = format!(
        "log4j.rootLogger=INFO,f\nlog4j.appender.f=org.apache.log4j.FileAppender\nlog4j.appender.f.File=HERE/f.log\n\
        log4j.appender.f.layout=org.apache.log4j.PatternLayout\nlog4j.appender.f.layout.ConversionPattern=%m%n\n{}\n",
        filters.replace("F.", "log4j.appender.f.filter.").replace("V.", "org.apache.log4j.varia.")
    );
    written("log4j.properties", &text, told)
}

#[test]
fn filters_of_log4j_1_hold_back_what_they_are_for() {
    let all = ["one", "two", "three", "four"];
    for (filters, expected) in [
        ("F.1=V.DenyAllFilter", &[][..]),
        ("F.1=V.LevelMatchFilter\nF.1.LevelToMatch=INFO\nF.1.AcceptOnMatch=false", &["three", "four"]),
        ("F.1=V.LevelMatchFilter\nF.1.levelToMatch=WARN\nF.2=V.DenyAllFilter", &["three"]),
        ("F.1=V.LevelRangeFilter\nF.1.LevelMin=WARN", &["three", "four"]),
        ("F.1=V.LevelRangeFilter\nF.1.LevelMax=WARN", &["one", "two", "three"]),
        (
            "F.1=V.LevelRangeFilter\nF.1.AcceptOnMatch=true\nF.1.LevelMin=WARN\nF.2=V.DenyAllFilter",
            &["three", "four"],
        ),
        (
            "F.b=V.StringMatchFilter\nF.b.StringToMatch=t\nF.b.AcceptOnMatch=false\nF.a=V.StringMatchFilter\nF.a.StringToMatch=two",
            &["one", "two", "four"],
        ),
        ("", &all),
    ] {
        assert_eq!(log4j_1(filters, 0), expected, "{filters}");
    }
    for filters in [
        "F.1=org.example.Own",
        "F.1.LevelMin=WARN",
        "F.1=V.StringMatchFilter",
        "F.1=V.LevelMatchFilter\nF.1.LevelToMatch=LOUD",
    ] {
        assert_eq!(log4j_1(filters, 1), all, "{filters}");
    }
}

#[test]
fn appenders_that_hand_lines_to_one_another_end() {
    let to = |name: &str, others: &str| {
        let references: String =
            others.chars().map(|other| format!("<AppenderRef ref='{other}'/>")).collect();
        format!("<Async name='{name}'>{references}</Async>")
    };
    let text = |root: &str| {
        format!(
            "<Configuration><Appenders><File name='f' fileName='HERE/f.log'><PatternLayout pattern='%m%n'/></File>{}{}{}\
            <Failover name='o' primary='f'><Failovers><AppenderRef ref='gone'/></Failovers></Failover></Appenders>\
            <Loggers><Root level='INFO'><AppenderRef ref='{root}'/></Root></Loggers></Configuration>",
            to("a", "bbbbbbbbo"),
            to("b", "ccccccccc"),
            to("c", "aaaaaaaaa"),
        )
    };
    let written_by = |root| written("log4j2.xml", &text(root), 2).len();
    assert_eq!(written_by("a"), 4, "each once, on however many ways it comes");
    assert_eq!(written("log4j2.xml", &text("o"), 1).len(), 4);
}

#[test]
fn a_level_of_the_command_line_holds_where_filters_do() {
    let text = r#"<Configuration><Appenders><File name="f" fileName="HERE/f.log"><PatternLayout pattern="%m%n"/>
        <RegexFilter regex="one" onMatch="DENY" onMismatch="NEUTRAL"/></File></Appenders>
        <Loggers><Root level="WARN"><AppenderRef ref="f"/></Root></Loggers></Configuration>"#;
    let folder = tempfile::tempdir().unwrap();
    let text = text.replace("HERE", &folder.path().display().to_string());
    let levels = [("flume.log.level.org.apache.flume", "DEBUG"), ("flume.root.logger", "INFO,console")];
    let logging = of("log4j2.xml", &text, &levels);
    assert_eq!(logging.least, Some(Level::Debug));
    assert_eq!(say(logging, &folder.path().join("f.log")), ["debug", "two", "three", "four"]);
}

//! What log4j itself is asked to write.

use super::*;
use console::Screen;
use std::{cell::RefCell, time::Duration};

#[derive(Debug)]
struct Stub;

impl Records for Stub {
    fn begin(&self, _: Screen) {}

    fn take(&self, _: &[u8], _: &[usize]) -> Result<(), console::NotTaken> {
        Ok(())
    }

    fn end(&self, _: Duration) {}
}

/// What a file comes to on a host that has the log4j, or lacks it, and the file that log4j is given.
fn of(name: &str, text: &str, properties: &[(&str, &str)], has_it: bool) -> (Logging, Option<LogFile>) {
    let conf = tempfile::tempdir().unwrap();
    std::fs::write(conf.path().join(name), text).unwrap();
    let pairs = properties.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    let asked = RefCell::new(None);
    let log4j = |file| {
        *asked.borrow_mut() = Some(file);
        if has_it { Ok(Arc::new(Stub) as Arc<dyn Records>) } else { Err("there is no `java`".to_owned()) }
    };
    let logging = settings(&pairs.collect::<Vec<_>>(), Some(conf.path()), "flume", Some(&log4j));
    (logging, asked.into_inner())
}

fn log4j_2(appenders: &str, references: &str) -> String {
    let references: String =
        references.split_whitespace().map(|name| format!("<AppenderRef ref='{name}'/>")).collect();
    format!(
        "<Configuration><Appenders><Console name='c' target='SYSTEM_ERR'><PatternLayout pattern='%m%n'/></Console>\
        <File name='f' fileName='f.log'><PatternLayout pattern='%m%n'/></File>{appenders}</Appenders><Loggers>\
        <Logger name='org.apache.flume.sink' level='DEBUG'/><Root level='INFO'>{references}</Root></Loggers></Configuration>"
    )
}

#[test]
fn nobody_asks_for_log4j_where_native_code_has_all() {
    let mail = "<SMTP name='m' to='a@b'/>";
    for references in ["f c", "f", "c"] {
        let (logging, asked) = of("log4j2.xml", &log4j_2(mail, references), &[], true);
        assert!(asked.is_none() && logging.settings.records.is_none(), "{references}");
        assert_eq!(logging.notices, Vec::<String>::new());
    }
}

#[test]
fn log4j_has_all_but_the_console_once_it_is_needed() {
    let (logging, asked) = of("log4j2.xml", &log4j_2("<SMTP name='m' to='a@b'/>", "m f c"), &[], true);
    let asked = asked.unwrap();
    assert!(asked.is_xml && asked.text.contains("<SMTP") && asked.ours == ["c"], "{asked:?}");
    assert!(logging.settings.files.is_empty() && logging.on_console);
    assert!(logging.settings.levels.enabled("flow", Level::Info));
    let levels = logging.settings.records.unwrap().levels;
    assert!(levels.enabled("components::sink", Level::Debug) && !levels.enabled("flow::start", Level::Debug));
    assert_eq!((logging.least, logging.notices), (Some(Level::Debug), vec![]));
    let place = logging.place.unwrap();
    assert!(
        place.contains("by log4j in a JVM, and go to the console, as ") && place.ends_with("has <SMTP>"),
        "{place}"
    );
}

#[test]
fn a_console_that_needs_it_is_log4js_as_well() {
    let json = "<Console name='j'><JsonLayout/></Console>";
    let (logging, asked) = of("log4j2.xml", &log4j_2(json, "j"), &[(ROOT, "INFO,console")], true);
    assert_eq!(asked.unwrap().ours, Vec::<String>::new());
    assert!(!logging.settings.levels.enabled("flow", Level::Critical), "or each line stood there twice");
    assert_eq!(logging.notices, Vec::<String>::new());
    let script = "<Async name='a'><AppenderRef ref='c'/><ScriptFilter/></Async>";
    let (logging, _) = of("log4j2.xml", &log4j_2(script, "a"), &[], true);
    assert!(!logging.settings.levels.enabled("flow", Level::Critical));
}

#[test]
fn a_console_that_is_reached_both_ways_is_log4js_and_so_is_one_behind_a_wrapper() {
    let rewrite = "<Rewrite name='w'><AppenderRef ref='c'/></Rewrite>";
    let routing = "<Routing name='w'><Routes pattern='x'><Route ref='c' key='k'/></Routes></Routing>";
    let far =
        "<Rewrite name='w'><AppenderRef ref='a'/></Rewrite><Async name='a'><AppenderRef ref='c'/></Async>";
    let within =
        "<Routing name='w'><Routes pattern='x'><Route><Console name='d'/></Route></Routes></Routing>";
    let variable = "<Rewrite name='w'><AppenderRef ref='${what:ever}'/></Rewrite>";
    let failover = "<Failover name='w' primary='f'><Failovers><AppenderRef ref='c'/></Failovers></Failover><SMTP name='m'/>";
    for appenders in [rewrite, routing, far, within, variable, failover] {
        for references in ["w m c", "w m"] {
            let text = log4j_2(appenders, references);
            let (logging, asked) = of("log4j2.xml", &text, &[(ROOT, "INFO,console")], true);
            assert_eq!(asked.unwrap().ours, Vec::<String>::new(), "{appenders}");
            assert!(
                !logging.settings.levels.enabled("flow", Level::Critical),
                "each line twice: {appenders}"
            );
            let place = logging.place.unwrap();
            assert!(!place.contains("do not go to the console"), "{place}");
        }
    }
    let (logging, asked) =
        of("log4j2.xml", &log4j_2("<Rewrite name='w'><AppenderRef ref='f'/></Rewrite>", "w c"), &[], true);
    assert!(asked.unwrap().ours == ["c"] && logging.on_console, "it leads to a file");
}

#[test]
fn a_console_whose_name_has_a_variable_is_known_by_both() {
    let appenders = "<Console name='${sys:n}'/><SMTP name='m'/>";
    let (_, asked) = of("log4j2.xml", &log4j_2(appenders, "x m"), &[("n", "x")], true);
    assert_eq!(asked.unwrap().ours, ["x", "${sys:n}"]);
}

#[test]
fn levels_of_the_command_line_have_the_names_of_loggers() {
    let given = |pairs: &[(&str, &str)]| {
        let pairs: Vec<_> =
            pairs.iter().map(|(name, level)| (format!("flume.log.level.{name}"), *level)).collect();
        let pairs: Vec<_> = pairs.iter().map(|(name, level)| (name.as_str(), *level)).collect();
        let (_, asked) = of("log4j2.xml", &log4j_2("<SMTP name='m'/>", "m"), &pairs, true);
        let levels = asked.unwrap().levels.into_iter().map(|(name, level)| format!("{name}={level}"));
        levels.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(given(&[("components::source", "DEBUG")]), "org.apache.flume.source=DEBUG");
    assert_eq!(given(&[("flow", "TRACE"), ("rpc", "DEBUG")]), "org.apache.flume=TRACE");
    assert_eq!(given(&[("flow", "OFF"), ("rpc", "WARN")]), "", "they are not handed over");
    assert_eq!(
        given(&[("kafka::source", "debug"), ("a.b", "OFF"), ("c", "LOUD")]),
        "a.b=OFF kafka.source=DEBUG"
    );
    assert_eq!(given(&[("a.b", "OFF"), ("a.b", "ALL")]), "a.b=TRACE");
    assert_eq!(
        given(&[("org.apache.flume.sink", "OFF"), ("components::sink", "INFO")]),
        "org.apache.flume.sink=INFO"
    );
    let both = [("components::source", "INFO"), ("org.apache.flume", "OFF")];
    assert_eq!(given(&both), "org.apache.flume=OFF org.apache.flume.source=INFO");
}

#[test]
fn a_filter_before_all_loggers_is_asked_for_every_line() {
    let text = log4j_2("<SMTP name='m'/>", "m c");
    for filter in ["<RegexFilter regex='x' onMatch='ACCEPT' onMismatch='NEUTRAL'/>", "<ScriptFilter/>"] {
        let text = text.replace("<Appenders>", &format!("{filter}<Appenders>"));
        let (logging, _) = of("log4j2.xml", &text, &[], true);
        assert!(logging.settings.records.unwrap().levels.enabled("flow", Level::Trace), "{filter}");
        assert_eq!(logging.least, Some(Level::Trace));
    }
}

#[test]
fn log4j_1_is_given_the_pairs() {
    let text = "log4j.rootLogger=INFO,h,console\nlog4j.appender.h=org.apache.log4j.FileAppender\nlog4j.appender.h.File=${x}\n\
        log4j.appender.h.layout=org.apache.log4j.HTMLLayout\nlog4j.appender.console=org.apache.log4j.ConsoleAppender\n\
        log4j.appender.console.Target=System.err\nlog4j.appender.console.layout=org.apache.log4j.SimpleLayout\n";
    let (logging, asked) =
        of("log4j.properties", text, &[("x", "h.html"), ("flume.log.level.flow", "DEBUG")], true);
    let asked = asked.unwrap();
    assert!(!asked.is_xml && asked.ours == ["console"]);
    assert!(asked.pairs.contains(&("log4j.appender.h.File".to_owned(), "${x}".to_owned())), "{asked:?}");
    assert!(logging.on_console && logging.settings.files.is_empty() && logging.notices.is_empty());
    assert!(logging.settings.records.unwrap().levels.enabled("flow::start", Level::Debug));
}

#[test]
fn without_it_one_warning_says_what_there_is_not() {
    let (logging, _) = of("log4j2.xml", &log4j_2("<SMTP name='m'/>", "m f"), &[], false);
    assert!(logging.settings.records.is_none() && logging.settings.files.len() == 1);
    let told = |part: &str| logging.notices.iter().filter(|notice| notice.contains(part)).count();
    assert_eq!(
        told("only log4j itself has <SMTP>, and it cannot be had: there is no `java`"),
        1,
        "{:?}",
        logging.notices
    );
    assert_eq!((told("<SMTP> is not there"), logging.notices.len()), (1, 2));
}

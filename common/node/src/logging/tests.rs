//! What a configuration comes to.

use super::*;
use console::{LogFileSettings, Names, Size};

/// On a host without a Flume.
fn settings(properties: &[(String, String)], conf: Option<&Path>, log_format: &str) -> Logging {
    super::settings(properties, conf, log_format, None)
}

fn pairs(properties: &[(&str, &str)]) -> Vec<(String, String)> {
    properties.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn read(properties: &[(&str, &str)]) -> (Levels, Vec<String>) {
    let Logging { settings, notices, place, .. } = settings(&pairs(properties), None, "json");
    assert!(matches!(settings.format, Format::Json) && settings.files.is_empty() && place.is_none());
    (settings.levels, notices)
}

/// A configuration directory with one file.
pub(super) fn of(name: &str, text: &str, properties: &[(&str, &str)]) -> Logging {
    let conf = tempfile::tempdir().unwrap();
    std::fs::write(conf.path().join(name), text).unwrap();
    let mut logging = settings(&pairs(properties), Some(conf.path()), "flume");
    let folder = format!("{}/", conf.path().display());
    logging.notices.iter_mut().for_each(|notice| *notice = notice.replace(&folder, ""));
    logging
}

fn paths(logging: &Logging) -> Vec<String> {
    logging.settings.files.iter().map(|file| file.file.path.display().to_string()).collect()
}

/// As Flume 1.9's own file, in its shape.
fn of_1_9(properties: &[(&str, &str)]) -> Logging {
    let mut text = String::from("# a comment\nflume.root.logger = INFO,LOGFILE\n");
    BUILT_IN.iter().for_each(|(key, value)| text.push_str(&format!("{key}={value}\n")));
    of("log4j.properties", &text, properties)
}

/// As Flume 1.11's own file, in its shape.
const OF_1_11: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Configuration status="ERROR">
  <Properties><Property name="LOG_DIR">.</Property></Properties>
  <Appenders>
    <Console name="Console" target="SYSTEM_ERR"><PatternLayout pattern="%d (%t) [%p - %l] %m%n" /></Console>
    <RollingFile name="LogFile" fileName="${LOG_DIR}/flume.log" filePattern="${LOG_DIR}/archive/flume.log.%d{yyyyMMdd}-%i">
      <PatternLayout pattern="%d{dd MMM yyyy HH:mm:ss,SSS} %-5p [%t] (%C.%M:%L) %equals{%x}{[]}{} - %m%n" />
      <Policies>
        <SizeBasedTriggeringPolicy size="100 MB"/>
        <CronTriggeringPolicy schedule="0 0 0 * * ?"/>
      </Policies>
      <DefaultRolloverStrategy min="1" max="20">
        <Delete basePath="${LOG_DIR}/archive">
          <IfFileName glob="flume.log.*"><IfAccumulatedFileSize exceeds="1 GB"/></IfFileName>
        </Delete>
      </DefaultRolloverStrategy>
    </RollingFile>
  </Appenders>
  <Loggers>
    <Logger name="org.jboss" level="WARN"/>
    <Root level="INFO"><AppenderRef ref="LogFile" /></Root>
  </Loggers>
</Configuration>"#;

#[test]
fn the_lessons_are_silent_and_obeyed() {
    assert_eq!(read(&[(ROOT, "DEBUG,console")]), (Levels::new(Some(Level::Debug)), vec![]));
    assert_eq!(read(&[(ROOT, "INFO, Console")]), (Levels::default(), vec![]));
    assert_eq!(read(&[]), (Levels::default(), vec![]));
    assert_eq!(read(&[(ROOT, "OFF,console")]).0, Levels::new(None));
}

#[test]
fn other_appenders_and_words_are_told_of_in_one_line_each() {
    for (name, value, part) in [
        (ROOT, "INFO,SYSLOG", "only the appender `console`"),
        (ROOT, "INFO", "only the appender `console`"),
        (ROOT, "LOUD,console", "`LOUD` is no level"),
        ("flume.log.level.x", "LOUD", "It is ignored"),
        ("flume.log.dir", "/var/log", "has no effect"),
    ] {
        let (_, notices) = read(&[(name, value)]);
        assert!(notices.len() == 1 && notices[0].contains(part), "{notices:?}");
    }
}

#[test]
fn a_logger_has_its_own_level() {
    let (levels, notices) =
        read(&[("flume.log.level.org.apache.flume.sink", "DEBUG"), ("flume.log.level.flow", "OFF")]);
    assert!(notices.is_empty());
    assert!(
        levels.enabled("flow::sink::avro", Level::Debug) && !levels.enabled("flow::source", Level::Critical)
    );
}

#[test]
fn flume_1_9s_file_writes_where_flume_does() {
    let logging = of_1_9(&[]);
    assert_eq!(logging.notices, Vec::<String>::new());
    assert_eq!((paths(&logging), logging.on_console), (vec!["./logs/flume.log".to_owned()], false));
    let LogFileSettings { file, levels, .. } = &logging.settings.files[0];
    assert!(matches!(file.names, Names::Numbered(10)) && file.append);
    assert_eq!(file.triggers.size, Some(Size::Reached(100 << 20)));
    assert!(levels.enabled("org.apache.flume.node.Application", Level::Info));
    assert!(!levels.enabled("org.jboss.netty", Level::Info) && !levels.enabled("flow::start", Level::Debug));
    assert!(!logging.settings.levels.enabled("flow", Level::Critical), "the console is silent");
    let place = logging.place.unwrap();
    assert!(
        place.starts_with("log lines go to ./logs/flume.log (LOGFILE), and not to the console (-D"),
        "{place}"
    );
    let there =
        [(ROOT, "DEBUG,DAILY,console"), ("flume.log.dir", "/var/log/flume"), ("flume.log.file", "a.log")];
    let logging = of_1_9(&there);
    assert_eq!((paths(&logging), logging.on_console), (vec!["/var/log/flume/a.log".to_owned()], true));
    assert!(logging.settings.files[0].file.triggers.period.is_some());
    assert!(logging.settings.levels.enabled("flow::start", Level::Debug));
    assert_eq!(logging.least, Some(Level::Debug));
}

#[test]
fn with_the_console_named_flume_1_9s_file_writes_none() {
    let logging = of_1_9(&[(ROOT, "DEBUG,console")]);
    assert!(logging.settings.files.is_empty() && logging.place.is_none() && logging.notices.is_empty());
    assert!(!matches!(logging.settings.format, Format::Pattern(_)), "it is Flume's own layout");
}

#[test]
fn without_a_file_flumes_own_appenders_are_known() {
    let logging = settings(&pairs(&[(ROOT, "INFO,logfile,console"), ("flume.log.dir", "x")]), None, "flume");
    assert_eq!((paths(&logging), logging.on_console), (vec!["x/flume.log".to_owned()], true));
    assert_eq!(logging.notices, Vec::<String>::new());
}

#[test]
fn flume_1_11s_file_writes_where_flume_does() {
    let logging = of("log4j2.xml", OF_1_11, &[]);
    assert_eq!(logging.notices, Vec::<String>::new());
    assert_eq!((paths(&logging), logging.on_console), (vec!["./flume.log".to_owned()], false));
    let file = &logging.settings.files[0].file;
    assert_eq!(file.triggers.size, Some(Size::Passed(100 << 20)));
    assert!(file.triggers.period.is_some() && !file.triggers.old_at_start);
    let Names::Pattern { first, last, newest_is_last, delete: Some(delete), .. } = &file.names else {
        panic!("{:?}", file.names)
    };
    assert_eq!((*first, *last, *newest_is_last), (1, Some(20), true));
    let expected = console::Delete::new("./archive", 1).spare("./flume.log");
    assert_eq!(*delete, expected.path("flume.log.*").most_bytes(1 << 30));
}

#[test]
fn the_root_logger_of_the_command_line_is_an_addition_to_log4j_2() {
    let logging = of("log4j2.xml", OF_1_11, &[(ROOT, "DEBUG,console")]);
    assert!(logging.on_console && logging.settings.files.len() == 1);
    assert!(logging.settings.levels.enabled("flow", Level::Debug));
    assert!(!logging.settings.files[0].levels.enabled("flow", Level::Debug));
    assert!(
        logging.notices.len() == 1 && logging.notices[0].contains("to the console as well"),
        "{logging:?}"
    );
    let logging = of("log4j2.xml", OF_1_11, &[(ROOT, "DEBUG,LOGFILE"), ("flume.log.dir", "/x")]);
    assert!(!logging.on_console && logging.notices.iter().all(|notice| notice.contains("has no effect")));
    assert_eq!(logging.notices.len(), 2, "{:?}", logging.notices);
}

#[test]
fn an_operators_own_appenders_are_read() {
    let text = "log4j.rootLogger=WARN, out, mail, gone\nlog4j.logger.org.apache.flume = DEBUG, day\n\
        log4j.additivity.org.apache.flume=false\nlog4j.logger.com.example=inherited\n\
        log4j.appender.out=org.apache.log4j.ConsoleAppender\nlog4j.appender.out.Target=System.out\n\
        log4j.appender.out.layout=org.apache.log4j.SimpleLayout\n\
        log4j.appender.day=org.apache.log4j.DailyRollingFileAppender\nlog4j.appender.day.file=${no.such}d.log\n\
        log4j.appender.day.DatePattern='.'yyyy-MM-dd-HH\nlog4j.appender.day.threshold=INFO\nlog4j.appender.day.MaxFileSzie=1\n\
        log4j.appender.day.layout=org.apache.log4j.PatternLayout\nlog4j.appender.day.layout.conversionPattern=%m%q%n\n\
        log4j.appender.mail=org.apache.log4j.net.SMTPAppender\nlog4j.appender.unused=org.example.Own\n";
    let logging = of("log4j.properties", text, &[]);
    assert_eq!((paths(&logging), logging.on_console), (vec!["d.log".to_owned()], true));
    let day = &logging.settings.files[0];
    assert!(day.file.triggers.old_at_start);
    assert!(day.levels.enabled("org.apache.flume.sink", Level::Info));
    assert!(
        !day.levels.enabled("org.apache.flume.sink", Level::Debug) && !day.levels.enabled("x", Level::Error)
    );
    assert!(logging.settings.levels.enabled("com.example", Level::Warning));
    assert!(!logging.settings.levels.enabled("components::sink", Level::Critical));
    for part in [
        "SMTPAppender is not there",
        "`gone`, which is not defined",
        "System.out",
        "`%q`",
        "${no.such} has no value",
        "no property MaxFileSzie",
    ] {
        assert_eq!(
            logging.notices.iter().filter(|notice| notice.contains(part)).count(),
            1,
            "{part}: {logging:?}"
        );
    }
    assert_eq!(logging.notices.len(), 6, "{:?}", logging.notices);
}

#[test]
fn log4j_2s_other_words_are_read_or_told() {
    let text = r#"<configuration monitorInterval="30"><appenders>
      <File name="f" fileName="${sys:log.dir:-logs}/${env:NOT_SET_ANYWHERE:-x}.log" append="false">
        <PatternLayout><Pattern>%m%n</Pattern></PatternLayout>
        <ThresholdFilter level="WARN" onMatch="ACCEPT" onMismatch="DENY"/></File>
      <RollingRandomAccessFile name="r" fileName="r.log" filePattern="r-%d{yyyy-MM}-%03i.log.bz2">
        <JsonLayout/><OnStartupTriggeringPolicy/><TimeBasedTriggeringPolicy interval="2"/>
        <DefaultRolloverStrategy fileIndex="nomax"><Delete basePath="x"><IfAny/></Delete></DefaultRolloverStrategy>
        <BurstFilter/><ScriptFilter/></RollingRandomAccessFile>
      <Kafka name="k" topic="x"/></appenders>
      <loggers><asyncRoot level="loud"><appenderRef ref="f"/><appenderRef ref="r" level="error"/><AppenderRef ref="k"/></asyncRoot></loggers>
      </configuration>"#;
    let logging = of("log4j2.xml", text, &[("log.dir", "/l")]);
    assert_eq!(paths(&logging), ["/l/x.log", "r.log"]);
    let [f, r] = &logging.settings.files[..] else { panic!("two") };
    assert!(!f.file.append && f.levels.enabled("x", Level::Error) && !f.levels.enabled("x", Level::Warning));
    assert_eq!(r.file.triggers.at_start, Some(1));
    assert!(matches!(r.file.names, Names::Pattern { last: None, delete: None, .. }));
    for part in [
        "monitorInterval",
        "not compressed",
        "<JsonLayout>",
        "interval other than 1",
        "<Delete>",
        "<ScriptFilter> has no effect, in Flume neither",
        "<Kafka> is not there",
        "`loud` is no level",
    ] {
        assert_eq!(
            logging.notices.iter().filter(|notice| notice.contains(part)).count(),
            1,
            "{part}: {:#?}",
            logging.notices
        );
    }
    assert_eq!(logging.notices.len(), 8, "{:#?}", logging.notices);
}

#[test]
fn what_cannot_be_read_leaves_the_console() {
    for (name, text) in [
        ("log4j2.xml", "no xml"),
        ("log4j2.xml", "<beans/>"),
        (
            "log4j2.xml",
            "<Configuration><Appenders><File name='f' fileName='${date:x}'/></Appenders></Configuration>",
        ),
        ("log4j2.yaml", "Configuration:"),
        ("log4j.properties", "log4j.rootLogger=INFO,x\nlog4j.appender.x=org.apache.log4j.net.SMTPAppender\n"),
    ] {
        let logging = of(name, text, &[]);
        assert!(logging.on_console && logging.settings.files.is_empty(), "{name}");
        assert!(
            logging.settings.levels.enabled("flow", Level::Info) && !logging.notices.is_empty(),
            "{name}"
        );
    }
    let nowhere = "log4j.rootLogger=INFO,x\nlog4j.appender.x=org.apache.log4j.varia.NullAppender\n";
    let logging = of("log4j.properties", nowhere, &[]);
    assert!(!logging.on_console && logging.notices.is_empty(), "{:?}", logging.notices);
}

#[test]
fn a_property_names_another_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.properties");
    std::fs::write(&path, "log4j.rootLogger=INFO,f\nlog4j.appender.f=org.apache.log4j.FileAppender\nlog4j.appender.f.File=o.log\nlog4j.appender.f.layout=org.apache.log4j.PatternLayout\n").unwrap();
    let value = format!("file:{}", path.display());
    let logging = settings(&pairs(&[("log4j.configuration", &value)]), None, "flume");
    assert_eq!(paths(&logging), ["o.log"]);
    assert!(is_read_here("log4j.configuration", &value) && !is_read_here("log4j.configuration", "log4j.xml"));
    let logging = settings(&pairs(&[("log4j2.configurationFile", "/no/such.xml")]), None, "flume");
    assert!(logging.on_console && logging.notices.iter().any(|notice| notice.contains("cannot be read")));
}

/// A file with these lines in its `RollingFile`, and what it is rolled to.
fn rolled(pattern: &str, within: &str) -> (Logging, Names) {
    let text = format!(
        r#"<Configuration><Properties><Property name="x">l</Property></Properties><Appenders>
        <RollingFile name="r" fileName="${{sys:x}}/r.log" filePattern="{pattern}"><PatternLayout pattern="%m%n"/>
        {within}</RollingFile></Appenders>
        <Loggers><Root level="INFO"><AppenderRef ref="r"/></Root></Loggers></Configuration>"#
    );
    let logging = of("log4j2.xml", &text, &[]);
    assert_eq!(paths(&logging), ["l/r.log"], "a property stands in for what a lookup does not know");
    let names = logging.settings.files[0].file.names.clone();
    (logging, names)
}

#[test]
fn a_date_that_log4j_2_looks_up_is_part_of_the_name_and_no_period() {
    let (logging, names) =
        rolled("l/$${date:yyyy-MM}/r-%d{MM-dd-yyyy}-%i.log", "<TimeBasedTriggeringPolicy/>");
    assert_eq!(logging.notices, Vec::<String>::new());
    let (mut printed, period) = (String::new(), &logging.settings.files[0].file.triggers.period);
    period.as_ref().unwrap().push(1_542_097_921_007, &mut printed);
    assert_eq!(printed, "11-13-2018");
    assert!(matches!(names, Names::Pattern { .. }) && !format!("{names:?}").contains("${"));
    let (logging, names) = rolled("l/$${hostName}-%i.log", "<TimeBasedTriggeringPolicy/>");
    assert!(matches!(names, Names::Numbered(0)) && logging.settings.files[0].file.triggers.period.is_none());
    assert!(logging.notices.len() == 1 && logging.notices[0].contains("not rolled"), "{:?}", logging.notices);
}

fn deleted(conditions: &str) -> (Option<console::Delete>, Vec<String>) {
    let within = format!("<DefaultRolloverStrategy>{conditions}</DefaultRolloverStrategy>");
    let (logging, names) = rolled("l/r-%i.log.bz2", &within);
    let Names::Pattern { delete, .. } = names else { panic!("{names:?}") };
    (delete, logging.notices.into_iter().filter(|notice| !notice.contains("not compressed")).collect())
}

#[test]
fn what_log4j_2_deletes_is_deleted_or_told() {
    let of = console::Delete::new("l", 1).spare("l/r.log");
    let (delete, notices) = deleted(
        "<Delete basePath='l'><IfLastModified age='30d'><IfAccumulatedFileCount exceeds='10'/></IfLastModified></Delete>",
    );
    assert_eq!((delete, notices.len()), (Some(of.clone().older_than(30 * 86_400_000).most_files(10)), 0));
    let (delete, notices) = deleted("<Delete basePath='l'><IfFileName glob='*.log.bz2'/></Delete>");
    assert_eq!((delete, notices.len()), (Some(of.path("*.log").name("r-*.log")), 0));
    let (delete, notices) = deleted("<Delete basePath='l'/>");
    assert_eq!((delete, notices.len()), (None, 1), "{notices:?}");
    let one = "<Delete basePath='l'><IfAccumulatedFileCount exceeds='1'/></Delete>";
    let (delete, notices) = deleted(&one.repeat(2));
    assert!(delete.is_some() && notices.len() == 1 && notices[0].contains("several"), "{notices:?}");
    let nested = |times| {
        let open = "<IfLastModified age='1d'>".repeat(times);
        format!("<Delete basePath='l'>{open}{}</Delete>", "</IfLastModified>".repeat(times))
    };
    assert!(deleted(&nested(16)).0.is_some());
    for times in [17, 4000] {
        let (delete, notices) = deleted(&nested(times));
        assert_eq!((delete, notices.len()), (None, 1), "{notices:?}");
    }
}

#[test]
fn rolled_files_are_compressed_where_their_names_ask_for_it() {
    for (strategy, told) in
        [("", 0), ("compressionLevel='9'", 0), ("compressionLevel='-1'", 0), ("compressionLevel='ten'", 1)]
    {
        let within = format!(
            "<DefaultRolloverStrategy {strategy}><Delete basePath='l'><IfFileName glob='*.log.gz'/></Delete></DefaultRolloverStrategy>"
        );
        let (logging, names) = rolled("l/r-%i.log.gz", &within);
        let Names::Pattern { pattern, delete, .. } = names else { panic!("{names:?}") };
        assert_eq!((pattern.kept().end, logging.notices.len()), (".gz", told), "{:?}", logging.notices);
        assert_eq!(delete, Some(console::Delete::new("l", 1).spare("l/r.log").path("*.log.gz")));
    }
    let text = "log4j.rootLogger=INFO,x\nlog4j.appender.x=org.apache.log4j.rolling.RollingFileAppender\n\
        log4j.appender.x.rollingPolicy=org.apache.log4j.rolling.TimeBasedRollingPolicy\n\
        log4j.appender.x.rollingPolicy.ActiveFileName=x.log\n\
        log4j.appender.x.rollingPolicy.FileNamePattern=x.%d.zip\n\
        log4j.appender.x.layout=org.apache.log4j.SimpleLayout\n";
    let logging = of("log4j.properties", text, &[]);
    let Names::Pattern { pattern, .. } = &logging.settings.files[0].file.names else { panic!("{logging:?}") };
    assert_eq!((pattern.kept().end, logging.notices.len()), (".zip", 0), "{:?}", logging.notices);
}

#[test]
fn a_file_that_is_too_large_is_refused() {
    let text = format!("log4j.rootLogger=INFO,x\n#{}\n", "x".repeat(256 << 10));
    let logging = of("log4j.properties", &text, &[]);
    assert!(logging.on_console && logging.notices.len() == 1, "{:?}", logging.notices);
    assert!(logging.notices[0].contains("more than 256 KiB"), "{:?}", logging.notices);
}

#[test]
fn the_console_that_is_left_has_the_files_levels() {
    for (value, level) in [("DEBUG", Some(Level::Debug)), ("OFF", None)] {
        let logging = of_1_9(&[(ROOT, value)]);
        assert!(logging.on_console);
        let levels = &logging.settings.levels;
        assert_eq!(levels.enabled("flow::start", Level::Debug), level.is_some(), "{value}");
        assert_eq!(levels.enabled("flow::start", Level::Critical), level.is_some(), "{value}");
    }
}

#[test]
fn elements_within_elements_stop_no_start() {
    let text = format!("<Configuration>{}{}</Configuration>", "<a>".repeat(37_000), "</a>".repeat(37_000));
    let logging = of("log4j2.xml", &text, &[]);
    assert!(logging.on_console && !logging.notices.is_empty());
}

#[test]
fn a_broken_file_hides_nothing_that_was_found_before() {
    let conf = tempfile::tempdir().unwrap();
    for (name, text) in [("log4j2.xml", "no xml"), ("log4j2.yaml", "a:"), ("log4j.properties", "a=b")] {
        std::fs::write(conf.path().join(name), text).unwrap();
    }
    let logging = settings(&[], Some(conf.path()), "flume");
    for part in ["log4j2.yaml is not read", "log4j.properties has no effect", "it is no XML"] {
        assert!(logging.notices.iter().any(|notice| notice.contains(part)), "{part}: {:?}", logging.notices);
    }
}

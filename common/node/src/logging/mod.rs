//! What is printed, and where: `-Dflume.root.logger` and its like, `log4j.properties`, `log4j2.xml`.
//!
//! Where Flume would have written a file, a file is written: its configuration of log4j is looked for where Flume finds it,
//! in the directory of `-c`. Without one, log lines go to the console.

mod find;
mod levels;
mod log4j;
mod log4j2;
mod model;
mod needs;
mod rolled;
mod routes;
mod sizes;
mod syslog;
mod used;
mod variables;

use crate::java::last;
use bridge::LogFile;
use console::{Format, Levels, RecordSettings, Records, Settings, parse_level};
use find::Found;
use levels::{level_of, levels_for_log4j};
use model::Model;
use needs::{Needs, Writer};
use slog::Level;
use std::{path::Path, sync::Arc};
use used::Used;

pub(crate) use find::is_read_here;

/// How this process logs.
#[derive(Debug)]
pub(crate) struct Logging {
    pub(crate) settings: Settings,
    /// What is to be said of what it was read from.
    pub(crate) notices: Vec<String>,
    /// Where log lines go, when they go to files: one line for the console.
    pub(crate) place: Option<String>,
    /// Whether the console has them too.
    pub(crate) on_console: bool,
    /// The least severe level that goes anywhere, for a JVM that has no other way to tell.
    pub(crate) least: Option<Level>,
}

/// Has log4j write as a file says, or says why that cannot be. It is asked where a file has something that only log4j can do.
pub(crate) type Log4j<'a> = &'a dyn Fn(LogFile) -> Result<Arc<dyn Records>, String>;

/// What to print and how, and what is to be said of the properties it was read from. `conf` is the directory of `-c`.
pub(crate) fn settings(
    properties: &[(String, String)],
    conf: Option<&Path>,
    log_format: &str,
    log4j: Option<Log4j<'_>>,
) -> Logging {
    let variable = |name: &str| std::env::var(name).ok();
    match find::find(properties, conf) {
        Found::Log4j { path, pairs, mut notices } => {
            let named = |name: &str| pairs.iter().any(|(_, value)| value.contains(&format!("${{{name}}}")));
            notices.extend(without_effect(
                &path,
                properties,
                &[ROOT, "flume.log.dir", "flume.log.file"],
                named,
            ));
            let model = log4j::read(&path, &pairs, properties);
            let file = LogFile { path, pairs, ..LogFile::default() };
            by_model(with(model, notices), properties, log_format, log4j.map(|log4j| (log4j, file)))
        }
        Found::Log4j2 { path, text, mut notices } => {
            let named = |name: &str| text.contains(name);
            notices.extend(without_effect(&path, properties, &["flume.log.dir", "flume.log.file"], named));
            match log4j2::read(&path, &text, properties, &variable) {
                Ok(model) => {
                    let file = LogFile { is_xml: true, path, text, ..LogFile::default() };
                    by_model(with(model, notices), properties, log_format, log4j.map(|log4j| (log4j, file)))
                }
                Err(why) => {
                    let mut logging = on_the_console(properties, log_format);
                    logging.notices.append(&mut notices);
                    logging.notices.push(format!("{path}: {why}. Log lines go to the console (stderr)"));
                    logging
                }
            }
        }
        Found::Nothing { notices } if names_a_file(properties) => {
            let pairs = BUILT_IN.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
            let model = log4j::read(&format!("-D{ROOT}"), &pairs.collect::<Vec<_>>(), properties);
            by_model(with(model, notices), properties, log_format, None)
        }
        Found::Nothing { notices } => {
            let mut logging = on_the_console(properties, log_format);
            logging.notices.extend(notices);
            logging
        }
    }
}

/// Properties that are given and that the file does not ask for.
fn without_effect(
    path: &str,
    properties: &[(String, String)],
    names: &[&str],
    named: impl Fn(&str) -> bool,
) -> Vec<String> {
    let given = names.iter().filter(|name| last(properties, name).is_some() && !named(name));
    given
        .map(|name| format!("-D{name} has no effect, in Flume neither: {path} does not ask for it"))
        .collect()
}

fn with(mut model: Model, notices: Vec<String>) -> Model {
    model.notices.extend(notices);
    model
}

/// As [`settings`] for what prints on its console alone.
pub(crate) fn on_the_console(properties: &[(String, String)], log_format: &str) -> Logging {
    let mut notices = Vec::new();
    let levels = Levels::new(root(properties, &mut notices));
    for name in OF_THE_FILE.iter().filter(|name| last(properties, name).is_some()) {
        notices.push(format!("-D{name} has no effect: log lines go to the console (stderr) only"));
    }
    let mut logging = Logging {
        settings: Settings::for_stderr(levels),
        notices,
        place: None,
        on_console: true,
        least: None,
    };
    finish(&mut logging, properties, log_format);
    logging
}

fn by_model(
    mut model: Model,
    properties: &[(String, String)],
    log_format: &str,
    log4j: Option<(Log4j<'_>, LogFile)>,
) -> Logging {
    let origin = model.origin.clone();
    let is_xml = origin.ends_with(".xml");
    let needs = model.needs();
    let records = log4j.and_then(|log4j| by_log4j(&mut model, &needs, properties, log4j));
    let writer = if records.is_some() { Writer::Log4j { console: needs.console } } else { Writer::Here };
    let has_console = writer == Writer::Log4j { console: true };
    let Used { mut console, files, sockets, names, silent, levels, mut routes, mut notices } =
        model.used(writer);
    let by_model = console.is_some();
    if is_xml {
        let wanted = console_besides(properties, &origin, by_model || has_console, &mut notices);
        console = console.or(wanted.map(|levels| (None, levels)));
    }
    if console.is_none() && files.is_empty() && sockets.is_empty() && !silent {
        notices.push(format!(
            "{origin}: no appender that is there is left; log lines go to the console (stderr)"
        ));
        console = Some((None, levels));
    }
    let on_console = console.is_some();
    if let Some(routes) = routes.as_mut() {
        if on_console && !by_model {
            routes.leave(0);
        }
        if records.is_some() {
            routes.leave(LOG4J);
        }
    }
    let (format, levels) = console.unwrap_or((None, Levels::bare(None)));
    let named = files.iter().map(|file| file.file.path.display().to_string());
    let hosts = sockets.iter().map(|host| format!("{}:{}", host.socket.host, host.socket.port));
    let named: Vec<String> =
        named.chain(hosts).zip(names).map(|(to, name)| format!("{to} ({name})")).collect();
    let place = match &records {
        Some(_) => Some(place_of_log4j(&origin, &needs, on_console)),
        None => place(&origin, &named, on_console, is_xml),
    };
    let mut settings = Settings { files, sockets, records, routes, ..Settings::for_stderr(levels) };
    if let Some(format) = format {
        settings.format = format;
    }
    bound(&mut notices, &origin);
    let mut logging = Logging { settings, notices, place, on_console, least: None };
    finish(&mut logging, properties, log_format);
    logging
}

/// What the root logger of the command line means beside a file of log4j 2: the console, if there is none.
fn console_besides(
    properties: &[(String, String)],
    origin: &str,
    is_there: bool,
    notices: &mut Vec<String>,
) -> Option<Levels> {
    let value = last(properties, ROOT)?;
    if !asks_for_console(value) {
        notices.push(format!("-D{ROOT}={value} has no effect, nor in Flume since 1.10: {origin} decides"));
        return None;
    }
    if is_there {
        return None;
    }
    notices.push(format!(
        "-D{ROOT}={value} has no effect in Flume since 1.10, where {origin} alone decides; here log lines go to the console as well"
    ));
    Some(Levels::new(root(properties, &mut Vec::new())))
}

/// Has log4j write, where the file needs it; says why it cannot. A line that no logger's level lets through is not handed over, unless a
/// filter before all loggers may accept it.
fn by_log4j(
    model: &mut Model,
    needs: &Needs,
    properties: &[(String, String)],
    (log4j, file): (Log4j<'_>, LogFile),
) -> Option<RecordSettings> {
    if needs.what.is_empty() {
        return None;
    }
    let levels = match &model.filter {
        None if model.lacks.is_empty() => model.own_levels(),
        _ => Levels::bare(Some(Level::Trace)),
    };
    let given = levels_for_log4j(&model.own_levels(), properties);
    match log4j(LogFile { ours: needs.ours.clone(), levels: given, ..file }) {
        Ok(to) => Some(RecordSettings { to, levels }),
        Err(why) => {
            let what = plan::cut(&needs.what.join(", "), MOST_NAMED);
            model.notices.push(format!(
                "{}: only log4j itself has {what}, and it cannot be had: {why}. All the rest of the file counts. Set JAVA_HOME and FLUME_HOME to have it",
                model.origin
            ));
            None
        }
    }
}

/// A file that is no configuration at all has something to be said of each of its lines.
fn bound(notices: &mut Vec<String>, origin: &str) {
    let more = notices.len().saturating_sub(MOST_NOTICES);
    if more > 0 {
        notices.truncate(MOST_NOTICES);
        notices.push(format!("{origin}: {more} more such lines are left out; mend what the first ones say"));
    }
}

/// What is the same wherever lines go: the levels of `-Dflume.log.level.LOGGER`, and JSON on the console.
fn finish(logging: &mut Logging, properties: &[(String, String)], log_format: &str) {
    for (name, value) in properties {
        let Some((logger, level)) = level_of(name, value) else { continue };
        match level {
            Ok(level) => {
                if logging.on_console {
                    logging.settings.levels.set(logger, level);
                }
                logging.settings.files.iter_mut().for_each(|file| file.levels.set(logger, level));
                logging.settings.sockets.iter_mut().for_each(|host| host.levels.set(logger, level));
                logging.settings.records.iter_mut().for_each(|records| records.levels.set(logger, level));
                logging.settings.routes.iter_mut().for_each(|routes| routes.set_level(logger, level));
            }
            Err(unknown) => logging.notices.push(format!("-D{name}: {unknown}. It is ignored.")),
        }
    }
    if log_format == "json" {
        logging.settings.format = Format::Json;
    }
    let files = logging.settings.files.iter().map(|file| file.levels.most());
    let sockets = logging.settings.sockets.iter().map(|host| host.levels.most());
    let records = logging.settings.records.iter().map(|records| records.levels.most());
    let all = files.chain(sockets).chain(records).chain([logging.settings.levels.most()]);
    let accepts = logging.settings.routes.as_ref().is_some_and(console::Routes::may_accept);
    let accepted = accepts.then_some(Level::Trace); // by a filter, whatever its level is
    logging.least = all.flatten().chain(accepted).max_by_key(Level::as_usize);
}

/// One line for somebody who looks at an empty screen.
fn place(origin: &str, named: &[String], on_console: bool, is_xml: bool) -> Option<String> {
    if named.is_empty() {
        return None;
    }
    let named = named.join(", ");
    let here = match (on_console, is_xml) {
        (true, _) => "and to the console, ".to_owned(),
        (false, true) => String::new(),
        (false, false) => format!("and not to the console (-D{ROOT}=INFO,LOGFILE,console writes both), "),
    };
    Some(format!("log lines go to {}, {here}as {origin} says", plan::cut(&named, MOST_NAMED)))
}

fn place_of_log4j(origin: &str, needs: &Needs, on_console: bool) -> String {
    let here = match (needs.console, on_console) {
        (true, _) => "",
        (false, true) => ", and go to the console",
        (false, false) => ", and do not go to the console",
    };
    let what = plan::cut(&needs.what.join(", "), MOST_NAMED);
    format!("log lines are written by log4j in a JVM{here}, as {origin} says: only log4j itself has {what}")
}

/// The level of `LEVEL,console`.
fn root(properties: &[(String, String)], notices: &mut Vec<String>) -> Option<Level> {
    let Some(value) = last(properties, ROOT) else { return Some(Level::Info) };
    let level = value.split(',').next().unwrap_or_default().trim();
    let others = appenders(value).any(|name| !name.eq_ignore_ascii_case("console"));
    if others || appenders(value).next().is_none() {
        notices.push(format!(
            "-D{ROOT}={value}: only the appender `console` is there for it; log lines go to stderr"
        ));
    }
    parse_level(level).unwrap_or_else(|unknown| {
        notices.push(format!("-D{ROOT}={value}: {unknown}. INFO is taken."));
        Some(Level::Info)
    })
}

fn appenders(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').skip(1).map(str::trim).filter(|name| !name.is_empty())
}

fn asks_for_console(value: &str) -> bool {
    appenders(value).any(|name| name.eq_ignore_ascii_case("console"))
}

/// Whether the command line names an appender of Flume's own file that writes one.
fn names_a_file(properties: &[(String, String)]) -> bool {
    let named = ["LOGFILE", "DAILY"];
    last(properties, ROOT).is_some_and(|value| {
        appenders(value).any(|name| named.iter().any(|known| name.eq_ignore_ascii_case(known)))
    })
}

/// What is said of one configuration at most.
const MOST_NOTICES: usize = 100;

const ROOT: &str = "flume.root.logger";

/// What counts only where a file is written.
const OF_THE_FILE: &[&str] = &[
    "flume.log.dir",
    "flume.log.file",
    "log4j.configuration",
    "log4j.configurationFile",
    "log4j2.configurationFile",
];

/// What Flume 1.9's own file defines: where the command line names its appenders and there is no file.
const BUILT_IN: &[(&str, &str)] = &[
    ("flume.log.dir", "./logs"),
    ("flume.log.file", "flume.log"),
    ("log4j.rootLogger", "${flume.root.logger}"),
    ("log4j.logger.org.apache.flume.lifecycle", "INFO"),
    ("log4j.logger.org.jboss", "WARN"),
    ("log4j.logger.org.apache.avro.ipc.NettyTransceiver", "WARN"),
    ("log4j.logger.org.apache.hadoop", "INFO"),
    ("log4j.logger.org.apache.hadoop.hive", "ERROR"),
    ("log4j.appender.LOGFILE", "org.apache.log4j.RollingFileAppender"),
    ("log4j.appender.LOGFILE.MaxFileSize", "100MB"),
    ("log4j.appender.LOGFILE.MaxBackupIndex", "10"),
    ("log4j.appender.LOGFILE.File", "${flume.log.dir}/${flume.log.file}"),
    ("log4j.appender.LOGFILE.layout", "org.apache.log4j.PatternLayout"),
    ("log4j.appender.LOGFILE.layout.ConversionPattern", model::FILE_PATTERN),
    ("log4j.appender.DAILY", "org.apache.log4j.rolling.RollingFileAppender"),
    ("log4j.appender.DAILY.rollingPolicy", "org.apache.log4j.rolling.TimeBasedRollingPolicy"),
    ("log4j.appender.DAILY.rollingPolicy.ActiveFileName", "${flume.log.dir}/${flume.log.file}"),
    (
        "log4j.appender.DAILY.rollingPolicy.FileNamePattern",
        "${flume.log.dir}/${flume.log.file}.%d{yyyy-MM-dd}",
    ),
    ("log4j.appender.DAILY.layout", "org.apache.log4j.PatternLayout"),
    ("log4j.appender.DAILY.layout.ConversionPattern", model::FILE_PATTERN),
    ("log4j.appender.console", "org.apache.log4j.ConsoleAppender"),
    ("log4j.appender.console.target", "System.err"),
    ("log4j.appender.console.layout", "org.apache.log4j.PatternLayout"),
    ("log4j.appender.console.layout.ConversionPattern", model::CONSOLE_PATTERN),
];

/// log4j's place among the outputs: behind the console.
const LOG4J: usize = 1;

/// Bytes of names of files that are shown.
const MOST_NAMED: usize = 500;

#[cfg(test)]
mod by_log4j_tests;
#[cfg(test)]
mod filter_tests;
#[cfg(test)]
mod socket_tests;
#[cfg(test)]
mod tests;

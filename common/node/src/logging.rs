//! `-Dflume.root.logger` and its like: what is printed.

use crate::java::last;
use console::{Format, Levels, Settings, parse_level};
use slog::Level;

/// What to print and how, and what is to be said of the properties it was read from.
pub(crate) fn settings(properties: &[(String, String)], log_format: &str) -> (Settings, Vec<String>) {
    let mut notices = Vec::new();
    let mut levels = Levels::new(root(properties, &mut notices));
    for (name, value) in properties {
        let Some(logger) = name.strip_prefix(LEVEL_OF).filter(|logger| !logger.is_empty()) else { continue };
        match parse_level(value) {
            Ok(level) => levels.set(logger, level),
            Err(unknown) => notices.push(format!("-D{name}: {unknown}. It is ignored.")),
        }
    }
    for name in OF_THE_FILE.iter().filter(|name| last(properties, name).is_some()) {
        notices.push(format!("-D{name} has no effect: log lines go to the console (stderr) only"));
    }
    let mut settings = Settings::for_stderr(levels);
    if log_format == "json" {
        settings.format = Format::Json;
    }
    (settings, notices)
}

/// The level of `LEVEL,console`.
fn root(properties: &[(String, String)], notices: &mut Vec<String>) -> Option<Level> {
    let Some(value) = last(properties, ROOT) else { return Some(Level::Info) };
    let mut words = value.split(',').map(str::trim);
    let level = words.next().unwrap_or_default();
    let appenders: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    if appenders.iter().any(|name| !name.eq_ignore_ascii_case("console")) || appenders.is_empty() {
        notices.push(format!(
            "-D{ROOT}={value}: only the appender `console` is supported; log lines go to stderr"
        ));
    }
    parse_level(level).unwrap_or_else(|unknown| {
        notices.push(format!("-D{ROOT}={value}: {unknown}. INFO is taken."));
        Some(Level::Info)
    })
}

const ROOT: &str = "flume.root.logger";

/// Behind it stands the name of a logger, or its front part.
const LEVEL_OF: &str = "flume.log.level.";

/// Where Flume's `log4j.properties` writes its file.
const OF_THE_FILE: &[&str] =
    &["flume.log.dir", "flume.log.file", "log4j.configuration", "log4j.configurationFile"];

#[cfg(test)]
mod tests {
    use super::*;

    fn read(properties: &[(&str, &str)]) -> (Levels, Vec<String>) {
        let properties: Vec<_> = properties.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let (settings, notices) = settings(&properties, "json");
        assert_eq!(settings.format, Format::Json);
        (settings.levels, notices)
    }

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
            (ROOT, "INFO,LOGFILE", "only the appender `console`"),
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
            levels.enabled("flow::sink::avro", Level::Debug)
                && !levels.enabled("flow::source", Level::Critical)
        );
    }
}

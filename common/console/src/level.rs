//! Which lines are printed.

use slog::Level;
use std::{borrow::Cow, fmt};

/// The least severe level that is still printed, for all lines and by the name of who says them.
///
/// A rule's name is a module of ours (`components::sink`) or a Java logger (`org.apache.flume.sink`), whole or the front part
/// of it, and the longest name that fits decides, as in log4j. A Java name below `org.apache.flume` rules our module of
/// the same path too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Levels {
    root: Option<Level>, // `None` prints nothing
    rules: Vec<(String, Option<Level>)>,
}

impl Levels {
    /// Prints `root` and what is more severe, with the exceptions of Flume's own `log4j.properties`.
    pub fn new(root: Option<Level>) -> Levels {
        let rules = FIXED.iter().map(|(name, level)| ((*name).to_owned(), Some(*level))).collect();
        Levels { root, rules }
    }

    /// Prints `root` and what is more severe, without any exception.
    pub fn bare(root: Option<Level>) -> Levels {
        Levels { root, rules: Vec::new() }
    }

    /// Gives `name` a level of its own; the last one wins.
    pub fn set(&mut self, name: &str, level: Option<Level>) {
        names_of(name).iter().for_each(|name| self.rule(name, level));
    }

    fn rule(&mut self, name: &str, level: Option<Level>) {
        self.rules.retain(|(known, _)| known != name);
        self.rules.push((name.to_owned(), level));
    }

    /// Whether a line of `level` by `name` is printed.
    pub fn enabled(&self, name: &str, level: Level) -> bool {
        let best =
            self.rules.iter().filter(|(front, _)| covers(front, name)).max_by_key(|(front, _)| front.len());
        best.map_or(self.root, |(_, least)| *least).is_some_and(|least| level.is_at_least(least))
    }

    /// The least severe level that anybody may print.
    pub fn most(&self) -> Option<Level> {
        let all = self.rules.iter().map(|(_, level)| *level).chain([self.root]);
        all.flatten().max_by_key(Level::as_usize)
    }
}

impl Default for Levels {
    /// `INFO`, as Flume's.
    fn default() -> Levels {
        Levels::new(Some(Level::Info))
    }
}

/// A logger's name, and what our own modules of that part are called.
pub(crate) fn names_of(name: &str) -> Vec<String> {
    let mut names = vec![name.to_owned()];
    if let Some(rest) = name.strip_prefix(FLUME).and_then(|rest| rest.strip_prefix('.')) {
        let path = rest.replace('.', "::");
        names.extend(CRATES.iter().map(|name| format!("{name}::{path}")));
    } else if name == FLUME {
        names.extend(CRATES.iter().map(|name| (*name).to_owned()));
    }
    names
}

/// Whether `front` is `name` or a front part of it that ends where a word ends.
pub(crate) fn covers(front: &str, name: &str) -> bool {
    match name.strip_prefix(front) {
        Some(rest) => !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'),
        None => false,
    }
}

/// The name under which log4j's loggers have rules for `name`: some modules of ours have those of the same path below
/// `org.apache.flume`, and all have dots.
pub fn name_in_flume(name: &str) -> Cow<'_, str> {
    let below = CRATES.iter().find_map(|own| name.strip_prefix(own));
    match below.filter(|rest| rest.is_empty() || rest.starts_with("::")) {
        Some(rest) => Cow::Owned(format!("{FLUME}{}", rest.replace("::", "."))),
        None if name.contains("::") => Cow::Owned(name.replace("::", ".")),
        None => Cow::Borrowed(name),
    }
}

/// A level by log4j's name, in any case; `OFF` is `None`, `ALL` is everything.
///
/// # Errors
/// [`UnknownLevel`] for any other word. (log4j takes it for `DEBUG` without saying so.)
pub fn parse_level(text: &str) -> Result<Option<Level>, UnknownLevel> {
    match text.trim().to_ascii_uppercase().as_str() {
        "OFF" => Ok(None),
        "FATAL" => Ok(Some(Level::Critical)),
        "ERROR" => Ok(Some(Level::Error)),
        "WARN" => Ok(Some(Level::Warning)),
        "INFO" => Ok(Some(Level::Info)),
        "DEBUG" => Ok(Some(Level::Debug)),
        "TRACE" | "ALL" => Ok(Some(Level::Trace)),
        _ => Err(UnknownLevel(text.to_owned())),
    }
}

/// Not a level's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownLevel(pub String);

impl fmt::Display for UnknownLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no level: OFF, FATAL, ERROR, WARN, INFO, DEBUG, TRACE or ALL", self.0)
    }
}

impl std::error::Error for UnknownLevel {}

/// log4j's name of a level.
pub fn level_name(level: Level) -> &'static str {
    match level {
        Level::Critical => "FATAL",
        Level::Error => "ERROR",
        Level::Warning => "WARN",
        Level::Info => "INFO",
        Level::Debug => "DEBUG",
        Level::Trace => "TRACE",
    }
}

const FLUME: &str = "org.apache.flume";

/// Those of ours that log what Flume's classes log.
const CRATES: [&str; 4] = ["components", "flow", "rpc", "runtime"];

/// `conf/log4j.properties` of Flume 1.9, as far as it is about lines that we print too.
const FIXED: &[(&str, Level)] = &[
    ("org.apache.flume.lifecycle", Level::Info),
    ("org.jboss", Level::Warning),
    ("org.apache.avro.ipc.NettyTransceiver", Level::Warning),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_log4j_is_known_in_any_case() {
        let names = ["OFF", "fatal", "Error", "WARN", "INFO", "debug", "TRACE", "ALL"];
        let known: Vec<_> = names.iter().map(|name| parse_level(name).unwrap()).collect();
        use Level::*;
        let expected = [
            None,
            Some(Critical),
            Some(Error),
            Some(Warning),
            Some(Info),
            Some(Debug),
            Some(Trace),
            Some(Trace),
        ];
        assert_eq!(known, expected);
        assert!(parse_level("LOUD").unwrap_err().to_string().contains("`LOUD` is no level"));
    }

    #[test]
    fn the_longest_name_decides_and_ends_at_a_word() {
        let mut levels = Levels::new(Some(Level::Warning));
        levels.set("org.apache.flume.sink", Some(Level::Debug));
        levels.set("org.apache.flume.sink.LoggerSink", None);
        for (name, level, printed) in [
            ("org.apache.flume.sink.AvroSink.start(AvroSink.java:1)", Level::Debug, true),
            ("org.apache.flume.sink.LoggerSink.process(LoggerSink.java:95)", Level::Error, false),
            ("org.apache.flume.sinks.Other", Level::Info, false),
            ("org.apache.flume.source.AvroSource", Level::Info, false),
            ("components::sink::avro", Level::Debug, true),
            ("flow::sink::local", Level::Debug, true),
            ("components::source::avro", Level::Info, false),
            ("components::source::avro", Level::Warning, true),
        ] {
            assert_eq!(levels.enabled(name, level), printed, "{name} {level}");
        }
        assert_eq!(levels.most(), Some(Level::Debug));
    }

    #[test]
    fn flumes_fixed_levels_stand_whatever_the_root_is() {
        let debug = Levels::new(Some(Level::Debug));
        assert!(!debug.enabled("org.apache.flume.lifecycle.LifecycleSupervisor", Level::Debug));
        assert!(debug.enabled("org.apache.avro.ipc.NettyServer$NettyServerAvroHandler", Level::Info));
        let off = Levels::new(None);
        assert!(!off.enabled("flow", Level::Critical));
    }
}

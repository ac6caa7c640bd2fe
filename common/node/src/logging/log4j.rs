//! `log4j.properties`, as Flume up to 1.9 has it.
//!
//! Source: log4j 1.2.17 `PropertyConfigurator`, `OptionConverter`, and apache-log4j-extras 1.1, which Flume 1.9 ships.

mod filters;
mod syslog;

use super::{
    model::{Appender, Least, Logger, Model, Reference, To, stricter},
    sizes,
    variables::{Budget, fill, of_every_jvm},
};
use console::{DatePrinter, Dialect, FileSettings, NamePattern, Names, Size, Triggers, parse_level};
use jiff::tz::TimeZone;
use slog::Level;
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

/// Reads the file's pairs; `system` are the JVM's properties, which win.
pub(super) fn read(origin: &str, pairs: &[(String, String)], system: &[(String, String)]) -> Model {
    let all: BTreeMap<&str, &str> = pairs.iter().map(|(key, value)| (key.trim(), value.as_str())).collect();
    let system: BTreeMap<&str, &str> =
        system.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let without = RefCell::new(BTreeSet::new());
    let value = |name: &str| {
        let found = system.get(name).or_else(|| all.get(name)).map(|value| (*value).to_owned());
        let found = found.or_else(|| of_every_jvm(name));
        if found.is_none() {
            without.borrow_mut().insert(name.to_owned());
        }
        Some(found.unwrap_or_default())
    };
    let budget = Budget::new();
    let fill = |text: &str| fill(text, false, &value, &budget);
    let filled = all.iter().map(|(key, text)| ((*key).to_owned(), fill(text))).collect();
    let mut model = Model { origin: origin.to_owned(), ..Model::default() };
    model.notices.extend(budget.notice(origin));
    for name in without.take() {
        let name = plan::cut(&name, super::model::MOST_NAME);
        model
            .notices
            .push(format!("{origin}: ${{{name}}} has no value; nothing stands in its place, as in Flume"));
    }
    Reader { origin, all: filled, model }.read()
}

struct Reader<'a> {
    origin: &'a str,
    all: BTreeMap<String, String>,
    model: Model,
}

impl Reader<'_> {
    fn read(mut self) -> Model {
        let root = ["log4j.rootLogger", "log4j.rootCategory"].into_iter().find_map(|key| self.all.get(key));
        let mut loggers = vec![(String::new(), root.cloned().unwrap_or_default())];
        for front in ["log4j.category.", "log4j.logger."] {
            let named = self.all.iter().filter_map(|(key, value)| Some((key.strip_prefix(front)?, value)));
            loggers.extend(named.map(|(name, value)| (name.to_owned(), value.clone())));
        }
        for (name, value) in loggers {
            let logger = self.logger(name, &value);
            self.model.loggers.retain(|known| known.name != logger.name);
            self.model.loggers.push(logger);
        }
        let all =
            self.all.get("log4j.threshold").map_or(Some(Level::Trace), |text| level(text, Level::Trace));
        let defined = self.all.iter().filter_map(|(key, class)| {
            let name = key.strip_prefix("log4j.appender.").filter(|name| !name.contains('.'))?;
            Some((name.to_owned(), class.trim().to_owned()))
        });
        for (name, class) in defined.collect::<Vec<_>>() {
            let mut appender = self.appender(&name, &class);
            appender.threshold = stricter(appender.threshold, all);
            self.model.appenders.push(appender);
        }
        self.tolerate_case();
        self.model
    }

    /// `LEVEL, appender, appender`
    fn logger(&mut self, name: String, value: &str) -> Logger {
        let mut words = value.split(',').map(str::trim);
        let text = words.next().unwrap_or_default();
        let inherits =
            text.is_empty() || ["INHERITED", "NULL"].iter().any(|word| text.eq_ignore_ascii_case(word));
        let level = (!inherits).then(|| {
            if let Err(unknown) = parse_level(text) {
                let key = if name.is_empty() { "log4j.rootLogger" } else { &name };
                let key = plan::cut(key, super::model::MOST_NAME);
                self.model
                    .notices
                    .push(format!("{}: {key}: {unknown}. DEBUG is taken, as by Flume", self.origin));
            }
            level(text, Level::Debug)
        });
        let appenders = words.filter(|word| !word.is_empty());
        let appenders = appenders.map(Reference::new).collect();
        let additive = self.all.get(&format!("log4j.additivity.{name}"));
        let additive = !additive.is_some_and(|text| text.trim().eq_ignore_ascii_case("false"));
        Logger { name, level, appenders, additive, filter: None }
    }

    /// log4j knows appenders by their names as they are written; `Console` for `console` is understood here.
    fn tolerate_case(&mut self) {
        let names: Vec<String> = self.model.appenders.iter().map(|appender| appender.name.clone()).collect();
        let references = self.model.loggers.iter_mut().flat_map(|logger| &mut logger.appenders);
        for Reference { name, .. } in references {
            if !names.contains(name)
                && let Some(same) = names.iter().find(|known| known.eq_ignore_ascii_case(name))
            {
                name.clone_from(same);
            }
        }
    }

    fn appender(&self, name: &str, class: &str) -> Appender {
        let mut appender = Appender::new(name, Dialect::One);
        let options = Options::of(&self.all, &format!("log4j.appender.{name}."));
        let handed = options.0.iter().filter(|(key, _)| key.to_ascii_lowercase().ends_with("appender-ref"));
        appender.behind.extend(handed.map(|(_, to)| to.trim().to_owned()));
        if let Some(text) = options.get("threshold") {
            appender.threshold = level(text, Level::Debug);
        }
        let file = match class.strip_prefix("org.apache.log4j.").unwrap_or(class) {
            "ConsoleAppender" => {
                if !options
                    .get("target")
                    .is_some_and(|target| target.trim().eq_ignore_ascii_case("System.err"))
                {
                    appender
                        .say("its target is System.out; its lines go to stderr, as all of the console's do");
                }
                layout(&mut appender, &options);
                appender.to = To::Console;
                return appender;
            }
            "FileAppender" => plain(&options),
            "RollingFileAppender" => rolling(&options, &mut appender),
            "DailyRollingFileAppender" => daily(&options, &mut appender),
            "rolling.RollingFileAppender" => extras(&options, &mut appender),
            "varia.NullAppender" => return appender,
            "net.SyslogAppender" => {
                syslog::read(&mut appender, &options);
                return appender;
            }
            "AsyncAppender" => {
                appender.say("a file of properties gives it no appenders to hand its lines to, so that they go nowhere, in Flume neither; name those in its place");
                return appender;
            }
            _ => {
                appender.lack(class, format_args!(
                    "{class} is not there, so that what it would send, mail or store is not; only log files, syslog and the console are"
                ));
                return appender;
            }
        };
        match file {
            Some(file) => {
                layout(&mut appender, &options);
                appender.to = To::File(Box::new(file));
            }
            None if appender.notices.is_empty() => {
                appender.say("it names no file (File), so that nothing is written")
            }
            None => {}
        }
        appender
    }
}

/// An appender's properties.
struct Options<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Options<'a> {
    fn of(all: &'a BTreeMap<String, String>, front: &str) -> Options<'a> {
        let named = all.iter().filter_map(|(key, value)| Some((key.strip_prefix(front)?, value.as_str())));
        Options(named.collect())
    }

    /// Java takes the first letter of a property in either case.
    fn get(&self, name: &str) -> Option<&'a str> {
        let same = |key: &str| {
            key.split('.').count() == name.split('.').count()
                && key
                    .split('.')
                    .zip(name.split('.'))
                    .all(|(one, other)| decapitalized(one) == decapitalized(other))
        };
        self.0.iter().find(|(key, _)| same(key)).map(|(_, value)| *value)
    }

    fn flag(&self, name: &str, default: bool) -> bool {
        match self.get(name).map(str::trim) {
            Some(text) if text.eq_ignore_ascii_case("true") => true,
            Some(text) if text.eq_ignore_ascii_case("false") => false,
            _ => default,
        }
    }
}

fn decapitalized(name: &str) -> String {
    let mut signs = name.chars();
    signs.next().map(|first| first.to_lowercase().chain(signs).collect()).unwrap_or_default()
}

fn level(text: &str, default: Level) -> Least {
    parse_level(text).unwrap_or(Some(default))
}

/// How its lines look, and what holds some of them back.
fn layout(appender: &mut Appender, options: &Options<'_>) {
    let class = options.get("layout").unwrap_or_default().trim();
    match class.rsplit('.').next().unwrap_or_default() {
        "PatternLayout" | "EnhancedPatternLayout" => {
            appender.pattern = options.get("layout.conversionPattern").unwrap_or("%m%n").to_owned();
        }
        "SimpleLayout" => "%p - %m%n".clone_into(&mut appender.pattern),
        "TTCCLayout" => "%r [%t] %p %c %x - %m%n".clone_into(&mut appender.pattern),
        "" => appender.say("it has no layout, with which Flume writes nothing; Flume's own is taken"),
        _ => appender.lack(class, format_args!("the layout {class} is not there; Flume's own is taken")),
    }
    for (key, _) in options.0.iter().filter(|(key, _)| !key.contains('.')) {
        if !KNOWN.contains(&decapitalized(key).as_str()) {
            let key = plan::cut(key, super::model::MOST_NAME);
            appender.say(format_args!("it has no property {key}, which has no effect, in Flume neither"));
        }
    }
    filters::read(appender, options);
    if let Some(encoding) = options.get("encoding").map(str::trim)
        && !["UTF-8", "UTF8", ""].iter().any(|name| encoding.eq_ignore_ascii_case(name))
    {
        appender.lack(
            &format!("encoding={encoding}"),
            format_args!("its encoding {encoding} is not there; lines are UTF-8"),
        );
    }
}

fn plain(options: &Options<'_>) -> Option<FileSettings> {
    let path = options.get("file").map(str::trim).filter(|path| !path.is_empty())?;
    let append = options.flag("append", true);
    let (triggers, names) = (Triggers::default(), Names::Numbered(0));
    Some(FileSettings { path: path.into(), append, triggers, names })
}

fn rolling(options: &Options<'_>, appender: &mut Appender) -> Option<FileSettings> {
    let mut file = plain(options)?;
    let most = size(options.get("maxFileSize").or(options.get("maximumFileSize")), "MaxFileSize", appender);
    let kept = options.get("maxBackupIndex").map(|text| (text, text.trim().parse::<i64>()));
    if let Some((text, Err(_))) = kept {
        appender.say(format_args!("MaxBackupIndex={text} is no number; 1 is taken, as by Flume"));
    }
    let kept = kept.and_then(|(_, number)| number.ok()).unwrap_or(1);
    file.triggers.size = Some(Size::Reached(most));
    file.names = Names::Numbered(u32::try_from(kept.max(0)).unwrap_or(u32::MAX));
    Some(file)
}

fn size(text: Option<&str>, key: &str, appender: &mut Appender) -> u64 {
    match text.map(|text| (text, sizes::bytes(text))) {
        None => TEN_MEGABYTES,
        Some((_, Some(bytes))) => bytes,
        Some((text, None)) => {
            appender.say(format_args!("{key}={text} is no size; 10MB is taken, as by Flume"));
            TEN_MEGABYTES
        }
    }
}

fn daily(options: &Options<'_>, appender: &mut Appender) -> Option<FileSettings> {
    let mut file = plain(options)?;
    let pattern = options.get("datePattern").unwrap_or("'.'yyyy-MM-dd");
    match DatePrinter::compile(pattern, TimeZone::system()) {
        Ok(date) => {
            let names = NamePattern::dated(&file.path.display().to_string(), date.clone());
            file.names = by_pattern(names);
            file.triggers = Triggers { period: Some(date), old_at_start: true, ..Triggers::default() };
        }
        Err(why) => appender.say(format_args!("DatePattern={pattern}: {why}. The file is not rolled")),
    }
    Some(file)
}

fn by_pattern(pattern: NamePattern) -> Names {
    Names::Pattern { pattern, first: 1, last: Some(1), newest_is_last: false, delete: None }
}

/// `org.apache.log4j.rolling.RollingFileAppender`: a policy names the files, another may say when.
fn extras(options: &Options<'_>, appender: &mut Appender) -> Option<FileSettings> {
    let active = options.get("rollingPolicy.activeFileName").or(options.get("file"));
    let Some(path) = active.map(str::trim).filter(|path| !path.is_empty()) else {
        appender.say("it names no ActiveFileName, so that nothing is written; write one");
        return None;
    };
    let append = options.flag("append", true);
    let mut file =
        FileSettings { path: path.into(), append, triggers: Triggers::default(), names: Names::Numbered(0) };
    let policy = options.get("rollingPolicy").unwrap_or_default().trim();
    let names = options.get("rollingPolicy.fileNamePattern").unwrap_or_default().trim();
    let pattern = match NamePattern::parse(uncompressed(names, appender)) {
        Ok(pattern) if !names.is_empty() => pattern,
        Ok(_) => {
            appender.say("it has no FileNamePattern; the file is not rolled");
            return Some(file);
        }
        Err(why) => {
            appender.say(format_args!("FileNamePattern={names}: {why}. The file is not rolled"));
            return Some(file);
        }
    };
    match policy.rsplit('.').next().unwrap_or_default() {
        "TimeBasedRollingPolicy" => {
            file.triggers.period = pattern.date().cloned();
            file.names = by_pattern(pattern);
        }
        "FixedWindowRollingPolicy" => {
            let number = |name: &str, default| {
                options.get(name).and_then(|text| text.trim().parse().ok()).unwrap_or(default)
            };
            let (first, last) = (number("rollingPolicy.minIndex", 1), number("rollingPolicy.maxIndex", 7));
            let most = size(options.get("triggeringPolicy.maxFileSize"), "MaxFileSize", appender);
            file.triggers.size = Some(Size::Passed(most));
            file.names =
                Names::Pattern { pattern, first, last: Some(last), newest_is_last: false, delete: None };
        }
        _ => {
            appender.lack(policy, format_args!("the policy `{policy}` is not there; the file is not rolled"))
        }
    }
    Some(file)
}

/// A name that asks for a compression that is not there, without its end.
pub(super) fn uncompressed<'a>(pattern: &'a str, appender: &mut Appender) -> &'a str {
    let end = [".bz2", ".xz", ".zst", ".deflate", ".pack200"].into_iter().find(|end| pattern.ends_with(end));
    let Some(end) = end else { return pattern };
    let text = format!(
        "files that it has rolled are not compressed, and their names do not end in {end}; .gz and .zip are there"
    );
    match appender.dialect {
        Dialect::One => appender.say(text), // nor by log4j 1.2
        Dialect::Two => appender.lack(end, text),
    }
    &pattern[..pattern.len() - end.len()]
}

/// Properties of the appenders that are there.
const KNOWN: [&str; 24] = [
    "name",
    "threshold",
    "layout",
    "filter",
    "errorHandler",
    "errorhandler",
    "target",
    "follow",
    "file",
    "append",
    "encoding",
    "immediateFlush",
    "bufferedIO",
    "bufferSize",
    "maxFileSize",
    "maximumFileSize",
    "maxBackupIndex",
    "datePattern",
    "rollingPolicy",
    "triggeringPolicy",
    "syslogHost",
    "facility",
    "facilityPrinting",
    "header",
];

/// log4j's own default.
const TEN_MEGABYTES: u64 = 10 << 20;

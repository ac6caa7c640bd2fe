//! `log4j2.xml`, as Flume since 1.10 has it.
//!
//! Source: log4j 2.18, its `XmlConfiguration` and the builders of its appenders, policies and strategies.

mod delete;

use super::{
    log4j::uncompressed,
    model::{Appender, Least, Logger, MOST_NAME, Model, To, stricter},
    rolled, sizes,
    variables::{Budget, fill, of_every_jvm},
};
use console::{DatePrinter, Dialect, FileSettings, NamePattern, Names, Size, Triggers, parse_level};
use jiff::tz::TimeZone;
use roxmltree::{Document, Node};
use slog::Level;
use std::{collections::BTreeMap, path::Path};

/// Reads the file. `system` are the JVM's properties, `environment` gives variables.
///
/// # Errors
/// Why it is no XML, or none of log4j's.
pub(super) fn read(
    origin: &str,
    text: &str,
    system: &[(String, String)],
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Model, String> {
    let document = Document::parse(text).map_err(|error| format!("it is no XML: {error}"))?;
    let root = document.root_element();
    if !is(root, "Configuration") {
        return Err(format!("it begins with <{}> and not with <Configuration>", root.tag_name().name()));
    }
    let mut reader = Reader {
        origin,
        properties: BTreeMap::new(),
        system: system.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect(),
        environment,
        budget: Budget::new(),
        model: Model { origin: origin.to_owned(), ..Model::default() },
    };
    for part in elements(root) {
        match part.tag_name().name().to_ascii_lowercase().as_str() {
            "properties" => reader.properties(part),
            "appenders" => elements(part).for_each(|element| reader.appender(element)),
            "loggers" => elements(part).for_each(|element| reader.logger(element)),
            "customlevels" | "scripts" => {}
            name => reader.say(format!("<{name}> is not there, and has no effect")),
        }
    }
    if reader.get(root, "monitorInterval").is_some() {
        reader.say("monitorInterval has no effect: a change counts at the next start".to_owned());
    }
    reader.model.notices.extend(reader.budget.notice(origin));
    Ok(reader.model)
}

struct Reader<'a> {
    origin: &'a str,
    properties: BTreeMap<String, String>,
    system: BTreeMap<&'a str, &'a str>,
    environment: &'a dyn Fn(&str) -> Option<String>,
    budget: Budget,
    model: Model,
}

/// A plugin's name: that of the element, or its `type` where the strict form is used.
fn kind<'a>(node: Node<'a, '_>) -> &'a str {
    let name = node.tag_name().name();
    let typed = ["appender", "filter", "layout", "policy", "strategy", "condition"];
    let typed = typed.iter().any(|plain| name.eq_ignore_ascii_case(plain));
    node.attribute("type").filter(|_| typed).unwrap_or(name)
}

fn is(node: Node<'_, '_>, name: &str) -> bool {
    kind(node).eq_ignore_ascii_case(name)
}

fn elements<'a, 'i>(node: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(Node::is_element)
}

impl Reader<'_> {
    fn say(&mut self, text: String) {
        self.model.notices.push(format!("{}: {text}", self.origin));
    }

    /// An attribute, or an element in its place, with its variables filled in.
    fn get(&self, node: Node<'_, '_>, name: &str) -> Option<String> {
        let attribute = node.attributes().find(|attribute| attribute.name().eq_ignore_ascii_case(name));
        let text = attribute.map(|attribute| attribute.value().to_owned()).or_else(|| {
            let element =
                elements(node).find(|element| element.tag_name().name().eq_ignore_ascii_case(name))?;
            Some(element.text().unwrap_or_default().trim().to_owned())
        });
        text.map(|text| self.fill(&text))
    }

    fn flag(&self, node: Node<'_, '_>, name: &str, default: bool) -> bool {
        self.get(node, name).map_or(default, |text| text.eq_ignore_ascii_case("true"))
    }

    fn fill(&self, text: &str) -> String {
        let value = |name: &str| {
            let (name, default) = match name.split_once(":-") {
                Some((name, default)) => (name, Some(default.to_owned())),
                None => (name, None),
            };
            // What a lookup does not know, a property of the file may.
            let named = |name: &str| self.properties.get(name).cloned();
            let found = match name.split_once(':') {
                Some(("sys", name)) => self
                    .system
                    .get(name)
                    .map(|value| (*value).to_owned())
                    .or_else(|| of_every_jvm(name))
                    .or_else(|| named(name)),
                Some(("env", name)) => (self.environment)(name).or_else(|| named(name)),
                Some((_, name)) => named(name),
                None => named(name),
            };
            found.or(default)
        };
        fill(text, true, &value, &self.budget)
    }

    fn properties(&mut self, part: Node<'_, '_>) {
        for property in elements(part).filter(|element| is(*element, "Property")) {
            let Some(name) = property.attribute("name") else { continue };
            let value = property.attribute("value").or(property.text()).unwrap_or_default();
            let value = self.fill(value.trim());
            self.properties.insert(name.to_owned(), value);
        }
    }

    fn logger(&mut self, node: Node<'_, '_>) {
        let is_root = is(node, "Root") || is(node, "AsyncRoot");
        if !is_root && !is(node, "Logger") && !is(node, "AsyncLogger") {
            let name = kind(node).to_owned();
            return self.say(format!("<{name}> among the loggers is not there, and has no effect"));
        }
        let name = if is_root { String::new() } else { self.get(node, "name").unwrap_or_default() };
        let level = match self.get(node, "level") {
            Some(text) => Some(self.level(&text, Level::Error)),
            None => is_root.then_some(Some(Level::Error)),
        };
        let mut appenders = Vec::new();
        for reference in elements(node).filter(|element| is(*element, "AppenderRef")) {
            let least = self
                .get(reference, "level")
                .map_or(Some(Level::Trace), |text| self.level(&text, Level::Trace));
            appenders.push((self.get(reference, "ref").unwrap_or_default(), least));
        }
        let additive = self.flag(node, "additivity", true);
        if let Some(filter) = elements(node).find(|element| kind(*element).ends_with("Filter")) {
            self.say(format!(
                "<{}> of a logger is not there: what it would hold back is written",
                kind(filter)
            ));
        }
        self.model.loggers.retain(|known| known.name != name);
        self.model.loggers.push(Logger { name, level, appenders, additive });
    }

    fn level(&mut self, text: &str, default: Level) -> Least {
        parse_level(text).unwrap_or_else(|unknown| {
            self.say(format!("{unknown}. {} is taken", console::level_name(default)));
            Some(default)
        })
    }

    fn appender(&mut self, node: Node<'_, '_>) {
        let name = self.get(node, "name").unwrap_or_default();
        let mut appender = Appender::new(&name, Dialect::Two);
        let class = kind(node);
        match class.to_ascii_lowercase().as_str() {
            "console" => {
                if !self.get(node, "target").is_some_and(|target| target.eq_ignore_ascii_case("SYSTEM_ERR")) {
                    appender.say("its target is SYSTEM_OUT; its lines go to stderr, as all of the console's do");
                }
                appender.to = To::Console;
            }
            "file" | "randomaccessfile" | "memorymappedfile" => {
                appender.to = self.file(node, &mut appender).map_or(To::Nowhere, |file| To::File(Box::new(file)));
            }
            "rollingfile" | "rollingrandomaccessfile" => {
                appender.to = self.rolling(node, &mut appender).map_or(To::Nowhere, |file| To::File(Box::new(file)));
            }
            "null" => {}
            _ => appender.say(format_args!(
                "<{class}> is not there, so that what it would send, mail or store is not; only log files and the console are"
            )),
        }
        if !matches!(appender.to, To::Nowhere) {
            self.layout(node, &mut appender);
            self.filters(node, &mut appender);
        }
        self.model.appenders.push(appender);
    }

    fn layout(&self, node: Node<'_, '_>, appender: &mut Appender) {
        let layout = elements(node).find(|element| kind(*element).to_ascii_lowercase().ends_with("layout"));
        match layout {
            Some(layout) if is(layout, "PatternLayout") => {
                appender.pattern = self.get(layout, "pattern").unwrap_or_else(|| "%m%n".to_owned());
            }
            Some(other) => {
                appender.say(format_args!("<{}> is not there; Flume's own layout is taken", kind(other)));
            }
            None => "%m%n".clone_into(&mut appender.pattern),
        }
    }

    fn filters(&mut self, node: Node<'_, '_>, appender: &mut Appender) {
        let within =
            elements(node).filter(|element| is(*element, "Filters")).flat_map(|filters| elements(filters));
        let filters = elements(node).chain(within).filter(|element| {
            let name = kind(*element).to_ascii_lowercase();
            name.ends_with("filter")
        });
        for filter in filters.collect::<Vec<_>>() {
            let denies = |name, default: &str| {
                self.get(filter, name).unwrap_or_else(|| default.to_owned()).eq_ignore_ascii_case("DENY")
            };
            if is(filter, "ThresholdFilter") && !denies("onMatch", "NEUTRAL") && denies("onMismatch", "DENY")
            {
                let text = self.get(filter, "level").unwrap_or_else(|| "ERROR".to_owned());
                appender.threshold = stricter(appender.threshold, self.level(&text, Level::Error));
            } else {
                appender.say(format_args!(
                    "its <{}> is not there: what it would hold back is written",
                    kind(filter)
                ));
            }
        }
    }

    fn file(&self, node: Node<'_, '_>, appender: &mut Appender) -> Option<FileSettings> {
        let path = self.get(node, "fileName").filter(|path| !path.is_empty());
        let Some(path) = path.filter(|path| !path.contains("${")) else {
            let path = self.get(node, "fileName").unwrap_or_default();
            appender.say(match path.as_str() {
                "" => "it has no fileName, so that nothing is written; write one".to_owned(),
                path => format!(
                    "its fileName {} has a variable that is not known here, so that nothing is written",
                    plan::cut(path, MOST_NAME)
                ),
            });
            return None;
        };
        let append = self.flag(node, "append", true);
        let (triggers, names) = (Triggers::default(), Names::Numbered(0));
        Some(FileSettings { path: path.into(), append, triggers, names })
    }

    fn rolling(&self, node: Node<'_, '_>, appender: &mut Appender) -> Option<FileSettings> {
        let mut file = self.file(node, appender)?;
        let text = self.get(node, "filePattern").unwrap_or_default();
        let Some((dated, without)) = rolled::dated(&text) else {
            let text = plan::cut(&text, MOST_NAME);
            appender.say(format_args!(
                "its filePattern {text} has a variable that is not known here; the file is not rolled"
            ));
            return Some(file);
        };
        let short = uncompressed(&dated, appender);
        let pattern = match NamePattern::parse(short) {
            Ok(pattern) if !text.is_empty() => pattern,
            Ok(_) => {
                appender.say("it has no filePattern; the file is not rolled");
                return Some(file);
            }
            Err(why) => {
                appender.say(format_args!("filePattern={text}: {why}. The file is not rolled"));
                return Some(file);
            }
        };
        let period = NamePattern::parse(&without).ok().and_then(|pattern| pattern.last_date().cloned());
        let within =
            elements(node).filter(|element| is(*element, "Policies")).flat_map(|policies| elements(policies));
        let is_policy =
            |element: &Node<'_, '_>| kind(*element).to_ascii_lowercase().ends_with("triggeringpolicy");
        for policy in elements(node).chain(within).filter(is_policy) {
            self.policy(policy, period.as_ref(), &mut file.triggers, appender);
        }
        let kept = pattern.kept();
        let written = Written { file: &file.path, end: &dated[short.len()..], like: &kept.name };
        file.names = self.strategy(node, pattern, &written, appender);
        Some(file)
    }

    fn policy(
        &self,
        node: Node<'_, '_>,
        period: Option<&DatePrinter>,
        triggers: &mut Triggers,
        appender: &mut Appender,
    ) {
        match kind(node).to_ascii_lowercase().as_str() {
            "sizebasedtriggeringpolicy" => {
                let text = self.get(node, "size");
                let bytes = text.as_deref().map_or(Some(10 << 20), sizes::bytes);
                if bytes.is_none() {
                    appender
                        .say(format_args!("size={} is no size; 10 MB is taken", text.unwrap_or_default()));
                }
                triggers.size = Some(Size::Passed(bytes.unwrap_or(10 << 20)));
            }
            "timebasedtriggeringpolicy" => {
                if self.get(node, "interval").is_some_and(|text| text.trim() != "1") {
                    appender.say("an interval other than 1 is not there: it is rolled whenever the date of its filePattern changes");
                }
                if period.is_none() {
                    appender.say("its filePattern has no date to be rolled by; it is not rolled by time");
                }
                triggers.period = period.cloned();
                triggers.old_at_start = true;
            }
            "crontriggeringpolicy" => {
                let schedule = self.get(node, "schedule").unwrap_or_else(|| DAILY.to_owned());
                let period = sizes::cron(&schedule).unwrap_or_else(|| {
                    appender.say(format_args!(
                        "the schedule `{schedule}` is not there: it is rolled at midnight. The starts of minutes, hours, days and months are"
                    ));
                    "yyyyMMdd"
                });
                triggers.period = DatePrinter::compile(period, TimeZone::system()).ok();
                triggers.old_at_start |= self.flag(node, "evaluateOnStartup", false);
            }
            "onstartuptriggeringpolicy" => {
                let least = self.get(node, "minSize").and_then(|text| sizes::bytes(&text));
                triggers.at_start = Some(least.unwrap_or(1));
            }
            _ => appender.say(format_args!("<{}> is not there; it is not rolled by that", kind(node))),
        }
    }

    fn strategy(
        &self,
        node: Node<'_, '_>,
        pattern: NamePattern,
        written: &Written<'_>,
        appender: &mut Appender,
    ) -> Names {
        let is_strategy = |element: &Node<'_, '_>| kind(*element).to_ascii_lowercase().ends_with("strategy");
        let strategy = elements(node).find(is_strategy);
        let number = |name: &str, default: u32| {
            strategy
                .and_then(|node| self.get(node, name))
                .and_then(|text| text.trim().parse().ok())
                .unwrap_or(default)
        };
        let (first, last) = (number("min", 1), number("max", 7));
        let index = strategy.and_then(|node| self.get(node, "fileIndex")).unwrap_or_default();
        let last = (!index.eq_ignore_ascii_case("nomax")).then_some(last);
        let newest_is_last = !index.eq_ignore_ascii_case("min");
        let mut delete = None;
        if let Some(other) = strategy.filter(|node| !is(*node, "DefaultRolloverStrategy")) {
            appender.say(format_args!("<{}> is not there; DefaultRolloverStrategy is taken", kind(other)));
        }
        for action in strategy.into_iter().flat_map(|node| elements(node)) {
            let read = if is(action, "Delete") { self.delete(action, written) } else { None };
            match read {
                Some(read) => {
                    let before = delete.replace(read);
                    if before.is_some() {
                        appender.say("of several <Delete> only the last is done, so that files may pile up; write a <RollingFile> for each");
                    }
                }
                None if action.attributes().len() + elements(action).count() > 0 => appender.say(format_args!(
                    "its <{}> is not there, or has a condition that is not, or none: it is not done, so that files may pile up",
                    kind(action)
                )),
                None => {}
            }
        }
        Names::Pattern { pattern, first, last, newest_is_last, delete }
    }
}

/// A log file that is rolled.
struct Written<'a> {
    file: &'a Path,
    /// What its rolled files would end in if they were compressed.
    end: &'a str,
    /// What the names of its rolled files are like.
    like: &'a str,
}

/// log4j 2's own default.
const DAILY: &str = "0 0 0 * * ?";

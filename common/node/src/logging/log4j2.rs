//! `log4j2.xml`, as Flume since 1.10 has it.
//!
//! Source: log4j 2.18, its `XmlConfiguration` and the builders of its appenders, policies and strategies.

mod delete;
mod filters;
mod rolling;
mod socket;

use super::{
    model::{Appender, Lack, Least, Logger, MOST_NAME, Model, Reference, To},
    variables::{Budget, fill, of_every_jvm},
};
use console::{Dialect, FileSettings, Filter, Names, Triggers, parse_level};
use filters::Wrong;
use roxmltree::{Document, Node};
use slog::Level;
use std::{collections::BTreeMap, sync::Arc};

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
            _ if filters::is_filter(part) => reader.filter_of_all(part),
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
        let appenders = self.references(node);
        let additive = self.flag(node, "additivity", true);
        let whose = if is_root {
            "the root logger".to_owned()
        } else {
            format!("the logger {}", plan::cut(&name, MOST_NAME))
        };
        let filter = self.filter_of(node, &whose);
        self.model.loggers.retain(|known| known.name != name);
        self.model.loggers.push(Logger { name, level, appenders, additive, filter });
    }

    /// The appenders that an element names.
    fn references(&mut self, node: Node<'_, '_>) -> Vec<Reference> {
        let mut all = Vec::new();
        for element in elements(node).filter(|element| is(*element, "AppenderRef")) {
            let name = self.get(element, "ref").unwrap_or_default();
            let least =
                self.get(element, "level").map_or(Some(Level::Trace), |text| self.level(&text, Level::Trace));
            let whose = format!("the reference to {}", plan::cut(&name, MOST_NAME));
            let filters = self.filter_of(element, &whose).map(Arc::new).into_iter().collect();
            all.push(Reference { name, least, filters });
        }
        all
    }

    /// What an element holds back. What is wrong with it is said of `whose` it is.
    fn filter_of(&mut self, node: Node<'_, '_>, whose: &str) -> Option<Filter> {
        let mut wrong = Wrong::default();
        let filter = self.filter(node, &mut wrong);
        self.say_wrong(wrong, &format!("{whose}: "));
        filter
    }

    fn say_wrong(&mut self, wrong: Wrong, whose: &str) {
        wrong.notices.into_iter().for_each(|what| self.say(format!("{whose}{what}")));
        let of_file = |said: &str| format!("{}: {whose}{said}", self.origin);
        let lacks = wrong.lacks.into_iter().map(|lack| Lack { said: of_file(&lack.said), ..lack });
        self.model.lacks.extend(lacks.collect::<Vec<_>>());
    }

    fn filter_of_all(&mut self, node: Node<'_, '_>) {
        let mut wrong = Wrong::default();
        let filter = self.one_filter(node, &mut wrong);
        self.say_wrong(wrong, "");
        let before = self.model.filter.take();
        let all: Vec<_> = before.into_iter().chain(filter).collect();
        self.model.filter = (!all.is_empty()).then(|| Filter::all(all));
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
        if let Some(written) = node.attribute("name") {
            written.clone_into(&mut appender.written);
        }
        let class = kind(node);
        match class.to_ascii_lowercase().as_str() {
            "console" => {
                if !self.get(node, "target").is_some_and(|target| target.eq_ignore_ascii_case("SYSTEM_ERR")) {
                    appender
                        .say("its target is SYSTEM_OUT; its lines go to stderr, as all of the console's do");
                }
                appender.to = To::Console;
            }
            "file" | "randomaccessfile" | "memorymappedfile" => {
                appender.to =
                    self.file(node, &mut appender).map_or(To::Nowhere, |file| To::File(Box::new(file)));
            }
            "rollingfile" | "rollingrandomaccessfile" => {
                appender.to =
                    self.rolling(node, &mut appender).map_or(To::Nowhere, |file| To::File(Box::new(file)));
            }
            "syslog" => self.syslog(node, &mut appender),
            "socket" => self.socket(node, &mut appender),
            "null" | "countingnoop" => {}
            "async" => appender.to = To::Others(self.references(node)),
            "failover" => {
                appender.say("it hands lines to its primary appender only, also when that fails; a log file that cannot be written is told of on the console");
                let primary = self.get(node, "primary").unwrap_or_default();
                appender.to = To::Others(vec![Reference::new(&primary)]);
                self.look_behind(node, &mut appender);
            }
            _ => {
                appender.lack(&format!("<{class}>"), format_args!(
                    "<{class}> is not there, so that what it would send, mail or store is not; only log files, sockets and the console are"
                ));
                self.look_behind(node, &mut appender);
            }
        }
        if matches!(appender.to, To::Console | To::File(_)) {
            self.layout(node, &mut appender);
        }
        self.hold_back(node, &mut appender);
        self.model.appenders.push(appender);
    }

    /// Where log4j may hand on what such an appender gets.
    fn look_behind(&self, node: Node<'_, '_>, appender: &mut Appender) {
        for part in node.descendants().skip(1).filter(Node::is_element) {
            appender.prints |= is(part, "Console");
            appender.behind.extend(self.get(part, "ref"));
        }
    }

    fn layout(&self, node: Node<'_, '_>, appender: &mut Appender) {
        let layout = elements(node).find(|element| kind(*element).to_ascii_lowercase().ends_with("layout"));
        match layout {
            Some(layout) if is(layout, "PatternLayout") => {
                appender.pattern = self.get(layout, "pattern").unwrap_or_else(|| "%m%n".to_owned());
            }
            Some(other) => {
                let name = format!("<{}>", kind(other));
                appender.lack(&name, format_args!("{name} is not there; Flume's own layout is taken"));
            }
            None => "%m%n".clone_into(&mut appender.pattern),
        }
    }

    fn file(&self, node: Node<'_, '_>, appender: &mut Appender) -> Option<FileSettings> {
        let path = self.get(node, "fileName").filter(|path| !path.is_empty());
        let Some(path) = path.filter(|path| !path.contains("${")) else {
            let path = self.get(node, "fileName").unwrap_or_default();
            let direct = elements(node).find(|element| is(*element, "DirectWriteRolloverStrategy"));
            match (path.as_str(), direct) {
                ("", None) => appender.say("it has no fileName, so that nothing is written; write one"),
                ("", Some(direct)) => appender.lack(
                    &format!("<{}>", kind(direct)),
                    "it has no fileName, and files that are written under their last names are not there, so that nothing is written",
                ),
                (path, _) => appender.lack(
                    path,
                    format_args!(
                        "its fileName {} has a variable that is not known here, so that nothing is written",
                        plan::cut(path, MOST_NAME)
                    ),
                ),
            }
            return None;
        };
        let append = self.flag(node, "append", true);
        let (triggers, names) = (Triggers::default(), Names::Numbered(0));
        Some(FileSettings { path: path.into(), append, triggers, names })
    }
}

//! What of a configuration any logger uses, as the console takes it.

use super::model::{Appender, CONSOLE_PATTERN, Least, Logger, MOST_NAME, Model, Reference, To, stricter};
use super::{needs::Writer, routes::Places};
use console::{Format, Levels, LogFileSettings, Pattern, Routes, SocketLogSettings};
use slog::Level;
use std::sync::Arc;

/// What is used of a model.
#[derive(Debug, Default)]
pub(super) struct Used {
    /// What goes to the console, if anything does, and how it looks there: `None` for Flume's console layout.
    pub(super) console: Option<(Option<Format>, Levels)>,
    pub(super) files: Vec<LogFileSettings>,
    pub(super) sockets: Vec<SocketLogSettings>,
    /// Names of the appenders that write files, then of those that send.
    pub(super) names: Vec<String>,
    /// A logger asks that lines go nowhere, by an appender made for that.
    pub(super) silent: bool,
    /// The levels of the loggers, wherever their lines go.
    pub(super) levels: Levels,
    /// What filters hold back, where there are any.
    pub(super) routes: Option<Routes>,
    pub(super) notices: Vec<String>,
}

impl Model {
    /// What of it any logger uses.
    pub(super) fn used(mut self, writer: Writer) -> Used {
        self.settle(writer);
        self.resolve();
        let (notices, levels) = (std::mem::take(&mut self.notices), self.own_levels());
        let mut used = Used { notices, levels, ..Used::default() };
        self.tell_missing(&mut used.notices);
        let (mut printing, mut sending, mut places) = (Vec::new(), Vec::new(), Places::default());
        for mut appender in std::mem::take(&mut self.appenders) {
            let Some(levels) = self.levels(&[&appender]) else { continue };
            if writer.is_log4j_for(&appender.to) {
                used.silent = true;
                continue;
            }
            match std::mem::replace(&mut appender.to, To::Nowhere) {
                To::Console => {
                    places.add(0, &appender);
                    printing.push(appender);
                    continue;
                }
                To::File(file) if used.files.len() == MOST_FILES => {
                    appender.say(format_args!(
                        "there are {MOST_FILES} log files already; nothing is written to {}",
                        file.path.display()
                    ));
                }
                To::File(file) => {
                    let format = appender.format();
                    used.files.push(LogFileSettings { file: *file, format, levels });
                    used.names.push(appender.name.clone());
                    places.add(used.files.len(), &appender); // 0 is the console
                }
                To::Socket(_) if sending.len() == MOST_SOCKETS => appender
                    .say(format_args!("there are {MOST_SOCKETS} that send lines already; nothing is sent")),
                To::Socket(socket) => {
                    sending.push((appender, *socket, levels));
                    continue;
                }
                To::Others(_) => {} // which have been put in its place
                To::Nowhere => used.silent |= appender.notices.is_empty(),
            }
            used.notices.append(&mut appender.notices);
        }
        for (mut appender, socket, levels) in sending {
            let format = appender.format();
            used.sockets.push(SocketLogSettings { socket, format, levels });
            places.add(used.files.len() + used.sockets.len(), &appender); // behind the files
            used.notices.append(&mut appender.notices);
            used.names.push(appender.name);
        }
        used.console = self.console(printing, &mut used.notices);
        used.routes = self.routes(&places, &used.levels);
        used
    }

    /// All that goes to the one console there is: each line once, as the first of the appenders has it.
    fn console(&self, mut all: Vec<Appender>, notices: &mut Vec<String>) -> Option<(Option<Format>, Levels)> {
        let levels = self.levels(&all.iter().collect::<Vec<_>>())?;
        let (first, others) = all.split_first_mut()?;
        let is_flumes = first.pattern.trim() == CONSOLE_PATTERN;
        let format = (!is_flumes).then(|| first.format());
        notices.append(&mut first.notices);
        for other in others {
            if other.pattern != first.pattern {
                let first = plan::cut(&first.name, MOST_NAME);
                other.say(format_args!(
                    "its lines look as those of the appender {first}: there is one console, and a line stands there once"
                ));
            }
            notices.append(&mut other.notices);
        }
        Some((format, levels))
    }

    pub(super) fn own_levels(&self) -> Levels {
        let root = self.loggers.iter().find(|logger| logger.name.is_empty());
        let mut levels = Levels::bare(root.map_or(Some(Level::Info), |root| self.level(root)));
        for logger in self.loggers.iter().filter(|logger| !logger.name.is_empty()) {
            logger.level.into_iter().for_each(|level| levels.set(&logger.name, level));
        }
        levels
    }

    fn tell_missing(&self, notices: &mut Vec<String>) {
        for logger in &self.loggers {
            for Reference { name, .. } in &logger.appenders {
                if !self.appenders.iter().any(|appender| appender.name == *name) {
                    let whose = if logger.name.is_empty() { "the root logger" } else { &logger.name };
                    notices.push(format!(
                        "{}: {} names the appender `{}`, which is not defined; nothing is written there, by Flume neither",
                        self.origin,
                        plan::cut(whose, MOST_NAME),
                        plan::cut(name, MOST_NAME)
                    ));
                }
            }
        }
    }

    /// Which lines go to any of these appenders; `None` when no logger names one.
    fn levels(&self, appenders: &[&Appender]) -> Option<Levels> {
        let is_named = |name: &str| appenders.iter().any(|appender| appender.name == name);
        if !self
            .loggers
            .iter()
            .any(|logger| logger.appenders.iter().any(|reference| is_named(&reference.name)))
        {
            return None;
        }
        let one = |logger: &Logger, appender: &Appender| match self.attached(logger, &appender.name) {
            Some(reference) => stricter(stricter(self.level(logger), reference), appender.threshold),
            None => None,
        };
        let least = |logger: &Logger| {
            let all = appenders.iter().filter_map(|appender| one(logger, appender));
            all.max_by_key(Level::as_usize)
        };
        let root = self.loggers.iter().find(|logger| logger.name.is_empty());
        let mut levels = Levels::bare(root.and_then(least));
        let mut below: Vec<&Logger> = self.loggers.iter().filter(|logger| !logger.name.is_empty()).collect();
        below.sort_by_key(|logger| logger.name.len());
        for logger in below {
            levels.set(&logger.name, least(logger));
        }
        Some(levels)
    }

    /// The logger above.
    fn above(&self, logger: &Logger) -> Option<&Logger> {
        let is_above = |front: &&Logger| {
            front.name.is_empty()
                || logger.name.strip_prefix(&front.name).is_some_and(|rest| rest.starts_with('.'))
        };
        let others = self.loggers.iter().filter(|other| other.name.len() < logger.name.len());
        others.filter(is_above).max_by_key(|front| front.name.len())
    }

    fn level(&self, logger: &Logger) -> Least {
        match logger.level {
            Some(level) => level,
            None => self.above(logger).map_or(Some(Level::Debug), |above| self.level(above)),
        }
    }

    /// Whether its lines go to an appender, and what is the least of them.
    fn attached(&self, logger: &Logger, appender: &str) -> Option<Least> {
        let own = logger.appenders.iter().filter(|reference| reference.name == appender);
        let own = own.map(|reference| reference.least);
        let above = self.above(logger).filter(|_| logger.additive);
        let above = above.and_then(|above| self.attached(above, appender));
        own.chain(above).max_by_key(|least| least.map_or(0, |level| level.as_usize()))
    }
}

impl Appender {
    fn format(&mut self) -> Format {
        let (pattern, wrong) = Pattern::parse(&self.pattern, self.dialect);
        for what in wrong {
            self.say(format!("its pattern: {what}"));
        }
        let pattern = match self.facility {
            Some(facility) => pattern.behind_priority(facility, self.dialect),
            None => pattern,
        };
        Format::Pattern(Arc::new(pattern))
    }
}

/// Each has a thread and a file of its own.
const MOST_FILES: usize = 64;

/// Each has a thread and a connection of its own.
const MOST_SOCKETS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use console::{Dialect, FileSettings};

    fn logger(name: &str, level: Option<Level>, appenders: &[&str], additive: bool) -> Logger {
        let appenders = appenders.iter().map(|name| Reference::new(name)).collect();
        Logger { name: name.to_owned(), level: level.map(Some), appenders, additive, filter: None }
    }

    #[test]
    fn each_appender_has_the_levels_of_the_loggers_that_reach_it() {
        let appender =
            |name, threshold| Appender { threshold: Some(threshold), ..Appender::new(name, Dialect::One) };
        let model = Model {
            loggers: vec![
                logger("", Some(Level::Info), &["A", "B"], true),
                logger("org.x", Some(Level::Debug), &["C"], false),
                logger("org.x.y", None, &["B"], true),
            ],
            ..Model::default()
        };
        let enabled = |levels: &Levels, name: &str, level| levels.enabled(name, level);
        let a = model.levels(&[&appender("A", Level::Trace)]).unwrap();
        assert!(enabled(&a, "com.z", Level::Info) && !enabled(&a, "org.x", Level::Error));
        assert!(!enabled(&a, "org.x.y", Level::Error));
        let b = model.levels(&[&appender("B", Level::Warning)]).unwrap();
        assert!(enabled(&b, "com.z", Level::Warning) && !enabled(&b, "com.z", Level::Info));
        assert!(enabled(&b, "org.x.y", Level::Warning) && !enabled(&b, "org.x", Level::Warning));
        let c = model.levels(&[&appender("C", Level::Trace)]).unwrap();
        assert!(enabled(&c, "org.x.y", Level::Debug) && !enabled(&c, "com.z", Level::Critical));
        assert_eq!(model.levels(&[&appender("D", Level::Trace)]), None);
    }

    #[test]
    fn of_two_consoles_each_has_its_lines() {
        let console = |name, threshold| Appender {
            threshold: Some(threshold),
            to: To::Console,
            ..Appender::new(name, Dialect::One)
        };
        let model = |appenders| Model {
            loggers: vec![
                logger("", Some(Level::Info), &["err", "out"], true),
                logger("org.x", Some(Level::Debug), &["err"], false),
            ],
            appenders,
            ..Model::default()
        };
        let used =
            model(vec![console("err", Level::Warning), console("out", Level::Trace)]).used(Writer::Here);
        let (_, levels) = used.console.unwrap();
        assert!(levels.enabled("com.z", Level::Info) && !levels.enabled("com.z", Level::Debug));
        assert!(levels.enabled("org.x", Level::Warning) && !levels.enabled("org.x", Level::Info));
        assert_eq!(used.notices, Vec::<String>::new());
        let other = Appender { pattern: "%m%n".to_owned(), ..console("out", Level::Trace) };
        let notices = model(vec![console("err", Level::Warning), other]).used(Writer::Here).notices;
        assert!(
            notices.len() == 1 && notices[0].contains("look as those of the appender err"),
            "{notices:?}"
        );
    }

    #[test]
    fn log_files_are_not_without_number() {
        let names: Vec<String> = (0..=MOST_FILES).map(|number| format!("f{number}")).collect();
        let file = |name: &String| {
            let (triggers, names) = (console::Triggers::default(), console::Names::Numbered(0));
            let file = FileSettings { path: name.into(), append: true, triggers, names };
            Appender { to: To::File(Box::new(file)), ..Appender::new(name, Dialect::One) }
        };
        let all: Vec<&str> = names.iter().map(String::as_str).collect();
        let loggers = vec![logger("", Some(Level::Info), &all, true)];
        let used = Model { loggers, appenders: names.iter().map(file).collect(), ..Model::default() }
            .used(Writer::Here);
        assert_eq!((used.files.len(), used.notices.len()), (MOST_FILES, 1), "{:?}", used.notices);
    }
}

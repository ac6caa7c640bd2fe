//! What a configuration of log4j comes to, whichever log4j it is for.

use super::routes::Places;
use console::{
    Dialect, FileSettings, Filter, Format, Levels, LogFileSettings, Pattern, Routes, SocketLogSettings,
    SocketSettings,
};
use slog::Level;
use std::sync::Arc;

/// Loggers, and where their lines go.
#[derive(Debug, Default)]
pub(super) struct Model {
    /// The file it is from, for messages.
    pub(super) origin: String,
    pub(super) loggers: Vec<Logger>,
    pub(super) appenders: Vec<Appender>,
    /// What is asked before any logger.
    pub(super) filter: Option<Filter>,
    /// What is to be said of it, but for what is said of an appender.
    pub(super) notices: Vec<String>,
}

/// A level, or `None` for OFF.
pub(super) type Least = Option<Level>;

#[derive(Debug)]
pub(super) struct Logger {
    /// Empty for the root.
    pub(super) name: String,
    /// `None` takes that of the logger above.
    pub(super) level: Option<Least>,
    pub(super) appenders: Vec<Reference>,
    /// Whether its lines go to the appenders of the logger above as well.
    pub(super) additive: bool,
    /// What it holds back from all of them.
    pub(super) filter: Option<Filter>,
}

/// An appender that somebody hands lines to.
#[derive(Debug, Clone)]
pub(super) struct Reference {
    pub(super) name: String,
    /// The least that goes there.
    pub(super) least: Least,
    /// What is held back on the way.
    pub(super) filters: Vec<Arc<Filter>>,
}

impl Reference {
    /// For all lines.
    pub(super) fn new(name: &str) -> Reference {
        Reference { name: name.to_owned(), least: Some(Level::Trace), filters: Vec::new() }
    }
}

#[derive(Debug)]
pub(super) struct Appender {
    pub(super) name: String,
    pub(super) to: To,
    /// Its conversion pattern.
    pub(super) pattern: String,
    pub(super) dialect: Dialect,
    /// Syslog's, for a line with a priority in front.
    pub(super) facility: Option<u8>,
    /// The least that it takes.
    pub(super) threshold: Least,
    /// What it holds back besides.
    pub(super) filter: Option<Arc<Filter>>,
    /// What is to be said of it when it is used.
    pub(super) notices: Vec<String>,
}

#[derive(Debug)]
pub(super) enum To {
    Console,
    File(Box<FileSettings>),
    Socket(Box<SocketSettings>),
    /// To other appenders.
    Others(Vec<Reference>),
    /// Lines go nowhere: because that is what it is for, or because it is not there.
    Nowhere,
}

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

impl Appender {
    pub(super) fn new(name: &str, dialect: Dialect) -> Appender {
        let (name, pattern) = (name.to_owned(), FILE_PATTERN.to_owned());
        Appender {
            name,
            to: To::Nowhere,
            pattern,
            dialect,
            facility: None,
            threshold: Some(Level::Trace),
            filter: None,
            notices: Vec::new(),
        }
    }

    /// Adds something that is to be said of it.
    pub(super) fn say(&mut self, text: impl std::fmt::Display) {
        self.notices.push(format!("the appender {}: {text}", plan::cut(&self.name, MOST_NAME)));
    }

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

impl Model {
    /// What of it any logger uses.
    pub(super) fn used(mut self) -> Used {
        self.resolve();
        let (notices, levels) = (std::mem::take(&mut self.notices), self.own_levels());
        let mut used = Used { notices, levels, ..Used::default() };
        self.tell_missing(&mut used.notices);
        let (mut printing, mut sending, mut places) = (Vec::new(), Vec::new(), Places::default());
        for mut appender in std::mem::take(&mut self.appenders) {
            let Some(levels) = self.levels(&[&appender]) else { continue };
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

    fn own_levels(&self) -> Levels {
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

/// The one that prints less.
pub(super) fn stricter(one: Least, other: Least) -> Least {
    Some(std::cmp::min_by_key(one?, other?, Level::as_usize))
}

/// Flume's layout of a console.
pub(super) const CONSOLE_PATTERN: &str = "%d (%t) [%p - %l] %m%n";

/// Flume's layout of a file.
pub(super) const FILE_PATTERN: &str = "%d{dd MMM yyyy HH:mm:ss,SSS} %-5p [%t] (%C.%M:%L)  - %m%n";

/// Each has a thread and a file of its own.
const MOST_FILES: usize = 64;

/// Each has a thread and a connection of its own.
const MOST_SOCKETS: usize = 16;

/// Bytes of a name that are shown.
pub(super) const MOST_NAME: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

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
        let used = model(vec![console("err", Level::Warning), console("out", Level::Trace)]).used();
        let (_, levels) = used.console.unwrap();
        assert!(levels.enabled("com.z", Level::Info) && !levels.enabled("com.z", Level::Debug));
        assert!(levels.enabled("org.x", Level::Warning) && !levels.enabled("org.x", Level::Info));
        assert_eq!(used.notices, Vec::<String>::new());
        let other = Appender { pattern: "%m%n".to_owned(), ..console("out", Level::Trace) };
        let notices = model(vec![console("err", Level::Warning), other]).used().notices;
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
        let used = Model { loggers, appenders: names.iter().map(file).collect(), ..Model::default() }.used();
        assert_eq!((used.files.len(), used.notices.len()), (MOST_FILES, 1), "{:?}", used.notices);
    }
}

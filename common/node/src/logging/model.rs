//! What a configuration of log4j comes to, whichever log4j it is for.

use console::{Dialect, FileSettings, Filter, SocketSettings};
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
    /// What its loggers have that only log4j itself can do.
    pub(super) lacks: Vec<Lack>,
}

/// Something that native code has not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lack {
    /// In two words: `<SMTP>`.
    pub(super) what: String,
    /// What is to be said of it where there is no log4j either.
    pub(super) said: String,
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
    /// What it has that only log4j itself can do.
    pub(super) lacks: Vec<Lack>,
    /// Its name as it stands in the file, before variables are filled in.
    pub(super) written: String,
    /// Appenders that it hands lines to where log4j has it.
    pub(super) behind: Vec<String>,
    /// Whether it has a console of its own there, within it.
    pub(super) prints: bool,
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

impl Appender {
    pub(super) fn new(name: &str, dialect: Dialect) -> Appender {
        let (name, pattern) = (name.to_owned(), FILE_PATTERN.to_owned());
        Appender {
            written: name.clone(),
            behind: Vec::new(),
            prints: false,
            name,
            to: To::Nowhere,
            pattern,
            dialect,
            facility: None,
            threshold: Some(Level::Trace),
            filter: None,
            notices: Vec::new(),
            lacks: Vec::new(),
        }
    }

    /// Adds something that is to be said of it.
    pub(super) fn say(&mut self, text: impl std::fmt::Display) {
        self.notices.push(self.said(text));
    }

    /// Adds something that only log4j itself can do, and what is to be said of it where there is none.
    pub(super) fn lack(&mut self, what: &str, text: impl std::fmt::Display) {
        let said = self.said(text);
        self.lacks.push(Lack { what: plan::cut(what, MOST_NAME), said });
    }

    fn said(&self, text: impl std::fmt::Display) -> String {
        format!("the appender {}: {text}", plan::cut(&self.name, MOST_NAME))
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

/// Bytes of a name that are shown.
pub(super) const MOST_NAME: usize = 100;

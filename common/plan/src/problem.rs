//! One thing that is wrong or doubtful in a configuration.

use std::fmt;

use serde::Serialize;

use crate::fate::{Dropped, Effect};
use crate::place::Place;
use crate::quote::{Printable, cut};

/// How bad a [`Problem`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know; nothing is wrong.
    Note,
    /// The agent can start, and may not do what was meant.
    Warning,
    /// The agent does not start.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        })
    }
}

/// One problem at one place. Texts are whole sentences without a line end; an empty one has nothing to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// A short name that stays the same from release to release: `inline-comment`.
    pub code: &'static str,
    /// Where it stands.
    pub place: Place,
    /// What was found.
    pub what: String,
    /// What Apache Flume 1.11 does with it.
    pub flume: String,
    /// What is done with it here.
    pub here: String,
    /// How to write it right.
    pub fix: String,
    /// What it is about, as the other texts name it: ``sink `k1` ``.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// What it has in common with others, which are told with it as one; empty for one that stands alone.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cause: String,
    /// What this build does not have and the file asks for: `hdfs`. The file is not wrong then.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub lacks: String,
    /// What follows for the agent in Flume.
    #[serde(skip)]
    pub(crate) effect: Option<Effect>,
    /// What is said of Flume and of here holds only while the agent runs.
    #[serde(skip)]
    pub(crate) while_running: bool,
}

impl Problem {
    /// An error: the agent does not start.
    pub fn error(code: &'static str, place: &Place, what: impl Into<String>) -> Problem {
        let here = "the agent does not start with it".to_string();
        Problem { here, ..Problem::new(Severity::Error, code, place, what.into()) }
    }

    /// A warning: the agent can start.
    pub fn warning(code: &'static str, place: &Place, what: impl Into<String>) -> Problem {
        Problem::new(Severity::Warning, code, place, what.into())
    }

    /// Good to know.
    pub fn note(code: &'static str, place: &Place, what: impl Into<String>) -> Problem {
        Problem::new(Severity::Note, code, place, what.into())
    }

    fn new(severity: Severity, code: &'static str, place: &Place, what: String) -> Problem {
        let nothing = String::new;
        Problem {
            severity,
            code,
            place: place.clone(),
            what,
            flume: nothing(),
            here: nothing(),
            fix: nothing(),
            subject: nothing(),
            cause: nothing(),
            lacks: nothing(),
            effect: None,
            while_running: false,
        }
    }

    /// The same with every text cut to what somebody reads: a line of a file may have megabytes.
    pub(crate) fn bounded(mut self) -> Problem {
        for text in self.texts() {
            if text.len() > MAX_TEXT {
                *text = cut(text, MAX_TEXT);
            }
        }
        if self.place.origin.len() > MAX_TEXT {
            self.place.origin = cut(&self.place.origin, MAX_TEXT).into();
        }
        self
    }

    pub(crate) fn texts(&mut self) -> [&mut String; 7] {
        let Problem { what, flume, here, fix, subject, cause, lacks, .. } = self;
        [what, flume, here, fix, subject, cause, lacks]
    }

    /// Says what Flume does.
    pub fn flume(self, does: impl Into<Dropped>) -> Problem {
        let Dropped { text, effect } = does.into();
        Problem { flume: text, effect: effect.or(self.effect), ..self }
    }

    /// Says what is done here.
    pub fn here(self, text: impl Into<String>) -> Problem {
        Problem { here: text.into(), ..self }
    }

    /// Says how to write it right.
    pub fn fix(self, text: impl Into<String>) -> Problem {
        Problem { fix: text.into(), ..self }
    }

    /// Says what it is about, and what others of the same cause have in common with it: they are told as one.
    pub fn cause(self, subject: impl Into<String>, cause: impl Into<String>) -> Problem {
        Problem { subject: subject.into(), cause: cause.into(), ..self }
    }

    /// Says that nothing is wrong with the file but that this build does not have something.
    pub fn lacks(self, what: impl Into<String>) -> Problem {
        Problem { lacks: what.into(), ..self }
    }

    pub(crate) fn effect(self, effect: Effect) -> Problem {
        Problem { effect: Some(effect), ..self }
    }

    /// The same of a component that no list names, so that it does not run.
    pub(crate) fn unlisted(self) -> Problem {
        let flume = match self.flume.is_empty() {
            true => "ignores it silently".to_string(),
            false => format!("once a list names it: {}", self.flume),
        };
        let here = "it does not run, as no list names it".to_string();
        Problem { severity: Severity::Warning, flume, here, lacks: String::new(), effect: None, ..self }
    }

    /// Whether what it says of Flume happens only in an agent that passes validation.
    pub(crate) fn is_after_validation(&self) -> bool {
        matches!(self.effect, Some(Effect::Unconfigured(_) | Effect::Unloadable(_))) && !self.flume.is_empty()
    }

    /// Says that what was said of Flume and of here holds only while the agent runs.
    pub fn while_running(self) -> Problem {
        Problem { while_running: true, ..self }
    }
}

/// Bytes of each text of a finding: more than any of ours has, unless what it quotes is long.
const MAX_TEXT: usize = 2000;

/// A heading line, then a line for each thing there is to say.
impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}: {} [{}]", self.place, self.severity, Printable(&self.what), self.code)?;
        let lines = [("in Flume:", &self.flume), ("here:", &self.here), ("write:", &self.fix)];
        for (label, text) in lines.into_iter().filter(|(_, text)| !text.is_empty()) {
            write!(out, "\n    {label:<9} {}", Printable(text))?;
        }
        Ok(())
    }
}

//! How messages name a component, and where a component puts its findings.

use crate::component::Kind;
use crate::fate::Dropped;
use crate::place::Place;
use crate::problem::Problem;
use crate::report::Report;
use crate::settings::{ComponentPlan, Properties};

/// Whose properties are checked, as messages name it.
#[derive(Clone, Debug)]
pub struct Owner {
    /// ``source `r1` ``.
    pub noun: String,
    /// `a1.sources.r1.`.
    pub prefix: String,
    /// What Flume does when it does not take it: ``removes the source `r1` ``.
    pub dropped: Dropped,
    /// Where it begins.
    pub at: Place,
}

impl Owner {
    /// One that stands in a list of the agent.
    pub(crate) fn new(kind: Kind, list: &'static str, agent: &str, name: &str, at: &Place) -> Owner {
        let noun = format!("{} `{name}`", kind.noun());
        let dropped = Dropped::unconfigured(&noun, list, name);
        Owner { dropped, noun, prefix: format!("{agent}.{list}.{name}."), at: at.clone() }
    }

    /// Something inside: a selector, an interceptor, a serializer. What drops it drops the owner.
    pub(crate) fn inner(&self, noun: String, prefix: &str, at: &Place) -> Owner {
        let prefix = format!("{}{prefix}", self.prefix);
        Owner { noun, prefix, dropped: self.dropped.clone(), at: at.clone() }
    }

    /// For a component that no file has: in tests.
    pub fn nobody() -> Owner {
        let text = || String::from("test");
        Owner {
            noun: text(),
            prefix: String::new(),
            dropped: Dropped::says("test"),
            at: Place::whole("test"),
        }
    }
}

/// Where a component says what is wrong or doubtful in its properties.
pub struct Findings<'a> {
    /// How it is named.
    pub owner: &'a Owner,
    properties: &'a Properties,
    report: &'a mut Report,
}

impl<'a> Findings<'a> {
    /// About the component that `owner` names.
    pub fn new(owner: &'a Owner, properties: &'a Properties, report: &'a mut Report) -> Findings<'a> {
        Findings { owner, properties, report }
    }

    /// Where `key` stands, or the component begins.
    pub fn at(&self, key: &str) -> &Place {
        self.properties.place(key).unwrap_or(&self.owner.at)
    }

    /// Where `word` stands, a part of the value of `key` as [`Properties::words`] has it.
    pub fn word_at(&self, key: &str, word: &str) -> Place {
        self.properties.word_at(key, word).unwrap_or_else(|| self.at(key).clone())
    }

    /// The whole key: `a1.sources.r1.port`.
    pub fn key(&self, key: &str) -> String {
        format!("{}{key}", self.owner.prefix)
    }

    /// Adds a finding.
    pub fn add(&mut self, problem: Problem) {
        self.report.add(problem);
    }

    /// About a part of the component.
    pub fn inner<'b>(&'b mut self, part: &'b ComponentPlan) -> Findings<'b> {
        Findings { owner: &part.owner, properties: &part.properties, report: self.report }
    }

    /// Says that the component cannot run with the value of `key`, unless the check has said so already.
    pub fn refuse(&mut self, key: &str, what: &str) {
        if self.properties.is_refused(key) {
            return;
        }
        let set = self.properties.text(key);
        let property = match self.properties.shown(key) {
            Some(value) => format!("`{} = {value}`", self.key(key)),
            None => format!("`{}` is not set", self.key(key)),
        };
        let code = if set.is_some() { "bad-value" } else { "missing-property" };
        let problem = Problem::error(code, self.at(key), format!("{property}: {what}"));
        self.report.add(problem.flume(&self.owner.dropped));
    }
}

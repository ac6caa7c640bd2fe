//! Where a component puts its findings.

use crate::owner::Owner;
use crate::place::Place;
use crate::problem::Problem;
use crate::report::Report;
use crate::settings::{ComponentPlan, Properties};

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

    /// The value of `key` for a message: cut when it is long, and hidden when it is a secret.
    pub fn shown(&self, key: &str) -> Option<String> {
        self.properties.shown(key)
    }

    /// Whether `key` is set, and nothing was found in its value.
    pub fn is_clean(&self, key: &str) -> bool {
        let place = self.properties.place(key);
        place.is_some() && self.report.problems.iter().all(|problem| Some(&problem.place) != place)
    }

    /// Whether a variable in the value of `key` names nothing, which has been told. As the value cannot be used with it, that
    /// is an error from now on; `flume` is what Flume does then.
    pub fn is_unresolved(&mut self, key: &str, flume: &str) -> bool {
        let place = self.at(key).clone();
        let of_variable = |told: &&mut Problem| told.code == "unknown-variable" && told.place == place;
        let is_unlisted = self.report.is_unlisted(&place);
        let Some(told) = self.report.problems.iter_mut().rfind(of_variable) else { return false };
        if is_unlisted {
            return true;
        }
        let error = Problem::error(told.code, &place, "");
        (told.severity, told.here) = (error.severity, error.here);
        told.flume = format!("{}: {flume}", told.flume);
        true
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

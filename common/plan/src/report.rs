//! What is wrong or doubtful in a configuration, for people and for programs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::fate::{Effect, Fate, Outline, listed};
use crate::finding::{Finding, findings};
use crate::place::Place;
use crate::problem::{Problem, Severity};
use crate::quote::quoted;
use crate::secret::Secrets;

/// Everything found, in the order of the places in which it stands.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// The findings, at most a thousand.
    pub problems: Vec<Problem>,
    /// How many more there are, where a file is no configuration at all.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub left_out: BTreeMap<Severity, usize>,
    #[serde(skip)]
    secrets: Secrets,
    #[serde(skip)]
    pub(crate) outline: Outline,
    /// What was left out of the agent, so that the rest starts: ``sink `k1` ``.
    #[serde(skip)]
    pub(crate) without: Vec<String>,
    /// Lines of components that no list names: what is wrong with those keeps nothing from starting.
    #[serde(skip)]
    pub(crate) unlisted: BTreeSet<(Arc<str>, u32)>,
}

/// The code of what needs a JVM where there is none.
pub(crate) const NEEDS_JAVA: &str = "needs-java";

/// Nobody reads more, and a file of a million wrong lines shall not take memory for each of them.
const MAX_PROBLEMS: usize = 1000;

impl Report {
    /// Whether the agent cannot start.
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// Whether something may not be as it was meant.
    pub fn has_warnings(&self) -> bool {
        self.count(Severity::Warning) > 0
    }

    /// How many findings are of one severity.
    pub fn count(&self, severity: Severity) -> usize {
        let shown = self.problems.iter().filter(|problem| problem.severity == severity).count();
        shown + self.left_out.get(&severity).copied().unwrap_or_default()
    }

    /// Adds a finding.
    pub fn add(&mut self, problem: Problem) {
        if self.problems.len() < MAX_PROBLEMS {
            let is_unlisted = problem.severity == Severity::Error && self.is_unlisted(&problem.place);
            let problem = if is_unlisted { problem.unlisted() } else { problem };
            let mut problem = problem.bounded();
            for text in problem.texts() {
                *text = self.secrets.hide(text);
            }
            self.problems.push(problem);
        } else {
            *self.left_out.entry(problem.severity).or_default() += 1;
        }
    }

    /// Whether this is a line of a component that no list names.
    pub(crate) fn is_unlisted(&self, place: &Place) -> bool {
        !self.unlisted.is_empty() && self.unlisted.contains(&(place.origin.clone(), place.line))
    }

    /// Adds a warning that takes some work to put into words; the work is spared when it would not be shown.
    pub(crate) fn add_warning(&mut self, make: impl FnOnce() -> Problem) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(make().bounded());
        } else {
            *self.left_out.entry(Severity::Warning).or_default() += 1;
        }
    }

    /// Takes back what another finding at the same place says better.
    pub(crate) fn take_back(&mut self, code: &str, place: &Place) {
        self.problems.retain(|problem| problem.code != code || problem.place != *place);
    }

    /// Leaves the secrets out of all texts, also of those that are still to come.
    pub(crate) fn hide(&mut self, secrets: Secrets) {
        for text in self.problems.iter_mut().flat_map(|problem| problem.texts()) {
            *text = secrets.hide(text);
        }
        self.secrets = secrets;
    }

    /// Puts findings where a reader of the files meets them; what has no line comes first.
    pub fn sort(&mut self) {
        self.problems.sort_by(|a, b| (&a.place, b.severity, a.code).cmp(&(&b.place, a.severity, b.code)));
        self.problems.dedup();
    }
}

impl Report {
    /// One finding for each cause, in the order of the places in which they stand.
    pub fn findings(&self) -> Vec<Finding> {
        let mut problems = self.problems.clone();
        let is_valid = !self.is_known() || Fate::is_valid(&self.outline, &self.effects());
        for problem in problems.iter_mut().filter(|problem| !is_valid && problem.is_after_validation()) {
            problem.flume = format!("once the agent is valid: {}", problem.flume);
        }
        let runs_in_flume = matches!(self.fate(), Fate::Runs | Fate::Part(_));
        for problem in problems.iter_mut().filter(|problem| problem.while_running) {
            for (text, runs) in [(&mut problem.flume, runs_in_flume), (&mut problem.here, !self.has_errors())]
            {
                if !runs && !text.is_empty() {
                    *text = format!("once the agent runs: {text}");
                }
            }
        }
        findings(&problems)
    }

    /// What becomes of the agent in Flume.
    pub fn fate(&self) -> Fate {
        match Fate::decide(&self.outline, &self.effects()) {
            Fate::Runs if !self.without.is_empty() => Fate::Part(self.without.clone()),
            fate => fate,
        }
    }

    /// What was left out of the agent, so that the rest starts.
    pub fn without(&self) -> &[String] {
        &self.without
    }

    pub(crate) fn effects(&self) -> Vec<&Effect> {
        self.problems.iter().filter_map(|problem| problem.effect.as_ref()).collect()
    }

    /// What this build does not have of what the file asks for, the most frequent first: (`hdfs`, 3).
    pub fn lacking(&self) -> Vec<(&str, usize)> {
        counts(self.errors().filter(|problem| !problem.lacks.is_empty()))
    }

    fn errors(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().filter(|problem| problem.severity == Severity::Error)
    }

    /// Whether the file itself has errors, and does not only ask for what this build lacks.
    pub fn is_wrong(&self) -> bool {
        let left_out = self.left_out.contains_key(&Severity::Error);
        left_out || self.errors().any(|problem| problem.lacks.is_empty())
    }

    /// The line above all findings: whether the agent runs here and in Flume, and what keeps it from it.
    pub fn head(&self, agent: &str) -> String {
        let agent = format!("agent {}", quoted(agent));
        let in_flume = match self.fate() {
            fate if self.is_known() => format!("; in Flume {}", fate.sentence(&self.effects())),
            _ => String::new(),
        };
        if !self.has_errors() {
            let doubts = match (self.count(Severity::Warning), self.count(Severity::Note)) {
                (0, 0) => return format!("{agent} runs here: nothing is wrong"),
                (0, notes) => counted(notes, "note"),
                (warnings, 0) => counted(warnings, "warning"),
                (warnings, notes) => {
                    format!("{} and {}", counted(warnings, "warning"), counted(notes, "note"))
                }
            };
            let runs = match &self.without[..] {
                [] => "runs here".to_string(),
                without => format!("starts in part here, without {}", listed(without)),
            };
            return format!("{agent} {runs}, with {doubts}{in_flume}");
        }
        format!("{agent} does not run here: {}{in_flume}", self.blocks())
    }

    /// What keeps the agent from running here: what this host or this build lacks, and how much is wrong.
    pub fn blocks(&self) -> String {
        let (lacking, wrong): (Vec<&Problem>, Vec<&Problem>) =
            self.errors().partition(|problem| !problem.lacks.is_empty());
        let (java, lacking): (Vec<&Problem>, Vec<&Problem>) = lacking
            .into_iter()
            .partition(|problem| problem.code == NEEDS_JAVA && !problem.subject.is_empty());
        let (host, build): (Vec<&Problem>, Vec<&Problem>) =
            lacking.into_iter().partition(|problem| [NEEDS_JAVA, "no-such-class"].contains(&problem.code));
        let mut blocks = Vec::new();
        if !java.is_empty() {
            let needed = java.iter().map(|problem| {
                let noun = problem.subject.split(": ").next().unwrap_or_default();
                format!("{noun} ({})", problem.lacks)
            });
            let needed = few(&needed.collect::<Vec<_>>());
            blocks.push(format!(
                "there is no JVM with Flume's jars (FLUME_HOME, JAVA_HOME): needed by {needed}"
            ));
        }
        for (who, lacking) in [("host", host), ("build", build)] {
            let lacking = counts(lacking.into_iter());
            let lacking: Vec<String> =
                lacking.iter().map(|(what, times)| format!("{what} ({times})")).collect();
            if !lacking.is_empty() {
                blocks.push(format!("this {who} lacks {}", few(&lacking)));
            }
        }
        let wrong = wrong.len() + self.left_out.get(&Severity::Error).copied().unwrap_or_default();
        if wrong > 0 {
            blocks.push(format!("the configuration has {}", counted(wrong, "error")));
        }
        blocks.join("; ")
    }

    /// Whether the agent was found, so that something can be said of its fate.
    fn is_known(&self) -> bool {
        !self.outline.agent.is_empty()
    }
}

/// All findings and a last line that counts them; nothing at all when there is nothing to say.
impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.problems.is_empty() {
            return Ok(());
        }
        for finding in self.findings() {
            writeln!(out, "{finding}")?;
        }
        let more: usize = self.left_out.values().sum();
        if more > 0 {
            writeln!(out, "and {more} more")?;
        }
        let [errors, warnings, notes] =
            [Severity::Error, Severity::Warning, Severity::Note].map(|severity| self.count(severity));
        writeln!(
            out,
            "{}, {}, {}",
            counted(errors, "error"),
            counted(warnings, "warning"),
            counted(notes, "note")
        )
    }
}

/// What some findings lack, the most frequent first.
fn counts<'a>(problems: impl Iterator<Item = &'a Problem>) -> Vec<(&'a str, usize)> {
    let mut lacking: Vec<(&str, usize)> = Vec::new();
    for what in problems.map(|problem| problem.lacks.as_str()) {
        match lacking.iter_mut().find(|(known, _)| *known == what) {
            Some((_, times)) => *times += 1,
            None => lacking.push((what, 1)),
        }
    }
    lacking.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
    lacking
}

/// The first of many, in a headline.
fn few(texts: &[String]) -> String {
    const SHOWN: usize = 8;
    let shown = texts.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    match texts.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn counted(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Report {
        let place = |line| Place::at("a.conf", line, 3);
        let mut report = Report::default();
        report.add(Problem::warning("later", &place(9), "second").here("a\u{1b}b"));
        report.add(Problem::error("first", &place(2), "bad").flume("drops it").fix("`x`"));
        report.add(Problem::error("first", &place(2), "bad").flume("drops it").fix("`x`"));
        report.sort();
        report
    }

    #[test]
    fn reads_from_top_to_bottom_and_counts() {
        let expected = "a.conf:2:3: error: bad [first]\n    in Flume: drops it\n    here:     the agent does not start \
                        with it\n    write:    `x`\na.conf:9:3: warning: second [later]\n    here:     \
                        a\\u{1b}b\n1 error, 1 warning, 0 notes\n";
        assert_eq!(sample().to_string(), expected);
        assert_eq!(Report::default().to_string(), "");
    }

    #[test]
    fn what_is_too_much_is_counted() {
        let mut report = Report::default();
        for line in 0..1500 {
            report.add(Problem::warning("w", &Place::at("a", line, 1), "x"));
        }
        report.add(Problem::error("e", &Place::at("a", 1, 1), "x"));
        assert!(report.has_errors());
        assert_eq!((report.problems.len(), report.count(Severity::Warning)), (1000, 1500));
        assert!(report.to_string().ends_with("and 501 more\n1 error, 1500 warnings, 0 notes\n"));
    }
}

//! Problems of one cause as one finding with all its places.

use std::collections::HashMap;
use std::fmt;

use serde::Serialize;

use crate::place::Place;
use crate::problem::{Problem, Severity};
use crate::quote::Printable;

/// One cause, with every place where it shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// A short name that stays the same from release to release: `inline-comment`.
    pub code: &'static str,
    /// What was found.
    pub what: String,
    /// Where it stands, and what it is about there.
    pub places: Vec<Spot>,
    /// What Apache Flume 1.11 does with it; several where it differs from place to place.
    pub flume: Vec<String>,
    /// What is done with it here.
    pub here: Vec<String>,
    /// How to write it right.
    pub write: Vec<String>,
    /// What this build does not have; empty where the file is wrong.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub lacks: String,
}

/// A place of a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Spot {
    /// Where it is.
    #[serde(flatten)]
    pub place: Place,
    /// ``sink `k1` ``; empty where there is nothing to tell apart.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub about: String,
}

/// Puts problems of one cause together, each where the first of them stands.
pub(crate) fn findings(problems: &[Problem]) -> Vec<Finding> {
    let mut index = HashMap::new();
    let mut groups: Vec<Vec<&Problem>> = Vec::new();
    for problem in problems {
        let own = [&problem.what, &problem.flume, &problem.here, &problem.fix].map(String::as_str);
        let texts = if problem.cause.is_empty() { own } else { [problem.cause.as_str(), "", "", ""] };
        let next = groups.len();
        let at = *index.entry((problem.severity, problem.code, texts)).or_insert(next);
        match groups.get_mut(at) {
            Some(group) => group.push(problem),
            None => groups.push(vec![problem]),
        }
    }
    groups.iter().filter_map(|group| finding(group)).collect()
}

fn finding(group: &[&Problem]) -> Option<Finding> {
    let first = *group.first()?;
    let what = match group.len() {
        1 => first.what.clone(),
        many if first.cause.is_empty() => format!("{}, {many} times", first.what),
        many => format!("{}, {many} times", first.cause),
    };
    let spot = |problem: &&Problem| Spot { place: problem.place.clone(), about: problem.subject.clone() };
    Some(Finding {
        severity: first.severity,
        code: first.code,
        what,
        places: group.iter().map(spot).collect(),
        flume: joined(group, |problem| &problem.flume),
        here: joined(group, |problem| &problem.here),
        write: distinct(group.iter().map(|problem| problem.fix.clone())),
        lacks: distinct(group.iter().map(|problem| problem.lacks.clone())).join(", "),
    })
}

/// A text of several problems; those that differ only in what they are about are one.
fn joined(group: &[&Problem], text: impl Fn(&Problem) -> &String) -> Vec<String> {
    if let [only] = group {
        return distinct([text(only).clone()]);
    }
    let mut patterns: Vec<(String, Vec<&str>)> = Vec::new();
    for problem in group {
        let subject = problem.subject.as_str();
        let pattern = match subject.is_empty() {
            true => text(problem).clone(),
            false => text(problem).replace(subject, SUBJECT),
        };
        match patterns.iter_mut().find(|(known, _)| *known == pattern) {
            Some((_, subjects)) => subjects.push(subject),
            None => patterns.push((pattern, vec![subject])),
        }
    }
    distinct(patterns.into_iter().map(|(pattern, subjects)| {
        let names = distinct(subjects.iter().map(ToString::to_string));
        pattern.replace(SUBJECT, &few(&names, ", "))
    }))
}

/// Stands for what a text is about; no text of a file has it, as control characters are escaped in quotes.
const SUBJECT: &str = "\u{0}";

fn distinct(texts: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut once: Vec<String> = Vec::new();
    for text in texts {
        if !text.is_empty() && !once.contains(&text) {
            once.push(text);
        }
    }
    once
}

/// The first of many.
fn few(texts: &[String], between: &str) -> String {
    const SHOWN: usize = 20;
    let shown = texts.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(between);
    match texts.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown}{between}and {more} more"),
    }
}

impl Finding {
    /// Its places, each with what it is about.
    fn at(&self) -> String {
        let spot = |spot: &Spot| match spot.about.is_empty() {
            true => spot.place.to_string(),
            false => format!("{} ({})", spot.place, spot.about),
        };
        few(&self.places.iter().map(spot).collect::<Vec<_>>(), ", ")
    }

    /// All there is to say, each with its label, in the order in which it is read.
    fn lines(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let labelled = [("in Flume:", &self.flume, 3), ("here:", &self.here, 3), ("write:", &self.write, 20)];
        labelled.into_iter().flat_map(|(label, texts, most)| {
            let more = (texts.len() > most).then_some((label, "and so on for the others"));
            texts.iter().take(most).map(move |text| (label, text.as_str())).chain(more)
        })
    }

    /// `flume.conf:11:27: what; in Flume: ...; here: ...; write: ... [code]`: all of it in one line of a log.
    pub fn one_line(&self) -> String {
        let place = self.places.first().map(|spot| spot.place.to_string()).unwrap_or_default();
        let mut line = format!("{place}: {}", self.what);
        if self.places.len() > 1 {
            line += &format!("; at: {}", self.at());
        }
        for (label, text) in self.lines() {
            line += &format!("; {label} {text}");
        }
        format!("{line} [{}]", self.code)
    }
}

/// A heading line, then a line for each thing there is to say.
impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.places.first().map(|spot| spot.place.to_string()).unwrap_or_default();
        write!(out, "{place}: {}: {} [{}]", self.severity, Printable(&self.what), self.code)?;
        if self.places.len() > 1 {
            write!(out, "\n    {:<9} {}", "at:", Printable(&self.at()))?;
        }
        let mut before = "";
        for (label, text) in self.lines() {
            let shown = if label == before { "" } else { label };
            write!(out, "\n    {shown:<9} {}", Printable(text))?;
            before = label;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lone(line: u32, name: &str) -> Problem {
        let subject = format!("sink `{name}`");
        Problem::error("no-channel", &Place::at("f", line, 1), format!("the {subject} has no `channel`"))
            .flume(format!("removes the {subject}"))
            .fix(format!("`a.sinks.{name}.channel = NAME`"))
            .cause(subject, "a sink has no `channel`")
    }

    #[test]
    fn problems_of_one_cause_are_one_finding_with_all_places() {
        let other = Problem::error("no-channel", &Place::at("f", 3, 1), "something else");
        let found = findings(&[lone(1, "k"), other, lone(4, "l")]);
        assert_eq!(found.len(), 2);
        let expected = "f:1:1: error: a sink has no `channel`, 2 times [no-channel]\n    \
                        at:       f:1:1 (sink `k`), f:4:1 (sink `l`)\n    \
                        in Flume: removes the sink `k`, sink `l`\n    \
                        here:     the agent does not start with it\n    \
                        write:    `a.sinks.k.channel = NAME`\n              `a.sinks.l.channel = NAME`";
        assert_eq!(found[0].to_string(), expected);
        assert_eq!(found[1].to_string().lines().next(), Some("f:3:1: error: something else [no-channel]"));
    }

    #[test]
    fn one_alone_is_told_in_its_own_words() {
        let found = findings(&[lone(1, "k")]);
        assert_eq!(found[0].to_string(), lone(1, "k").to_string());
        assert_eq!(
            found[0].one_line(),
            "f:1:1: the sink `k` has no `channel`; in Flume: removes the sink `k`; here: the agent does not \
             start with it; write: `a.sinks.k.channel = NAME` [no-channel]"
        );
    }
}

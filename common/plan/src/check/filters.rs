//! Config filters: `${f1['KEY']}` in the values of components.
//!
//! Source: Flume's `FlumeConfiguration.runFiltersThroughConfigs`: lists are not filtered, an answer of nothing leaves the
//! text as it is.

use super::tree::Tree;
use super::values::Owner;
use super::{Checker, Listed};
use crate::layers::named;
use crate::properties::Entry;
use crate::report::{Problem, quoted};
use crate::schema::Kind;
use crate::substitute::{filter_question, matching_end};

impl Checker<'_> {
    /// The agent's keys with every question to a config filter answered.
    pub(super) fn filtered(&mut self, tree: &Tree) -> Tree {
        let listed = self.list(tree, "configfilters");
        let filters: Vec<String> =
            listed.into_iter().filter(|listed| self.filter(tree, listed)).map(|listed| listed.name).collect();
        let mut tree = tree.clone();
        for entry in tree.entries_mut(|kind| kind != "configfilters") {
            if entry.value.contains("${") {
                self.answer(entry, &filters);
            }
        }
        tree
    }

    /// Whether a filter of the list can be asked.
    fn filter(&mut self, tree: &Tree, listed: &Listed) -> bool {
        let Some(found) = self.keys(tree, "configfilters", Kind::ConfigFilter, listed) else { return false };
        let at = &found.keys[0].entry.key_at;
        let owner = Owner::new(Kind::ConfigFilter, "configfilters", self.agent, &found.name, at);
        self.type_of(Kind::ConfigFilter, &owner, found.key("type")).is_some()
    }

    fn answer(&mut self, entry: &mut Entry, filters: &[String]) {
        let mut unanswered = Vec::new();
        let environment = self.environment;
        let mut replace = |text: &str| {
            answered(text, |filter, key| {
                let known = filters.iter().any(|name| name == filter);
                let answer = environment.iter().rev().find(|(name, _)| known && name == key);
                if answer.is_none() {
                    unanswered.push(format!("${{{filter}[{key}]}}"));
                }
                answer.map(|(_, value)| value.clone())
            })
        };
        entry.value = replace(&entry.value);
        if let Some(comment) = &mut entry.comment {
            comment.value = replace(&comment.value);
        }
        unanswered.dedup();
        for question in unanswered {
            let what = format!("`{}` has {}, and no config filter answers", entry.key, quoted(&question));
            let problem = Problem::warning("filter-without-answer", &entry.value_at, what)
                .flume("leaves it as it is")
                .here("it is left as it is");
            let fix = format!(
                "a filter of `{}.configfilters` ({}) and a variable that is set",
                self.agent,
                named(filters)
            );
            self.report.add(problem.fix(fix));
        }
    }
}

/// Replaces each question that has an answer.
fn answered(text: &str, mut ask: impl FnMut(&str, &str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let inner = &rest[at + 2..];
        let Some(end) = matching_end(inner) else { break };
        let answer = filter_question(&inner[..end]).and_then(|(filter, key)| ask(filter, key));
        out.push_str(&rest[..at]);
        match answer {
            Some(answer) => out.push_str(&answer),
            None => out.push_str(&rest[at..at + 3 + end]),
        }
        rest = &inner[end + 1..];
    }
    out + rest
}

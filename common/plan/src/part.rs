//! What is left of an agent of which Flume runs only a part: the same agent without what Flume leaves out.

use std::collections::BTreeSet;

use crate::fate::{Effect, Fate, Part};
use crate::problem::{Problem, Severity};
use crate::properties::Entry;
use crate::report::Report;

/// What to leave out of an agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Without {
    agent: String,
    parts: BTreeSet<Part>,
}

impl Without {
    /// This and what Flume leaves out as well of an agent with `report`; `None` when that is nothing more, or when Flume does not
    /// start the agent.
    #[must_use]
    pub fn and(&self, report: &Report) -> Option<Without> {
        let more = Fate::left_out(&report.outline, &report.effects()).ok()?;
        let parts: BTreeSet<Part> = self.parts.iter().cloned().chain(more).collect();
        let agent = report.outline.agent.clone();
        (parts.len() > self.parts.len()).then_some(Without { agent, parts })
    }

    /// Cuts them out of the agent's keys, and their names out of what names them.
    pub(crate) fn cut(&self, entries: &mut Vec<Entry>) {
        let Some(prefix) = (!self.parts.is_empty()).then(|| format!("{}.", self.agent)) else { return };
        entries.retain_mut(|entry| {
            let Some(key) = entry.key.strip_prefix(&prefix).map(str::to_owned) else { return true };
            match key.split('.').collect::<Vec<_>>()[..] {
                [list] => self.filter(list, entry),
                ["sources", name, "channels"] if !self.has("sources", name) => self.filter("channels", entry),
                ["sinkgroups", name, "sinks"] if !self.has("sinkgroups", name) => self.filter("sinks", entry),
                ["sinkgroups", _, "processor", "priority", sink] if self.has("sinks", sink) => false,
                [list, name, ..] => !self.has(list, name),
                [] => true,
            }
        });
    }

    /// Leaves names out of a list of names; whether any is left.
    fn filter(&self, list: &str, entry: &mut Entry) -> bool {
        let text = entry.comment.as_ref().map_or(&entry.value, |comment| &comment.value);
        let names: Vec<&str> = crate::settings::words(text).collect();
        let left: Vec<&str> = names.iter().copied().filter(|name| !self.has(list, name)).collect();
        if left.len() == names.len() {
            return true;
        }
        let value = left.join(" ");
        (entry.value, entry.comment, entry.parts) = (value, None, Vec::new());
        !entry.value.is_empty()
    }

    fn has(&self, list: &str, name: &str) -> bool {
        self.parts.iter().any(|part| part.list == list && part.name == name)
    }
}

impl Report {
    /// The report of the agent that starts without `without`: what was wrong with that, as the reports `before` say, is told
    /// as a warning.
    pub fn started_without(&mut self, without: &Without, before: &[Report]) {
        self.without = without.parts.iter().map(Part::to_string).collect();
        for problem in before.iter().flat_map(|report| &report.problems) {
            // What runs here and not in Flume is gone as well, and with it what was said of it.
            let goes = match &problem.effect {
                Some(Effect::Removed(part) | Effect::Unconfigured(part)) => without.parts.contains(part),
                _ => false,
            };
            if problem.severity == Severity::Error || goes {
                let here = "it is left out, as --start-in-part says".to_string();
                self.add(Problem { severity: Severity::Warning, here, effect: None, ..problem.clone() });
            }
        }
        self.sort();
    }
}

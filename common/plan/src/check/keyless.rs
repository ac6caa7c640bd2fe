//! Names in a list that have no keys. Flume leaves them out and runs the rest.

use std::collections::BTreeSet;

use super::lists::{replaced, without_commas};
use super::nearest::nearest;
use super::tree::{Component, Tree};
use super::{Checker, Listed};
use crate::component::Kind;
use crate::fate::{Effect, Fate, Part};
use crate::owner::Owner;
use crate::problem::{Problem, Severity};
use crate::quote::quoted;

impl Checker<'_> {
    /// The keys of a listed component, or an error that it has none.
    pub(super) fn keys<'t>(
        &mut self,
        tree: &'t Tree,
        list: &'static str,
        kind: Kind,
        listed: &Listed,
    ) -> Option<&'t Component> {
        let found = tree.component(list, &listed.name);
        if found.is_none() {
            let nothing = (listed.name.clone(), Vec::new());
            match list {
                "sources" => self.outline.sources.push(nothing),
                "sinks" => self.outline.sinks.push(nothing),
                "sinkgroups" => self.outline.groups.push(nothing),
                _ => {}
            }
            // What a comma hides is told with it.
            let pieces = listed.name.split(',').filter(|piece| tree.component(list, piece).is_some());
            self.named.extend(pieces.map(|piece| (list.to_string(), piece.to_string())));
            let problem = self.without_keys(tree, list, kind, listed);
            self.report.add(problem);
        }
        found
    }

    fn without_keys(&mut self, tree: &Tree, list: &'static str, kind: Kind, listed: &Listed) -> Problem {
        let (agent, name) = (self.agent, &listed.name);
        let noun = if list == "sinkgroups" { "sink group" } else { kind.noun() };
        let what = format!("the {noun} {} is in `{agent}.{list}` and has no keys", quoted(name));
        let quiet =
            if kind == Kind::Channel { "leaves it out silently" } else { "leaves it out with a warning" };
        let owner = Owner::new(kind, list, agent, name, &listed.at);
        let problem =
            Problem::error("no-keys", &listed.at, what).flume(owner.dropped.early().in_words(quiet)).cause(
                format!("{noun} {}", quoted(name)),
                format!("a {noun} is in `{agent}.{list}` and has no keys"),
            );
        self.keyless += 1;
        let key = format!("`{agent}.{list}.{name}.KEY = VALUE`");
        // To write the whole list for each name of a list without end takes hours.
        if self.keyless > FEW {
            if !name.contains(',') {
                self.leftover.insert(Part { list, name: name.clone() });
            }
            return problem.fix(key);
        }
        let text = self.words(tree, list).join(" ");
        let line = |names: &str| format!("`{agent}.{list} = {names}`");
        if name.contains(',') {
            return problem.fix(format!("{}, blanks between the names", line(&without_commas(&text))));
        }
        let others = tree.components(list).iter().map(|component| component.name.as_str());
        let meant = nearest(name, others.filter(|other| !self.listed.contains(&(list, other.to_string()))));
        if let Some(meant) = meant {
            let names = replaced(&text, name, &meant);
            return problem.fix(format!("{}, if `{meant}`, which has keys, is meant", line(&names)));
        }
        self.leftover.insert(Part { list, name: name.clone() });
        let rest: Vec<&str> = crate::settings::words(&text).filter(|word| word != name).collect();
        problem.fix(match rest.is_empty() {
            true => key,
            false => format!("{}, or {key}", line(&without_commas(&rest.join(" ")))),
        })
    }

    /// A name that is left over in a list keeps nothing from running: neither does anything name it, nor has it keys under
    /// a name that is nearly the same.
    pub(super) fn leave_out(&mut self) {
        if !matches!(self.report.fate(), Fate::Runs | Fate::Part(_)) {
            return;
        }
        let outline = &self.report.outline;
        let channels = outline.sources.iter().chain(&outline.sinks).flat_map(|(_, to)| to);
        let sinks = outline.groups.iter().flat_map(|(_, members)| members);
        let named: BTreeSet<(&str, &String)> =
            channels.map(|channel| ("channels", channel)).chain(sinks.map(|sink| ("sinks", sink))).collect();
        let leftover = self.leftover.iter().filter(|part| !named.contains(&(part.list, &part.name)));
        let leftover: BTreeSet<Part> =
            leftover.filter(|part| part.list != "configfilters").cloned().collect();
        for problem in self.report.problems.iter_mut().filter(|problem| problem.code == "no-keys") {
            if matches!(&problem.effect, Some(Effect::Removed(part)) if leftover.contains(part)) {
                problem.severity = Severity::Warning;
                problem.here = "it is left out".to_string();
            }
        }
    }
}

/// So many names without keys are told with the list as it should be.
const FEW: usize = 50;

//! Components with keys that no list names.

use std::collections::BTreeSet;

use super::Checker;
use super::advice::{java_trim, line_value};
use super::nearest::{is_slip, nearest};
use super::sources::with;
use super::tree::{Component, Key, Tree};
use crate::component::Kind;
use crate::problem::Problem;
use crate::quote::quoted;

impl Checker<'_> {
    /// Components with keys that no list names.
    pub(super) fn unlisted(&mut self, tree: &Tree) {
        let lists: Vec<(&'static str, Vec<String>)> =
            LISTED.iter().map(|(list, _)| (*list, self.words(tree, list))).collect();
        for ((list, names), (_, noun)) in lists.iter().zip(LISTED) {
            let known: BTreeSet<&str> = names.iter().map(String::as_str).collect();
            for component in tree.components(list).iter().filter(|one| !known.contains(one.name.as_str())) {
                if self.is_told(list, component) {
                    continue;
                }
                let meant = self.meant(tree, &lists, (list, names), component);
                self.report.add_warning(|| not_listed(self.agent, (list, names), noun, component, meant));
            }
        }
    }

    /// The line that was most likely meant by the first key of a component that no list names: a listed component's, whose
    /// type has such a key.
    fn meant(
        &self,
        tree: &Tree,
        lists: &[(&'static str, Vec<String>)],
        (list, names): (&'static str, &[String]),
        component: &Component,
    ) -> Option<String> {
        let Key { name: key, entry } = &component.keys[0];
        let of =
            |list: &str, name: &str| format!("{}.{list}.{name}.{key} = {}", self.agent, line_value(entry));
        let takes = |list, name: &str| self.takes(tree, list, name, key);
        let others = lists.iter().filter(|(other, names)| *other != list && names.contains(&component.name));
        if let Some((other, _)) =
            others.clone().find(|(other, _)| takes(other, &component.name) != Some(false))
        {
            return Some(of(other, &component.name));
        }
        let missing = names.iter().map(String::as_str).filter(|name| tree.component(list, name).is_none());
        if let Some(name) = nearest(&component.name, missing) {
            return Some(of(list, &name));
        }
        let is_whole = component.key("type").or(component.key("sinks")).is_some();
        let near = names.iter().find(|name| !is_whole && is_slip(&component.name, name));
        // A name from another list is nobody's slip; the only component that has such a key may be meant.
        let only = || {
            let mut fit = names.iter().filter(|name| takes(list, name) == Some(true));
            fit.next().filter(|_| fit.next().is_none() && others.clone().next().is_some())
        };
        near.or_else(only).map(|name| of(list, name))
    }

    /// Whether the type of a component has a property; nothing where that is not known.
    fn takes(&self, tree: &Tree, list: &'static str, name: &str, key: &str) -> Option<bool> {
        let (_, kind) = KINDS.iter().find(|(known, _)| *known == list)?;
        let is_of_all = OF_ALL.contains(&key.split('.').next().unwrap_or(key));
        let given = &tree.component(list, name)?.key("type").filter(|_| !is_of_all)?.entry.value;
        Some(self.catalogue().find(*kind, java_trim(given))?.property(key).is_some())
    }

    /// Whether something else that was told is the cause: a name that is missing in a list, a second agent in the file.
    fn is_told(&self, list: &str, component: &Component) -> bool {
        let begins = component.begins();
        let pasted = self.pasted.as_ref();
        let of_the_first =
            pasted.is_some_and(|start| start.origin == begins.origin && begins.line < start.line);
        of_the_first || self.named.contains(&(list.to_string(), component.name.clone()))
    }
}

const LISTED: [(&str, &str); 4] =
    [("channels", "channel"), ("sources", "source"), ("sinks", "sink"), ("sinkgroups", "sink group")];

const KINDS: [(&str, Kind); 3] =
    [("channels", Kind::Channel), ("sources", Kind::Source), ("sinks", Kind::Sink)];
/// What components have whatever their type.
const OF_ALL: [&str; 5] = ["type", "channel", "channels", "selector", "interceptors"];

fn not_listed(
    agent: &str,
    (list, names): (&str, &[String]),
    noun: &str,
    component: &Component,
    meant: Option<String>,
) -> Problem {
    let name = &component.name;
    let what = format!("the {noun} {} has keys and is not in `{agent}.{list}`", quoted(name));
    let problem = Problem::warning("not-listed", component.begins(), what)
        .cause(
            format!("{noun} {}", quoted(name)),
            format!("a {noun} has keys and is not in `{agent}.{list}`"),
        )
        .flume("ignores it silently")
        .here("it does not run");
    match meant {
        Some(line) => problem.fix(format!("`{line}`, if that is meant")),
        None => problem.fix(format!("`{agent}.{list} = {}`, or leave its keys out", with(names, name))),
    }
}

//! Components with keys that no list names.

use std::collections::BTreeSet;

use super::Checker;
use super::advice::{java_trim, line_value};
use super::lists::{with, without_commas};
use super::nearest::{is_slip, nearest};
use super::tree::{Component, Key, Tree};
use crate::component::{Catalogue, Kind};
use crate::problem::Problem;
use crate::quote::quoted;

impl Checker<'_> {
    /// Components with keys that no list names.
    pub(super) fn unlisted(&mut self, tree: &Tree) {
        let lists: Vec<(&'static str, Vec<String>)> =
            LISTED.iter().map(|(list, _)| (*list, self.words(tree, list))).collect();
        for ((list, names), (_, noun)) in lists.iter().zip(LISTED) {
            let (list, names): (&'static str, &[String]) = (list, names);
            let known: BTreeSet<&str> = names.iter().map(String::as_str).collect();
            let all = tree.components(list).iter();
            let unlisted: Vec<&Component> =
                all.filter(|one| !known.contains(one.name.as_str()) && !self.is_told(list, one)).collect();
            let agent = self.agent;
            let guess = Guess { agent, catalogue: self.catalogue(), tree, lists: &lists };
            let guess = |one: &Component| guess.meant((list, names), one);
            // One line for all of them: two would undo each other.
            let few: Vec<Option<String>> = unlisted.iter().take(FEW).map(|one| guess(one)).collect();
            let forgotten = unlisted.iter().zip(&few).filter(|(_, meant)| meant.is_none());
            let whole = names.iter().chain(forgotten.map(|(one, _)| &one.name)).map(String::as_str);
            let whole = without_commas(&whole.collect::<Vec<_>>().join(" "));
            let whole = (names.len() + few.len() <= FEW).then_some(whole);
            for (index, one) in unlisted.iter().enumerate() {
                self.report.add_warning(|| {
                    let meant = few.get(index).cloned().unwrap_or_else(|| guess(one));
                    let line = || whole.clone().unwrap_or_else(|| with(names, &one.name));
                    let fix = meant
                        .unwrap_or_else(|| format!("`{agent}.{list} = {}`, or leave its keys out", line()));
                    not_listed(agent, list, noun, one, fix)
                });
            }
        }
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

/// Names of a list that anybody writes in one line.
const FEW: usize = 50;

const LISTED: [(&str, &str); 4] =
    [("channels", "channel"), ("sources", "source"), ("sinks", "sink"), ("sinkgroups", "sink group")];

const KINDS: [(&str, Kind); 3] =
    [("channels", Kind::Channel), ("sources", Kind::Source), ("sinks", Kind::Sink)];
/// What components have whatever their type.
const OF_ALL: [&str; 5] = ["type", "channel", "channels", "selector", "interceptors"];

/// What the guess at a line is made of.
struct Guess<'a> {
    agent: &'a str,
    catalogue: &'a Catalogue,
    tree: &'a Tree,
    lists: &'a [(&'static str, Vec<String>)],
}

impl Guess<'_> {
    /// The line that was most likely meant: of the same name in another list, of a listed name without keys, of the only
    /// component that has such a key, of one that lacks just what this one has.
    fn meant(&self, (list, names): (&'static str, &[String]), component: &Component) -> Option<String> {
        let Key { name: key, entry } = &component.keys[0];
        let of =
            |list: &str, name: &str| format!("`{}.{list}.{name}.{key} = {}`", self.agent, line_value(entry));
        let if_meant = |line: String| format!("{line}, if that is meant");
        let others =
            self.lists.iter().filter(|(other, names)| *other != list && names.contains(&component.name));
        let has_type =
            |list| self.tree.component(list, &component.name).is_some_and(|one| one.key("type").is_some());
        let may_mean = |list| {
            self.takes(list, &component.name, key) != Some(false)
                && !(component.key("type").is_some() && has_type(list))
        };
        if let Some((other, _)) = others.clone().find(|(other, _)| may_mean(*other)) {
            return Some(if_meant(of(other, &component.name)));
        }
        let missing = names.iter().map(String::as_str);
        let missing = missing.filter(|name| !name.contains(',') && self.tree.component(list, name).is_none());
        if let Some(name) = nearest(&component.name, missing) {
            return Some(if_meant(of(list, &name)));
        }
        let is_whole = component.key("type").or(component.key("sinks")).is_some();
        let near = names.iter().find(|name| !is_whole && is_slip(&component.name, name));
        // A name from another list is nobody's slip; the only component that has such a key may be meant.
        let only = || {
            let mut fit = names.iter().filter(|name| self.takes(list, name, key) == Some(true));
            fit.next().filter(|_| fit.next().is_none() && others.clone().next().is_some())
        };
        if let Some(name) = near.or_else(only) {
            return Some(if_meant(of(list, name)));
        }
        let half = other_half(self.tree, list, names, component)?;
        Some(format!("{} and so on, if `{half}` is meant", of(list, half)))
    }

    /// Whether the type of a component has a property; nothing where that is not known.
    fn takes(&self, list: &'static str, name: &str, key: &str) -> Option<bool> {
        let (_, kind) = KINDS.iter().find(|(known, _)| *known == list)?;
        let is_of_all = OF_ALL.contains(&key.split('.').next().unwrap_or(key));
        let given = &self.tree.component(list, name)?.key("type").filter(|_| !is_of_all)?.entry.value;
        Some(self.catalogue.find(*kind, java_trim(given))?.property(key).is_some())
    }
}

/// The one listed component that has no type, where `component` has one and no key that the other has as well.
fn other_half<'n>(
    tree: &Tree,
    list: &'static str,
    names: &'n [String],
    component: &Component,
) -> Option<&'n str> {
    let halves = names.iter().filter_map(|name| Some((name, tree.component(list, name)?)));
    let mut halves = halves.filter(|(_, half)| half.key("type").is_none());
    let (name, half) = halves.next().filter(|_| halves.next().is_none())?;
    let is_rest = list != "sinkgroups"
        && component.key("type").is_some()
        && component.keys.iter().all(|key| half.key(&key.name).is_none());
    is_rest.then_some(name.as_str())
}

fn not_listed(agent: &str, list: &str, noun: &str, component: &Component, fix: String) -> Problem {
    let name = &component.name;
    let what = format!("the {noun} {} has keys and is not in `{agent}.{list}`", quoted(name));
    Problem::warning("not-listed", component.begins(), what)
        .cause(
            format!("{noun} {}", quoted(name)),
            format!("a {noun} has keys and is not in `{agent}.{list}`"),
        )
        .flume("ignores it silently")
        .here("it does not run")
        .fix(fix)
}

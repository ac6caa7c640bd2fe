//! Components with keys that no list names.

use std::collections::BTreeSet;

use super::Checker;
use super::advice::line_value;
use super::keyless::without_commas;
use super::nearest::{is_slip, nearest};
use super::sources::with;
use super::tree::{Component, Key, Tree};
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
            let guess = |one: &Component| meant(agent, tree, &lists, (list, names), one);
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

/// The line that was most likely meant: of the same name in another list, of a listed name without keys, of one that
/// lacks just what this one has.
fn meant(
    agent: &str,
    tree: &Tree,
    lists: &[(&'static str, Vec<String>)],
    (list, names): (&'static str, &[String]),
    component: &Component,
) -> Option<String> {
    let Key { name: key, entry } = &component.keys[0];
    let of = |list: &str, name: &str| format!("`{agent}.{list}.{name}.{key} = {}`", line_value(entry));
    let if_meant = |line: String| format!("{line}, if that is meant");
    if let Some((other, _)) =
        lists.iter().find(|(other, names)| *other != list && names.contains(&component.name))
    {
        return Some(if_meant(of(other, &component.name)));
    }
    let missing = names.iter().map(String::as_str);
    let missing = missing.filter(|name| !name.contains(',') && tree.component(list, name).is_none());
    if let Some(name) = nearest(&component.name, missing) {
        return Some(if_meant(of(list, &name)));
    }
    let whole = component.key("type").or(component.key("sinks")).is_some();
    if let Some(name) = names.iter().find(|name| !whole && is_slip(&component.name, name)) {
        return Some(if_meant(of(list, name)));
    }
    let half = other_half(tree, list, names, component)?;
    Some(format!("{} and so on, if `{half}` is meant", of(list, half)))
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

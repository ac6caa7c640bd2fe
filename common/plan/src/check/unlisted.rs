//! Components with keys that no list names.

use std::collections::BTreeSet;

use super::Checker;
use super::advice::line_value;
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
            let known: BTreeSet<&str> = names.iter().map(String::as_str).collect();
            for component in tree.components(list).iter().filter(|one| !known.contains(one.name.as_str())) {
                let elsewhere =
                    || lists.iter().find(|(other, names)| other != list && names.contains(&component.name));
                let missing =
                    || names.iter().map(String::as_str).filter(|name| tree.component(list, name).is_none());
                if self.is_told(list, component) {
                    continue;
                }
                let Key { name: key, entry } = &component.keys[0];
                let of = |list: &str, name: &str| {
                    format!("{}.{list}.{name}.{key} = {}", self.agent, line_value(entry))
                };
                let slip = || {
                    let whole = component.key("type").or(component.key("sinks")).is_some();
                    let near = names.iter().find(|name| !whole && is_slip(&component.name, name));
                    near.map(|name| of(list, name))
                };
                let meant = || match elsewhere() {
                    Some((other, _)) => Some(of(other, &component.name)),
                    None => nearest(&component.name, missing()).map(|name| of(list, &name)).or_else(slip),
                };
                self.report.add_warning(|| not_listed(self.agent, (list, names), noun, component, meant()));
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

const LISTED: [(&str, &str); 4] =
    [("channels", "channel"), ("sources", "source"), ("sinks", "sink"), ("sinkgroups", "sink group")];

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

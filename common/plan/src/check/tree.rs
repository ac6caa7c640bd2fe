//! Flume's rules for keys: which belong to which component of the agent.
//!
//! Source: `FlumeConfiguration.addRawProperty` of Flume 1.11.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::nearest::nearest;
use crate::component::LISTS;
use crate::layers::{BRIDGE, named};
use crate::place::Place;
use crate::problem::Problem;
use crate::properties::Entry;
use crate::quote::quoted;
use crate::report::Report;

/// A key of a component: its name without the component's prefix, and the whole of it.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) entry: Entry,
}

/// All keys below `AGENT.KIND.NAME.`, in the order in which they stand.
#[derive(Clone, Debug)]
pub(super) struct Component {
    pub(super) name: String,
    pub(super) keys: Vec<Key>,
}

/// The keys of one agent.
#[derive(Clone, Default)]
pub(super) struct Tree {
    lists: BTreeMap<&'static str, Entry>,
    /// Lists that stand there without a name.
    empty: BTreeMap<&'static str, Entry>,
    /// Other keys without a value.
    blank: BTreeMap<String, Entry>,
    /// Lists that are missing or empty although there are keys for them: checked as if they named all.
    inferred: BTreeSet<&'static str>,
    components: BTreeMap<&'static str, Vec<Component>>,
    index: BTreeMap<(&'static str, String), usize>,
}

impl Tree {
    /// Keys of components without a value.
    pub(super) fn blank(&self) -> &BTreeMap<String, Entry> {
        &self.blank
    }

    /// The list of the names of one kind.
    pub(super) fn list(&self, kind: &'static str) -> Option<&Entry> {
        self.lists.get(kind)
    }

    /// Where a list stands, with names or without.
    pub(super) fn list_at(&self, kind: &'static str) -> Option<&Place> {
        self.lists.get(kind).or(self.empty.get(kind)).map(|entry| &entry.key_at)
    }

    /// Whether a list is missing or empty, be there keys for it or not.
    pub(super) fn lacks(&self, kind: &'static str) -> bool {
        !self.lists.contains_key(kind) || self.inferred.contains(kind)
    }

    /// Whether a list that is missing or empty is checked as if it named all that have keys.
    pub(super) fn is_inferred(&self, kind: &'static str) -> bool {
        self.inferred.contains(kind)
    }

    /// The lines of components that no list names, where the agent runs without them: they are checked for the sake of the
    /// findings.
    pub(super) fn unlisted_lines(&self) -> BTreeSet<(Arc<str>, u32)> {
        let beside = match self.inferred.iter().collect::<Vec<_>>()[..] {
            [&"sinks"] => "sources",
            [&"sources"] => "sinks",
            _ => return BTreeSet::new(),
        };
        let ignored = self.inferred.iter().filter(|_| !self.lacks(beside));
        let keys = ignored.flat_map(|kind| self.components(kind)).flat_map(|component| &component.keys);
        let places = keys.flat_map(|Key { entry, .. }| {
            let parts = entry.parts.iter().map(|(_, place)| place);
            [&entry.first_at, &entry.key_at, &entry.value_at].into_iter().chain(parts)
        });
        places.map(|place| (place.origin.clone(), place.line)).collect()
    }

    /// Names in missing and empty lists all that have keys.
    fn infer(&mut self, agent: &str) {
        for kind in ["channels", "sources", "sinks"] {
            let components = self.components(kind);
            let Some(first) = components.first().filter(|_| !self.lists.contains_key(kind)) else { continue };
            let value = components.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(" ");
            let key_at =
                self.empty.get(kind).map_or(&first.keys[0].entry.key_at, |empty| &empty.key_at).clone();
            let value_at = key_at.clone();
            let entry = Entry {
                key: format!("{agent}.{kind}"),
                first_at: key_at.clone(),
                key_at,
                value,
                value_at,
                comment: None,
                bare: false,
                parts: Vec::new(),
            };
            self.lists.insert(kind, entry);
            self.inferred.insert(kind);
            self.empty.remove(kind);
        }
    }

    /// All components of one kind, listed or not.
    pub(super) fn components(&self, kind: &'static str) -> &[Component] {
        self.components.get(kind).map(Vec::as_slice).unwrap_or_default()
    }

    /// One component.
    pub(super) fn component(&self, kind: &'static str, name: &str) -> Option<&Component> {
        self.components(kind).get(*self.index.get(&(kind, name.to_string()))?)
    }

    /// All keys of the components of these kinds.
    pub(super) fn entries_mut<'t>(
        &'t mut self,
        kinds: impl Fn(&str) -> bool + 't,
    ) -> impl Iterator<Item = &'t mut Entry> {
        let components =
            self.components.iter_mut().filter(move |(kind, _)| kinds(kind)).flat_map(|(_, list)| list);
        components.flat_map(|component| component.keys.iter_mut().map(|key| &mut key.entry))
    }

    /// Where each component begins, by `sinks.k1`.
    pub(super) fn places(&self) -> BTreeMap<String, Place> {
        let all = self
            .components
            .iter()
            .flat_map(|(kind, list)| list.iter().map(move |component| (kind, component)));
        let place = |(kind, component): (&&str, &Component)| {
            Some((format!("{kind}.{}", component.name), component.keys.first()?.entry.key_at.clone()))
        };
        all.filter_map(place).collect()
    }

    /// Whether there is nothing at all.
    pub(super) fn is_empty(&self) -> bool {
        self.lists.is_empty() && self.components.is_empty()
    }

    /// Sorts the keys of `agent` out of `entries`. `used` are keys that others refer to, `agents` who has a list. What no list
    /// names is taken as listed where `infers` and a list is missing.
    pub(super) fn build(
        entries: Vec<Entry>,
        agent: &str,
        agents: &[String],
        used: &BTreeSet<String>,
        infers: bool,
        report: &mut Report,
    ) -> Tree {
        let mut tree = Tree::default();
        let known: BTreeSet<&str> = agents.iter().map(String::as_str).collect();
        let mine = format!("{agent}.");
        let mut strangers: BTreeMap<String, Place> = BTreeMap::new();
        for entry in entries {
            if used.contains(&entry.key) && !entry.key.starts_with(&mine) {
                continue;
            }
            match entry.key.split_once('.') {
                Some((owner, rest)) if owner == agent && !rest.is_empty() => {
                    let rest = rest.to_string();
                    tree.add(&rest, entry, used, report);
                }
                Some((owner, rest)) if !owner.is_empty() && !rest.is_empty() && !entry.bare => {
                    if !known.contains(owner) {
                        strangers.entry(owner.to_string()).or_insert(entry.key_at);
                    }
                }
                _ => report.add_warning(|| nobodys(&entry)),
            }
        }
        if infers {
            tree.infer(agent);
        }
        for (kind, entry) in &tree.empty {
            report.add_warning(|| empty_list(kind, entry));
        }
        for (name, place) in strangers {
            report.add_warning(|| stranger(&name, &place, agent, agents));
        }
        tree
    }

    fn add(&mut self, rest: &str, mut entry: Entry, used: &BTreeSet<String>, report: &mut Report) {
        entry.key = entry.key.trim().to_string();
        let list = LISTS.iter().chain([&BRIDGE]).find(|list| **list == rest);
        if entry.value.trim().is_empty() {
            match list {
                Some(list) => drop(self.empty.insert(list, entry)),
                None if entry.bare => report.add(bare(&entry)),
                None => drop(self.blank.insert(entry.key.clone(), entry)),
            }
            return;
        }
        if let Some(list) = list {
            self.lists.insert(list, entry);
            return;
        }
        let parts = rest.split_once('.').and_then(|(kind, rest)| Some((kind, rest.split_once('.')?)));
        let kind = parts.and_then(|(kind, _)| LISTS.iter().find(|list| **list == kind));
        match (kind, parts) {
            (Some(kind), Some((_, (name, key)))) if !name.is_empty() && !key.is_empty() => {
                self.store(kind, name, Key { name: key.to_string(), entry });
            }
            _ if used.contains(&entry.key) => {}
            _ => report.add_warning(|| invalid(rest, &entry)),
        }
    }

    fn store(&mut self, kind: &'static str, name: &str, key: Key) {
        let components = self.components.entry(kind).or_default();
        let index = *self.index.entry((kind, name.to_string())).or_insert_with(|| {
            components.push(Component { name: name.to_string(), keys: Vec::new() });
            components.len() - 1
        });
        components[index].keys.push(key);
    }
}

fn bare(entry: &Entry) -> Problem {
    let what = format!("{} stands alone on its line, without `=` and a value", quoted(&entry.key));
    Problem::warning("bare-line", &entry.key_at, what)
        .flume("ignores it with a warning")
        .here("it is ignored")
        .fix(format!("`{} = VALUE`, or `#` in front of a comment", entry.key))
}

/// Keys whose value is a list of names; a list has no default.
const LIST_KEYS: [&str; 7] =
    ["channels", "interceptors", "sinks", "filegroups", "serializers", "optional", "hosts"];

pub(super) fn empty(entry: &Entry) -> Problem {
    let is_mapping = entry.key.contains(".selector.mapping.") || entry.key.contains(".selector.optional.");
    if is_mapping || entry.key.rsplit('.').next().is_some_and(|last| LIST_KEYS.contains(&last)) {
        return Problem::warning(
            "empty-value",
            &entry.key_at,
            format!("the list `{}` names nothing", entry.key),
        )
        .cause(format!("`{}`", entry.key), "a list names nothing")
        .flume("ignores it with a warning, as if it were not there")
        .here("the same")
        .fix(format!("`{} = NAME ...`, or leave the line out", entry.key));
    }
    Problem::warning("empty-value", &entry.key_at, format!("`{}` has no value", entry.key))
        .cause(format!("`{}`", entry.key), "a key has no value")
        .flume("ignores it with a warning, as if it were not there")
        .here("the same")
        .fix(format!("`{} = VALUE`, or leave the line out", entry.key))
}

fn empty_list(kind: &str, entry: &Entry) -> Problem {
    let what = format!("the list `{}` names nothing", entry.key);
    Problem::warning("empty-value", &entry.key_at, what)
        .flume(format!("ignores it with a warning: the agent has no {}", plural(kind)))
        .here("it is ignored")
        .fix(format!("`{} = NAME ...`, or leave the line out", entry.key))
}

/// A list of an agent in words.
fn plural(list: &str) -> &str {
    match list {
        "sinkgroups" => "sink groups",
        "configfilters" => "config filters",
        other => other,
    }
}

fn nobodys(entry: &Entry) -> Problem {
    let (code, what) = if entry.bare {
        ("bare-line", format!("{} stands alone on its line, without `=` and a value", quoted(&entry.key)))
    } else {
        ("no-agent", format!("{} does not begin with the name of an agent and a dot", quoted(&entry.key)))
    };
    let cause = match entry.bare {
        true => "a line has one word, without `=` and a value",
        false => "a key does not begin with the name of an agent and a dot",
    };
    Problem::warning(code, &entry.key_at, what)
        .cause(quoted(&entry.key), cause)
        .flume("ignores it with a warning")
        .here("it is ignored")
        .fix("`AGENT.sources.NAME.KEY = VALUE`, or `#` in front of a comment")
}

fn stranger(name: &str, place: &Place, agent: &str, agents: &[String]) -> Problem {
    let what = format!("there are keys of an agent {} which has no lists", quoted(name));
    let problem = Problem::warning("unknown-agent", place, what)
        .flume("marks that agent as invalid and removes it")
        .here("they are ignored");
    match nearest(name, [agent]) {
        Some(meant) => problem.fix(format!("`{meant}.` in front of them, if that agent is meant")),
        None if agents.is_empty() => {
            problem.fix(format!("`{agent}.` in front of them, if that agent is meant"))
        }
        None => problem.fix(format!("the name of an agent of the files: {}", named(agents))),
    }
}

fn invalid(rest: &str, entry: &Entry) -> Problem {
    let problem =
        Problem::warning("invalid-key", &entry.key_at, format!("{} is no key of Flume", quoted(&entry.key)))
            .flume("ignores it with a warning (`Invalid property specified`)")
            .here("it is ignored")
            .cause(quoted(&entry.key), "a key is none of Flume's");
    let (kind, behind) = rest.split_once('.').unwrap_or((rest, ""));
    let agent = entry.key.split_once('.').map(|(agent, _)| agent).unwrap_or_default();
    let dot = if behind.is_empty() { "" } else { "." };
    match nearest(kind, LISTS) {
        Some(meant) if meant != kind => problem.fix(format!("`{agent}.{meant}{dot}{behind}`")),
        Some(meant) => problem.fix(format!("`{agent}.{meant}.NAME.KEY = VALUE`")),
        None => problem
            .fix(format!("`{agent}.KIND.NAME.KEY = VALUE`, KIND one of {}", named(&LISTS.map(String::from)))),
    }
}

impl Component {
    /// Where the first of its keys stands.
    pub(crate) fn begins(&self) -> &Place {
        let places = self.keys.iter().map(|key| &key.entry.first_at);
        let first =
            places.reduce(
                |first, next| {
                    if next.origin == first.origin && next.line < first.line { next } else { first }
                },
            );
        first.unwrap_or(&self.keys[0].entry.key_at)
    }

    pub(super) fn key(&self, name: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    pub(super) fn all(&self) -> Vec<&Key> {
        self.keys.iter().collect()
    }
}

/// The keys below a prefix, their names without it.
pub(super) fn below<'k>(keys: impl IntoIterator<Item = &'k Key>, prefix: &str) -> Vec<Key> {
    let strip = |key: &Key| {
        let name = key.name.strip_prefix(prefix).filter(|name| !name.is_empty())?;
        Some(Key { name: name.to_string(), entry: key.entry.clone() })
    };
    keys.into_iter().filter_map(strip).collect()
}

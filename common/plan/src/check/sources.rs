//! Sources with their channels, selectors and interceptors.

use std::collections::{BTreeMap, BTreeSet};

use super::tree::{Component, Key, Tree};
use super::{Checker, LIST, Listed, nearest::nearest};
use crate::component::{Kind, Value};
use crate::layers::named;
use crate::owner::Owner;
use crate::place::Place;
use crate::plan::SourcePlan;
use crate::report::{Problem, quoted};
use crate::settings::{ComponentPlan, words};

/// Keys that every source has.
const OWN: &[&str] = &["type", "channels", "interceptors"];

impl Checker<'_> {
    /// The sources that can run, and the channels that all of them, also the others, mean to fill.
    pub(super) fn sources(
        &mut self,
        tree: &Tree,
        channels: &[String],
    ) -> (Vec<SourcePlan>, BTreeSet<String>) {
        let mut filled = BTreeSet::new();
        let listed = self.list(tree, "sources");
        let plans =
            listed.iter().filter_map(|listed| self.source(tree, listed, channels, &mut filled)).collect();
        (plans, filled)
    }

    fn source(
        &mut self,
        tree: &Tree,
        listed: &Listed,
        channels: &[String],
        filled: &mut BTreeSet<String>,
    ) -> Option<SourcePlan> {
        let found = self.keys(tree, "sources", Kind::Source, listed)?;
        let owner = Owner::new(Kind::Source, "sources", self.agent, &found.name, &found.keys[0].entry.key_at);
        let known = self.type_of(Kind::Source, &owner, found.key("type"));
        let to = self.channels_of(&owner, found, channels);
        filled.extend(to.iter().cloned());
        let selector = self.selector(&owner, found, &to);
        let interceptors = self.interceptors(&owner, found);
        let known = known?;
        let elsewhere =
            |key: &&Key| !key.name.starts_with("selector.") && !key.name.starts_with("interceptors.");
        let keys: Vec<&Key> = found.keys.iter().filter(elsewhere).collect();
        let missed = found.key("channels").is_none() && found.key("channel").is_some();
        let own: &[&str] = if missed { &["type", "channels", "interceptors", "channel"] } else { OWN };
        let component = self.any_component(owner, &found.name, known, &keys, own);
        let selector = selector?;
        let written = self.written(found, &component, &selector, &interceptors);
        Some(SourcePlan { component, channels: to, selector, interceptors, written })
    }

    /// The source's channels that there are.
    fn channels_of(&mut self, owner: &Owner, found: &Component, channels: &[String]) -> Vec<String> {
        let Some(key) = found.key("channels") else {
            let what = format!("the {} has no `channels`", owner.noun);
            let fix = match found.key("channel") {
                Some(key) => format!(
                    "`{}channels` in place of `{}` at {}",
                    owner.prefix, key.entry.key, key.entry.key_at
                ),
                None => format!("`{}channels = NAME ...`", owner.prefix),
            };
            self.report.add(Problem::error("no-channel", &owner.at, what).flume(&owner.dropped).fix(fix));
            return Vec::new();
        };
        let text = self.settle(owner, &LIST, &key.entry);
        let (known, unknown): (Vec<&str>, Vec<&str>) =
            words(&text).partition(|word| channels.iter().any(|channel| channel == word));
        for name in unknown {
            let what = format!(
                "the {} names a channel {} that is not in `{}.channels`",
                owner.noun,
                quoted(name),
                self.agent
            );
            let at = key.entry.word_at(&text, name);
            let problem = if known.is_empty() {
                Problem::error("unknown-channel", &at, what).flume(&owner.dropped)
            } else {
                Problem::warning("unknown-channel", &at, what)
                    .flume("leaves it out without a word")
                    .here("it is left out")
            };
            self.report.add(problem.fix(which_channel(name, channels, &format!("{}.channels", self.agent))));
        }
        let mut once: Vec<String> = Vec::new();
        for name in known {
            if !once.iter().any(|earlier| earlier == name) {
                once.push(name.to_string());
            }
        }
        once
    }

    fn selector(&mut self, owner: &Owner, found: &Component, channels: &[String]) -> Option<ComponentPlan> {
        let keys = below(&found.keys, "selector.");
        let at = keys.first().map_or(&owner.at, |key| &key.entry.key_at);
        let owner = owner.inner(format!("selector of the {}", owner.noun), "selector.", at);
        let given = keys.iter().find(|key| key.name == "type");
        let known = match given {
            Some(key) => self.type_of(Kind::Selector, &owner, Some(key))?,
            None => self.catalogue().find(Kind::Selector, "replicating")?,
        };
        let all: Vec<&Key> = keys.iter().collect();
        let mut selector = self.any_component(owner, "", known, &all, &["type"]);
        if selector.hosted().is_none() {
            for key in self.names_channels(&selector, channels) {
                selector.properties.refuse(&key);
            }
        }
        Some(selector)
    }

    /// Channels that a selector names have to be those of its source; answers the properties of which that is not true.
    fn names_channels(&mut self, selector: &ComponentPlan, channels: &[String]) -> Vec<String> {
        let (owner, properties) = (&selector.owner, &selector.properties);
        let of_channels = selector.descriptor.all().filter(|property| property.value == Value::Channels);
        let mut lists: Vec<(String, &str)> = Vec::new();
        for property in of_channels {
            match property.name.strip_suffix('.') {
                Some(prefix) => lists.extend(
                    properties.under(prefix).map(|(value, list)| (format!("{prefix}.{value}"), list)),
                ),
                None => {
                    lists.extend(properties.text(property.name).map(|list| (property.name.to_string(), list)))
                }
            }
        }
        let strange = |word: &&str| !channels.iter().any(|channel| channel == word);
        lists.retain(|(_, list)| words(list).any(|word| strange(&word)));
        for (key, list) in &lists {
            for name in words(list).filter(strange) {
                let at = properties.place(key).unwrap_or(&owner.at);
                let what = format!(
                    "`{}{key}` names {}, which is no channel of the source",
                    owner.prefix,
                    quoted(name)
                );
                let flume = if key == "optional" {
                    "starts, and fails for every event after the other channels have it: the source sends all of it again and again".to_string()
                } else {
                    owner.dropped.clone()
                };
                let list = format!("{}channels", owner.prefix.trim_end_matches("selector."));
                let fix = which_channel(name, channels, &list);
                self.report.add(Problem::error("unknown-channel", at, what).flume(flume).fix(fix));
            }
        }
        lists.into_iter().map(|(key, _)| key).collect()
    }

    fn interceptors(&mut self, owner: &Owner, found: &Component) -> Vec<ComponentPlan> {
        let listed = found.key("interceptors").map(|key| (self.settle(owner, &LIST, &key.entry), key));
        let names: Vec<&str> = listed.iter().flat_map(|(text, _)| words(text)).collect();
        self.interceptors_unlisted(owner, found, &names);
        let mut plans: Vec<ComponentPlan> = Vec::new();
        // What is named again is told where it stands first, and so once.
        let mut first: BTreeMap<&str, Place> = BTreeMap::new();
        for name in &names {
            let at = first.entry(name).or_insert_with(|| {
                listed.as_ref().map_or_else(|| owner.at.clone(), |(text, key)| key.entry.word_at(text, name))
            });
            plans.extend(self.interceptor(owner, found, name, at));
        }
        plans
    }

    fn interceptor(
        &mut self,
        source: &Owner,
        found: &Component,
        name: &str,
        listed_at: &crate::place::Place,
    ) -> Option<ComponentPlan> {
        let prefix = format!("interceptors.{name}.");
        let keys = below(&found.keys, &prefix);
        let at = keys.first().map_or(listed_at, |key| &key.entry.key_at);
        let owner = source.inner(format!("interceptor `{name}` of the {}", source.noun), &prefix, at);
        let known = self.type_of(Kind::Interceptor, &owner, keys.iter().find(|key| key.name == "type"))?;
        let all: Vec<&Key> = keys.iter().collect();
        Some(self.any_component(owner, name, known, &all, &["type"]))
    }

    fn interceptors_unlisted(&mut self, owner: &Owner, found: &Component, names: &[&str]) {
        let mut told = BTreeSet::new();
        for key in below(&found.keys, "interceptors.") {
            let name = key.name.split('.').next().unwrap_or_default();
            if names.contains(&name) || !told.insert(name.to_string()) {
                continue;
            }
            let what = format!(
                "the interceptor {} has keys and is not in `{}interceptors`",
                quoted(name),
                owner.prefix
            );
            let problem = Problem::warning("not-listed", &key.entry.key_at, what)
                .flume("ignores it without a word")
                .here("it does not run");
            let mut list = names.to_vec();
            list.push(name);
            self.report.add(problem.fix(format!(
                "`{}interceptors = {}`, or leave its keys out",
                owner.prefix,
                list.join(" ")
            )));
        }
    }
}

/// The keys below a prefix, their names without it.
pub(super) fn below(keys: &[Key], prefix: &str) -> Vec<Key> {
    let strip = |key: &Key| {
        let name = key.name.strip_prefix(prefix).filter(|name| !name.is_empty())?;
        Some(Key { name: name.to_string(), entry: key.entry.clone() })
    };
    keys.iter().filter_map(strip).collect()
}

/// The channel that is meant; `list` is where channels are listed.
fn which_channel(name: &str, channels: &[String], list: &str) -> String {
    match nearest(name, channels.iter().map(String::as_str)) {
        Some(meant) => format!("`{meant}`, if that is meant"),
        None if name.contains(',') => "blanks between the names, not commas".to_string(),
        None if channels.is_empty() => format!("`{list} = {name}`"),
        None => format!("one of {}", named(channels)),
    }
}

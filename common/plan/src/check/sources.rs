//! Sources with their channels, selectors and interceptors.

use std::collections::{BTreeMap, BTreeSet};

use super::advice::line_value;
use super::lists::{replaced, with, without_commas};
use super::tree::{Component, Key, Tree, below};
use super::{Checker, LIST, Listed, nearest::nearest};
use crate::component::{Kind, Value};
use crate::layers::named;
use crate::owner::Owner;
use crate::place::Place;
use crate::plan::SourcePlan;
use crate::problem::Problem;
use crate::quote::quoted;
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
        let owner = Owner::new(Kind::Source, "sources", self.agent, &found.name, found.begins());
        let known = self.type_of(Kind::Source, &owner, found.key("type"));
        let to = self.channels_of(tree, &owner, found, channels);
        filled.extend(to.iter().cloned());
        self.outline.sources.push((found.name.clone(), to.clone()));
        let selector = self.selector(&owner, found, &to);
        let interceptors = self.interceptors(&owner, found);
        let elsewhere =
            |key: &&Key| !key.name.starts_with("selector.") && !key.name.starts_with("interceptors.");
        let keys: Vec<&Key> = found.keys.iter().filter(elsewhere).collect();
        let (Some(known), Some(selector)) = (known, selector) else {
            self.glance(&owner, &keys, OWN);
            self.aside.interceptors.extend(interceptors);
            return None;
        };
        let missed = found.key("channels").is_none() && found.key("channel").is_some();
        let own: &[&str] = if missed { &["type", "channels", "interceptors", "channel"] } else { OWN };
        let component = self.any_component(owner, &found.name, known, &keys, own);
        let written = self.written(found, &component, &selector, &interceptors);
        Some(SourcePlan { component, channels: to, selector, interceptors, written })
    }

    /// The source's channels that there are.
    fn channels_of(
        &mut self,
        tree: &Tree,
        owner: &Owner,
        found: &Component,
        channels: &[String],
    ) -> Vec<String> {
        let Some(key) = found.key("channels") else {
            let what = format!("the {} has no `channels`", owner.noun);
            let fix = match found.key("channel") {
                Some(key) => format!(
                    "`{}channels = {}` in place of `{}` at {}",
                    owner.prefix,
                    line_value(&key.entry),
                    key.entry.key,
                    key.entry.key_at
                ),
                None => format!("`{}channels = {}`", owner.prefix, any_of(channels)),
            };
            let at = self.missing_at(owner, "channels");
            let problem = Problem::error("no-channel", &at, what).flume(owner.dropped.early());
            self.report.add(problem.fix(fix).cause(&owner.noun, "a source has no `channels`"));
            self.astray.sources += 1;
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
            self.astray.sources += usize::from(tree.component("channels", name).is_none());
            let problem = if known.is_empty() {
                Problem::error("unknown-channel", &at, what).flume(owner.dropped.early())
            } else {
                Problem::warning("unknown-channel", &at, what)
                    .flume("leaves it out silently")
                    .here("it is left out")
            };
            let problem = problem.cause(&owner.noun, not_a_channel(name, self.agent));
            let fix = self.which_channel(tree, name, channels, (&key.entry.key, &text));
            self.report.add(problem.fix(fix));
        }
        for name in
            known.iter().filter(|name| name.contains(',') && tree.component("channels", name).is_none())
        {
            let what = format!("the comma of {} in the {} is part of the name", quoted(name), owner.noun);
            let problem = Problem::warning("unknown-channel", &key.entry.word_at(&text, name), what)
                .flume("leaves the channel out")
                .here("the agent does not start without its keys");
            let line = format!("`{} = {}`", key.entry.key, without_commas(&text));
            self.report.add(problem.fix(format!("{line}, blanks between the names")));
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
            let list = *list;
            for name in words(list).filter(strange) {
                let at = &properties.word_at(key, name).unwrap_or_else(|| owner.at.clone());
                let what = format!(
                    "`{}{key}` names {}, which is no channel of the source",
                    owner.prefix,
                    quoted(name)
                );
                let flume = if key == "optional" {
                    "starts, and fails for every event after the other channels have it: the source sends all of it again and again".into()
                } else {
                    owner.dropped.clone()
                };
                let of_source = format!("{}channels", owner.prefix.trim_end_matches("selector."));
                let fix = match nearest(name, channels.iter().map(String::as_str)) {
                    Some(meant) => format!("`{}{key} = {}`", owner.prefix, replaced(list, name, &meant)),
                    None => format!("`{of_source} = {}`", with(channels, name)),
                };
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
            let problem = Problem::warning("not-listed", &key.entry.first_at, what)
                .flume("ignores it silently")
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

/// The one channel there is, or a word for one.
pub(super) fn any_of(channels: &[String]) -> &str {
    match channels {
        [only] => only,
        _ => "CHANNEL",
    }
}

/// What several components that name the same channel have in common.
pub(super) fn not_a_channel(name: &str, agent: &str) -> String {
    format!("the channel {} is not in `{agent}.channels`", quoted(name))
}

impl Checker<'_> {
    /// The line that names a channel which there is, in place of the one that is not; `text` is the value of `key`.
    pub(super) fn which_channel(
        &mut self,
        tree: &Tree,
        name: &str,
        channels: &[String],
        (key, text): (&str, &str),
    ) -> String {
        let near = nearest(name, channels.iter().map(String::as_str));
        match (near, channels) {
            _ if tree.component("channels", name).is_some() => {
                self.named.insert(("channels".into(), name.to_string()));
                format!("`{}.channels = {}`", self.agent, with(channels, name))
            }
            _ if name.contains(',') => {
                format!("`{key} = {}`, blanks between the names", without_commas(text))
            }
            (_, []) => format!("`{}.channels = {name}`", self.agent),
            (Some(only), _) => format!("`{key} = {}`", replaced(text, name, &only)),
            (None, [only]) => format!("`{key} = {}`", replaced(text, name, only)),
            _ => format!("`{key} = {}`, one of {}", replaced(text, name, "CHANNEL"), named(channels)),
        }
    }
}

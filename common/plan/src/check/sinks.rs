//! Sinks, and the groups that drive several of them.

use std::collections::{BTreeMap, BTreeSet};

use super::lists::{replaced, with, without_commas};
use super::sources::{any_of, not_a_channel};
use super::tree::{Component, Key, Tree, below};
use super::{Checker, LIST, Listed, TYPE, nearest::nearest};
use crate::component::{Descriptor, Kind, Property, Value};
use crate::fate::{Dropped, Effect};
use crate::layers::named;
use crate::owner::Owner;
use crate::place::Place;
use crate::plan::{GroupPlan, SinkPlan};
use crate::problem::Problem;
use crate::quote::quoted;
use crate::settings::words;

impl Checker<'_> {
    /// The sinks that can run, and the channels that all of them, also the others, mean to drain.
    pub(super) fn sinks(&mut self, tree: &Tree, channels: &[String]) -> (Vec<SinkPlan>, BTreeSet<String>) {
        let mut drained = BTreeSet::new();
        let listed = self.list(tree, "sinks");
        let plans =
            listed.iter().filter_map(|listed| self.sink(tree, listed, channels, &mut drained)).collect();
        (plans, drained)
    }

    fn sink(
        &mut self,
        tree: &Tree,
        listed: &Listed,
        channels: &[String],
        drained: &mut BTreeSet<String>,
    ) -> Option<SinkPlan> {
        let found = self.keys(tree, "sinks", Kind::Sink, listed)?;
        let owner = Owner::new(Kind::Sink, "sinks", self.agent, &found.name, found.begins());
        let known = self.type_of(Kind::Sink, &owner, found.key("type"));
        let channel = self.channel_of(tree, &owner, found, channels);
        drained.extend(channel.clone());
        self.outline.sinks.push((found.name.clone(), channel.iter().cloned().collect()));
        let Some(known) = known else {
            self.glance(&owner, &found.all(), &["type", "channel", "channels"]);
            return None;
        };
        let missed = found.key("channel").is_none() && found.key("channels").is_some();
        let own: &[&str] = if missed { &["type", "channel", "channels"] } else { &["type", "channel"] };
        let component = self.any_component(owner, &found.name, known, &found.all(), own);
        match channel {
            Some(channel) => Some(SinkPlan { component, channel }),
            None => {
                self.aside.sinks.push(component);
                None
            }
        }
    }

    fn channel_of(
        &mut self,
        tree: &Tree,
        owner: &Owner,
        found: &Component,
        channels: &[String],
    ) -> Option<String> {
        let Some(key) = found.key("channel") else {
            let what = format!("the {} has no `channel`", owner.noun);
            let fix = match found.key("channels") {
                Some(key) => format!(
                    "`{}channel = {}` in place of `{}` at {}",
                    owner.prefix,
                    words(&key.entry.value).next().unwrap_or(any_of(channels)),
                    key.entry.key,
                    key.entry.key_at
                ),
                None => format!("`{}channel = {}`", owner.prefix, any_of(channels)),
            };
            let at = self.missing_at(owner, "channel");
            let problem = Problem::error("no-channel", &at, what).flume(owner.dropped.early());
            self.report.add(problem.fix(fix).cause(&owner.noun, "a sink has no `channel`"));
            self.astray.sinks += 1;
            return None;
        };
        let strange = Property { value: Value::Type(Kind::Channel), ..TYPE }; // a name that is not there drops the sink
        let name = self.settle(owner, &strange, &key.entry);
        if channels.contains(&name) {
            return Some(name);
        }
        let what = format!(
            "the {} drains a channel {} that is not in `{}.channels`",
            owner.noun,
            quoted(&name),
            self.agent
        );
        let fix = match words(&name).collect::<Vec<_>>()[..] {
            [first, _, ..] => {
                format!("`{} = {first}`, and a sink of its own for each other channel", key.entry.key)
            }
            _ => self.which_channel(tree, &name, channels, (&key.entry.key, &name)),
        };
        self.astray.sinks += usize::from(tree.component("channels", &name).is_none());
        let problem =
            Problem::error("unknown-channel", &key.entry.value_at, what).flume(owner.dropped.early());
        self.report.add(problem.fix(fix).cause(&owner.noun, not_a_channel(&name, self.agent)));
        None
    }

    /// The groups that can run.
    pub(super) fn groups(&mut self, tree: &Tree, sinks: &[SinkPlan]) -> Vec<GroupPlan> {
        let mut taken = BTreeMap::new();
        let listed = self.list(tree, "sinkgroups");
        let names = self.words(tree, "sinks");
        let plans: Vec<GroupPlan> =
            listed.iter().filter_map(|listed| self.group(tree, listed, &names, &mut taken)).collect();
        for sink in sinks.iter().filter(|sink| !taken.contains_key(&sink.component.name)) {
            if plans.iter().any(|group| group.component.name == sink.component.name) {
                let what =
                    format!("the sink `{}` runs alone and has the name of a sink group", sink.component.name);
                let note = Problem::note("name-of-a-group", &self.at, what)
                    .flume("does not start the sink, and does not say so");
                self.report.add(note.here("both run"));
            }
        }
        plans
    }

    fn group(
        &mut self,
        tree: &Tree,
        listed: &Listed,
        sinks: &[String],
        taken: &mut BTreeMap<String, String>,
    ) -> Option<GroupPlan> {
        let found = self.keys(tree, "sinkgroups", Kind::Processor, listed)?;
        let (at, name) = (found.begins(), &found.name);
        let noun = format!("sink group `{name}`");
        let dropped = Dropped::unconfigured(&noun, "sinkgroups", name);
        let dropped = dropped.in_words(format!("removes the {noun}, and its sinks with it"));
        let owner =
            Owner { noun, dropped, prefix: format!("{}.sinkgroups.{name}.", self.agent), at: at.clone() };
        let members = self.members(&owner, tree, found, sinks, taken)?;
        let known = self.processor(&owner, found, &members)?;
        let keys = below(&found.keys, "processor.");
        let inner = owner.inner(owner.noun.clone(), "processor.", at);
        self.stray_group_keys(&owner, known, found);
        let component = self.any_component(inner, name, known, &keys.iter().collect::<Vec<_>>(), &["type"]);
        Some(GroupPlan { component, sinks: members })
    }

    /// The group's sinks that there are and that no earlier group has.
    fn members(
        &mut self,
        owner: &Owner,
        tree: &Tree,
        found: &Component,
        sinks: &[String],
        taken: &mut BTreeMap<String, String>,
    ) -> Option<Vec<String>> {
        let Some(key) = found.key("sinks") else {
            let what = format!("the {} has no `sinks`", owner.noun);
            let why = format!("the {} has no `sinks` (NullPointerException)", owner.noun);
            let flume = "fails with a NullPointerException";
            let fix = format!("`{}sinks = NAME NAME`", owner.prefix);
            let at = self.missing_at(owner, "sinks");
            let problem = Problem::error("no-members", &at, what).flume(flume).effect(Effect::Fails(why));
            self.report.add(problem.fix(fix));
            return None;
        };
        let text = self.settle(owner, &LIST, &key.entry);
        let mut members: Vec<String> = Vec::new();
        for name in words(&text).filter(|name| sinks.iter().any(|sink| sink == name)) {
            if members.iter().any(|member| member == name) {
                continue;
            }
            match taken.get(name) {
                Some(first) => self.report.add(taken_by(name, first, owner, &key.entry.word_at(&text, name))),
                None => members.push(name.to_string()),
            }
        }
        self.outline.groups.push((found.name.clone(), members.clone()));
        taken.extend(members.iter().map(|member| (member.clone(), found.name.clone())));
        for name in words(&text).filter(|name| !sinks.iter().any(|sink| sink == name)) {
            let at = key.entry.word_at(&text, name);
            let problem = self.no_such_member(owner, name, members.is_empty(), &at);
            let line = |sinks: &str| format!("`{} = {sinks}`", key.entry.key);
            let fix = match nearest(name, sinks.iter().map(String::as_str)) {
                _ if tree.component("sinks", name).is_some() => {
                    self.named.insert(("sinks".into(), name.to_string()));
                    format!("`{}.sinks = {}`", self.agent, with(sinks, name))
                }
                _ if name.contains(',') => {
                    format!("{}, blanks between the names", line(&without_commas(&text)))
                }
                _ if sinks.is_empty() => format!("`{}.sinks = {name}`", self.agent),
                Some(meant) => line(&replaced(&text, name, &meant)),
                None if sinks.len() == 1 => line(&replaced(&text, name, &sinks[0])),
                None => format!("{}, one of {}", line(&replaced(&text, name, "SINK")), named(sinks)),
            };
            self.report.add(problem.fix(fix));
        }
        (!members.is_empty()).then_some(members)
    }

    fn no_such_member(&self, owner: &Owner, name: &str, last: bool, at: &Place) -> Problem {
        let what =
            format!("the {} has a member {} that is not in `{}.sinks`", owner.noun, quoted(name), self.agent);
        if last {
            Problem::error("no-such-member", at, what).flume("removes the group, because no member is left")
        } else {
            Problem::warning("no-such-member", at, what)
                .flume("takes it out of the group with a warning")
                .here("the group runs without it")
        }
    }

    fn processor(
        &mut self,
        owner: &Owner,
        found: &Component,
        members: &[String],
    ) -> Option<&'static Descriptor> {
        let key = below(&found.keys, "processor.").into_iter().find(|key| key.name == "type");
        let inner = owner.inner(format!("processor of the {}", owner.noun), "processor.", &owner.at);
        if key.is_some() || members.len() > 1 {
            return self.type_of(Kind::Processor, &inner, key.as_ref());
        }
        let what = format!("the {} has no `processor.type`", owner.noun);
        let problem = Problem::warning("no-processor", &owner.at, what)
            .flume(owner.dropped.in_words(format!("{}, though its guide says `default`", owner.dropped)))
            .here("its only sink runs as with `default`")
            .fix(format!("`{}type = default`", inner.prefix));
        self.report.add(problem);
        self.catalogue().find(Kind::Processor, "default")
    }

    fn stray_group_keys(&mut self, owner: &Owner, known: &'static Descriptor, found: &Component) {
        let stray = |key: &&Key| key.name != "sinks" && !key.name.starts_with("processor.");
        for key in found.keys.iter().filter(stray) {
            let what = format!("`{}` is not a property of a sink group ({})", key.name, owner.noun);
            let problem = Problem::warning("unknown-property", &key.entry.key_at, what)
                .flume("ignores it silently")
                .here("it is ignored");
            let meant = match known.property(&key.name) {
                Some(_) => Some(format!("processor.{}", key.name)),
                None => nearest(&key.name, ["sinks", "processor.type"]),
            };
            let fix = meant.map_or("leave it out".into(), |meant| {
                format!("`{}{meant}`, if that is meant", owner.prefix)
            });
            self.report.add(problem.fix(fix));
        }
    }
}

fn taken_by(name: &str, first: &str, owner: &Owner, at: &Place) -> Problem {
    let what = format!("the sink `{name}` of the {} belongs to the group `{first}` already", owner.noun);
    Problem::warning("sink-in-two-groups", at, what)
        .flume("leaves it to one of them, not always the first written, with a warning")
        .here("the group that is written first has it")
        .fix("a sink of its own for each group")
}

//! Sinks, and the groups that drive several of them.

use std::collections::{BTreeMap, BTreeSet};

use super::sources::below;
use super::tree::{Component, Key, Tree};
use super::values::Owner;
use super::{Checker, LIST, Listed, TYPE, nearest::nearest};
use crate::context::{Context, words};
use crate::layers::named;
use crate::place::Place;
use crate::plan::{GroupPlan, SinkPlan};
use crate::report::{Problem, quoted};
use crate::schema::{Kind, Property, Type, Value};

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
        let owner = Owner::new(Kind::Sink, "sinks", self.agent, &found.name, &found.keys[0].entry.key_at);
        let known = self.type_of(Kind::Sink, &owner, found.key("type"));
        let channel = self.channel_of(&owner, found, channels);
        drained.extend(channel.clone());
        let known = known?;
        let missed = found.key("channel").is_none() && found.key("channels").is_some();
        let own: &[&str] = if missed { &["type", "channel", "channels"] } else { &["type", "channel"] };
        let owner = self.grouped(tree, owner, &found.name);
        let context = self.component(&owner, known, &found.all(), own);
        self.special_sink(&owner, known.alias, &context, found);
        Some(SinkPlan { name: found.name.clone(), kind: known.alias, context, channel: channel? })
    }

    /// A sink that cannot be configured takes more with it when a group counts on it.
    fn grouped(&self, tree: &Tree, owner: Owner, sink: &str) -> Owner {
        let counts = |group: &Component| {
            group.key("sinks").is_some_and(|key| words(&key.entry.value).any(|name| name == sink))
        };
        if !tree.components("sinkgroups").iter().any(counts) {
            return owner;
        }
        let dropped = format!("starts nothing at all, because a group counts on the {}", owner.noun);
        Owner { dropped, ..owner }
    }

    fn channel_of(&mut self, owner: &Owner, found: &Component, channels: &[String]) -> Option<String> {
        let Some(key) = found.key("channel") else {
            let what = format!("the {} has no `channel`", owner.noun);
            let fix = match found.key("channels") {
                Some(key) => format!(
                    "`{}channel`, one name, in place of `{}` at {}",
                    owner.prefix, key.entry.key, key.entry.key_at
                ),
                None => format!("`{}channel = NAME`", owner.prefix),
            };
            self.report.add(Problem::error("no-channel", &owner.at, what).flume(&owner.dropped).fix(fix));
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
        let fix = match nearest(&name, channels.iter().map(String::as_str)) {
            Some(meant) => format!("`{} = {meant}`", key.entry.key),
            None if words(&name).count() > 1 => "one channel; another sink for another channel".to_string(),
            None => format!("one of {}", named(channels)),
        };
        self.report
            .add(Problem::error("unknown-channel", &key.entry.value_at, what).flume(&owner.dropped).fix(fix));
        None
    }

    /// The groups that can run.
    pub(super) fn groups(&mut self, tree: &Tree, sinks: &[SinkPlan]) -> Vec<GroupPlan> {
        let mut taken = BTreeMap::new();
        let listed = self.list(tree, "sinkgroups");
        let names = self.words(tree, "sinks");
        let plans: Vec<GroupPlan> =
            listed.iter().filter_map(|listed| self.group(tree, listed, &names, &mut taken)).collect();
        for sink in sinks.iter().filter(|sink| !taken.contains_key(&sink.name)) {
            if plans.iter().any(|group| group.name == sink.name) {
                let what = format!("the sink `{}` runs alone and has the name of a sink group", sink.name);
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
        let (at, name) = (&found.keys[0].entry.key_at, &found.name);
        let noun = format!("sink group `{name}`");
        let dropped = format!("removes the {noun}; its sinks do not run either");
        let owner =
            Owner { noun, dropped, prefix: format!("{}.sinkgroups.{name}.", self.agent), at: at.clone() };
        let members = self.members(&owner, found, sinks, taken)?;
        let known = self.processor(&owner, found, &members)?;
        let keys = below(&found.keys, "processor.");
        let inner = owner.inner(owner.noun.clone(), "processor.", at);
        let context = self.component(&inner, known, &keys.iter().collect::<Vec<_>>(), &["type"]);
        self.stray_group_keys(&owner, known, found);
        self.fits_members(&inner, known.alias, &context, &members);
        Some(GroupPlan { name: name.clone(), kind: known.alias, context, sinks: members })
    }

    /// The group's sinks that there are and that no earlier group has.
    fn members(
        &mut self,
        owner: &Owner,
        found: &Component,
        sinks: &[String],
        taken: &mut BTreeMap<String, String>,
    ) -> Option<Vec<String>> {
        let Some(key) = found.key("sinks") else {
            let what = format!("the {} has no `sinks`", owner.noun);
            let flume = "ends with a NullPointerException: no part of the agent runs";
            let fix = format!("`{}sinks = NAME NAME`", owner.prefix);
            self.report.add(Problem::error("no-members", &owner.at, what).flume(flume).fix(fix));
            return None;
        };
        let text = self.settle(owner, &LIST, &key.entry);
        let mut members: Vec<String> = Vec::new();
        for name in words(&text).filter(|name| sinks.iter().any(|sink| sink == name)) {
            if members.iter().any(|member| member == name) {
                continue;
            }
            match taken.get(name) {
                Some(first) => self.report.add(taken_by(name, first, owner, &key.entry.value_at)),
                None => members.push(name.to_string()),
            }
        }
        taken.extend(members.iter().map(|member| (member.clone(), found.name.clone())));
        for name in words(&text).filter(|name| !sinks.iter().any(|sink| sink == name)) {
            let problem = self.no_such_member(owner, name, sinks, members.is_empty(), &key.entry.value_at);
            self.report.add(problem);
        }
        (!members.is_empty()).then_some(members)
    }

    fn no_such_member(&self, owner: &Owner, name: &str, sinks: &[String], last: bool, at: &Place) -> Problem {
        let what =
            format!("the {} has a member {} that is not in `{}.sinks`", owner.noun, quoted(name), self.agent);
        let problem = if last {
            Problem::error("no-such-member", at, what).flume("removes the group, because no member is left")
        } else {
            Problem::warning("no-such-member", at, what)
                .flume("takes it out of the group with a warning")
                .here("the group runs without it")
        };
        match nearest(name, sinks.iter().map(String::as_str)) {
            Some(meant) => problem.fix(format!("`{meant}`, if that is meant")),
            None if name.contains(',') => problem.fix("blanks between the names, not commas"),
            None => problem.fix(format!("one of {}", named(sinks))),
        }
    }

    fn processor(&mut self, owner: &Owner, found: &Component, members: &[String]) -> Option<&'static Type> {
        let key = below(&found.keys, "processor.").into_iter().find(|key| key.name == "type");
        let inner = owner.inner(format!("processor of the {}", owner.noun), "processor.", &owner.at);
        if key.is_some() || members.len() > 1 {
            return self.type_of(Kind::Processor, &inner, key.as_ref());
        }
        let what = format!("the {} has no `processor.type`", owner.noun);
        let problem = Problem::warning("no-processor", &owner.at, what)
            .flume(format!("{}, though its guide says `default`", owner.dropped))
            .here("its only sink runs as with `default`")
            .fix(format!("`{}type = default`", inner.prefix));
        self.report.add(problem);
        Kind::Processor.find("default")
    }

    fn stray_group_keys(&mut self, owner: &Owner, known: &'static Type, found: &Component) {
        let stray = |key: &&Key| key.name != "sinks" && !key.name.starts_with("processor.");
        for key in found.keys.iter().filter(stray) {
            let what = format!("`{}` is not a property of a sink group ({})", key.name, owner.noun);
            let problem = Problem::warning("unknown-property", &key.entry.key_at, what)
                .flume("ignores it without a word")
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

    /// Rules of the processors that look at the members.
    fn fits_members(&mut self, owner: &Owner, kind: &str, context: &Context, members: &[String]) {
        let wrong = match (kind, members.len()) {
            ("default", 2..) => Some(("drives exactly one sink", "failover` or `load_balance")),
            ("load_balance", 1) => Some(("needs at least two sinks", "default")),
            _ => None,
        };
        if let Some((rule, other)) = wrong {
            let what =
                format!("the {} has {} sinks and the processor `{kind}` {rule}", owner.noun, members.len());
            let fix = format!("`{}type = {other}`", owner.prefix);
            self.report
                .add(Problem::error("wrong-processor", &owner.at, what).flume(&owner.dropped).fix(fix));
        }
        if kind == "failover" {
            self.priorities(owner, context, members);
        }
    }

    fn priorities(&mut self, owner: &Owner, context: &Context, members: &[String]) {
        let mut seen: BTreeMap<i64, &str> = BTreeMap::new();
        for member in members {
            let key = format!("priority.{member}");
            let Some(text) = context.text(&key) else { continue };
            let priority: i64 = text.parse().unwrap_or_default(); // has been found to be a number
            let Some(first) = seen.insert(priority, member) else { continue };
            let at = context.place(&key).unwrap_or(&owner.at);
            let what = format!(
                "the sinks `{first}` and `{member}` of the {} have the same priority, {priority}",
                owner.noun
            );
            self.report.add(
                Problem::warning("equal-priorities", at, what)
                    .flume("leaves the second one out for good: it is never used")
                    .here(format!("`{member}` stands behind `{first}`, as they are written in the group"))
                    .fix("a different number for each sink, the higher one first"),
            );
        }
        let without: Vec<String> = members
            .iter()
            .filter(|member| context.text(&format!("priority.{member}")).is_none())
            .cloned()
            .collect();
        self.without_priority(owner, &without, members.len());
        for (name, _) in
            context.under("priority").filter(|(name, _)| !members.iter().any(|member| member == name))
        {
            let at = context.place(&format!("priority.{name}")).unwrap_or(&owner.at);
            let what = format!("{} has a priority and is no member of the {}", quoted(name), owner.noun);
            let problem = Problem::warning("priority-of-nobody", at, what)
                .flume("ignores it without a word")
                .here("it is ignored");
            let near = nearest(name, without.iter().map(String::as_str));
            self.report.add(match near {
                Some(meant) => problem.fix(format!("`{}priority.{meant}`, if that is meant", owner.prefix)),
                None => problem.fix(format!("a member: {}", named(members))),
            });
        }
    }

    fn without_priority(&mut self, owner: &Owner, without: &[String], members: usize) {
        if without.is_empty()
            || members < 2
            || self.report.problems.iter().any(|p| p.code == "bad-value" && p.what.contains(&owner.prefix))
        {
            return;
        }
        let what = format!("members of the {} have no priority: {}", owner.noun, named(without));
        self.report.add(
            Problem::warning("no-priority", &owner.at, what)
                .flume("gives them -1, -2 ... in an order of its own, not the written one")
                .here("they stand behind those that have one, in the order in which they are written")
                .fix(format!("`{}priority.NAME = NUMBER` for each, the higher one first", owner.prefix)),
        );
    }
}

fn taken_by(name: &str, first: &str, owner: &Owner, at: &Place) -> Problem {
    let what = format!("the sink `{name}` of the {} belongs to the group `{first}` already", owner.noun);
    Problem::warning("sink-in-two-groups", at, what)
        .flume("leaves it to one of them, not always the first written, with a warning")
        .here("the group that is written first has it")
        .fix("a sink of its own for each group")
}

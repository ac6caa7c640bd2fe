use super::*;
use crate::component::{Descriptor, Kind, Property, Value};
use crate::owner::Owner;
use crate::settings::Properties;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use std::collections::BTreeMap;

const KEYS: &[Property] = &[
    Property::optional("k", Value::Text),
    Property::optional("other", Value::Text),
    Property::optional("capacity", Value::Text),
];
const SOURCE: Descriptor = Descriptor::new(Kind::Source, "in", "In", &[KEYS]);
const CHANNEL: Descriptor = Descriptor::new(Kind::Channel, "mem", "Mem", &[KEYS]).resizes("capacity");
const DISK: Descriptor = Descriptor::new(Kind::Channel, "disk", "Disk", &[KEYS]);
const FOLDERS: &[Property] =
    &[Property::optional("dataDirs", Value::Text), Property::optional("other", Value::Text)];
const FILES: Descriptor = Descriptor::new(Kind::Channel, "file", "File", &[FOLDERS]).durable();
const QUEUE: Descriptor = Descriptor::new(Kind::Channel, "queue", "Queue", &[KEYS]).durable();
const SINK: Descriptor = Descriptor::new(Kind::Sink, "out", "Out", &[KEYS]);
const PART: Descriptor = Descriptor::new(Kind::Interceptor, "part", "Part", &[KEYS]);

fn component(name: &str, descriptor: &'static Descriptor, keys: &[(&str, &str)]) -> ComponentPlan {
    let properties = Properties::of(descriptor, keys.iter().copied());
    ComponentPlan { name: name.to_owned(), descriptor, properties, owner: Owner::nobody() }
}

fn source(name: &str, channels: &[&str], keys: &[(&str, &str)]) -> SourcePlan {
    SourcePlan {
        component: component(name, &SOURCE, keys),
        channels: channels.iter().map(|channel| (*channel).to_owned()).collect(),
        selector: component("", &PART, &[]),
        interceptors: Vec::new(),
        written: Properties::default(),
    }
}

fn sink(name: &str, channel: &str, keys: &[(&str, &str)]) -> SinkPlan {
    SinkPlan { component: component(name, &SINK, keys), channel: channel.to_owned() }
}

fn group(name: &str, sinks: &[&str], keys: &[(&str, &str)]) -> GroupPlan {
    GroupPlan {
        component: component(name, &PART, keys),
        sinks: sinks.iter().map(|sink| (*sink).to_owned()).collect(),
    }
}

/// Two flows beside each other, and a group of two sinks.
fn sample() -> Plan {
    Plan {
        channels: vec![component("c1", &CHANNEL, &[("capacity", "10")]), component("c2", &CHANNEL, &[])],
        sources: vec![source("r1", &["c1"], &[]), source("r2", &["c2"], &[("k", "1")])],
        sinks: vec![sink("k1", "c1", &[]), sink("k2", "c2", &[]), sink("k3", "c2", &[])],
        groups: vec![group("g", &["k2", "k3"], &[])],
        ..Plan::default()
    }
}

fn untied(_: &Plan, _: &SourcePlan) -> String {
    String::new()
}

/// What `change` does to the sample: a line for each component that is not kept.
fn lines(change: impl FnOnce(&mut Plan)) -> Vec<String> {
    let (old, mut new) = (sample(), sample());
    change(&mut new);
    let changes = diff(&old, &new, untied);
    changes.iter().filter(|change| change.turn != Turn::Kept).map(Change::to_string).collect()
}

fn order(old: &Plan, new: &Plan) -> Vec<String> {
    let text = |step: &Step| format!("{:?} {}", step.action, step.name).to_lowercase();
    steps(old, &diff(old, new, untied)).iter().map(text).collect()
}

#[test]
fn what_is_the_same_is_kept_in_whatever_order_its_keys_stand() {
    assert!(lines(|_| {}).is_empty());
    let keys = [("k", "1"), ("other", "2")];
    let (mut old, mut new) = (sample(), sample());
    old.sources[0] = source("r1", &["c1"], &keys);
    new.sources[0] = source("r1", &["c1"], &[keys[1], keys[0]]);
    new.sources.reverse();
    assert!(steps(&old, &diff(&old, &new, untied)).is_empty());
}

#[test]
fn a_changed_source_or_sink_starts_again_alone() {
    assert_eq!(
        lines(|plan| plan.sources[1] = source("r2", &["c2"], &[("k", "2")])),
        ["source r2: changed (`k`), starts again"]
    );
    assert_eq!(
        lines(|plan| plan.sinks[0] = sink("k1", "c1", &[("k", "2")])),
        ["sink k1: changed (`k`), starts again"]
    );
    assert_eq!(
        lines(|plan| plan.sources[0].interceptors.push(component("i", &PART, &[]))),
        ["source r1: changed (its interceptors), starts again"]
    );
    assert_eq!(
        lines(|plan| plan.sources[0].channels.push("c2".to_owned())),
        ["source r1: changed (its channels), starts again"]
    );
}

#[test]
fn a_group_goes_together() {
    assert_eq!(
        lines(|plan| plan.sinks[2] = sink("k3", "c2", &[("k", "2")])),
        ["sink k2: changed (sink k3 of its group), starts again", "sink k3: changed (`k`), starts again"]
    );
    assert_eq!(
        lines(|plan| plan.groups[0] = group("g", &["k2", "k3"], &[("k", "1")])),
        ["sink k2: changed (its group), starts again", "sink k3: changed (its group), starts again"]
    );
    assert_eq!(
        lines(|plan| plan.groups.clear()),
        ["sink k2: changed (its group), starts again", "sink k3: changed (its group), starts again"]
    );
}

#[test]
fn a_channel_changes_its_capacity_as_it_runs_and_is_replaced_for_all_else() {
    assert_eq!(
        lines(|plan| plan.channels[0] = component("c1", &CHANNEL, &[("capacity", "99")])),
        ["channel c1: changed (capacity), goes on with what it holds"]
    );
    for (channel, why) in [
        (component("c1", &DISK, &[("capacity", "10")]), "`type`"),
        (component("c1", &CHANNEL, &[("capacity", "9"), ("k", "1")]), "`capacity`, `k`"),
    ] {
        assert_eq!(
            lines(|plan| plan.channels[0] = channel),
            [
                format!("channel c1: changed ({why}), is replaced; its sinks empty it first"),
                "sink k1: changed (its channel c1, which is replaced), starts again".to_owned(),
                "source r1: changed (its channel c1, which is replaced), starts again".to_owned(),
            ]
        );
    }
}

#[test]
fn a_renamed_channel_is_emptied_by_its_sinks_before_they_stop() {
    let (old, mut new) = (sample(), sample());
    new.channels[0] = component("c9", &CHANNEL, &[("capacity", "10")]);
    new.sources[0] = source("r1", &["c9"], &[]);
    new.sources[1] = source("r2", &["c2"], &[]);
    new.sinks[0] = sink("k1", "c9", &[]);
    assert_eq!(
        order(&old, &new),
        [
            "stop r1", "drain c1", "stop r2", "stop k1", "stop c1", "start c9", "start k1", "start r1",
            "start r2"
        ]
    );
}

#[test]
fn a_source_that_depends_on_others_starts_again_with_them() {
    let ties: Ties = |plan, source| match source.component.name.as_str() {
        "r1" => format!("{:?}", plan.sources[1].component.properties),
        _ => String::new(),
    };
    let (old, mut new) = (sample(), sample());
    new.sources[1] = source("r2", &["c2"], &[("k", "2")]);
    let changes = diff(&old, &new, ties);
    let why = |name: &str| changes.iter().find(|change| change.name == name).unwrap().turn.clone();
    assert_eq!(why("r1"), Turn::Restarted("files that the agent writes itself".to_owned()));
    assert_eq!(why("k1"), Turn::Kept);
}

/// A plan of up to four components of each kind, with groups.
fn plans() -> impl Strategy<Value = Plan> {
    let value = || prop_oneof![Just("1"), Just("2")];
    let channels = btree_map("ch[a-d]", (any::<bool>(), value(), value()), 1..4);
    (channels, btree_map("[r-u]", (vec(0..4usize, 1..3), value(), any::<bool>()), 0..4))
        .prop_flat_map(move |(channels, sources)| {
            let sinks = btree_map("[k-n]", (0..4usize, value(), any::<bool>()), 0..4);
            (Just(channels), Just(sources), sinks, value())
        })
        .prop_map(|(channels, sources, sinks, processor)| {
            let names: Vec<&str> = channels.keys().map(String::as_str).collect();
            let at = |index: usize| names[index % names.len()];
            let mut plan = Plan::default();
            for (name, (disk, capacity, key)) in &channels {
                let descriptor = if *disk { &DISK } else { &CHANNEL };
                plan.channels.push(component(name, descriptor, &[("capacity", capacity), ("k", key)]));
            }
            for (name, (of, key, intercepted)) in &sources {
                let mut of: Vec<&str> = of.iter().map(|index| at(*index)).collect();
                of.dedup();
                let mut source = source(name, &of, &[("k", key)]);
                source.interceptors.extend(intercepted.then(|| component("i", &PART, &[])));
                plan.sources.push(source);
            }
            let grouped: Vec<&str> =
                sinks.iter().filter(|(_, sink)| sink.2).map(|(name, _)| name.as_str()).collect();
            for (name, (of, key, grouped)) in &sinks {
                plan.sinks.push(sink(name, at(if *grouped { 0 } else { *of }), &[("k", key)]));
            }
            if !grouped.is_empty() {
                plan.groups.push(group("g", &grouped, &[("k", processor)]));
            }
            plan
        })
}

/// What runs: each component with all that it was started with.
type Running = BTreeMap<(Part, String), String>;

fn running(plan: &Plan) -> Running {
    let keys = |component: &ComponentPlan| {
        let keys: BTreeMap<_, _> = component.properties.iter().collect();
        format!("{} {keys:?}", component.descriptor.name())
    };
    let mut running = Running::new();
    for channel in &plan.channels {
        running.insert((Part::Channel, channel.name.clone()), keys(channel));
    }
    for source in &plan.sources {
        let chain: Vec<String> = source.interceptors.iter().map(keys).collect();
        let text = format!("{} {:?} {chain:?}", keys(&source.component), source.channels);
        running.insert((Part::Source, source.component.name.clone()), text);
    }
    for unit in units(plan) {
        let group = unit.group.map(|group| format!("{} {}", group.component.name, keys(&group.component)));
        let member = |sink: &&SinkPlan| format!("{} {}", sink.component.name, keys(&sink.component));
        let members: Vec<String> = unit.sinks.iter().map(member).collect();
        for sink in &unit.sinks {
            let text = format!("{} {group:?} {members:?}", unit.channel);
            running.insert((Part::Sink, sink.component.name.clone()), text);
        }
    }
    running
}

proptest! {
    /// Taking the steps leads from the old plan to the new one, through states that each make sense.
    #[test]
    fn the_steps_lead_from_one_plan_to_the_other(old in plans(), new in plans()) {
        let (begin, end) = (running(&old), running(&new));
        let changes = diff(&old, &new, untied);
        let mut now = begin.clone();
        let mut stopped = BTreeSet::new();
        // Of a source, the channels that it has now: as the old plan says until it is started anew.
        let fed = |now: &Running, started: &BTreeSet<String>| -> Vec<String> {
            let of = |plan: &Plan, fresh: bool| -> Vec<String> {
                plan.sources
                    .iter()
                    .filter(|source| started.contains(&source.component.name) == fresh)
                    .filter(|source| now.contains_key(&(Part::Source, source.component.name.clone())))
                    .flat_map(|source| source.channels.clone())
                    .collect()
            };
            [of(&old, false), of(&new, true)].concat()
        };
        let mut started = BTreeSet::new();
        for step in steps(&old, &changes) {
            let key = (step.part, step.name.clone());
            match step.action {
                Action::Stop => {
                    prop_assert!(now.remove(&key).is_some(), "{step:?} is not running");
                    stopped.insert(key);
                }
                Action::Drain => {
                    prop_assert!(!fed(&now, &started).contains(&step.name), "{step:?} is still fed");
                    let takers = old.sinks.iter().filter(|sink| sink.channel == step.name);
                    for sink in takers {
                        let taker = (Part::Sink, sink.component.name.clone());
                        prop_assert!(now.contains_key(&taker), "{step:?}, and its sinks are gone");
                    }
                }
                Action::Resize => {
                    prop_assert!(now.insert(key.clone(), end[&key].clone()).is_some());
                }
                Action::Start => {
                    prop_assert!(now.insert(key.clone(), end[&key].clone()).is_none(), "{step:?} runs twice");
                    if step.part == Part::Source {
                        started.insert(step.name.clone());
                    }
                }
            }
            for channel in fed(&now, &started) {
                prop_assert!(now.contains_key(&(Part::Channel, channel.clone())), "{step:?}: {channel} is fed");
            }
        }
        prop_assert_eq!(&now, &end);
        // Whatever is the same in both plans, and hangs on nothing that is replaced, was never stopped.
        for change in changes.iter().filter(|change| change.turn == Turn::Kept) {
            prop_assert!(!stopped.contains(&(change.part, change.name.clone())));
        }
        for (key, text) in begin.iter().filter(|(key, text)| end.get(*key) == Some(*text)) {
            let replaced = changes.iter().any(|change| {
                change.part == Part::Channel && change.ends() && text.contains(&change.name)
            });
            prop_assert!(replaced || !stopped.contains(key), "{key:?} was stopped for nothing");
        }
    }

    #[test]
    fn a_plan_that_is_the_same_takes_no_step(plan in plans()) {
        prop_assert!(steps(&plan, &diff(&plan, &plan.clone(), untied)).is_empty());
    }
}

#[test]
fn a_file_channel_is_emptied_unless_another_one_has_its_folders() {
    let plan = |channels: Vec<ComponentPlan>| Plan { channels, ..Plan::default() };
    let files = |name: &str, keys: &[(&str, &str)]| component(name, &FILES, keys);
    let said = |old: ComponentPlan, new: Vec<ComponentPlan>| {
        let changes = diff(&plan(vec![old]), &plan(new), untied);
        let ended = changes.iter().find(|change| change.ends()).expect("it ends");
        (ended.keeps, ended.to_string())
    };
    let ab = [("dataDirs", "/a, /b/")];
    let empty = (false, "channel c1: removed; its sinks empty it first".to_owned());
    let stays = (true, "channel c1: removed; what it holds stays where it keeps it".to_owned());
    assert_eq!(said(files("c1", &ab), vec![]), empty);
    assert_eq!(said(files("c1", &ab), vec![files("c2", &[("dataDirs", "/a")])]), empty);
    assert_eq!(said(files("c1", &ab), vec![files("c2", &[("dataDirs", "/b,/a,/c")])]), stays);
    assert_eq!(said(files("c1", &[]), vec![files("c2", &ab)]), empty);
    assert_eq!(said(files("c1", &[]), vec![files("c2", &[])]), stays, "both have Flume's default");
    let changed = said(files("c1", &ab), vec![files("c1", &[ab[0], ("other", "1")])]);
    assert_eq!(
        changed.1,
        "channel c1: changed (`other`), is replaced; what it holds stays where it keeps it"
    );
    assert!(!said(files("c1", &ab), vec![files("c1", &[("dataDirs", "/x")])]).0);
    assert_eq!(said(component("c1", &QUEUE, &[]), vec![]), stays);
}

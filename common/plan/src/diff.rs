//! What a reload does: two plans in, what becomes of each component out, and the steps that bring it about.
//!
//! Only what changed is stopped and started. What hangs together goes together: a group with all its sinks, and whatever
//! stores into or takes from a channel that is replaced.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;

use crate::plan::{GroupPlan, Plan, SinkPlan, SourcePlan};
use crate::settings::ComponentPlan;

/// What a source depends on besides its own properties, as a text that is another one when that changes: files that other
/// components of the agent write.
pub type Ties = fn(&Plan, &SourcePlan) -> String;

/// What becomes of one component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What it is.
    pub part: Part,
    /// Its name in the configuration.
    pub name: String,
    /// What becomes of it.
    pub turn: Turn,
    /// Of a channel that ends: what it holds stays where it is, and is found there again, so that its sinks need not empty it.
    pub keeps: bool,
}

/// What can be started and stopped by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// With its interceptors and its selector.
    Source,
    /// A channel.
    Channel,
    /// With its group.
    Sink,
}

/// What becomes of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It goes on as if nothing had happened.
    Kept,
    /// It goes on, with another capacity.
    Resized,
    /// It stops, and starts as the new plan has it: why.
    Restarted(String),
    /// It starts.
    Added,
    /// It stops for good.
    Removed,
}

/// One step of a reload. The steps are taken in their order, each when the one before is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What is done.
    pub action: Action,
    /// With what.
    pub part: Part,
    /// Its name.
    pub name: String,
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Stops it; a source lets go of its port, a sink of its connection.
    Stop,
    /// Waits until the sinks of a channel have emptied it.
    Drain,
    /// Gives a running channel another capacity.
    Resize,
    /// Starts it as the new plan has it.
    Start,
}

/// What becomes of each component, in the order of the plans: channels, sinks, sources; those that are removed behind.
pub fn diff(old: &Plan, new: &Plan, ties: Ties) -> Vec<Change> {
    let mut changes = channels(old, new);
    let replaced: BTreeSet<String> =
        changes.iter().filter(|change| change.ends()).map(|change| change.name.clone()).collect();
    changes.extend(sinks(old, new, &replaced));
    changes.extend(sources(old, new, &replaced, ties));
    changes
}

/// The steps from `old` to what `changes` say. Sources that feed a channel which ends stop first, and its sinks empty it;
/// all that stops has stopped before anything starts, so that a port is free when it is wanted again.
pub fn steps(old: &Plan, changes: &[Change]) -> Vec<Step> {
    let of = |part: Part, wanted: fn(&Change) -> bool| {
        changes.iter().filter(move |change| change.part == part && wanted(change)).map(|change| &change.name)
    };
    let ending: BTreeSet<&String> = of(Part::Channel, Change::ends).collect();
    let feeds = |name: &String| {
        let source = old.sources.iter().find(|source| source.component.name == *name);
        source.is_some_and(|source| source.channels.iter().any(|channel| ending.contains(channel)))
    };
    let (feeding, others): (Vec<_>, Vec<_>) = of(Part::Source, Change::ends).partition(|name| feeds(name));
    let mut steps = Vec::new();
    let mut take = |action, part, name: &String| steps.push(Step { action, part, name: name.clone() });
    feeding.into_iter().for_each(|name| take(Action::Stop, Part::Source, name));
    ending.iter().for_each(|name| take(Action::Drain, Part::Channel, name));
    others.into_iter().for_each(|name| take(Action::Stop, Part::Source, name));
    of(Part::Sink, Change::ends).for_each(|name| take(Action::Stop, Part::Sink, name));
    ending.iter().for_each(|name| take(Action::Stop, Part::Channel, name));
    let resized = of(Part::Channel, |change| change.turn == Turn::Resized);
    resized.for_each(|name| take(Action::Resize, Part::Channel, name));
    for part in [Part::Channel, Part::Sink, Part::Source] {
        of(part, Change::begins).for_each(|name| take(Action::Start, part, name));
    }
    steps
}

fn channels(old: &Plan, new: &Plan) -> Vec<Change> {
    let change = |channel: &ComponentPlan| {
        let before = old.channels.iter().find(|before| before.name == channel.name);
        let turn = before.map_or(Turn::Added, |before| {
            let different = before.differences(channel);
            let resizes = channel.descriptor.traits.resizes;
            match &different.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                [] => Turn::Kept,
                [key] if Some(*key) == resizes => Turn::Resized,
                _ => Turn::Restarted(keys(&different)),
            }
        });
        Change { part: Part::Channel, name: channel.name.clone(), turn, keeps: false }
    };
    let mut changes: Vec<Change> = new.channels.iter().map(change).collect();
    removed(Part::Channel, old.channels.iter().map(|channel| &channel.name), &mut changes);
    for change in changes.iter_mut().filter(|change| change.ends()) {
        let before = old.channels.iter().find(|before| before.name == change.name);
        change.keeps = before.is_some_and(|before| keeps(before, new));
    }
    changes
}

/// Whether what a channel holds is not lost to its agent when it ends. A file channel's events are in its own folders, and only
/// another one that has all of these reads them; other durable channels keep theirs with somebody else.
fn keeps(channel: &ComponentPlan, new: &Plan) -> bool {
    if channel.kind() != FILE {
        return channel.descriptor.traits.durable;
    }
    let folders = folders(channel);
    new.channels
        .iter()
        .filter(|other| other.kind() == FILE)
        .any(|other| folders.is_subset(&self::folders(other)))
}

/// Where a file channel keeps its events.
fn folders(channel: &ComponentPlan) -> BTreeSet<String> {
    let set = channel.properties.iter().find(|(key, _)| *key == "dataDirs").map(|(_, value)| value);
    let folders = set.unwrap_or(DATA_DIRS).split(',').map(|folder| folder.trim().trim_end_matches('/'));
    folders.filter(|folder| !folder.is_empty()).map(str::to_owned).collect()
}

/// Flume's file channel, by its alias.
const FILE: &str = "file";
/// Its default, in the home directory of its user.
const DATA_DIRS: &str = "~/.flume/file-channel/data";

fn sources(old: &Plan, new: &Plan, replaced: &BTreeSet<String>, ties: Ties) -> Vec<Change> {
    let change = |source: &SourcePlan| {
        let before = old.sources.iter().find(|before| before.component.name == source.component.name);
        let turn = before.map_or(Turn::Added, |before| {
            turn(source_why(before, source, replaced).or_else(|| {
                let tied = ties(old, before) != ties(new, source);
                tied.then(|| "files that the agent writes itself".to_owned())
            }))
        });
        Change { part: Part::Source, name: source.component.name.clone(), turn, keeps: false }
    };
    let mut changes: Vec<Change> = new.sources.iter().map(change).collect();
    removed(Part::Source, old.sources.iter().map(|source| &source.component.name), &mut changes);
    changes
}

/// Why a source cannot go on as it is.
fn source_why(old: &SourcePlan, new: &SourcePlan, replaced: &BTreeSet<String>) -> Option<String> {
    let own = old.component.differences(&new.component);
    if !own.is_empty() {
        return Some(keys(&own));
    }
    if old.channels != new.channels {
        return Some("its channels".to_owned());
    }
    if !old.selector.differences(&new.selector).is_empty() {
        return Some("its selector".to_owned());
    }
    let same = |(old, new): (&ComponentPlan, &ComponentPlan)| {
        old.name == new.name && old.differences(new).is_empty()
    };
    let chain = old.interceptors.iter().zip(&new.interceptors);
    if old.interceptors.len() != new.interceptors.len() || !chain.into_iter().all(same) {
        return Some("its interceptors".to_owned());
    }
    let replaced = new.channels.iter().find(|channel| replaced.contains(*channel));
    replaced.map(|channel| format!("its channel {channel}, which is replaced"))
}

/// Sinks that one processor drives on one channel.
struct Unit<'a> {
    group: Option<&'a GroupPlan>,
    channel: &'a str,
    sinks: Vec<&'a SinkPlan>,
}

fn units(plan: &Plan) -> Vec<Unit<'_>> {
    let mut units: Vec<Unit<'_>> = Vec::new();
    for sink in &plan.sinks {
        let group = plan.groups.iter().find(|group| group.sinks.contains(&sink.component.name));
        let with = units.iter_mut().find(|unit| {
            let same = |(one, other): (&GroupPlan, &GroupPlan)| std::ptr::eq(one, other);
            unit.channel == sink.channel && unit.group.zip(group).is_some_and(same)
        });
        match with {
            Some(unit) => unit.sinks.push(sink),
            None => units.push(Unit { group, channel: &sink.channel, sinks: vec![sink] }),
        }
    }
    // In the order of the group, which says whose turn is next.
    for unit in &mut units {
        if let Some(group) = unit.group {
            let place = |sink: &&SinkPlan| group.sinks.iter().position(|name| *name == sink.component.name);
            unit.sinks.sort_by_key(place);
        }
    }
    units
}

fn sinks(old: &Plan, new: &Plan, replaced: &BTreeSet<String>) -> Vec<Change> {
    let (before, after) = (units(old), units(new));
    let of = |units: &'_ [Unit<'_>], name: &str| {
        units.iter().position(|unit| unit.sinks.iter().any(|sink| sink.component.name == name))
    };
    let change = |sink: &SinkPlan| {
        let name = &sink.component.name;
        let turn = match (of(&before, name), of(&after, name)) {
            (Some(old), Some(new)) => turn(sink_why(name, &before[old], &after[new], replaced)),
            _ => Turn::Added,
        };
        Change { part: Part::Sink, name: name.clone(), turn, keeps: false }
    };
    let mut changes: Vec<Change> = new.sinks.iter().map(change).collect();
    removed(Part::Sink, old.sinks.iter().map(|sink| &sink.component.name), &mut changes);
    changes
}

/// Why a sink cannot go on as it is: itself, or those that it is together with.
fn sink_why(name: &str, old: &Unit<'_>, new: &Unit<'_>, replaced: &BTreeSet<String>) -> Option<String> {
    if old.channel != new.channel {
        return Some("its channel".to_owned());
    }
    let of = |unit: &Unit<'_>| unit.sinks.iter().map(|sink| sink.component.name.clone()).collect::<Vec<_>>();
    let same_group = match (old.group, new.group) {
        (None, None) => true,
        (Some(old), Some(new)) => {
            old.component.name == new.component.name && old.component.differences(&new.component).is_empty()
        }
        _ => false,
    };
    if !same_group || of(old) != of(new) {
        return Some("its group".to_owned());
    }
    let pairs = old.sinks.iter().zip(&new.sinks);
    let changed: Vec<(&str, BTreeSet<String>)> = pairs
        .map(|(old, new)| (old.component.name.as_str(), old.component.differences(&new.component)))
        .filter(|(_, different)| !different.is_empty())
        .collect();
    let own = changed.iter().find(|(changed, _)| *changed == name).or(changed.first());
    match own {
        Some((changed, different)) if *changed == name => Some(keys(different)),
        Some((changed, _)) => Some(format!("sink {changed} of its group")),
        None if replaced.contains(new.channel) => {
            Some(format!("its channel {}, which is replaced", new.channel))
        }
        None => None,
    }
}

fn turn(why: Option<String>) -> Turn {
    why.map_or(Turn::Kept, Turn::Restarted)
}

fn removed<'a>(part: Part, old: impl Iterator<Item = &'a String>, changes: &mut Vec<Change>) {
    for name in old {
        if !changes.iter().any(|change| change.name == *name) {
            changes.push(Change { part, name: name.clone(), turn: Turn::Removed, keeps: false });
        }
    }
}

/// Keys as people read them, and no more than they read.
fn keys(keys: &BTreeSet<String>) -> String {
    let shown: Vec<String> = keys.iter().take(MOST_KEYS).map(|key| crate::quoted(key)).collect();
    let more = keys.len().saturating_sub(MOST_KEYS);
    let more = if more > 0 { format!(" and {more} more keys") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

/// Keys of a component that are named.
const MOST_KEYS: usize = 5;

impl Change {
    /// Whether what runs now ends.
    pub fn ends(&self) -> bool {
        matches!(self.turn, Turn::Restarted(_) | Turn::Removed)
    }

    /// Whether something starts.
    pub fn begins(&self) -> bool {
        matches!(self.turn, Turn::Restarted(_) | Turn::Added)
    }
}

impl Step {
    /// Whether all can still go on as it was.
    pub fn can_be_undone(&self) -> bool {
        self.action == Action::Drain || (self.action, self.part) == (Action::Stop, Part::Source)
    }
}

/// `source r1`.
impl fmt::Display for Part {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Part::Source => "source",
            Part::Channel => "channel",
            Part::Sink => "sink",
        })
    }
}

/// A line for an operator.
impl fmt::Display for Change {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}: ", self.part, self.name)?;
        let first =
            if self.keeps { "what it holds stays where it keeps it" } else { "its sinks empty it first" };
        match (&self.turn, self.part) {
            (Turn::Kept, _) => out.write_str("unchanged, goes on"),
            (Turn::Resized, _) => out.write_str("changed (capacity), goes on with what it holds"),
            (Turn::Added, _) => out.write_str("new, starts"),
            (Turn::Removed, Part::Channel) => write!(out, "removed; {first}"),
            (Turn::Removed, _) => out.write_str("removed, stops"),
            (Turn::Restarted(why), Part::Channel) => {
                write!(out, "changed ({why}), is replaced; {first}")
            }
            (Turn::Restarted(why), _) => write!(out, "changed ({why}), starts again"),
        }
    }
}

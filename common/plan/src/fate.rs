//! What becomes of an agent in Flume, worked out once from everything that is wrong with it.
//!
//! Source: Flume 1.11, `FlumeConfiguration.AgentConfiguration.isValid`, which removes components and marks agents as
//! invalid before any class is loaded, then `AbstractConfigurationProvider.getConfiguration`, which loads and configures
//! what is left: channels, sources, sinks, groups.

use std::collections::BTreeSet;
use std::fmt;

use crate::component::short;

/// What Flume does with something, in words, and what that means for the agent.
#[derive(Clone, Debug)]
pub struct Dropped {
    pub(crate) text: String,
    pub(crate) effect: Option<Effect>,
}

/// What a finding means for the agent in Flume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Validation removes the component.
    Removed(Part),
    /// The component fails when it is configured, and is left out.
    Unconfigured(Part),
    /// The component's class cannot be loaded, which ends the agent.
    Unloadable(Part),
    /// The agent is marked as invalid.
    Invalid,
    /// Validation itself fails.
    Fails(String),
    /// Only these releases have it.
    Releases { since: Option<&'static str>, until: Option<&'static str> },
    /// It runs if this class is on the class path.
    Class,
}

/// A component in a list of the agent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Part {
    pub(crate) list: &'static str,
    pub(crate) name: String,
}

impl Part {
    fn of(list: &'static str, name: &str) -> Part {
        Part { list, name: name.to_string() }
    }
}

/// ``sink `k1` ``
impl fmt::Display for Part {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = if self.list == "sinkgroups" { "sink group" } else { self.list.trim_end_matches('s') };
        write!(out, "{noun} `{}`", self.name)
    }
}

impl Dropped {
    /// Flume cannot configure the component that `noun` names, and leaves it out.
    pub(crate) fn unconfigured(noun: &str, list: &'static str, name: &str) -> Dropped {
        let part = Part { list, name: name.to_string() };
        Dropped { text: format!("removes the {noun}"), effect: Some(Effect::Unconfigured(part)) }
    }

    /// Nothing but words.
    pub(crate) fn says(text: impl Into<String>) -> Dropped {
        Dropped { text: text.into(), effect: None }
    }

    /// The same with other words.
    #[must_use]
    pub fn in_words(&self, text: impl Into<String>) -> Dropped {
        Dropped { text: text.into(), effect: self.effect.clone() }
    }

    /// The same, found before any class is loaded.
    pub(crate) fn early(&self) -> Dropped {
        self.with(|part| Effect::Removed(part.clone()))
    }

    /// The same, for a class that cannot be loaded.
    #[must_use]
    pub fn unloadable(&self) -> Dropped {
        self.with(|part| Effect::Unloadable(part.clone()))
    }

    fn with(&self, make: impl Fn(&Part) -> Effect) -> Dropped {
        let effect = match &self.effect {
            Some(Effect::Removed(part) | Effect::Unconfigured(part) | Effect::Unloadable(part)) => {
                Some(make(part))
            }
            other => other.clone(),
        };
        Dropped { text: self.text.clone(), effect }
    }
}

impl fmt::Display for Dropped {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

impl From<&str> for Dropped {
    fn from(text: &str) -> Dropped {
        Dropped::says(text)
    }
}

impl From<String> for Dropped {
    fn from(text: String) -> Dropped {
        Dropped::says(text)
    }
}

impl From<&String> for Dropped {
    fn from(text: &String) -> Dropped {
        Dropped::says(text.as_str())
    }
}

impl From<&Dropped> for Dropped {
    fn from(dropped: &Dropped) -> Dropped {
        dropped.clone()
    }
}

/// The components that an agent's lists name, and what hangs together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outline {
    pub(crate) agent: String,
    pub(crate) channels: Vec<String>,
    /// Each with the channels that it names.
    pub(crate) sources: Vec<(String, Vec<String>)>,
    /// Each with the channel that it names.
    pub(crate) sinks: Vec<(String, Vec<String>)>,
    /// Each with the sinks that it names.
    pub(crate) groups: Vec<(String, Vec<String>)>,
}

/// What becomes of the agent in Flume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It runs as it is written.
    Runs,
    /// It runs without these: ``sink `k1` ``.
    Part(Vec<String>),
    /// It stays up and does nothing; why.
    Idle(String),
    /// It ends at once, with exit code 0; why.
    Ends(String),
}

impl Fate {
    /// Works it out.
    pub(crate) fn decide(outline: &Outline, effects: &[&Effect]) -> Fate {
        let without = match Fate::left_out(outline, effects) {
            Ok(without) => without,
            Err(fate) => return fate,
        };
        // A group that is gone is told by its sinks, where they are gone with it.
        let without: Vec<String> =
            without.iter().filter(|part| part.list != "sinkgroups").map(Part::to_string).collect();
        if without.is_empty() { Fate::Runs } else { Fate::Part(without) }
    }

    /// What Flume leaves out of an agent that it starts.
    ///
    /// # Errors
    /// What becomes of one that it does not start.
    pub(crate) fn left_out(outline: &Outline, effects: &[&Effect]) -> Result<Vec<Part>, Fate> {
        let valid = Valid::of(outline, effects)?;
        let has = |list, name: &str, make: fn(Part) -> Effect| {
            effects.contains(&&make(Part { list, name: name.to_string() }))
        };
        let late = |list, name: &str| has(list, name, Effect::Unconfigured);
        let Valid { channels, sources, sinks } = valid;
        let loaded = [
            ("channels", channels.iter().map(ToString::to_string).collect()),
            ("sources", sources.clone()),
            ("sinks", sinks.clone()),
        ];
        for (list, names) in &loaded {
            let lacking = names.iter().find(|name| has(list, name, Effect::Unloadable));
            if let Some(name) = lacking {
                let why = format!("it cannot load the {} `{name}`", list.trim_end_matches('s'));
                return Err(Fate::Ends(why));
            }
        }
        let groups = outline.groups.iter();
        for (group, members) in groups.filter(|(group, _)| !has("sinkgroups", group, Effect::Removed)) {
            let lost = members.iter().find(|name| sinks.contains(name) && late("sinks", name));
            if let Some(sink) = lost {
                return Err(Fate::Idle(format!("the sink group `{group}` counts on the sink `{sink}`")));
            }
        }
        let mut without = Fate::left(outline, &channels, (&sources, &sinks), &late)?;
        let gone = |name: &String| without.iter().any(|part| part.list == "sinks" && part.name == *name);
        let is_lost = |(group, members): &&(String, Vec<String>)| {
            has("sinkgroups", group, Effect::Removed) || late("sinkgroups", group) || members.iter().all(gone)
        };
        let groups: Vec<Part> =
            outline.groups.iter().filter(is_lost).map(|(name, _)| Part::of("sinkgroups", name)).collect();
        without.extend(groups);
        Ok(without)
    }

    /// Whether the agent passes validation, so that classes are loaded and configured at all.
    pub(crate) fn is_valid(outline: &Outline, effects: &[&Effect]) -> bool {
        Valid::of(outline, effects).is_ok()
    }

    /// What is missing when each component was configured.
    fn left(
        outline: &Outline,
        channels: &BTreeSet<&str>,
        (sources, sinks): (&[String], &[String]),
        late: &dyn Fn(&'static str, &str) -> bool,
    ) -> Result<Vec<Part>, Fate> {
        let channels: BTreeSet<&str> =
            channels.iter().copied().filter(|name| !late("channels", name)).collect();
        let of_a_lost_group = |sink: &String| {
            outline.groups.iter().any(|(group, members)| late("sinkgroups", group) && members.contains(sink))
        };
        let runs = |list, (name, to): &(String, Vec<String>), valid: &[String]| {
            let reaches = to.iter().any(|channel| channels.contains(channel.as_str()));
            reaches && valid.contains(name) && !late(list, name)
        };
        let lost = outline.channels.iter().filter(|name| !channels.contains(name.as_str()));
        let mut without: Vec<Part> = lost.map(|name| Part::of("channels", name)).collect();
        let mut left = 0;
        for (list, all, valid) in [("sources", &outline.sources, sources), ("sinks", &outline.sinks, sinks)] {
            for component in all {
                if runs(list, component, valid) && !(list == "sinks" && of_a_lost_group(&component.0)) {
                    left += 1;
                } else {
                    without.push(Part::of(list, &component.0));
                }
            }
        }
        match left {
            0 => Err(Fate::Idle("no source and no sink is left".to_string())),
            _ => Ok(without),
        }
    }

    /// A sentence about it. The effects say under which conditions it holds.
    pub(crate) fn sentence(&self, effects: &[&Effect]) -> String {
        let runs = match self {
            Fate::Runs => "it runs".to_string(),
            Fate::Part(without) => format!("it runs in part, without {}", listed(without)),
            Fate::Idle(why) => return format!("it starts nothing and stays up: {why}"),
            Fate::Ends(why) => return format!("it ends at once, with exit code 0: {why}"),
        };
        let mut conditions = Vec::new();
        let releases = effects.iter().filter_map(|effect| match effect {
            Effect::Releases { since, until } => Some((*since, *until)),
            _ => None,
        });
        let (since, until): (Vec<_>, Vec<_>) = releases.unzip();
        let by_number = |release: &&str| -> Vec<u32> {
            release.split('.').map(|part| part.parse().unwrap_or_default()).collect()
        };
        // What every release in use has is no condition.
        let since = since.into_iter().flatten().max_by_key(by_number);
        let since = since.filter(|release| by_number(release) > by_number(&"1.9"));
        let until = until.into_iter().flatten().min_by_key(by_number);
        conditions.extend(since.map(|release| format!("from {} on", short(release))));
        conditions.extend(until.map(|release| format!("up to {}", short(release))));
        if effects.iter().any(|effect| **effect == Effect::Class) {
            conditions.push("if the classes are on its class path".to_string());
        }
        if conditions.is_empty() { runs } else { format!("{runs}, {}", conditions.join(", ")) }
    }
}

/// What validation leaves of an agent, before any class is loaded.
struct Valid<'a> {
    channels: BTreeSet<&'a str>,
    sources: Vec<String>,
    sinks: Vec<String>,
}

impl Valid<'_> {
    /// # Errors
    /// What becomes of an agent that is not valid.
    fn of<'a>(outline: &'a Outline, effects: &[&Effect]) -> Result<Valid<'a>, Fate> {
        let has = |effect: Effect| effects.contains(&&effect);
        let removed =
            |list: &'static str, name: &str| has(Effect::Removed(Part { list, name: name.to_string() }));
        let channels: BTreeSet<&str> =
            outline.channels.iter().map(String::as_str).filter(|name| !removed("channels", name)).collect();
        if channels.is_empty() || has(Effect::Invalid) {
            return Err(Fate::Idle("the agent is marked as invalid".to_string()));
        }
        let valid = |list, all: &[(String, Vec<String>)]| -> Vec<String> {
            let reaches = |to: &[String]| to.iter().any(|channel| channels.contains(channel.as_str()));
            let valid = all.iter().filter(|(name, to)| reaches(to) && !removed(list, name));
            valid.map(|(name, _)| name.clone()).collect()
        };
        let sources = valid("sources", &outline.sources);
        let sinks = valid("sinks", &outline.sinks);
        if let Some(why) = effects.iter().find_map(|effect| match effect {
            Effect::Fails(why) => Some(why.clone()),
            _ => None,
        }) {
            return Err(Fate::Ends(why));
        }
        if sources.is_empty() && sinks.is_empty() {
            let why = "no source and no sink is left, so the agent is marked as invalid";
            return Err(Fate::Idle(why.to_string()));
        }
        Ok(Valid { channels, sources, sinks })
    }
}

/// Nouns with names, a few of them.
pub(crate) fn listed(nouns: &[String]) -> String {
    const SHOWN: usize = 8;
    let shown = nouns.iter().take(SHOWN).map(|noun| format!("the {noun}")).collect::<Vec<_>>().join(", ");
    match nouns.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline() -> Outline {
        let texts = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let to = |name: &str, to: &[&str]| (name.to_string(), texts(to));
        Outline {
            agent: "a".into(),
            channels: texts(&["c", "d"]),
            sources: vec![to("r", &["c", "d"])],
            sinks: vec![to("k", &["c"]), to("l", &["d"])],
            groups: vec![to("g", &["k", "l"])],
        }
    }

    fn fate(effects: &[Effect]) -> Fate {
        Fate::decide(&outline(), &effects.iter().collect::<Vec<_>>())
    }

    fn part(list: &'static str, name: &str) -> Part {
        Part { list, name: name.into() }
    }

    #[test]
    fn what_comes_first_in_flume_decides() {
        use Effect::{Fails, Invalid, Removed, Unconfigured, Unloadable};
        assert_eq!(fate(&[]), Fate::Runs);
        let early = Removed(part("sinks", "k"));
        assert_eq!(fate(std::slice::from_ref(&early)), Fate::Part(vec!["sink `k`".into()]));
        // A sink that validation has removed is never loaded, and its group goes on without it.
        let unknown = Unloadable(part("sinks", "k"));
        assert_eq!(fate(&[early.clone(), unknown.clone()]), fate(&[early]));
        assert!(matches!(fate(std::slice::from_ref(&unknown)), Fate::Ends(why) if why.contains("sink `k`")));
        assert!(matches!(fate(&[Invalid, unknown.clone()]), Fate::Idle(_)));
        assert!(matches!(fate(&[Fails("x".into()), unknown]), Fate::Ends(why) if why == "x"));
        let late = Unconfigured(part("sinks", "l"));
        assert!(matches!(fate(&[late]), Fate::Idle(why) if why.contains("group `g` counts on the sink `l`")));
        let channel = Unconfigured(part("channels", "d"));
        assert_eq!(fate(&[channel]), Fate::Part(vec!["channel `d`".into(), "sink `l`".into()]));
        let group = Unconfigured(part("sinkgroups", "g"));
        assert_eq!(fate(&[group]), Fate::Part(vec!["sink `k`".into(), "sink `l`".into()]));
        let both = ["c", "d"].map(|name| Removed(part("channels", name)));
        assert!(matches!(fate(&both), Fate::Idle(_)));
    }

    #[test]
    fn conditions_are_part_of_the_sentence() {
        let effects =
            [Effect::Releases { since: Some("1.10.0"), until: None }, Effect::Class, Effect::Invalid];
        let effects: Vec<&Effect> = effects.iter().collect();
        assert_eq!(
            Fate::Runs.sentence(&effects),
            "it runs, from 1.10 on, if the classes are on its class path"
        );
    }
}

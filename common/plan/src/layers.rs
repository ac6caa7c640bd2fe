//! Several files, the environment and the command line as one set of keys.
//!
//! Later wins key by key: files in the order of their `-f`, then `FLUME__agent1__sources__r1__batchSize=50` of the
//! environment (`__` for a dot, case kept), then `-Dagent1.sources.r1.batchSize=50`. The `config` crate does the
//! layering. It takes a dot in a top-level key for a path, and a Flume key may be leaf and branch at once
//! (`a1.sources` and `a1.sources.r1.type`), so every layer answers one table whose keys it keeps as they are.

use crate::component::LISTS;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use config::{Config, ConfigError, Map, Value, ValueKind};

use crate::place::Place;
use crate::problem::Problem;
use crate::properties::{Entry, parse};
use crate::quote::quoted;
use crate::report::Report;

/// A file's name as it was given, and its bytes.
#[derive(Clone, Debug)]
pub struct Text {
    /// As it is shown in places.
    pub name: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// Prefix of environment variables that set a key of the configuration.
pub(crate) const ENVIRONMENT_PREFIX: &str = "FLUME__";

/// The one key under which every layer keeps its own.
const ROOT: &str = "flume";

/// The list of the components that are to run in a JVM: ours, and ignored by Flume.
pub(crate) const BRIDGE: &str = "flume.bridge";

/// The merged keys, in the order in which the winning ones stand, and the agents that the files name.
pub(crate) struct Merged {
    pub(crate) entries: Vec<Entry>,
    pub(crate) agents: Vec<String>,
    /// Where a second agent of the same name begins, by that name.
    pub(crate) pasted: BTreeMap<String, Place>,
}

/// Reads the files and lays environment and properties over them.
pub(crate) fn merge(
    files: &[Text],
    environment: &[(String, String)],
    properties: &[(String, String)],
    report: &mut Report,
) -> Merged {
    let mut layers: Vec<Vec<Entry>> = Vec::new();
    let mut pasted = BTreeMap::new();
    for file in files {
        let entries = parse(&file.name, &file.bytes, report);
        report_duplicates(&entries, &mut pasted, report);
        layers.push(entries);
    }
    let agents = agents(&layers);
    layers.push(from_environment(environment, &agents, report));
    layers.push(from_properties(properties, &agents, report));
    Merged { entries: layered(layers), agents, pasted }
}

/// Names that stand in front of a list, each once, in the order of the files.
fn agents(layers: &[Vec<Entry>]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let names = layers.iter().flatten().filter_map(|entry| {
        let (agent, rest) = entry.key.split_once('.')?;
        (LISTS.contains(&rest) && !agent.is_empty() && !entry.value.trim().is_empty()).then_some(agent)
    });
    names.filter(|name| seen.insert(name.to_string())).map(String::from).collect()
}

fn report_duplicates(entries: &[Entry], pasted: &mut BTreeMap<String, Place>, report: &mut Report) {
    let second = second_agents(entries);
    for (agent, start) in &second {
        report.add_warning(|| two_agents(agent, *start, entries));
        pasted.entry((*agent).to_string()).or_insert_with(|| entries[*start].key_at.clone());
    }
    let mut first: HashMap<&str, &Entry> = HashMap::new();
    for (index, entry) in entries.iter().enumerate().filter(|(_, entry)| entry.key.contains('.')) {
        let Some(before) = first.insert(&entry.key, entry) else { continue };
        let agent = entry.key.split('.').next().unwrap_or_default();
        if second.get(agent).is_some_and(|start| *start <= index) {
            continue;
        }
        let what = format!("`{}` is set a second time; the first is at {}", entry.key, before.key_at);
        let same = before.value.trim() == entry.value.trim();
        let make = if same { Problem::note } else { Problem::warning };
        report.add(
            make("duplicate-key", &entry.key_at, what)
                .cause(format!("`{}`", entry.key), "a key is set a second time")
                .flume("takes the last one and says nothing")
                .here("the last one is taken")
                .fix("one line for each key"),
        );
    }
}

/// Agents whose lists stand twice in one file, each with the key that the second one begins with.
fn second_agents(entries: &[Entry]) -> BTreeMap<&str, usize> {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut again: BTreeMap<&str, (BTreeSet<&str>, usize)> = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        let Some((agent, list)) = entry.key.split_once('.').filter(|(_, rest)| LISTS.contains(rest)) else {
            continue;
        };
        if !seen.insert(&entry.key) {
            again.entry(agent).or_insert((BTreeSet::new(), index)).0.insert(list);
        }
    }
    let again = again.into_iter().filter(|(_, (lists, _))| lists.len() > 1);
    again.map(|(agent, (_, list))| (agent, first_again(agent, list, entries))).collect()
}

/// Where the keys begin that are set again and stand right in front of a list that is: not every agent begins with its lists.
fn first_again(agent: &str, list: usize, entries: &[Entry]) -> usize {
    let is_again = |at: &usize| {
        let key = &entries[*at].key;
        key.split('.').next() == Some(agent) && entries[..*at].iter().any(|before| before.key == *key)
    };
    (0..list).rev().take(MOST_IN_FRONT).take_while(is_again).last().unwrap_or(list)
}

/// Keys in front of an agent's lists that are looked at; it bounds the time.
const MOST_IN_FRONT: usize = 100;

fn two_agents(agent: &str, start: usize, entries: &[Entry]) -> Problem {
    let mine = |entry: &&Entry| entry.key.split('.').next() == Some(agent);
    let before: BTreeSet<&str> =
        entries[..start].iter().filter(mine).map(|entry| entry.key.as_str()).collect();
    let behind: BTreeSet<&str> =
        entries[start..].iter().filter(mine).map(|entry| entry.key.as_str()).collect();
    let twice = behind.intersection(&before).count();
    let what = format!(
        "a second agent {} begins here, {twice} keys are set again: two agents of the same name stand in one file",
        quoted(agent)
    );
    let taken = |name: &str| {
        let prefix = format!("{name}.");
        entries.iter().any(|entry| entry.key.starts_with(&prefix))
    };
    let other = (2..10).map(|number| format!("{agent}_{number}")).find(|name| !taken(name));
    let key = entries[start].key.split_once('.').map_or("", |(_, rest)| rest);
    let line = format!(
        "`{}.{key} = {}`",
        other.unwrap_or_default(),
        quoted(entries[start].value.trim()).trim_matches('`')
    );
    Problem::warning("two-agents", &entries[start].key_at, what)
        .flume("takes the last value of each key, so that one agent runs, a mixture of both")
        .here("the same")
        .fix(format!("{line} and so on, another name in front of each of its keys; or a file of its own"))
}

fn from_environment(variables: &[(String, String)], agents: &[String], report: &mut Report) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (name, value) in variables {
        let Some(key) = name.strip_prefix(ENVIRONMENT_PREFIX) else { continue };
        let place = Place::whole(format!("environment {name}"));
        let key = key.replace("__", ".");
        if begins_with_agent(&key, agents) {
            report.add(override_note(&key, &place));
            entries.push(entry(key, value, place));
        } else {
            let what = format!("`{name}` sets no key of an agent: the files name {}", named(agents));
            report.add(Problem::warning("unknown-agent", &place, what).here("it is ignored").fix(format!(
                "`{ENVIRONMENT_PREFIX}AGENT__sources__NAME__KEY=value`, upper and lower case as in the file"
            )));
        }
    }
    entries
}

fn from_properties(properties: &[(String, String)], agents: &[String], report: &mut Report) -> Vec<Entry> {
    let ours = properties.iter().filter(|(key, _)| begins_with_agent(key, agents));
    let entries =
        ours.map(|(key, value)| entry(key.clone(), value, Place::whole(format!("command line -D{key}"))));
    entries.inspect(|entry| report.add(override_note(&entry.key, &entry.key_at))).collect()
}

fn override_note(key: &str, place: &Place) -> Problem {
    Problem::note("override", place, format!("`{key}` is set outside the files"))
        .cause(format!("`{key}`"), "a key is set outside the files")
        .flume("does not look there for it")
        .here("it wins over the files")
}

fn begins_with_agent(key: &str, agents: &[String]) -> bool {
    key.split_once('.').is_some_and(|(agent, _)| agents.iter().any(|known| known == agent))
}

fn entry(key: String, value: &str, place: Place) -> Entry {
    Entry {
        key,
        key_at: place.clone(),
        first_at: place.clone(),
        value: value.to_string(),
        value_at: place,
        comment: None,
        bare: false,
        parts: Vec::new(),
    }
}

/// Names as a sentence has them; of many only the first.
/// Names for people: each as it stands, and no more than anybody reads.
pub fn named<T: AsRef<str>>(names: &[T]) -> String {
    const SHOWN: usize = 20;
    let shown = names.iter().take(SHOWN).map(|name| quoted(name.as_ref())).collect::<Vec<_>>().join(", ");
    match names.len() {
        0 => "none".to_string(),
        number if number > SHOWN => format!("{shown} and {} more", number - SHOWN),
        _ => shown,
    }
}

/// Lets the `config` crate decide which layer wins each key, and finds the entries that won by their origins.
fn layered(layers: Vec<Vec<Entry>>) -> Vec<Entry> {
    let builder =
        layers.iter().fold(Config::builder(), |builder, layer| builder.add_source(Layer::new(layer)));
    let winners = builder.build().and_then(|config| config.get_table(ROOT));
    let mut winners = winners.expect("a table of texts is always a configuration");
    let mut first: HashMap<String, Place> = HashMap::new();
    for entry in layers.iter().flatten() {
        first.entry(entry.key.clone()).or_insert_with(|| entry.key_at.clone());
    }
    let mut entries: Vec<Entry> = Vec::with_capacity(winners.len());
    for mut entry in layers.into_iter().flatten().rev() {
        let wins = winners.get(&entry.key).is_some_and(|value| value.origin() == Some(&origin(&entry)));
        if wins {
            winners.remove(&entry.key);
            entry.first_at = first.remove(&entry.key).unwrap_or(entry.first_at);
            entries.push(entry);
        }
    }
    entries.reverse();
    entries
}

/// One layer, as the `config` crate wants to have it. The last of equal keys wins.
#[derive(Clone, Debug)]
struct Layer(Map<String, Value>);

impl Layer {
    fn new(entries: &[Entry]) -> Layer {
        let value = |entry: &Entry| Value::new(Some(&origin(entry)), ValueKind::String(entry.value.clone()));
        Layer(entries.iter().map(|entry| (entry.key.clone(), value(entry))).collect())
    }
}

impl config::Source for Layer {
    fn clone_into_box(&self) -> Box<dyn config::Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        let table = Value::new(None, ValueKind::Table(self.0.clone()));
        Ok(Map::from_iter([(ROOT.to_string(), table)]))
    }
}

fn origin(entry: &Entry) -> String {
    entry.key_at.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &str, text: &str) -> Text {
        Text { name: name.into(), bytes: text.as_bytes().to_vec() }
    }

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
    }

    fn show(merged: &Merged) -> Vec<String> {
        merged.entries.iter().map(|e| format!("{}={} @{}", e.key, e.value, e.value_at)).collect()
    }

    #[test]
    fn later_wins_key_by_key() {
        let files = [
            text("a", "A.sources = r1\nA.sources.r1.type = seq\nA.sources.r1.batchSize = 1\nA.x[0].y$z = k"),
            text("b", "A.sources.r1.batchSize = 2\nA.sources.r1.totalEvents = 5"),
        ];
        let environment =
            pairs(&[("FLUME__A__sources__r1__totalEvents", "6"), ("HOME", "/"), ("FLUME__b__x", "1")]);
        let properties =
            pairs(&[("A.sources.r1.Type", "avro"), ("other.key", "1"), ("A.sources.r1.batchSize", "3")]);
        let mut report = Report::default();
        let merged = merge(&files, &environment, &properties, &mut report);
        let expected = [
            "A.sources=r1 @a:1:13",
            "A.sources.r1.type=seq @a:2:21",
            "A.x[0].y$z=k @a:4:14",
            "A.sources.r1.totalEvents=6 @environment FLUME__A__sources__r1__totalEvents",
            "A.sources.r1.Type=avro @command line -DA.sources.r1.Type",
            "A.sources.r1.batchSize=3 @command line -DA.sources.r1.batchSize",
        ];
        assert_eq!(show(&merged), expected);
        assert_eq!(merged.agents, ["A"]);
        let codes: Vec<&str> = report.problems.iter().map(|problem| problem.code).collect();
        assert_eq!(codes, ["override", "unknown-agent", "override", "override"]);
    }

    #[test]
    fn the_same_key_twice_in_one_file_is_told_with_both_places() {
        let mut report = Report::default();
        let merged = merge(&[text("a", "a.k = 1\na.k=2\n a.k = 2\nprose x\nprose y")], &[], &[], &mut report);
        assert_eq!(show(&merged), ["a.k=2 @a:3:8", "prose=y @a:5:7"]);
        let shown: Vec<String> =
            report.problems.iter().map(|p| format!("{} {} {}", p.place, p.severity, p.what)).collect();
        let expected = [
            "a:2:1 warning `a.k` is set a second time; the first is at a:1:1",
            "a:3:2 note `a.k` is set a second time; the first is at a:2:1",
        ];
        assert_eq!(shown, expected);
    }
}

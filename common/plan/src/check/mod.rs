//! The rules: what of a set of keys can run, and everything that is wrong with it, all at once.
//!
//! Source: `FlumeConfiguration` and `AbstractConfigurationProvider` of Flume 1.11, which drop what they cannot use and run
//! the rest. Here what Flume would drop is an error, and the agent does not start: nobody finds out weeks later
//! that half of it never ran.

mod accepts;
mod advice;
mod channels;
mod filters;
pub(crate) mod hosted;
mod keyless;
mod keys;
mod lists;
pub(crate) mod nearest;
mod sinks;
mod sources;
mod topology;
mod tree;
mod types;
mod unlisted;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use self::nearest::nearest;
use self::tree::{Key, Tree};
use self::types::{is_own_class, not_here_yet, unknown_type, unknown_type_in_flume};
use crate::Options;
use crate::component::{Availability, Catalogue, Descriptor, Kind, Property, Value};
use crate::fate::{Dropped, Effect, Outline, Part};
use crate::layers::{Merged, named};
use crate::owner::Owner;
use crate::place::Place;
use crate::plan::{Aside, Plan};
use crate::problem::Problem;
use crate::properties::Entry;
use crate::quote::quoted;
use crate::report::Report;
use crate::secret::Secrets;

/// What is asked for, and what may be looked at on the way.
pub(crate) struct Question<'a> {
    pub(crate) agent: &'a str,
    pub(crate) options: &'a Options,
    pub(crate) environment: &'a [(String, String)],
    /// Keys that `${...}` of others refer to.
    pub(crate) used: &'a BTreeSet<String>,
    /// The first file, for what stands nowhere in it.
    pub(crate) at: Place,
    /// Whether something was left out of the agent, so that a list may be missing on purpose.
    pub(crate) in_part: bool,
}

/// Makes the plan of an agent, of all that could be made sense of; `None` when there is no such agent.
pub(crate) fn check(
    merged: Merged,
    question: Question<'_>,
    secrets: &mut Secrets,
    report: &mut Report,
) -> Option<Plan> {
    let Question { agent, options, environment, used, at, in_part } = question;
    let tree = Tree::build(merged.entries, agent, &merged.agents, used, !in_part, report);
    report.unlisted = tree.unlisted_lines();
    if !merged.agents.iter().any(|name| name == agent)
        && LISTS_OF_ALL.iter().all(|list| tree.list(list).is_none())
    {
        report.add(no_such_agent(agent, &merged.agents, &tree, &at));
        tree.blank().values().for_each(|entry| report.add(tree::empty(entry)));
        return None;
    }
    let mut checker = Checker {
        agent,
        options,
        environment,
        secrets,
        report,
        at,
        places: tree.places(),
        listed: BTreeSet::new(),
        forced: BTreeSet::new(),
        astray: Astray::default(),
        blank: tree.blank().clone(),
        unanswered: BTreeSet::new(),
        named: BTreeSet::new(),
        pasted: merged.pasted.get(agent).cloned(),
        outline: Outline::default(),
        leftover: BTreeSet::new(),
        keyless: 0,
        aside: Aside::default(),
    };
    let plan = checker.plan(&tree);
    std::mem::take(&mut checker.blank).values().for_each(|entry| checker.report.add(tree::empty(entry)));
    Some(plan)
}

fn no_such_agent(agent: &str, agents: &[String], tree: &Tree, origin: &Place) -> Problem {
    let what = if tree.is_empty() {
        format!("the agent {} is not in the file; it names {}", quoted(agent), named(agents))
    } else {
        format!("the agent {} has keys, and no channels, sources or sinks", quoted(agent))
    };
    let problem = Problem::error("unknown-agent", origin, what)
        .flume("warns `No configuration found for this host` and runs with nothing, for ever");
    match (nearest(agent, agents.iter().map(String::as_str)), agents) {
        (Some(meant), _) => problem.fix(format!("`-n {meant}`")),
        (None, [only]) => problem.fix(format!("`-n {only}`")),
        _ => problem.fix("the agent's name in front of every key, and the same name behind `-n`"),
    }
}

/// What the rules share while they go through one agent.
pub(crate) struct Checker<'a> {
    agent: &'a str,
    options: &'a Options,
    environment: &'a [(String, String)],
    /// What no message may show.
    secrets: &'a mut Secrets,
    report: &'a mut Report,
    at: Place,
    /// Where components begin, by `sinks.k1`.
    places: BTreeMap<String, Place>,
    /// Names that a list has, by the list.
    listed: BTreeSet<(&'static str, String)>,
    /// Names of components that are to run in a JVM.
    forced: BTreeSet<String>,
    astray: Astray,
    /// Keys without a value that were not told as missing.
    blank: BTreeMap<String, Entry>,
    /// Values with a question to a config filter that cannot run.
    unanswered: BTreeSet<Place>,
    /// Channels and sinks that something names, that have keys, and that their list does not have; told there.
    named: BTreeSet<(String, String)>,
    /// Where a second agent of this name begins.
    pasted: Option<Place>,
    outline: Outline,
    /// Names in a list that have no keys, and none that are nearly called so.
    leftover: BTreeSet<Part>,
    /// Names without keys so far.
    keyless: usize,
    aside: Aside,
}

/// Components of one kind in an agent: far more than a process runs, and few enough to compare each with each.
const MAX_NAMES: usize = 1000;

/// How often a source or a sink names no channel that there is.
#[derive(Default)]
struct Astray {
    sources: usize,
    sinks: usize,
}

/// A name in a list of components.
struct Listed {
    name: String,
    at: Place,
}

/// The lists without which there is no agent.
const LISTS_OF_ALL: [&str; 3] = ["channels", "sources", "sinks"];
const LIST: Property = Property::optional("list", Value::List);
const TYPE: Property = Property::optional("type", Value::List);

impl Checker<'_> {
    fn plan(&mut self, tree: &Tree) -> Plan {
        let tree = &self.filtered(tree);
        self.force(tree);
        let channel_names = self.list(tree, "channels");
        let channels = self.channels(tree, &channel_names);
        let channel_names: Vec<String> = channel_names.into_iter().map(|listed| listed.name).collect();
        self.outline.channels.clone_from(&channel_names);
        let (sources, filled) = self.sources(tree, &channel_names);
        let (sinks, drained) = self.sinks(tree, &channel_names);
        let groups = self.groups(tree, &sinks);
        self.unlisted(tree);
        self.is_there_anything(tree, &channel_names);
        let told_as_missing = |list| if tree.lacks(list) && !tree.is_inferred(list) { usize::MAX } else { 0 };
        self.astray.sources = self.astray.sources.max(told_as_missing("sources"));
        self.astray.sinks = self.astray.sinks.max(told_as_missing("sinks"));
        let aside = std::mem::take(&mut self.aside);
        let mut plan = Plan { agent: self.agent.to_string(), channels, sources, sinks, groups, aside };
        self.topology(&mut plan, &filled, &drained);
        let mut outline = std::mem::take(&mut self.outline);
        // What no list names was checked, and does not run.
        if tree.is_inferred("sources") {
            plan.aside.sources = std::mem::take(&mut plan.sources);
            outline.sources.clear();
        }
        if tree.is_inferred("sinks") {
            let sinks = std::mem::take(&mut plan.sinks);
            plan.aside.sinks.extend(sinks.into_iter().map(|sink| sink.component));
            plan.aside.groups = std::mem::take(&mut plan.groups);
            outline.sinks.clear();
        }
        outline.agent = self.agent.to_string();
        self.report.outline = outline;
        self.leave_out();
        plan
    }

    /// The names of a list, each once, in written order.
    fn list(&mut self, tree: &Tree, kind: &'static str) -> Vec<Listed> {
        let Some(entry) = tree.list(kind) else { return Vec::new() };
        let owner = self.whole();
        let text = self.settle(&owner, &LIST, entry);
        let mut names: Vec<Listed> = Vec::new();
        for word in crate::settings::words(&text) {
            if names.iter().any(|listed| listed.name == word) {
                let what = format!("`{}` names {} twice", entry.key, quoted(word));
                self.report.add(
                    Problem::note("named-twice", &entry.word_at(&text, word), what).here("it counts once"),
                );
                continue;
            }
            if names.len() == MAX_NAMES {
                let what = format!("`{}` names more than {MAX_NAMES}", entry.key);
                self.report.add(Problem::error("too-many", &entry.value_at, what).fix("several agents"));
                break;
            }
            names.push(Listed { name: word.to_string(), at: entry.word_at(&text, word) });
        }
        self.listed.extend(names.iter().map(|listed| (kind, listed.name.clone())));
        names
    }

    /// Where the want of a key is told: on its line, when it stands there without a value, else at `owner`.
    fn missing_at(&mut self, owner: &Owner, key: &str) -> Place {
        let blank = self.blank.remove(&format!("{}{key}", owner.prefix));
        blank.map_or_else(|| owner.at.clone(), |entry| entry.key_at)
    }

    pub(crate) fn catalogue(&self) -> &'static Catalogue {
        self.options.catalogue
    }

    /// Where the want of a list is told: where it stands, be it without a value, which is then told no more.
    fn list_at(&mut self, tree: &Tree, list: &'static str) -> Place {
        let Some(at) = tree.list_at(list) else { return self.at.clone() };
        self.report.take_back("empty-value", at);
        at.clone()
    }

    /// The agent itself as the owner of its lists.
    fn whole(&self) -> Owner {
        let noun = format!("agent `{}`", self.agent);
        Owner {
            dropped: Dropped::says(format!("removes the {noun}")),
            noun,
            prefix: format!("{}.", self.agent),
            at: self.at.clone(),
        }
    }

    /// Finds what `key` names. `None` when it cannot run; the report says why.
    fn type_of(&mut self, kind: Kind, owner: &Owner, key: Option<&Key>) -> Option<&'static Descriptor> {
        let Some(key) = key else {
            let what = format!("the {} has no type", owner.noun);
            let fix = format!("`{}type = TYPE`, one of {}", owner.prefix, self.catalogue().there_is(kind));
            let at = self.missing_at(owner, "type");
            let problem = Problem::error("no-type", &at, what).flume(owner.dropped.early()).fix(fix);
            self.report.add(problem.cause(&owner.noun, format!("a {} has no type", kind.noun())));
            return None;
        };
        let fatal = Owner {
            dropped: unknown_type_in_flume(kind, owner),
            ..owner.inner(owner.noun.clone(), "", &owner.at)
        };
        let name = self.settle(&fatal, &Property { value: Value::Type(kind), ..TYPE }, &key.entry);
        let problem = match self.catalogue().find(kind, &name) {
            Some(known)
                if known.availability == Availability::Here || Descriptor::class_of(kind).is_some() =>
            {
                return Some(known);
            }
            None if is_own_class(self.catalogue(), kind, &name) => return Descriptor::class_of(kind),
            Some(known) => not_here_yet(kind, owner, known, key),
            None => unknown_type(self.catalogue(), kind, owner, &name, key, &fatal.dropped),
        };
        self.report.add(problem);
        None
    }

    /// Whether there are keys, and no list that names anything: told as one.
    fn has_no_list(&self, tree: &Tree) -> bool {
        LISTS_OF_ALL.iter().all(|list| tree.lacks(list))
            && LISTS_OF_ALL.iter().any(|list| tree.is_inferred(list))
    }

    /// Lists as they should stand in the file.
    fn list_to_paste(&self, tree: &Tree, lists: &[&'static str]) -> String {
        let line = |list: &&'static str| {
            let names = tree.list(list).map_or("NAME ...", |entry| entry.value.trim());
            format!("`{}.{list} = {names}`", self.agent)
        };
        lists.iter().map(line).collect::<Vec<_>>().join(" and ")
    }

    /// The names of a list whose comment has been reported already.
    fn words(&self, tree: &Tree, list: &'static str) -> Vec<String> {
        let text = tree.list(list).map(|entry| match &entry.comment {
            Some(comment) if !self.options.strict_flume => comment.value.as_str(),
            _ => entry.value.as_str(),
        });
        text.into_iter().flat_map(crate::settings::words).map(String::from).collect()
    }

    fn is_there_anything(&mut self, tree: &Tree, channels: &[String]) {
        let missing = |list| tree.lacks(list);
        let agent = self.agent;
        if self.has_no_list(tree) {
            let at =
                LISTS_OF_ALL.iter().find_map(|list| tree.list(list)).map_or(&self.at, |entry| &entry.key_at);
            let what =
                format!("the agent `{agent}` has keys, and no list that says which of its components run");
            let flume = "marks the agent as invalid";
            let problem = Problem::error("no-lists", at, what).flume(flume).effect(Effect::Invalid);
            return self.report.add(problem.fix(self.list_to_paste(tree, &LISTS_OF_ALL)));
        }
        let shared = channels.iter().any(|channel| self.is_shared(tree, channel));
        let problem = match (missing("sources"), missing("sinks")) {
            (true, false) | (false, true) if shared => return,
            (true, true) => Problem::error(
                "nothing-to-do",
                &self.list_at(tree, "sources"),
                format!("the agent `{agent}` has neither sources nor sinks"),
            )
            .flume("marks the agent as invalid")
            .effect(Effect::Invalid),
            (true, false) => Problem::warning(
                "no-sources",
                &self.list_at(tree, "sources"),
                format!("the agent `{agent}` has no sources"),
            )
            .flume("warns, and runs the sinks")
            .here("its sinks run and get nothing")
            .while_running(),
            (false, true) => {
                let at = self.list_at(tree, "sinks");
                Problem::warning("no-sinks", &at, format!("the agent `{agent}` has no sinks"))
                    .flume("warns, and runs the sources until the channels are full")
                    .here("its sources run until the channels are full, then they wait")
                    .while_running()
            }
            (false, false) => return,
        };
        let lists: Vec<&'static str> =
            ["sources", "sinks"].into_iter().filter(|list| missing(list)).collect();
        lists.iter().for_each(|list| drop(self.list_at(tree, list)));
        let fix = self.list_to_paste(tree, &lists);
        self.report.add(problem.fix(fix));
    }
}

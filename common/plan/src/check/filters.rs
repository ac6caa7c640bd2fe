//! Config filters: `${f1['KEY']}` in the values of components.
//!
//! Source: Flume's `FlumeConfiguration.runFiltersThroughConfigs`: lists are not filtered, an answer of nothing leaves the
//! text as it is.

use std::collections::BTreeMap;
use std::path::Path;

use super::nearest::nearest;
use super::tree::Tree;
use super::{Checker, Listed};
use crate::component::Kind;
use crate::load::{CredentialStore, JavaFilter};
use crate::owner::Owner;
use crate::problem::Problem;
use crate::properties::Entry;
use crate::quote::quoted;
use crate::secret::Secret;
use crate::settings::words;
use crate::substitute::{filter_question, matching_end};

/// One that can be asked.
enum Filter {
    /// `env`: the environment.
    Environment,
    /// `external`: this command, with the key behind it.
    External { command: Vec<String> },
    /// `hadoop`: a credential store.
    Hadoop(CredentialStore),
    /// A class of an operator's own.
    Java(JavaFilter),
    /// It cannot run, and has been told so.
    Refused,
}

/// The filters of an agent, by name, and what they have answered.
struct Filters {
    known: BTreeMap<String, Filter>,
    answers: BTreeMap<(String, String), Result<String, String>>,
}

/// More questions than a configuration has secrets; each may be a process.
const MAX_QUESTIONS: usize = 100;

impl Checker<'_> {
    /// The agent's keys with every question to a config filter answered.
    pub(super) fn filtered(&mut self, tree: &Tree) -> Tree {
        let listed = self.list(tree, "configfilters");
        let known = listed.into_iter().map(|listed| {
            let filter = self.filter(tree, &listed).unwrap_or(Filter::Refused);
            (listed.name, filter)
        });
        let mut filters = Filters { known: known.collect(), answers: BTreeMap::new() };
        let whole = tree;
        let mut tree = whole.clone();
        let mut grown = Vec::new();
        for entry in tree.entries_mut(|kind| kind != "configfilters") {
            if entry.value.contains("${") {
                self.answer(whole, entry, &mut filters);
                grown.push(entry.value.clone());
            }
        }
        // What is asked of a filter is a secret, whatever its key is called.
        filters.answers.values().flatten().for_each(|answer| self.secrets.add(answer));
        grown.iter().for_each(|value| self.secrets.add_grown(value));
        tree
    }

    fn filter(&mut self, tree: &Tree, listed: &Listed) -> Option<Filter> {
        let found = self.keys(tree, "configfilters", Kind::ConfigFilter, listed)?;
        let at = found.begins();
        let owner = Owner::new(Kind::ConfigFilter, "configfilters", self.agent, &found.name, at);
        let known = self.type_of(Kind::ConfigFilter, &owner, found.key("type"))?;
        let filter = self.any_component(owner, &listed.name, known, &found.all(), &["type"]);
        match known.name() {
            "" => {
                let pairs = filter.properties.iter().filter(|(key, _)| *key != "type");
                Some(Filter::Java(JavaFilter {
                    name: listed.name.clone(),
                    class: filter.properties.text("type")?.to_owned(),
                    properties: pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
                }))
            }
            "external" => {
                let command = words(filter.properties.text("command")?).map(String::from).collect();
                Some(Filter::External { command })
            }
            "hadoop" => {
                let file = filter.properties.text(CredentialStore::PASSWORD_FILE);
                let beside =
                    || Path::new(&*found.begins().origin).parent().unwrap_or(Path::new("")).to_owned();
                let environment = self.environment.iter().rev();
                let password = environment.clone().find(|(name, _)| name == "HADOOP_CREDSTORE_PASSWORD");
                Some(Filter::Hadoop(CredentialStore {
                    providers: filter.properties.text(CredentialStore::PROVIDERS)?.to_owned(),
                    password_file: file.map(|file| beside().join(file.trim())),
                    password: password.map(|(_, password)| Secret::new(password)),
                }))
            }
            _ => Some(Filter::Environment),
        }
    }

    fn answer(&mut self, tree: &Tree, entry: &mut Entry, filters: &mut Filters) {
        let mut unanswered = BTreeMap::new();
        let mut replace = |text: &str| {
            answered(text, |question, filter, key| match self.ask(filters, filter, key) {
                Ok(answer) => Some(answer),
                Err(why) => {
                    unanswered.insert(format!("${{{question}}}"), why);
                    None
                }
            })
        };
        entry.value = replace(&entry.value);
        entry.parts.clear();
        if let Some(comment) = &mut entry.comment {
            comment.value = replace(&comment.value);
        }
        for (question, why) in unanswered {
            if why.is_empty() {
                self.unanswered.insert(entry.value_at.clone());
                continue;
            }
            let what = format!("`{}` has {}, and {why}", entry.key, quoted(&question));
            let problem = Problem::warning("filter-without-answer", &entry.value_at, what)
                .cause(format!("`{}`", entry.key), format!("{} has no answer: {why}", quoted(&question)))
                .flume("leaves it as it is")
                .here("it is left as it is");
            let name = question.trim_start_matches("${").split('[').next().unwrap_or_default();
            let fix = match tree.component("configfilters", name) {
                Some(_) if !filters.known.contains_key(name) => {
                    let known = filters.known.keys().map(String::as_str);
                    let names = known.chain([name]).collect::<Vec<_>>().join(" ");
                    format!("`{}.configfilters = {names}`", self.agent)
                }
                None if let Some(near) = nearest(name, filters.known.keys().map(String::as_str)) => {
                    format!("{}, if that is meant", quoted(&question.replacen(name, &near, 1)))
                }
                _ => format!("`{} = VALUE`, or a filter that has an answer", entry.key),
            };
            self.report.add(problem.fix(fix));
        }
    }

    /// What a filter says, or why it says nothing; an empty reason has been told already. Nothing is asked twice.
    fn ask(&self, filters: &mut Filters, filter: &str, key: &str) -> Result<String, String> {
        let question = (filter.to_string(), key.to_string());
        if let Some(answer) = filters.answers.get(&question) {
            return answer.clone();
        }
        if filters.answers.len() >= MAX_QUESTIONS {
            return Err(format!("more than {MAX_QUESTIONS} questions are not asked"));
        }
        let answer = match filters.known.get(filter) {
            None => Err(format!("there is no config filter {}", quoted(filter))),
            Some(Filter::Refused) => Err(String::new()),
            Some(Filter::Environment) => {
                let found = self.environment.iter().rev().find(|(name, _)| name == key);
                found.map(|(_, value)| value.clone()).ok_or_else(|| "the variable is not set".to_string())
            }
            Some(Filter::External { command }) => self.options.answers.external(command, key),
            Some(Filter::Hadoop(store)) => self.options.answers.hadoop(store, key),
            Some(Filter::Java(filter)) => self.options.answers.java(filter, key),
        };
        filters.answers.insert(question, answer.clone());
        answer
    }
}

/// Replaces each question that has an answer.
fn answered(text: &str, mut ask: impl FnMut(&str, &str, &str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let inner = &rest[at + 2..];
        let Some(end) = matching_end(inner) else { break };
        let answer = filter_question(&inner[..end]).and_then(|(filter, key)| ask(&inner[..end], filter, key));
        out.push_str(&rest[..at]);
        match answer {
            Some(answer) => out.push_str(&answer),
            None => out.push_str(&rest[at..at + 3 + end]),
        }
        rest = &inner[end + 1..];
    }
    out + rest
}

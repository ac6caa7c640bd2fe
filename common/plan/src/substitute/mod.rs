//! `${...}` in values, as Flume 1.10 and later resolve it.
//!
//! Source: Flume's `MapResolver` over Commons Text's `StringSubstitutor`: look-ups `env:`, `sys:`, `java:`, `date:` and
//! other keys of the files, `:-` before a default, nesting, `$${` for a literal `${`. One difference: Flume finds another
//! key only if it happened to resolve that one earlier; here it is always found.

mod date;

use std::collections::{BTreeSet, HashMap};

use jiff::Zoned;

use crate::fate::Effect;
use crate::place::Place;
use crate::problem::Problem;
use crate::properties::Entry;
use crate::quote::{SHOWN, cut};
use crate::report::Report;
use crate::secret::{HIDDEN, Secrets, is_secret, may_be_a_word};

/// What look-ups may read.
pub(crate) struct Lookups<'a> {
    /// `${env:NAME}`.
    pub(crate) environment: &'a [(String, String)],
    /// `${sys:NAME}`: what was given with `-D`.
    pub(crate) properties: &'a [(String, String)],
    /// `${date:FORMAT}`.
    pub(crate) now: &'a Zoned,
}

/// A system property that every JVM has and a configuration may ask for. `variable` is one of the environment's.
pub fn system_property(name: &str, variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let fixed = match name {
        "user.home" => return variable("HOME"),
        "user.name" => return variable("USER").or_else(|| variable("LOGNAME")),
        "user.dir" => return variable("PWD"),
        "java.io.tmpdir" => "/tmp",
        "os.name" => "Linux",
        "os.arch" if cfg!(target_arch = "x86_64") => "amd64",
        "os.arch" => std::env::consts::ARCH,
        "file.separator" => "/",
        "path.separator" => ":",
        "line.separator" => "\n",
        "file.encoding" => "UTF-8",
        _ => return None,
    };
    Some(fixed.to_owned())
}

/// Plain `${NAME}` is read from the environment when this `-D` property names this class.
const IMPLEMENTATION: (&str, &str) =
    ("propertiesImplementation", "org.apache.flume.node.EnvVarResolverProperties");

/// All values of a configuration together may grow to this by substitution. Far more than any real one, and it
/// ends a file in which each key doubles another.
const MAX_BYTES: usize = 16 << 20;

/// Keys of which one names the next: more than anybody nests, less than the stack holds.
const MAX_DEPTH: usize = 64;

/// Different findings about the variables of one key: the next ones are of the same kind.
const MAX_FOUND: usize = 10;

/// Replaces what can be replaced, in place. Answers the keys that others refer to.
pub(crate) fn substitute(
    entries: &mut [Entry],
    lookups: &Lookups<'_>,
    secrets: &mut Secrets,
    report: &mut Report,
) -> BTreeSet<String> {
    if from_environment(lookups) {
        entries.iter_mut().for_each(|entry| each_text(entry, |text| *text = plain_variables(text, lookups)));
    }
    let keys = entries.iter().map(|entry| (entry.key.clone(), entry.value.clone())).collect();
    let mut resolver = Resolver {
        keys,
        lookups,
        secrets,
        used: BTreeSet::new(),
        grown: 0,
        found: Vec::new(),
        refused: false,
    };
    let mut grown = Vec::new();
    for entry in entries {
        each_text(entry, |text| {
            if text.contains("${") {
                *text = resolver.resolve(text, &mut Vec::new());
                grown.push(text.clone());
            }
        });
        let texts = || [&entry.value].into_iter().chain(entry.comment.as_ref().map(|comment| &comment.value));
        let is_secret = is_secret(&entry.key);
        let hidden = is_secret && !texts().any(|text| is_variable(text));
        for found in resolver.found.drain(..) {
            report.add(found.problem(&entry.key, hidden, &entry.value_at, lookups));
        }
        if is_secret {
            let kept = texts().filter(|text| !is_variable(text) && !may_be_a_word(&entry.key));
            kept.for_each(|text| resolver.secrets.add(text));
        }
    }
    // All secrets are known by now.
    grown.iter().for_each(|text| resolver.secrets.add_grown(text));
    resolver.used
}

/// Whether a value is nothing but a variable, whose name is no secret: `${PASSWORD}`, `${f1['key']}`.
fn is_variable(value: &str) -> bool {
    let name = value.trim().strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    let named = |name: &str| {
        let rest = |sign: char| sign.is_ascii_alphanumeric() || "_.-".contains(sign);
        name.starts_with(|sign: char| sign.is_ascii_alphabetic() || sign == '_') && name.chars().all(rest)
    };
    let is_name = |name: &str| match name.split_once(':') {
        Some((look_up, name)) => ["env", "sys", "java", "date"].contains(&look_up) && named(name),
        None => named(name),
    };
    name.is_some_and(|name| filter_question(name).is_some() || is_name(name))
}

fn from_environment(lookups: &Lookups<'_>) -> bool {
    lookups.properties.iter().any(|(key, value)| (key.as_str(), value.as_str()) == IMPLEMENTATION)
}

fn each_text(entry: &mut Entry, mut change: impl FnMut(&mut String)) {
    if entry.value.contains("${") {
        entry.parts.clear();
    }
    change(&mut entry.value);
    entry.comment.iter_mut().for_each(|comment| change(&mut comment.value));
}

/// Replaces every `${WORD}` by the environment variable, an unset one by nothing, as that class does.
fn plain_variables(text: &str, lookups: &Lookups<'_>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, inner) = (&rest[..at], &rest[at + 2..]);
        out.push_str(before);
        let word = inner.find('}').map(|end| &inner[..end]).filter(|word| is_word(word));
        match word {
            Some(word) => {
                out.push_str(find(lookups.environment, word).unwrap_or_default());
                rest = &inner[word.len() + 1..];
            }
            None => {
                out.push_str("${");
                rest = inner;
            }
        }
    }
    out + rest
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The value of a name in a list of pairs, the last one winning.
fn find<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// What went wrong with one variable.
#[derive(PartialEq, Eq)]
enum Found {
    Unknown(String),
    /// No `}` closes it.
    Open(String),
    Cycle(Vec<String>),
    TooBig,
    NoJava(String),
    Refused(String),
}

struct Resolver<'a> {
    keys: HashMap<String, String>,
    lookups: &'a Lookups<'a>,
    secrets: &'a mut Secrets,
    used: BTreeSet<String>,
    grown: usize,
    found: Vec<Found>,
    /// The last look-up has found something of its own to say.
    refused: bool,
}

impl Resolver<'_> {
    /// `stack` holds the names that are being resolved.
    fn resolve(&mut self, text: &str, stack: &mut Vec<String>) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            let (before, inner) = (&rest[..at], &rest[at + 2..]);
            out.push_str(before);
            let Some(end) = matching_end(inner) else {
                if !before.ends_with('$') && inner.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                {
                    self.note(Found::Open(short(&rest[at..])));
                }
                out.push_str(&rest[at..]);
                return out;
            };
            if before.ends_with('$') {
                out.push('{'); // `$${...}` is a literal `${...}`
                rest = inner;
                continue;
            }
            let whole = &rest[at..at + 2 + end + 1];
            match self.variable(&inner[..end], stack) {
                Some(value) => out.push_str(&value),
                None => out.push_str(whole),
            }
            rest = &inner[end + 1..];
        }
        out + rest
    }

    /// Remembers what is to be said, as much of it as anybody reads.
    fn note(&mut self, found: Found) {
        if self.found.len() < MAX_FOUND && !self.found.contains(&found) {
            self.found.push(found);
        }
    }

    /// The value of what stands between `${` and `}`; `None` leaves it as it is.
    fn variable(&mut self, expression: &str, stack: &mut Vec<String>) -> Option<String> {
        if stack.len() >= MAX_DEPTH || self.grown > MAX_BYTES {
            self.note(Found::TooBig);
            return None;
        }
        stack.push(String::new()); // nesting counts as depth; no variable has an empty name
        let written = expression;
        let expression = self.resolve(expression, stack);
        stack.pop();
        let (name, default) = match expression.split_once(":-") {
            Some((name, default)) => (name, Some(default.to_string())),
            None => (expression.as_str(), None),
        };
        if stack.iter().any(|earlier| earlier == name && !name.is_empty()) {
            let names = stack.iter().map(String::as_str).chain([name]).filter(|name| !name.is_empty());
            self.note(Found::Cycle(names.map(short).collect()));
            return None;
        }
        self.refused = false;
        let Some(value) = self.look_up(name).or(default) else {
            if !self.refused && filter_question(name).is_none() {
                // A name that another variable is part of is told as it is written: its value may be a secret.
                let told = if written.contains("${") { written } else { name };
                self.note(Found::Unknown(short(told)));
            }
            return None;
        };
        stack.push(name.to_string());
        let value = self.resolve(&value, stack);
        stack.pop();
        self.grown += value.len();
        Some(value)
    }

    fn look_up(&mut self, name: &str) -> Option<String> {
        let Some((prefix, rest)) = name.split_once(':') else { return self.other_key(name) };
        let prefix = prefix.to_ascii_lowercase();
        let found = match prefix.as_str() {
            "env" => find(self.lookups.environment, rest).map(String::from),
            "sys" => self.system_property(rest),
            "java" => self.java(rest),
            "date" => date::format(rest, self.lookups.now),
            _ => None,
        };
        if found.is_none() && ["java", "date"].contains(&prefix.as_str()) {
            self.refused = true;
            self.note(Found::Refused(short(name)));
        }
        if is_secret(rest) {
            found.iter().for_each(|value| self.secrets.add(value));
        }
        found.or_else(|| self.other_key(rest))
    }

    fn other_key(&mut self, key: &str) -> Option<String> {
        let value = self.keys.get(key)?.clone();
        self.used.insert(key.to_string());
        if is_secret(key) {
            self.secrets.add(&value);
        }
        Some(value)
    }

    /// What was given with `-D`, else one that every JVM has.
    fn system_property(&self, name: &str) -> Option<String> {
        let variable = |name: &str| find(self.lookups.environment, name).map(String::from);
        find(self.lookups.properties, name).map(String::from).or_else(|| system_property(name, variable))
    }

    /// Texts as a JVM gives them, for configurations that put them into a header.
    fn java(&mut self, name: &str) -> Option<String> {
        let text = match name {
            "version" => "Java version 17.0.15",
            "runtime" => "OpenJDK Runtime Environment (build 17.0.15+6)",
            "vm" => "OpenJDK 64-Bit Server VM (build 17.0.15+6, mixed mode)",
            "os" => "Linux, architecture: amd64-64",
            "hardware" => "architecture: amd64-64",
            "locale" => "default locale: en_US, platform encoding: UTF-8",
            _ => return None,
        };
        self.note(Found::NoJava(name.to_string()));
        Some(text.to_string())
    }
}

/// As much of a name as is shown.
fn short(name: &str) -> String {
    cut(name, SHOWN)
}

/// Where the `}` stands that closes what has been opened before `text`.
pub(crate) fn matching_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut open, mut at) = (0usize, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'}' if open == 0 => return Some(at),
            b'}' => open -= 1,
            b'$' if bytes.get(at + 1) == Some(&b'{') => {
                open += 1;
                at += 1;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// `f1[key]`, `f1['key']`: a question to a config filter, which comes later.
pub(crate) fn filter_question(name: &str) -> Option<(&str, &str)> {
    let (filter, key) = name.strip_suffix(']')?.split_once('[')?;
    let bare = [('\'', '\''), ('"', '"')]
        .iter()
        .find_map(|(open, close)| key.strip_prefix(*open)?.strip_suffix(*close))
        .unwrap_or(key);
    let good = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    (!filter.is_empty() && good(bare)).then_some((filter, bare))
}

impl Found {
    fn problem(self, key: &str, hidden: bool, place: &Place, lookups: &Lookups<'_>) -> Problem {
        match self {
            Found::Unknown(name) => unknown(&name, (key, hidden), place, lookups),
            Found::Open(text) => {
                let text = if hidden { HIDDEN } else { &text };
                let what = format!("`{key}` has `{text}`, and no `}}` closes the variable");
                let make = if is_of_another_language(key) { Problem::note } else { Problem::warning };
                make("unknown-variable", place, what)
                    .flume("leaves it as it is")
                    .here("the same")
                    .fix("`}` behind the name, or `$${` for a literal `${`")
            }
            Found::Cycle(names) => {
                let what = format!("`{key}` refers to itself: {}", names.join(" -> "));
                let flume = "ends with `Infinite loop in property interpolation`";
                Problem::error("cycle", place, what)
                    .flume(flume)
                    .effect(Effect::Fails(format!("`{key}` refers to itself")))
            }
            Found::TooBig => {
                let what = format!("the variables in `{key}` are nested too deep or grow too large");
                Problem::error("substitution-too-large", place, what)
                    .flume("goes on until its stack or memory is at its end")
            }
            Found::Refused(name) => {
                let what = format!("`{key}` has `${{{name}}}`, which cannot be answered");
                Problem::error("bad-variable", place, what)
                    .flume("stops with an IllegalArgumentException")
                    .effect(Effect::Fails(format!("`{key}` cannot be resolved (IllegalArgumentException)")))
                    .fix("`${date:yyyy-MM-dd}` with the letters of Java's SimpleDateFormat; `${java:version}`, runtime, vm, os, hardware or locale")
            }
            Found::NoJava(name) => {
                let what = format!("`${{java:{name}}}` asks about a JVM, and there is none");
                Problem::note("no-java", place, what).here("a text as a JVM 17 gives it stands in")
            }
        }
    }
}

fn unknown(name: &str, (key, hidden): (&str, bool), place: &Place, lookups: &Lookups<'_>) -> Problem {
    // In a password it may be no variable at all.
    let asks = ["env:", "sys:", "java:", "date:"].iter().any(|prefix| name.starts_with(prefix));
    let name = if hidden && !asks { HIDDEN } else { name };
    let what = format!("`{key}` has `${{{name}}}`, which names nothing");
    let make = if is_of_another_language(key) { Problem::note } else { Problem::warning };
    let problem = make("unknown-variable", place, what)
        .flume("leaves it as it is; up to 1.9, and with `EnvVarResolverProperties`, an unset variable becomes empty")
        .here("it is left as it is")
        .cause(format!("`{key}`"), format!("`${{{name}}}` names nothing"));
    if find(lookups.environment, name).is_some() || is_like_the_environments(name) {
        return problem.fix(format!("`${{env:{name}}}` for the environment variable"));
    }
    if name.ends_with(']') && name.contains('[') {
        return problem
            .fix("`${FILTER['KEY']}`: a config filter's KEY has letters, digits, `-` and `_` only");
    }
    problem.fix(
        "`${env:NAME}`, `${sys:NAME}`, `${KEY}` of this file, `${...:-default}`, or `$${` for a literal `${`",
    )
}

/// `KAFKA_HOST`: keys of a file are not written so.
fn is_like_the_environments(name: &str) -> bool {
    let sign = |sign: char| sign.is_ascii_uppercase() || sign.is_ascii_digit() || sign == '_';
    name.starts_with(|first: char| first.is_ascii_uppercase()) && name.chars().all(sign)
}

/// Whether a value is a shell's or a regular expression's, whose own `${...}` is left to them.
fn is_of_another_language(key: &str) -> bool {
    [".command", ".replaceString", ".searchPattern", ".regex"].iter().any(|end| key.ends_with(end))
}

#[cfg(test)]
mod tests;

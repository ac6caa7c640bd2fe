//! One component's keys against what the table says about it.

use java::{Pattern, glob_as_regex, with_ended_counts};

use super::Checker;
use super::advice::{consequence, java_trim, right};
use super::keys::{is_of_a_part, missing_line_end, missing_property, unknown, unused};
use super::nearest::nearest;
use super::tree::{Key, below};
use super::types::joined_line;
use crate::component::{Bad, Descriptor, Kind, Property, Value};
use crate::owner::Owner;
use crate::problem::{Problem, Severity};
use crate::properties::Entry;
use crate::quote::quoted;
use crate::secret::{HIDDEN, is_secret};
use crate::settings::{ComponentPlan, Properties};

impl Checker<'_> {
    /// Checks `keys` against the properties of `known`, and what its parts have; the plan has those that count. `type` and
    /// the keys in `own` are the caller's.
    pub(super) fn component(
        &mut self,
        owner: Owner,
        name: &str,
        known: &'static Descriptor,
        keys: &[&Key],
        own: &[&str],
    ) -> ComponentPlan {
        let mut properties = self.properties(&owner, known, keys, own);
        self.parts(&owner, &mut properties, known, keys);
        ComponentPlan { name: name.to_string(), descriptor: known, properties, owner }
    }

    /// Looks at the keys of a component whose type is not known, as far as that can be judged.
    pub(super) fn glance(&mut self, owner: &Owner, keys: &[&Key], own: &[&str]) {
        for key in keys.iter().filter(|key| !own.contains(&key.name.as_str())) {
            let last = key.name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
            let free = FREE_NAMES.iter().any(|name| last.contains(name));
            let value = if free { Value::Free } else { Value::Text };
            self.settle(owner, &Property::optional("", value), &key.entry);
        }
    }

    pub(super) fn properties(
        &mut self,
        owner: &Owner,
        known: &'static Descriptor,
        keys: &[&Key],
        own: &[&str],
    ) -> Properties {
        let mut properties = Properties::new(known);
        let mut rejected = Vec::new();
        let mut joined: Vec<String> = Vec::new();
        for key in keys.iter().filter(|key| !own.contains(&key.name.as_str())) {
            let Some(property) = known.property(&key.name) else {
                if is_of_a_part(known, &key.name) {
                    continue;
                }
                self.report.add_warning(|| unknown(owner, known, key));
                continue;
            };
            if let Value::Unused(why) = property.value {
                self.report.add(unused(owner, known, key, why));
            }
            let value = self.settle(owner, property, &key.entry);
            if value.is_empty() {
                continue;
            }
            if let Some(line) = joined_line(owner, &value).filter(|line| line.contains('=')) {
                let fits = property.value.accepts(&value).is_ok();
                self.report.add(missing_line_end(owner, property, key, line, fits));
                joined.push(line.to_string());
                if !fits {
                    rejected.push(property.name);
                    properties.refuse(&key.name);
                    continue;
                }
            } else if !self.accept(owner, property, &key.entry, &value) {
                rejected.push(property.name);
                properties.refuse(&key.name);
                continue;
            }
            if property.value == Value::Path && has_shell_words(&value) {
                self.report.add_warning(|| shell_in_path(&key.entry, &value));
            }
            let secret =
                property.value == Value::Secret || is_secret(&key.entry.key) || self.secrets.are_in(&value);
            properties.push(key.name.clone(), value, secret, &key.entry);
        }
        let missing = |property: &&Property| {
            property.required
                && properties.text(property.name).is_none()
                && !rejected.contains(&property.name)
        };
        let missing: Vec<&Property> = known.all().filter(missing).collect();
        for property in missing {
            let key = format!("{}{}", owner.prefix, property.name);
            if joined.iter().any(|line| line.starts_with(&key)) {
                properties.refuse(property.name);
                continue;
            }
            let at = self.missing_at(owner, property.name);
            let slip = |key: &&&Key| {
                known.property(&key.name).is_none() && nearest(&key.name, [property.name]).is_some()
            };
            let slip = keys.iter().find(slip).copied();
            if let Some(key) = slip {
                self.report.take_back("unknown-property", &key.entry.key_at);
            }
            self.report.add(missing_property(owner, known, property, slip, &at));
            properties.refuse(property.name);
        }
        properties
    }

    /// What stands inside a component with a type and keys of its own.
    fn parts(
        &mut self,
        owner: &Owner,
        properties: &mut Properties,
        known: &'static Descriptor,
        keys: &[&Key],
    ) {
        for property in known.all() {
            match property.value {
                Value::Type(kind) if !property.name.is_empty() => {
                    let given = keys.iter().find(|key| key.name == property.name).copied();
                    let given = given.filter(|_| properties.text(property.name).is_some());
                    let noun = format!("{} of the {}", kind.noun(), owner.noun);
                    let prefix = format!("{}.", property.name);
                    if let Some(part) =
                        self.part(owner, kind, noun, "", &prefix, given, property.default, keys, &[])
                    {
                        properties.push_part(property.name, part);
                    }
                }
                Value::Parts(kind) => {
                    let names: Vec<String> =
                        properties.words(property.name).into_iter().map(String::from).collect();
                    for name in names {
                        let noun = format!("{} `{name}` of the {}", kind.noun(), owner.noun);
                        let prefix = format!("{}.{name}.", property.name);
                        let at = format!("{prefix}type");
                        let given = keys.iter().find(|key| key.name == at).copied();
                        let part = self.part(
                            owner,
                            kind,
                            noun,
                            &name,
                            &prefix,
                            given,
                            Some("default"),
                            keys,
                            &["type"],
                        );
                        if let Some(part) = part {
                            properties.push_part(property.name, part);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the two kinds of parts differ in all of them")]
    fn part(
        &mut self,
        owner: &Owner,
        kind: Kind,
        noun: String,
        name: &str,
        prefix: &str,
        given: Option<&Key>,
        default: Option<&str>,
        keys: &[&Key],
        own: &[&str],
    ) -> Option<ComponentPlan> {
        let below = below(keys.iter().copied(), prefix);
        let at = given.or(below.first()).map_or(&owner.at, |key| &key.entry.key_at);
        let inner = owner.inner(noun, prefix, at);
        let known = match given {
            Some(key) => self.type_of(kind, &inner, Some(key))?,
            None => self.catalogue().find(kind, default?)?,
        };
        Some(self.component(inner, name, known, &below.iter().collect::<Vec<_>>(), own))
    }

    /// The trimmed value, without what reads like a comment behind it where that cannot be meant.
    pub(super) fn settle(&mut self, owner: &Owner, property: &Property, entry: &Entry) -> String {
        let whole = java_trim(&entry.value).to_string();
        let Some(comment) = &entry.comment else { return whole };
        let free = is_free(property);
        let stripped = java_trim(&comment.value);
        if stripped.is_empty() && is_whole(property, entry) {
            return whole;
        }
        let shown = |text: &str| if is_secret(&entry.key) { HIDDEN.to_string() } else { quoted(text) };
        let what =
            format!("`{}` has a comment behind its value: {}", entry.key, shown(java_trim(&comment.text)));
        let fix = "put the comment on a line of its own; `\\#` if the value really has a `#` behind a blank";
        if free {
            let what = format!("`{}` has a ` #` in its value", entry.key);
            let note = Problem::note("comment-in-value", &comment.at, what);
            let note = note.cause(format!("`{}`", entry.key), "a ` #` stands in a value");
            self.report.add(note.flume("takes it as part of the value").here("same here").fix(fix));
            return whole;
        }
        let strict = self.options.strict_flume;
        let here = if strict {
            format!("the same: the value is {} (strict Flume)", shown(&whole))
        } else {
            format!("the comment is left out: the value is {}", shown(stripped))
        };
        let consequence = consequence(owner, property);
        let flume = consequence.in_words(format!("takes {} for the value: {consequence}", shown(&whole)));
        let warning = Problem::warning("inline-comment", &comment.at, what).cause(
            format!("`{}`", entry.key),
            "a comment stands behind a value, where it is part of the value",
        );
        self.report.add(warning.flume(flume).here(here).fix(fix));
        if strict { whole } else { stripped.to_string() }
    }

    /// Whether the value may be used; reports it if not.
    fn accept(&mut self, owner: &Owner, property: &Property, entry: &Entry, value: &str) -> bool {
        let Err(wrong) = property.value.accepts(value) else { return true };
        let property = &Property { bad: bad(property, value), ..*property };
        if value.contains("${") && self.variable_is_told(owner, property, entry) {
            return property.value == Value::Flag;
        }
        let shown = if is_secret(&entry.key) { HIDDEN.to_string() } else { quoted(value) };
        let what = format!("`{}` is {shown}: {wrong}", entry.key);
        let flume = consequence(owner, property);
        let problem = if property.bad == Bad::Default || property.value == Value::Flag {
            let default = property
                .default
                .map_or("the default holds".to_string(), |text| format!("the default, {text}, holds"));
            let here =
                if property.value == Value::Flag { "it is taken for `false`".to_string() } else { default };
            Problem::warning("bad-value", &entry.value_at, what).here(here)
        } else {
            Problem::error("bad-value", &entry.value_at, what)
        };
        let cause = format!("`{}` cannot be {shown}: {wrong}", property.name);
        let problem = problem.cause(&owner.noun, cause);
        let regex = Some(value).filter(|_| property.value == Value::Regex);
        let glob = regex.and_then(glob_as_regex);
        let glob = glob.filter(|meant| Pattern::compile(&meant.replace("\\\\", "\\")).is_ok());
        let fix = match (regex.and_then(with_ended_counts), glob) {
            (Some(meant), _) => format!("`{} = {meant}`", entry.key),
            (None, Some(meant)) => format!("`{} = {meant}`, if a pattern of a shell is meant", entry.key),
            (None, None) => right(property, &entry.key),
        };
        self.report.add(problem.flume(flume).fix(fix));
        property.value == Value::Flag
    }

    /// Whether it was told that a variable of the value names nothing; where the value has to be more than text, that is
    /// an error.
    fn variable_is_told(&mut self, owner: &Owner, property: &Property, entry: &Entry) -> bool {
        if self.unanswered.contains(&entry.value_at) {
            return true;
        }
        let is_unlisted = self.report.is_unlisted(&entry.value_at);
        let of_variables = ["unknown-variable", "filter-without-answer"];
        let told = self.report.problems.iter_mut().rev();
        let mut told = told.filter(|told| of_variables.contains(&told.code) && told.place == entry.value_at);
        let Some(problem) = told.next() else { return false };
        let consequence = consequence(owner, property);
        let changed =
            problem.clone().flume(consequence.in_words(format!("{}: {consequence}", problem.flume)));
        *problem = match property.bad == Bad::Default || property.value == Value::Flag || is_unlisted {
            true => changed.here("it is not used"),
            false => Problem {
                severity: Severity::Error,
                here: Problem::error(problem.code, &problem.place, "").here,
                ..changed
            },
        };
        true
    }
}

/// Whether what reads like a comment may well be meant.
fn is_free(property: &Property) -> bool {
    matches!(property.value, Value::Free | Value::Regex | Value::Secret)
}

/// Whether a value is taken with what reads like a comment in it.
pub(super) fn is_whole(property: &Property, entry: &Entry) -> bool {
    let nothing = entry.comment.as_ref().is_some_and(|comment| java_trim(&comment.value).is_empty());
    is_free(property) || nothing && property.value == Value::Text
}

/// What names of properties have in them that hold free text.
const FREE_NAMES: [&str; 6] = ["regex", "pattern", "command", "search", "replace", "query"];

/// What Flume does with this value: a number that its type can hold and that makes no sense may be a case of its own.
fn bad(property: &Property, value: &str) -> Bad {
    let largest = match property.value {
        Value::Number { max, .. } => max,
        _ => i64::from(i32::MAX),
    };
    let holds = value.parse::<i64>().is_ok_and(|number| number <= largest);
    property.outside.filter(|_| holds).unwrap_or(property.bad)
}

/// Whether a path has what only a shell replaces.
fn has_shell_words(path: &str) -> bool {
    let variable =
        |at: usize| path[at + 1..].starts_with(|sign: char| sign.is_ascii_alphabetic() || sign == '_');
    path == "~" || path.starts_with("~/") || path.match_indices('$').any(|(at, _)| variable(at))
}

fn shell_in_path(entry: &Entry, value: &str) -> Problem {
    let sign = if value.starts_with('~') { "~" } else { "$" };
    let what = format!("`{}` is {}: only a shell replaces `{sign}`", entry.key, quoted(value));
    Problem::warning("shell-in-path", &entry.value_at, what)
        .cause(format!("`{}`", entry.key), format!("a path has `{sign}` in it, which only a shell replaces"))
        .flume("takes it as it is written")
        .here("the same")
        .fix(format!(
            "`{} = /WHOLE/PATH`, or `${{env:NAME}}` in it for a variable of the environment",
            entry.key
        ))
}

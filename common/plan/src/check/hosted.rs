//! What runs in a JVM with the jars of a Flume: types without a native version, classes of an operator's own, and what
//! the operator wants there. The keys of an operator's own class are its own affair; those of Flume's components are checked. All
//! of them go there as they are written.

use super::advice::java_trim;
use super::tree::{Component, Key, Tree, below};
use super::types::{is_class, short_name, unknown_type, unknown_type_in_flume};
use super::values::is_whole;
use super::{Checker, LIST, TYPE};
use crate::component::{Availability, Descriptor, Kind, Property, Value, Written, short};
use crate::fate::Effect;
use crate::layers::BRIDGE;
use crate::owner::Owner;
use crate::problem::Problem;
use crate::properties::Entry;
use crate::quote::quoted;
use crate::report::NEEDS_JAVA;
use crate::secret::is_secret;
use crate::settings::{ComponentPlan, Properties, words};

impl Checker<'_> {
    /// Reads which components the operator wants in the JVM.
    pub(super) fn force(&mut self, tree: &Tree) {
        let Some(entry) = tree.list(BRIDGE) else { return };
        let owner = self.whole();
        let text = self.settle(&owner, &LIST, entry);
        for name in words(&text) {
            let lists = ["sources", "channels", "sinks", "sinkgroups"];
            let interceptor = format!("interceptors.{name}.");
            let is_one = lists.iter().any(|list| tree.component(list, name).is_some())
                || tree
                    .components("sources")
                    .iter()
                    .any(|source| source.keys.iter().any(|key| key.name.starts_with(&interceptor)));
            if !is_one {
                let what = format!("`{}` names {}, and no component has that name", entry.key, quoted(name));
                let problem = Problem::warning("unknown-name", &entry.word_at(&text, name), what);
                self.report.add(problem.flume("ignores the whole line").here("it is ignored"));
            }
            self.forced.insert(name.to_string());
        }
    }

    /// The component, in a JVM or native. As [`Checker::component`] for a native one.
    pub(super) fn any_component(
        &mut self,
        owner: Owner,
        name: &str,
        known: &'static Descriptor,
        keys: &[&Key],
        own: &[&str],
    ) -> ComponentPlan {
        let Some((descriptor, why)) = self.why_hosted(name, known, keys) else {
            return self.component(owner, name, known, keys, own);
        };
        let own_class = known.names.class.is_empty();
        let checked = keys.iter().copied().filter(|key| !own_class && !names_a_class(known, key));
        let checked = checked.collect::<Vec<_>>();
        let checked = self.properties(&owner, known, &checked, own);
        let mut properties = Properties::hosted(known, why);
        for key in keys {
            let value = match known.property(&key.name) {
                _ if is_one_word(&key.name) => self.value(&key.entry, false), // what is behind it has been told
                Some(property) => self.value(&key.entry, is_whole(property, &key.entry)),
                None if own.contains(&key.name.as_str()) || !own_class => self.value(&key.entry, true),
                None => self.settle(&owner, &Property { value: Value::Free, ..TYPE }, &key.entry),
            };
            let secret = is_secret(&key.entry.key) || self.secrets.are_in(&value);
            properties.push(key.name.clone(), value, secret, &key.entry);
        }
        properties.refused_by(checked);
        self.inner_types(&owner, known, keys);
        ComponentPlan { name: name.to_string(), descriptor, properties, owner }
    }

    /// All keys of a source, for what of it runs in a JVM. They have been looked at; a comment is left out where that was
    /// told, so not of what is the class's own affair.
    pub(super) fn written(
        &self,
        found: &Component,
        component: &ComponentPlan,
        selector: &ComponentPlan,
        interceptors: &[ComponentPlan],
    ) -> Properties {
        let of_parts = |key: &str| match key.split_once('.') {
            Some(("selector", of)) => selector.properties.as_hosted(of),
            Some(("interceptors", of)) => interceptors.iter().find_map(|part| {
                let key = of.strip_prefix(part.name.as_str())?.strip_prefix('.')?;
                part.properties.as_hosted(key)
            }),
            _ => component.properties.as_hosted(key),
        };
        let mut properties = Properties::default();
        for Key { name, entry } in &found.keys {
            let value = of_parts(name).map_or_else(|| self.value(entry, false), String::from);
            let secret = is_secret(&entry.key) || self.secrets.are_in(&value);
            properties.push(name.clone(), value, secret, entry);
        }
        properties
    }

    /// The trimmed value of a key that was looked at, with or without what reads like a comment.
    fn value(&self, entry: &Entry, whole: bool) -> String {
        let text = match &entry.comment {
            Some(comment) if !whole && !self.options.strict_flume => &comment.value,
            _ => &entry.value,
        };
        java_trim(text).to_string()
    }

    /// Looks at what stands inside a component in a JVM, as far as it is known: a serializer.
    fn inner_types(&mut self, owner: &Owner, known: &'static Descriptor, keys: &[&Key]) {
        for property in known.all() {
            let Value::Type(kind) = property.value else { continue };
            let Some(key) = keys.iter().find(|key| key.name == property.name) else { continue };
            let prefix = format!("{}.", property.name);
            let inner =
                owner.inner(format!("{} of the {}", kind.noun(), owner.noun), &prefix, &key.entry.key_at);
            let name = self.settle(&inner, &Property { value: property.value, ..TYPE }, &key.entry);
            match self.catalogue().find(kind, &name) {
                Some(part) if part.availability == Availability::Here => {
                    let below = below(keys.iter().copied(), &prefix);
                    self.properties(&inner, part, &below.iter().collect::<Vec<_>>(), &[]);
                }
                None if !is_class(&name) && !name.is_empty() => {
                    let fatal = unknown_type_in_flume(kind, &inner);
                    let problem = unknown_type(self.catalogue(), kind, &inner, &name, key, &fatal);
                    self.report.add(problem);
                }
                _ => {}
            }
        }
    }

    /// Why a component runs in a JVM, if it does, and as what.
    fn why_hosted(
        &self,
        name: &str,
        known: &'static Descriptor,
        keys: &[&Key],
    ) -> Option<(&'static Descriptor, String)> {
        let class = Descriptor::class_of(known.kind)?;
        if known.names.class.is_empty() {
            return Some((known, "it is a Java class".into()));
        }
        match known.availability {
            Availability::Here => {}
            Availability::Feature(feature) => {
                let build =
                    format!("only builds with the feature `{feature}` run `{}` natively", known.name());
                return Some((known, build));
            }
            Availability::Missing => {
                return Some((known, format!("`{}` has no native version", known.name())));
            }
        }
        if self.forced.contains(name) {
            return Some((class, format!("`{}.{BRIDGE}` names it", self.agent)));
        }
        let of_class = |property: &&Property| {
            keys.iter().any(|key| key.name == property.name && names_a_class(known, key))
        };
        if let Some(property) = known.all().find(of_class) {
            return Some((class, format!("its `{}` is a Java class", property.name)));
        }
        let values: Vec<(&str, String)> =
            keys.iter().map(|key| (key.name.as_str(), self.value(&key.entry, false))).collect();
        let written = Written::new(values.iter().map(|(key, value)| (*key, value.as_str())));
        if let Some(why) = (known.beyond)(&written) {
            return Some((known, why));
        }
        let foreign = known.all().find_map(|property| self.foreign_part(property, keys))?;
        Some((class, format!("its {} has no native version", foreign.noun())))
    }

    /// The kind of a part that `property` names and that has no native version.
    fn foreign_part(&self, property: &Property, keys: &[&Key]) -> Option<Kind> {
        let value = |name: &str| keys.iter().find(|key| key.name == name).map(|key| key.entry.value.trim());
        let is_foreign = |kind: Kind, name: &str| match self.catalogue().find(kind, name) {
            Some(known) => known.availability != Availability::Here,
            None => is_class(name),
        };
        match property.value {
            Value::Type(kind) => {
                value(property.name).is_some_and(|name| is_foreign(kind, name)).then_some(kind)
            }
            Value::Parts(kind) => words(value(property.name)?)
                .filter_map(|part| value(&format!("{}.{part}.type", property.name)))
                .any(|name| is_foreign(kind, name))
                .then_some(kind),
            _ => None,
        }
    }
}

/// Whether a property that has a few words to choose from names a class instead, which a JVM may have.
fn names_a_class(known: &Descriptor, key: &Key) -> bool {
    let value = key.entry.value.trim();
    let chosen = known.property(&key.name).map(|property| property.value);
    matches!(chosen, Some(Value::Choice(words)) if is_class(value) && !words.contains(&value))
}

/// Whether a key of any component has one word, or a list of them, as its value.
fn is_one_word(key: &str) -> bool {
    ["type", "channel", "channels", "interceptors"].contains(&key.rsplit('.').next().unwrap_or(key))
}

/// That `component` needs a JVM with Flume's jars, and there is none; `searched` says where it was looked for.
pub fn needs_java(component: &ComponentPlan, searched: &str) -> Problem {
    let (owner, names) = (&component.owner, &component.descriptor.names);
    let why = component.hosted().unwrap_or_default();
    let what =
        format!("the {} needs a JVM with Flume's jars ({why}), and there is none{searched}", owner.noun);
    let (flume, effect) = if names.class.is_empty() {
        ("runs it if the class is on its class path".into(), Effect::Class)
    } else {
        (names.releases(), Effect::Releases { since: names.since, until: names.until })
    };
    let lacks = match component.properties.text("type") {
        _ if !names.class.is_empty() => short_name(component.descriptor),
        Some(class) if is_class(class) => format!("own class {}", quoted(class)),
        other => other.unwrap_or("a JVM with Flume's jars").to_string(),
    };
    let fix = match names.until {
        Some(last) => {
            format!("FLUME_HOME in the environment, naming a Flume {} or older, and JAVA_HOME", short(last))
        }
        None => {
            "FLUME_HOME in the environment, naming the Flume that this agent ran on, and JAVA_HOME".into()
        }
    };
    // The reasons stand with the places, and where it was looked for once.
    let cause = format!("a component needs a JVM with Flume's jars, and there is none{searched}");
    let problem = Problem::error(NEEDS_JAVA, &owner.at, what).flume(flume).effect(effect).fix(fix);
    problem.cause(format!("{}: {why}", owner.noun), cause).lacks(lacks)
}

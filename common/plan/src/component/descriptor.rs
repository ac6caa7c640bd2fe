//! What is said of one type of component.

use super::kind::Kind;
use super::property::Property;
use super::written::Written;
use crate::Properties;

/// All that is said of one type of component. A constant, beside the component's code.
#[derive(Clone, Copy, Debug)]
pub struct Descriptor {
    /// What it is.
    pub kind: Kind,
    /// How a file calls it.
    pub names: Names,
    /// Its properties, in groups that several components share. The only place where a default stands.
    pub properties: &'static [&'static [Property]],
    /// What the rest must know of it.
    pub traits: Traits,
    /// Whether it runs.
    pub availability: Availability,
    /// What of the written keys the native version cannot do and Flume's own class can: why it runs in a JVM then.
    pub beyond: fn(&Written<'_>) -> Option<String>,
}

/// How a file may call a component, and which releases of Flume know it.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    /// Flume's alias in lower case; empty where Flume has none and wants the class name.
    pub alias: &'static str,
    /// The class that Flume accepts in its place.
    pub class: &'static str,
    /// The first release that has it; `None`: every one that is in use.
    pub since: Option<&'static str>,
    /// The last release that has it; `None`: 1.11 has it still.
    pub until: Option<&'static str>,
    /// How people are used to see the alias; `None`: as it is.
    pub spelled: Option<&'static str>,
    /// What people write for it, and what they should know then; empty where the name says it.
    pub mistaken: &'static [(&'static str, &'static str)],
}

/// What a component is like, as far as others must know.
#[derive(Clone, Copy, Debug, Default)]
pub struct Traits {
    /// The property that says how many events a transaction takes, where Flume compares it with the channel's.
    pub batch: Option<&'static str>,
    /// The name that this property had before.
    pub batch_before: Option<&'static str>,
    /// A channel's property that says how many events one transaction may have.
    pub transaction: Option<&'static str>,
    /// Listens at `bind` and `port`, over TCP.
    pub listens: bool,
    /// Reads or writes files on its own actor's thread, so what hangs together with it has a thread to itself.
    pub blocks: bool,
    /// What it has taken survives the process.
    pub durable: bool,
    /// It can read again what was not delivered: a file, not a socket.
    pub rereadable: bool,
    /// A sink that takes one event in a transaction.
    pub single: bool,
    /// Of use without a source, or without a sink, as a channel that other processes share.
    pub shared: bool,
    /// A channel's property that may change while it runs.
    pub resizes: Option<&'static str>,
}

/// Whether a component runs in this build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// It runs.
    Here,
    /// It runs in builds that have this feature.
    Feature(&'static str),
    /// It has no native version: it runs in a JVM with the jars of a Flume, where its kind can.
    Missing,
}

impl Names {
    /// Which releases of Flume have it, as what Flume does.
    pub fn releases(&self) -> String {
        match (self.since, self.until) {
            (None, None) => "has it".into(),
            (Some(first), None) => format!("has it from {} on", short(first)),
            (None, Some(last)) => format!("has it up to {}; later releases have not", short(last)),
            (Some(first), Some(last)) => {
                format!("has it from {} up to {}; later releases have not", short(first), short(last))
            }
        }
    }
}

/// A release as people say it: `1.9` for `1.9.0`.
pub(crate) fn short(release: &str) -> &str {
    release.strip_suffix(".0").filter(|short| short.contains('.')).unwrap_or(release)
}

impl Descriptor {
    /// A component that runs.
    pub const fn new(
        kind: Kind,
        alias: &'static str,
        class: &'static str,
        properties: &'static [&'static [Property]],
    ) -> Descriptor {
        Descriptor {
            kind,
            names: Names { alias, class, since: None, until: None, spelled: None, mistaken: &[] },
            properties,
            traits: Traits {
                batch: None,
                batch_before: None,
                transaction: None,
                listens: false,
                blocks: false,
                durable: false,
                rereadable: false,
                single: false,
                shared: false,
                resizes: None,
            },
            availability: Availability::Here,
            beyond: |_| None,
        }
    }

    /// A class that is named as a type; it is on the class path of a JVM or nowhere. `None` for what cannot run there.
    pub fn class_of(kind: Kind) -> Option<&'static Descriptor> {
        CLASSES.iter().find(|class| class.kind == kind)
    }

    /// One that Flume has and that has no native version.
    pub const fn missing(kind: Kind, alias: &'static str, class: &'static str) -> Descriptor {
        Descriptor { availability: Availability::Missing, ..Descriptor::new(kind, alias, class, &[]) }
    }

    /// Says what it may be asked for.
    pub const fn asks(self, properties: &'static [&'static [Property]]) -> Descriptor {
        Descriptor { properties, ..self }
    }

    /// Says which keys take it to a JVM, because the native version cannot do what they ask for.
    pub const fn beyond(self, beyond: fn(&Written<'_>) -> Option<String>) -> Descriptor {
        Descriptor { beyond, ..self }
    }

    /// Says that it runs in builds that have this feature.
    pub const fn in_builds_with(self, feature: &'static str) -> Descriptor {
        Descriptor { availability: Availability::Feature(feature), ..self }
    }

    /// Says which property is the batch size.
    pub const fn batch(self, property: &'static str) -> Descriptor {
        Descriptor { traits: Traits { batch: Some(property), ..self.traits }, ..self }
    }

    /// Says which name that property had before: it counts where the new one does not stand.
    pub const fn batch_before(self, property: &'static str) -> Descriptor {
        Descriptor { traits: Traits { batch_before: Some(property), ..self.traits }, ..self }
    }

    /// The property that is the batch size in a file with these `properties`.
    pub fn batch_key(&self, properties: &Properties) -> Option<&'static str> {
        let is_written = |key: &&'static str| properties.text(key).is_some();
        let key = self.traits.batch?;
        let before = self.traits.batch_before.filter(|_| !is_written(&key)).filter(is_written);
        Some(before.unwrap_or(key))
    }

    /// Says that it listens at `bind` and `port`, over TCP.
    pub const fn listens(self) -> Descriptor {
        Descriptor { traits: Traits { listens: true, ..self.traits }, ..self }
    }

    /// Says that it takes one event in a transaction.
    pub const fn single(self) -> Descriptor {
        Descriptor { traits: Traits { single: true, ..self.traits }, ..self }
    }

    /// Says that it reads or writes files on its own actor's thread.
    pub const fn blocks(self) -> Descriptor {
        Descriptor { traits: Traits { blocks: true, ..self.traits }, ..self }
    }

    /// Says that it can read again what was not delivered.
    pub const fn rereadable(self) -> Descriptor {
        Descriptor { traits: Traits { rereadable: true, ..self.traits }, ..self }
    }

    /// Says that what it has taken survives the process.
    pub const fn durable(self) -> Descriptor {
        Descriptor { traits: Traits { durable: true, ..self.traits }, ..self }
    }

    /// Says that it is of use without a source, or without a sink.
    pub const fn shared(self) -> Descriptor {
        Descriptor { traits: Traits { shared: true, ..self.traits }, ..self }
    }

    /// Says which property of a channel bounds a transaction.
    pub const fn transaction(self, property: &'static str) -> Descriptor {
        Descriptor { traits: Traits { transaction: Some(property), ..self.traits }, ..self }
    }

    /// Says which property of a channel may change while it runs.
    pub const fn resizes(self, property: &'static str) -> Descriptor {
        Descriptor { traits: Traits { resizes: Some(property), ..self.traits }, ..self }
    }

    /// Says which release of Flume is the first that has it.
    pub const fn since(self, release: &'static str) -> Descriptor {
        Descriptor { names: Names { since: Some(release), ..self.names }, ..self }
    }

    /// Says which release of Flume is the last that has it.
    pub const fn until(self, release: &'static str) -> Descriptor {
        Descriptor { names: Names { until: Some(release), ..self.names }, ..self }
    }

    /// Says how people are used to see its alias.
    pub const fn spelled(self, alias: &'static str) -> Descriptor {
        Descriptor { names: Names { spelled: Some(alias), ..self.names }, ..self }
    }

    /// Says what people write for it, and what they should know then.
    pub const fn mistaken(self, words: &'static [(&'static str, &'static str)]) -> Descriptor {
        Descriptor { names: Names { mistaken: words, ..self.names }, ..self }
    }

    /// How a file should name it.
    pub fn spelling(&self) -> &'static str {
        self.names.spelled.unwrap_or(self.name())
    }

    /// How it is named in a sentence: the alias, or the class where there is none.
    pub const fn name(&self) -> &'static str {
        if self.names.alias.is_empty() { self.names.class } else { self.names.alias }
    }

    /// All its properties.
    pub fn all(&self) -> impl Iterator<Item = &'static Property> + use<> {
        self.properties.iter().flat_map(|group| group.iter())
    }
    /// The property that `key` sets: the one of that name, else the one of the longest prefix.
    pub fn property(&self, key: &str) -> Option<&'static Property> {
        let prefix = |known: &&Property| known.name.ends_with('.') && key.starts_with(known.name);
        let prefixed = || self.all().filter(prefix).max_by_key(|known| known.name.len());
        self.all()
            .find(|known| known.name == key)
            .or_else(prefixed)
            .filter(|known| known.name != key || !key.ends_with('.'))
    }
}

/// What a JVM can host.
const CLASSES: &[Descriptor] = &[
    Descriptor::missing(Kind::Source, "", ""),
    Descriptor::missing(Kind::Channel, "", ""),
    Descriptor::missing(Kind::Sink, "", ""),
    Descriptor::missing(Kind::Processor, "", ""),
    Descriptor::missing(Kind::Selector, "", ""),
    Descriptor::missing(Kind::Interceptor, "", ""),
    Descriptor::missing(Kind::ConfigFilter, "", ""),
];

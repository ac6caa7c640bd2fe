//! What Flume has: every component by alias and class name, and all properties of those that run here.
//!
//! One table. The check reads it; so may whoever wants to list what there is. Names, defaults and what Flume does with a
//! bad value come from Flume 1.11's code, not from its User Guide, where the two differ.

mod channels;
mod parts;
mod sinks;
mod sources;

/// The table that a `type` is looked up in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `sources.NAME.type`.
    Source,
    /// `channels.NAME.type`.
    Channel,
    /// `sinks.NAME.type`.
    Sink,
    /// `sinkgroups.NAME.processor.type`.
    Processor,
    /// `sources.NAME.selector.type`.
    Selector,
    /// `sources.NAME.interceptors.NAME.type`.
    Interceptor,
    /// `serializer` of the sinks that write files.
    Serializer,
    /// `serializers.NAME.type` of the `regex_extractor` interceptor.
    ExtractorSerializer,
    /// `sink.pathManager` of the `file_roll` sink.
    PathManager,
    /// `configfilters.NAME.type`.
    ConfigFilter,
}

/// One component that Flume has.
#[derive(Clone, Copy, Debug)]
pub struct Type {
    /// Flume's alias in lower case; empty where Flume has none and wants the class name.
    pub alias: &'static str,
    /// The class that Flume accepts in its place.
    pub class: &'static str,
    /// Whether it runs here.
    pub here: bool,
    /// Its properties, in groups that several components share; empty for one that does not run here.
    pub properties: &'static [&'static [Property]],
    /// The property that says how many events a transaction may take, where Flume compares it with the channel's.
    pub batch: Option<&'static str>,
}

/// One property of a component.
#[derive(Clone, Copy, Debug)]
pub struct Property {
    /// Its name; with a dot at its end, the prefix of sub-properties.
    pub name: &'static str,
    /// What may stand there.
    pub value: Value,
    /// Flume's default, as it would stand in a file; `None` where there is none or it depends on the machine.
    pub default: Option<&'static str>,
    /// Whether Flume refuses the component without it.
    pub required: bool,
    /// What Flume does with a value that it cannot use.
    pub bad: Bad,
    /// The same for a number that is one and makes no sense; `None` where it is as [`Property::bad`].
    pub outside: Option<Bad>,
}

/// What may stand as a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// Any text; a ` #` in it is taken for a comment.
    Text,
    /// Text that may well hold a ` #`: a command, a regular expression, what is put in place of a match.
    Free,
    /// A regular expression of Java; free text too.
    Regex,
    /// A path on this machine.
    Path,
    /// A host name or an address.
    Host,
    /// A TCP port, 0 to 65535.
    Port,
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Number {
        /// The smallest that makes sense.
        min: i64,
        /// The largest that Flume's number holds.
        max: i64,
        /// What it counts.
        unit: &'static str,
    },
    /// Words between blanks.
    List,
    /// One of these, in any case.
    Choice(&'static [&'static str]),
    /// A Java charset.
    Charset,
    /// A type of another table.
    Type(Kind),
    /// Accepted, and used by nobody; why.
    Unused(&'static str),
}

/// What Flume does with a value that it cannot use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bad {
    /// Removes the component and runs the rest.
    Drop,
    /// Takes the default, with or without a warning.
    Default,
    /// Something else, told in words; the agent does not do what was meant.
    Says(&'static str),
}

impl Kind {
    /// All that Flume has of this kind.
    pub fn types(self) -> &'static [Type] {
        match self {
            Kind::Source => sources::SOURCES,
            Kind::Channel => channels::CHANNELS,
            Kind::Sink => sinks::SINKS,
            Kind::Processor => parts::PROCESSORS,
            Kind::Selector => parts::SELECTORS,
            Kind::Interceptor => parts::INTERCEPTORS,
            Kind::Serializer => parts::SERIALIZERS,
            Kind::ExtractorSerializer => parts::EXTRACTOR_SERIALIZERS,
            Kind::PathManager => parts::PATH_MANAGERS,
            Kind::ConfigFilter => parts::CONFIG_FILTERS,
        }
    }

    /// Finds a type by its alias or class, both in any case.
    pub fn find(self, name: &str) -> Option<&'static Type> {
        let same = |known: &str| !known.is_empty() && known.eq_ignore_ascii_case(name);
        self.types().iter().find(|known| same(known.alias) || same(known.class))
    }

    /// The word for it in a sentence.
    pub fn noun(self) -> &'static str {
        match self {
            Kind::Source => "source",
            Kind::Channel => "channel",
            Kind::Sink => "sink",
            Kind::Processor => "sink processor",
            Kind::Selector => "channel selector",
            Kind::Interceptor => "interceptor",
            Kind::Serializer => "serializer",
            Kind::ExtractorSerializer => "serializer of `regex_extractor`",
            Kind::PathManager => "path manager",
            Kind::ConfigFilter => "config filter",
        }
    }
}

impl Type {
    /// How it is named in a sentence: the alias, or the class where there is none.
    pub fn name(&self) -> &'static str {
        if self.alias.is_empty() { self.class } else { self.alias }
    }

    /// All its properties.
    pub fn all(&self) -> impl Iterator<Item = &'static Property> {
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

/// Properties of components that run here, by kind, alias and name, whose effect is not there yet: turning one on is an
/// error, so that nobody believes himself encrypted who is not. A line goes when the property works.
pub const NOT_YET: &[(Kind, &str, &str)] = &[(Kind::Sink, "avro", "client.type")];

const INT: i64 = i32::MAX as i64;

const fn runs(
    alias: &'static str,
    class: &'static str,
    properties: &'static [&'static [Property]],
    batch: Option<&'static str>,
) -> Type {
    Type { alias, class, here: true, properties, batch }
}

const fn not_here(alias: &'static str, class: &'static str) -> Type {
    Type { alias, class, here: false, properties: &[], batch: None }
}

const fn optional(name: &'static str, value: Value) -> Property {
    Property { name, value, default: None, required: false, bad: Bad::Drop, outside: None }
}

const fn required(name: &'static str, value: Value) -> Property {
    Property { name, value, default: None, required: true, bad: Bad::Drop, outside: None }
}

const fn with(name: &'static str, value: Value, default: &'static str) -> Property {
    Property { name, value, default: Some(default), required: false, bad: Bad::Drop, outside: None }
}

impl Property {
    const fn bad(self, bad: Bad) -> Property {
        Property { bad, ..self }
    }

    const fn outside(self, outside: Bad) -> Property {
        Property { outside: Some(outside), ..self }
    }

    const fn lenient(self) -> Property {
        self.bad(Bad::Default)
    }
}

const fn at_least(min: i64, unit: &'static str) -> Value {
    Value::Number { min, max: INT, unit }
}

const fn long(min: i64, unit: &'static str) -> Value {
    Value::Number { min, max: i64::MAX, unit }
}

const NO_STORE: Bad = Bad::Says("fails on it as soon as `ssl` is true");

/// TLS of a source, see `flume.ssl` of the User Guide. Flume asks no sender for a certificate: the last four are ours.
const SERVER_TLS: &[Property] = &[
    with("ssl", Value::Flag, "false"),
    optional("keystore", Value::Path),
    optional("keystore-password", Value::Free),
    with("keystore-type", Value::Choice(&["JKS", "PKCS12"]), "JKS").bad(NO_STORE),
    with("exclude-protocols", Value::List, "SSLv3"),
    optional("include-protocols", Value::List),
    optional("exclude-cipher-suites", Value::List),
    optional("include-cipher-suites", Value::List),
    with("need-client-auth", Value::Flag, "false"),
    optional("truststore", Value::Path),
    optional("truststore-password", Value::Free),
    with("truststore-type", Value::Choice(&["JKS", "PKCS12"]), "JKS"),
];

/// TLS of a sink. Flume's shows no certificate and looks at no name: the last four are ours.
const CLIENT_TLS: &[Property] = &[
    with("ssl", Value::Flag, "false"),
    with("trust-all-certs", Value::Flag, "false"),
    optional("truststore", Value::Path),
    optional("truststore-password", Value::Free),
    with("truststore-type", Value::Choice(&["JKS", "PKCS12"]), "JKS").bad(NO_STORE),
    with("exclude-protocols", Value::List, "SSLv3"),
    optional("include-protocols", Value::List),
    optional("exclude-cipher-suites", Value::List),
    optional("include-cipher-suites", Value::List),
    optional("keystore", Value::Path),
    optional("keystore-password", Value::Free),
    with("keystore-type", Value::Choice(&["JKS", "PKCS12"]), "JKS"),
    with("verify-hostname", Value::Flag, "false"),
];

const COMPRESSION: &[&str] = &["none", "deflate"];

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [Kind; 10] = [
        Kind::Source,
        Kind::Channel,
        Kind::Sink,
        Kind::Processor,
        Kind::Selector,
        Kind::Interceptor,
        Kind::Serializer,
        Kind::ExtractorSerializer,
        Kind::PathManager,
        Kind::ConfigFilter,
    ];

    fn here(kind: Kind) -> Vec<&'static str> {
        kind.types().iter().filter(|known| known.here).map(Type::name).collect()
    }

    #[test]
    fn names_are_found_in_any_case_and_by_class() {
        for kind in KINDS {
            for known in kind.types() {
                assert_eq!(known.alias, known.alias.to_ascii_lowercase());
                assert_eq!(kind.find(known.class).unwrap().class, known.class);
                let alias = known.alias.to_ascii_uppercase();
                assert!(alias.is_empty() || kind.find(&alias).unwrap().class == known.class);
            }
        }
        assert_eq!(Kind::Source.find("TAILDIR").unwrap().alias, "taildir");
        assert!(Kind::Source.find("").is_none());
    }

    #[test]
    fn what_runs_here() {
        assert_eq!(here(Kind::Source), ["avro", "exec", "netcat", "seq", "taildir"]);
        assert_eq!(here(Kind::Channel), ["memory"]);
        assert_eq!(here(Kind::Sink), ["avro", "file_roll", "logger", "null"]);
        assert_eq!(here(Kind::Processor), ["default", "failover", "load_balance"]);
        assert_eq!(here(Kind::Selector), ["replicating", "multiplexing", "load_balancing"]);
        let interceptors = [
            "timestamp",
            "static",
            "host",
            "regex_filter",
            "regex_extractor",
            "remove_header",
            "search_replace",
        ];
        assert_eq!(here(Kind::Interceptor), interceptors);
    }

    #[test]
    fn no_property_stands_twice_and_defaults_fit() {
        for known in KINDS.iter().flat_map(|kind| kind.types()) {
            let mut names: Vec<&str> = known.all().map(|property| property.name).collect();
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count, "{}", known.name());
            assert!(known.batch.is_none_or(|batch| known.property(batch).is_some()));
            for property in known.all() {
                if let (Value::Number { min, max, .. }, Some(default)) = (property.value, property.default) {
                    assert!(
                        (min..=max).contains(&default.parse().unwrap()),
                        "{} {}",
                        known.name(),
                        property.name
                    );
                }
            }
        }
    }

    #[test]
    fn what_is_not_there_yet_is_in_the_table() {
        for (kind, alias, key) in NOT_YET {
            let property = kind.find(alias).unwrap().property(key).unwrap();
            assert!(matches!(property.value, Value::Flag | Value::Choice(_)), "{alias} {key}");
        }
    }

    #[test]
    fn the_longest_prefix_has_the_key() {
        let taildir = Kind::Source.find("taildir").unwrap();
        assert_eq!(taildir.property("filegroups").unwrap().name, "filegroups");
        assert_eq!(taildir.property("filegroups.f1").unwrap().name, "filegroups.");
        assert!(taildir.property("filegroupsX").is_none());
        assert!(taildir.property("filegroups.").is_none());
        let balance = Kind::Processor.find("load_balance").unwrap();
        assert_eq!(balance.property("selector.maxTimeOut").unwrap().name, "selector.maxTimeOut");
    }
}

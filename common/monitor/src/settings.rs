//! `flume.monitoring.*`, as given with `-D`.

use crate::ganglia::Ganglia;
use plan::{Descriptor, Kind, Properties, Property, Value};
use runtime::clock::Duration;
use runtime::net::{Place, SERVER_TLS, ServerLayers, TlsDefaults};
use std::collections::BTreeMap;
use std::fs;

/// What is told, and to whom.
#[derive(Debug)]
pub struct Settings(pub(crate) Way);

#[derive(Debug)]
pub(crate) enum Way {
    /// Whoever asks is answered.
    Http(Box<Http>),
    /// Everything is sent now and again.
    Ganglia(Ganglia),
}

/// What is served, and where.
#[derive(Debug)]
pub(crate) struct Http {
    pub(crate) page: Page,
    pub(crate) place: Place,
    pub(crate) layers: ServerLayers,
    pub(crate) token: Option<Token>,
    /// An agent is not well when its events have not moved for so long.
    pub(crate) patience: Duration,
}

/// What stands at `/metrics`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    /// Flume's JSON.
    Json,
    /// Prometheus text.
    Prometheus,
}

/// What a client has to know.
pub(crate) struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("***")
    }
}

impl Token {
    /// Whether `given` is it; takes as long wherever they differ.
    pub(crate) fn is(&self, given: &str) -> bool {
        let (own, given) = (self.0.as_bytes(), given.as_bytes());
        let differ = own.iter().zip(given).fold(0, |differ, (own, given)| differ | (own ^ given));
        std::hint::black_box(differ) == 0 && own.len() == given.len()
    }
}

impl Settings {
    /// Of Java's system properties; `None` when nothing is to be served. What is doubtful goes into `notes`.
    ///
    /// # Errors
    /// What is wrong, in an operator's words.
    pub fn of(
        properties: &[(String, String)],
        tls_defaults: &TlsDefaults,
        notes: &mut Vec<String>,
    ) -> Result<Option<Settings>, String> {
        let own = properties.iter().filter_map(|(key, value)| Some((key.strip_prefix(PREFIX)?, &**value)));
        let mut own: Vec<(&str, &str)> = own.collect();
        // The last one given counts.
        own.reverse();
        let get = |key: &str| own.iter().find(|(name, _)| *name == key).map(|(_, value)| value.trim());
        let page = match get("type") {
            None => return Ok(None),
            Some(kind) if kind.eq_ignore_ascii_case("http") => Some(Page::Json),
            Some(kind) if kind.eq_ignore_ascii_case("prometheus") => Some(Page::Prometheus),
            Some(kind) if kind.eq_ignore_ascii_case("ganglia") => None,
            Some("") => {
                notes.push(format!(
                    "-D{PREFIX}type= names nothing, so counters are not published; write http, prometheus, ganglia or a class"
                ));
                return Ok(None);
            }
            Some(_) => return Ok(None), // a class of the operator's own
        };
        let descriptor = if page.is_some() { &SERVED } else { &SENT };
        let known: Vec<&str> = descriptor.all().map(|property| property.name).collect();
        for (key, _) in own.iter().filter(|(key, _)| !known.contains(key)) {
            notes.push(format!("-D{PREFIX}{key}: not known, and ignored; known are {}", known.join(", ")));
        }
        for property in [SERVED, SENT].iter().flat_map(Descriptor::all) {
            let key = property.name;
            if let Value::Number { min, max, .. } = property.value
                && let Some(text) = get(key)
                && !text.parse().is_ok_and(|number: i64| (min..=max).contains(&number))
            {
                return Err(format!("-D{PREFIX}{key}={text}: write a whole number from {min} to {max}"));
            }
        }
        let mut pairs: Vec<(&str, &str)> = Vec::new();
        for (key, value) in &own {
            if !pairs.iter().any(|(known, _)| known == key) {
                pairs.push((key, value.trim()));
            }
        }
        let properties = Properties::of(descriptor, pairs);
        let Some(page) = page else { return ganglia(&properties, notes).map(Some) };
        let layers = ServerLayers::tls(&properties, tls_defaults, notes)
            .map_err(|error| format!("-D{PREFIX}{}: {}", error.key, error.what))?;
        Ok(Some(Settings(Way::Http(Box::new(Http {
            page,
            place: place(&properties),
            layers,
            token: token(get("token"), get("tokenFile"), notes)?,
            patience: properties.seconds("stuckSeconds"),
        })))))
    }
}

/// The class that `flume.monitoring.type` names when it names none of ours, and what it is configured with: all properties
/// behind `flume.monitoring.`, `type` among them, as Flume has it.
pub fn own_class(properties: &[(String, String)]) -> Option<(String, BTreeMap<String, String>)> {
    let own = properties
        .iter()
        .filter_map(|(key, value)| Some((key.strip_prefix(PREFIX)?.to_owned(), value.clone())));
    let own: BTreeMap<String, String> = own.collect(); // the last one given counts
    let class = own.get("type")?.trim().to_owned();
    let is_ours = KINDS.iter().any(|kind| class.eq_ignore_ascii_case(kind));
    (!class.is_empty() && !is_ours).then_some((class, own))
}

fn place(properties: &Properties) -> Place {
    Place {
        bind: properties.word("bind").to_owned(),
        port: properties.count("port"),
        most: properties.count("maxConnections"),
        idle_limit: Some(properties.seconds("maxIdleSeconds")),
    }
}

/// A host that cannot be read is left out, as in Flume; without any there is nobody to send to.
fn ganglia(properties: &Properties, notes: &mut Vec<String>) -> Result<Settings, String> {
    let given = properties.text("hosts").unwrap_or_default();
    let mut hosts = Vec::new();
    for host in given.split(',').map(str::trim).filter(|host| !host.is_empty()) {
        let parts =
            host.rsplit_once(':').and_then(|(name, port)| Some((name.to_owned(), port.parse().ok()?)));
        match parts {
            Some(parts) => hosts.push(parts),
            None => notes.push(format!(
                "-D{PREFIX}hosts: {} is left out, it is no HOST:PORT",
                plan::cut(host, MOST_SHOWN)
            )),
        }
    }
    if hosts.is_empty() {
        return Err(format!("-D{PREFIX}hosts: name the hosts of Ganglia: HOST:PORT,HOST:PORT"));
    }
    let every = properties.seconds("pollFrequency");
    Ok(Settings(Way::Ganglia(Ganglia { hosts, every, is_3_0: properties.flag("isGanglia3") })))
}

fn token(given: Option<&str>, file: Option<&str>, notes: &mut Vec<String>) -> Result<Option<Token>, String> {
    let text = match (given, file) {
        (_, Some(path)) => fs::read_to_string(path)
            .map_err(|error| format!("-D{PREFIX}tokenFile={path}: cannot be read: {error}"))?,
        (Some(text), None) => {
            notes.push(format!(
                "-D{PREFIX}token: every user of this host can read it in the list of processes; write it into a file and give {PREFIX}tokenFile"
            ));
            text.to_owned()
        }
        (None, None) => return Ok(None),
    };
    match text.trim() {
        "" => Err(format!("-D{PREFIX}token, tokenFile: it is empty; write the token that clients send")),
        text => Ok(Some(Token(text.to_owned()))),
    }
}

/// What needs no class.
const KINDS: [&str; 3] = ["http", "prometheus", "ganglia"];
/// In front of all keys.
const PREFIX: &str = "flume.monitoring.";
/// Not of a file, so of no kind that counts.
const SERVED: Descriptor = Descriptor::new(Kind::Sink, "flume.monitoring", "", &[HTTP, SERVER_TLS]);
const SENT: Descriptor = Descriptor::new(Kind::Sink, "flume.monitoring", "", &[GANGLIA]);

const HTTP: &[Property] = &[
    Property::required("type", Value::Text),
    // Flume's.
    Property::with("port", Value::Number { min: 1, max: 65_535, unit: "" }, "41414"),
    Property::with("bind", Value::Host, "0.0.0.0"),
    Property::with("maxConnections", Value::Number { min: 1, max: 10_000, unit: "connections" }, "32"),
    Property::with("maxIdleSeconds", SECONDS, "86400"),
    Property::with("stuckSeconds", SECONDS, "30"),
    Property::optional("token", Value::Secret),
    Property::optional("tokenFile", Value::Path),
];

const GANGLIA: &[Property] = &[
    Property::required("type", Value::Text),
    Property::required("hosts", Value::List),
    Property::with("pollFrequency", SECONDS, "60"),
    Property::with("isGanglia3", Value::Flag, "false"),
];

const SECONDS: Value = Value::Number { min: 1, max: 86_400, unit: "s" };
const MOST_SHOWN: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> (Result<Option<Settings>, String>, Vec<String>) {
        let properties: Vec<_> =
            pairs.iter().map(|(key, value)| (format!("{PREFIX}{key}"), (*value).to_owned())).collect();
        let mut notes = Vec::new();
        (Settings::of(&properties, &TlsDefaults::new(&[], |_| None), &mut notes), notes)
    }

    fn http(pairs: &[(&str, &str)]) -> (Http, Vec<String>) {
        match of(pairs) {
            (Ok(Some(Settings(Way::Http(http)))), notes) => (*http, notes),
            other => panic!("{other:?}"),
        }
    }

    fn wrong(pairs: &[(&str, &str)]) -> String {
        of(pairs).0.unwrap_err()
    }

    #[test]
    fn flumes_defaults_hold_and_the_last_value_counts() {
        let settings = http(&[("type", "HTTP")]).0;
        assert_eq!(
            (settings.page, settings.place.port, &*settings.place.bind),
            (Page::Json, 41_414, "0.0.0.0")
        );
        let (settings, notes) =
            http(&[("type", "http"), ("port", "1"), ("port", "2"), ("type", "prometheus")]);
        assert_eq!((settings.page, settings.place.port, notes), (Page::Prometheus, 2, vec![]));
        assert!(of(&[]).0.unwrap().is_none());
    }

    #[test]
    fn what_is_not_served_is_told_by_name() {
        let (settings, notes) = of(&[("type", "")]);
        assert!(settings.unwrap().is_none());
        assert!(notes.len() == 1 && notes[0].contains("names nothing"), "{notes:?}");
        let (_, notes) = of(&[("type", "http"), ("prot", "1")]);
        assert!(notes[0].starts_with("-Dflume.monitoring.prot: not known"), "{notes:?}");
    }

    #[test]
    fn an_own_class_is_whatever_is_none_of_ours_and_gets_all_properties() {
        let own = |pairs: &[(&str, &str)]| {
            own_class(&pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect::<Vec<_>>())
        };
        let (kind, every) = ("flume.monitoring.type", "flume.monitoring.every");
        for none in ["http", "HTTP", "Prometheus", "ganglia", " ", ""] {
            assert_eq!(own(&[(kind, none)]), None, "{none}");
        }
        assert_eq!(own(&[(every, "5"), ("type", "a.M")]), None);
        let (class, properties) = own(&[(kind, "http"), (every, "5"), ("x", "y"), (kind, "a.M")]).unwrap();
        assert_eq!(class, "a.M");
        assert_eq!(properties, [("every", "5"), ("type", "a.M")].map(|(k, v)| (k.into(), v.into())).into());
        let (settings, notes) = of(&[("type", "a.M"), ("every", "5")]);
        assert!(settings.unwrap().is_none() && notes.is_empty(), "{notes:?}");
    }

    #[test]
    fn a_wrong_value_is_told_with_what_to_write() {
        assert_eq!(
            wrong(&[("type", "http"), ("port", "high")]),
            "-Dflume.monitoring.port=high: write a whole number from 1 to 65535"
        );
        assert!(wrong(&[("type", "http"), ("token", " ")]).contains("empty"));
        assert!(wrong(&[("type", "http"), ("tokenFile", "/nowhere")]).contains("cannot be read"));
        assert!(wrong(&[("type", "http"), ("ssl", "true")]).starts_with("-Dflume.monitoring.keystore: "));
    }

    #[test]
    fn a_token_is_itself_only_and_is_never_shown() {
        let (settings, notes) = http(&[("type", "http"), ("token", "s3cret")]);
        let token = settings.token.as_ref().unwrap();
        assert_eq!(
            ["s3cret", "s3creT", "s3cre", "s3cret2", ""].map(|given| token.is(given)),
            [true, false, false, false, false]
        );
        assert!(!format!("{settings:?}{notes:?}").contains("s3cret"));
    }

    #[test]
    fn ganglia_has_hosts_and_those_that_are_none_are_told() {
        let (settings, notes) =
            of(&[("type", "ganglia"), ("hosts", "a:1, b ,c:x,d:2"), ("isGanglia3", "true")]);
        let Ok(Some(Settings(Way::Ganglia(ganglia)))) = settings else { panic!("{notes:?}") };
        let hosts = vec![("a".to_owned(), 1), ("d".to_owned(), 2)];
        assert_eq!(ganglia, Ganglia { hosts, every: Duration::from_secs(60), is_3_0: true });
        assert_eq!(notes.len(), 2, "{notes:?}");
        assert!(wrong(&[("type", "ganglia"), ("hosts", "b")]).contains("HOST:PORT"));
    }
}

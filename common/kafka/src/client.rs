//! What librdkafka is told: from a component's properties to its own.

use crate::jaas::{self, Login};
use crate::java::{self, Fate, Side};
use flow::Site;
use plan::{Findings, Problem, Properties};
use rdkafka::ClientConfig;
use runtime::net::{TlsDefaults, identity_as_pem, trusted_as_pem};
use std::path::Path;

mod agree;
pub(crate) use agree::agreed;

/// A client of these properties, with `defaults` where they say nothing; `None` when it cannot be, which is told. Whether its
/// values go together is for [`agreed`] to say.
pub(crate) fn client(
    side: Side,
    properties: &Properties,
    defaults: &[(&str, &str)],
    site: &Site,
    findings: &mut Findings<'_>,
) -> Option<ClientConfig> {
    let client = without_brokers(side, properties, defaults, site, findings);
    let brokers = named_brokers(properties, findings);
    let mut client = client?;
    client.set(BROKERS, brokers?);
    Some(client)
}

/// The same, which does not know yet where brokers are: they are to be set as [`BROKERS`].
pub(crate) fn without_brokers(
    side: Side,
    properties: &Properties,
    defaults: &[(&str, &str)],
    site: &Site,
    findings: &mut Findings<'_>,
) -> Option<ClientConfig> {
    let mut told = Told { config: ClientConfig::new(), side, findings, refused: false };
    for (name, value) in COMMON.iter().chain(defaults) {
        told.config.set(*name, *value);
    }
    let given: Vec<(String, String)> = properties
        .under(side.prefix())
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    for (name, value) in &given {
        told.take(name, value);
    }
    told.secure(&given, site.tls_defaults());
    if told.refused {
        return None;
    }
    Some(told.config)
}

/// librdkafka's name for them.
pub(crate) const BROKERS: &str = "bootstrap.servers";

/// The brokers that the file names; that it names none is told.
pub(crate) fn named_brokers(properties: &Properties, findings: &mut Findings<'_>) -> Option<String> {
    let brokers = renamed(properties, "kafka.bootstrap.servers", "brokerList", findings);
    if brokers.is_none() {
        findings.refuse("kafka.bootstrap.servers", "it names the brokers, as `HOST:PORT,HOST:PORT`");
    }
    brokers.map(str::to_owned)
}

/// The brokers, for people.
pub(crate) fn brokers(properties: &Properties) -> String {
    let written = properties.text("kafka.bootstrap.servers").filter(|text| !text.trim().is_empty());
    written.or_else(|| before(properties, "brokerList")).unwrap_or_default().trim().to_owned()
}

/// The value of `key`, or of the name that it had in Flume 1.6, which is told.
pub(crate) fn renamed<'a>(
    properties: &'a Properties,
    key: &str,
    before: &str,
    findings: &mut Findings<'_>,
) -> Option<&'a str> {
    if let Some(value) = properties.text(key).filter(|text| !text.trim().is_empty()) {
        return Some(value.trim());
    }
    let value = self::before(properties, before)?;
    let what = format!("`{}` is the name of Flume 1.6 for `{key}`", findings.key(before));
    let fix = format!("`{} = {}`", findings.key(key), value.trim());
    let problem = Problem::note("old-name", findings.at(before), what).flume("takes it up to 1.11");
    let cause = format!("`{before}` is the name of Flume 1.6 for `{key}`");
    findings.add(problem.here("it is taken").fix(fix).cause(findings.owner.noun.clone(), cause));
    Some(value.trim())
}

/// What stands under a name of Flume 1.6, which not every component has.
fn before<'a>(properties: &'a Properties, name: &str) -> Option<&'a str> {
    let found = properties.iter().find(|(key, _)| *key == name).map(|(_, value)| value);
    found.filter(|text| !text.trim().is_empty())
}

/// Where Java's clients and librdkafka differ, as Java has it; and how soon a broker that is back is noticed.
const COMMON: &[(&str, &str)] = &[("reconnect.backoff.max.ms", "1000"), ("log_level", "4")];

struct Told<'a, 'b> {
    config: ClientConfig,
    side: Side,
    findings: &'a mut Findings<'b>,
    refused: bool,
}

impl Told<'_, '_> {
    /// One property of the client.
    fn take(&mut self, name: &str, value: &str) {
        match (name, self.side) {
            ("partitioner.class", Side::Producer) => {
                return self.named("partitioner", java::partitioner(value));
            }
            ("partition.assignment.strategy", Side::Consumer) => {
                return self.named(name, java::strategies(value));
            }
            // Bytes and text stay as they are.
            ("key.serializer" | "value.serializer", Side::Producer)
            | ("key.deserializer" | "value.deserializer", Side::Consumer) => return,
            ("group.id", Side::Consumer) => return, // which is the component's own
            _ if SECURE.contains(&name) => return,  // all together, later
            _ => {}
        }
        match self.side.fate(name) {
            Some(Fate::Unused(why)) => self.unused(name, why),
            Some(Fate::OfJava) => {} // an empty one: else it runs in a JVM
            Some(fate @ (Fate::As(renamed) | Fate::Kibibytes(renamed))) => {
                self.pass(name, renamed, fate, value)
            }
            Some(fate @ Fate::Same) => self.pass(name, name, fate, value),
            None if is_known(name) => self.pass(name, name, Fate::Same, value),
            None => {
                let key = self.key(name);
                let what = format!("`{}` is no property of a Kafka client", self.findings.key(&key));
                let problem = Problem::warning("unknown-property", self.findings.at(&key), what);
                let fix = self.instead(name);
                self.findings.add(problem.flume("warns of it and ignores it").here("it is ignored").fix(fix));
            }
        }
    }

    /// What to write for a property that no client has.
    fn instead(&self, name: &str) -> String {
        if OLD_WAIT.contains(&name) {
            let of = "leave it out: it is of the client that Flume 1.6 had";
            return if self.findings.owner.noun.starts_with("channel") {
                format!("{of}, and a sink has events as soon as they are read")
            } else {
                format!("{of}; `{}` does that", self.findings.key("batchDurationMillis"))
            };
        }
        match plan::nearest(name, self.side.names()) {
            Some(meant) => format!("`{}`, if that is meant", self.findings.key(&self.key(&meant))),
            None => "leave it out".to_owned(),
        }
    }

    fn pass(&mut self, name: &str, renamed: &str, fate: Fate, value: &str) {
        let Some(value) = java::value(name, fate, value) else { return };
        let renamed = java::plain(renamed);
        let Err(reason) = alone(renamed, &value) else {
            self.config.set(renamed, value);
            return;
        };
        // Java's may be larger or smaller than librdkafka's.
        match java::within(name, &value, &reason) {
            Some(nearest) if alone(renamed, &nearest).is_ok() => {
                let key = self.key(name);
                let what = format!("`{}` is beyond what this client takes", self.findings.key(&key));
                let problem = Problem::note("nearest-value", self.findings.at(&key), what);
                self.findings.add(problem.flume("takes it").here(format!("{nearest} counts")));
                self.config.set(renamed, nearest);
            }
            _ => self.refuse(name, &format!("the Kafka client does not take it: {reason}")),
        }
    }

    /// What librdkafka calls what a class of Java's does. Another class has taken the component to a JVM.
    fn named(&mut self, name: &str, value: Option<impl Into<String>>) {
        if let Some(value) = value {
            self.config.set(name, value);
        }
    }

    /// TLS and log-in.
    fn secure(&mut self, given: &[(String, String)], defaults: &TlsDefaults) {
        let get =
            |name: &str| given.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let protocol = get("security.protocol").unwrap_or("PLAINTEXT").to_ascii_uppercase();
        if protocol.starts_with("SASL") {
            self.log_in(get("sasl.mechanism").or(get("sasl.mechanisms")), get("sasl.jaas.config"));
        }
        if !protocol.ends_with("SSL") {
            return;
        }
        let unchecked =
            get("ssl.disableTLSHostnameVerification").is_some_and(|word| word.eq_ignore_ascii_case("true"));
        let algorithm = get("ssl.endpoint.identification.algorithm").unwrap_or("https");
        let algorithm = if unchecked || algorithm.is_empty() { "none" } else { algorithm };
        self.config.set("ssl.endpoint.identification.algorithm", algorithm);
        for (java, ours) in [
            ("ssl.truststore.certificates", "ssl.ca.pem"),
            ("ssl.keystore.certificate.chain", "ssl.certificate.pem"),
            ("ssl.keystore.key", "ssl.key.pem"),
            ("ssl.key.password", "ssl.key.password"),
        ] {
            if let Some(value) = get(java) {
                self.config.set(ours, value);
            }
        }
        let or = |name: &str, default: &str| get(name).or_else(|| defaults.get(default)).map(str::to_owned);
        let trust = StoreAt {
            key: "ssl.truststore.location",
            path: or("ssl.truststore.location", "javax.net.ssl.trustStore"),
            password: or("ssl.truststore.password", "javax.net.ssl.trustStorePassword"),
            kind: or("ssl.truststore.type", "javax.net.ssl.trustStoreType"),
        };
        self.truststore(trust);
        let own = StoreAt {
            key: "ssl.keystore.location",
            path: or("ssl.keystore.location", "javax.net.ssl.keyStore"),
            password: or("ssl.keystore.password", "javax.net.ssl.keyStorePassword"),
            kind: or("ssl.keystore.type", "javax.net.ssl.keyStoreType"),
        };
        self.keystore(own);
    }

    /// By a name and a password: with all else the component runs in a JVM (`beyond.rs`).
    fn log_in(&mut self, mechanism: Option<&str>, line: Option<&str>) {
        match line.map(jaas::parse) {
            Some(Ok(Login::Password { .. })) if mechanism.is_none() => {
                self.refuse("sasl.mechanism", NO_MECHANISM)
            }
            Some(Ok(Login::Password { user, password })) => {
                self.config.set("sasl.username", user).set("sasl.password", password);
            }
            Some(Err(what)) => self.refuse("sasl.jaas.config", &what),
            None | Some(Ok(Login::Kerberos | Login::Other(_))) => {}
        }
    }

    fn truststore(&mut self, store: StoreAt) {
        let Some(path) = store.path.as_deref() else { return };
        if store.is_pem() {
            self.config.set("ssl.ca.location", path);
            return;
        }
        match trusted_as_pem(Path::new(path), store.password.as_deref()) {
            Ok(pem) => drop(self.config.set("ssl.ca.pem", pem)),
            Err(what) => self.refuse(store.key, &what),
        }
    }

    fn keystore(&mut self, store: StoreAt) {
        let Some(path) = store.path.as_deref() else { return };
        if store.is_pem() {
            self.config.set("ssl.certificate.location", path).set("ssl.key.location", path);
            return;
        }
        match identity_as_pem(Path::new(path), store.password.as_deref().unwrap_or_default()) {
            Ok((key, chain)) => drop(self.config.set("ssl.key.pem", key).set("ssl.certificate.pem", chain)),
            Err(what) => self.refuse(store.key, &what),
        }
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.side.prefix())
    }

    fn refuse(&mut self, name: &str, what: &str) {
        self.refuse_key(&self.key(name), what);
    }

    fn refuse_key(&mut self, key: &str, what: &str) {
        self.findings.refuse(key, what);
        self.refused = true;
    }

    fn unused(&mut self, name: &str, why: &str) {
        let key = self.key(name);
        let what = format!("`{}` has no effect: {why}", self.findings.key(&key));
        self.findings.add(Problem::note("no-effect", self.findings.at(&key), what));
    }
}

/// A key store that a property or the process names.
struct StoreAt {
    key: &'static str,
    path: Option<String>,
    password: Option<String>,
    kind: Option<String>,
}

impl StoreAt {
    fn is_pem(&self) -> bool {
        self.kind.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("PEM"))
    }
}

/// Whether librdkafka takes a value, whatever the others are.
fn alone(name: &str, value: &str) -> Result<(), String> {
    let mut alone = ClientConfig::new();
    alone.set(name, value);
    alone.create_native_config().map(drop).map_err(|error| reason(&error))
}

/// Whether librdkafka knows a property of this name, whatever its value.
fn is_known(name: &str) -> bool {
    let empty = ClientConfig::new().create_native_config();
    let unknown =
        |error: &rdkafka::error::KafkaError| reason(error).contains("No such configuration property");
    let mut alone = ClientConfig::new();
    alone.set(name, "");
    empty.is_ok() && !alone.create_native_config().is_err_and(|error| unknown(&error))
}

/// What librdkafka says of a value, without the value.
fn reason(error: &rdkafka::error::KafkaError) -> String {
    match error {
        rdkafka::error::KafkaError::ClientConfig(_, description, _, _) => description.clone(),
        error => error.to_string(),
    }
}

/// How long the client of Kafka 0.8 waited for a record; the first is what `kafka.consumer.timeout.ms` leaves of it.
const OLD_WAIT: &[&str] = &["timeout.ms", "consumer.timeout.ms"];
/// Looked at together, in [`Told::secure`].
const SECURE: &[&str] = &[
    "sasl.jaas.config",
    "ssl.disableTLSHostnameVerification",
    "ssl.endpoint.identification.algorithm",
    "ssl.key.password",
    "ssl.keystore.certificate.chain",
    "ssl.keystore.key",
    "ssl.keystore.location",
    "ssl.keystore.password",
    "ssl.keystore.type",
    "ssl.truststore.certificates",
    "ssl.truststore.location",
    "ssl.truststore.password",
    "ssl.truststore.type",
];

const NO_MECHANISM: &str = "it is not set, which means Kerberos (GSSAPI), but `sasl.jaas.config` has a user with a password: \
    set PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512, as the brokers have it";
#[cfg(test)]
mod tests;

//! How ZooKeeper is reached: over TLS where Java's system properties for its client say so.
//!
//! Source: ZooKeeper 3.5 to 3.9, `ZKClientConfig` and `ClientX509Util`: `zookeeper.client.secure`, `zookeeper.ssl.*`.

use crate::java::last;
use plan::{Descriptor, Kind, Properties};
use rpc::zookeeper::Ensemble;
use runtime::net::{CLIENT_TLS, ClientLayers, TlsDefaults};
use std::fs;

/// The servers that `-z` names, as `properties` say that they are reached.
///
/// # Errors
/// What is wrong with either, in an operator's words.
pub(crate) fn ensemble(servers: &str, properties: &[(String, String)]) -> Result<Ensemble, String> {
    let ensemble = Ensemble::parse(servers)?;
    if let Some(value) = last(properties, SECURE).map(str::trim)
        && !["true", "false"].iter().any(|known| value.eq_ignore_ascii_case(known))
    {
        return Err(format!(
            "-D{SECURE}={value}: true (over TLS) or false; ZooKeeper's own client would take the plain way without a word"
        ));
    }
    Ok(if is_true(properties, SECURE) { ensemble.with(layers(properties)?) } else { ensemble })
}

/// What was given for ZooKeeper's client and has no effect.
pub(crate) fn notices(properties: &[(String, String)]) -> Vec<String> {
    let mut notices = Vec::new();
    if last(properties, LOGIN).is_some() && last(properties, SASL).is_none_or(|sasl| sasl != "false") {
        notices.push(format!(
            "-D{LOGIN}: a login to ZooKeeper is not supported, so only nodes that are open to `world:anyone` are read and written"
        ));
    }
    let own = properties.iter().map(|(key, _)| key.as_str()).filter(|key| key.starts_with(SSL));
    let unknown: Vec<&str> = own
        .filter(|key| !KNOWN.contains(&&key[SSL.len()..]) && !REFUSED.contains(&&key[SSL.len()..]))
        .collect();
    if !unknown.is_empty() {
        notices.push(format!("no effect on the connection to ZooKeeper: -D{}", unknown.join(", -D")));
    }
    if !is_true(properties, SECURE) && properties.iter().any(|(key, _)| key.starts_with(SSL)) {
        notices.push(format!(
            "-D{SSL}... have no effect without -D{SECURE}=true: the connection to ZooKeeper is a plain one"
        ));
    }
    notices
}

fn layers(properties: &[(String, String)]) -> Result<ClientLayers, String> {
    let get =
        |key: &str| last(properties, &format!("{SSL}{key}")).map(str::trim).filter(|value| !value.is_empty());
    for key in REFUSED {
        if get(key).is_some_and(|value| !value.eq_ignore_ascii_case("false")) {
            return Err(format!("-D{SSL}{key}: not supported; leave it out"));
        }
    }
    let verify = if get("hostnameVerification").is_some_and(|value| value.eq_ignore_ascii_case("false")) {
        "false"
    } else {
        "true"
    };
    let mut pairs = vec![("ssl", "true".to_owned()), ("verify-hostname", verify.to_owned())];
    for (theirs, [store, password, kind]) in [
        ("trustStore", ["truststore", "truststore-password", "truststore-type"]),
        ("keyStore", ["keystore", "keystore-password", "keystore-type"]),
    ] {
        let Some(path) = get(&format!("{theirs}.location")) else { continue };
        pairs.push((store, path.to_owned()));
        if let Some(word) = word(&get, theirs)? {
            pairs.push((password, word));
        }
        let ending = path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        let of_its_name = if ["p12", "pfx"].contains(&ending.as_str()) { "PKCS12" } else { &ending };
        let given = get(&format!("{theirs}.type")).unwrap_or(of_its_name).to_ascii_uppercase();
        if ["PEM", "BCFKS"].contains(&given.as_str()) {
            return Err(format!("-D{SSL}{theirs}.location={path}: {given} is not read; JKS and PKCS12 are"));
        }
        pairs.push((kind, if given == "PKCS12" { given } else { "JKS".to_owned() }));
    }
    let words = pairs.iter().map(|(key, value)| (*key, value.as_str()));
    let defaults = TlsDefaults::new(properties, |name| std::env::var(name).ok());
    ClientLayers::tls(&Properties::of(&TLS, words), &defaults, &mut Vec::new()).map_err(|error| {
        let store =
            pairs.iter().find(|(key, _)| *key == error.key && ["truststore", "keystore"].contains(key));
        let path = store.map(|(_, path)| format!(" {path}")).unwrap_or_default();
        format!("-D{SECURE}=true: {}{path}: {}", error.key, error.what)
    })
}

/// A store's password, which may stand in a file.
fn word<'a>(get: &impl Fn(&str) -> Option<&'a str>, store: &str) -> Result<Option<String>, String> {
    let key = format!("{store}.passwordPath");
    match get(&key) {
        Some(path) => match fs::read_to_string(path) {
            Ok(text) => Ok(Some(text.trim_end_matches(['\n', '\r']).to_owned())),
            Err(error) => Err(format!("-D{SSL}{key}={path}: cannot be read: {error}")),
        },
        None => Ok(get(&format!("{store}.password")).map(str::to_owned)),
    }
}

fn is_true(properties: &[(String, String)], key: &str) -> bool {
    last(properties, key).is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
}

static TLS: Descriptor = Descriptor::new(Kind::Sink, "", "", &[CLIENT_TLS]);
const SECURE: &str = "zookeeper.client.secure";
const SSL: &str = "zookeeper.ssl.";
/// A file of JAAS, in which Java's client finds its login.
const LOGIN: &str = "java.security.auth.login.config";
const SASL: &str = "zookeeper.sasl.client";
const KNOWN: &[&str] = &[
    "trustStore.location",
    "trustStore.password",
    "trustStore.passwordPath",
    "trustStore.type",
    "keyStore.location",
    "keyStore.password",
    "keyStore.passwordPath",
    "keyStore.type",
    "hostnameVerification",
];
/// What makes a connection safer, and would be missing.
const REFUSED: &[&str] = &["crl", "ocsp", "context.supplier.class"];

#[cfg(test)]
mod tests {
    use super::*;

    fn properties(lines: &[&str]) -> Vec<(String, String)> {
        let pairs = lines.iter().filter_map(|line| line.split_once('='));
        pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    fn wrong(lines: &[&str]) -> String {
        let secure = [&["zookeeper.client.secure=true"], lines].concat();
        ensemble("h:1", &properties(&secure)).map(drop).unwrap_err()
    }

    #[test]
    fn what_cannot_be_had_is_refused_by_name_and_never_becomes_a_plain_connection() {
        assert!(wrong(&["zookeeper.ssl.trustStore.location=/no/such.jks"]).contains("/no/such.jks"));
        assert!(wrong(&["zookeeper.ssl.trustStore.location=/a.pem"]).contains("PEM is not read"));
        assert!(wrong(&["zookeeper.ssl.ocsp=true"]).contains("-Dzookeeper.ssl.ocsp: not supported"));
        let path =
            ["zookeeper.ssl.keyStore.location=/a", "zookeeper.ssl.keyStore.passwordPath=/no/such/word"];
        assert!(wrong(&path).contains("passwordPath=/no/such/word: cannot be read"));
        assert!(ensemble("", &[]).is_err());
        let secure = properties(&["zookeeper.client.secure=TRUE", "zookeeper.ssl.ocsp=false"]);
        assert!(ensemble("h:1", &secure).is_ok(), "with the certificates that the system trusts");
    }

    #[test]
    fn what_has_no_effect_is_told() {
        assert!(notices(&[]).is_empty());
        let login = ["java.security.auth.login.config=/etc/jaas.conf"];
        assert!(notices(&properties(&login))[0].contains("a login to ZooKeeper is not supported"));
        assert!(notices(&properties(&[login[0], "zookeeper.sasl.client=false"])).is_empty());
        let told = notices(&properties(&["zookeeper.ssl.protocol=TLSv1.2", "zookeeper.ssl.crl=true"]));
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].ends_with("-Dzookeeper.ssl.protocol") && told[1].contains("a plain one"), "{told:?}");
    }
}

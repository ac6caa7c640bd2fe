//! How ZooKeeper is reached: over TLS, and with a login (`jaas.rs`), where the settings say so.
//!
//! Source: ZooKeeper 3.5 to 3.9, `ZKClientConfig` and `ClientX509Util`: `zookeeper.client.secure`, `zookeeper.ssl.*`.

use super::{
    Ensemble, Settings,
    jaas::{self, Found},
    login::Login,
    settings::Setting,
};
use plan::{Descriptor, Kind, Properties};
use runtime::net::{CLIENT_TLS, ClientLayers, TlsDefaults};
use std::fs;

impl Settings {
    /// `ensemble`, as these say that it is reached. `defaults` are Java's own, where these say nothing.
    ///
    /// # Errors
    /// What is wrong with them, in an operator's words.
    pub fn reach(&self, ensemble: Ensemble, defaults: &TlsDefaults) -> Result<Ensemble, String> {
        if let Some(Setting { value, name, .. }) = self.last(SECURE)
            && !["true", "false"].iter().any(|known| value.eq_ignore_ascii_case(known))
        {
            return Err(format!(
                "{name}={value}: true (over TLS) or false; ZooKeeper's own client would take the plain way without a word"
            ));
        }
        let ensemble = if self.is_secure() { ensemble.with(self.layers(defaults)?) } else { ensemble };
        Ok(match jaas::find(self)? {
            Found::Login(login) => ensemble.log_in(login),
            Found::None | Found::NoneOfUse(_) => ensemble,
        })
    }

    /// What was given for ZooKeeper's client and has no effect.
    pub fn notices(&self) -> Vec<String> {
        let mut notices = Vec::new();
        // What is wrong is refused where ZooKeeper is reached.
        match jaas::find(self) {
            Ok(Found::NoneOfUse(why)) => notices.push(why),
            Ok(Found::Login(Login::Kerberos(_))) => notices.extend(jaas::without_effect(self)),
            _ => {}
        }
        let own = || self.list.iter().filter(|setting| setting.key.starts_with(SSL));
        let is_known = |key: &str| KNOWN.contains(&key) || REFUSED.contains(&key);
        let unknown = own().filter(|setting| !is_known(&setting.key[SSL.len()..]));
        let unknown: Vec<&str> = unknown.map(|setting| setting.name.as_str()).collect();
        if !unknown.is_empty() {
            notices.push(format!("no effect on the connection to ZooKeeper: {}", unknown.join(", ")));
        }
        if let Some(first) = own().next().filter(|_| !self.is_secure()) {
            notices.push(format!(
                "{} and other settings of its kind have no effect without {SECURE}=true: the connection to ZooKeeper is a plain one",
                first.name
            ));
        }
        notices
    }

    fn is_secure(&self) -> bool {
        self.last(SECURE).is_some_and(|setting| setting.value.eq_ignore_ascii_case("true"))
    }

    /// One about TLS that is not empty.
    fn get(&self, key: &str) -> Option<&Setting> {
        self.last(&format!("{SSL}{key}")).filter(|setting| !setting.value.is_empty())
    }

    fn layers(&self, defaults: &TlsDefaults) -> Result<ClientLayers, String> {
        let refused = REFUSED.iter().filter_map(|key| self.get(key));
        for Setting { value, name, .. } in refused {
            if !value.eq_ignore_ascii_case("false") {
                return Err(format!("{name}: not supported; leave it out"));
            }
        }
        let any_name =
            self.get("hostnameVerification").is_some_and(|is| is.value.eq_ignore_ascii_case("false"));
        let verify = if any_name { "false" } else { "true" };
        let mut pairs = vec![("ssl", "true".to_owned()), ("verify-hostname", verify.to_owned())];
        for (theirs, own) in [
            ("trustStore", ["truststore", "truststore-password", "truststore-type"]),
            ("keyStore", ["keystore", "keystore-password", "keystore-type"]),
        ] {
            pairs.extend(self.store(theirs, own)?);
        }
        let words = pairs.iter().map(|(key, value)| (*key, value.as_str()));
        ClientLayers::tls(&Properties::of(&TLS, words), defaults, &mut Vec::new()).map_err(|error| {
            let store =
                pairs.iter().find(|(key, _)| *key == error.key && ["truststore", "keystore"].contains(key));
            let path = store.map(|(_, path)| format!(" {path}")).unwrap_or_default();
            let name = self.last(SECURE).map(|setting| setting.name.as_str()).unwrap_or_default();
            format!("{name}=true: {}{path}: {}", error.key, error.what)
        })
    }

    /// Where a store is, its password and its type.
    fn store(
        &self,
        theirs: &str,
        [store, password, kind]: [&'static str; 3],
    ) -> Result<Vec<(&'static str, String)>, String> {
        let Some(Setting { value: path, name, .. }) = self.get(&format!("{theirs}.location")) else {
            return Ok(Vec::new());
        };
        let mut pairs = vec![(store, path.clone())];
        pairs.extend(self.word(theirs)?.map(|word| (password, word)));
        let ending = path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        let of_its_name = if ["p12", "pfx"].contains(&ending.as_str()) { "PKCS12" } else { &ending };
        let given = self.get(&format!("{theirs}.type")).map_or(of_its_name, |given| &given.value);
        let given = given.to_ascii_uppercase();
        if ["PEM", "BCFKS"].contains(&given.as_str()) {
            return Err(format!("{name}={path}: {given} is not read; JKS and PKCS12 are"));
        }
        pairs.push((kind, if given == "PKCS12" { given } else { "JKS".to_owned() }));
        Ok(pairs)
    }

    /// A store's password, which may stand in a file.
    fn word(&self, store: &str) -> Result<Option<String>, String> {
        let Some(Setting { value: path, name, .. }) = self.get(&format!("{store}.passwordPath")) else {
            return Ok(self.get(&format!("{store}.password")).map(|password| password.value.clone()));
        };
        match fs::read_to_string(path) {
            Ok(text) => Ok(Some(text.trim_end_matches(['\n', '\r']).to_owned())),
            Err(error) => Err(format!("{name}={path}: cannot be read: {error}")),
        }
    }
}

static TLS: Descriptor = Descriptor::new(Kind::Sink, "", "", &[CLIENT_TLS]);
const SECURE: &str = "zookeeper.client.secure";
const SSL: &str = "zookeeper.ssl.";
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

    fn settings(lines: &[&str]) -> Settings {
        let pairs = lines.iter().filter_map(|line| line.split_once('='));
        Settings::new(&pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect::<Vec<_>>())
    }

    fn reached(settings: &Settings) -> Result<Ensemble, String> {
        settings.reach(Ensemble::parse("h:1")?, &TlsDefaults::new(&[], |_| None))
    }

    fn wrong(lines: &[&str]) -> String {
        reached(&settings(&[&["zookeeper.client.secure=true"], lines].concat())).map(drop).unwrap_err()
    }

    #[test]
    fn what_cannot_be_had_is_refused_by_name_and_never_becomes_a_plain_connection() {
        assert!(wrong(&["zookeeper.ssl.trustStore.location=/no/such.jks"]).contains("/no/such.jks"));
        assert!(wrong(&["zookeeper.ssl.trustStore.location=/a.pem"]).contains("PEM is not read"));
        assert!(wrong(&["zookeeper.ssl.ocsp=true"]).contains("-Dzookeeper.ssl.ocsp: not supported"));
        assert!(wrong(&["zookeeper.client.secure=yes"]).contains("-Dzookeeper.client.secure=yes: true"));
        let path =
            ["zookeeper.ssl.keyStore.location=/a", "zookeeper.ssl.keyStore.passwordPath=/no/such/word"];
        assert!(wrong(&path).contains("passwordPath=/no/such/word: cannot be read"));
        let secure = settings(&["zookeeper.client.secure=TRUE", "zookeeper.ssl.ocsp=false"]);
        assert!(reached(&secure).is_ok(), "with the certificates that the system trusts");
    }

    #[test]
    fn what_a_file_says_counts_first_and_is_named_as_it_stands_there() {
        let mut both =
            settings(&["zookeeper.client.secure=false", "zookeeper.ssl.trustStore.location=/d.jks"]);
        both.add("zookeeper.client.secure", "true", "secure of the file".to_owned());
        both.add("zookeeper.ssl.trustStore.location", "/f.jks", "store of the file".to_owned());
        both.add("tickTime", "7", "of a server".to_owned());
        let why = reached(&both).map(drop).unwrap_err();
        assert!(why.starts_with("secure of the file=true: ") && why.contains("/f.jks"), "{why}");
        assert!(both.notices().is_empty());
        assert!(!format!("{both:?}").contains("/f.jks"), "{both:?}");
    }

    #[test]
    fn what_has_no_effect_is_told() {
        let notices = |lines: &[&str]| settings(lines).notices();
        assert!(notices(&[]).is_empty());
        let told = notices(&["zookeeper.ssl.protocol=TLSv1.2", "zookeeper.ssl.crl=true"]);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].ends_with("-Dzookeeper.ssl.protocol") && told[1].contains("a plain one"), "{told:?}");
    }
}

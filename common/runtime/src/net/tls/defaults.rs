//! What the process says about TLS for all components that say nothing themselves.

use std::collections::BTreeMap;
use std::fmt;

/// Java's system properties for TLS, each with the environment variable from which Flume fills it.
///
/// Source: Flume 1.11 `SSLUtil`.
#[derive(Clone, Default)]
pub struct TlsDefaults {
    values: BTreeMap<&'static str, String>,
}

/// Shows which are set, and no password.
impl fmt::Debug for TlsDefaults {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_set().entries(self.values.keys()).finish()
    }
}

impl TlsDefaults {
    /// From the properties given with `-D`, of which the last of a name counts, and the environment.
    pub fn new(properties: &[(String, String)], environment: impl Fn(&str) -> Option<String>) -> TlsDefaults {
        let value = |(property, variable): &(&'static str, &str)| {
            let given =
                properties.iter().rev().find(|(key, _)| key == property).map(|(_, value)| value.clone());
            given.or_else(|| environment(variable)).map(|value| (*property, value))
        };
        TlsDefaults { values: NAMES.iter().filter_map(value).collect() }
    }

    /// The value of a property, if it or its variable is set.
    pub fn get(&self, property: &str) -> Option<&str> {
        self.values.get(property).map(String::as_str)
    }
}

const NAMES: &[(&str, &str)] = &[
    ("javax.net.ssl.keyStore", "FLUME_SSL_KEYSTORE_PATH"),
    ("javax.net.ssl.keyStorePassword", "FLUME_SSL_KEYSTORE_PASSWORD"),
    ("javax.net.ssl.keyStoreType", "FLUME_SSL_KEYSTORE_TYPE"),
    ("javax.net.ssl.trustStore", "FLUME_SSL_TRUSTSTORE_PATH"),
    ("javax.net.ssl.trustStorePassword", "FLUME_SSL_TRUSTSTORE_PASSWORD"),
    ("javax.net.ssl.trustStoreType", "FLUME_SSL_TRUSTSTORE_TYPE"),
    ("flume.ssl.include.protocols", "FLUME_SSL_INCLUDE_PROTOCOLS"),
    ("flume.ssl.exclude.protocols", "FLUME_SSL_EXCLUDE_PROTOCOLS"),
    ("flume.ssl.include.cipherSuites", "FLUME_SSL_INCLUDE_CIPHERSUITES"),
    ("flume.ssl.exclude.cipherSuites", "FLUME_SSL_EXCLUDE_CIPHERSUITES"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_property_wins_over_its_variable() {
        let properties = [("javax.net.ssl.keyStore", "a"), ("javax.net.ssl.keyStore", "b"), ("other", "c")];
        let properties = properties.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let tls_defaults = TlsDefaults::new(&properties, |name| {
            name.starts_with("FLUME_SSL_KEYSTORE").then(|| "env".to_owned())
        });
        assert_eq!(tls_defaults.get("javax.net.ssl.keyStore"), Some("b"));
        assert_eq!(tls_defaults.get("javax.net.ssl.keyStorePassword"), Some("env"));
        assert_eq!(tls_defaults.get("javax.net.ssl.trustStore"), None);
        assert!(!format!("{tls_defaults:?}").contains("env"), "{tls_defaults:?}");
    }
}

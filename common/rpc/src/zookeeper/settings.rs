//! What ZooKeeper's client is told: Java's system properties, or a file of the same settings.

use std::fmt;

/// What ZooKeeper's own client is told, and other system properties, which a JAAS file may name.
#[derive(Debug, Clone, Default)]
pub struct Settings(pub(super) Vec<Setting>);

#[derive(Clone)]
pub(super) struct Setting {
    pub(super) key: String,
    pub(super) value: String,
    /// Where it is written, in a message.
    pub(super) name: String,
}

/// Shows no value.
impl fmt::Debug for Setting {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.name)
    }
}

impl Settings {
    /// Java's system properties, as given with `-D`.
    pub fn new(properties: &[(String, String)]) -> Settings {
        let setting = |(key, value): &(String, String)| Setting {
            key: key.clone(),
            value: value.trim().to_owned(),
            name: format!("-D{key}"),
        };
        Settings(properties.iter().map(setting).collect())
    }

    /// One more, which counts before those that are there; `name` says where it is written.
    pub fn add(&mut self, key: &str, value: &str, name: String) {
        if key.starts_with(OWN) {
            self.0.push(Setting { key: key.to_owned(), value: value.trim().to_owned(), name });
        }
    }

    pub(super) fn last(&self, key: &str) -> Option<&Setting> {
        self.0.iter().rev().find(|setting| setting.key == key)
    }
}

const OWN: &str = "zookeeper.";

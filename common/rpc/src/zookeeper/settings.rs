//! What ZooKeeper's client is told: Java's system properties, or a file of the same settings.

use flow::Site;
use runtime::kerberos::Kerberos;
use std::{fmt, sync::Arc};

/// What ZooKeeper's own client is told, and other system properties, which a JAAS file may name.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    pub(super) list: Vec<Setting>,
    /// What logs in by Kerberos, if anything does.
    pub(super) kerberos: Option<Arc<dyn Kerberos>>,
}

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
    /// Those of a process, as its components have them.
    pub fn of(process: &Site) -> Settings {
        let settings = Settings::new(process.properties());
        Settings { kerberos: process.kerberos().cloned(), ..settings }
    }

    /// The same, with what logs in by Kerberos.
    #[must_use]
    pub fn logging_in(self, kerberos: Arc<dyn Kerberos>) -> Settings {
        Settings { kerberos: Some(kerberos), ..self }
    }

    /// Java's system properties, as given with `-D`.
    pub fn new(properties: &[(String, String)]) -> Settings {
        let setting = |(key, value): &(String, String)| Setting {
            key: key.clone(),
            value: value.trim().to_owned(),
            name: format!("-D{key}"),
        };
        Settings { list: properties.iter().map(setting).collect(), kerberos: None }
    }

    /// One more, which counts before those that are there; `name` says where it is written.
    pub fn add(&mut self, key: &str, value: &str, name: String) {
        if key.starts_with(OWN) {
            self.list.push(Setting { key: key.to_owned(), value: value.trim().to_owned(), name });
        }
    }

    /// One that is set and not empty.
    pub(super) fn filled(&self, key: &str) -> Option<&Setting> {
        self.last(key).filter(|setting| !setting.value.is_empty())
    }

    pub(super) fn last(&self, key: &str) -> Option<&Setting> {
        self.list.iter().rev().find(|setting| setting.key == key)
    }
}

const OWN: &str = "zookeeper.";

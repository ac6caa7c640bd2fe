//! What HBase's own file says: `hbase-site.xml`.

use components::hadoop::{SiteProperties, SiteXml};
use rpc::zookeeper::Settings;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Its properties.
#[derive(Debug, Default)]
pub(crate) struct HbaseSite(HashMap<String, String>);

impl HbaseSite {
    /// Of the first directory that has the file: `directory` alone, else the agent's configuration directory and those of
    /// the environment, as on the class path that `flume-ng` makes; and what is not taken as it stands there. `system` are Java's
    /// system properties.
    ///
    /// # Errors
    /// What is wrong with the file, in an operator's words.
    pub(crate) fn read(
        directory: Option<&str>,
        conf: Option<&Path>,
        system: &[(String, String)],
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<(HbaseSite, Vec<String>), String> {
        let home = variable("HBASE_HOME").map(|home| Path::new(&home).join("conf"));
        let places = match directory {
            Some(directory) => vec![PathBuf::from(directory)],
            None => {
                let environments = variable("HBASE_CONF_DIR").map(PathBuf::from).into_iter().chain(home);
                conf.map(Path::to_owned).into_iter().chain(environments).collect()
            }
        };
        let found = places.iter().map(|place| place.join(FILE)).find(|path| path.is_file());
        let mut site = SiteXml::default();
        match (found, directory) {
            (Some(path), _) => site.add(&path)?,
            (None, Some(directory)) => return Err(format!("there is no {FILE} in {directory}")),
            (None, None) => {}
        }
        let SiteProperties { all, notes } = site.resolved(system, variable);
        Ok((HbaseSite(all), notes))
    }

    /// A property that is not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

impl HbaseSite {
    /// Adds what it says of the connection to ZooKeeper. It counts before Java's system properties, as in HBase 2.6; that release
    /// writes `hbase.zookeeper.property.zookeeper.client.secure`, those before it leave the second `zookeeper.` out.
    pub(crate) fn add_to(&self, settings: &mut Settings) {
        let mut add = |theirs: &str, own: &str| {
            if let Some(value) = self.get(&format!("{PREFIX}{theirs}")) {
                settings.add(own, value, format!("{PREFIX}{theirs} in {FILE}"));
            }
        };
        add("client.secure", "zookeeper.client.secure");
        // Without that one they are of a server that HBase runs.
        if self.get(&format!("{PREFIX}client.secure")).is_some_and(|word| word.eq_ignore_ascii_case("true")) {
            for key in STORES {
                add(key, &format!("zookeeper.{key}"));
            }
        }
        let mut keys: Vec<&str> = self.0.keys().filter_map(|name| name.strip_prefix(PREFIX)).collect();
        keys.sort_unstable();
        keys.into_iter().filter(|key| key.starts_with("zookeeper.")).for_each(|key| add(key, key));
    }
}

const FILE: &str = "hbase-site.xml";
const PREFIX: &str = "hbase.zookeeper.property.";
/// What HBase 2.5 hands on.
const STORES: [&str; 8] = [
    "ssl.keyStore.location",
    "ssl.keyStore.password",
    "ssl.keyStore.passwordPath",
    "ssl.keyStore.type",
    "ssl.trustStore.location",
    "ssl.trustStore.password",
    "ssl.trustStore.passwordPath",
    "ssl.trustStore.type",
];

#[cfg(test)]
mod tests {
    use super::*;

    const SITE: &str = "<?xml version=\"1.0\"?>\n<configuration>\n<property><name>hbase.zookeeper.quorum</name>\
        <value> a,b </value></property><property><name>x</name></property></configuration>";

    #[test]
    fn the_file_is_found_where_hbases_own_client_finds_it() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().display().to_string();
        let nothing = |_: &str| None;
        let read =
            |directory: Option<&str>, conf: Option<&Path>, variable: &dyn Fn(&str) -> Option<String>| {
                HbaseSite::read(directory, conf, &[], variable).map(|(site, _)| site)
            };
        assert!(read(Some(&place), None, &nothing).unwrap_err().contains("no hbase-site.xml in"));
        assert_eq!(read(None, Some(folder.path()), &nothing).unwrap().get("hbase.zookeeper.quorum"), None);
        std::fs::write(folder.path().join(FILE), SITE).unwrap();
        let in_environment = |name: &str| (name == "HBASE_CONF_DIR").then(|| place.clone());
        for site in [
            read(Some(&place), None, &nothing),
            read(None, None, &in_environment),
            read(None, Some(folder.path()), &|_| Some("/nowhere".to_owned())),
        ] {
            let site = site.unwrap();
            assert_eq!((site.get("hbase.zookeeper.quorum"), site.get("x")), (Some("a,b"), None));
        }
        std::fs::write(folder.path().join(FILE), "no XML").unwrap();
        assert!(read(Some(&place), None, &nothing).unwrap_err().contains("no XML"));
    }
}

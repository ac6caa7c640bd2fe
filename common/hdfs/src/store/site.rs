//! What Hadoop's own files say: `core-site.xml` and `hdfs-site.xml`.

use components::hadoop::{SiteProperties, SiteXml};
use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Their properties. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct SiteFiles(Arc<HashMap<String, String>>);

/// Names alone: some values are secrets.
impl fmt::Debug for SiteFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Where the files are looked for: in `own` alone, else in the agent's configuration directory and then where the
/// environment says, as on the class path that `flume-ng` makes.
pub(crate) fn directories(
    own: Option<&str>,
    conf: Option<&Path>,
    variable: impl Fn(&str) -> Option<String>,
) -> Vec<PathBuf> {
    if let Some(own) = own {
        return vec![PathBuf::from(own)];
    }
    let usual = || variable("HADOOP_HOME").map(|home| Path::new(&home).join("etc/hadoop"));
    let hadoops = variable("HADOOP_CONF_DIR").map(PathBuf::from).or_else(usual);
    conf.map(Path::to_owned).into_iter().chain(hadoops).collect()
}

impl SiteFiles {
    /// Each file from the first directory that has it, whole, as Java takes it from its class path; and what is not taken as it
    /// stands there. `system` are Java's system properties, `variable` is one of the environment's.
    ///
    /// # Errors
    /// What is wrong with a file, in an operator's words.
    pub(crate) fn read(
        directories: &[PathBuf],
        system: &[(String, String)],
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<(SiteFiles, Vec<String>), String> {
        let mut site = SiteXml::default();
        for file in FILES {
            let paths = directories.iter().map(|directory| directory.join(file));
            if let Some(path) = paths.into_iter().find(|path| path.is_file()) {
                site.add(&path)?;
            }
        }
        let SiteProperties { all, notes } = site.resolved(system, variable);
        Ok((SiteFiles(Arc::new(all)), notes))
    }

    #[cfg(test)]
    pub(crate) fn of(pairs: &[(&str, &str)]) -> SiteFiles {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        SiteFiles(Arc::new(pairs.collect()))
    }

    /// A property that is not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// All of them.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// `dfs.replication`, where a client's files set it.
    pub(crate) fn replication(&self) -> Option<u32> {
        self.get("dfs.replication")?.parse().ok()
    }

    /// The NameNodes of a name service.
    pub(crate) fn name_nodes(&self, service: &str) -> Vec<&str> {
        let nodes = self.get(&format!("dfs.ha.namenodes.{service}")).unwrap_or_default();
        nodes.split(',').map(str::trim).filter(|node| !node.is_empty()).collect()
    }

    /// The name services that a file system at `url` is on. Of a lone NameNode it is the name of its host.
    pub(crate) fn services<'a>(&'a self, url: &'a str) -> Vec<&'a str> {
        let host = |url: &'a str| {
            let rest = url.split_once("://")?.1;
            Some(rest.split('/').next().unwrap_or(rest)).filter(|host| !host.is_empty())
        };
        if !url.starts_with("viewfs://") {
            return host(url).into_iter().collect();
        }
        let links = self.0.iter().filter(|(name, _)| name.starts_with(MOUNTS));
        let mut services: Vec<&str> = links.filter_map(|(_, value)| host(value)).collect();
        services.sort_unstable();
        services.dedup();
        services
    }

    /// The links of the mount table of a `viewfs://NAME`: paths, and where they lead.
    fn links<'a>(&'a self, url: &str) -> Vec<(&'a str, &'a str)> {
        let Some(name) = url.strip_prefix("viewfs://") else { return Vec::new() };
        let table = format!("{MOUNTS}{name}.");
        let all = self.pairs().filter_map(|(key, target)| Some((key.strip_prefix(&table)?, target)));
        all.filter(|(link, _)| link.starts_with(LINK) || *link == FALLBACK).collect()
    }

    /// Whether a path is in this file system: of a mount table without a fallback, only what is below a link.
    pub(crate) fn is_mounted(&self, url: &str, path: &str) -> bool {
        let links = self.links(url);
        let holds = |link: &str| match link.strip_prefix(LINK) {
            Some(link) => {
                path.strip_prefix(link.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/'))
            }
            None => link == FALLBACK,
        };
        links.is_empty() || links.iter().any(|(link, _)| holds(link))
    }

    /// A fallback for a mount table that has none, which the library does not take. It is not used: see `is_mounted`.
    pub(crate) fn missing_fallback(&self, url: &str) -> Option<(String, String)> {
        let links = self.links(url);
        let (_, target) = links.iter().min().filter(|_| links.iter().all(|(link, _)| *link != FALLBACK))?;
        Some((format!("{MOUNTS}{}.{FALLBACK}", url.strip_prefix("viewfs://")?), (*target).to_owned()))
    }

    /// The URL of a file system: `url`, or `fs.defaultFS`; with Hadoop's usual port where a lone NameNode has none.
    pub(crate) fn complete(&self, url: &str) -> Option<String> {
        let url = if url.is_empty() { self.get("fs.defaultFS")?.trim_end_matches('/') } else { url };
        let lone = url.strip_prefix("hdfs://").filter(|host| self.name_nodes(host).is_empty());
        Some(match lone {
            Some(host) if !has_port(host) => format!("{url}:{USUAL_PORT}"),
            _ => url.to_owned(),
        })
    }
}

fn has_port(host: &str) -> bool {
    host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok())
}

/// Before a mount table's name.
const MOUNTS: &str = "fs.viewfs.mounttable.";
/// Before the path of a link.
const LINK: &str = "link.";
/// Where paths are that no link holds.
const FALLBACK: &str = "linkFallback";
const FILES: [&str; 2] = ["core-site.xml", "hdfs-site.xml"];
/// Source: Hadoop's `HdfsClientConfigKeys.DFS_NAMENODE_RPC_PORT_DEFAULT`.
const USUAL_PORT: u16 = 8020;

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn site(value: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?>\n<configuration><property><name>a</name><value>7</value></property>\
             <property>\n<name> dfs.replication </name><value> {value} </value></property></configuration>"
        )
    }

    #[test]
    fn each_file_comes_whole_from_the_first_directory_that_has_it() {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let [conf, hadoops] = folders.each_ref().map(|folder| folder.path());
        let places = directories(None, Some(conf), |name| {
            (name == "HADOOP_CONF_DIR").then(|| hadoops.display().to_string())
        });
        let read = || SiteFiles::read(&places, &[], |_| None).map(|(site, _)| site);
        assert_eq!(read().unwrap().replication(), None);
        fs::write(hadoops.join("core-site.xml"), site("2")).unwrap();
        assert_eq!(read().unwrap().replication(), Some(2));
        fs::write(conf.join("core-site.xml"), "<configuration/>").unwrap();
        assert_eq!((read().unwrap().replication(), read().unwrap().get("a")), (None, None));
        fs::write(hadoops.join("hdfs-site.xml"), site("1")).unwrap();
        assert_eq!(read().unwrap().replication(), Some(1));
        let address =
            "<c><property><name>address</name><value>nn${dfs.replication}:${port}</value></property></c>";
        fs::write(conf.join("core-site.xml"), address).unwrap();
        assert_eq!(read().unwrap().get("address"), Some("nn1:${port}"), "what nobody knows stays");
        fs::write(conf.join("hdfs-site.xml"), "nothing").unwrap();
        let told = read().unwrap_err();
        assert!(told.contains(&format!("{}/hdfs-site.xml: no XML", conf.display())), "{told}");
    }

    #[test]
    fn the_directories_are_the_sinks_or_the_agents_and_the_environments() {
        let variable = |name: &str| (name == "HADOOP_HOME").then(|| "/opt/hadoop".to_owned());
        let conf = Some(Path::new("conf"));
        assert_eq!(directories(None, None, variable), [PathBuf::from("/opt/hadoop/etc/hadoop")]);
        assert_eq!(directories(Some("/c"), conf, variable), [PathBuf::from("/c")]);
        let both = directories(None, conf, |name| Some(format!("/{name}")));
        assert_eq!(both, [PathBuf::from("conf"), PathBuf::from("/HADOOP_CONF_DIR")]);
        assert!(directories(None, None, |_| None).is_empty());
    }

    #[test]
    fn a_file_system_is_on_its_name_services() {
        let site = SiteFiles::of(&[
            ("fs.defaultFS", "hdfs://ns1/"),
            ("dfs.ha.namenodes.ns1", "nn1, nn2"),
            ("fs.viewfs.mounttable.all.link./a", "hdfs://ns1/x"),
            ("fs.viewfs.mounttable.all.link./b", "hdfs://other:8020/"),
            ("fs.viewfs.mounttable.all.homedir", "/user"),
        ]);
        assert_eq!(site.name_nodes("ns1"), ["nn1", "nn2"]);
        assert_eq!(site.services("hdfs://ns1"), ["ns1"]);
        assert_eq!(site.services("viewfs://all"), ["ns1", "other:8020"]);
        for (url, complete) in [
            ("", "hdfs://ns1"),
            ("hdfs://ns1", "hdfs://ns1"),
            ("hdfs://nn", "hdfs://nn:8020"),
            ("hdfs://nn:9000", "hdfs://nn:9000"),
            ("viewfs://all", "viewfs://all"),
        ] {
            assert_eq!(site.complete(url).as_deref(), Some(complete), "{url}");
        }
        assert_eq!(SiteFiles::default().complete(""), None);
        let mounted = |site: &SiteFiles| {
            ["/a/x", "/b/y/z", "/ab/x", "/x"].map(|path| site.is_mounted("viewfs://all", path))
        };
        assert_eq!(mounted(&site), [true, true, false, false]);
        assert!(site.is_mounted("hdfs://ns1", "/x"));
        let (name, target) = site.missing_fallback("viewfs://all").unwrap();
        assert_eq!(target, "hdfs://ns1/x");
        let with = SiteFiles::of(&[(&name, &target)]);
        assert_eq!((mounted(&with), with.missing_fallback("viewfs://all")), ([true; 4], None));
    }
}

//! What Hadoop's files say and `hdfs-native` does not read: how many copies a file has.

use std::path::{Path, PathBuf};

/// Where `core-site.xml` and `hdfs-site.xml` are: in `directory`, or where the environment says.
pub(super) fn directory(
    directory: Option<&str>,
    variable: impl Fn(&str) -> Option<String>,
) -> Option<PathBuf> {
    let usual = || variable("HADOOP_HOME").map(|home| Path::new(&home).join("etc/hadoop"));
    directory.map(PathBuf::from).or_else(|| variable("HADOOP_CONF_DIR").map(PathBuf::from)).or_else(usual)
}

/// `dfs.replication`, where a client's files set it.
pub(super) fn replication(directory: &Path) -> Option<u32> {
    ["hdfs-site.xml", "core-site.xml"].iter().find_map(|file| {
        let text = std::fs::read_to_string(directory.join(file)).ok()?;
        property(&text, "dfs.replication")?.trim().parse().ok()
    })
}

fn property(text: &str, name: &str) -> Option<String> {
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..roxmltree::ParsingOptions::default() };
    let document = roxmltree::Document::parse_with_options(text, options).ok()?;
    let child = |node: roxmltree::Node<'_, '_>, tag: &str| {
        let found = node.children().find(|child| child.has_tag_name(tag))?;
        found.text().map(str::to_owned)
    };
    let mut properties = document.descendants().filter(|node| node.has_tag_name("property"));
    let found = properties.rfind(|node| child(*node, "name").is_some_and(|known| known.trim() == name))?;
    child(found, "value")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_copies_is_found_where_a_client_finds_it() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(replication(folder.path()), None);
        let file = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        let with = |copies| {
            format!(
                "<?xml version=\"1.0\"?>\n<configuration><property><name>a</name><value>7</value></property>\
                 <property>\n<name> dfs.replication </name><value> {copies} </value></property></configuration>"
            )
        };
        file("core-site.xml", &with(2));
        assert_eq!(replication(folder.path()), Some(2));
        file("hdfs-site.xml", &with(1));
        assert_eq!(replication(folder.path()), Some(1));
        file("hdfs-site.xml", "no XML");
        assert_eq!(replication(folder.path()), Some(2));
    }

    #[test]
    fn the_directory_is_the_sinks_or_the_environments() {
        let variable = |name: &str| (name == "HADOOP_HOME").then(|| "/opt/hadoop".to_owned());
        assert_eq!(directory(None, variable), Some("/opt/hadoop/etc/hadoop".into()));
        assert_eq!(directory(Some("/c"), variable), Some("/c".into()));
        assert_eq!(directory(None, |name| Some(format!("/{name}"))), Some("/HADOOP_CONF_DIR".into()));
        assert_eq!(directory(None, |_| None), None);
    }
}

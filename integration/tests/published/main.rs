//! What others have published, with the jars of stores: none of Flume's classes is missing. A test of its own, for it needs
//! a folder that nobody else has. And they run, on real stores.

mod feed;
mod run;
mod text;

use integration::{binaries, flume::bridge::environment_with_stores, limit};
use std::{collections::BTreeSet, fs, process::Command};

/// What `check` says with these jars.
fn said_by_check(text: &str, agent: &str) -> String {
    let directory = tempfile::tempdir().expect("a folder");
    let file = directory.path().join("a1.conf");
    fs::write(&file, text).expect("a file");
    let program = binaries::directory().expect("it is built").join("agent");
    let mut command = Command::new("env");
    command.args(&environment_with_stores()[1..]).arg(program).args(["check", "-n", agent, "-f"]).arg(&file);
    String::from_utf8_lossy(&limit::output(&mut command).stdout).into_owned()
}

/// The files are not ours to hand on.
#[test]
#[ignore = "needs FLUME_CONFIGS, a folder of *.conf files, a JVM, Maven and a registry"]
fn published_files_with_stores_find_all_of_flumes_classes() {
    let folder = std::env::var_os("FLUME_CONFIGS").expect("FLUME_CONFIGS names a folder");
    let mut agents = 0;
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let text = String::from_utf8_lossy(&fs::read(entry.path()).expect("a file")).into_owned();
        for agent in agents_with_stores(&text) {
            let said = said_by_check(&text, &agent);
            agents += 1;
            for class in said.split("there is no class ").skip(1).filter_map(|rest| rest.split(' ').next()) {
                let theirs = ["org.apache.hadoop.", "org.apache.kafka.", "org.elasticsearch.", "org.hbase."];
                let is_flumes =
                    class.starts_with("org.apache.flume.") && !OWN_IN_FLUMES_PACKAGE.contains(&class);
                let is_missing = is_flumes || theirs.iter().any(|package| class.starts_with(package));
                assert!(!is_missing, "{}: {agent}: {class}\n{said}", entry.path().display());
            }
        }
    }
    eprintln!("{agents} agents");
    assert!(agents > 0, "no file names a store");
}

/// Agents of a file that have a source, a sink or a channel of a store.
fn agents_with_stores(text: &str) -> BTreeSet<String> {
    let is_store = |value: &str| {
        ["hdfs", "hbase", "asynchbase", "elasticsearch"].contains(&value)
            || ["Kafka", "HDFS", "ElasticSearch", "HBase"].iter().any(|word| value.contains(word))
    };
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    let stores = pairs.filter(|(key, value)| key.trim().ends_with(".type") && is_store(value.trim()));
    stores.filter_map(|(key, _)| Some(key.trim().split('.').next()?.to_owned())).collect()
}

/// Operators' classes that have put themselves there.
const OWN_IN_FLUMES_PACKAGE: &[&str] = &["org.apache.flume.sink.hbase.DsjAsyncHbaseEventSerializer"];

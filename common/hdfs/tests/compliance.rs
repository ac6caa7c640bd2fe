//! The sink keeps the promises of every sink (`flow::compliance`), on a directory of this machine.

use components::LIGHT;
use flow::compliance::sink::Suite;
use flow::compliance::{Pairs, SinkBench, pairs};
use flow::component::Component;
use futures_util::future::LocalBoxFuture;
use plan::{Availability, Kind};
use std::fs;
use std::future::ready;

/// Writes to a directory.
struct Directory(tempfile::TempDir);

impl SinkBench for Directory {
    fn properties(&self) -> Pairs {
        let below = |name: &str| self.0.path().join(name).display().to_string();
        pairs([
            ("hdfs.path", format!("file://{}", below("out"))),
            ("hdfs.fileType", "DataStream".to_owned()),
            ("hdfs.stateDir", below("state")),
        ])
    }

    fn arrived(&self) -> Option<Vec<u64>> {
        let Ok(entries) = fs::read_dir(self.0.path().join("out")) else { return Some(Vec::new()) };
        let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
        paths.sort();
        // With one that gets its name just now all are read the next time.
        let texts: Option<Vec<String>> = paths.iter().map(|path| fs::read_to_string(path).ok()).collect();
        Some(texts.unwrap_or_default().concat().lines().filter_map(|line| line.parse().ok()).collect())
    }

    fn set_whole(&self, _: bool) -> LocalBoxFuture<'_, Result<(), &'static str>> {
        Box::pin(ready(Err("src/sink/tests.rs breaks a store, agent/tests/hdfs a real HDFS")))
    }

    fn set_refusing(&self, _: bool) -> LocalBoxFuture<'_, Result<(), &'static str>> {
        Box::pin(ready(Err("a file system refuses no batch for being one")))
    }
}

fn component(families: &[&[&'static Component]], kind: Kind, alias: &str) -> &'static Component {
    let mut all = families.iter().flat_map(|family| family.iter().copied());
    let is_it = |known: &&Component| known.descriptor.kind == kind && known.descriptor.names.alias == alias;
    all.find(is_it).expect("there is one")
}

fn sink_suite<B>(alias: &str, bench: B) -> Suite<B> {
    Suite {
        sink: component(hdfs::COMPONENTS, Kind::Sink, alias),
        channel: component(components::COMPONENTS, Kind::Channel, "memory"),
        bench,
    }
}

flow::comply! { sink SINKS sink_suite {
    hdfs_sink "hdfs" Directory(tempfile::tempdir().expect("a directory"));
} }

#[test]
fn a_build_without_the_sink_knows_which_has_it() {
    assert_eq!(SINKS, ["hdfs"]);
    let light = LIGHT.names().find(Kind::Sink, "hdfs").expect("it is known");
    assert_eq!(light.availability, Availability::Feature("hdfs"));
}

//! The sink keeps the promises of every sink (`flow::compliance`), with a real HBase.

use super::*;
use flow::compliance::sink::Suite;
use flow::compliance::{Pairs, SinkBench, pairs};
use flow::component::Component;
use futures_util::future::LocalBoxFuture;
use plan::Kind;
use std::cell::RefCell;
use std::future::ready;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A table of its own for each test.
struct Rows<'h> {
    hbase: &'h RefCell<Hbase>,
    table: RefCell<String>,
    /// What had arrived when the table was disabled: nobody can read it then.
    before: RefCell<Option<Vec<u64>>>,
}

impl<'h> Rows<'h> {
    fn new(hbase: &'h RefCell<Hbase>) -> Rows<'h> {
        let rows = Rows { hbase, table: RefCell::default(), before: RefCell::default() };
        rows.make("cf");
        rows
    }

    fn make(&self, family: &str) {
        static TABLES: AtomicUsize = AtomicUsize::new(0);
        let table = format!("t{}", TABLES.fetch_add(1, Ordering::Relaxed));
        self.ask(&format!("create {table} {family}"));
        self.table.replace(table);
    }

    fn ask(&self, command: &str) -> Vec<String> {
        self.hbase.borrow_mut().ask(command)
    }
}

impl SinkBench for Rows<'_> {
    /// Keys in the order in which they are made: so the order in which events came can be seen.
    fn properties(&self) -> Pairs {
        pairs([
            ("table", self.table.borrow().clone()),
            ("columnFamily", "cf".to_owned()),
            ("zookeeperQuorum", self.hbase.borrow().quorum()),
            ("timeout", "5000".to_owned()),
            ("serializer.suffix", "nano".to_owned()),
        ])
    }

    fn arrived(&self) -> Option<Vec<u64>> {
        if let Some(before) = &*self.before.borrow() {
            return Some(before.clone());
        }
        let cells = table(&mut self.hbase.borrow_mut(), &self.table.borrow()).into_iter();
        let bodies = cells.filter(|((_, column), _)| column == "cf:pCol").map(|(_, body)| body);
        Some(bodies.map(|body| body.parse().expect("a number")).collect())
    }

    fn set_whole(&self, whole: bool) -> LocalBoxFuture<'_, Result<(), &'static str>> {
        let before = if whole { None } else { self.arrived() };
        self.ask(&format!("{} {}", if whole { "enable" } else { "disable" }, self.table.borrow()));
        self.before.replace(before);
        Box::pin(ready(Ok(())))
    }

    /// A table without the column family, which is added then.
    fn set_refusing(&self, refusing: bool) -> LocalBoxFuture<'_, Result<(), &'static str>> {
        if refusing {
            self.make("other");
        } else {
            self.ask(&format!("family {} cf", self.table.borrow()));
        }
        Box::pin(ready(Ok(())))
    }
}

fn component(families: &[&[&'static Component]], kind: Kind, alias: &str) -> &'static Component {
    let mut all = families.iter().flat_map(|family| family.iter().copied());
    let is_it = |known: &&Component| known.descriptor.kind == kind && known.descriptor.names.alias == alias;
    all.find(is_it).expect("there is one")
}

#[actix::test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
async fn the_sink_keeps_the_promises_of_every_sink() {
    let hbase = RefCell::new(Hbase::start());
    let sink = component(hbase::COMPONENTS, Kind::Sink, "asynchbase");
    let channel = component(components::COMPONENTS, Kind::Channel, "memory");
    flow::comply! { sink in turn Suite { sink, channel, bench: Rows::new(&hbase) } }
}

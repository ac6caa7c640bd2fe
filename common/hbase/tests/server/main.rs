//! The HBase sinks in real processes, with a real HBase, and beside a real Flume.
//!
//! `cargo test -p hbase --test server -- --ignored --test-threads=1`

mod compliance;
mod kills;
mod rows;
mod secure;

use integration::stores::{Hbase, Node};
use std::collections::BTreeMap;

/// What a table holds: by row and column, values as Java prints bytes.
fn table(hbase: &mut Hbase, name: &str) -> BTreeMap<(String, String), String> {
    let lines = hbase.ask(&format!("scan {name}"));
    let cells = lines.iter().map(|line| {
        let mut parts = line.splitn(3, '\t').map(str::to_owned);
        let mut part = || parts.next().expect("row, column, value");
        ((part(), part()), part())
    });
    cells.collect()
}

/// The counter of all events of `table`.
fn counter(hbase: &mut Hbase, table: &str) -> usize {
    let said = hbase.ask(&format!("get {table} incRow cf iCol"));
    said.first().map_or(0, |number| number.parse().expect("a number"))
}

fn start(hbase: &Hbase, text: &str) -> Node {
    Node::start(&text.replace("QUORUM", &hbase.quorum()))
}

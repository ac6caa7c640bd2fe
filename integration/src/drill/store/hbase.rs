//! HBase: one table for both collectors, a row for each event, a column for each header.

use super::{Kind, Store};
use crate::{flume::fetched_program, node::Error, stores::Hbase};

pub(super) const KIND: Kind = Kind {
    name: "hbase",
    title: "HBase",
    feature: Some("hbase"),
    hosts: false,
    fetch: || {
        let fetched = fetched_program("hbase", "HbaseAdmin");
        fetched.map(drop).map_err(|why| Error::Missing(format!("HBase cannot be run here: {why}")))
    },
    start: || {
        let mut hbase = Hbase::open(&[])?;
        hbase.client().ask(&format!("create {TABLE} cf"))?;
        hbase.client().ask(&format!("watch {TABLE}"))?;
        Ok(Box::new(hbase))
    },
};

impl Store for Hbase {
    fn sink(&self) -> String {
        SINK.replace("QUORUM", &self.quorum()).replace("TABLE", TABLE)
    }

    fn kill(&mut self) {
        Hbase::kill(self);
    }

    fn start_again(&mut self) -> Result<(), Error> {
        self.open_again()
    }

    fn news(&mut self) -> Result<Vec<String>, Error> {
        Ok(self.client().news().filter_map(|line| Some(line.split_once(' ')?.1.to_owned())).collect())
    }

    fn all(&mut self) -> Result<Vec<String>, Error> {
        let rows = self.client().ask(&format!("events {TABLE}"))?;
        Ok(in_order(&rows).into_iter().map(str::to_owned).collect())
    }
}

/// Rows as their sink has made them: HBase compares the number that their keys end with as text.
fn in_order(rows: &[String]) -> Vec<&str> {
    let mut rows: Vec<((&str, u64), &str)> = rows
        .iter()
        .filter_map(|row| {
            let (key, line) = row.split_once(' ')?;
            let (writer, number) = key.rsplit_once('-')?;
            Some(((writer, number.parse().ok()?), line))
        })
        .collect();
    rows.sort_by_key(|(key, _)| *key);
    rows.into_iter().map(|(_, line)| line).collect()
}

const TABLE: &str = "lesson";

const SINK: &str = "a1.sinks.k1.type = hbase2
a1.sinks.k1.zookeeperQuorum = QUORUM
a1.sinks.k1.table = TABLE
a1.sinks.k1.columnFamily = cf
a1.sinks.k1.serializer = org.apache.flume.sink.hbase2.RegexHBase2EventSerializer
a1.sinks.k1.serializer.colNames = body
a1.sinks.k1.serializer.depositHeaders = true
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_in_the_order_in_which_they_were_made() {
        let rows = ["17-a-10 third", "17-a-9 second", "16-b-3 first"].map(str::to_owned);
        assert_eq!(in_order(&rows), ["first", "second", "third"]);
    }
}

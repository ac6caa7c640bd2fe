//! HBase: a row for each line, and one counter that all batches add to.

use crate::run::{MEMORY, Run, Store};
use integration::{duel::check::Check, node::Error, stores};
use std::{
    fs::{self, File},
    process::Command,
};

pub(crate) struct Hbase {
    store: stores::Hbase,
    come: u64,
}

impl Hbase {
    pub(crate) fn start() -> Result<Box<dyn Store>, Error> {
        Ok(Box::new(Hbase { store: stores::Hbase::start(), come: 0 }))
    }
}

impl Store for Hbase {
    fn flumes_part(&self) -> &'static str {
        "flume-hbase"
    }

    fn prepare(&mut self, run: &Run) -> Result<(), Error> {
        self.come = 0;
        self.store.ask(&format!("create {} f", run.name));
        self.store.ask(&format!("counter {} incRow f iCol {}", run.name, run.shape.lines));
        Ok(())
    }

    fn agent(&self, run: &Run) -> String {
        let sink = SINK.replace("QUORUM", &self.store.quorum()).replace("TABLE", &run.name);
        run.taildir() + MEMORY + &sink
    }

    fn client(&self, run: &Run) -> Result<Command, Error> {
        let input = run.directory.join("commands");
        let text = format!("load {} f {} {}\n", run.name, run.input.display(), run.batch);
        let file = fs::write(&input, text).and_then(|()| File::open(&input));
        let mut command = self.store.another_client();
        command.stdin(file.map_err(Error::io("cannot write a command"))?);
        Ok(command)
    }

    fn come(&mut self, _: &Run) -> Result<u64, Error> {
        for news in self.store.client().news() {
            self.come = news.parse().map_err(|_| Error::Missing(format!("the counter: {news}")))?;
        }
        Ok(self.come)
    }

    /// Rows have names that nobody knows; they are counted.
    fn check(&mut self, run: &Run) -> Result<Check, Error> {
        let rows = self.store.ask(&format!("count {}", run.name));
        self.store.ask(&format!("drop {}", run.name));
        let rows: u32 = rows.concat().parse().map_err(|_| Error::Missing("no number of rows".to_owned()))?;
        let lines = rows.saturating_sub(1); // the counter's own
        let missing = run.shape.lines.saturating_sub(lines);
        Ok(Check { missing, doubled: lines.saturating_sub(run.shape.lines), ..Check::default() })
    }
}

const SINK: &str = "a1.sinks.k1.type = hbase2
a1.sinks.k1.zookeeperQuorum = QUORUM
a1.sinks.k1.table = TABLE
a1.sinks.k1.columnFamily = f
a1.sinks.k1.batchSize = BATCH
a1.sinks.k1.coalesceIncrements = true
a1.sinks.k1.serializer = org.apache.flume.sink.hbase2.SimpleHBase2EventSerializer
a1.sinks.k1.serializer.payloadColumn = pCol
a1.sinks.k1.serializer.incrementColumn = iCol
";

//! Storm: a node sends lines to another one, which is the spout of a topology whose bolt writes down what it acknowledges.

use crate::run::{MEMORY, Run, Store};
use integration::{
    duel::check::{Check, Checker},
    node::Error,
    ports, stores,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

pub(crate) struct Storm {
    agent: PathBuf,
    port: u16,
    /// Of the run under way.
    running: Option<stores::Storm>,
}

impl Storm {
    pub(crate) fn start(programs: &Path) -> Result<Box<dyn Store>, Error> {
        let port = ports::free(&["127.0.0.1"]).map_err(Error::io("no free port for the spout"))?;
        Ok(Box::new(Storm { agent: programs.join("agent"), port, running: None }))
    }

    fn running(&self) -> Result<&stores::Storm, Error> {
        self.running.as_ref().ok_or_else(|| Error::Missing("no topology runs".to_owned()))
    }
}

impl Store for Storm {
    /// None: Flume has no such component.
    fn flumes_part(&self) -> &'static str {
        "none"
    }

    fn prepare(&mut self, run: &Run) -> Result<(), Error> {
        let file = run.directory.join("spout.conf");
        let text = SPOUT.replace("PORT", &self.port.to_string());
        fs::write(&file, text).map_err(Error::io("cannot write a configuration"))?;
        let (agent, file) = (self.agent.display().to_string(), file.display().to_string());
        let storm = stores::Storm::start(&["all", &agent, "storm-spout", "-n", "a1", "-f", &file]);
        storm.listens();
        self.running = Some(storm);
        Ok(())
    }

    fn agent(&self, run: &Run) -> String {
        run.taildir() + MEMORY + &SINK.replace("PORT", &self.port.to_string())
    }

    fn client(&self, _: &Run) -> Result<Command, Error> {
        Err(Error::Missing("Storm is no client".to_owned()))
    }

    fn come(&mut self, run: &Run) -> Result<u64, Error> {
        Ok(self.running()?.acknowledged_bytes() / (run.shape.bytes as u64))
    }

    fn check(&mut self, run: &Run) -> Result<Check, Error> {
        let mut checker = Checker::new(run.shape.lines, 1);
        self.running()?.acknowledged().iter().for_each(|line| checker.line(line.as_bytes()));
        self.running = None;
        // Storm keeps no order.
        Ok(Check { out_of_order: 0, ..checker.finish() })
    }
}

const SPOUT: &str = "a1.sources = r1
a1.channels = c1
a1.sources.r1.type = avro
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = PORT
a1.sources.r1.channels = c1
a1.channels.c1.type = storm
";

const SINK: &str = "a1.sinks.k1.type = avro
a1.sinks.k1.hostname = 127.0.0.1
a1.sinks.k1.port = PORT
a1.sinks.k1.batch-size = BATCH
";

//! HDFS: one directory for each collector, in which its files follow each other by name.

use super::{Kind, Store};
use crate::{flume::fetched_program, node::Error, stores::Hdfs};

pub(super) const KIND: Kind = Kind {
    name: "hdfs",
    title: "HDFS",
    feature: Some("hdfs"),
    hosts: false,
    fetch: || {
        let fetched = fetched_program("hdfs", "Hdfs");
        fetched.map(drop).map_err(|why| Error::Missing(format!("HDFS cannot be run here: {why}")))
    },
    start: || Ok(Box::new(Hdfs::start(1, &[])?)),
};

impl Store for Hdfs {
    fn sink(&self) -> String {
        SINK.replace("URL", &self.url())
    }

    fn kill(&mut self) {
        Hdfs::kill(self);
    }

    fn start_again(&mut self) -> Result<(), Error> {
        Hdfs::start_again(self)
    }

    fn news(&mut self) -> Result<Vec<String>, Error> {
        // A file's name has no blank.
        let lines = self.ask(&format!("more {PLACE}"))?;
        Ok(lines.iter().filter_map(|line| line.split_once(' ')).map(|(_, line)| line.to_owned()).collect())
    }

    fn all(&mut self) -> Result<Vec<String>, Error> {
        let mut lines = Vec::new();
        for (_, bytes) in self.files(PLACE)?.0 {
            let text = String::from_utf8_lossy(&bytes);
            // A line without its end is of a batch that nobody has acknowledged.
            lines.extend(
                text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')).map(str::to_owned),
            );
        }
        Ok(lines)
    }

    fn unfinished(&mut self) -> Result<Vec<String>, Error> {
        let (files, open) = self.files(PLACE)?;
        let in_use = |name: &&String| name.ends_with(".tmp") || name.ends_with(".cut") || open.contains(name);
        Ok(files.keys().filter(in_use).cloned().collect())
    }
}

/// Below which the collectors write.
const PLACE: &str = "/lesson";

/// Files are rolled all ten seconds or 64 MB; what could not be completed is tried again soon.
const SINK: &str = "a1.sinks.k1.type = hdfs
a1.sinks.k1.hdfs.path = URL/lesson/%{Collector}
a1.sinks.k1.hdfs.filePrefix = log
a1.sinks.k1.hdfs.fileType = DataStream
a1.sinks.k1.hdfs.rollInterval = 10
a1.sinks.k1.hdfs.rollSize = 67108864
a1.sinks.k1.hdfs.rollCount = 0
a1.sinks.k1.hdfs.callTimeout = 8000
a1.sinks.k1.hdfs.retryInterval = 2
a1.sinks.k1.hdfs.stateDir = NODE_DIR/state
a1.sinks.k1.serializer = header_and_text
";

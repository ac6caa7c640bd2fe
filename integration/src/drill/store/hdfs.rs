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
        let files = self.files(PLACE)?.0;
        Ok(files.into_iter().flat_map(|(name, bytes)| lines(&name, &bytes)).collect())
    }

    fn unfinished(&mut self) -> Result<Vec<String>, Error> {
        let (files, open) = self.files(PLACE)?;
        let in_use = |name: &&String| name.ends_with(".tmp") || name.ends_with(".cut") || open.contains(name);
        Ok(files.keys().filter(in_use).cloned().collect())
    }
}

/// The lines of a file. What it ends with behind the last of them nobody has acknowledged, and a kill had to cut it off: it
/// stands there as a line that no collector has written.
fn lines(name: &str, bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let line = |line: &str| match line.strip_suffix('\n') {
        Some(whole) => whole.to_owned(),
        None => format!("the end of {name}, which is no whole line: {line}"),
    };
    text.split_inclusive('\n').map(line).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drill::store::parse;

    #[test]
    fn half_a_line_at_the_end_of_a_file_is_one_that_no_collector_has_written() {
        let whole = "{Collector=slave3.hanli.com} a\n";
        assert_eq!(lines("/f", whole.as_bytes()), ["{Collector=slave3.hanli.com} a"]);
        let found = lines("/f", format!("{whole}{{Collector=slave3.hanli.com}} b").as_bytes());
        assert_eq!(found[1], "the end of /f, which is no whole line: {Collector=slave3.hanli.com} b");
        assert_eq!(found.iter().map(|line| parse(line).is_some()).collect::<Vec<_>>(), [true, false]);
        assert!(lines("/f", b"").is_empty());
    }
}

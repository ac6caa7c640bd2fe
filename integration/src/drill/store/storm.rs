//! Storm: both collectors are spouts, each of a topology whose bolt writes down what it acknowledges.
//!
//! Each has its worker, in a cluster of its own, so that the one goes on when the other's ends: Storm ends a worker with its
//! spout. The drill starts it again, in the place of a supervisor.

use super::{Kind, Store};
use crate::{cluster::Wrap, lesson, node::Error, stores};
use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::Arc,
};
use tempfile::TempDir;

pub(super) const KIND: Kind = Kind {
    name: "storm",
    title: "Storm",
    feature: None,
    hosts: true,
    fetch: || stores::Storm::class_path().map(drop),
    start: || {
        let directory = tempfile::tempdir().map_err(Error::io("cannot make a temporary directory"))?;
        Ok(Box::new(Storm { class_path: stores::Storm::class_path()?, directory, read: [0; 2] }))
    },
};

/// What has the bolts' files.
struct Storm {
    class_path: String,
    directory: TempDir,
    /// How far each has been read.
    read: [u64; 2],
}

impl Storm {
    /// The lines of a collector's bolt from `place` on, and where they end.
    fn lines(&self, node: usize, place: u64) -> Result<(Vec<String>, u64), Error> {
        let path = file(self.directory.path(), lesson::COLLECTORS[node]);
        let text = text(&path, place).map_err(Error::io(format!("{}", path.display())))?;
        // What has no end yet is still being written.
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        Ok((text[..whole].lines().map(str::to_owned).collect(), place + whole as u64))
    }
}

impl Store for Storm {
    fn sink(&self) -> String {
        SPOUT.to_owned()
    }

    fn host(&self) -> Option<Wrap> {
        let (class_path, directory) = (self.class_path.clone(), self.directory.path().to_owned());
        Some(Arc::new(move |site, spout| {
            let file = file(&directory, &site.name);
            let mut java = stores::Storm::command(&site.directory, &class_path, &file);
            java.arg("events").arg(spout.get_program()).args(spout.get_args());
            spout.get_current_dir().map(|place| java.current_dir(place));
            java
        }))
    }

    /// Its workers are the collectors, and go with it.
    fn kill(&mut self) {}

    fn start_again(&mut self) -> Result<(), Error> {
        Ok(())
    }

    fn news(&mut self) -> Result<Vec<String>, Error> {
        let mut news = Vec::new();
        for node in 0..2 {
            let (lines, place) = self.lines(node, self.read[node])?;
            self.read[node] = place;
            news.extend(lines);
        }
        Ok(news)
    }

    fn all(&mut self) -> Result<Vec<String>, Error> {
        Ok([self.lines(0, 0)?.0, self.lines(1, 0)?.0].concat())
    }
}

/// What the bolt of a collector has acknowledged.
fn file(directory: &Path, collector: &str) -> PathBuf {
    directory.join(collector)
}

fn text(path: &Path, place: u64) -> std::io::Result<String> {
    if !path.exists() {
        return Ok(String::new());
    }
    let (mut file, mut text) = (File::open(path)?, Vec::new());
    file.seek(SeekFrom::Start(place))?;
    file.read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// How a collector is started as a spout.
pub(super) const WORD: &str = "storm-spout";

/// There is no sink. Who sends has its answer soon when the topology does not go on.
const SPOUT: &str = "a1.sinks =
a1.channels.c1.type = storm
a1.channels.c1.ackTimeout = 5
";

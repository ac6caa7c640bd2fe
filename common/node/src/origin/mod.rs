//! Where an agent's configuration comes from: its texts as they are now, and when another look at them is worth while.

mod away;
mod backup;
mod choice;
mod file;
mod uri;
mod watch;
mod zookeeper;

pub(crate) use away::Patience;
pub(crate) use backup::Backup;
pub(crate) use choice::{Central, Choice, ensemble, settings};
pub(crate) use file::Files;
pub(crate) use zookeeper::Node;

use plan::{Report, Text};
use runtime::clock::Duration;
use std::{future::Future, io, pin::Pin};
use tokio::runtime::{Builder, Runtime};

/// A place that configurations come from. It is asked on a thread of its own, in a runtime of tokio's: it may block, and
/// tasks that it starts run on.
pub(crate) trait Origin: Send {
    /// What its texts are called, in a message: paths, or `zookeeper:/flume/a1`.
    fn names(&self) -> Vec<String>;

    /// The texts as they are now, a later one winning key by key. What cannot be read is an error in `report`; then the
    /// rest does not count.
    fn read<'a>(&'a mut self, report: &'a mut Report) -> Waiting<'a, Vec<Text>>;

    /// Waits until another look is worth while: something has changed since the last `read`, or nobody can know. It may be
    /// dropped and called again at any time.
    fn changed(&mut self) -> Waiting<'_, ()>;

    /// What was read last is good, and runs.
    fn kept(&mut self) {}
}

/// A future of an [`Origin`].
pub(crate) type Waiting<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// What an origin gave.
#[derive(Debug, Default)]
pub(crate) struct Read {
    /// See [`Origin::names`].
    pub(crate) names: Vec<String>,
    /// Its texts, if `report` has no errors.
    pub(crate) texts: Vec<Text>,
    /// What could not be read.
    pub(crate) report: Report,
}

/// Between two looks at what is read once.
pub(crate) const NEVER: Duration = Duration::MAX;

/// An origin with the runtime that it lives in.
pub(crate) struct Texts {
    runtime: Runtime,
    origin: Box<dyn Origin>,
}

impl Texts {
    fn new(origin: Box<dyn Origin>) -> io::Result<Texts> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok(Texts { runtime, origin })
    }

    /// As they are now.
    pub(crate) fn read(&mut self) -> Read {
        let mut read = Read { names: self.origin.names(), ..Read::default() };
        read.texts = self.runtime.block_on(self.origin.read(&mut read.report));
        read
    }

    /// What was read last is good, and runs.
    pub(crate) fn kept(&mut self) {
        self.origin.kept();
    }
}

/// A text that is longer is no configuration, in bytes.
const MOST_BYTES: u64 = 4 << 20;

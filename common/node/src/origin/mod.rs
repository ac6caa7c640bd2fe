//! Where an agent's configuration comes from: its texts as they are now, and when another look at them is worth while.

mod file;

pub(crate) use file::Files;

use crate::load::Wanted;
use plan::{Report, Text};
use runtime::clock::Duration;
use std::{future::Future, io, path::PathBuf, pin::Pin};
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
    /// Those of the files that were named on the command line, looked at once in `every`.
    ///
    /// # Errors
    /// What is missing on the command line, for people.
    pub(crate) fn of_files(files: &[PathBuf], wanted: &Wanted, every: Duration) -> Result<Texts, String> {
        if files.is_empty() {
            return Err("no configuration: give a properties file with -f FILE".to_owned());
        }
        Texts::new(Box::new(Files::new(files.to_vec(), wanted.options(), every)))
            .map_err(|error| format!("the system gives no means to watch files: {error}"))
    }

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
}

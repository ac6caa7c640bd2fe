//! Hears of files that are put into the directories.

use super::policy::Names;
use runtime::files::watch::{Ear, NAMES, ReadFlags, WatchFlags};
use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What is watched, and what is still being written.
#[derive(Debug)]
pub(super) struct Arrivals {
    ear: Ear,
    watched: HashMap<i32, PathBuf>,
    /// Made while we watched, and not closed yet by who made them.
    writing: HashSet<PathBuf>,
    /// Not all is told.
    pub(super) is_deaf: bool,
}

impl Arrivals {
    /// And why nothing will be heard.
    pub(super) fn new() -> (Arrivals, Option<io::Error>) {
        let (ear, error) = Ear::new();
        let (watched, writing) = (HashMap::new(), HashSet::new());
        (Arrivals { ear, watched, writing, is_deaf: error.is_some() }, error)
    }

    /// Watches a directory; when that is done already, nothing changes.
    ///
    /// # Errors
    /// The operating system's.
    pub(super) fn watch(&mut self, directory: &Path) -> io::Result<()> {
        let watch = self.ear.watch(directory, EVENTS)?;
        self.watched.insert(watch, directory.to_owned());
        Ok(())
    }

    /// Waits until something has happened.
    pub(super) async fn ready(&self) {
        self.ear.ready().await;
    }

    /// Acts on what has happened. Answers whether there may be something new to read.
    pub(super) fn listen(&mut self, names: &Names) -> bool {
        let Arrivals { ear, watched, writing, .. } = self;
        let mut anything = false;
        ear.listen(|event| {
            if event.what.contains(ReadFlags::QUEUE_OVERFLOW) {
                writing.clear();
                anything = true;
            }
            let Some(directory) = watched.get(&event.watch) else { return };
            let name = OsStr::from_bytes(event.name);
            if event.what.contains(ReadFlags::IGNORED) {
                watched.remove(&event.watch);
                anything = true;
            } else if event.what.contains(ReadFlags::ISDIR) || event.name.is_empty() {
                anything = true;
            } else if names.is_read(name) {
                let path = directory.join(name);
                if event.what.contains(ReadFlags::CREATE) && is_made_to_be_written(&path) {
                    writing.insert(path);
                } else {
                    writing.remove(&path);
                    anything |= !event.what.intersects(ReadFlags::DELETE | ReadFlags::MOVED_FROM);
                }
            }
        });
        anything
    }

    /// Whether who made the file has not closed it yet, as far as was heard.
    pub(super) fn is_written(&self, path: &Path) -> bool {
        self.writing.contains(path)
    }
}

/// Whether a new name is one of a new file, and no link.
fn is_made_to_be_written(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|about| about.is_file() && about.nlink() == 1)
}

const EVENTS: WatchFlags = NAMES.union(WatchFlags::CLOSE_WRITE);

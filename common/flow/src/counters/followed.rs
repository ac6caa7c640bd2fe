//! The files that a source follows, and how far each has come.

use super::Counter;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The files of one source, by their inode.
#[derive(Debug, Default)]
pub struct Followed(Mutex<BTreeMap<u64, File>>);

#[derive(Debug, Clone)]
struct File {
    path: PathBuf,
    stored: Arc<Counter>,
}

impl Followed {
    /// The source follows this file from now on, or under another name than before. What it gives is to be set to the
    /// bytes whose events are stored.
    pub fn follow(&self, inode: u64, path: PathBuf) -> Arc<Counter> {
        let mut files = self.open();
        let stored = files.get(&inode).map(|file| file.stored.clone()).unwrap_or_default();
        files.insert(inode, File { path, stored: stored.clone() });
        stored
    }

    /// It follows it no more.
    pub fn leave(&self, inode: u64) {
        self.open().remove(&inode);
    }

    /// All: inode, path, and bytes that are stored.
    pub fn read(&self) -> Vec<(u64, PathBuf, u64)> {
        let files = self.open();
        files.iter().map(|(inode, file)| (*inode, file.path.clone(), file.stored.get())).collect()
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<u64, File>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renamed_file_goes_on_where_it_was() {
        let followed = Followed::default();
        followed.follow(7, "/a".into()).set(10);
        let renamed = followed.follow(7, "/a.1".into());
        assert_eq!((renamed.get(), followed.read()), (10, vec![(7, "/a.1".into(), 10)]));
        followed.leave(7);
        assert!(followed.read().is_empty());
    }
}

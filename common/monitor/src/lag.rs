//! How far sources are behind the files that they follow.

use flow::counters::{Registry, SourceEntry};
use std::fs;
use std::os::unix::fs::MetadataExt;

/// What of a file is not in a channel yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lag {
    pub(crate) source: String,
    pub(crate) path: String,
    pub(crate) bytes: u64,
}

/// Of all files, up to [`MOST_FILES`] for a source. Asks the file system, which may take its time.
pub(crate) fn lags(registry: &Registry) -> Vec<Lag> {
    registry.sources().iter().flat_map(of_source).collect()
}

fn of_source(source: &SourceEntry) -> Vec<Lag> {
    let files = source.counters.files.read().into_iter().take(MOST_FILES);
    let lag = |(inode, path, stored): (u64, std::path::PathBuf, u64)| {
        // One that was renamed or deleted is told of when its source knows its new name, or has read it to its end.
        let about = fs::metadata(&path).ok().filter(|about| about.ino() == inode)?;
        let bytes = about.len().saturating_sub(stored);
        Some(Lag { source: source.name.clone(), path: path.display().to_string(), bytes })
    };
    files.filter_map(lag).collect()
}

/// More files would make a page that nobody can read.
const MOST_FILES: usize = 1_000;

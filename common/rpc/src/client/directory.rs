//! Which files of a directory are to be sent, and how one that was is told from one that was not.

use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The files to send: not hidden, not sent before, not directories; the oldest first, those of equal age by name.
///
/// # Errors
/// When the directory cannot be read.
pub(super) fn waiting(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if !is_wanted(&entry.file_name()) {
            continue;
        }
        // One that was removed since is not there to be sent.
        if let Ok(metadata) = fs::metadata(entry.path())
            && metadata.is_file()
        {
            found.push((metadata.modified()?, entry.path()));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

fn is_wanted(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    !name.starts_with(b".") && !name.ends_with(SUFFIX.as_bytes())
}

/// What a file is called when all of it has arrived.
pub(super) fn completed(file: &Path) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(SUFFIX);
    PathBuf::from(name)
}

/// What changes when somebody writes to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    bytes: u64,
    modified: Option<SystemTime>,
}

impl Look {
    pub(super) fn of(metadata: &Metadata) -> Look {
        Look { bytes: metadata.len(), modified: metadata.modified().ok() }
    }
}

/// The spooling directory's default; Flume's client, by a slip, takes the name of the setting: `fileSuffix`.
const SUFFIX: &str = ".COMPLETED";

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_oldest_first_and_neither_hidden_nor_finished_ones() {
        let dir = tempfile::tempdir().unwrap();
        for (name, age) in [("b", 10), ("a", 10), ("old", 20), (".hidden", 30), ("done.COMPLETED", 30)] {
            let file = fs::File::create(dir.path().join(name)).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1000 - age)).unwrap();
        }
        fs::create_dir(dir.path().join("below")).unwrap();
        let names: Vec<_> =
            waiting(dir.path()).unwrap().iter().map(|path| path.file_name().unwrap().to_owned()).collect();
        assert_eq!(names, ["old", "a", "b"]);
        assert_eq!(completed(Path::new("x/a.log")), Path::new("x/a.log.COMPLETED"));
    }
}

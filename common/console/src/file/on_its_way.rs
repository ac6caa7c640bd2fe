//! A file that is being compressed, while it has no name that anybody counts on.

use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};
use std::{
    fs::{self, File},
    io::{self, ErrorKind},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Several programs may compress in one folder. Who writes such a file has it locked, and only who has it locked removes it or
/// gives it another name.
pub(super) struct OnItsWay {
    pub(super) file: File,
    path: PathBuf,
}

impl OnItsWay {
    /// Makes a new one.
    ///
    /// # Errors
    /// That another program has one there, or what the system said.
    pub(super) fn create(path: PathBuf) -> io::Result<OnItsWay> {
        let file = match File::create_new(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(anothers()),
            file => file?,
        };
        // Where a file system has no locks, nobody gets one, so that none is removed by others.
        if flock(&file, FlockOperation::NonBlockingLockExclusive) == Err(Errno::WOULDBLOCK) {
            return Err(anothers());
        }
        Ok(OnItsWay { file, path })
    }

    /// Removes what a program that died has left at `path`. Says whether it did: not when somebody writes it.
    pub(super) fn remove_if_left(path: &Path) -> bool {
        if !path.is_file() {
            return false; // to open a pipe might wait for ever
        }
        let Ok(file) = File::open(path) else { return false };
        flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok()
            && is_at(&file, path)
            && fs::remove_file(path).is_ok()
    }

    /// Gives it its name.
    ///
    /// # Errors
    /// That it is another's by now, or what the system said.
    pub(super) fn rename(&self, to: &Path) -> io::Result<()> {
        if !is_at(&self.file, &self.path) {
            return Err(anothers());
        }
        fs::rename(&self.path, to)
    }

    /// Removes it, if it is still its own.
    ///
    /// # Errors
    /// What the system said.
    pub(super) fn remove(&self) -> io::Result<()> {
        if is_at(&self.file, &self.path) { fs::remove_file(&self.path) } else { Ok(()) }
    }
}

/// Whether that is the file at `path`.
pub(super) fn is_at(file: &File, path: &Path) -> bool {
    let known = file.metadata().and_then(|own| Ok((own, fs::metadata(path)?)));
    known.is_ok_and(|(own, there)| (own.dev(), own.ino()) == (there.dev(), there.ino()))
}

fn anothers() -> io::Error {
    io::Error::new(ErrorKind::AlreadyExists, "another program is compressing in its place")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_somebody_writes_is_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let [path, other, end] = ["a", "b", "c"].map(|name| folder.path().join(name));
        let first = OnItsWay::create(path.clone()).unwrap();
        assert!(OnItsWay::create(path.clone()).is_err() && !OnItsWay::remove_if_left(&path));
        // A program that knows no locks puts another in its place.
        fs::write(&other, "half").unwrap();
        fs::rename(&other, &path).unwrap();
        assert!(first.rename(&end).is_err() && first.remove().is_ok());
        assert_eq!(fs::read_to_string(&path).unwrap(), "half");
        assert!(OnItsWay::remove_if_left(&path) && !path.exists());
        OnItsWay::create(path.clone()).unwrap().rename(&end).unwrap();
        assert!(end.exists() && !path.exists());
    }
}

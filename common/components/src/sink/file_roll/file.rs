//! A file that takes a whole delivery or nothing of it.

use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

/// A file that is open for writing. What was written since [`WholeFile::begin`] can be taken back.
///
/// Nothing is forced to the disk, as in Flume: what was written survives the end of this process, not that of the
/// machine.
#[derive(Debug)]
pub(super) struct WholeFile {
    file: File,
    path: PathBuf,
    begun: u64, // where the delivery begins
    end: u64,   // behind what was written of it
}

impl WholeFile {
    /// Makes the file.
    ///
    /// # Errors
    /// The system's; [`io::ErrorKind::AlreadyExists`] when there is anything of that name.
    pub(super) fn create(path: PathBuf) -> io::Result<WholeFile> {
        let file = File::options().write(true).create_new(true).open(&path)?;
        Ok(WholeFile { file, path, begun: 0, end: 0 })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A delivery begins where the file ends now: it may have been cut meanwhile, by hand or by a program that rotates
    /// logs. `false`: it has no name any more, and nobody would ever read what is written to it.
    pub(super) fn begin(&mut self) -> io::Result<bool> {
        let metadata = self.file.metadata()?;
        self.begun = metadata.len();
        self.end = self.begun;
        Ok(metadata.nlink() > 0)
    }

    /// Whether there is nothing in it, not even of this delivery.
    pub(super) fn is_empty(&self) -> bool {
        self.end == 0
    }

    /// Writes all of `bytes` behind what was written before.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, self.end)?;
        self.end += bytes.len() as u64;
        Ok(())
    }

    /// Takes back what was written since the delivery began, whole writes and parts of them.
    pub(super) fn take_back(&mut self) -> io::Result<()> {
        self.end = self.begun;
        self.file.set_len(self.begun)
    }

    /// Finds out whether the disk has room for `bytes` more, by reserving it, without a change that a reader could see.
    pub(super) fn reserve(&self, bytes: u64) -> io::Result<()> {
        // Reserving looks at the disk, not at this.
        if getrlimit(Resource::Fsize).current.is_some_and(|limit| self.end + bytes > limit) {
            return Err(Errno::FBIG.into());
        }
        match fallocate(&self.file, FallocateFlags::KEEP_SIZE, self.end, bytes.max(1)) {
            // What cannot be found out this way is found out by writing.
            Err(error) if !matches!(error, Errno::NOSPC | Errno::DQUOT | Errno::FBIG | Errno::IO) => Ok(()),
            answer => Ok(answer?),
        }
    }

    /// As if made of `file`, for tests.
    #[cfg(test)]
    pub(super) fn of(file: File, path: PathBuf) -> WholeFile {
        WholeFile { file, path, begun: 0, end: 0 }
    }
}

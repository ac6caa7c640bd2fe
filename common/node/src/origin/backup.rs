//! `--backup-directory`: the last text that was good, for a start while its place is away.

use runtime::files;
use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// The file `DIR/.NAME.properties`, as Flume calls it. What is kept is the text as it came: Flume puts the values of
/// variables into it.
#[derive(Debug, Clone)]
pub(crate) struct Backup(PathBuf);

impl Backup {
    pub(crate) fn new(directory: &Path, agent: &str) -> Backup {
        Backup(directory.join(format!(".{agent}.properties")))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// What was kept, if anything was and it can be read.
    pub(super) fn read(&self, log: &slog::Logger) -> Option<Vec<u8>> {
        match plan::input::read(&self.0, super::MOST_BYTES, PATIENCE_SECONDS, &|_| {}) {
            Ok(bytes) if !bytes.is_empty() => Some(bytes),
            Ok(_) => None,
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                slog::warn!(log, "the backup {} cannot be read: {error}", self.0.display());
                None
            }
        }
    }

    /// Keeps `bytes`, for nobody else to read: there may be passwords in them. That it cannot is told and stops nothing.
    pub(super) fn keep(&self, bytes: &[u8], log: &slog::Logger) {
        if let Err(error) = self.write(bytes) {
            slog::warn!(
                log,
                "the backup {} is not written: {error}; a start while the configuration's place is away will find the older one, or none",
                self.0.display()
            );
        }
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        if fs::read(&self.0).is_ok_and(|old| old == bytes) {
            return Ok(());
        }
        if let Some(directory) = self.0.parent() {
            fs::create_dir_all(directory)?;
        }
        let own = |file: &fs::File| file.set_permissions(Permissions::from_mode(0o600));
        files::replace(&self.0, bytes, own).map(|_| ())
    }
}

/// A pipe in place of a backup may be silent for so long.
const PATIENCE_SECONDS: u32 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_text_is_kept_for_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let log = flow::testing::silent();
        let backup = Backup::new(&directory.path().join("a/b"), "a1");
        assert_eq!(backup.read(&log), None);
        for text in ["one", "two"] {
            backup.keep(text.as_bytes(), &log);
            assert_eq!(backup.read(&log).as_deref(), Some(text.as_bytes()));
        }
        let path = directory.path().join("a/b/.a1.properties");
        assert_eq!((backup.path(), fs::metadata(&path).unwrap().mode() & 0o777), (path.as_path(), 0o600));
    }

    use std::os::unix::fs::MetadataExt;
}

//! Lists what there is to read.

use super::config::{Config, Finish};
use super::policy::{Candidate, Identity, Stamp};
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// What a scan found.
#[derive(Debug, Default)]
pub(super) struct Scanned {
    pub(super) files: Vec<Candidate>,
    /// All directories that were searched.
    pub(super) directories: Vec<PathBuf>,
    /// What has the name of a file to be read and is none, and why.
    pub(super) others: Vec<(PathBuf, &'static str)>,
    /// What could not be looked at.
    pub(super) faults: Vec<(PathBuf, io::Error)>,
}

/// Looks into the directory, and those below it if that is wanted.
pub(super) fn scan(config: &Config) -> Scanned {
    let (mut scanned, mut left) = (Scanned::default(), vec![config.directory.clone()]);
    while let Some(directory) = left.pop() {
        if let Err(error) = scan_one(config, &directory, &mut left, &mut scanned) {
            scanned.faults.push((directory.clone(), error));
        }
        scanned.directories.push(directory);
    }
    scanned
}

fn scan_one(
    config: &Config,
    directory: &Path,
    left: &mut Vec<PathBuf>,
    scanned: &mut Scanned,
) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let (name, path) = (entry.file_name(), directory.join(entry.file_name()));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            if config.recursive && config.names.is_searched(&name) {
                left.push(path);
            }
            continue;
        }
        let is_finished = || config.finish == Finish::Mark && config.marker(&path).exists();
        if !config.names.is_read(&name) || is_finished() {
            continue;
        }
        // A link stands for what it leads to, as in Flume.
        match fs::metadata(&path) {
            Ok(about) if about.is_file() => scanned.files.push(candidate(path, &about)),
            Ok(about) => scanned.others.push((path, plan::input::name_of(about.file_type()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !kind.is_symlink() => {} // gone meanwhile
            Err(error) => scanned.faults.push((path, error)),
        }
    }
    Ok(())
}

pub(super) fn candidate(path: PathBuf, about: &Metadata) -> Candidate {
    let born = about.created().ok().and_then(|born| born.duration_since(UNIX_EPOCH).ok());
    let born = born.and_then(|born| i128::try_from(born.as_nanos()).ok());
    let id = Identity { device: about.dev(), inode: about.ino(), born };
    Candidate { path, id, stamp: stamp(about) }
}

fn stamp(about: &Metadata) -> Stamp {
    let modified = i128::from(about.mtime()) * 1_000_000_000 + i128::from(about.mtime_nsec());
    Stamp { size: about.size(), modified }
}

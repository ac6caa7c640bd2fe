//! A file was read to its end: it is renamed, deleted, or marked.

use super::config::{Config, Finish, with_suffix};
use super::policy::Candidate;
use super::scan::candidate;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

/// How that went.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Finished {
    Done,
    /// Somebody has taken the file away.
    Gone,
    /// Somebody has put another file in its place.
    Replaced,
}

/// Why a file is not finished, in words.
#[derive(Debug)]
pub(super) struct Unfinished {
    pub(super) why: String,
    /// It is as it was: only its end cannot be told yet.
    pub(super) is_read: bool,
}

/// Says of a file that it is finished, unless it has changed since it was `read`.
pub(super) fn finish(config: &Config, read: &Candidate) -> Result<Finished, Unfinished> {
    let is_read = |why| Unfinished { why, is_read: true };
    let path = &read.path;
    let now = match fs::metadata(path) {
        Ok(about) => candidate(path.clone(), &about),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Finished::Gone),
        Err(error) => return Err(is_read(format!("it cannot be looked at any more: {error}"))),
    };
    if now.id != read.id {
        return Ok(Finished::Replaced);
    }
    if now.stamp != read.stamp {
        return Err(Unfinished { why: changed(read, &now), is_read: false });
    }
    match config.finish {
        Finish::Rename => rename(path, &with_suffix(path, &config.names.suffix)),
        Finish::Mark => mark(&config.marker(path)),
        Finish::Delete => fs::remove_file(path)
            .map_err(|error| format!("all of it is sent, and it cannot be deleted: {error}")),
    }
    .map(|()| Finished::Done)
    .map_err(is_read)
}

/// What a file was and is, in words.
pub(super) fn changed(read: &Candidate, now: &Candidate) -> String {
    let (before, after) = (read.stamp.size, now.stamp.size);
    let how = match before == after {
        true => format!("it has {after} bytes as before, and was written to"),
        false => format!("it had {before} bytes and has {after}"),
    };
    format!("it was changed while it was read: {how}; files must be whole when they are put there")
}

fn rename(path: &Path, target: &Path) -> Result<(), String> {
    let renamed = match renameat_with(CWD, path, CWD, target, RenameFlags::NOREPLACE) {
        // A file system that cannot do that at once.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => match fs::symlink_metadata(target) {
            Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
            Err(_) => fs::rename(path, target),
        },
        renamed => renamed.map_err(io::Error::from),
    };
    renamed.map_err(|error| unfinished("renamed to", target, &error))
}

fn mark(marker: &Path) -> Result<(), String> {
    let made = marker.parent().map_or(Ok(()), fs::create_dir_all);
    let made = made.and_then(|()| OpenOptions::new().write(true).create_new(true).open(marker));
    made.map(drop).map_err(|error| unfinished("marked by", marker, &error))
}

fn unfinished(how: &str, target: &Path, error: &io::Error) -> String {
    let target = target.display();
    match error.kind() {
        io::ErrorKind::AlreadyExists => {
            format!("all of it is sent, and its name was used before: {target} is there already")
        }
        _ => format!("all of it is sent, and it cannot be {how} {target}: {error}"),
    }
}

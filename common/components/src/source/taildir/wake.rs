//! Being woken by the file system.
//!
//! A hint, never the truth: what it tells of is looked at at once, what it does not tell a scan finds a little later.
//! It watches directories, however many files are in them, and single files only where a directory says nothing of
//! them: behind symbolic links, and those that were renamed away while they are read.

use super::tail::FileId;
use runtime::files::watch::{Ear, Event, NAMES, ReadFlags, WatchFlags};
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard<'a> {
    /// A file in a directory was written to.
    Written { directory: usize, name: &'a OsStr },
    /// A name in a directory now stands for something else, or for nothing.
    Renamed { directory: usize, name: &'a OsStr, cookie: u32 },
    /// A file that is watched itself was written to.
    FileWritten(FileId),
    /// It was renamed or deleted.
    FileRenamed(FileId),
    /// So much happened that some of it was not told, or a directory is not what it was: look at everything.
    LookAtAll,
}

/// What was heard, without what it was heard in.
#[derive(Debug)]
pub(super) enum News {
    Written(FileId),
    Renamed { directory: usize, name: OsString, cookie: u32 },
    FileRenamed(FileId),
    LookAtAll,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Watched {
    Directory(usize),
    File(FileId),
}

/// What is watched, and the ear.
#[derive(Debug)]
pub(super) struct Wake {
    ear: Ear,
    watches: HashMap<i32, Watched>,
}

impl Wake {
    /// An ear, or why there is none; without one, scans must do.
    pub(super) fn new() -> (Wake, Option<io::Error>) {
        let (ear, error) = Ear::new();
        (Wake { ear, watches: HashMap::new() }, error)
    }

    /// Watches a directory; when that is done already, nothing changes.
    ///
    /// # Errors
    /// The operating system's; with too many watches, [`io::ErrorKind::StorageFull`].
    pub(super) fn watch_directory(&mut self, directory: usize, path: &Path) -> io::Result<()> {
        self.watch(Watched::Directory(directory), path, DIRECTORY_EVENTS)
    }

    /// Watches what is behind a symbolic link.
    ///
    /// # Errors
    /// As [`Wake::watch_directory`].
    pub(super) fn watch_path(&mut self, id: FileId, path: &Path) -> io::Result<()> {
        self.watch(Watched::File(id), path, FILE_EVENTS)
    }

    /// Watches an open file, whatever it is called now. Its watch ends when it is deleted, or with [`Wake::forget`].
    ///
    /// # Errors
    /// As [`Wake::watch_directory`].
    pub(super) fn watch_open(&mut self, id: FileId, file: &File) -> io::Result<()> {
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        self.watch(Watched::File(id), Path::new(&path), FILE_EVENTS)
    }

    fn watch(&mut self, what: Watched, path: &Path, events: WatchFlags) -> io::Result<()> {
        let watch = self.ear.watch(path, events)?;
        self.watches.insert(watch, what);
        Ok(())
    }

    /// Watches the file no longer, if it ever did.
    pub(super) fn forget(&mut self, id: FileId) {
        let Wake { ear, watches } = self;
        watches.retain(|watch, what| {
            let keep = *what != Watched::File(id);
            if !keep {
                ear.forget(*watch);
            }
            keep
        });
    }

    /// Waits until something has happened.
    pub(super) async fn ready(&self) {
        self.ear.ready().await;
    }

    /// Tells of what has happened, up to some thousand things; the rest with the next call.
    pub(super) fn listen(&mut self, mut tell: impl FnMut(Heard<'_>)) {
        let Wake { ear, watches } = self;
        ear.listen(|event| {
            if let Some(heard) = understand(watches, &event) {
                tell(heard);
            }
        });
    }
}

fn understand<'a>(watches: &mut HashMap<i32, Watched>, event: &Event<'a>) -> Option<Heard<'a>> {
    let what = event.what;
    if what.contains(ReadFlags::QUEUE_OVERFLOW) {
        return Some(Heard::LookAtAll);
    }
    let watched = *watches.get(&event.watch)?;
    if what.contains(ReadFlags::IGNORED) {
        watches.remove(&event.watch);
    }
    match watched {
        Watched::File(id) if what.contains(ReadFlags::MODIFY) => Some(Heard::FileWritten(id)),
        Watched::File(id) => Some(Heard::FileRenamed(id)),
        Watched::Directory(_) if event.name.is_empty() => Some(Heard::LookAtAll),
        Watched::Directory(directory) => {
            let name = OsStr::from_bytes(event.name);
            Some(if what.contains(ReadFlags::MODIFY) {
                Heard::Written { directory, name }
            } else {
                Heard::Renamed { directory, name, cookie: event.cookie }
            })
        }
    }
}

const DIRECTORY_EVENTS: WatchFlags = NAMES.union(WatchFlags::MODIFY);
/// A change of attributes tells of a name less: a file that is open is not deleted yet.
const FILE_EVENTS: WatchFlags =
    WatchFlags::MODIFY.union(WatchFlags::MOVE_SELF).union(WatchFlags::DELETE_SELF).union(WatchFlags::ATTRIB);

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::within::Within;
    use std::fs;
    use std::io::Write;

    async fn next(wake: &mut Wake) -> Vec<String> {
        wake.ready().within("a change in the directory").await;
        let mut heard = Vec::new();
        wake.listen(|what| heard.push(format!("{what:?}")));
        heard
    }

    #[tokio::test]
    async fn tells_of_writing_and_of_names() {
        let directory = tempfile::tempdir().unwrap();
        let (mut wake, error) = Wake::new();
        assert!(error.is_none());
        wake.watch_directory(3, directory.path()).unwrap();
        let path = directory.path().join("a");
        let mut file = File::create(&path).unwrap();
        assert_eq!(next(&mut wake).await, [r#"Renamed { directory: 3, name: "a", cookie: 0 }"#]);
        file.write_all(b"x").unwrap();
        assert_eq!(next(&mut wake).await, [r#"Written { directory: 3, name: "a" }"#]);
        fs::rename(&path, directory.path().join("b")).unwrap();
        assert_eq!(next(&mut wake).await.len(), 2);
        drop(file); // as long as it is open its directory is not gone
        fs::remove_dir_all(directory.path()).unwrap();
        while !wake.watches.is_empty() {
            assert!(next(&mut wake).await.iter().all(|what| what.contains('b') || what == "LookAtAll"));
        }
    }

    #[tokio::test]
    async fn a_file_that_is_watched_itself_is_heard_under_any_name() {
        let directory = tempfile::tempdir().unwrap();
        let (mut wake, _) = Wake::new();
        let path = directory.path().join("a");
        let mut file = File::create(&path).unwrap();
        let id = FileId { device: 1, inode: 2, born: None };
        wake.watch_open(id, &file).unwrap();
        fs::rename(&path, directory.path().join("b")).unwrap();
        file.write_all(b"x").unwrap();
        assert_eq!(next(&mut wake).await, [format!("FileRenamed({id:?})"), format!("FileWritten({id:?})")]);
        wake.forget(id);
        assert!(wake.watches.is_empty());
    }
}

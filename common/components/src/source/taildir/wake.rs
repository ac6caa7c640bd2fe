//! Being woken by the file system.
//!
//! A hint, never the truth: what it tells of is looked at at once, what it does not tell a scan finds a little later.
//! It watches directories, however many files are in them, and single files only where a directory says nothing of
//! them: behind symbolic links, and those that were renamed away while they are read.

use super::tail::FileId;
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use tokio::net::unix::pipe;

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
    /// To tokio it is a pipe's end: something that becomes readable.
    ear: Option<pipe::Receiver>,
    watches: HashMap<i32, Watched>,
    buffer: Vec<u8>,
}

impl Wake {
    /// An ear, or why there is none; without one, scans must do.
    pub(super) fn new() -> (Wake, Option<io::Error>) {
        let opened = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC);
        let (ear, error) =
            match opened.map_err(io::Error::from).and_then(pipe::Receiver::from_owned_fd_unchecked) {
                Ok(ear) => (Some(ear), None),
                Err(error) => (None, Some(error)),
            };
        (Wake { ear, watches: HashMap::new(), buffer: vec![0; BUFFER_BYTES] }, error)
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
        let ear = self.ear.as_ref().ok_or(io::ErrorKind::Unsupported)?;
        let watch = inotify::add_watch(ear, path, events)?;
        self.watches.insert(watch, what);
        Ok(())
    }

    /// Watches the file no longer, if it ever did.
    pub(super) fn forget(&mut self, id: FileId) {
        let Some(ear) = &self.ear else { return };
        self.watches.retain(|watch, what| {
            let keep = *what != Watched::File(id);
            if !keep {
                let _ended_by_itself = inotify::remove_watch(ear, *watch);
            }
            keep
        });
    }

    /// Waits until something has happened.
    pub(super) async fn ready(&self) {
        let failed = match &self.ear {
            Some(ear) => ear.readable().await.is_err(),
            None => true,
        };
        if failed {
            std::future::pending::<()>().await;
        }
    }

    /// Tells of what has happened, up to some thousand things; the rest with the next call.
    pub(super) fn listen(&mut self, mut tell: impl FnMut(Heard<'_>)) {
        let Some(ear) = &self.ear else { return };
        for _ in 0..MOST_READS {
            // Asked first without tokio, which may not have noticed yet; then through it, so that it waits again.
            let read = rustix::io::read(ear, &mut self.buffer[..]).map_err(io::Error::from);
            let Ok(read) = read.or_else(|_| ear.try_read(&mut self.buffer)) else { return };
            let mut rest = &self.buffer[..read];
            while let Some(event) = Event::split_off(&mut rest) {
                if let Some(heard) = understand(&mut self.watches, &event) {
                    tell(heard);
                }
            }
        }
    }
}

/// One `struct inotify_event`, see inotify(7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Event<'a> {
    watch: i32,
    what: ReadFlags,
    cookie: u32,
    /// Empty when it is about what is watched itself.
    name: &'a [u8],
}

impl<'a> Event<'a> {
    /// Takes the first event off `bytes`; `None` when they hold no whole one.
    fn split_off(bytes: &mut &'a [u8]) -> Option<Event<'a>> {
        let (head, rest) = bytes.split_at_checked(4 * size_of::<u32>())?;
        let word = |at: usize| u32::from_ne_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let (name, rest) = rest.split_at_checked(usize::try_from(word(12)).ok()?)?;
        *bytes = rest;
        let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
        let what = ReadFlags::from_bits_retain(word(4));
        Some(Event { watch: word(0).cast_signed(), what, cookie: word(8), name: &name[..end] })
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

const DIRECTORY_EVENTS: WatchFlags = WatchFlags::MODIFY
    .union(WatchFlags::CREATE)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::ONLYDIR);
/// A change of attributes tells of a name less: a file that is open is not deleted yet.
const FILE_EVENTS: WatchFlags =
    WatchFlags::MODIFY.union(WatchFlags::MOVE_SELF).union(WatchFlags::DELETE_SELF).union(WatchFlags::ATTRIB);
/// Room for some hundred events; the largest takes 272 bytes.
const BUFFER_BYTES: usize = 16 << 10;
/// Of that buffer in one go, so that nobody waits long for his turn.
const MOST_READS: usize = 16;

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

    #[test]
    fn half_an_event_is_none() {
        let mut bytes = Vec::new();
        for word in [7u32, ReadFlags::MODIFY.bits(), 9, 4] {
            bytes.extend_from_slice(&word.to_ne_bytes());
        }
        bytes.extend_from_slice(b"a\0\0\0");
        for cut in 0..bytes.len() {
            assert_eq!(Event::split_off(&mut &bytes[..cut]), None);
        }
        let event = Event { watch: 7, what: ReadFlags::MODIFY, cookie: 9, name: b"a" };
        assert_eq!(Event::split_off(&mut &bytes[..]), Some(event));
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

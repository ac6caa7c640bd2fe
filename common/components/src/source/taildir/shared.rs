//! Who may write a position file: one process at a time, and in it all sources that name the file, together.
//!
//! The lock is the kernel's and on the file itself, so none is left behind by a process that was killed. A new file is
//! locked before it takes the old one's place; whoever locks an old one that was replaced meanwhile tries again.

use super::position::{self, Entry, EntryRef, Positions};
use plan::input;
use runtime::files::whole::{create, sweep};
use runtime::files::{self, Written};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// The position files of an agent: those in use, and how many sources are to use each.
#[derive(Debug, Default)]
pub(crate) struct PositionFiles {
    expected: Mutex<HashMap<PathBuf, usize>>,
    used: Mutex<Vec<Weak<PositionFile>>>,
}

/// A position file that this process holds.
#[derive(Debug)]
struct PositionFile {
    path: PathBuf,
    /// Where it is; `None` while its directory cannot be looked at.
    place: Option<PathBuf>,
    sharers: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The file, locked.
    held: Option<File>,
    /// What the file said, and what sources that have ended meanwhile have said; until all sources have spoken.
    left: Vec<Entry>,
    written: Option<i64>,
    fault: Option<String>,
    /// What each source says now, in the form of the file; nothing before it has read anything.
    parts: BTreeMap<u64, Option<Vec<u8>>>,
    joined: u64,
}

/// A source's part of a position file.
#[derive(Debug)]
pub(super) struct Share {
    file: Arc<PositionFile>,
    number: u64,
}

/// What came of an attempt to use a position file.
pub(super) enum Claim {
    Ours(Share, Positions),
    /// Another process has it; its id, where that is known.
    Taken(Option<u32>),
    /// Who had it in this process has not let go of it yet.
    Soon,
}

impl PositionFiles {
    /// One source more will use the file at `path`.
    pub(crate) fn expect(&self, path: &Path) {
        *lock(&self.expected).entry(path.to_owned()).or_default() += 1;
    }

    /// Takes the file at `path` for a source, alone or with those of this process that have it.
    pub(super) fn claim(&self, path: &Path) -> Claim {
        let place = files::resolve(path).ok();
        let mut used = lock(&self.used);
        used.retain(|file| file.strong_count() > 0);
        let is_it = |file: &Arc<PositionFile>| file.path == path || (place.is_some() && file.place == place);
        if let Some(file) = used.iter().filter_map(Weak::upgrade).find(is_it) {
            return file.join();
        }
        let mut state = State::default();
        match place.as_deref().map_or_else(|| Err(io::ErrorKind::NotFound.into()), take) {
            Ok(Taken::Held(file)) => state.read(&file),
            Ok(Taken::Made(file)) => state.held = Some(file),
            Ok(Taken::Busy(by)) => return Claim::Taken(by),
            Ok(Taken::Nothing) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => state.fault = Some(error.to_string()),
        }
        let sharers = self.sharers(path, place.as_deref());
        let file = Arc::new(PositionFile { path: path.to_owned(), place, sharers, state: Mutex::new(state) });
        used.push(Arc::downgrade(&file));
        file.join()
    }

    fn sharers(&self, path: &Path, place: Option<&Path>) -> usize {
        let expected = lock(&self.expected);
        let same = |other: &Path| {
            other == path || (place.is_some() && files::resolve(other).ok().as_deref() == place)
        };
        expected.iter().filter(|(other, _)| same(other)).map(|(_, count)| count).sum()
    }
}

impl PositionFile {
    fn join(self: Arc<Self>) -> Claim {
        let mut state = lock(&self.state);
        if state.parts.len() >= self.sharers.max(1) {
            return Claim::Soon;
        }
        state.joined += 1;
        let number = state.joined;
        state.parts.insert(number, None);
        let positions = Positions {
            entries: state.left.clone(),
            written: state.written,
            fault: state.fault.take(), // told once
        };
        drop(state);
        Claim::Ours(Share { file: self, number }, positions)
    }
}

impl State {
    fn read(&mut self, file: &File) {
        let Positions { entries, written, fault } = position::read(file);
        (self.left, self.written, self.fault) = (entries, written, fault);
        self.held = file.try_clone().ok();
    }

    /// All parts together. What no source has spoken for yet stays as it was.
    fn merged(&mut self, sharers: usize) -> io::Result<Vec<u8>> {
        let spoken: Vec<&Vec<u8>> = self.parts.values().flatten().collect();
        let all_have = self.parts.len() == spoken.len() && spoken.len() >= sharers;
        if let ([only], true) = (&spoken[..], all_have) {
            let only = (*only).clone();
            self.left.clear();
            return Ok(only);
        }
        // Two sources may follow one file: the lower position loses nothing.
        let mut entries: BTreeMap<(u64, String), u64> = BTreeMap::new();
        for Entry { inode, pos, file } in spoken.iter().flat_map(|part| position::decode(part).0) {
            let lowest = entries.entry((inode, file)).or_insert(pos);
            *lowest = pos.min(*lowest);
        }
        if all_have {
            self.left.clear();
        }
        let known =
            |inode| entries.range((inode, String::new())..).next().is_some_and(|((n, _), _)| *n == inode);
        let left = self.left.iter().filter(|entry| !known(entry.inode)).cloned().collect::<Vec<_>>();
        let left =
            left.iter().map(|entry| EntryRef { inode: entry.inode, pos: entry.pos, file: &entry.file });
        let spoken = entries.iter().map(|((inode, file), pos)| EntryRef { inode: *inode, pos: *pos, file });
        position::encode(spoken.chain(left))
    }
}

impl Share {
    /// Whether other sources of this agent write to the same file.
    pub(super) fn is_shared(&self) -> bool {
        self.file.sharers > 1
    }

    /// Replaces the file by what all its sources say; `text` is this one's part.
    ///
    /// # Errors
    /// The operating system's.
    pub(super) fn save(&self, text: Vec<u8>) -> io::Result<Written> {
        let mut state = lock(&self.file.state);
        state.parts.insert(self.number, Some(text));
        let merged = state.merged(self.file.sharers)?;
        let written = files::replace(&self.file.path, &merged, |file| {
            // Who cannot lock here could not before either.
            let _no_locks_here = flock(file, FlockOperation::NonBlockingLockExclusive);
            Ok(())
        })?;
        if let Written::Whole(file) = &written {
            state.held = file.try_clone().ok();
            state.written = position::written(file);
        }
        Ok(written)
    }
}

impl Drop for Share {
    /// Its successor, if there is one, goes on where it was.
    fn drop(&mut self) {
        let mut state = lock(&self.file.state);
        if let Some(Some(text)) = state.parts.remove(&self.number) {
            let entries = position::decode(&text).0;
            state.left.retain(|old| !entries.iter().any(|entry| entry.inode == old.inode));
            state.left.extend(entries);
        }
    }
}

enum Taken {
    /// It is ours, or its file system has no locks.
    Held(File),
    /// Likewise, and there was none.
    Made(File),
    Busy(Option<u32>),
    /// It keeps nothing: a device.
    Nothing,
}

/// Locks the file at `path`, which means no link; makes it if need be.
fn take(path: &Path) -> io::Result<Taken> {
    for _ in 0..TRIES {
        let file = match open(path) {
            Ok(Some(file)) => file,
            Ok(None) => return Ok(Taken::Nothing),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let lock = |file: &File| flock(file, FlockOperation::NonBlockingLockExclusive).or(Ok(()));
                match create(path, b"[]", lock) {
                    Ok(Some(file)) => {
                        sweep(path);
                        return Ok(Taken::Made(file));
                    }
                    Ok(None) => continue,
                    Err(_) => return Ok(Taken::Nothing), // writing it will say why
                }
            }
            Err(error) => return Err(error),
        };
        // What another error says is that there are no locks here.
        if let Err(Errno::WOULDBLOCK) = flock(&file, FlockOperation::NonBlockingLockExclusive) {
            return Ok(Taken::Busy(files::holder(&file)));
        }
        let is_still_there = fs::metadata(path).and_then(|now| Ok(files::is_same(&now, &file.metadata()?)));
        if is_still_there.unwrap_or(false) {
            sweep(path);
            return Ok(Taken::Held(file));
        }
    }
    Ok(Taken::Busy(None)) // it is being replaced all the time
}

/// A regular file; `None` for a device, which has nothing to say.
fn open(path: &Path) -> io::Result<Option<File>> {
    if fs::metadata(path)?.file_type().is_char_device() {
        return Ok(None);
    }
    let file = input::open(path)?;
    files::refuse_unless_regular(file.metadata()?.file_type())?;
    Ok(Some(file))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How often a file may be replaced while it is taken.
const TRIES: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(claim: Claim) -> (Share, Vec<u64>) {
        match claim {
            Claim::Ours(share, positions) => {
                assert_eq!(positions.fault, None);
                (share, positions.entries.iter().map(|entry| entry.inode).collect())
            }
            Claim::Taken(_) | Claim::Soon => panic!("it is not free"),
        }
    }

    fn part(inodes: &[u64]) -> Vec<u8> {
        let files: Vec<String> = inodes.iter().map(|inode| format!("/{inode}")).collect();
        let entries = inodes.iter().zip(&files).map(|(inode, file)| EntryRef { inode: *inode, pos: 5, file });
        position::encode(entries).unwrap()
    }

    fn on_disk(path: &Path) -> Vec<u64> {
        position::decode(&fs::read(path).unwrap()).0.iter().map(|entry| entry.inode).collect()
    }

    #[test]
    fn sources_of_one_process_share_a_file_and_none_loses_what_is_the_others() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("p.json");
        fs::write(&path, part(&[1, 2])).unwrap();
        let files = PositionFiles::default();
        [&path, &path].iter().for_each(|path| files.expect(path));
        let (first, known) = ours(files.claim(&path));
        assert_eq!(known, [1, 2]);
        first.save(part(&[1])).unwrap();
        assert_eq!(on_disk(&path), [1, 2], "nobody has spoken for 2 yet");
        let (second, known) = ours(files.claim(&path));
        assert_eq!(known, [1, 2]);
        second.save(part(&[3])).unwrap();
        assert_eq!(on_disk(&path), [1, 3], "all have spoken");
        drop(first);
        second.save(part(&[3, 4])).unwrap();
        assert_eq!(on_disk(&path), [3, 4, 1], "its successor has not spoken yet");
        let (_first, known) = ours(files.claim(&path));
        assert_eq!(known, [1]);
    }

    #[test]
    fn another_process_is_kept_out_through_replacements_and_links_and_let_in_at_the_end() {
        let directory = tempfile::tempdir().unwrap();
        let (path, link) = (directory.path().join("p.json"), directory.path().join("link"));
        std::os::unix::fs::symlink("p.json", &link).unwrap();
        // A lock of another process is one of another open file: what a second agent would see.
        let (here, there) = (PositionFiles::default(), PositionFiles::default());
        let (share, _) = ours(here.claim(&path));
        for round in 0..3 {
            for path in [&path, &link] {
                let Claim::Taken(by) = there.claim(path) else { panic!("two have {path:?}, round {round}") };
                assert_eq!(by, Some(std::process::id()));
            }
            share.save(part(&[round])).unwrap();
        }
        drop(share);
        let (_share, known) = ours(there.claim(&link));
        assert_eq!(known, [2]);
    }

    #[test]
    fn a_file_that_is_not_there_is_made_and_a_device_has_nothing_to_say() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("p.json");
        let files = PositionFiles::default();
        let (share, known) = ours(files.claim(&path));
        assert!(known.is_empty());
        assert_eq!(fs::read_to_string(&path).unwrap(), "[]");
        share.save(part(&[1])).unwrap();
        assert_eq!(on_disk(&path), [1]);
        let (share, _) = ours(files.claim(Path::new("/dev/null")));
        assert!(matches!(share.save(part(&[1])).unwrap(), Written::ToDevice));
    }

    #[test]
    fn what_is_no_file_is_named_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let fifo = directory.path().join("fifo");
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        let Claim::Ours(share, positions) = PositionFiles::default().claim(&fifo) else { panic!("taken") };
        assert_eq!(positions.fault.as_deref(), Some("it is a pipe (FIFO), not a regular file"));
        assert!(share.save(part(&[1])).unwrap_err().to_string().contains("it is a pipe"));
    }
}

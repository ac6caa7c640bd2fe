//! Which files there are, under which names: what scans and the file system tell, brought together.
//!
//! A name is asked about again whenever something is heard of it; what was heard is never taken for how it is now.

use super::config::TailDirConfig;
use super::known::Known;
use super::own::Own;
use super::policy::{self, Start};
use super::position::{EntryRef, Positions};
use super::scan::{Directory, Unmatched};
use super::tail::{Facts, FileId, Spot, Tail};
use super::wake::{News, Wake};
use flow::counters::SourceCounters;
use runtime::clock::{self, Instant};
use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

/// All followed files.
pub(super) struct Catalog {
    pub(super) config: Arc<TailDirConfig>,
    pub(super) log: slog::Logger,
    pub(super) counters: Arc<SourceCounters>,
    pub(super) wake: Wake,
    pub(super) directories: Vec<Directory>,
    pub(super) tails: BTreeMap<FileId, Tail>,
    /// Files to be read, in turn.
    pub(super) queue: VecDeque<FileId>,
    /// Files that are open, and files without a name that are not forgotten yet.
    pub(super) open: BTreeSet<FileId>,
    pub(super) strays: BTreeSet<FileId>,
    pub(super) most_open: usize,
    /// What the position file is to say has changed.
    pub(super) changed: bool,
    pub(super) known: Known,
    /// Other sources of this agent have their entries in the same position file.
    pub(super) shared: bool,
    /// Files that have lost their name and are not open.
    pub(super) missing: BTreeSet<FileId>,
    pub(super) told_own: Vec<Own>,
    unmatched: Unmatched,
    generation: u64,
    pub(super) scans: u64,
    pass: Option<Pass>,
    /// Room for what is heard.
    pub(super) news: Vec<News>,
    /// The last name that was moved away, to know where it was moved to.
    moved: Option<(u32, FileId)>,
}

/// A scan under way.
struct Pass {
    directory: usize,
    names: Rc<[OsString]>,
    at: usize,
    surprised: bool,
}

/// How a scan went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scanned {
    /// It found what should have been heard.
    pub(super) surprised: bool,
    /// There is a directory of which nothing can be heard.
    pub(super) blind: bool,
}

impl Catalog {
    pub(super) fn new(
        config: Arc<TailDirConfig>,
        positions: Positions,
        shared: bool,
        counters: Arc<SourceCounters>,
        log: slog::Logger,
    ) -> Catalog {
        let mut directories: Vec<Directory> = Vec::new();
        for (index, group) in config.groups.iter().enumerate() {
            let found = directories.iter().position(|directory| directory.path == group.directory);
            let at = found.unwrap_or_else(|| {
                directories.push(Directory::new(group.directory.clone()));
                directories.len() - 1
            });
            directories[at].groups.push((index, group.pattern.clone()));
        }
        let (wake, deaf) = Wake::new();
        if let Some(error) = deaf {
            slog::warn!(
                log,
                "the system tells of no changes (inotify: {error}): files are looked at every 500 ms instead"
            );
            directories.iter_mut().for_each(|directory| directory.blind = true);
        }
        Catalog {
            config,
            log,
            counters,
            wake,
            directories,
            tails: BTreeMap::new(),
            queue: VecDeque::new(),
            open: BTreeSet::new(),
            strays: BTreeSet::new(),
            most_open: most_open(),
            changed: false,
            known: Known::new(positions),
            shared,
            missing: BTreeSet::new(),
            told_own: Vec::new(),
            unmatched: Unmatched::default(),
            generation: 0,
            scans: 0,
            pass: None,
            moved: None,
            news: Vec::new(),
        }
    }

    /// Begins to look at every file.
    pub(super) fn begin_scan(&mut self) {
        self.scans += 1;
        self.pass = Some(Pass { directory: 0, names: self.list(0), at: 0, surprised: false });
    }

    /// Whether a scan is under way.
    pub(super) fn is_scanning(&self) -> bool {
        self.pass.is_some()
    }

    /// Looks at some files more; answers when the scan has ended.
    pub(super) fn scan_on(&mut self, now: Instant) -> Option<Scanned> {
        let mut pass = self.pass.take()?;
        let names = pass.names.clone();
        let until = names.len().min(pass.at + SCAN_STEP);
        for name in &names[pass.at..until] {
            pass.surprised |= self.look_at(pass.directory, name, now);
        }
        pass.at = until;
        if until == names.len() {
            self.end_directory(pass.directory, now);
            pass.directory += 1;
            (pass.names, pass.at) = (self.list(pass.directory), 0);
        }
        if pass.directory < self.directories.len() {
            self.pass = Some(pass);
            return None;
        }
        self.trace_missing(true, now);
        self.drop_known(now);
        self.tell_unmatched();
        Some(Scanned {
            surprised: pass.surprised,
            blind: self.directories.iter().any(|directory| directory.blind),
        })
    }

    fn tell_unmatched(&mut self) {
        let (directories, tails, groups) = (&self.directories, &self.tails, &self.config.groups);
        let follows = |group: usize| {
            let directory = directories.iter().find(|one| one.path == groups[group].directory);
            directory.filter(|one| one.scanned).map(|_| tails.values().any(|tail: &Tail| tail.group == group))
        };
        for group in self.unmatched.told_now(groups.len(), follows) {
            let group = &groups[group];
            slog::warn!(
                self.log,
                "the file group {} follows no file yet: nothing matches {}, whose last part is a regular expression for whole file names; files that come and match are followed",
                group.name,
                group.path
            );
        }
    }

    fn list(&mut self, at: usize) -> Rc<[OsString]> {
        let Some(directory) = self.directories.get_mut(at) else { return Rc::new([]) };
        let listed = directory.list(self.config.cache_listing, clock::epoch_millis());
        match listed {
            Ok(names) => {
                if directory.told.take().is_some() {
                    slog::info!(self.log, "{} can be read now", directory.path.display());
                }
                self.hear_of(at);
                names
            }
            Err(error) => {
                let text = error.to_string();
                if directory.told.as_ref() != Some(&text) {
                    slog::warn!(
                        self.log,
                        "cannot look for files in {}: {text}; it is tried again, nothing else waits for it",
                        directory.path.display()
                    );
                    directory.told = Some(text);
                }
                Rc::new([])
            }
        }
    }

    fn hear_of(&mut self, at: usize) {
        let directory = &mut self.directories[at];
        let blind = match self.wake.watch_directory(at, &directory.path) {
            Ok(()) if is_remote(&directory.path) => Some("it is not on this machine".to_owned()),
            Ok(()) => None,
            Err(error) => Some(format!("inotify: {error}; see /proc/sys/fs/inotify")),
        };
        if let Some(why) = &blind
            && !directory.blind
        {
            slog::warn!(
                self.log,
                "the system does not tell of changes in {} ({why}): it is looked at every 500 ms instead",
                directory.path.display()
            );
        }
        directory.blind = blind.is_some();
    }

    /// Names that were followed and that the listing did not have.
    fn end_directory(&mut self, at: usize, now: Instant) {
        let Some(directory) = self.directories.get_mut(at) else { return };
        directory.scanned |= directory.told.is_none();
        let (tails, scan) = (&self.tails, self.scans);
        let unseen = |id| tails.get(id).is_none_or(|tail: &Tail| tail.scan != scan);
        let missed: Vec<OsString> =
            directory.names.iter().filter(|(_, id)| unseen(id)).map(|(name, _)| name.clone()).collect();
        for name in missed {
            self.look_at(at, &name, now);
        }
    }

    /// Asks what `name` stands for, and acts on it. Answers whether something had changed that was not told of.
    pub(super) fn look_at(&mut self, directory: usize, name: &OsStr, now: Instant) -> bool {
        let path = self.directories[directory].path.join(name);
        match fs::metadata(&path) {
            Ok(about) if about.is_file() && !self.is_own(&path, &about) => {
                self.seen(directory, name, &path, &Facts::of(&about), now)
            }
            Ok(_) | Err(_) => {
                self.left(directory, name, now);
                false
            }
        }
    }

    fn seen(&mut self, directory: usize, name: &OsStr, path: &Path, facts: &Facts, now: Instant) -> bool {
        if self.directories[directory].names.get(name).is_some_and(|id| *id != facts.id) {
            self.left(directory, name, now);
        }
        let Some(tail) = self.tails.get_mut(&facts.id) else {
            self.add(directory, name, path, facts, now);
            return false;
        };
        tail.scan = self.scans;
        let is_here = tail.linked && tail.place == path;
        if !is_here && !self.is_renamed(facts.id, directory, name, path) {
            return false;
        }
        let Some(tail) = self.tails.get_mut(&facts.id) else { return false };
        tail.seen = facts.size;
        if !tail.differs(facts) {
            return false;
        }
        tail.modified = facts.modified;
        let age = clock::epoch_millis().saturating_sub(facts.modified / 1_000_000);
        let surprised = facts.size != tail.end() && !tail.queued && age > TIME_TO_TELL_MILLIS;
        self.touch(facts.id, now);
        surprised
    }

    fn add(&mut self, directory: usize, name: &OsStr, path: &Path, facts: &Facts, now: Instant) {
        let Some(group) = self.directories[directory].group_of(name) else { return };
        let text = path.to_string_lossy();
        let entry = self.known.take(facts.id.inode, &text);
        let at_end = self.config.skip_to_end && !self.directories[directory].scanned;
        let start = policy::start(entry.as_ref(), facts, self.known.written(), at_end);
        match start {
            Start::Shrunk => slog::info!(
                self.log,
                "{text} is shorter than its position {}: it was truncated and is read from its beginning",
                entry.map_or(0, |entry| entry.pos)
            ),
            Start::Reborn => slog::info!(
                self.log,
                "{text} has the number of a file that is gone, and is read from its beginning"
            ),
            Start::New(_) | Start::Continued(_) => {}
        }
        let position = start.position();
        let spot = Spot { path: text.into(), place: path.to_owned(), directory, group };
        self.follow_from(spot, facts, position, now);
        self.directories[directory].names.insert(name.to_owned(), facts.id);
        if fs::symlink_metadata(path).is_ok_and(|about| about.is_symlink()) {
            let _a_scan_will_tell = self.wake.watch_path(facts.id, path);
        }
        if facts.size != position {
            self.touch(facts.id, now);
        } else if position > 0 {
            self.learn(facts.id);
        }
    }

    /// A file that is known is found at another place: it was renamed, or it has two names, of which one counts.
    fn is_renamed(&mut self, id: FileId, directory: usize, name: &OsStr, path: &Path) -> bool {
        let Some(group) = self.directories[directory].group_of(name) else { return false };
        let Some(tail) = self.tails.get_mut(&id) else { return false };
        if tail.linked {
            if fs::metadata(&tail.place).is_ok_and(|about| Facts::of(&about).id == id) {
                return false;
            }
            if let Some(old) = tail.place.file_name() {
                self.directories[tail.directory].names.remove(old);
            }
        }
        slog::info!(self.log, "{} is now {}: it goes on at {}", tail.path, path.display(), tail.next);
        (tail.path, tail.place) = (path.to_string_lossy().into(), path.to_owned());
        (tail.directory, tail.group, tail.linked) = (directory, group, true);
        self.counters.files.follow(id.inode, path.to_owned());
        self.directories[directory].names.insert(name.to_owned(), id);
        if self.strays.remove(&id) {
            self.wake.forget(id);
        }
        self.changed = true;
        true
    }

    /// `name` stands for nothing any more, or for something else: what it stood for is read to its end.
    pub(super) fn left(&mut self, directory: usize, name: &OsStr, now: Instant) {
        let Some(id) = self.directories[directory].names.remove(name) else { return };
        let Some(tail) = self.tails.get_mut(&id) else { return };
        (tail.linked, tail.live) = (false, now);
        self.strays.insert(id);
        if let Some(file) = &tail.file {
            let _a_scan_will_tell = self.wake.watch_open(id, file);
        } else {
            self.missing.insert(id);
        }
    }

    /// A name in a directory was made, moved or deleted.
    pub(super) fn renamed(&mut self, directory: usize, name: &OsStr, cookie: u32, now: Instant) {
        let was = self.directories[directory].names.get(name).copied();
        if was.is_some() || self.directories[directory].group_of(name).is_some() {
            self.look_at(directory, name, now);
        } else if let Some((_, id)) = self.moved.filter(|(of, _)| cookie != 0 && *of == cookie) {
            self.moved_out(id, directory, name, now);
        }
        self.moved = was.filter(|_| cookie != 0).map(|id| (cookie, id));
    }

    /// A file was renamed to a name that does not match: what is unread of it can still be found there.
    fn moved_out(&mut self, id: FileId, directory: usize, name: &OsStr, now: Instant) {
        let path = self.directories[directory].path.join(name);
        let Some(tail) = self.tails.get_mut(&id).filter(|tail| !tail.linked) else { return };
        if let Ok(facts) = fs::metadata(&path).map(|about| Facts::of(&about))
            && facts.id == id
        {
            (tail.place, tail.seen) = (path, facts.size);
            if tail.differs(&facts) {
                self.touch(id, now);
            }
        }
    }

    /// Forgets the entries whose files should have been found by now.
    fn drop_known(&mut self, now: Instant) {
        let directories = &self.directories;
        let waits = |parent: &Path| directories.iter().any(|one| !one.scanned && one.path == parent);
        let gone = self.known.drop_unless(waits);
        if !gone.is_empty() {
            self.changed = true;
            self.trace_known(gone, now);
        }
    }

    /// What the position file is to say.
    pub(super) fn entries(&self) -> impl Iterator<Item = EntryRef<'_>> {
        let tails = self.written_tails();
        let tails = tails.map(|tail| EntryRef { inode: tail.id.inode, pos: tail.stored, file: &tail.path });
        tails.chain(self.known.entries())
    }

    /// The followed files of which it speaks.
    pub(super) fn written(&self) -> Vec<FileId> {
        self.written_tails().map(|tail| tail.id).collect()
    }

    /// A file without a name may still get one; but not when it was deleted (its number may be another file's in a moment)
    /// or when its number belongs to another file already, since the position file knows files by their numbers.
    fn written_tails(&self) -> impl Iterator<Item = &Tail> {
        let linked = || self.tails.values().filter(|tail| tail.linked);
        let taken: HashSet<u64> = if self.strays.is_empty() {
            HashSet::new()
        } else {
            linked().map(|tail| tail.id.inode).collect()
        };
        let strays = self.strays.iter().filter_map(|id| self.tails.get(id));
        let strays = strays.filter(move |tail| !taken.contains(&tail.id.inode) && !tail.is_deleted());
        linked().chain(strays)
    }

    /// A number that was never used before.
    pub(super) fn next_generation(&mut self) -> u64 {
        self.generation += 1;
        self.generation
    }
}

/// Whether others may write to files there without this machine's knowing.
fn is_remote(path: &Path) -> bool {
    rustix::fs::statfs(path).is_ok_and(|about| REMOTE.contains(&(about.f_type as u32)))
}

/// NFS, SMB 2, CIFS, SMB, 9p, Ceph, AFS and FUSE, from Linux's `magic.h`.
const REMOTE: [u32; 8] =
    [0x6969, 0xfe53_4d42, 0xff53_4d42, 0x517b, 0x0102_1997, 0x00c3_6400, 0x5346_414f, 0x6573_5546];
/// Files looked at in one go, so that nobody waits long for his turn.
const SCAN_STEP: usize = 256;
/// A change that is older than this should have been heard.
const TIME_TO_TELL_MILLIS: i64 = 200;

/// Files that may be open at a time: half of what the process may have, since connections need some too.
fn most_open() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    limit.and_then(|limit| usize::try_from(limit / 2).ok()).unwrap_or(usize::MAX).clamp(16, 8192)
}

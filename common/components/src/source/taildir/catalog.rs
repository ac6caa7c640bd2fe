//! Which files there are, under which names: what scans and the file system tell, brought together.
//!
//! A name is asked about again whenever something is heard of it; what was heard is never taken for how it is now.

use super::config::TailDirConfig;
use super::known::Known;
use super::names::Names;
use super::open_files::OpenFiles;
use super::own::Own;
use super::policy::{self, Start};
use super::position::{EntryRef, Positions};
use super::scan::Unmatched;
use super::tail::{Facts, FileId, Name, Spot, Tail};
use super::wake::{News, Wake};
use flow::counters::SourceCounters;
use runtime::clock::{self, Instant};
use std::collections::{BTreeMap, HashSet, VecDeque};
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
    pub(super) names: Names,
    pub(super) tails: BTreeMap<FileId, Tail>,
    /// Files to be read, in turn.
    pub(super) queue: VecDeque<FileId>,
    pub(super) open: OpenFiles,
    /// What the position file is to say has changed.
    pub(super) changed: bool,
    pub(super) known: Known,
    /// Other sources of this agent have their entries in the same position file.
    pub(super) shared: bool,
    pub(super) told_own: Vec<Own>,
    pub(super) unmatched: Unmatched,
    generation: u64,
    pub(super) scans: u64,
    pub(super) pass: Option<Pass>,
    /// Room for what is heard.
    pub(super) news: Vec<News>,
}

/// A scan under way.
pub(super) struct Pass {
    pub(super) directory: usize,
    pub(super) names: Rc<[OsString]>,
    pub(super) at: usize,
    pub(super) surprised: bool,
}

impl Catalog {
    pub(super) fn new(
        config: Arc<TailDirConfig>,
        positions: Positions,
        shared: bool,
        counters: Arc<SourceCounters>,
        log: slog::Logger,
    ) -> Catalog {
        let mut names = Names::new(&config);
        let (wake, deaf) = Wake::new();
        if let Some(error) = deaf {
            slog::warn!(
                log,
                "the system tells of no changes (inotify: {error}): files are looked at every 500 ms instead"
            );
            names.directories.iter_mut().for_each(|directory| directory.blind = true);
        }
        Catalog {
            config,
            log,
            counters,
            wake,
            names,
            tails: BTreeMap::new(),
            queue: VecDeque::new(),
            open: OpenFiles::new(),
            changed: false,
            known: Known::new(positions),
            shared,
            told_own: Vec::new(),
            unmatched: Unmatched::default(),
            generation: 0,
            scans: 0,
            pass: None,
            news: Vec::new(),
        }
    }

    /// Asks what `name` stands for, and acts on it. Answers whether something had changed that was not told of.
    pub(super) fn look_at(&mut self, directory: usize, name: &OsStr, now: Instant) -> bool {
        let path = self.names.path_of(directory, name);
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
        if self.names.get(directory, name).is_some_and(|id| id != facts.id) {
            self.left(directory, name, now);
        }
        let Some(tail) = self.tails.get_mut(&facts.id) else {
            self.add(directory, name, path, facts, now);
            return false;
        };
        tail.seen.scan = self.scans;
        let is_here = tail.has_name() && tail.spot.place == path;
        if !is_here && !self.is_renamed(facts.id, directory, name, path) {
            return false;
        }
        let Some(tail) = self.tails.get_mut(&facts.id) else { return false };
        tail.seen.size = facts.size;
        if !tail.differs(facts) {
            return false;
        }
        tail.seen.modified = facts.modified;
        let age = clock::epoch_millis().saturating_sub(facts.modified / 1_000_000);
        let surprised =
            facts.size != tail.progress.end() && !tail.reading.is_queued() && age > TIME_TO_TELL_MILLIS;
        self.touch(facts.id, now);
        surprised
    }

    fn add(&mut self, directory: usize, name: &OsStr, path: &Path, facts: &Facts, now: Instant) {
        let Some(group) = self.names.group_of(directory, name) else { return };
        let text = path.to_string_lossy();
        let entry = self.known.take(facts.id.inode, &text);
        let at_end = self.config.skip_to_end && !self.names.directories[directory].scanned;
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
        self.names.give(directory, name, facts.id);
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
        let Some(group) = self.names.group_of(directory, name) else { return false };
        let Some(tail) = self.tails.get_mut(&id) else { return false };
        let Spot { path: old_path, place, .. } = &tail.spot;
        if tail.has_name() {
            if fs::metadata(place).is_ok_and(|about| Facts::of(&about).id == id) {
                return false;
            }
            if let Some(old) = place.file_name() {
                self.names.drop_name(tail.spot.directory, old);
            }
        }
        slog::info!(self.log, "{old_path} is now {}: it goes on at {}", path.display(), tail.progress.next());
        tail.spot = Spot { path: path.to_string_lossy().into(), place: path.to_owned(), directory, group };
        tail.name = Name::Held;
        self.counters.files.follow(id.inode, path.to_owned());
        if self.names.give(directory, name, id) {
            self.wake.forget(id);
        }
        self.changed = true;
        true
    }

    /// `name` stands for nothing any more, or for something else: what it stood for is read to its end.
    pub(super) fn left(&mut self, directory: usize, name: &OsStr, now: Instant) {
        let Some(id) = self.names.take(directory, name) else { return };
        let Some(tail) = self.tails.get_mut(&id) else { return self.names.forget(id) };
        (tail.name, tail.live) = (Name::Lost, now);
        if let Some(file) = &tail.file {
            let _a_scan_will_tell = self.wake.watch_open(id, file);
        } else {
            self.names.miss(id);
        }
    }

    /// A name in a directory was made, moved or deleted.
    pub(super) fn renamed(&mut self, directory: usize, name: &OsStr, cookie: u32, now: Instant) {
        let was = self.names.get(directory, name);
        if was.is_some() || self.names.group_of(directory, name).is_some() {
            self.look_at(directory, name, now);
        } else if let Some(id) = self.names.moved_by(cookie) {
            self.moved_out(id, directory, name, now);
        }
        self.names.moved(cookie, was);
    }

    /// A file was renamed to a name that does not match: what is unread of it can still be found there.
    fn moved_out(&mut self, id: FileId, directory: usize, name: &OsStr, now: Instant) {
        let path = self.names.path_of(directory, name);
        let Some(tail) = self.tails.get_mut(&id).filter(|tail| !tail.has_name()) else { return };
        if let Ok(facts) = fs::metadata(&path).map(|about| Facts::of(&about))
            && facts.id == id
        {
            (tail.spot.place, tail.seen.size) = (path, facts.size);
            if tail.differs(&facts) {
                self.touch(id, now);
            }
        }
    }

    /// What the position file is to say.
    pub(super) fn entries(&self) -> impl Iterator<Item = EntryRef<'_>> {
        let tails = self.written_tails();
        let tails = tails.map(|tail| EntryRef {
            inode: tail.id.inode,
            pos: tail.progress.stored(),
            file: &tail.spot.path,
        });
        tails.chain(self.known.entries())
    }

    /// The followed files of which it speaks.
    pub(super) fn written(&self) -> Vec<FileId> {
        self.written_tails().map(|tail| tail.id).collect()
    }

    /// A file without a name may still get one; but not when it was deleted (its number may be another file's in a moment)
    /// or when its number belongs to another file already, since the position file knows files by their numbers.
    fn written_tails(&self) -> impl Iterator<Item = &Tail> {
        let linked = || self.tails.values().filter(|tail| tail.has_name());
        let taken: HashSet<u64> = if self.names.strays().is_empty() {
            HashSet::new()
        } else {
            linked().map(|tail| tail.id.inode).collect()
        };
        let strays = self.names.strays().iter().filter_map(|id| self.tails.get(id));
        let strays = strays.filter(move |tail| !taken.contains(&tail.id.inode) && !tail.is_deleted());
        linked().chain(strays)
    }

    /// A number that was never used before.
    pub(super) fn next_generation(&mut self) -> u64 {
        self.generation += 1;
        self.generation
    }
}

/// A change that is older than this should have been heard.
const TIME_TO_TELL_MILLIS: i64 = 200;

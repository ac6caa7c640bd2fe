//! Files that are not where they were: looked for by number in their directory, so that what is unread of them is read.
//!
//! A file may be renamed out of its pattern while the agent is stopped, or held for so long that what is heard of it is
//! no longer how it is. It is looked for only when something of it may be unread.

use super::catalog::Catalog;
use super::policy::{self, Start};
use super::position::Entry;
use super::tail::{Facts, FileId, Name, Spot};
use runtime::clock::Instant;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{DirEntryExt, MetadataExt};
use std::path::{Path, PathBuf};

impl Catalog {
    /// Looks for files that have lost their name and are not open. `all`: also for those of which nothing new was heard.
    pub(super) fn trace_missing(&mut self, all: bool, now: Instant) {
        let mut wanted: BTreeMap<usize, BTreeMap<u64, FileId>> = BTreeMap::new();
        for id in self.names.take_missing() {
            let Some(tail) = self.tails.get(&id) else { continue };
            if tail.has_name() || tail.file.is_some() || tail.is_parked() || !(all || tail.may_have_more()) {
                continue;
            }
            if facts_of(&tail.spot.place).is_none_or(|facts| facts.id != id) {
                wanted.entry(tail.spot.directory).or_default().insert(id.inode, id);
            }
        }
        for (directory, ids) in wanted {
            let found = find(&self.names.directories[directory].path, &ids.keys().copied().collect());
            for (inode, place) in found {
                if let Some(facts) = facts_of(&place).filter(|facts| ids.get(&inode) == Some(&facts.id)) {
                    self.found_again(place, &facts, now);
                }
            }
        }
    }

    fn found_again(&mut self, place: PathBuf, facts: &Facts, now: Instant) {
        let Some(tail) = self.tails.get_mut(&facts.id) else { return };
        slog::info!(
            self.log,
            "{} is now {}, which no pattern matches: what is unread of it is read",
            tail.spot.path,
            place.display()
        );
        (tail.spot.place, tail.seen.size) = (place, facts.size);
        if tail.may_have_more() || tail.differs(facts) {
            self.touch(facts.id, now);
        }
    }

    /// Looks for the files of entries that no scan has found. Those that have unread bytes are read to their end.
    pub(super) fn trace_known(&mut self, gone: Vec<Entry>, now: Instant) {
        let (mut wanted, mut foreign) = (BTreeMap::<usize, Vec<(usize, Entry)>>::new(), Vec::new());
        for entry in gone {
            match self.spot_of(&entry) {
                Some((directory, group)) => wanted.entry(directory).or_default().push((group, entry)),
                None => foreign.push(entry),
            }
        }
        if let Some(first) = foreign.first().filter(|_| !self.shared) {
            slog::info!(
                self.log,
                "{} files of the position file match no group any more: {} ...",
                foreign.len(),
                first.file
            );
        }
        let mut lost = Vec::new();
        for (directory, entries) in wanted {
            let path = self.names.directories[directory].path.clone();
            let found = find(&path, &entries.iter().map(|(_, entry)| entry.inode).collect());
            for (group, entry) in entries {
                let place = found.get(&entry.inode);
                if !place.is_some_and(|place| self.adopt(&entry, place, directory, group, now)) {
                    lost.push(entry);
                }
            }
        }
        if let Some(Entry { inode, pos, file }) = lost.first() {
            slog::warn!(
                self.log,
                "{} files that were followed are no longer in their directory under any name: {file} (inode {inode}, sent up to byte {pos}) ...; what was written to them behind that is not sent (deleted, compressed or moved elsewhere while nobody followed them)",
                lost.len()
            );
        }
    }

    /// Which directory and group an entry's file belonged to.
    fn spot_of(&self, entry: &Entry) -> Option<(usize, usize)> {
        let path = Path::new(&entry.file);
        let (parent, name) = (path.parent()?, path.file_name()?);
        let directory = self.names.directories.iter().position(|directory| directory.path == parent)?;
        Some((directory, self.names.group_of(directory, name)?))
    }

    /// Takes up a file that has a name that does not match. `false`: it is not the one that the entry means.
    fn adopt(&mut self, entry: &Entry, place: &Path, directory: usize, group: usize, now: Instant) -> bool {
        let Some(facts) = facts_of(place) else { return false };
        if self.tails.contains_key(&facts.id) {
            return true;
        }
        let start = policy::start(Some(entry), &facts, self.known.written(), false);
        let Start::Continued(position) = start else { return false };
        if facts.size > position {
            slog::info!(
                self.log,
                "{} is now {}, which no pattern matches: its last {} bytes are read",
                entry.file,
                place.display(),
                facts.size - position
            );
            let spot = Spot { path: entry.file.as_str().into(), place: place.to_owned(), directory, group };
            self.follow_from(spot, &facts, position, now).name = Name::Lost;
            self.names.stray(facts.id);
            self.touch(facts.id, now);
        }
        true
    }
}

fn facts_of(path: &Path) -> Option<Facts> {
    fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file).map(|about| Facts::of(&about))
}

/// The files with these numbers in `directory` and in the directories right below it, which is where rotation puts them.
/// Looks at so many names and no more.
fn find(directory: &Path, inodes: &BTreeSet<u64>) -> BTreeMap<u64, PathBuf> {
    let (mut found, mut below) = (BTreeMap::new(), Vec::new());
    let mut left = MOST_NAMES;
    let Ok(device) = fs::metadata(directory).map(|about| about.dev()) else { return found };
    let mut look = |path: &Path, below: Option<&mut Vec<PathBuf>>| {
        let mut directories = Vec::new();
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            if left == 0 || found.len() == inodes.len() {
                break;
            }
            left -= 1;
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                directories.push(entry.path());
            } else if kind.is_file() && inodes.contains(&entry.ino()) {
                found.insert(entry.ino(), entry.path());
            }
        }
        if let Some(below) = below {
            *below = directories;
        }
    };
    look(directory, Some(&mut below));
    // Numbers are those of one disk.
    below.retain(|path| fs::metadata(path).is_ok_and(|about| about.dev() == device));
    below.iter().for_each(|path| look(path, None));
    found
}

/// Names looked at in one search.
const MOST_NAMES: usize = 100_000;

//! What the position file says of files that have not been seen yet.

use super::position::{Entry, EntryRef, Positions};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Entries that wait for their files.
#[derive(Debug)]
pub(super) struct Known {
    /// By inode: files on different disks may share one.
    entries: BTreeMap<u64, Vec<Entry>>,
    written: Option<i64>,
}

impl Known {
    pub(super) fn new(positions: Positions) -> Known {
        let mut entries: BTreeMap<u64, Vec<Entry>> = BTreeMap::new();
        for entry in positions.entries {
            entries.entry(entry.inode).or_default().push(entry);
        }
        Known { entries, written: positions.written }
    }

    /// When the position file was written, in nanoseconds since 1970.
    pub(super) fn written(&self) -> Option<i64> {
        self.written
    }

    /// The entry that is about the file with this number, if there is one: the one with this path, or else one whose file
    /// is not at its path any more.
    pub(super) fn take(&mut self, inode: u64, path: &str) -> Option<Entry> {
        let entries = self.entries.get_mut(&inode)?;
        // One that still is where it was has its number on another disk.
        let stays = |entry: &Entry| fs::metadata(&entry.file).is_ok_and(|about| about.ino() == inode);
        let found = entries.iter().position(|entry| entry.file == path);
        let at = found.or_else(|| entries.iter().position(|entry| !stays(entry)))?;
        Some(entries.swap_remove(at))
    }

    /// Gives up the entries for whose directory `waits` does not hold.
    pub(super) fn drop_unless(&mut self, waits: impl Fn(&Path) -> bool) -> Vec<Entry> {
        let mut gone = Vec::new();
        let is_gone = |entry: &mut Entry| !Path::new(&entry.file).parent().is_some_and(&waits);
        self.entries.retain(|_, entries| {
            gone.extend(entries.extract_if(.., is_gone));
            !entries.is_empty()
        });
        gone
    }

    /// Those still waiting.
    pub(super) fn entries(&self) -> impl Iterator<Item = EntryRef<'_>> {
        let entries = self.entries.values().flatten();
        entries.map(|entry| EntryRef { inode: entry.inode, pos: entry.pos, file: &entry.file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(entries: &[(u64, u64, &str)]) -> Known {
        let entry = |(inode, pos, file): &(u64, u64, &str)| Entry {
            inode: *inode,
            pos: *pos,
            file: (*file).to_owned(),
        };
        Known::new(Positions { entries: entries.iter().map(entry).collect(), ..Positions::default() })
    }

    #[test]
    fn the_same_path_comes_first_and_a_renamed_file_is_known_by_its_number() {
        let mut known = known(&[(7, 1, "/gone/a"), (7, 2, "/gone/b")]);
        let mut taken = |inode, path| known.take(inode, path).map(|entry| entry.pos);
        assert_eq!(
            [taken(7, "/gone/b"), taken(8, "/gone/a"), taken(7, "/gone/c"), taken(7, "/d")],
            [Some(2), None, Some(1), None]
        );
    }

    #[test]
    fn a_number_is_not_enough_when_its_file_is_where_it_was() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let (path, inode) = (file.path().to_str().unwrap(), file.as_file().metadata().unwrap().ino());
        assert_eq!(known(&[(inode, 1, path)]).take(inode, "/other/disk"), None);
    }

    #[test]
    fn what_nobody_waits_for_is_given_up() {
        let mut known = known(&[(1, 1, "/here/a"), (2, 2, "/there/b")]);
        let gone = known.drop_unless(|parent| parent == Path::new("/there"));
        assert_eq!(gone.iter().map(|entry| entry.inode).collect::<Vec<_>>(), [1]);
        assert_eq!(known.entries().map(|entry| entry.inode).collect::<Vec<_>>(), [2]);
    }
}

//! Which file stands behind which name, and which files have lost theirs.

use super::config::TailDirConfig;
use super::scan::Directory;
use super::tail::FileId;
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// The names of all followed files.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) directories: Vec<Directory>,
    /// Files without a name that are not forgotten yet.
    strays: BTreeSet<FileId>,
    /// Those of them that were not open when they lost it.
    missing: BTreeSet<FileId>,
    /// The last name that was moved away, to know where it was moved to.
    moved: Option<(u32, FileId)>,
}

impl Names {
    /// Of the directories in which the groups look.
    pub(super) fn new(config: &TailDirConfig) -> Names {
        let mut directories: Vec<Directory> = Vec::new();
        for (index, group) in config.groups.iter().enumerate() {
            let found = directories.iter().position(|directory| directory.path == group.directory);
            let at = found.unwrap_or_else(|| {
                directories.push(Directory::new(group.directory.clone()));
                directories.len() - 1
            });
            directories[at].groups.push((index, group.pattern.clone()));
        }
        Names { directories, strays: BTreeSet::new(), missing: BTreeSet::new(), moved: None }
    }

    /// The file of that name, if it is followed.
    pub(super) fn get(&self, directory: usize, name: &OsStr) -> Option<FileId> {
        self.directories[directory].names.get(name).copied()
    }

    /// The group to which a file of that name belongs.
    pub(super) fn group_of(&self, directory: usize, name: &OsStr) -> Option<usize> {
        self.directories[directory].group_of(name)
    }

    pub(super) fn path_of(&self, directory: usize, name: &OsStr) -> PathBuf {
        self.directories[directory].path.join(name)
    }

    /// A file was found under that name. Answers whether it had none.
    pub(super) fn give(&mut self, directory: usize, name: &OsStr, id: FileId) -> bool {
        self.directories[directory].names.insert(name.to_owned(), id);
        self.strays.remove(&id)
    }

    /// The name stands for nothing any more, and its file has another one.
    pub(super) fn drop_name(&mut self, directory: usize, name: &OsStr) {
        self.directories[directory].names.remove(name);
    }

    /// The name stands for nothing any more: its file has none.
    pub(super) fn take(&mut self, directory: usize, name: &OsStr) -> Option<FileId> {
        let id = self.directories[directory].names.remove(name)?;
        self.stray(id);
        Some(id)
    }

    /// A file has no name.
    pub(super) fn stray(&mut self, id: FileId) {
        self.strays.insert(id);
    }

    pub(super) fn strays(&self) -> &BTreeSet<FileId> {
        &self.strays
    }

    pub(super) fn forget(&mut self, id: FileId) {
        self.strays.remove(&id);
    }

    /// A file that has no name is not open: it must be looked for.
    pub(super) fn miss(&mut self, id: FileId) {
        self.missing.insert(id);
    }

    /// Those that must be looked for.
    pub(super) fn take_missing(&mut self) -> BTreeSet<FileId> {
        std::mem::take(&mut self.missing)
    }

    /// A name was moved away with this cookie of the system, and it was the name of `id`.
    pub(super) fn moved(&mut self, cookie: u32, id: Option<FileId>) {
        self.moved = id.filter(|_| cookie != 0).map(|id| (cookie, id));
    }

    /// The file whose name was moved away with this cookie.
    pub(super) fn moved_by(&self, cookie: u32) -> Option<FileId> {
        self.moved.filter(|(of, _)| cookie != 0 && *of == cookie).map(|(_, id)| id)
    }

    /// The names in a directory whose files are `unseen`.
    pub(super) fn unseen(&self, directory: usize, unseen: impl Fn(&FileId) -> bool) -> Vec<OsString> {
        let names = &self.directories[directory].names;
        names.iter().filter(|(_, id)| unseen(id)).map(|(name, _)| name.clone()).collect()
    }
}

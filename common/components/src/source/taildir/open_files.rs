//! How many files may be open, and which are.

use super::tail::FileId;
use std::collections::BTreeSet;

/// The files that are open, and the room for more.
#[derive(Debug)]
pub(super) struct OpenFiles {
    ids: BTreeSet<FileId>,
    most: usize,
}

impl OpenFiles {
    /// None yet. Half of what the process may have may be open, since connections need some too.
    pub(super) fn new() -> OpenFiles {
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        let most = limit.and_then(|limit| usize::try_from(limit / 2).ok()).unwrap_or(usize::MAX);
        OpenFiles { ids: BTreeSet::new(), most: most.clamp(16, 8192) }
    }

    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether another one must be closed before one is opened.
    pub(super) fn is_full(&self) -> bool {
        self.ids.len() >= self.most
    }

    /// How many are closed at a time when there is no room.
    pub(super) fn portion(&self) -> usize {
        1 + self.most / 8
    }

    pub(super) fn opened(&mut self, id: FileId) {
        self.ids.insert(id);
    }

    pub(super) fn closed(&mut self, id: FileId) {
        self.ids.remove(&id);
    }

    pub(super) fn ids(&self) -> &BTreeSet<FileId> {
        &self.ids
    }
}

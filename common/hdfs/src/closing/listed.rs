//! What a closer writes into the list of open files.

use super::{Closer, Unfinished};
use crate::ledger::{Ledger, Left, LeftFile};
use crate::path::FileNames;
use crate::store::{Store, StoreError};
use runtime::clock;
use std::io;

impl<S: Store> Closer<S> {
    pub(crate) fn set_ledger(&self, ledger: Ledger) {
        *self.shared.ledger.borrow_mut() = ledger;
    }

    /// A file is about to be made.
    pub(crate) fn note(&self, names: &FileNames) {
        let written = self.shared.ledger.borrow_mut().add(names);
        self.noted(written);
    }

    /// So many bytes of a file that is written to are there for sure. To be said before they are acknowledged, and of a new
    /// file before there is anything in it: who comes after a kill cuts off what follows. It costs a `write` to a file of this
    /// machine, some microseconds where the sync took milliseconds. A file that is kept here knows it itself.
    pub(crate) fn synced(&self, in_use: &str, synced: u64) {
        if !S::KEPT_HERE {
            let written = self.shared.ledger.borrow_mut().grown(in_use, synced);
            self.noted(written);
        }
    }

    /// Has the list on the disk.
    pub(crate) async fn force_list(&self) -> Result<(), StoreError> {
        let why = |error| StoreError::Failed(format!("the list of files in hdfs.stateDir: {error}"));
        let list = self.shared.ledger.borrow().list().map_err(why)?;
        tokio::fs::File::from_std(list).sync_data().await.map_err(why)
    }

    /// So many bytes of a file count, which is written to no more.
    pub(super) fn mark(&self, in_use: &str, synced: u64) {
        let written = self.shared.ledger.borrow_mut().mark(in_use, synced);
        self.noted(written);
    }

    /// There is no file of that name, or it is complete.
    pub(crate) fn forget(&self, in_use: &str) {
        let written = self.shared.ledger.borrow_mut().remove(in_use);
        self.noted(written);
    }

    /// Everything is complete, or will not be.
    pub(crate) fn end(&self) {
        self.shared.ledger.borrow_mut().end();
    }

    fn noted(&self, result: io::Result<()>) {
        let (name, log) = (&self.shared.name, &self.shared.log);
        let mut told = self.shared.list_told.borrow_mut();
        match result {
            Err(error) if told.tell(clock::now()).is_some() => slog::warn!(
                log,
                "sink {name}: the list of open files in hdfs.stateDir cannot be written ({error}): if this process is killed \
                now, its files may keep their names of files in use, or end in the middle of an event, and nothing is lost; \
                it is tried again, so make room there, or let it write there"
            ),
            Ok(()) if told.is_on() && !self.shared.ledger.borrow().is_broken() => {
                told.over();
                slog::info!(
                    log,
                    "sink {name}: the list of open files in hdfs.stateDir is written again, whole"
                );
            }
            _ => {}
        }
    }

    /// Completes what another process has left. The lists that it stands in go when it stands in the own one.
    pub(crate) async fn sweep(&self, left: Left) {
        let Left { files, lists } = left;
        for LeftFile { names, synced } in &files {
            self.note(names);
            if let Some(synced) = synced {
                self.mark(&names.in_use, *synced);
            }
        }
        // What they name stands in the own list now. Where that is not certain, both stay, and nobody else takes them: a file
        // is completed once.
        let is_broken = self.shared.ledger.borrow().is_broken();
        if !is_broken && (!S::KEPT_HERE || self.force_list().await.is_ok()) {
            for list in lists {
                let _gone = std::fs::remove_file(&list.path);
            }
        } else {
            self.shared.left.borrow_mut().extend(lists);
        }
        let unfinished = Unfinished::left(&files);
        self.tell_left(&unfinished);
        unfinished.into_iter().for_each(|file| self.recover(file));
    }

    fn tell_left(&self, files: &[Unfinished]) {
        let (name, log) = (&self.shared.name, &self.shared.log);
        if !files.is_empty() {
            slog::info!(
                log,
                "sink {name}: an earlier run has left {} files unfinished: they are completed now",
                files.len()
            );
        }
        let is_unknown = |file: &&Unfinished| file.synced.is_none() && !file.copied;
        let unknown = files.iter().filter(is_unknown).count();
        if unknown > 0 && !S::KEPT_HERE {
            slog::warn!(
                log,
                "sink {name}: of {unknown} of them it is not known how many bytes were acknowledged, for the machine was \
                started anew meanwhile, hdfs.stateDir was full, or an earlier version wrote them: all that is there stays, \
                and a file may end in the middle of an event, or in events that come again"
            );
        }
    }
    #[cfg(test)]
    pub(crate) fn meet_a_full_disk(&self) {
        self.shared.ledger.borrow_mut().meet_a_full_disk();
    }
}

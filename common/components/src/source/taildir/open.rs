//! Which files are open, and until when.

use super::catalog::Catalog;
use super::policy::{self, IdleAction, Resting};
use super::read::learn_mark;
use super::tail::{Facts, FileId, Reading, Tail};
use runtime::clock::{self, Instant};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;

impl Catalog {
    /// Something may be new in a file: it is opened, so that it can be read whatever becomes of its name, and queued.
    pub(super) fn touch(&mut self, id: FileId, now: Instant) {
        let Some(tail) = self.tails.get_mut(&id) else { return };
        if !tail.stir() {
            return;
        }
        self.queue.push_back(id);
        if tail.file.is_none() && !self.open.is_full() {
            self.open(id, now);
        }
    }

    /// Opens a file if it is not open. `false`: it cannot be, or is not what it was, and nothing is to be read.
    pub(super) fn open(&mut self, id: FileId, now: Instant) -> bool {
        let Some(tail) = self.tails.get(&id) else { return false };
        if tail.file.is_some() {
            return true;
        }
        let mut opened = open(tail);
        if self.open.is_full() || opened.as_ref().is_err_and(is_out_of_descriptors) {
            self.close_idle();
            opened = self.tails.get(&id).map_or_else(|| Err(io::ErrorKind::NotFound.into()), open);
        }
        match opened {
            Ok(file) => self.opened(id, file, now),
            Err(error) => {
                self.cannot_open(id, &error, now);
                false
            }
        }
    }

    fn opened(&mut self, id: FileId, file: File, now: Instant) -> bool {
        let generation = self.next_generation();
        let Some(tail) = self.tails.get_mut(&id) else { return false };
        if !tail.has_name() {
            let _a_scan_will_tell = self.wake.watch_open(id, &file);
        }
        (tail.file, tail.live) = (Some(file), now);
        self.open.opened(id);
        slog::info!(
            self.log,
            "Opening file: {}, inode: {}, pos: {}",
            tail.spot.path,
            id.inode,
            tail.progress.next()
        );
        match learn_mark(tail) {
            Ok(true) => _ = tail.trouble.over(),
            Ok(false) => {
                slog::info!(
                    self.log,
                    "{} is shorter than its position {}: it was truncated and is read from its beginning",
                    tail.spot.path,
                    tail.progress.next()
                );
                tail.restart(generation);
                self.changed = true;
            }
            Err(error) => {
                self.cannot_read(id, &error);
                return false;
            }
        }
        true
    }

    /// Remembers how a file ends that is not to be read now: so it is known should it be truncated before it is.
    pub(super) fn learn(&mut self, id: FileId) {
        let Some(tail) = self.tails.get_mut(&id) else { return };
        if let Ok(file) = open(tail) {
            tail.file = Some(file);
            let _not_known_then = learn_mark(tail);
            tail.file = None;
        }
    }

    fn cannot_open(&mut self, id: FileId, error: &io::Error, now: Instant) {
        let Some(tail) = self.tails.get_mut(&id) else { return };
        if error.kind() != io::ErrorKind::NotFound {
            return self.cannot_read(id, error);
        }
        // It has another name by now, or none.
        if let Some(name) = tail.spot.place.file_name().filter(|_| tail.has_name()).map(ToOwned::to_owned) {
            let directory = tail.spot.directory;
            self.look_at(directory, &name, now);
        }
    }

    /// Tells, once, that a file cannot be read.
    pub(super) fn cannot_read(&mut self, id: FileId, error: &io::Error) {
        let Some(tail) = self.tails.get_mut(&id) else { return };
        tail.seen.modified = i64::MIN; // so that the next scan tries again
        self.counters.event_read_fail.increment();
        if tail.trouble.tell(clock::now()).is_some() {
            slog::warn!(
                self.log,
                "cannot read {} at {}: {error}; it is tried again with each scan and nothing is skipped",
                tail.spot.path,
                tail.progress.next()
            );
        }
    }

    /// Closes what has been at rest for long enough, and forgets what has gone.
    pub(super) fn close_the_idle(&mut self, now: Instant) {
        let watched: Vec<FileId> = self.open.ids().union(self.names.strays()).copied().collect();
        for id in watched {
            let Some(tail) = self.tails.get_mut(&id) else { continue };
            if tail.reading.is_queued() || !tail.progress.is_settled() {
                continue;
            }
            let quiet = now.saturating_duration_since(tail.live);
            let file = Resting {
                quiet,
                linked: tail.has_name(),
                gone: !tail.has_name() && (tail.file.is_none() || tail.is_deleted()),
            };
            let idle_action = policy::idle_action(file, self.config.idle_timeout);
            let has_rest = tail.progress.held() > 0 && tail.file.is_some() && !tail.is_parked();
            if idle_action != IdleAction::Stay && has_rest {
                tail.reading = Reading::Last; // closed when that has been stored
                self.queue.push_back(id);
            } else if idle_action == IdleAction::Close {
                self.close(id);
            } else if idle_action == IdleAction::Forget {
                self.forget(id);
            }
        }
    }

    /// Makes room for other files: closes a part of those that have been at their end for longest.
    fn close_idle(&mut self) {
        let is_idle =
            |tail: &&Tail| tail.has_name() && !tail.reading.is_queued() && tail.progress.held() == 0;
        let mut idle: Vec<(Instant, FileId)> = self
            .open
            .ids()
            .iter()
            .filter_map(|id| self.tails.get(id))
            .filter(is_idle)
            .map(|tail| (tail.live, tail.id))
            .collect();
        idle.sort_unstable();
        for (_, id) in idle.into_iter().take(self.open.portion()) {
            self.close(id);
        }
    }

    fn close(&mut self, id: FileId) {
        let Some(tail) = self.tails.get_mut(&id) else { return };
        if tail.file.take().is_some() {
            slog::info!(
                self.log,
                "Closed file: {}, inode: {}, pos: {}",
                tail.spot.path,
                id.inode,
                tail.progress.next()
            );
        }
        self.open.closed(id);
    }

    fn forget(&mut self, id: FileId) {
        let unread = |tail: &&Tail| tail.file.is_none() && !tail.is_parked() && tail.may_have_more();
        if let Some(tail) = self.tails.get(&id).filter(unread) {
            let bytes = match tail.seen.size.saturating_sub(tail.progress.next()) {
                0 => String::new(),
                bytes => format!(", at least {bytes} bytes,"),
            };
            slog::warn!(
                self.log,
                "{} is gone before it could be opened: what was written to it behind {}{bytes} is not sent",
                tail.spot.path,
                tail.progress.next()
            );
        }
        self.close(id);
        self.wake.forget(id);
        self.names.forget(id);
        self.tails.remove(&id);
        self.counters.files.leave(id.inode);
        self.changed = true;
    }
}

fn open(tail: &Tail) -> io::Result<File> {
    // Should a pipe have taken its place meanwhile, opening it must not wait for a writer.
    let flags = rustix::fs::OFlags::NONBLOCK.bits();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(i32::try_from(flags).unwrap_or(0))
        .open(&tail.spot.place)?;
    if Facts::of(&file.metadata()?).id == tail.id { Ok(file) } else { Err(io::ErrorKind::NotFound.into()) }
}

fn is_out_of_descriptors(error: &io::Error) -> bool {
    let code = error.raw_os_error();
    [rustix::io::Errno::MFILE, rustix::io::Errno::NFILE]
        .iter()
        .any(|errno| code == Some(errno.raw_os_error()))
}

//! A look at every file that there is, some at a time.

use super::catalog::{Catalog, Pass};
use super::tail::{FileId, Tail};
use runtime::clock::{self, Instant};
use std::ffi::OsString;
use std::path::Path;
use std::rc::Rc;

/// How a scan went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scanned {
    /// It found what should have been heard.
    pub(super) surprised: bool,
    /// There is a directory of which nothing can be heard.
    pub(super) blind: bool,
}

impl Catalog {
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
        if pass.directory < self.names.directories.len() {
            self.pass = Some(pass);
            return None;
        }
        self.trace_missing(true, now);
        self.drop_known(now);
        self.tell_unmatched();
        Some(Scanned {
            surprised: pass.surprised,
            blind: self.names.directories.iter().any(|directory| directory.blind),
        })
    }

    fn tell_unmatched(&mut self) {
        let (directories, tails, groups) = (&self.names.directories, &self.tails, &self.config.groups);
        let follows = |group: usize| {
            let directory = directories.iter().find(|one| one.path == groups[group].directory);
            directory
                .filter(|one| one.scanned)
                .map(|_| tails.values().any(|tail: &Tail| tail.spot.group == group))
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
        let Some(directory) = self.names.directories.get_mut(at) else { return Rc::new([]) };
        let listed = directory.list(self.config.cache_listing, clock::epoch_millis());
        match listed {
            Ok(names) => {
                if directory.fault.over() {
                    slog::info!(self.log, "{} can be read now", directory.path.display());
                }
                self.hear_of(at);
                names
            }
            Err(error) => {
                let text = error.to_string();
                if directory.fault.tell(&text) {
                    slog::warn!(
                        self.log,
                        "cannot look for files in {}: {text}; it is tried again, nothing else waits for it",
                        directory.path.display()
                    );
                }
                Rc::new([])
            }
        }
    }

    fn hear_of(&mut self, at: usize) {
        let directory = &mut self.names.directories[at];
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
        let Some(directory) = self.names.directories.get_mut(at) else { return };
        directory.scanned |= !directory.fault.is_on();
        let (tails, scan) = (&self.tails, self.scans);
        let unseen = |id: &FileId| tails.get(id).is_none_or(|tail: &Tail| tail.seen.scan != scan);
        for name in self.names.unseen(at, unseen) {
            self.look_at(at, &name, now);
        }
    }

    /// Forgets the entries whose files should have been found by now.
    fn drop_known(&mut self, now: Instant) {
        let directories = &self.names.directories;
        let waits = |parent: &Path| directories.iter().any(|one| !one.scanned && one.path == parent);
        let gone = self.known.drop_unless(waits);
        if !gone.is_empty() {
            self.changed = true;
            self.trace_known(gone, now);
        }
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

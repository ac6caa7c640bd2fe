//! One followed file: which one it is, and how far it has been read and stored.

use flow::counters::Counter;
use runtime::clock::Instant;
use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

/// What makes a file the same file, whatever it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct FileId {
    pub(super) device: u64,
    pub(super) inode: u64,
    /// When its number was given to it, in nanoseconds since 1970, where the file system keeps that: numbers of deleted
    /// files are given away again, often at once.
    pub(super) born: Option<i64>,
}

/// What the file system says of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) id: FileId,
    pub(super) size: u64,
    /// In nanoseconds since 1970.
    pub(super) modified: i64,
}

impl Facts {
    pub(super) fn of(file: &Metadata) -> Facts {
        let born = file.created().ok().and_then(|born| born.duration_since(UNIX_EPOCH).ok());
        let born = born.and_then(|since| i64::try_from(since.as_nanos()).ok());
        Facts {
            id: FileId { device: file.dev(), inode: file.ino(), born },
            size: file.size(),
            modified: file.mtime().saturating_mul(1_000_000_000).saturating_add(file.mtime_nsec()),
        }
    }
}

/// Where a file belongs.
pub(super) struct Spot {
    /// As in its events' header and in the position file.
    pub(super) path: Arc<str>,
    /// Where it can be opened.
    pub(super) place: PathBuf,
    pub(super) directory: usize,
    pub(super) group: usize,
}

/// A followed file.
#[derive(Debug)]
pub(super) struct Tail {
    pub(super) id: FileId,
    /// The name under which it was found: in its events' header and in the position file.
    pub(super) path: Arc<str>,
    /// Where it can be opened; elsewhere than `path` when it was renamed to a name that does not match.
    pub(super) place: PathBuf,
    /// Which directory and which group found it.
    pub(super) directory: usize,
    pub(super) group: usize,
    pub(super) file: Option<File>,
    /// It is where it was found. One that is not is read to its end and forgotten.
    pub(super) linked: bool,
    /// Changes with each new beginning: an answer that carries another one is about bytes that are no more.
    pub(super) generation: u64,
    /// Bytes read into batches.
    pub(super) next: u64,
    /// Bytes of which the channel has said that it stored their events.
    pub(super) stored: u64,
    /// The same, for whoever asks how far the source is behind.
    pub(super) shown: Arc<Counter>,
    /// Batches under way to the channel.
    pub(super) in_flight: usize,
    /// Bytes behind `next` that are no line yet.
    pub(super) held: u64,
    /// The last bytes before `next`, as they were read: if they have changed, the file was written anew.
    pub(super) mark: Vec<u8>,
    /// When the file was last written, as a scan saw it.
    pub(super) modified: i64,
    /// How long it was, as it was last looked at by name.
    pub(super) seen: u64,
    /// When it last had a new byte, or lost its name.
    pub(super) live: Instant,
    /// It is waiting to be read; and it has changed since reading began.
    pub(super) queued: bool,
    pub(super) stirred: bool,
    /// It is idle: what it holds without a line's end is a line.
    pub(super) finish: bool,
    /// It is not read any further: a line of it can never be stored.
    pub(super) parked: bool,
    /// That it cannot be read has been told.
    pub(super) told: bool,
    /// The last scan that saw it.
    pub(super) scan: u64,
}

impl Tail {
    /// Whether it is known that nothing leads to the file any more, once it is closed.
    pub(super) fn is_deleted(&self) -> bool {
        self.file.as_ref().is_some_and(|file| file.metadata().is_ok_and(|about| about.nlink() == 0))
    }

    /// Where the last look ended.
    pub(super) fn end(&self) -> u64 {
        self.next + self.held
    }

    /// Whether there may be something in it that was not read.
    pub(super) fn may_have_more(&self) -> bool {
        self.stirred || self.seen > self.end()
    }

    /// Whether there may be something new in it, by what a scan saw.
    pub(super) fn differs(&self, facts: &Facts) -> bool {
        facts.size != self.end() || facts.modified != self.modified
    }

    /// A batch that ends at `next` is on its way; `before` ends with the bytes before it.
    pub(super) fn sent(&mut self, next: u64, before: &[u8]) {
        self.next = next;
        self.held = 0;
        self.in_flight += 1;
        self.keep_mark(before);
    }

    /// Remembers the end of `before`, which ends at `next`.
    pub(super) fn keep_mark(&mut self, before: &[u8]) {
        self.mark.clear();
        self.mark.extend_from_slice(&before[before.len().saturating_sub(MARK_BYTES)..]);
    }

    /// How many bytes before `next` are to be compared with the mark, or taken for one.
    pub(super) fn mark_wanted(&self) -> usize {
        usize::try_from(self.next).map_or(MARK_BYTES, |next| next.min(MARK_BYTES))
    }

    /// A batch of `generation` that ends at `end` was stored; whether that changes the position.
    pub(super) fn was_stored(&mut self, generation: u64, end: u64) -> bool {
        if !self.was_answered(generation) || self.parked {
            return false;
        }
        self.set_stored(end);
        true
    }

    pub(super) fn set_stored(&mut self, stored: u64) {
        self.stored = stored;
        self.shown.set(stored);
    }

    /// A batch of `generation` was answered; whether it is about the file as it is now.
    pub(super) fn was_answered(&mut self, generation: u64) -> bool {
        if generation != self.generation {
            return false;
        }
        self.in_flight = self.in_flight.saturating_sub(1);
        true
    }

    /// There is nothing before `position`.
    pub(super) fn skip_to(&mut self, position: u64) {
        (self.next, self.held) = (position, 0);
        self.set_stored(position);
    }

    /// The file was written anew: it begins at its beginning.
    pub(super) fn restart(&mut self, generation: u64) {
        self.generation = generation;
        (self.next, self.held, self.in_flight) = (0, 0, 0);
        self.set_stored(0);
        self.mark.clear();
        self.finish = false;
    }
}

/// Bytes by which a file is known again. Where a line has a time in it, two lines are enough to tell.
pub(super) const MARK_BYTES: usize = 256;

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn tail(next: u64) -> Tail {
        Tail {
            id: FileId { device: 1, inode: 7, born: None },
            path: "/logs/a".into(),
            place: "/logs/a".into(),
            directory: 0,
            group: 0,
            file: None,
            linked: true,
            generation: 1,
            next,
            stored: next,
            shown: Arc::default(),
            in_flight: 0,
            held: 0,
            mark: Vec::new(),
            modified: 0,
            seen: 0,
            live: runtime::clock::now(),
            queued: false,
            stirred: false,
            finish: false,
            parked: false,
            told: false,
            scan: 0,
        }
    }

    #[test]
    fn a_position_moves_when_its_batch_is_stored_and_not_before() {
        let mut tail = tail(0);
        tail.sent(10, b"ten bytes\n");
        tail.sent(14, b"ten bytes\nabc\n");
        assert_eq!((tail.next, tail.stored, tail.in_flight), (14, 0, 2));
        assert!(tail.was_stored(1, 10));
        assert_eq!((tail.stored, tail.in_flight), (10, 1));
    }

    #[test]
    fn an_answer_from_before_a_truncation_moves_nothing() {
        let mut tail = tail(0);
        tail.sent(10, b"ten bytes\n");
        tail.restart(2);
        tail.sent(4, b"new\n");
        assert!(!tail.was_stored(1, 10));
        assert!(tail.was_stored(2, 4));
        assert_eq!((tail.stored, tail.in_flight), (4, 0));
    }

    #[test]
    fn a_parked_file_stays_where_it_is() {
        let mut tail = tail(0);
        tail.sent(10, b"ten bytes\n");
        tail.sent(14, b"abc\n");
        assert!(tail.was_answered(1));
        tail.parked = true;
        assert!(!tail.was_stored(1, 14));
        assert_eq!((tail.stored, tail.in_flight), (0, 0));
    }

    #[test]
    fn the_mark_is_the_last_bytes() {
        let mut tail = tail(0);
        tail.sent(1000, &[b'x'; 1000]);
        assert_eq!((tail.mark.len(), tail.mark_wanted()), (MARK_BYTES, MARK_BYTES));
        tail.restart(2);
        assert_eq!((tail.mark.len(), tail.mark_wanted()), (0, 0));
    }
}

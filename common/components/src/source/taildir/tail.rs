//! One followed file: which one it is, and how far it has been read and stored.

use super::progress::Progress;
use runtime::clock::Instant;
use runtime::told::Told;
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
#[derive(Debug)]
pub(super) struct Spot {
    /// The name under which it was found: in its events' header and in the position file.
    pub(super) path: Arc<str>,
    /// Where it can be opened; elsewhere than `path` when it was renamed to a name that does not match.
    pub(super) place: PathBuf,
    /// Which directory and which group found it.
    pub(super) directory: usize,
    pub(super) group: usize,
}

/// Whether a file is where it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    /// It is.
    Held,
    /// It is not: it is read to its end and forgotten.
    Lost,
}

/// How it stands with reading a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// All that is known of it has been read.
    Rest,
    /// There is something new in it, and it could not be opened.
    Unread,
    /// In the queue: there is something new in it.
    Queued,
    /// In the queue: it is idle, and what it holds without a line's end is a line.
    Last,
    /// In the queue: nothing new is known of it since it was last looked into.
    Begun,
    /// It is not read any further: a line of it can never be stored.
    Parked,
}

impl Reading {
    /// Whether it waits for its turn.
    pub(super) fn is_queued(self) -> bool {
        matches!(self, Reading::Queued | Reading::Last | Reading::Begun)
    }

    fn has_news(self) -> bool {
        matches!(self, Reading::Unread | Reading::Queued | Reading::Last)
    }
}

/// What was last seen of a file by its name.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) size: u64,
    /// When it was written, as a scan saw it.
    pub(super) modified: i64,
    /// The last scan that saw it.
    pub(super) scan: u64,
}

/// A followed file.
#[derive(Debug)]
pub(super) struct Tail {
    pub(super) id: FileId,
    pub(super) spot: Spot,
    pub(super) name: Name,
    pub(super) file: Option<File>,
    pub(super) reading: Reading,
    pub(super) progress: Progress,
    pub(super) seen: Seen,
    /// When it last had a new byte, or lost its name.
    pub(super) live: Instant,
    /// That it cannot be read.
    pub(super) trouble: Told,
}

impl Tail {
    pub(super) fn new(spot: Spot, facts: &Facts, scan: u64, progress: Progress, now: Instant) -> Tail {
        Tail {
            id: facts.id,
            spot,
            name: Name::Held,
            file: None,
            reading: Reading::Rest,
            progress,
            seen: Seen { size: facts.size, modified: facts.modified, scan },
            live: now,
            trouble: Told::once(),
        }
    }

    /// Whether it is known that nothing leads to the file any more, once it is closed.
    pub(super) fn is_deleted(&self) -> bool {
        self.file.as_ref().is_some_and(|file| file.metadata().is_ok_and(|about| about.nlink() == 0))
    }

    pub(super) fn has_name(&self) -> bool {
        self.name == Name::Held
    }

    pub(super) fn is_parked(&self) -> bool {
        self.reading == Reading::Parked
    }

    /// Whether there may be something in it that was not read.
    pub(super) fn may_have_more(&self) -> bool {
        self.reading.has_news() || self.seen.size > self.progress.end()
    }

    /// Whether there may be something new in it, by what a scan saw.
    pub(super) fn differs(&self, facts: &Facts) -> bool {
        facts.size != self.progress.end() || facts.modified != self.seen.modified
    }

    /// Something may be new in it. Answers whether it must be put into the queue.
    pub(super) fn stir(&mut self) -> bool {
        let was = self.reading;
        self.reading = match was {
            Reading::Rest | Reading::Unread | Reading::Queued | Reading::Begun => Reading::Queued,
            Reading::Last | Reading::Parked => was,
        };
        !was.is_queued() && was != Reading::Parked
    }

    /// Its turn is over, and it is not in the queue any more.
    pub(super) fn leave_queue(&mut self) {
        self.reading = match self.reading {
            Reading::Queued | Reading::Last => Reading::Unread,
            Reading::Begun => Reading::Rest,
            other => other,
        };
    }

    /// The file was written anew: it begins at its beginning.
    pub(super) fn restart(&mut self, generation: u64) {
        self.progress.restart(generation);
        if self.reading == Reading::Last {
            self.reading = Reading::Queued;
        }
    }

    /// A batch of `generation` that ends at `end` was stored; whether that changes the position.
    pub(super) fn was_stored(&mut self, generation: u64, end: u64) -> bool {
        let moves = self.progress.was_answered(generation) && !self.is_parked();
        if moves {
            self.progress.store(end);
        }
        moves
    }

    /// A batch of `generation` can never be stored. Answers whether that is news.
    pub(super) fn park(&mut self, generation: u64) -> bool {
        let is_news = self.progress.was_answered(generation) && !self.is_parked();
        if is_news {
            self.reading = Reading::Parked;
        }
        is_news
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::sync::Arc;

    pub(crate) fn tail(next: u64) -> Tail {
        let id = FileId { device: 1, inode: 7, born: None };
        let spot = Spot { path: "/logs/a".into(), place: "/logs/a".into(), directory: 0, group: 0 };
        let facts = Facts { id, size: 0, modified: 0 };
        Tail::new(spot, &facts, 0, Progress::new(next, 1, Arc::default()), runtime::clock::now())
    }

    #[test]
    fn a_parked_file_stays_where_it_is() {
        let mut tail = tail(0);
        tail.progress.sent(10, b"ten bytes\n");
        tail.progress.sent(14, b"abc\n");
        assert!(tail.park(1) && !tail.park(1));
        assert!(!tail.was_stored(1, 14));
        assert_eq!((tail.progress.stored(), tail.progress.is_settled()), (0, true));
        assert!(!tail.stir() && tail.is_parked());
    }

    #[test]
    fn a_file_is_in_the_queue_once_and_news_of_it_are_not_forgotten() {
        let mut tail = tail(0);
        assert!(!tail.may_have_more());
        assert_eq!([tail.stir(), tail.stir()], [true, false]);
        tail.leave_queue(); // it could not be opened
        assert_eq!((tail.reading, tail.may_have_more()), (Reading::Unread, true));
        assert!(tail.stir());
        tail.reading = Reading::Begun;
        tail.leave_queue();
        assert_eq!((tail.reading, tail.may_have_more()), (Reading::Rest, false));
    }

    #[test]
    fn an_idle_file_stays_idle_until_it_is_written_anew() {
        let mut tail = tail(0);
        tail.reading = Reading::Last;
        assert!(!tail.stir());
        assert_eq!(tail.reading, Reading::Last);
        tail.restart(2);
        assert_eq!(tail.reading, Reading::Queued);
    }
}

//! How far sources are behind the files that they follow, in bytes and in time.

use flow::counters::{Registry, SourceEntry};
use runtime::clock::{self, Duration, Instant};
use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

/// What of a file is not in a channel yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lag {
    pub(crate) source: String,
    pub(crate) path: String,
    pub(crate) bytes: u64,
    /// For how long the first of these bytes has been in the file, at least.
    pub(crate) age: Duration,
    /// Whether they begin with a whole line: the rest of one that is not written to its end waits for its writer.
    pub(crate) has_line: bool,
}

/// What a look at a file showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    source: String,
    inode: u64,
    path: String,
    size: u64,
    /// Bytes whose events are in a channel.
    stored: u64,
    /// How long ago it was written to.
    written: Duration,
    /// Whether a whole line stands behind what is stored.
    has_line: bool,
}

/// Looks at all files, up to [`MOST_FILES`] of a source. Asks the file system, which may take its time.
pub(crate) fn look(registry: &Registry) -> Vec<Seen> {
    registry.sources().iter().flat_map(of_source).collect()
}

fn of_source(source: &SourceEntry) -> Vec<Seen> {
    let files = source.counters.files.read().into_iter().take(MOST_FILES);
    let (now, mut looks) = (clock::epoch_millis(), MOST_LOOKS_INTO);
    let seen = |(inode, path, stored): (u64, std::path::PathBuf, u64)| {
        // One that was renamed or deleted is told of when its source knows its new name, or has read it to its end.
        let about = fs::metadata(&path).ok().filter(|about| about.ino() == inode)?;
        let written = about.mtime().saturating_mul(1_000).saturating_add(about.mtime_nsec() / 1_000_000);
        let ago = u64::try_from(now.saturating_sub(written)).unwrap_or_default();
        let is_behind = about.len() > stored && about.is_file() && looks > 0;
        looks -= usize::from(is_behind);
        let has_line = is_behind && has_line(&path, stored);
        Some(Seen {
            source: source.name.clone(),
            inode,
            path: path.display().to_string(),
            size: about.len(),
            has_line,
            stored,
            written: Duration::from_millis(ago),
        })
    };
    files.filter_map(seen).collect()
}

/// Whether a whole line begins at byte `from`. Of one that is too long to see its end nobody knows.
fn has_line(path: &Path, from: u64) -> bool {
    let mut start = [0; LONGEST_LINE];
    let read = fs::File::open(path).and_then(|file| file.read_at(&mut start, from));
    read.is_ok_and(|read| start[..read].contains(&b'\n'))
}

/// The looks at all files.
#[derive(Default)]
pub(crate) struct Followed {
    marks: BTreeMap<(String, u64), Marks>,
    lags: Vec<Lag>,
    at: Option<Instant>,
}

/// What a file had when: its size, and since when it has it. The sizes grow, and none is stored to its end.
type Marks = VecDeque<(u64, Instant)>;

impl Followed {
    /// One more look at all files.
    pub(crate) fn look(&mut self, seen: Vec<Seen>, now: Instant) {
        let mut before = std::mem::take(&mut self.marks);
        self.lags = Vec::with_capacity(seen.len());
        self.at = Some(now);
        for Seen { source, inode, path, size, stored, written, has_line } in seen {
            let key = (source, inode);
            let mut marks = before.remove(&key).unwrap_or_default();
            mark(&mut marks, (size, now.checked_sub(written).unwrap_or(now)), stored);
            let age = marks.front().map(|(_, since)| now.saturating_duration_since(*since));
            let (source, bytes) = (key.0.clone(), size.saturating_sub(stored));
            self.lags.push(Lag { source, path, bytes, age: age.unwrap_or_default(), has_line });
            if !marks.is_empty() {
                self.marks.insert(key, marks);
            }
        }
    }

    /// How far all are behind; nothing when the file system has not answered for a while.
    pub(crate) fn lags(&self, now: Instant) -> &[Lag] {
        let fresh = self.at.is_some_and(|at| now.saturating_duration_since(at) <= FRESH);
        if fresh { &self.lags } else { &[] }
    }
}

/// Notes that the file has `size` bytes since some time, and forgets what is stored.
fn mark(marks: &mut Marks, (size, since): (u64, Instant), stored: u64) {
    if marks.back().is_some_and(|(last, _)| *last > size) {
        marks.clear(); // it was cut
    }
    while marks.pop_front_if(|(size, _)| *size <= stored).is_some() {}
    if size <= stored || marks.back().is_some_and(|(last, _)| *last == size) {
        return;
    }
    if marks.len() >= MOST_MARKS {
        let mut place = 0;
        marks.retain(|_| {
            place += 1;
            place % 2 == 1
        });
    }
    marks.push_back((size, since));
}

/// More files would make a page that nobody can read.
const MOST_FILES: usize = 1_000;
/// Of the files of a source that are behind, so many are looked into with each look: one that is stuck is enough.
const MOST_LOOKS_INTO: usize = 16;
/// Bytes of a file that are read for a line's end.
const LONGEST_LINE: usize = 16 << 10;
/// Of a file that is far behind: between two marks its age is the younger one's.
const MOST_MARKS: usize = 64;
/// Looks are a second apart.
const FRESH: Duration = Duration::from_secs(5);

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// A file of one name.
    pub(crate) fn seen(size: u64, stored: u64, written: u64) -> Seen {
        let (source, path) = ("r1".to_owned(), "/a.log".to_owned());
        Seen { source, inode: 7, path, size, stored, written: secs(written), has_line: true }
    }

    /// Bytes and seconds after looks that are a second apart.
    fn after(looks: &[Seen]) -> (u64, u64) {
        let (start, mut followed) = (clock::now() + secs(1_000), Followed::default());
        for (second, look) in looks.iter().enumerate() {
            followed.look(vec![look.clone()], start + secs(second as u64));
        }
        let now = start + secs(looks.len() as u64 - 1);
        let lag = &followed.lags(now)[0];
        (lag.bytes, lag.age.as_secs())
    }

    #[test]
    fn it_is_as_far_behind_as_its_first_byte_that_is_not_stored() {
        assert_eq!(after(&[seen(10, 10, 0)]), (0, 0));
        assert_eq!(after(&[seen(10, 10, 0), seen(20, 10, 0), seen(30, 10, 0), seen(30, 10, 1)]), (20, 2));
        let caught_up = [seen(20, 10, 0), seen(30, 10, 0), seen(40, 25, 0), seen(40, 25, 1)];
        assert_eq!(after(&caught_up), (15, 2), "bytes 20 to 30 came with the second look");
        assert_eq!(after(&[seen(20, 10, 0), seen(30, 10, 0), seen(30, 30, 1)]), (0, 0));
    }

    #[test]
    fn what_was_behind_before_the_first_look_is_as_old_as_the_last_write() {
        assert_eq!(after(&[seen(10, 0, 600)]), (10, 600));
        assert_eq!(after(&[seen(10, 0, 600), seen(20, 0, 0), seen(20, 0, 1)]), (20, 602));
    }

    #[test]
    fn the_rest_of_a_line_is_no_line() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("log");
        fs::write(&file, "one\ntwo").unwrap();
        let has = [0, 3, 4, 7, 99].map(|from| has_line(&file, from));
        fs::remove_file(&file).unwrap();
        assert_eq!(has, [true, true, false, false, false]);
        assert!(!has_line(&file, 0), "it is gone");
    }

    #[test]
    fn a_file_that_was_cut_begins_anew() {
        assert_eq!(after(&[seen(100, 10, 50), seen(5, 0, 0), seen(5, 0, 1)]), (5, 1));
    }

    #[test]
    fn memory_is_bounded_and_what_is_gone_or_not_looked_at_is_not_told() {
        let (start, mut followed) = (clock::now(), Followed::default());
        for second in 0..5_000 {
            followed.look(vec![seen(second + 1, 0, 0)], start + secs(second));
        }
        let now = start + secs(4_999);
        assert!(followed.marks.values().all(|marks| marks.len() <= MOST_MARKS));
        assert_eq!(followed.lags(now)[0].age, secs(4_999));
        assert!(followed.lags(now + secs(6)).is_empty(), "the file system does not answer");
        followed.look(Vec::new(), now);
        assert!(followed.marks.is_empty() && followed.lags(now).is_empty());
    }
}

//! Which files are read, in which order, and when to look for more: decisions without files and clocks.

use java::Pattern;
use runtime::clock::Duration;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// What tells files that are read from those that are not.
#[derive(Debug)]
pub(super) struct Names {
    /// `fileSuffix`; `.COMPLETED` unless set. What has it is finished, whatever the policies say.
    pub(super) suffix: String,
    /// `includePattern`, for whole names; all unless set.
    pub(super) include: Pattern,
    /// `ignorePattern`, for whole names, of directories as well; none unless set.
    pub(super) ignore: Pattern,
}

impl Names {
    /// Whether a file of this name is read.
    pub(super) fn is_read(&self, name: &OsStr) -> bool {
        let name = name.as_bytes();
        !name.ends_with(self.suffix.as_bytes())
            && !name.starts_with(b".")
            && self.include.is_found(name)
            && !self.ignore.is_found(name)
    }

    /// Whether a directory of this name is searched.
    pub(super) fn is_searched(&self, name: &OsStr) -> bool {
        !name.as_bytes().starts_with(b".") && !self.ignore.is_found(name.as_bytes())
    }
}

/// Which file it is, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Identity {
    pub(super) device: u64,
    pub(super) inode: u64,
    /// When it was made, in nanoseconds since 1970, where that is known: the number of a deleted file is used again.
    pub(super) born: Option<i128>,
}

/// How a file stands: what must not change while it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) size: u64,
    /// In nanoseconds since 1970.
    pub(super) modified: i128,
}

/// A file that may be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) path: PathBuf,
    pub(super) id: Identity,
    pub(super) stamp: Stamp,
}

/// `consumeOrder`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Oldest,
    Youngest,
    Random,
}

impl Order {
    /// Puts the next file last. Equally old ones go by their names; Java sees milliseconds.
    pub(super) fn sort(self, files: &mut [Candidate]) {
        let age = |file: &Candidate| file.stamp.modified.div_euclid(1_000_000);
        let name = |file: &Candidate| file.path.file_name().map(OsStr::to_owned);
        match self {
            Order::Oldest => files.sort_by_cached_key(|file| (age(file), name(file))),
            Order::Youngest => files.sort_by_cached_key(|file| (-age(file), name(file))),
            Order::Random => {}
        }
        files.reverse();
    }
}

/// Whether a file that nobody has closed since it was made is read nevertheless: whoever made it has not written to it for
/// so long that it was most likely put there in one step, by a link or from another file system.
pub(super) fn is_quiet(stamp: Stamp, now_millis: i64) -> bool {
    let quiet = i128::from(now_millis) - stamp.modified.div_euclid(1_000_000);
    !(0..QUIET_MILLIS).contains(&quiet)
}

/// How long to wait before the next scan, when nothing is heard.
pub(super) fn pause(poll_delay: Duration, is_deaf: bool) -> Duration {
    if is_deaf { poll_delay } else { poll_delay.max(SURE_PAUSE) }
}

/// The pauses before a channel is asked again that has refused. Source: `SpoolDirectorySource`.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
    longest: Duration,
}

impl Backoff {
    pub(super) fn new(longest: Duration) -> Backoff {
        Backoff { next: FIRST_BACKOFF, longest }
    }

    pub(super) fn next(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(self.longest);
        pause
    }
}

const FIRST_BACKOFF: Duration = Duration::from_millis(250);
/// Between two scans while the kernel tells of what is new.
const SURE_PAUSE: Duration = Duration::from_secs(5);
const QUIET_MILLIS: i128 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn names(suffix: &str, include: &str, ignore: &str) -> Names {
        let pattern = |regex| Pattern::compile_whole(regex).unwrap();
        Names { suffix: suffix.into(), include: pattern(include), ignore: pattern(ignore) }
    }

    #[test]
    fn names_decide_what_is_read() {
        let read = |names: &Names| {
            ["a.log", "a.log.DONE", ".a.log", "b.tmp", "ab.log"].map(|name| names.is_read(OsStr::new(name)))
        };
        assert_eq!(read(&names(".DONE", "^.*$", "^$")), [true, false, false, true, true]);
        assert_eq!(read(&names(".DONE", r".\.log", "^$")), [true, false, false, false, false]);
        assert_eq!(read(&names(".DONE", "^.*$", r".*\.log")), [false, false, false, true, false]);
        let searched = |name: &str| names(".DONE", ".*", "old").is_searched(OsStr::new(name));
        assert_eq!(["new", "old", ".git"].map(searched), [true, false, false]);
    }

    #[test]
    fn files_are_read_in_their_order_and_equally_old_ones_by_name() {
        let file = |name: &str, modified| Candidate {
            path: PathBuf::from(format!("/d/{name}")),
            id: Identity { device: 0, inode: 0, born: None },
            stamp: Stamp { size: 0, modified },
        };
        let order = |order: Order| {
            let mut files =
                vec![file("c", 1_900_000), file("b", 5_000_000), file("a", 1_000_000), file("d", -1)];
            order.sort(&mut files);
            std::iter::from_fn(|| files.pop().map(|file| file.path.display().to_string())).collect::<Vec<_>>()
        };
        assert_eq!(order(Order::Oldest), ["/d/d", "/d/a", "/d/c", "/d/b"]);
        assert_eq!(order(Order::Youngest), ["/d/b", "/d/a", "/d/c", "/d/d"]);
        assert_eq!(order(Order::Random).len(), 4);
    }

    #[test]
    fn a_file_that_nobody_closed_is_waited_for_until_it_is_quiet() {
        let quiet = |modified: i128| is_quiet(Stamp { size: 0, modified: modified * 1_000_000 }, 100_000);
        assert_eq!([100_000, 90_001, 90_000, 0, 100_001].map(quiet), [false, false, true, true, true]);
    }

    #[test]
    fn pauses_are_flumes() {
        let mut backoff = Backoff::new(Duration::from_millis(1500));
        let pauses: Vec<u128> = (0..5).map(|_| backoff.next().as_millis()).collect();
        assert_eq!(pauses, [250, 500, 1000, 1500, 1500]);
        let half = Duration::from_millis(500);
        assert_eq!([pause(half, true), pause(half, false)], [half, SURE_PAUSE]);
        assert_eq!(pause(Duration::from_secs(60), false).as_secs(), 60);
    }
}

//! What to do with a file, and when to look: decisions without files and clocks.

use super::position::Entry;
use super::tail::Facts;
use runtime::clock::{Duration, Instant};

/// Where reading of a file that was not known begins, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// The position file does not know it: at its beginning, or at its end.
    New(u64),
    /// Where the position file says.
    Continued(u64),
    /// The position file says more than there is: it was truncated meanwhile, and begins anew.
    Shrunk,
    /// The position file means a file that is gone and whose number was given to this one.
    Reborn,
}

impl Start {
    /// The place in the file.
    pub(super) fn position(self) -> u64 {
        match self {
            Start::New(position) | Start::Continued(position) => position,
            Start::Shrunk | Start::Reborn => 0,
        }
    }
}

/// Decides where to begin with a file of which the position file, last written at `written` (nanoseconds since 1970),
/// has `entry`. With `at_end`, what nobody knows begins at its end.
///
/// Flume wants inode and path to be those of the entry, and so sends a file again that was renamed while it was down. The
/// inode alone says which file it is, unless that file is gone and its number was given to a new one. That one was born
/// after the position file was last written.
pub(super) fn start(entry: Option<&Entry>, facts: &Facts, written: Option<i64>, at_end: bool) -> Start {
    let Some(entry) = entry else {
        return Start::New(if at_end { facts.size } else { 0 });
    };
    if facts.id.born.zip(written).is_some_and(|(born, written)| born > written) {
        Start::Reborn
    } else if facts.size < entry.pos {
        Start::Shrunk
    } else {
        Start::Continued(entry.pos)
    }
}

/// How a file that is at rest stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resting {
    /// Since its last new byte, or since it lost its name.
    pub(super) quiet: Duration,
    /// It still is where it was found.
    pub(super) linked: bool,
    /// It has no name at all any more, or is not open.
    pub(super) gone: bool,
}

/// What to do with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IdleAction {
    /// Keep it open.
    Stay,
    /// Take a last line without an end for a line, and close the file.
    Close,
    /// Likewise, and forget the file.
    Forget,
}

/// Decides whether to close a file: `idle_timeout` after its last byte, as Flume. One that was renamed away is kept as
/// long, since whoever writes it may not know yet; a deleted one only for a moment, since it takes up the disk.
pub(super) fn idle_action(file: Resting, idle_timeout: Duration) -> IdleAction {
    let patience = if file.gone { idle_timeout.min(LINGER) } else { idle_timeout };
    match (file.quiet >= patience, file.linked) {
        (false, _) => IdleAction::Stay,
        (true, true) => IdleAction::Close,
        (true, false) => IdleAction::Forget,
    }
}

/// When to look at every file, whether or not something was heard of it.
///
/// The pauses are Flume's between polls that found nothing: `increment`, twice that and so on, up to `longest`. They
/// begin anew when a look found what should have been heard.
#[derive(Debug)]
pub(super) struct ScanBeat {
    increment: Duration,
    longest: Duration,
    quiet: u32,
}

impl ScanBeat {
    pub(super) fn new(increment: Duration, longest: Duration) -> ScanBeat {
        ScanBeat { increment, longest, quiet: 0 }
    }

    /// The pause after a scan. `surprised`: it found what nobody had told; `blind`: there is a directory of which
    /// nothing can be heard.
    pub(super) fn pause(&mut self, surprised: bool, blind: bool) -> Duration {
        self.quiet = if surprised { 1 } else { self.quiet.saturating_add(1) };
        let pause = self.increment.saturating_mul(self.quiet).min(self.longest);
        if blind { pause.min(BLIND_PAUSE) } else { pause }.max(LEAST_PAUSE)
    }
}

/// When to write the position file.
///
/// Soon after a change, so that a killed process repeats little; but not so often that it costs more than a small part
/// of the time, and at least every `interval`.
#[derive(Debug)]
pub(super) struct SaveBeat {
    interval: Duration,
    changed: Option<Instant>,
    not_before: Option<Instant>,
}

impl SaveBeat {
    pub(super) fn new(interval: Duration) -> SaveBeat {
        SaveBeat { interval, changed: None, not_before: None }
    }

    /// A position has changed at `now`.
    pub(super) fn changed(&mut self, now: Instant) {
        self.changed.get_or_insert(now);
    }

    /// Whether one has, since the last [`SaveBeat::begun`].
    pub(super) fn is_dirty(&self) -> bool {
        self.changed.is_some()
    }

    /// When the file is to be written, if at all.
    pub(super) fn due(&self) -> Option<Instant> {
        let soon = self.changed? + SAVE_SOON.min(self.interval);
        Some(self.not_before.map_or(soon, |earliest| earliest.max(soon)))
    }

    /// What is known now is being written.
    pub(super) fn begun(&mut self) {
        self.changed = None;
    }

    /// Writing has ended at `now`: it took `preparing` of this thread's time and `writing` of another's.
    pub(super) fn ended(&mut self, now: Instant, preparing: Duration, writing: Duration) {
        let cost = preparing.saturating_mul(PREPARING_SHARE).max(writing.saturating_mul(WRITING_SHARE));
        let pause = cost.max(SAVE_SOON);
        self.not_before = Some(now + pause.min(self.interval));
    }
}

/// How long a deleted file stays open after its last byte.
const LINGER: Duration = Duration::from_secs(5);
/// Between looks at files of which nothing can be heard.
const BLIND_PAUSE: Duration = Duration::from_millis(500);
/// Between looks, whatever the settings say.
const LEAST_PAUSE: Duration = Duration::from_millis(100);
/// From a change of position to the file that says so: what a killed process repeats.
const SAVE_SOON: Duration = Duration::from_millis(200);

/// The part of the time that may go into it: a five-hundredth of this thread's, a fiftieth of the disk's. With ten thousand
/// files the position file has most of a megabyte.
const PREPARING_SHARE: u32 = 500;
const WRITING_SHARE: u32 = 50;

#[cfg(test)]
mod tests {
    use super::super::tail::FileId;
    use super::*;

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn file(size: u64, born: impl Into<Option<i64>>) -> Facts {
        let born = born.into();
        Facts { id: FileId { device: 1, inode: 7, born }, size, modified: 50 }
    }

    #[test]
    fn a_known_file_goes_on_and_one_with_its_number_does_not() {
        let entry = Entry { inode: 7, pos: 100, file: "/old/name".to_owned() };
        let begin = |facts: &Facts, at_end| start(Some(&entry), facts, Some(40), at_end);
        assert_eq!(begin(&file(120, 30), false), Start::Continued(100));
        assert_eq!(begin(&file(100, 40), true), Start::Continued(100));
        assert_eq!(begin(&file(99, 30), false), Start::Shrunk);
        assert_eq!(begin(&file(120, 41), true), Start::Reborn);
        assert_eq!(start(Some(&entry), &file(120, None), Some(40), false), Start::Continued(100));
    }

    #[test]
    fn an_unknown_file_begins_at_its_beginning_or_at_its_end() {
        assert_eq!(start(None, &file(120, 30), Some(40), false).position(), 0);
        assert_eq!(start(None, &file(120, 30), None, true).position(), 120);
    }

    #[test]
    fn files_are_closed_when_idle_and_deleted_ones_sooner() {
        let idle = secs(120);
        let resting = |quiet, linked, gone| idle_action(Resting { quiet: secs(quiet), linked, gone }, idle);
        assert_eq!(
            [resting(119, true, false), resting(120, true, false)],
            [IdleAction::Stay, IdleAction::Close]
        );
        assert_eq!(
            [resting(119, false, false), resting(120, false, false)],
            [IdleAction::Stay, IdleAction::Forget]
        );
        assert_eq!(
            [resting(4, false, true), resting(5, false, true)],
            [IdleAction::Stay, IdleAction::Forget]
        );
        assert_eq!(
            idle_action(Resting { quiet: secs(1), linked: false, gone: true }, secs(1)),
            IdleAction::Forget
        );
    }

    #[test]
    fn pauses_grow_as_flumes_and_a_surprise_makes_them_short() {
        let mut beat = ScanBeat::new(secs(1), secs(5));
        let quiet: Vec<u64> = (0..6).map(|_| beat.pause(false, false).as_secs()).collect();
        assert_eq!(quiet, [1, 2, 3, 4, 5, 5]);
        assert_eq!([beat.pause(true, false), beat.pause(false, false)], [secs(1), secs(2)]);
        assert_eq!(beat.pause(false, true), BLIND_PAUSE);
        assert_eq!(ScanBeat::new(secs(0), secs(5)).pause(false, false), LEAST_PAUSE);
    }

    #[tokio::test(start_paused = true)]
    async fn positions_are_written_soon_and_seldom() {
        let (mut beat, start) = (SaveBeat::new(secs(3)), runtime::clock::now());
        assert_eq!(beat.due(), None);
        beat.changed(start);
        beat.changed(start + secs(1));
        assert_eq!(beat.due(), Some(start + SAVE_SOON));
        beat.begun();
        assert!(!beat.is_dirty());
        beat.ended(start, Duration::from_millis(1), Duration::from_millis(20));
        beat.changed(start);
        assert_eq!(beat.due(), Some(start + secs(1)), "fifty times what writing took");
        beat.ended(start, secs(1), secs(1));
        assert_eq!(beat.due(), Some(start + secs(3)), "the interval is the longest pause");
    }
}

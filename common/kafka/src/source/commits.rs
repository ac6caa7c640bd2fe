//! Which offsets are committed when: one commit is on its way at a time, and takes what was stored since the one before.

use super::read::Behind;
use runtime::clock::{Duration, Instant};

/// What is stored and not committed.
#[derive(Debug, Default)]
pub(super) struct Commits {
    /// No commit that was sent names these.
    stored: Behind,
    /// Those of the commit that is on its way.
    sent: Option<Behind>,
    /// How often something was stored that the commit on its way does not cover, and that it does.
    waiting: usize,
    sending: usize,
    /// So many in a row have failed; the next one waits until then.
    failures: u32,
    rests_until: Option<Instant>,
}

impl Commits {
    /// This is stored.
    pub(super) fn add(&mut self, behind: Behind) {
        if !behind.is_empty() {
            self.stored.extend(behind);
            self.waiting += 1;
        }
    }

    /// What is to be committed now. It counts as being on its way.
    pub(super) fn next(&mut self, now: Instant) -> Option<&Behind> {
        let rests = self.rests_until.is_some_and(|until| now < until);
        if self.sent.is_some() || self.stored.is_empty() || rests {
            return None;
        }
        self.sending = std::mem::take(&mut self.waiting);
        Some(self.sent.insert(std::mem::take(&mut self.stored)))
    }

    /// The commit on its way was answered. What was not committed goes with the next one.
    pub(super) fn answered(&mut self, committed: bool, now: Instant) {
        let Some(mut sent) = self.sent.take() else { return };
        let sending = std::mem::take(&mut self.sending);
        if committed {
            (self.failures, self.rests_until) = (0, None);
            return;
        }
        (self.failures, self.rests_until) = (self.failures.saturating_add(1), Some(now + REST));
        sent.extend(std::mem::take(&mut self.stored));
        self.stored = sent;
        self.waiting = if self.stored.is_empty() { 0 } else { self.waiting + sending };
    }

    /// It is the last moment: no rest any more.
    pub(super) fn hurry(&mut self) {
        self.rests_until = None;
    }

    /// Whether there is nothing to commit, or nothing more to be tried for now.
    pub(super) fn is_done(&self) -> bool {
        self.sent.is_none() && (self.stored.is_empty() || self.rests_until.is_some())
    }

    /// Of how much it is not known whether it will be read again: so many times something was stored since. None of it holds
    /// reading up when [`PATIENCE`] is over.
    pub(super) fn unanswered(&self) -> usize {
        if self.failures < PATIENCE { self.waiting + self.sending } else { 0 }
    }

    /// Only these are committed from now on; what belongs to another member by now is not this one's to commit.
    pub(super) fn keep(&mut self, is_held: impl Fn(&str, i32) -> bool) {
        self.stored.retain(&is_held);
        if let Some(sent) = &mut self.sent {
            sent.retain(&is_held); // should it fail
        }
        if self.stored.is_empty() {
            self.waiting = 0;
        }
    }
}

/// Between a commit that has failed and the next.
const REST: Duration = Duration::from_secs(1);
/// After so many failures in a row reading goes on: what then comes again is not bounded, which has been told.
const PATIENCE: u32 = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::clock;

    fn behind(partition: i32, next: i64) -> Behind {
        let mut behind = Behind::default();
        behind.set("t", partition, next);
        behind
    }

    /// The partitions that are to be committed, and where they are read on.
    fn next(commits: &mut Commits, now: Instant) -> Option<Vec<(i32, i64)>> {
        commits.next(now).map(|behind| behind.iter().map(|(_, partition, next)| (partition, next)).collect())
    }

    #[test]
    fn one_commit_is_on_its_way_and_the_next_takes_all_that_was_stored_meanwhile() {
        let (mut commits, now) = (Commits::default(), clock::now());
        assert_eq!(next(&mut commits, now), None);
        commits.add(behind(0, 10));
        assert_eq!(next(&mut commits, now), Some(vec![(0, 10)]));
        for behind in [behind(0, 20), behind(1, 5), behind(0, 30)] {
            commits.add(behind);
            assert_eq!(next(&mut commits, now), None, "one is on its way");
        }
        assert_eq!(commits.unanswered(), 4);
        commits.answered(true, now);
        assert_eq!(commits.unanswered(), 3);
        assert_eq!(next(&mut commits, now), Some(vec![(0, 30), (1, 5)]));
        assert!(!commits.is_done());
        commits.answered(true, now);
        assert!(commits.is_done() && next(&mut commits, now).is_none());
    }

    #[test]
    fn what_was_not_committed_goes_with_the_next_one() {
        let (mut commits, now) = (Commits::default(), clock::now());
        commits.add(behind(0, 10));
        commits.next(now);
        commits.add(behind(1, 7));
        commits.answered(false, now);
        commits.add(behind(0, 20));
        assert_eq!((next(&mut commits, now), commits.is_done()), (None, true), "it rests");
        assert_eq!(next(&mut commits, now + REST), Some(vec![(0, 20), (1, 7)]));
    }

    #[test]
    fn what_is_not_committed_holds_reading_up_until_three_in_a_row_have_failed() {
        let (mut commits, mut now) = (Commits::default(), clock::now());
        for unanswered in [1, 2, 0, 0] {
            commits.add(behind(0, 10));
            commits.next(now);
            commits.answered(false, now);
            assert_eq!(commits.unanswered(), unanswered);
            now += REST;
        }
        commits.next(now);
        commits.answered(true, now);
        commits.add(behind(0, 20));
        commits.next(now);
        commits.answered(false, now);
        assert_eq!(commits.unanswered(), 1, "a commit that was made begins the count anew");
    }

    #[test]
    fn an_offset_that_failed_does_not_take_the_place_of_a_later_one() {
        let (mut commits, now) = (Commits::default(), clock::now());
        commits.add(behind(0, 10));
        commits.next(now);
        commits.add(behind(0, 20));
        commits.answered(false, now);
        commits.hurry();
        assert_eq!(next(&mut commits, now), Some(vec![(0, 20)]));
    }

    #[test]
    fn partitions_that_are_another_members_are_not_committed_and_not_tried_again() {
        let (mut commits, now) = (Commits::default(), clock::now());
        commits.add(behind(0, 10));
        commits.next(now);
        commits.add(behind(1, 7));
        commits.add(behind(2, 8));
        commits.keep(|_, partition| partition == 2);
        commits.answered(false, now);
        assert_eq!(next(&mut commits, now + REST), Some(vec![(2, 8)]));
        commits.keep(|_, _| false);
        commits.answered(false, now);
        assert_eq!((commits.unanswered(), next(&mut commits, now + REST)), (0, None), "nothing waits");
    }
}

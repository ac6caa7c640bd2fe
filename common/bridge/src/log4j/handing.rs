//! Which of some records are given next, and which are left out. No I/O.

use std::ops::Range;

/// Records that are given to one JVM after the other until all are taken.
#[derive(Debug)]
pub(super) struct Handing {
    count: usize,
    /// The first one that is not done.
    at: usize,
    /// JVMs in a row that have ended with it.
    tries: usize,
    /// After a JVM has ended: the next one that ends shows by which record.
    one_by_one: bool,
    left_out: u64,
}

impl Handing {
    pub(super) fn new(count: usize) -> Handing {
        Handing { count, at: 0, tries: 0, one_by_one: false, left_out: 0 }
    }

    /// What is to be given; `None`: all is done.
    pub(super) fn next(&self) -> Option<Range<usize>> {
        let end = if self.one_by_one { self.at + 1 } else { self.count };
        (self.at < self.count).then_some(self.at..end)
    }

    /// All of [`Handing::next`] is taken.
    pub(super) fn taken(&mut self) {
        self.at = self.next().map_or(self.count, |given| given.end);
        self.tries = 0;
    }

    /// The JVM is gone behind `done` of them. Only one that had got them all (`given`) may have ended by them. Says whether a record
    /// is left out.
    pub(super) fn lost(&mut self, done: usize, given: bool) -> bool {
        let end = self.next().map_or(self.count, |given| given.end);
        if done > 0 {
            self.tries = 0;
        }
        self.at = self.at.saturating_add(done).min(end);
        self.one_by_one = true;
        self.tries += usize::from(given);
        let is_out = self.tries >= MOST_TRIES && self.at < self.count;
        if is_out {
            self.at += 1;
            self.tries = 0;
            self.left_out += 1;
        }
        is_out
    }

    /// How many are done, those that are left out among them.
    pub(super) fn done(&self) -> usize {
        self.at
    }

    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }
}

/// JVMs that are given the same record.
pub(super) const MOST_TRIES: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    /// What is taken, by JVMs that end by one record, after they have told of so many.
    fn with(count: usize, bad: usize, told: usize) -> (Vec<usize>, usize, u64) {
        let (mut handing, mut taken, mut jvms) = (Handing::new(count), Vec::new(), 0);
        while let Some(given) = handing.next() {
            if given.contains(&bad) {
                jvms += 1;
                let done = (bad - given.start).min(told);
                taken.extend(given.start..given.start + done);
                handing.lost(done, true);
            } else {
                taken.extend(given);
                handing.taken();
            }
        }
        assert_eq!(handing.done(), count);
        (taken, jvms, handing.left_out())
    }

    #[test]
    fn one_bad_record_is_left_out_alone_wherever_it_stands() {
        for bad in 0..5 {
            for told in 0..5 {
                let (taken, jvms, left_out) = with(5, bad, told);
                let all_others: Vec<usize> = (0..5).filter(|n| *n != bad).collect();
                assert_eq!((taken, left_out), (all_others, 1), "{bad} {told}");
                assert!(jvms <= 3, "{bad} {told}");
            }
        }
        assert_eq!(with(5, 9, 0), (vec![0, 1, 2, 3, 4], 0, 0));
    }

    #[test]
    fn one_that_was_dead_before_is_no_try() {
        let mut handing = Handing::new(2);
        assert!(!(0..10).any(|_| handing.lost(0, false)));
        assert!(!handing.lost(0, true));
        assert!(handing.lost(0, true));
        assert_eq!((handing.done(), handing.left_out()), (1, 1));
    }

    #[test]
    fn nonsense_of_a_jvm_does_no_harm() {
        let mut handing = Handing::new(2);
        assert!(!handing.lost(usize::MAX, true));
        assert_eq!((handing.done(), handing.next()), (2, None));
    }
}

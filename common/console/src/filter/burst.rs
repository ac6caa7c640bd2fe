//! So many lines in an interval, and no more.

use crate::stamp;
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// There are so many places. A line takes one, which is free again when the interval is over.
#[derive(Debug)]
pub(super) struct Burst {
    most: usize,
    interval: Duration,
    /// When those that are taken are free again, the next first.
    taken: VecDeque<Instant>,
}

impl Burst {
    pub(super) fn new(most: usize, interval: Duration) -> Burst {
        Burst { most, interval, taken: VecDeque::new() }
    }

    /// Takes a place at `now`, if one is free.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        while self.taken.front().is_some_and(|free| *free <= now) {
            self.taken.pop_front();
        }
        let is_free = self.taken.len() < self.most;
        if is_free {
            self.taken.push_back(stamp::later(now, self.interval));
        }
        is_free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_its_interval_is_over() {
        let (start, mut burst) = (Instant::now(), Burst::new(2, Duration::from_secs(10)));
        let taken = [0, 4, 5, 9, 10, 11, 14, 15].map(|at| burst.take(start + Duration::from_secs(at)));
        assert_eq!(taken, [true, true, false, false, true, false, true, false]);
        let mut never = Burst::new(1, Duration::MAX);
        assert!(never.take(start) && !never.take(start + Duration::from_secs(1 << 20)));
    }
}

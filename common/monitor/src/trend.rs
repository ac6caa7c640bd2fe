//! What a channel did in the last minutes: how old its oldest event is, when it will be full, whether events leave it.
//!
//! Looks that are a second apart are enough for that, and cost the channel nothing.

use runtime::clock::{Duration, Instant};
use std::collections::VecDeque;

/// What a look at a channel showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) at: Instant,
    /// Events that it holds.
    pub(crate) size: u64,
    /// Events put into it and taken out of it since the start.
    pub(crate) put: u64,
    pub(crate) taken: u64,
}

/// The looks at one channel.
pub(crate) struct Trend {
    looks: VecDeque<Look>,
    /// When an event left it, or it was empty.
    moved: Instant,
}

impl Trend {
    pub(crate) fn new(look: Look) -> Trend {
        Trend { looks: VecDeque::from([look]), moved: look.at }
    }

    /// One more look. The last ones are kept, the one that saw the oldest event first, and of those between fewer and fewer.
    pub(crate) fn look(&mut self, look: Look) {
        if look.size == 0 || self.looks.back().is_none_or(|last| last.taken != look.taken) {
            self.moved = look.at;
        }
        if self.looks.len() >= MOST_LOOKS {
            let mut place = 0;
            self.looks.retain(|_| {
                place += 1;
                place % 2 == 1 || place > MOST_LOOKS / 2
            });
        }
        self.looks.push_back(look);
        if let Some(before) = look.put.checked_sub(look.size) {
            let is_over =
                |first: &Look| first.put <= before && look.at.saturating_duration_since(first.at) > RECENT;
            while self.looks.pop_front_if(|first| is_over(first)).is_some() {}
        }
    }

    fn last(&self) -> Look {
        // It is made with one.
        self.looks[self.looks.len() - 1]
    }

    /// How long the oldest event that it holds has waited, at least; zero when it holds none. First in, first out.
    pub(crate) fn oldest(&self, now: Instant) -> Duration {
        let last = self.last();
        if last.size == 0 {
            return Duration::ZERO;
        }
        let first = match last.put.checked_sub(last.size) {
            Some(before) => self.looks.iter().find(|look| look.put > before),
            None => self.looks.front(), // it was there before the first look
        };
        now.saturating_duration_since(first.unwrap_or(&last).at)
    }

    /// In how many seconds it is full, if it goes on as in the last minute; `None` when it does not fill.
    pub(crate) fn full_in(&self, capacity: u64) -> Option<f64> {
        let last = self.last();
        let then = self.looks.iter().find(|look| last.at.saturating_duration_since(look.at) <= RECENT)?;
        let seconds = last.at.saturating_duration_since(then.at).as_secs_f64();
        let grown = last.size.checked_sub(then.size).filter(|grown| *grown > 0)?;
        Some(capacity.saturating_sub(last.size) as f64 * seconds / grown as f64)
    }

    /// For how long none of the events that it holds has left it; zero while it is empty.
    pub(crate) fn stuck_for(&self, now: Instant) -> Duration {
        if self.last().size == 0 { Duration::ZERO } else { now.saturating_duration_since(self.moved) }
    }
}

const MOST_LOOKS: usize = 600;
/// What counts as the present rate.
const RECENT: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Looks a second apart, each after so many puts and takes.
    fn trend(start: Instant, steps: &[(u64, u64)]) -> Trend {
        let look = |at, put, taken| Look { at, size: put - taken, put, taken };
        let mut trend = Trend::new(look(start, 0, 0));
        let (mut put, mut taken) = (0, 0);
        for (second, step) in steps.iter().enumerate() {
            (put, taken) = (put + step.0, taken + step.1);
            trend.look(look(start + secs(second as u64 + 1), put, taken));
        }
        trend
    }

    #[test]
    fn the_oldest_event_is_as_old_as_the_look_that_saw_it_first() {
        let start = runtime::clock::now();
        let trend = trend(start, &[(10, 0), (10, 10), (0, 5), (0, 0)]);
        assert_eq!(trend.oldest(start + secs(9)), secs(7), "the sixteenth came in the second second");
        assert_eq!(super::tests::trend(start, &[(3, 3)]).oldest(start + secs(9)), Duration::ZERO);
    }

    #[test]
    fn what_was_there_before_the_first_look_is_at_least_as_old() {
        let start = runtime::clock::now();
        let mut trend = Trend::new(Look { at: start, size: 100, put: 0, taken: 0 });
        trend.look(Look { at: start + secs(5), size: 99, put: 9, taken: 10 });
        assert_eq!(trend.oldest(start + secs(5)), secs(5));
        trend.look(Look { at: start + secs(6), size: 5, put: 9, taken: 104 });
        assert_eq!(trend.oldest(start + secs(6)), secs(1));
    }

    #[test]
    fn it_is_full_when_it_goes_on_like_that() {
        let start = runtime::clock::now();
        assert_eq!(trend(start, &[(10, 0), (20, 10)]).full_in(100), Some(8.0));
        assert_eq!(trend(start, &[(10, 0), (0, 10)]).full_in(100), None);
        let slower = [vec![(100, 0)], vec![(1, 0); 70]].concat();
        assert_eq!(trend(start, &slower).full_in(230), Some(60.0), "the last minute counts");
    }

    #[test]
    fn it_is_stuck_while_events_wait_and_none_leaves() {
        let start = runtime::clock::now();
        let trend = trend(start, &[(10, 0), (0, 1), (5, 0), (0, 0)]);
        assert_eq!(trend.stuck_for(start + secs(4)), secs(2));
        assert_eq!(super::tests::trend(start, &[(1, 1), (0, 0)]).stuck_for(start + secs(2)), Duration::ZERO);
    }

    #[test]
    fn memory_is_bounded_and_the_past_is_not_forgotten_at_once() {
        let start = runtime::clock::now();
        let trend = trend(start, &vec![(1, 0); 5_000]);
        assert!(trend.looks.len() <= MOST_LOOKS);
        assert!(trend.oldest(start + secs(5_000)) > secs(4_900));
    }
}

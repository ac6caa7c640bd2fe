//! Whether who holds memory that others wait for does something with it. No socket, no clock.

use runtime::clock::{Duration, Instant};

/// How far a connection had come at a moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct StallWatch {
    since: Instant,
    moved: u64,
}

impl StallWatch {
    /// It has moved so many bytes at `now`.
    pub(super) fn new(moved: u64, now: Instant) -> StallWatch {
        StallWatch { since: now, moved }
    }

    /// Whether a connection that holds `held` bytes, has moved `moved` in all and was last heard at `heard` is too slow:
    /// at this pace what it holds would take longer than [`WITHIN`]. That is looked at every [`WINDOW`], while somebody
    /// waits; of the long time before nothing is known but when it was heard.
    pub(super) fn is_stalled(&mut self, held: usize, moved: u64, heard: Instant, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.since);
        if elapsed < WINDOW {
            return false;
        }
        let stalled = if elapsed < 2 * WINDOW {
            let least = held as u128 * elapsed.as_millis() / WITHIN.as_millis();
            u128::from(moved - self.moved) <= least
        } else {
            heard + WINDOW <= now
        };
        *self = StallWatch::new(moved, now);
        stalled
    }
}

/// Longer than a lossy link is silent, and much shorter than the 20 s for which a Flume waits for an answer.
pub(in crate::source) const WINDOW: Duration = Duration::from_secs(5);
/// 96 MiB at 0.8 Mbit/s.
const WITHIN: Duration = Duration::from_secs(1024);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slow_pass_and_the_silent_do_not() {
        let start = runtime::clock::now();
        let at = |second| start + Duration::from_secs(second);
        let (mut slow, mut trickle, mut silent) =
            (StallWatch::new(0, start), StallWatch::new(0, start), StallWatch::new(0, start));
        for second in 1..100 {
            // A megabit a second, a byte a second, nothing.
            assert!(!slow.is_stalled(96 << 20, second * 125_000, at(second), at(second)));
            assert_eq!(trickle.is_stalled(96 << 20, second, at(second), at(second)), second % 5 == 0);
            assert_eq!(silent.is_stalled(180 << 10, 0, start, at(second)), second % 5 == 0);
        }
    }

    #[test]
    fn who_was_not_looked_at_for_long_is_judged_by_when_it_was_heard() {
        let start = runtime::clock::now();
        let at = |second| start + Duration::from_secs(second);
        let mut watch = StallWatch::new(0, start);
        assert!(!watch.is_stalled(96 << 20, 100, at(3597), at(3600)));
        assert!(!watch.is_stalled(96 << 20, 100, at(3597), at(3604)));
        assert!(watch.is_stalled(96 << 20, 100, at(3597), at(3605)));
        assert!(StallWatch::new(0, start).is_stalled(96 << 20, 100, at(3590), at(3600)));
    }
}

//! How long a flow that is to stop waits for its channels to run dry.

use runtime::clock::{Duration, Instant};

/// Waits as long as events leave, and never longer than the time it is given.
pub(crate) struct Drain {
    deadline: Instant,
    taken: u64,
    moved: Instant,
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Look again in a moment.
    Wait,
    /// All channels are empty.
    Dry,
    /// Nothing leaves any more, or time is up.
    GiveUp,
}

impl Drain {
    pub(crate) fn new(at_most: Duration, now: Instant) -> Drain {
        Drain { deadline: now + at_most, taken: 0, moved: now }
    }

    /// `held`: events in all channels; `taken`: those that have left since the start.
    pub(crate) fn look(&mut self, held: usize, taken: u64, now: Instant) -> Verdict {
        if held == 0 {
            return Verdict::Dry;
        }
        if taken != self.taken {
            (self.taken, self.moved) = (taken, now);
        }
        if now >= self.deadline || now - self.moved >= STUCK_AFTER { Verdict::GiveUp } else { Verdict::Wait }
    }
}

/// With nothing leaving for so long, nobody is there to take it.
const STUCK_AFTER: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_while_events_leave_and_no_longer() {
        let (start, secs) = (runtime::clock::now(), Duration::from_secs);
        let mut drain = Drain::new(secs(10), start);
        assert_eq!(drain.look(9, 1, start), Verdict::Wait);
        assert_eq!(drain.look(8, 2, start + secs(2)), Verdict::Wait);
        assert_eq!(drain.look(8, 2, start + secs(4)), Verdict::Wait);
        assert_eq!(drain.look(8, 2, start + secs(5)), Verdict::GiveUp);
        assert_eq!(drain.look(7, 3, start + secs(6)), Verdict::Wait);
        assert_eq!(drain.look(6, 4, start + secs(10)), Verdict::GiveUp, "time is up");
        assert_eq!(drain.look(0, 10, start + secs(11)), Verdict::Dry);
    }
}

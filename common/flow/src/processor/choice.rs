//! Which sink of a group gets the next parcel.

use crate::random::Random;

/// A group's order among those of its sinks that can be given something now.
pub(crate) enum Choice {
    /// The first of this order. Source: Flume's failover and default processors.
    Priority(Vec<usize>),
    /// One after the other. Source: Flume's load balancing processor, `round_robin`.
    RoundRobin { members: usize, next: usize },
    /// Any. Source: the same, `random`.
    Random { members: usize, random: Random },
}

impl Choice {
    /// Sinks by falling priority; those of equal priority in the order written. (Flume leaves the second of two equals out
    /// for good.)
    pub(crate) fn by_priority(priorities: &[i64]) -> Choice {
        let mut order: Vec<usize> = (0..priorities.len()).collect();
        order.sort_by_key(|sink| std::cmp::Reverse(priorities[*sink]));
        Choice::Priority(order)
    }

    /// [`Choice::next_awaiting`] when nobody is awaited.
    #[cfg(test)]
    pub(crate) fn next(&self, live: impl Fn(usize) -> bool, credit: impl Fn(usize) -> bool) -> Option<usize> {
        self.next_awaiting(live, |_| false, credit)
    }

    /// The sink for the next parcel. `live` says which may be given events at all, `credit` which have room for one more:
    /// the first by priority is waited for, a busy one of many equals is not. One that is `awaited` (not live yet, but
    /// about to be) goes by priority, too: nobody of lower priority is taken before it.
    pub(crate) fn next_awaiting(
        &self,
        live: impl Fn(usize) -> bool,
        awaited: impl Fn(usize) -> bool,
        credit: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        match self {
            Choice::Priority(order) => {
                let first = order.iter().copied().find(|sink| live(*sink) || awaited(*sink));
                first.filter(|sink| live(*sink) && credit(*sink))
            }
            Choice::RoundRobin { members, next } => {
                (0..*members).map(|step| (next + step) % members).find(|sink| live(*sink) && credit(*sink))
            }
            Choice::Random { members, random } => {
                let able: Vec<usize> = (0..*members).filter(|sink| live(*sink) && credit(*sink)).collect();
                able.get(random.peek_below(able.len())).copied()
            }
        }
    }

    /// Whether parcels arrive in the order in which they were given: one sink has all of them, until another is preferred.
    pub(crate) fn keeps_order(&self) -> bool {
        matches!(self, Choice::Priority(_))
    }

    /// `sink` was given a parcel.
    pub(crate) fn given(&mut self, sink: usize) {
        match self {
            Choice::Priority(_) => {}
            Choice::RoundRobin { next, members } => *next = (sink + 1) % *members,
            Choice::Random { random, .. } => random.advance(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_live_priority_is_taken_and_waited_for() {
        let choice = Choice::by_priority(&[1, 10, 5]);
        assert_eq!(choice.next(|_| true, |_| true), Some(1));
        assert_eq!(choice.next(|sink| sink != 1, |_| true), Some(2));
        assert_eq!(choice.next(|_| true, |sink| sink != 1), None, "it is busy, not dead");
        assert_eq!(choice.next(|_| false, |_| true), None);
    }

    #[test]
    fn a_standby_does_not_go_before_a_primary_that_is_about_to_answer() {
        let choice = Choice::by_priority(&[10, 1]);
        assert_eq!(choice.next_awaiting(|sink| sink == 1, |sink| sink == 0, |_| true), None);
        assert_eq!(choice.next_awaiting(|sink| sink == 0, |sink| sink == 1, |_| true), Some(0));
    }

    #[test]
    fn equal_priorities_go_in_the_order_written() {
        assert_eq!(Choice::by_priority(&[3, 3]).next(|_| true, |_| true), Some(0));
    }

    #[test]
    fn round_robin_goes_round_those_that_can() {
        let mut choice = Choice::RoundRobin { members: 3, next: 0 };
        let mut given = Vec::new();
        for _ in 0..4 {
            let sink = choice.next(|sink| sink != 1, |_| true).expect("two are live");
            choice.given(sink);
            given.push(sink);
        }
        assert_eq!(given, [0, 2, 0, 2]);
        assert_eq!(choice.next(|_| true, |sink| sink == 1), Some(1), "a busy one is not waited for");
    }

    #[test]
    fn random_takes_only_those_that_can() {
        let mut choice = Choice::Random { members: 4, random: Random::seeded(7) };
        for _ in 0..50 {
            let sink = choice.next(|sink| sink % 2 == 1, |_| true).expect("two are live");
            assert_eq!(sink % 2, 1);
            choice.given(sink);
        }
        assert_eq!(choice.next(|_| false, |_| true), None);
    }
}

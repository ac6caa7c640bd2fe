//! Which sink of a group gets the next delivery.

use runtime::random::Random;

/// A group's order among those of its sinks that can be given something now.
pub(crate) enum SinkSelection {
    /// The first of this order. Source: Flume's failover and default processors.
    Priority(Vec<usize>),
    /// One after the other. Source: Flume's load balancing processor, `round_robin`.
    RoundRobin(Turns),
    /// Any. Source: the same, `random`.
    Random { members: usize, random: Random },
}

/// How many turns each sink has had. One that was passed over because it was busy has its turns later, as soon as it has
/// room; so all have the same number while there is room for all, and not the quickest the most.
pub(crate) struct Turns {
    had: Vec<u64>,
    next: usize,
}

impl Turns {
    /// The one with the fewest turns, and of several the next one round.
    fn pick(&self, able: impl Fn(usize) -> bool) -> Option<usize> {
        let members = self.had.len();
        let round = (0..members).map(|step| (self.next + step) % members);
        round.filter(|sink| able(*sink)).min_by_key(|sink| self.had[*sink])
    }

    fn had(&mut self, sink: usize) {
        self.had[sink] += 1;
        self.next = (sink + 1) % self.had.len();
        // What one has missed for long is not made up for: it would get everything then.
        let least = self.had[sink].saturating_sub(MOST_MISSED);
        self.had.iter_mut().for_each(|had| *had = (*had).max(least));
    }

    /// Begins anew with `sink`, which has just come back: what the others had meanwhile is theirs.
    fn back(&mut self, sink: usize) {
        let most = self.had.iter().copied().max().unwrap_or_default();
        self.had[sink] = most;
    }
}

impl SinkSelection {
    /// Turns for so many sinks.
    pub(crate) fn round_robin(members: usize) -> SinkSelection {
        SinkSelection::RoundRobin(Turns { had: vec![0; members], next: 0 })
    }

    /// Sinks by falling priority; those of equal priority in the order written. (Flume leaves the second of two equals out
    /// for good.)
    pub(crate) fn by_priority(priorities: &[i64]) -> SinkSelection {
        let mut order: Vec<usize> = (0..priorities.len()).collect();
        order.sort_by_key(|sink| std::cmp::Reverse(priorities[*sink]));
        SinkSelection::Priority(order)
    }

    /// [`SinkSelection::next_awaiting`] when nobody is awaited.
    #[cfg(test)]
    pub(crate) fn next(&self, live: impl Fn(usize) -> bool, credit: impl Fn(usize) -> bool) -> Option<usize> {
        self.next_awaiting(live, |_| false, credit)
    }

    /// The sink for the next delivery. `live` says which may be given events at all, `credit` which have room for one
    /// more: the first by priority is waited for, a busy one of many equals is not. One that is `awaited` (not live
    /// yet, but about to be) goes by priority, too: nobody of lower priority is taken before it.
    pub(crate) fn next_awaiting(
        &self,
        live: impl Fn(usize) -> bool,
        awaited: impl Fn(usize) -> bool,
        credit: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        match self {
            SinkSelection::Priority(order) => {
                let first = order.iter().copied().find(|sink| live(*sink) || awaited(*sink));
                first.filter(|sink| live(*sink) && credit(*sink))
            }
            // Nobody has a turn before all that are about to answer are there.
            SinkSelection::RoundRobin(turns) if (0..turns.had.len()).any(awaited) => None,
            SinkSelection::RoundRobin(turns) => turns.pick(|sink| live(sink) && credit(sink)),
            SinkSelection::Random { members, random } => {
                let able: Vec<usize> = (0..*members).filter(|sink| live(*sink) && credit(*sink)).collect();
                able.get(random.peek_below(able.len())).copied()
            }
        }
    }

    /// Whether deliveries arrive in the order in which they were given: one sink has all of them, until another is
    /// preferred.
    pub(crate) fn keeps_order(&self) -> bool {
        matches!(self, SinkSelection::Priority(_))
    }

    /// `sink` can be given deliveries again.
    pub(crate) fn back(&mut self, sink: usize) {
        if let SinkSelection::RoundRobin(turns) = self {
            turns.back(sink);
        }
    }

    /// `sink` was given a delivery.
    pub(crate) fn given(&mut self, sink: usize) {
        match self {
            SinkSelection::Priority(_) => {}
            SinkSelection::RoundRobin(turns) => turns.had(sink),
            SinkSelection::Random { random, .. } => random.advance(),
        }
    }
}

/// Turns that a busy sink may make up for.
const MOST_MISSED: u64 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_live_priority_is_taken_and_waited_for() {
        let selection = SinkSelection::by_priority(&[1, 10, 5]);
        assert_eq!(selection.next(|_| true, |_| true), Some(1));
        assert_eq!(selection.next(|sink| sink != 1, |_| true), Some(2));
        assert_eq!(selection.next(|_| true, |sink| sink != 1), None, "it is busy, not dead");
        assert_eq!(selection.next(|_| false, |_| true), None);
    }

    #[test]
    fn a_standby_does_not_go_before_a_primary_that_is_about_to_answer() {
        let selection = SinkSelection::by_priority(&[10, 1]);
        assert_eq!(selection.next_awaiting(|sink| sink == 1, |sink| sink == 0, |_| true), None);
        assert_eq!(selection.next_awaiting(|sink| sink == 0, |sink| sink == 1, |_| true), Some(0));
    }

    #[test]
    fn equal_priorities_go_in_the_order_written() {
        assert_eq!(SinkSelection::by_priority(&[3, 3]).next(|_| true, |_| true), Some(0));
    }

    #[test]
    fn round_robin_goes_round_those_that_can() {
        let mut selection = SinkSelection::round_robin(3);
        let mut given = Vec::new();
        for _ in 0..4 {
            let sink = selection.next(|sink| sink != 1, |_| true).expect("two are live");
            selection.given(sink);
            given.push(sink);
        }
        assert_eq!(given, [0, 2, 0, 2]);
        assert_eq!(selection.next(|_| true, |sink| sink == 1), Some(1), "a busy one is not waited for");
    }

    /// 300 deliveries to three sinks of which `able` can be given the next one; how many each got.
    fn shares(selection: &mut SinkSelection, able: impl Fn(usize, usize) -> bool) -> [usize; 3] {
        let mut shares = [0; 3];
        for number in 0..300 {
            let sink = selection.next(|sink| able(sink, number), |_| true).expect("some are live");
            selection.given(sink);
            shares[sink] += 1;
        }
        shares
    }

    #[test]
    fn turns_are_exact_while_all_have_room_and_after_a_recovery_and_after_a_busy_moment() {
        let mut selection = SinkSelection::round_robin(3);
        assert_eq!(shares(&mut selection, |_, _| true), [100, 100, 100]);
        assert_eq!(
            shares(&mut selection, |sink, _| sink != 1),
            [150, 0, 150],
            "its share goes to all others"
        );
        selection.back(1);
        assert_eq!(shares(&mut selection, |_, _| true), [100, 100, 100]);
        assert_eq!(shares(&mut selection, |sink, number| sink != 2 || number % 10 > 3), [100, 100, 100]);
        let busy = shares(&mut selection, |sink, number| sink != 2 || number > 200);
        assert!(busy[2] <= 33 + MOST_MISSED as usize, "{busy:?}");
    }

    #[test]
    fn nobody_has_a_turn_before_those_are_there_that_are_about_to_answer() {
        let selection = SinkSelection::round_robin(2);
        assert_eq!(selection.next_awaiting(|sink| sink == 0, |sink| sink == 1, |_| true), None);
        assert_eq!(selection.next_awaiting(|sink| sink == 0, |_| false, |_| true), Some(0));
    }

    #[test]
    fn random_takes_only_those_that_can() {
        let mut selection = SinkSelection::Random { members: 4, random: Random::seeded(7) };
        for _ in 0..50 {
            let sink = selection.next(|sink| sink % 2 == 1, |_| true).expect("two are live");
            assert_eq!(sink % 2, 1);
            selection.given(sink);
        }
        assert_eq!(selection.next(|_| false, |_| true), None);
    }
}

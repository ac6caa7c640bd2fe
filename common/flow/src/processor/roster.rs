//! Which sinks of a group are well, which rest, and when to look after those that rest.

use crate::clock::{Duration, Instant};

/// The health of a group's sinks. Holds no clock and no sink: the caller says what time it is and how each try ended.
///
/// A sink that fails rests, longer after each failure in a row; when its rest is over it is probed in the background, so
/// that no event ever waits for a dead one. Only events that arrived make its failures forgotten, not a connection alone.
pub(crate) struct Roster {
    members: Vec<Member>,
    rest: Rest,
    patient_until: Instant,
}

/// How long a failed sink rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    /// `2^failures` seconds, at most so long. Source: Flume 1.11 `FailoverSinkProcessor`. One difference: Flume's shift
    /// overflows at the 22nd failure in a row and the rest falls to nothing; here it stays at the maximum.
    Penalty(Duration),
    /// 100 ms, doubled up to 5 s: for a sink that nobody stands in for. Flume waits 5 s, always.
    Retry,
}

struct Member {
    health: HealthOf,
    failures: u32,
    tried: Option<Instant>,
    heard: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum HealthOf {
    Live,
    Resting { until: Instant },
}

impl Roster {
    /// All members rest until `now`: they are to be probed at once.
    pub(crate) fn new(members: usize, rest: Rest, now: Instant) -> Roster {
        let resting =
            || Member { health: HealthOf::Resting { until: now }, failures: 0, tried: None, heard: false };
        Roster { members: (0..members).map(|_| resting()).collect(), rest, patient_until: now + FIRST_ANSWER }
    }

    /// Whether events may be given to `sink`.
    pub(crate) fn is_live(&self, sink: usize) -> bool {
        self.members[sink].health == HealthOf::Live
    }

    /// Whether `sink` was never heard of, and may still answer its first probe in a moment: events that come with the
    /// start of a process are not given to the standby only because its handshake was the quicker one.
    pub(crate) fn is_awaited(&self, sink: usize, now: Instant) -> bool {
        let member = &self.members[sink];
        member.health != HealthOf::Live && !member.heard && now < self.patient_until
    }

    /// When nobody is awaited any more.
    pub(crate) fn patient_until(&self) -> Instant {
        self.patient_until
    }

    fn none_live(&self) -> bool {
        self.members.iter().all(|member| member.health != HealthOf::Live)
    }

    /// A live sink failed: it rests from `now`. Answers for how long, or `None` when it rested already, so that the many
    /// parcels that fail together with one connection count as one failure.
    pub(crate) fn failed(&mut self, sink: usize, now: Instant) -> Option<Duration> {
        if !self.is_live(sink) {
            return None;
        }
        Some(self.rest_longer(sink, now))
    }

    /// A probe of a resting sink failed at `now`. One that came before the rest was over (see [`Roster::due`]) does not
    /// make it longer.
    pub(crate) fn probe_failed(&mut self, sink: usize, now: Instant) {
        self.members[sink].tried = Some(now);
        self.members[sink].heard = true;
        if let HealthOf::Resting { until } = self.members[sink].health
            && until <= now
        {
            self.rest_longer(sink, now);
        }
    }

    fn rest_longer(&mut self, sink: usize, now: Instant) -> Duration {
        let member = &mut self.members[sink];
        member.failures = member.failures.saturating_add(1);
        let rest = match self.rest {
            Rest::Penalty(most) => Duration::from_secs(2u64.saturating_pow(member.failures)).min(most),
            Rest::Retry => RETRY.saturating_mul(2u32.saturating_pow(member.failures - 1)).min(LONGEST_RETRY),
        };
        member.tried = Some(now);
        member.health = HealthOf::Resting { until: now + rest };
        rest
    }

    /// A probe succeeded: events may go to `sink` again.
    pub(crate) fn recovered(&mut self, sink: usize) {
        self.members[sink].heard = true;
        self.members[sink].health = HealthOf::Live;
    }

    /// Events arrived at `sink`: what failed before is forgotten.
    pub(crate) fn delivered(&mut self, sink: usize) {
        self.members[sink].failures = 0;
    }

    /// The sinks to probe at `now`: those whose rest is over, and while none is live also those that were not tried for a
    /// moment, so that events flow again as soon as anybody is back.
    pub(crate) fn due(&self, now: Instant) -> impl Iterator<Item = usize> + '_ {
        let all_down = self.none_live();
        (0..self.members.len()).filter(move |sink| self.due_at(*sink, all_down).is_some_and(|at| at <= now))
    }

    /// When [`Roster::due`] will next have something new to say of those sinks that `which` names.
    pub(crate) fn next_due(&self, which: impl Fn(usize) -> bool) -> Option<Instant> {
        let all_down = self.none_live();
        (0..self.members.len())
            .filter(|sink| which(*sink))
            .filter_map(|sink| self.due_at(sink, all_down))
            .min()
    }

    fn due_at(&self, sink: usize, all_down: bool) -> Option<Instant> {
        let member = &self.members[sink];
        let HealthOf::Resting { until } = member.health else { return None };
        let early = member.tried.map(|tried| tried + EAGER).filter(|_| all_down);
        Some(early.map_or(until, |early| early.min(until)))
    }
}

/// How long a first answer is waited for. A JVM that has just started takes its time.
const FIRST_ANSWER: Duration = Duration::from_secs(2);
const RETRY: Duration = Duration::from_millis(100);
const LONGEST_RETRY: Duration = Duration::from_secs(5);
/// How often each sink is tried while none is live. A refused connection costs a few microseconds.
const EAGER: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn live(members: usize, rest: Rest, now: Instant) -> Roster {
        let mut roster = Roster::new(members, rest, now);
        (0..members).for_each(|sink| roster.recovered(sink));
        roster
    }

    #[test]
    fn penalties_double_up_to_the_maximum_and_never_overflow() {
        let mut now = crate::clock::now();
        let mut roster = live(2, Rest::Penalty(secs(30)), now);
        let mut rests = vec![roster.failed(0, now).expect("it was live").as_secs()];
        for _ in 0..40 {
            let due = roster.next_due(|_| true).expect("one rests");
            rests.push((due - now).as_secs());
            now = due;
            roster.probe_failed(0, now);
        }
        assert_eq!(rests[..7], [2, 2, 4, 8, 16, 30, 30]);
        assert!(rests[6..].iter().all(|rest| *rest == 30));
    }

    #[test]
    fn many_parcels_that_fail_together_are_one_failure() {
        let now = crate::clock::now();
        let mut roster = live(2, Rest::Penalty(secs(30)), now);
        assert_eq!(roster.failed(0, now), Some(secs(2)));
        assert_eq!(roster.failed(0, now), None);
        assert!(roster.is_live(1));
    }

    #[test]
    fn a_connection_alone_does_not_forgive_but_a_delivery_does() {
        let now = crate::clock::now();
        let mut roster = live(2, Rest::Penalty(secs(30)), now);
        roster.failed(0, now);
        roster.recovered(0);
        assert_eq!(roster.failed(0, now), Some(secs(4)));
        roster.recovered(0);
        roster.delivered(0);
        assert_eq!(roster.failed(0, now), Some(secs(2)));
    }

    #[test]
    fn while_all_are_down_each_is_tried_often_but_rests_as_long() {
        let start = crate::clock::now();
        let mut roster = live(2, Rest::Penalty(secs(30)), start);
        roster.failed(0, start);
        assert_eq!(roster.next_due(|_| true), Some(start + secs(2)), "the other one is live");
        roster.failed(1, start);
        assert_eq!(roster.next_due(|_| true), Some(start + EAGER));
        roster.probe_failed(0, start + EAGER);
        roster.probe_failed(1, start + EAGER);
        assert_eq!(roster.due(start + EAGER).count(), 0);
        assert_eq!(roster.due(start + EAGER * 2).collect::<Vec<_>>(), [0, 1]);
        roster.recovered(1);
        assert_eq!(
            roster.next_due(|_| true),
            Some(start + secs(2)),
            "the penalty of the first is what it was"
        );
    }

    #[test]
    fn a_lone_sink_is_tried_soon_and_at_last_every_five_seconds() {
        let mut now = crate::clock::now();
        let mut roster = live(1, Rest::Retry, now);
        roster.failed(0, now);
        for _ in 0..100 {
            now = roster.next_due(|_| true).expect("it rests");
            roster.probe_failed(0, now);
        }
        assert!(roster.next_due(|_| true).expect("it rests") - now <= EAGER);
    }
}

//! Which sinks of a group are well, which rest, and when to look after those that rest.

use runtime::clock::{Duration, Instant};

/// The health of a group's sinks. Holds no clock and no sink: the caller says what time it is and how each try ended.
///
/// A sink that fails rests, longer after each failure in a row; when its rest is over it is probed in the background, so
/// that no event ever waits for a dead one. One that is back is on trial: it is given one batch, and more when that has
/// arrived. Only events that arrived make its failures forgotten, not a connection alone.
pub(crate) struct SinkHealth {
    members: Vec<Member>,
    backoff: Backoff,
    patient_until: Instant,
}

/// How long a failed sink rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backoff {
    /// `2^failures` seconds, at most so long. Source: Flume 1.11 `FailoverSinkProcessor`. One difference: Flume's shift
    /// overflows at the 22nd failure in a row and the rest falls to nothing; here it stays at the maximum.
    Penalty(Duration),
    /// 100 ms, doubled up to 5 s: for a sink that nobody stands in for. Flume waits 5 s, always.
    Retry,
}

/// How a sink failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Its connection failed, with a batch of so many bytes under way, or without one.
    Connection(usize),
    /// It was given a batch of so many bytes and did not take it.
    Batch(usize),
}

struct Member {
    health: HealthOf,
    failures: u32,
    /// How many batches in a row it did not take.
    refused: u32,
    trial: Option<Trial>,
    tried: Option<Instant>,
    heard: bool,
}

/// What a sink that failed has to show before it is trusted.
#[derive(Clone, Copy)]
struct Trial {
    /// A batch that is as large as this one has arrived: a way that loses large packets passes small ones.
    bytes: usize,
    /// Or it was well for as long as it rested, whatever it was given.
    rested: Duration,
    since: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum HealthOf {
    Live,
    Resting { until: Instant },
}

impl SinkHealth {
    /// All members rest until `now`: they are to be probed at once.
    pub(crate) fn new(members: usize, backoff: Backoff, now: Instant) -> SinkHealth {
        let resting = || Member {
            health: HealthOf::Resting { until: now },
            failures: 0,
            refused: 0,
            trial: None,
            tried: None,
            heard: false,
        };
        SinkHealth {
            members: (0..members).map(|_| resting()).collect(),
            backoff,
            patient_until: now + FIRST_ANSWER,
        }
    }

    /// Whether events may be given to `sink`.
    pub(crate) fn is_live(&self, sink: usize) -> bool {
        self.members[sink].health == HealthOf::Live
    }

    /// Whether `sink` is back after a failure and has not shown yet that it takes events: it is given one batch at a time.
    pub(crate) fn is_on_trial(&self, sink: usize) -> bool {
        self.members[sink].trial.is_some()
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

    /// A sink failed: if it was live it rests from `now`. `false` when it rested already, so that the many batches that
    /// fail together with one connection count as one failure.
    pub(crate) fn failed(&mut self, sink: usize, now: Instant, failure: Failure) -> bool {
        let was_live = self.is_live(sink);
        if was_live {
            self.members[sink].refused += u32::from(matches!(failure, Failure::Batch(_)));
            self.back_off(sink, now);
        }
        let rested = self.rested(sink);
        let (Failure::Connection(bytes) | Failure::Batch(bytes)) = failure;
        let before = self.members[sink].trial.map_or(0, |trial| trial.bytes);
        let bytes = before.max(bytes.min(LARGE));
        self.members[sink].trial = Some(Trial { bytes, rested, since: now });
        was_live
    }

    /// A probe of a resting sink failed at `now`. One that came before the rest was over (see [`SinkHealth::due`]) does
    /// not make it longer. Whoever is `unreachable` is not the one that refused: it is tried as soon as it may be back.
    pub(crate) fn probe_failed(&mut self, sink: usize, now: Instant, unreachable: bool) {
        let member = &mut self.members[sink];
        (member.tried, member.heard) = (Some(now), true);
        if unreachable {
            member.refused = 0;
        }
        if let HealthOf::Resting { until } = member.health
            && until <= now
        {
            self.back_off(sink, now);
        }
    }

    fn back_off(&mut self, sink: usize, now: Instant) {
        let member = &mut self.members[sink];
        member.failures = member.failures.saturating_add(1);
        member.tried = Some(now);
        self.members[sink].health = HealthOf::Resting { until: now + self.rested(sink) };
    }

    /// How long it rests after as many failures as it has had.
    fn rested(&self, sink: usize) -> Duration {
        let failures = self.members[sink].failures;
        match self.backoff {
            Backoff::Penalty(most) => Duration::from_secs(2u64.saturating_pow(failures)).min(most),
            Backoff::Retry => doubled(RETRY, failures),
        }
    }

    /// A probe succeeded at `now`: events may go to `sink` again.
    pub(crate) fn recovered(&mut self, sink: usize, now: Instant) {
        let member = &mut self.members[sink];
        (member.heard, member.health) = (true, HealthOf::Live);
        match &mut member.trial {
            Some(trial) => trial.since = now,
            None => member.failures = 0, // it has never had an event that it could lose
        }
    }

    /// A batch of so many bytes arrived at `sink`, which is on trial. `true` when that is over: what failed before is
    /// forgotten.
    pub(crate) fn delivered(&mut self, sink: usize, bytes: usize, now: Instant) -> bool {
        if !self.is_live(sink) {
            return false; // what it had before it failed
        }
        let member = &mut self.members[sink];
        let passed = |trial: &mut Trial| trial.bytes <= bytes || trial.since + trial.rested <= now;
        let is_over = member.trial.take_if(passed).is_some();
        if is_over {
            (member.failures, member.refused) = (0, 0);
        }
        is_over
    }

    /// The sinks to probe at `now`: those whose rest is over, and while none is live also those that were not tried for a
    /// moment, so that events flow again as soon as anybody is back. The moment grows for one that is there and takes no
    /// events: each of its trials costs a batch.
    pub(crate) fn due(&self, now: Instant) -> impl Iterator<Item = usize> + '_ {
        let all_down = self.none_live();
        (0..self.members.len()).filter(move |sink| self.due_at(*sink, all_down).is_some_and(|at| at <= now))
    }

    /// When [`SinkHealth::due`] will next have something new to say of those sinks that `which` names.
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
        let early = member.tried.map(|tried| tried + doubled(EAGER, member.refused)).filter(|_| all_down);
        Some(early.map_or(until, |early| early.min(until)))
    }
}

/// `first`, doubled with each time after the first, up to [`LONGEST_RETRY`].
fn doubled(first: Duration, times: u32) -> Duration {
    first.saturating_mul(2u32.saturating_pow(times.saturating_sub(1))).min(LONGEST_RETRY)
}

/// A batch of this size shows as much as any: larger than whatever a network passes in one piece.
const LARGE: usize = 64 << 10;
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

    const LOST: Failure = Failure::Connection(0);

    fn live(members: usize, backoff: Backoff, now: Instant) -> SinkHealth {
        let mut health = SinkHealth::new(members, backoff, now);
        (0..members).for_each(|sink| health.recovered(sink, now));
        health
    }

    #[test]
    fn penalties_double_up_to_the_maximum_and_never_overflow() {
        let mut now = runtime::clock::now();
        let mut health = live(2, Backoff::Penalty(secs(30)), now);
        assert!(health.failed(0, now, LOST));
        let mut rests = vec![health.rested(0).as_secs()];
        for _ in 0..40 {
            let due = health.next_due(|_| true).expect("one rests");
            rests.push((due - now).as_secs());
            now = due;
            health.probe_failed(0, now, true);
        }
        assert_eq!(rests[..7], [2, 2, 4, 8, 16, 30, 30]);
        assert!(rests[6..].iter().all(|backoff| *backoff == 30));
    }

    #[test]
    fn many_deliveries_that_fail_together_are_one_failure() {
        let now = runtime::clock::now();
        let mut health = live(2, Backoff::Penalty(secs(30)), now);
        assert!(health.failed(0, now, LOST));
        assert!(!health.failed(0, now, LOST));
        assert_eq!(health.rested(0), secs(2));
        assert!(health.is_live(1));
    }

    #[test]
    fn a_connection_alone_does_not_forgive_but_a_delivery_does() {
        let now = runtime::clock::now();
        let mut health = live(2, Backoff::Penalty(secs(30)), now);
        health.failed(0, now, LOST);
        health.recovered(0, now);
        health.failed(0, now, LOST);
        assert_eq!(health.rested(0), secs(4));
        health.recovered(0, now);
        assert!(health.delivered(0, 1, now));
        health.failed(0, now, LOST);
        assert_eq!(health.rested(0), secs(2));
    }

    #[test]
    fn while_all_are_down_each_is_tried_often_but_rests_as_long() {
        let start = runtime::clock::now();
        let mut health = live(2, Backoff::Penalty(secs(30)), start);
        health.failed(0, start, LOST);
        assert_eq!(health.next_due(|_| true), Some(start + secs(2)), "the other one is live");
        health.failed(1, start, LOST);
        assert_eq!(health.next_due(|_| true), Some(start + EAGER));
        health.probe_failed(0, start + EAGER, true);
        health.probe_failed(1, start + EAGER, true);
        assert_eq!(health.due(start + EAGER).count(), 0);
        assert_eq!(health.due(start + EAGER * 2).collect::<Vec<_>>(), [0, 1]);
        health.recovered(1, start);
        assert_eq!(
            health.next_due(|_| true),
            Some(start + secs(2)),
            "the penalty of the first is what it was"
        );
    }

    #[test]
    fn a_lone_sink_is_tried_soon_and_at_last_every_five_seconds() {
        let mut now = runtime::clock::now();
        let mut health = live(1, Backoff::Retry, now);
        health.failed(0, now, LOST);
        for _ in 0..100 {
            now = health.next_due(|_| true).expect("it rests");
            health.probe_failed(0, now, true);
        }
        assert!(health.next_due(|_| true).expect("it rests") - now <= EAGER);
    }

    /// How many batches one sink is given in 20 s, and when, if it is up the moment it is probed and takes none.
    fn trials(backoff: Backoff, failure: impl Fn(u32) -> Failure) -> Vec<u64> {
        let start = runtime::clock::now();
        let (mut now, mut health, mut at) = (start, live(1, backoff, start), Vec::new());
        while now < start + secs(20) {
            at.push((now - start).as_millis() as u64);
            assert!(health.failed(0, now, failure(at.len() as u32)));
            now = health.next_due(|_| true).expect("it rests");
            assert_eq!(health.due(now).count(), 1);
            health.recovered(0, now);
            assert!(health.is_on_trial(0));
        }
        at
    }

    #[test]
    fn a_batch_that_is_refused_is_tried_less_and_less_often_though_the_connection_comes_back_each_time() {
        let refused = |_| Failure::Batch(1000);
        let lone = trials(Backoff::Retry, refused);
        assert_eq!(lone, [0, 100, 300, 700, 1_500, 3_100, 6_300, 11_300, 16_300]);
        // The last of a failover group that is up: sooner than its penalty, and less and less often, too.
        let last = trials(Backoff::Penalty(secs(30)), refused);
        assert_eq!(last, [0, 250, 750, 1_750, 3_750, 7_750, 12_750, 17_750]);
    }

    #[test]
    fn a_peer_that_went_away_after_refusing_is_tried_as_soon_as_it_may_be_back() {
        let mut now = runtime::clock::now();
        let mut health = live(1, Backoff::Retry, now);
        for _ in 0..9 {
            health.failed(0, now, Failure::Batch(1));
            now = health.next_due(|_| true).expect("it rests");
            health.recovered(0, now);
        }
        health.failed(0, now, LOST);
        now = health.next_due(|_| true).expect("it rests");
        health.probe_failed(0, now, true);
        assert_eq!(health.next_due(|_| true), Some(now + EAGER));
    }

    #[test]
    fn a_small_batch_proves_nothing_where_a_large_one_was_lost_but_time_does() {
        let start = runtime::clock::now();
        let mut health = live(2, Backoff::Penalty(secs(30)), start);
        // Of those that were lost together the largest counts.
        for bytes in [500, 9_000, 20] {
            health.failed(0, start, Failure::Connection(bytes));
        }
        health.recovered(0, start + secs(2));
        assert!(!health.delivered(0, 8_999, start + secs(3)) && health.is_on_trial(0));
        health.failed(0, start + secs(3), LOST);
        assert_eq!(health.rested(0), secs(4), "it is not forgiven");
        health.recovered(0, start + secs(7));
        assert!(!health.delivered(0, 20, start + secs(10)));
        assert!(health.delivered(0, 20, start + secs(11)), "it was well as long as it rested");
        assert!(!health.is_on_trial(0));
        health.failed(0, start + secs(12), Failure::Batch(14 << 20));
        health.recovered(0, start + secs(14));
        assert!(health.delivered(0, 64 << 10, start + secs(14)), "no network has larger packets");
    }
}

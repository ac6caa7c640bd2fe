//! When a file is full, and when its time has come. No clock: the caller says what time it is.

use runtime::clock::{Duration, Instant};

/// `hdfs.rollInterval`, `hdfs.rollSize`, `hdfs.rollCount` and `hdfs.idleTimeout`. Zero switches each of them off.
///
/// Source: Flume 1.11 `BucketWriter`: size and count are looked at before the next event is written, so that a full file
/// stays open until one comes; only the bytes of bodies count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RollPolicy {
    /// From its opening on.
    pub(crate) interval: Duration,
    /// Bytes of bodies.
    pub(crate) size: u64,
    /// Events.
    pub(crate) count: u64,
    /// From the last delivery on.
    pub(crate) idle: Duration,
}

/// What a file holds, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Filled {
    pub(crate) opened: Instant,
    pub(crate) used: Instant,
    pub(crate) bytes: u64,
    pub(crate) events: u64,
}

impl Filled {
    /// Of a new file.
    pub(crate) fn new(now: Instant) -> Filled {
        Filled { opened: now, used: now, bytes: 0, events: 0 }
    }

    /// One event more, with a body of so many bytes.
    pub(crate) fn add(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        self.events += 1;
    }
}

impl RollPolicy {
    /// Whether the next event begins a new file.
    pub(crate) fn is_full(&self, filled: &Filled) -> bool {
        (self.count > 0 && filled.events >= self.count) || (self.size > 0 && filled.bytes >= self.size)
    }

    /// When the file is closed though nothing comes.
    pub(crate) fn due(&self, filled: &Filled) -> Option<Instant> {
        let at = |since: Instant, pause: Duration| (!pause.is_zero()).then(|| since + pause);
        let (rolls, idles) = (at(filled.opened, self.interval), at(filled.used, self.idle));
        rolls.into_iter().chain(idles).min()
    }
}

/// How long each attempt to write a batch may take: the first one has `callTimeout`; those in a new file, which may meet the
/// same frozen node, have an eighth of it, so that several fit before a second `callTimeout` has passed.
pub(crate) fn attempt_limit(attempt: u32, call_timeout: Duration) -> Duration {
    if attempt == 0 { call_timeout } else { (call_timeout / 8).max(LEAST_ATTEMPT) }
}

/// How many copies a file has that is begun after so many failed attempts: `None` as the store says. One copy meets one node
/// that has frozen only by chance; the store makes the others when the file is complete.
pub(crate) fn replication(attempt: u32) -> Option<u32> {
    (attempt > 0).then_some(1)
}

/// Attempts to write a batch before it goes back to its channel.
pub(crate) const MOST_ATTEMPTS: u32 = 8;
/// Less is no time for a store that is well.
const LEAST_ATTEMPT: Duration = Duration::from_millis(250);

/// How often closing, recovering and renaming a file is tried, and how long is waited in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClosePolicy {
    /// `hdfs.closeTries`; `None` without end.
    pub(crate) tries: Option<u32>,
    /// `hdfs.retryInterval`
    pub(crate) interval: Duration,
}

impl ClosePolicy {
    /// How long to wait after so many tries that failed; `None`: it is given up.
    pub(crate) fn pause(&self, failed: u32) -> Option<Duration> {
        self.tries.is_none_or(|tries| failed < tries).then_some(self.interval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::clock;

    const SECOND: Duration = Duration::from_secs(1);

    fn policy(interval: u32, size: u64, count: u64, idle: u32) -> RollPolicy {
        RollPolicy { interval: SECOND * interval, size, count, idle: SECOND * idle }
    }

    #[test]
    fn a_file_is_full_when_the_limit_is_reached_and_never_when_there_is_none() {
        let mut filled = Filled::new(clock::now());
        let (by_count, by_size, never) = (policy(0, 0, 3, 0), policy(0, 10, 0, 0), policy(0, 0, 0, 0));
        let mut seen = Vec::new();
        for _ in 0..4 {
            seen.push([by_count, by_size, never].map(|policy| policy.is_full(&filled)));
            filled.add(5);
        }
        assert_eq!(seen, [[false; 3], [false; 3], [false, true, false], [true, true, false]]);
    }

    #[test]
    fn the_earlier_of_interval_and_idle_time_closes_a_file() {
        let start = clock::now();
        let mut filled = Filled::new(start);
        filled.used = start + 4 * SECOND;
        for (policy, expected) in [
            (policy(30, 0, 0, 0), Some(30)),
            (policy(30, 0, 0, 5), Some(9)),
            (policy(6, 0, 0, 5), Some(6)),
            (policy(0, 1, 1, 0), None),
        ] {
            assert_eq!(policy.due(&filled), expected.map(|seconds| start + seconds * SECOND));
        }
    }

    #[test]
    fn all_attempts_together_stay_below_two_call_timeouts() {
        for timeout in [Duration::from_secs(5), Duration::from_secs(30)] {
            let all: Duration = (0..MOST_ATTEMPTS).map(|attempt| attempt_limit(attempt, timeout)).sum();
            assert!(all < 2 * timeout, "{all:?}");
        }
        assert_eq!([replication(0), replication(1), replication(7)], [None, Some(1), Some(1)]);
    }

    #[test]
    fn closing_is_given_up_after_its_tries_or_never() {
        let three = ClosePolicy { tries: Some(3), interval: SECOND };
        assert_eq!([1, 2, 3].map(|failed| three.pause(failed)), [Some(SECOND), Some(SECOND), None]);
        assert_eq!(ClosePolicy { tries: None, interval: SECOND }.pause(u32::MAX), Some(SECOND));
    }
}

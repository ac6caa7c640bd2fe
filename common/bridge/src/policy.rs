//! Decisions about a JVM and its components. Time is passed in.

use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// How long to wait before a JVM that has died is started again.
#[derive(Debug, Default)]
pub struct Restarts {
    deaths: u32,
    last: Option<Instant>,
}

impl Restarts {
    /// The pause before the next start, for a death at `now`: a second, doubled with each death within five minutes of the
    /// last one, a minute at most.
    pub fn died(&mut self, now: Instant) -> Duration {
        if self.last.is_some_and(|last| now.saturating_duration_since(last) > FORGIVEN_AFTER) {
            self.deaths = 0;
        }
        self.last = Some(now);
        let pause = FIRST_PAUSE.saturating_mul(2u32.saturating_pow(self.deaths)).min(LONGEST_PAUSE);
        self.deaths = self.deaths.saturating_add(1);
        pause
    }
}

/// When a component that does not answer is told about, and when its JVM is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SilenceLimits {
    /// Silence that is told about, once, with the stacks of the component's threads.
    pub tell_after: Duration,
    /// Silence that ends the JVM; `None`: never, as in Flume.
    pub end_after: Option<Duration>,
}

impl Default for SilenceLimits {
    /// A minute is longer than the longest pause of Flume's own sinks; five minutes hold a call to a store that retries.
    fn default() -> SilenceLimits {
        SilenceLimits { tell_after: Duration::from_secs(60), end_after: Some(Duration::from_secs(300)) }
    }
}

/// What to do about a component that has been silent for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Look again after so long.
    Wait(Duration),
    /// Tell about it.
    Tell,
    /// End the JVM.
    End,
}

impl SilenceLimits {
    /// What to do at `now` about one that has been silent since `since`, and that may have been told about.
    pub fn judge(&self, since: Instant, told: bool, now: Instant) -> Verdict {
        let silent = now.saturating_duration_since(since);
        if self.end_after.is_some_and(|end| silent >= end) {
            return Verdict::End;
        }
        if !told && silent >= self.tell_after {
            return Verdict::Tell;
        }
        let next = if told { self.end_after.unwrap_or(FOR_EVER) } else { self.tell_after };
        Verdict::Wait(next.min(self.end_after.unwrap_or(FOR_EVER)).saturating_sub(silent))
    }
}

/// Which batch ends every JVM that it is sent to.
///
/// A batch that makes a component use up the heap would be sent to the next JVM, and so on for ever. Who holds batches asks
/// before it sends one that was under way when a JVM died.
#[derive(Debug, Default)]
pub struct Poison {
    deaths: BTreeMap<u64, u32>,
}

impl Poison {
    /// A JVM died while the batches `under_way` were with it. All others are forgotten: they have got through.
    pub fn died(&mut self, under_way: impl IntoIterator<Item = u64>) {
        let before = std::mem::take(&mut self.deaths);
        self.deaths = under_way
            .into_iter()
            .map(|batch| (batch, before.get(&batch).copied().unwrap_or_default() + 1))
            .collect();
    }

    /// Whether `batch` was under way in three deaths in a row.
    pub fn is_poison(&self, batch: u64) -> bool {
        self.deaths.get(&batch).is_some_and(|deaths| *deaths >= DEATHS_OF_POISON)
    }
}

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
const FORGIVEN_AFTER: Duration = Duration::from_secs(300);
const DEATHS_OF_POISON: u32 = 3;
const FOR_EVER: Duration = Duration::from_secs(u32::MAX as u64);

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_double_up_to_a_minute_and_five_quiet_minutes_forgive() {
        let (mut restarts, start) = (Restarts::default(), crate::clock::now());
        let pauses: Vec<u64> = (0..8).map(|n| restarts.died(start + secs(n * 60)).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(restarts.died(start + secs(7 * 60 + 301)), secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_told_once_and_then_ends_the_jvm() {
        let (silence_limits, start) = (SilenceLimits::default(), crate::clock::now());
        let judge = |told, seconds| silence_limits.judge(start, told, start + secs(seconds));
        assert_eq!(judge(false, 0), Verdict::Wait(secs(60)));
        assert_eq!(judge(false, 59), Verdict::Wait(secs(1)));
        assert_eq!(judge(false, 60), Verdict::Tell);
        assert_eq!(judge(true, 60), Verdict::Wait(secs(240)));
        assert_eq!([judge(true, 300), judge(false, 300)], [Verdict::End, Verdict::End]);
        let patient = SilenceLimits { end_after: None, ..silence_limits };
        assert!(matches!(patient.judge(start, true, start + secs(100_000)), Verdict::Wait(_)));
    }

    #[test]
    fn a_batch_that_was_there_at_three_deaths_in_a_row_is_poison() {
        let mut poison = Poison::default();
        poison.died([1, 2]);
        poison.died([2, 3]);
        assert!(!poison.is_poison(2));
        poison.died([2]);
        assert!(poison.is_poison(2) && !poison.is_poison(3));
        poison.died([]);
        assert!(!poison.is_poison(2), "it got through");
    }
}

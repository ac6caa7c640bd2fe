//! Decisions about a JVM and its components. Time is passed in.

use crate::{
    Fault, Notice,
    life::{Cause, End},
};
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
/// A batch that makes a class exit, use up the heap or hang would be sent to the next JVM, and so on for ever. Who holds
/// batches tells of each that was under way when a JVM died, sends the suspects one at a time from then on, and asks before
/// it sends one again.
#[derive(Debug, Default)]
pub struct Poison {
    suspects: BTreeMap<u64, Suspect>,
    /// A batch that hung was set aside, and none has got through since: it may be what the class waits for that is away.
    doubtful: bool,
}

#[derive(Debug)]
struct Suspect {
    /// Deaths at which it was under way alone.
    deaths: u32,
    hung: bool,
    last: Instant,
}

impl Poison {
    /// A JVM died at `now` while `batch` was under way, `alone` or with others.
    pub fn died(&mut self, batch: u64, alone: bool, fault: Fault, now: Instant) {
        if fault == Fault::Another {
            return;
        }
        let suspect = self.suspects.entry(batch).or_insert(Suspect { deaths: 0, hung: false, last: now });
        suspect.deaths += u32::from(alone);
        (suspect.hung, suspect.last) = (fault == Fault::Hang, now);
    }

    /// A batch has got through: this one, where anybody knows its number.
    pub fn passed(&mut self, batch: Option<u64>) {
        batch.map(|batch| self.suspects.remove(&batch));
        self.doubtful = false;
    }

    /// Whether no batch is under suspicion at `now`. A suspect that nobody has sent again for half an hour is none any more.
    pub fn is_calm(&mut self, now: Instant) -> bool {
        self.suspects.retain(|_, suspect| now.saturating_duration_since(suspect.last) < SUSPECTED_FOR);
        self.suspects.is_empty()
    }

    /// Whether `batch` is to be sent alone.
    pub fn is_suspect(&self, batch: u64) -> bool {
        self.suspects.contains_key(&batch)
    }

    /// Whether `batch` has ended three JVMs alone, and is to be set aside. Of batches that hang only one is until another
    /// batch has got through.
    pub fn is_poison(&self, batch: u64) -> bool {
        self.suspects
            .get(&batch)
            .is_some_and(|suspect| suspect.deaths >= DEATHS_OF_POISON && !(suspect.hung && self.doubtful))
    }

    /// `batch` is set aside.
    pub fn set_aside(&mut self, batch: u64) {
        self.doubtful |= self.suspects.remove(&batch).is_some_and(|suspect| suspect.hung);
    }
}

/// Which component ends JVM after JVM.
///
/// What a source or a channel reads may make it exit or hang, each time anew: nobody else has those events, so that nothing
/// can be set aside. Any component may use up the heap little by little, whichever batch it is at.
#[derive(Debug, Default)]
pub(crate) struct Blame {
    culprit: String,
    /// Whether by what it asked for.
    memory: bool,
    times: u32,
    last: Option<Instant>,
}

impl Blame {
    /// A JVM ended at `now` for `cause`. What is told with every third one in a row of the same component. How a sink or an
    /// interceptor hangs or exits is judged by its batches.
    pub(crate) fn ended(&mut self, cause: &Cause, now: Instant) -> Option<Notice> {
        let culprit = cause.culprit.as_deref()?;
        let memory = cause.end == End::Memory;
        if !memory && !["source ", "channel "].iter().any(|kind| culprit.starts_with(kind)) {
            return None;
        }
        let forgiven = self.last.is_none_or(|last| now.saturating_duration_since(last) > SUSPECTED_FOR);
        if forgiven || self.culprit != culprit || self.memory != memory {
            (self.culprit, self.memory, self.times) = (culprit.to_owned(), memory, 0);
        }
        self.last = Some(now);
        self.times = self.times.saturating_add(1);
        let told = Notice::Repeats { component: culprit.to_owned(), times: self.times, memory };
        self.times.is_multiple_of(DEATHS_OF_POISON).then_some(told)
    }
}

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
const FORGIVEN_AFTER: Duration = Duration::from_secs(300);
const DEATHS_OF_POISON: u32 = 3;
/// Longer than three hangs take.
const SUSPECTED_FOR: Duration = Duration::from_secs(1800);
const FOR_EVER: Duration = Duration::from_secs(u32::MAX as u64);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_source_that_ends_three_jvms_in_a_row_is_told_with_every_third() {
        let (mut blame, start) = (Blame::default(), crate::clock::now());
        let mut ended = |culprit: &str, after| ended(&mut blame, culprit, End::Crash, start + secs(after));
        assert_eq!(
            [1, 2, 3, 4, 5, 6].map(|after| ended("source r1", after)),
            [None, None, Some(3), None, None, Some(6)]
        );
        assert_eq!([7, 8, 9].map(|after| ended("sink k1", after)), [None; 3], "its batch is set aside");
        assert_eq!([10, 11].map(|after| ended("channel c1", after)), [None; 2]);
        assert_eq!(ended("source r1", 12), None, "not in a row");
        assert_eq!(
            [13, 3_000, 3_001].map(|after| ended("source r1", after)),
            [None; 3],
            "half an hour is long ago"
        );
        assert_eq!(ended("source r1", 3_002), Some(3));
    }

    /// How many JVMs it has ended, when that is told.
    fn ended(blame: &mut Blame, culprit: &str, end: End, now: Instant) -> Option<u32> {
        let cause = Cause { text: String::new(), culprit: Some(culprit.to_owned()), end };
        match blame.ended(&cause, now)? {
            Notice::Repeats { component, times, memory } => {
                assert_eq!((component.as_str(), memory), (culprit, end == End::Memory));
                Some(times)
            }
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn any_component_that_uses_up_the_heap_of_three_jvms_in_a_row_is_told() {
        let (mut blame, start) = (Blame::default(), crate::clock::now());
        for title in ["sink k1", "interceptors of source r1", "source r1", "channel c1"] {
            let told = [1, 2, 3].map(|after| ended(&mut blame, title, End::Memory, start + secs(after)));
            assert_eq!(told, [None, None, Some(3)], "{title}");
        }
    }

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

    #[tokio::test(start_paused = true)]
    async fn a_batch_that_has_ended_three_jvms_alone_is_poison() {
        let (mut poison, now) = (Poison::default(), crate::clock::now());
        for batch in [1, 2] {
            poison.died(batch, false, Fault::Crash, now);
            poison.died(batch, true, Fault::Another, now);
        }
        poison.passed(Some(1));
        for _ in 0..2 {
            poison.died(2, true, Fault::Crash, now);
        }
        assert!(!poison.is_poison(2) && poison.is_suspect(2) && !poison.is_suspect(1));
        poison.died(2, true, Fault::Crash, now);
        assert!(poison.is_poison(2) && !poison.is_calm(now));
        poison.set_aside(2);
        assert!(!poison.is_poison(2) && poison.is_calm(now));
        poison.died(3, false, Fault::Crash, now);
        assert!(!poison.is_calm(now + secs(1799)) && poison.is_calm(now + secs(1800)), "it never came again");
    }

    #[tokio::test(start_paused = true)]
    async fn of_batches_that_hang_one_is_set_aside_until_another_one_passes() {
        let (mut poison, now) = (Poison::default(), crate::clock::now());
        let hang =
            |poison: &mut Poison, batch| (0..3).for_each(|_| poison.died(batch, true, Fault::Hang, now));
        hang(&mut poison, 1);
        assert!(poison.is_poison(1));
        poison.set_aside(1);
        hang(&mut poison, 2);
        assert!(!poison.is_poison(2), "what the class waits for is away");
        poison.passed(None);
        assert!(poison.is_poison(2));
    }
}

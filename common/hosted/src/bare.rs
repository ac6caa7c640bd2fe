//! Deliveries that have lost the objects that they came with, and that a class fails to cast. No I/O.

use runtime::clock::{Duration, Instant};
use std::collections::BTreeMap;

/// Which of them are under suspicion, by their numbers in their group.
#[derive(Debug, Default)]
pub(crate) struct Bare(BTreeMap<u64, Suspect>);

#[derive(Debug)]
struct Suspect {
    /// The class has failed while it had nothing else.
    alone: bool,
    last: Instant,
}

impl Bare {
    /// The class has failed to cast at `now`, with these deliveries under way, `alone` or with others.
    pub(crate) fn failed(&mut self, lacking: impl Iterator<Item = u64>, alone: bool, now: Instant) {
        for delivery in lacking {
            let suspect = self.0.entry(delivery).or_insert(Suspect { alone, last: now });
            (suspect.alone, suspect.last) = (suspect.alone || alone, now);
        }
    }

    /// Whether `delivery` is to be set aside.
    pub(crate) fn holds(&self, delivery: u64) -> bool {
        self.0.get(&delivery).is_some_and(|suspect| suspect.alone)
    }

    /// `delivery` has arrived or is set aside.
    pub(crate) fn forget(&mut self, delivery: u64) {
        self.0.remove(&delivery);
    }

    /// Whether none is under suspicion at `now`. One that has not come for so long was delivered by another sink.
    pub(crate) fn is_calm(&mut self, now: Instant) -> bool {
        self.0.retain(|_, suspect| now.saturating_duration_since(suspect.last) < SUSPECTED_FOR);
        self.0.is_empty()
    }
}

/// Longer than any pause before the group tries again.
const SUSPECTED_FOR: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::clock;

    #[tokio::test(start_paused = true)]
    async fn only_a_delivery_with_which_the_class_has_failed_alone_is_to_be_set_aside() {
        let (mut bare, now) = (Bare::default(), clock::now());
        bare.failed([1, 2, 3].into_iter(), false, now);
        assert!(![1, 2, 3].iter().any(|delivery| bare.holds(*delivery)) && !bare.is_calm(now));
        bare.failed([2].into_iter(), true, now);
        bare.failed([2].into_iter(), false, now);
        assert_eq!([1, 2, 3].map(|delivery| bare.holds(delivery)), [false, true, false]);
        [1, 2].iter().for_each(|delivery| bare.forget(*delivery));
        assert!(!bare.holds(2) && !bare.is_calm(now + SUSPECTED_FOR / 2));
        assert!(bare.is_calm(now + SUSPECTED_FOR), "another sink has delivered it");
    }
}

//! Of deliveries that have failed: which of their events had arrived.

use event::Batch;
use flow::sink::known::{Known, places};
use std::collections::BTreeSet;

/// Which events have arrived, of those that were given back.
#[derive(Default)]
pub(super) struct Arrived(Known<bool>);

impl Arrived {
    /// The events of `batches` that are to be sent, by their number; `None`: all of them. What was given back comes `first`.
    pub(super) fn left_of(&mut self, batches: &[Batch], first: bool) -> Option<BTreeSet<usize>> {
        if first && self.0.went_elsewhere(batches) {
            self.0.clear();
        }
        if self.0.is_empty() {
            return None;
        }
        let places = batches.iter().flat_map(places).enumerate();
        Some(
            places.filter(|(_, place)| self.0.get(*place) != Some(&true)).map(|(number, _)| number).collect(),
        )
    }

    /// These were not delivered: of them, those whose numbers are `open` have not arrived.
    pub(super) fn remember(&mut self, batches: &[Batch], open: &BTreeSet<usize>) {
        let events: usize = batches.iter().map(Batch::len).sum();
        if !self.0.has_room(batches) {
            self.0.clear();
        }
        self.0.remember(batches, (0..events).map(|number| !open.contains(&number)));
    }

    /// These were delivered: they do not come again.
    pub(super) fn forget(&mut self, batches: &[Batch]) {
        self.0.forget(batches);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::testing::batch;

    fn left(arrived: &mut Arrived, batches: &[Batch]) -> Option<Vec<usize>> {
        arrived.left_of(batches, true).map(|left| left.into_iter().collect())
    }

    #[test]
    fn what_had_arrived_is_not_sent_again_however_it_is_cut() {
        let (mut arrived, first, second) = (Arrived::default(), batch(0..4), batch(4..6));
        let both = [first.clone(), second.clone()];
        assert_eq!(left(&mut arrived, &both), None);
        arrived.remember(&both, &BTreeSet::from([1, 4]));
        let mut rest = first;
        let front = [rest.split_to(2)];
        assert_eq!(left(&mut arrived, &front), Some(vec![1]));
        arrived.forget(&front);
        let back = [rest, second, batch(6..7)];
        assert_eq!(left(&mut arrived, &back), Some(vec![2, 4]));
        // It fails once more; by now the new event has arrived.
        arrived.remember(&back, &BTreeSet::from([2]));
        assert_eq!(left(&mut arrived, &back), Some(vec![2]));
        arrived.forget(&back);
        assert!(arrived.0.is_empty());
    }

    #[test]
    fn what_went_to_another_sink_is_forgotten() {
        let (mut arrived, failed) = (Arrived::default(), [batch(0..4)]);
        arrived.remember(&failed, &BTreeSet::from([0]));
        assert_eq!(left(&mut arrived, &[batch(9..12)]), None);
        assert!(arrived.0.is_empty());
    }
}

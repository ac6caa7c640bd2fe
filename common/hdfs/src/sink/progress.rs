//! What is written of deliveries that have failed. They come again, and only the rest of them is written then: a directory that
//! takes nothing doubles nothing in the others.

use event::{Batch, Span};
use flow::sink::known::{Known, Place, places};
use std::collections::HashSet;

/// Which events are written, of those that were given back.
#[derive(Default)]
pub(super) struct Progress(Known<bool>);

impl Progress {
    /// What is to be written of a delivery that begins, with each header map before its body.
    pub(super) fn rest_of(&mut self, batches: &[Batch]) -> Vec<Batch> {
        if self.0.went_elsewhere(batches) {
            self.0.clear();
        }
        batches.iter().map(|batch| self.unwritten(batch)).filter(|rest| !rest.is_empty()).collect()
    }

    fn unwritten(&self, batch: &Batch) -> Batch {
        let whole = batch.in_place();
        if self.0.is_empty() {
            return whole;
        }
        let both = whole.spans().iter().zip(places(batch));
        let spans: Vec<Span> =
            both.filter(|(_, place)| !self.is_written(*place)).map(|(span, _)| *span).collect();
        if spans.len() == whole.len() {
            whole
        } else {
            Batch::from_parts(whole.buffer().clone(), spans, None)
        }
    }

    fn is_written(&self, place: Place) -> bool {
        self.0.get(place) == Some(&true)
    }

    /// A delivery has failed: of `rest`, which was to be written of `batches`, `unwritten` is not.
    pub(super) fn failed(&mut self, batches: &[Batch], rest: &[Batch], unwritten: &[Batch]) {
        let unwritten: HashSet<Place> = unwritten.iter().flat_map(places).collect();
        let mut tried = rest.iter().flat_map(places);
        let mut is_written =
            |place| self.is_written(place) || tried.next().is_some_and(|place| !unwritten.contains(&place));
        let written: Vec<bool> = batches.iter().flat_map(places).map(&mut is_written).collect();
        if self.0.is_empty() && !written.contains(&true) {
            return;
        }
        if !self.0.has_room(batches) {
            self.0.clear();
        }
        self.0.remember(batches, written.into_iter());
    }

    /// A delivery has arrived: it does not come again.
    pub(super) fn arrived(&mut self, batches: &[Batch]) {
        self.0.forget(batches);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::testing::{batch, numbers};

    #[test]
    fn what_is_written_is_not_written_again_however_it_is_cut() {
        let (mut progress, first, second) = (Progress::default(), batch(0..4), batch(4..6));
        let both = [first.clone(), second.clone()];
        let rest = progress.rest_of(&both);
        assert_eq!(numbers(&rest), [0, 1, 2, 3, 4, 5]);
        progress.failed(&both, &rest, &rest);
        assert!(progress.0.is_empty(), "nothing of it is written");
        let mut open = rest[0].clone();
        open.split_to(3);
        progress.failed(&both, &rest, &[open]);
        let mut back = first;
        let front = [back.split_to(2)];
        assert!(progress.rest_of(&front).is_empty());
        progress.arrived(&front);
        let again = [back, second, batch(6..8)];
        let rest = progress.rest_of(&again);
        assert_eq!(numbers(&rest), [3, 6, 7]);
        progress.failed(&again, &rest, &rest[..1]);
        assert_eq!(numbers(&progress.rest_of(&again)), [3]);
        progress.arrived(&again);
        assert!(progress.0.is_empty());
    }

    #[test]
    fn what_went_to_another_sink_is_forgotten() {
        let (mut progress, all) = (Progress::default(), [batch(0..2)]);
        let rest = progress.rest_of(&all);
        progress.failed(&all, &rest, &[]);
        assert_eq!(numbers(&progress.rest_of(&[batch(9..12)])), [9, 10, 11]);
        assert!(progress.0.is_empty());
    }
}

//! Of deliveries that have failed: which of their events had arrived. They come again, perhaps with others, perhaps to another
//! sink. Events are known again by the memory in which they stand, which is kept until then.

use event::Batch;
use std::collections::{BTreeSet, HashMap};

/// Which events have arrived, of those that were given back.
#[derive(Default)]
pub(super) struct Arrived {
    known: HashMap<Place, bool>,
    /// The memory in which they stand.
    kept: Vec<Batch>,
}

/// Buffer, and where in it.
type Place = (usize, u32);

impl Arrived {
    /// The events of `batches` that are to be sent, by their number; `None`: all of them.
    pub(super) fn left_of(&mut self, batches: &[Batch]) -> Option<BTreeSet<usize>> {
        if self.known.is_empty() {
            return None;
        }
        // What failed before comes first of all: with none of it here, it went to another sink.
        if !batches.iter().flat_map(places).any(|place| self.known.contains_key(&place)) {
            *self = Arrived::default();
            return None;
        }
        let places = batches.iter().flat_map(places).enumerate();
        Some(
            places
                .filter(|(_, place)| self.known.get(place) != Some(&true))
                .map(|(number, _)| number)
                .collect(),
        )
    }

    /// These were not delivered: of them, those whose numbers are `open` have not arrived.
    pub(super) fn remember(&mut self, batches: &[Batch], open: &BTreeSet<usize>) {
        let events: usize = batches.iter().map(Batch::len).sum();
        if self.known.len() + events > MOST_KNOWN {
            *self = Arrived::default();
        }
        let places = batches.iter().flat_map(places).enumerate();
        self.known.extend(places.map(|(number, place)| (place, !open.contains(&number))));
        let is_new =
            |batch: &&Batch| !self.kept.iter().any(|kept| kept.buffer().as_ptr() == batch.buffer().as_ptr());
        let new: Vec<Batch> = batches.iter().filter(is_new).cloned().collect();
        self.kept.extend(new);
    }

    /// These were delivered: they do not come again.
    pub(super) fn forget(&mut self, batches: &[Batch]) {
        if self.known.is_empty() {
            return;
        }
        for place in batches.iter().flat_map(places) {
            self.known.remove(&place);
        }
        if self.known.is_empty() {
            self.kept.clear();
        }
    }
}

/// Where each event of a batch stands.
fn places(batch: &Batch) -> impl Iterator<Item = Place> + use<'_> {
    let buffer = batch.buffer().as_ptr() as usize;
    batch.spans().iter().map(move |span| (buffer, span.start))
}

/// Events that are remembered.
const MOST_KNOWN: usize = 200_000;

#[cfg(test)]
mod tests {
    use super::*;
    use flow::testing::batch;

    fn left(arrived: &mut Arrived, batches: &[Batch]) -> Option<Vec<usize>> {
        arrived.left_of(batches).map(|left| left.into_iter().collect())
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
        assert!(arrived.known.is_empty() && arrived.kept.is_empty());
    }

    #[test]
    fn what_went_to_another_sink_is_forgotten() {
        let (mut arrived, failed) = (Arrived::default(), [batch(0..4)]);
        arrived.remember(&failed, &BTreeSet::from([0]));
        assert_eq!(left(&mut arrived, &[batch(9..12)]), None);
        assert!(arrived.known.is_empty() && arrived.kept.is_empty());
    }
}

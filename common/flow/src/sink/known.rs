//! What a sink knows of events whose delivery has failed. They come again, perhaps with others and cut anew, perhaps to another
//! sink. They are known again by the memory in which they stand, which is kept until then.

use event::Batch;
use std::collections::HashMap;

/// Something of each event that was given back.
#[derive(Debug)]
pub struct Known<T> {
    events: HashMap<Place, T>,
    /// The memory in which they stand.
    kept: Vec<Batch>,
}

/// Where an event stands: its buffer, and where in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place(usize, u32);

impl<T> Default for Known<T> {
    fn default() -> Known<T> {
        Known { events: HashMap::new(), kept: Vec::new() }
    }
}

impl<T> Known<T> {
    /// Whether it knows no event and keeps no memory.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.kept.is_empty()
    }

    /// Events that it knows.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// What it knows of the event there.
    pub fn get(&self, place: Place) -> Option<&T> {
        if self.events.is_empty() { None } else { self.events.get(&place) }
    }

    /// Whether its events went to another sink. What failed comes first of all: it has, when none of it is in `batches`.
    pub fn went_elsewhere(&self, batches: &[Batch]) -> bool {
        let knows = |place| self.events.contains_key(&place);
        !self.events.is_empty() && !batches.iter().flat_map(places).any(knows)
    }

    /// Whether these may be remembered beside all others. Those that are known already take no more room.
    pub fn has_room(&self, batches: &[Batch]) -> bool {
        let new = batches.iter().flat_map(places).filter(|place| !self.events.contains_key(place));
        self.events.len() + new.count() <= MOST
    }

    /// These have failed; something of each, in their order.
    pub fn remember(&mut self, batches: &[Batch], of_each: impl Iterator<Item = T>) {
        self.events.extend(batches.iter().flat_map(places).zip(of_each));
        let is_new =
            |batch: &&Batch| !self.kept.iter().any(|kept| kept.buffer().as_ptr() == batch.buffer().as_ptr());
        let new: Vec<Batch> = batches.iter().filter(is_new).cloned().collect();
        self.kept.extend(new);
    }

    /// These were delivered: they do not come again.
    pub fn forget(&mut self, batches: &[Batch]) {
        if self.events.is_empty() {
            return;
        }
        for place in batches.iter().flat_map(places) {
            self.events.remove(&place);
        }
        if self.events.is_empty() {
            self.kept.clear();
        }
    }

    /// None of it comes again.
    pub fn clear(&mut self) {
        self.events.clear();
        self.kept.clear();
    }
}

/// Where each event of a batch stands.
pub fn places(batch: &Batch) -> impl Iterator<Item = Place> + use<'_> {
    let buffer = batch.buffer().as_ptr() as usize;
    batch.spans().iter().map(move |span| Place(buffer, span.start))
}

/// Events that are remembered from failed deliveries.
pub const MOST: usize = 200_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::batch;

    fn known(known: &Known<u64>, batch: &Batch) -> Vec<Option<u64>> {
        places(batch).map(|place| known.get(place).copied()).collect()
    }

    #[test]
    fn events_are_known_again_however_they_are_cut_until_all_are_delivered() {
        let (mut all, first, second) = (Known::default(), batch(0..3), batch(3..5));
        all.remember(&[first.clone(), second.clone()], 10..15);
        let mut rest = first;
        let front = rest.split_to(1);
        assert_eq!(known(&all, &front), [Some(10)]);
        all.forget(&[front]);
        assert_eq!(known(&all, &rest), [Some(11), Some(12)]);
        assert!(!all.went_elsewhere(&[batch(8..9), second.clone()]));
        all.forget(&[rest, second]);
        assert!(all.is_empty() && all.kept.is_empty());
    }

    #[test]
    fn what_fails_again_and_again_takes_room_once() {
        let (mut all, many) = (Known::default(), [batch(0..MOST as u64)]);
        for _ in 0..3 {
            assert!(all.has_room(&many));
            all.remember(&many, 0..MOST as u64);
        }
        assert!(!all.has_room(&[batch(0..1)]));
    }

    #[test]
    fn what_comes_without_any_of_them_shows_that_they_went_to_another_sink() {
        let mut all = Known::default();
        assert!(!all.went_elsewhere(&[batch(0..1)]), "nothing has failed");
        all.remember(&[batch(0..4)], 0..4);
        let other = batch(9..12);
        assert!(all.went_elsewhere(std::slice::from_ref(&other)));
        assert_eq!(known(&all, &other), [None; 3]);
        all.clear();
        assert!(all.is_empty());
    }
}

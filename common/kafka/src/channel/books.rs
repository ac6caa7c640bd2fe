//! What a channel has read of its topic and its sinks have not taken yet.
//!
//! Offsets are committed in the order of reading: a batch counts when it and all before it have arrived. What partitions
//! that were given up still have here is forgotten; who has them now reads it again.

use crate::source::reader::Settled;
use event::Batch;
use std::collections::{BTreeMap, HashMap};

/// Where a piece stands: the number of what was read together, and the first of its events.
type Place = (u64, usize);

/// What was read and not committed.
#[derive(Default)]
pub(crate) struct Books {
    ready: BTreeMap<Place, Batch>,
    leases: HashMap<u64, Vec<(Place, Batch)>>,
    /// What was read together.
    read: BTreeMap<u64, Reading>,
    reads: u64,
    taken: u64,
    leased: u64,
}

struct Reading {
    epoch: u64,
    events: usize,
    /// Those that have not arrived.
    left: usize,
}

impl Books {
    /// This was read.
    pub(crate) fn add(&mut self, batch: Batch, epoch: u64) {
        let events = batch.len();
        self.read.insert(self.reads, Reading { epoch, events, left: events });
        self.ready.insert((self.reads, 0), batch);
        self.reads += 1;
    }

    /// What is not committed will be read again.
    pub(crate) fn forget(&mut self) {
        self.ready.clear();
        self.read.clear();
    }

    /// Leases the oldest events.
    pub(crate) fn take(&mut self, max: usize, bytes: usize) -> Option<(u64, Vec<Batch>)> {
        let (mut parts, mut events, mut size) = (Vec::new(), 0, 0);
        while events < max && size < bytes {
            let Some(((read, start), mut batch)) = self.ready.pop_first() else { break };
            let part = batch.split_to(max - events);
            if !batch.is_empty() {
                self.ready.insert((read, start + part.len()), batch);
            }
            (events, size) = (events + part.len(), size + part.event_bytes());
            parts.push(((read, start), part));
        }
        if parts.is_empty() {
            return None;
        }
        let batches = parts.iter().map(|(_, part)| part.clone()).collect();
        self.leased += 1;
        self.leases.insert(self.leased, parts);
        Some((self.leased, batches))
    }

    /// A lease has ended; what is to be committed by that.
    pub(crate) fn settle(&mut self, lease: u64, commit: bool) -> Vec<Settled> {
        for ((read, start), part) in self.leases.remove(&lease).into_iter().flatten() {
            let Some(reading) = self.read.get_mut(&read) else { continue };
            if commit {
                reading.left -= part.len();
                self.taken += part.len() as u64;
            } else {
                self.ready.insert((read, start), part);
            }
        }
        let mut done = Vec::new();
        while let Some(first) = self.read.first_entry().filter(|first| first.get().left == 0) {
            let Reading { epoch, events, .. } = first.remove();
            done.push(Settled { epoch, events });
        }
        done
    }

    /// What of the oldest read has arrived, up to the first event that has not. Nothing is settled behind it.
    pub(crate) fn part(&self) -> Option<Settled> {
        let (read, reading) = self.read.first_key_value()?;
        let leased = self.leases.values().flatten().map(|(place, _)| place);
        let open = self.ready.keys().chain(leased).filter(|(of, _)| of == read);
        let events = open.map(|(_, start)| *start).min()?;
        Some(Settled { epoch: reading.epoch, events })
    }

    /// Events that sinks have.
    pub(crate) fn leased(&self) -> usize {
        self.leases.values().flatten().map(|(_, part)| part.len()).sum()
    }

    /// Events that have left.
    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::BatchBuilder;
    use std::ops::Range;

    fn batch(numbers: Range<u64>) -> Batch {
        let mut builder = BatchBuilder::default();
        numbers.for_each(|number| builder.push([], number.to_string().as_bytes()));
        builder.finish()
    }

    fn numbers(batches: &[Batch]) -> Vec<u64> {
        let number = |body: &[u8]| String::from_utf8_lossy(body).parse().unwrap();
        batches
            .iter()
            .flat_map(|batch| batch.events().map(|event| number(event.body())).collect::<Vec<_>>())
            .collect()
    }

    fn settled(epoch: u64, events: usize) -> Settled {
        Settled { epoch, events }
    }

    #[test]
    fn at_a_stop_what_has_arrived_counts_up_to_the_first_that_has_not() {
        let mut books = Books::default();
        assert_eq!(books.part(), None);
        books.add(batch(0..10), 4);
        assert_eq!(books.part(), Some(settled(4, 0)));
        let (one, _) = books.take(3, usize::MAX).unwrap();
        let (two, _) = books.take(3, usize::MAX).unwrap();
        assert!(books.settle(two, true).is_empty());
        assert_eq!(books.part(), Some(settled(4, 0)));
        assert!(books.settle(one, true).is_empty());
        assert_eq!(books.part(), Some(settled(4, 6)));
        let (_held, _) = books.take(1, usize::MAX).unwrap();
        assert_eq!(books.part(), Some(settled(4, 6)));
    }

    #[test]
    fn what_comes_back_goes_out_first_and_a_batch_counts_behind_all_before_it() {
        let mut books = Books::default();
        books.add(batch(0..5), 7);
        books.add(batch(5..8), 7);
        let (one, first) = books.take(3, usize::MAX).unwrap();
        let (two, second) = books.take(100, usize::MAX).unwrap();
        assert_eq!((numbers(&first), numbers(&second)), (vec![0, 1, 2], vec![3, 4, 5, 6, 7]));
        assert!(books.settle(two, true).is_empty(), "the first three have not arrived");
        assert!(books.settle(one, false).is_empty());
        let (again, first) = books.take(100, usize::MAX).unwrap();
        assert_eq!(numbers(&first), [0, 1, 2]);
        assert_eq!(books.settle(again, true), [settled(7, 5), settled(7, 3)]);
        assert_eq!((books.leased(), books.taken()), (0, 8));
        assert!(books.take(100, usize::MAX).is_none());
    }

    #[test]
    fn what_is_forgotten_is_neither_given_nor_committed() {
        let mut books = Books::default();
        books.add(batch(0..4), 0);
        let (out, _) = books.take(2, usize::MAX).unwrap();
        books.forget();
        books.add(batch(2..4), 1);
        assert!(books.settle(out, true).is_empty());
        let (next, events) = books.take(100, usize::MAX).unwrap();
        assert_eq!(numbers(&events), [2, 3]);
        assert_eq!(books.settle(next, true), [settled(1, 2)]);
        books.add(batch(4..6), 1);
        let (out, _) = books.take(1, usize::MAX).unwrap();
        books.forget();
        assert!(books.settle(out, false).is_empty());
        assert!(books.take(1, usize::MAX).is_none(), "what comes back late is forgotten too");
    }
}

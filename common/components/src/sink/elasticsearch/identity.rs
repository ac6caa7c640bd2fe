//! What a document is called in the store, and which documents of a delivery that failed are settled.
//!
//! A document's id is that of its event, as long as the event stays where it is in memory: a delivery that failed comes again
//! out of the channel's memory, in the same batches or cut anew, and its documents have the ids that they had. A document that
//! is there already is not made twice then, and one that was put aside is not put aside twice. An event that another sink
//! takes, or this one after a restart, has another id.

use bytes::Bytes;
use event::Batch;
use std::collections::BTreeSet;
use std::fmt::Write;

/// The events that have ids.
#[derive(Debug)]
pub(super) struct Identities {
    /// Of this process: no other one has it.
    run: u64,
    next: u64,
    known: Vec<Known>,
}

#[derive(Debug)]
struct Known {
    /// Kept, so that no other events are written there.
    buffer: Bytes,
    number: u64,
    settled: BTreeSet<u32>,
    /// A delivery with events of it has failed, and they may come again.
    doubtful: bool,
}

/// An event of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    known: usize,
    /// Where it begins in its buffer.
    start: u32,
}

impl Identities {
    pub(super) fn new(run: u64) -> Identities {
        Identities { run, next: 0, known: Vec::new() }
    }

    /// The events of these batches, in their order; they are settled, or not.
    pub(super) fn begin(&mut self, batches: &[Batch]) -> Vec<Identity> {
        if !batches.iter().any(|batch| self.find(batch).is_some()) {
            self.known.clear();
        }
        let mut all = Vec::with_capacity(batches.iter().map(Batch::len).sum());
        for batch in batches {
            let known = self.find(batch).unwrap_or_else(|| {
                self.next += 1;
                self.known.push(Known {
                    buffer: batch.buffer().clone(),
                    number: self.next,
                    settled: BTreeSet::new(),
                    doubtful: false,
                });
                self.known.len() - 1
            });
            all.extend(batch.spans().iter().map(|span| Identity { known, start: span.start }));
        }
        all
    }

    fn find(&self, batch: &Batch) -> Option<usize> {
        let place = |buffer: &Bytes| (buffer.as_ptr(), buffer.len());
        self.known.iter().position(|known| place(&known.buffer) == place(batch.buffer()))
    }

    /// Appends the id.
    pub(super) fn push(&self, of: Identity, out: &mut String) {
        let number = self.known[of.known].number;
        let written = write!(out, "{:016x}-{number:x}-{:x}", self.run, of.start);
        debug_assert!(written.is_ok(), "memory takes all text");
    }

    pub(super) fn is_settled(&self, of: Identity) -> bool {
        self.known[of.known].settled.contains(&of.start)
    }

    /// It is stored, or put aside.
    pub(super) fn settle(&mut self, of: Identity) {
        self.known[of.known].settled.insert(of.start);
    }

    /// How the delivery ended.
    pub(super) fn end(&mut self, delivered: bool) {
        if delivered {
            self.known.retain(|known| known.doubtful);
        } else {
            self.known.iter_mut().for_each(|known| known.doubtful = true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::testing::batch;

    fn ids(identities: &mut Identities, batches: &[Batch]) -> Vec<String> {
        let all = identities.begin(batches);
        let id = |of: &Identity| {
            let mut out = String::new();
            identities.push(*of, &mut out);
            out
        };
        all.iter().map(id).collect()
    }

    #[test]
    fn a_delivery_that_comes_again_has_the_ids_that_it_had_however_it_is_cut() {
        let mut identities = Identities::new(7);
        let mut whole = batch(0..3);
        let first = ids(&mut identities, std::slice::from_ref(&whole));
        assert!(first[0].starts_with("0000000000000007-1-"), "{first:?}");
        let settled = identities.begin(std::slice::from_ref(&whole))[1];
        identities.settle(settled);
        identities.end(false);
        let cut = whole.split_to(2);
        let again = identities.begin(std::slice::from_ref(&cut));
        assert_eq!(again.iter().map(|of| identities.is_settled(*of)).collect::<Vec<_>>(), [false, true]);
        assert_eq!(ids(&mut identities, &[cut]), first[..2]);
        identities.end(true);
        let more = [whole, batch(9..10)];
        let rest = ids(&mut identities, &more);
        assert_eq!(rest[0], first[2]);
        assert!(!first.contains(&rest[1]), "{rest:?}");
    }

    #[test]
    fn what_was_delivered_is_forgotten_and_what_comes_anew_has_new_ids() {
        let mut identities = Identities::new(7);
        let once = batch(0..2);
        let first = ids(&mut identities, std::slice::from_ref(&once));
        identities.end(true);
        assert!(identities.known.is_empty());
        let again = ids(&mut identities, std::slice::from_ref(&once));
        assert!(first.iter().all(|id| !again.contains(id)), "{again:?}");
        identities.end(false);
        ids(&mut identities, &[batch(5..6)]);
        assert_eq!(identities.known.len(), 1, "others came: another sink has taken them");
    }
}

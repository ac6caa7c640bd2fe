//! What a memory channel holds, who has leased what, and in which order it must come out again.

use event::{Batch, Origin, Span};
use flow::channel::store::Bell;
use std::collections::{BTreeMap, VecDeque};

/// The books of a memory channel: no actor, no clock, no waiting.
///
/// Every event has a number, given when it is put. A lease is named by the number of its first event, so what is rolled
/// back finds its place again however many leases are out and in whatever order they end.
///
/// Source of the rules: Flume 1.11 `MemoryChannel`. Taken but unsettled events still count as held. A body costs slots
/// of [`SLOT_BYTES`], one at least.
pub(crate) struct Ledger {
    limits: Limits,
    queue: VecDeque<Numbered>,
    returned: BTreeMap<u64, Numbered>, // rolled back: to go out before anything in `queue`
    leased: VecDeque<Leased>,          // a few, which mostly end in their order
    held: usize,
    slots: usize,
    next: u64,
    taken: u64,
    /// To be rung when there is more room than its keeper knows of.
    pub(super) on_room: Option<Bell>,
}

/// How much a channel takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Events.
    pub(crate) capacity: usize,
    /// Events in one put or one take.
    pub(crate) transaction: usize,
    /// Slots of [`SLOT_BYTES`] for bodies.
    pub(crate) slots: usize,
}

impl Limits {
    /// Whether an empty channel takes `batch`.
    pub(crate) fn fit(&self, batch: &Batch) -> bool {
        // More slots than events and full slots together it cannot cost: as a rule no event has to be looked at.
        let most = batch.len() + batch.event_bytes() / SLOT_BYTES;
        batch.len() <= self.transaction && (most <= self.slots || slots(batch) <= self.slots)
    }
}

/// Why a batch was not put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Not now.
    NoRoom,
    /// More events than a transaction may have: never.
    TooManyEvents,
    /// More body bytes than the channel may hold at all: never.
    TooManyBytes,
}

struct Numbered {
    first: u64,
    batch: Batch,
    slots: usize,
}

impl Numbered {
    /// Takes the first `events` out of it.
    fn split_to(&mut self, events: usize) -> Numbered {
        let batch = self.batch.split_to(events);
        let part = Numbered { first: self.first, slots: slots(&batch), batch };
        self.first += part.batch.len() as u64;
        self.slots -= part.slots;
        part
    }
}

struct Leased {
    id: u64,
    parts: Vec<Numbered>,
    events: usize,
    slots: usize,
}

impl Ledger {
    /// Empty books of a channel that takes so much.
    pub(crate) fn new(limits: Limits) -> Ledger {
        Ledger {
            limits,
            queue: VecDeque::new(),
            returned: BTreeMap::new(),
            leased: VecDeque::new(),
            held: 0,
            slots: 0,
            next: 0,
            taken: 0,
            on_room: None,
        }
    }

    /// From now on it takes so many events; what is more than that stays.
    pub(super) fn set_capacity(&mut self, capacity: usize) {
        self.limits.capacity = capacity;
    }

    /// Stores `batch`, or says why not and leaves everything as it was.
    pub(crate) fn put(&mut self, batch: &Batch) -> Result<(), Refused> {
        let slots = slots(batch);
        if batch.len() > self.limits.transaction {
            return Err(Refused::TooManyEvents);
        }
        if slots > self.limits.slots {
            return Err(Refused::TooManyBytes);
        }
        if self.held + batch.len() > self.limits.capacity || self.slots + slots > self.limits.slots {
            return Err(Refused::NoRoom);
        }
        if !batch.is_empty() {
            self.queue.push_back(Numbered { first: self.next, batch: batch.clone(), slots });
            self.next += batch.len() as u64;
            self.held += batch.len();
            self.slots += slots;
        }
        Ok(())
    }

    /// Stores as many of `batches` as there is room for, and says how many; or why not the first.
    pub(crate) fn put_some(&mut self, batches: &[Batch]) -> Result<usize, Refused> {
        let Some((first, rest)) = batches.split_first() else { return Ok(0) };
        self.put(first)?;
        Ok(1 + rest.iter().take_while(|batch| self.put(batch).is_ok()).count())
    }

    /// Leases the oldest events, at most `max` and at most a transaction's worth; `None` when there is nothing to lease.
    /// Batches are put together until there are `bytes` of them.
    pub(crate) fn take(&mut self, max: usize, bytes: usize) -> Option<(u64, Vec<Batch>)> {
        let most = max.min(self.limits.transaction);
        let (mut events, mut slots, mut together) = (0, 0, 0);
        let mut parts = Vec::with_capacity(1);
        while events < most && together < bytes {
            let Some(part) = self.oldest(most - events) else { break };
            events += part.batch.len();
            slots += part.slots;
            together += part.batch.event_bytes();
            parts.push(part);
            if parts.len() == 1 && events < most {
                parts.reserve(self.queue.len().min(GATHERED));
            }
        }
        let id = parts.first()?.first;
        let batches = parts.iter().map(|part| part.batch.clone()).collect();
        self.leased.push_back(Leased { id, parts, events, slots });
        Some((id, batches))
    }

    fn oldest(&mut self, max: usize) -> Option<Numbered> {
        if let Some((_, mut front)) = self.returned.pop_first() {
            if front.batch.len() <= max {
                return Some(front);
            }
            let part = front.split_to(max);
            self.returned.insert(front.first, front);
            return Some(part);
        }
        let front = self.queue.front_mut()?;
        if front.batch.len() > max { Some(front.split_to(max)) } else { self.queue.pop_front() }
    }

    /// Forgets what was leased as `id`. A lease that is not out (any more) changes nothing.
    pub(crate) fn commit(&mut self, id: u64) {
        if let Some(leased) = self.end_lease(id) {
            self.held -= leased.events;
            self.slots -= leased.slots;
            self.taken += leased.events as u64;
        }
    }

    fn end_lease(&mut self, id: u64) -> Option<Leased> {
        let at = self.leased.iter().position(|leased| leased.id == id)?;
        self.leased.remove(at)
    }

    /// Puts back what was leased as `id`, where it was. A lease that is not out (any more) changes nothing.
    pub(crate) fn rollback(&mut self, id: u64) {
        if let Some(leased) = self.end_lease(id) {
            self.returned.extend(leased.parts.into_iter().map(|part| (part.first, part)));
        }
    }

    /// What is held, leased or not, by where it can be read again.
    pub(crate) fn origins(&self) -> impl Iterator<Item = (Option<Origin>, usize)> {
        let leased = self.leased.iter().flat_map(|leased| &leased.parts);
        let held = self.queue.iter().chain(self.returned.values()).chain(leased);
        held.map(|part| (part.batch.origin(), part.batch.len()))
    }

    /// Forgets what can be read again and for which `again` holds, leased or not.
    pub(crate) fn give_back(&mut self, again: impl Fn(Origin) -> bool) {
        let stays = |part: &Numbered| !part.batch.origin().is_some_and(&again);
        self.queue.retain(stays);
        self.returned.retain(|_, part| stays(part));
        for leased in &mut self.leased {
            leased.parts.retain(stays);
            leased.events = leased.parts.iter().map(|part| part.batch.len()).sum();
            leased.slots = leased.parts.iter().map(|part| part.slots).sum();
        }
        self.held = self.origins().map(|(_, events)| events).sum();
        let leased = self.leased.iter().map(|leased| leased.slots);
        let waiting = self.queue.iter().chain(self.returned.values()).map(|part| part.slots);
        self.slots = waiting.chain(leased).sum();
    }

    /// Events held, leased ones included.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// Of these, leased ones.
    pub(crate) fn leased(&self) -> usize {
        self.leased.iter().map(|leased| leased.events).sum()
    }

    /// Bytes of their bodies, in whole slots.
    pub(crate) fn bytes(&self) -> usize {
        self.slots * SLOT_BYTES
    }

    /// Events that have left for good.
    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }

    /// What the channel takes.
    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }
}

/// What the bodies of a batch cost.
fn slots(batch: &Batch) -> usize {
    let cost = |span: &Span| ((span.end - span.body) as usize).div_ceil(SLOT_BYTES).max(1);
    batch.spans().iter().map(cost).sum()
}

/// Small batches that one lease mostly has, for a start.
const GATHERED: usize = 100;

/// Bytes of body that cost one slot: Flume's `byteCapacitySlotSize`.
pub(crate) const SLOT_BYTES: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use event::BatchBuilder;
    use proptest::prelude::*;

    fn batch(numbers: std::ops::Range<u64>) -> Batch {
        let mut builder = BatchBuilder::default();
        for number in numbers {
            builder.push([], number.to_string().as_bytes());
        }
        builder.finish()
    }

    fn numbers(batches: &[Batch]) -> Vec<u64> {
        let text = |event: event::Event<'_>| String::from_utf8_lossy(event.body()).parse().expect("a number");
        batches.iter().flat_map(|batch| batch.events().map(text).collect::<Vec<_>>()).collect()
    }

    #[derive(Debug, Clone)]
    enum Step {
        Put(u64),
        Take(usize),
        Commit(usize),
        Rollback(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..12u64).prop_map(Step::Put),
            (0..12usize).prop_map(Step::Take),
            (0..4usize).prop_map(Step::Commit),
            (0..4usize).prop_map(Step::Rollback),
        ]
    }

    #[test]
    fn a_smaller_capacity_keeps_what_is_there_and_a_larger_one_makes_room() {
        let mut ledger = Ledger::new(Limits { capacity: 10, transaction: 10, slots: usize::MAX });
        ledger.put(&batch(0..10)).unwrap();
        ledger.set_capacity(5);
        assert_eq!((ledger.put(&batch(10..11)), ledger.held()), (Err(Refused::NoRoom), 10));
        let (lease, events) = ledger.take(6, usize::MAX).unwrap();
        assert_eq!(numbers(&events), [0, 1, 2, 3, 4, 5]);
        ledger.commit(lease);
        assert_eq!((ledger.put(&batch(10..11)), ledger.put(&batch(11..12))), (Ok(()), Err(Refused::NoRoom)));
        ledger.set_capacity(6);
        assert_eq!(ledger.put(&batch(11..12)), Ok(()));
        assert_eq!(numbers(&ledger.take(10, usize::MAX).unwrap().1), [6, 7, 8, 9, 10, 11]);
    }

    proptest! {
        /// The model: a sorted list of numbers waiting, and the leases that are out.
        #[test]
        fn behaves_like_a_sorted_list(steps in proptest::collection::vec(step(), 0..200)) {
            let mut ledger = Ledger::new(Limits { capacity: 30, transaction: 8, slots: 25 });
            let (mut waiting, mut out): (Vec<u64>, Vec<(u64, Vec<u64>)>) = Default::default();
            let mut next = 0;
            for step in steps {
                let leased: usize = out.iter().map(|(_, events)| events.len()).sum();
                match step {
                    Step::Put(count) => {
                        let fits = count <= 8 && waiting.len() + leased + count as usize <= 25;
                        prop_assert_eq!(ledger.put(&batch(next..next + count)).is_ok(), fits);
                        if fits {
                            waiting.extend(next..next + count);
                            next += count;
                        }
                    }
                    Step::Take(max) => {
                        let expected: Vec<u64> = waiting.drain(..max.min(8).min(waiting.len())).collect();
                        match ledger.take(max, usize::MAX) {
                            Some((id, batches)) => {
                                prop_assert_eq!(numbers(&batches), expected.clone());
                                out.push((id, expected));
                            }
                            None => prop_assert!(expected.is_empty()),
                        }
                    }
                    Step::Commit(which) if which < out.len() => ledger.commit(out.remove(which).0),
                    Step::Rollback(which) if which < out.len() => {
                        let (id, events) = out.remove(which);
                        ledger.rollback(id);
                        waiting.extend(events);
                        waiting.sort_unstable();
                    }
                    _ => {}
                }
                let leased: usize = out.iter().map(|(_, events)| events.len()).sum();
                prop_assert_eq!(ledger.held(), waiting.len() + leased);
            }
        }
    }

    #[test]
    fn what_can_be_read_again_is_known_wherever_it_is_and_can_be_given_back() {
        let mut ledger = Ledger::new(Limits { capacity: 30, transaction: 30, slots: 30 });
        let of = |source, start| Some(Origin { source, part: 1, start });
        for (numbers, origin) in
            [(0..4, of(7, 0)), (4..8, of(7, 40)), (8..9, None), (9..12, of(8, 0)), (12..14, of(7, 80))]
        {
            ledger.put(&batch(numbers).with_origin(origin)).expect("there is room");
        }
        let (first, _) = ledger.take(2, usize::MAX).expect("there are some");
        let (out, _) = ledger.take(4, usize::MAX).expect("there are some");
        ledger.rollback(first);
        let mut origins: Vec<_> = ledger.origins().collect();
        origins.sort_by_key(|(origin, events)| (origin.map(|origin| (origin.source, origin.start)), *events));
        assert_eq!(
            origins,
            [
                (None, 1),
                (of(7, 0), 2),
                (of(7, 0), 2),
                (of(7, 40), 2),
                (of(7, 40), 2),
                (of(7, 80), 2),
                (of(8, 0), 3)
            ]
        );
        ledger.give_back(|origin| origin.source == 7);
        assert_eq!((ledger.held(), ledger.bytes()), (4, 4 * SLOT_BYTES));
        ledger.commit(out);
        assert_eq!((ledger.held(), ledger.taken()), (4, 0));
        let (_, rest) = ledger.take(30, usize::MAX).expect("there are some");
        assert_eq!(numbers(&rest), [8, 9, 10, 11]);
    }

    #[test]
    fn batches_are_put_together_up_to_a_size() {
        let mut ledger = Ledger::new(Limits { capacity: 30, transaction: 30, slots: 30 });
        (0..3).for_each(|n| ledger.put(&batch(n * 5..n * 5 + 5)).expect("there is room"));
        let size = batch(0..5).event_bytes();
        let (_, two) = ledger.take(30, size + 1).expect("there are some");
        assert_eq!(numbers(&two), (0..10).collect::<Vec<_>>());
        let (_, one) = ledger.take(30, 1).expect("there are some");
        assert_eq!(numbers(&one), (10..15).collect::<Vec<_>>(), "one at least, however large");
    }

    #[test]
    fn bodies_cost_slots_of_a_hundred_bytes() {
        let mut ledger = Ledger::new(Limits { capacity: 10, transaction: 10, slots: 3 });
        let mut builder = BatchBuilder::default();
        builder.push([], &[b'x'; 101]);
        let two_slots = builder.finish();
        assert_eq!(ledger.put(&two_slots), Ok(()));
        assert_eq!(ledger.put(&two_slots), Err(Refused::NoRoom));
        let (id, _) = ledger.take(1, usize::MAX).expect("one");
        assert_eq!(ledger.put(&two_slots), Err(Refused::NoRoom), "leased events still count");
        ledger.commit(id);
        assert_eq!(ledger.put(&two_slots), Ok(()));
        let mut builder = BatchBuilder::default();
        builder.push([], &[b'x'; 301]);
        assert_eq!(ledger.put(&builder.finish()), Err(Refused::TooManyBytes));
        assert_eq!(ledger.put(&batch(0..11)), Err(Refused::TooManyEvents));
    }
}

//! What is with Storm and what is not yet: which events are emitted when, and which puts may be answered. It knows no pipe and
//! no clock.

use event::{Batch, Event};
use runtime::clock::{Duration, Instant};
use std::collections::{BTreeMap, BTreeSet};

/// The events of puts, in order, until Storm has acknowledged all of a put. An answer waits beside each put.
pub(super) struct Ledger<A> {
    limits: Limits,
    /// By the number of its first event.
    puts: BTreeMap<u64, Put<A>>,
    /// The number of the next event that comes.
    next: u64,
    /// All events before this one have been emitted.
    fresh: u64,
    /// Events that have failed, and when they are to be emitted again.
    again: BTreeSet<(Instant, u64)>,
    held: usize,
    bytes: usize,
    figures: Figures,
}

/// What it takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Events.
    pub(super) events: usize,
    /// Bytes of them; a batch that is larger is taken alone.
    pub(super) bytes: usize,
    /// How long a put may wait for its acknowledgements.
    pub(super) within: Duration,
}

/// What has been since the start, in events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Figures {
    /// Tuples given to Storm, those given again too.
    pub(super) emitted: u64,
    /// Tuples that Storm has said have failed.
    pub(super) failed: u64,
    /// Events of puts that were answered well.
    pub(super) acked: u64,
}

struct Put<A> {
    batches: Vec<Batch>,
    events: Vec<Fate>,
    left: usize,
    bytes: usize,
    due: Instant,
    answer: A,
}

/// Where an event is, and how often it has failed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Waits(u8),
    Out(u8),
    Acked,
}

/// A put that was not acknowledged in time, and is held no more.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Late<A> {
    /// Who waits.
    pub(super) answer: A,
    /// Its events.
    pub(super) events: usize,
    /// Of these, those with the topology.
    pub(super) out: usize,
    /// Of these, those that wait to be emitted, for the first time or again.
    pub(super) waits: usize,
}

impl<A> Ledger<A> {
    pub(super) fn new(limits: Limits) -> Ledger<A> {
        Ledger {
            limits,
            puts: BTreeMap::new(),
            next: 0,
            fresh: 0,
            again: BTreeSet::new(),
            held: 0,
            bytes: 0,
            figures: Figures::default(),
        }
    }

    /// How many of `batches` there is room for: the first ones.
    pub(super) fn room_for(&self, batches: &[Batch]) -> usize {
        let (mut held, mut bytes) = (self.held, self.bytes);
        let fits = |batch: &&Batch| {
            let alone = bytes == 0;
            (held, bytes) = (held + batch.len(), bytes + batch.event_bytes());
            held <= self.limits.events && (bytes <= self.limits.bytes || alone)
        };
        batches.iter().take_while(fits).count()
    }

    /// Takes `batches`, which have an event at least. `answer` comes back when all of it is acknowledged, or it is late.
    pub(super) fn put(&mut self, batches: Vec<Batch>, answer: A, now: Instant) {
        let events: usize = batches.iter().map(Batch::len).sum();
        let bytes = batches.iter().map(Batch::event_bytes).sum();
        let due = now + self.limits.within;
        let put = Put { batches, events: vec![Fate::Waits(0); events], left: events, bytes, due, answer };
        self.puts.insert(self.next, put);
        self.next += events as u64;
        self.held += events;
        self.bytes += bytes;
    }

    /// Gives the next events to `emit`, each with its number: what has failed and rested, then what is new, in order.
    pub(super) fn emit(
        &mut self,
        mut most: usize,
        mut bytes: usize,
        now: Instant,
        mut emit: impl FnMut(u64, &Event<'_>),
    ) {
        while most > 0
            && bytes > 0
            && let Some((_, number)) = self.again.first().copied().filter(|(at, _)| *at <= now)
        {
            self.again.pop_first();
            let Some((first, put)) = put_of(&mut self.puts, number) else { continue };
            let place = (number - first) as usize;
            if let Fate::Waits(fails) = put.events[place]
                && let Some(event) = put.batches.iter().flat_map(Batch::events).nth(place)
            {
                put.events[place] = Fate::Out(fails);
                emit(number, &event);
                self.figures.emitted += 1;
                (most, bytes) = (most - 1, bytes.saturating_sub(event.body().len()));
            }
        }
        while most > 0 && bytes > 0 {
            // What stood there may have left late.
            if put_of(&mut self.puts, self.fresh).is_none() {
                let Some((first, _)) = self.puts.range(self.fresh..).next() else { return };
                self.fresh = *first;
            }
            let Some((first, put)) = put_of(&mut self.puts, self.fresh) else { return };
            let from = (self.fresh - first) as usize;
            let fresh = put.batches.iter().flat_map(Batch::events).zip(&mut put.events);
            for (event, fate) in fresh.skip(from) {
                if most == 0 || bytes == 0 {
                    break;
                }
                *fate = Fate::Out(0);
                emit(self.fresh, &event);
                self.fresh += 1;
                self.figures.emitted += 1;
                (most, bytes) = (most - 1, bytes.saturating_sub(event.body().len()));
            }
        }
    }

    /// Storm has acknowledged an event. What comes back is the answer of its put, which is complete.
    pub(super) fn ack(&mut self, number: u64) -> Option<A> {
        let (first, put) = put_of(&mut self.puts, number)?;
        let fate = &mut put.events[(number - first) as usize];
        if !matches!(fate, Fate::Out(_)) {
            return None;
        }
        *fate = Fate::Acked;
        put.left -= 1;
        if put.left > 0 {
            return None;
        }
        let put = self.remove(first)?;
        self.figures.acked += put.events.len() as u64;
        Some(put.answer)
    }

    /// An event has failed, or Storm has waited long enough: it goes out again, later and later.
    pub(super) fn fail(&mut self, number: u64, now: Instant) {
        let Some((first, put)) = put_of(&mut self.puts, number) else { return };
        let fate = &mut put.events[(number - first) as usize];
        if let Fate::Out(fails) = *fate {
            *fate = Fate::Waits(fails.saturating_add(1));
            self.figures.failed += 1;
            self.again.insert((now + FIRST_REST * (1 << fails.min(MOST_DOUBLED)), number));
        }
    }

    /// Puts that have waited long enough; they are held no more.
    pub(super) fn late(&mut self, now: Instant) -> Vec<Late<A>> {
        let next = |ledger: &mut Ledger<A>| {
            let first =
                ledger.puts.first_key_value().filter(|(_, put)| put.due <= now).map(|(first, _)| *first);
            ledger.remove(first?)
        };
        std::iter::from_fn(|| next(self)).map(Late::of).collect()
    }

    /// All puts; nothing is held any more.
    pub(super) fn give_up(&mut self) -> Vec<A> {
        let all: Vec<u64> = self.puts.keys().copied().collect();
        all.into_iter().filter_map(|first| self.remove(first)).map(|put| put.answer).collect()
    }

    /// No put waits beyond `until`.
    pub(super) fn hurry(&mut self, until: Instant) {
        self.puts.values_mut().for_each(|put| put.due = put.due.min(until));
    }

    /// When the next put is late.
    pub(super) fn due(&self) -> Option<Instant> {
        // All wait for the same time, so that the first that came is the first that is late.
        self.puts.values().next().map(|put| put.due)
    }

    fn remove(&mut self, first: u64) -> Option<Put<A>> {
        let put = self.puts.remove(&first)?;
        self.held -= put.events.len();
        self.bytes -= put.bytes;
        if put.events.iter().any(|fate| matches!(fate, Fate::Waits(fails) if *fails > 0)) {
            let numbers = first..first + put.events.len() as u64;
            self.again.retain(|(_, number)| !numbers.contains(number));
        }
        Some(put)
    }

    /// Events that it holds.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// Bytes of them.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Events it takes.
    pub(super) fn capacity(&self) -> usize {
        self.limits.events
    }

    /// What has been.
    pub(super) fn figures(&self) -> Figures {
        self.figures
    }
}

impl<A> Late<A> {
    fn of(put: Put<A>) -> Late<A> {
        let count = |wanted: fn(&Fate) -> bool| put.events.iter().filter(|fate| wanted(fate)).count();
        let out = count(|fate| matches!(fate, Fate::Out(_)));
        let waits = count(|fate| matches!(fate, Fate::Waits(_)));
        Late { events: put.events.len(), out, waits, answer: put.answer }
    }
}

/// The put that holds the event of this number, and the number of its first one.
fn put_of<A>(puts: &mut BTreeMap<u64, Put<A>>, number: u64) -> Option<(u64, &mut Put<A>)> {
    let (first, put) = puts.range_mut(..=number).next_back()?;
    (number - first < put.events.len() as u64).then_some((*first, put))
}

/// An event that has failed rests so long, and twice as long each time that it fails again.
const FIRST_REST: Duration = Duration::from_millis(100);
/// So often: 6.4 s at most.
const MOST_DOUBLED: u8 = 6;

#[cfg(test)]
mod tests {
    use super::*;
    use event::BatchBuilder;
    use proptest::prelude::*;
    use runtime::clock;

    fn batch(numbers: std::ops::Range<u64>) -> Batch {
        let mut builder = BatchBuilder::default();
        numbers.for_each(|number| builder.push([], number.to_string().as_bytes()));
        builder.finish()
    }

    fn limits() -> Limits {
        Limits { events: 20, bytes: 1 << 20, within: Duration::from_secs(15) }
    }

    fn emitted(ledger: &mut Ledger<usize>, most: usize, now: Instant) -> Vec<u64> {
        let mut all = Vec::new();
        ledger.emit(most, usize::MAX, now, |number, event| {
            assert_eq!(event.body(), number.to_string().as_bytes(), "the number and the event");
            all.push(number);
        });
        all
    }

    #[test]
    fn a_put_is_answered_when_all_of_it_is_acknowledged_and_not_before() {
        let (mut ledger, now) = (Ledger::new(limits()), clock::now());
        ledger.put(vec![batch(0..2), batch(2..3)], 7, now);
        ledger.put(vec![batch(3..5)], 8, now);
        assert_eq!(emitted(&mut ledger, 4, now), [0, 1, 2, 3]);
        assert_eq!([2, 0, 2].map(|number| ledger.ack(number)), [None; 3]);
        assert_eq!((ledger.ack(4), ledger.held()), (None, 5), "it is not out");
        assert_eq!((ledger.ack(1), ledger.held()), (Some(7), 2));
        assert_eq!(emitted(&mut ledger, 4, now), [4]);
        assert_eq!([4, 3].map(|number| ledger.ack(number)), [None, Some(8)]);
        assert_eq!((ledger.held(), ledger.bytes(), ledger.figures().acked), (0, 0, 5));
    }

    #[test]
    fn what_fails_goes_out_again_before_what_is_new_and_rests_longer_each_time() {
        let (mut ledger, now) = (Ledger::new(limits()), clock::now());
        ledger.put(vec![batch(0..4)], 7, now);
        assert_eq!(emitted(&mut ledger, 2, now), [0, 1]);
        ledger.fail(0, now);
        ledger.fail(0, now); // told twice
        assert_eq!(emitted(&mut ledger, 1, now), [2]);
        let mut at = now;
        for rest in [100, 200, 400, 800, 1600, 3200, 6400, 6400] {
            at += Duration::from_millis(rest);
            assert_eq!(
                emitted(&mut ledger, 1, at - Duration::from_millis(1)),
                if rest == 100 { vec![3] } else { vec![] }
            );
            assert_eq!(emitted(&mut ledger, 1, at), [0]);
            ledger.fail(0, at);
        }
        assert_eq!(ledger.figures(), Figures { emitted: 12, failed: 9, acked: 0 });
    }

    #[test]
    fn a_late_put_is_given_up_and_leaves_nothing_behind() {
        let (mut ledger, now) = (Ledger::new(limits()), clock::now());
        ledger.put(vec![batch(0..3)], 7, now);
        ledger.put(vec![batch(3..5)], 8, now + Duration::from_secs(1));
        assert_eq!(emitted(&mut ledger, 2, now), [0, 1]);
        ledger.fail(0, now);
        assert_eq!((ledger.due(), ledger.late(now)), (Some(now + Duration::from_secs(15)), vec![]));
        let late = ledger.late(now + Duration::from_secs(15));
        assert_eq!(late, [Late { answer: 7, events: 3, out: 1, waits: 2 }]);
        assert_eq!((ledger.ack(1), ledger.held()), (None, 2));
        assert_eq!(emitted(&mut ledger, 5, now + Duration::from_secs(15)), [3, 4]);
        ledger.hurry(now + Duration::from_secs(2));
        assert_eq!(ledger.due(), Some(now + Duration::from_secs(2)));
        assert_eq!((ledger.give_up(), ledger.held(), ledger.bytes()), (vec![8], 0, 0));
    }

    #[test]
    fn room_is_bounded_in_events_and_bytes_and_a_large_batch_is_taken_alone() {
        let size = batch(0..5).event_bytes();
        let mut ledger = Ledger::new(Limits { bytes: 2 * size, ..limits() });
        let five = || batch(0..5);
        assert_eq!(ledger.room_for(&[five(), five(), five()]), 2, "bytes");
        assert_eq!(ledger.room_for(&[batch(0..20), five()]), 1, "larger than all, and alone");
        assert_eq!(ledger.room_for(&[batch(0..21)]), 0, "events");
        ledger.put(vec![five()], 1, clock::now());
        assert_eq!((ledger.room_for(&[five()]), ledger.room_for(&[batch(0..12)])), (1, 0));
    }

    #[derive(Debug, Clone)]
    enum Step {
        Put(u64),
        Emit(usize),
        Ack(usize),
        Fail(usize),
        Wait(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (1..8u64).prop_map(Step::Put),
            (1..8usize).prop_map(Step::Emit),
            (0..20usize).prop_map(Step::Ack),
            (0..20usize).prop_map(Step::Fail),
            (0..9000u64).prop_map(Step::Wait),
        ]
    }

    proptest! {
        /// The model: lists of numbers. An event is out once at a time, and a put is answered once: well when all of its
        /// events were acknowledged, ill when 15 s have gone.
        #[test]
        fn behaves_like_lists_of_numbers(steps in proptest::collection::vec(step(), 0..200)) {
            let (mut ledger, mut now) = (Ledger::new(limits()), clock::now());
            let mut open: Vec<(Instant, Vec<u64>)> = Vec::new(); // of each put, what is not acknowledged
            let (mut waits, mut out, mut failed, mut next) = (BTreeSet::new(), Vec::new(), BTreeSet::new(), 0);
            for step in steps {
                let held: usize = ledger.held();
                match step {
                    Step::Put(count) => {
                        let fits = held + count as usize <= 20;
                        prop_assert_eq!(ledger.room_for(&[batch(next..next + count)]), usize::from(fits));
                        if fits {
                            ledger.put(vec![batch(next..next + count)], open.len(), now);
                            open.push((now + limits().within, (next..next + count).collect()));
                            waits.extend(next..next + count);
                            next += count;
                        }
                    }
                    Step::Emit(most) => {
                        let given = emitted(&mut ledger, most, now);
                        prop_assert!(given.iter().all(|number| waits.remove(number)), "{given:?} did not wait");
                        let left = waits.iter().all(|number| failed.contains(number));
                        prop_assert!(given.len() == most || given.len() < most && left, "only what rests may wait");
                        out.extend(given);
                    }
                    Step::Ack(which) if which < out.len() => {
                        let number = out.remove(which);
                        let put = open.iter().position(|(_, left)| left.contains(&number)).expect("it is open");
                        open[put].1.retain(|left| *left != number);
                        let whole = open[put].1.is_empty();
                        prop_assert_eq!(ledger.ack(number), whole.then_some(put));
                        prop_assert_eq!(ledger.ack(number), None);
                    }
                    Step::Fail(which) if which < out.len() => {
                        let number = out.remove(which);
                        waits.insert(number);
                        failed.insert(number);
                        ledger.fail(number, now);
                    }
                    Step::Wait(millis) => {
                        now += Duration::from_millis(millis);
                        let late: Vec<usize> = ledger.late(now).into_iter().map(|late| late.answer).collect();
                        let expected: Vec<usize> =
                            (0..open.len()).filter(|put| open[*put].0 <= now && !open[*put].1.is_empty()).collect();
                        prop_assert_eq!(&late, &expected);
                        for put in late {
                            for number in std::mem::take(&mut open[put].1) {
                                waits.remove(&number);
                                out.retain(|other| *other != number);
                            }
                        }
                    }
                    _ => {}
                }
            }
            // At the end everything that is held can still be emitted and acknowledged, and every put is answered.
            let mut well = 0;
            for number in out {
                well += usize::from(ledger.ack(number).is_some());
            }
            let later = now + Duration::from_secs(7);
            for number in emitted(&mut ledger, usize::MAX, later) {
                prop_assert!(waits.remove(&number));
                well += usize::from(ledger.ack(number).is_some());
            }
            prop_assert!(waits.is_empty(), "{waits:?} were never emitted");
            prop_assert_eq!(well, open.iter().filter(|(_, left)| !left.is_empty()).count());
            prop_assert_eq!((ledger.held(), ledger.bytes(), ledger.due()), (0, 0, None));
        }
    }
}

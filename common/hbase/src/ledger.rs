//! What is to be done for the events of a delivery, and what of it is done. No I/O.
//!
//! An event keeps its rows' keys, and an increment its nonce, for as long as it is not delivered: what comes again after a
//! failure writes the same rows again, and counts once. An event is counted when its row is stored, as Flume does it: one that
//! is refused for good is not. Events are known again by the memory in which they stand, which is kept until then.

use crate::policy::{self, Fate, REFUSALS};
use crate::serializer::{Counter, Made, Put, Serializer};
use crate::wire::Cell;
use crate::wire::message::{ColumnValue, INCREMENT, Mutation, PUT, QualifierValue, SKIP_WAL};
use bytes::{Bytes, BytesMut};
use event::Batch;
use flow::sink::known::{Known, places};
use prost::Message;
use runtime::random::Unique;
use std::collections::{BTreeMap, HashMap};

/// One mutation.
#[derive(Debug)]
pub(crate) struct Action {
    pub(crate) row: Bytes,
    /// The message, written once for all times that it is sent, as are its cells.
    pub(crate) mutation: Bytes,
    /// The cells that go with it behind the request.
    pub(crate) cells: Bytes,
    state: State,
    /// How often in a row it was refused for good.
    refusals: u8,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Open,
    Done,
    /// HBase never does it. Why.
    Never(String),
}

/// What one event needs.
#[derive(Debug, Clone, Default)]
struct Entry {
    put: Option<usize>,
    /// It is to be counted, and is not yet.
    counter: Option<Counter>,
    increment: Option<usize>,
    /// It can be no row. Why.
    never: Option<String>,
    /// It is none. Why.
    nothing: Option<String>,
}

/// How mutations are made.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub(crate) family: Bytes,
    pub(crate) wal: bool,
    pub(crate) coalesce: bool,
}

/// The delivery under way, and what is left of one that has failed.
#[derive(Debug)]
pub(crate) struct Ledger {
    shape: Shape,
    serializer: Serializer,
    unique: Unique,
    actions: Vec<Action>,
    /// Of the delivery under way, in order.
    entries: Vec<Entry>,
    /// Of those that have failed.
    known: Known<Entry>,
}

/// An event that is not stored.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unstored {
    /// Its place in its delivery.
    pub(crate) place: usize,
    pub(crate) why: String,
    /// It was to be no row, as Flume has it.
    pub(crate) nothing: bool,
}

impl Ledger {
    pub(crate) fn new(shape: Shape, serializer: Serializer) -> Ledger {
        Ledger {
            shape,
            serializer,
            unique: Unique::from_system(),
            actions: Vec::new(),
            entries: Vec::new(),
            known: Known::default(),
        }
    }

    /// A delivery begins.
    pub(crate) fn begin(&mut self, batches: &[Batch], clock: impl Fn() -> i64) {
        self.entries.clear();
        if self.known.went_elsewhere(batches) {
            self.forget_all();
        }
        self.serializer.begin(clock());
        for batch in batches {
            for (event, place) in batch.events().zip(places(batch)) {
                let entry = match self.known.get(place).cloned() {
                    Some(entry) => entry,
                    None => {
                        let made = self.serializer.make(batch, &event, &clock);
                        self.entry(made)
                    }
                };
                self.entries.push(entry);
            }
        }
    }

    fn entry(&mut self, made: Made) -> Entry {
        match made {
            Made::Nothing(why) => Entry { nothing: Some(why), ..Entry::default() },
            Made::Never(why) => Entry { never: Some(why), ..Entry::default() },
            Made::Rows(put, counter) => {
                let put = put.map(|put| {
                    let action = self.put(put);
                    self.add(action)
                });
                Entry { put, counter, ..Entry::default() }
            }
        }
    }

    /// Counts the events whose rows are stored: each for itself, or all together.
    fn count(&mut self) {
        let is_stored =
            |put: &Option<usize>| put.is_none_or(|index| self.actions[index].state == State::Done);
        let is_new = |entry: &Entry| entry.counter.is_some() && is_stored(&entry.put);
        let new: Vec<usize> = (0..self.entries.len()).filter(|at| is_new(&self.entries[*at])).collect();
        for together in new.chunks(if self.shape.coalesce { usize::MAX } else { 1 }) {
            let Some(counter) = self.entries[together[0]].counter.clone() else { return };
            let nonce = (self.unique.draw() as u64).max(1); // 0 is none
            let action = self.increment(counter, nonce, together.len() as i64);
            let index = self.add(action);
            for at in together {
                self.entries[*at].counter = None;
                self.entries[*at].increment = Some(index);
            }
        }
    }

    fn put(&self, put: Put) -> Action {
        let family = &self.shape.family;
        let all =
            || put.cells.iter().map(|(qualifier, value)| Cell { row: &put.row, family, qualifier, value });
        let mut cells = BytesMut::with_capacity(all().map(|cell| cell.length()).sum());
        all().for_each(|cell| cell.write(&mut cells));
        let count = i32::try_from(put.cells.len()).ok();
        let mutation = Mutation { kind: Some(PUT), cells: count, ..Mutation::default() };
        self.action_of(mutation, put.row, cells.freeze())
    }

    fn increment(&self, counter: Counter, nonce: u64, events: i64) -> Action {
        let amount = Bytes::copy_from_slice(&events.to_be_bytes());
        let values = vec![QualifierValue { qualifier: Some(counter.column), value: Some(amount) }];
        let columns = vec![ColumnValue { family: self.shape.family.clone(), values }];
        let mutation = Mutation { kind: Some(INCREMENT), columns, nonce: Some(nonce), ..Mutation::default() };
        self.action_of(mutation, counter.row, Bytes::new())
    }

    fn action_of(&self, mutation: Mutation, row: Bytes, cells: Bytes) -> Action {
        let durability = (!self.shape.wal).then_some(SKIP_WAL);
        let mutation = Mutation { row: Some(row.clone()), durability, ..mutation };
        Action { row, mutation: mutation.encode_to_vec().into(), cells, state: State::Open, refusals: 0 }
    }

    fn add(&mut self, action: Action) -> usize {
        self.actions.push(action);
        self.actions.len() - 1
    }

    fn open_of(&self, action: impl Fn(&Entry) -> Option<usize>) -> Vec<usize> {
        self.entries.iter().filter_map(action).filter(|index| self.is_open(*index)).collect()
    }

    /// What is open of the delivery, in order: rows; behind them, when none is left, increments.
    pub(crate) fn open(&mut self) -> Vec<usize> {
        let rows = self.open_of(|entry| entry.put);
        if !rows.is_empty() {
            return rows;
        }
        self.count();
        let mut open = self.open_of(|entry| entry.increment);
        // Events that are counted together have one increment.
        open.sort_unstable();
        open.dedup();
        open
    }

    pub(crate) fn action(&self, index: usize) -> &Action {
        &self.actions[index]
    }

    /// Whether it is still to be done.
    pub(crate) fn is_open(&self, index: usize) -> bool {
        self.actions[index].state == State::Open
    }

    /// It is done.
    pub(crate) fn done(&mut self, index: usize) {
        if let Some(action) = self.actions.get_mut(index) {
            action.state = State::Done;
        }
    }

    /// It was not done, because of an exception of this class. `final_word`: the server says that it is not to be tried again.
    pub(crate) fn failed(&mut self, index: usize, class: &str, final_word: bool, why: &str) -> Fate {
        let Some(action) = self.actions.get_mut(index) else { return Fate::Later };
        let fate = policy::fate(class, final_word);
        match fate {
            Fate::Done => action.state = State::Done,
            Fate::Moved | Fate::Later => action.refusals = 0,
            Fate::Never => {
                action.refusals += 1;
                if action.refusals >= REFUSALS {
                    action.state = State::Never(why.to_owned());
                }
            }
        }
        fate
    }

    /// Events of the delivery.
    pub(crate) fn events(&self) -> usize {
        self.entries.len()
    }

    /// The events of the delivery that are not stored and never will be.
    pub(crate) fn unstored(&self) -> Vec<Unstored> {
        let reason = |index: &Option<usize>| match &self.actions.get((*index)?)?.state {
            State::Never(why) => Some(why.clone()),
            _ => None,
        };
        let all = self.entries.iter().enumerate().filter_map(|(place, entry)| {
            let uncounted = || {
                let why = reason(&entry.increment)?;
                Some(if entry.put.is_some() {
                    format!("its row is stored, it is not counted: {why}")
                } else {
                    why
                })
            };
            let never = entry.never.clone().or_else(|| reason(&entry.put)).or_else(uncounted);
            let nothing = never.is_none();
            Some(Unstored { place, why: never.or_else(|| entry.nothing.clone())?, nothing })
        });
        all.collect()
    }

    /// The delivery is over: its events do not come again.
    pub(crate) fn forget(&mut self, batches: &[Batch]) {
        let before = self.known.len();
        self.known.forget(batches);
        self.entries.clear();
        if self.known.is_empty() || self.known.len() == before {
            self.forget_all();
        }
    }

    fn forget_all(&mut self) {
        self.known.clear();
        self.entries.clear();
        self.actions.clear();
    }

    /// The delivery has failed: its events come again, perhaps with others, perhaps to somebody else. What was refused for good is
    /// asked for again.
    pub(crate) fn remember(&mut self, batches: &[Batch]) {
        for action in &mut self.actions {
            if matches!(action.state, State::Never(_)) {
                action.state = State::Open;
                action.refusals = 0;
            }
        }
        if !self.known.has_room(batches) {
            return self.forget_all();
        }
        self.known.remember(batches, self.entries.drain(..));
    }
}

impl Action {
    /// Bytes that it takes in a request, about.
    pub(crate) fn bytes(&self) -> usize {
        OVERHEAD + self.mutation.len() + self.cells.len()
    }

    /// Whether it is sent beside others. One that was refused may have been so because of its company, of the whole call as well.
    pub(crate) fn is_sociable(&self) -> bool {
        self.refusals == 0
    }
}

/// Fields and lengths round a mutation.
const OVERHEAD: usize = 16;

/// What goes to one server in one call: actions by region.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) regions: Vec<(Bytes, Vec<usize>)>,
}

/// Shares `open` among calls, by whom `find` says serves each row (region, server); those it does not know are returned.
pub(crate) fn share<'r>(
    ledger: &Ledger,
    open: &[usize],
    find: impl Fn(&[u8]) -> Option<(&'r Bytes, &'r str)>,
) -> (BTreeMap<String, Vec<Call>>, Vec<usize>) {
    let (mut servers, mut unknown) = (BTreeMap::<String, Packing>::new(), Vec::new());
    for index in open {
        let action = ledger.action(*index);
        match find(&action.row) {
            Some((region, server)) => match servers.get_mut(server) {
                Some(packing) => packing.add(*index, action, region),
                None => {
                    let mut packing = Packing::default();
                    packing.add(*index, action, region);
                    servers.insert(server.to_owned(), packing);
                }
            },
            None => unknown.push(*index),
        }
    }
    (servers.into_iter().map(|(server, packing)| (server, packing.done())).collect(), unknown)
}

#[derive(Default)]
struct Packing {
    full: Vec<Call>,
    call: Call,
    /// Where each region's actions are in the call.
    places: HashMap<Bytes, usize>,
    actions: usize,
    bytes: usize,
}

impl Packing {
    fn add(&mut self, index: usize, action: &Action, region: &Bytes) {
        if !action.is_sociable() {
            self.full.push(Call { regions: vec![(region.clone(), vec![index])] });
            return;
        }
        if self.actions > 0 && (self.actions >= MOST_ACTIONS || self.bytes + action.bytes() > MOST_BYTES) {
            let call = std::mem::take(&mut self.call);
            *self = Packing { full: std::mem::take(&mut self.full), ..Packing::default() };
            self.full.push(call);
        }
        self.actions += 1;
        self.bytes += action.bytes();
        let regions = &mut self.call.regions;
        let place = *self.places.entry(region.clone()).or_insert_with(|| {
            regions.push((region.clone(), Vec::new()));
            regions.len() - 1
        });
        regions[place].1.push(index);
    }

    fn done(mut self) -> Vec<Call> {
        if self.actions > 0 {
            self.full.push(self.call);
        }
        self.full
    }
}

/// Above 5000 a server warns, and one may be told to refuse.
const MOST_ACTIONS: usize = 4_000;
/// As much as Java's client writes at once.
const MOST_BYTES: usize = 2 << 20;

#[cfg(test)]
mod tests;

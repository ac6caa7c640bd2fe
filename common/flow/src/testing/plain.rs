//! A store for tests that need a channel and not a particular one.

use crate::channel::store::{ChannelSettings, Level, Store, StoreRefusal, Stored};
use event::{Batch, Origin};
use plan::{Descriptor, Kind, Properties, Property, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The simplest thing that keeps a channel's promises: a map of events by number.
pub struct PlainStore {
    waiting: BTreeMap<u64, Batch>,
    leased: BTreeMap<u64, Vec<(u64, Batch)>>,
    next: u64,
    taken: u64,
    capacity: usize,
    transaction: usize,
    most_bytes: usize,
}

impl PlainStore {
    /// These keys and values.
    pub fn properties(settings: &[(&str, &str)]) -> Properties {
        Properties::of(&PLAIN, settings.iter().copied())
    }

    /// As configured.
    pub fn new(properties: &Properties) -> PlainStore {
        PlainStore {
            waiting: BTreeMap::new(),
            leased: BTreeMap::new(),
            next: 0,
            taken: 0,
            capacity: properties.count("capacity"),
            transaction: properties.count("transactionCapacity"),
            most_bytes: properties.given("byteCapacity").unwrap_or(usize::MAX) / 10 * 8,
        }
    }

    /// What its channel must know besides.
    pub fn settings(&self, properties: &Properties) -> ChannelSettings {
        let (transaction, most_bytes) = (self.transaction, self.most_bytes);
        ChannelSettings {
            transaction,
            keep_alive: properties.seconds("keep-alive"),
            fits: Some(Arc::new(move |batch| batch.len() <= transaction && cost(batch) <= most_bytes)),
        }
    }

    fn all(&self) -> impl Iterator<Item = &Batch> {
        self.waiting.values().chain(self.leased.values().flatten().map(|(_, batch)| batch))
    }

    fn put_one(&mut self, batch: &Batch) -> Result<(), StoreRefusal> {
        let held: usize = self.all().map(Batch::len).sum();
        if batch.len() > self.transaction {
            return Err(StoreRefusal::TooManyEvents);
        }
        if cost(batch) > self.most_bytes {
            return Err(StoreRefusal::TooManyBytes);
        }
        if held + batch.len() > self.capacity || self.bytes() + cost(batch) > self.most_bytes {
            return Err(StoreRefusal::NoRoom);
        }
        self.waiting.insert(self.next, batch.clone());
        self.next += batch.len() as u64;
        Ok(())
    }
}

/// Its keys are those of a memory channel.
const PLAIN: Descriptor = Descriptor::new(Kind::Channel, "plain", "", &[PROPERTIES]);

const PROPERTIES: &[Property] = &[
    Property::with("capacity", Value::at_least(1, "events"), "100"),
    Property::with("transactionCapacity", Value::at_least(1, "events"), "100"),
    Property::with("keep-alive", Value::at_least(0, "s"), "3"),
    Property::optional("byteCapacity", Value::long(0, "bytes")),
];

/// Bodies count in hundreds of bytes, as a memory channel's.
fn cost(batch: &Batch) -> usize {
    batch.events().map(|event| event.body().len().div_ceil(100).max(1) * 100).sum()
}

impl Store for PlainStore {
    fn put(&mut self, batches: &[Batch]) -> Result<Stored, StoreRefusal> {
        let mut stored = 0;
        for batch in batches {
            match self.put_one(batch) {
                Ok(()) => stored += 1,
                Err(refused) if stored == 0 => return Err(refused),
                Err(_) => break,
            }
        }
        Ok(Stored::now(stored))
    }

    fn take(&mut self, max: usize, bytes: usize) -> Option<(u64, Vec<Batch>)> {
        let (mut left, mut together, mut parts) = (max.min(self.transaction), 0, Vec::new());
        while left > 0
            && together < bytes
            && let Some((first, mut batch)) = self.waiting.pop_first()
        {
            if batch.len() > left {
                let part = batch.split_to(left);
                self.waiting.insert(first + left as u64, batch);
                batch = part;
            }
            left -= batch.len();
            together += batch.event_bytes();
            parts.push((first, batch));
        }
        let lease = parts.first()?.0;
        let batches = parts.iter().map(|(_, batch)| batch.clone()).collect();
        self.leased.insert(lease, parts);
        Some((lease, batches))
    }

    fn settle(&mut self, lease: u64, commit: bool) {
        let parts = self.leased.remove(&lease).unwrap_or_default();
        if commit {
            self.taken += parts.iter().map(|(_, batch)| batch.len() as u64).sum::<u64>();
        } else {
            self.waiting.extend(parts);
        }
    }

    fn bytes(&self) -> usize {
        self.all().map(cost).sum()
    }

    fn level(&self) -> Level {
        let held = self.all().map(Batch::len).sum();
        let leased = self.leased.values().flatten().map(|(_, batch)| batch.len()).sum();
        Level { held, leased, bytes: self.bytes(), taken: self.taken, capacity: self.capacity }
    }

    fn origins(&self) -> Vec<(Option<Origin>, usize)> {
        self.all().map(|batch| (batch.origin(), batch.len())).collect()
    }

    fn give_back(&mut self, again: &dyn Fn(Origin) -> bool) {
        let stays = |batch: &Batch| !batch.origin().is_some_and(again);
        self.waiting.retain(|_, batch| stays(batch));
        self.leased.values_mut().for_each(|parts| parts.retain(|(_, batch)| stays(batch)));
    }
}

//! Channels: where events wait between a source and a sink, and the only place that owns them.

pub mod lease;
mod shared;
mod shell;
pub mod store;
#[cfg(test)]
mod tests;
mod throttle;

use crate::counters::{ChannelCounters, ChannelEntry};
use crate::error::ChannelError;
use crate::message::{Describe, Fill, HowFull, Put, PutTimeout, Stop, Take, Window};
use crate::supervise::DeathWatch;
use crate::supervise::address::AddressCell;
use actix::prelude::*;
use event::{Batch, Origin};
use lease::Lease;
use std::sync::Arc;
use store::{Fits, Level};

/// Bytes that go together where they can: lines in a batch, batches in a delivery. More gain nothing, leave the
/// processor's cache and take memory.
pub const DELIVERY_BYTES: usize = 384 << 10;

/// What a channel can be asked.
pub struct ChannelAddress {
    /// Stores batches.
    pub put: Recipient<Put>,
    /// Leases events.
    pub take: Recipient<Take>,
    /// Says how full it is.
    pub fill: Recipient<HowFull>,
    /// Says what it is doing.
    pub describe: Recipient<Describe>,
    /// Of one that has something to end: files, a process.
    pub stop: Option<Recipient<Stop>>,
}

/// What a channel holds, as it can be asked without its actor, whose thread may hang.
pub trait Holds: Send + Sync {
    /// The events, leased or not, by where they can be read again.
    fn origins(&self) -> Vec<(Option<Origin>, usize)>;

    /// How much it holds.
    fn level(&self) -> Level;

    /// What only this type of channel counts.
    fn figures(&self) -> Vec<(&'static str, String)>;

    /// Forgets those for which `again` holds: their source will read them again.
    fn give_back(&self, again: &dyn Fn(Origin) -> bool);

    /// Whether who takes is to settle what it has before it takes again, as a sink of Flume does.
    fn one_by_one(&self) -> bool {
        false
    }

    /// Whether nobody will find on a disk what it keeps there: then that counts with what it holds, until it is emptied.
    fn leaves(&self, for_good: bool) {
        let _ = for_good;
    }

    /// From now on it holds so many events at most; what is more than that stays. `false` when it cannot change that.
    fn resize(&self, capacity: usize) -> bool {
        let _ = capacity;
        false
    }
}

/// A channel that can be started.
pub struct NewChannel {
    /// Events in one transaction, at most.
    pub(crate) transaction: usize,
    /// What it takes at all, where that is known.
    pub(crate) fits: Option<Fits>,
    /// What it holds, as it can be asked without its actor.
    pub(crate) held: Option<Arc<dyn Holds>>,
    /// Starts its actor. What the channel holds outlives the actor.
    pub(crate) start: Box<dyn Fn(ChannelContext) -> ChannelAddress + Send>,
}

impl NewChannel {
    /// A channel with an actor of its own: its events are in another process, which waits itself.
    pub fn elsewhere(
        transaction: usize,
        held: Arc<dyn Holds>,
        start: impl Fn(ChannelContext) -> ChannelAddress + Send + 'static,
    ) -> NewChannel {
        NewChannel { transaction, fits: None, held: Some(held), start: Box::new(start) }
    }
}

/// What a channel is given by whoever starts it.
pub struct ChannelContext {
    /// Its name in the configuration.
    pub name: Arc<str>,
    /// Where it logs.
    pub log: slog::Logger,
    /// To be kept in its actor.
    pub death_watch: DeathWatch,
}

/// A channel as a source or a group of sinks knows it: by name, wherever its actor is.
#[derive(Clone)]
pub struct ChannelRef {
    /// Its name in the configuration.
    pub name: Arc<str>,
    /// Events in one transaction, at most.
    pub transaction: usize,
    fits: Option<Fits>,
    cell: AddressCell<ChannelAddress>,
    held: Option<Arc<dyn Holds>>,
    /// What it has done.
    pub counters: Arc<ChannelCounters>,
}

impl ChannelRef {
    /// The channel `name`, whose actor is found in `cell`.
    pub fn new(name: &str, transaction: usize, cell: AddressCell<ChannelAddress>) -> ChannelRef {
        ChannelRef { name: name.into(), transaction, fits: None, cell, held: None, counters: Arc::default() }
    }

    /// The same channel, of which it may be known how much it takes at all, and what it holds.
    pub fn of(self, fits: Option<Fits>, held: Option<Arc<dyn Holds>>) -> ChannelRef {
        ChannelRef { fits, held, ..self }
    }

    /// Whether it takes `batch` when it is empty.
    pub fn fits(&self, batch: &Batch) -> bool {
        batch.len() <= self.transaction && self.fits.as_ref().is_none_or(|fits| fits(batch))
    }

    /// Whether who takes is to settle what it has before it takes again.
    pub fn one_by_one(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.one_by_one())
    }

    /// Its counters, and what it says of itself.
    pub fn entry(&self) -> ChannelEntry {
        let (held, counters) = (self.held.clone(), self.counters.clone());
        let (more, limited) = (self.held.clone(), self.held.clone());
        let capacity =
            move || limited.as_ref().map(|held| held.level().capacity).filter(|capacity| *capacity > 0);
        let size = move || match &held {
            Some(held) => held.level().held,
            // It says nothing of itself: what was put and not taken.
            None => counters.put_success.get().saturating_sub(counters.take_success.get()) as usize,
        };
        ChannelEntry {
            name: self.name.to_string(),
            capacity: Arc::new(capacity),
            size: Arc::new(size),
            more: Arc::new(move || more.as_ref().map(|held| held.figures()).unwrap_or_default()),
            counters: self.counters.clone(),
        }
    }

    /// Asks its actor what it is doing, if there is one.
    pub fn describe(&self) -> Option<RecipientRequest<Describe>> {
        self.cell.with(|channel| channel.describe.send(Describe))
    }

    /// Asks its actor to stop, if it has something to end.
    pub fn stop(&self) -> Option<RecipientRequest<Stop>> {
        self.cell.with(|channel| channel.stop.as_ref().map(|stop| stop.send(Stop))).flatten()
    }

    /// See [`Holds`].
    pub fn origins(&self) -> Vec<(Option<Origin>, usize)> {
        self.held.as_ref().map(|held| held.origins()).unwrap_or_default()
    }

    /// See [`Holds`].
    pub fn give_back(&self, again: &dyn Fn(Origin) -> bool) {
        if let Some(held) = &self.held {
            held.give_back(again);
        }
    }

    /// See [`Holds`].
    pub(crate) fn leaves(&self, for_good: bool) {
        if let Some(held) = &self.held {
            held.leaves(for_good);
        }
    }

    /// Takes over the capacity of `new`, which is to be the same channel but for that. `false` when it cannot.
    pub(crate) fn resize(&self, new: &NewChannel) -> bool {
        let (Some(held), Some(new)) = (&self.held, &new.held) else { return false };
        held.resize(new.level().capacity)
    }

    /// Stores `batch`.
    ///
    /// # Errors
    /// Why it is not stored.
    pub async fn put(&self, batch: Batch, wait: PutTimeout) -> Result<(), ChannelError> {
        self.put_some(&[batch], wait).await.map(drop)
    }

    /// Stores the first of `batches` and as many behind it as there is room for; says how many. Should the channel's actor
    /// die meanwhile, they go to the next one.
    ///
    /// # Errors
    /// Why the first is not stored.
    pub async fn put_some(&self, batches: &[Batch], wait: PutTimeout) -> Result<usize, ChannelError> {
        self.counters.put_attempt.add(events(batches));
        let stored = self
            .ask(|channel| channel.put.send(Put { batches: batches.to_vec(), wait }), |stored| stored)
            .await
            .unwrap_or_else(|| Err(ChannelError::Stopping(self.name.to_string())));
        // What has to come again is another attempt then.
        if let Ok(stored) = &stored {
            self.counters.put_success.add(events(&batches[..*stored]));
        }
        stored
    }

    /// Leases what is there, as soon as there is anything; see [`Take`]. `None` when the channel has been stopped for good.
    pub async fn take_some(&self, max: usize, credit: Window) -> Option<Vec<Lease>> {
        let leases = self.ask(|channel| channel.take.send(Take { max, credit }), |leases| leases).await?;
        let leased = leases.iter().map(|lease| events(lease.batches())).sum();
        self.counters.take_attempt.add(leased);
        Some(leases)
    }

    /// One lease, for tests.
    #[cfg(any(test, feature = "testing"))]
    pub async fn take(&self, max: usize) -> Option<Lease> {
        self.take_some(max, Window::LOCK_STEP).await.and_then(|mut leases| leases.pop())
    }

    /// How full it is; `None` when it has been stopped for good.
    pub async fn fill(&self) -> Option<Fill> {
        self.ask(|channel| channel.fill.send(HowFull), Some).await
    }

    /// Asks until an actor has answered: `answered` says `None` when it died before it could.
    async fn ask<M, T>(
        &self,
        mut send: impl FnMut(&ChannelAddress) -> RecipientRequest<M>,
        answered: impl Fn(M::Result) -> Option<T>,
    ) -> Option<T>
    where
        M: Message + Send + 'static,
        M::Result: Send,
    {
        let mut watched = None;
        loop {
            let request = self.cell.with(&mut send);
            if let Some(request) = request
                && let Ok(answer) = request.await
                && let Some(answer) = answered(answer)
            {
                return Some(answer);
            }
            // Between the actor's death and its successor. The first wait may end at once, with an address set before.
            if !watched.get_or_insert_with(|| self.cell.clone()).replaced().await {
                return None;
            }
        }
    }
}

fn events(batches: &[Batch]) -> usize {
    batches.iter().map(Batch::len).sum()
}

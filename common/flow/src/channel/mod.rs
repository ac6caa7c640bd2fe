//! Channels: where events wait between a source and a sink, and the only place that owns them.

pub mod lease;
mod pace;
mod shell;
pub mod store;
#[cfg(test)]
mod tests;

use crate::error::ChannelError;
use crate::message::{Describe, Fill, HowFull, Patience, Put, Take, Window};
use crate::supervise::Guard;
use crate::supervise::slot::Slot;
use actix::prelude::*;
use event::{Batch, Origin};
use lease::Lease;
use std::sync::Arc;
use store::Fits;

/// Bytes that go together where they can: lines in a batch, batches in a parcel. More gain nothing, leave the
/// processor's cache and take memory.
pub const PARCEL_BYTES: usize = 384 << 10;

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
}

/// What a channel holds, as it can be asked without its actor, whose thread may hang.
pub trait Holds: Send + Sync {
    /// The events, leased or not, by where they can be read again.
    fn origins(&self) -> Vec<(Option<Origin>, usize)>;

    /// Forgets those for which `again` holds: their source will read them again.
    fn give_back(&self, again: &dyn Fn(Origin) -> bool);
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

/// What a channel is given by whoever starts it.
pub struct ChannelContext {
    /// Its name in the configuration.
    pub name: Arc<str>,
    /// Where it logs.
    pub log: slog::Logger,
    /// To be kept in its actor.
    pub guard: Guard,
}

/// A channel as a source or a group of sinks knows it: by name, wherever its actor is.
#[derive(Clone)]
pub struct ChannelRef {
    /// Its name in the configuration.
    pub name: Arc<str>,
    /// Events in one transaction, at most.
    pub transaction: usize,
    fits: Option<Fits>,
    slot: Slot<ChannelAddress>,
    held: Option<Arc<dyn Holds>>,
}

impl ChannelRef {
    /// The channel `name`, whose actor is found in `slot`.
    pub fn new(name: &str, transaction: usize, slot: Slot<ChannelAddress>) -> ChannelRef {
        ChannelRef { name: name.into(), transaction, fits: None, slot, held: None }
    }

    /// The same channel, of which it may be known how much it takes at all, and what it holds.
    pub fn of(self, fits: Option<Fits>, held: Option<Arc<dyn Holds>>) -> ChannelRef {
        ChannelRef { fits, held, ..self }
    }

    /// Whether it takes `batch` when it is empty.
    pub fn fits(&self, batch: &Batch) -> bool {
        batch.len() <= self.transaction && self.fits.as_ref().is_none_or(|fits| fits(batch))
    }

    /// Asks its actor what it is doing, if there is one.
    pub fn describe(&self) -> Option<RecipientRequest<Describe>> {
        self.slot.with(|channel| channel.describe.send(Describe))
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

    /// Stores `batch`.
    ///
    /// # Errors
    /// Why it is not stored.
    pub async fn put(&self, batch: Batch, patience: Patience) -> Result<(), ChannelError> {
        self.put_some(&[batch], patience).await.map(drop)
    }

    /// Stores the first of `batches` and as many behind it as there is room for; says how many. Should the channel's actor
    /// die meanwhile, they go to the next one.
    ///
    /// # Errors
    /// Why the first is not stored.
    pub async fn put_some(&self, batches: &[Batch], patience: Patience) -> Result<usize, ChannelError> {
        self.ask(|channel| channel.put.send(Put { batches: batches.to_vec(), patience }), |stored| stored)
            .await
            .unwrap_or_else(|| Err(ChannelError::Stopping(self.name.to_string())))
    }

    /// Leases what is there, as soon as there is anything; see [`Take`]. `None` when the channel has been stopped for good.
    pub async fn take_some(&self, max: usize, credit: Window) -> Option<Vec<Lease>> {
        self.ask(|channel| channel.take.send(Take { max, credit }), |leases| leases).await
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
            let request = self.slot.with(&mut send);
            if let Some(request) = request
                && let Ok(answer) = request.await
                && let Some(answer) = answered(answer)
            {
                return Some(answer);
            }
            // Between the actor's death and its successor. The first wait may end at once, with an address set before.
            if !watched.get_or_insert_with(|| self.slot.clone()).replaced().await {
                return None;
            }
        }
    }
}

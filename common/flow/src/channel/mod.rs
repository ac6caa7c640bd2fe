//! Channels: where events wait between a source and a sink, and the only place that owns them.

pub(crate) mod lease;
pub(crate) mod memory;

use crate::error::ChannelError;
use crate::message::{Describe, Fill, HowFull, Patience, Put, Take, Window};
use crate::supervise::Guard;
use crate::supervise::slot::Slot;
use actix::prelude::*;
use event::{Batch, Origin};
use lease::Lease;
use memory::Limits;
use std::sync::Arc;

/// Bytes that go together where they can: lines in a batch, batches in a parcel. More gain nothing, leave the
/// processor's cache and take memory.
pub(crate) const PARCEL_BYTES: usize = 384 << 10;

/// What a channel can be asked.
pub(crate) struct ChannelAddress {
    pub(crate) put: Recipient<Put>,
    pub(crate) take: Recipient<Take>,
    pub(crate) fill: Recipient<HowFull>,
    pub(crate) describe: Recipient<Describe>,
}

/// What a channel holds, as it can be asked without its actor, whose thread may hang.
pub(crate) trait Holds: Send + Sync {
    /// The events, leased or not, by where they can be read again.
    fn origins(&self) -> Vec<(Option<Origin>, usize)>;

    /// Forgets those for which `again` holds: their source will read them again.
    fn give_back(&self, again: &dyn Fn(Origin) -> bool);
}

/// What a channel is given by whoever starts it.
pub(crate) struct ChannelContext {
    /// Its name in the configuration.
    pub(crate) name: Arc<str>,
    pub(crate) log: slog::Logger,
    pub(crate) guard: Guard,
}

/// A channel as a source or a group of sinks knows it: by name, wherever its actor is.
#[derive(Clone)]
pub(crate) struct ChannelRef {
    pub(crate) name: Arc<str>,
    /// Events in one transaction, at most.
    pub(crate) transaction: usize,
    limits: Option<Limits>,
    slot: Slot<ChannelAddress>,
    held: Option<Arc<dyn Holds>>,
}

impl ChannelRef {
    pub(crate) fn new(name: &str, transaction: usize, slot: Slot<ChannelAddress>) -> ChannelRef {
        ChannelRef { name: name.into(), transaction, limits: None, slot, held: None }
    }

    /// The same channel, of which it may be known how much it takes at all, and what it holds.
    pub(crate) fn of(self, limits: Option<Limits>, held: Option<Arc<dyn Holds>>) -> ChannelRef {
        ChannelRef { limits, held, ..self }
    }

    /// Whether it takes `batch` when it is empty.
    pub(crate) fn fits(&self, batch: &Batch) -> bool {
        batch.len() <= self.transaction && self.limits.is_none_or(|limits| limits.fit(batch))
    }

    /// Asks its actor what it is doing, if there is one.
    pub(crate) fn describe(&self) -> Option<RecipientRequest<Describe>> {
        self.slot.with(|channel| channel.describe.send(Describe))
    }

    /// See [`Holds`].
    pub(crate) fn origins(&self) -> Vec<(Option<Origin>, usize)> {
        self.held.as_ref().map(|held| held.origins()).unwrap_or_default()
    }

    /// See [`Holds`].
    pub(crate) fn give_back(&self, again: &dyn Fn(Origin) -> bool) {
        if let Some(held) = &self.held {
            held.give_back(again);
        }
    }

    /// Stores `batch`.
    ///
    /// # Errors
    /// Why it is not stored.
    pub(crate) async fn put(&self, batch: Batch, patience: Patience) -> Result<(), ChannelError> {
        self.put_some(&[batch], patience).await.map(drop)
    }

    /// Stores the first of `batches` and as many behind it as there is room for; says how many. Should the channel's actor
    /// die meanwhile, they go to the next one.
    ///
    /// # Errors
    /// Why the first is not stored.
    pub(crate) async fn put_some(
        &self,
        batches: &[Batch],
        patience: Patience,
    ) -> Result<usize, ChannelError> {
        self.ask(|channel| channel.put.send(Put { batches: batches.to_vec(), patience }), |stored| stored)
            .await
            .unwrap_or_else(|| Err(ChannelError::Stopping(self.name.to_string())))
    }

    /// Leases what is there, as soon as there is anything; see [`Take`]. `None` when the channel has been stopped for good.
    pub(crate) async fn take_some(&self, max: usize, credit: Window) -> Option<Vec<Lease>> {
        self.ask(|channel| channel.take.send(Take { max, credit }), |leases| leases).await
    }

    /// One lease, for tests.
    #[cfg(test)]
    pub(crate) async fn take(&self, max: usize) -> Option<Lease> {
        self.take_some(max, Window::LOCK_STEP).await.and_then(|mut leases| leases.pop())
    }

    /// How full it is; `None` when it has been stopped for good.
    pub(crate) async fn fill(&self) -> Option<Fill> {
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

//! The contract of channels: what keeps the events. Waiting, messages and restarts are its actor's (`shell.rs`).

use crate::error::ChannelError;
use actix::WeakRecipient;
use actix::prelude::*;
use event::{Batch, Origin};
use runtime::clock::Duration;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// What a channel keeps its events in: no waiting, and no blocking. A store that has a disk or a network does that work
/// elsewhere, answers later, and rings its [`Bell`]. It outlives the actor that asks it.
pub trait Store: Send + 'static {
    /// Whether its end is to be waited for, see [`Store::stop`].
    const ENDS: bool = false;

    /// The channel's actor has started, for the first time or again. `bell` is to be rung whenever there is room or are
    /// events that the actor does not know of, and is the same for all actors; `name` and `log` are the channel's.
    fn start(&mut self, bell: Bell, name: &str, log: &slog::Logger) {
        let _none_of_it_is_needed = (bell, name, log);
    }

    /// No more will be asked. What is to be waited for until all that was settled counts; `None`: nothing.
    fn stop(&mut self) -> Option<oneshot::Receiver<()>> {
        None
    }

    /// Stores as many of `batches` as there is room for, in their order and each whole or not at all.
    ///
    /// # Errors
    /// Why the first is not stored; then nothing has changed.
    fn put(&mut self, batches: &[Batch]) -> Result<Stored, StoreRefusal>;

    /// Leases the oldest events that can go out, at most `max` and at most a transaction's worth; `None` when there are
    /// none. Batches are put together until there are `bytes` of them. The number names the lease.
    fn take(&mut self, max: usize, bytes: usize) -> Option<(u64, Vec<Batch>)>;

    /// A lease has ended: its events have arrived elsewhere (`commit`) and are forgotten, or go back to where they were. A
    /// lease that is not out (any more) changes nothing.
    fn settle(&mut self, lease: u64, commit: bool);

    /// Bytes that it holds; asked for with each put.
    fn bytes(&self) -> usize;

    /// How much it holds, for people and for a drain.
    fn level(&self) -> Level;

    /// The events, leased or not, by where they can be read again.
    fn origins(&self) -> Vec<(Option<Origin>, usize)>;

    /// Forgets those for which `again` holds: their source will read them again.
    fn give_back(&mut self, again: &dyn Fn(Origin) -> bool);

    /// From now on it holds so many events at most; what is more than that stays, and leaves as ever. It rings its bell
    /// where that makes room. `false` when it cannot change that while it runs.
    fn resize(&mut self, capacity: usize) -> bool {
        let _ = capacity;
        false
    }

    /// What only this type of channel counts, by its key in Flume: `KafkaEventGetTimer`, `Unhealthy`. Asked for when
    /// somebody looks.
    fn figures(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// What was stored.
#[derive(Debug)]
pub struct Stored {
    /// So many batches: the first ones.
    pub batches: usize,
    /// When they are safe; `None` when they are by now. What is sent is `Err` with the reason when they never will be:
    /// then none of them is stored.
    pub later: Option<oneshot::Receiver<Result<(), String>>>,
}

impl Stored {
    /// They are safe as far as this store can make them.
    pub fn now(batches: usize) -> Stored {
        Stored { batches, later: None }
    }

    /// Waits until they are safe.
    pub(super) async fn safe(self, channel: &str) -> Result<usize, ChannelError> {
        let Some(later) = self.later else { return Ok(self.batches) };
        let failed = |reason| ChannelError::Failed { channel: channel.to_owned(), reason };
        match later.await {
            Ok(Ok(())) => Ok(self.batches),
            Ok(Err(reason)) => Err(failed(reason)),
            Err(_) => Err(failed("it has stopped before the events were safe".to_owned())),
        }
    }
}

/// Why a batch was not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreRefusal {
    /// There is no room now.
    NoRoom,
    /// It has more events than a transaction may have: never.
    TooManyEvents,
    /// It has more body bytes than the channel may hold at all: never.
    TooManyBytes,
    /// The store failed, for this reason: it may take the same batch later.
    Failed(String),
}

/// How much a store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Level {
    /// Events, leased ones included.
    pub held: usize,
    /// Of these, leased ones.
    pub leased: usize,
    /// Bytes of them.
    pub bytes: usize,
    /// Events that have left for good since the start.
    pub taken: u64,
    /// Events it holds at most; 0: that is not known.
    pub capacity: usize,
}

/// Whether an empty channel takes a batch.
pub type Fits = Arc<dyn Fn(&Batch) -> bool + Send + Sync>;

/// What a channel's actor must know besides its store.
#[derive(Clone)]
pub struct ChannelSettings {
    /// Events in one transaction, at most.
    pub transaction: usize,
    /// How long a put waits for room.
    pub keep_alive: Duration,
    /// What it takes at all, where that is known.
    pub fits: Option<Fits>,
}

/// Wakes a channel's actor, the one that there is now: somebody who waits may be served.
#[derive(Clone, Default)]
pub struct Bell(Arc<Hung>);

#[derive(Default)]
struct Hung {
    actor: Mutex<Option<WeakRecipient<Rung>>>,
    /// The actor has been told and has not looked yet: changes that come together are told once.
    told: AtomicBool,
}

/// The store has changed.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Rung;

impl Bell {
    /// From now on it wakes `actor`, which looks at once: who rang before may have found nobody.
    pub(super) fn hang(&self, actor: WeakRecipient<Rung>) {
        *self.actor() = Some(actor);
        self.is_heard();
        self.ring();
    }

    /// Rings it, from any thread.
    pub fn ring(&self) {
        if self.0.told.swap(true, Ordering::AcqRel) {
            return;
        }
        let actor = self.actor().as_ref().and_then(WeakRecipient::upgrade);
        if let Some(actor) = actor {
            actor.do_send(Rung);
        }
    }

    fn actor(&self) -> MutexGuard<'_, Option<WeakRecipient<Rung>>> {
        self.0.actor.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The actor looks now.
    pub(super) fn is_heard(&self) {
        self.0.told.store(false, Ordering::Release);
    }
}

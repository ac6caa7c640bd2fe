//! Everything components say to each other.
//!
//! A batch goes source → [`Put`] → channel → [`Take`] → group of sinks → [`Deliver`] → sink, and the answer comes back
//! as [`Delivered`]. Memory is bounded by credits, not by mailboxes: a source awaits the answer to its `Put` before the
//! next one, and a group keeps no more deliveries with a sink than the sink's [`Window`] allows.

use crate::channel::lease::Lease;
use crate::counters::SinkCounters;
use crate::error::{ChannelError, DeliveryError};
use actix::prelude::*;
use event::Batch;
use runtime::clock::{self, Instant};
use std::sync::Arc;
use wire::avro::BatchId;

/// Stores batches in their order, each whole or not at all: as many as there is room for, and at least the first, for which
/// it waits. Several go together so that a busy source asks once for all of them. The answer is how many were stored;
/// `None` when the channel's actor has died with them still waiting: nothing was stored, and its successor is to be asked.
///
/// # Errors
/// Why the first is not stored: [`ChannelError::Full`] when no room is found within the channel's `keep-alive`, unless the
/// sender waits for ever; [`ChannelError::TooLarge`] when it can never fit.
#[derive(Message)]
#[rtype(result = "Option<Result<usize, ChannelError>>")]
pub struct Put {
    /// In the order in which they are stored.
    pub batches: Vec<Batch>,
    /// How long to wait for room.
    pub wait: PutTimeout,
}

/// How long a [`Put`] waits for room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutTimeout {
    /// The channel's `keep-alive`: the sender has somebody of its own to answer to.
    KeepAlive,
    /// Until there is room: the sender reads a file or a pipe, which waits too. What is stored may be answered a moment
    /// later, when there is much already.
    Forever,
    /// Not at all: it has waited already.
    Now,
}

/// Leases what is there, in leases of up to `max` events each and no more of them than `credit` has room for; waits while
/// the channel is empty, so that nobody polls. The answer is `None` when the channel's actor has died meanwhile: its
/// successor is to be asked.
#[derive(Message)]
#[rtype(result = "Option<Vec<Lease>>")]
pub struct Take {
    /// Events in a lease, at most.
    pub max: usize,
    /// What all leases together may hold.
    pub credit: Window,
}

/// Asks how full a channel is.
#[derive(Message)]
#[rtype(result = "Fill")]
pub struct HowFull;

/// What a channel holds, with what is leased and what waits for room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fill {
    /// Events that it holds.
    pub events: usize,
    /// Events leased for good since the start: whether a drain moves forward.
    pub taken: u64,
}

/// Hands a delivery to a sink. The answer comes as [`Delivered`], however it ends.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Deliver(pub PendingDelivery);

/// Asks a sink to get ready: to connect, to open its file. It answers with [`Health`].
#[derive(Message)]
#[rtype(result = "()")]
pub struct Probe;

/// A batch on its way out, with its name. It keeps both when it is sent again, to whomever.
pub struct Delivery {
    /// Its name.
    pub id: BatchId,
    /// Its events, still those of their channel.
    pub lease: Lease,
    /// Whether somebody may already have stored it: an acknowledgement can be lost with its connection.
    pub doubt: bool,
}

impl Delivery {
    /// How many events it has.
    pub fn events(&self) -> usize {
        self.lease.batches().iter().map(Batch::len).sum()
    }
}

/// A delivery in the hands of a sink, which says how it went. One that is dropped (its sink has died) says so itself.
pub struct PendingDelivery {
    delivery: Option<Delivery>,
    sink: usize,
    group: Recipient<Delivered>,
    /// Since when it is under way, where that is counted.
    since: Option<(Instant, Arc<SinkCounters>)>,
}

impl PendingDelivery {
    /// `delivery` for member `sink` of the group that `group` reaches.
    pub fn new(delivery: Delivery, sink: usize, group: Recipient<Delivered>) -> PendingDelivery {
        PendingDelivery { delivery: Some(delivery), sink, group, since: None }
    }

    /// From now on its time runs, if `counters` keep it.
    #[must_use]
    pub fn timed(mut self, counters: &Arc<SinkCounters>) -> PendingDelivery {
        self.since = counters.latency.is_some().then(|| (clock::now(), counters.clone()));
        self
    }

    /// The batches to deliver, in order.
    pub fn batches(&self) -> &[Batch] {
        let batches = self.delivery.as_ref().map_or(&[] as &[Batch], |delivery| delivery.lease.batches());
        #[cfg(any(test, feature = "testing"))]
        crate::poison::trip(batches);
        batches
    }

    /// How many events they hold together.
    pub fn events(&self) -> usize {
        self.batches().iter().map(Batch::len).sum()
    }

    /// The delivery's name.
    pub fn id(&self) -> Option<BatchId> {
        self.delivery.as_ref().map(|delivery| delivery.id)
    }

    /// These deliveries, all of one sink, have arrived: their channel may forget them.
    pub fn done(mut all_pending: Vec<PendingDelivery>) {
        let deliveries = all_pending.iter_mut().filter_map(|pending| pending.delivery.take()).collect();
        if let Some(PendingDelivery { sink, group, since, .. }) = all_pending.first() {
            if since.is_some() {
                record(&all_pending, clock::now());
            }
            group.do_send(Delivered { sink: *sink, deliveries, outcome: Ok(()) });
        }
    }

    /// Some of the delivery's events have arrived: leaves those, by their place among all, for which `is_left` holds.
    pub fn keep(&mut self, is_left: impl FnMut(usize) -> bool) {
        if let Some(delivery) = &mut self.delivery {
            delivery.lease.keep(is_left);
        }
    }

    /// The delivery has not arrived, or nobody knows.
    pub fn failed(mut self, error: DeliveryError) {
        self.report(error);
    }

    fn report(&mut self, error: DeliveryError) {
        if let Some(delivery) = self.delivery.take() {
            self.group.do_send(Delivered {
                sink: self.sink,
                deliveries: vec![delivery],
                outcome: Err(error),
            });
        }
    }
}

fn record(all_pending: &[PendingDelivery], now: Instant) {
    for (since, counters) in all_pending.iter().filter_map(|pending| pending.since.as_ref()) {
        if let Some(latency) = &counters.latency {
            latency.record(now.saturating_duration_since(*since));
        }
    }
}

impl Drop for PendingDelivery {
    fn drop(&mut self) {
        self.report(DeliveryError::Gone);
    }
}

/// How [`PendingDelivery`]s of one sink ended, all in the same way.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Delivered {
    /// Which member of the group.
    pub sink: usize,
    /// What was handed to it.
    pub deliveries: Vec<Delivery>,
    /// How it went.
    pub outcome: Result<(), DeliveryError>,
}

/// What a sink says of itself to its group, unasked.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Health {
    /// Which member of the group.
    pub sink: usize,
    /// How it stands.
    pub state: State,
}

/// Whether a sink can be given deliveries.
#[derive(Debug)]
pub enum State {
    /// Its actor has just started, for the first time or again: whatever it was asked before, it is to be asked now.
    Started,
    /// It can, so many at a time.
    Up(Window),
    /// It finishes what it has and wants no more: its peer is about to stop.
    Leaving,
    /// It cannot.
    Down(DeliveryError),
}

/// A sink's credit: how many deliveries, and bytes of them, may be in its hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Deliveries at a time.
    pub deliveries: usize,
    /// Bytes of them.
    pub bytes: usize,
}

impl Window {
    /// One after the other, as Flume's own sinks work.
    pub const LOCK_STEP: Window = Window { deliveries: 1, bytes: usize::MAX };
    /// For a sink on this machine: some are written together while the next ones wait, so that its thread never does.
    pub const LOCAL: Window = Window { deliveries: 16, bytes: 2 << 20 };
}

/// Asks a component what it is doing, in a line for an operator.
#[derive(Message)]
#[rtype(result = "String")]
pub struct Describe;

/// Asks a component to finish what it has under way and to stop. Answered when it has.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Stop;

/// Asks a group of sinks to take no more from its channel. Answered when nothing is under way any more: all of it has arrived,
/// or is the channel's again.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Finish;

/// Asks a source that can read its events again to read no more and to wait for [`Stop`]. Answered when what it has read is
/// stored. At its stop it then begins again, with its next start, at what its channels still hold.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Pause;

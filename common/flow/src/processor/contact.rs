//! How a group and its sinks reach each other, and how others reach a group.

use crate::channel::ChannelRef;
use crate::counters::{Counter, SinkCounters, epoch_millis};
use crate::message::{Deliver, Describe, Finish, Health, Probe, Stop};
use crate::supervise::DeathWatch;
use crate::supervise::address::AddressCell;
use actix::dev::ToEnvelope;
use actix::prelude::*;
use runtime::clock::Duration;
use std::sync::Arc;
use wire::avro::BatchId;

/// What a sink can be asked.
pub struct SinkAddress {
    /// Takes a delivery.
    pub deliver: Recipient<Deliver>,
    /// Gets ready.
    pub probe: Recipient<Probe>,
    /// Stops.
    pub stop: Recipient<Stop>,
}

impl SinkAddress {
    /// Of this actor.
    pub fn of<A>(sink: &Addr<A>) -> SinkAddress
    where
        A: Actor + Handler<Deliver> + Handler<Probe> + Handler<Stop>,
        A::Context: ToEnvelope<A, Deliver> + ToEnvelope<A, Probe> + ToEnvelope<A, Stop>,
    {
        SinkAddress {
            deliver: sink.clone().recipient(),
            probe: sink.clone().recipient(),
            stop: sink.clone().recipient(),
        }
    }
}

/// A member of a group, as the group is told of it.
#[derive(Clone)]
pub struct MemberRef {
    /// The sink's name in the configuration.
    pub name: String,
    /// Events it wants at a time.
    pub batch_size: usize,
    /// Where it is.
    pub cell: AddressCell<SinkAddress>,
    /// What it counts.
    pub counters: Arc<SinkCounters>,
}

/// What its group counts of it.
impl MemberRef {
    /// It is given a delivery of so many events by a group that asks for `batch_size` at a time.
    pub fn count_given(&self, events: usize, batch_size: usize) {
        let counters = &self.counters;
        let filled = if events < batch_size { &counters.batch_underflow } else { &counters.batch_complete };
        filled.increment();
        counters.drain_attempt.add(events);
    }

    /// Deliveries with so many events have arrived.
    pub fn count_arrived(&self, events: usize) {
        self.counters.count_arrived(events);
    }

    /// It has failed: its connection, if it had one, is gone. Flume counts a try that fails as a write that fails.
    pub fn count_failed(&self, was_up: bool) {
        let counters = &self.counters;
        counters.event_write_fail.increment();
        if was_up { &counters.connection_closed } else { &counters.connection_failed }.increment();
    }

    /// It is connected, or its file is open.
    pub fn count_up(&self) {
        self.counters.connection_created.increment();
    }

    /// Shows whether it is up, whether its group gives it events, and in how long it is tried again.
    pub fn show(&self, is_up: bool, is_active: bool, next_try: Option<Duration>) {
        let (health, epoch) = (&self.counters.health, epoch_millis);
        since(&health.up_since, is_up, epoch);
        since(&health.active_since, is_active, epoch);
        health.next_try.set(next_try.map_or(0, |pause| epoch() + pause.as_millis() as u64));
    }
}

/// Sets when it began, if it holds and did not before.
fn since(counter: &Counter, holds: bool, now: impl Fn() -> u64) {
    match (holds, counter.get()) {
        (true, 0) => counter.set(now()),
        (false, 1..) => counter.set(0),
        _ => {}
    }
}

/// Makes the actor of a group whose processor is in another process.
pub type MakeGroup = Box<dyn Fn(Vec<MemberRef>, ChannelRef, GroupContext) -> GroupRecipients + Send>;

/// What such a group is given besides.
pub struct GroupContext {
    /// The name of its first batch; the next ones count on.
    pub first: BatchId,
    /// Where it logs.
    pub log: slog::Logger,
    /// To be kept in its actor.
    pub death_watch: DeathWatch,
}

/// How the actor of a group can be reached.
pub struct GroupRecipients {
    /// For its sinks.
    pub health: Recipient<Health>,
    /// For the flow's stop.
    pub stop: Recipient<Stop>,
    /// For who asks what it is doing.
    pub describe: Recipient<Describe>,
    /// For a stop while the rest goes on; `None` for a group that can only be stopped at once.
    pub finish: Option<Recipient<Finish>>,
}

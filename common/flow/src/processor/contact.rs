//! How a group and its sinks reach each other, and how others reach a group.

use crate::channel::ChannelRef;
use crate::counters::SinkCounters;
use crate::message::{Deliver, Describe, Finish, Health, Probe, Stop};
use crate::supervise::DeathWatch;
use crate::supervise::address::AddressCell;
use actix::dev::ToEnvelope;
use actix::prelude::*;
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

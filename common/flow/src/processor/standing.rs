//! What a group counts of its sinks, once per delivery, and what it shows of their health.

use super::{Group, Member, SinkSelection};
use crate::counters::Counter;
use crate::message::Delivery;
use runtime::clock::{self, Instant};

impl Member {
    /// It is given a delivery of a group that asks for `batch_size` events at a time.
    pub(super) fn count_given(&self, delivery: &Delivery, batch_size: usize) {
        let (counters, events) = (&self.at.counters, events(delivery));
        let filled = if events < batch_size { &counters.batch_underflow } else { &counters.batch_complete };
        filled.increment();
        counters.drain_attempt.add(events);
    }

    /// Deliveries with so many events have arrived.
    pub(super) fn count_arrived(&self, events: usize) {
        self.at.counters.drain_success.add(events);
    }

    /// It has failed: its connection, if it had one, is gone. Flume counts a try that fails as a write that fails.
    pub(super) fn count_failed(&self, was_up: bool) {
        let counters = &self.at.counters;
        counters.event_write_fail.increment();
        if was_up { &counters.connection_closed } else { &counters.connection_failed }.increment();
    }

    /// It is connected, or its file is open.
    pub(super) fn count_up(&self) {
        self.at.counters.connection_created.increment();
    }
}

impl Group {
    /// Shows how its sinks stand; called when that may have changed.
    pub(super) fn show_standing(&self, now: Instant) {
        let epoch = || clock::epoch_millis().try_into().unwrap_or_default();
        let active = match &self.selection {
            SinkSelection::Priority(order) => order.iter().copied().find(|sink| self.health.is_live(*sink)),
            SinkSelection::RoundRobin(_) | SinkSelection::Random { .. } => None,
        };
        for (sink, member) in self.members.iter().enumerate() {
            let (health, live) = (&member.at.counters.health, self.health.is_live(sink));
            let is_active = if self.selection.keeps_order() { active == Some(sink) } else { live };
            since(&health.up_since, live, epoch);
            since(&health.active_since, is_active, epoch);
            let next = self.health.next_due(|other| other == sink);
            let in_millis = |at: Instant| at.saturating_duration_since(now).as_millis() as u64;
            health.next_try.set(next.map_or(0, |at| epoch() + in_millis(at)));
        }
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

/// The events of a delivery.
pub(super) fn events(delivery: &Delivery) -> usize {
    delivery.lease.batches().iter().map(event::Batch::len).sum()
}

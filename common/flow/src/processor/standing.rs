//! What a group shows of the health of its sinks.

use super::{Group, SinkSelection};
use crate::counters::Counter;
use runtime::clock::{self, Instant};

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

//! What a group shows of the health of its sinks.

use super::{Group, SinkSelection};
use runtime::clock::Instant;

impl Group {
    /// Shows how its sinks stand; called when that may have changed.
    pub(super) fn show_standing(&self, now: Instant) {
        let active = match &self.selection {
            SinkSelection::Priority(order) => order.iter().copied().find(|sink| self.health.is_live(*sink)),
            SinkSelection::RoundRobin(_) | SinkSelection::Random { .. } => None,
        };
        for (sink, member) in self.members.iter().enumerate() {
            let live = self.health.is_live(sink);
            let is_active = if self.selection.keeps_order() { active == Some(sink) } else { live };
            let next = self.health.next_due(|other| other == sink);
            member.at.show(live, is_active, next.map(|at| at.saturating_duration_since(now)));
        }
    }
}

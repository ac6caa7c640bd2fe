//! How a group rests its sinks and chooses among them.

use super::{Backoff, SinkSelection};
use runtime::random::Random;

/// How a group rests its sinks and chooses among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grouping {
    /// How long a sink that failed is left alone.
    pub backoff: Backoff,
    /// Which sink is next.
    pub order: Order,
}

/// See [`SinkSelection`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// One for each sink, the highest first.
    Priorities(Vec<i64>),
    /// One after the other.
    RoundRobin,
    /// Any.
    Random,
}

/// A sink that no group has.
pub const LONE: Grouping = Grouping { backoff: Backoff::Retry, order: Order::Priorities(Vec::new()) };

impl Grouping {
    /// The order among so many `members`; `seed` is for the one that is left to chance.
    pub(crate) fn selection(&self, members: usize, seed: u64) -> SinkSelection {
        match &self.order {
            Order::Priorities(priorities) if priorities.is_empty() => {
                SinkSelection::by_priority(&vec![0; members])
            }
            Order::Priorities(priorities) => SinkSelection::by_priority(priorities),
            Order::RoundRobin => SinkSelection::round_robin(members),
            Order::Random => SinkSelection::Random { members, random: Random::seeded(seed) },
        }
    }
}

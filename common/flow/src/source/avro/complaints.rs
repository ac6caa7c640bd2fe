//! What peers do wrong, told often enough to be seen and seldom enough to be read.

use crate::clock::{Duration, Instant};
use crate::error::ChannelError;
use std::fmt::Display;
use std::net::SocketAddr;

/// Tells of the first few faults of a period and counts the rest.
#[derive(Default)]
pub(super) struct Complaints {
    peers: Ration,
    refusals: Ration,
}

impl Complaints {
    /// A peer sent something that cannot be used.
    pub(super) fn about(&mut self, log: &slog::Logger, peer: SocketAddr, what: &dyn Display, now: Instant) {
        if let Some(untold) = self.peers.ask(TOLD_PEERS, now) {
            slog::warn!(log, "{peer}: {what}{}", and_more(untold));
        }
    }

    /// A channel refused a batch; its sender was told to try again.
    pub(super) fn refused(&mut self, log: &slog::Logger, error: &ChannelError, now: Instant) {
        if let Some(untold) = self.refusals.ask(TOLD_REFUSALS, now) {
            slog::warn!(
                log,
                "{error}; the sender was answered FAILED and keeps its events{}",
                and_more(untold)
            );
        }
    }
}

fn and_more(untold: u64) -> String {
    if untold == 0 {
        String::new()
    } else {
        format!(" ({untold} more of this kind were not told one by one)")
    }
}

/// So many in each period.
#[derive(Default)]
struct Ration {
    since: Option<Instant>,
    told: u32,
    untold: u64,
}

impl Ration {
    /// Whether to tell, and how many were passed over before.
    fn ask(&mut self, most: u32, now: Instant) -> Option<u64> {
        if self.since.is_none_or(|since| now - since >= PERIOD) {
            self.since = Some(now);
            self.told = 0;
        }
        if self.told == most {
            self.untold += 1;
            return None;
        }
        self.told += 1;
        Some(std::mem::take(&mut self.untold))
    }
}

const PERIOD: Duration = Duration::from_secs(10);
const TOLD_PEERS: u32 = 10;
const TOLD_REFUSALS: u32 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_a_period_is_counted() {
        let now = crate::clock::now();
        let mut ration = Ration::default();
        let asked: Vec<_> = (0..4).map(|_| ration.ask(2, now)).collect();
        assert_eq!(asked, [Some(0), Some(0), None, None]);
        assert_eq!(ration.ask(2, now + PERIOD), Some(2));
    }
}

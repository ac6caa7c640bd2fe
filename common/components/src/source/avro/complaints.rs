//! What peers do wrong, told often enough to be seen and seldom enough to be read.

use flow::error::ChannelError;
use runtime::clock::Instant;
use runtime::ration::{Ration, and_more};
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

const TOLD_PEERS: u32 = 10;
const TOLD_REFUSALS: u32 = 1;

//! What a sink is given, and the shells of those that block and of those that wait.

pub mod known;
pub mod local;
pub mod remote;
#[cfg(test)]
mod stage;

use crate::counters::SinkCounters;
use crate::message::{Health, State};
use crate::supervise::DeathWatch;
use crate::supervise::address::AddressCell;
use actix::Recipient;
use std::sync::Arc;

/// What a sink is given by whoever starts it.
pub struct SinkContext {
    /// Its name in the configuration.
    pub name: String,
    /// Its place in its group.
    pub member: Member,
    /// What it has done: its group counts, but for what only the sink knows.
    pub counters: Arc<SinkCounters>,
    /// To be kept in its actor.
    pub death_watch: DeathWatch,
    /// Where it logs.
    pub log: slog::Logger,
    /// Where a logger sink prints.
    pub console: Arc<console::Console>,
    /// The processor that drives it, by Flume's alias: the console names its thread after it.
    pub processor: &'static str,
}

/// A sink's place in its group: how it tells the group of its health.
#[derive(Clone)]
pub struct Member {
    /// Its number in the group.
    pub index: usize,
    /// The group.
    pub group: AddressCell<Recipient<Health>>,
}

impl Member {
    /// Tells the group, if there is one at the moment: one that is being built anew asks by itself.
    pub fn tell(&self, state: State) {
        self.group.with(|group| group.do_send(Health { sink: self.index, state }));
    }
}

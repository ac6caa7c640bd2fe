//! Where events leave: other collectors, files, the console.

pub(crate) mod avro;
pub(crate) mod file_roll;
pub(crate) mod local;
pub(crate) mod logger;
pub(crate) mod null;

use crate::message::{Health, State};
use crate::supervise::Guard;
use crate::supervise::slot::Slot;
use actix::Recipient;
use std::sync::Arc;

/// What a sink is given by whoever starts it.
pub(crate) struct SinkContext {
    /// Its name in the configuration.
    pub(crate) name: String,
    pub(crate) member: Member,
    pub(crate) guard: Guard,
    pub(crate) log: slog::Logger,
    pub(crate) console: Arc<console::Console>,
    /// The processor that drives it, by Flume's alias: the console names its thread after it.
    pub(crate) processor: &'static str,
}

/// A sink's place in its group: how it tells the group of its health.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) index: usize,
    pub(crate) group: Slot<Recipient<Health>>,
}

impl Member {
    /// Tells the group, if there is one at the moment: one that is being built anew asks by itself.
    pub(crate) fn tell(&self, state: State) {
        self.group.with(|group| group.do_send(Health { sink: self.index, state }));
    }
}

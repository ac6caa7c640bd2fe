//! What an intake counts, once per store.

use super::Intake;
use super::parts::Part;
use crate::counters::{Counted, SourceCounters};
use crate::error::ChannelError;
use event::Batch;
use std::sync::Arc;

impl Intake {
    /// The same intake, which counts here.
    pub fn counting(self, counters: Arc<SourceCounters>) -> Intake {
        Intake { counters, ..self }
    }

    /// What its source has done.
    pub fn counters(&self) -> &Arc<SourceCounters> {
        &self.counters
    }

    /// How calls are told apart from now on, in this intake and its clones.
    pub(super) fn count_as(&self, counted: Counted) {
        self.counted.set(counted);
    }

    /// So many batches with so many events have come.
    pub(super) fn count_received(&self, batches: usize, events: usize) {
        self.counters.event_received.add(events);
        if self.counted.get() == Counted::Batches {
            self.counters.append_batch_received.add(batches);
        }
    }

    /// They are stored.
    pub(super) fn count_accepted(&self, batches: usize, events: usize) {
        self.counters.event_accepted.add(events);
        if self.counted.get() == Counted::Batches {
            self.counters.append_batch_accepted.add(batches);
        }
    }

    /// Some are not.
    pub(super) fn count_refused(&self, error: &ChannelError) {
        match error {
            ChannelError::Oversized => self.counters.generic_processing_fail.increment(),
            _ => self.counters.channel_write_fail.increment(),
        }
    }

    /// What became of one batch of so many events.
    pub(super) fn count_parts(&self, whole: usize, parts: &[Part]) {
        let stored = parts.iter().filter(|(_, outcome)| outcome.is_ok()).map(|(events, _)| events).sum();
        self.count_accepted(usize::from(stored == whole), stored);
        parts
            .iter()
            .filter_map(|(_, outcome)| outcome.as_ref().err())
            .for_each(|error| self.count_refused(error));
    }
}

/// The events of all of these.
pub(super) fn events(batches: &[Batch]) -> usize {
    batches.iter().map(Batch::len).sum()
}

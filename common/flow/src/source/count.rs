//! What a channel processor counts, once per store.

use super::ChannelProcessor;
use super::parts::Part;
use crate::counters::{Counted, SourceCounters};
use crate::error::ChannelError;
use event::Batch;
use std::sync::Arc;

impl ChannelProcessor {
    /// The same channel processor, which counts here.
    pub fn counting(self, counters: Arc<SourceCounters>) -> ChannelProcessor {
        ChannelProcessor { counters, ..self }
    }

    /// What its source has done.
    pub fn counters(&self) -> &Arc<SourceCounters> {
        &self.counters
    }

    /// How calls are told apart from now on, in this channel processor and its clones.
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

#[cfg(test)]
mod tests {
    use crate::counters::Counted;
    use crate::message::PutTimeout;
    use crate::testing::{batch, plain_channel, source_context};

    #[actix::test]
    async fn what_comes_and_what_is_stored_is_counted_once_by_whatever_way() {
        let channel = plain_channel(&[("capacity", "10"), ("transactionCapacity", "4"), ("keep-alive", "0")]);
        let processor = source_context(&channel).0.processor;
        let counters = processor.counters().clone();
        let counted = || {
            let figures = counters.figures();
            let of = |key: &str| figures.iter().find(|(known, _)| *known == key).map(|(_, value)| *value);
            [
                "EventReceivedCount",
                "EventAcceptedCount",
                "AppendBatchReceivedCount",
                "AppendBatchAcceptedCount",
                "ChannelWriteFail",
            ]
            .map(|key| of(key).expect("it is a key of Flume's"))
        };
        let both = vec![batch(0..2), batch(2..3)];
        assert!(processor.store_all(both, false, PutTimeout::KeepAlive).await.refused.is_none());
        assert_eq!(counted(), [3, 3, 2, 2, 0]);
        assert!(
            processor
                .store_all(vec![batch(3..4), batch(0..5)], false, PutTimeout::KeepAlive)
                .await
                .refused
                .is_some()
        );
        assert_eq!(counted(), [9, 4, 4, 3, 1], "the first of two, the second is too large");
        assert_eq!(processor.store_some(&[batch(4..5)], PutTimeout::KeepAlive).await, Ok(1));
        assert_eq!(counted(), [10, 5, 5, 4, 1]);
        processor.count_as(Counted::Events);
        let parts = processor.store_parts(batch(5..11), true, PutTimeout::KeepAlive).await;
        assert_eq!(
            parts.iter().filter(|(_, outcome)| outcome.is_ok()).map(|(events, _)| events).sum::<usize>(),
            5
        );
        assert_eq!(counted()[..4], [16, 10, 5, 4], "there was room for five");
        assert_eq!(channel.counters.put_success.get(), 10);
    }
}

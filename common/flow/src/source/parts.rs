//! Batches that a source made of what it read, cut down to what its channels can hold.
//!
//! A peer's batch is stored whole or not at all. Lines that came in one read are a batch only because that is cheap: Flume
//! stores each of them, so a limit that one line keeps must not refuse them all.

use super::ChannelProcessor;
use crate::error::ChannelError;
use crate::interceptor::{Elsewhere, Passed};
use crate::message::PutTimeout;
use event::Batch;
use std::rc::Rc;

/// What became of some of a batch's events.
pub(crate) type Part = (usize, Result<(), ChannelError>);

impl ChannelProcessor {
    /// Whether no channel of this source refuses `batch` for its size alone, however empty it is.
    pub fn fits(&self, batch: &Batch) -> bool {
        self.channels.iter().all(|channel| channel.fits(batch))
    }

    /// Stores `batch` in as many parts as its channels' limits ask for, down to single events, and says in order what
    /// became of how many events. Nothing is put before it fits, so no channel gets an event twice.
    ///
    /// When `wait` has run out once, the rest is stored as far as there is room at that moment: a sender waits once.
    pub async fn store_parts(&self, batch: Batch, finished: bool, mut wait: PutTimeout) -> Vec<Part> {
        let whole = batch.len();
        self.count_received(1, whole);
        if let Some(elsewhere) = self.elsewhere.as_ref().filter(|_| !finished) {
            let parts = vec![(whole, self.store_passed(elsewhere, batch, wait).await)];
            self.count_parts(whole, &parts);
            return parts;
        }
        let (mut left, mut parts) = (vec![batch], Vec::new());
        while let Some(mut part) = left.pop() {
            let events = part.len();
            let mut passed = vec![part.clone()];
            let oversized = if finished { None } else { self.intercept(&mut passed) };
            let fits = oversized.is_none() && passed.iter().all(|batch| self.fits(batch));
            if !fits && events > 1 {
                let first = part.split_to(events / 2);
                left.extend([part, first]);
                continue;
            }
            let outcome = match (oversized, passed.pop()) {
                (Some(error), _) => Err(error),
                (None, passed) => self.pass_on(passed.as_slice(), wait).await.map(drop),
            };
            match outcome {
                Err(error @ ChannelError::Full { .. }) if wait != PutTimeout::Forever => {
                    wait = PutTimeout::Now;
                    parts.extend(self.store_singly(part, finished, error).await);
                }
                outcome => parts.push((events, outcome)),
            }
        }
        self.count_parts(whole, &parts);
        parts
    }

    /// Stores what interceptors in another process leave of `batch`, in parts where its channels ask for that.
    async fn store_passed(
        &self,
        elsewhere: &Rc<dyn Elsewhere>,
        batch: Batch,
        wait: PutTimeout,
    ) -> Result<(), ChannelError> {
        let Passed { batch, routes } = elsewhere.pass(batch, wait).await?;
        match routes {
            None if batch.is_empty() => Ok(()),
            Some(selected) => self.store_dealt(selected, wait).await,
            None => {
                let parts = Box::pin(self.store_parts(batch, true, wait)).await;
                parts.into_iter().try_for_each(|(_, outcome)| outcome)
            }
        }
    }

    /// Stores the first events of `batch`, for which together there is no room, as far as there is.
    async fn store_singly(&self, mut batch: Batch, finished: bool, full: ChannelError) -> Vec<Part> {
        // With several channels nobody knows which of them have it already.
        if batch.len() < 2 || self.channels.len() > 1 {
            return vec![(batch.len(), Err(full))];
        }
        let events = batch.len();
        let mut singles: Vec<_> = (0..events).map(|_| batch.split_to(1)).collect();
        if !finished {
            self.intercept(&mut singles);
        }
        let mut stored = 0;
        while stored < singles.len()
            && let Ok(more) = self.pass_on(&singles[stored..], PutTimeout::Now).await
        {
            stored += more;
        }
        vec![(stored, Ok(())), (events - stored, Err(full))]
    }
}

#[cfg(test)]
mod tests {
    use crate::channel::ChannelRef;
    use crate::message::PutTimeout;
    use crate::testing::{batch, numbers, plain_channel, source_context, take_now};
    use event::{Batch, BatchBuilder};

    /// Eight slots of 100 bytes: eight small events.
    fn small_channel(keep_alive: &str) -> ChannelRef {
        plain_channel(&[
            ("byteCapacity", "1000"),
            ("keep-alive", keep_alive),
            ("transactionCapacity", "60"),
            ("capacity", "60"),
        ])
    }

    fn with_a_large_one(before: u64, bytes: usize) -> Batch {
        let mut builder = BatchBuilder::default();
        for number in 0..before {
            builder.push([], number.to_string().as_bytes());
        }
        builder.push([], &vec![b'x'; bytes]);
        builder.push([], b"7");
        builder.finish()
    }

    #[actix::test]
    async fn a_batch_is_cut_down_to_what_the_channel_can_hold() {
        let channel = small_channel("3");
        let processor = source_context(&channel).0.processor;
        let storing =
            actix_rt::spawn(
                async move { processor.store_parts(batch(0..60), true, PutTimeout::KeepAlive).await },
            );
        let mut all = Vec::new();
        while all.len() < 60 {
            let lease = channel.take(100).await.unwrap();
            all.extend(numbers(lease.batches()));
            lease.commit();
        }
        let parts = storing.await.unwrap();
        assert!(parts.iter().all(|(events, outcome)| *events <= 8 && outcome.is_ok()), "{parts:?}");
        assert_eq!(all, (0..60).collect::<Vec<u64>>());
    }

    #[actix::test]
    async fn only_the_event_that_no_channel_can_hold_is_refused() {
        let channel = small_channel("0");
        let processor = source_context(&channel).0.processor;
        let parts = processor.store_parts(with_a_large_one(3, 5000), true, PutTimeout::Forever).await;
        let refused: Vec<_> = parts.iter().filter(|(_, outcome)| outcome.is_err()).collect();
        assert_eq!(parts.iter().map(|(events, _)| events).sum::<usize>(), 5);
        assert!(refused.len() == 1 && refused[0].0 == 1, "{parts:?}");
        assert_eq!(take_now(&channel).await, [0, 1, 2, 7]);
    }

    #[actix::test]
    async fn of_a_batch_without_room_the_first_events_are_stored() {
        let channel = plain_channel(&[("capacity", "5"), ("transactionCapacity", "5"), ("keep-alive", "0")]);
        let processor = source_context(&channel).0.processor;
        channel.put(batch(0..2), PutTimeout::KeepAlive).await.unwrap();
        let parts = processor.store_parts(batch(2..6), true, PutTimeout::KeepAlive).await;
        let events: Vec<_> = parts.iter().map(|(events, outcome)| (*events, outcome.is_ok())).collect();
        assert_eq!(events, [(3, true), (1, false)]);
        assert_eq!(take_now(&channel).await, [0, 1, 2, 3, 4]);
    }
}

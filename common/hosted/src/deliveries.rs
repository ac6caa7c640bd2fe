//! Which deliveries a sink in the JVM has, and how far it is with each. A sink commits as many events as it likes at a
//! time: the end of its transaction may be in the middle of a delivery.

use bridge::Ranges;
use event::Batch;
use flow::error::DeliveryError;
use flow::message::PendingDelivery;
use std::collections::VecDeque;
use std::ops::Range;

/// Deliveries by the numbers of their events.
#[derive(Default)]
pub(crate) struct Deliveries(VecDeque<Sent>);

struct Sent {
    pending: PendingDelivery,
    /// The numbers of its events.
    numbers: Range<u64>,
    /// Events that were never sent.
    unsent: u64,
    delivered: Ranges,
    delivered_events: u64,
    returned_events: u64,
}

impl Deliveries {
    /// `pending` has been sent, as far as `numbers` go.
    pub(crate) fn sent(&mut self, pending: PendingDelivery, numbers: Range<u64>) {
        let unsent = pending.events() as u64 - (numbers.end - numbers.start);
        let (delivered, delivered_events, returned_events) = (Ranges::new(), 0, 0);
        self.0.push_back(Sent { pending, numbers, unsent, delivered, delivered_events, returned_events });
    }

    /// Their numbers in their group.
    pub(crate) fn sequences(&self) -> Vec<u64> {
        self.0.iter().filter_map(|sent| Some(sent.pending.id()?.sequence)).collect()
    }

    /// The numbers of those that have a batch of which `has` holds.
    pub(crate) fn with(&self, has: impl Fn(&Batch) -> bool) -> impl Iterator<Item = u64> {
        let which = self.0.iter().filter(move |sent| sent.pending.batches().iter().any(&has));
        which.filter_map(|sent| Some(sent.pending.id()?.sequence))
    }

    /// Whether there is one, and no other.
    pub(crate) fn is_one(&self) -> bool {
        self.0.len() == 1
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These events have arrived; answers the deliveries of which all have.
    pub(crate) fn delivered(&mut self, ranges: &[(u64, u64)]) -> Vec<PendingDelivery> {
        self.each(ranges, |sent, first, count| {
            sent.delivered.push((first, count));
            sent.delivered_events += count;
        });
        self.take(|sent| sent.delivered_events == sent.numbers.end - sent.numbers.start && sent.unsent == 0)
            .map(|sent| sent.pending)
            .collect()
    }

    /// These events have come back: deliveries of which nothing is under way any more have failed, by as much as has
    /// not arrived.
    pub(crate) fn returned(&mut self, ranges: &[(u64, u64)], error: &DeliveryError) {
        self.each(ranges, |sent, _, count| sent.returned_events += count);
        self.fail(error, |sent| {
            sent.delivered_events + sent.returned_events == sent.numbers.end - sent.numbers.start
        });
    }

    /// Nothing more is heard of any of them.
    pub(crate) fn lost(&mut self, error: &DeliveryError) {
        self.fail(error, |_| true);
    }

    fn fail(&mut self, error: &DeliveryError, which: impl Fn(&Sent) -> bool) {
        for mut sent in self.take(which).collect::<Vec<_>>() {
            let (first, delivered) = (sent.numbers.start, std::mem::take(&mut sent.delivered));
            if !delivered.is_empty() {
                let arrived = |number: u64| {
                    delivered.iter().any(|(from, count)| (*from..from + count).contains(&number))
                };
                sent.pending.keep(|event| !arrived(first + event as u64));
            }
            sent.pending.failed(error.clone());
        }
    }

    /// Calls `with` for the part of each range that is in a delivery.
    fn each(&mut self, ranges: &[(u64, u64)], with: impl Fn(&mut Sent, u64, u64)) {
        for (first, count) in ranges {
            let end = first + count;
            let begin = self.0.partition_point(|sent| sent.numbers.end <= *first);
            for sent in self.0.range_mut(begin..) {
                if sent.numbers.start >= end {
                    break;
                }
                let (from, to) = (sent.numbers.start.max(*first), sent.numbers.end.min(end));
                with(sent, from, to - from);
            }
        }
    }

    /// Takes out those for which `which` holds; mostly they are the first ones.
    fn take(&mut self, which: impl Fn(&Sent) -> bool) -> impl Iterator<Item = Sent> {
        let all = std::mem::take(&mut self.0);
        let (taken, left): (VecDeque<_>, VecDeque<_>) = all.into_iter().partition(which);
        self.0 = left;
        taken.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix::prelude::*;
    use flow::message::{Delivered, Delivery};
    use flow::testing::{numbers, plain_channel, put, take_now};
    use runtime::within::Within;
    use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
    use wire::avro::BatchId;

    /// The group: what of each delivery was left when it ended, and rolls all back.
    struct Ear(UnboundedSender<(bool, Vec<u64>)>);

    impl Actor for Ear {
        type Context = Context<Self>;
    }

    impl Handler<Delivered> for Ear {
        type Result = ();

        fn handle(&mut self, delivered: Delivered, _: &mut Self::Context) {
            for delivery in delivered.deliveries {
                self.0.send((delivered.outcome.is_ok(), numbers(delivery.lease.batches()))).expect("a test");
            }
        }
    }

    #[actix_rt::test]
    async fn what_has_arrived_of_a_delivery_is_not_sent_again_and_comes_back_with_it() {
        let (tell, mut heard) = unbounded_channel();
        let group = Ear(tell).start();
        let channel = plain_channel(&[]);
        put(&channel, 0..9).await;
        let mut deliveries = Deliveries::default();
        for number in 0..3 {
            let lease = channel.take(3).within("events").await.expect("the channel lives");
            let id = BatchId { agent: 1, stream: 1, sequence: number };
            let pending =
                PendingDelivery::new(Delivery { id, lease, doubt: false }, 0, group.clone().recipient());
            deliveries.sent(pending, 10 + 3 * number..13 + 3 * number);
        }
        // The first whole; of the second the one in its middle.
        let done = deliveries.delivered(&[(10, 3), (14, 1)]);
        assert_eq!(done.len(), 1);
        PendingDelivery::done(done);
        assert_eq!(heard.recv().within("the first").await, Some((true, vec![0, 1, 2])));
        let error = DeliveryError::Class { reason: "scripted".into() };
        deliveries.returned(&[(13, 1)], &error);
        assert!(heard.try_recv().is_err(), "one event of it is still under way");
        deliveries.returned(&[(15, 4)], &error);
        assert_eq!(heard.recv().within("the second").await, Some((false, vec![3, 5])));
        assert_eq!(heard.recv().within("the third").await, Some((false, vec![6, 7, 8])));
        assert!(deliveries.is_empty());
        assert_eq!(
            take_now(&channel).await,
            (0..9).collect::<Vec<_>>(),
            "a lease that is rolled back is whole"
        );
    }
}

//! A stage for the tests of the shells: a sink, the group that it belongs to, and a channel with events.

use super::Member;
use crate::channel::ChannelRef;
use crate::message::{Deliver, Delivered, Delivery, Health, PendingDelivery, Probe, State};
use crate::supervise::address::address_cell;
use crate::testing::{plain_channel, put};
use actix::dev::ToEnvelope;
use actix::prelude::*;
use runtime::within::Within;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use wire::avro::BatchId;

/// The group that the sink belongs to: hears what it says, and commits what arrived.
struct Ear(UnboundedSender<String>);

impl Actor for Ear {
    type Context = Context<Self>;
}

impl Handler<Health> for Ear {
    type Result = ();

    fn handle(&mut self, health: Health, _: &mut Self::Context) {
        let heard = match health.state {
            State::Up(_) => "up",
            State::Started => "started",
            State::Leaving => "leaving",
            State::Down(_) => "down",
        };
        self.0.send(heard.to_owned()).expect("the test listens");
    }
}

impl Handler<Delivered> for Ear {
    type Result = ();

    fn handle(&mut self, delivered: Delivered, _: &mut Self::Context) {
        for delivery in delivered.deliveries {
            let heard = match &delivered.outcome {
                Ok(()) => {
                    delivery.lease.commit();
                    "arrived".to_owned()
                }
                Err(error) => error.to_string(),
            };
            self.0.send(heard).expect("the test listens");
        }
    }
}

pub(super) struct Stage<A: Actor> {
    pub(super) sink: Addr<A>,
    pub(super) channel: ChannelRef,
    group: Addr<Ear>,
    heard: UnboundedReceiver<String>,
}

impl<A> Stage<A>
where
    A: Actor + Handler<Deliver> + Handler<Probe>,
    A::Context: ToEnvelope<A, Deliver> + ToEnvelope<A, Probe>,
{
    /// `start` starts the sink as this member of a group.
    pub(super) fn new(start: impl FnOnce(Member) -> Addr<A>) -> Stage<A> {
        let (tell, heard) = unbounded_channel();
        let group = Ear(tell).start();
        let (setter, cell) = address_cell();
        setter.set(group.clone().recipient());
        let sink = start(Member { index: 0, group: cell });
        Stage { sink, channel: plain_channel(&[]), group, heard }
    }

    pub(super) async fn deliver(&self, event: u64) {
        let delivery = self.delivery(event).await;
        self.send(delivery);
    }

    /// One of the channel with this event.
    pub(super) async fn delivery(&self, event: u64) -> Delivery {
        put(&self.channel, event..event + 1).await;
        let lease =
            self.channel.take(1).within("events from the channel").await.expect("the channel gives them");
        let id = BatchId { agent: 1, stream: 1, sequence: event };
        Delivery { id, lease, doubt: false }
    }

    pub(super) fn send(&self, delivery: Delivery) {
        self.sink.do_send(Deliver(PendingDelivery::new(delivery, 0, self.group.clone().recipient())));
    }

    pub(super) async fn hear(&mut self) -> String {
        self.heard.recv().within("a word of the sink").await.expect("the sink is there")
    }

    pub(super) async fn probe(&mut self) -> String {
        self.sink.do_send(Probe);
        self.hear().await
    }
}

//! Channels that outlive a collector: Kafka topics, in the store itself where that is a Kafka, else in a broker beside it.

use super::Store;
use crate::{
    lesson,
    node::Error,
    stores::{Broker, Jvm},
};

/// The broker lives as long as this.
pub(super) struct Channels {
    _own: Option<Broker>,
    /// Lines behind a collector's file.
    pub(super) text: String,
}

impl Channels {
    pub(super) fn make(store: &mut dyn Store) -> Result<Channels, Error> {
        if let Some((broker, client)) = store.kafka() {
            make_topics(client)?;
            return Ok(Channels { _own: None, text: text(broker) });
        }
        let broker = Broker::open("")?;
        make_topics(&mut broker.topics()?)?;
        Ok(Channels { text: text(&broker), _own: Some(broker) })
    }
}

fn make_topics(client: &mut Jvm) -> Result<(), Error> {
    let mut make = |node| client.ask(&format!("make channel-of-{node} 1"));
    lesson::COLLECTORS.into_iter().try_for_each(|node| make(node).map(drop))
}

fn text(broker: &Broker) -> String {
    CHANNEL.replace("BROKER", &broker.address())
}

/// Short sessions: who was killed is soon forgotten by its group, and gets its events when it is back.
const CHANNEL: &str = "a1.channels.c1.type = org.apache.flume.channel.kafka.KafkaChannel
a1.channels.c1.kafka.bootstrap.servers = BROKER
a1.channels.c1.kafka.topic = channel-of-NODE_NAME
a1.channels.c1.kafka.consumer.group.id = NODE_NAME
a1.channels.c1.kafka.consumer.session.timeout.ms = 6000
a1.channels.c1.kafka.consumer.heartbeat.interval.ms = 500
";

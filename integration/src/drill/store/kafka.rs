//! Kafka: one topic for both collectors.

use super::{Kind, Store};
use crate::{
    flume::fetched_program,
    node::Error,
    stores::{Broker, Jvm},
};

pub(super) const KIND: Kind = Kind {
    name: "kafka",
    title: "Kafka",
    feature: Some("kafka"),
    hosts: false,
    fetch: || {
        let fetched = fetched_program("kafka", "Topics");
        fetched.map(drop).map_err(|why| Error::Missing(format!("Kafka cannot be run here: {why}")))
    },
    start: || {
        let broker = Broker::open("")?;
        let mut client = broker.topics()?;
        client.ask(&format!("make {TOPIC} 1"))?;
        client.ask(&format!("watch {TOPIC}"))?;
        Ok(Box::new(Kafka { broker, client }))
    },
};

/// A broker, and who reads what it has.
struct Kafka {
    broker: Broker,
    client: Jvm,
}

impl Store for Kafka {
    fn sink(&self) -> String {
        let headers = ["Type", "timestamp", "Collector", super::ARRIVED];
        let headers = headers.map(|name| format!("a1.sinks.k1.header.{name} = {name}\n")).concat();
        SINK.replace("BROKER", &self.broker.address()).replace("TOPIC", TOPIC) + &headers
    }

    fn kill(&mut self) {
        self.broker.kill();
    }

    fn start_again(&mut self) -> Result<(), Error> {
        self.broker.open_again()
    }

    fn news(&mut self) -> Result<Vec<String>, Error> {
        Ok(self.client.news().collect())
    }

    fn kafka(&mut self) -> Option<(&Broker, &mut Jvm)> {
        Some((&self.broker, &mut self.client))
    }

    fn all(&mut self) -> Result<Vec<String>, Error> {
        self.client.ask(&format!("read {TOPIC}"))
    }
}

const TOPIC: &str = "lesson";

const SINK: &str = "a1.sinks.k1.type = org.apache.flume.sink.kafka.KafkaSink
a1.sinks.k1.kafka.bootstrap.servers = BROKER
a1.sinks.k1.kafka.topic = TOPIC
";

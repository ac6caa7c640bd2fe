//! `org.apache.flume.sink.kafka.KafkaSink`: makes a record of each event.
//!
//! Source: Flume 1.11 `KafkaSink`, with these differences: unless the file says otherwise, a batch counts as delivered when
//! all replicas in sync have it (`acks = all`), and what is sent again inside the client comes once (`enable.idempotence`);
//! of a batch that failed, what had arrived is not sent again; what Kafka never takes is put aside where the file says so.

mod arrived;
mod deliver;
mod fly;
mod transaction;

use crate::beyond;
use crate::client::{agreed, brokers, client, renamed};
use crate::java::{KEYED, Side};
use crate::record::Recipe;
use crate::topic::Topic;
use components::missing::{self, kafka::SINK};
use deliver::KafkaSink;
use flow::Site;
use flow::component::{Component, Configure};
use flow::sink::{SinkContext, remote};
use plan::{Availability, Bad, Descriptor, Findings, Properties, Property, Value};
use rdkafka::ClientConfig;
use std::sync::Arc;

/// Its row in the catalogue.
pub(crate) const COMPONENT: Component = Component {
    descriptor: Descriptor { availability: Availability::Here, properties: PROPERTIES, ..SINK }
        .beyond(beyond::sink),
    configure: Configure::Sink(|properties, site, findings| {
        let config = Config::new(properties, site, findings)?;
        Some(Box::new(move |context: SinkContext| {
            console::fact::component_started(&context.log, console::fact::ComponentType::Sink, &context.name);
            Ok(remote::start(KafkaSink::new(&config, &context), context))
        }))
    }),
};

const PROPERTIES: &[&[Property]] =
    &[SINK.properties[0], SINK.properties[1], SINK.properties[2], SINK.properties[3], OWN];

/// Ours.
const OWN: &[Property] = &[Property::optional("deadLetterDir", Value::Path).bad(Bad::Ours("tries for ever"))];

/// What the file says of a sink.
#[derive(Debug, Clone)]
struct Config {
    client: ClientConfig,
    brokers: String,
    recipe: Arc<Recipe>,
    /// The topic to ask the brokers for, where it is the same for all events that name none.
    fixed: Option<String>,
    /// `kafka.producer.transactional.id`, made one of this sink alone.
    transactional: Option<String>,
    dead: Option<String>,
}

impl Config {
    fn new(properties: &Properties, site: &Site, findings: &mut Findings<'_>) -> Option<Config> {
        missing::kafka::sink(properties, findings);
        if properties.text("flumeBatchSize").is_none() {
            renamed(properties, "flumeBatchSize", "batchSize", findings);
        }
        let topic = topic(properties, findings);
        let defaults = defaults(properties, findings);
        let defaults: Vec<(&str, &str)> =
            defaults.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut client = client(Side::Producer, properties, &defaults, site, findings)?;
        let transactional = client.get("transactional.id").map(|id| one_sinks(&findings.owner.prefix, id));
        if let Some(id) = &transactional {
            client.set("transactional.id", id);
            within_its_transaction(&mut client);
        }
        let client = agreed(Side::Producer, client, findings)?;
        let topic = topic?;
        let written = properties.text("kafka.topic").or_else(|| properties.text("topic")).is_some();
        let header = |key: &str| properties.text(key).filter(|name| !name.is_empty()).map(str::to_owned);
        let named = properties.flag("allowTopicOverride").then(|| properties.word("topicHeader").to_owned());
        Some(Config {
            client,
            brokers: brokers(properties),
            fixed: (written && !topic.varies()).then(|| topic.text().to_owned()),
            recipe: Arc::new(Recipe {
                topic,
                topic_header: named,
                partition: properties.given("defaultPartitionId"),
                partition_header: header("partitionIdHeader"),
                timestamp_header: header("timestampHeader"),
                headers: properties
                    .under("header.")
                    .map(|(of, to)| (of.to_owned(), to.trim().to_owned()))
                    .collect(),
                flume_format: properties.flag("useFlumeEventFormat"),
            }),
            transactional,
            dead: properties.text("deadLetterDir").map(|path| path.trim().to_owned()),
        })
    }
}

/// An id that no other sink has, and that this one has after a restart too: of this host, of the agent and the sink of the keys that
/// begin so (`a1.sinks.k.`), and the file's.
fn one_sinks(prefix: &str, id: &str) -> String {
    let host = gethostname::gethostname().to_string_lossy().into_owned();
    let mut names = prefix.split('.');
    let (agent, sink) = (names.next().unwrap_or_default(), names.nth(1).unwrap_or_default());
    format!("{host}-{agent}-{sink}-{id}")
}

/// A record may not be tried for longer than its transaction lasts: librdkafka refuses such a client, Java's takes it.
fn within_its_transaction(client: &mut ClientConfig) {
    let millis = |name: &str| client.get(name).and_then(|text| text.trim().parse::<u64>().ok());
    let limit = millis("transaction.timeout.ms").unwrap_or(60_000);
    if millis("delivery.timeout.ms").is_none_or(|tried| tried > limit) {
        client.set("delivery.timeout.ms", limit.to_string());
    }
}

/// Its name has been judged, but for what is put in.
fn topic(properties: &Properties, findings: &mut Findings<'_>) -> Option<Topic> {
    let name =
        renamed(properties, "kafka.topic", "topic", findings).unwrap_or(properties.word("kafka.topic"));
    Topic::parse(name).inspect_err(|what| findings.refuse("kafka.topic", what)).ok()
}

/// What librdkafka is told where the file says nothing: as Java's client would do, but for `acks`.
fn defaults(properties: &Properties, findings: &mut Findings<'_>) -> Vec<(&'static str, String)> {
    let given = |name: &str| properties.text(&format!("kafka.producer.{name}")).is_some();
    let acks = (!given("acks"))
        .then(|| renamed(properties, "kafka.producer.acks", "requiredAcks", findings))
        .flatten();
    vec![
        ("acks", acks.unwrap_or("all").to_owned()),
        ("partitioner", KEYED.to_owned()),
        ("linger.ms", "0".to_owned()),
        ("delivery.timeout.ms", "120000".to_owned()),
        ("message.max.bytes", "1048576".to_owned()),
        ("queue.buffering.max.kbytes", "32768".to_owned()),
        ("queue.buffering.max.messages", "0".to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_of_flume_1_6_is_as_large_as_its_file_says() {
        let size = |pairs: &[(&str, &str)]| {
            let properties = Properties::of(&SINK, pairs.iter().copied());
            properties.count::<u32>(COMPONENT.descriptor.batch_key(&properties).expect("a key"))
        };
        assert_eq!(size(&[]), 100);
        assert_eq!(size(&[("batchSize", "7")]), 7);
        assert_eq!(size(&[("batchSize", "7"), ("flumeBatchSize", "9")]), 9);
    }

    #[test]
    fn sinks_of_one_name_in_two_agents_have_two_transactional_ids() {
        let [one, two] = ["a1", "a2"].map(|agent| one_sinks(&format!("{agent}.sinks.k."), "t"));
        assert!(one.ends_with("-a1-k-t") && two.ends_with("-a2-k-t"), "{one} {two}");
    }
}

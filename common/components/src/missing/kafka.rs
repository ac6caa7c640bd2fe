//! What the components of Kafka are asked for. The crate that runs them natively takes these descriptors and rules; where
//! they run in a JVM the check reads their keys all the same.

use plan::{Bad, Descriptor, Findings, Kind, Problem, Properties, Property, Value};

use super::HEADERS;
use crate::source::POLLED;

/// The source.
pub const SOURCE: Descriptor =
    Descriptor::missing(Kind::Source, "", "org.apache.flume.source.kafka.KafkaSource")
        .asks(&[SERVERS, SOURCE_PROPERTIES, HEADERS, POLLED])
        .in_builds_with("kafka")
        .since("1.6.0")
        .batch("batchSize")
        .rereadable();

/// The channel.
pub const CHANNEL: Descriptor =
    Descriptor::missing(Kind::Channel, "", "org.apache.flume.channel.kafka.KafkaChannel")
        .asks(&[SERVERS, CHANNEL_PROPERTIES, PARTITION])
        .in_builds_with("kafka")
        .durable()
        .shared()
        .since("1.6.0");

/// The sink.
pub const SINK: Descriptor = Descriptor::missing(Kind::Sink, "", "org.apache.flume.sink.kafka.KafkaSink")
    .asks(&[SERVERS, SINK_PROPERTIES, HEADERS, PARTITION])
    .in_builds_with("kafka")
    .durable()
    .since("1.6.0")
    .batch("flumeBatchSize")
    .batch_before("batchSize");

/// Of all three. What stands behind `kafka.consumer.` and `kafka.producer.` is the Kafka client's own.
const SERVERS: &[Property] =
    &[Property::optional("kafka.bootstrap.servers", Value::Text).bad(Bad::Says("never reaches a broker"))];

const READS_NOTHING: Bad = Bad::Says("starts, and never reads anything");

const SOURCE_PROPERTIES: &[Property] = &[
    Property::optional("kafka.topics", Value::Text),
    Property::optional("kafka.topics.regex", Value::Regex),
    Property::optional("kafka.consumer.", Value::Text),
    Property::with("kafka.consumer.group.id", Value::Text, "flume"),
    Property::optional("kafka.consumer.auto.offset.reset", Value::Text),
    Property::with("batchSize", Value::at_least(1, "events"), "1000").outside(READS_NOTHING),
    Property::with("batchDurationMillis", Value::at_least(1, "ms"), "1000").outside(READS_NOTHING),
    Property::with("useFlumeEventFormat", Value::Flag, "false"),
    Property::with("setTopicHeader", Value::Flag, "true"),
    Property::with("topicHeader", Value::Text, "topic"),
    // Deprecated; Flume 1.9 to 1.11 read them still.
    Property::optional("topic", Value::Text),
    Property::optional("groupId", Value::Text),
    Property::optional("zookeeperConnect", Value::Text),
    Property::with("migrateZookeeperOffsets", Value::Flag, "true"),
];

const CHANNEL_PROPERTIES: &[Property] = &[
    Property::with("kafka.topic", Value::Text, "flume-channel"),
    Property::optional("kafka.consumer.", Value::Text),
    Property::with("kafka.consumer.group.id", Value::Text, "flume"),
    Property::optional("kafka.consumer.auto.offset.reset", Value::Text),
    Property::optional("kafka.producer.", Value::Text),
    Property::with("parseAsFlumeEvent", Value::Flag, "true"),
    Property::with("kafka.pollTimeout", Value::long(0, "ms"), "500")
        .outside(Bad::Says("starts, and fails whenever a sink takes events")),
    // Deprecated; Flume 1.9 to 1.11 read them still.
    Property::optional("topic", Value::Text),
    Property::optional("brokerList", Value::Text),
    Property::optional("groupId", Value::Text),
    Property::optional("readSmallestOffset", Value::Flag),
    Property::optional("zookeeperConnect", Value::Text),
    Property::with("migrateZookeeperOffsets", Value::Flag, "true"),
];

const SINK_PROPERTIES: &[Property] = &[
    Property::with("kafka.topic", Value::Text, "default-flume-topic"),
    Property::optional("kafka.producer.", Value::Text),
    Property::with("flumeBatchSize", Value::at_least(1, "events"), "100")
        .outside(Bad::Says("starts, and delivers nothing")),
    Property::with("allowTopicOverride", Value::Flag, "true"),
    Property::with("topicHeader", Value::Text, "topic"),
    Property::optional("timestampHeader", Value::Text),
    Property::with("useFlumeEventFormat", Value::Flag, "false"),
    // Deprecated; Flume 1.9 to 1.11 read them still.
    Property::optional("topic", Value::Text),
    Property::optional("brokerList", Value::Text),
    Property::optional("batchSize", Value::at_least(1, "events"))
        .outside(Bad::Says("starts, and delivers nothing")),
    Property::optional("requiredAcks", Value::Text),
    Property::optional("key.serializer.class", Value::Unused("Flume warns of it and ignores it")),
    Property::optional("serializer.class", Value::Unused("Flume warns of it and ignores it")),
];

/// Of those that write.
const PARTITION: &[Property] = &[
    Property::optional("defaultPartitionId", Value::at_least(0, ""))
        .outside(Bad::Says("starts, and fails with every event")),
    Property::optional("partitionIdHeader", Value::Text),
];

/// What the source's properties cannot say one by one.
pub fn source(properties: &Properties, findings: &mut Findings<'_>) {
    servers(properties, "zookeeperConnect", findings);
    let topics = ["kafka.topics.regex", "kafka.topics", "topic"];
    let Some(key) = topics.into_iter().find(|key| properties.is_written(key)) else {
        let what = format!("the {} has no topic to read", findings.owner.noun);
        let problem = Problem::error("missing-property", &findings.owner.at.clone(), what)
            .flume(&findings.owner.dropped)
            .fix(format!("`{} = TOPIC`", findings.key("kafka.topics")));
        return findings.add(problem);
    };
    if key != "kafka.topics.regex" {
        for topic in properties.word(key).split(',') {
            topic_name(key, topic.trim(), READS_FAIL, findings);
        }
    }
}

/// What the sink's properties cannot say one by one.
pub fn sink(properties: &Properties, findings: &mut Findings<'_>) {
    servers(properties, "brokerList", findings);
    let key = if properties.is_written("kafka.topic") { "kafka.topic" } else { "topic" };
    // Escapes are replaced, and header names are not known.
    match properties.text(key) {
        Some(topic) if !topic.contains('%') => topic_name(key, topic, WRITES_FAIL, findings),
        Some(_) => {}
        None => {
            let default = properties.word("kafka.topic").to_string();
            let what = format!("the {} has no `kafka.topic`", findings.owner.noun);
            let problem = Problem::note("default-topic", &findings.owner.at.clone(), what)
                .flume(format!("writes to the topic `{default}`"))
                .here("the same")
                .cause(&findings.owner.noun, "a sink has no `kafka.topic`")
                .fix(format!("`{} = TOPIC`", findings.key("kafka.topic")));
            findings.add(problem);
        }
    }
}

/// What the channel's properties cannot say one by one.
pub fn channel(properties: &Properties, findings: &mut Findings<'_>) {
    servers(properties, "brokerList", findings);
    let key = if properties.is_written("kafka.topic") { "kafka.topic" } else { "topic" };
    if let Some(topic) = properties.text(key) {
        topic_name(key, topic, WRITES_FAIL, findings);
    }
}

const READS_FAIL: &str = "starts, and the broker refuses the topic";
const WRITES_FAIL: &str = "starts, and fails with every batch";

/// Some broker has to be named, each as HOST:PORT; `old` is the deprecated key that Flume looks at as well.
fn servers(properties: &Properties, old: &str, findings: &mut Findings<'_>) {
    const KEY: &str = "kafka.bootstrap.servers";
    if !properties.is_written(KEY) {
        if !properties.is_written(old) {
            let what = format!("the {} has no `{KEY}`", findings.owner.noun);
            let problem = Problem::error("missing-property", &findings.owner.at.clone(), what)
                .flume(&findings.owner.dropped)
                .fix(format!("`{} = HOST:9092,HOST:9092`", findings.key(KEY)));
            findings.add(problem);
        }
        return;
    }
    const REFUSES: &str = "starts, and its Kafka client refuses the address, again and again";
    if properties.word(KEY).contains("${") && findings.is_unresolved(KEY, REFUSES) {
        return;
    }
    for server in properties.word(KEY).split(',').map(str::trim).filter(|server| !server.is_empty()) {
        let port = server.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        let one = !server.contains(char::is_whitespace);
        if port.is_some_and(|port| port > 0) && one {
            continue;
        }
        let what = format!("`{}` names `{server}`, which is not HOST:PORT", findings.key(KEY));
        let problem = Problem::error("bad-value", &findings.word_at(KEY, server), what)
            .flume(REFUSES)
            .fix(format!("`{} = HOST:9092,HOST:9092`, commas between them", findings.key(KEY)));
        findings.add(problem);
    }
}

/// A topic's name has letters, digits, dots, dashes and underscores, and no more than 249 of them.
fn topic_name(key: &str, topic: &str, flume: &str, findings: &mut Findings<'_>) {
    let sign = |sign: char| sign.is_ascii_alphanumeric() || ".-_".contains(sign);
    if (1..=249).contains(&topic.len()) && topic.chars().all(sign) && ![".", ".."].contains(&topic) {
        return;
    }
    let fix = if topic.contains(char::is_whitespace) && findings.owner.noun.starts_with("source") {
        let commas = topic.split_whitespace().collect::<Vec<_>>().join(",");
        format!("`{} = {commas}`, commas between topics", findings.key(key))
    } else {
        format!("`{} = TOPIC`, of letters, digits, `.`, `-` and `_`, at most 249", findings.key(key))
    };
    let what = format!("`{}` has {}, which cannot be a topic", findings.key(key), plan::quoted(topic));
    findings.add(Problem::error("bad-value", &findings.at(key).clone(), what).flume(flume).fix(fix));
}

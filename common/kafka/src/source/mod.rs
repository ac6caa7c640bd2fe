//! `org.apache.flume.source.kafka.KafkaSource`: makes an event of each record.
//!
//! Source: Flume 1.11 `KafkaSource`, with these differences: a batch is stored as soon as nothing more has come, and not after
//! `batchDurationMillis`; partitions are given up when what was read of them is stored; a value that is no event of Flume is
//! told and left out, and does not end the batch; records of transactions that were aborted are not read
//! (`isolation.level = read_committed`).

mod commits;
mod committer;
mod consumer;
pub(crate) mod migration;
mod read;
pub(crate) mod reader;
mod registry;
mod settle;
pub(crate) mod shape;
mod silence;
mod tales;
mod tell;
pub(crate) mod topics;

use crate::beyond;
use crate::client::{BROKERS, agreed, renamed, without_brokers};
use crate::java::Side;
use components::missing::{self, kafka::SOURCE};
use crossbeam_channel::unbounded;
use event::Batch;
use flow::Site;
use flow::component::{Component, Configure};
use flow::error::ChannelError;
use flow::message::PutTimeout;
use flow::source::{Source, SourceContext, Stopping};
use futures_util::future::LocalBoxFuture;
use java::Pattern;
use migration::Migration;
use plan::{Availability, Descriptor, Findings, Properties, Traits};
use rdkafka::ClientConfig;
use reader::{Given, Orders, Settled, Ways};
use registry::Brokers;
use runtime::clock::{self, Duration};
use runtime::told::Told;
use shape::Shape;
use std::thread;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};
use topics::Topics;

/// Its row in the catalogue.
pub(crate) const COMPONENT: Component = Component {
    descriptor: Descriptor {
        availability: Availability::Here,
        // What its channel holds at a stop is not read again: its offset is committed.
        traits: Traits { rereadable: false, ..SOURCE.traits },
        beyond: beyond::source,
        ..SOURCE
    },
    configure: Configure::Source(|properties, site, findings| {
        let config = Config::new(properties, site, findings)?;
        Some(Box::new(move || Box::new(KafkaSource(config.clone()))))
    }),
};

/// What the file says of a source.
#[derive(Clone)]
struct Config {
    client: ClientConfig,
    brokers: Brokers,
    group: String,
    topics: Topics,
    /// What is taken over before anything is read.
    migration: Option<Migration>,
    shape: Shape,
    batch: usize,
    duration: Duration,
}

impl Config {
    fn new(properties: &Properties, site: &Site, findings: &mut Findings<'_>) -> Option<Config> {
        missing::kafka::source(properties, findings);
        let topics = topics(properties, findings);
        let group =
            renamed(properties, "kafka.consumer.group.id", "groupId", findings).unwrap_or("flume").to_owned();
        let defaults = [&DEFAULTS[..], &[("group.id", group.as_str())]].concat();
        let client = without_brokers(Side::Consumer, properties, &defaults, site, findings);
        let client = client.and_then(|client| agreed(Side::Consumer, client, findings));
        let brokers = Brokers::new(properties, site, findings);
        let migration = brokers.as_ref().zip(topics.as_ref()).and_then(|(brokers, topics)| {
            Migration::new(properties, &group, topics.only(), brokers.ensemble(), site, findings)
        });
        let topic = properties.flag("setTopicHeader").then(|| properties.word("topicHeader").to_owned());
        Some(Config {
            client: client?,
            brokers: brokers?,
            group,
            topics: topics?,
            migration,
            shape: Shape {
                topic_header: topic,
                headers: properties
                    .under("header.")
                    .map(|(of, from)| (of.to_owned(), from.trim().to_owned()))
                    .collect(),
                flume_format: properties.flag("useFlumeEventFormat"),
                bare: false,
            },
            batch: properties.count::<usize>("batchSize").max(1),
            duration: Duration::from_millis(properties.count("batchDurationMillis")),
        })
    }
}

/// What librdkafka is told where the file says nothing: as Java's client would do, but for aborted records and for memory.
/// A full client looks for room every few milliseconds: at its own pause of a second it would be empty for most of it.
pub(crate) const DEFAULTS: [(&str, &str); 8] = [
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("allow.auto.create.topics", "true"),
    ("session.timeout.ms", "10000"),
    ("isolation.level", "read_committed"),
    ("queued.max.messages.kbytes", "16384"),
    ("fetch.wait.max.ms", "500"),
    ("fetch.queue.backoff.ms", "10"),
];

/// A pattern wins over names, as in Flume; that there is neither has been told.
fn topics(properties: &Properties, findings: &mut Findings<'_>) -> Option<Topics> {
    if let Some(pattern) = properties.text("kafka.topics.regex").filter(|text| !text.is_empty()) {
        let compiled = Pattern::compile_whole(pattern);
        let told =
            compiled.inspect_err(|refused| findings.refuse("kafka.topics.regex", &refused.to_string()));
        return told.ok().map(Topics::matching);
    }
    renamed(properties, "kafka.topics", "topic", findings).map(Topics::named)
}

struct KafkaSource(Config);

impl Source for KafkaSource {
    fn run(self: Box<Self>, context: SourceContext, stop: Stopping) -> LocalBoxFuture<'static, ()> {
        Box::pin(run(self.0, context, stop))
    }
}

async fn run(config: Config, mut context: SourceContext, mut stop: Stopping) {
    console::fact::component_started(&context.log, console::fact::ComponentType::Source, &context.name);
    context.ready.done();
    while !*stop.borrow() {
        let Some(brokers) = config.brokers.addresses(&context, &mut stop).await else { break };
        let Some(reason) = one_reader(&config, &brokers, &context, &mut stop).await else { break };
        slog::error!(
            context.log,
            "Kafka source {}: its client has ended: {reason}; another one begins in {} s",
            context.name,
            REST.as_secs()
        );
        let _stopped_or_rested = timeout(REST, stop.changed()).await;
    }
    context.doing.set("has ended");
}

/// Stores what a reader reads; why that has ended by itself.
async fn one_reader(
    config: &Config,
    brokers: &str,
    context: &SourceContext,
    stop: &mut Stopping,
) -> Option<String> {
    let (give, mut batches) = mpsc::channel(1);
    let (tell_stored, stored) = unbounded();
    let (tell_end, mut ended) = oneshot::channel();
    let orders = orders(config, brokers, context);
    let give = Box::new(move |given| match given {
        Given::Batch { batch, epoch } => give.blocking_send((batch, epoch)).is_ok(),
        Given::Forget => true,
    });
    let ways = Ways { give, stored, most: UNDER_WAY, forgets: false };
    let spawned = thread::Builder::new().name(format!("kafka {}", context.name)).spawn(move || {
        let _source_is_gone = tell_end.send(reader::read(orders, ways));
    });
    if let Err(error) = spawned {
        return Some(error.to_string());
    }
    context.doing.set(format!("reads {} at {brokers}", config.topics));
    let reason = loop {
        let batch = tokio::select! { biased;
            _ = stop.changed() => break None,
            batch = batches.recv() => batch,
        };
        let Some((batch, epoch)) = batch else { break Some("it gave no reason".to_owned()) };
        let events = batch.len();
        tokio::select! { biased;
            _ = stop.changed() => break None, // its offsets are not committed: it is read again
            () = store(context, batch) => {}
        }
        let _reader_is_gone = tell_stored.send(Settled { epoch, events });
    };
    drop((batches, tell_stored));
    // It commits and leaves its group; brokers that are away must not hold the stop up.
    match timeout(LEAVE, &mut ended).await {
        Ok(Ok(Err(why))) => reason.map(|_| why),
        _ => reason,
    }
}

fn orders(config: &Config, brokers: &str, context: &SourceContext) -> Orders {
    let mut client = config.client.clone();
    client.set(BROKERS, brokers);
    let counters = context.processor.counters();
    let fails = counters.clone();
    Orders {
        client,
        brokers: brokers.to_owned(),
        group: config.group.clone(),
        topics: config.topics.clone(),
        migration: config.migration.clone(),
        shape: config.shape.clone(),
        batch: config.batch.min(context.processor.transaction()),
        duration: config.duration,
        log: context.log.clone(),
        get_timer: counters.more.counter("KafkaEventGetTimer"),
        commit_timer: counters.more.counter("KafkaCommitTimer"),
        empty: counters.more.counter("KafkaEmptyCount"),
        read_fail: Box::new(move || fails.event_read_fail.increment()),
    }
}

/// Stores `batch`, in parts if need be, however long that takes.
async fn store(context: &SourceContext, batch: Batch) {
    let (mut left, mut told) = (vec![batch], Told::every(NEWS_PAUSE));
    loop {
        let mut refused = Vec::new();
        let mut why: Option<ChannelError> = None;
        for mut batch in left {
            for (events, outcome) in
                context.processor.store_parts(batch.clone(), false, PutTimeout::Forever).await
            {
                let part = batch.split_to(events);
                if let Err(error) = outcome {
                    refused.push(part);
                    why = Some(error);
                }
            }
        }
        let Some(error) = why else { return };
        left = refused;
        if told.tell(clock::now()).is_some() {
            let events: usize = left.iter().map(Batch::len).sum();
            slog::error!(
                context.log,
                "Kafka source {}: {error}; these {events} events are tried again until they are taken, and nothing behind them is read",
                context.name
            );
        }
        sleep(REST).await;
    }
}

/// Batches at a time: one is stored, and one is ready behind it.
const UNDER_WAY: usize = 2;
/// Between two tries.
pub(crate) const REST: Duration = Duration::from_secs(5);
/// How long a reader may take to end.
const LEAVE: Duration = Duration::from_millis(1500);
const NEWS_PAUSE: Duration = Duration::from_secs(60);

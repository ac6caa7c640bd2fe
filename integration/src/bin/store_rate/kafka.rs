//! Kafka: one topic with one partition, written, read, or both.

use crate::run::{MEMORY, Run, Store};
use integration::{
    duel::{
        arena::Shape,
        check::{Check, Checker},
    },
    node::Error,
    stores,
};
use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    consumer::{BaseConsumer, CommitMode, Consumer},
    error::{KafkaError, RDKafkaErrorCode},
    producer::{BaseProducer, BaseRecord, Producer},
};
use std::{
    collections::BTreeSet,
    fs::File,
    io::{BufRead, BufReader},
    process::Command,
    thread,
    time::Duration,
};

/// Which component works on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Sink,
    Source,
    Channel,
}

pub(crate) struct Kafka {
    broker: stores::Broker,
    part: Part,
    /// Topics that have been filled, by their lines.
    filled: BTreeSet<u32>,
    /// Of the run under way.
    asks: Option<BaseConsumer>,
}

impl Kafka {
    pub(crate) fn start(part: Part) -> Result<Box<dyn Store>, Error> {
        let broker = stores::Broker::open("")?;
        Ok(Box::new(Kafka { broker, part, filled: BTreeSet::new(), asks: None }))
    }

    fn topic(&self, run: &Run) -> String {
        match self.part {
            Part::Source => format!("filled{}", run.shape.lines),
            Part::Sink | Part::Channel => run.name.clone(),
        }
    }

    fn make(&self, topic: &str) -> Result<(), KafkaError> {
        let admin: AdminClient<DefaultClientContext> = base(&self.broker.address()).create()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| KafkaError::AdminOpCreation(error.to_string()))?;
        let topic = NewTopic::new(topic, 1, TopicReplication::Fixed(1));
        for made in runtime.block_on(admin.create_topics([&topic], &AdminOptions::new()))? {
            made.map_err(|(_, code)| KafkaError::AdminOp(code))?;
        }
        Ok(())
    }

    fn begin(&mut self, run: &Run) -> Result<(), KafkaError> {
        let topic = self.topic(run);
        if self.part != Part::Source || self.filled.insert(run.shape.lines) {
            self.make(&topic)?;
        }
        if self.part == Part::Source && self.high(&topic)? == 0 {
            let mut lines = lines(&run.input)?;
            produce(&producer(&self.broker.address())?, &topic, &mut lines)?;
        }
        self.asks = Some(base(&self.broker.address()).set("group.id", &run.name).create()?);
        Ok(())
    }

    fn high(&self, topic: &str) -> Result<u64, KafkaError> {
        let own;
        let asks = match &self.asks {
            Some(asks) => asks,
            None => {
                own = base(&self.broker.address()).create::<BaseConsumer>()?;
                &own
            }
        };
        Ok(u64::try_from(asks.fetch_watermarks(topic, 0, LIMIT)?.1).unwrap_or_default())
    }

    /// What the group has done with.
    fn committed(&self, topic: &str) -> Result<u64, KafkaError> {
        let Some(asks) = &self.asks else { return Ok(0) };
        let mut list = TopicPartitionList::new();
        list.add_partition(topic, 0);
        let answer = match asks.committed_offsets(list, LIMIT) {
            // The group is so new that the broker does not keep its offsets yet.
            Err(error) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::NotCoordinator) => {
                return Ok(0);
            }
            answer => answer?,
        };
        let offset = answer.find_partition(topic, 0).map(|found| found.offset());
        Ok(if let Some(Offset::Offset(offset)) = offset {
            u64::try_from(offset).unwrap_or_default()
        } else {
            0
        })
    }

    /// Reads back what the topic has.
    fn read(&self, topic: &str, shape: Shape) -> Result<Check, KafkaError> {
        let high = self.high(topic)?;
        let consumer: BaseConsumer = base(&self.broker.address()).set("group.id", "reads-back").create()?;
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, 0, Offset::Beginning)?;
        consumer.assign(&list)?;
        let (mut checker, mut next) = (Checker::new(shape.lines, 1), 0);
        while next < high {
            let Some(record) = consumer.poll(LIMIT).transpose()? else { break };
            next = u64::try_from(record.offset()).unwrap_or_default() + 1;
            let body = record.payload().unwrap_or_default();
            // Within a channel a body stands behind its headers and its length.
            checker.line(&body[body.len().saturating_sub(shape.bytes - 1)..]);
        }
        Ok(checker.finish())
    }
}

impl Store for Kafka {
    fn flumes_part(&self) -> &'static str {
        "flume-kafka"
    }

    fn prepare(&mut self, run: &Run) -> Result<(), Error> {
        self.asks = None;
        self.begin(run).map_err(|error| Error::Missing(format!("Kafka cannot be made ready: {error}")))
    }

    fn agent(&self, run: &Run) -> String {
        let text = match self.part {
            Part::Sink => run.taildir() + MEMORY + SINK,
            Part::Source => SOURCE.to_owned() + MEMORY + NULL,
            Part::Channel => run.taildir() + CHANNEL + NULL,
        };
        text.replace("TOPIC", &self.topic(run))
            .replace("GROUP", &run.name)
            .replace("BROKER", &self.broker.address())
    }

    fn client(&self, run: &Run) -> Result<Command, Error> {
        let word = match self.part {
            Part::Sink => "sink",
            Part::Source => "source",
            Part::Channel => "channel",
        };
        let (input, batch) = (run.input.display().to_string(), run.batch.to_string());
        let all = run.shape.lines.to_string();
        crate::own(&[CLIENT, word, &self.broker.address(), &self.topic(run), &run.name, &input, &batch, &all])
    }

    fn come(&mut self, run: &Run) -> Result<u64, Error> {
        let topic = self.topic(run);
        let come = if self.part == Part::Sink { self.high(&topic) } else { self.committed(&topic) };
        come.map_err(|error| Error::Missing(format!("Kafka cannot be asked: {error}")))
    }

    fn check(&mut self, run: &Run) -> Result<Check, Error> {
        if self.part == Part::Source {
            return Ok(Check::default()); // all offsets were committed, once
        }
        let read = self.read(&self.topic(run), run.shape);
        read.map_err(|error| Error::Missing(format!("Kafka cannot be read: {error}")))
    }
}

const SINK: &str = "a1.sinks.k1.type = org.apache.flume.sink.kafka.KafkaSink
a1.sinks.k1.kafka.bootstrap.servers = BROKER
a1.sinks.k1.kafka.topic = TOPIC
a1.sinks.k1.flumeBatchSize = BATCH
";

const SOURCE: &str = "a1.sources.r1.type = org.apache.flume.source.kafka.KafkaSource
a1.sources.r1.kafka.bootstrap.servers = BROKER
a1.sources.r1.kafka.topics = TOPIC
a1.sources.r1.kafka.consumer.group.id = GROUP
a1.sources.r1.kafka.consumer.auto.offset.reset = earliest
a1.sources.r1.batchSize = BATCH
";

const CHANNEL: &str = "a1.channels.c1.type = org.apache.flume.channel.kafka.KafkaChannel
a1.channels.c1.kafka.bootstrap.servers = BROKER
a1.channels.c1.kafka.topic = TOPIC
a1.channels.c1.kafka.consumer.group.id = GROUP
a1.channels.c1.kafka.consumer.auto.offset.reset = earliest
";

const NULL: &str = "a1.sinks.k1.type = null
a1.sinks.k1.batchSize = BATCH
";

/// The word for [`client`].
pub(crate) const CLIENT: &str = "client-kafka";

/// Writes the lines of a file to a topic, reads a topic, or both at a time, with librdkafka alone.
pub(crate) fn client(words: &[String]) -> Result<(), Box<dyn std::error::Error>> {
    let [part, broker, topic, group, input, batch, all] = words else {
        return Err("PART BROKER TOPIC GROUP INPUT BATCH EVENTS".into());
    };
    let (batch, all): (u64, u64) = (batch.parse()?, all.parse()?);
    let write = || -> Result<(), KafkaError> {
        produce(&producer(broker)?, topic, &mut lines(std::path::Path::new(input))?)
    };
    let read = || consume(base(broker).set("group.id", group), topic, batch, all);
    match part.as_str() {
        "sink" => write()?,
        "source" => read()?,
        _ => thread::scope(|scope| {
            let writes = scope.spawn(write);
            read()?;
            writes.join().unwrap_or(Err(KafkaError::Canceled))
        })?,
    }
    Ok(())
}

/// What both need, and what a native node tells a consumer.
fn base(broker: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    for (key, value) in [
        ("bootstrap.servers", broker),
        ("enable.auto.commit", "false"),
        ("enable.auto.offset.store", "false"),
        ("auto.offset.reset", "earliest"),
        ("isolation.level", "read_committed"),
        ("queued.max.messages.kbytes", "16384"),
        ("fetch.queue.backoff.ms", "10"),
    ] {
        config.set(key, value);
    }
    config
}

/// As a native node has it unless told otherwise.
fn producer(broker: &str) -> Result<BaseProducer, KafkaError> {
    let mut config = ClientConfig::new();
    for (key, value) in [
        ("bootstrap.servers", broker),
        ("acks", "all"),
        ("enable.idempotence", "true"),
        ("partitioner", "murmur2_random"),
        ("linger.ms", "0"),
        ("queue.buffering.max.kbytes", "32768"),
        ("queue.buffering.max.messages", "0"),
    ] {
        config.set(key, value);
    }
    config.create()
}

fn lines(input: &std::path::Path) -> Result<BufReader<File>, KafkaError> {
    let file = File::open(input).map_err(|error| KafkaError::ClientCreation(error.to_string()))?;
    Ok(BufReader::with_capacity(1 << 18, file))
}

/// Sends all lines, as fast as there is room, and waits for all acknowledgements.
fn produce(producer: &BaseProducer, topic: &str, lines: &mut impl BufRead) -> Result<(), KafkaError> {
    let (mut line, mut sent) = (Vec::new(), 0u32);
    while lines.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
        let mut record = BaseRecord::<(), [u8]>::to(topic).payload(&line[..line.len() - 1]);
        while let Err((error, back)) = producer.send(record) {
            if error.rdkafka_error_code() != Some(RDKafkaErrorCode::QueueFull) {
                return Err(error);
            }
            record = back;
            producer.poll(Duration::from_millis(1));
        }
        sent += 1;
        if sent.is_multiple_of(1_000) {
            producer.poll(Duration::ZERO);
        }
        line.clear();
    }
    producer.flush(LIMIT)
}

/// Reads so many records as a member of its group, and commits after each batch.
fn consume(config: &ClientConfig, topic: &str, batch: u64, all: u64) -> Result<(), KafkaError> {
    let consumer: BaseConsumer = config.create()?;
    consumer.subscribe(&[topic])?;
    let mut read = 0;
    while read < all {
        let Some(record) = consumer.poll(LIMIT).transpose()? else { continue };
        read += 1;
        if read % batch == 0 || read == all {
            let mode = if read == all { CommitMode::Sync } else { CommitMode::Async };
            consumer.commit_message(&record, mode)?;
        }
    }
    Ok(())
}

const LIMIT: Duration = Duration::from_secs(30);

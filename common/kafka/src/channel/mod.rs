//! `org.apache.flume.channel.kafka.KafkaChannel`: a topic in which events wait, shared by many agents.
//!
//! Source: Flume 1.11 `KafkaChannel`, with these differences: a put is acknowledged by all replicas in sync, and comes once
//! (`enable.idempotence`); offsets are committed behind what has arrived, in order; an offset that was not committed is told.

mod books;
mod writer;

use crate::beyond;
use crate::client::{agreed, brokers, client, renamed};
use crate::java::{KEYED, Side};
use crate::record::Recipe;
use crate::source::migration::Migration;
use crate::source::reader::{self, Given, Orders, Settled, Ways};
use crate::source::shape::Shape;
use crate::source::topics::Topics;
use crate::source::{DEFAULTS, REST};
use crate::topic::Topic;
use books::Books;
use components::missing::{self, kafka::CHANNEL};
use crossbeam_channel::{Sender, unbounded};
use event::{Batch, Origin};
use flow::Site;
use flow::channel::NewChannel;
use flow::channel::store::{Bell, ChannelSettings, Level, Store, StoreRefusal, Stored};
use flow::component::{Component, Configure};
use flow::counters::Counter;
use plan::{Availability, Descriptor, Findings, Problem, Properties};
use rdkafka::ClientConfig;
use runtime::clock::Duration;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use tokio::sync::{mpsc, oneshot};
use writer::{Wish, Writer};

/// Its row in the catalogue.
pub(crate) const COMPONENT: Component = Component {
    descriptor: Descriptor { availability: Availability::Here, ..CHANNEL }.beyond(beyond::channel),
    configure: Configure::Channel(|properties, site, findings| {
        let config = Config::new(properties, site, findings)?;
        // Flume bounds no transaction of this channel.
        let settings = ChannelSettings { transaction: MOST_EVENTS, keep_alive: KEEP_ALIVE, fits: None };
        Some(NewChannel::of(KafkaStore::new(config), settings))
    }),
};

/// What the file says of a channel.
#[derive(Clone)]
struct Config {
    producer: ClientConfig,
    consumer: ClientConfig,
    brokers: String,
    topic: String,
    group: String,
    /// What is taken over before anything is read.
    migration: Option<Migration>,
    recipe: Recipe,
}

impl Config {
    fn new(properties: &Properties, site: &Site, findings: &mut Findings<'_>) -> Option<Config> {
        missing::kafka::channel(properties, findings);
        if properties.text(POLL_TIMEOUT).is_some() {
            no_pause(findings);
        }
        let topic =
            renamed(properties, "kafka.topic", "topic", findings).unwrap_or(properties.word("kafka.topic"));
        let group =
            renamed(properties, "kafka.consumer.group.id", "groupId", findings).unwrap_or("flume").to_owned();
        let smallest =
            properties.text("readSmallestOffset").map(|text| text.trim().eq_ignore_ascii_case("true"));
        let reset = if smallest == Some(false) { "latest" } else { "earliest" };
        let defaults = [&DEFAULTS[..], &[("group.id", &group), ("auto.offset.reset", reset)]].concat();
        let producer = client(Side::Producer, properties, &PRODUCER, site, findings);
        let consumer = client(Side::Consumer, properties, &defaults, site, findings);
        let (mut producer, consumer) = (producer?, consumer?);
        if producer.get(TRANSACTIONS).is_some() {
            no_transactions(findings);
            producer.remove(TRANSACTIONS);
        }
        let (producer, consumer) =
            (agreed(Side::Producer, producer, findings), agreed(Side::Consumer, consumer, findings));
        let (producer, consumer) = (producer?, consumer?);
        if consumer.get("partition.assignment.strategy").is_some_and(|word| word.contains("cooperative")) {
            findings.refuse(
                "kafka.consumer.partition.assignment.strategy",
                "partitions of a channel come and go together: use `range` or `roundrobin`",
            );
            return None;
        }
        let parsed = Topic::parse(topic).inspect_err(|what| findings.refuse("kafka.topic", what)).ok();
        let header = properties.text("partitionIdHeader").filter(|name| !name.is_empty());
        let recipe = Recipe {
            topic: parsed?,
            topic_header: None,
            partition: properties.given("defaultPartitionId"),
            partition_header: header.map(str::to_owned),
            timestamp_header: None,
            headers: Vec::new(),
            flume_format: properties.flag("parseAsFlumeEvent"),
        };
        let migration = Migration::new(properties, &group, Some(topic), None, site, findings);
        Some(Config {
            producer,
            consumer,
            brokers: brokers(properties),
            topic: topic.to_owned(),
            group,
            migration,
            recipe,
        })
    }
}

/// Flume's take waits that long for an event, holds back what it has meanwhile, and comes back without one.
fn no_pause(findings: &mut Findings<'_>) {
    let what = format!("`{}` has no effect: no take asks again and again", findings.key(POLL_TIMEOUT));
    let problem = Problem::note("no-effect", findings.at(POLL_TIMEOUT), what);
    let problem = problem.flume("a take without an event waits that long");
    findings
        .add(problem.here("a sink has events as soon as they are read, and waits for them without a limit"));
}

const POLL_TIMEOUT: &str = "kafka.pollTimeout";

/// The channel's transactions are its own.
fn no_transactions(findings: &mut Findings<'_>) {
    let key = format!("{}{TRANSACTIONS}", Side::Producer.prefix());
    let what = format!("`{}` has no effect: a channel's transactions are not Kafka's", findings.key(&key));
    let problem = Problem::warning("no-effect", findings.at(&key), what).fix("leave it out");
    findings.add(problem.flume("starts, and fails with every put"));
}

const TRANSACTIONS: &str = "transactional.id";
/// What librdkafka is told where the file says nothing; and its producer is idempotent where nothing in the file speaks against it.
const PRODUCER: [(&str, &str); 6] = [
    ("acks", "all"),
    ("partitioner", KEYED),
    ("linger.ms", "0"),
    ("delivery.timeout.ms", "120000"),
    ("message.max.bytes", "1048576"),
    ("queue.buffering.max.kbytes", "65536"),
];

/// The topic, as its channel sees it. It writes when something is put, and reads when somebody takes.
struct KafkaStore {
    config: Config,
    about: Option<About>,
    books: Arc<Mutex<Books>>,
    pending: Arc<AtomicUsize>,
    wishes: Option<mpsc::UnboundedSender<Wish>>,
    /// To the reader: what is stored.
    stored: Option<Sender<Settled>>,
    reader_ends: Option<oneshot::Receiver<()>>,
    figures: Figures,
}

/// Whose store it is.
#[derive(Clone)]
struct About {
    bell: Bell,
    name: String,
    log: slog::Logger,
}

#[derive(Default)]
struct Figures {
    get: Arc<Counter>,
    send: Arc<Counter>,
    commit: Arc<Counter>,
    rollbacks: usize,
}

impl KafkaStore {
    fn new(config: Config) -> KafkaStore {
        KafkaStore {
            config,
            about: None,
            books: Arc::default(),
            pending: Arc::default(),
            wishes: None,
            stored: None,
            reader_ends: None,
            figures: Figures::default(),
        }
    }

    fn open(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The way to the thread that writes; it begins with the first put.
    fn writer(&mut self) -> Result<&mpsc::UnboundedSender<Wish>, StoreRefusal> {
        if self.wishes.as_ref().is_none_or(mpsc::UnboundedSender::is_closed) {
            let Some(about) = &self.about else {
                return Err(StoreRefusal::Failed("it has not started".to_owned()));
            };
            let (wishes, wished) = mpsc::unbounded_channel();
            let writer = Writer {
                client: self.config.producer.clone(),
                brokers: self.config.brokers.clone(),
                recipe: self.config.recipe.clone(),
                log: about.log.clone(),
                bell: about.bell.clone(),
                pending: self.pending.clone(),
                send_timer: self.figures.send.clone(),
            };
            let name = format!("kafka {} put", about.name);
            let begun = thread::Builder::new().name(name).spawn(move || writer::write(writer, wished));
            begun.map_err(|error| StoreRefusal::Failed(error.to_string()))?;
            self.wishes = Some(wishes);
        }
        self.wishes.as_ref().ok_or(StoreRefusal::NoRoom)
    }

    /// The reader hears what is stored.
    fn tell(&self, done: Vec<Settled>) {
        if let Some(stored) = &self.stored {
            for settled in done {
                let _reader_has_ended = stored.send(settled);
            }
        }
    }

    /// The thread that reads begins with the first take.
    fn begin_to_read(&mut self) {
        let Some(about) = self.about.clone().filter(|_| self.stored.is_none()) else { return };
        let (tell_stored, stored) = unbounded();
        let (tell_end, ends) = oneshot::channel();
        let (config, books) = (self.config.clone(), self.books.clone());
        let timers = (self.figures.get.clone(), self.figures.commit.clone());
        let log = about.log.clone();
        let begun = thread::Builder::new().name(format!("kafka {} take", about.name)).spawn(move || {
            read(&config, &about, &books, &stored, &timers);
            let _nobody_waits = tell_end.send(());
        });
        match begun {
            Ok(_) => (self.stored, self.reader_ends) = (Some(tell_stored), Some(ends)),
            Err(error) => slog::error!(log, "the channel cannot read: {error}; it is tried again"),
        }
    }
}

/// Reads until the channel ends, with as many clients as it takes.
fn read(
    config: &Config,
    about: &About,
    books: &Arc<Mutex<Books>>,
    stored: &crossbeam_channel::Receiver<Settled>,
    timers: &(Arc<Counter>, Arc<Counter>),
) {
    loop {
        let (books, bell) = (books.clone(), about.bell.clone());
        books.lock().unwrap_or_else(PoisonError::into_inner).forget();
        while stored.try_recv().is_ok() {} // words of the reader before
        let give = Box::new(move |given| {
            let mut books = books.lock().unwrap_or_else(PoisonError::into_inner);
            match given {
                Given::Batch { batch, epoch } => books.add(batch, epoch),
                Given::Forget => books.forget(),
            }
            drop(books);
            bell.ring();
            true
        });
        let orders = Orders {
            client: config.consumer.clone(),
            brokers: config.brokers.clone(),
            group: config.group.clone(),
            topics: Topics::named(&config.topic),
            migration: config.migration.clone(),
            shape: Shape { flume_format: config.recipe.flume_format, bare: true, ..Shape::default() },
            batch: READ_EVENTS,
            duration: READ_FOR,
            log: about.log.clone(),
            get_timer: timers.0.clone(),
            commit_timer: timers.1.clone(),
            empty: Arc::default(),
            read_fail: Box::new(|| {}),
        };
        let ways = Ways { give, stored: stored.clone(), most: READS, forgets: true };
        match reader::read(orders, ways) {
            Ok(()) => return,
            Err(why) => {
                let again = REST.as_secs();
                slog::error!(
                    about.log,
                    "channel {}: its client has ended: {why}; another one begins in {again} s",
                    about.name
                );
                // What ends the channel wakes this as well.
                let end = std::iter::from_fn(|| stored.recv_timeout(REST).err()).next();
                if end == Some(crossbeam_channel::RecvTimeoutError::Disconnected) {
                    return;
                }
            }
        }
    }
}

impl Store for KafkaStore {
    const ENDS: bool = true;

    fn start(&mut self, bell: Bell, name: &str, log: &slog::Logger) {
        self.about = Some(About { bell, name: name.to_owned(), log: log.clone() });
    }

    fn stop(&mut self) -> Option<oneshot::Receiver<()>> {
        self.wishes = None;
        let part = self.open().part();
        self.tell(part.into_iter().collect());
        self.stored = None;
        self.about = None;
        self.reader_ends.take()
    }

    fn put(&mut self, batches: &[Batch]) -> Result<Stored, StoreRefusal> {
        let room = MOST_PENDING.saturating_sub(self.pending.load(Ordering::Acquire));
        let mut bytes = 0;
        let fits = |batch: &&Batch| {
            bytes += batch.event_bytes();
            bytes <= room || room == MOST_PENDING && bytes == batch.event_bytes()
        };
        let some: Vec<Batch> = batches.iter().take_while(fits).cloned().collect();
        if some.is_empty() && !batches.is_empty() {
            return Err(StoreRefusal::NoRoom);
        }
        let bytes = some.iter().map(Batch::event_bytes).sum();
        let (answer, later) = oneshot::channel();
        let batches = some.len();
        let pending = self.pending.clone();
        let writer = self.writer()?;
        pending.fetch_add(bytes, Ordering::AcqRel);
        writer
            .send(Wish { batches: some, answer })
            .map_err(|_| StoreRefusal::Failed("its writer has ended".to_owned()))?;
        Ok(Stored { batches, later: Some(later) })
    }

    fn take(&mut self, max: usize, bytes: usize) -> Option<(u64, Vec<Batch>)> {
        if self.stored.is_none() {
            self.begin_to_read();
        }
        self.open().take(max, bytes)
    }

    fn settle(&mut self, lease: u64, commit: bool) {
        if !commit {
            self.figures.rollbacks += 1;
        }
        let done = self.open().settle(lease, commit);
        self.tell(done);
    }

    fn bytes(&self) -> usize {
        self.pending.load(Ordering::Acquire)
    }

    /// What it holds is in Kafka: a stop has nothing to wait for, but for what its sinks have.
    fn level(&self) -> Level {
        let books = self.open();
        let leased = books.leased();
        Level { held: leased, leased, bytes: self.bytes(), taken: books.taken(), capacity: 0 }
    }

    fn origins(&self) -> Vec<(Option<Origin>, usize)> {
        Vec::new()
    }

    fn give_back(&mut self, _: &dyn Fn(Origin) -> bool) {}

    fn figures(&self) -> Vec<(&'static str, String)> {
        vec![
            ("KafkaCommitTimer", self.figures.commit.get().to_string()),
            ("KafkaEventGetTimer", self.figures.get.get().to_string()),
            ("KafkaEventSendTimer", self.figures.send.get().to_string()),
            ("RollbackCount", self.figures.rollbacks.to_string()),
        ]
    }
}

/// Events in one transaction, at most.
const MOST_EVENTS: usize = 1 << 20;
const KEEP_ALIVE: Duration = Duration::from_secs(3);
/// Bytes that are put and not acknowledged, at most.
const MOST_PENDING: usize = 16 << 20;
/// What is read ahead: so many batches, of so many events.
const READS: usize = 8;
const READ_EVENTS: usize = 1000;
/// A batch that grows longer than that is given to the sinks.
const READ_FOR: Duration = Duration::from_millis(100);

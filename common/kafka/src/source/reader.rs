//! The thread that reads: librdkafka blocks and calls back, and nobody else may wait for that.
//!
//! It reads a batch while those before are stored, has offsets committed when it is told that they are, and stops reading without
//! leaving its group while the channel has no room.

use super::commits::Commits;
use super::committer::Committer;
use super::consumer::{Change, Ear, make};
use super::migration::Migration;
use super::read::Read;
use super::shape::{Shape, Space, Taken};
use super::silence::Silence;
use super::tales::Tales;
use super::topics::Topics;
use crate::producer::plain;
use crossbeam_channel::{Receiver, bounded, select_biased};
use event::{Batch, BatchBuilder};
use flow::counters::Counter;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use runtime::caught::caught;
use runtime::clock::{self, Duration, Instant};
use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::Arc;

/// What a reader is told when it begins.
pub(crate) struct Orders {
    pub(crate) client: ClientConfig,
    pub(crate) brokers: String,
    pub(crate) group: String,
    pub(crate) topics: Topics,
    pub(crate) migration: Option<Migration>,
    pub(crate) shape: Shape,
    /// `batchSize`
    pub(crate) batch: usize,
    /// `batchDurationMillis`
    pub(crate) duration: Duration,
    pub(crate) log: slog::Logger,
    pub(crate) get_timer: Arc<Counter>,
    pub(crate) commit_timer: Arc<Counter>,
    pub(crate) empty: Arc<Counter>,
    pub(crate) read_fail: Box<dyn Fn() + Send>,
}

/// What a reader gives to its component.
pub(crate) enum Given {
    /// Events that were read. Partitions that were given up since `epoch` began are another member's.
    Batch {
        /// They.
        batch: Batch,
        /// To come back with the word that they are stored.
        epoch: u64,
    },
    /// What is not stored by now will be read again, by whoever has its partitions then.
    Forget,
}

/// Word that the next `events` are stored, of those that were read in this epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settled {
    pub(crate) epoch: u64,
    pub(crate) events: usize,
}

/// Batches that were read, and word that they are stored, in their order.
pub(crate) struct Ways {
    /// To the component; `false`: it wants no more.
    pub(crate) give: Box<dyn FnMut(Given) -> bool + Send>,
    /// From it; its end is the reader's.
    pub(crate) stored: Receiver<Settled>,
    /// Batches that are on their way at a time.
    pub(crate) most: usize,
    /// Whether the component forgets what it has when partitions go. One that does not has read all that it was given.
    pub(crate) forgets: bool,
}

pub(super) struct Reader {
    pub(super) orders: Orders,
    ways: Ways,
    pub(super) consumer: Arc<BaseConsumer<Ear>>,
    ticks: Receiver<()>,
    space: Space,
    builder: BatchBuilder,
    /// Bytes of the last batch.
    usual: usize,
    /// What was read, and what is being stored.
    read: Read,
    pub(super) storing: VecDeque<Read>,
    /// Batches of epochs before that the component has not stored yet; of one that forgets, none.
    pub(super) stale: usize,
    /// Topics and partitions that are this member's.
    pub(super) held: Vec<(String, i32)>,
    pub(super) commits: Commits,
    pub(super) committer: Committer,
    pub(super) epoch: u64,
    begun: Option<Instant>,
    pub(super) waits_since: Option<Instant>,
    paused: bool,
    pub(super) silence: Silence,
    pub(super) told: Tales,
}

/// Reads until nobody wants it any more.
///
/// # Errors
/// Why it cannot go on; another reader may.
pub(crate) fn read(orders: Orders, ways: Ways) -> Result<(), String> {
    if let Some(migration) = &orders.migration
        && !migration.run(&orders.client, &ways.stored, &orders.log)
    {
        return Ok(());
    }
    let made = orders.client.create_with_context(Ear::new(orders.log.clone()));
    let mut consumer: BaseConsumer<Ear> = made.map_err(|error| plain(&error))?;
    let (tick, ticks) = bounded(1);
    consumer.set_nonempty_callback(move || {
        let _already_told = tick.try_send(());
    });
    let consumer = Arc::new(consumer);
    let committer = Committer::begin(consumer.clone(), orders.commit_timer.clone());
    let committer = committer.map_err(|error| error.to_string())?;
    let reader = Reader {
        orders,
        ways,
        consumer,
        ticks,
        space: Space::default(),
        builder: BatchBuilder::default(),
        usual: 0,
        read: Read::default(),
        storing: VecDeque::new(),
        stale: 0,
        held: Vec::new(),
        commits: Commits::default(),
        committer,
        epoch: 0,
        begun: None,
        waits_since: None,
        paused: false,
        silence: Silence::new(clock::now()),
        told: Tales::default(),
    };
    reader.run()
}

impl Reader {
    fn run(mut self) -> Result<(), String> {
        let nothing = crossbeam_channel::never();
        loop {
            self.subscribe();
            let drained = self.drain().and_then(|more| self.hand_over().map(|()| more));
            self.commit();
            let more = match drained {
                Ok(more) => more,
                Err(end) => return self.end(end),
            };
            let is_full = self.is_full();
            let heard = select_biased! {
                recv(self.ways.stored) -> stored => stored.map(|settled| self.note(settled)).map_err(|_| End::Wanted),
                recv(self.committer.answers) -> answer => self.answered(answer.ok()),
                recv(if is_full { &nothing } else { &self.ticks }) -> _ => Ok(()),
                default(if more && !is_full { Duration::ZERO } else { LOOK }) => Ok(()),
            };
            if let Err(end) = heard {
                return self.end(end);
            }
            self.rest();
            self.look();
        }
    }

    /// Says which topics, when they change.
    fn subscribe(&mut self) {
        let Some(changed) = self.orders.topics.changed(&self.consumer, clock::now()) else { return };
        let subscribed = changed.and_then(|topics| {
            let names: Vec<&str> = topics.iter().map(String::as_str).collect();
            if names.is_empty() {
                self.consumer.unsubscribe();
                return Ok(());
            }
            self.consumer.subscribe(&names)
        });
        if let Err(error) = subscribed {
            self.trouble(&self.of_connection(&error));
        }
    }

    /// Takes what has come, as far as there is room. Whether there may be more.
    fn drain(&mut self) -> Result<bool, End> {
        let consumer = self.consumer.clone();
        let mut nothing = 0;
        // What is no record counts as nothing, once.
        while nothing < 2 && (self.paused || !self.is_full()) {
            match consumer.poll(Duration::ZERO) {
                Some(Ok(message)) => {
                    nothing = 0;
                    self.take(&message);
                }
                Some(Err(error)) => self.hear(&error)?,
                None => nothing += 1,
            }
            while let Some(change) = consumer.context().change() {
                self.change(&change)?;
            }
        }
        if nothing > 0 && self.builder.is_empty() && self.storing.is_empty() {
            self.orders.empty.increment();
        }
        Ok(nothing < 2)
    }

    fn is_full(&self) -> bool {
        let late = |begun| clock::now().saturating_duration_since(begun) >= self.orders.duration;
        self.builder.len() >= self.orders.batch
            || self.builder.bytes() >= MOST_BYTES
            || self.builder.len() % SOME == SOME - 1 && self.begun.is_some_and(late)
    }

    fn take(&mut self, message: &BorrowedMessage<'_>) {
        if self.builder.is_empty() {
            self.begun = Some(clock::now());
            self.builder.reserve(self.usual);
        }
        let record = Taken {
            topic: message.topic(),
            partition: message.partition(),
            offset: message.offset(),
            timestamp: message.timestamp().to_millis().unwrap_or(-1),
            key: message.key(),
            value: message.payload().unwrap_or_default(),
        };
        // They are decoded when they are asked for. The library panics at a name that is not UTF-8.
        let unreadable = Cell::new(false);
        let header = |wanted: &str| {
            let find = || message.headers()?.iter().filter(|header| header.key == wanted).last()?.value;
            let found = caught(find);
            unreadable.set(unreadable.get() || found.is_none());
            found.flatten()
        };
        let pushed = self.orders.shape.push(&record, header, &mut self.builder, &mut self.space);
        self.read.add(record.topic, record.partition, record.offset, pushed.is_ok());
        if unreadable.get() {
            self.tell_of_headers(&record);
        }
        if let Err(why) = pushed {
            (self.orders.read_fail)();
            self.tell_of_malformed(&record, &why);
        }
    }

    /// Gives what was read to the component, unless it has enough, or too much is not committed.
    fn hand_over(&mut self) -> Result<(), End> {
        let under_way = self.stale + self.storing.len();
        let waits = under_way >= self.ways.most || self.commits.unanswered() >= MOST_UNANSWERED;
        if waits || self.read.is_empty() {
            return Ok(());
        }
        let read = std::mem::take(&mut self.read);
        self.usual = self.builder.bytes();
        let batch = std::mem::take(&mut self.builder).finish();
        let now = clock::now();
        if let Some(begun) = self.begun.take() {
            let took = now.saturating_duration_since(begun).as_millis();
            self.orders.get_timer.add(usize::try_from(took).unwrap_or(usize::MAX));
        }
        self.silence.broken(now);
        if self.told.recovered(&self.orders.log) {
            self.consumer.context().recovered();
        }
        if batch.is_empty() {
            // All were left out. Who comes behind them has them committed with its own.
            self.read = read;
            return Ok(());
        }
        self.storing.push_back(read);
        self.waits_since.get_or_insert(now);
        let wanted = (self.ways.give)(Given::Batch { batch, epoch: self.epoch });
        if wanted { Ok(()) } else { Err(End::Wanted) }
    }

    /// Partitions come or go. What was read of them is stored first, so that whoever gets them begins behind it.
    fn change(&mut self, change: &Change) -> Result<(), End> {
        let now = clock::now();
        if let Change::Revoked(_) = change {
            let until = now + GIVE_UP;
            self.finish(until)?;
            self.give_up();
        }
        // A partition that goes paused would come back so.
        self.pause(false);
        make(&self.consumer, change);
        let (Change::Assigned(list) | Change::Revoked(list)) = change;
        let names: Vec<String> =
            list.elements().iter().map(|one| format!("{}-{}", one.topic(), one.partition())).collect();
        let word = if matches!(change, Change::Assigned(_)) { "assigned" } else { "revoked" };
        slog::info!(self.orders.log, "group {}: partitions {word}: {}", self.orders.group, names.join(", "));
        let held = self.consumer.assignment().unwrap_or_default();
        self.held = held.elements().iter().map(|one| (one.topic().to_owned(), one.partition())).collect();
        self.commits.keep(|topic, partition| is_held(&self.held, topic, partition));
        self.silence.assigned(!self.held.is_empty(), clock::now());
        Ok(())
    }

    /// Has all that was read stored and committed, if that is done in time.
    fn finish(&mut self, until: Instant) -> Result<(), End> {
        loop {
            self.hand_over()?;
            if self.storing.is_empty() && self.builder.is_empty() {
                return self.commit_last(until);
            }
            self.commit();
            let left = until.saturating_duration_since(clock::now());
            select_biased! {
                recv(self.ways.stored) -> stored => self.note(stored.map_err(|_| End::Wanted)?),
                recv(self.committer.answers) -> answer => self.answered(answer.ok())?,
                default(left) => return self.commit_last(until),
            }
        }
    }

    /// Nothing that is on its way is committed any more.
    fn give_up(&mut self) {
        self.epoch += 1;
        let under_way = self.storing.drain(..).count();
        if self.ways.forgets {
            self.builder = BatchBuilder::default();
            self.read = Read::default();
            self.begun = None;
            (self.ways.give)(Given::Forget);
        } else {
            self.stale += under_way;
        }
        self.got_on();
    }

    /// While the channel has no room, nothing is fetched, and the group still hears of this member.
    fn rest(&mut self) {
        let now = clock::now();
        let long = self.waits_since.is_some_and(|since| now.saturating_duration_since(since) >= REST_AFTER);
        self.pause(long && self.is_full());
    }

    fn pause(&mut self, wanted: bool) {
        if wanted == self.paused {
            return;
        }
        if let Ok(held) = self.consumer.assignment() {
            let done = if wanted { self.consumer.pause(&held) } else { self.consumer.resume(&held) };
            self.paused = if done.is_ok() { wanted } else { self.paused };
        }
    }

    /// Leaves the group: what is stored is committed, the rest will be read again.
    fn end(mut self, why: End) -> Result<(), String> {
        while let Ok(settled) = self.ways.stored.try_recv() {
            self.note(settled);
        }
        let until = clock::now() + LAST_COMMIT;
        let _leaves_anyway = self.commit_last(until);
        self.consumer.context().close();
        while let Some(change) = self.consumer.context().change() {
            make(&self.consumer, &change);
        }
        self.committer.end(until);
        match why {
            End::Wanted => Ok(()),
            End::Failed(reason) => Err(reason),
        }
    }
}

/// Whether this partition is among those.
pub(super) fn is_held(held: &[(String, i32)], topic: &str, partition: i32) -> bool {
    held.iter().any(|(name, number)| *number == partition && name == topic)
}

/// Why a reader ends.
pub(super) enum End {
    /// Nobody wants its records any more.
    Wanted,
    /// It cannot go on.
    Failed(String),
}

/// A batch is handed over with so many bytes, whatever `batchSize` is.
const MOST_BYTES: usize = 1 << 20;
/// The time is looked at after so many records.
const SOME: usize = 64;
/// Longest time without a look at the clock.
const LOOK: Duration = Duration::from_secs(1);
/// How long partitions that go wait for what was read of them.
const GIVE_UP: Duration = Duration::from_secs(3);
/// How long the last commit of all may take.
const LAST_COMMIT: Duration = Duration::from_secs(1);
/// So often something may have been stored since what is surely committed; when this node or the broker dies, it comes again.
const MOST_UNANSWERED: usize = 6;
/// How long the channel may have no room before fetching stops.
const REST_AFTER: Duration = Duration::from_secs(2);

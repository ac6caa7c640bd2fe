//! What every sink has to keep.

use super::parts::feeder;
use super::source::{new_group, new_source};
use super::{A_WHILE, Excuses, LONG_DRAIN, Pairs, SHORT_DRAIN, check, configured, new_channel, pairs, until};
use crate::Ended;
use crate::component::{Component, Configure, Site};
use crate::configure::Assembly;
use crate::counters::Registry;
use crate::start::{Environment, Flow};
use crate::testing::{Heard, batch};
use event::Batch;
use futures_util::future::LocalBoxFuture;
use plan::{Findings, Properties};
use runtime::within::Within;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::sleep;

/// How what a sink has delivered is read, and how its destination is broken. One bench is used for one test.
pub trait SinkBench {
    /// The sink's properties; asked for whenever it is started.
    fn properties(&self) -> Pairs;

    /// The numbers that have arrived, in their order; `None` where nobody can see them.
    fn arrived(&self) -> Option<Vec<u64>>;

    /// Breaks the destination or mends it, at a moment when nothing is under way. At the beginning it is whole. Says why
    /// when it cannot be broken.
    fn set_whole(&self, whole: bool) -> LocalBoxFuture<'_, Result<(), &'static str>>;

    /// Has the destination refuse every batch of several events, though it is there, or take all again. Says why when it
    /// refuses nothing.
    fn set_refusing(&self, refusing: bool) -> LocalBoxFuture<'_, Result<(), &'static str>>;

    /// Where a logger sink prints.
    fn console(&self) -> Arc<console::Console> {
        console::Console::to(std::io::sink(), console::Settings::default())
    }
}

/// A sink in a flow: a source that stores what it is told, and a channel.
struct Running {
    flow: Flow,
    feed: UnboundedSender<Batch>,
    heard: Heard,
}

impl Running {
    async fn held(&self) -> usize {
        self.flow.channels[0].at.fill().within("the fill of the channel").await.map_or(0, |fill| fill.events)
    }

    fn feed(&self, numbers: Range<u64>) {
        numbers.for_each(|number| self.feed.send(batch(number..number + 1)).expect("the source lives"));
    }

    async fn stop(self, drain: std::time::Duration) -> Ended {
        self.flow.stop(drain).within("the stop").await
    }

    async fn empty(&self) {
        until("the channel to be empty", async || self.held().await == 0).await;
    }
}

/// A sink under test, and the channel that it drains.
pub struct Suite<B> {
    /// The sink.
    pub sink: &'static Component,
    /// A channel in memory.
    pub channel: &'static Component,
    /// How it is watched.
    pub bench: B,
}

impl<B: SinkBench> Suite<B> {
    async fn start(&self) -> Running {
        let make =
            |configure: &Configure, properties: &Properties, findings: &mut Findings<'_>| match configure {
                Configure::Sink(configure) => configure(properties, &Site::new(&[]), findings),
                _ => None,
            };
        let (make, properties) = configured(self.sink, self.bench.properties(), make);
        let batch_size = self.sink.descriptor.traits.batch.map_or(100, |key| properties.count(key));
        let (feed, source) = feeder();
        let channel =
            new_channel(self.channel, pairs([("capacity", CAPACITY), ("transactionCapacity", 100)]));
        let assembly = Assembly {
            plan: plan::Plan::default(),
            ties: |_, _| String::new(),
            channels: vec![("c1".to_owned(), channel)],
            sources: vec![new_source(false, source)],
            groups: vec![new_group(batch_size, make)],
        };
        let heard = Heard::default();
        let log = slog::Logger::root(heard.clone(), slog::o!());
        let mut flow = Flow::start(
            assembly,
            &Environment { log, console: self.bench.console(), counters: Registry::default() },
        )
        .await;
        flow.ready().within("the source to be ready").await;
        Running { flow, feed, heard }
    }

    /// Waits until all of it has arrived and the channel knows, and looks at the order.
    async fn all(&self, running: &Running, sent: Range<u64>, excuses: &Excuses) {
        let count = (sent.end - sent.start) as usize;
        match self.bench.arrived() {
            None => {
                until("all events to leave", async || {
                    running.flow.taken().within("the fill of the channel").await >= count as u64
                })
                .await
            }
            Some(_) => {
                let last = sent.end - 1;
                until("the last event to arrive", async || self.arrived().contains(&last)).await;
                running.empty().await;
                check(sent, &self.arrived(), excuses);
            }
        }
    }

    fn arrived(&self) -> Vec<u64> {
        self.bench.arrived().unwrap_or_default()
    }

    /// A short batch is delivered at once; nobody waits for more.
    pub async fn a_short_batch_is_delivered_at_once(self) {
        let (running, first) = (self.start().await, numbers());
        for end in [first + 1, first + 4] {
            running.feed(if end == first + 1 { first..end } else { first + 1..end });
            self.all(&running, first..end, &Excuses::default()).await;
        }
        assert_eq!(running.stop(LONG_DRAIN).await, Ended::Stopped);
    }

    /// A destination that is down at the start fills the channel; when it comes, all goes to it in order.
    pub async fn a_destination_that_is_down_at_the_start_is_waited_for(self) {
        if self.bench.set_whole(false).await.is_err() {
            return;
        }
        let (running, first) = (self.start().await, numbers());
        running.feed(first..first + MANY);
        until("the channel to be full", async || running.held().await >= CAPACITY as usize).await;
        sleep(A_WHILE).await;
        assert_eq!(self.arrived(), [0; 0], "the destination is down");
        self.bench.set_whole(true).await.expect("it could be broken");
        self.all(&running, first..first + MANY, &Excuses::default()).await;
        assert_eq!(running.stop(LONG_DRAIN).await, Ended::Stopped);
    }

    /// A destination that goes and comes back, twice, misses nothing and gets nothing twice.
    pub async fn a_destination_that_goes_in_the_middle_misses_nothing(self) {
        let (running, first) = (self.start().await, numbers());
        let mut end = first;
        for _ in 0..2 {
            running.feed(end..end + SOME);
            end += SOME;
            self.all(&running, first..end, &Excuses::default()).await;
            if self.bench.set_whole(false).await.is_err() {
                return;
            }
            running.feed(end..end + SOME);
            end += SOME;
            sleep(A_WHILE).await;
            assert!(!self.arrived().contains(&(end - 1)), "the destination is down");
            self.bench.set_whole(true).await.expect("it could be broken");
            self.all(&running, first..end, &Excuses::default()).await;
        }
        assert_eq!(running.stop(LONG_DRAIN).await, Ended::Stopped);
    }

    /// A stop delivers what the channel holds, and the next start goes on behind it.
    pub async fn a_stop_half_way_loses_nothing(self) {
        let first = numbers();
        for round in 0..2 {
            let running = self.start().await;
            running.feed(first + round * SOME..first + (round + 1) * SOME);
            running.stored(SOME).await;
            assert_eq!(running.stop(LONG_DRAIN).await, Ended::Stopped);
        }
        if self.bench.arrived().is_some() {
            let last = first + 2 * SOME - 1;
            until("the last event to arrive", async || self.arrived().contains(&last)).await;
            check(first..first + 2 * SOME, &self.arrived(), &Excuses::default());
        }
    }

    /// A stop ends in its time while the destination is down, and says what was lost.
    pub async fn a_stop_does_not_wait_for_a_destination_that_stays_down(self) {
        if self.bench.set_whole(false).await.is_err() {
            return;
        }
        let (running, first) = (self.start().await, numbers());
        running.feed(first..first + SOME);
        running.stored(SOME).await;
        let heard = running.heard.clone();
        assert_eq!(running.stop(SHORT_DRAIN).await, Ended::Lost);
        let told = format!("the last {SOME} events");
        assert!(heard.lines().iter().any(|line| line.contains(&told)), "{:?}", heard.lines());
    }

    /// An actor that dies with events in its hands is built anew, and they come again; what had arrived before does not.
    pub async fn a_sink_that_dies_takes_nothing_with_it(self) {
        let (running, first) = (self.start().await, numbers());
        running.feed(first..first + SOME);
        self.all(&running, first..first + SOME, &Excuses::default()).await;
        crate::poison::poison(first + SOME + SOME / 2);
        running.feed(first + SOME..first + 2 * SOME);
        until("the supervisor to tell of the death", async || {
            running.heard.lines().iter().any(|line| line.contains("sink k1"))
        })
        .await;
        let in_doubt = (first + SOME..first + 2 * SOME).collect();
        self.all(&running, first..first + 2 * SOME, &Excuses { in_doubt, ..Excuses::default() }).await;
        assert_eq!(running.stop(LONG_DRAIN).await, Ended::Stopped);
    }

    /// A batch that is refused again and again stays in its channel, is told, and keeps its place.
    pub async fn a_batch_that_is_refused_stays_in_its_place(self) {
        if self.bench.set_refusing(true).await.is_err() {
            return;
        }
        let (running, first) = (self.start().await, numbers());
        running.feed.send(batch(first..first + SOME)).expect("the source lives");
        running.feed(first + SOME..first + 2 * SOME);
        running.stored(2 * SOME).await;
        until("the refusal in the log", async || !running.heard.lines().is_empty()).await;
        sleep(A_WHILE).await;
        assert_eq!(self.arrived(), [0; 0], "all are behind the one that is refused");
        self.bench.set_refusing(false).await.expect("it could refuse");
        self.all(&running, first..first + 2 * SOME, &Excuses::default()).await;
        assert_eq!(running.stop(LONG_DRAIN).await, Ended::Stopped);
    }
}

impl Running {
    /// Events that the channel has had so far.
    async fn fed(&self) -> u64 {
        let fill = self.flow.channels[0].at.fill().within("the fill of the channel").await;
        fill.map_or(0, |fill| fill.events as u64 + fill.taken)
    }

    async fn stored(&self, events: u64) {
        until("the source to store all", async || self.fed().await >= events).await;
    }
}

/// Numbers that no other test of this process has: what kills a sink is found by them.
fn numbers() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed) * 10_000
}

/// Events that the channel holds.
const CAPACITY: u64 = 100;

/// More than that.
const MANY: u64 = 150;

/// Fewer.
const SOME: u64 = 30;

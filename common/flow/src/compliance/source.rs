//! What every source has to keep.

use super::{
    A_WHILE, Collected, Excuses, LONG_DRAIN, Pairs, SHORT_DRAIN, check, configured, new_channel, pairs,
    parts::Death, until,
};
use crate::Ended;
use crate::component::NewSink;
use crate::component::{Component, Configure, Site};
use crate::configure::{Assembly, NewGroup};
use crate::counters::Registry;
use crate::processor::LONE;
use crate::source::{MakeSource, NewSource};
use crate::start::{Environment, Flow};
use crate::testing::{Heard, one_channel, plain_chain};
use futures_util::future::LocalBoxFuture;
use plan::{Findings, Properties};
use runtime::within::Within;
use std::collections::BTreeSet;
use std::ops::Range;
use tokio::time::sleep;

/// How a source is fed. One bench is used for one test.
pub trait SourceBench {
    /// The source's properties; asked for whenever it is started. In all it is to take `events`.
    fn properties(&self, events: u64) -> Pairs;

    /// Sends these numbers, each as the body of an event, in order. Where the source answers, what it has refused or not
    /// answered is sent again until it is taken; the future ends when nothing is left to be sent.
    fn feed(&self, numbers: Range<u64>) -> LocalBoxFuture<'static, ()>;

    /// Sends an event of [`TOO_LARGE`] bytes, which no channel takes, once; `None` where none can be sent.
    fn feed_too_large(&self) -> Option<LocalBoxFuture<'static, ()>>;

    /// Why it keeps what no channel takes, and reads no further; `None`: it leaves it out and goes on.
    fn stops_at_too_large(&self) -> Option<&'static str> {
        None
    }

    /// Why events may be missing that come while nobody takes them; `None`: none may.
    fn loses(&self) -> Option<&'static str> {
        None
    }

    /// Why a source that is stopped or dies begins again with what it has sent; `None`: it does not.
    fn begins_again(&self) -> Option<&'static str> {
        None
    }

    /// Events of a batch that come again when the source dies after the channel has them, and before it has written down
    /// that they are read.
    fn under_way(&self) -> usize {
        0
    }

    /// Numbers that were sent more than once, because there was no answer.
    fn in_doubt(&self) -> BTreeSet<u64> {
        BTreeSet::new()
    }
}

/// The body of an event that is too large for the channel of [`Suite::what_no_channel_takes_is_told`].
pub const TOO_LARGE: usize = 1500;

/// A source in a flow: its channel, and a sink that remembers.
pub struct Running {
    flow: Flow,
    death: Death,
    heard: Heard,
}

impl Running {
    /// Starts the source, with a channel of these properties, and waits until it is ready.
    pub async fn start(
        source: &'static Component,
        properties: Pairs,
        channel: (&'static Component, Pairs),
        collected: &Collected,
    ) -> Running {
        let death = Death::default();
        let make =
            |configure: &Configure, properties: &Properties, findings: &mut Findings<'_>| match configure {
                Configure::Source(configure) => configure(properties, &Site::new(&[]), findings),
                _ => None,
            };
        let (make, _) = configured(source, properties, make);
        let assembly = Assembly {
            plan: plan::Plan::default(),
            ties: |_, _| String::new(),
            channels: vec![("c1".to_owned(), new_channel(channel.0, channel.1))],
            sources: vec![new_source(source.descriptor.traits.blocks, death.of(make))],
            groups: vec![new_group(100, collected.sink())],
        };
        let heard = Heard::default();
        let log = slog::Logger::root(heard.clone(), slog::o!());
        let console = console::Console::to(std::io::sink(), console::Settings::default());
        let mut flow =
            Flow::start(assembly, &Environment { log, console, counters: Registry::default() }).await;
        flow.ready().within("the source to be ready").await;
        Running { flow, death, heard }
    }

    /// Stops it in order; what its sink takes in `drain` is delivered.
    pub async fn stop(self, drain: std::time::Duration) -> Ended {
        self.flow.stop(drain).within("the stop").await
    }

    async fn held(&self) -> usize {
        self.flow.channels[0].at.fill().within("the fill of the channel").await.map_or(0, |fill| fill.events)
    }
}

pub(super) fn new_source(blocks: bool, make: MakeSource) -> NewSource {
    NewSource {
        name: "r1".to_owned(),
        blocks,
        channels: vec!["c1".to_owned()],
        make,
        selector: Box::new(one_channel),
        interceptors: Vec::new(),
        chain: plain_chain,
        elsewhere: None,
    }
}

pub(super) fn new_group(batch_size: usize, make: crate::component::MakeSink) -> NewGroup {
    let sink = NewSink { name: "k1".to_owned(), batch_size, make };
    let (name, channel) = ("k1".to_owned(), "c1".to_owned());
    NewGroup { name, processor: "default", grouping: LONE, channel, sinks: vec![sink], elsewhere: None }
}

/// A source under test, and the channel that it stores into.
pub struct Suite<B> {
    /// The source.
    pub source: &'static Component,
    /// A channel in memory.
    pub channel: &'static Component,
    /// How it is fed.
    pub bench: B,
}

impl<B: SourceBench> Suite<B> {
    async fn start(&self, events: u64, channel: Pairs, collected: &Collected) -> Running {
        Running::start(self.source, self.bench.properties(events), (self.channel, channel), collected).await
    }

    fn check(&self, sent: Range<u64>, collected: &Collected, excuses: Excuses) {
        let excuses = Excuses { in_doubt: self.bench.in_doubt(), ..excuses };
        check(sent, &collected.numbers(), &excuses);
    }

    /// What a source may lose, and double, over a death or a stop.
    fn interrupted(&self) -> Excuses {
        Excuses {
            missing: self.bench.loses().is_some(),
            again: self.bench.begins_again().is_some(),
            ..Excuses::default()
        }
    }

    /// Waits until all of them have arrived, or as many as ever will.
    async fn all(&self, sent: Range<u64>, collected: &Collected) {
        if self.bench.loses().is_none() {
            let wanted: BTreeSet<u64> = sent.collect();
            until("all events to arrive", async || {
                let arrived: BTreeSet<u64> = collected.numbers().into_iter().collect();
                arrived.is_superset(&wanted)
            })
            .await;
        } else {
            sleep(A_WHILE).await;
        }
    }

    /// A short batch goes out at once; nobody waits for more.
    pub async fn a_short_batch_is_stored_at_once(self) {
        let collected = Collected::default();
        let running = self.start(4, roomy(), &collected).await;
        for numbers in [0..1, 1..4] {
            let end = numbers.end;
            self.bench.feed(numbers).within("the source to take an event").await;
            collected.wait(end as usize).await;
        }
        assert_eq!(running.stop(LONG_DRAIN).await, Ended::Stopped);
        self.check(0..4, &collected, Excuses::default());
    }

    /// A full channel keeps the source waiting: nothing is lost, and it goes on when there is room. The destination is down
    /// from the start, and once more in the middle.
    pub async fn a_full_channel_is_waited_for(self) {
        let collected = Collected::default();
        collected.close(true);
        let running = self.start(2 * ROUND, tight(), &collected).await;
        for numbers in [0..ROUND, ROUND..2 * ROUND] {
            collected.close(true);
            let fed = actix_rt::spawn(self.bench.feed(numbers.clone()));
            // What one source has to say may all have come with the first round.
            let all = 2 * ROUND as usize;
            until("the channel to be full", async || {
                running.held().await >= TIGHT / 2 || collected.numbers().len() >= all
            })
            .await;
            sleep(A_WHILE).await;
            collected.close(false);
            fed.within("the source to take all").await.expect("no panic");
            self.all(0..numbers.end, &collected).await;
        }
        running.stop(LONG_DRAIN).await;
        let missing = self.bench.loses().is_some();
        self.check(0..2 * ROUND, &collected, Excuses { missing, ..Excuses::default() });
    }

    /// A stop in the middle delivers what was taken; the next start goes on.
    pub async fn a_stop_half_way_loses_nothing(self) {
        let collected = Collected::default();
        let mut running = self.start(2 * ROUND, roomy(), &collected).await;
        let fed = actix_rt::spawn(self.bench.feed(0..2 * ROUND));
        // What comes while nobody listens is lost where nobody is asked again: then there may be nothing left to wait for.
        for _ in 0..if self.bench.loses().is_none() { 2 } else { 1 } {
            let some = collected.numbers().len() + 1;
            collected.wait(some.min(2 * ROUND as usize)).await;
            assert_eq!(running.stop(LONG_DRAIN).await, Ended::Stopped);
            running = self.start(2 * ROUND, roomy(), &collected).await;
        }
        fed.within("the source to take all").await.expect("no panic");
        self.all(0..2 * ROUND, &collected).await;
        running.stop(LONG_DRAIN).await;
        self.check(0..2 * ROUND, &collected, self.interrupted());
    }

    /// A stop ends in its time while nobody takes what the source has stored, and says what was lost with it.
    pub async fn a_stop_does_not_wait_for_a_channel_that_stays_full(self) {
        let collected = Collected::default();
        collected.close(true);
        let running = self.start(2 * ROUND, tight(), &collected).await;
        let fed = actix_rt::spawn(self.bench.feed(0..2 * ROUND));
        until("the channel to be full", async || running.held().await >= TIGHT / 2).await;
        let rereadable = self.source.descriptor.traits.rereadable;
        let ended = running.stop(SHORT_DRAIN).await;
        assert_eq!(ended, if rereadable { Ended::Stopped } else { Ended::Lost });
        assert_eq!(collected.numbers(), [0; 0]);
        fed.abort();
    }

    /// An actor that dies is built anew and goes on.
    pub async fn a_source_that_dies_goes_on(self) {
        let collected = Collected::default();
        let running = self.start(2 * ROUND, roomy(), &collected).await;
        let fed = actix_rt::spawn(self.bench.feed(0..2 * ROUND));
        collected.wait(1).await;
        running.death.strike();
        until("the supervisor to tell of the death", async || {
            running.heard.lines().iter().any(|line| line.contains("source r1"))
        })
        .await;
        fed.within("the source to take all").await.expect("no panic");
        self.all(0..2 * ROUND, &collected).await;
        running.stop(LONG_DRAIN).await;
        let excuses = Excuses { under_way: self.bench.under_way(), ..self.interrupted() };
        self.check(0..2 * ROUND, &collected, excuses);
    }

    /// What no channel takes is told. What comes behind it goes on, unless the source keeps its place there.
    pub async fn what_no_channel_takes_is_told(self) {
        let collected = Collected::default();
        let channel = pairs([("capacity", "100"), ("transactionCapacity", "100"), ("byteCapacity", "1000")]);
        let running = self.start(10, channel, &collected).await;
        self.bench.feed(0..5).within("the source to take all").await;
        collected.wait(5).await;
        let Some(too_large) = self.bench.feed_too_large() else { return };
        too_large.within("the source to refuse an event").await;
        until("a line about what was refused", async || {
            running.heard.lines().iter().any(|line| line.contains("byteCapacity"))
        })
        .await;
        let end = if self.bench.stops_at_too_large().is_none() { 10 } else { 5 };
        self.bench.feed(5..end).within("the source to take all").await;
        collected.wait(end as usize).await;
        assert_eq!(running.stop(LONG_DRAIN).await, Ended::Stopped);
        self.check(0..end, &collected, Excuses::default());
    }
}

fn roomy() -> Pairs {
    pairs([("capacity", 1000), ("transactionCapacity", 100)])
}

fn tight() -> Pairs {
    pairs([("capacity", TIGHT), ("transactionCapacity", TIGHT / 2), ("keep-alive", 1)])
}

/// Events that a tight channel holds.
const TIGHT: usize = 10;

/// Events that are fed in one go: more than a tight channel holds.
pub const ROUND: u64 = 50;

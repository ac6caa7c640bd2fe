//! What the counted benchmarks (`benches/counts.rs`, `just counts`) take of this crate.

use crate::LIGHT;
use crate::channel::memory::{Ledger, Limits};
use crate::interceptor::InterceptorChain;
use event::{Batch, BatchBuilder, Recycler};
use flow::interceptor::Interceptors;
use plan::{Options, Sources, Text};
use std::hint::black_box;

/// A chain that has passed a batch like this one before.
pub struct Pass {
    chain: InterceptorChain,
    recycler: Recycler,
    batch: Batch,
}

/// Whether neighbours have the same headers.
#[derive(Clone, Copy)]
pub enum Headers {
    /// They have.
    Same,
    /// Each has its own.
    Others,
}

/// The type of an interceptor and its properties.
pub type Interceptor = (&'static str, &'static [(&'static str, &'static str)]);

impl Pass {
    /// A chain of these.
    pub fn new(interceptors: &[Interceptor], headers: Headers) -> Pass {
        let plans = plan(interceptors).sources.remove(0).interceptors;
        let chain = InterceptorChain::build(&plans, &slog::Logger::root(slog::Discard, slog::o!()));
        let mut pass = Pass {
            chain: chain.expect("valid"),
            recycler: Recycler::new(2, 16 << 20),
            batch: batch(EVENTS, headers),
        };
        drop(pass.pass()); // its buffer is there for the next one
        pass
    }

    /// Passes the batch.
    #[inline(always)]
    pub fn pass(&mut self) -> Batch {
        let batch = black_box(self.batch.clone());
        self.chain.process(batch, NOW_MILLIS, &mut self.recycler).expect("small")
    }
}

fn plan(interceptors: &[Interceptor]) -> plan::Plan {
    let mut text = "a.sources = r\na.channels = c\na.channels.c.type = memory\na.sources.r.type = seq\n\
        a.sources.r.channels = c\na.sources.r.interceptors ="
        .to_owned();
    (0..interceptors.len()).for_each(|index| text += &format!(" i{index}"));
    for (index, (kind, pairs)) in interceptors.iter().enumerate() {
        let prefix = format!("\na.sources.r.interceptors.i{index}.");
        text += &format!("{prefix}type = {kind}");
        pairs
            .iter()
            .for_each(|(key, value)| text += &format!("{prefix}{key} = {}", value.replace('\\', "\\\\")));
    }
    let text = Text { name: "f".into(), bytes: text.into_bytes() };
    plan::load_texts(&[text], &Sources::default(), "a", &Options::new(LIGHT.names())).plan.expect("valid")
}

/// A memory channel's books, and a batch of the size that all have in it.
pub struct Channel {
    books: Ledger,
    batch: Batch,
}

impl Channel {
    /// Full but for one batch of so many events.
    pub fn new(events: usize, capacity: usize) -> Channel {
        let limits = Limits { capacity, transaction: capacity, slots: usize::MAX };
        let mut channel = Channel { books: Ledger::new(limits), batch: batch(events, Headers::Same) }.full();
        channel.take(events);
        channel
    }

    /// The same, full.
    pub fn full(mut self) -> Channel {
        while self.put() {}
        self
    }

    /// Puts the batch; whether there was room.
    #[inline(always)]
    pub fn put(&mut self) -> bool {
        self.books.put(black_box(&self.batch)).is_ok()
    }

    /// Takes and commits so many events.
    #[inline(always)]
    pub fn take(&mut self, events: usize) {
        let (lease, batches) = self.books.take(events, usize::MAX).expect("there are some");
        drop(black_box(batches));
        self.books.commit(lease);
    }

    /// Puts, takes and commits one batch.
    #[inline(always)]
    pub fn put_take_commit(&mut self) {
        assert!(self.put(), "there is room");
        self.take(self.batch.len());
    }
}

fn batch(events: usize, headers: Headers) -> Batch {
    let mut builder = BatchBuilder::default();
    for number in 0..events {
        let value = match headers {
            Headers::Same => "v".to_owned(),
            Headers::Others => number.to_string(),
        };
        builder.push([("k", value.as_str())], format!("{:<256}", format!("line {number}")).as_bytes());
    }
    Batch::parse(builder.finish().buffer().clone()).expect("own bytes") // as it is seen when it was received
}

const EVENTS: usize = 1000;
const NOW_MILLIS: i64 = 1_542_098_088_198;

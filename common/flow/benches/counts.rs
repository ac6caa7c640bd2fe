//! What a pass of the interceptors, and a memory channel's books, cost in instructions: `just counts`.
//!
//! What goes in is made before the counting begins. Both are private to the crate, so their modules are taken in by
//! their paths.
#![expect(dead_code, unused_imports, reason = "what is not needed of the modules taken in")]
#![expect(
    missing_docs,
    clippy::disallowed_methods,
    reason = "gungraun makes public items, and ends the process itself"
)]

#[path = "../src/build.rs"]
mod build;
#[path = "../src/clock.rs"]
mod clock;
#[path = "../src/interceptor/mod.rs"]
mod interceptor;
#[path = "../src/channel/memory/ledger.rs"]
mod ledger;

use event::{Batch, BatchBuilder, Recycler};
use gungraun::prelude::*;
use interceptor::InterceptorChain;
use ledger::{Ledger, Limits, Refused};
use plan::{Context, InterceptorPlan};
use std::hint::black_box;

main!(library_benchmark_groups = [interceptors, channel]);
library_benchmark_group!(name = interceptors, benchmarks = [pass]);
library_benchmark_group!(name = channel, benchmarks = [put_take_commit, gather]);

// 1,000 events that have headers of their own, as a collector gets them, pass a chain.
#[library_benchmark]
#[bench::nothing_to_do(Pass::new(&[PRESERVED], Headers::Same))]
#[bench::same_headers(Pass::new(&[STATIC, TIMESTAMP], Headers::Same))]
#[bench::other_headers(Pass::new(&[STATIC, TIMESTAMP], Headers::Others))]
#[bench::filter(Pass::new(&[FILTER], Headers::Same))]
#[bench::headers_and_filter(Pass::new(&[STATIC, TIMESTAMP, FILTER], Headers::Same))]
#[bench::replace(Pass::new(&[REPLACE], Headers::Same))]
#[bench::extract(Pass::new(&[EXTRACT], Headers::Same))]
fn pass(mut pass: Pass) -> (Batch, Pass) {
    (pass.pass(), pass)
}

// A batch is put into a channel that is full but for it, and as many events are taken and committed.
#[library_benchmark]
#[bench::batch_1_capacity_10(Channel::new(1, 10))]
#[bench::batch_1_capacity_1_000(Channel::new(1, 1_000))]
#[bench::batch_1_capacity_1_000_000(Channel::new(1, 1_000_000))]
#[bench::batch_10_capacity_10(Channel::new(10, 10))]
#[bench::batch_10_capacity_1_000(Channel::new(10, 1_000))]
#[bench::batch_10_capacity_1_000_000(Channel::new(10, 1_000_000))]
#[bench::batch_100_capacity_1_000(Channel::new(100, 1_000))]
#[bench::batch_100_capacity_1_000_000(Channel::new(100, 1_000_000))]
#[bench::batch_1_000_capacity_1_000(Channel::new(1_000, 1_000))]
#[bench::batch_1_000_capacity_1_000_000(Channel::new(1_000, 1_000_000))]
fn put_take_commit(mut channel: Channel) -> Channel {
    channel.put().expect("there is room");
    channel.take(channel.batch.len());
    channel
}

// 1,000 events that were put ten by ten are taken and committed together.
#[library_benchmark]
#[bench::batch_10_take_1_000(Channel::new(10, 1_000).full())]
fn gather(mut channel: Channel) -> Channel {
    channel.take(1_000);
    channel
}

/// A chain that has passed a batch like this one before.
struct Pass {
    chain: InterceptorChain,
    recycler: Recycler,
    batch: Batch,
}

enum Headers {
    Same,
    Others,
}

type Interceptor = (&'static str, &'static [(&'static str, &'static str)]);

const STATIC: Interceptor = ("static", &[("key", "Type"), ("value", "LOGIN")]);
const PRESERVED: Interceptor = ("static", &[("key", "k")]);
const TIMESTAMP: Interceptor = ("timestamp", &[]);
const FILTER: Interceptor = ("regex_filter", &[("regex", "ERROR|line 7")]);
const REPLACE: Interceptor =
    ("search_replace", &[("searchPattern", "line ([0-9])"), ("replaceString", "$1")]);
const EXTRACT: Interceptor =
    ("regex_extractor", &[("regex", "^line (\\d+)"), ("serializers", "s"), ("serializers.s.name", "n")]);

impl Pass {
    fn new(interceptors: &[Interceptor], headers: Headers) -> Pass {
        let plan = |(kind, pairs): &Interceptor| InterceptorPlan {
            name: (*kind).into(),
            kind,
            context: Context::from_pairs(pairs.iter().copied()),
        };
        let plans: Vec<_> = interceptors.iter().map(plan).collect();
        let chain = InterceptorChain::build(&plans, &slog::Logger::root(slog::Discard, slog::o!()));
        let mut pass = Pass {
            chain: chain.expect("valid"),
            recycler: Recycler::new(2, 16 << 20),
            batch: batch(EVENTS, headers),
        };
        drop(pass.pass()); // its buffer is there for the next one
        pass
    }

    fn pass(&mut self) -> Batch {
        let batch = black_box(self.batch.clone());
        self.chain.process(batch, NOW_MILLIS, &mut self.recycler).expect("small")
    }
}

/// A memory channel, and a batch of the size that all have in it.
struct Channel {
    books: Ledger,
    batch: Batch,
}

impl Channel {
    fn new(events: usize, capacity: usize) -> Channel {
        let limits = Limits { capacity, transaction: capacity, slots: usize::MAX };
        let mut channel = Channel { books: Ledger::new(limits), batch: batch(events, Headers::Same) }.full();
        channel.take(events);
        channel
    }

    fn full(mut self) -> Channel {
        while self.put().is_ok() {}
        self
    }

    fn put(&mut self) -> Result<(), Refused> {
        self.books.put(black_box(&self.batch))
    }

    fn take(&mut self, events: usize) {
        let (lease, batches) = self.books.take(events, usize::MAX).expect("there are some");
        drop(black_box(batches));
        self.books.commit(lease);
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

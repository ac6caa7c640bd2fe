//! What a pass of the interceptors costs: `cargo bench -p flow --bench interceptors`.
//!
//! Prints nanoseconds per event for batches of 1,000 events of 256 bytes, the best of many rounds. The chain is private
//! to the crate, so its modules are taken in by their paths.
#![expect(dead_code, unused_imports, reason = "what the pass does not need of the modules taken in")]
#![expect(clippy::print_stdout, reason = "a benchmark prints")]

#[path = "../src/build.rs"]
mod build;
#[path = "../src/clock.rs"]
mod clock;
#[path = "../src/interceptor/mod.rs"]
mod interceptor;

use bytes::BytesMut;
use event::{Batch, BatchBuilder, Recycler};
use interceptor::InterceptorChain;
use plan::{Context, InterceptorPlan};
use std::hint::black_box;

type Interceptor = (&'static str, &'static [(&'static str, &'static str)]);

const TIMESTAMP: Interceptor = ("timestamp", &[]);
const STATIC: Interceptor = ("static", &[("key", "Type"), ("value", "LOGIN")]);
const FILTER: Interceptor = ("regex_filter", &[("regex", "ERROR|line 7")]);
const REPLACE: Interceptor =
    ("search_replace", &[("searchPattern", "line ([0-9])"), ("replaceString", "$1")]);
const EXTRACT: Interceptor =
    ("regex_extractor", &[("regex", "^line (\\d+)"), ("serializers", "s"), ("serializers.s.name", "n")]);

fn main() {
    println!("{:<44}{:>10}{:>10}", "ns per event of 256 bytes, headers: ", "same", "others");
    println!("{:<44}{:>10.1}", "a copy of each event's bytes, no interceptor", copy(&batch(false)));
    row("nothing", &[]);
    row("static, timestamp", &[STATIC, TIMESTAMP]);
    row("static that is there", &[("static", &[("key", "k")])]);
    row("regex_filter", &[FILTER]);
    row("static, timestamp, regex_filter", &[STATIC, TIMESTAMP, FILTER]);
    row("search_replace", &[REPLACE]);
    row("regex_extractor", &[EXTRACT]);
}

fn row(name: &str, interceptors: &[Interceptor]) {
    let plan = |(kind, pairs): &Interceptor| InterceptorPlan {
        name: (*kind).into(),
        kind,
        context: Context::from_pairs(pairs.iter().copied()),
    };
    let plans: Vec<_> = interceptors.iter().map(plan).collect();
    let log = slog::Logger::root(slog::Discard, slog::o!());
    let mut chain = InterceptorChain::build(&plans, &log).expect("valid");
    let [same, others] = [false, true].map(|others| best(&mut chain, &batch(others)));
    println!("{name:<44}{same:>10.1}{others:>10.1}");
}

/// What is left when all is taken away but the copying.
fn copy(batch: &Batch) -> f64 {
    let mut out = BytesMut::with_capacity(batch.event_bytes());
    fastest(batch.len(), |_| {
        out.clear();
        batch.append_to(&mut out);
        black_box(&out);
    })
}

fn best(chain: &mut InterceptorChain, batch: &Batch) -> f64 {
    let mut recycler = Recycler::new(2, 1 << 20);
    fastest(batch.len(), |round| {
        let now_millis = 1_542_098_088_198 + round;
        black_box(chain.process(batch.clone(), now_millis, &mut recycler).expect("small"));
    })
}

/// The fastest of many passes, in nanoseconds per event.
fn fastest(events: usize, mut pass: impl FnMut(i64)) -> f64 {
    let rounds = (0..ROUNDS).map(|round| {
        let before = clock::now();
        pass(round);
        before.elapsed().as_secs_f64() * 1e9 / events as f64
    });
    rounds.fold(f64::INFINITY, f64::min)
}

/// Events with one header; `others`: each with another value.
fn batch(others: bool) -> Batch {
    let mut builder = BatchBuilder::default();
    for number in 0..1000 {
        let value = if others { number.to_string() } else { "v".into() };
        builder.push([("k", value.as_str())], format!("{:<256}", format!("line {number}")).as_bytes());
    }
    builder.finish()
}

const ROUNDS: i64 = 2000;

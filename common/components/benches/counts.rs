//! What a pass of the interceptors, and a memory channel's books, cost in instructions: `just counts`.
//!
//! What goes in is made before the counting begins. Both are private to the crate: `src/counts.rs` opens them, with the
//! feature `counts`.
#![expect(
    missing_docs,
    clippy::disallowed_methods,
    reason = "gungraun makes public items, and ends the process itself"
)]

use components::counts::{Channel, Headers, Interceptor, Pass};
use event::Batch;
use gungraun::prelude::*;

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
    channel.put_take_commit();
    channel
}

// 1,000 events that were put ten by ten are taken and committed together.
#[library_benchmark]
#[bench::batch_10_take_1_000(Channel::new(10, 1_000).full())]
fn gather(mut channel: Channel) -> Channel {
    channel.take(1_000);
    channel
}

const STATIC: Interceptor = ("static", &[("key", "Type"), ("value", "LOGIN")]);
const PRESERVED: Interceptor = ("static", &[("key", "k")]);
const TIMESTAMP: Interceptor = ("timestamp", &[]);
const FILTER: Interceptor = ("regex_filter", &[("regex", "ERROR|line 7")]);
const REPLACE: Interceptor =
    ("search_replace", &[("searchPattern", "line ([0-9])"), ("replaceString", "$1")]);
const EXTRACT: Interceptor =
    ("regex_extractor", &[("regex", "^line (\\d+)"), ("serializers", "s"), ("serializers.s.name", "n")]);

//! Counted, not timed: two hops over a real socket allocate per batch and never per event.

use crate::testing::{assembly, silent};
use flow::Assembly;
use flow::start::{Environment, Flow};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

type Keys<'a> = &'a [(&'a str, &'a str)];

/// An agent of these two; their keys are without what stands in front of them.
fn flow(source: Keys<'_>, sink: Keys<'_>, batch: usize) -> Assembly {
    let size = batch.to_string();
    let mut keys: Vec<(String, &str)> = [
        ("sources", "r1"),
        ("channels", "c1"),
        ("sinks", "k1"),
        ("channels.c1.type", "memory"),
        ("channels.c1.capacity", "10000"),
        ("channels.c1.transactionCapacity", &size),
        ("sources.r1.channels", "c1"),
        ("sources.r1.interceptors", "i1 i2"),
        ("sources.r1.interceptors.i1.type", "static"),
        ("sources.r1.interceptors.i1.key", source[0].1),
        ("sources.r1.interceptors.i1.value", "here"),
        ("sources.r1.interceptors.i2.type", "timestamp"),
        ("sinks.k1.channel", "c1"),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into();
    keys.extend(source.iter().map(|(key, value)| (format!("sources.r1.{key}"), *value)));
    keys.extend(sink.iter().map(|(key, value)| (format!("sinks.k1.{key}"), *value)));
    let keys: Vec<(&str, &str)> = keys.iter().map(|(key, value)| (key.as_str(), *value)).collect();
    assembly(&keys).expect("nothing is wrong with it")
}

/// Sends the `lines` lines of `file` from a command's output through an agent and a collector of this process and waits until they
/// have left the collector's channel.
fn two_hops(lines: u64, batch: usize, file: &Path) {
    let size = batch.to_string();
    let command = format!("cat {}", file.display());
    let free =
        std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("it is bound").port();
    let port = free.to_string();
    let console =
        console::Console::to(std::io::sink(), console::Settings::for_stderr(console::Levels::new(None)));
    let environment = Environment { log: silent(), console, counters: Default::default() };
    actix_rt::System::new().block_on(async {
        let into = flow(
            &[("type", "avro"), ("bind", "127.0.0.1"), ("port", &port)],
            &[("type", "null"), ("batchSize", &size)],
            batch,
        );
        let out = flow(
            &[("type", "exec"), ("command", &command)],
            &[("type", "avro"), ("hostname", "127.0.0.1"), ("port", &port), ("batch-size", &size)],
            batch,
        );
        let collector = Flow::start(into, &environment).await;
        let agent = Flow::start(out, &environment).await;
        while collector.taken().await < lines {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        agent.stop(Duration::ZERO).await;
        collector.stop(Duration::ZERO).await;
    });
}

#[test]
fn a_hundred_thousand_events_more_take_allocations_by_the_batch() {
    let file = |lines: u64| {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        let text: String = (0..lines).map(|line| format!("{line:0200}\n")).collect();
        file.write_all(text.as_bytes()).expect("it is written");
        file
    };
    let (short, long) = (file(20_000), file(120_000));
    // All of it runs on this thread, which is the one that is counted.
    for batch in [1_000, 100] {
        two_hops(20_000, batch, short.path()); // what is made once, is made
        let few = allocation_counter::measure(|| two_hops(20_000, batch, short.path())).count_total;
        let many = allocation_counter::measure(|| two_hops(120_000, batch, long.path())).count_total;
        let per_batch = many.saturating_sub(few) as f64 / (100_000 / batch) as f64;
        assert!(per_batch < 100.0, "{per_batch} allocations per batch of {batch} and two hops");
    }
}

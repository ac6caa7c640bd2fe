//! Counted, not timed: two hops over a real socket allocate per batch and never per event.

use crate::start::{Flow, Surroundings};
use crate::testing::silent;
use plan::{ChannelPlan, Context, InterceptorPlan, Plan, SelectorPlan, SinkPlan, SourcePlan};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

fn context(pairs: &[(&str, &str)]) -> Context {
    Context::from_pairs(pairs.iter().copied())
}

fn plan(
    source: (&'static str, &[(&str, &str)]),
    sink: (&'static str, &[(&str, &str)]),
    batch: usize,
) -> Plan {
    let interceptor = |name: &str, kind, pairs: &[(&str, &str)]| InterceptorPlan {
        name: name.to_owned(),
        kind,
        context: context(pairs),
    };
    let channel = context(&[("capacity", "10000"), ("transactionCapacity", &batch.to_string())]);
    Plan {
        agent: "a1".to_owned(),
        channels: vec![ChannelPlan { name: "c1".to_owned(), kind: "memory", context: channel }],
        sources: vec![SourcePlan {
            name: "r1".to_owned(),
            kind: source.0,
            context: context(source.1),
            channels: vec!["c1".to_owned()],
            selector: SelectorPlan { kind: "replicating", context: Context::default() },
            interceptors: vec![
                interceptor("i1", "static", &[("key", source.0), ("value", "here")]),
                interceptor("i2", "timestamp", &[]),
            ],
        }],
        sinks: vec![SinkPlan {
            name: "k1".to_owned(),
            kind: sink.0,
            context: context(sink.1),
            channel: "c1".to_owned(),
        }],
        groups: Vec::new(),
    }
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
        journal::Console::to(std::io::sink(), journal::Settings::for_stderr(journal::Levels::new(None)));
    let around = Surroundings { log: silent(), console, globals: Default::default() };
    actix_rt::System::new().block_on(async {
        let into = plan(
            ("avro", &[("bind", "127.0.0.1"), ("port", &port)]),
            ("null", &[("batchSize", &size)]),
            batch,
        );
        let out = plan(
            ("exec", &[("command", &command)]),
            ("avro", &[("hostname", "127.0.0.1"), ("port", &port), ("batch-size", &size)]),
            batch,
        );
        let collector = Flow::start(into, &around).await.expect("it starts");
        let agent = Flow::start(out, &around).await.expect("it starts");
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

//! `StressSource`: the same event again and again, for tests of load.
//!
//! Source: Flume 1.11 `StressSource`. A full channel is waited for, where Flume drops the batch and counts it as sent.

use super::POLLED;
use bytes::BytesMut;
use event::{Batch, Span};
use flow::component::{Component, Configure};
use flow::message::PutTimeout;
use flow::source::{Source, SourceContext, Stopping};
use futures_util::future::LocalBoxFuture;
use plan::{Bad, Descriptor, Kind, Properties, Property, Value};
use runtime::clock::{self, Duration, Instant};
use runtime::told::Told;
use tokio::time::{sleep, sleep_until};

/// Its row in the catalogue.
pub(crate) const COMPONENT: Component = Component {
    descriptor: Descriptor::new(
        Kind::Source,
        "",
        "org.apache.flume.source.StressSource",
        &[PROPERTIES, POLLED],
    )
    .mistaken(&[("stress", "")])
    .batch("batchSize"),
    configure: Configure::Source(|properties, _, _| {
        let config = Config::new(properties);
        Some(Box::new(move || Box::new(Stress(config.clone()))))
    }),
};

const PROPERTIES: &[Property] = &[
    Property::with("size", Value::Number { min: 0, max: MOST_SIZE, unit: "bytes" }, "500")
        .outside(Bad::Says("takes as much of its heap for an event, or fails to")),
    Property::with("maxTotalEvents", Value::long(-1, "events"), "-1").outside(Bad::Says("has no limit")),
    Property::with("maxSuccessfulEvents", Value::long(-1, "events"), "-1").outside(Bad::Says("has no limit")),
    Property::with("batchSize", Value::at_least(1, "events"), "1")
        .outside(Bad::Says("fails each time, and sends nothing")),
    Property::with("maxEventsPerSecond", Value::at_least(0, "events"), "0")
        .outside(Bad::Says("has no limit")),
];

/// Keys, units and defaults are those of Flume's class.
#[derive(Debug, Clone)]
struct Config {
    /// `size` of a body, bytes of 0x7F; 500 unless set.
    size: usize,
    /// `batchSize`, events; 1 unless set.
    batch_size: usize,
    quota: Quota,
    /// What an event takes by `maxEventsPerSecond`.
    pace: Option<Duration>,
}

/// How many events are sent.
#[derive(Debug, Clone, Copy)]
struct Quota {
    /// `maxTotalEvents`; the last batch is cut to it.
    total: Option<u64>,
    /// `maxSuccessfulEvents`; the last batch may go beyond it.
    successful: Option<u64>,
}

impl Config {
    fn new(properties: &Properties) -> Config {
        let limit = |key| u64::try_from(properties.count::<i64>(key)).ok();
        let per_second: u32 = properties.count("maxEventsPerSecond");
        Config {
            size: properties.count("size"),
            batch_size: properties.count("batchSize"),
            quota: Quota { total: limit("maxTotalEvents"), successful: limit("maxSuccessfulEvents") },
            pace: (per_second > 0).then(|| Duration::from_secs(1) / per_second),
        }
    }
}

impl Quota {
    /// Events of the next batch, `most` at the most, after so many; none when all are sent.
    fn next(&self, sent: u64, most: usize) -> Option<usize> {
        let left = self.total.map_or(u64::MAX, |total| total.saturating_sub(sent));
        let enough = self.successful.is_some_and(|successful| sent >= successful);
        let next = usize::try_from(left).unwrap_or(usize::MAX).min(most);
        Some(next).filter(|next| *next > 0 && !enough)
    }
}

/// When the next events may go. Source: Guava's `RateLimiter`: who asks for many goes at once, and the next one waits for
/// them; what was not used in the last second may be made good.
#[derive(Debug)]
struct RateLimiter {
    each: Duration,
    free: Instant,
}

impl RateLimiter {
    fn take(&mut self, events: usize, now: Instant) -> Instant {
        let earliest = now.checked_sub(Duration::from_secs(1)).unwrap_or(now);
        let go = self.free.max(earliest);
        self.free = go + self.each.saturating_mul(u32::try_from(events).unwrap_or(u32::MAX));
        go
    }
}

/// At a stop, a batch that waits for room is given up: nobody misses it.
struct Stress(Config);

impl Source for Stress {
    fn run(self: Box<Self>, context: SourceContext, stop: Stopping) -> LocalBoxFuture<'static, ()> {
        Box::pin(run(self.0, context, stop))
    }
}

async fn run(config: Config, mut context: SourceContext, mut stop: Stopping) {
    console::fact::component_started(&context.log, console::fact::ComponentType::Source, &context.name);
    context.ready.done();
    context.doing.set("sends events");
    tokio::select! { biased;
        _ = stop.changed() => {}
        () = send_all(&config, &context) => {
            context.doing.set("has sent all its events");
            let _source_is_gone = stop.changed().await;
        }
    }
}

async fn send_all(config: &Config, context: &SourceContext) {
    let most = config.batch_size.min(context.processor.transaction());
    let most = most.min(MOST_BYTES / config.size.max(1)).max(1);
    let body = vec![0x7f; config.size];
    let mut pace = config.pace.map(|each| RateLimiter { each, free: clock::now() });
    let (mut sent, mut prefix) = (0, BytesMut::new());
    while let Some(events) = config.quota.next(sent, most) {
        if let Some(pace) = &mut pace {
            sleep_until(pace.take(events, clock::now())).await;
        }
        prefix.clear();
        let finished = context.processor.prefix(&[], &mut prefix);
        let headers = if finished { &prefix[..] } else { NO_HEADERS };
        let mut builder = context.processor.builder();
        builder.reserve(events * (headers.len() + LENGTH_BYTES + body.len()));
        for _ in 0..events {
            builder.push_encoded(headers, Span::BORN_HERE, &body);
        }
        store(context, context.processor.finish(builder), finished).await;
        sent += events as u64;
        tokio::task::yield_now().await; // others on this thread must have their turn
    }
    slog::info!(context.log, "stress source {}: all {sent} events are sent", context.name);
}

/// Stores `batch`, in parts if need be, however long that takes.
async fn store(context: &SourceContext, mut batch: Batch, finished: bool) {
    let mut refused = Told::once();
    loop {
        let parts = context.processor.store_parts(batch.clone(), finished, PutTimeout::Forever).await;
        let stored = parts.iter().take_while(|(_, outcome)| outcome.is_ok()).map(|(events, _)| events).sum();
        batch.split_to(stored);
        let Some(error) = parts.into_iter().find_map(|(_, outcome)| outcome.err()) else { return };
        if refused.tell(clock::now()).is_some() {
            slog::error!(
                context.log,
                "stress source {}: {error}; the same {} events are sent again until they are taken",
                context.name,
                batch.len()
            );
        }
        sleep(PAUSE).await;
    }
}

/// Of one event.
const MOST_SIZE: i64 = 64 << 20;
/// Of a batch.
const MOST_BYTES: usize = 64 << 20;
/// Of the length in front of a body, at most.
const LENGTH_BYTES: usize = 5;
/// Before a batch that was refused is sent again.
const PAUSE: Duration = Duration::from_secs(1);
/// The header map of an event without headers.
const NO_HEADERS: &[u8] = &[0];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{memory_channel, source_context, start_source};
    use flow::message::Stop;
    use runtime::within::Within;

    async fn sent(keys: &[(&str, &str)]) -> (Vec<usize>, Vec<u8>) {
        let channel = memory_channel(&[("capacity", "100"), ("transactionCapacity", "100")]);
        let source = start_source(&COMPONENT, keys.iter().copied(), source_context(&channel).0);
        while !source
            .send(flow::message::Describe)
            .within("an answer")
            .await
            .unwrap()
            .contains("all its events")
        {
            tokio::task::yield_now().await;
        }
        source.send(Stop).within("the stop").await.unwrap();
        let lease = channel.take(usize::MAX).within("events").await.unwrap();
        let body = lease.batches()[0].events().next().unwrap().body().to_vec();
        (lease.batches().iter().map(Batch::len).collect(), body)
    }

    #[actix::test]
    async fn the_total_cuts_the_last_batch_and_the_successful_do_not() {
        let total = [("size", "3"), ("maxTotalEvents", "8"), ("batchSize", "3")];
        assert_eq!(sent(&total).await, (vec![3, 3, 2], vec![0x7f; 3]));
        assert_eq!(
            sent(&[("maxSuccessfulEvents", "4"), ("batchSize", "3")]).await,
            (vec![3, 3], vec![0x7f; 500])
        );
    }

    #[test]
    fn nothing_is_sent_of_a_quota_of_none() {
        let none = Quota { total: Some(0), successful: None };
        assert_eq!(none.next(0, 5), None);
        assert_eq!(Quota { total: None, successful: Some(0) }.next(0, 5), None);
        assert_eq!(Quota { total: None, successful: None }.next(u64::MAX, 5), Some(5));
    }

    #[test]
    fn who_sends_many_waits_after_them() {
        let start = clock::now();
        let second = |count| start + Duration::from_secs(count);
        let mut pace = RateLimiter { each: Duration::from_millis(100), free: start };
        assert_eq!(pace.take(20, start), start);
        assert_eq!(pace.take(10, start), second(2));
        assert_eq!(pace.take(10, second(9)), second(8), "a second is made good, no more");
        assert_eq!(pace.take(10, second(9)), second(9));
    }
}

//! `seq`: counts from 0, for tests and for load.

use super::POLLED;
use bytes::BytesMut;
use event::{Batch, Span};
use flow::component::{Component, Configure};
use flow::message::PutTimeout;
use flow::source::{ChannelProcessor, Source, SourceContext, Stopping};
use futures_util::future::LocalBoxFuture;
use plan::{Bad, Descriptor, Kind, Property, Value};
use runtime::clock::Duration;
use tokio::time::sleep;

/// Its row in the catalogue.
pub(crate) const COMPONENT: Component = Component {
    descriptor: Descriptor::new(
        Kind::Source,
        "seq",
        "org.apache.flume.source.SequenceGeneratorSource",
        &[PROPERTIES, POLLED],
    )
    .batch("batchSize"),
    configure: Configure::Source(|properties, _, _| {
        let config = SeqConfig::new(properties);
        Some(Box::new(move || Box::new(Seq(config))))
    }),
};

const PROPERTIES: &[Property] = &[
    Property::with("batchSize", Value::at_least(1, "events"), "1"),
    Property::with("totalEvents", Value::long(0, "events"), "9223372036854775807")
        .outside(Bad::Says("sends nothing")),
];

/// Keys, units and defaults are Flume's: User Guide, "Sequence Generator Source".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SeqConfig {
    /// `batchSize`, events; 1 unless set to more.
    pub(crate) batch_size: usize,
    /// `totalEvents`, events; no end unless set. Once they are sent the source stays and is silent, as Flume's.
    pub(crate) total_events: u64,
    /// `backoffSleepIncrement`, milliseconds; 1,000 unless set: what the pause grows by with each refusal in a row.
    pub(crate) backoff_step: Duration,
    /// `maxBackoffSleep`, milliseconds; 5,000 unless set: the longest pause.
    pub(crate) max_backoff: Duration,
}

impl SeqConfig {
    pub(crate) fn new(properties: &plan::Properties) -> SeqConfig {
        let total: i64 = properties.count("totalEvents");
        SeqConfig {
            batch_size: properties.count("batchSize"),
            total_events: u64::try_from(total).unwrap_or(0),
            backoff_step: properties.millis("backoffSleepIncrement"),
            max_backoff: properties.millis("maxBackoffSleep"),
        }
    }

    /// How long to rest after so many refusals in a row. Flume does not rest at all when a channel refuses and turns in a
    /// hot loop; a full channel is waited for here without being asked again and again.
    fn pause(&self, refusals: u32) -> Duration {
        self.backoff_step.saturating_mul(refusals).min(self.max_backoff)
    }
}

/// A sequence generator. At a stop, a batch that waits for room is given up: its channel may still store it or not, and nobody
/// will send it again.
struct Seq(SeqConfig);

impl Source for Seq {
    fn run(self: Box<Self>, context: SourceContext, stop: Stopping) -> LocalBoxFuture<'static, ()> {
        Box::pin(run(self.0, context, stop))
    }
}

async fn run(config: SeqConfig, mut context: SourceContext, mut stop: Stopping) {
    slog::info!(context.log, #STARTING, "Sequence generator source do starting");
    console::fact::component_started(&context.log, console::fact::ComponentType::Source, &context.name);
    context.ready.done();
    context.doing.set("counts");
    tokio::select! { biased;
        _ = stop.changed() => {}
        () = count(&config, &context) => {
            // Flume's source stays and has nothing to say.
            context.doing.set("has sent all its events");
            let _source_is_gone = stop.changed().await;
        }
    }
    slog::info!(context.log, #STOPPING, "Sequence generator source do stopping");
}

async fn count(config: &SeqConfig, context: &SourceContext) {
    let size = config.batch_size.min(context.processor.transaction()).clamp(1, MOST_EVENTS);
    let (mut numbers, mut left, mut prefix) = (Decimal::default(), config.total_events, BytesMut::new());
    while left > 0 {
        let events = size.min(usize::try_from(left).unwrap_or(usize::MAX));
        prefix.clear();
        let finished = context.processor.prefix(&[], &mut prefix);
        let batch =
            encode(&context.processor, &mut numbers, events, if finished { &prefix } else { NO_HEADERS });
        store(config, context, batch, finished).await;
        left -= events as u64;
        // A channel with room mostly answers at once: others on this thread must have their turn.
        tokio::task::yield_now().await;
    }
    slog::info!(context.log, "seq source {}: all {} events are sent", context.name, config.total_events);
}

/// The next `events` numbers, each behind the same header map.
fn encode(processor: &ChannelProcessor, numbers: &mut Decimal, events: usize, headers: &[u8]) -> Batch {
    let mut builder = processor.builder();
    builder.reserve(events * (headers.len() + 1 + numbers.text().len()));
    for _ in 0..events {
        builder.push_encoded(headers, Span::BORN_HERE, numbers.text());
        numbers.step();
    }
    processor.finish(builder)
}

/// Stores `batch`, in parts if need be, however long that takes.
async fn store(config: &SeqConfig, context: &SourceContext, mut batch: Batch, finished: bool) {
    let mut refusals = 0;
    loop {
        let parts = context.processor.store_parts(batch.clone(), finished, PutTimeout::Forever).await;
        let stored = parts.iter().take_while(|(_, outcome)| outcome.is_ok()).map(|(events, _)| events).sum();
        batch.split_to(stored);
        let Some(error) = parts.into_iter().find_map(|(_, outcome)| outcome.err()) else { return };
        refusals += 1;
        if refusals == 1 {
            slog::error!(
                context.log,
                "seq source {}: {error}; the same {} numbers are sent again until they are taken",
                context.name,
                batch.len()
            );
        }
        sleep(config.pause(refusals)).await;
    }
}

/// A number as decimal text that is counted up in place: no division, no formatting.
struct Decimal {
    digits: [u8; DIGITS],
    from: usize,
}

impl Default for Decimal {
    fn default() -> Decimal {
        Decimal { digits: [b'0'; DIGITS], from: DIGITS - 1 }
    }
}

impl Decimal {
    fn text(&self) -> &[u8] {
        &self.digits[self.from..]
    }

    fn step(&mut self) {
        for at in (0..DIGITS).rev() {
            if self.digits[at] < b'9' {
                self.digits[at] += 1;
                self.from = self.from.min(at);
                return;
            }
            self.digits[at] = b'0';
        }
    }
}

/// Enough for 2^63 - 1, where Flume's counter ends.
const DIGITS: usize = 20;

/// Events in one batch at most, however large a transaction may be.
const MOST_EVENTS: usize = 1 << 16;

/// The header map of an event without headers.
const NO_HEADERS: &[u8] = &[0];

/// Source: the console of Flume 1.9.0.
const STARTING: &str = "lifecycleSupervisor-1-4|\
    org.apache.flume.source.SequenceGeneratorSource.doStart(SequenceGeneratorSource.java:105)";
const STOPPING: &str = "agent-shutdown-hook|\
    org.apache.flume.source.SequenceGeneratorSource.doStop(SequenceGeneratorSource.java:112)";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{memory_channel, numbers, source_context, start_source, take_now};
    use actix::prelude::*;
    use flow::message::Stop;
    use flow::source::SourceActor;
    use runtime::within::Within;

    /// A source with these keys that counts into `channel`.
    fn start(channel: &flow::channel::ChannelRef, keys: &[(&str, &str)]) -> Addr<SourceActor> {
        start_source(&COMPONENT, keys.iter().copied(), source_context(channel).0)
    }

    #[actix::test]
    async fn counts_to_the_end_in_batches_and_then_is_silent() {
        let channel = memory_channel(&[]);
        let source = start(&channel, &[("batchSize", "7"), ("totalEvents", "30")]);
        let (mut sizes, mut all) = (Vec::new(), Vec::new());
        while all.len() < 30 {
            let lease = channel.take(usize::MAX).within("events from the channel").await.unwrap();
            sizes.extend(lease.batches().iter().map(Batch::len));
            all.extend(numbers(lease.batches()));
            lease.commit();
        }
        assert_eq!((all, sizes), ((0..30).collect(), vec![7, 7, 7, 7, 2]));
        source.send(Stop).within("the stop").await.unwrap();
        assert!(take_now(&channel).await.is_empty());
    }

    #[actix::test]
    async fn a_full_channel_is_waited_for_without_a_gap() {
        tokio::time::pause();
        let channel =
            memory_channel(&[("capacity", "10"), ("transactionCapacity", "10"), ("keep-alive", "0")]);
        let _source = start(&channel, &[("batchSize", "4")]);
        let mut all = Vec::new();
        for _ in 0..5 {
            tokio::time::sleep(Duration::from_secs(60)).await;
            assert!(channel.fill().within("the fill of the channel").await.unwrap().events >= 8);
            let lease = channel.take(usize::MAX).within("events from the channel").await.unwrap();
            all.extend(numbers(lease.batches()));
            lease.commit();
        }
        assert!(all.len() >= 5 * 8);
        assert_eq!(all, (0..all.len() as u64).collect::<Vec<_>>());
    }

    #[actix::test]
    async fn a_batch_is_never_more_than_a_transaction_takes() {
        let channel = memory_channel(&[("capacity", "10"), ("transactionCapacity", "10")]);
        let _source = start(&channel, &[("batchSize", "1000"), ("totalEvents", "10")]);
        assert_eq!(
            channel.take(usize::MAX).within("events from the channel").await.unwrap().batches()[0].len(),
            10
        );
    }

    #[actix::test]
    async fn stops_while_it_waits_for_room() {
        let channel = memory_channel(&[("capacity", "1"), ("transactionCapacity", "1")]);
        let source = start(&channel, &[]);
        tokio::task::yield_now().await;
        source.send(Stop).within("the stop").await.unwrap();
    }

    #[test]
    fn numbers_count_as_printed() {
        let mut number = Decimal::default();
        for expected in 0..12_345u32 {
            assert_eq!(number.text(), expected.to_string().as_bytes());
            number.step();
        }
    }

    #[test]
    fn settings_as_flumes() {
        let plain = SeqConfig::new(&plan::Properties::new(&COMPONENT.descriptor));
        let expected = SeqConfig {
            batch_size: 1,
            total_events: i64::MAX as u64,
            backoff_step: Duration::from_secs(1),
            max_backoff: Duration::from_secs(5),
        };
        assert_eq!(plain, expected);
        let set = SeqConfig::new(&plan::Properties::of(
            &COMPONENT.descriptor,
            [("batchSize", "7"), ("totalEvents", "-3")],
        ));
        assert_eq!((set.batch_size, set.total_events), (7, 0));
    }

    #[test]
    fn refusals_rest_longer_up_to_the_maximum() {
        let config = SeqConfig::new(&plan::Properties::new(&COMPONENT.descriptor));
        let pauses: Vec<u64> = [1, 2, 5, 6, u32::MAX].map(|n| config.pause(n).as_secs()).into();
        assert_eq!(pauses, [1, 2, 5, 5, 5]);
    }
}

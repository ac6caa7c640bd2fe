//! The thread that writes: puts that have come meanwhile go together, and each is answered when Kafka has it.

use crate::policy;
use crate::producer::{Flight, Line, Record};
use crate::record::Recipe;
use crate::unanswered::Unanswered;
use bytes::BytesMut;
use event::Batch;
use flow::channel::store::Bell;
use flow::counters::Counter;
use rdkafka::ClientConfig;
use rdkafka::producer::BaseRecord;
use runtime::clock;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{mpsc, oneshot};

/// Batches to be written, and who waits for that.
pub(crate) struct Wish {
    pub(crate) batches: Vec<Batch>,
    pub(crate) answer: oneshot::Sender<Result<(), String>>,
}

/// What a writer works with.
pub(crate) struct Writer {
    pub(crate) client: ClientConfig,
    pub(crate) brokers: String,
    pub(crate) recipe: Recipe,
    pub(crate) log: slog::Logger,
    pub(crate) bell: Bell,
    /// Bytes of wishes.
    pub(crate) pending: Arc<AtomicUsize>,
    pub(crate) send_timer: Arc<Counter>,
}

/// Writes until nobody wishes any more. Blocks.
pub(crate) fn write(writer: Writer, mut wishes: mpsc::UnboundedReceiver<Wish>) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_time().build() {
        Ok(runtime) => runtime,
        Err(error) => return slog::error!(writer.log, "the channel cannot write: {error}"),
    };
    runtime.block_on(async {
        let peer = format!("Kafka at {}", writer.brokers);
        let mut unanswered = Unanswered::new(&peer, "who puts events waits", &writer.log);
        let (mut line, mut space) = (None, BytesMut::new());
        while let Some(first) = wishes.recv().await {
            let mut together = vec![first];
            while together.len() < MOST_TOGETHER
                && let Ok(next) = wishes.try_recv()
            {
                together.push(next);
            }
            writer.fulfil(together, &mut line, &mut space, &mut unanswered).await;
        }
    });
}

impl Writer {
    async fn fulfil(
        &self,
        wishes: Vec<Wish>,
        line: &mut Option<Line>,
        space: &mut BytesMut,
        unanswered: &mut Unanswered,
    ) {
        let begun = clock::now();
        let bytes: usize = wishes.iter().flat_map(|wish| &wish.batches).map(Batch::event_bytes).sum();
        let outcomes = self.send(&wishes, line, space, unanswered).await;
        let took = clock::now().saturating_duration_since(begun).as_millis();
        self.send_timer.add(usize::try_from(took).unwrap_or(usize::MAX));
        self.pending.fetch_sub(bytes, Ordering::AcqRel);
        for (wish, outcome) in wishes.into_iter().zip(outcomes) {
            let _nobody_waits = wish.answer.send(outcome);
        }
        self.bell.ring();
    }

    /// What became of each.
    async fn send(
        &self,
        wishes: &[Wish],
        line: &mut Option<Line>,
        space: &mut BytesMut,
        unanswered: &mut Unanswered,
    ) -> Vec<Result<(), String>> {
        if line.as_ref().is_some_and(Line::is_broken) {
            *line = None;
        }
        let line = match line {
            Some(line) => line,
            None => match Line::open(&self.client, &self.log) {
                Ok(opened) => line.insert(opened),
                Err(reason) => return wishes.iter().map(|_| Err(reason.clone())).collect(),
            },
        };
        let (mut outcomes, mut ends, mut place) = (Vec::new(), Vec::new(), 0);
        let flight = line.begin();
        for wish in wishes {
            outcomes.push(self.send_one(wish, (line, flight), &mut place, space).await);
            ends.push(place);
        }
        line.sent(flight);
        unanswered.until(line.land(flight), line).await;
        for (place, code) in line.failures(flight) {
            if policy::fate(code, true) == policy::Fate::Anew {
                line.breaks();
            }
            let words = policy::words(code, self.recipe.topic.text(), None, line.said().as_deref());
            let wish = ends.partition_point(|end| *end <= place);
            if let Some(outcome) = outcomes.get_mut(wish) {
                *outcome = Err(format!("Kafka at {}: {words}", self.brokers));
            }
        }
        outcomes
    }

    /// All of a wish, or nothing.
    async fn send_one(
        &self,
        wish: &Wish,
        (line, flight): (&Line, Flight),
        place: &mut usize,
        space: &mut BytesMut,
    ) -> Result<(), String> {
        let events = || wish.batches.iter().flat_map(Batch::events);
        events().try_for_each(|event| self.recipe.route(&event).map(drop))?;
        for event in events() {
            let route = self.recipe.route(&event)?;
            let record = Record {
                topic: &route.topic,
                partition: route.partition,
                payload: Some(self.recipe.value(&event, space)),
                key: route.key,
                ..BaseRecord::with_opaque_to("", 0)
            };
            if let Err(code) = line.send(flight, *place, record).await {
                line.fail(flight, *place, code);
            }
            *place += 1;
        }
        Ok(())
    }
}

const MOST_TOGETHER: usize = 256;

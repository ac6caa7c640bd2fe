//! Sends batches, and settles what becomes of each of their events.

use super::Config;
use super::arrived::Arrived;
use crate::policy::{self, Fate};
use crate::producer::{FLIGHTS, Failure, Flight, Line, lost};
use crate::record::Recipe;
use crate::unanswered::Unanswered;
use bytes::BytesMut;
use components::dead::{self, DeadLetters, News};
use event::Batch;
use flow::counters::Counter;
use flow::error::DeliveryError;
use flow::message::Window;
use flow::sink::SinkContext;
use flow::sink::remote::AsyncSink;
use rdkafka::producer::Producer;
use rdkafka::types::RDKafkaErrorCode;
use runtime::clock::{self, Duration, Instant};
use runtime::told::Told;
use std::collections::{BTreeSet, VecDeque};
use std::future::pending;
use std::sync::Arc;

/// A sink, and its producer while that works.
pub(super) struct KafkaSink {
    pub(super) config: Config,
    pub(super) peer: String,
    pub(super) log: slog::Logger,
    pub(super) line: Option<Line>,
    /// What is on its way beside what is being delivered, in order.
    sent: VecDeque<Sent>,
    dead: Option<DeadLetters>,
    pub(super) arrived: Arrived,
    /// Times in a row that it has failed before it was opened.
    failures: u32,
    /// It has failed since it was opened: what was sent ahead fails with what it was sent behind.
    failed: bool,
    pub(super) unanswered: Unanswered,
    pub(super) told: ToldOf,
    pub(super) space: BytesMut,
    send_timer: Arc<Counter>,
    rollbacks: Arc<Counter>,
}

/// Events of a delivery that are on their way.
pub(super) struct Sent {
    pub(super) flight: Flight,
    pub(super) never: Hopeless,
    pub(super) since: Instant,
}

/// Events that can go nowhere, by their places, and why.
pub(super) type Hopeless = Vec<(usize, String)>;

/// What is said once in a while.
pub(super) struct ToldOf {
    pub(super) no_time: Told,
    no_topic: Told,
    dead: News,
}

impl KafkaSink {
    pub(super) fn new(config: &Config, context: &SinkContext) -> KafkaSink {
        let config = config.clone();
        let often = || Told::every(NEWS_PAUSE);
        let peer = format!("Kafka at {}", config.brokers);
        let consequence = "the events wait in the client and in their channel";
        KafkaSink {
            unanswered: Unanswered::new(&peer, consequence, &context.log),
            peer,
            log: context.log.clone(),
            line: None,
            sent: VecDeque::new(),
            dead: config.dead.as_deref().map(|directory| DeadLetters::new(directory, &context.name)),
            arrived: Arrived::default(),
            failures: 0,
            failed: false,
            told: ToldOf { no_time: often(), no_topic: often(), dead: News::default() },
            space: BytesMut::new(),
            send_timer: context.counters.more.counter("KafkaEventSendTimer"),
            rollbacks: context.counters.more.counter("RollbackCount"),
            config,
        }
    }

    /// A producer that works.
    pub(super) async fn ready(&mut self) -> Result<(), DeliveryError> {
        let unreachable = |peer: &str, reason| DeliveryError::Unreachable { peer: peer.to_owned(), reason };
        if self.line.as_ref().is_some_and(Line::is_broken) {
            self.line = None;
        }
        debug_assert!(self.sent.is_empty(), "flights are known to the line that sent them");
        let fresh = self.line.is_none();
        let line = match self.line.take() {
            Some(line) => line,
            None => Line::open(&self.config.client, &self.log)
                .map_err(|reason| unreachable(&self.peer, reason))?,
        };
        let asked = line.ask(self.config.fixed.as_deref(), ASK_LIMIT).await;
        let begun = match asked {
            Ok(_) if fresh && self.config.transactional.is_some() => line
                .blocking(|producer| producer.init_transactions(ASK_LIMIT))
                .await
                .map_err(|error| self.of_transaction(&line, &error)),
            Ok(_) => Ok(()),
            Err(ref reason) => Err(reason.clone()),
        };
        if fresh && begun.is_err() && self.config.transactional.is_some() {
            line.breaks(); // it has not begun: another one does
        }
        self.line = Some(line);
        begun.map_err(|reason| unreachable(&self.peer, reason))?;
        let fixed = self.config.fixed.as_deref().unwrap_or_default();
        if asked == Ok(false) && self.told.no_topic.tell(clock::now()).is_some() {
            slog::warn!(
                self.log,
                "{}: there is no topic `{fixed}`; events for it wait until it is made",
                self.peer
            );
        }
        Ok(())
    }

    /// What becomes of an event that was refused. A topic that it names itself is not waited for for ever.
    pub(super) fn fate(&self, batches: &[Batch], place: usize, code: RDKafkaErrorCode, alone: bool) -> Fate {
        let patient = self.dead.is_none() || self.failures < TRIES;
        match policy::fate(code, alone) {
            Fate::Missing if !patient && self.goes_to(batches, place).1 => Fate::Never,
            fate => fate,
        }
    }

    /// Sends what has not arrived of a delivery.
    async fn take_off_what_is_left(&mut self, batches: &[Batch]) -> Result<Sent, DeliveryError> {
        let left = self.arrived.left_of(batches, self.sent.is_empty());
        self.take_off(batches, |place| left.as_ref().is_none_or(|left| left.contains(&place))).await
    }

    /// What has landed is settled. If not all was taken, what was sent behind it comes to its end first.
    async fn finish(
        &mut self,
        batches: &[Batch],
        mut failures: Vec<Failure>,
        mut never: Hopeless,
    ) -> Result<(), DeliveryError> {
        if !failures.is_empty() {
            let behind: Vec<Flight> = self.sent.iter().map(|sent| sent.flight).collect();
            for flight in behind {
                self.wait_for(flight).await;
            }
        }
        self.fly_alone(batches, &mut failures, &mut never).await?;
        self.settle(batches, failures, never).await
    }

    /// What is to be done about those that were not taken.
    pub(super) async fn settle(
        &mut self,
        batches: &[Batch],
        failures: Vec<Failure>,
        mut never: Hopeless,
    ) -> Result<(), DeliveryError> {
        let said = self.line.as_ref().and_then(Line::said);
        let fatal = self.line.as_ref().and_then(Line::fatal);
        let (mut left, mut missing) = (Vec::new(), Vec::new());
        for (place, code) in failures {
            match self.fate(batches, place, code, true) {
                Fate::Never => {
                    let (topic, _) = self.goes_to(batches, place);
                    never.push((place, policy::words(code, &topic, None, None)));
                }
                Fate::Anew => {
                    self.line.iter().for_each(Line::breaks);
                    left.push((place, code));
                }
                Fate::Missing => missing.push((place, code)),
                _ => left.push((place, code)),
            }
        }
        let mut open: BTreeSet<usize> = left.iter().chain(&missing).map(|(place, _)| *place).collect();
        let put_aside = match self.put_aside(batches, &never).await {
            Ok(true) => Ok(()),
            Ok(false) => {
                open.extend(never.iter().map(|(place, _)| *place));
                let first = never.first().map(|(_, why)| why.as_str()).unwrap_or_default();
                let reason = format!("{first}; `deadLetterDir` puts such events aside");
                Err(DeliveryError::Refused { peer: self.peer.clone(), events: never.len(), reason })
            }
            Err(error) => {
                open.extend(never.iter().map(|(place, _)| *place));
                Err(error)
            }
        };
        let outcome = match policy::gravest(left.into_iter().chain(missing)) {
            Some((place, code)) => {
                let (topic, _) = self.goes_to(batches, place);
                let told = fatal.unwrap_or(code);
                let reason = policy::words(told, &topic, self.transactional(), said.as_deref());
                Err(if policy::fate(code, true) == Fate::Missing {
                    DeliveryError::Refused { peer: self.peer.clone(), events: open.len(), reason }
                } else {
                    lost(&self.peer, reason)
                })
            }
            None => put_aside,
        };
        match &outcome {
            Ok(()) => self.arrived.forget(batches),
            Err(_) => self.arrived.remember(batches, &open),
        }
        outcome
    }

    /// The topic of an event, and whether it names it itself.
    pub(super) fn goes_to(&self, batches: &[Batch], place: usize) -> (String, bool) {
        let event = batches.iter().flat_map(Batch::events).nth(place);
        let route = event.and_then(|event| {
            let route = self.config.recipe.route(&event).ok()?;
            Some((route.topic.into_owned(), route.own))
        });
        route.unwrap_or_default()
    }

    /// The id of its transactions.
    pub(super) fn transactional(&self) -> Option<&str> {
        self.config.transactional.as_deref()
    }

    pub(super) fn recipe(&self) -> &Recipe {
        &self.config.recipe
    }

    /// Whether the size of its records is what is sent.
    pub(super) fn sends_plain(&self) -> bool {
        let is_plain = |name| self.config.client.get(name).is_none_or(|kind| kind.trim() == "none");
        is_plain("compression.type") && is_plain("compression.codec")
    }

    /// Writes what Kafka never takes where the file says; whether there is nothing left of it.
    async fn put_aside(
        &mut self,
        batches: &[Batch],
        never: &[(usize, String)],
    ) -> Result<bool, DeliveryError> {
        let Some((_, first)) = never.first() else { return Ok(true) };
        let Some(dead) = &self.dead else { return Ok(false) };
        let lines = never.iter().map(|(place, reason)| dead::line(batches, *place, reason)).collect();
        let place = dead.place();
        let written = dead.write(lines).await;
        written.map_err(|error| DeliveryError::Write { what: place.clone(), reason: error.to_string() })?;
        self.told.dead.tell(&self.log, clock::now(), &self.peer, never.len(), place, first);
        Ok(true)
    }
}

impl AsyncSink for KafkaSink {
    async fn open(&mut self) -> Result<Window, DeliveryError> {
        self.failures = self.failures.saturating_add(u32::from(std::mem::take(&mut self.failed)));
        self.ready().await?;
        Ok(if self.config.transactional.is_some() { Window::LOCK_STEP } else { AHEAD })
    }

    /// In transactions one batch follows the other.
    async fn send(&mut self, batches: &[Batch]) -> bool {
        if self.config.transactional.is_some() || self.sent.len() >= AHEAD.deliveries {
            return false;
        }
        let sent = self.take_off_what_is_left(batches).await;
        sent.map(|sent| self.sent.push_back(sent)).is_ok()
    }

    async fn landed(&mut self) {
        match self.sent.front().map(|first| first.flight) {
            Some(first) => self.wait_for(first).await,
            None => pending().await,
        }
    }

    async fn deliver(&mut self, batches: &[Batch]) -> Result<(), DeliveryError> {
        let mut since = clock::now();
        let outcome = if self.config.transactional.is_some() {
            self.transact(batches).await
        } else {
            let sent = match self.sent.pop_front() {
                Some(sent) => sent,
                None => self.take_off_what_is_left(batches).await?,
            };
            since = sent.since;
            let (failures, never) = self.land(sent).await?;
            self.finish(batches, failures, never).await
        };
        match &outcome {
            Ok(()) => {
                self.failures = if self.failed { self.failures } else { 0 };
                let took = clock::now().saturating_duration_since(since).as_millis();
                self.send_timer.add(usize::try_from(took).unwrap_or(usize::MAX));
            }
            Err(_) => {
                self.failed = true;
                self.rollbacks.increment();
            }
        }
        outcome
    }

    async fn close(&mut self) {
        self.line = None;
    }
}

/// How long the brokers are given to answer a question.
const ASK_LIMIT: Duration = Duration::from_secs(5);
/// What may be on its way: as a batch waits for its acknowledgement, the next ones are sent.
const AHEAD: Window = Window { deliveries: 8, bytes: 8 << 20 };
const _: () = assert!(AHEAD.deliveries < FLIGHTS, "one more is under way when an event is sent alone");
const NEWS_PAUSE: Duration = Duration::from_secs(60);
/// Times in a row in which a topic that an event names is not there.
const TRIES: u32 = 2;

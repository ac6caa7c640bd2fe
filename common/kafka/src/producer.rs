//! A producer of librdkafka, and what is on its way.
//!
//! Acknowledgements come on the producer's own thread, one by one; a flight is over when all of it have come. Per event
//! that is an addition and a subtraction. Several flights may be under way at a time.

use crate::java::Side;
use crate::trouble;
use flow::error::DeliveryError;
use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer};
use runtime::clock::Duration;
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

/// A record; [`Line::send`] numbers it.
pub(crate) type Record<'a> = BaseRecord<'a, [u8], [u8], usize>;

/// An event's place in its flight, and why it was not taken.
pub(crate) type Failure = (usize, RDKafkaErrorCode);

/// A producer, and what it has under way.
pub(crate) struct Line {
    /// `None` at its end.
    producer: Option<Arc<ThreadedProducer<Tower>>>,
    sky: Arc<Sky>,
    /// Numbers of flights whose failures have not been asked for: a bit for each.
    taken: Cell<usize>,
}

/// Records whose end is waited for together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flight(usize);

/// Flights of a producer at a time, at most.
pub(crate) const FLIGHTS: usize = 16;

/// What is on its way, as the producer's thread sees it.
#[derive(Default)]
struct Sky {
    /// Of each flight: records that are on their way, and one as long as more are sent.
    under_way: [AtomicUsize; FLIGHTS],
    failed: Mutex<Vec<(Flight, Failure)>>,
    /// All of a flight, or one that was not taken.
    landed: Notify,
    /// Somebody waits for room.
    waits: AtomicBool,
    room: Notify,
    /// What the client said last of what is wrong.
    said: Mutex<Option<String>>,
    broken: AtomicBool,
}

/// What librdkafka calls.
pub(crate) struct Tower {
    sky: Arc<Sky>,
    log: slog::Logger,
}

impl Line {
    /// A producer that is told `config`.
    ///
    /// # Errors
    /// Why librdkafka makes none.
    pub(crate) fn open(config: &ClientConfig, log: &slog::Logger) -> Result<Line, String> {
        let sky = Arc::new(Sky::default());
        let context = Tower { sky: sky.clone(), log: log.clone() };
        let producer = config.create_with_context(context).map_err(|error| error.to_string())?;
        Ok(Line { producer: Some(Arc::new(producer)), sky, taken: Cell::new(0) })
    }

    /// Asks the brokers for `topic`, or for all; whether it is there.
    ///
    /// # Errors
    /// Why they do not answer.
    pub(crate) async fn ask(&self, topic: Option<&str>, limit: Duration) -> Result<bool, String> {
        for pause in MADE_WITHIN {
            if self.ask_once(topic.map(str::to_owned), limit).await? {
                return Ok(true);
            }
            // The question itself may have had it made.
            sleep(*pause).await;
        }
        self.ask_once(topic.map(str::to_owned), limit).await
    }

    async fn ask_once(&self, topic: Option<String>, limit: Duration) -> Result<bool, String> {
        let asked = self.blocking(move |producer| {
            let metadata = producer.client().fetch_metadata(topic.as_deref(), limit)?;
            Ok(metadata.topics().iter().all(|topic| topic.error().is_none()))
        });
        match asked.await {
            Ok(is_there) => {
                *self.sky.said.lock().unwrap_or_else(PoisonError::into_inner) = None;
                Ok(is_there)
            }
            Err(error) => Err(self.said().unwrap_or_else(|| plain(&error))),
        }
    }

    /// Begins a flight, which is over when it was asked for its failures. Of those before it, fewer than [`FLIGHTS`] are not.
    pub(crate) fn begin(&self) -> Flight {
        let free = self.taken.get().trailing_ones() as usize;
        let flight = Flight(free.min(FLIGHTS - 1));
        self.taken.set(self.taken.get() | 1 << flight.0);
        self.sky.count(flight).store(1, Ordering::Release);
        self.sky.failed().retain(|(of, _)| *of != flight);
        flight
    }

    /// Sends one more of a flight; waits while there is no room.
    ///
    /// # Errors
    /// Why the client itself does not take it: nothing of it is on its way.
    pub(crate) async fn send(
        &self,
        flight: Flight,
        place: usize,
        mut record: Record<'_>,
    ) -> Result<(), RDKafkaErrorCode> {
        record.delivery_opaque = place * FLIGHTS + flight.0;
        let mut in_vain = 0;
        loop {
            self.sky.waits.store(true, Ordering::Release);
            self.sky.count(flight).fetch_add(1, Ordering::AcqRel);
            let Some(producer) = &self.producer else { return Ok(()) };
            let Err((error, back)) = producer.send(record) else {
                self.sky.waits.store(false, Ordering::Release);
                return Ok(());
            };
            self.sky.count(flight).fetch_sub(1, Ordering::AcqRel);
            let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail);
            // With nothing on its way no room comes, but a moment later: the client calls back before it gives the room.
            in_vain = if self.sky.is_empty() { in_vain + 1 } else { 0 };
            if code != RDKafkaErrorCode::QueueFull || in_vain > LOOKS {
                self.sky.waits.store(false, Ordering::Release);
                return Err(code);
            }
            let _room_or_a_look = timeout(LOOK, self.sky.room.notified()).await;
            record = back;
        }
    }

    /// One was not sent: it counts as not taken.
    pub(crate) fn fail(&self, flight: Flight, place: usize, code: RDKafkaErrorCode) {
        self.sky.fail(flight, place, code);
    }

    /// Waits until all of the flight have landed. May be dropped and called again.
    pub(crate) async fn land(&self, flight: Flight) {
        while self.sky.count(flight).load(Ordering::Acquire) > 0 {
            self.sky.landed.notified().await;
        }
    }

    /// As [`Line::land`], or until one was not taken: in a transaction nothing behind that one is sent.
    pub(crate) async fn land_or_fail(&self, flight: Flight) {
        while self.sky.count(flight).load(Ordering::Acquire) > 0 && !self.sky.has_failed(flight) {
            self.sky.landed.notified().await;
        }
    }

    /// All of the flight are sent.
    pub(crate) fn sent(&self, flight: Flight) {
        self.sky.one_less(flight);
    }

    /// Those that were not taken.
    pub(crate) fn failures(&self, flight: Flight) -> Vec<Failure> {
        self.taken.set(self.taken.get() & !(1 << flight.0));
        self.sky.failed().extract_if(.., |(of, _)| *of == flight).map(|(_, failure)| failure).collect()
    }

    /// Those of all flights.
    pub(crate) fn all_failures(&self) -> Vec<Failure> {
        self.sky.failed().drain(..).map(|(_, failure)| failure).collect()
    }

    /// What the client said last of what is wrong.
    pub(crate) fn said(&self) -> Option<String> {
        self.sky.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether it can do nothing any more.
    pub(crate) fn is_broken(&self) -> bool {
        self.sky.broken.load(Ordering::Acquire) || self.fatal().is_some()
    }

    /// What has ended it.
    pub(crate) fn fatal(&self) -> Option<RDKafkaErrorCode> {
        self.producer.as_ref()?.client().fatal_error().map(|(code, _)| code)
    }

    /// It is not to be used any more.
    pub(crate) fn breaks(&self) {
        self.sky.broken.store(true, Ordering::Release);
    }

    /// Does something that blocks, with the producer itself.
    ///
    /// # Errors
    /// What it says.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        act: impl FnOnce(&ThreadedProducer<Tower>) -> Result<T, KafkaError> + Send + 'static,
    ) -> Result<T, KafkaError> {
        let Some(producer) = self.producer.clone() else { return Err(KafkaError::Canceled) };
        spawn_blocking(move || act(&producer)).await.unwrap_or(Err(KafkaError::Canceled))
    }
}

impl Drop for Line {
    /// Its end takes a moment: its threads are joined.
    fn drop(&mut self) {
        let producer = self.producer.take();
        if Handle::try_current().is_ok() {
            drop(spawn_blocking(move || drop(producer)));
        }
    }
}

impl Sky {
    fn count(&self, Flight(number): Flight) -> &AtomicUsize {
        &self.under_way[number]
    }

    /// Whether nothing is on its way, while one flight is being sent.
    fn is_empty(&self) -> bool {
        self.under_way.iter().map(|count| count.load(Ordering::Acquire)).sum::<usize>() <= 1
    }

    fn failed(&self) -> MutexGuard<'_, Vec<(Flight, Failure)>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn one_less(&self, flight: Flight) {
        if self.count(flight).fetch_sub(1, Ordering::AcqRel) == 1 {
            self.landed.notify_one();
        }
    }

    fn fail(&self, flight: Flight, place: usize, code: RDKafkaErrorCode) {
        self.failed().push((flight, (place, code)));
        self.landed.notify_one();
    }

    fn has_failed(&self, flight: Flight) -> bool {
        self.failed().iter().any(|(of, _)| *of == flight)
    }
}

impl ClientContext for Tower {
    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        slog::debug!(self.log, "Kafka client: {facility} {message}");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::Fatal) {
            self.sky.broken.store(true, Ordering::Release);
        }
        // That all are gone says less than why one is.
        let mut said = self.sky.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.is_none() || error.rdkafka_error_code() != Some(RDKafkaErrorCode::AllBrokersDown) {
            *said = Some(trouble::words(reason, Side::Producer));
        }
    }
}

impl ProducerContext for Tower {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, number: usize) {
        let (place, flight) = (number / FLIGHTS, Flight(number % FLIGHTS));
        if let Err((error, _)) = result {
            self.sky.fail(flight, place, error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail));
        }
        self.sky.one_less(flight);
        if self.sky.waits.swap(false, Ordering::AcqRel) {
            self.sky.room.notify_one();
        }
    }
}

/// An error in words.
pub(crate) fn plain(error: &KafkaError) -> String {
    error.rdkafka_error_code().map_or_else(|| error.to_string(), |code| code.to_string())
}

/// The peer of a delivery, and why it has failed.
pub(crate) fn lost(peer: &str, reason: String) -> DeliveryError {
    DeliveryError::Lost { peer: peer.to_owned(), reason }
}

/// How long a topic that the brokers make by themselves is given.
const MADE_WITHIN: &[Duration] =
    &[Duration::from_millis(100), Duration::from_millis(400), Duration::from_secs(1)];
/// A sender without room looks for it so often, for the client's word comes before the room...
const LOOK: Duration = Duration::from_millis(10);
/// ...and gives up after so many looks with nothing on its way.
const LOOKS: u32 = 10;

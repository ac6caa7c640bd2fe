//! A producer of librdkafka, and what is on its way.
//!
//! Acknowledgements come on the producer's own thread, one by one; a flight is over when all of it have come. Per event
//! that is an addition and a subtraction.

use crate::java::Side;
use crate::trouble;
use flow::error::DeliveryError;
use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer};
use runtime::clock::Duration;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// A record with its place in its flight.
pub(crate) type Record<'a> = BaseRecord<'a, [u8], [u8], usize>;

/// An event's place in its flight, and why it was not taken.
pub(crate) type Failure = (usize, RDKafkaErrorCode);

/// A producer; one flight at a time.
pub(crate) struct Line {
    /// `None` at its end.
    producer: Option<Arc<ThreadedProducer<Tower>>>,
    tower: Arc<Flight>,
}

/// What is on its way, as the producer's thread sees it.
#[derive(Default)]
struct Flight {
    /// Records that are on their way, and one as long as more are sent.
    under_way: AtomicUsize,
    failed: Mutex<Vec<Failure>>,
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
    flight: Arc<Flight>,
    log: slog::Logger,
}

impl Line {
    /// A producer that is told `config`.
    ///
    /// # Errors
    /// Why librdkafka makes none.
    pub(crate) fn open(config: &ClientConfig, log: &slog::Logger) -> Result<Line, String> {
        let tower = Arc::new(Flight::default());
        let context = Tower { flight: tower.clone(), log: log.clone() };
        let producer = config.create_with_context(context).map_err(|error| error.to_string())?;
        Ok(Line { producer: Some(Arc::new(producer)), tower })
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
                *self.tower.said.lock().unwrap_or_else(PoisonError::into_inner) = None;
                Ok(is_there)
            }
            Err(error) => Err(self.said().unwrap_or_else(|| plain(&error))),
        }
    }

    /// Begins a flight.
    pub(crate) fn begin(&self) {
        self.tower.under_way.store(1, Ordering::Release);
        self.tower.failed.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Sends one more; waits while there is no room.
    ///
    /// # Errors
    /// Why the client itself does not take it: nothing of it is on its way.
    pub(crate) async fn send(&self, mut record: Record<'_>) -> Result<(), RDKafkaErrorCode> {
        loop {
            self.tower.waits.store(true, Ordering::Release);
            self.tower.under_way.fetch_add(1, Ordering::AcqRel);
            let Some(producer) = &self.producer else { return Ok(()) };
            let Err((error, back)) = producer.send(record) else {
                self.tower.waits.store(false, Ordering::Release);
                return Ok(());
            };
            let left = self.tower.under_way.fetch_sub(1, Ordering::AcqRel) - 1;
            let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail);
            // With nothing on its way no room comes.
            if code != RDKafkaErrorCode::QueueFull || left <= 1 {
                self.tower.waits.store(false, Ordering::Release);
                return Err(code);
            }
            self.tower.room.notified().await;
            record = back;
        }
    }

    /// One was not sent: it counts as not taken.
    pub(crate) fn fail(&self, place: usize, code: RDKafkaErrorCode) {
        self.tower.fail(place, code);
    }

    /// Waits until all of the flight have landed. May be dropped and called again.
    pub(crate) async fn land(&self) {
        while self.tower.under_way.load(Ordering::Acquire) > 0 {
            self.tower.landed.notified().await;
        }
    }

    /// As [`Line::land`], or until one was not taken: in a transaction nothing behind that one is sent.
    pub(crate) async fn land_or_fail(&self) {
        while self.tower.under_way.load(Ordering::Acquire) > 0 && !self.tower.has_failed() {
            self.tower.landed.notified().await;
        }
    }

    /// All of the flight are sent.
    pub(crate) fn sent(&self) {
        self.tower.one_less();
    }

    /// Those that were not taken.
    pub(crate) fn failures(&self) -> Vec<Failure> {
        std::mem::take(&mut *self.tower.failed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What the client said last of what is wrong.
    pub(crate) fn said(&self) -> Option<String> {
        self.tower.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether it can do nothing any more.
    pub(crate) fn is_broken(&self) -> bool {
        let fatal =
            || self.producer.as_ref().is_some_and(|producer| producer.client().fatal_error().is_some());
        self.tower.broken.load(Ordering::Acquire) || fatal()
    }

    /// It is not to be used any more.
    pub(crate) fn breaks(&self) {
        self.tower.broken.store(true, Ordering::Release);
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

impl Flight {
    fn one_less(&self) {
        if self.under_way.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.landed.notify_one();
        }
    }

    fn fail(&self, place: usize, code: RDKafkaErrorCode) {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).push((place, code));
        self.landed.notify_one();
    }

    fn has_failed(&self) -> bool {
        !self.failed.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

impl ClientContext for Tower {
    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        slog::debug!(self.log, "Kafka client: {facility} {message}");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::Fatal) {
            self.flight.broken.store(true, Ordering::Release);
        }
        // That all are gone says less than why one is.
        let mut said = self.flight.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.is_none() || error.rdkafka_error_code() != Some(RDKafkaErrorCode::AllBrokersDown) {
            *said = Some(trouble::words(reason, Side::Producer));
        }
    }
}

impl ProducerContext for Tower {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, place: usize) {
        if let Err((error, _)) = result {
            self.flight.fail(place, error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail));
        }
        self.flight.one_less();
        if self.flight.waits.swap(false, Ordering::AcqRel) {
            self.flight.room.notify_one();
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

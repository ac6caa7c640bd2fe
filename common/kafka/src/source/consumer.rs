//! A consumer of librdkafka, as it calls back.
//!
//! A change of the assignment is kept until the reader has finished with what it has read: partitions are given up when their
//! events are stored and their offsets committed, or when that takes too long.

use crate::java::Side;
use crate::trouble;
use flow::counters::Counter;
use rdkafka::TopicPartitionList;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::types::RDKafkaRespErr;
use runtime::clock::{self, Instant};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Partitions that come or go.
#[derive(Debug)]
pub(crate) enum Change {
    /// These come.
    Assigned(TopicPartitionList),
    /// These go.
    Revoked(TopicPartitionList),
}

/// What librdkafka has said.
pub(crate) struct Ear {
    log: slog::Logger,
    changes: Mutex<VecDeque<Change>>,
    /// Nobody finishes anything any more: changes are made at once.
    closing: AtomicBool,
    uncommitted: Mutex<Option<String>>,
    /// When commits began that nobody has answered.
    committing: Mutex<VecDeque<Instant>>,
    commit_timer: Arc<Counter>,
    /// What the client said last of a connection that does not come about.
    said: Mutex<Option<String>>,
}

impl Ear {
    pub(crate) fn new(log: slog::Logger, commit_timer: Arc<Counter>) -> Ear {
        Ear {
            log,
            changes: Mutex::default(),
            closing: AtomicBool::new(false),
            uncommitted: Mutex::default(),
            committing: Mutex::default(),
            commit_timer,
            said: Mutex::default(),
        }
    }

    /// What the client said last of a connection that does not come about.
    pub(crate) fn said(&self) -> Option<String> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All is well: what was said is over.
    pub(crate) fn recovered(&self) {
        *self.said.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The change that is to be made next.
    pub(crate) fn change(&self) -> Option<Change> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// Changes are made at once from now on.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Release);
    }

    /// Why offsets were not committed, since it was asked last.
    pub(crate) fn uncommitted(&self) -> Option<String> {
        self.uncommitted.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// How the next commit is to be made. Only so many are on their way at once: when the broker dies, what they stand for
    /// comes again.
    pub(crate) fn commit_mode(&self) -> CommitMode {
        if self.unanswered().len() < MOST_COMMITTING { CommitMode::Async } else { CommitMode::Sync }
    }

    /// A commit that began then was made; one that was waited for has those before it answered as well.
    pub(crate) fn committed(&self, mode: CommitMode, begun: Instant) {
        match mode {
            CommitMode::Async => self.unanswered().push_back(begun),
            CommitMode::Sync => {
                self.unanswered().clear();
                self.took(begun);
            }
        }
    }

    fn unanswered(&self) -> MutexGuard<'_, VecDeque<Instant>> {
        self.committing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn took(&self, begun: Instant) {
        let millis = clock::now().saturating_duration_since(begun).as_millis();
        self.commit_timer.add(usize::try_from(millis).unwrap_or(usize::MAX));
    }
}

/// Commits on their way at once.
const MOST_COMMITTING: usize = 2;

impl ClientContext for Ear {
    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        slog::debug!(self.log, "Kafka client: {facility} {message}");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        slog::debug!(self.log, "Kafka client: {error}: {reason}");
        // That all are gone says less than why one is.
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.is_none() || error.rdkafka_error_code() != Some(RDKafkaErrorCode::AllBrokersDown) {
            *said = Some(trouble::words(reason, Side::Consumer));
        }
    }
}

impl ConsumerContext for Ear {
    fn rebalance(&self, consumer: &BaseConsumer<Ear>, what: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let change = match what {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => Change::Assigned(list.clone()),
            _ => Change::Revoked(list.clone()),
        };
        if self.closing.load(Ordering::Acquire) {
            make(consumer, &change);
        } else {
            self.changes.lock().unwrap_or_else(PoisonError::into_inner).push_back(change);
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, _: &TopicPartitionList) {
        let begun = self.unanswered().pop_front();
        if let Some(begun) = begun {
            self.took(begun);
        }
        if let Err(error) = result {
            let reason =
                error.rdkafka_error_code().map_or_else(|| error.to_string(), |code| code.to_string());
            *self.uncommitted.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
        }
    }
}

/// Makes a change.
pub(crate) fn make(consumer: &BaseConsumer<Ear>, change: &Change) {
    let bit_by_bit = matches!(consumer.rebalance_protocol(), RebalanceProtocol::Cooperative);
    let made = match (change, bit_by_bit) {
        (Change::Assigned(list), true) => consumer.incremental_assign(list),
        (Change::Assigned(list), false) => consumer.assign(list),
        (Change::Revoked(list), true) => consumer.incremental_unassign(list),
        (Change::Revoked(_), false) => consumer.unassign(),
    };
    if let Err(error) = made {
        slog::warn!(consumer.context().log, "the change of partitions was not made: {error}");
    }
}

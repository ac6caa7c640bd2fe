//! A consumer of librdkafka, as it calls back.
//!
//! A change of the assignment is kept until the reader has finished with what it has read: partitions are given up when their
//! events are stored and their offsets committed, or when that takes too long.

use crate::producer::shortened;
use rdkafka::TopicPartitionList;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::types::RDKafkaRespErr;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

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
    /// Commits that nobody has answered.
    committing: AtomicUsize,
}

impl Ear {
    pub(crate) fn new(log: slog::Logger) -> Ear {
        Ear {
            log,
            changes: Mutex::default(),
            closing: AtomicBool::new(false),
            uncommitted: Mutex::default(),
            committing: AtomicUsize::new(0),
        }
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
        if self.committing.load(Ordering::Acquire) < MOST_COMMITTING {
            CommitMode::Async
        } else {
            CommitMode::Sync
        }
    }

    /// A commit was made; one that was waited for has those before it answered as well.
    pub(crate) fn committed(&self, mode: CommitMode) {
        match mode {
            CommitMode::Async => drop(self.committing.fetch_add(1, Ordering::AcqRel)),
            CommitMode::Sync => self.committing.store(0, Ordering::Release),
        }
    }
}

/// Commits on their way at once.
const MOST_COMMITTING: usize = 2;

impl ClientContext for Ear {
    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        slog::debug!(self.log, "Kafka client: {facility} {}", shortened(message));
    }

    fn error(&self, error: KafkaError, reason: &str) {
        slog::debug!(self.log, "Kafka client: {error}: {}", shortened(reason));
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
        let one_less = |commits: usize| commits.checked_sub(1);
        let _none_left = self.committing.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_less);
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

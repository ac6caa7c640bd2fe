//! A consumer of librdkafka, as it calls back.
//!
//! A change of the assignment is kept until the reader has finished with what it has read: partitions are given up when their
//! events are stored and their offsets committed, or when that takes too long.

use crate::java::Side;
use crate::trouble;
use rdkafka::TopicPartitionList;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::types::RDKafkaRespErr;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
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
    /// There may be some: it is asked for behind each record.
    any: AtomicBool,
    /// Nobody finishes anything any more: changes are made at once.
    closing: AtomicBool,
    /// What the client said last of a connection that does not come about.
    said: Mutex<Option<String>>,
}

impl Ear {
    pub(crate) fn new(log: slog::Logger) -> Ear {
        Ear {
            log,
            changes: Mutex::default(),
            any: AtomicBool::new(false),
            closing: AtomicBool::new(false),
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
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let change = changes.pop_front();
        self.any.store(!changes.is_empty(), Ordering::Release);
        change
    }

    /// Changes are made at once from now on.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Release);
    }
}

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
            let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
            changes.push_back(change);
            self.any.store(true, Ordering::Release);
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

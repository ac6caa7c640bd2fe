//! What a reader says of trouble, and of a silence in which records wait.

use super::reader::{End, Orders, Reader};
use super::shape::Taken;
use super::silence::Doubt;
use crate::producer::plain;
use event::Malformed;
use rdkafka::Offset;
use rdkafka::consumer::Consumer;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use runtime::clock::{self, Duration};

impl Reader {
    /// A record's own headers cannot be read.
    pub(super) fn tell_of_headers(&mut self, record: &Taken<'_>) {
        if let Some(before) = self.told.headers.tell(clock::now()) {
            slog::warn!(
                self.orders.log,
                "the record at offset {} of {}-{} has a header whose name is not UTF-8: its event comes without those of the record's \
                 headers that `header.` asks for ({before} such lines were left out)",
                record.offset,
                record.topic,
                record.partition
            );
        }
    }

    /// A record is left out.
    pub(super) fn tell_of_malformed(&mut self, record: &Taken<'_>, why: &Malformed) {
        if let Some(before) = self.told.malformed.tell(clock::now()) {
            slog::error!(
                self.orders.log,
                "the record at offset {} of {}-{} is no event of Flume ({why}) and is left out; it stays in Kafka; \
                 `useFlumeEventFormat` fits topics that only Flume writes to ({before} such lines were left out)",
                record.offset,
                record.topic,
                record.partition
            );
        }
    }

    /// Looks whether the silence is one.
    pub(super) fn look(&mut self) {
        if !self.storing.is_empty() {
            return self.silence.broken(clock::now());
        }
        let said = match self.silence.doubt(clock::now()) {
            None => return,
            Some(Doubt::NoPartition(silent)) => {
                let why =
                    self.told.last().unwrap_or("other members of the group have them all, or there are none");
                Some(format!("has no partition for {} s: {why}", silent.as_secs()))
            }
            Some(Doubt::Nothing(silent)) => {
                let behind = self.behind();
                behind.map(|what| format!("has read nothing for {} s, and {what}", silent.as_secs()))
            }
        };
        if let Some(said) = said {
            let Orders { log, group, brokers, .. } = &self.orders;
            slog::warn!(log, "Kafka at {brokers}: group {group}: this source {said}");
        }
    }

    /// Whether there are records that do not come.
    fn behind(&self) -> Option<String> {
        let positions = self.consumer.position().ok()?;
        for one in positions.elements() {
            let Offset::Offset(next) = one.offset() else { continue };
            match self.consumer.fetch_watermarks(one.topic(), one.partition(), ASK_LIMIT) {
                Ok((_, high)) if high > next => {
                    return Some(format!(
                        "{} records of {}-{} wait",
                        high - next,
                        one.topic(),
                        one.partition()
                    ));
                }
                Ok(_) => {}
                Err(error) => return Some(format!("the brokers do not answer: {}", plain(&error))),
            }
        }
        None
    }

    /// An error of the client.
    pub(super) fn hear(&mut self, error: &KafkaError) -> Result<(), End> {
        if let KafkaError::MessageConsumptionFatal(code) = error {
            return Err(End::Failed(code.to_string()));
        }
        let words = match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
                format!("there is no topic of {}: it is waited for", self.orders.topics)
            }
            Some(RDKafkaErrorCode::TopicAuthorizationFailed) => {
                format!("the brokers do not allow this user to read {}: add an ACL", self.orders.topics)
            }
            Some(RDKafkaErrorCode::GroupAuthorizationFailed) => {
                format!("the brokers do not allow this user the group `{}`: add an ACL", self.orders.group)
            }
            Some(RDKafkaErrorCode::AutoOffsetReset) => {
                "there is no offset to begin at, and `auto.offset.reset` is `none`".to_owned()
            }
            _ => self.of_connection(error),
        };
        self.trouble(&words);
        Ok(())
    }

    /// An error in words; of a connection the client has said more.
    pub(super) fn of_connection(&self, error: &KafkaError) -> String {
        let said = match error.rdkafka_error_code() {
            Some(
                RDKafkaErrorCode::AllBrokersDown
                | RDKafkaErrorCode::Authentication
                | RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::Resolve
                | RDKafkaErrorCode::SSL,
            ) => self.consumer.context().said(),
            _ => None,
        };
        said.unwrap_or_else(|| plain(error))
    }

    pub(super) fn trouble(&mut self, words: &str) {
        (self.orders.read_fail)();
        if self.told.trouble(words) {
            slog::warn!(self.orders.log, "Kafka at {}: {words}; it is tried again", self.orders.brokers);
        }
    }
}

/// How long the brokers are given to answer a question.
const ASK_LIMIT: Duration = Duration::from_secs(2);

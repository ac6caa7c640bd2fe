//! What an error of Kafka means for an event.

use rdkafka::types::RDKafkaErrorCode as Code;

/// What becomes of an event that Kafka has not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is sent again, as often as it takes.
    Again,
    /// Its topic or its partition is not there; it may be made.
    Missing,
    /// It shares a request with others, and together they are too large: each is to be sent alone.
    Alone,
    /// Kafka never takes it.
    Never,
    /// This producer is finished; another one may do.
    Anew,
}

/// Of an event that was refused with `code`, `alone` in its request or not.
pub(crate) fn fate(code: Code, alone: bool) -> Fate {
    match code {
        Code::MessageSizeTooLarge | Code::MessageBatchTooLarge | Code::InvalidRecord if !alone => Fate::Alone,
        Code::MessageSizeTooLarge
        | Code::MessageBatchTooLarge
        | Code::InvalidRecord
        | Code::InvalidTimestamp
        | Code::InvalidTopic => Fate::Never,
        Code::UnknownTopic | Code::UnknownTopicOrPartition | Code::UnknownPartition => Fate::Missing,
        Code::Fatal
        | Code::ProducerFenced
        | Code::Fenced
        | Code::InvalidProducerEpoch
        | Code::OutOfOrderSequenceNumber
        | Code::UnknownProducerId
        | Code::PurgeQueue
        | Code::PurgeInflight => Fate::Anew,
        _ => Fate::Again,
    }
}

/// Whether an event was refused only because its transaction has failed for another one.
pub(crate) fn is_consequence(code: Code) -> bool {
    matches!(code, Code::State | Code::PurgeQueue | Code::PurgeInflight)
}

/// The worst of several: what is to be done about all.
pub(crate) fn gravest(fates: impl Iterator<Item = (usize, Code)>) -> Option<(usize, Code)> {
    fates.max_by_key(|(_, code)| match fate(*code, true) {
        Fate::Anew => 3,
        Fate::Again | Fate::Alone => 2,
        Fate::Missing => 1,
        Fate::Never => 0,
    })
}

/// What `code` says, and what to do, in an operator's words, where a record was for `topic` and, in transactions, the producer has
/// this `id`. `said` is what the client has told last.
pub(crate) fn words(code: Code, topic: &str, id: Option<&str>, said: Option<&str>) -> String {
    let id = id.unwrap_or_default();
    let last = said.map(|said| format!("; the client last said: {said}")).unwrap_or_default();
    match code {
        Code::UnknownTopic | Code::UnknownTopicOrPartition => {
            format!("there is no topic `{topic}`, and the brokers do not make one by themselves: create it")
        }
        Code::UnknownPartition => {
            format!("the topic `{topic}` has not the partition that the event or the file names: add partitions")
        }
        Code::MessageSizeTooLarge | Code::MessageBatchTooLarge => format!(
            "the record is larger than `max.request.size` here or `max.message.bytes` of the topic `{topic}` allow"
        ),
        Code::TopicAuthorizationFailed => {
            format!("the brokers do not allow this user to write to the topic `{topic}`: add an ACL")
        }
        Code::ClusterAuthorizationFailed => {
            "the brokers do not allow this user an idempotent producer: allow IdempotentWrite, or set `kafka.producer.enable.idempotence = false`".to_owned()
        }
        Code::TransactionalIdAuthorizationFailed => {
            format!("the brokers do not allow this user the `transactional.id` `{id}`: add an ACL for it")
        }
        Code::ProducerFenced | Code::Fenced | Code::InvalidProducerEpoch if id.is_empty() => {
            "the brokers have given the place of this producer to another one".to_owned()
        }
        Code::ProducerFenced | Code::Fenced | Code::InvalidProducerEpoch => format!(
            "another producer has the `transactional.id` `{id}` (of host, agent, sink and file): run this agent once, or give each sink its own"
        ),
        Code::MessageTimedOut => {
            format!("the brokers acknowledged nothing within `delivery.timeout.ms`{last}")
        }
        Code::NotEnoughReplicas | Code::NotEnoughReplicasAfterAppend => {
            format!("fewer replicas of `{topic}` are in sync than its `min.insync.replicas` asks for")
        }
        code => format!("{code}{last}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_large_together_is_not_too_large_alone() {
        assert_eq!(fate(Code::MessageSizeTooLarge, false), Fate::Alone);
        assert_eq!(fate(Code::MessageSizeTooLarge, true), Fate::Never);
    }

    #[test]
    fn what_may_pass_is_waited_for() {
        for code in [
            Code::MessageTimedOut,
            Code::NotEnoughReplicas,
            Code::TopicAuthorizationFailed,
            Code::AllBrokersDown,
        ] {
            assert_eq!(fate(code, true), Fate::Again, "{code}");
        }
        assert_eq!(fate(Code::UnknownTopic, true), Fate::Missing);
        assert_eq!(fate(Code::ProducerFenced, true), Fate::Anew);
    }

    #[test]
    fn the_gravest_is_told() {
        let all = [(0, Code::InvalidTopic), (1, Code::MessageTimedOut), (2, Code::UnknownTopic)];
        assert_eq!(gravest(all.into_iter()), Some((1, Code::MessageTimedOut)));
        assert_eq!(gravest(std::iter::empty()), None);
    }

    #[test]
    fn what_is_wrong_with_transactions_is_told_with_their_id() {
        for code in [Code::TransactionalIdAuthorizationFailed, Code::ProducerFenced, Code::Fenced] {
            let text = words(code, "t", Some("h-a1-k-t"), None);
            assert!(text.contains("`transactional.id` `h-a1-k-t`"), "{text}");
        }
    }

    #[test]
    fn what_the_client_said_last_is_told_where_nothing_else_is_known() {
        let text = words(Code::MessageTimedOut, "t", None, Some("SASL authentication failed"));
        assert!(text.ends_with("the client last said: SASL authentication failed"), "{text}");
        assert!(words(Code::UnknownTopic, "t", None, None).contains("create it"));
    }
}

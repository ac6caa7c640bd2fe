//! Values that librdkafka takes alone and not together: it makes no client of them.
//!
//! Where Java's clients have no such rule, or settle it by themselves, the value that the file does not name gives way. What is
//! left is refused before the start, in librdkafka's words.
//!
//! Sources: `rd_kafka_conf_finalize` and `rd_kafka_new` of librdkafka 2.12.1; `ProducerConfig`, `KafkaProducer` and
//! `ConsumerConfig` of kafka-clients 2.7.2 and 3.9.1.

use super::{BROKERS, reason};
use crate::java::{self, Side};
use plan::{Findings, Problem};
use rdkafka::ClientConfig;
use rdkafka::client::{Client, ClientContext};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaType;

/// The same client with values that go together, and what that costs told; `None` when none can be made of them, which is told.
pub(crate) fn agreed(
    side: Side,
    mut client: ClientConfig,
    findings: &mut Findings<'_>,
) -> Option<ClientConfig> {
    let is_written = |name: &str| written(side, name, findings);
    match side {
        Side::Producer => {
            if let Some((name, doubt)) = idempotence(&mut client) {
                tell(side, name, doubt, findings);
            }
        }
        Side::Consumer => consumer(&mut client, |name| is_written(name).is_some()),
    }
    at_least(&mut client, ("reconnect.backoff.max.ms", 1_000), ("reconnect.backoff.ms", 100));
    if let Err(words) = made(side, &client) {
        refuse(side, &words, findings);
        return None;
    }
    Some(client)
}

/// Whether a producer is idempotent, where the file does not say so: as Java's, not with these; and what is lost by that. A
/// producer with transactions has to be.
fn idempotence(client: &mut ClientConfig) -> Option<(&'static str, &'static str)> {
    if client.get(IDEMPOTENCE).is_some() {
        return None;
    }
    let number = |name| client.get(name).and_then(|text| text.trim().parse::<i64>().ok());
    let against = if client.get(TRANSACTIONS).is_some() {
        None
    } else if number("acks") == Some(0) {
        Some(("acks", "no broker says whether it has an event, and one that it does not take is lost"))
    } else if number("acks").is_some_and(|acks| acks != ALL) {
        Some((
            "acks",
            "events that only one broker has are lost with it, and what is sent again may come twice and in another order",
        ))
    } else if number("retries").is_some_and(|retries| retries < 1) {
        Some((
            "retries",
            "what is sent again comes from the component, and may come twice and in another order",
        ))
    } else if number(IN_FLIGHT).is_some_and(|most| most > MOST_IN_FLIGHT) {
        Some((IN_FLIGHT, "what is sent again may come twice and in another order"))
    } else {
        None
    };
    client.set(IDEMPOTENCE, if against.is_some() { "false" } else { "true" });
    against
}

fn tell(side: Side, name: &str, doubt: &str, findings: &mut Findings<'_>) {
    let Some(key) = written(side, name, findings) else { return };
    let value = findings.shown(&key).unwrap_or_default();
    let what = format!("`{} = {value}`: such a producer is not idempotent", findings.key(&key));
    let is_channel = findings.owner.noun.starts_with("channel");
    let weaker = if is_channel { "; the channel is no safer than that" } else { "" };
    let problem = Problem::note("weaker", findings.at(&key), what);
    let cause = format!("`{key} = {value}`: a producer that is not idempotent");
    let problem = problem.flume("the same").here(format!("{doubt}{weaker}"));
    let fix = "leave it out: all replicas in sync acknowledge each event then, and it comes once";
    findings.add(problem.fix(fix).cause(findings.owner.noun.clone(), cause));
}

/// What a consumer's values leave to one another.
fn consumer(client: &mut ClientConfig, is_written: impl Fn(&str) -> bool) {
    // How much may come at a time is held against what one request of its own may have.
    let fetched = client.get("fetch.max.bytes").and_then(|text| text.trim().parse::<u64>().ok());
    if let Some(most) = fetched.filter(|most| *most < REQUEST && !is_written("message.max.bytes")) {
        let most = most.max(LEAST_REQUEST).to_string();
        client.set("message.max.bytes", &most).set("fetch.max.bytes", &most);
    }
    at_least(client, ("max.poll.interval.ms", 300_000), ("session.timeout.ms", 10_000));
    // The brokers have the session then.
    if client.get("group.protocol").is_some_and(|word| word.trim().eq_ignore_ascii_case("consumer")) {
        for name in
            ["session.timeout.ms", "heartbeat.interval.ms"].into_iter().filter(|name| !is_written(name))
        {
            client.remove(name);
        }
    }
}

/// Raises one value to another one, where librdkafka asks for it. Each has a default.
fn at_least(client: &mut ClientConfig, (name, default): (&str, u64), (other, others): (&str, u64)) {
    let number =
        |name: &str, default| client.get(name).map_or(Some(default), |text| text.trim().parse().ok());
    if let (Some(value), Some(least)) = (number(name, default), number(other, others))
        && value < least
    {
        client.set(name, least.to_string());
    }
}

/// Has librdkafka make a client, which knows no broker and ends at once: there is no other way to hear its opinion.
fn made(side: Side, client: &ClientConfig) -> Result<(), String> {
    let mut alone = client.clone();
    alone.remove(BROKERS);
    alone.remove("group.id");
    let kind = match side {
        Side::Producer => RDKafkaType::RD_KAFKA_PRODUCER,
        Side::Consumer => RDKafkaType::RD_KAFKA_CONSUMER,
    };
    let native = alone.create_native_config().map_err(|error| reason(&error))?;
    match Client::new(&alone, native, kind, Mute) {
        Ok(client) => {
            drop(client);
            Ok(())
        }
        Err(KafkaError::ClientCreation(words)) => Err(words),
        Err(error) => Err(reason(&error)),
    }
}

/// Says nothing.
struct Mute;

impl ClientContext for Mute {
    fn log(&self, _: RDKafkaLogLevel, _: &str, _: &str) {}

    fn error(&self, _: KafkaError, _: &str) {}
}

fn refuse(side: Side, words: &str, findings: &mut Findings<'_>) {
    // The first property in them that the file has. What Java's client says to it is not known.
    let signs = |sign: char| !(sign.is_ascii_alphanumeric() || ".-_".contains(sign));
    let key = words.split(signs).find_map(|name| written(side, name, findings));
    let about = match key.as_ref().and_then(|key| Some((key, findings.shown(key)?))) {
        Some((key, value)) => format!("`{} = {value}`", findings.key(key)),
        None => format!("the {}", findings.owner.noun),
    };
    let what = format!("{about}: no Kafka client can be made with it: {words}");
    let place = findings.at(key.as_deref().unwrap_or_default()).clone();
    findings.add(Problem::error("bad-value", &place, what));
}

/// The key of the file that sets this property of librdkafka.
fn written(side: Side, name: &str, findings: &Findings<'_>) -> Option<String> {
    let mut keys = java::spellings(side, name).into_iter().map(|name| format!("{}{name}", side.prefix()));
    let key = keys.find(|key| findings.shown(key).is_some());
    key.or_else(|| {
        let before =
            Some("requiredAcks").filter(|key| java::plain(name) == "acks" && findings.shown(key).is_some());
        before.map(str::to_owned)
    })
}

const IDEMPOTENCE: &str = "enable.idempotence";
const TRANSACTIONS: &str = "transactional.id";
const IN_FLIGHT: &str = "max.in.flight.requests.per.connection";
/// Of an idempotent producer, as its brokers remember no more.
const MOST_IN_FLIGHT: i64 = 5;
/// `acks = -1` is `all`.
const ALL: i64 = -1;
/// `message.max.bytes`, where nobody says another, and the least that it may be.
const REQUEST: u64 = 1_000_000;
const LEAST_REQUEST: u64 = 1_000;

#[cfg(test)]
mod tests;

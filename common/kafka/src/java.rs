//! From the properties of Java's Kafka clients to those of librdkafka.
//!
//! Sources: the configuration classes of kafka-clients 2.7.2 and 3.9.1, and librdkafka's CONFIGURATION.md.

use Fate::{As, Kibibytes, OfJava, Same, Unused};

/// Which of Java's clients a property is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// `kafka.producer.`
    Producer,
    /// `kafka.consumer.`
    Consumer,
}

/// What becomes of a property of a Java client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// librdkafka has it too, and it means the same.
    Same,
    /// It has another name.
    As(&'static str),
    /// It has another name, and is counted in KiB.
    Kibibytes(&'static str),
    /// It has no effect; why.
    Unused(&'static str),
    /// It names a class: the component runs in a JVM.
    OfJava,
}

impl Side {
    /// What stands in front of its properties.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Side::Producer => "kafka.producer.",
            Side::Consumer => "kafka.consumer.",
        }
    }

    fn own(self) -> &'static [(&'static str, Fate)] {
        match self {
            Side::Producer => PRODUCER,
            Side::Consumer => CONSUMER,
        }
    }

    /// What becomes of `name`; `None`: no Java client has it.
    pub(crate) fn fate(self, name: &str) -> Option<Fate> {
        self.own().iter().chain(BOTH).find(|(known, _)| *known == name).map(|(_, fate)| *fate)
    }

    /// All names that Java's client has.
    pub(crate) fn names(self) -> impl Iterator<Item = &'static str> {
        self.own().iter().chain(BOTH).map(|(name, _)| *name)
    }
}

/// A value as librdkafka wants it; `None`: its default says the same.
pub(crate) fn value(name: &str, fate: Fate, value: &str) -> Option<String> {
    match (name, fate) {
        (_, Kibibytes(_)) => {
            let bytes: u64 = value.parse().ok()?;
            Some((bytes / 1024).max(1).to_string())
        }
        // Java's word for "what the system has".
        ("send.buffer.bytes" | "receive.buffer.bytes", _) if value == "-1" => None,
        ("auto.offset.reset", _) if value.eq_ignore_ascii_case("none") => Some("error".to_owned()),
        ("client.dns.lookup", _) if value == "default" => None,
        // Larger numbers lose their front in librdkafka. A password or an id may look like one.
        _ => match value.parse::<i64>() {
            Ok(number) if number > i64::from(i32::MAX) && is_number(name) => Some(i32::MAX.to_string()),
            _ => Some(value.to_owned()),
        },
    }
}

/// Whether a property is a number, by the words that such names end in.
fn is_number(name: &str) -> bool {
    let unit = name.rsplit('.').next().unwrap_or(name);
    matches!(
        unit,
        "ms" | "bytes"
            | "kbytes"
            | "messages"
            | "records"
            | "size"
            | "retries"
            | "connection"
            | "flight"
            | "fails"
            | "memory"
            | "ttl"
    )
}

/// The nearest value that librdkafka takes of one that it does not, by what it says of it; `None` when Java's client refuses it too.
pub(crate) fn within(name: &str, value: &str, said: &str) -> Option<String> {
    let value: i64 = value.parse().ok().filter(|value| *value >= 0 && name != "acks")?;
    let (least, most) = said.split_once("outside allowed range ")?.1.trim().split_once("..")?;
    let (least, most) = (least.parse::<i64>().ok()?, most.parse::<i64>().ok()?);
    Some(value.min(most).max(least).to_string())
}

/// The one name that is used here for a property that librdkafka knows by two.
pub(crate) fn plain(name: &str) -> &str {
    ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, plain)| plain)
}

/// All names under which a file may set a property of librdkafka: its own, another one of librdkafka's, Java's.
pub(crate) fn spellings(side: Side, name: &str) -> Vec<&str> {
    let plain = plain(name);
    let aliases = ALIASES.iter().filter(|(_, of)| *of == plain).map(|(alias, _)| *alias);
    let of_java = side.own().iter().chain(BOTH).filter(|(_, fate)| match fate {
        As(renamed) | Kibibytes(renamed) => *renamed == plain,
        _ => false,
    });
    std::iter::once(plain).chain(of_java.map(|(name, _)| *name)).chain(aliases).collect()
}

/// Second names in librdkafka, and Java's.
const ALIASES: &[(&str, &str)] = &[
    ("compression.codec", "compression.type"),
    ("max.in.flight", "max.in.flight.requests.per.connection"),
    ("message.send.max.retries", "retries"),
    ("message.timeout.ms", "delivery.timeout.ms"),
    ("queue.buffering.max.ms", "linger.ms"),
    ("request.required.acks", "acks"),
    ("sasl.mechanisms", "sasl.mechanism"),
];

/// The partitioner of librdkafka that does what a class of Java's does; `None`: none does.
pub(crate) fn partitioner(class: &str) -> Option<&'static str> {
    match last_part(class) {
        // The one that a key hashes to, and any one for what has no key.
        "DefaultPartitioner" | "UniformStickyPartitioner" => Some(KEYED),
        "RoundRobinPartitioner" => Some("random"),
        _ => None,
    }
}

/// The one that gives a key the partition that Java gives it.
pub(crate) const KEYED: &str = "murmur2_random";

/// The assignment strategies of librdkafka that these classes of Java name; `None`: one of them is unknown to it.
pub(crate) fn strategies(classes: &str) -> Option<String> {
    let named = classes.split(',').map(|class| match last_part(class.trim()) {
        "RangeAssignor" | "range" => Some("range"),
        "RoundRobinAssignor" | "roundrobin" => Some("roundrobin"),
        "CooperativeStickyAssignor" | "cooperative-sticky" => Some("cooperative-sticky"),
        _ => None,
    });
    named.collect::<Option<Vec<_>>>().map(|named| named.join(","))
}

/// Whether a serializer or deserializer of this class leaves bytes and text as they are.
pub(crate) fn is_plain_serializer(class: &str) -> bool {
    const PLAIN: &[&str] =
        &["StringSerializer", "ByteArraySerializer", "StringDeserializer", "ByteArrayDeserializer"];
    PLAIN.contains(&last_part(class))
}

fn last_part(class: &str) -> &str {
    class.rsplit('.').next().unwrap_or(class)
}

const OWN_METRICS: Fate = Unused("they are counters of the Java client");
const NO_SUCH_WAIT: Fate = Unused("no call of this client blocks its caller");

const BOTH: &[(&str, Fate)] = &[
    ("bootstrap.servers", Unused("`kafka.bootstrap.servers` counts")),
    ("metadata.broker.list", Unused("`kafka.bootstrap.servers` counts")),
    ("client.id", Same),
    ("client.dns.lookup", Same),
    ("client.rack", Same),
    ("metadata.max.age.ms", Same),
    ("send.buffer.bytes", As("socket.send.buffer.bytes")),
    ("receive.buffer.bytes", As("socket.receive.buffer.bytes")),
    ("reconnect.backoff.ms", Same),
    ("reconnect.backoff.max.ms", Same),
    ("retry.backoff.ms", Same),
    ("retry.backoff.max.ms", Same),
    ("connections.max.idle.ms", Same),
    ("socket.connection.setup.timeout.ms", Same),
    (
        "socket.connection.setup.timeout.max.ms",
        Unused("`socket.connection.setup.timeout.ms` counts for each attempt"),
    ),
    ("security.protocol", Same),
    ("security.providers", Unused("TLS is not Java's")),
    ("sasl.mechanism", Same),
    ("sasl.kerberos.service.name", Same),
    ("metric.reporters", OWN_METRICS),
    ("metrics.num.samples", OWN_METRICS),
    ("metrics.recording.level", OWN_METRICS),
    ("metrics.sample.window.ms", OWN_METRICS),
    ("auto.include.jmx.reporter", OWN_METRICS),
    ("enable.metrics.push", Same),
    ("interceptor.classes", OfJava),
    ("sasl.client.callback.handler.class", OfJava),
    ("sasl.login.callback.handler.class", OfJava),
    ("sasl.login.class", OfJava),
    ("ssl.engine.factory.class", OfJava),
    ("ssl.protocol", Unused("TLS 1.2 and 1.3 are spoken")),
    ("ssl.enabled.protocols", Unused("TLS 1.2 and 1.3 are spoken")),
    ("ssl.provider", Unused("TLS is not Java's")),
    ("ssl.cipher.suites", Unused("suites have other names in OpenSSL, whose own choice counts")),
    ("ssl.keymanager.algorithm", Unused("TLS is not Java's")),
    ("ssl.trustmanager.algorithm", Unused("TLS is not Java's")),
    ("ssl.secure.random.implementation", Unused("TLS is not Java's")),
];

const PRODUCER: &[(&str, Fate)] = &[
    ("acks", Same),
    ("batch.size", Same),
    ("buffer.memory", Kibibytes("queue.buffering.max.kbytes")),
    ("compression.type", Same),
    ("delivery.timeout.ms", Same),
    ("enable.idempotence", Same),
    ("linger.ms", Unused("a batch is sent at once, as Flume flushes it")),
    ("max.block.ms", NO_SUCH_WAIT),
    ("max.in.flight.requests.per.connection", Same),
    ("max.request.size", As("message.max.bytes")),
    ("metadata.max.idle.ms", Unused("topics are forgotten by `topic.metadata.propagation.max.ms`")),
    ("request.timeout.ms", Same),
    ("retries", Same),
    ("transaction.timeout.ms", Same),
    ("transactional.id", Same),
];

const CONSUMER: &[(&str, Fate)] = &[
    ("allow.auto.create.topics", Same),
    ("auto.commit.interval.ms", Unused("offsets are committed when events are stored")),
    ("auto.offset.reset", Same),
    ("check.crcs", Same),
    ("default.api.timeout.ms", NO_SUCH_WAIT),
    ("enable.auto.commit", Unused("offsets are committed when events are stored")),
    (
        "exclude.internal.topics",
        Unused("topics whose name begins with `__` match only a pattern that begins so"),
    ),
    ("fetch.max.bytes", Same),
    ("fetch.max.wait.ms", As("fetch.wait.max.ms")),
    ("fetch.min.bytes", Same),
    ("group.id", Unused("`kafka.consumer.group.id` counts")),
    ("group.instance.id", Same),
    ("heartbeat.interval.ms", Same),
    ("isolation.level", Same),
    ("max.partition.fetch.bytes", Same),
    ("max.poll.interval.ms", Same),
    ("max.poll.records", Unused("`batchSize` counts")),
    ("request.timeout.ms", As("socket.timeout.ms")),
    ("session.timeout.ms", Same),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_java_is_known_with_what_becomes_of_it() {
        assert_eq!(Side::Producer.fate("acks"), Some(Same));
        assert_eq!(Side::Consumer.fate("acks"), None);
        assert_eq!(Side::Consumer.fate("fetch.max.wait.ms"), Some(As("fetch.wait.max.ms")));
        assert!(matches!(Side::Producer.fate("linger.ms"), Some(Unused(_))));
        assert_eq!(Side::Producer.fate("interceptor.classes"), Some(OfJava));
    }

    #[test]
    fn values_are_as_librdkafka_counts_them() {
        let memory = Kibibytes("queue.buffering.max.kbytes");
        assert_eq!(value("buffer.memory", memory, "33554432").as_deref(), Some("32768"));
        assert_eq!(value("send.buffer.bytes", Same, "-1"), None);
        assert_eq!(value("auto.offset.reset", Same, "none").as_deref(), Some("error"));
        assert_eq!(value("acks", Same, "all").as_deref(), Some("all"));
        assert_eq!(value("metadata.max.age.ms", Same, "9223372036854775807").as_deref(), Some("2147483647"));
    }

    #[test]
    fn what_java_takes_and_librdkafka_does_not_is_the_nearest_that_it_takes() {
        let said = "Configuration property \"x\" value 7 is outside allowed range 1..5\n";
        let nearest = |name, value| within(name, value, said);
        assert_eq!(nearest("x", "7").as_deref(), Some("5"));
        assert_eq!(nearest("x", "0").as_deref(), Some("1"));
        assert_eq!((nearest("x", "-7"), nearest("x", "seven"), nearest("acks", "7")), (None, None, None));
        assert_eq!(within("x", "7", "Invalid value"), None);
    }

    #[test]
    fn a_property_is_found_under_each_of_its_names() {
        assert_eq!(
            spellings(Side::Producer, "message.timeout.ms"),
            ["delivery.timeout.ms", "message.timeout.ms"]
        );
        assert_eq!(spellings(Side::Producer, "message.max.bytes"), ["message.max.bytes", "max.request.size"]);
        assert_eq!(
            spellings(Side::Consumer, "socket.timeout.ms"),
            ["socket.timeout.ms", "request.timeout.ms"]
        );
    }

    #[test]
    fn classes_are_known_by_their_names() {
        let package = "org.apache.kafka.clients.producer.";
        assert_eq!(partitioner(&format!("{package}internals.DefaultPartitioner")), Some(KEYED));
        assert_eq!(partitioner(&format!("{package}RoundRobinPartitioner")), Some("random"));
        assert_eq!(partitioner("com.example.Mine"), None);
        let range = "org.apache.kafka.clients.consumer.RangeAssignor";
        assert_eq!(strategies(&format!("{range}, roundrobin")).as_deref(), Some("range,roundrobin"));
        assert_eq!(strategies("org.apache.kafka.clients.consumer.StickyAssignor"), None);
        assert!(is_plain_serializer("org.apache.kafka.common.serialization.StringSerializer"));
        assert!(!is_plain_serializer("io.confluent.kafka.serializers.KafkaAvroSerializer"));
    }
}

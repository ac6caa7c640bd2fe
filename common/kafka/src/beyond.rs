//! What a file asks of a Kafka client that only Java's can do: such a component runs in a JVM.

use crate::jaas::{self, Login};
use crate::java::{self, Fate, Side};
use plan::Written;

/// Of the sink.
pub(crate) fn sink(written: &Written<'_>) -> Option<String> {
    client(Side::Producer, written)
}

/// Of the source.
pub(crate) fn source(written: &Written<'_>) -> Option<String> {
    client(Side::Consumer, written)
}

/// Of the channel, which has both clients.
pub(crate) fn channel(written: &Written<'_>) -> Option<String> {
    sink(written).or_else(|| source(written))
}

fn client(side: Side, written: &Written<'_>) -> Option<String> {
    let prefix = side.prefix();
    let class = |(name, value): (&str, &str)| is_javas_class(side, name, value).then(|| name.to_owned());
    let classes = || written.under(prefix).filter(|(_, value)| !value.is_empty()).find_map(class);
    let name = log_in(prefix, written).or_else(classes)?;
    Some(format!("only a Java client has what `{prefix}{name}` asks for"))
}

/// Whether it names a class that is of no use outside of a JVM.
fn is_javas_class(side: Side, name: &str, value: &str) -> bool {
    match (name, side) {
        ("partitioner.class", Side::Producer) => java::partitioner(value).is_none(),
        ("partition.assignment.strategy", Side::Consumer) => java::strategies(value).is_none(),
        ("key.serializer" | "value.serializer", Side::Producer)
        | ("key.deserializer" | "value.deserializer", Side::Consumer) => !java::is_plain_serializer(value),
        _ => side.fate(name) == Some(Fate::OfJava),
    }
}

/// The property of a log-in that librdkafka cannot do. Java's clients take Kerberos where the file names no mechanism, and
/// read a JAAS file of their JVM where it does not say who logs in.
fn log_in(prefix: &str, written: &Written<'_>) -> Option<String> {
    let get = |name: &str| written.get(&format!("{prefix}{name}"));
    get("security.protocol").filter(|word| word.to_ascii_uppercase().starts_with("SASL"))?;
    let line = get("sasl.jaas.config").map(jaas::parse);
    let name = match (get("sasl.mechanism").or(get("sasl.mechanisms")), line) {
        (Some("GSSAPI" | "OAUTHBEARER"), _) => "sasl.mechanism",
        (_, Some(Ok(Login::Kerberos | Login::Other(_)))) => "sasl.jaas.config",
        (_, Some(_)) => return None, // what is wrong with it is told
        (None, None) => "security.protocol",
        (Some(_), None) if get("sasl.username").is_none() => "sasl.mechanism",
        (Some(_), None) => return None,
    };
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KERBEROS: &str = "com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true;";
    const PLAIN: &str = r#"org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="hunter2";"#;

    /// What of a producer's properties is for a JVM.
    fn of(pairs: &[(&str, &str)]) -> Option<String> {
        let keys: Vec<String> = pairs.iter().map(|(name, _)| format!("kafka.producer.{name}")).collect();
        let pairs = keys.iter().map(String::as_str).zip(pairs.iter().map(|(_, value)| *value));
        let found = sink(&Written::new(pairs))?;
        assert!(!found.contains("hunter2"), "{found}");
        Some(found.split('`').nth(1)?.strip_prefix("kafka.producer.")?.to_owned())
    }

    #[test]
    fn a_log_in_that_librdkafka_cannot_do_is_for_a_jvm() {
        let sasl = |more: &[(&str, &str)]| of(&[&[("security.protocol", "sasl_ssl")], more].concat());
        for (more, name) in [
            (&[][..], Some("security.protocol")),
            (&[("sasl.mechanism", "GSSAPI")], Some("sasl.mechanism")),
            (&[("sasl.mechanism", "OAUTHBEARER"), ("sasl.jaas.config", PLAIN)], Some("sasl.mechanism")),
            (&[("sasl.mechanism", "PLAIN"), ("sasl.jaas.config", KERBEROS)], Some("sasl.jaas.config")),
            (&[("sasl.jaas.config", KERBEROS)], Some("sasl.jaas.config")),
            (&[("sasl.mechanism", "PLAIN")], Some("sasl.mechanism")),
            (&[("sasl.mechanism", "PLAIN"), ("sasl.username", "u")], None),
            (&[("sasl.mechanism", "PLAIN"), ("sasl.jaas.config", PLAIN)], None),
            (&[("sasl.jaas.config", PLAIN)], None),
            (&[("sasl.mechanism", "SCRAM-SHA-256"), ("sasl.jaas.config", "x")], None),
        ] {
            assert_eq!(sasl(more).as_deref(), name, "{more:?}");
        }
        assert_eq!(of(&[("sasl.mechanism", "GSSAPI")]), None, "without SASL it has no effect");
        assert_eq!(of(&[("security.protocol", "SSL")]), None);
    }

    #[test]
    fn a_class_for_javas_client_is_for_a_jvm() {
        for (name, value, for_jvm) in [
            ("interceptor.classes", "org.acme.Count", true),
            ("interceptor.classes", "", false),
            ("partitioner.class", "org.acme.Own", true),
            ("partitioner.class", "org.apache.kafka.clients.producer.RoundRobinPartitioner", false),
            ("value.serializer", "org.acme.Own", true),
            ("key.serializer", "org.apache.kafka.common.serialization.StringSerializer", false),
            ("value.deserializer", "org.acme.Own", false),
            ("acks", "all", false),
        ] {
            assert_eq!(of(&[(name, value)]).as_deref(), for_jvm.then_some(name), "{name} = {value}");
        }
        let strategy = [("kafka.consumer.partition.assignment.strategy", "org.acme.Own")];
        assert!(channel(&Written::new(strategy)).is_some() && sink(&Written::new(strategy)).is_none());
    }
}

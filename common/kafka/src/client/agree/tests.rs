use super::*;
use components::missing::kafka::CHANNEL;
use plan::{Owner, Properties, Report};

/// What of a file's properties a client is made of, and what is said.
fn told(side: Side, defaults: &[(&str, &str)], pairs: &[(&str, &str)]) -> (Option<ClientConfig>, String) {
    let keys: Vec<String> = pairs.iter().map(|(name, _)| format!("{}{name}", side.prefix())).collect();
    let written = keys.iter().map(String::as_str).zip(pairs.iter().map(|(_, value)| *value));
    let servers = [("kafka.bootstrap.servers", "h:9092")];
    let properties = Properties::of(&CHANNEL, servers.into_iter().chain(written));
    let owner = Owner { noun: "channel `c`".to_owned(), ..Owner::nobody() };
    let mut report = Report::default();
    let mut findings = Findings::new(&owner, &properties, &mut report);
    let client = super::super::client(side, &properties, defaults, &flow::Site::new(&[]), &mut findings);
    let made = client.and_then(|client| agreed(side, client, &mut findings));
    (made, report.to_string())
}

#[test]
fn a_producer_is_idempotent_unless_the_file_asks_for_what_no_such_producer_can() {
    const WITH: Option<&str> = Some("true");
    const WITHOUT: Option<&str> = Some("false");
    for (pairs, idempotent, said) in [
        (&[][..], WITH, ""),
        (&[("acks", "all")], WITH, ""),
        (&[("acks", "-1"), ("retries", "3"), ("max.in.flight.requests.per.connection", "5")], WITH, ""),
        (&[("acks", "1")], WITHOUT, "events that only one broker has are lost with it"),
        (&[("request.required.acks", "1")], WITHOUT, "`kafka.producer.request.required.acks = 1`"),
        (&[("acks", "0")], WITHOUT, "one that it does not take is lost; the channel is no safer than that"),
        (&[("retries", "0")], WITHOUT, "`kafka.producer.retries = 0`"),
        (&[("max.in.flight.requests.per.connection", "6")], WITHOUT, "may come twice and in another order"),
        (&[("max.in.flight", "1000")], WITHOUT, "`kafka.producer.max.in.flight = 1000`"),
        (&[("acks", "1"), ("enable.idempotence", "false")], WITHOUT, ""),
        (&[("enable.idempotence", "false")], WITHOUT, ""),
        // Java's client refuses these as well.
        (&[("acks", "1"), ("enable.idempotence", "true")], None, "`acks` must be set to `all`"),
        (&[("retries", "0"), ("enable.idempotence", "true")], None, "`retries` must be set >= 1"),
        (&[("acks", "1"), ("transactional.id", "t")], None, "kafka.producer.acks = 1`: no Kafka client"),
        (
            &[("transactional.id", "t"), ("enable.idempotence", "false")],
            None,
            "kafka.producer.transactional.id",
        ),
        (&[("transactional.id", "t"), ("delivery.timeout.ms", "60000")], WITH, ""),
    ] {
        let (made, report) = told(Side::Producer, &[("acks", "all"), ("linger.ms", "0")], pairs);
        assert_eq!(made.as_ref().and_then(|made| made.get(IDEMPOTENCE)), idempotent, "{pairs:?}: {report}");
        assert!(
            report.contains(said) && (!said.is_empty() || report.trim().is_empty()),
            "{pairs:?}: {report}"
        );
    }
}

#[test]
fn what_javas_consumer_takes_makes_a_client() {
    for (pairs, name, value) in [
        (&[][..], "message.max.bytes", None),
        (&[("fetch.max.bytes", "500000")], "message.max.bytes", Some("500000")),
        (&[("fetch.max.bytes", "1")], "fetch.max.bytes", Some("1000")),
        (&[("fetch.max.bytes", "1000000")], "message.max.bytes", None),
        (&[("fetch.max.bytes", "2147483647")], "fetch.max.bytes", Some("2147483135")),
        (&[("session.timeout.ms", "600000")], "max.poll.interval.ms", Some("600000")),
        (&[("max.poll.interval.ms", "5000")], "max.poll.interval.ms", Some("10000")),
        (&[("max.poll.interval.ms", "2147483647")], "max.poll.interval.ms", Some("86400000")),
        (&[("metadata.max.age.ms", "9223372036854775807")], "metadata.max.age.ms", Some("86400000")),
        (&[("reconnect.backoff.ms", "5000")], "reconnect.backoff.max.ms", Some("5000")),
        (&[("group.protocol", "consumer")], "session.timeout.ms", None),
        (&[("heartbeat.interval.ms", "20000")], "heartbeat.interval.ms", Some("20000")),
    ] {
        let (made, report) = told(Side::Consumer, &crate::source::DEFAULTS, pairs);
        let made = made.unwrap_or_else(|| panic!("{pairs:?}: {report}"));
        assert_eq!(made.get(name), value, "{pairs:?}: {report}");
    }
}

#[test]
fn what_no_client_can_be_made_of_is_refused_in_librdkafkas_words() {
    for (side, pairs, key, said) in [
        (
            Side::Consumer,
            &[("fetch.max.bytes", "50000000"), ("receive.message.max.bytes", "2000")][..],
            "kafka.consumer.receive.message.max.bytes",
            "must be >= `fetch.max.bytes` + 512",
        ),
        (
            Side::Consumer,
            &[("fetch.max.bytes", "5000"), ("message.max.bytes", "6000")],
            "kafka.consumer.fetch.max.bytes",
            "must be >= `message.max.bytes`",
        ),
        (
            Side::Producer,
            &[("linger.ms", "1"), ("queue.buffering.max.ms", "200"), ("message.timeout.ms", "100")],
            "kafka.producer.message.timeout.ms",
            "must be greater than `linger.ms`",
        ),
        (
            Side::Producer,
            &[("security.protocol", "SSL"), ("ssl.key.location", "no/such.pem")],
            "kafka.producer.ssl.key.location",
            "no Kafka client can be made",
        ),
    ] {
        let (made, report) = told(side, &[], pairs);
        assert!(made.is_none() && report.contains(key) && report.contains(said), "{pairs:?}: {report}");
    }
}

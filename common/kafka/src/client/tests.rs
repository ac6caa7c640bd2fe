use super::*;
use components::missing::kafka::{SINK, SOURCE};
use plan::{Owner, Report};

/// What a sink's file makes of a client, and what is said of it.
fn told(pairs: &[(&str, &str)]) -> (Option<ClientConfig>, String) {
    let servers = [("kafka.bootstrap.servers", "h:9092")];
    let properties = Properties::of(&SINK, servers.iter().chain(pairs).copied());
    let (owner, mut report) = (Owner::nobody(), Report::default());
    let mut findings = Findings::new(&owner, &properties, &mut report);
    let made = client(Side::Producer, &properties, &[], &Site::new(&[]), &mut findings);
    (made, report.to_string())
}

fn store(name: &str) -> String {
    format!("{}/../runtime/testdata/stores/{name}", env!("CARGO_MANIFEST_DIR"))
}

const PROTOCOL: &str = "kafka.producer.security.protocol";
const MECHANISM: &str = "kafka.producer.sasl.mechanism";
const JAAS: &str = "kafka.producer.sasl.jaas.config";
const PLAIN: &str =
    r#"org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="hunter2";"#;

#[test]
fn a_log_in_has_a_mechanism_and_a_line_that_can_be_read() {
    let of_sasl = |more: &[(&str, &str)]| told(&[&[(PROTOCOL, "SASL_SSL")], more].concat());
    for (more, said) in [
        (&[(JAAS, PLAIN)][..], "set PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512"),
        (&[(MECHANISM, "PLAIN"), (JAAS, PLAIN.trim_end_matches(';'))], "does not end with a semicolon"),
    ] {
        let (made, report) = of_sasl(more);
        assert!(made.is_none() && report.contains(said), "{more:?}: {report}");
        assert!(!report.contains("hunter2"), "{report}");
    }
    let (made, report) = of_sasl(&[(MECHANISM, "PLAIN"), (JAAS, PLAIN)]);
    assert_eq!(made.expect("a client").get("sasl.username"), Some("u"), "{report}");
}

#[test]
fn javas_stores_become_pem() {
    let (trust, own) = (store("trust.jks"), store("server.jks"));
    let given = |password| {
        told(&[
            (PROTOCOL, "SSL"),
            ("kafka.producer.ssl.truststore.location", &trust),
            ("kafka.producer.ssl.truststore.password", "changeit"),
            ("kafka.producer.ssl.keystore.location", &own),
            ("kafka.producer.ssl.keystore.password", password),
        ])
    };
    let (made, report) = given("changeit");
    let made = made.unwrap_or_else(|| panic!("{report}"));
    for key in ["ssl.ca.pem", "ssl.certificate.pem", "ssl.key.pem"] {
        assert!(made.get(key).is_some_and(|pem| pem.starts_with("-----BEGIN ")), "{key}");
    }
    let (made, report) = given("hunter2");
    assert!(made.is_none() && report.contains("ssl.keystore.location"), "{report}");
    assert!(!report.contains("hunter2"), "{report}");
}

#[test]
fn a_property_that_no_client_has_is_told_with_what_to_write_instead() {
    for (key, told) in [
        ("kafka.producer.ack", "`kafka.producer.acks`, if that is meant"),
        ("kafka.producer.wholly.unheard-of", "leave it out"),
    ] {
        let report = self::told(&[(key, "1")]).1;
        assert!(report.contains("is no property of a Kafka client") && report.contains(told), "{report}");
    }
    let consumer = |owner: &str| {
        let properties = Properties::of(
            &SOURCE,
            [("kafka.bootstrap.servers", "h:1"), ("kafka.consumer.timeout.ms", "1000")],
        );
        let (owner, mut report) = (Owner { noun: owner.to_owned(), ..Owner::nobody() }, Report::default());
        let mut findings = Findings::new(&owner, &properties, &mut report);
        client(Side::Consumer, &properties, &[], &Site::new(&[]), &mut findings).expect("a client");
        report.to_string()
    };
    assert!(consumer("source `r`").contains("`batchDurationMillis` does that"));
    assert!(consumer("channel `c`").contains("a sink has events as soon as they are read"));
}

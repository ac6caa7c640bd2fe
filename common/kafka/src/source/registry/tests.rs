use super::*;
use components::missing::kafka::SOURCE;
use plan::{Owner, Report};
use rpc::zookeeper::stand_in::{asked, give, greet, head, listen, say};
use wire::zookeeper::code::NO_NODE;

/// What a source's file makes of the brokers, and what is said of it.
fn told(pairs: &[(&str, &str)]) -> (Option<Brokers>, Report) {
    told_with(pairs, &[])
}

fn told_with(pairs: &[(&str, &str)], process: &[(&str, &str)]) -> (Option<Brokers>, Report) {
    let properties = Properties::of(&SOURCE, pairs.iter().copied());
    let (owner, mut report) = (Owner::nobody(), Report::default());
    let mut findings = Findings::new(&owner, &properties, &mut report);
    let process: Vec<_> =
        process.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let made = Brokers::new(&properties, &Site::new(&process), &mut findings);
    (made, report)
}

fn registry(pairs: &[(&str, &str)]) -> Registry {
    match told(pairs) {
        (Some(Brokers::Registered(registry)), report) => {
            assert!(report.to_string().contains("ZooKeeper is asked"), "{report}");
            registry
        }
        (_, report) => panic!("{report}"),
    }
}

#[test]
fn brokers_that_are_named_are_taken_and_zookeeper_is_asked_only_without_them() {
    let (both, report) = told(&[("zookeeperConnect", "zk:2181"), ("kafka.bootstrap.servers", "h:9092")]);
    assert!(matches!(both, Some(Brokers::Named(servers)) if servers == "h:9092"), "{report}");
    let found = registry(&[("zookeeperConnect", "z1:2181, z2:2182/kafka")]);
    assert_eq!(
        (found.to_string(), found.protocol.as_str()),
        ("z1:2181,z2:2182/kafka".to_owned(), "PLAINTEXT")
    );
    let found = registry(&[("zookeeperConnect", "zk"), ("kafka.consumer.security.protocol", "sasl_ssl")]);
    assert_eq!((found.to_string(), found.protocol.as_str()), ("zk:2181".to_owned(), "SASL_SSL"));
}

#[test]
fn a_zookeeper_that_cannot_be_reached_as_asked_is_refused_by_its_key() {
    for (value, part) in [("zk:x", "no port"), ("zk:2181//k", "is empty"), ("/kafka", "names no server")] {
        let (made, report) = told(&[("zookeeperConnect", value)]);
        let report = report.to_string();
        assert!(made.is_none() && report.contains("zookeeperConnect") && report.contains(part), "{report}");
    }
    let secure = [("zookeeper.client.secure", "true"), ("zookeeper.ssl.ocsp", "true")];
    let (made, report) = told_with(&[("zookeeperConnect", "zk")], &secure);
    assert!(made.is_none() && report.to_string().contains("zookeeper.ssl.ocsp: not supported"), "{report}");
}

#[test]
fn a_broker_of_any_release_says_where_it_listens() {
    for (node, protocol, server) in [
        (
            r#"{"jmx_port":-1,"timestamp":"1","host":"h","version":1,"port":9092}"#,
            "PLAINTEXT",
            Some("h:9092"),
        ),
        (r#"{"host":"h","version":1,"port":9092}"#, "SSL", None),
        (
            r#"{"version":2,"host":"h","port":9092,"endpoints":["PLAINTEXT://h:9092","SSL://h:9093"]}"#,
            "SSL",
            Some("h:9093"),
        ),
        (
            r#"{"listener_security_protocol_map":{"PLAINTEXT":"PLAINTEXT"},"endpoints":["PLAINTEXT://[::1]:9092"],
                "rack":"r","features":{},"host":null,"port":-1,"version":5}"#,
            "PLAINTEXT",
            Some("[::1]:9092"),
        ),
        (
            r#"{"listener_security_protocol_map":{"OUT":"SASL_SSL","IN":"PLAINTEXT"},
                "endpoints":["OUT://h:9093","IN://h:9092"],"host":null,"port":-1,"version":4}"#,
            "PLAINTEXT",
            Some("h:9092"),
        ),
        (
            r#"{"listener_security_protocol_map":{"IN":"SSL","SSL":"SSL"},"endpoints":["IN://h:1","SSL://h:2"],"version":4}"#,
            "SSL",
            Some("h:2"),
        ),
    ] {
        let broker = Broker::read(node.as_bytes()).unwrap();
        assert_eq!(broker.serves(protocol), server, "{node}");
    }
    for node in ["", "{}", "[1]", r#"{"endpoints":["h"]}"#, r#"{"host":"h"}"#] {
        assert!(Broker::read(node.as_bytes()).is_none(), "{node}");
    }
}

#[tokio::test]
async fn the_brokers_are_those_that_are_there_below_the_path() {
    let (listener, _) = listen().await;
    let place = format!("{}/kafka", listener.local_addr().unwrap());
    let server = async {
        let mut stream = greet(&listener, 60_000).await;
        let children = asked(&mut stream).await;
        assert_eq!(&children[12..children.len() - 1], b"/kafka/brokers/ids");
        let names = b"\0\0\0\x03\0\0\0\x0210\0\0\0\x012\0\0\0\x013";
        say(&mut stream, &[&head(&children, 0)[..], names].concat()).await;
        give(&mut stream, br#"{"endpoints":["PLAINTEXT://two:9092"]}"#).await;
        let gone = asked(&mut stream).await;
        assert_eq!(&gone[12..gone.len() - 1], b"/kafka/brokers/ids/3");
        say(&mut stream, &head(&gone, NO_NODE)).await;
        give(&mut stream, br#"{"endpoints":["PLAINTEXT://ten:9092"]}"#).await;
        let close = asked(&mut stream).await;
        say(&mut stream, &head(&close, 0)).await;
    };
    let registry = registry(&[("zookeeperConnect", &place)]);
    let ((), found) = tokio::join!(server, registry.look_up());
    assert_eq!(found.as_deref(), Ok("two:9092,ten:9092"));
}

#[tokio::test]
async fn why_there_is_no_broker_is_told_with_what_to_do() {
    let (listener, _) = listen().await;
    let registry = registry(&[("zookeeperConnect", &listener.local_addr().unwrap().to_string())]);
    let server = async {
        let mut stream = greet(&listener, 60_000).await;
        let children = asked(&mut stream).await;
        say(&mut stream, &head(&children, NO_NODE)).await;
    };
    let ((), found) = tokio::join!(server, registry.look_up());
    let why = found.unwrap_err();
    assert!(why.contains("there is no /brokers/ids") && why.contains("KRaft"), "{why}");
    let server = async {
        let mut stream = greet(&listener, 60_000).await;
        let children = asked(&mut stream).await;
        say(&mut stream, &[&head(&children, 0)[..], b"\0\0\0\x01\0\0\0\x011"].concat()).await;
        give(&mut stream, br#"{"endpoints":["SSL://h:9093"]}"#).await;
        let close = asked(&mut stream).await;
        say(&mut stream, &head(&close, 0)).await;
    };
    let ((), found) = tokio::join!(server, registry.look_up());
    let why = found.unwrap_err();
    assert!(why.contains("for PLAINTEXT") && why.contains("SSL://h:9093"), "{why}");
    drop(listener);
    let why = registry.look_up().await.unwrap_err();
    assert!(why.contains("refused"), "{why}");
}

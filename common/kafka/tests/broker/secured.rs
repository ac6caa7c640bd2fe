//! Brokers that ask for TLS, for a certificate, for a user and a password.

use super::source::lines_in;
use super::*;
use integration::stores::{PASSWORD, Secured, USER, key_store};
use rustix::process::Signal;

/// How a client logs in, as operators write it; `PREFIX` stands before each property.
fn mutual(trust: &str) -> String {
    format!(
        "PREFIX.security.protocol = SSL
PREFIX.ssl.truststore.location = {}
PREFIX.ssl.truststore.password = changeit
PREFIX.ssl.keystore.location = {}
PREFIX.ssl.keystore.password = changeit
PREFIX.ssl.key.password = changeit
PREFIX.ssl.disableTLSHostnameVerification = true
",
        key_store(trust),
        key_store("server.jks")
    )
}

fn login(protocol: &str, mechanism: &str, password: &str) -> String {
    let module = if mechanism == "PLAIN" { "plain.PlainLoginModule" } else { "scram.ScramLoginModule" };
    let mut text = format!(
        "PREFIX.security.protocol = {protocol}
PREFIX.sasl.mechanism = {mechanism}
PREFIX.sasl.jaas.config = org.apache.kafka.common.security.{module} required username=\"{USER}\" password=\"{password}\";
"
    );
    if protocol == "SASL_SSL" {
        text.push_str(&format!(
            "PREFIX.ssl.truststore.location = {}\nPREFIX.ssl.truststore.type = PKCS12\nPREFIX.ssl.truststore.password = changeit\n",
            key_store("root-trust.p12")
        ));
    }
    text
}

/// Name, port, and how to log in there.
fn ways(ports: Secured) -> [(&'static str, u16, String); 4] {
    [
        ("mutual", ports.mutual, mutual("trust.jks")),
        ("plain", ports.login, login("SASL_SSL", "PLAIN", PASSWORD)),
        ("scram256", ports.open, login("SASL_PLAINTEXT", "SCRAM-SHA-256", PASSWORD)),
        ("scram512", ports.login, login("SASL_SSL", "SCRAM-SHA-512", PASSWORD)),
    ]
}

fn sink(name: &str, channel: &str, topic: &str, port: u16, way: &str) -> String {
    let way = way.replace("PREFIX", &format!("a1.sinks.{name}.kafka.producer"));
    format!(
        "a1.sinks.{name}.type = org.apache.flume.sink.kafka.KafkaSink
a1.sinks.{name}.channel = {channel}
a1.sinks.{name}.kafka.topic = {topic}
a1.sinks.{name}.kafka.bootstrap.servers = 127.0.0.1:{port}
{way}"
    )
}

fn source(name: &str, topic: &str, port: u16, way: &str) -> String {
    let way = way.replace("PREFIX", &format!("a1.sources.{name}.kafka.consumer"));
    format!(
        "a1.sources.{name}.type = org.apache.flume.source.kafka.KafkaSource
a1.sources.{name}.channels = read
a1.sources.{name}.kafka.topics = {topic}
a1.sources.{name}.kafka.consumer.group.id = {topic}
a1.sources.{name}.kafka.consumer.auto.offset.reset = earliest
a1.sources.{name}.kafka.bootstrap.servers = 127.0.0.1:{port}
{way}"
    )
}

fn channel(topic: &str, port: u16, way: &str) -> String {
    let [put, take] =
        ["producer", "consumer"].map(|side| way.replace("PREFIX", &format!("a1.channels.chan.kafka.{side}")));
    format!(
        "a1.channels.chan.type = org.apache.flume.channel.kafka.KafkaChannel
a1.channels.chan.kafka.topic = {topic}
a1.channels.chan.kafka.bootstrap.servers = 127.0.0.1:{port}
{put}{take}"
    )
}

/// Events by HTTP, for the sinks and for the channel, and two sinks that write files.
const ROUND: &str = "
a1.sources.http.type = http
a1.sources.http.bind = 127.0.0.1
a1.sources.http.port = HTTP
a1.sources.put.type = http
a1.sources.put.bind = 127.0.0.1
a1.sources.put.port = PUT
a1.sources.put.channels = chan
a1.channels.read.type = memory
a1.channels.read.capacity = 1000
a1.channels.read.transactionCapacity = 1000
a1.sinks.out.type = file_roll
a1.sinks.out.sink.directory = OUT/read
a1.sinks.out.sink.rollInterval = 0
a1.sinks.out.sink.serializer = header_and_text
a1.sinks.out.channel = read
a1.sinks.taken.type = file_roll
a1.sinks.taken.sink.directory = OUT/taken
a1.sinks.taken.sink.rollInterval = 0
a1.sinks.taken.channel = chan
";

/// An agent that sends each event on each way, and reads it again.
fn round(http: [u16; 2], out: &Path, ways: &[(&str, u16, String)], chan: (u16, &str)) -> String {
    let mut text = ROUND.replace("HTTP", &http[0].to_string()).replace("PUT", &http[1].to_string());
    text = text.replace("OUT", &out.display().to_string());
    let listed = |before: &str| ways.iter().map(|(name, ..)| format!(" {before}{name}")).collect::<String>();
    text.push_str(&format!("a1.sources = http put{}\n", listed("r-")));
    text.push_str(&format!("a1.channels = chan read{}\n", listed("c-")));
    text.push_str(&format!("a1.sinks = out taken{}\n", listed("k-")));
    text.push_str(&format!("a1.sources.http.channels ={}\n", listed("c-")));
    for (name, port, way) in ways {
        text.push_str(&format!("a1.channels.c-{name}.type = memory\n"));
        text.push_str(&sink(&format!("k-{name}"), &format!("c-{name}"), name, *port, way));
        text.push_str(&source(&format!("r-{name}"), name, *port, way));
    }
    text + &channel("chan", chan.0, chan.1)
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn each_way_to_log_in_carries_events_and_a_wrong_one_is_told_and_waited_for() {
    let (broker, ports) = Broker::secured();
    make(&broker, &[("mutual", 1), ("plain", 1), ("scram256", 1), ("scram512", 1), ("chan", 1)]);
    let out = tempfile::tempdir().unwrap();
    for name in ["read", "taken"] {
        fs::create_dir(out.path().join(name)).unwrap();
    }
    let http = [free_port(), free_port()];
    let scram = |word| login("SASL_SSL", "SCRAM-SHA-512", word);
    let plain_port = broker.address().rsplit(':').next().and_then(|port| port.parse().ok()).unwrap();
    // The same names with something wrong: the authority, the password, no TLS for a port that speaks it, and the reverse.
    let wrong = [
        ("mutual", ports.mutual, mutual("authority-trust.p12")),
        ("plain", ports.login, login("SASL_SSL", "PLAIN", "hunter2")),
        ("scram256", ports.mutual, "PREFIX.security.protocol = PLAINTEXT\n".to_owned()),
        ("scram512", plain_port, scram(PASSWORD)),
    ];
    let mut node = Node::start(&round(http, out.path(), &wrong, (ports.login, &scram("hunter2"))));
    post(http[0], r#"[{"body": "line 0"}]"#);
    let told = [
        ("ssl.truststore.location", "is not one that the store of this property trusts"),
        ("sasl.jaas.config", "do not accept the user or the password"),
        ("security.protocol", "where the port speaks TLS or asks for a log-in, this property has to say so"),
        ("security.protocol", "no TLS, but this property asks for it"),
    ];
    for (key, words) in told {
        for side in ["producer", "consumer"] {
            let line = |line: &str| line.contains(words) && line.contains(&format!("`kafka.{side}.{key}`"));
            until(&format!("{side}: {words}"), || {
                !node.console.visit(0, |said| line(&said.text).then_some(())).is_empty()
            });
        }
    }
    assert_eq!(node.said("hunter2"), 0, "a password is printed");
    node.reload(&round(http, out.path(), &ways(ports), (ports.login, &scram(PASSWORD))));
    post(http[1], r#"[{"body": "line 0"}]"#);
    let topics = ["mutual", "plain", "scram256", "scram512"];
    until("each way has carried the event there and back", || {
        let read: Vec<String> = lines_in(&[&out.path().join("read")]).iter().map(|line| text(line)).collect();
        let came = |topic: &&str| read.iter().filter(|line| line.contains(&format!("topic={topic}"))).count();
        topics.iter().all(|topic| came(topic) == 1) && lines_in(&[&out.path().join("taken")]).len() == 1
    });
    node.process.signal(Signal::TERM);
    assert!(node.process.wait(LONG).is_some_and(|ended| ended.status.success()));
}

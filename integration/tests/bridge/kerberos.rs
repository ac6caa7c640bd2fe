//! What logs in by Kerberos: Flume's own class in a JVM.

use super::agent::{check, has_all};
use integration::{
    binaries,
    console::Console,
    flume::{
        Flume, Launch, Version,
        bridge::{environment_with_stores, home_with_stores},
    },
    limit, ports,
    solo::{Solo, until},
    stores::{BROKER_USER, Broker, Kdc},
};
use std::{fs, net::TcpStream, path::PathBuf, process::Command};

const USER: &str = "flume/localhost";

/// Each sends to the other one.
#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn thrift_with_kerberos_carries_events_from_and_to_real_flume() {
    let kdc = Kdc::start(&[USER]);
    let [ours, flumes] = [(); 2].map(|()| ports::free(&["127.0.0.1"]).expect("a port"));
    let agent = |listens: u16, sends: u16| {
        let file = format!(
            "a1.sources = r1 r2\na1.channels = c1 c2\na1.sinks = k1 k2\na1.channels.c1.type = memory\na1.channels.c2.type = memory\n\
             a1.channels.c2.capacity = 1000\n\
             a1.sources.r1.type = thrift\na1.sources.r1.channels = c1\na1.sources.r1.bind = localhost\na1.sources.r1.port = {listens}\n\
             a1.sources.r1.maxFrameBytes = 16384000\na1.sources.r1.kerberos = true\na1.sources.r1.agent-principal = {USER}@EXAMPLE.COM\na1.sources.r1.agent-keytab = KEYTAB\n\
             a1.sinks.k1.type = file_roll\na1.sinks.k1.channel = c1\na1.sinks.k1.sink.directory = DIR/out\n\
             a1.sources.r2.batchSize = 100\na1.sources.r2.type = exec\na1.sources.r2.channels = c2\na1.sources.r2.command = seq 1 500\n\
             a1.sinks.k2.type = thrift\na1.sinks.k2.channel = c2\na1.sinks.k2.hostname = localhost\na1.sinks.k2.port = {sends}\n\
             a1.sinks.k2.kerberos = true\na1.sinks.k2.client-principal = {USER}@EXAMPLE.COM\na1.sinks.k2.client-keytab = KEYTAB\n\
             a1.sinks.k2.server-principal = {USER}@EXAMPLE.COM\n"
        );
        file.replace("KEYTAB", &kdc.keytab().display().to_string())
    };
    let [here, there] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    for folder in [&here, &there] {
        fs::create_dir(folder.path().join("out")).expect("a folder");
    }
    let file = there.path().join("a1.properties");
    let text = agent(flumes, ours).replace("DIR/", &format!("{}/", there.path().display()));
    fs::write(&file, text).expect("a file");
    let (_, stores) = home_with_stores().unwrap_or_else(|why| panic!("{why}"));
    let launch =
        Launch { jvm: vec![kdc.option()], classes: Some(PathBuf::from(stores)), ..Launch::default() };
    let _flume = Flume::start_as(Version::V1_9, &file, "a1", there.path(), &launch, &Console::default())
        .expect("it starts");
    let mut words = environment_with_stores();
    words.push(format!("JAVA_OPTS={}", kdc.option()));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (output, said) = check(
        &words[1..],
        &agent(ours, flumes).replace("DIR/", &format!("{}/", here.path().display())),
        "a1",
    );
    assert_eq!(output.status.code(), Some(0), "{said}");
    for component in ["source `r1`", "sink `k2`"] {
        let told = format!(
            "{component} runs in a JVM with Flume's jars: only Flume's own class has `kerberos = true`"
        );
        assert!(said.contains(&told), "{said}");
    }
    assert!(said.contains("does not know `maxFrameBytes`, which has no effect there"), "{said}");
    let solo = Solo::start_in(here, &agent(ours, flumes), &words);
    solo.wait_for("Login successful for user flume/localhost@EXAMPLE.COM");
    until("all come here from real Flume", || has_all(&solo.path("out"), 500));
    until("all come from here to real Flume", || has_all(&there.path().join("out"), 500));
}

/// A topic that only who has logged in may write and read, by a sink, a source and a channel.
#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn kafka_with_kerberos_carries_events_by_flumes_own_classes() {
    let kdc = Kdc::start(&[USER, BROKER_USER]);
    let (broker, port) = Broker::of_kerberos(&kdc);
    let mut topics = broker.topics().expect("a client");
    for topic in ["by-sink", "by-channel"] {
        topics.ask(&format!("make {topic} 1")).expect("it is made");
    }
    let client = |owner: &str, side: &str| {
        format!(
            "a1.{owner}.kafka.{side}.security.protocol = SASL_PLAINTEXT\n\
             a1.{owner}.kafka.{side}.sasl.mechanism = GSSAPI\na1.{owner}.kafka.{side}.sasl.kerberos.service.name = kafka\n\
             a1.{owner}.kafka.{side}.sasl.jaas.config = {}\n",
            kdc.jaas(USER)
        )
    };
    let text = format!(
        "a1.sources = r1 r2 r3\na1.channels = c1 c2 c3\na1.sinks = k1 k2 k3\na1.channels.c1.type = memory\na1.channels.c2.type = memory\n\
         a1.channels.c1.capacity = 1000\na1.channels.c2.capacity = 1000\n\
         a1.sources.r1.type = exec\na1.sources.r1.command = seq 1 500\na1.sources.r1.channels = c1\n\
         a1.sinks.k1.type = org.apache.flume.sink.kafka.KafkaSink\na1.sinks.k1.channel = c1\na1.sinks.k1.kafka.topic = by-sink\na1.sinks.k1.kafka.bootstrap.servers = 127.0.0.1:{port}\n{}\
         a1.sources.r2.batchSize = 100\na1.sources.r2.type = org.apache.flume.source.kafka.KafkaSource\na1.sources.r2.channels = c2\na1.sources.r2.kafka.topics = by-sink\na1.sources.r2.kafka.bootstrap.servers = 127.0.0.1:{port}\n\
         a1.sources.r2.kafka.consumer.auto.offset.reset = earliest\na1.sources.r2.kafka.consumer.group.id = readers\n{}\
         a1.sinks.k2.type = file_roll\na1.sinks.k2.channel = c2\na1.sinks.k2.sink.directory = DIR/out\n\
         a1.channels.c3.type = org.apache.flume.channel.kafka.KafkaChannel\na1.channels.c3.kafka.topic = by-channel\na1.channels.c3.kafka.consumer.group.id = takers\na1.channels.c3.kafka.bootstrap.servers = 127.0.0.1:{port}\n{}{}\
         a1.sources.r3.type = exec\na1.sources.r3.command = seq 1 500\na1.sources.r3.channels = c3\n\
         a1.sinks.k3.type = file_roll\na1.sinks.k3.channel = c3\na1.sinks.k3.sink.directory = DIR/through\n",
        client("sinks.k1", "producer"),
        client("sources.r2", "consumer"),
        client("channels.c3", "producer"),
        client("channels.c3", "consumer"),
    );
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["out", "through"] {
        fs::create_dir(folder.path().join(name)).expect("a folder");
    }
    let mut words = environment_with_stores();
    words.push(format!("JAVA_OPTS={}", kdc.option()));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let solo = Solo::start_in(folder, &text, &words);
    for name in ["out", "through"] {
        until(name, || has_all(&solo.path(name), 500));
    }
}

/// By Flume's own client, in a JVM in place of ours.
#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn avro_client_logs_in_to_a_thrift_source() {
    let kdc = Kdc::start(&[USER]);
    let (port, keytab) = (ports::free(&["127.0.0.1"]).expect("a port"), kdc.keytab().display().to_string());
    let here = tempfile::tempdir().expect("a folder");
    fs::create_dir(here.path().join("out")).expect("a folder");
    let agent = format!(
        "a1.sources = r1\na1.channels = c1\na1.sinks = k1\na1.channels.c1.type = memory\n\
         a1.sources.r1.type = thrift\na1.sources.r1.channels = c1\na1.sources.r1.bind = localhost\na1.sources.r1.port = {port}\n\
         a1.sources.r1.kerberos = true\na1.sources.r1.agent-principal = {USER}@EXAMPLE.COM\na1.sources.r1.agent-keytab = {keytab}\n\
         a1.sinks.k1.type = file_roll\na1.sinks.k1.channel = c1\na1.sinks.k1.sink.directory = DIR/out\n"
    );
    let client = format!(
        "client.type = org.apache.flume.api.SecureThriftRpcClient\nhosts = h\nhosts.h = localhost:{port}\n\
         client-principal = {USER}@EXAMPLE.COM\nclient-keytab = {keytab}\nserver-principal = {USER}@EXAMPLE.COM\n"
    );
    fs::write(here.path().join("rpc"), client).expect("a file");
    let lines: String = (1..=100).map(|number| format!("{number}\n")).collect();
    fs::write(here.path().join("lines"), lines).expect("a file");
    let mut words = environment_with_stores();
    words.push(format!("JAVA_OPTS={}", kdc.option()));
    let solo = Solo::start_in(here, &agent, &words.iter().map(String::as_str).collect::<Vec<_>>());
    until("the source listens", || TcpStream::connect(("localhost", port)).is_ok());
    let mut command = Command::new("env");
    command.args(&words[1..]).arg(binaries::directory().expect("it is built").join("agent"));
    command.args(["avro-client", "-P"]).arg(solo.path("rpc")).arg("-F").arg(solo.path("lines"));
    let output = limit::output(&mut command);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    until("all come by the client", || has_all(&solo.path("out"), 100));
}

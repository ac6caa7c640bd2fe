//! Both ends of ours, with everything between them that a configuration can put there.

mod trust;

use super::*;
use crate::source::avro::{AvroSourceConfig, COMPONENT as SOURCE};
use crate::testing::{Heard, batch, memory_channel, numbers, source_context, start_source};
use flow::channel::ChannelRef;
use flow::message::{Delivered, Delivery};
use flow::source::SourceActor;
use runtime::net::TlsDefaults;
use runtime::within::Within;
use std::path::Path;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wire::avro::BatchId;

/// A store of `runtime/testdata/stores`.
fn store(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime/testdata/stores").join(name).display().to_string()
}

/// Keys as a line has them, `a=b c=d`; a value that is a file's name stands for the store of that name.
fn keys(of: &'static Component, text: &str, port: u16) -> plan::Properties {
    plan::Properties::of(&of.descriptor, pairs(text, port))
}

fn pairs(text: &str, port: u16) -> Vec<(String, String)> {
    let pairs = text.split(' ').filter_map(|word| word.split_once('=')).map(|(key, value)| {
        let value = if key.ends_with("store") { store(value) } else { value.replace('+', " ") };
        (key.to_owned(), value)
    });
    let own =
        [("bind", "127.0.0.1".to_owned()), ("hostname", "127.0.0.1".to_owned()), ("port", port.to_string())];
    pairs.chain(own.map(|(key, value)| (key.to_owned(), value))).collect()
}

/// A source that runs, and what it says.
struct Running {
    port: u16,
    channel: ChannelRef,
    source: Addr<SourceActor>,
    heard: Heard,
}

impl Running {
    async fn start(text: &str) -> Running {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let channel = memory_channel(&[("capacity", "100000"), ("transactionCapacity", "1000")]);
        let (mut context, mut ready) = source_context(&channel);
        let heard = Heard::default();
        context.log = slog::Logger::root(heard.clone(), slog::o!());
        let source = start_source(&crate::source::avro::COMPONENT, pairs(text, port), context);
        ready.recv().within("the source to be ready").await;
        Running { port, channel, source, heard }
    }

    async fn stop(self) -> Vec<String> {
        self.source.send(Stop).within("the stop").await.unwrap();
        self.heard.lines()
    }

    async fn connect(&self, text: &str) -> Result<Connection<PendingDelivery>, String> {
        Connection::open(&sink(text, self.port))
            .within("the handshake")
            .await
            .map_err(|error| error.to_string())
    }
}

fn sink(text: &str, port: u16) -> AvroSinkConfig {
    AvroSinkConfig::build(&keys(&super::COMPONENT, text, port), &TlsDefaults::default(), &mut Vec::new())
        .unwrap()
}

/// Commits what was delivered.
struct Settle;

impl Actor for Settle {
    type Context = Context<Self>;
}

impl Handler<Delivered> for Settle {
    type Result = ();

    fn handle(&mut self, delivered: Delivered, _: &mut Self::Context) {
        delivered.outcome.unwrap();
        delivered.deliveries.into_iter().for_each(|delivery| delivery.lease.commit());
    }
}

/// Sends the numbers to `count` and takes them out at the other end.
async fn carry(running: &Running, config: &AvroSinkConfig, count: u64) {
    let from = memory_channel(&[("capacity", "100000"), ("transactionCapacity", "1000")]);
    let (sender, mut all_pending) = mpsc::unbounded_channel();
    let settle = Settle.start().recipient();
    for start in (0..count).step_by(100) {
        from.put(batch(start..start + 100), flow::message::PutTimeout::KeepAlive)
            .within("room in the channel")
            .await
            .unwrap();
        let lease = from.take(100).within("events from the channel").await.unwrap();
        let id = BatchId { agent: 1, stream: 1, sequence: start / 100 };
        assert!(
            sender
                .send(PendingDelivery::new(Delivery { id, lease, doubt: false }, 0, settle.clone()))
                .is_ok()
        );
    }
    let mut connection = Connection::open(config).within("the handshake").await.unwrap();
    let (end, arrived) = tokio::join!(connection.run(&mut all_pending, || {}), async {
        let mut arrived = Vec::new();
        while (arrived.len() as u64) < count {
            let lease = running.channel.take(usize::MAX).within("events from the channel").await.unwrap();
            arrived.extend(numbers(lease.batches()));
            lease.commit();
        }
        // The last answer is on its way.
        settled(&from).within("the last answer").await;
        drop(sender);
        arrived
    });
    assert!(matches!(end, End::Stopped));
    assert_eq!(arrived, (0..count).collect::<Vec<_>>());
}

/// Until nothing is in the channel, nor leased.
async fn settled(channel: &ChannelRef) {
    while channel.fill().await.unwrap().events > 0 {
        tokio::task::yield_now().await;
    }
}

const SERVER: &str = "ssl=true keystore=server.jks keystore-password=changeit";
const CLIENT: &str = "ssl=true truststore=trust.jks truststore-password=changeit";
const VERSION_1: &str = "ssl=true keystore=version-1.p12 keystore-password=changeit";
const DEFLATE: &str = "compression-type=Deflate";

#[actix::test]
async fn events_pass_through_every_combination_in_order() {
    let both = |one: &str| format!("{one} {DEFLATE}");
    for (source, sink_keys) in [
        (String::new(), String::new()),
        (DEFLATE.to_owned(), format!("{DEFLATE} compression-level=9")),
        (DEFLATE.to_owned(), format!("{DEFLATE} compression-level=0")),
        (SERVER.to_owned(), CLIENT.to_owned()),
        (both(SERVER), both(CLIENT)),
    ] {
        let running = Running::start(&source).await;
        carry(&running, &sink(&sink_keys, running.port), 20_000).await;
        assert_eq!(running.stop().await, [""; 0], "{source}");
    }
}

/// 64 events of 1 MiB in one call, with the limits that nobody has set.
#[actix::test]
async fn a_batch_of_64_mib_arrives_whole() {
    let mut builder = event::BatchBuilder::default();
    let body = |number: u8| vec![number; 1 << 20];
    (0..64).for_each(|number| builder.push([], &body(number)));
    let big = builder.finish();
    for (source, sink_keys) in
        [("".to_owned(), "".to_owned()), (format!("{SERVER} {DEFLATE}"), format!("{CLIENT} {DEFLATE}"))]
    {
        let running = Running::start(&source).await;
        let from = memory_channel(&[]);
        from.put(big.clone(), flow::message::PutTimeout::KeepAlive)
            .within("room in the channel")
            .await
            .unwrap();
        let lease = from.take(100).within("events from the channel").await.unwrap();
        let id = BatchId { agent: 1, stream: 1, sequence: 0 };
        let (sender, mut all_pending) = mpsc::unbounded_channel();
        let pending =
            PendingDelivery::new(Delivery { id, lease, doubt: false }, 0, Settle.start().recipient());
        assert!(sender.send(pending).is_ok());
        let mut connection =
            Connection::open(&sink(&sink_keys, running.port)).within("the handshake").await.unwrap();
        let (end, ()) = tokio::join!(connection.run(&mut all_pending, || {}), async {
            let lease = running.channel.take(100).within("the events to arrive").await.unwrap();
            let events: Vec<_> = lease.batches().iter().flat_map(event::Batch::events).collect();
            assert!(events.len() == 64 && events.iter().zip(0..).all(|(event, n)| event.body() == body(n)));
            lease.commit();
            settled(&from).within("the last answer").await;
            drop(sender);
        });
        assert!(matches!(end, End::Stopped));
        assert_eq!(running.stop().await, [""; 0], "{source}");
    }
}

#[actix::test]
async fn a_source_takes_tls_around_zlib_as_well() {
    let running = Running::start(&format!("{SERVER} {DEFLATE}")).await;
    let mut config = sink(&format!("{CLIENT} {DEFLATE}"), running.port);
    config.layers = config.layers.with_tls_outside();
    carry(&running, &config, 20_000).await;
    assert_eq!(running.stop().await, [""; 0]);
}

#[actix::test]
async fn stores_protocols_and_cipher_suites_as_they_are_named_in_java() {
    let authority =
        "ssl=true truststore=authority-trust.p12 truststore-password=changeit truststore-type=JKS";
    for (source, sink_keys) in [
        ("ssl=true keystore=chain.p12 keystore-password=changeit keystore-type=JKS", authority),
        ("ssl=true keystore=legacy.p12 keystore-password=changeit keystore-type=PKCS12", authority),
        (
            "ssl=true keystore=legacy.p12 keystore-password=changeit",
            "ssl=true truststore=openssl-trust.p12 truststore-password=changeit",
        ),
        (SERVER, "ssl=true trust-all-certs=true"),
        (VERSION_1, "ssl=true truststore=version-1-trust.p12 truststore-password=changeit"),
        (
            VERSION_1,
            "ssl=true truststore=version-1-trust.p12 truststore-password=changeit include-protocols=TLSv1.2",
        ),
        (VERSION_1, "ssl=true trust-all-certs=true"),
        (SERVER, "ssl=true truststore=trust.jks"),
        (
            SERVER,
            "ssl=true truststore=trust.p12 truststore-password=changeit include-protocols=TLSv1.2+TLSv1.1",
        ),
        (
            "ssl=true keystore=server.jks keystore-password=changeit exclude-protocols=TLSv1.3 include-cipher-suites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            CLIENT,
        ),
        (
            "ssl=true keystore=chain.p12 keystore-password=changeit need-client-auth=true truststore=authority-trust.p12 truststore-password=changeit",
            "ssl=true truststore=authority-trust.p12 truststore-password=changeit keystore=client.p12 keystore-password=changeit",
        ),
    ] {
        let running = Running::start(source).await;
        carry(&running, &sink(sink_keys, running.port), 1_000).await;
        assert_eq!(running.stop().await, [""; 0], "{source}");
    }
}

#[actix::test]
async fn every_mismatch_has_one_clear_line_at_both_ends() {
    let (tls_zlib, client_zlib) = (&format!("{SERVER} {DEFLATE}"), &format!("{CLIENT} {DEFLATE}"));
    let stranger = "ssl=true truststore=authority-trust.p12 truststore-password=changeit";
    let wants_client = &format!(
        "{SERVER} need-client-auth=true truststore=authority-trust.p12 truststore-password=changeit"
    );
    let tls13 = &format!("{SERVER} include-protocols=TLSv1.3");
    let tls12 = &format!("{CLIENT} include-protocols=TLSv1.2");
    let same = "are `ssl` and `compression-type` the same on both sides?";
    for (source, sink_keys, at_source, at_sink) in [
        ("", CLIENT, "the peer speaks TLS, this port does not", same),
        (SERVER, "", "the peer does not speak TLS, this port does", "the peer speaks TLS"),
        ("", DEFLATE, "the peer compresses, this port does not", same),
        (DEFLATE, "", "the peer does not compress, this port does", same),
        (DEFLATE, CLIENT, "the peer speaks TLS, this port does not", same),
        (SERVER, client_zlib, "the peer compresses, this port does not", same),
        (
            tls_zlib,
            CLIENT,
            "the peer does not compress, this end does",
            "the peer compresses, this port does not",
        ),
        (tls_zlib, DEFLATE, "the peer does not speak TLS, this end does", ""),
        (tls_zlib, "", "the peer does not compress or speak TLS, this port does", ""),
        (
            SERVER,
            stranger,
            "the peer does not trust the certificate of this source",
            "its certificate is not trusted: neither it nor its authority",
        ),
        (tls13, tls12, "no protocol or cipher suite in common", "no protocol or cipher suite in common"),
        (
            wants_client,
            CLIENT,
            "the peer shows no certificate",
            "it wants a certificate, set `keystore` on this sink",
        ),
    ] {
        let running = Running::start(source).await;
        let refused = running.connect(sink_keys).await.err().unwrap();
        // A sink with both tries both orders.
        let lines = 1 + usize::from(sink_keys == client_zlib);
        running.heard.wait(lines).await;
        let heard = running.stop().await;
        let shown = format!(
            "source {source:?}, sink {sink_keys:?}\n  at the sink: {refused}\n  at the source: {heard:?}"
        );
        assert!(refused.contains(at_sink) && !refused.contains('\n'), "{shown}");
        assert!(
            heard.iter().all(|line| line.contains(at_source) && line.starts_with("127.0.0.1:")),
            "{shown}"
        );
        assert!(heard.len() == lines, "{shown}");
    }
}

#[actix::test]
async fn others_at_a_tls_port_are_told_apart() {
    for (bytes, words) in [
        (&b"GET / HTTP/1.1\r\n\r\n"[..], Some("the peer speaks HTTP")),
        (b"<13>Nov 22 some text\n", Some("the peer sends text")),
        (&[0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3], Some("the peer does not speak TLS")),
        (b"", None),
    ] {
        let running = Running::start(SERVER).await;
        let mut stream = runtime::net::TcpStream::connect(("127.0.0.1", running.port))
            .within("a connection")
            .await
            .unwrap();
        stream.write_all(bytes).within("a write").await.unwrap();
        stream.shutdown().within("the end of the stream").await.unwrap();
        let mut answer = Vec::new();
        let _reset = stream.read_to_end(&mut answer).within("the end of the stream").await;
        running.heard.wait(usize::from(words.is_some())).await;
        let heard = running.stop().await;
        assert_eq!(heard.len(), usize::from(words.is_some()), "{heard:?}");
        assert!(heard.iter().all(|line| line.contains(words.unwrap())), "{heard:?}");
    }
}

#[actix::test]
async fn whom_the_rules_do_not_let_in_is_gone_before_anything_else() {
    for (rules, allowed) in [
        ("allow:ip:127.*,deny:ip:*", true),
        ("deny:ip:127.0.0.?", false),
        ("allow:name:localhost,deny:ip:*", true),
        ("deny:name:*", false),
    ] {
        let running = Running::start(&format!("ipFilter=true ipFilterRules={rules}")).await;
        assert_eq!(running.connect("").await.is_ok(), allowed, "{rules}");
        let heard = running.stop().await;
        assert_eq!(heard.len(), usize::from(!allowed), "{heard:?}");
        assert!(heard.iter().all(|line| line.contains("ipFilterRules")), "{heard:?}");
    }
}

#[actix::test]
async fn what_the_process_says_counts_for_who_says_nothing() {
    let properties = [
        ("javax.net.ssl.keyStore", store("server.jks")),
        ("javax.net.ssl.trustStore", store("trust.p12")),
        ("javax.net.ssl.trustStorePassword", "changeit".to_owned()),
        ("flume.ssl.include.protocols", "TLSv1.2,TLSv1.1".to_owned()),
    ];
    let properties = properties.map(|(key, value)| (key.to_owned(), value));
    let tls_defaults = TlsDefaults::new(&properties, |name| {
        (name == "FLUME_SSL_KEYSTORE_PASSWORD").then(|| "changeit".to_owned())
    });
    let mut notes = Vec::new();
    AvroSourceConfig::build(&keys(&SOURCE, "ssl=true", 1), &tls_defaults, &mut notes).unwrap();
    AvroSinkConfig::build(&keys(&super::COMPONENT, "ssl=true", 1), &tls_defaults, &mut notes).unwrap();
    assert!(notes.len() == 2 && notes.iter().all(|note| note.contains("TLSv1.1")), "{notes:?}");
    let own = keys(&SOURCE, "ssl=true keystore=chain.p12 keystore-password=wrong", 1);
    let error = AvroSourceConfig::build(&own, &tls_defaults, &mut notes).unwrap_err().to_string();
    assert!(error.contains("chain.p12: does not open"), "{error}");
    let wrong =
        TlsDefaults::new(&properties[..1], |name| name.ends_with("_PASSWORD").then(|| "wrong".to_owned()));
    let error =
        AvroSourceConfig::build(&keys(&SOURCE, "ssl=true", 1), &wrong, &mut notes).unwrap_err().to_string();
    assert!(error.contains("server.jks, set for the whole process, does not open"), "{error}");
    assert!(error.starts_with("javax.net.ssl.keyStore: "), "{error}");
}

#[test]
fn what_cannot_be_used_is_told_before_anything_starts() {
    let at_source = |text: &str| {
        AvroSourceConfig::build(&keys(&SOURCE, text, 1), &TlsDefaults::default(), &mut Vec::new())
            .unwrap_err()
            .to_string()
    };
    let at_sink = |text: &str| {
        AvroSinkConfig::build(&keys(&super::COMPONENT, text, 1), &TlsDefaults::default(), &mut Vec::new())
            .unwrap_err()
            .to_string()
    };
    for (said, words) in [
        (at_source("ssl=true"), "keystore is not set: the JKS or PKCS12 file"),
        (at_source("ssl=true keystore=server.jks"), "keystore-password is not set"),
        (
            at_source("ssl=true keystore=server.jks keystore-password=secret"),
            "server.jks: does not open: the password is wrong",
        ),
        (
            at_source("ssl=true keystore=none.jks keystore-password=secret"),
            "none.jks: cannot be read: No such file",
        ),
        (
            at_source("ssl=true keystore=trust.jks keystore-password=changeit"),
            "trust.jks: holds no private key",
        ),
        (
            at_source("ssl=true keystore=server.jks keystore-password=changeit include-protocols=TLSv1.1"),
            "there are: TLSv1.3 TLSv1.2",
        ),
        (at_source("ipFilter=true"), "ipFilterRules is not set"),
        (at_source("ipFilter=true ipFilterRules=allow:10.*"), "`allow:10.*` is no rule"),
        (at_sink("ssl=true truststore=trust.p12"), "trust.p12: is encrypted, and no password is set"),
        (at_sink("ssl=true truststore=trust.jks truststore-password=secret"), "the password is wrong"),
        (at_sink("compression-type=deflate compression-level=10"), "compression-level = 10"),
    ] {
        assert!(said.contains(words) && !said.contains("secret"), "{said}");
    }
}

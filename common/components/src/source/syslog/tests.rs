use super::COMPONENTS;
use crate::testing::{Listening, free_port, memory_channel, said_of_source};
use flow::channel::ChannelRef;
use flow::message::Stop;
use runtime::net::{TcpListener, TcpStream, UdpSocket};
use runtime::within::Within;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

const TCP: usize = 0;
const MULTIPORT: usize = 1;
const UDP: usize = 2;

/// One of the sources at a free port, with these keys besides; `PORT` in a value is that port.
async fn start(which: usize, channel: &ChannelRef, keys: &[(&str, &str)]) -> Listening {
    let place = [("host", "127.0.0.1"), (if which == MULTIPORT { "ports" } else { "port" }, "PORT")];
    Listening::start(COMPONENTS[which], channel, place.into_iter().chain(keys.iter().copied())).await
}

impl Listening {
    async fn send(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = self.connect().await;
        stream.write_all(bytes).within("a write").await.unwrap();
        stream
    }
}

/// So many events of the channel, as `{NAME=VALUE, ...} BODY`, in the order of their names.
async fn events(channel: &ChannelRef, wanted: usize) -> Vec<String> {
    let mut events = Vec::new();
    let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
    while events.len() < wanted {
        let lease = channel.take(100).within("an event").await.unwrap();
        for event in lease.batches().iter().flat_map(event::Batch::events) {
            let mut headers: Vec<_> =
                event.headers().map(|(name, value)| format!("{}={}", text(name), text(value))).collect();
            headers.sort();
            events.push(format!("{{{}}} {}", headers.join(", "), text(event.body())));
        }
        lease.commit();
    }
    events
}

#[actix::test]
async fn messages_come_whole_however_they_are_sent() {
    let channel = memory_channel(&[]);
    let stage = start(TCP, &channel, &[("clientIPHeader", "from")]).await;
    let mut stream = stage.connect().await;
    stream.set_nodelay(true).unwrap();
    for byte in b"<34>1 - h one\n\n<13>two" {
        stream.write_all(&[*byte]).within("a write").await.unwrap();
    }
    assert_eq!(
        events(&channel, 1).await,
        ["{Facility=4, Severity=2, from=127.0.0.1, host=h, priority=34, version=1} one"]
    );
    drop(stream);
    assert_eq!(
        events(&channel, 1).await,
        ["{Facility=1, Severity=5, from=127.0.0.1} <13>two"],
        "the end of the connection ends the message"
    );
    assert!(stage.heard.lines().is_empty());
}

#[actix::test]
async fn what_is_no_message_or_too_long_is_told() {
    let channel = memory_channel(&[]);
    let stage = start(TCP, &channel, &[("eventSize", "20")]).await;
    let _stream = stage.send(b"<34>1 - h 12345678901234567890\n").await;
    assert_eq!(
        events(&channel, 2).await,
        [
            "{Facility=4, Severity=2, flume.syslog.status=Incomplete, host=h, priority=34, version=1} 1234567890",
            "{Facility=0, Severity=0, flume.syslog.status=Invalid} 1234567890"
        ]
    );
    let lines = stage.heard.lines();
    assert!(lines[0].contains("raise eventSize") && lines[1].contains("no syslog message"), "{lines:?}");
}

#[actix::test]
async fn a_sender_waits_while_the_channel_is_full_and_nothing_is_lost() {
    let channel = memory_channel(&[("capacity", "10"), ("transactionCapacity", "5"), ("keep-alive", "0")]);
    let stage = start(TCP, &channel, &[]).await;
    let lines: String = (0..1000).map(|number| format!("<1>1 - h {number}\n")).collect();
    let _stream = stage.send(lines.as_bytes()).await;
    let bodies: Vec<_> = events(&channel, 1000)
        .await
        .iter()
        .map(|event| event.rsplit_once(' ').unwrap().1.to_owned())
        .collect();
    assert_eq!(bodies, (0..1000).map(|number| number.to_string()).collect::<Vec<_>>());
    assert!(stage.heard.lines().is_empty());
}

#[actix::test]
async fn each_of_several_ports_has_its_charset_and_its_header() {
    let channel = memory_channel(&[]);
    let other = free_port().await.to_string();
    let both = format!("PORT {other}");
    let latin = format!("charset.port.{other}");
    let keys = [("ports", both.as_str()), ("portHeader", "port"), (&latin, "ISO-8859-1"), ("batchSize", "1")];
    let stage = start(MULTIPORT, &channel, &keys).await;
    let _first = stage.send(b"<34>1 - h caf\xe9\n").await;
    let expected = format!("{{flume.syslog.status=Invalid, port={}}} <34>1 - h caf\\xe9", stage.port);
    assert_eq!(events(&channel, 1).await, [expected]);
    let mut second = TcpStream::connect(format!("127.0.0.1:{other}")).within("a connection").await.unwrap();
    second.write_all(b"<34>1 2003-10-11T22:14:15.003Z h caf\xe9\n").await.unwrap();
    let headers = "Facility=4, Priority=34, Severity=2, Version=1, host=h";
    let expected = format!("{{{headers}, port={other}, timestamp=1065910455003}} caf\\xe9");
    assert_eq!(events(&channel, 1).await, [expected]);
}

#[actix::test]
async fn a_port_that_is_taken_does_not_keep_the_others_shut() {
    let channel = memory_channel(&[]);
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ports = format!("{} PORT", taken.local_addr().unwrap().port());
    let stage = start(MULTIPORT, &channel, &[("ports", &ports)]).await;
    assert!(stage.heard.lines()[0].contains("the port is in use"), "{:?}", stage.heard.lines());
    let _stream = stage.send(b"<34>Oct 11 22:14:15 h x\n").await;
    assert!(events(&channel, 1).await[0].ends_with("} x"));
}

#[actix::test]
async fn the_first_line_of_a_datagram_is_a_message_of_any_length() {
    let channel = memory_channel(&[]);
    let stage = start(UDP, &channel, &[("clientIPHeader", "from"), ("keepFields", "priority")]).await;
    let sender = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let long = format!("<34>1 - h {}\nrest", "x".repeat(60_000));
    for datagram in ["", "\n", &long, "no priority"] {
        sender.send_to(datagram.as_bytes(), ("127.0.0.1", stage.port)).await.unwrap();
    }
    let found = events(&channel, 2).await;
    let head = "{Facility=4, Severity=2, from=127.0.0.1, host=h, priority=34, version=1} <34>xxx";
    assert!(found[0].starts_with(head) && found[0].len() == head.len() + 60_000 - 3, "{:.100}", found[0]);
    let none = "{Facility=0, Severity=0, flume.syslog.status=Invalid, from=127.0.0.1} no priority";
    assert_eq!(found[1], none);
}

#[actix::test]
async fn a_stop_stores_what_has_come_and_closes() {
    let channel = memory_channel(&[]);
    let stage = start(TCP, &channel, &[]).await;
    let _stream = stage.send(b"<34>1 - h one\nhalf").await;
    assert!(events(&channel, 1).await[0].ends_with("} one"));
    stage.source.send(Stop).within("the stop").await.unwrap();
    assert!(TcpStream::connect(("127.0.0.1", stage.port)).within("a refusal").await.is_err());
}

/// The client that every Linux has.
#[actix::test]
async fn what_logger_sends_is_read() {
    let channel = memory_channel(&[]);
    for (which, transport) in [(TCP, "--tcp"), (UDP, "--udp"), (MULTIPORT, "--tcp")] {
        let stage = start(which, &channel, &[]).await;
        for form in ["--rfc5424", "--rfc3164"] {
            let mut logger = Command::new("logger");
            logger.args([transport, form, "--server", "127.0.0.1", "--port", &stage.port.to_string()]);
            logger.args(["--priority", "local0.warning", "--tag", "tests", "a word"]);
            let Ok(status) = logger.status().within("logger").await else {
                assert!(std::env::var_os("CI").is_none(), "logger is not installed, and CI is to have it");
                return eprintln!("logger is not installed: nothing is tested");
            };
            assert!(status.success());
            let event = events(&channel, 1).await.remove(0);
            let has = |part: &str| assert!(event.contains(part), "{form} {transport}: {event}");
            ["Facility=16, ", "Severity=4, ", "riority=132, ", "timestamp=1", "a word"]
                .into_iter()
                .for_each(has);
            assert!(!event.contains("flume.syslog.status") && event.contains("host="), "{event}");
        }
    }
}

#[test]
fn properties_that_cannot_be_are_refused() {
    let tcp = |more: (&str, &str)| said_of_source("syslogtcp", &[("host", "h"), ("port", "1"), more]);
    assert_eq!(tcp(("eventSize", "5000")), "");
    for (key, value, why) in [
        ("format.regex", "(", "format.regex"),
        ("ssl", "true", "no `keystore`"),
        ("eventSize", "0", "eventSize"),
    ] {
        assert!(tcp((key, value)).contains(why), "{key}: {}", tcp((key, value)));
    }
    for (key, value, why) in [
        ("ports", "1 x", "`x` is no port"),
        ("charset.port.1", "nonsense", "charset"),
        ("charset.port.x", "UTF-8", "must be a port"),
        ("batchSize", "101", "transactionCapacity"),
    ] {
        let said = said_of_source("multiport_syslogtcp", &[("ports", "1 2"), (key, value)]);
        assert!(said.contains(why), "{key}: {said}");
    }
}

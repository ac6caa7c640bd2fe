//! Released client programs, and nodes that speak Thrift.

use super::{PATIENCE, Receiver, port, wait};
use integration::{
    binaries,
    flume::{
        self, Version, client,
        oracle::{Node, Side},
    },
    limit,
};
use std::{collections::BTreeMap, fs, io, net::IpAddr, process::Command};

/// Every released client program into two collectors of a kind, one of which is killed for the clients that can do
/// without it.
pub(super) fn clients(side: &Side) {
    flume::require();
    let scene = tempfile::tempdir().expect("a folder");
    let mut one = Receiver::new(side, "one", scene.path());
    let two = Receiver::new(side, "two", scene.path());
    let hosts = format!("hosts = a b\nhosts.a = 127.0.0.1:{}\nhosts.b = 127.0.0.1:{}\n", one.port, two.port);
    let file = scene.path().join("input.txt");
    fs::write(&file, (0..12).map(|n| format!("file-{n}\n")).collect::<String>()).expect("a file");
    let (port, input) = (one.port.to_string(), file.display().to_string());
    for version in Version::ALL {
        let default = format!("hosts = a\nhosts.a = 127.0.0.1:{port}\n");
        finish(client::sdk(version, &default, 250, 250, &format!("sdk{version:?}"), scene.path()));
        finish(client::sdk(version, &default, 10, 1, &format!("append{version:?}"), scene.path()));
        let balance = format!("client.type = default_loadbalance\n{hosts}");
        finish(client::sdk(version, &balance, 100, 10, &format!("balance{version:?}"), scene.path()));
        finish(client::avro_client(
            version,
            &["-H", "127.0.0.1", "-p", &port, "-F", &input],
            None,
            scene.path(),
        ));
    }
    finish(client::log4j1(one.port, 20, "log4j1", scene.path()));
    finish(client::log4j2(&[one.port, two.port], 20, "log4j2", scene.path()));
    let whole = 2 * (250 + 10 + 50 + 12) + 20 + 20;
    wait(&format!("{whole} lines at one and 100 at the other"), || {
        one.lines().len() >= whole && two.lines().len() >= 100
    });
    assert_eq!((one.lines().len(), two.lines().len()), (whole, 100));
    in_order(&one.lines());
    in_order(&two.lines());
    has_its_headers(&one.lines(), "one");

    one.kill();
    let failover = format!("client.type = default_failover\n{hosts}");
    finish(client::sdk(Version::V1_9, &failover, 50, 10, "failover19", scene.path()));
    finish(client::sdk(Version::V1_11, &failover, 50, 10, "failover111", scene.path()));
    finish(client::log4j2(&[one.port, two.port], 20, "log4j2", scene.path()));
    wait("220 lines at the other", || two.lines().len() >= 220);
    in_order(&two.lines()[100..]);
    has_its_headers(&two.lines(), "two");
}

/// Lines of a sender over Thrift, in either protocol, and the calls of the released clients.
pub(super) fn over_thrift(sender: &Side, receiver: &Side) {
    flume::require();
    for protocol in ["compact", "binary"] {
        let scene = tempfile::tempdir().expect("a folder");
        let dir = scene.path();
        fs::create_dir_all(dir.join("out")).expect("a folder");
        let port = port();
        let start = |side: &Side, name: &str, text: &str| {
            let text = text.replace("$PORT", &port.to_string()).replace("$PROTOCOL", protocol);
            let file = dir.join(name);
            fs::write(&file, text.replace("$DIR", &dir.display().to_string())).expect("a file");
            Node::start(side, &file, "a1", dir).expect("a process")
        };
        let _receiver = start(receiver, "receiver.properties", THRIFT_RECEIVER);
        let _sender = start(sender, "sender.properties", THRIFT_SENDER);
        let written = Receiver { side: receiver.clone(), dir: dir.to_path_buf(), port, node: None };
        wait("300 lines over Thrift", || written.lines().len() >= 300);
        let expected: Vec<String> = (1..=300).map(|number| format!("{{}} {number}")).collect();
        assert_eq!(written.lines(), expected);
        for (number, version) in Version::ALL.into_iter().enumerate() {
            let how = format!(
                "client.type = thrift\nprotocol = {protocol}\nhosts = a\nhosts.a = 127.0.0.1:{port}\n"
            );
            finish(client::sdk(version, &how, 50, 10, "batch", dir));
            finish(client::sdk(version, &how, 5, 1, "single", dir));
            let all = 300 + 55 * (number + 1);
            wait(&format!("{all} lines over Thrift"), || written.lines().len() >= all);
        }
        assert_eq!(written.lines().len(), 410);
        let names =
            |line: &&String| parts(line).0.get("name").is_some_and(|name| ["batch", "single"].contains(name));
        assert_eq!(written.lines().iter().filter(names).count(), 110);
        let how =
            format!("client.type = thrift\nprotocol = {protocol}\nhosts = a\nhosts.a = 127.0.0.1:{port}\n");
        fs::write(dir.join("client.properties"), how).expect("a file");
        fs::write(
            dir.join("log"),
            (0..120).map(|number| format!("of a file {number}\n")).collect::<String>(),
        )
        .expect("a file");
        let mut command = Command::new(binaries::directory().expect("it is built").join("agent"));
        command.args(["avro-client", "-P", "client.properties", "-F", "log"]).current_dir(dir);
        let sent = limit::output(&mut command);
        assert!(sent.status.success() && sent.stderr.is_empty(), "{sent:?}");
        wait("the lines of the file", || written.lines().len() >= 530);
        let expected: Vec<String> = (0..120).map(|number| format!("{{}} of a file {number}")).collect();
        assert_eq!(written.lines()[410..], expected);
    }
}

const THRIFT_RECEIVER: &str = "a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.channels.c1.type = memory
a1.channels.c1.capacity = 1000
a1.sources.r1.type = thrift
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = $PORT
a1.sources.r1.protocol = $PROTOCOL
a1.sources.r1.channels = c1
a1.sinks.k1.type = file_roll
a1.sinks.k1.channel = c1
a1.sinks.k1.sink.directory = $DIR/out
a1.sinks.k1.sink.rollInterval = 0
a1.sinks.k1.sink.serializer = header_and_text
";

const THRIFT_SENDER: &str = "a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.channels.c1.type = memory
a1.channels.c1.capacity = 1000
a1.sources.r1.type = exec
a1.sources.r1.command = seq 1 300
a1.sources.r1.channels = c1
a1.sinks.k1.type = thrift
a1.sinks.k1.channel = c1
a1.sinks.k1.hostname = 127.0.0.1
a1.sinks.k1.port = $PORT
a1.sinks.k1.protocol = $PROTOCOL
";

fn finish(client: io::Result<client::Client>) {
    let (ended, lines) = client.expect("a JVM").finish(PATIENCE).expect("it ends");
    assert!(ended.status.success(), "{lines:#?}");
}

/// The headers and the body of a line that a receiver wrote.
fn parts(line: &str) -> (BTreeMap<&str, &str>, &str) {
    let (headers, body) = line.strip_prefix('{').and_then(|line| line.split_once("} ")).expect("headers");
    let pairs = headers.split(", ").filter(|pair| !pair.is_empty());
    (pairs.map(|pair| pair.split_once('=').expect("key=value")).collect(), body)
}

/// Each line has what its client gives it and the name of the receiver, and nothing else.
fn has_its_headers(lines: &[String], receiver: &str) {
    for line in lines {
        let (mut headers, body) = parts(line);
        assert_eq!(headers.remove("Collector"), Some(receiver), "{line}");
        let (name, number) = body.rsplit_once('-').expect("name-n");
        let is_time = |text: &str| text.parse::<u64>().is_ok_and(|time| time > 1_500_000_000_000);
        match name {
            "file" => assert!(headers.is_empty(), "{line}"),
            "log4j1" => {
                let time = headers.remove("flume.client.log4j.timestamp");
                assert!(time.is_some_and(is_time), "{line}");
                let host = headers.remove("flume.client.log4j.address");
                assert!(host.is_some_and(|host| host.parse::<IpAddr>().is_ok()), "{line}");
                assert_eq!(headers, BTreeMap::from(LOG4J1_HEADERS), "{line}");
            }
            "log4j2" => {
                assert!(headers.remove("timeStamp").is_some_and(is_time), "{line}");
                assert!(headers.remove("guId").is_some_and(|id| id.len() == 36), "{line}");
                assert!(headers.is_empty(), "{line}");
            }
            _ => assert_eq!(headers, BTreeMap::from([("n", number), ("name", name)]), "{line}"),
        }
    }
}

/// The bodies `name-n` of each name have rising numbers.
fn in_order(lines: &[String]) {
    let mut last = BTreeMap::new();
    for line in lines {
        let (name, number) = line.rsplit(' ').next().and_then(|body| body.rsplit_once('-')).expect("name-n");
        let number: usize = number.parse().expect("a number");
        let before = last.insert(name.to_owned(), number);
        // The two halves of `file` are the same file, sent by one release and then by the other.
        assert!(before.is_none_or(|before| before < number || number == 0), "{before:?} before {line}");
    }
}

/// What the Log4j 1 appender says of a line besides when and from where.
const LOG4J1_HEADERS: [(&str, &str); 3] = [
    ("flume.client.log4j.log.level", "20000"),
    ("flume.client.log4j.logger.name", "Log4j1Lines"),
    ("flume.client.log4j.message.encoding", "UTF8"),
];

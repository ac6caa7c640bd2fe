//! Ours and released Flume side by side: whoever sends, whoever receives, every line arrives once and in order.
//!
//! A sender follows a file and has a group of two sinks. A receiver writes what comes, headers and body, into a folder.
//! Only the kind of each changes from test to test; `flume_to_flume` shows what the scene itself does.

use integration::{
    binaries,
    flume::{
        self, Version, client,
        oracle::{Node, Side},
    },
    limit,
};
use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::{self, Write},
    net::{IpAddr, Ipv4Addr, TcpListener, TcpStream},
    ops::Range,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

/// A collector on a port and in a folder that it keeps over its lives.
struct Receiver {
    side: Side,
    dir: PathBuf,
    port: u16,
    node: Option<Node>,
}

impl Receiver {
    fn new(side: &Side, name: &str, scene: &Path) -> Receiver {
        let dir = scene.join(name);
        fs::create_dir_all(dir.join("out")).expect("a folder");
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|held| held.local_addr());
        let mut receiver =
            Receiver { side: side.clone(), dir, port: port.expect("a port").port(), node: None };
        receiver.start();
        receiver
    }

    /// Starts it and waits until its port is open.
    fn start(&mut self) {
        let name = self.dir.file_name().and_then(|name| name.to_str()).expect("a name");
        let text = RECEIVER
            .replace("$PORT", &self.port.to_string())
            .replace("$DIR", &self.dir.display().to_string())
            .replace("$NAME", name);
        let file = self.dir.join("receiver.properties");
        fs::write(&file, text).expect("a file");
        self.node = Some(Node::start(&self.side, &file, "a1", &self.dir).expect("a process"));
        let open = || TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok();
        assert!(wait(open), "{:#?}", self.node.as_ref().map(|node| node.console.lines_from(0)));
    }

    /// `kill -9`, and the port is closed.
    fn kill(&mut self) {
        if let Some(mut node) = self.node.take() {
            node.process.kill();
        }
    }

    /// Headers and body of each event, in order, over all lives.
    fn lines(&self) -> Vec<String> {
        let mut files: Vec<PathBuf> = fs::read_dir(self.dir.join("out"))
            .expect("it is there")
            .flatten()
            .map(|entry| entry.path())
            .collect();
        files.sort();
        let text: String = files.iter().map(|file| fs::read_to_string(file).unwrap_or_default()).collect();
        text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')).map(str::to_owned).collect()
    }
}

/// An agent that follows `lines.log`.
struct Sender {
    dir: PathBuf,
    node: Node,
}

impl Sender {
    fn start(side: &Side, to: [u16; 2], scene: &Path) -> Sender {
        let dir = scene.join("sender");
        fs::create_dir_all(&dir).expect("a folder");
        let text = SENDER
            .replace("$PORT1", &to[0].to_string())
            .replace("$PORT2", &to[1].to_string())
            .replace("$DIR", &dir.display().to_string());
        let file = dir.join("sender.properties");
        fs::write(&file, text).expect("a file");
        append(&dir, 0..0).expect("the followed file");
        let node = Node::start(side, &file, "agent1", &dir).expect("a process");
        Sender { dir, node }
    }

    fn feed(&self, lines: Range<usize>) {
        append(&self.dir, lines).expect("the followed file");
    }
}

fn append(dir: &Path, lines: Range<usize>) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(dir.join("lines.log"))?;
    file.write_all(lines.map(|n| format!("line {n} of the lesson\n")).collect::<String>().as_bytes())
}

/// What a receiver of this name writes for these lines.
fn written(name: &str, lines: Range<usize>) -> Vec<String> {
    lines.map(|n| format!("{{Collector={name}, Type=LOGIN}} line {n} of the lesson")).collect()
}

fn wait(done: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        if Instant::now() > deadline {
            return false;
        }
        thread::sleep(Duration::from_millis(50));
    }
    true
}

fn expect(receiver: &Receiver, sender: &Sender, wanted: &[String]) {
    let all = || receiver.lines().len() >= wanted.len();
    let came = wait(all);
    let found = receiver.lines();
    let last = || -> Vec<String> {
        let lines = sender.node.console.lines_from(0);
        lines.iter().rev().take(15).rev().map(|line| line.text.clone()).collect()
    };
    assert!(came, "{} of {} lines; the sender's last: {:#?}", found.len(), wanted.len(), last());
    let first = found.iter().zip(wanted).find(|(found, wanted)| found != wanted);
    assert_eq!(first, None, "{} lines", found.len());
    assert_eq!(found.len(), wanted.len());
}

/// The drill: all to the first; it is killed and all goes to the second; it is back and so are the lines.
fn drill(sender: &Side, first: &Side, second: &Side) {
    flume::require();
    let scene = tempfile::tempdir().expect("a folder");
    let mut primary = Receiver::new(first, "primary", scene.path());
    let standby = Receiver::new(second, "standby", scene.path());
    let sender = Sender::start(sender, [primary.port, standby.port], scene.path());

    sender.feed(0..300);
    expect(&primary, &sender, &written("primary", 0..300));
    primary.kill();
    sender.feed(300..600);
    expect(&standby, &sender, &written("standby", 300..600));
    primary.start();
    // The sender may have found it dead once more in the meantime, and lets it rest for at most four seconds.
    thread::sleep(Duration::from_secs(7));
    sender.feed(600..900);
    expect(&primary, &sender, &[written("primary", 0..300), written("primary", 600..900)].concat());
    assert_eq!(standby.lines(), written("standby", 300..600));
}

/// A chain of three: the middle one takes and hands on.
fn chain(first: &Side, middle: &Side, last: &Side) {
    flume::require();
    let scene = tempfile::tempdir().expect("a folder");
    let end = Receiver::new(last, "end", scene.path());
    let dir = scene.path().join("middle");
    fs::create_dir_all(&dir).expect("a folder");
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|held| held.local_addr())
        .expect("a port")
        .port();
    let text = MIDDLE.replace("$PORT1", &port.to_string()).replace("$PORT2", &end.port.to_string());
    let file = dir.join("middle.properties");
    fs::write(&file, text).expect("a file");
    let _middle = Node::start(middle, &file, "a1", &dir).expect("a process");
    let sender = Sender::start(first, [port, port], scene.path());
    sender.feed(0..900);
    expect(&end, &sender, &written("end", 0..900));
}

/// Every released client program into two collectors of a kind, one of which is killed for the clients that can do
/// without it.
fn clients(side: &Side) {
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
    assert!(
        wait(|| one.lines().len() >= whole && two.lines().len() >= 100),
        "{} {}",
        one.lines().len(),
        two.lines().len()
    );
    assert_eq!((one.lines().len(), two.lines().len()), (whole, 100));
    in_order(&one.lines());
    in_order(&two.lines());
    has_its_headers(&one.lines(), "one");

    one.kill();
    let failover = format!("client.type = default_failover\n{hosts}");
    finish(client::sdk(Version::V1_9, &failover, 50, 10, "failover19", scene.path()));
    finish(client::sdk(Version::V1_11, &failover, 50, 10, "failover111", scene.path()));
    finish(client::log4j2(&[one.port, two.port], 20, "log4j2", scene.path()));
    assert!(wait(|| two.lines().len() >= 220), "{}", two.lines().len());
    in_order(&two.lines()[100..]);
    has_its_headers(&two.lines(), "two");
}

/// Lines of a sender over Thrift, in either protocol, and the calls of the released clients.
fn over_thrift(sender: &Side, receiver: &Side) {
    flume::require();
    for protocol in ["compact", "binary"] {
        let scene = tempfile::tempdir().expect("a folder");
        let dir = scene.path();
        fs::create_dir_all(dir.join("out")).expect("a folder");
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|held| held.local_addr());
        let port = port.expect("a port").port();
        let start = |side: &Side, name: &str, text: &str| {
            let text = text.replace("$PORT", &port.to_string()).replace("$PROTOCOL", protocol);
            let file = dir.join(name);
            fs::write(&file, text.replace("$DIR", &dir.display().to_string())).expect("a file");
            Node::start(side, &file, "a1", dir).expect("a process")
        };
        let _receiver = start(receiver, "receiver.properties", THRIFT_RECEIVER);
        let _sender = start(sender, "sender.properties", THRIFT_SENDER);
        let written = Receiver { side: receiver.clone(), dir: dir.to_path_buf(), port, node: None };
        assert!(wait(|| written.lines().len() >= 300), "{}", written.lines().len());
        let expected: Vec<String> = (1..=300).map(|number| format!("{{}} {number}")).collect();
        assert_eq!(written.lines(), expected);
        for (number, version) in Version::ALL.into_iter().enumerate() {
            let how = format!(
                "client.type = thrift\nprotocol = {protocol}\nhosts = a\nhosts.a = 127.0.0.1:{port}\n"
            );
            finish(client::sdk(version, &how, 50, 10, "batch", dir));
            finish(client::sdk(version, &how, 5, 1, "single", dir));
            assert!(wait(|| written.lines().len() >= 300 + 55 * (number + 1)), "{}", written.lines().len());
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
        assert!(wait(|| written.lines().len() >= 530), "{}", written.lines().len());
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

fn agent() -> Side {
    Side::ours("agent").expect("the binaries are built")
}

fn collector() -> Side {
    Side::ours("collector").expect("the binaries are built")
}

const V1_9: Side = Side::Flume(Version::V1_9);
const V1_11: Side = Side::Flume(Version::V1_11);

macro_rules! tests {
    ($($name:ident: $scene:expr;)*) => {$(
        #[test]
        #[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
        fn $name() {
            $scene;
        }
    )*};
}

tests! {
    thrift_from_ours_to_flume_1_9: over_thrift(&agent(), &V1_9);
    thrift_from_ours_to_flume_1_11: over_thrift(&agent(), &V1_11);
    thrift_from_flume_1_9_to_ours: over_thrift(&V1_9, &agent());
    thrift_from_flume_1_11_to_ours: over_thrift(&V1_11, &agent());
    flume_to_flume: drill(&V1_9, &V1_11, &V1_9);
    flume_1_9_to_ours: drill(&V1_9, &collector(), &collector());
    flume_1_11_to_ours: drill(&V1_11, &collector(), &collector());
    ours_to_flume_1_9: drill(&agent(), &V1_9, &V1_9);
    ours_to_flume_1_11: drill(&agent(), &V1_11, &V1_11);
    flume_1_9_to_one_of_each: drill(&V1_9, &V1_9, &collector());
    flume_1_11_to_one_of_each: drill(&V1_11, &collector(), &V1_11);
    ours_to_one_of_each: drill(&agent(), &V1_11, &collector());
    ours_to_one_of_each_the_other_way: drill(&agent(), &collector(), &V1_9);
    ours_by_flume_to_ours: chain(&agent(), &V1_11, &collector());
    ours_by_flume_1_9_to_ours: chain(&agent(), &V1_9, &collector());
    flume_by_flume_to_flume: chain(&V1_9, &V1_11, &V1_9);
    released_clients_to_flume: clients(&V1_11);
    released_clients_to_ours: clients(&collector());
    flume_by_ours_to_flume: chain(&V1_11, &collector(), &V1_9);
}

const PATIENCE: Duration = Duration::from_secs(60);

/// What the Log4j 1 appender says of a line besides when and from where.
const LOG4J1_HEADERS: [(&str, &str); 3] = [
    ("flume.client.log4j.log.level", "20000"),
    ("flume.client.log4j.logger.name", "Log4j1Lines"),
    ("flume.client.log4j.message.encoding", "UTF8"),
];

const RECEIVER: &str = "a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.channels.c1.type = memory
a1.channels.c1.capacity = 1000
a1.channels.c1.transactionCapacity = 100
a1.sources.r1.type = avro
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = $PORT
a1.sources.r1.interceptors = i1
a1.sources.r1.interceptors.i1.type = static
a1.sources.r1.interceptors.i1.key = Collector
a1.sources.r1.interceptors.i1.value = $NAME
a1.sources.r1.channels = c1
a1.sinks.k1.type = file_roll
a1.sinks.k1.sink.directory = $DIR/out
a1.sinks.k1.sink.rollInterval = 0
a1.sinks.k1.sink.serializer = header_and_text
a1.sinks.k1.channel = c1
";

const SENDER: &str = "agent1.channels = c1
agent1.sources = r1
agent1.sinks = k1 k2
agent1.sinkgroups = g1
agent1.channels.c1.type = memory
agent1.channels.c1.capacity = 1000
agent1.channels.c1.transactionCapacity = 100
agent1.sources.r1.channels = c1
agent1.sources.r1.type = exec
agent1.sources.r1.command = tail -n +1 -F $DIR/lines.log
agent1.sources.r1.interceptors = i1
agent1.sources.r1.interceptors.i1.type = static
agent1.sources.r1.interceptors.i1.key = Type
agent1.sources.r1.interceptors.i1.value = LOGIN
agent1.sinks.k1.channel = c1
agent1.sinks.k1.type = avro
agent1.sinks.k1.hostname = 127.0.0.1
agent1.sinks.k1.port = $PORT1
agent1.sinks.k2.channel = c1
agent1.sinks.k2.type = avro
agent1.sinks.k2.hostname = 127.0.0.1
agent1.sinks.k2.port = $PORT2
agent1.sinkgroups.g1.sinks = k1 k2
agent1.sinkgroups.g1.processor.type = failover
agent1.sinkgroups.g1.processor.priority.k1 = 10
agent1.sinkgroups.g1.processor.priority.k2 = 1
agent1.sinkgroups.g1.processor.maxpenalty = 10000
";

const MIDDLE: &str = "a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.channels.c1.type = memory
a1.channels.c1.capacity = 1000
a1.channels.c1.transactionCapacity = 100
a1.sources.r1.type = avro
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = $PORT1
a1.sources.r1.channels = c1
a1.sinks.k1.type = avro
a1.sinks.k1.hostname = 127.0.0.1
a1.sinks.k1.port = $PORT2
a1.sinks.k1.channel = c1
";

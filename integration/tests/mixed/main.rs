//! Ours and released Flume side by side: whoever sends, whoever receives, every line arrives once and in order.
//!
//! A sender follows a file and has a group of two sinks. A receiver writes what comes, headers and body, into a folder.
//! Only the kind of each changes from test to test; `flume_to_flume` shows what the scene itself does.

mod clients;

use clients::{clients, over_thrift};
use integration::{
    flume::{
        self, Version,
        oracle::{Node, Side},
    },
    http, ports,
};
use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    net::{Ipv4Addr, TcpStream},
    ops::Range,
    path::{Path, PathBuf},
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
        let mut receiver = Receiver { side: side.clone(), dir, port: port(), node: None };
        receiver.start();
        receiver
    }

    /// Starts it and waits until its port is open.
    fn start(&mut self) {
        let name = self.dir.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        let text = RECEIVER
            .replace("$PORT", &self.port.to_string())
            .replace("$DIR", &self.dir.display().to_string())
            .replace("$NAME", &name);
        let file = self.dir.join("receiver.properties");
        fs::write(&file, text).expect("a file");
        self.node = Some(Node::start(&self.side, &file, "a1", &self.dir).expect("a process"));
        wait(&format!("the port of the {name} is open"), || {
            TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok()
        });
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

    /// Waits until it has as many lines as are wanted, and compares.
    fn expect(&self, wanted: &[String]) {
        let what = format!("{} lines in {}", wanted.len(), self.dir.display());
        wait(&what, || self.lines().len() >= wanted.len());
        let found = self.lines();
        let first = found.iter().zip(wanted).find(|(found, wanted)| found != wanted);
        assert_eq!(first, None, "{what}");
        assert_eq!(found.len(), wanted.len(), "{what}");
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.node.iter().for_each(|node| show("a receiver", node));
    }
}

/// An agent that follows `lines.log`.
struct Sender {
    dir: PathBuf,
    counters: u16,
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
        let counters = port();
        let words = ["type=http".to_owned(), format!("port={counters}")]
            .map(|setting| format!("-Dflume.monitoring.{setting}"));
        let node = Node::start_with(side, &file, "agent1", &dir, &words).expect("a process");
        Sender { dir, counters, node }
    }

    fn feed(&self, lines: Range<usize>) {
        append(&self.dir, lines).expect("the followed file");
    }

    fn counts(&self, sink: &str, counter: &str) -> u64 {
        http::counter(self.counters, &format!("SINK.{sink}"), counter).unwrap_or_default()
    }

    /// Waits until it is connected to both: a line may go to the second only because that connection is there first.
    fn is_connected(&self) {
        wait("the sender is connected to both", || {
            ["k1", "k2"].iter().all(|sink| self.counts(sink, "ConnectionCreatedCount") > 0)
        });
    }

    /// Waits until it knows that so many lines have arrived at this sink's receiver: who is killed before it has said so gets
    /// them once more in another's place.
    fn knows_of(&self, lines: u64, sink: &str) {
        wait(&format!("the sender knows that {lines} lines have arrived by {sink}"), || {
            self.counts(sink, "EventDrainSuccessCount") >= lines
        });
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        show("the sender", &self.node);
    }
}

/// The end of a console, where the test has failed.
fn show(whose: &str, node: &Node) {
    if thread::panicking() {
        let lines = node.console.lines_from(0);
        eprintln!("the last lines of {whose}:");
        lines.iter().skip(lines.len().saturating_sub(SHOWN)).for_each(|line| eprintln!("  | {}", line.text));
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

/// Waits until it is `done`.
fn wait(what: &str, done: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < deadline, "in {PATIENCE:?}: {what}");
        thread::sleep(GLANCE);
    }
}

/// One that no outgoing connection takes while nobody listens there.
fn port() -> u16 {
    ports::free(&["127.0.0.1"]).expect("a port")
}

/// The drill: all to the first; it is killed and all goes to the second; it is back and so are the lines.
fn drill(sender: &Side, first: &Side, second: &Side) {
    flume::require();
    let scene = tempfile::tempdir().expect("a folder");
    let mut primary = Receiver::new(first, "primary", scene.path());
    let standby = Receiver::new(second, "standby", scene.path());
    let sender = Sender::start(sender, [primary.port, standby.port], scene.path());

    sender.is_connected();
    sender.feed(0..300);
    primary.expect(&written("primary", 0..300));
    sender.knows_of(300, "k1");
    primary.kill();
    sender.feed(300..600);
    standby.expect(&written("standby", 300..600));
    primary.start();
    let back = first_line_back(&sender, &primary, &standby, 600);
    sender.feed(back + 1..back + 300);
    primary.expect(&[written("primary", 0..300), written("primary", back..back + 300)].concat());
    standby.expect(&written("standby", 300..back));
}

/// Feeds one line after the other from `next` on until the primary gets one, and tells which. How long it takes depends on the
/// sender, which finds the primary dead more than once while that starts, and lets it rest each time.
fn first_line_back(sender: &Sender, primary: &Receiver, standby: &Receiver, next: usize) -> usize {
    let (had, deadline) = (primary.lines().len(), Instant::now() + PATIENCE);
    for line in next.. {
        sender.feed(line..line + 1);
        let has = |receiver: &Receiver| receiver.lines().len();
        wait(&format!("line {line} arrives"), || has(primary) + has(standby) > line);
        if has(primary) > had {
            return line;
        }
        assert!(Instant::now() < deadline, "in {PATIENCE:?}: a line at the primary, which runs again");
        thread::sleep(BETWEEN_LINES);
    }
    unreachable!("the deadline comes before the numbers end")
}

/// A chain of three: the middle one takes and hands on.
fn chain(first: &Side, middle: &Side, last: &Side) {
    flume::require();
    let scene = tempfile::tempdir().expect("a folder");
    let end = Receiver::new(last, "end", scene.path());
    let dir = scene.path().join("middle");
    fs::create_dir_all(&dir).expect("a folder");
    let port = port();
    let text = MIDDLE.replace("$PORT1", &port.to_string()).replace("$PORT2", &end.port.to_string());
    let file = dir.join("middle.properties");
    fs::write(&file, text).expect("a file");
    let _middle = Node::start(middle, &file, "a1", &dir).expect("a process");
    let sender = Sender::start(first, [port, port], scene.path());
    sender.feed(0..900);
    end.expect(&written("end", 0..900));
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

/// Longer than anything takes, also where the processors are busy and each JVM needs half a minute to start.
const PATIENCE: Duration = Duration::from_secs(120);

/// How often files, ports and counters are looked at.
const GLANCE: Duration = Duration::from_millis(50);

/// Between the lines that ask whether the primary is back: its rest ends between two of them.
const BETWEEN_LINES: Duration = Duration::from_millis(200);

/// How many lines of a console a failure shows.
const SHOWN: usize = 25;

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
agent1.sources.r1.batchTimeout = 200
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
agent1.sinkgroups.g1.processor.maxpenalty = 2000
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

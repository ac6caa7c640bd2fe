//! Many events from one kind to the other, the receiver killed twice while they come: none is lost that was acknowledged
//! into a process that lived.
//!
//! The sender follows a file that is there in full, as fast as it can. The receiver writes what comes into files, a folder
//! for each of its lives. Real Flume receives into a file channel, which is to keep what it acknowledged through a
//! kill; ours into a memory channel, which takes at most its capacity along. `MILLION` says how many events, 60,000
//! unless it is set:
//!
//! ```sh
//! MILLION=1000000 cargo test --release -p integration --test million -- --ignored --nocapture --test-threads=1
//! ```

use integration::{
    flume::{
        self, Version,
        oracle::{Node, Side},
    },
    ledger::{Arrival, Incident, Ledger, LineId, Place},
    load::{Demand, Load, Log},
    ports,
};
use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

/// A collector on one port, with one folder over all its lives.
struct Receiver {
    side: Side,
    dir: PathBuf,
    port: u16,
    node: Option<Node>,
    life: u32,
    incidents: Vec<Incident>,
}

impl Receiver {
    fn start(side: Side, scene: &Path) -> Receiver {
        // Below those of outgoing connections, one of which could take it while nobody listens.
        let port = ports::free(&["127.0.0.1"]).expect("a port");
        let dir = scene.join("receiver");
        let mut receiver = Receiver { side, dir, port, node: None, life: 0, incidents: vec![] };
        receiver.live();
        receiver
    }

    /// Begins a life: the same file but for the folder it writes to.
    fn live(&mut self) {
        fs::create_dir_all(self.out(self.life)).expect("a folder");
        let channel = match self.side {
            Side::Flume(_) => FILE_CHANNEL,
            Side::Ours(_) => MEMORY_CHANNEL,
        };
        let text = (RECEIVER.to_owned() + channel)
            .replace("$PORT", &self.port.to_string())
            .replace("$OUT", &self.out(self.life).display().to_string())
            .replace("$DIR", &self.dir.display().to_string());
        let file = self.dir.join("receiver.properties");
        fs::write(&file, text).expect("a file");
        self.node = Some(Node::start(&self.side, &file, "a1", &self.dir).expect("a process"));
    }

    /// `kill -9`, and the next life after a moment.
    fn die(&mut self) {
        let holds = match self.side {
            Side::Flume(_) => 0,
            Side::Ours(_) => CAPACITY,
        };
        let place = Place { node: 0, life: self.life };
        self.incidents.push(Incident { place, at: Instant::now(), holds });
        if let Some(mut node) = self.node.take() {
            node.process.kill();
        }
        self.life += 1;
        thread::sleep(Duration::from_millis(500));
        self.live();
    }

    fn out(&self, life: u32) -> PathBuf {
        self.dir.join(format!("out-{life}"))
    }

    /// Whole lines of one life.
    fn written(&self, life: u32) -> usize {
        let files = fs::read_dir(self.out(life)).expect("it is there").flatten();
        let bytes: u64 = files.map(|file| file.metadata().map_or(0, |found| found.len())).sum();
        bytes as usize / BYTES
    }

    /// What every life has written. A line that a kill cut short has not arrived.
    fn ledger(&self) -> Ledger {
        let (mut arrivals, at) = (Vec::new(), Instant::now());
        for life in 0..=self.life {
            let mut files: Vec<PathBuf> = fs::read_dir(self.out(life))
                .expect("it is there")
                .flatten()
                .map(|file| file.path())
                .collect();
            files.sort();
            for file in files {
                let bytes = fs::read(file).expect("it can be read");
                let whole = bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| line.len() == BYTES);
                arrivals.extend(whole.map(|line| Arrival {
                    line: LineId::parse(line).expect("a line of the load"),
                    place: Place { node: 0, life },
                    at,
                }));
            }
        }
        Ledger { arrivals, incidents: self.incidents.clone() }
    }
}

/// Drives the load through two kills and judges every line.
fn through_two_kills(sender: Side, receiver: Side) {
    flume::require();
    let lines = wanted();
    let what = format!("{sender:?} to {receiver:?}");
    let scene = tempfile::tempdir().expect("a folder");
    let log = Log::open(&scene.path().join("lines.log")).expect("a log");
    let load = Load::start(vec![log], Demand { lines, rate: 0, bytes: BYTES }).finish().expect("a disk");
    let mut receiver = Receiver::start(receiver, scene.path());
    let begin = Instant::now();
    let _sender = send(&sender, receiver.port, scene.path());
    for kill in 1..=2 {
        // A life has taken a third of all when it is killed, with more on its way.
        come(&receiver, receiver.life, lines as usize / 3, &what);
        eprintln!("{what}: kill {kill} after {:.1} s", begin.elapsed().as_secs_f64());
        receiver.die();
    }
    settle(&receiver, &what);
    let verdict = receiver.ledger().verdict(&load.lines);
    eprintln!(
        "{what}: {} sent, {} received, {} went down with a killed process, {} lost, {} doubled, in {:.1} s",
        verdict.sent,
        verdict.received,
        verdict.went_down,
        verdict.lost_count,
        verdict.doubled,
        begin.elapsed().as_secs_f64()
    );
    assert_eq!(verdict.lost_count + verdict.out_of_order + verdict.foreign, 0, "{what}: {verdict:?}");
    // A file channel hands on in its next life what was stored and not acknowledged, and the sender sends it again.
    let twice = if matches!(receiver.side, Side::Flume(_)) { 2 * IN_FLIGHT } else { 0 };
    assert!(verdict.doubled_without_cause <= twice, "{what}: {verdict:?}");
    assert!(verdict.went_down <= 2 * CAPACITY, "{what}: {verdict:?}");
}

fn send(side: &Side, port: u16, scene: &Path) -> Node {
    let dir = scene.join("sender");
    fs::create_dir_all(&dir).expect("a folder");
    // Flume's exec source ends for good when its channel is full.
    let source = if matches!(side, Side::Flume(_)) { TAILDIR } else { EXEC };
    let text = (SENDER.to_owned() + source)
        .replace("$PORT", &port.to_string())
        .replace("$LOG", &scene.join("lines.log").display().to_string())
        .replace("$DIR", &dir.display().to_string());
    let file = dir.join("sender.properties");
    fs::write(&file, text).expect("a file");
    Node::start(side, &file, "a1", &dir).expect("a process")
}

/// Waits until the life has written so many lines.
fn come(receiver: &Receiver, life: u32, lines: usize, what: &str) {
    let mut watch = (0, Instant::now());
    while receiver.written(life) < lines {
        assert!(
            progress(receiver, &mut watch) < STILL,
            "{what}: nothing comes any more, {} in this life",
            watch.0
        );
        thread::sleep(Duration::from_millis(2));
    }
}

/// Waits until the last line is there and nothing came for a while.
fn settle(receiver: &Receiver, what: &str) {
    let mut watch = (0, Instant::now());
    let last = LineId { source: 1, number: wanted() - 1 };
    let mut complete = false;
    loop {
        let still = progress(receiver, &mut watch);
        if still > QUIET && !complete {
            complete = receiver.ledger().arrivals.iter().any(|arrival| arrival.line == last);
        }
        if still > QUIET && complete {
            return;
        }
        let said = || receiver.node.as_ref().map(|node| node.console.lines_from(0).len());
        assert!(still < STILL, "{what}: the last line never came; the receiver has said {:?} lines", said());
        thread::sleep(Duration::from_millis(100));
    }
}

/// How long nothing has come.
fn progress(receiver: &Receiver, watch: &mut (usize, Instant)) -> Duration {
    let written = receiver.written(receiver.life);
    if written != watch.0 {
        *watch = (written, Instant::now());
    }
    watch.1.elapsed()
}

fn wanted() -> u32 {
    let given = std::env::var("MILLION").ok();
    given.map_or(60_000, |text| text.parse().expect("MILLION is a number of events"))
}

fn ours(binary: &str) -> Side {
    Side::Ours(integration::binaries::directory().expect("the binaries are built").join(binary))
}

macro_rules! tests {
    ($($name:ident: $sender:expr => $receiver:expr;)*) => {$(
        #[test]
        #[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
        fn $name() {
            through_two_kills($sender, $receiver);
        }
    )*};
}

tests! {
    a_million_from_flume_1_11_to_ours: Side::Flume(Version::V1_11) => ours("collector");
    a_million_from_flume_1_9_to_ours: Side::Flume(Version::V1_9) => ours("collector");
    a_million_from_ours_to_flume_1_11: ours("agent") => Side::Flume(Version::V1_11);
    a_million_from_ours_to_flume_1_9: ours("agent") => Side::Flume(Version::V1_9);
}

/// Bytes of a line with its end.
const BYTES: usize = 64;

/// Towards a Flume, and from one, a connection has one batch under way.
const IN_FLIGHT: usize = 100;

/// What a memory channel holds, and with it at most what goes down with a process.
const CAPACITY: usize = 1000;

/// After this long without a line and with the last line there, all has come.
const QUIET: Duration = Duration::from_secs(3);

/// Longer than a start of Flume with the replay of its channel, and the pauses of a sender that was refused.
const STILL: Duration = Duration::from_secs(120);

const RECEIVER: &str = "a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.sources.r1.type = avro
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = $PORT
a1.sources.r1.channels = c1
a1.sinks.k1.type = file_roll
a1.sinks.k1.sink.directory = $OUT
a1.sinks.k1.sink.rollInterval = 0
a1.sinks.k1.sink.batchSize = 100
a1.sinks.k1.channel = c1
";

const FILE_CHANNEL: &str = "a1.channels.c1.type = file
a1.channels.c1.checkpointDir = $DIR/checkpoint
a1.channels.c1.dataDirs = $DIR/data
a1.channels.c1.capacity = 100000
a1.channels.c1.transactionCapacity = 1000
";

const MEMORY_CHANNEL: &str = "a1.channels.c1.type = memory
a1.channels.c1.capacity = 1000
a1.channels.c1.transactionCapacity = 100
";

const SENDER: &str = "a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.channels.c1.type = memory
a1.channels.c1.capacity = 1000
a1.channels.c1.transactionCapacity = 100
a1.sources.r1.channels = c1
a1.sinks.k1.type = avro
a1.sinks.k1.hostname = 127.0.0.1
a1.sinks.k1.port = $PORT
a1.sinks.k1.channel = c1
";

const TAILDIR: &str = "a1.sources.r1.type = TAILDIR
a1.sources.r1.filegroups = f1
a1.sources.r1.filegroups.f1 = $LOG
a1.sources.r1.positionFile = $DIR/position.json
";

const EXEC: &str = "a1.sources.r1.type = exec
a1.sources.r1.command = tail -n +1 -F $LOG
";

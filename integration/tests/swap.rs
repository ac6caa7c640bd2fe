//! One host is changed in place and changed back: Flume, then ours, then Flume again, each with the same file, folder
//! and port. Every line comes, in order and once.
//!
//! What a Flume's memory channel holds is gone when Flume is stopped, so before that all that was written has arrived.
//! Ours delivers what it has read: it is stopped while lines come. While nobody runs lines come as well.

use integration::{
    flume::{
        self, Version,
        oracle::{Node, Side},
        receiver::{Receiver, settle},
    },
    ledger::LineId,
    load::Log,
};
use rustix::process::Signal;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

/// First the sender and then the collector become ours and Flume again.
fn swapped_and_back(version: Version) {
    flume::require();
    let (theirs, scene) = (Side::Flume(version), tempfile::tempdir().expect("a folder"));
    let mut collector = Receiver::start(theirs.clone(), 0, COLLECTOR, 0, scene.path()).expect("a process");
    let mut lines = LineLog::new(scene.path());
    let mut sender = Sender::new(collector.port(), scene.path());

    sender.start(&theirs);
    lines.write(SOME);
    come(&collector, lines.count());
    sender.stop();
    lines.write(SOME);
    sender.start(&ours("agent"));
    come(&collector, lines.count());
    lines.keep_coming(|| sender.stop());
    sender.start(&theirs);
    lines.write(SOME);
    come(&collector, lines.count());

    // Of a line that came twice the verdict tells, so that nothing may be less than none before it.
    let mut before = lines.count();
    collector.stop().expect("it ends");
    lines.write(SOME);
    collector.become_a(ours("collector"));
    collector.live_again().expect("a process");
    come(&collector, lines.count().saturating_sub(before));
    lines.keep_coming(|| collector.stop().expect("it ends"));
    before += collector.lines(BYTES);
    collector.become_a(theirs);
    collector.live_again().expect("a process");
    lines.write(SOME);
    come(&collector, lines.count().saturating_sub(before));

    let last = LineId { source: 1, number: lines.next - 1 };
    let ledger = settle(&[&collector], last, BYTES).expect("all comes");
    let verdict = ledger.verdict(&BTreeMap::from([(1, lines.next)]));
    eprintln!("{version:?}, ours and back: {verdict:?}");
    assert!(verdict.is_clean() && verdict.received == verdict.sent, "{verdict:?}");
    assert_eq!(verdict.doubled, 0, "{verdict:?}");
}

fn come(collector: &Receiver, lines: usize) {
    collector.come(lines, BYTES).expect("they come");
}

/// An agent in one folder with one file, whoever it is.
struct Sender {
    dir: PathBuf,
    node: Option<Node>,
}

impl Sender {
    fn new(port: u16, scene: &Path) -> Sender {
        let dir = scene.join("sender");
        fs::create_dir_all(&dir).expect("a folder");
        let text = SENDER
            .replace("$PORT", &port.to_string())
            .replace("$LOG", &scene.join("lines.log").display().to_string())
            .replace("$DIR", &dir.display().to_string());
        fs::write(dir.join("sender.properties"), text).expect("a file");
        Sender { dir, node: None }
    }

    fn start(&mut self, side: &Side) {
        let file = self.dir.join("sender.properties");
        self.node = Some(Node::start(side, &file, "a1", &self.dir).expect("a process"));
    }

    /// SIGTERM, and waits for the end.
    fn stop(&mut self) {
        let mut node = self.node.take().expect("it runs");
        node.process.signal(Signal::TERM);
        assert!(node.process.wait(PATIENCE).is_some(), "{:#?}", node.console.lines_from(0));
    }
}

/// The log that is followed.
struct LineLog {
    log: Log,
    next: u32,
}

impl LineLog {
    fn new(scene: &Path) -> LineLog {
        LineLog { log: Log::open(&scene.join("lines.log")).expect("a log"), next: 0 }
    }

    fn count(&self) -> usize {
        self.next as usize
    }

    fn write(&mut self, lines: u32) {
        for _ in 0..lines {
            let id = LineId { source: 1, number: self.next };
            self.log.echo(&format!("{id} {}", ".".repeat(BYTES - LineId::BYTES - 2))).expect("a disk");
            self.next += 1;
        }
    }

    /// A line each millisecond from before `what` happens until after it.
    fn keep_coming(&mut self, what: impl FnOnce()) {
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    self.write(1);
                    thread::sleep(Duration::from_millis(1));
                }
            });
            let _over = Over(&over);
            thread::sleep(Duration::from_millis(500));
            what();
        });
    }
}

/// Ends the lines, also when what they come beside fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn ours(binary: &str) -> Side {
    Side::ours(binary).expect("the binaries are built")
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn flume_1_9_becomes_ours_in_place_and_flume_again() {
    swapped_and_back(Version::V1_9);
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn flume_1_11_becomes_ours_in_place_and_flume_again() {
    swapped_and_back(Version::V1_11);
}

const SOME: u32 = 500;
const BYTES: usize = 64;
const PATIENCE: Duration = Duration::from_secs(120);

const COLLECTOR: &str = "a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.sources.r1.type = avro
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = $PORT
a1.sources.r1.channels = c1
a1.channels.c1.type = memory
a1.channels.c1.capacity = 10000
a1.channels.c1.transactionCapacity = 100
a1.sinks.k1.type = file_roll
a1.sinks.k1.sink.directory = $OUT
a1.sinks.k1.sink.rollInterval = 0
a1.sinks.k1.channel = c1
";

const SENDER: &str = "a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.channels.c1.type = memory
a1.channels.c1.capacity = 1000
a1.channels.c1.transactionCapacity = 100
a1.sources.r1.channels = c1
a1.sources.r1.type = TAILDIR
a1.sources.r1.filegroups = f1
a1.sources.r1.filegroups.f1 = $LOG
a1.sources.r1.positionFile = $DIR/position.json
a1.sinks.k1.type = avro
a1.sinks.k1.hostname = 127.0.0.1
a1.sinks.k1.port = $PORT
a1.sinks.k1.channel = c1
";

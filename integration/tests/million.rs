//! Many events from one kind to the other, the receiver killed twice while they come: none is lost that was acknowledged
//! into a process that lived.
//!
//! The sender follows a file as fast as it can. It is written in three parts, so that each life of the receiver finds its third
//! to come, however late it is killed. The receiver writes what comes into files, a folder
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
        receiver::{Receiver, settle},
    },
    ledger::LineId,
    load::Log,
};
use std::{
    collections::BTreeMap,
    fs,
    ops::Range,
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// Drives the load through two kills and judges every line.
fn through_two_kills(sender: Side, receiver: Side) {
    flume::require();
    let (lines, flume) = (wanted(), matches!(receiver, Side::Flume(_)));
    let what = format!("{sender:?} to {receiver:?}");
    let scene = tempfile::tempdir().expect("a folder");
    let mut log = Log::open(&scene.path().join("lines.log")).expect("a log");
    // A life takes a third of all; what is left of a part is on its way when it is killed.
    let parts = [0, lines / 5 * 2, lines / 4 * 3, lines];
    write(&mut log, parts[0]..parts[1]);
    let (channel, holds) = if flume { (FILE_CHANNEL, 0) } else { (MEMORY_CHANNEL, CAPACITY) };
    let template = RECEIVER.to_owned() + channel;
    let mut receiver = Receiver::start(receiver, 0, &template, holds, scene.path()).expect("a process");
    let begin = Instant::now();
    let _sender = send(&sender, receiver.port(), scene.path());
    for kill in 1..=2 {
        receiver.come(lines as usize / 3, BYTES).expect("they come");
        eprintln!("{what}: kill {kill} after {:.1} s", begin.elapsed().as_secs_f64());
        receiver.die();
        write(&mut log, parts[kill]..parts[kill + 1]);
        thread::sleep(Duration::from_millis(500));
        receiver.live_again().expect("a process");
    }
    let last = LineId { source: 1, number: lines - 1 };
    let verdict =
        settle(&[&receiver], last, BYTES).expect("all comes").verdict(&BTreeMap::from([(1, lines)]));
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
    let twice = if flume { 2 * IN_FLIGHT } else { 0 };
    assert!(verdict.doubled_without_cause <= twice, "{what}: {verdict:?}");
    assert!(verdict.went_down <= 2 * CAPACITY, "{what}: {verdict:?}");
}

fn write(log: &mut Log, numbers: Range<u32>) {
    for number in numbers {
        let id = LineId { source: 1, number };
        log.echo(&format!("{id} {}", ".".repeat(BYTES - LineId::BYTES - 2))).expect("a disk");
    }
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

fn wanted() -> u32 {
    let given = std::env::var("MILLION").ok();
    given.map_or(60_000, |text| text.parse().expect("MILLION is a number of events"))
}

fn ours(binary: &str) -> Side {
    Side::ours(binary).expect("the binaries are built")
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

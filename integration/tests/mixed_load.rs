//! Ours and released Flume side by side under load, with kills: no line is lost that no killed process held, none comes
//! twice without a cause, all keep their order.
//!
//! Lines come, 2,000 a second, until the last step is seen. Each has the headers that the files set. The channels are those of the lesson, so a kill takes at most a thousand events along;
//! a Flume in the middle of a chain keeps its events in files, and a kill takes none.

use integration::{
    binaries,
    cluster::{Cluster, Setup},
    console::Line,
    flume::{
        self, Version,
        oracle::{Node, Side},
        receiver::{Receiver, settle},
    },
    ledger::{LineId, Verdict},
    lesson,
    load::{Demand, Load, Log},
    solo::{LONG, until},
    stores::Storm,
    storm,
};
use rustix::process::{Signal, test_kill_process};
use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// The drill under load: the primary is killed twice, what it does not get the standby gets, and when it is back it has
/// its lines again.
fn drill(sender: &Side, first: Side, second: Side) {
    flume::require();
    let what = format!("{sender:?} to {first:?} and {second:?}");
    let scene = tempfile::tempdir().expect("a folder");
    let under_way = match (sender, &first) {
        (Side::Ours(_), Side::Ours(_)) => WINDOW * IN_FLIGHT,
        _ => IN_FLIGHT,
    };
    let (mut primary, standby) = (receiver(first, 0, scene.path()), receiver(second, 1, scene.path()));
    let load = load(scene.path());
    let group = SENDER.to_owned() + &sink("k1", primary.port()) + &sink("k2", standby.port()) + GROUP;
    let _sender = send(sender, &group, scene.path());
    for kill in 1..=2 {
        primary.come(ENOUGH, BYTES).unwrap_or_else(|none| panic!("{what}: before kill {kill}: {none}"));
        primary.die();
        standby.come(kill * ENOUGH, BYTES).unwrap_or_else(|none| panic!("{what}: kill {kill}: {none}"));
        primary.live_again().expect("a process");
    }
    primary.come(ENOUGH, BYTES).unwrap_or_else(|none| panic!("{what}: they are not back: {none}"));
    let verdict = judge(&what, load, &[&primary, &standby]);
    assert_eq!(verdict.doubled_without_cause, 0, "{what}: {verdict:?}");
    // What the primary had stored, and was killed before it said so.
    assert!(verdict.doubled <= 2 * under_way, "{what}: {verdict:?}");
}

/// A primary that hangs: its lines go to the standby as soon as `request-timeout` allows, and come back when it goes on.
fn frozen(first: Side, second: Side) {
    flume::require();
    let what = format!("ours to {first:?}, which hangs, and {second:?}");
    let scene = tempfile::tempdir().expect("a folder");
    let (mut primary, standby) = (receiver(first, 0, scene.path()), receiver(second, 1, scene.path()));
    let load = load(scene.path());
    let group = SENDER.to_owned() + &sink("k1", primary.port()) + &sink("k2", standby.port()) + GROUP;
    let timeouts = "a1.sinks.k1.request-timeout = 2000\na1.sinks.k2.request-timeout = 2000\n";
    let sender = send(&agent(), &(group + timeouts), scene.path());
    primary.come(ENOUGH, BYTES).unwrap_or_else(|none| panic!("{what}: at first: {none}"));
    let before = standby.lines(BYTES);
    primary.freeze();
    let since = Instant::now();
    let given_up = |line: &Line| line.at >= since && line.text.contains("Sink k1 failed");
    let given_up = sender.console.wait_from(0, LONG, "the sender gives it up", given_up).expect("it says so");
    let took = given_up.at.saturating_duration_since(since);
    standby.come(before + ENOUGH, BYTES).unwrap_or_else(|none| panic!("{what}: while it hangs: {none}"));
    let held = primary.lines(BYTES);
    primary.thaw();
    primary.come(held + ENOUGH, BYTES).unwrap_or_else(|none| panic!("{what}: they are not back: {none}"));
    let verdict = judge(&what, load, &[&primary, &standby]);
    eprintln!("{what}: given up after {:.2} s", took.as_secs_f64());
    assert_eq!((verdict.went_down, verdict.doubled_without_cause), (0, 0), "{what}: {verdict:?}");
    // What it had been sent and had not acknowledged.
    assert!(verdict.doubled <= IN_FLIGHT, "{what}: {verdict:?}");
    assert!(took < Duration::from_secs(2) + MARGIN, "{what}: {took:?}, {}", given_up.text);
}

/// A chain of three whose middle is killed twice.
fn chain(first: &Side, middle: Side, last: Side) {
    flume::require();
    let what = format!("{first:?} by {middle:?} to {last:?}");
    let scene = tempfile::tempdir().expect("a folder");
    let end = receiver(last, 1, scene.path());
    let (channel, holds) = match middle {
        Side::Flume(_) => (FILES, 0),
        Side::Ours(_) => (MEMORY, CAPACITY),
    };
    let template = MIDDLE.to_owned() + channel + &sink("k1", end.port());
    let mut middle = Receiver::start(middle, 0, &template, holds, scene.path()).expect("a process");
    let load = load(scene.path());
    let _sender =
        send(first, &(SENDER.to_owned() + &sink("k1", middle.port()) + "a1.sinks = k1\n"), scene.path());
    for kill in 1..=2 {
        end.come(kill * ENOUGH, BYTES).unwrap_or_else(|none| panic!("{what}: before kill {kill}: {none}"));
        middle.die();
        thread::sleep(Duration::from_millis(500));
        middle.live_again().expect("a process");
    }
    end.come(3 * ENOUGH, BYTES).unwrap_or_else(|none| panic!("{what}: at the end: {none}"));
    let verdict = judge(&what, load, &[&middle, &end]);
    // What the middle one had stored or sent, and was killed before it said so.
    assert!(verdict.doubled <= 2 * 2 * IN_FLIGHT, "{what}: {verdict:?}");
}

/// Ends the load, waits for the last of its lines and says what became of all.
fn judge(what: &str, load: Load, receivers: &[&Receiver]) -> Verdict {
    assert!(!load.is_finished(), "{what}: {LINES} lines are not enough, the scene took too long");
    load.stop();
    let sent = load.finish().expect("a disk").lines;
    let last = LineId { source: 1, number: sent[&1] - 1 };
    let ledger = settle(receivers, last, BYTES).unwrap_or_else(|none| panic!("{what}: {none}"));
    let verdict = ledger.verdict(&sent);
    eprintln!(
        "{what}: {} sent, {} received, {} went down with a killed process, {} lost, {} doubled",
        verdict.sent, verdict.received, verdict.went_down, verdict.lost_count, verdict.doubled
    );
    assert_eq!(verdict.lost_count + verdict.out_of_order + verdict.foreign, 0, "{what}: {verdict:?}");
    verdict
}

fn receiver(side: Side, number: usize, scene: &Path) -> Receiver {
    let template = RECEIVER.to_owned() + MEMORY;
    let receiver = Receiver::start(side, number, &template, CAPACITY, scene).expect("a process");
    receiver.with_headers(HEADERS)
}

fn load(scene: &Path) -> Load {
    let log = Log::open(&scene.join("lines.log")).expect("a log");
    Load::start(vec![log], Demand { lines: LINES, rate: RATE, bytes: BYTES })
}

fn send(side: &Side, template: &str, scene: &Path) -> Node {
    let dir = scene.join("sender");
    fs::create_dir_all(&dir).expect("a folder");
    let text = template
        .replace("$LOG", &scene.join("lines.log").display().to_string())
        .replace("$DIR", &dir.display().to_string());
    let file = dir.join("sender.properties");
    fs::write(&file, text).expect("a file");
    Node::start(side, &file, "a1", &dir).expect("a process")
}

fn sink(name: &str, port: u16) -> String {
    SINK.replace("$NAME", name).replace("$TO", &port.to_string())
}

fn ours(binary: &str) -> Side {
    Side::ours(binary).expect("the binaries are built")
}

fn agent() -> Side {
    ours("agent")
}

fn collector() -> Side {
    ours("collector")
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
    under_load_flume_1_9_to_ours: drill(&V1_9, collector(), collector());
    under_load_flume_1_11_to_ours: drill(&V1_11, collector(), collector());
    under_load_ours_to_flume_1_9: drill(&agent(), V1_9, V1_9);
    under_load_ours_to_flume_1_11: drill(&agent(), V1_11, V1_11);
    under_load_flume_1_9_to_one_of_each: drill(&V1_9, V1_9, collector());
    under_load_flume_1_11_to_one_of_each: drill(&V1_11, collector(), V1_11);
    under_load_flume_1_9_to_one_of_each_the_other_way: drill(&V1_9, collector(), V1_9);
    under_load_flume_1_11_to_one_of_each_the_other_way: drill(&V1_11, V1_11, collector());
    under_load_ours_to_one_of_each: drill(&agent(), V1_11, collector());
    under_load_ours_to_one_of_each_the_other_way: drill(&agent(), collector(), V1_9);
    under_load_ours_by_flume_1_9_to_ours: chain(&agent(), V1_9, collector());
    under_load_ours_by_flume_1_11_to_ours: chain(&agent(), V1_11, collector());
    under_load_flume_by_ours_to_flume: chain(&V1_11, collector(), V1_9);
    under_load_ours_to_flume_1_9_that_hangs: frozen(V1_9, V1_9);
    under_load_ours_to_flume_1_11_that_hangs: frozen(V1_11, collector());
}

/// More lines than any scene takes, ten minutes of them; how many a second; and the bytes of each.
const LINES: u32 = 1_200_000;
const RATE: u32 = 2_000;
const BYTES: usize = 64;

/// Lines that a receiver has written before something happens.
const ENOUGH: usize = 2_000;

/// Towards a Flume, and from one, a connection has one batch under way.
const IN_FLIGHT: usize = 100;

/// Between two of ours so many batches are under way at once.
const WINDOW: usize = 16;

/// The next batch, which it is given a moment later, on a busy machine; and still far from the 20 s that are usual.
const MARGIN: Duration = Duration::from_secs(8);

/// What a memory channel holds, and with it at most what goes down with a process.
const CAPACITY: usize = 1000;

/// What each line that arrives begins with.
const HEADERS: &str = "{Collector=$NAME, Type=LOGIN} ";

const RECEIVER: &str = "a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.sources.r1.type = avro
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = $PORT
a1.sources.r1.channels = c1
a1.sources.r1.interceptors = i1
a1.sources.r1.interceptors.i1.type = static
a1.sources.r1.interceptors.i1.key = Collector
a1.sources.r1.interceptors.i1.value = $NAME
a1.sinks.k1.type = file_roll
a1.sinks.k1.sink.serializer = header_and_text
a1.sinks.k1.sink.directory = $OUT
a1.sinks.k1.sink.rollInterval = 0
a1.sinks.k1.channel = c1
";

const MIDDLE: &str = "a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.sources.r1.type = avro
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = $PORT
a1.sources.r1.channels = c1
";

const MEMORY: &str = "a1.channels.c1.type = memory
a1.channels.c1.capacity = 1000
a1.channels.c1.transactionCapacity = 100
";

const FILES: &str = "a1.channels.c1.type = file
a1.channels.c1.checkpointDir = $DIR/checkpoint
a1.channels.c1.dataDirs = $DIR/data
a1.channels.c1.capacity = 100000
a1.channels.c1.transactionCapacity = 1000
";

/// Both kinds follow the file by TAILDIR: Flume's exec source ends for good when its channel is full.
/// slave3 is the spout of a real topology, which fails a tenth of the tuples the first time. Its program is killed, then its
/// worker, both with tuples on their way; what it does not get slave4 gets.
#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn a_storm_topology_loses_nothing_when_tuples_fail_and_its_spout_and_its_worker_are_killed() {
    let client_extra = "\nagent1.sinkgroups.g1.processor.maxpenalty = 1000\n".to_owned();
    let setup = Setup { client_extra, ..Setup::default() };
    let mut cluster = Cluster::lay_out(&setup).expect("files are written");
    let directory = tempfile::tempdir().expect("a folder");
    let file = storm::file(directory.path(), cluster.whereabouts()).display().to_string();
    let program = binaries::directory().expect("it is built").join("collector").display().to_string();
    let mut storm = Storm::start(&["shell", &program, "storm-spout", "-n", "a1", "-f", &file]);
    storm.listens();
    cluster.collector(1).start().expect("it starts");
    cluster.start_agents().expect("they start");
    let load =
        cluster.load(Demand { lines: 1_000_000, rate: 1_000, bytes: 120 }).expect("the logs are there");
    for kill in 1..=2 {
        let had = storm.acknowledged().len();
        until("the topology acknowledges lines", || storm.acknowledged().len() >= had + 2_000);
        if kill == 1 {
            storm.kill_spout();
        } else {
            let spout = storm.spout();
            storm.process.signal(Signal::KILL);
            until("the spout ends with its worker", || test_kill_process(spout).is_err());
        }
        storm.process.wait(LONG).expect("it has ended");
        storm.start_again();
        storm.listens();
    }
    let had = storm.acknowledged().len();
    until("the topology has its lines again", || storm.acknowledged().len() >= had + 2_000);
    load.stop();
    let lines: usize =
        load.finish().expect("the logs are written").lines.values().map(|lines| *lines as usize).sum();
    let (mut acknowledged, mut there) = (0, 0);
    until("every line is there", || {
        let bodies = storm.acknowledged();
        let mut all: BTreeSet<LineId> =
            bodies.iter().filter_map(|body| LineId::parse(body.as_bytes())).collect();
        acknowledged = all.len();
        all.extend(cluster.ledger().arrivals.iter().map(|arrival| arrival.line));
        there = all.len();
        there == lines
    });
    for agent in 0..2 {
        let ended = cluster.agent(agent).terminate(LONG).expect("it ends");
        assert_eq!(ended.status.code(), Some(0), "it holds nothing: {:?}", ended.status);
    }
    let doubled = storm.acknowledged().len() - acknowledged;
    eprintln!("{lines} lines, {acknowledged} of them acknowledged by the topology, {doubled} more than once");
    // What the agents had under way at each kill.
    assert!(doubled <= 2 * 2 * lesson::CAPACITY, "{doubled}");
}

const SENDER: &str = "a1.sources = r1
a1.channels = c1
a1.channels.c1.type = memory
a1.channels.c1.capacity = 1000
a1.channels.c1.transactionCapacity = 100
a1.sources.r1.channels = c1
a1.sources.r1.type = TAILDIR
a1.sources.r1.filegroups = f1
a1.sources.r1.filegroups.f1 = $LOG
a1.sources.r1.positionFile = $DIR/position.json
a1.sources.r1.interceptors = i1
a1.sources.r1.interceptors.i1.type = static
a1.sources.r1.interceptors.i1.key = Type
a1.sources.r1.interceptors.i1.value = LOGIN
";

const SINK: &str = "a1.sinks.$NAME.type = avro
a1.sinks.$NAME.hostname = 127.0.0.1
a1.sinks.$NAME.port = $TO
a1.sinks.$NAME.channel = c1
";

const GROUP: &str = "a1.sinks = k1 k2
a1.sinkgroups = g1
a1.sinkgroups.g1.sinks = k1 k2
a1.sinkgroups.g1.processor.type = failover
a1.sinkgroups.g1.processor.priority.k1 = 10
a1.sinkgroups.g1.processor.priority.k2 = 1
a1.sinkgroups.g1.processor.maxpenalty = 10000
";

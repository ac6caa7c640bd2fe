//! Whatever comes to the Avro port: no panic, bounded memory, and the other agents notice nothing.

use integration::{
    cluster::{Cluster, Setup},
    load::Demand,
    solo::{at_best, less},
    vitals,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

/// What an attack cost.
struct Cost {
    /// KiB that the collector has grown by.
    grown: u64,
    /// How long the slowest line of the others took.
    slowest: Duration,
}

struct Target {
    cluster: Cluster,
    before_kib: u64,
}

impl Target {
    fn new() -> Target {
        Target::with(&Setup::default())
    }

    fn with(setup: &Setup) -> Target {
        // Ten thousand connections are as many open files, here and in the collector.
        let limit = getrlimit(Resource::Nofile);
        let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
        let mut cluster = Cluster::start(setup).expect("the cluster starts");
        let before_kib = memory(&mut cluster, "VmRSS");
        Target { cluster, before_kib }
    }

    fn connect(&self) -> TcpStream {
        let at = self.cluster.whereabouts();
        let stream = TcpStream::connect((at.hosts[0].as_str(), at.port)).expect("it accepts");
        stream.set_write_timeout(Some(Duration::from_millis(500))).expect("a time limit");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a time limit");
        stream
    }

    /// Lines flow while `attack` runs; all must arrive.
    fn under_load(&mut self, attack: impl FnOnce(&Target)) -> Cost {
        let load =
            self.cluster.load(Demand { lines: 5_000, rate: 500, bytes: 128 }).expect("the logs are there");
        attack(self);
        let peak = memory(&mut self.cluster, "VmHWM");
        let verdict = self.cluster.settle(load, Duration::from_secs(60)).expect("the logs are written");
        // A machine that is busy for more than the limit of an answer has what was under way go to the other collector.
        let busy = (0..2).any(|agent| {
            let late = |line: &str| line.contains("has answered nothing for").then_some(());
            !self.cluster.agent(agent).console().visit(0, |line| late(&line.text)).is_empty()
        });
        assert!(verdict.received == 5_000 && verdict.lost_count == 0, "{verdict:?}");
        assert!(busy || verdict.is_clean() && verdict.doubled == 0, "{verdict:?}");
        let written = self.cluster.written();
        let arrivals = self.cluster.ledger().arrivals;
        let slowest =
            arrivals.iter().filter_map(|arrival| Some(arrival.at - written.at(arrival.line)?)).max();
        let slowest = slowest.expect("lines came");
        let grown = peak.saturating_sub(self.before_kib);
        eprintln!(
            "resident {} KiB before, grown by {grown} KiB; slowest line of the others {slowest:?}",
            self.before_kib
        );
        assert!(self.cluster.collector(0).is_running());
        let panics = self.cluster.collector(0).console().visit(0, |line| {
            (line.text.contains("panicked") || line.text.contains("internal error"))
                .then(|| line.text.clone())
        });
        assert!(panics.is_empty(), "{panics:?}");
        Cost { grown, slowest }
    }
}

fn memory(cluster: &mut Cluster, figure: &str) -> u64 {
    let pid = cluster.collector(0).pid().expect("it runs");
    vitals::memory_kib(pid, figure).expect("it runs")
}

/// A frame's head: serial, number of buffers, length of the first.
fn head(serial: u32, buffers: u32, length: u32) -> Vec<u8> {
    [serial, buffers, length].map(u32::to_be_bytes).concat()
}

/// Whether the peer closed the connection without having said anything we could take for an answer.
fn is_closed(stream: &mut TcpStream) -> bool {
    let mut answer = [0; 1024];
    match stream.read(&mut answer) {
        Ok(0) => true,
        Ok(_) => is_closed(stream),
        Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
    }
}

fn no_avro() -> Duration {
    let mut target = Target::new();
    let noise: Vec<u8> = (0..100_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let openings: [(&str, Vec<u8>); 7] = [
        ("HTTP", b"GET / HTTP/1.1\r\nHost: slave3\r\n\r\n".to_vec()),
        ("TLS", vec![0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03, 0x5a]),
        ("zlib", vec![0x78, 0x9c, 0x62, 0x60, 0x60, 0x64, 0x60, 0x60, 0x60, 0x02, 0x62, 0x83]),
        ("a negative number of buffers", head(1, u32::MAX, 1)),
        ("a negative length", head(1, 1, u32::MAX)),
        ("more buffers than there can be", head(1, 0x7fff_ffff, 4)),
        ("noise", noise),
    ];
    let Cost { slowest, .. } = target.under_load(|target| {
        for (what, bytes) in &openings {
            let mut stream = target.connect();
            let _ = stream.write_all(bytes); // it may be closed before all is written
            assert!(is_closed(&mut stream), "{what}: still open");
        }
        for (_, bytes) in &openings {
            let _ = target.connect().write_all(bytes); // and gone before an answer
        }
    });
    slowest
}

#[test]
fn what_is_no_avro_is_told_once_and_closed() {
    no_avro();
}

fn announced_lengths() -> Duration {
    let mut target = Target::new();
    let Cost { grown, slowest } = target.under_load(|target| {
        let mut open: Vec<TcpStream> = (0..200).map(|_| target.connect()).collect();
        for (number, stream) in open.iter_mut().enumerate() {
            // One that is refused at once, one that may come.
            let length = if number % 2 == 0 { 0x3fff_ffff } else { LARGE };
            stream.write_all(&head(1, 1, length)).expect("a head is taken");
        }
        std::thread::sleep(Duration::from_secs(2));
    });
    assert!(grown < 40 * 1024, "200 announced frames cost {grown} KiB");
    slowest
}

#[test]
fn announced_lengths_take_no_memory() {
    announced_lengths();
}

/// Each of them sends as much of a frame without end as is taken; the source's budget for open frames bounds the sum.
fn frames_without_end() -> Duration {
    let mut target = Target::new();
    let Cost { grown, slowest } = target.under_load(|target| {
        let mut open: Vec<TcpStream> = (0..40).map(|_| target.connect()).collect();
        let chunk = vec![0; 1 << 20];
        for stream in &mut open {
            let _ = stream.write_all(&head(1, 1, LARGE));
        }
        let end = Instant::now() + Duration::from_secs(6);
        'sending: loop {
            for stream in &mut open {
                stream.set_write_timeout(Some(Duration::from_millis(5))).expect("a time limit");
                let _ = stream.write(&chunk); // it may be full, or closed by now
                if Instant::now() > end {
                    break 'sending;
                }
            }
        }
    });
    assert!(grown < 330 * 1024, "40 endless frames cost {grown} KiB");
    slowest
}

#[test]
fn frames_without_end_are_bounded_together() {
    frames_without_end();
}

fn frames_beyond_a_limit() -> Duration {
    let server_extra = "a1.sources.r1.maxFrameBytes = 1048576\n".to_owned();
    let mut target = Target::with(&Setup { server_extra, ..Setup::default() });
    let Cost { grown, slowest } = target.under_load(|target| {
        let mut large = target.connect();
        large.write_all(&head(1, 1, 2 << 20)).expect("a head is taken");
        assert!(is_closed(&mut large), "a frame of 2 MiB is still awaited");
        let mut open: Vec<TcpStream> = (0..40).map(|_| target.connect()).collect();
        for stream in &mut open {
            stream.write_all(&head(1, 1, 1_000_000)).expect("a head is taken");
            let _ = stream.write(&[0; 900_000]); // when all hold enough, it is not read
        }
        std::thread::sleep(Duration::from_secs(1));
    });
    let told = target
        .cluster
        .collector(0)
        .console()
        .visit(0, |line| line.text.contains("maxFrameBytes").then(|| line.text.clone()));
    let limit = "a frame of 2097164 bytes or more was announced, at most 1048576 are taken";
    assert!(told.len() == 1 && told[0].contains(limit), "{told:?}");
    assert!(grown < 16 * 1024, "40 frames within a limit of 1 MiB cost {grown} KiB");
    slowest
}

#[test]
fn frames_are_kept_to_the_limit_that_was_set() {
    frames_beyond_a_limit();
}

fn ten_thousand_connections() -> Duration {
    let mut target = Target::new();
    let count = 10_000;
    let Cost { grown, slowest } = target.under_load(|target| {
        let mut open = Vec::with_capacity(count);
        for number in 0..count {
            let mut stream = target.connect();
            // Every other one says nothing at all.
            if number % 2 == 0 {
                stream.write_all(&head(1, 1, 100_000)).expect("a head is taken");
                stream.write_all(&[0; 500]).expect("and some of the rest");
            }
            open.push(stream);
        }
        std::thread::sleep(Duration::from_secs(1));
        drop(open); // all of them at once
    });
    eprintln!("{} bytes for each of {count} connections", grown * 1024 / count as u64);
    assert!(grown <= count as u64 * 64, "more than 64 KiB for each: {grown} KiB");
    slowest
}

#[test]
fn ten_thousand_connections_with_half_a_frame_each() {
    ten_thousand_connections();
}

#[test]
#[ignore = "compares with the clock: .ci/run runs it alone"]
fn the_others_do_not_wait_for_any_of_them() {
    type Attack = fn() -> Duration;
    let attacks: [(&str, Attack); 5] = [
        ("no avro", no_avro),
        ("announced lengths", announced_lengths),
        ("frames without end", frames_without_end),
        ("frames beyond a limit", frames_beyond_a_limit),
        ("ten thousand connections", ten_thousand_connections),
    ];
    for (what, attack) in attacks {
        at_best(|| less(&format!("{what}: the others"), attack(), Duration::from_secs(2)));
    }
}

/// Bytes in one buffer of a frame that is still taken where no limit is set.
const LARGE: u32 = 95 << 20;

//! How many events a second go through the bridge's pipe: an interceptor, an own one, a null sink, in batches of 1,000 and
//! of 100. `cargo run --release -p integration --bin bridge_rate`.
//!
//! With `follow LINES` it has an agent follow a file of that many lines and an own sink in the JVM write them, beside real
//! Flume with the same class, and prints the ratio: medians of three runs, from the first byte that comes out to the last.
//!
//! With `hold FOLDER` it starts a JVM with a sink, prints the JVM's process number and waits to be killed, for a test.

use bridge::{ComponentKind, Interceptors, Jvm, Sink, SinkEvent, Spec};
use event::{Batch, BatchBuilder};
use integration::{
    binaries,
    console::Console,
    duel::arena::{self, Arena, Shape},
    flume::{
        self, Launch, Version,
        bridge::{environment, host, plugins},
    },
    process::Process,
    vitals,
};
use rustix::process::Pid;
use std::{
    cell::{Cell, RefCell},
    io::{self, Write},
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, folder] = &arguments[..]
        && word == "hold"
    {
        return hold(Path::new(folder)).await;
    }
    if let [word, lines] = &arguments[..]
        && word == "follow"
    {
        return follow(lines.parse()?);
    }
    for version in Version::ALL {
        let directory = tempfile::tempdir()?;
        let (bridge, _said) = host(version, directory.path(), |_| {});
        let jvm = bridge.jvm().await?;
        for events in [1000, 100] {
            for (what, class) in
                [("static", "static"), ("own interceptor", "org.acme.Tagging$Builder"), ("null sink", "")]
            {
                let (batch, meter) = (batch(events), Meter::new(&jvm));
                if class.is_empty() {
                    null_sink(&jvm, &batch, &meter).await?;
                } else {
                    interceptor(&jvm, class, &batch, &meter).await?;
                }
                let flume = version.name();
                writeln!(io::stdout(), "Flume {flume:7} {what:16} batches of {events:5}: {}", meter.told())?;
            }
        }
    }
    Ok(())
}

async fn hold(folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let (bridge, _said) = host(Version::V1_9, folder, |_| {});
    let jvm = bridge.jvm().await?;
    let mut sink =
        Sink::create(&jvm, &Spec::new(ComponentKind::Sink, "k1", "org.acme.Lines").names(["c1"])).await?;
    sink.start().await?;
    sink.process(); // it waits for events in take()
    writeln!(io::stdout(), "{}", jvm.pid().unwrap_or_default())?;
    std::future::pending().await
}

fn follow(lines: u32) -> Result<(), Box<dyn std::error::Error>> {
    let arena = Arena::new(None)?;
    for version in Version::ALL {
        let mut rates = [vec![], vec![]]; // an agent's, Flume's
        for _ in 0..3 {
            rates[0].push(carry(&arena, lines, Side::Agent(version))?);
            rates[1].push(carry(&arena, lines, Side::Flume(version))?);
        }
        rates.iter_mut().for_each(|rates| rates.sort_by(f64::total_cmp));
        let [agent, flume] = rates.map(|rates| rates[1]);
        writeln!(
            io::stdout(),
            "Flume {:7} file to own sink: agent {agent:9.0} lines/s, Flume {flume:9.0} lines/s: {:.1} times as many",
            version.name(),
            agent / flume
        )?;
    }
    Ok(())
}

/// What runs the followed file and the own sink, with the jars of a release.
enum Side {
    Agent(Version),
    Flume(Version),
}

/// Lines a second.
fn carry(arena: &Arena, lines: u32, side: Side) -> Result<f64, Box<dyn std::error::Error>> {
    let shape = Shape { lines, bytes: arena::USUAL };
    let (input, directory) = (arena.input(shape)?, arena.fresh()?);
    let (folder, output) = (directory.path(), directory.path().join("out"));
    let text = format!(
        "a1.sources = r1\na1.channels = c1\na1.sinks = k1\na1.sources.r1.type = TAILDIR\na1.sources.r1.filegroups = f\n\
         a1.sources.r1.filegroups.f = {}\na1.sources.r1.positionFile = {}/positions\na1.sources.r1.batchSize = 1000\n\
         a1.sources.r1.channels = c1\na1.channels.c1.type = memory\na1.channels.c1.capacity = 10000\n\
         a1.channels.c1.transactionCapacity = 1000\na1.sinks.k1.type = org.acme.Lines\na1.sinks.k1.channel = c1\n\
         a1.sinks.k1.batchSize = 1000\na1.sinks.k1.file = {}\n",
        input.display(),
        folder.display(),
        output.display()
    );
    let file = folder.join("a1.conf");
    std::fs::write(&file, text)?;
    let command = match side {
        Side::Agent(version) => {
            let words = environment(version);
            let mut command = Command::new(&words[0]);
            command.args(&words[1..]).arg(binaries::directory()?.join("agent"));
            command.args(["-n", "a1", "-f"]).arg(&file);
            command
        }
        Side::Flume(version) => {
            let launch = Launch { classes: Some(plugins()?), ..Launch::default() };
            flume::command(version, &file, "a1", folder, &launch)
        }
    };
    let mut process = Process::spawn(command, &Console::default(), 0)?;
    let began = Instant::now();
    let (mut first, total) = (None, shape.total());
    loop {
        let written = std::fs::metadata(&output).map_or(0, |metadata| metadata.len());
        match first {
            None if written > 0 => first = Some((Instant::now(), written)),
            Some((at, before)) if written == total => {
                process.kill();
                return Ok((total - before) as f64 / shape.bytes as f64 / at.elapsed().as_secs_f64());
            }
            _ => {}
        }
        if began.elapsed() > LONGEST_RUN {
            return Err(format!("{written} of {total} bytes came out in {LONGEST_RUN:?}").into());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Events as they are in the lesson: two headers, and a line of 256 bytes.
fn batch(events: usize) -> Batch {
    let mut builder = BatchBuilder::default();
    for number in 0..events {
        let body = format!("{number:08} {}", "x".repeat(247));
        builder.push([("host", "slave1"), ("timestamp", "1700000000000")], body.as_bytes());
    }
    builder.finish()
}

/// Four calls are under way at a time.
async fn interceptor(
    jvm: &Jvm,
    class: &str,
    batch: &Batch,
    meter: &Meter,
) -> Result<(), bridge::BridgeError> {
    let spec = Spec::new(ComponentKind::Interceptors, "r1", "")
        .with("interceptors", "i1")
        .with("interceptors.i1.type", class)
        .with("interceptors.i1.key", "tag");
    let interceptors = Interceptors::create(jvm, &spec).await?;
    interceptors.start().await?;
    let caller = async || {
        while meter.goes_on() {
            meter.count(interceptors.call(batch, false).await?.batch.len() as u64);
        }
        Ok(())
    };
    let ended = tokio::join!(caller(), caller(), caller(), caller());
    ended.0.and(ended.1).and(ended.2).and(ended.3)
}

/// 2 MiB are with the sink at a time, as towards any other sink.
async fn null_sink(jvm: &Jvm, batch: &Batch, meter: &Meter) -> Result<(), bridge::BridgeError> {
    let size = batch.len().to_string();
    let spec = Spec::new(ComponentKind::Sink, "k1", "null").with("batchSize", &size).names(["c1"]);
    let spec = Spec { transaction_capacity: 10_000, ..spec };
    let mut sink = Sink::create(jvm, &spec).await?;
    sink.start().await?;
    sink.process();
    let window = (2 << 20) / batch.event_bytes().max(1);
    let mut under_way = 0;
    while meter.goes_on() {
        while under_way < window * batch.len() {
            under_way += batch.len();
            sink.push(batch)?;
        }
        match sink.next().await {
            Some(SinkEvent::Delivered(ranges)) => {
                let events: u64 = ranges.iter().map(|(_, count)| count).sum();
                under_way -= events as usize;
                meter.count(events);
            }
            Some(SinkEvent::Paused { .. }) => sink.process(),
            Some(SinkEvent::Returned(_)) => {}
            None => return Err(sink.gone()),
        }
    }
    Ok(())
}

/// Counts events once Java has warmed up, and the processor time that both sides take for them: that says how fast it is
/// where the machine has other things to do.
struct Meter {
    begun: Instant,
    state: RefCell<Option<(Instant, [f64; 2])>>,
    events: Cell<u64>,
    processes: [Option<Pid>; 2],
}

impl Meter {
    fn new(jvm: &Jvm) -> Meter {
        let jvm = jvm.pid().and_then(|pid| Pid::from_raw(pid as i32));
        let processes = [Some(rustix::process::getpid()), jvm];
        Meter { begun: Instant::now(), state: RefCell::default(), events: Cell::new(0), processes }
    }

    fn goes_on(&self) -> bool {
        self.begun.elapsed() < WARM_UP + MEASURED
    }

    fn count(&self, events: u64) {
        if self.begun.elapsed() < WARM_UP {
            return;
        }
        let mut state = self.state.borrow_mut();
        if state.is_none() {
            *state = Some((Instant::now(), self.cpu()));
        } else {
            self.events.set(self.events.get() + events);
        }
    }

    fn cpu(&self) -> [f64; 2] {
        self.processes.map(|pid| pid.and_then(vitals::cpu_seconds).unwrap_or_default())
    }

    fn told(&self) -> String {
        let Some((since, before)) = *self.state.borrow() else { return "nothing came".to_owned() };
        let (events, now) = (self.events.get() as f64, self.cpu());
        let rate = events / since.elapsed().as_secs_f64();
        let [ours, java] = [0, 1].map(|side| (now[side] - before[side]) * 1e6 / events);
        format!(
            "{rate:9.0} events/s; a million takes {ours:.2} s of the native node's and {java:.2} s of Java's processor time"
        )
    }
}

/// Java compiles what runs often.
const WARM_UP: Duration = Duration::from_secs(3);
const LONGEST_RUN: Duration = Duration::from_secs(300);
const MEASURED: Duration = Duration::from_secs(3);

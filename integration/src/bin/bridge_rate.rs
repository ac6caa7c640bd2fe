//! How many events a second go through the bridge's pipe: an interceptor, an own one, a null sink, in batches of 1,000 and
//! of 100, and beside it what the interceptor alone does in a JVM, without a bridge.
//! `cargo run --release -p integration --bin bridge_rate`.
//!
//! With `follow LINES` it has an agent follow a file of that many lines and an own sink in the JVM write them, beside real
//! Flume with the same class: as its launcher starts it where nobody has set anything (`-Xmx20m`), and with the bridge's heap
//! and collector. Prints medians of three runs, from the first byte that comes out to the last, the ratios, and what the class
//! alone does in a JVM: nothing that hosts it can do more.
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
        for (class, events) in INTERCEPTORS.iter().flat_map(|class| [(class, 1000), (class, 100)]) {
            let rate = alone(version, &["3000000", &events.to_string(), class])?;
            let flume = version.name();
            writeln!(
                io::stdout(),
                "Flume {flume:7} {class} alone, batches of {events:5}: {rate:9.0} events/s"
            )?;
        }
        let directory = tempfile::tempdir()?;
        let (bridge, _said) = host(version, directory.path(), |_| {});
        let jvm = bridge.jvm().await?;
        for events in [1000, 100] {
            for (what, class) in
                [("static", INTERCEPTORS[0]), ("own interceptor", INTERCEPTORS[1]), ("null sink", "")]
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
        let mut rates = [vec![], vec![], vec![], vec![]];
        for _ in 0..3 {
            rates[0].push(carry(&arena, lines, version, None)?);
            rates[1].push(carry(&arena, lines, version, Some(&AS_INSTALLED))?);
            rates[2].push(carry(&arena, lines, version, Some(&AS_THE_BRIDGE))?);
            let directory = arena.fresh()?;
            let output = directory.path().join("out").display().to_string();
            rates[3].push(alone(version, &[&lines.to_string(), &output])?);
        }
        rates.iter_mut().for_each(|rates| rates.sort_by(f64::total_cmp));
        let [agent, installed, same_heap, class] = rates.map(|rates| rates[1]);
        writeln!(
            io::stdout(),
            "Flume {:7} file to own sink: agent {agent:9.0} lines/s; Flume as its launcher starts it {installed:9.0}: \
             {:.1} times as many; Flume with the bridge's heap {same_heap:9.0}: {:.1} times; the class alone {class:9.0}",
            version.name(),
            agent / installed,
            agent / same_heap
        )?;
    }
    Ok(())
}

/// Events a second of a class alone in a JVM.
fn alone(version: Version, arguments: &[&str]) -> Result<f64, Box<dyn std::error::Error>> {
    let output = flume::bridge::alone(version)?.args(arguments).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    // An interceptor may print something of its own before.
    let rate = text.lines().next_back().and_then(|line| line.trim().parse().ok());
    rate.ok_or_else(|| format!("a class alone in a JVM has said {text}").into())
}

/// Lines a second of an agent with the jars of a release, or of real Flume with these words for its JVM.
fn carry(
    arena: &Arena,
    lines: u32,
    version: Version,
    flume: Option<&[&str]>,
) -> Result<f64, Box<dyn std::error::Error>> {
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
    let command = match flume {
        None => {
            let words = environment(version);
            let mut command = Command::new(&words[0]);
            command.args(&words[1..]).arg(binaries::directory()?.join("agent"));
            command.args(["-n", "a1", "-f"]).arg(&file);
            command
        }
        Some(words) => {
            let jvm = words.iter().map(|word| (*word).to_owned()).collect();
            let launch = Launch { classes: Some(plugins()?), jvm, ..Launch::default() };
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

const INTERCEPTORS: [&str; 2] = ["static", "org.acme.Tagging$Builder"];

/// Words that undo those of the tests: `bin/flume-ng` says `-Xmx20m` and no more.
const AS_INSTALLED: [&str; 3] = ["-Xmx20m", "-XX:-UseSerialGC", "-XX:TieredStopAtLevel=4"];
const AS_THE_BRIDGE: [&str; 2] = ["-Xmx64m", "-XX:TieredStopAtLevel=4"];

/// Java compiles what runs often.
const WARM_UP: Duration = Duration::from_secs(3);
const LONGEST_RUN: Duration = Duration::from_secs(300);
const MEASURED: Duration = Duration::from_secs(3);

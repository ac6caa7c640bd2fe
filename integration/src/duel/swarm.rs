//! Many agents at once: connections with real handshakes and real batches, all from one light thread.

use super::{latency, recipe, watch};
use crate::{binaries, node::Error, ports, process::Process, vitals};
use bytes::{Bytes, BytesMut};
use event::BatchBuilder;
use hdrhistogram::Histogram;
use rustix::process::{Pid, Resource, Rlimit, getrlimit, setrlimit};
use std::{
    cell::RefCell,
    fmt, fs, io,
    path::Path,
    process::Command,
    rc::Rc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::{LocalSet, yield_now},
    time::sleep_until,
};
use wire::avro::{ClientEvent, ClientSession, FrameDecoder, MAX_FRAME_BYTES, Outcome, TAIL};

/// How many agents, and what they send.
#[derive(Debug, Clone, Copy)]
pub struct Swarm {
    /// Connections.
    pub agents: usize,
    /// Events a second of all of them together.
    pub rate: u32,
    /// How long they send at that rate, and after that how long as fast as each can.
    pub each: Duration,
}

/// What it cost the collector.
pub struct Cost {
    swarm: Swarm,
    idle_bytes: u64,
    paced_bytes: u64,
    peak_bytes: u64,
    paced: Phase,
    paced_cpu: f64,
    full: Phase,
    full_cpu: f64,
}

/// What the agents saw.
struct Phase {
    took: Duration,
    accepted: Vec<u64>,      // events of each agent
    answers: Histogram<u64>, // microseconds from call to answer
    trouble: Vec<String>,
}

/// Lets a swarm loose on a collector of its own, which forgets what it gets.
///
/// # Errors
/// When the collector does not start or a connection is refused.
pub fn run(swarm: Swarm, directory: &Path) -> Result<Cost, Error> {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }); // else it is told by `connect`
    let host = ports::HOSTS[0];
    let port = ports::free(&[host]).map_err(Error::io("no free port"))?;
    let collector = collector(directory, host, port)?;
    let pid = collector.pid();
    let before = resident(pid, "VmRSS");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(Error::io("no runtime for the agents"))?;
    LocalSet::new().block_on(&runtime, async {
        let mut agents = Vec::with_capacity(swarm.agents);
        for _ in 0..swarm.agents {
            let agent = Agent::connect(host, port).await;
            agents.push(agent.map_err(Error::io("an agent cannot connect"))?);
        }
        let idle_bytes = resident(pid, "VmRSS").saturating_sub(before) * 1024;
        let pace = Duration::from_secs_f64(BATCH as f64 * swarm.agents as f64 / f64::from(swarm.rate.max(1)));
        let (paced, paced_cpu, agents) = phase(agents, swarm.each, Some(pace), pid).await;
        let paced_bytes = resident(pid, "VmHWM").saturating_sub(before) * 1024;
        let (full, full_cpu, _) = phase(agents, swarm.each, None, pid).await;
        let peak_bytes = resident(pid, "VmHWM").saturating_sub(before) * 1024;
        Ok(Cost { swarm, idle_bytes, paced_bytes, peak_bytes, paced, paced_cpu, full, full_cpu })
    })
}

fn resident(pid: Pid, figure: &str) -> u64 {
    vitals::memory_kib(pid, figure).unwrap_or_default()
}

fn collector(directory: &Path, host: &str, port: u16) -> Result<Process, Error> {
    let file = directory.join("swarm.conf");
    let text = format!(
        "a1.sources = r1\na1.channels = c1\na1.sinks = k1\n\
         a1.sources.r1.type = avro\na1.sources.r1.bind = {host}\na1.sources.r1.port = {port}\na1.sources.r1.channels = c1\n\
         a1.channels.c1.type = memory\na1.channels.c1.capacity = 10000\na1.channels.c1.transactionCapacity = 1000\n\
         a1.sinks.k1.type = null\na1.sinks.k1.batchSize = 1000\na1.sinks.k1.logEveryNEvents = 1000000000\n\
         a1.sinks.k1.channel = c1\n"
    );
    fs::write(&file, text).map_err(Error::io("cannot write the collector's file"))?;
    let console = directory.join("swarm.console");
    let mut command = Command::new(binaries::directory().map_err(Error::Missing)?.join("collector"));
    command.args(["agent", "-n", recipe::COLLECTOR, "--no-reload-conf", "-f"]).arg(&file);
    command.stdout(std::process::Stdio::null()).current_dir(directory);
    command.stderr(fs::File::create(&console).map_err(Error::io("cannot make the console's file"))?);
    let process = Process::spawn_as_is(command).map_err(Error::io("cannot start the collector"))?;
    watch::line(&console, "Avro source r1 started.", Duration::from_secs(60))?;
    Ok(process)
}

/// All agents send for `time`, each a batch every `pace`, or as soon as the last one is answered.
async fn phase(
    agents: Vec<Agent>,
    time: Duration,
    pace: Option<Duration>,
    pid: Pid,
) -> (Phase, f64, Vec<Agent>) {
    let cpu = vitals::cpu_seconds(pid).unwrap_or_default();
    let answers = Rc::new(RefCell::new(latency::new_histogram()));
    let begin = Instant::now();
    let count = agents.len() as u32;
    let tasks: Vec<_> = agents
        .into_iter()
        .enumerate()
        .map(|(number, agent)| {
            // Spread over one beat, as agents on many hosts are.
            let first = begin + pace.map_or(Duration::ZERO, |pace| pace * number as u32 / count);
            tokio::task::spawn_local(agent.send_until(first, begin + time, pace, answers.clone()))
        })
        .collect();
    let (mut accepted, mut trouble, mut left) = (vec![], vec![], vec![]);
    for task in tasks {
        match task.await {
            Ok((agent, events, None)) => {
                accepted.push(events);
                left.push(agent);
            }
            Ok((_, events, Some(error))) => {
                accepted.push(events);
                trouble.push(error);
            }
            Err(error) => trouble.push(error.to_string()),
        }
    }
    let answers = Rc::try_unwrap(answers).map_or_else(|shared| shared.borrow().clone(), RefCell::into_inner);
    let cpu = vitals::cpu_seconds(pid).unwrap_or_default() - cpu;
    (Phase { took: begin.elapsed(), accepted, answers, trouble }, cpu, left)
}

/// One connection, as an agent's sink has it.
struct Agent {
    stream: TcpStream,
    session: ClientSession,
    decoder: FrameDecoder,
    input: BytesMut,
    output: BytesMut,
    batch: Bytes,
}

impl Agent {
    async fn connect(host: &str, port: u16) -> io::Result<Agent> {
        let stream = TcpStream::connect((host, port)).await?;
        stream.set_nodelay(true)?;
        let (session, decoder) = (ClientSession::new(), FrameDecoder::new(MAX_FRAME_BYTES));
        let (input, output, batch) = (BytesMut::new(), BytesMut::new(), batch());
        let mut agent = Agent { stream, session, decoder, input, output, batch };
        agent.session.ping(&mut agent.output);
        agent.flush().await?;
        match agent.next().await? {
            ClientEvent::Ready { .. } => Ok(agent),
            other => Err(io::Error::other(format!("instead of a handshake: {other:?}"))),
        }
    }

    /// Sends until `end`; gives itself back with the events that were accepted, and what went wrong.
    async fn send_until(
        mut self,
        first: Instant,
        end: Instant,
        pace: Option<Duration>,
        answers: Rc<RefCell<Histogram<u64>>>,
    ) -> (Agent, u64, Option<String>) {
        let (mut accepted, mut due) = (0, first);
        while due < end {
            match pace {
                Some(_) => sleep_until(due.into()).await,
                None => yield_now().await, // a timer would wait for its next millisecond
            }
            let now = Instant::now();
            if now >= end {
                return (self, accepted, None);
            }
            if let Err(error) = self.deliver().await {
                return (self, accepted, Some(error.to_string()));
            }
            answers.borrow_mut().saturating_record(now.elapsed().as_micros() as u64);
            accepted += BATCH as u64;
            due = pace.map_or(now, |pace| due + pace);
        }
        (self, accepted, None)
    }

    async fn deliver(&mut self) -> io::Result<()> {
        let batch = self.batch.clone();
        self.session.call_head(&mut self.output, BATCH, batch.len(), None);
        self.output.extend_from_slice(&batch);
        self.output.extend_from_slice(TAIL);
        self.flush().await?;
        match self.next().await? {
            ClientEvent::Answer { outcome: Outcome::Ok, .. } => Ok(()),
            other => Err(io::Error::other(format!("instead of OK: {other:?}"))),
        }
    }

    async fn flush(&mut self) -> io::Result<()> {
        self.stream.write_all(&self.output).await?;
        self.output.clear();
        Ok(())
    }

    async fn next(&mut self) -> io::Result<ClientEvent> {
        loop {
            if let Some(frame) = self.decoder.decode(&mut self.input).map_err(io::Error::other)? {
                return self.session.receive(frame).map_err(io::Error::other);
            }
            if self.stream.read_buf(&mut self.input).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

/// Events as the lesson's agent sends them, with bodies that make lines of 256 bytes.
fn batch() -> Bytes {
    let mut builder = BatchBuilder::default();
    for _ in 0..BATCH {
        builder.push([("Type", "LOGIN"), ("timestamp", "1542098088198")], &[b'.'; 255]);
    }
    builder.finish().buffer().clone()
}

impl Cost {
    /// What is asked and not met: no error anywhere; with 1,000 agents at the given rate 64 KiB for each, and shares that
    /// are a fifth off at most.
    pub fn missed(&self) -> Vec<String> {
        let agents = self.swarm.agents;
        let errors = self.paced.trouble.len() + self.full.trouble.len();
        let events: u64 = self.paced.accepted.iter().sum();
        let mean = events as f64 / agents as f64;
        let fair = |share: &u64| (*share as f64 - mean).abs() <= mean * 0.2;
        let many = agents >= 1_000;
        [
            (errors > 0, format!("{errors} errors")),
            (many && self.paced_bytes > agents as u64 * (64 << 10), "more than 64 KiB each".to_owned()),
            (many && !self.paced.accepted.iter().all(fair), "shares are more than 20 % apart".to_owned()),
        ]
        .into_iter()
        .filter_map(|(missed, what)| missed.then(|| format!("{agents} agents: {what}")))
        .collect()
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let agents = self.swarm.agents;
        let each = |bytes: u64| bytes as f64 / 1024.0 / agents as f64;
        writeln!(
            f,
            "{agents} agents: {:.1} KiB each when idle, {:.1} at most at {} events/s, {:.1} at full speed",
            each(self.idle_bytes),
            each(self.paced_bytes),
            super::board::thousands(f64::from(self.swarm.rate)),
            each(self.peak_bytes)
        )?;
        for (what, phase, cpu) in
            [("paced", &self.paced, self.paced_cpu), ("full", &self.full, self.full_cpu)]
        {
            let events: u64 = phase.accepted.iter().sum();
            let rate = events as f64 / phase.took.as_secs_f64();
            let (least, most) = (phase.accepted.iter().min(), phase.accepted.iter().max());
            let mean = events as f64 / agents as f64;
            let part =
                |events: Option<&u64>| events.map_or(0.0, |events| *events as f64 / mean.max(1.0) * 100.0);
            let answer = |quantile: f64| phase.answers.value_at_quantile(quantile) as f64 / 1e3;
            writeln!(
                f,
                "  {what:>5}: {:>9} events/s, {:.2} CPU s per 1 M in the collector, shares {:.0} to {:.0} %, \
                 answers p50 {:.2} ms, p99 {:.2} ms, {} errors",
                super::board::thousands(rate),
                cpu / events.max(1) as f64 * 1e6,
                part(least),
                part(most),
                answer(0.5),
                answer(0.99),
                phase.trouble.len(),
            )?;
            phase.trouble.iter().take(3).try_for_each(|trouble| writeln!(f, "    {trouble}"))?;
        }
        Ok(())
    }
}

/// Events of a batch: the lesson's.
const BATCH: usize = 100;

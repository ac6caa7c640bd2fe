//! How long a line takes from the log to the collector's file, by the time that stands in it.

use super::{TwoHops, arena::Arena, two_hops::Hops, watch};
use crate::{
    load::{Demand, Load, Log},
    node::Error,
};
use hdrhistogram::Histogram;
use std::{
    fmt,
    fs::File,
    io::{self, Read},
    path::Path,
    thread,
    time::{Duration, Instant, SystemTime},
};

/// What was measured.
pub struct Latency {
    /// Lines a second that were asked for; 0 is as many as go through.
    pub rate: u32,
    /// Lines that came out.
    pub lines: u32,
    /// How long they took.
    pub took: Duration,
    /// Microseconds from the line's own time to when it was read: of all lines, or of one in 16 at high rates.
    pub histogram: Histogram<u64>,
}

/// Milliseconds that are asked for.
#[derive(Debug, Clone, Copy)]
pub struct Bar {
    /// At the median.
    pub p50: f64,
    /// At the 99th percentile.
    pub p99: f64,
}

/// Carries `demand` through two hops that end in a file.
///
/// # Errors
/// When a process does not start or the lines do not come out.
pub fn run(duel: &TwoHops, arena: &Arena, demand: Demand) -> Result<Latency, Error> {
    let directory = arena.fresh()?;
    let input = directory.path().join("live.log");
    let log = Log::open(&input).map_err(Error::io("cannot make the log"))?;
    std::fs::create_dir(super::recipe::idle_directory(directory.path()))
        .map_err(Error::io("no idle directory"))?;
    let mut hops = Hops::start_collector(duel, directory.path())?;
    hops.start_agent(duel, &input)?;
    let warm = Load::start(vec![log.again().map_err(Error::io("cannot share the log"))?], WARM);
    warm.finish().map_err(Error::io("cannot write the log"))?;
    watch::directory(&hops.output(), u64::from(WARM.lines) * WARM.bytes as u64, LIMIT)?;
    let load = Load::start(vec![log], demand);
    let watched = follow(&hops.output(), u64::from(WARM.lines) * WARM.bytes as u64, demand);
    load.finish().map_err(Error::io("cannot write the log"))?;
    hops.stop();
    watched.map_err(Error::io("cannot follow the output"))
}

/// Reads what comes out as it comes, until all has.
fn follow(output: &Path, skip: u64, demand: Demand) -> io::Result<Latency> {
    let path = watch::files(output).pop().ok_or_else(|| io::Error::other("there is no output"))?;
    let mut file = File::open(path)?;
    io::copy(&mut (&mut file).take(skip), &mut io::sink())?;
    let mut latency =
        Latency { rate: demand.rate, lines: 0, took: Duration::ZERO, histogram: new_histogram() };
    let mut chunk = vec![0; CHUNK];
    let mut open = Vec::new();
    let begin = Instant::now();
    let mut last = begin;
    while latency.lines < demand.lines && last.elapsed() < LIMIT {
        let read = file.read(&mut chunk)?;
        if read == 0 {
            thread::sleep(LOOK);
            continue;
        }
        last = Instant::now();
        open.extend_from_slice(&chunk[..read]);
        let whole = open.len() - open.len() % demand.bytes;
        latency.take(&open[..whole], demand.bytes);
        open.drain(..whole);
    }
    latency.took = last - begin;
    if latency.lines < demand.lines {
        return Err(io::Error::other(format!("{} of {} lines came out", latency.lines, demand.lines)));
    }
    Ok(latency)
}

impl Latency {
    /// Lines a second that came out.
    pub fn speed(&self) -> u32 {
        (f64::from(self.lines) / self.took.as_secs_f64()) as u32
    }

    /// What was measured, if the bar is missed.
    pub fn missed(&self, bar: Bar) -> Option<String> {
        let of = |quantile: f64| self.histogram.value_at_quantile(quantile) as f64 / 1e3;
        let (p50, p99) = (of(0.5), of(0.99));
        let text = format!("p50 {p50:.1} ms, p99 {p99:.1} ms at {} lines/s", self.rate);
        (p50 > bar.p50 || p99 > bar.p99).then_some(text)
    }

    /// Takes whole lines that were just read, and reads the time in one of every so many.
    fn take(&mut self, lines: &[u8], bytes: usize) {
        let now =
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_micros() as u64;
        let stride = if self.rate == 0 || self.rate > MANY { STRIDE } else { 1 };
        for line in lines.chunks_exact(bytes) {
            if self.lines.is_multiple_of(stride)
                && let Some(written) = written_at(line)
            {
                self.histogram.saturating_record(now.saturating_sub(written));
            }
            self.lines += 1;
        }
    }
}

/// The microseconds that stand behind the line's number.
fn written_at(line: &[u8]) -> Option<u64> {
    let rest = line.get(crate::ledger::LineId::BYTES + 1..)?;
    let digits = rest.split(|byte| *byte == b' ').next()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |quantile: f64| self.histogram.value_at_quantile(quantile) as f64 / 1e3;
        let (p50, p90, p99, p999, max) = (of(0.5), of(0.9), of(0.99), of(0.999), of(1.0));
        write!(
            f,
            "{} lines/s: p50 {p50:.2} ms, p90 {p90:.2}, p99 {p99:.2}, p99.9 {p999:.2}, max {max:.2}",
            self.rate
        )?;
        writeln!(f, " ({} lines out, {} read)", self.lines, self.histogram.len())?;
        let most = self
            .histogram
            .iter_log(128, 2.0)
            .map(|step| step.count_since_last_iteration())
            .max()
            .unwrap_or(1);
        for step in self.histogram.iter_log(128, 2.0).filter(|step| step.count_since_last_iteration() > 0) {
            let count = step.count_since_last_iteration();
            let bar = "#".repeat((count * 50 / most.max(1)).max(1) as usize);
            writeln!(f, "  to {:>8.2} ms {count:>9} {bar}", step.value_iterated_to() as f64 / 1e3)?;
        }
        Ok(())
    }
}

/// Of microseconds up to an hour. One that grows by itself does not do so for values that are to be cut.
pub fn new_histogram() -> Histogram<u64> {
    Histogram::new_with_max(3_600_000_000, 3).expect("three digits are allowed")
}

/// Lines before the measurement: connections are open and buffers made.
const WARM: Demand = Demand { lines: 1_000, rate: 10_000, bytes: 256 };

/// How often the output is looked at.
const LOOK: Duration = Duration::from_micros(100);

/// Bytes of one look.
const CHUNK: usize = 1 << 20;

/// Above this many lines a second only one line of [`STRIDE`] is looked at, so that reading does not slow the writers.
const MANY: u32 = 20_000;
const STRIDE: u32 = 16;

/// Nothing for this long is the end.
const LIMIT: Duration = Duration::from_secs(20);

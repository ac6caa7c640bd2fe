//! The duel: how many lines a second go from a file on one side to a file on the other, native nodes beside a raw copy of the
//! same bytes, beside real Flume, rsyslog and Fluent Bit, in the same minutes on the same machine.
//!
//! Rounds are interleaved: each contestant runs once, then each once more, so that what else the machine does falls on
//! all of them. Every run looks for every line in what came out: missing, double, out of order.

pub mod arena;
pub mod board;
pub mod check;
mod fluent_bit;
pub mod latency;
mod pair;
pub mod raw;
pub mod recipe;
mod rsyslog;
pub mod swarm;
mod two_hops;
mod watch;

pub use fluent_bit::FluentBit;
pub use rsyslog::Rsyslog;
pub use two_hops::{JVM, Program, TwoHops};

use crate::node::Error;
use arena::{Arena, Shape};
use check::Check;
use std::time::Duration;

/// Somebody who can carry lines from one file to another, through two processes.
pub trait Contestant {
    /// How the table names it.
    fn name(&self) -> String;

    /// How many lines it gets in a run, and of what length.
    fn shape(&self) -> Shape;

    /// Why it cannot run here, if it cannot.
    fn missing(&self) -> Option<String>;

    /// What it is to be compared with.
    fn rival(&self) -> Rival;

    /// Whether it is one of those that must not lose, double or mix up lines: native nodes, and what they are measured against.
    fn must_be_clean(&self) -> bool {
        true
    }

    /// Carries the lines once.
    ///
    /// # Errors
    /// When a process does not start or the lines do not all come out in time.
    fn run(&self, arena: &Arena) -> Result<Sample, Error>;
}

/// The raw copy that a contestant is measured against, and what is asked of it.
#[derive(Debug, Clone, Copy)]
pub struct Rival {
    /// Which copy: from a file or through a pipe.
    pub copy: raw::From,
    /// None for those who are there to be compared with.
    pub bars: &'static [Bar],
}

/// Something that is asked of a contestant's medians.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bar {
    /// At least this part of the copy's lines a second.
    OfCopy(f64),
    /// At most so many processor seconds per million lines, of all processes.
    CpuSeconds(f64),
    /// At most so many MiB of peak memory in each of both processes.
    PeakMib(f64),
    /// At least so many lines a second.
    Lines(f64),
    /// At least the lines a second of Flume between two of its own, from the first byte.
    AsFlume,
}

/// One run.
#[derive(Debug, Clone)]
pub struct Sample {
    /// From the start of the sending process to the last line.
    pub whole: Duration,
    /// From the first line that came out to the last.
    pub flowing: Duration,
    /// Processor seconds of all processes, start and end included.
    pub cpu_seconds: f64,
    /// Peak resident KiB of the sending and the receiving process.
    pub peak_kib: [u64; 2],
    /// Bytes that went to a block device, or will: what the processes made dirty.
    pub written: u64,
    /// What became of the lines.
    pub check: Check,
}

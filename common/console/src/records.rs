//! The place of log lines that log4j writes: what takes their records.

use crate::{
    lines::{LogOutput, Queue},
    output::{Cut, Place},
};
use slog::Level;
use std::{
    fmt, io,
    sync::{Arc, Weak, atomic::Ordering::Relaxed},
    time::Duration,
};

/// What has log4j write records. Its thread may wait for it, and nobody waits for its thread.
///
/// A record is what `LogLines.Line` of the bridge's Java reads, behind one another.
pub trait Records: fmt::Debug + Send + Sync {
    /// Called once, before anything else: where it may say something.
    fn begin(&self, screen: Screen);

    /// Hands records over, which end at `ends`, and waits until log4j has taken them.
    ///
    /// # Errors
    /// Which of them are lost, and why.
    fn take(&self, records: &[u8], ends: &[usize]) -> Result<(), NotTaken>;

    /// Ends log4j, which writes what it has, and waits for that, `at_most` so long. Nothing is taken afterwards.
    fn end(&self, at_most: Duration);
}

/// What became of records that were not all taken.
#[derive(Debug)]
pub struct NotTaken {
    /// log4j is done with so many bytes of them, from the front.
    pub bytes: usize,
    /// Records among these that it can never take.
    pub unfit: u64,
    /// Why it is not all.
    pub error: io::Error,
}

/// Records, and which lines become one.
#[derive(Debug, Clone)]
pub struct RecordSettings {
    /// What takes them.
    pub to: Arc<dyn Records>,
    /// The lines that any logger of the configuration lets through: the rest is log4j's to decide.
    pub levels: crate::Levels,
}

/// The console, for what takes records.
#[derive(Clone)]
pub struct Screen {
    console: Arc<LogOutput>,
    /// Where records wait. What takes them must not keep it.
    records: Weak<Queue>,
}

impl Screen {
    pub(crate) fn new(console: Arc<LogOutput>, records: &LogOutput) -> Screen {
        Screen { console, records: Arc::downgrade(&records.queue) }
    }

    /// Lines that log4j will never have, and that nobody has been told of.
    pub fn left_out(&self) -> u64 {
        self.records.upgrade().map_or(0, |records| records.left_out.load(Relaxed))
    }

    /// Whether warnings, and what is worse, are printed here as well, since nobody may ever see them else.
    pub fn stand_in(&self, stands_in: bool) {
        self.console.queue.stands_in.store(stands_in, Relaxed);
    }

    /// Says something about log lines, whatever levels are printed.
    pub fn tell(&self, level: Level, text: &str) {
        self.console.tell(level, text);
    }

    /// Prints whole lines that an appender of the console has laid out; they give way as own log lines do.
    pub fn print(&self, lines: Vec<u8>) {
        self.console.say(lines, crate::lines::Urgency::GivesWay);
    }
}

impl fmt::Debug for Screen {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Screen").finish_non_exhaustive()
    }
}

/// The place of records.
pub(crate) struct RecordPlace {
    to: Arc<dyn Records>,
    unfit: Option<(u64, io::Error)>,
}

impl RecordPlace {
    pub(crate) fn new(to: Arc<dyn Records>) -> RecordPlace {
        RecordPlace { to, unfit: None }
    }
}

impl Place for RecordPlace {
    fn write_lines(&mut self, lines: &[u8]) -> Result<(), Cut> {
        // It is said again while it is not taken.
        self.to.take(lines, &[lines.len()]).map_err(|NotTaken { error, .. }| Cut { written: 0, error })
    }

    fn write_messages(&mut self, messages: &[u8], ends: &[usize]) -> Result<(), Cut> {
        if messages.is_empty() {
            return Ok(());
        }
        match self.to.take(messages, ends) {
            Err(NotTaken { bytes, unfit, error }) if bytes < messages.len() => {
                if unfit > 0 {
                    self.unfit = Some((unfit, io::Error::other(error.to_string())));
                }
                Err(Cut { written: bytes, error })
            }
            Err(NotTaken { unfit, error, .. }) => {
                self.unfit = Some((unfit, error));
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    fn take_unfit(&mut self) -> Option<(u64, io::Error)> {
        self.unfit.take()
    }

    fn what(&self) -> &'static str {
        "log4j"
    }

    fn left_out_events(&self) -> &'static str {
        "What logger sinks print may be among them; no other event was lost by that."
    }

    fn gives_way(&self) -> bool {
        true
    }

    fn events_wait(&self) -> Duration {
        EVENTS_WAIT
    }
}

/// Longer than a JVM takes to come up, mostly: one that is at work loses no event, and one that hangs keeps nobody for long.
const EVENTS_WAIT: Duration = Duration::from_secs(5);

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;

//! Log lines for a log4j that writes them: records, which it lays out itself, in the place of lines of text.

use crate::{
    layout::Speaker,
    level,
    lines::LogOutput,
    output::{Cut, Place},
    stamp,
};
use slog::Level;
use std::{
    fmt, io,
    sync::Arc,
    time::{Duration, SystemTime},
};

/// What has log4j write records. Its thread may wait for it, and nobody waits for its thread.
///
/// A record is what `LogLines.Line` of the bridge's Java reads, behind one another.
pub trait Records: fmt::Debug + Send + Sync {
    /// Called once, before anything else: where it may say something.
    fn begin(&self, screen: Screen);

    /// Hands records over, and waits until log4j has taken them.
    ///
    /// # Errors
    /// Why they are lost.
    fn take(&self, records: &[u8]) -> io::Result<()>;

    /// Ends log4j, which writes what it has, and waits for that, `at_most` so long. Nothing is taken afterwards.
    fn end(&self, at_most: Duration);
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
pub struct Screen(Arc<LogOutput>);

impl Screen {
    pub(crate) fn new(console: Arc<LogOutput>) -> Screen {
        Screen(console)
    }

    /// Says something about log lines, whatever levels are printed.
    pub fn tell(&self, level: Level, text: &str) {
        self.0.tell(level, text);
    }

    /// Prints whole lines that an appender of the console has laid out; they give way as own log lines do.
    pub fn print(&self, lines: Vec<u8>) {
        self.0.say(lines, crate::lines::Urgency::GivesWay);
    }
}

impl fmt::Debug for Screen {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Screen").finish_non_exhaustive()
    }
}

/// The place of records.
pub(crate) struct RecordPlace(pub(crate) Arc<dyn Records>);

impl Place for RecordPlace {
    fn write_lines(&mut self, lines: &[u8]) -> Result<(), Cut> {
        if lines.is_empty() {
            return Ok(());
        }
        self.0.take(lines).map_err(|error| Cut { written: 0, error })
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

/// Appends one record.
pub(crate) fn append(
    out: &mut Vec<u8>,
    (now, severity): (SystemTime, Level),
    speaker: &Speaker<'_>,
    message: &[u8],
) {
    out.extend_from_slice(&stamp::millis(now).to_be_bytes());
    out.push(severity.as_usize().to_be_bytes().last().copied().unwrap_or_default());
    out.extend_from_slice(&speaker.line().parse::<i32>().unwrap_or(-1).to_be_bytes());
    let logger = speaker.logger();
    for text in [
        &level::name_in_flume(logger),
        logger,
        speaker.thread,
        speaker.class(),
        speaker.method(),
        speaker.file(),
    ] {
        push(out, text.as_bytes());
    }
    push(out, message);
}

fn push(out: &mut Vec<u8>, text: &[u8]) {
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX); // a line that is longer finds no room in any queue
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(text);
}

/// Longer than a JVM takes to come up, mostly: one that is at work loses no event, and one that hangs keeps nobody for long.
const EVENTS_WAIT: Duration = Duration::from_secs(5);

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;

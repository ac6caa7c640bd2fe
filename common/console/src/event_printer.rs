//! A logger sink's events, to wherever log lines go.

use crate::{event_line::EventLines, lines::LogOutput};
use event::Event;
use slog::Level;
use std::{io, sync::Arc, time::SystemTime};

/// Prints the events of one logger sink: to the console, and to log files in the layout of each.
pub struct EventPrinter {
    outputs: Vec<Printing>,
}

struct Printing {
    output: Arc<LogOutput>,
    lines: EventLines,
    buffer: Vec<u8>,
    takes: bool,
}

impl EventPrinter {
    pub(crate) fn new(outputs: &[Arc<LogOutput>], place: &'static str, max_bytes: usize) -> EventPrinter {
        let printing = |output: &Arc<LogOutput>| Printing {
            output: Arc::clone(output),
            lines: EventLines::new(output.format.clone(), place, max_bytes),
            buffer: Vec::new(),
            takes: false,
        };
        EventPrinter { outputs: outputs.iter().map(printing).collect() }
    }

    /// Begins a delivery. Says whether anybody prints it: Flume prints events at INFO, and drops them silently when that is
    /// switched off.
    pub fn begin(&mut self) -> bool {
        for printing in &mut self.outputs {
            printing.takes = printing.output.levels.load().enabled(printing.lines.name(), Level::Info);
        }
        self.outputs.iter().any(|printing| printing.takes)
    }

    /// Puts one event's line, or lines, behind the others. Give the same `now` to all events of a delivery. Says whether so many
    /// bytes wait that they are best printed now.
    pub fn append(&mut self, now: SystemTime, event: &Event<'_>) -> bool {
        let mut full = false;
        for printing in self.outputs.iter_mut().filter(|printing| printing.takes) {
            printing.lines.append(&mut printing.buffer, now, event);
            full |= printing.buffer.len() >= CHUNK_BYTES;
        }
        full
    }

    /// Prints what waits. Blocks while a place takes nothing: call it where that may be.
    ///
    /// # Errors
    /// What the console said. Some lines may have been printed then, the last of them in part, and nothing goes to the log files:
    /// it all comes again. What a log file does not take is told of and left out there.
    pub fn print(&mut self) -> io::Result<()> {
        let mut outcome = Ok(());
        for (n, printing) in self.outputs.iter_mut().enumerate().filter(|(_, printing)| printing.takes) {
            let printed = outcome.is_ok().then(|| printing.output.data(&printing.buffer));
            match printed {
                None | Some(Ok(())) => {}
                Some(Err(cut)) if n == CONSOLE => outcome = Err(cut.error),
                Some(Err(cut)) => printing.output.leave_out(&printing.buffer, cut),
            }
            printing.buffer.clear();
            printing.buffer.shrink_to(KEPT_BYTES); // one enormous event does not hold memory for good
        }
        outcome
    }
}

/// The console's place among the outputs.
const CONSOLE: usize = 0;

/// Bytes of lines that are printed with one write: enough that the call costs nothing beside them, few enough to stay
/// in the processor's cache.
const CHUNK_BYTES: usize = 128 << 10;

/// Bytes that the buffer keeps between two writes.
const KEPT_BYTES: usize = 2 * CHUNK_BYTES;

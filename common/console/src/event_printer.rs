//! A logger sink's events, to wherever log lines go.

use crate::{
    Format, Pattern, Routes, event_line::EventLines, filter::Line, lines::LogOutput, output::Cut,
    routes::Routed, stamp,
};
use event::Event;
use slog::Level;
use std::{
    io,
    sync::Arc,
    time::{Instant, SystemTime},
};

/// Prints the events of one logger sink: to the console, and to log files in the layout of each.
pub struct EventPrinter {
    outputs: Vec<Printing>,
    filters: Option<Filters>,
}

/// What filters see of an event.
struct Filters {
    routes: Arc<Routes>,
    text: EventLines,
    buffer: Vec<u8>,
}

struct Printing {
    output: Arc<LogOutput>,
    lines: EventLines,
    buffer: Vec<u8>,
    /// Messages for a place that gives way: they go there when the console has taken its lines.
    messages: Vec<Vec<u8>>,
    /// Bytes of all that.
    waiting: usize,
    /// Its levels have it.
    enabled: bool,
    /// Some event may be printed there.
    takes: bool,
}

impl EventPrinter {
    pub(crate) fn new(
        outputs: &[Arc<LogOutput>],
        routes: Option<Arc<Routes>>,
        place: &'static str,
        max_bytes: usize,
    ) -> EventPrinter {
        let printing = |output: &Arc<LogOutput>| Printing {
            output: Arc::clone(output),
            lines: EventLines::new(output.format.clone(), place, max_bytes),
            buffer: Vec::new(),
            messages: Vec::new(),
            waiting: 0,
            enabled: false,
            takes: false,
        };
        let text = || EventLines::new(Format::Pattern(Arc::new(Pattern::of_message())), place, max_bytes);
        let filters = routes.map(|routes| Filters { routes, text: text(), buffer: Vec::new() });
        EventPrinter { outputs: outputs.iter().map(printing).collect(), filters }
    }

    /// Begins a delivery. Says whether anybody prints it: Flume prints events at INFO, and drops them silently when that is
    /// switched off.
    pub fn begin(&mut self) -> bool {
        let accepted = self.filters.as_ref().is_some_and(|filters| filters.routes.may_accept());
        for printing in &mut self.outputs {
            printing.enabled = printing.output.levels.load().enabled(printing.lines.name(), Level::Info);
            printing.takes = printing.enabled || accepted;
        }
        self.outputs.iter().any(|printing| printing.takes)
    }

    /// Puts one event's line, or lines, behind the others. Give the same `now` to all events of a delivery. Says whether so many
    /// bytes wait that they are best printed now.
    pub fn append(&mut self, now: SystemTime, event: &Event<'_>) -> bool {
        let mut full = false;
        let console = self.outputs.first().map(|printing| &*printing.output);
        let tell = |text: &str| console.into_iter().for_each(|console| console.tell(Level::Warning, text));
        let routed = self.filters.as_mut().map(|filters| filters.route(now, event, &tell));
        for (n, printing) in self.outputs.iter_mut().enumerate().filter(|(_, printing)| printing.takes) {
            if routed.is_some_and(|routed| !routed.goes_to(n, || printing.enabled)) {
                continue;
            }
            let before = printing.buffer.len();
            printing.lines.append(&mut printing.buffer, now, event);
            printing.waiting += printing.buffer.len() - before;
            if printing.output.gives_way {
                printing.messages.push(std::mem::take(&mut printing.buffer));
            }
            full |= printing.waiting >= CHUNK_BYTES;
        }
        full
    }

    /// Prints what waits. Blocks while a place takes nothing: call it where that may be.
    ///
    /// # Errors
    /// What the console said. Some lines may have been printed then, the last of them in part, and nothing goes to the log files and
    /// to other hosts: it all comes again. What a log file does not take is told of and left out there.
    pub fn print(&mut self) -> io::Result<()> {
        let mut outcome = Ok(());
        for (n, printing) in self.outputs.iter_mut().enumerate().filter(|(_, printing)| printing.takes) {
            let printed = outcome.is_ok().then(|| printing.hand_over());
            match printed {
                None | Some(Ok(())) => {}
                Some(Err(cut)) if n == CONSOLE => outcome = Err(cut.error),
                Some(Err(cut)) => printing.output.leave_out(&printing.buffer, cut),
            }
            printing.messages.clear();
            printing.buffer.clear();
            printing.buffer.shrink_to(KEPT_BYTES); // one enormous event does not hold memory for good
            printing.waiting = 0;
        }
        outcome
    }
}

impl Printing {
    fn hand_over(&mut self) -> Result<(), Cut> {
        if self.output.gives_way {
            self.messages.drain(..).for_each(|message| self.output.say_event(message));
            return Ok(());
        }
        self.output.data(&self.buffer)
    }
}

impl Filters {
    fn route(&mut self, now: SystemTime, event: &Event<'_>, tell: &dyn Fn(&str)) -> Routed {
        self.buffer.clear();
        self.text.append(&mut self.buffer, now, event);
        let line = Line {
            level: Level::Info,
            message: self.buffer.strip_suffix(b"\n").unwrap_or(&self.buffer),
            millis: stamp::millis(now),
            now: Instant::now(),
            tell,
        };
        let routed = self.routes.route(self.text.name(), &line);
        self.buffer.shrink_to(KEPT_BYTES);
        routed
    }
}

/// The console's place among the outputs.
const CONSOLE: usize = 0;

/// Bytes of lines that are printed with one write: enough that the call costs nothing beside them, few enough to stay
/// in the processor's cache.
const CHUNK_BYTES: usize = 128 << 10;

/// Bytes that the buffer keeps between two writes.
const KEPT_BYTES: usize = 2 * CHUNK_BYTES;

//! The one owner of stderr.

use crate::{
    EventLines, Levels,
    drain::ToConsole,
    layout::{self, Speaker},
    output::{Cut, Output},
    stamp::Stamp,
};
use arc_swap::{ArcSwap, Guard};
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use slog::{Level, Logger, o};
use std::{
    io::{self, IsTerminal, Write},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::{Duration, SystemTime},
};

pub use crate::layout::Format;

/// How a console begins.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// How lines look.
    pub format: Format,
    /// Which are printed.
    pub levels: Levels,
}

impl Settings {
    /// Flume's layout, in colour when stderr is a terminal and the environment has no `NO_COLOR`.
    pub fn for_stderr(levels: Levels) -> Settings {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let coloured = !plain && io::stderr().is_terminal();
        Settings { format: if coloured { Format::Coloured } else { Format::Flume }, levels }
    }
}

/// Where a node's lines go: data waits and may fail, own log lines give way. See the crate's description.
///
/// Own lines said before data are printed before it. A thread of its own writes them; it ends when the console and the
/// loggers made of it are gone.
pub struct Console {
    lines: Arc<Lines>,
}

impl Console {
    /// A console on stderr.
    pub fn stderr(settings: Settings) -> Arc<Console> {
        Console::on(Output::stderr(), settings)
    }

    /// A console on anything else.
    pub fn to(place: impl Write + Send + 'static, settings: Settings) -> Arc<Console> {
        Console::on(Output::other(Box::new(place)), settings)
    }

    fn on(output: Output, settings: Settings) -> Arc<Console> {
        let (bell, rung) = bounded(1);
        let queue = Arc::new(Queue::new(output));
        let lines = Arc::new(Lines {
            queue: Arc::clone(&queue),
            bell,
            format: settings.format,
            levels: ArcSwap::from_pointee(settings.levels),
        });
        let writer = thread::Builder::new().name("console".to_owned());
        // Without a thread to spare, own lines are still printed: with the next data and at the end.
        let _ = writer.spawn(move || write_when_rung(&queue, &rung, settings.format));
        Arc::new(Console { lines })
    }

    /// Prints whole lines of data. Blocks while the place takes nothing: call it where that may be.
    ///
    /// # Errors
    /// What the write said. Some lines may have been printed then, the last of them in part; the next line begins on a
    /// line of its own all the same.
    pub fn data(&self, lines: &[u8]) -> io::Result<()> {
        debug_assert!(lines.is_empty() || lines.ends_with(b"\n"), "data is whole lines");
        let mut writing = self.lines.queue.writing();
        self.lines.queue.drain(&mut writing, self.lines.format);
        writing.output.write_lines(lines).map_err(|Cut { error, .. }| error)
    }

    /// A logger that prints here.
    pub fn logger(&self) -> Logger {
        Logger::root(ToConsole(Arc::clone(&self.lines)), o!())
    }

    /// A printer of events for one logger sink. `place` says who prints, one of [`crate::place::LOGGER_SINK`] and its
    /// like; `max_bytes` of a body are dumped (`maxBytesToLog`).
    pub fn event_lines(&self, place: &'static str, max_bytes: usize) -> EventLines {
        EventLines::new(self.lines.format, place, max_bytes)
    }

    /// Which lines are printed now.
    pub fn levels(&self) -> Guard<Arc<Levels>> {
        self.lines.levels.load()
    }

    /// Prints other lines from now on.
    pub fn set_levels(&self, levels: Levels) {
        self.lines.levels.store(Arc::new(levels));
    }

    /// Own lines left out so far that nobody has been told of.
    pub fn left_out(&self) -> u64 {
        self.lines.queue.left_out.load(Relaxed)
    }

    /// Waits, `at_most` so long, until every own line said so far is printed or lost. Says whether that came to pass.
    pub fn flush(&self, at_most: Duration) -> bool {
        let queue = &self.lines.queue;
        let target = queue.said.load(Relaxed);
        self.lines.ring();
        let settled = queue.settled.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = queue.progress.wait_timeout_while(settled, at_most, |settled| *settled < target);
        let settled = wait.unwrap_or_else(PoisonError::into_inner).0;
        *settled >= target
    }

    /// Flushes when it is dropped, and waits `at_most` so long for it: keep it to the end of `main`.
    pub fn flush_on_drop(self: &Arc<Self>, at_most: Duration) -> Flush {
        Flush { console: Arc::clone(self), at_most }
    }
}

/// See [`Console::flush_on_drop`].
pub struct Flush {
    console: Arc<Console>,
    at_most: Duration,
}

impl Drop for Flush {
    fn drop(&mut self) {
        self.console.flush(self.at_most);
    }
}

/// What loggers need: how lines look, which are printed, and where they wait.
pub(crate) struct Lines {
    queue: Arc<Queue>,
    bell: Sender<()>, // the writer ends when it is gone
    pub(crate) format: Format,
    pub(crate) levels: ArcSwap<Levels>,
}

/// Whether a line may hold its speaker up, for [`PATIENCE`] at most.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Urgency {
    GivesWay,
    MayWait,
}

impl Lines {
    /// Hands an own line over, or counts it as left out.
    pub(crate) fn say(&self, line: Vec<u8>, urgency: Urgency) {
        self.queue.put(line, urgency);
        self.ring();
    }

    /// Wakes the writer; when the bell is already ringing, that is enough.
    fn ring(&self) {
        let _ = self.bell.try_send(());
    }
}

/// Own lines that wait, and the place they wait for.
struct Queue {
    put: Sender<Vec<u8>>,
    take: Receiver<Vec<u8>>,
    bytes: AtomicUsize, // in waiting lines
    writing: Mutex<Writing>,
    said: AtomicU64,     // lines that were put
    settled: Mutex<u64>, // of them, those printed or lost
    progress: Condvar,   // `settled` grew
    left_out: AtomicU64, // lines nobody will see, since they were last told of
    stuck: AtomicBool,   // somebody has waited in vain since a line was last printed
}

/// What the one who writes holds.
struct Writing {
    output: Output,
    chunk: Vec<u8>,
    ends: Vec<usize>, // of the lines in `chunk`
    stamp: Stamp,
    trouble: Option<io::Error>, // why own lines were lost
}

impl Queue {
    fn new(output: Output) -> Queue {
        let (put, take) = bounded(MOST_LINES);
        let writing =
            Writing { output, chunk: Vec::new(), ends: Vec::new(), stamp: Stamp::new(None), trouble: None };
        Queue {
            put,
            take,
            bytes: AtomicUsize::new(0),
            writing: Mutex::new(writing),
            said: AtomicU64::new(0),
            settled: Mutex::new(0),
            progress: Condvar::new(),
            left_out: AtomicU64::new(0),
            stuck: AtomicBool::new(false),
        }
    }

    fn writing(&self) -> MutexGuard<'_, Writing> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, line: Vec<u8>, urgency: Urgency) {
        let bytes = line.len();
        if self.bytes.fetch_add(bytes, Relaxed) + bytes <= MOST_BYTES && self.send(line, urgency) {
            self.said.fetch_add(1, Relaxed);
        } else {
            self.bytes.fetch_sub(bytes, Relaxed);
            self.left_out.fetch_add(1, Relaxed);
        }
    }

    fn send(&self, line: Vec<u8>, urgency: Urgency) -> bool {
        match self.put.try_send(line) {
            Ok(()) => true,
            Err(TrySendError::Full(line)) if urgency == Urgency::MayWait && !self.stuck.load(Relaxed) => {
                let sent = self.put.send_timeout(line, PATIENCE).is_ok();
                self.stuck.fetch_or(!sent, Relaxed);
                sent
            }
            Err(_) => false,
        }
    }

    /// Prints the own lines that wait now, and how many were left out.
    fn drain(&self, writing: &mut Writing, format: Format) {
        let mut left = self.take.len();
        let mut all_well = true;
        while left > 0 {
            left -= self.fill(writing, left);
            all_well = self.print(writing);
        }
        if all_well && self.left_out.load(Relaxed) > 0 {
            self.tell(writing, format);
        }
    }

    /// Puts waiting lines into the chunk, `most` or as many as it may hold, and says how many.
    fn fill(&self, writing: &mut Writing, most: usize) -> usize {
        writing.chunk.clear();
        writing.ends.clear();
        while writing.ends.len() < most && writing.chunk.len() < CHUNK_BYTES {
            let Ok(line) = self.take.try_recv() else { return most };
            self.bytes.fetch_sub(line.len(), Relaxed);
            writing.chunk.extend_from_slice(&line);
            writing.ends.push(writing.chunk.len());
        }
        writing.ends.len()
    }

    /// Prints the chunk, and counts what of it was lost. Says whether all is well.
    fn print(&self, writing: &mut Writing) -> bool {
        let outcome = writing.output.write_lines(&writing.chunk);
        let well = outcome.is_ok();
        if let Err(Cut { written, error }) = outcome {
            let lost = writing.ends.iter().filter(|end| **end > written).count();
            self.left_out.fetch_add(lost as u64, Relaxed);
            writing.trouble = Some(error);
        } else {
            self.stuck.store(false, Relaxed);
        }
        *self.settled.lock().unwrap_or_else(PoisonError::into_inner) += writing.ends.len() as u64;
        self.progress.notify_all();
        well
    }

    /// Says how many lines were left out and why; tries again another time when that cannot be printed either.
    fn tell(&self, writing: &mut Writing, format: Format) {
        let lines = self.left_out.load(Relaxed);
        let why = match &writing.trouble {
            Some(error) => format!("the console refused them: {error}"),
            None => "the console was slower than they came".to_owned(),
        };
        let text = format!("{lines} log lines were left out here: {why}. No event was lost by that.");
        let speaker = Speaker { thread: "console", location: concat!(module_path!(), "(console.rs)") };
        let (line, stamp, now) = (&mut writing.chunk, &mut writing.stamp, SystemTime::now());
        line.clear();
        if format == Format::Json {
            layout::json_head(line, stamp, now, Level::Warning, &speaker);
            layout::json_string(line, &text);
            line.push(b'}');
        } else {
            layout::head(line, stamp, now, Level::Warning, &speaker, format == Format::Coloured);
            line.extend_from_slice(text.as_bytes());
        }
        line.push(b'\n');
        if writing.output.write_lines(line).is_ok() {
            writing.trouble = None;
            // Only now: who asks while it is being told must not hear of none.
            self.left_out.fetch_sub(lines, Relaxed);
        }
    }
}

/// The writer's thread: prints what waits each time the bell rings, until nobody can ring it any more.
fn write_when_rung(queue: &Queue, rung: &Receiver<()>, format: Format) {
    while rung.recv().is_ok() {
        queue.drain(&mut queue.writing(), format);
    }
    queue.drain(&mut queue.writing(), format);
}

/// Own lines that wait at most.
const MOST_LINES: usize = 8192;

/// Bytes of own lines that wait at most.
const MOST_BYTES: usize = 4 << 20;

/// Bytes of own lines that are printed in one write.
const CHUNK_BYTES: usize = 64 << 10;

/// How long an error or a warning waits for room, once: then none waits until a line is printed again.
const PATIENCE: Duration = Duration::from_millis(10);

#[cfg(test)]
#[path = "console_tests.rs"]
mod tests;

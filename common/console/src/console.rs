//! The one owner of stderr.

use crate::{
    EventPrinter, Levels, Routes,
    drain::ToConsole,
    file::{FileSettings, LogFile},
    layout::Format,
    lines::{LogOutput, Queue, write_when_rung},
    output::{Cut, Output, Place},
    records::{RecordPlace, RecordSettings, Records, Screen},
    socket::{LogSocket, SocketSettings},
};
use arc_swap::{ArcSwap, Guard};
use crossbeam_channel::bounded;
use slog::{Level, Logger, o};
use std::{
    io::{self, IsTerminal, Write},
    sync::{Arc, atomic::Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

/// How a console begins.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// How lines look.
    pub format: Format,
    /// Which are printed.
    pub levels: Levels,
    /// The log files beside it.
    pub files: Vec<LogFileSettings>,
    /// What is sent to other hosts.
    pub sockets: Vec<SocketLogSettings>,
    /// What log4j writes, where it does.
    pub records: Option<RecordSettings>,
    /// What filters hold back, where there are any.
    pub routes: Option<Routes>,
}

/// A log file, and what goes there.
#[derive(Debug, Clone)]
pub struct LogFileSettings {
    /// The file.
    pub file: FileSettings,
    /// How lines look.
    pub format: Format,
    /// Which are written.
    pub levels: Levels,
}

/// Another host, and what goes there.
#[derive(Debug, Clone)]
pub struct SocketLogSettings {
    /// The host.
    pub socket: SocketSettings,
    /// How lines look.
    pub format: Format,
    /// Which are sent.
    pub levels: Levels,
}

impl Settings {
    /// Flume's layout, in colour when stderr is a terminal and the environment has no `NO_COLOR`.
    pub fn for_stderr(levels: Levels) -> Settings {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let coloured = !plain && io::stderr().is_terminal();
        let format = if coloured { Format::Coloured } else { Format::Flume };
        Settings { format, levels, files: Vec::new(), sockets: Vec::new(), records: None, routes: None }
    }
}

/// Where a node's lines go: data waits and may fail, own log lines give way. See the crate's description.
///
/// Own lines said before data are printed before it. A thread of its own writes them; it ends when the console and the
/// loggers made of it are gone. Each log file has such a thread too, so that none waits for another.
pub struct Console {
    lines: Arc<LogOutput>,
    /// The console first, then the files, the sockets and log4j.
    all: Arc<[Arc<LogOutput>]>,
    log4j: Option<Arc<dyn Records>>,
    routes: Option<Arc<Routes>>,
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
        let lines = begin("console", output, settings.format, settings.levels);
        let files = settings.files.into_iter().map(|LogFileSettings { file, format, levels }| {
            begin("log-file", LogFile::open(file, Arc::clone(&lines)), format, levels)
        });
        let sockets = settings.sockets.into_iter().map(|SocketLogSettings { socket, format, levels }| {
            begin("log-socket", LogSocket::new(socket, Arc::clone(&lines)), format, levels)
        });
        let log4j = settings.records.as_ref().map(|records| Arc::clone(&records.to));
        let records = settings.records.map(|RecordSettings { to, levels }| {
            let output = begin("log4j", RecordPlace::new(Arc::clone(&to)), Format::Record, levels);
            to.begin(Screen::new(Arc::clone(&lines), &output)); // nobody has said anything yet
            output
        });
        let all = [Arc::clone(&lines)].into_iter().chain(files).chain(sockets).chain(records).collect();
        Arc::new(Console { lines, all, log4j, routes: settings.routes.map(Arc::new) })
    }

    /// Prints whole lines of data. Blocks while the place takes nothing: call it where that may be.
    ///
    /// # Errors
    /// What the write said. Some lines may have been printed then, the last of them in part; the next line begins on a
    /// line of its own all the same.
    pub fn data(&self, lines: &[u8]) -> io::Result<()> {
        debug_assert!(lines.is_empty() || lines.ends_with(b"\n"), "data is whole lines");
        self.lines.data(lines).map_err(|Cut { error, .. }| error)
    }

    /// A logger that prints here, and to the log files.
    pub fn logger(&self) -> Logger {
        Logger::root(ToConsole { outputs: Arc::clone(&self.all), routes: self.routes.clone() }, o!())
    }

    /// Says something on the console that is about the console itself, whatever levels are printed.
    pub fn tell(&self, level: Level, text: &str) {
        self.lines.tell(level, text);
    }

    #[cfg(test)]
    pub(crate) fn lines_of_console(&self) -> Arc<LogOutput> {
        Arc::clone(&self.lines)
    }

    #[cfg(test)]
    pub(crate) fn lines_of_records(&self) -> Arc<LogOutput> {
        Arc::clone(&self.all[self.all.len() - 1])
    }

    /// Says on the console what log lines of this level say, where they go to files alone.
    pub fn tell_unseen(&self, level: Level, text: &str) {
        let is_seen = self.levels().most().is_some_and(|most| level.is_at_least(most));
        if !is_seen {
            self.tell(level, text);
        }
    }

    /// A printer of events for one logger sink. `place` says who prints, one of [`crate::place::LOGGER_SINK`] and its
    /// like; `max_bytes` of a body are dumped (`maxBytesToLog`).
    pub fn event_printer(&self, place: &'static str, max_bytes: usize) -> EventPrinter {
        EventPrinter::new(&self.all, self.routes.clone(), place, max_bytes)
    }

    /// Which lines are printed now.
    pub fn levels(&self) -> Guard<Arc<Levels>> {
        self.lines.levels.load()
    }

    /// Prints other lines from now on.
    pub fn set_levels(&self, levels: Levels) {
        self.lines.levels.store(Arc::new(levels));
    }

    /// Own lines left out so far, on the console, that nobody has been told of.
    pub fn left_out(&self) -> u64 {
        self.lines.queue.left_out.load(Relaxed)
    }

    /// Waits, `at_most` so long, until every own line said so far is printed or lost. Says whether that came to pass.
    pub fn flush(&self, at_most: Duration) -> bool {
        // Files first: what is wrong with them is said on the console, which has its time also when one of them hangs.
        let (of_files, end) = (Instant::now() + at_most / 2, Instant::now() + at_most);
        let files: Vec<bool> = self.all.iter().skip(1).map(|output| output.flush(of_files)).collect();
        self.lines.flush(end) && files.into_iter().all(|done| done)
    }

    /// Flushes when it is dropped, and waits `at_most` so long for it, and for the end of log4j as long as that takes: keep it to
    /// the end of `main`.
    pub fn flush_on_drop(self: &Arc<Self>, at_most: Duration) -> Flush {
        Flush { console: Arc::clone(self), at_most }
    }
}

fn begin(thread: &str, output: impl Place + 'static, format: Format, levels: Levels) -> Arc<LogOutput> {
    let (bell, rung) = bounded(1);
    let (packing, gives_way, events_wait) = (output.packing(), output.gives_way(), output.events_wait());
    let queue = Arc::new(Queue::new(Box::new(output)));
    let levels = ArcSwap::from_pointee(levels);
    let lines = LogOutput {
        queue: Arc::clone(&queue),
        bell,
        format: format.clone(),
        levels,
        gives_way,
        events_wait,
        packing,
    };
    let writer = thread::Builder::new().name(thread.to_owned());
    // Without a thread to spare, own lines are still printed: with the next data and at the end.
    let _ = writer.spawn(move || write_when_rung(&queue, &rung, &format));
    Arc::new(lines)
}

/// See [`Console::flush_on_drop`].
pub struct Flush {
    console: Arc<Console>,
    at_most: Duration,
}

impl Drop for Flush {
    fn drop(&mut self) {
        self.console.flush(self.at_most);
        if let (Some(log4j), Some(records)) = (&self.console.log4j, self.console.all.last()) {
            // It may not be up yet.
            let end = Instant::now() + FAREWELL;
            records.flush(end);
            log4j.end(end.saturating_duration_since(Instant::now()).max(LEAST_FAREWELL));
            let lost = records.never_taken(Instant::now() + SETTLED);
            if lost > 0 {
                self.console.tell(
                    Level::Warning,
                    &format!("{lost} log lines were not taken by log4j before the end, and stand in nothing that it writes"),
                );
            }
            self.console.lines.flush(Instant::now() + self.at_most); // what it has said meanwhile
        }
    }
}

/// How long log4j may take at the end for the lines that it has not taken, and for its own end.
const FAREWELL: Duration = Duration::from_secs(2);

/// For what waits to be refused by one that has ended.
const SETTLED: Duration = Duration::from_millis(250);

/// For its own end alone.
const LEAST_FAREWELL: Duration = Duration::from_millis(500);

#[cfg(test)]
#[path = "console_tests.rs"]
mod tests;

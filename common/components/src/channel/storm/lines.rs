//! The process's own log lines on their way to Storm's worker log: they go as messages of the protocol, since standard output
//! belongs to it, and with their level.

use super::multilang;
use std::io::{self, Write};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Where a console prints in a process that Storm has started. Lines wait until Storm asks for something, in so much memory and
/// no more; when Storm has gone they go to standard error, which Storm shows with the end of the process.
pub struct LinesForStorm;

impl Write for LinesForStorm {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        LINES.say(lines)?;
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A process has one standard output.
pub(super) static LINES: Lines = Lines::new();

pub(super) struct Lines {
    waiting: Mutex<Waiting>,
    /// There is room, or it is over.
    room: Condvar,
}

struct Waiting {
    text: Vec<u8>,
    over: bool,
}

impl Lines {
    const fn new() -> Lines {
        Lines { waiting: Mutex::new(Waiting { text: Vec::new(), over: false }), room: Condvar::new() }
    }

    fn open(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while there are too many.
    fn say(&self, lines: &[u8]) -> io::Result<()> {
        let full = |waiting: &mut Waiting| !waiting.over && waiting.text.len() > MOST_BYTES;
        let waited = self.room.wait_while(self.open(), full);
        let mut waiting = waited.unwrap_or_else(PoisonError::into_inner);
        if waiting.over {
            return io::stderr().write_all(lines);
        }
        waiting.text.extend_from_slice(lines);
        Ok(())
    }

    /// Appends what waits, as messages.
    pub(super) fn take(&self, out: &mut Vec<u8>) {
        let mut waiting = self.open();
        if !waiting.text.is_empty() {
            for line in String::from_utf8_lossy(&waiting.text).lines() {
                multilang::log(out, level(line), line);
            }
            waiting.text.clear();
            self.room.notify_all();
        }
    }

    /// Nobody asks any more: what waits, and what is still to come, goes to standard error.
    pub(super) fn over(&self) {
        let mut waiting = self.open();
        waiting.over = true;
        let text = std::mem::take(&mut waiting.text);
        drop(waiting);
        self.room.notify_all();
        // Storm need not read it any more. A pipe takes so much all the same, and the last lines say why.
        let last = &text[text.len().saturating_sub(MOST_LAST_BYTES)..];
        let _nobody_reads_it = io::stderr().write_all(last);
    }
}

/// Storm's number of a line's level, in both formats of the console.
fn level(line: &str) -> u8 {
    let behind = |mark: &str| line.split_once(mark).map(|(_, rest)| rest);
    match behind("\"level\":\"").or_else(|| behind(") [")) {
        Some(rest) if rest.starts_with("TRACE") => 0,
        Some(rest) if rest.starts_with("DEBUG") => 1,
        Some(rest) if rest.starts_with("WARN") => 3,
        Some(rest) if rest.starts_with("ERROR") || rest.starts_with("FATAL") => 4,
        _ => 2,
    }
}

/// Half of what a pipe takes.
const MOST_LAST_BYTES: usize = 32 << 10;
/// Bytes of lines that wait.
const MOST_BYTES: usize = 256 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_go_with_their_level_and_wait_in_bounded_memory() {
        let lines = Lines::new();
        let text = "2026-11-27 04:00:00,000 (main) [INFO - a(b.rs:1)] begins\n\
            2026-11-27 04:00:00,001 (main) [WARN - a(b.rs:2)] \"quoted\"\n\
            {\"time\":\"t\",\"level\":\"ERROR\",\"message\":\"m\"}\n";
        lines.say(text.as_bytes()).expect("room");
        let mut out = Vec::new();
        lines.take(&mut out);
        let said: Vec<serde_json::Value> = std::str::from_utf8(&out)
            .expect("text")
            .split_terminator("\nend\n")
            .map(|text| serde_json::from_str(text).expect("JSON"))
            .collect();
        assert_eq!(said.iter().map(|said| said["level"].clone()).collect::<Vec<_>>(), [2, 3, 4]);
        assert_eq!(said[1]["msg"], text.lines().nth(1).expect("a line"));
        lines.say(&vec![b'x'; MOST_BYTES + 1]).expect("room");
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| lines.say(b"late\n"));
            lines.take(&mut Vec::new());
            waits.join().expect("no panic").expect("room");
        });
        assert!(lines.open().text == b"late\n");
    }
}

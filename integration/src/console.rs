//! What a process prints, line by line, each with the moment at which it was read.

use crate::event_line::{self, Seen};
use std::{
    fmt,
    io::Read,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// One line that a process printed.
#[derive(Debug, Clone)]
pub struct Line {
    /// When it was read from the pipe, which is some tens of microseconds after it was written.
    pub at: Instant,
    /// Which life of the node printed it: 0 before its first restart.
    pub life: u32,
    /// The line without its end; bytes that are no UTF-8 are replaced.
    pub text: String,
}

/// Told of each line as it comes.
pub type Echo = Box<dyn Fn(&str) + Send>;

/// All lines of one node, over all its lives. Clones share them.
#[derive(Clone, Default)]
pub struct Console {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    lines: Vec<Line>,
    readers: usize,
    echo: Option<Echo>,
}

impl Console {
    /// Hands each line that comes from now on to `echo` as well.
    pub fn echo(&self, echo: Echo) {
        self.lock().echo = Some(echo);
    }

    /// Reads `pipe` to its end on a thread of its own.
    pub fn read(&self, mut pipe: impl Read + Send + 'static, life: u32) {
        self.lock().readers += 1;
        let console = self.clone();
        thread::spawn(move || {
            let mut cutter = Cutter::default();
            let mut chunk = vec![0; 64 * 1024];
            loop {
                match pipe.read(&mut chunk) {
                    Ok(0) => break,
                    Ok(read) => console.take(cutter.push(&chunk[..read]), life),
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    Err(_) => break,
                }
            }
            console.take(cutter.rest(), life);
            console.lock().readers -= 1;
            console.shared.changed.notify_all();
        });
    }

    /// How many lines there are: a place to begin a later look from.
    pub fn mark(&self) -> usize {
        self.lock().lines.len()
    }

    /// The first line from `mark` on for which `wanted` holds, waiting for it at most `timeout`.
    ///
    /// # Errors
    /// [`NotSeen`], which shows the last lines, when it did not come in time or the process ended without it.
    pub fn wait_from(
        &self,
        mark: usize,
        timeout: Duration,
        what: &str,
        mut wanted: impl FnMut(&Line) -> bool,
    ) -> Result<Line, NotSeen> {
        let deadline = Instant::now() + timeout;
        let mut state = self.lock();
        let mut next = mark;
        loop {
            if let Some(found) = state.lines[next.min(state.lines.len())..].iter().find(|line| wanted(line)) {
                return Ok(found.clone());
            }
            next = state.lines.len();
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || state.readers == 0 {
                return Err(NotSeen::new(what, timeout, state.readers == 0, &state.lines));
            }
            let waited = self.shared.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until everything a dead process left in its pipes has been read.
    pub fn drained(&self, timeout: Duration) -> bool {
        let left = |state: &mut State| state.readers > 0;
        let waited = self.shared.changed.wait_timeout_while(self.lock(), timeout, left);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// The lines from `mark` on.
    pub fn lines_from(&self, mark: usize) -> Vec<Line> {
        let state = self.lock();
        state.lines[mark.min(state.lines.len())..].to_vec()
    }

    /// The `Event:` lines from `mark` on, read.
    pub fn events_from(&self, mark: usize) -> Vec<(Line, Seen)> {
        self.visit(mark, |line| event_line::parse(&line.text).map(|seen| (line.clone(), seen)))
    }

    /// What `look` finds in the lines from `mark` on, without copying those in which it finds nothing.
    pub fn visit<T>(&self, mark: usize, look: impl FnMut(&Line) -> Option<T>) -> Vec<T> {
        let state = self.lock();
        state.lines[mark.min(state.lines.len())..].iter().filter_map(look).collect()
    }

    fn take(&self, texts: Vec<String>, life: u32) {
        if texts.is_empty() {
            return;
        }
        let at = Instant::now();
        let mut state = self.lock();
        for text in texts {
            if let Some(echo) = &state.echo {
                echo(&text);
            }
            state.lines.push(Line { at, life, text });
        }
        drop(state);
        self.shared.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A test that panicked while it looked has broken nothing here.
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A line that was waited for did not come.
#[derive(Debug)]
pub struct NotSeen {
    what: String,
    waited: Duration,
    ended: bool,
    last: Vec<String>,
}

impl NotSeen {
    fn new(what: &str, waited: Duration, ended: bool, lines: &[Line]) -> NotSeen {
        let last = lines[lines.len().saturating_sub(SHOWN)..].iter().map(|line| line.text.clone()).collect();
        NotSeen { what: what.to_owned(), waited, ended, last }
    }
}

impl fmt::Display for NotSeen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ended {
            true => write!(f, "{}: the process ended without it", self.what)?,
            false => write!(f, "{}: not seen within {:?}", self.what, self.waited)?,
        }
        write!(f, "; its last lines:")?;
        self.last.iter().try_for_each(|line| write!(f, "\n  | {line}"))
    }
}

impl std::error::Error for NotSeen {}

/// How many lines a [`NotSeen`] shows.
const SHOWN: usize = 25;

/// Cuts bytes that come in pieces into lines.
#[derive(Default)]
struct Cutter {
    open: Vec<u8>, // a line whose end has not come yet
}

impl Cutter {
    fn push(&mut self, mut bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.open.extend_from_slice(&bytes[..end]);
            lines.push(String::from_utf8_lossy(&self.open).into_owned());
            self.open.clear();
            bytes = &bytes[end + 1..];
        }
        self.open.extend_from_slice(bytes);
        lines
    }

    /// A last line that had no end.
    fn rest(&mut self) -> Vec<String> {
        let open = std::mem::take(&mut self.open);
        if open.is_empty() { vec![] } else { vec![String::from_utf8_lossy(&open).into_owned()] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_the_same_wherever_the_bytes_are_cut() {
        let text = "one\n\nthree\nfour";
        for cut in 0..text.len() {
            let mut cutter = Cutter::default();
            let mut lines = cutter.push(&text.as_bytes()[..cut]);
            lines.extend(cutter.push(&text.as_bytes()[cut..]));
            lines.extend(cutter.rest());
            assert_eq!(lines, ["one", "", "three", "four"], "cut at {cut}");
        }
    }

    #[test]
    fn a_line_is_found_from_the_mark_on_and_the_end_ends_the_wait() {
        let console = Console::default();
        console.read(&b"a\nb\na\n"[..], 0);
        assert!(console.drained(Duration::from_secs(10)));
        let found = console.wait_from(1, Duration::ZERO, "a", |line| line.text == "a");
        assert_eq!(found.expect("the second one").text, "a");
        let error = console.wait_from(0, Duration::from_secs(60), "c", |line| line.text == "c");
        assert_eq!(
            error.expect_err("there is none").to_string(),
            "c: the process ended without it; its last lines:\n  | a\n  | b\n  | a"
        );
    }
}

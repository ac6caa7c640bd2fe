//! Log lines by log4j itself, in a JVM of this host: found as that for Java components.

use crate::jvm::{self, Given};
use bridge::{Heard, LogFile, LogJvm, LogWriter};
use console::{NotTaken, Records, Screen};
use slog::Level;
use std::{
    fmt, io,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

/// Looks for a Java and for the log4j that the file is for.
///
/// # Errors
/// What there is not, and where it was looked for.
pub(crate) fn find(given: &Given, file: LogFile) -> Result<Arc<dyn Records>, String> {
    let jvm = jvm::for_log4j(given, file.is_xml)?;
    Ok(Arc::new(ByLog4j {
        wanted: Mutex::new(Some((jvm, file))),
        writer: OnceLock::new(),
        heard: OnceLock::new(),
    }))
}

/// What writes the lines.
struct ByLog4j {
    /// Until it begins.
    wanted: Mutex<Option<(LogJvm, LogFile)>>,
    writer: OnceLock<LogWriter>,
    heard: OnceLock<Arc<Hearing>>,
}

/// What becomes of what is heard of it.
struct Hearing {
    to: Screen,
    /// What an appender has printed, and not yet a whole line.
    rest: Mutex<Vec<u8>>,
    was_up: AtomicBool,
}

impl Hearing {
    fn hear(&self, heard: Heard) {
        match heard {
            Heard::Said(line) => self.to.tell(Level::Warning, &format!("log4j: {line}")),
            Heard::Trouble(text) => self.trouble(text),
            Heard::Well(text) => self.to.tell(Level::Info, &text),
            Heard::Printed(bytes) => {
                let mut rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
                whole(&mut rest, &bytes).into_iter().for_each(|lines| self.to.print(lines));
            }
            Heard::AllPrinted => self.print_rest(),
            Heard::Up => {
                self.was_up.store(true, Relaxed);
                self.to.stand_in(false);
            }
        }
    }

    fn trouble(&self, mut text: String) {
        let left_out = self.to.left_out();
        if left_out > 0 {
            text.push_str(&format!(". {left_out} log lines are lost so far"));
        }
        if !self.was_up.load(Relaxed) {
            text.push_str(". Until it is up, warnings and errors stand here as well");
            self.to.stand_in(true);
        }
        self.to.tell(Level::Error, &text);
    }

    fn print_rest(&self) {
        let mut rest = std::mem::take(&mut *self.rest.lock().unwrap_or_else(PoisonError::into_inner));
        if !rest.is_empty() {
            rest.push(b'\n');
            self.to.print(rest);
        }
    }
}

/// Shows no value of a property.
impl fmt::Debug for ByLog4j {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("ByLog4j").finish_non_exhaustive()
    }
}

impl Records for ByLog4j {
    fn begin(&self, screen: Screen) {
        let wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some((jvm, file)) = wanted else { return };
        let rest = Mutex::new(Vec::new());
        let hearing = Arc::new(Hearing { to: screen.clone(), rest, was_up: AtomicBool::new(false) });
        let _ = self.heard.set(Arc::clone(&hearing)); // the first one, since it begins once
        let hears = Arc::new(move |heard| hearing.hear(heard));
        match LogWriter::begin(jvm, file, hears) {
            Ok(writer) => drop(self.writer.set(writer)), // the first one, since it begins once
            Err(error) => {
                let text = format!(
                    "the system gives no thread for the log lines that log4j writes: {error}. They are left out, and events go on"
                );
                screen.tell(Level::Error, &text);
            }
        }
    }

    fn take(&self, records: &[u8], ends: &[usize]) -> Result<(), NotTaken> {
        let Some(writer) = self.writer.get() else {
            return Err(NotTaken { bytes: 0, unfit: 0, error: io::Error::other("it does not run") });
        };
        writer.take(records.to_vec(), ends.to_vec()).map_err(|bridge::NotTaken { bytes, left_out, why }| {
            NotTaken { bytes, unfit: left_out, error: io::Error::other(why) }
        })
    }

    fn end(&self, at_most: Duration) {
        self.writer.get().into_iter().for_each(|writer| writer.end(at_most));
        self.heard.get().into_iter().for_each(|hearing| hearing.print_rest()); // of one that was killed
    }
}

/// Whole lines of what is printed piece by piece; what is no whole line stays in `rest`.
fn whole(rest: &mut Vec<u8>, bytes: &[u8]) -> Option<Vec<u8>> {
    rest.extend_from_slice(bytes);
    if rest.len() > MOST_LINE && !rest.ends_with(b"\n") {
        rest.push(b'\n');
    }
    let end = rest.iter().rposition(|byte| *byte == b'\n')? + 1;
    let behind = rest.split_off(end);
    Some(std::mem::replace(rest, behind))
}

/// Bytes of a line of the console; a longer one is cut in two.
const MOST_LINE: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_wherever_they_are_cut() {
        let text = b"one\ntwo\n\nthree";
        for at in 0..text.len() {
            let mut rest = Vec::new();
            let (front, behind) = text.split_at(at);
            let printed = [whole(&mut rest, front), whole(&mut rest, behind)];
            let printed: Vec<u8> = printed.into_iter().flatten().flatten().collect();
            assert_eq!((&printed[..], &rest[..]), (&b"one\ntwo\n\n"[..], &b"three"[..]), "{at}");
        }
        let mut rest = Vec::new();
        assert_eq!(whole(&mut rest, &[b'x'; MOST_LINE]), None);
        assert_eq!(whole(&mut rest, b"x").map(|line| line.len()), Some(MOST_LINE + 2));
    }
}

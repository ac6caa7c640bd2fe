//! What those JVMs print, bounded. No I/O.

use crate::clock::Instant;
use std::time::Duration;

/// Cuts what comes into lines, of which a minute has so many.
#[derive(Debug, Default)]
pub(super) struct Printed {
    line: Vec<u8>,
    since: Option<Instant>,
    shown: usize,
    hidden: u64,
}

impl Printed {
    /// The lines that are to be shown of what has come by `now`.
    pub(super) fn take(&mut self, bytes: &[u8], now: Instant) -> Vec<String> {
        let mut shown = Vec::new();
        for byte in bytes {
            if *byte == b'\n' {
                self.end(now, &mut shown);
            } else if self.line.len() < MOST_BYTES {
                self.line.push(*byte);
            }
        }
        shown
    }

    /// The last line, which nothing has ended.
    pub(super) fn rest(&mut self, now: Instant) -> Vec<String> {
        let mut shown = Vec::new();
        self.end(now, &mut shown);
        shown
    }

    /// The end of a line.
    fn end(&mut self, now: Instant, shown: &mut Vec<String>) {
        let line = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end();
        if text.is_empty() {
            return;
        }
        if self.since.is_none_or(|since| now.saturating_duration_since(since) >= MINUTE) {
            (self.since, self.shown) = (Some(now), 0);
            if self.hidden > 0 {
                shown.push(format!("{} more lines of it were left out", self.hidden));
                self.hidden = 0;
            }
        }
        if self.shown < MOST_LINES {
            self.shown += 1;
            shown.push(text.to_owned());
        } else {
            self.hidden += 1;
        }
    }
}

/// Lines a minute: two traces of Java.
const MOST_LINES: usize = 100;

const MINUTE: Duration = Duration::from_secs(60);

/// Of a line.
const MOST_BYTES: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn lines_are_whole_and_not_too_long_wherever_they_are_cut() {
        let text = format!("one\n\n{}\r\ntwo", "x".repeat(5000));
        let (mut by_one, now) = (Printed::default(), clock::now());
        let all: Vec<String> = text.bytes().flat_map(|byte| by_one.take(&[byte], now)).collect();
        assert_eq!(all, Printed::default().take(text.as_bytes(), now));
        assert_eq!((all[0].as_str(), all[1].len(), all.len()), ("one", MOST_BYTES, 2));
        assert_eq!((by_one.rest(now), by_one.rest(now)), (vec!["two".to_owned()], vec![]));
    }

    #[test]
    fn a_minute_has_so_many_and_the_next_one_says_how_many_more_there_were() {
        let (mut printed, now) = (Printed::default(), clock::now());
        assert_eq!(printed.take("x\n".repeat(1000).as_bytes(), now).len(), MOST_LINES);
        let next = printed.take(b"y\n", now + MINUTE);
        assert_eq!(next, [format!("{} more lines of it were left out", 1000 - MOST_LINES), "y".to_owned()]);
    }
}

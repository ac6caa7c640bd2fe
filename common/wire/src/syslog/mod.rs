//! Syslog: lines cut from a stream ([`Lines`]), and what Flume's two parsers make of one.
//!
//! - [`Classic`]: `syslogtcp` and `syslogudp` (Flume's `SyslogUtils`).
//! - [`Multiport`]: `multiport_syslogtcp` (Flume's `SyslogParser`). Other names of headers, other rules for dates.
//!
//! Neither keeps anything from one line to the next. Source: Flume 1.11, read and run; where they differ from it, it stands
//! at that spot.

mod classic;
mod custom;
mod lines;
mod multiport;
mod time;

pub use classic::Classic;
pub use custom::{BadFormat, Format};
pub use lines::{Line, Lines};
pub use multiport::Multiport;

use event::BatchBuilder;
use std::fmt::Write;

/// The header that tells of a line that is not whole, or no syslog.
pub const STATUS: &str = "flume.syslog.status";

/// What was found in a line. Whatever it is, an event was made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// A message.
    Message,
    /// The first part of one that is longer than allowed.
    Incomplete,
    /// No syslog.
    Invalid,
}

/// `keepFields`: which parts of the head of a message stay in the body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Keep {
    all: bool,
    priority: bool,
    version: bool,
    timestamp: bool,
    host: bool,
}

impl Keep {
    /// As the property says: `none`, `all`, or any text in which the names of the parts are found.
    pub fn parse(text: &str) -> Keep {
        let text = text.trim().to_ascii_lowercase();
        match text.as_str() {
            "none" | "false" => Keep::default(),
            "all" | "true" => Keep { all: true, ..Keep::default() },
            fields => Keep {
                all: false,
                priority: fields.contains("priority"),
                version: fields.contains("version"),
                timestamp: fields.contains("timestamp"),
                host: fields.contains("hostname"),
            },
        }
    }

    /// Whether the body is to be put together anew.
    fn some(self) -> bool {
        self.priority || self.version || self.timestamp || self.host
    }

    /// Writes the parts that stay, and the body. A part that the message has not is a `-`, as it was in the message; Flume
    /// writes `null`.
    fn write(self, head: &Head<'_>, body: &str, out: &mut String) {
        out.clear();
        if self.priority {
            out.extend(["<", head.priority, ">"]);
        }
        if self.version && !head.version.is_empty() {
            out.extend([head.version, " "]);
        }
        for (kept, part) in [(self.timestamp, head.stamp), (self.host, head.host)] {
            if kept {
                out.extend([if part.is_empty() { "-" } else { part }, " "]);
            }
        }
        out.push_str(body);
    }
}

/// What stands before the body, as text; empty where there is nothing.
#[derive(Debug, Clone, Copy, Default)]
struct Head<'l> {
    priority: &'l str,
    version: &'l str,
    stamp: &'l str,
    host: &'l str,
}

/// The headers of one event.
#[derive(Default)]
struct HeaderMap<'l> {
    pairs: [(&'static str, &'l str); MOST],
    used: usize,
}

impl<'l> HeaderMap<'l> {
    fn put(&mut self, name: &'static str, value: &'l str) {
        if !value.is_empty() {
            self.pairs[self.used] = (name, value);
            self.used += 1;
        }
    }

    /// Makes the event. A header of `extra` takes the place of one of the same name.
    fn push(&self, extra: &[(&str, &str)], body: &[u8], out: &mut BatchBuilder) {
        let own = self.pairs[..self.used].iter().copied();
        let own = own.filter(|(name, _)| extra.iter().all(|(other, _)| other != name));
        // Flume copies the parser's map, and adds the others to the copy: the order in which they print depends on it.
        let received = own.clone().count() as u32;
        out.push_received(own.chain(extra.iter().copied()), received, body);
    }
}

/// Facility, severity, priority, version, timestamp, host, status.
const MOST: usize = 7;

/// A number as text, without memory of its own.
#[derive(Default)]
struct Number {
    text: [u8; 20],
    used: usize,
}

impl Number {
    fn of(value: i64) -> Number {
        let mut number = Number::default();
        let _it_fits = write!(number, "{value}");
        number
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.text[..self.used]).unwrap_or_default()
    }
}

impl Write for Number {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let room = self.text.get_mut(self.used..self.used + text.len()).ok_or(std::fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.used += text.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests;

//! From words to a line.

use super::{Date, Dialect, Item, Pattern, Width, Word};
use crate::{
    level::level_name,
    speaker::Speaker,
    stamp::{self, Stamp},
};
use slog::Level;
use std::{
    sync::LazyLock,
    time::{Instant, SystemTime},
};

/// What a line is about, but for its message.
pub(crate) struct Said<'a> {
    pub(crate) now: SystemTime,
    pub(crate) level: Level,
    pub(crate) speaker: &'a Speaker<'a>,
}

impl Pattern {
    /// Appends a line with `message`, which is clean.
    pub(crate) fn line(&self, out: &mut Vec<u8>, stamp: &mut Stamp, said: &Said<'_>, message: &[u8]) {
        for item in &self.items {
            item.push(out, stamp, said, message);
        }
    }

    /// Appends what stands in front of the message and what stands behind it, or says that there is no such place: the
    /// message has a width, or is not there just once.
    pub(crate) fn around(
        &self,
        head: &mut Vec<u8>,
        tail: &mut Vec<u8>,
        stamp: &mut Stamp,
        said: &Said<'_>,
    ) -> bool {
        let is_message = |item: &Item| matches!(item.word, Word::Message) && item.width == Width::ANY;
        let Some(at) = self.items.iter().position(is_message) else { return false };
        if self.items[at + 1..].iter().any(Item::has_message)
            || self.items[..at].iter().any(Item::has_message)
        {
            return false;
        }
        for (items, out) in [(&self.items[..at], head), (&self.items[at + 1..], tail)] {
            items.iter().for_each(|item| item.push(out, stamp, said, b""));
        }
        true
    }
}

impl Item {
    fn has_message(&self) -> bool {
        let within = |pattern: &Pattern| pattern.items.iter().any(Item::has_message);
        match &self.word {
            Word::Message => true,
            Word::Plain(pattern) => within(pattern),
            Word::Equals { of, text, .. } => within(of) || within(text),
            _ => false,
        }
    }

    fn push(&self, out: &mut Vec<u8>, stamp: &mut Stamp, said: &Said<'_>, message: &[u8]) {
        let start = out.len();
        self.word.push(out, stamp, said, message);
        if self.width != Width::ANY {
            self.width.fit(out, start);
        }
    }
}

impl Word {
    fn push(&self, out: &mut Vec<u8>, stamp: &mut Stamp, said: &Said<'_>, message: &[u8]) {
        let mut text = |text: &str| out.extend_from_slice(text.as_bytes());
        match self {
            Word::Text(fixed) => text(fixed),
            Word::Date(date) => date.push(out, stamp, said.now),
            Word::Level => text(level_name(said.level)),
            Word::Priority(facility, dialect) => {
                text(&format!("<{}>", u16::from(*facility) * 8 + severity(said.level, *dialect)));
            }
            Word::Thread => text(said.speaker.thread),
            Word::Logger(parts) => text(last(said.speaker.logger(), *parts)),
            Word::Class(parts) => text(last(said.speaker.class(), *parts)),
            Word::Method => text(said.speaker.method()),
            Word::File => text(said.speaker.file()),
            Word::Line => text(said.speaker.line()),
            Word::Location => text(said.speaker.location),
            Word::Message => out.extend_from_slice(message),
            Word::Elapsed => text(&BEGAN.elapsed().as_millis().to_string()),
            Word::Plain(pattern) => pattern.line(out, stamp, said, message),
            Word::Equals { of, test, text } => {
                let start = out.len();
                of.line(out, stamp, said, message);
                if &out[start..] == test.as_bytes() {
                    out.truncate(start);
                    text.line(out, stamp, said, message);
                }
            }
        }
    }
}

impl Date {
    fn push(&self, out: &mut Vec<u8>, stamp: &mut Stamp, now: SystemTime) {
        let millis = stamp::millis(now);
        match self {
            Date::Log4j => stamp.log4j(out, now),
            Date::Java(printer) => {
                let mut text = String::new();
                printer.push(millis, &mut text);
                out.extend_from_slice(text.as_bytes());
            }
            Date::Millis => out.extend_from_slice(millis.to_string().as_bytes()),
            Date::Seconds => out.extend_from_slice(millis.div_euclid(1000).to_string().as_bytes()),
        }
    }
}

impl Width {
    /// Fits what stands in `out` from `start` on.
    fn fit(self, out: &mut Vec<u8>, start: usize) {
        // Of bytes that are no text, those that begin no character are part of the one before.
        let begins = |byte: &u8| *byte & 0xc0 != 0x80;
        let count = out[start..].iter().filter(|byte| begins(byte)).count();
        if count > self.most {
            let places = out[start..].iter().enumerate().filter(|(_, byte)| begins(byte));
            let cut = places.map(|(at, _)| at).nth(count - self.most).unwrap_or(out.len() - start);
            out.drain(start..start + cut);
        } else if count < self.least {
            let blanks = std::iter::repeat_n(b' ', self.least - count);
            let at = if self.left { out.len() } else { start };
            out.splice(at..at, blanks);
        }
    }
}

/// What syslog calls a level. The two log4js differ in what FATAL is.
fn severity(level: Level, dialect: Dialect) -> u16 {
    match (level, dialect) {
        (Level::Critical, Dialect::One) => 0,
        (Level::Critical, Dialect::Two) => 1,
        (Level::Error, _) => 3,
        (Level::Warning, _) => 4,
        (Level::Info, _) => 6,
        (Level::Debug | Level::Trace, _) => 7,
    }
}

/// The last `parts` of a name with dots; all of it for 0.
fn last(name: &str, parts: usize) -> &str {
    match parts.checked_sub(1).and_then(|before| name.rmatch_indices('.').nth(before)) {
        Some((at, _)) => &name[at + 1..],
        None => name,
    }
}

/// When the program began, as far as its lines know.
static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);

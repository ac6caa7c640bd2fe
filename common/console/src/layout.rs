//! One record, one line.

use crate::{
    level::level_name,
    pattern::{Pattern, Said},
    place, record,
    speaker::Speaker,
    stamp::Stamp,
};
use serde_json::{Map, Value};
use slog::{KV, Key, Level, OwnedKVList, Record, Serializer};
use std::{
    fmt::{self, Write as _},
    sync::Arc,
    thread,
    time::SystemTime,
};

/// How lines look.
#[derive(Debug, Clone, Default)]
pub enum Format {
    /// Flume 1.9's console: `%d (%t) [%p - %l] %m%n`.
    #[default]
    Flume,
    /// The same with the levels in colour, for people.
    Coloured,
    /// One JSON object a line.
    Json,
    /// As an appender's pattern says.
    Pattern(Arc<Pattern>),
    /// No line, but a record of which log4j makes one: for [`crate::Records`] alone.
    Record,
}

/// Appends `record` as one whole line.
pub(crate) fn line(
    format: &Format,
    out: &mut Vec<u8>,
    stamp: &mut Stamp,
    now: SystemTime,
    record: &Record<'_>,
    context: &OwnedKVList,
) {
    let place = place::split(record.tag());
    let this = thread::current();
    let own_thread = place.map(|_| own_thread(record)).unwrap_or_default();
    let thread = match place {
        Some(_) if !own_thread.is_empty() => &own_thread,
        Some((thread, _)) => thread,
        None => this.name().unwrap_or("unnamed"),
    };
    let location = match place {
        Some((_, location)) => location.to_owned(),
        None => ours(record),
    };
    let speaker = Speaker { thread, location: &location };
    let context_of_ours = place.is_none().then_some(context);
    match format {
        Format::Json => json(out, stamp, now, record, context, &speaker),
        Format::Flume | Format::Coloured => {
            head(out, stamp, now, record.level(), &speaker, matches!(format, Format::Coloured));
            text(out, record, context_of_ours);
        }
        Format::Pattern(pattern) => {
            let mut message = Vec::new();
            text(&mut message, record, context_of_ours);
            pattern.line(out, stamp, &Said { now, level: record.level(), speaker: &speaker }, &message);
            return;
        }
        Format::Record => {
            let mut message = Vec::new();
            text(&mut message, record, context_of_ours);
            return record::append(out, (now, record.level()), &speaker, &message);
        }
    }
    out.push(b'\n');
}

/// What a pattern's `%m` prints.
pub(crate) fn message(record: &Record<'_>, context: &OwnedKVList) -> Vec<u8> {
    let mut message = Vec::new();
    text(&mut message, record, place::split(record.tag()).is_none().then_some(context));
    message
}

/// Appends a whole line that no record stands for.
pub(crate) fn plain_line(
    format: &Format,
    out: &mut Vec<u8>,
    stamp: &mut Stamp,
    (now, level): (SystemTime, Level),
    speaker: &Speaker<'_>,
    message: &str,
) {
    match format {
        Format::Json => {
            json_head(out, stamp, now, level, speaker);
            json_string(out, message);
            out.push(b'}');
        }
        Format::Flume | Format::Coloured => {
            head(out, stamp, now, level, speaker, matches!(format, Format::Coloured));
            let _ = write!(out_of(out), "{message}"); // a Vec takes everything
        }
        Format::Pattern(pattern) => {
            let mut clean = Vec::new();
            let _ = write!(out_of(&mut clean), "{message}"); // as above
            pattern.line(out, stamp, &Said { now, level, speaker }, &clean);
            return;
        }
        Format::Record => {
            let mut clean = Vec::new();
            let _ = write!(out_of(&mut clean), "{message}"); // as above
            return record::append(out, (now, level), speaker, &clean);
        }
    }
    out.push(b'\n');
}

/// Appends `%d (%t) [%p - %l] `.
pub(crate) fn head(
    out: &mut Vec<u8>,
    stamp: &mut Stamp,
    now: SystemTime,
    level: Level,
    speaker: &Speaker<'_>,
    coloured: bool,
) {
    let (colour, plain) = if coloured { colour(level) } else { ("", "") };
    stamp.log4j(out, now);
    for part in [" (", speaker.thread, ") [", colour, level_name(level), plain, " - ", speaker.location, "] "]
    {
        out.extend_from_slice(part.as_bytes());
    }
}

/// Appends a JSON object up to where its message's text goes: `{"time":…,"level":…,"thread":…,"at":…,"message":`.
pub(crate) fn json_head(
    out: &mut Vec<u8>,
    stamp: &mut Stamp,
    now: SystemTime,
    level: Level,
    speaker: &Speaker<'_>,
) {
    out.extend_from_slice(b"{\"time\":\"");
    stamp.rfc3339(out, now);
    out.extend_from_slice(b"\",\"level\":\"");
    out.extend_from_slice(level_name(level).as_bytes());
    for (key, value) in [("\",\"thread\":", speaker.thread), (",\"at\":", speaker.location)] {
        out.extend_from_slice(key.as_bytes());
        json_string(out, value);
    }
    out.extend_from_slice(b",\"message\":");
}

/// Appends `text` as a JSON string.
pub(crate) fn json_string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a string is JSON and a Vec takes it");
}

/// The location of a record of ours: `components::source::exec(exec.rs:120)`.
fn ours(record: &Record<'_>) -> String {
    let file = record.file().rsplit('/').next().unwrap_or_default();
    format!("{}({file}:{})", record.module(), record.line())
}

/// The message and ` {k=v, k2=v2}`: the record's keys, then the logger's.
fn text(out: &mut Vec<u8>, record: &Record<'_>, context: Option<&OwnedKVList>) {
    let mut clean = Clean { out, left: MOST_TEXT, lost: 0 };
    // Errors are those of a value's own `Display`: what it has written so far is the best there is.
    let _ = write!(clean, "{}", record.msg());
    let mut pairs = Pairs::default();
    let _ = record.kv().serialize(record, &mut pairs);
    pairs.begin_context();
    if let Some(context) = context {
        let _ = context.serialize(record, &mut pairs);
    }
    for (n, (key, value)) in pairs.in_order().enumerate() {
        let _ = write!(clean, "{}{key}={value}", if n == 0 { " {" } else { ", " });
    }
    if !pairs.all.is_empty() {
        let _ = clean.write_char('}');
    }
    if clean.lost > 0 {
        let _ = write!(out_of(clean.out), "... [{} characters left out]", clean.lost);
    }
}

fn json(
    out: &mut Vec<u8>,
    stamp: &mut Stamp,
    now: SystemTime,
    record: &Record<'_>,
    context: &OwnedKVList,
    speaker: &Speaker<'_>,
) {
    json_head(out, stamp, now, record.level(), speaker);
    json_string(out, &shortened(record.msg().to_string()));
    let mut fields = Fields::default();
    // As above: what could be written is kept.
    let _ = context.serialize(record, &mut fields);
    let _ = record.kv().serialize(record, &mut fields);
    fields.0.remove("thread");
    if !fields.0.is_empty() {
        out.extend_from_slice(b",\"fields\":");
        serde_json::to_writer(&mut *out, &fields.0).expect("a map of plain values is JSON");
    }
    out.push(b'}');
}

/// `text`, or as much of it as one line may have.
fn shortened(mut text: String) -> String {
    if text.len() > MOST_TEXT {
        let cut = text.floor_char_boundary(MOST_TEXT);
        text.truncate(cut);
        text.push_str("...");
    }
    text
}

/// The value of a record's own key `thread`, or nothing.
fn own_thread(record: &Record<'_>) -> String {
    let mut pairs = Pairs::default();
    let _ = record.kv().serialize(record, &mut pairs);
    pairs.all.into_iter().find(|(key, _)| key == "thread").map(|(_, value)| value).unwrap_or_default()
}

/// Keys and values as text. slog hands them over last first.
#[derive(Default)]
struct Pairs {
    all: Vec<(String, String)>,
    of_record: usize,
}

impl Pairs {
    fn begin_context(&mut self) {
        self.all.retain(|(key, _)| key != "thread");
        self.of_record = self.all.len();
    }

    fn in_order(&self) -> impl Iterator<Item = &(String, String)> {
        let (record, context) = self.all.split_at(self.of_record);
        record.iter().rev().chain(context.iter().rev())
    }
}

impl Serializer for Pairs {
    fn emit_arguments(&mut self, key: Key, value: &fmt::Arguments<'_>) -> slog::Result {
        self.all.push((key.to_string(), value.to_string()));
        Ok(())
    }
}

/// Keys and values as JSON; of two equal keys the later stands.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, key: Key, value: impl Into<Value>) -> slog::Result {
        self.0.insert(key.to_string(), value.into());
        Ok(())
    }
}

macro_rules! as_json {
    ($($name:ident: $type:ty),*) => {
        $(fn $name(&mut self, key: Key, value: $type) -> slog::Result {
            self.put(key, value)
        })*
    };
}

impl Serializer for Fields {
    as_json!(emit_bool: bool, emit_u8: u8, emit_u16: u16, emit_u32: u32, emit_u64: u64, emit_usize: usize,
        emit_i8: i8, emit_i16: i16, emit_i32: i32, emit_i64: i64, emit_isize: isize, emit_f32: f32, emit_f64: f64);

    fn emit_none(&mut self, key: Key) -> slog::Result {
        self.put(key, Value::Null)
    }

    fn emit_arguments(&mut self, key: Key, value: &fmt::Arguments<'_>) -> slog::Result {
        self.put(key, shortened(value.to_string()))
    }
}

/// Keeps a line one line and bounded: control characters are printed as Rust escapes them (`\n`, `\u{1b}`), so that
/// nothing that came from outside can forge a line or drive a terminal.
struct Clean<'a> {
    out: &'a mut Vec<u8>,
    left: usize, // bytes
    lost: usize, // characters
}

impl fmt::Write for Clean<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.len() <= self.left && !text.bytes().any(|byte| byte < b' ' || byte == 0x7f || byte >= 0xc2) {
            self.out.extend_from_slice(text.as_bytes());
            self.left -= text.len();
            return Ok(());
        }
        for c in text.chars() {
            self.push(c);
        }
        Ok(())
    }
}

impl Clean<'_> {
    fn push(&mut self, c: char) {
        let before = self.out.len();
        if self.left < MOST_ESCAPED {
            self.lost += 1;
        } else if c.is_control() && c != '\t' {
            self.out.extend(c.escape_default().map(|c| c as u8)); // escapes are ASCII
        } else {
            self.out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
        self.left -= self.out.len() - before;
    }
}

/// A `Vec` as something to write text to.
fn out_of(out: &mut Vec<u8>) -> impl fmt::Write + '_ {
    Clean { out, left: usize::MAX, lost: 0 }
}

fn colour(level: Level) -> (&'static str, &'static str) {
    match level {
        Level::Critical | Level::Error => ("\x1b[1;31m", "\x1b[0m"),
        Level::Warning => ("\x1b[33m", "\x1b[0m"),
        Level::Info => ("", ""),
        Level::Debug | Level::Trace => ("\x1b[2m", "\x1b[0m"),
    }
}

/// Bytes of one line's message and values; more is left out. Own lines wait in memory, so each must be bounded.
const MOST_TEXT: usize = 16 * 1024;

/// Bytes of `\u{10ffff}`, the longest that one character prints as.
const MOST_ESCAPED: usize = 10;

#[cfg(test)]
#[path = "layout_tests.rs"]
mod tests;

//! Java's `.properties` grammar, byte for byte, and where everything stands.
//!
//! Source: the API documentation of `java.util.Properties.load`; the cases in `testdata/properties` were answered by a
//! JDK 17. Three things are different on purpose, each with a finding: text that is valid UTF-8 is read as UTF-8 (Java
//! and Flume 1.10+ take ISO-8859-1), a byte order mark is not part of the first key, and a malformed `\u` costs its own
//! line instead of the whole file.

mod escapes;
mod lines;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use self::escapes::{control, doubled, hex, undefined};
use self::lines::{Logical, LogicalLines, is_blank};
use crate::fate::Effect;
use crate::place::Place;
use crate::problem::Problem;
use crate::quote::quoted;
use crate::report::Report;
use crate::secret::{HIDDEN, is_secret, without_log_ins};

/// A key with its value and their places.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key, escapes translated.
    pub key: String,
    /// Where the key begins.
    pub key_at: Place,
    /// Where the same key stands first, when it is set more than once; else as `key_at`.
    pub first_at: Place,
    /// The value, escapes translated, blanks at its end kept.
    pub value: String,
    /// Where the value begins, or would.
    pub value_at: Place,
    /// Where each part of a value in several lines begins: its offset in the value, and its place. Empty where the value is
    /// not as it stands in the file.
    pub parts: Vec<(usize, Place)>,
    /// What reads like a comment behind the value.
    pub comment: Option<Comment>,
    /// A line of one word, without `=`, `:` or a value.
    pub bare: bool,
}

impl Entry {
    /// Where `word` stands, a part of `text`, which is the value without the blanks around it and what is cut off its end.
    /// A list may have ten thousands of words: none of this looks at all of the value.
    pub fn word_at(&self, text: &str, word: &str) -> Place {
        let within = (word.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
        let blanks = self.value.len() - self.value.trim_start_matches(|c| c <= ' ').len();
        let at = blanks + within;
        let behind = self.parts.partition_point(|(start, _)| *start <= at);
        let Some((start, place)) = behind.checked_sub(1).map(|part| &self.parts[part]) else {
            return self.value_at.clone();
        };
        let along = u32::try_from(at - start).unwrap_or(u32::MAX);
        Place { column: place.column.saturating_add(along), ..place.clone() }
    }
}

/// Shows no secret.
impl fmt::Debug for Entry {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = if is_secret(&self.key) { HIDDEN } else { &self.value };
        write!(out, "{}: {} = {value}", self.key_at, self.key)
    }
}

/// A blank and an unescaped `#` inside a value: to Java part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// The value in front of the comment, without the blanks between; empty when the comment is all there is.
    pub value: String,
    /// From the `#` to the end.
    pub text: String,
    /// Where the `#` stands.
    pub at: Place,
}

/// Reads a file's bytes. Duplicates are kept, in the order in which they stand; the last one wins.
pub fn parse(origin: &str, bytes: &[u8], report: &mut Report) -> Vec<Entry> {
    let (bytes, column_shift) = without_mark(origin, bytes, report);
    let utf8 = std::str::from_utf8(bytes).is_ok();
    let source = Source { origin: Arc::from(origin), bytes, column_shift, utf8 };
    if !utf8 {
        report.add(source.note_latin1());
    }
    let mut lines = LogicalLines::new(bytes);
    let mut entries = Vec::new();
    let mut logical = Logical::default();
    while lines.read(&mut logical) {
        match source.entry(&logical) {
            Ok(entry) => {
                source.dropped(&logical, &entry, report);
                entries.push(entry);
            }
            Err(problem) => report.add(*problem),
        }
    }
    entries
}

/// Takes a byte order mark away. The second value is what it adds to the columns of the first line.
fn without_mark<'a>(origin: &str, bytes: &'a [u8], report: &mut Report) -> (&'a [u8], u32) {
    let place = Place::at(origin, 1, 1);
    if let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        report.add(
            Problem::warning("byte-order-mark", &place, "the file begins with a byte order mark")
                .flume("takes it as part of the first line: a key there is not recognised, a comment becomes a key")
                .here("it is skipped")
                .fix("save the file as UTF-8 without a byte order mark"),
        );
        return (rest, 3);
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        report.add(
            Problem::error("utf-16", &place, "the file is UTF-16 text")
                .flume("finds no usable key in it and runs with nothing")
                .fix("save the file as UTF-8"),
        );
    }
    (bytes, 0)
}

/// The file that entries are made from.
struct Source<'a> {
    origin: Arc<str>,
    bytes: &'a [u8],
    column_shift: u32,
    utf8: bool,
}

impl Source<'_> {
    fn entry(&self, line: &Logical) -> Result<Entry, Box<Problem>> {
        let text = &line.text;
        let (key, value, separated) = split(text);
        Ok(Entry {
            key: self.convert(line, key.clone())?,
            key_at: self.place(line, key.start),
            first_at: self.place(line, key.start),
            value: self.convert(line, value.clone())?,
            value_at: self.place(line, value.start),
            parts: self.parts(line, value.clone()),
            comment: self.comment(line, value.clone())?,
            bare: !separated && value.is_empty(),
        })
    }

    fn parts(&self, line: &Logical, value: Range<usize>) -> Vec<(usize, Place)> {
        let raw = &line.text[value.clone()];
        if raw.contains(&b'\\') || !self.utf8 && !raw.is_ascii() {
            return Vec::new();
        }
        let starts = line
            .parts
            .iter()
            .map(|part| part.start)
            .filter(|start| *start > value.start && *start < value.end);
        std::iter::once(value.start)
            .chain(starts)
            .map(|start| (start - value.start, self.place(line, start)))
            .collect()
    }

    fn comment(&self, line: &Logical, value: Range<usize>) -> Result<Option<Comment>, Box<Problem>> {
        let Some((end, hash)) = comment_start(&line.text[value.clone()]) else { return Ok(None) };
        let hash = value.start + hash;
        Ok(Some(Comment {
            value: self.convert(line, value.start..value.start + end)?,
            text: self.convert(line, hash..value.end)?,
            at: self.place(line, hash),
        }))
    }

    fn place(&self, line: &Logical, offset: usize) -> Place {
        let index = line.parts.partition_point(|part| part.start <= offset).saturating_sub(1);
        let Some(part) = line.parts.get(index) else { return Place::whole(self.origin.clone()) };
        let shift = if part.line == 1 { self.column_shift } else { 0 };
        let along = u32::try_from(offset - part.start).unwrap_or(u32::MAX);
        Place {
            origin: self.origin.clone(),
            line: part.line,
            column: part.column.saturating_add(along + shift),
        }
    }

    /// Translates escapes and bytes to text.
    fn convert(&self, line: &Logical, range: Range<usize>) -> Result<String, Box<Problem>> {
        let raw = &line.text[range.clone()];
        if !raw.contains(&b'\\') {
            return Ok(self.decode(raw));
        }
        let mut units = Vec::with_capacity(raw.len());
        let mut rest = raw;
        while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
            units.extend(self.decode(&rest[..at]).encode_utf16());
            let after = &rest[at + 1..];
            rest = match after.first() {
                Some(b'u') => {
                    let offset = range.start + raw.len() - rest.len() + at;
                    units.push(hex(after.get(1..5)).ok_or_else(|| self.malformed(line, offset))?);
                    &after[5..]
                }
                Some(b't' | b'n' | b'r' | b'f') => {
                    units.push(control(after[0]));
                    &after[1..]
                }
                Some(b'\\') => {
                    units.push(u16::from(b'\\'));
                    &after[1..]
                }
                _ => after, // the backslash goes, what it stood before stays
            };
        }
        units.extend(self.decode(rest).encode_utf16());
        String::from_utf16(&units).map_err(|_| self.half_pair(line, range.start))
    }

    /// Says when a backslash was dropped that somebody may have meant: Java keeps what stands behind it.
    fn dropped(&self, line: &Logical, entry: &Entry, report: &mut Report) {
        let (key, value, _) = split(&line.text);
        let (range, in_key) = match (undefined(&line.text[value.clone()]), undefined(&line.text[key.clone()]))
        {
            (Some(at), _) => (value.start + at..value.end, false),
            (None, Some(at)) => (at..key.end, true),
            (None, None) => return,
        };
        let place = self.place(line, range.start);
        report.add_warning(|| {
            let warn = |what: String, about: &str, fix: String| {
                let flume = "drops the backslash silently";
                let problem =
                    Problem::warning("dropped-backslash", &place, what).flume(flume).here("the same");
                problem.fix(fix).cause(about, "the properties format drops a backslash")
            };
            let shown = &entry.key;
            if !in_key && is_secret(shown) {
                let what = format!("a backslash of `{shown}` escapes nothing and is dropped");
                return warn(what, &format!("`{shown}`"), "`\\\\` for each backslash that is meant".into());
            }
            let sign = self.decode(&line.text[range.start + 1..range.end]).chars().next().unwrap_or_default();
            let right = self.decode(&doubled(&line.text[if in_key { key } else { value }]));
            let (read, fix) = if in_key {
                (format!("the key is read as {}", quoted(shown)), quoted(&right))
            } else {
                let read = quoted(without_log_ins(&entry.value).trim());
                (format!("`{shown}` is read as {read}"), format!("`{shown} = {}`", without_log_ins(&right)))
            };
            let what = format!("the properties format drops the backslash of `\\{sign}`: {read}");
            warn(what, &read, format!("{fix}, if the backslash is meant; `{sign}` alone if not"))
        });
    }

    fn decode(&self, raw: &[u8]) -> String {
        if self.utf8 {
            String::from_utf8_lossy(raw).into_owned()
        } else {
            raw.iter().map(|byte| char::from(*byte)).collect()
        }
    }

    fn malformed(&self, line: &Logical, offset: usize) -> Box<Problem> {
        // Not what stands there instead: it may be part of a password.
        let place = self.place(line, offset);
        Box::new(
            Problem::error(
                "malformed-escape",
                &place,
                "a `\\u` without four hex digits behind it is not an escape",
            )
            .flume("stops reading: the whole file is lost (`Malformed \\uxxxx encoding.`)")
            .effect(Effect::Fails("it cannot read the file (`Malformed \\uxxxx encoding.`)".into()))
            .fix("four hex digits behind `\\u`, or `\\\\u` for a backslash and a u"),
        )
    }

    fn half_pair(&self, line: &Logical, offset: usize) -> Box<Problem> {
        let what = "one half of a surrogate pair without the other is not a character";
        Box::new(
            Problem::error("malformed-escape", &self.place(line, offset), what)
                .flume("takes it, and writes a question mark wherever the text is encoded")
                .fix("both halves, as in `\\ud83d\\ude00`"),
        )
    }

    fn note_latin1(&self) -> Problem {
        let valid = std::str::from_utf8(self.bytes).map_or_else(|error| error.valid_up_to(), |_| 0);
        let before = &self.bytes[..valid];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let column = 1 + before.iter().rev().take_while(|byte| **byte != b'\n').count();
        let [line, column] = [line, column].map(|number| u32::try_from(number).unwrap_or(u32::MAX));
        let place = Place { origin: self.origin.clone(), line, column };
        Problem::note("iso-8859-1", &place, "the file has bytes that are not UTF-8")
            .flume("reads every file as ISO-8859-1")
            .here("this file is read as ISO-8859-1 too; files that are valid UTF-8 are read as UTF-8")
            .fix("save the file as UTF-8")
    }
}

/// Where key and value stand, and whether a `=` or `:` separates them.
fn split(text: &[u8]) -> (Range<usize>, Range<usize>, bool) {
    let mut escaped = false;
    let key_end = text.iter().position(|byte| {
        let ends = !escaped && (is_blank(*byte) || matches!(byte, b'=' | b':'));
        escaped = *byte == b'\\' && !escaped;
        ends
    });
    let key_end = key_end.unwrap_or(text.len());
    let mut at = key_end + blanks(&text[key_end..]);
    let separated = matches!(text.get(at), Some(b'=' | b':'));
    if separated {
        at += 1;
        at += blanks(&text[at..]);
    }
    (0..key_end, at..text.len(), separated)
}

/// In a raw value: where it ends if the comment is taken away, and where the comment's `#` stands.
fn comment_start(value: &[u8]) -> Option<(usize, usize)> {
    let mut escaped = false;
    let mut text_end = 0;
    for (at, byte) in value.iter().enumerate() {
        if *byte == b'#' && !escaped && (at == 0 || text_end < at) {
            return Some((text_end, at));
        }
        if escaped || !is_blank(*byte) {
            text_end = at + 1;
        }
        escaped = *byte == b'\\' && !escaped;
    }
    None
}

fn blanks(text: &[u8]) -> usize {
    text.iter().take_while(|byte| is_blank(**byte)).count()
}

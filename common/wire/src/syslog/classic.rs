//! What `syslogtcp` and `syslogudp` make of a line.

use super::custom::Read;
use super::time::{self, is_space};
use super::{Format, Found, Head, HeaderMap, Keep, Line, Number, STATUS};
use event::BatchBuilder;
use jiff::tz::TimeZone;

/// Reads lines as Flume's `SyslogUtils` does, with these differences:
///
/// - An LF always ends a line; within a priority Flume takes it for a part of the message.
/// - `priority` and `version` of one message do not appear on the next one.
/// - A zone counts also behind a fraction, and `.5` is half a second.
pub struct Classic {
    keep: Keep,
    format: Option<Format>,
    zone: TimeZone,
    text: String,
}

/// A line that one of the formats matches.
#[derive(Default)]
struct Matched<'l> {
    head: Head<'l>,
    millis: Option<i64>,
    body: &'l str,
}

impl Classic {
    /// A reader. Dates without a zone are in `zone`; a line is matched with `format` first.
    pub fn new(keep: Keep, format: Option<Format>, zone: TimeZone) -> Classic {
        Classic { keep, format, zone, text: String::new() }
    }

    /// Makes an event of a line that came at `now_millis`, with the headers `extra` besides, and puts it into `out`.
    pub fn push(
        &mut self,
        line: Line<'_>,
        now_millis: i64,
        extra: &[(&str, &str)],
        out: &mut BatchBuilder,
    ) -> Found {
        let mut headers = HeaderMap::default();
        let Some(priority) = priority(line.bytes) else {
            headers.put("Facility", "0");
            headers.put("Severity", "0");
            headers.put(STATUS, "Invalid");
            headers.push(extra, line.bytes, out);
            return Found::Invalid;
        };
        let text = String::from_utf8_lossy(line.bytes);
        let custom = self.format.as_ref().and_then(|format| format.read(&text));
        let matched = match &custom {
            Some(read) => read.matched(&text),
            None => rfc5424(&text, &self.zone).or_else(|| rfc3164(&text, now_millis, &self.zone)),
        };
        let fits = matched.is_some();
        let Matched { head, millis, body } = &matched.unwrap_or_default();
        let numbers = [Some(priority / 8), Some(priority % 8), *millis].map(|number| number.map(Number::of));
        let [facility, severity, millis] =
            numbers.each_ref().map(|number| number.as_ref().map_or("", Number::text));
        headers.put("Facility", facility);
        headers.put("Severity", severity);
        headers.put("priority", head.priority);
        headers.put("version", head.version);
        headers.put("timestamp", millis);
        headers.put("host", head.host);
        if line.cut {
            headers.put(STATUS, "Incomplete");
        }
        let body = if fits && self.keep.some() {
            self.keep.write(head, body, &mut self.text);
            self.text.as_bytes()
        } else if self.keep.all || body.is_empty() {
            line.bytes
        } else {
            body.as_bytes()
        };
        headers.push(extra, body, out);
        if line.cut { Found::Incomplete } else { Found::Message }
    }
}

impl Read {
    fn matched<'t>(&'t self, text: &'t str) -> Option<Matched<'t>> {
        let [priority, version, _, host, body] = self.groups(text);
        let head = Head { priority, version, stamp: self.stamp(), host };
        Some(Matched { head, millis: self.millis(), body })
    }
}

/// `<`, one to three digits, `>`.
fn priority(line: &[u8]) -> Option<i64> {
    let (digits, _) = split_priority(line)?;
    Some(digits.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
}

fn split_priority(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = line.strip_prefix(b"<")?;
    let digits = rest.iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
    ((1..=3).contains(&digits) && rest.get(digits) == Some(&b'>'))
        .then(|| (&rest[..digits], &rest[digits + 1..]))
}

/// An optional digit, an optional space, then what `stamp` finds (and how long it is), a space, a host, a space, and a body
/// that is one line.
fn framed<'l, T>(
    text: &'l str,
    no_host: bool,
    stamp: impl Fn(&[u8]) -> Option<(T, usize)>,
) -> Option<(T, Head<'l>, &'l str)> {
    let (digits, rest) = split_priority(text.as_bytes())?;
    let front = text.len() - rest.len();
    let digit = usize::from(rest.first().is_some_and(u8::is_ascii_digit));
    let space = |at: usize| usize::from(rest.get(at).copied().is_some_and(is_space));
    let fronts = [(digit, space(digit)), (digit, 0), (0, space(0)), (0, 0)];
    fronts.into_iter().find_map(|(digit, space)| {
        let mut at = front + digit + space;
        let (found, length) = stamp(&text.as_bytes()[at..])?;
        let stamp = &text[at..at + length];
        at += length;
        at += text.as_bytes().get(at).copied().filter(|byte| is_space(*byte)).map(|_| 1)?;
        let host = host(&text[at..], no_host)?;
        at += host.len();
        at += text.as_bytes().get(at).copied().filter(|byte| is_space(*byte)).map(|_| 1)?;
        let body = &text[at..];
        if body.contains(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']) {
            return None; // `.` matches none of these
        }
        let dash = |text: &'l str| if text == "-" { "" } else { text };
        let version = &text[front..front + digit];
        let priority = &text[1..=digits.len()];
        Some((found, Head { priority, version, stamp: dash(stamp), host: dash(host) }, body))
    })
}

/// Letters, digits, `_`, and behind the first also `.`, `@` and `-`; a single `-` where that may stand for none.
fn host(text: &str, no_host: bool) -> Option<&str> {
    let first = *text.as_bytes().first()?;
    if no_host && first == b'-' {
        return Some(&text[..1]);
    }
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    if !word(&first) {
        return None;
    }
    let length = text.bytes().take_while(|byte| word(byte) || b".@-".contains(byte)).count();
    Some(&text[..length])
}

fn rfc5424<'l>(text: &'l str, zone: &TimeZone) -> Option<Matched<'l>> {
    let (iso, head, body) = framed(text, true, |rest| {
        if rest.first() == Some(&b'-') {
            return Some((None, 1));
        }
        time::iso(rest).filter(|iso| iso.fraction <= 6).map(|iso| (Some(iso), iso.length))
    })?;
    Some(Matched { head, millis: iso.and_then(|iso| iso.in_zone(zone)), body })
}

fn rfc3164<'l>(text: &'l str, now_millis: i64, zone: &TimeZone) -> Option<Matched<'l>> {
    let (date, head, body) = framed(text, false, time::yearless)?;
    Some(Matched { head, millis: date.and_then(|date| date.near(now_millis, zone)), body })
}

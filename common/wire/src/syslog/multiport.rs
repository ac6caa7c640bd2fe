//! What `multiport_syslogtcp` makes of a line.

use super::time::{self, Iso};
use super::{Found, Head, HeaderMap, Keep, Line, Number, STATUS};
use event::BatchBuilder;
use java::{Charset, OnMalformed};
use jiff::tz::TimeZone;
use std::borrow::Cow;

/// Reads lines as Flume's `SyslogParser` does, with these differences:
///
/// - What makes Flume lose all that it has read (a date of RFC 5424 without a zone, or that does not exist) makes an
///   invalid event. Empty lines, another of these, are left out.
/// - A date of RFC 3164 lies within the eleven months before and the month behind now. Flume takes one that is
///   more than a month old to be in the year 2001.
pub struct Multiport {
    charset: Charset,
    keep: Keep,
    text: String,
}

/// A message.
struct Read<'l> {
    head: Head<'l>,
    priority: i64,
    millis: i64,
    /// `None`: there is none, and Flume takes the whole message for it.
    body: Option<&'l str>,
}

impl Multiport {
    /// A reader of text in `charset`.
    pub fn new(charset: Charset, keep: Keep) -> Multiport {
        Multiport { charset, keep, text: String::new() }
    }

    /// Makes an event of a line that came at `now_millis`, with the headers `extra` besides, and puts it into `out`.
    pub fn push(
        &mut self,
        line: Line<'_>,
        now_millis: i64,
        extra: &[(&str, &str)],
        out: &mut BatchBuilder,
    ) -> Found {
        let text = decode(self.charset, line.bytes);
        let mut headers = HeaderMap::default();
        let Some((text, read)) = text.as_ref().and_then(|text| Some((text, read(text, now_millis)?))) else {
            headers.put(STATUS, "Invalid");
            headers.push(extra, line.bytes, out);
            return Found::Invalid;
        };
        let Read { head, priority, millis, body } = read;
        let [facility, severity, millis] = [priority / 8, priority % 8, millis].map(Number::of);
        headers.put("Priority", head.priority);
        headers.put("Facility", facility.text());
        headers.put("Severity", severity.text());
        headers.put("Version", head.version);
        headers.put("timestamp", millis.text());
        headers.put("host", head.host);
        if line.cut {
            headers.put(STATUS, "Incomplete");
        }
        let body = match body.filter(|_| !self.keep.all) {
            Some(body) if self.keep.some() => {
                self.keep.write(&head, body, &mut self.text);
                &self.text
            }
            Some(body) => body,
            None => text,
        };
        headers.push(extra, &self.charset.encode(body), out);
        if line.cut { Found::Incomplete } else { Found::Message }
    }
}

/// The text, unless it is none.
fn decode(charset: Charset, bytes: &[u8]) -> Option<Cow<'_, str>> {
    if charset == Charset::UTF_8 {
        return std::str::from_utf8(bytes).ok().map(Cow::Borrowed);
    }
    let mut text = Vec::with_capacity(bytes.len() + bytes.len() / 2);
    charset.decoder(OnMalformed::Report).decode(bytes, true, &mut text).ok()?;
    String::from_utf8(text).ok().map(Cow::Owned)
}

fn read(text: &str, now_millis: i64) -> Option<Read<'_>> {
    let (digits, rest) = text.strip_prefix('<')?.split_once('>')?;
    if !(1..=5).contains(&digits.len()) || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let priority = digits.parse().ok()?;
    let versioned = rest.strip_prefix("1 ").filter(|after| !after.is_empty());
    let (version, rest) = versioned.map_or(("", rest), |after| (&rest[..1], after));
    let (millis, stamp, rest) = date(rest, now_millis)?;
    let (host, body) = rest.split_once(' ')?;
    let body = Some(body).filter(|body| !body.is_empty());
    Some(Read { head: Head { priority: digits, version, stamp, host }, priority, millis, body })
}

/// The date at the front, and what stands behind it and a space.
fn date(text: &str, now_millis: i64) -> Option<(i64, &str, &str)> {
    match text.bytes().next()? {
        b'-' => Some((now_millis, &text[..1], text.get(2..).filter(|rest| !rest.is_empty())?)),
        b'A'..=b'Z' => {
            let (stamp, rest) = (text.get(..RFC3164_BYTES)?, text.get(RFC3164_BYTES + 1..)?);
            let read = time::yearless(stamp.as_bytes()).filter(|(_, length)| *length == stamp.len());
            let date = read.and_then(|(date, _)| date).filter(time::Yearless::is_strict);
            // One that is none is the beginning of 1970, as in Flume.
            let millis = date.and_then(|date| date.near(now_millis, &TimeZone::UTC)).unwrap_or(0);
            Some((millis, stamp, rest))
        }
        _ => {
            let (stamp, rest) = text.split_once(' ')?;
            Some((rfc5424(stamp.as_bytes())?, stamp, rest))
        }
    }
}

/// Flume takes any character for a zone, and those that are none for UTC.
fn rfc5424(stamp: &[u8]) -> Option<i64> {
    let iso = time::iso(stamp).filter(|_| Iso::is_strict(stamp))?;
    let rest = &stamp[iso.length..];
    let zoned = iso.offset.is_some() || !matches!(rest.first(), None | Some(b'.' | b'+' | b'-'));
    zoned.then(|| iso.in_zone(&TimeZone::UTC))?
}

/// `MMM dd HH:mm:ss`
const RFC3164_BYTES: usize = 15;

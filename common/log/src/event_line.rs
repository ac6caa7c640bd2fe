//! Events as the logger sink prints them.

use crate::{
    Format,
    layout::{self, Speaker},
    place,
    stamp::{self, Stamp},
};
use event::{Event, Printed, java_order};
use slog::Level;
use std::time::SystemTime;

/// Prints events as Flume's logger sink does: `Event: { headers:{k=v, k2=v2} body: 68 65 6C … hello }`, the headers in
/// the order of Java's hash map, the body's first bytes as a dump.
///
/// Allocates nothing per event once its buffers have grown, unless one has more than 32 headers.
pub struct EventLines {
    format: Format,
    place: &'static str,
    max_bytes: usize,
    stamp: Stamp,
    head: Vec<u8>,   // all that stands in front of the headers, for the millisecond `at`
    at: Option<i64>, // milliseconds since 1970
    order: Vec<Printed>,
    dump: Vec<u8>,
}

impl EventLines {
    pub(crate) fn new(format: Format, place: &'static str, max_bytes: usize) -> EventLines {
        let stamp = Stamp::new(None);
        EventLines { format, place, max_bytes, stamp, head: vec![], at: None, order: vec![], dump: vec![] }
    }

    /// The name that [`crate::Levels`] knows it by: Flume prints events at INFO, and drops them silently when that is
    /// switched off.
    pub fn name(&self) -> &'static str {
        self.speaker().location
    }

    /// Appends one event's whole line, or lines when more than 16 bytes are dumped. Give the same `now` to all events
    /// of a batch.
    pub fn append(&mut self, out: &mut Vec<u8>, now: SystemTime, event: &Event<'_>) {
        self.head_at(now);
        out.extend_from_slice(&self.head);
        let mut few = [(&[][..], &[][..]); FEW];
        let mut count = 0;
        for header in event.headers() {
            match few.get_mut(count) {
                Some(slot) => *slot = header,
                None => return self.append_many(out, event),
            }
            count += 1;
        }
        self.append_with(out, event, &few[..count]);
    }

    #[cold]
    fn append_many(&mut self, out: &mut Vec<u8>, event: &Event<'_>) {
        let headers: Vec<_> = event.headers().collect();
        self.append_with(out, event, &headers);
    }

    fn append_with(&mut self, out: &mut Vec<u8>, event: &Event<'_>, headers: &[(&[u8], &[u8])]) {
        java_order(headers, event.received(), &mut self.order);
        match self.format {
            Format::Flume | Format::Coloured => self.flume(out, event, headers),
            Format::Json => self.json(out, event, headers),
        }
    }

    fn flume(&mut self, out: &mut Vec<u8>, event: &Event<'_>, headers: &[(&[u8], &[u8])]) {
        for (n, header) in self.order.iter().enumerate() {
            if n > 0 {
                out.extend_from_slice(b", ");
            }
            push_text(out, headers[header.key].0);
            out.push(b'=');
            push_text(out, headers[header.value].1);
        }
        out.extend_from_slice(b"} body:");
        push_dump(out, event.body(), self.max_bytes);
        out.extend_from_slice(b" }\n");
    }

    /// `"message":"Event","headers":{…},"body":"…","dump":"…"}`; of the body what the dump has, as text.
    fn json(&mut self, out: &mut Vec<u8>, event: &Event<'_>, headers: &[(&[u8], &[u8])]) {
        for (n, header) in self.order.iter().enumerate() {
            if n > 0 {
                out.push(b',');
            }
            layout::json_string(out, &String::from_utf8_lossy(headers[header.key].0));
            out.push(b':');
            layout::json_string(out, &String::from_utf8_lossy(headers[header.value].1));
        }
        let shown = &event.body()[..event.body().len().min(self.max_bytes)];
        out.extend_from_slice(b"},\"body\":");
        layout::json_string(out, &String::from_utf8_lossy(shown));
        self.dump.clear();
        push_dump(&mut self.dump, event.body(), self.max_bytes);
        out.extend_from_slice(b",\"dump\":");
        layout::json_string(out, String::from_utf8_lossy(&self.dump).trim_start());
        out.extend_from_slice(b"}\n");
    }

    /// Makes `head` that of `now`'s millisecond.
    fn head_at(&mut self, now: SystemTime) {
        let millis = stamp::millis(now);
        if self.at == Some(millis) {
            return;
        }
        self.at = Some(millis);
        self.head.clear();
        let speaker = self.speaker();
        let (head, stamp) = (&mut self.head, &mut self.stamp);
        if self.format == Format::Json {
            layout::json_head(head, stamp, now, Level::Info, &speaker);
            head.extend_from_slice(b"\"Event\",\"headers\":{");
        } else {
            layout::head(head, stamp, now, Level::Info, &speaker, false);
            head.extend_from_slice(b"Event: { headers:{");
        }
    }

    fn speaker(&self) -> Speaker<'static> {
        let (thread, location) = place::split(self.place).unwrap_or(("unnamed", self.place));
        Speaker { thread, location }
    }
}

/// UTF-8 as it is; what is not becomes U+FFFD, as Java decodes it.
fn push_text(out: &mut Vec<u8>, text: &[u8]) {
    match std::str::from_utf8(text) {
        Ok(text) => out.extend_from_slice(text.as_bytes()),
        Err(_) => out.extend_from_slice(String::from_utf8_lossy(text).as_bytes()),
    }
}

/// Appends what Flume's `EventHelper.dumpEvent` makes of the first `max_bytes` of `body`: rows of 16 bytes, each with
/// its offset but for the first.
fn push_dump(out: &mut Vec<u8>, body: &[u8], max_bytes: usize) {
    if max_bytes == 0 && !body.is_empty() {
        // commons-io refuses to dump nothing, and Flume prints that.
        out.extend_from_slice(b"...Exception while dumping: illegal index: 0 into array of length 0");
        return;
    }
    for (row, bytes) in body[..body.len().min(max_bytes)].chunks(ROW).enumerate() {
        if row > 0 {
            out.push(b'\n');
            for shift in [24, 16, 8, 0] {
                out.extend_from_slice(&hex(((row * ROW) >> shift) as u8)[..2]);
            }
        }
        push_row(out, bytes);
    }
}

/// ` 68 65 … hello`: a blank, 16 columns of three, the characters.
fn push_row(out: &mut Vec<u8>, bytes: &[u8]) {
    let mut row = [b' '; 1 + 3 * ROW + ROW];
    let (columns, characters) = row.split_at_mut(1 + 3 * ROW);
    for (n, byte) in bytes.iter().enumerate() {
        columns[1 + 3 * n..][..3].copy_from_slice(&hex(*byte));
        characters[n] = if matches!(byte, b' '..=b'~') { *byte } else { b'.' };
    }
    out.extend_from_slice(&row[..1 + 3 * ROW + bytes.len()]);
}

/// Two upper-case digits and a blank.
fn hex(byte: u8) -> [u8; 3] {
    [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)], b' ']
}

const DIGITS: &[u8; 16] = b"0123456789ABCDEF";

/// Bytes in a row of a dump.
const ROW: usize = 16;

/// Headers that are looked at without allocating.
const FEW: usize = 32;

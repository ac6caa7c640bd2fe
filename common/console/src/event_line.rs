//! Events as the logger sink prints them.

use crate::{
    Format, layout,
    pattern::Said,
    place, record,
    speaker::Speaker,
    stamp::{self, Stamp},
};
use event::Event;
use java::{Printed, hash_order};
use slog::Level;
use std::time::{Duration, SystemTime};

/// Prints events as Flume's logger sink does: `Event: { headers:{k=v, k2=v2} body: 68 65 6C … hello }`, the headers in
/// the order of Java's hash map, the body's first bytes as a dump.
///
/// Allocates nothing per event once its buffers have grown, unless one has more than 32 headers.
pub(crate) struct EventLines {
    format: Format,
    place: &'static str,
    max_bytes: usize,
    stamp: Stamp,
    head: Vec<u8>,            // all that stands in front of the headers, for the millisecond `at`
    at: Option<i64>,          // milliseconds since 1970
    tail: Vec<u8>,            // what stands behind the event
    message: Option<Vec<u8>>, // where a pattern needs it apart: it has a width, or stands there twice
    order: Vec<Printed>,
    dump: Vec<u8>,
}

impl EventLines {
    pub(crate) fn new(format: Format, place: &'static str, max_bytes: usize) -> EventLines {
        let stamp = Stamp::new(None);
        EventLines {
            format,
            place,
            max_bytes,
            stamp,
            head: vec![],
            at: None,
            tail: vec![],
            message: None,
            order: vec![],
            dump: vec![],
        }
    }

    /// The name that [`crate::Levels`] knows it by: Flume prints events at INFO, and drops them silently when that is
    /// switched off.
    pub(crate) fn name(&self) -> &'static str {
        speaker(self.place).location
    }

    /// Appends one event's whole line, or lines when more than 16 bytes are dumped. Give the same `now` to all events
    /// of a batch.
    pub(crate) fn append(&mut self, out: &mut Vec<u8>, now: SystemTime, event: &Event<'_>) {
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
        hash_order(headers, event.received(), &mut self.order);
        match &self.format {
            Format::Json => self.json(out, event, headers),
            _ => match self.message.take() {
                None => self.flume(out, event, headers),
                Some(mut message) => {
                    message.clear();
                    message.extend_from_slice(BEGINS);
                    self.flume(&mut message, event, headers);
                    self.whole(out, &message);
                    self.message = Some(message);
                }
            },
        }
    }

    /// A record, or a line of a pattern that has no one place for its message.
    fn whole(&mut self, out: &mut Vec<u8>, message: &[u8]) {
        let now =
            SystemTime::UNIX_EPOCH + Duration::from_millis(self.at.unwrap_or(0).try_into().unwrap_or(0));
        let speaker = speaker(self.place);
        match &self.format {
            Format::Pattern(pattern) => {
                pattern.line(
                    out,
                    &mut self.stamp,
                    &Said { now, level: Level::Info, speaker: &speaker },
                    message,
                );
            }
            Format::Record => record::append(out, (now, Level::Info), &speaker, message),
            Format::Flume | Format::Coloured | Format::Json => {} // which have one
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
        out.extend_from_slice(b" }");
        out.extend_from_slice(&self.tail);
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
        self.tail.clear();
        let speaker = speaker(self.place);
        let (head, tail, stamp) = (&mut self.head, &mut self.tail, &mut self.stamp);
        match &self.format {
            Format::Json => {
                layout::json_head(head, stamp, now, Level::Info, &speaker);
                head.extend_from_slice(b"\"Event\",\"headers\":{");
            }
            Format::Flume | Format::Coloured => {
                layout::head(head, stamp, now, Level::Info, &speaker, false);
                head.extend_from_slice(BEGINS);
                tail.push(b'\n');
            }
            Format::Pattern(pattern) => {
                let said = Said { now, level: Level::Info, speaker: &speaker };
                if pattern.around(head, tail, stamp, &said) {
                    head.extend_from_slice(BEGINS);
                } else if self.message.is_none() {
                    self.message = Some(Vec::new());
                }
            }
            Format::Record => {
                self.message.get_or_insert_default();
            }
        }
    }
}

/// How an event's text begins.
const BEGINS: &[u8] = b"Event: { headers:{";

fn speaker(place: &'static str) -> Speaker<'static> {
    let (thread, location) = place::split(place).unwrap_or(("unnamed", place));
    Speaker { thread, location }
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

#[cfg(test)]
mod tests {
    use super::*;
    use event::{Batch, BatchBuilder};
    use std::time::UNIX_EPOCH;

    fn lines(format: Format, batch: &Batch, max_bytes: usize) -> String {
        let mut lines = EventLines::new(format, place::LOGGER_SINK, max_bytes);
        let mut out = Vec::new();
        for event in batch.events() {
            lines.append(&mut out, UNIX_EPOCH + Duration::from_millis(1_542_097_921_386), &event);
        }
        String::from_utf8(out).unwrap()
    }

    fn dump(body: &[u8], max_bytes: usize) -> String {
        let mut builder = BatchBuilder::default();
        builder.push([], body);
        let line = lines(Format::Flume, &builder.finish(), max_bytes);
        line.split_once("Event: { headers:{} ").unwrap().1.to_owned()
    }

    #[test]
    fn the_lessons_event_is_the_lessons_line() {
        let headers = [("Type", "LOGIN"), ("timestamp", "1542098088198"), ("Collector", "slave3.hanli.com")];
        let mut builder = BatchBuilder::default();
        let mut encoded = bytes::BytesMut::new();
        event::encode_headers(&mut encoded, headers.iter().map(|(k, v)| (k.as_bytes(), v.as_bytes())));
        builder.push_encoded(&encoded, 2, b"hello failover");
        let line = lines(Format::Flume, &builder.finish(), 16);
        assert_eq!(
            line.split_once(' ').unwrap().1.split_once(' ').unwrap().1,
            "(SinkRunner-PollingRunner-DefaultSinkProcessor) \
             [INFO - org.apache.flume.sink.LoggerSink.process(LoggerSink.java:95)] \
             Event: { headers:{Collector=slave3.hanli.com, Type=LOGIN, timestamp=1542098088198} \
             body: 68 65 6C 6C 6F 20 66 61 69 6C 6F 76 65 72       hello failover }\n"
        );
        assert!(line[19..].starts_with(",386 "));
    }

    #[test]
    fn a_dump_is_flumes() {
        for (body, max_bytes, expected) in [
            ("hello", 16, "body: 68 65 6C 6C 6F                                  hello }\n"),
            (
                "0123456789abcdef",
                16,
                "body: 30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66 0123456789abcdef }\n",
            ),
            ("你好 abc", 16, "body: E4 BD A0 E5 A5 BD 20 61 62 63                   ...... abc }\n"),
            ("", 16, "body: }\n"),
            ("hello", 2, "body: 68 65                                           he }\n"),
            ("hello", 0, "body:...Exception while dumping: illegal index: 0 into array of length 0 }\n"),
            ("", 0, "body: }\n"),
        ] {
            assert_eq!(dump(body.as_bytes(), max_bytes), expected);
        }
    }

    #[test]
    fn further_rows_have_their_offset() {
        let body: Vec<u8> = (b'A'..=b'`').collect();
        assert_eq!(
            dump(&body, 1 << 20),
            "body: 41 42 43 44 45 46 47 48 49 4A 4B 4C 4D 4E 4F 50 ABCDEFGHIJKLMNOP\n\
             00000010 51 52 53 54 55 56 57 58 59 5A 5B 5C 5D 5E 5F 60 QRSTUVWXYZ[\\]^_` }\n"
        );
        assert!(dump(&[0; 0x2ab], 0x2ab).contains("\n000002A0 00 "));
    }

    #[test]
    fn many_headers_and_bytes_that_are_no_text_print_too() {
        let names: Vec<String> = (0..100).map(|n| format!("k{n}")).collect();
        let mut builder = BatchBuilder::default();
        builder.push(names.iter().map(|name| (name.as_str(), "v")), b"body");
        let mut encoded = bytes::BytesMut::new();
        event::encode_headers(&mut encoded, [(&b"\xff"[..], &b"v"[..])]);
        builder.push_encoded(&encoded, 1, b"body");
        let text = lines(Format::Flume, &builder.finish(), 16);
        let text: Vec<&str> = text.lines().collect();
        assert_eq!(text[0].matches("=v").count(), 100);
        assert!(text[1].contains("headers:{\u{fffd}=v}"));
    }

    #[test]
    fn json_has_headers_body_and_dump() {
        let mut builder = BatchBuilder::default();
        builder.push([("Type", "LO\"GIN")], b"hello failover, all of it");
        let value: serde_json::Value =
            serde_json::from_str(&lines(Format::Json, &builder.finish(), 16)).expect("one object");
        assert_eq!((&value["message"], &value["headers"]["Type"]), (&"Event".into(), &"LO\"GIN".into()));
        assert_eq!(value["body"], "hello failover, ");
        assert_eq!(value["dump"], "68 65 6C 6C 6F 20 66 61 69 6C 6F 76 65 72 2C 20 hello failover, ");
    }
}

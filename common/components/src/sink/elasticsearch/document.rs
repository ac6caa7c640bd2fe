//! What is written of an event: JSON on one line.
//!
//! Source: Flume 1.9 `ElasticSearchLogStashEventSerializer`, `ElasticSearchDynamicSerializer` and `ContentBuilderUtil`, with
//! these differences: a text is taken for JSON only when all of it is one strict JSON value (Flume keeps the first of several,
//! and reads names without quotes); one that looks like YAML or Smile is text; a `timestamp` that is no number is left out of
//! `@timestamp`, where Flume fails.

use event::Event;
use serde::de::IgnoredAny;
use serde_json::{from_str, to_writer};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// `serializer`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    LogStash,
    Dynamic,
}

/// Appends the document of `event`, without a line end.
pub(super) fn push(format: Format, event: &Event<'_>, out: &mut Vec<u8>) {
    // Where a peer wrote a name twice, the last value counts.
    let headers: BTreeMap<&[u8], &[u8]> = event.headers().collect();
    let mut object = Object::open(out);
    match format {
        Format::Dynamic => {
            object.field(b"body", event.body());
            headers.iter().for_each(|(name, value)| object.field(name, value));
        }
        Format::LogStash => {
            object.field(b"@message", event.body());
            known(&headers, &mut object);
            object.name(b"@fields");
            let mut fields = Object::open(object.out);
            headers.iter().for_each(|(name, value)| fields.field(name, value));
            fields.close();
        }
    }
    object.close();
}

/// The headers that LogStash has fields for, unless the event brings the field itself.
fn known(headers: &BTreeMap<&[u8], &[u8]>, object: &mut Object<'_>) {
    let is_blank = |name: &str| headers.get(name.as_bytes()).is_none_or(|text| text.trim_ascii().is_empty());
    for (header, field) in KNOWN {
        let Some(value) = headers.get(header.as_bytes()) else { continue };
        if is_blank(header) || !is_blank(field) {
            continue;
        }
        if header != TIMESTAMP {
            object.field(field.as_bytes(), value);
        } else if let Some(time) = std::str::from_utf8(value).ok().and_then(date) {
            object.name(field.as_bytes());
            text(time.as_bytes(), object.out);
        }
    }
}

/// A time as Elasticsearch prints it: `2023-11-14T22:13:20.123Z`.
fn date(millis: &str) -> Option<String> {
    let time = jiff::Timestamp::from_millisecond(millis.parse().ok()?).ok()?;
    Some(time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string())
}

const TIMESTAMP: &str = "timestamp";

const KNOWN: [(&str, &str); 5] = [
    (TIMESTAMP, "@timestamp"),
    ("source", "@source"),
    ("type", "@type"),
    ("host", "@source_host"),
    ("src_path", "@source_path"),
];

struct Object<'o> {
    out: &'o mut Vec<u8>,
    is_empty: bool,
}

impl Object<'_> {
    fn open(out: &mut Vec<u8>) -> Object<'_> {
        out.push(b'{');
        Object { out, is_empty: true }
    }

    fn name(&mut self, name: &[u8]) {
        if !std::mem::take(&mut self.is_empty) {
            self.out.push(b',');
        }
        text(name, self.out);
        self.out.push(b':');
    }

    /// JSON as it is, anything else as a text.
    fn field(&mut self, name: &[u8], value: &[u8]) {
        self.name(name);
        if is_json(value) { without_blanks(value, self.out) } else { text(value, self.out) }
    }

    fn close(self) {
        self.out.push(b'}');
    }
}

/// Bytes that are no UTF-8 become U+FFFD, as in Java.
fn text(bytes: &[u8], out: &mut Vec<u8>) {
    let text: Cow<'_, str> = String::from_utf8_lossy(bytes);
    let written = to_writer(out, &*text);
    debug_assert!(written.is_ok(), "memory takes all text");
}

/// Flume looks for a `{` in the first bytes.
fn is_json(value: &[u8]) -> bool {
    value[..value.len().min(LOOK_BYTES)].contains(&b'{')
        && std::str::from_utf8(value).is_ok_and(|text| from_str::<IgnoredAny>(text).is_ok())
}

/// `XContentFactory.GUESS_HEADER_LENGTH`
const LOOK_BYTES: usize = 20;

/// Appends a JSON value on one line.
fn without_blanks(json: &[u8], out: &mut Vec<u8>) {
    let (mut within, mut escaped) = (false, false);
    for byte in json {
        if within || !byte.is_ascii_whitespace() {
            out.push(*byte);
        }
        match byte {
            _ if escaped => escaped = false,
            b'\\' if within => escaped = true,
            b'"' => within = !within,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::BatchBuilder;

    fn document(format: Format, headers: &[(&str, &str)], body: &[u8]) -> String {
        let mut builder = BatchBuilder::default();
        builder.push(headers.iter().copied(), body);
        let batch = builder.finish();
        let mut out = Vec::new();
        push(format, &batch.events().next().unwrap(), &mut out);
        let text = String::from_utf8(out).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert!(!text.contains('\n'), "{text}");
        text
    }

    /// What `ElasticSearchLogStashEventSerializer` of Flume 1.9 writes, but for the order of `@fields`.
    #[test]
    fn a_logstash_document_has_flumes_fields() {
        let headers = [
            ("timestamp", "1700000000123"),
            ("host", "h1"),
            ("src_path", "/var/log"),
            ("type", "t"),
            ("source", "s"),
            ("n", "7"),
        ];
        assert_eq!(
            document(Format::LogStash, &headers, b"a \"b\"\n"),
            "{\"@message\":\"a \\\"b\\\"\\n\",\"@timestamp\":\"2023-11-14T22:13:20.123Z\",\"@source\":\"s\",\"@type\":\"t\",\
             \"@source_host\":\"h1\",\"@source_path\":\"/var/log\",\"@fields\":{\"host\":\"h1\",\"n\":\"7\",\"source\":\"s\",\
             \"src_path\":\"/var/log\",\"timestamp\":\"1700000000123\",\"type\":\"t\"}}"
        );
        let own = [("timestamp", "5"), ("@timestamp", "x"), ("host", " "), ("type", "")];
        assert_eq!(
            document(Format::LogStash, &own, b""),
            "{\"@message\":\"\",\"@fields\":{\"@timestamp\":\"x\",\"host\":\" \",\"timestamp\":\"5\",\"type\":\"\"}}"
        );
        let soon = document(Format::LogStash, &[("timestamp", "soon")], b"x");
        assert_eq!(soon, "{\"@message\":\"x\",\"@fields\":{\"timestamp\":\"soon\"}}");
    }

    #[test]
    fn json_stays_json_on_one_line_and_all_else_is_text() {
        for (body, expected) in [
            (&b"{\"a\": [1,\n 2.50], \"b c\": \"d \\\" {\"}"[..], "{\"a\":[1,2.50],\"b c\":\"d \\\" {\"}"),
            (b" [{\"a\":1}] ", "[{\"a\":1}]"),
            (b"[1]", "\"[1]\""),
            (b"{\"a\":1}{\"b\":2}", "\"{\\\"a\\\":1}{\\\"b\\\":2}\""),
            (b"{a:1}", "\"{a:1}\""),
            (b"{\"a\":", "\"{\\\"a\\\":\""),
            (b"a long text before it {", "\"a long text before it {\""),
            (b"\xff\x00", "\"\u{fffd}\\u0000\""),
        ] {
            let text = document(Format::Dynamic, &[("n", "{\"k\":1}")], body);
            assert_eq!(text, format!("{{\"body\":{expected},\"n\":{{\"k\":1}}}}"));
        }
        assert!(!is_json(b"{\"a\":\"\xff\"}"), "it is no UTF-8");
        let deep = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
        assert!(is_json(deep.as_bytes()), "the store says what is too deep");
    }
}

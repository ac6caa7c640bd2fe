//! Storm's multilang protocol, as a spout speaks it: JSON texts, each with a line `end` behind it. It knows no pipe.

use base64ct::{Base64, Encoding};
use bytes::BytesMut;
use event::Event;
use serde_json::Value;
use std::fmt::Write as _;

/// What Storm says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heard {
    /// The first message.
    Handshake(Handshake),
    /// It wants tuples.
    Next,
    /// The tuple of this id has gone through the topology.
    Ack(String),
    /// The tuple of this id has failed, or its time is over.
    Fail(String),
    /// It will ask for tuples from now on.
    Activate,
    /// It will not.
    Deactivate,
    /// What needs an answer and asks for nothing: a heartbeat, or a command that is not known (its text).
    Other(Option<String>),
    /// What needs no answer: where an emitted tuple went.
    TaskIds,
    /// A tuple: the program was started as a bolt.
    Tuple,
}

/// What a spout is told at its start, as far as it matters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Handshake {
    /// Where an empty file named by the process's number is to be made.
    pub(super) pid_dir: Option<String>,
    /// The spout's name in the topology.
    pub(super) component: String,
    /// Whether it has no ackers: then Storm acknowledges a tuple when it is emitted.
    pub(super) no_ackers: bool,
    /// `topology.message.timeout.secs`
    pub(super) message_timeout: Option<u64>,
}

/// Why bytes are no messages.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Foreign {
    /// There is no end of it.
    #[error("a message has more than {} MiB", MOST_BYTES >> 20)]
    Long,
    /// It is not what Storm says.
    #[error("`{0}` is no message")]
    Words(String),
}

/// Cuts a stream into messages.
#[derive(Default)]
pub(super) struct Decoder {
    input: BytesMut,
    /// So much of it is whole lines that are not `end`.
    seen: usize,
}

impl Decoder {
    /// More of the stream.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
    }

    /// The next message; `None` until more has come.
    pub(super) fn decode(&mut self) -> Result<Option<Heard>, Foreign> {
        while let Some(length) = memchr::memchr(b'\n', &self.input[self.seen..]) {
            let (begin, end) = (self.seen, self.seen + length + 1);
            if self.input[begin..end].trim_ascii_end() == b"end" {
                let text = self.input.split_to(end);
                self.seen = 0;
                return parse(&text[..begin]).map(Some);
            }
            self.seen = end;
        }
        if self.input.len() > MOST_BYTES { Err(Foreign::Long) } else { Ok(None) }
    }
}

fn parse(text: &[u8]) -> Result<Heard, Foreign> {
    let foreign = || Foreign::Words(plan::cut(&String::from_utf8_lossy(text.trim_ascii()), MOST_SHOWN));
    let message: Value = serde_json::from_slice(text).map_err(|_| foreign())?;
    let word = |key: &str| message.get(key).and_then(Value::as_str);
    let id = || word("id").unwrap_or_default().to_owned();
    Ok(match word("command") {
        _ if message.is_array() => Heard::TaskIds,
        Some("next") => Heard::Next,
        Some("ack") => Heard::Ack(id()),
        Some("fail") => Heard::Fail(id()),
        Some("activate") => Heard::Activate,
        Some("deactivate") => Heard::Deactivate,
        Some(other) => Heard::Other(Some(plan::cut(other, MOST_SHOWN))),
        None if word("stream") == Some("__heartbeat") => Heard::Other(None),
        None if message.get("tuple").is_some() => Heard::Tuple,
        None if message.get("context").is_some() => Heard::Handshake(handshake(&message)),
        None => return Err(foreign()),
    })
}

fn handshake(message: &Value) -> Handshake {
    let conf = |key: &str| message.get("conf").and_then(|conf| conf.get(key));
    let name = message.pointer("/context/componentid").and_then(Value::as_str);
    Handshake {
        pid_dir: message.get("pidDir").and_then(Value::as_str).map(str::to_owned),
        component: name.unwrap_or_default().to_owned(),
        no_ackers: conf("topology.acker.executors").and_then(Value::as_u64) == Some(0),
        message_timeout: conf("topology.message.timeout.secs").and_then(Value::as_u64),
    }
}

/// The answer to a handshake.
pub(super) fn greet(out: &mut Vec<u8>, pid: i32) {
    message(out, format_args!("{{\"pid\":{pid}}}"));
}

/// The end of the answer to a command.
pub(super) fn sync(out: &mut Vec<u8>) {
    message(out, format_args!("{{\"command\":\"sync\"}}"));
}

/// A line for the worker's log. `level` is Storm's: 0 is TRACE, 4 is ERROR.
pub(super) fn log(out: &mut Vec<u8>, level: u8, text: &str) {
    out.extend_from_slice(b"{\"command\":\"log\",\"msg\":");
    string(out, text);
    message(out, format_args!(",\"level\":{level}}}"));
}

/// A tuple: the event's headers, its body, and how the body is written: `utf-8` as it is, `base64` where it is not UTF-8.
pub(super) fn emit(out: &mut Vec<u8>, id: Id, event: &Event<'_>) {
    append(out, format_args!("{{\"command\":\"emit\",\"id\":\"{id}\",\"tuple\":[{{"));
    for (index, (name, value)) in event.headers().enumerate() {
        out.extend_from_slice(if index == 0 { b"" } else { b"," });
        string(out, &String::from_utf8_lossy(name));
        out.push(b':');
        string(out, &String::from_utf8_lossy(value));
    }
    out.extend_from_slice(b"},");
    let encoding = match std::str::from_utf8(event.body()) {
        Ok(text) => {
            string(out, text);
            "utf-8"
        }
        Err(_) => {
            string(out, &Base64::encode_string(event.body()));
            "base64"
        }
    };
    message(out, format_args!(",\"{encoding}\"],\"need_task_ids\":false}}"));
}

/// A tuple's id: Storm gives it back as it is. No two processes have the same, so that what is said of a tuple of a process
/// that has ended means none of this one's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Id {
    /// Of the process.
    pub(super) process: u32,
    /// Of the event.
    pub(super) number: u64,
}

impl std::fmt::Display for Id {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{:08x}-{}", self.process, self.number)
    }
}

impl Id {
    /// As [`Id`] is displayed.
    pub(super) fn parse(text: &str) -> Option<Id> {
        let (process, number) = text.split_once('-')?;
        Some(Id { process: u32::from_str_radix(process, 16).ok()?, number: number.parse().ok()? })
    }
}

fn string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a string is JSON and a Vec takes it");
}

fn message(out: &mut Vec<u8>, rest: std::fmt::Arguments<'_>) {
    append(out, rest);
    out.extend_from_slice(b"\nend\n");
}

fn append(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    struct To<'a>(&'a mut Vec<u8>);
    impl std::fmt::Write for To<'_> {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            self.0.extend_from_slice(text.as_bytes());
            Ok(())
        }
    }
    To(out).write_fmt(text).expect("a Vec takes all");
}

/// A message has no more: the handshake, with the topology's configuration, has some 10 KiB.
const MOST_BYTES: usize = 16 << 20;
/// Bytes of what is quoted.
const MOST_SHOWN: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;
    use event::BatchBuilder;

    const HANDSHAKE: &str = r#"{"pidDir":"/p","context":{"componentid":"s","taskid":3,"task->component":{"3":"s"}},"conf":{"topology.acker.executors":0,"topology.message.timeout.secs":30,"x":null}}"#;

    fn stream() -> (String, Vec<Heard>) {
        let greeted = Handshake {
            pid_dir: Some("/p".into()),
            component: "s".into(),
            no_ackers: true,
            message_timeout: Some(30),
        };
        let all = [
            (HANDSHAKE, Heard::Handshake(greeted)),
            (r#"{"id":"","command":"activate"}"#, Heard::Activate),
            (r#"{"command":"next","id":""}"#, Heard::Next),
            ("{\"id\":\"\u{fc}\\nend\",\n\"command\":\"ack\"}", Heard::Ack("\u{fc}\nend".into())),
            (r#"{"id":"m2","command":"fail"}"#, Heard::Fail("m2".into())),
            ("[4]", Heard::TaskIds),
            (r#"{"comp":null,"tuple":[],"task":-1,"stream":"__heartbeat","id":"4080"}"#, Heard::Other(None)),
            (r#"{"comp":"s","tuple":[1],"task":3,"stream":"default","id":"-77"}"#, Heard::Tuple),
            (r#"{"id":"","command":"frobnicate"}"#, Heard::Other(Some("frobnicate".into()))),
            (r#"{"id":"","command":"deactivate"}"#, Heard::Deactivate),
        ];
        let text = all.iter().map(|(text, _)| format!("{text}\nend\n")).collect();
        (text, all.into_iter().map(|(_, heard)| heard).collect())
    }

    fn all(decoder: &mut Decoder) -> Vec<Heard> {
        std::iter::from_fn(|| decoder.decode().expect("messages")).collect()
    }

    #[test]
    fn a_stream_cut_at_any_byte_is_the_same_stream() {
        let (text, expected) = stream();
        for cut in 0..=text.len() {
            let mut decoder = Decoder::default();
            let mut heard = Vec::new();
            for part in [&text.as_bytes()[..cut], &text.as_bytes()[cut..]] {
                decoder.push(part);
                heard.extend(all(&mut decoder));
            }
            assert_eq!(heard, expected, "cut at {cut}");
        }
        let mut decoder = Decoder::default();
        let one = text.bytes().flat_map(|byte| {
            decoder.push(&[byte]);
            all(&mut decoder)
        });
        assert_eq!(one.collect::<Vec<_>>(), expected, "cut at every byte");
    }

    #[test]
    fn what_is_no_message_is_told_and_takes_little_memory() {
        for text in ["hello", "{}", "7", "{\"command\":", ""] {
            let mut decoder = Decoder::default();
            decoder.push(format!("{text}\nend\n").as_bytes());
            assert_eq!(decoder.decode(), Err(Foreign::Words(text.to_owned())));
        }
        let mut decoder = Decoder::default();
        let line = [&[b'x'; (1 << 20) - 1][..], b"\n"].concat();
        let pushed = (1..).find(|_| {
            decoder.push(&line);
            decoder.decode() == Err(Foreign::Long)
        });
        assert_eq!(pushed, Some(17));
    }

    #[test]
    fn a_tuple_has_headers_body_and_how_it_is_written() {
        let mut builder = BatchBuilder::default();
        builder.push([("host", "h\"1"), ("k", "\u{fc}")], "two\nend\nlines \u{1}\u{2028}".as_bytes());
        builder.push([], &[0xff, 0, b'a']);
        builder.push([], b"");
        let mut out = Vec::new();
        for (number, event) in builder.finish().events().enumerate() {
            emit(&mut out, Id { process: 0xab, number: number as u64 }, &event);
        }
        sync(&mut out);
        log(&mut out, 3, "a \"line\"");
        greet(&mut out, 17);
        let text = String::from_utf8(out).expect("text");
        let messages: Vec<Value> = text
            .split_terminator("\nend\n")
            .map(|text| serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}")))
            .collect();
        let tuple = |id: &str, tuple: Value| serde_json::json!({"command": "emit", "id": id, "tuple": tuple, "need_task_ids": false});
        let expected = [
            tuple(
                "000000ab-0",
                serde_json::json!([{"host": "h\"1", "k": "\u{fc}"}, "two\nend\nlines \u{1}\u{2028}", "utf-8"]),
            ),
            tuple("000000ab-1", serde_json::json!([{}, "/wBh", "base64"])),
            tuple("000000ab-2", serde_json::json!([{}, "", "utf-8"])),
            serde_json::json!({"command": "sync"}),
            serde_json::json!({"command": "log", "msg": "a \"line\"", "level": 3}),
            serde_json::json!({"pid": 17}),
        ];
        assert_eq!(messages, expected);
        assert!(!text.contains('\u{1}') && text.lines().filter(|line| *line == "end").count() == 6, "{text}");
    }

    #[test]
    fn an_id_comes_back_as_it_went_and_others_mean_nothing() {
        let id = Id { process: u32::MAX, number: u64::MAX };
        assert_eq!(Id::parse(&id.to_string()), Some(id));
        for text in ["", "m0", "xyz-1", "1-", "1-2-3", "100000000-1"] {
            assert_eq!(Id::parse(text), None, "{text}");
        }
    }
}

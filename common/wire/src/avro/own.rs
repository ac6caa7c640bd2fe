//! What two of our own nodes tell each other, in maps that Flume carries and ignores.
//!
//! | where | key | value |
//! |---|---|---|
//! | handshake request and response, `meta` | `flow.version` | decimal text, `1` |
//! | handshake request and response, `meta` | `flow.swap` | `1`: zlib goes inside TLS, see below |
//! | handshake response, `meta` | `flow.window`, `flow.window-bytes` | decimal text |
//! | a call's metadata | `flow.batch` | agent, stream, sequence: three `u64`, big endian |
//! | a call's metadata | `flow.first` | `u64`, big endian |
//! | an answer's metadata | `flow.leaving` | `1` |
//!
//! Keys that are not known are passed over, and a value that is malformed counts as absent: this is a conversation
//! between equals that may be of different age, never a reason to refuse events.
//!
//! A connection with TLS inside zlib, as Flume 1.10 and later have it, compresses what is encrypted already. A client
//! that can do better says `flow.swap` with a ping as its first call, and sends nothing more until that is answered. A
//! server that can do better says it in the answer. From there on the bytes inside TLS are a zlib stream in each
//! direction; and each side, before its next byte, ends the zlib stream outside and goes on with bare TLS records.

use super::read;
use bytes::BytesMut;
use event::{Malformed, push_zigzag};

/// What a server of ours says in the handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hello {
    /// So many calls may be unanswered on the connection; one or more.
    pub window: u32,
    /// So many bytes of events may be unanswered on the connection.
    pub window_bytes: u64,
}

/// Which batch a call carries. It stays the same when the batch is sent again, to whomever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId {
    /// The sending agent.
    pub agent: u64,
    /// One of its channels, or what else keeps an order of its own.
    pub stream: u64,
    /// Rises by one with each batch of the stream.
    pub sequence: u64,
}

/// What a call's metadata says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CallNotes {
    /// The batch's identity.
    pub batch: Option<BatchId>,
    /// The sequence of the oldest batch of the stream that the sender has no answer for. Reserved: exactly-once
    /// delivery will need it to forget.
    pub first: Option<u64>,
}

/// What an answer's metadata says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AnswerNotes {
    /// The server is about to stop: send what comes next elsewhere.
    pub leaving: bool,
}

/// What was found in a handshake's `meta`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Greeting {
    version: Option<u32>,
    window: Option<u32>,
    window_bytes: Option<u64>,
    /// The sender can put zlib inside TLS.
    pub(crate) swap: bool,
}

impl Greeting {
    /// Reads a `meta` map at `*at`.
    pub(crate) fn read(bytes: &[u8], at: &mut usize) -> Result<Greeting, Malformed> {
        let mut found = Greeting::default();
        read::map(bytes, at, |key, value| match key {
            VERSION => found.version = decimal(value).and_then(|version| u32::try_from(version).ok()),
            WINDOW => found.window = decimal(value).and_then(|window| u32::try_from(window).ok()),
            WINDOW_BYTES => found.window_bytes = decimal(value),
            SWAP => found.swap = value == b"1",
            _ => {}
        })?;
        Ok(found)
    }

    /// Whether the peer is a native node.
    pub(crate) fn is_ours(&self) -> bool {
        self.version.is_some_and(|version| version > 0)
    }

    /// What a server of ours said; one call at a time where it did not say.
    pub(crate) fn hello(&self) -> Option<Hello> {
        let window = self.window.unwrap_or(1).max(1);
        self.is_ours().then(|| Hello { window, window_bytes: self.window_bytes.unwrap_or(u64::MAX) })
    }
}

/// Appends a client's greeting as a map.
pub(crate) fn put_greeting(out: &mut BytesMut, swap: bool) {
    push_zigzag(out, 1 + i64::from(swap));
    put_entry(out, VERSION, OUR_VERSION);
    put_swap(out, swap);
    out.extend_from_slice(&[0]);
}

/// Appends a server's greeting as a map.
pub(crate) fn put_hello(out: &mut BytesMut, hello: Hello, swap: bool) {
    push_zigzag(out, 3 + i64::from(swap));
    put_entry(out, VERSION, OUR_VERSION);
    put_entry(out, WINDOW, hello.window.to_string().as_bytes());
    put_entry(out, WINDOW_BYTES, hello.window_bytes.to_string().as_bytes());
    put_swap(out, swap);
    out.extend_from_slice(&[0]);
}

fn put_swap(out: &mut BytesMut, swap: bool) {
    if swap {
        put_entry(out, SWAP, b"1");
    }
}

impl CallNotes {
    /// Reads a call's metadata at `*at`.
    pub(crate) fn read(bytes: &[u8], at: &mut usize) -> Result<CallNotes, Malformed> {
        let mut found = CallNotes::default();
        read::map(bytes, at, |key, value| match key {
            BATCH => found.batch = BatchId::from_bytes(value),
            FIRST => found.first = value.try_into().ok().map(u64::from_be_bytes),
            _ => {}
        })?;
        Ok(found)
    }

    /// Appends them as a map.
    pub(crate) fn put(&self, out: &mut BytesMut) {
        let entries = i64::from(self.batch.is_some()) + i64::from(self.first.is_some());
        if entries > 0 {
            push_zigzag(out, entries);
        }
        if let Some(batch) = self.batch {
            put_entry(out, BATCH, &batch.to_bytes());
        }
        if let Some(first) = self.first {
            put_entry(out, FIRST, &first.to_be_bytes());
        }
        out.extend_from_slice(&[0]);
    }
}

impl BatchId {
    fn to_bytes(self) -> [u8; 24] {
        let mut bytes = [0; 24];
        for (place, number) in bytes.chunks_exact_mut(8).zip([self.agent, self.stream, self.sequence]) {
            place.copy_from_slice(&number.to_be_bytes());
        }
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<BatchId> {
        let (&agent, rest) = bytes.split_first_chunk()?;
        let (&stream, rest) = rest.split_first_chunk()?;
        let [agent, stream, sequence] = [agent, stream, rest.try_into().ok()?].map(u64::from_be_bytes);
        Some(BatchId { agent, stream, sequence })
    }
}

impl AnswerNotes {
    /// Reads an answer's metadata at `*at`.
    pub(crate) fn read(bytes: &[u8], at: &mut usize) -> Result<AnswerNotes, Malformed> {
        let mut found = AnswerNotes::default();
        read::map(bytes, at, |key, value| {
            if key == LEAVING {
                found.leaving = value == b"1";
            }
        })?;
        Ok(found)
    }

    /// Appends them as a map.
    pub(crate) fn put(&self, out: &mut BytesMut) {
        if self.leaving {
            push_zigzag(out, 1);
            put_entry(out, LEAVING, b"1");
        }
        out.extend_from_slice(&[0]);
    }
}

fn put_entry(out: &mut BytesMut, key: &[u8], value: &[u8]) {
    for bytes in [key, value] {
        push_zigzag(out, bytes.len() as i64);
        out.extend_from_slice(bytes);
    }
}

/// Digits and nothing else.
fn decimal(value: &[u8]) -> Option<u64> {
    let digits = value.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(value).ok().filter(|_| digits)?.parse().ok()
}

const VERSION: &[u8] = b"flow.version";
const OUR_VERSION: &[u8] = b"1";
const WINDOW: &[u8] = b"flow.window";
const WINDOW_BYTES: &[u8] = b"flow.window-bytes";
const SWAP: &[u8] = b"flow.swap";
const BATCH: &[u8] = b"flow.batch";
const FIRST: &[u8] = b"flow.first";
const LEAVING: &[u8] = b"flow.leaving";

#[cfg(test)]
mod tests {
    use super::*;

    fn map(entries: &[(&[u8], &[u8])]) -> BytesMut {
        let mut out = BytesMut::new();
        push_zigzag(&mut out, entries.len() as i64);
        entries.iter().for_each(|(key, value)| put_entry(&mut out, key, value));
        out.extend_from_slice(&[0]);
        out
    }

    #[test]
    fn what_is_said_is_heard() {
        let mut out = BytesMut::new();
        let hello = Hello { window: 16, window_bytes: 1 << 40 };
        for swap in [false, true] {
            out.clear();
            put_hello(&mut out, hello, swap);
            let greeting = Greeting::read(&out, &mut 0).expect("own bytes");
            assert_eq!((greeting.hello(), greeting.swap), (Some(hello), swap));
            out.clear();
            put_greeting(&mut out, swap);
            let greeting = Greeting::read(&out, &mut 0).expect("own bytes");
            assert_eq!((greeting.is_ours(), greeting.swap), (true, swap));
        }

        let batch = BatchId { agent: u64::MAX, stream: 2, sequence: 1 << 63 };
        for notes in [CallNotes::default(), CallNotes { batch: Some(batch), first: Some(7) }] {
            out.clear();
            notes.put(&mut out);
            assert_eq!(CallNotes::read(&out, &mut 0), Ok(notes));
        }
        for leaving in [false, true] {
            out.clear();
            AnswerNotes { leaving }.put(&mut out);
            assert_eq!(AnswerNotes::read(&out, &mut 0), Ok(AnswerNotes { leaving }));
        }
    }

    #[test]
    fn what_is_malformed_counts_as_absent() {
        let ours = |entries: &[(&[u8], &[u8])]| Greeting::read(&map(entries), &mut 0).expect("a map").hello();
        assert_eq!(ours(&[(b"other", b"1")]), None);
        for version in [&b"0"[..], b"", b"+1", b"one", b"99999999999999999999", b"\xff"] {
            assert_eq!(ours(&[(VERSION, version)]), None);
        }
        let alone = Hello { window: 1, window_bytes: u64::MAX };
        assert_eq!(ours(&[(VERSION, b"2"), (WINDOW, b"0"), (WINDOW_BYTES, b"much")]), Some(alone));
        assert_eq!(ours(&[(VERSION, b"1"), (WINDOW, b"-3")]), Some(alone));

        let entries: [(&[u8], &[u8]); 2] = [(BATCH, &[0; 23]), (FIRST, &[0; 9])];
        assert_eq!(CallNotes::read(&map(&entries), &mut 0), Ok(CallNotes::default()));
        assert_eq!(AnswerNotes::read(&map(&[(LEAVING, b"0")]), &mut 0), Ok(AnswerNotes::default()));
    }
}

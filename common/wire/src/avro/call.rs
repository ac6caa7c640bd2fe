//! Calls and answers: what stands in a message behind the handshake.

use super::{
    own::{AnswerNotes, CallNotes},
    read,
};
use bytes::{Bytes, BytesMut};
use event::{Batch, Malformed, Scanner, push_zigzag, read_block, read_length};

/// The message that carries one event.
pub(crate) const APPEND: &[u8] = b"append";

/// The message that carries an array of events.
pub(crate) const APPEND_BATCH: &[u8] = b"appendBatch";

/// The head of a call, and where its parameters begin.
#[derive(Debug)]
pub(crate) struct Head<'a> {
    pub(crate) notes: CallNotes,
    pub(crate) name: &'a [u8],
}

impl<'a> Head<'a> {
    pub(crate) fn read(bytes: &'a [u8], at: &mut usize) -> Result<Head<'a>, Malformed> {
        Ok(Head { notes: CallNotes::read(bytes, at)?, name: read::string(bytes, at)? })
    }

    pub(crate) fn put(&self, out: &mut BytesMut) {
        self.notes.put(out);
        push_zigzag(out, self.name.len() as i64);
        out.extend_from_slice(self.name);
    }
}

/// The parameter of `append` at `at`: one event, checked where it stands. What follows is ignored, as Java does.
pub(crate) fn read_append(message: Bytes, mut at: usize, _: usize) -> Result<(Batch, usize), Malformed> {
    let mut scanner = Scanner::new(&message);
    let (span, alike) = (scanner.scan(&mut at)?, scanner.alike());
    Ok((Batch::from_parts(message, vec![span], alike), 1))
}

/// The parameter of `appendBatch` at `at`: an array of events in any number of blocks, checked where they stand, and how
/// many they are. What follows is ignored, as Java does. Those behind the first `most` are checked and counted, and the
/// batch is without them: where each stands would take 16 bytes, and it need not have more than two itself.
pub(crate) fn read_append_batch(
    message: Bytes,
    mut at: usize,
    most: usize,
) -> Result<(Batch, usize), Malformed> {
    let (mut spans, mut events) = (Vec::new(), 0);
    let mut scanner = Scanner::new(&message);
    loop {
        let count = read_block(&message, &mut at)?;
        if count == 0 {
            let alike = scanner.alike();
            return Ok((Batch::from_parts(message, spans, alike), events));
        }
        // A count may lie. What it makes us reserve stays below what the peer has really sent.
        let likely = ((message.len() - at) / SMALL_EVENT_BYTES).min(most - spans.len());
        spans.reserve(usize::try_from(count).map_or(likely, |count| count.min(likely)));
        for _ in 0..count {
            let span = scanner.scan(&mut at)?;
            events += 1;
            if events <= most {
                spans.push(span);
            }
        }
    }
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Stored in all channels that must have it.
    Ok,
    /// Not stored: a channel is full, or refused for another reason.
    Failed,
    /// `UNKNOWN`, which Flume declares and never sends. Not stored, as far as a sender can tell.
    Unknown,
    /// The server could not execute the call, and this is why, in its words.
    Error(String),
}

/// Reads an answer at `*at`. What follows it is ignored.
pub(crate) fn read_answer(bytes: &[u8], at: &mut usize) -> Result<(AnswerNotes, Outcome), Malformed> {
    let notes = AnswerNotes::read(bytes, at)?;
    let [is_error] = read::fixed(bytes, at)?;
    let outcome = match (is_error, event::read_zigzag(bytes, at)?) {
        (0, 0) => Outcome::Ok,
        (0, 1) => Outcome::Failed,
        (0, 2) => Outcome::Unknown,
        // The union of errors has one member, the text.
        (1, 0) => {
            let length = read_length(bytes, at)?;
            let text = &bytes[*at..*at + length];
            Outcome::Error(String::from_utf8_lossy(&text[..length.min(MAX_TEXT_BYTES)]).into_owned())
        }
        _ => return Err(Malformed::Choice),
    };
    Ok((notes, outcome))
}

/// What a server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer<'a> {
    /// All events of the call are stored.
    Ok,
    /// None of them is; the client may try again, here or elsewhere.
    Failed,
    /// The call could not be executed, with Java's `toString()` of an exception or what resembles it. It is cut at
    /// 1,000 bytes.
    Error(&'a str),
}

impl Answer<'_> {
    /// Appends the error flag, then the result or the error.
    pub(crate) fn put(&self, out: &mut BytesMut) {
        match self {
            Answer::Ok => out.extend_from_slice(&[0, 0]),
            Answer::Failed => out.extend_from_slice(&[0, 2]),
            Answer::Error(text) => {
                let text = &text[..text.floor_char_boundary(MAX_TEXT_BYTES)];
                out.extend_from_slice(&[1, 0]);
                push_zigzag(out, text.len() as i64);
                out.extend_from_slice(text.as_bytes());
            }
        }
    }
}

/// A peer's text goes into our log, and a part of its call into our answer: this much of it.
const MAX_TEXT_BYTES: usize = 1000;

/// Memory for the index of a batch is reserved as if no event were smaller; more of them make it grow.
const SMALL_EVENT_BYTES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn bodies(batch: &Batch) -> Vec<&[u8]> {
        batch.events().map(|event| event.body()).collect()
    }

    #[test]
    fn blocks_may_be_many_and_negative_and_leftovers_are_ignored() {
        // Example H: two blocks, the first of count -1 with its size; a map in two blocks; then a byte too many.
        let array = Bytes::from_static(b"\xff\x01\x06\x00\x02x\x02\x00\x02y\x00\xee");
        let (batch, events) = read_append_batch(array.clone(), 1, 2).expect("legal");
        assert_eq!((bodies(&batch), events), (vec![&b"x"[..], b"y"], 2));
        assert_eq!(batch.runs().count(), 2);
        let (first, events) = read_append_batch(array, 1, 1).expect("legal");
        assert_eq!((bodies(&first), events), (vec![&b"x"[..]], 2));

        let map = Bytes::from_static(b"\x01\x08\x02k\x02v\x02\x04k2\x04v2\x00\x02b\xee");
        let (batch, _) = read_append(map, 0, 1).expect("legal");
        let event = batch.events().next().expect("one");
        assert_eq!((event.header("k"), event.header("k2"), event.received()), (Some("v"), Some("v2"), 2));
        assert_eq!(batch.spans()[0].end, 16);
    }

    #[test]
    fn a_count_that_lies_reserves_little() {
        let mut bytes = BytesMut::new();
        push_zigzag(&mut bytes, i64::MAX);
        bytes.extend_from_slice(&[0; 1000]);
        assert_eq!(read_append_batch(bytes.freeze(), 0, 9).err(), Some(Malformed::Short));
        let least = Bytes::from_static(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00\x00");
        assert_eq!(read_append_batch(least, 0, 9).err(), Some(Malformed::Short));
    }

    #[test]
    fn answers_read_back() {
        let long = "ü".repeat(600);
        let cases = [
            (Answer::Ok, Outcome::Ok),
            (Answer::Failed, Outcome::Failed),
            (Answer::Error("no"), Outcome::Error("no".into())),
            (Answer::Error(&long), Outcome::Error("ü".repeat(500))),
        ];
        for (answer, outcome) in cases {
            let mut out = BytesMut::new();
            AnswerNotes { leaving: true }.put(&mut out);
            answer.put(&mut out);
            assert_eq!(read_answer(&out, &mut 0), Ok((AnswerNotes { leaving: true }, outcome)));
            for cut in 0..out.len() {
                assert_eq!(read_answer(&out[..cut], &mut 0), Err(Malformed::Short));
            }
        }
        assert_eq!(read_answer(&[0, 0, 4], &mut 0), Ok((AnswerNotes::default(), Outcome::Unknown)));
        for bytes in [[0, 0, 6], [0, 1, 2], [0, 2, 0]] {
            assert_eq!(read_answer(&bytes, &mut 0), Err(Malformed::Choice));
        }
    }
}

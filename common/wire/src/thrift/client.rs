//! The side of a sink.

use super::read::{Head, Reader, Type};
use super::write::{BINARY, LIST, MAP, STRUCT, Writer};
use super::{CALL, EXCEPTION, Malformed, Protocol, REPLY, Status};
use bytes::BytesMut;
use event::Batch;

/// Writes the frame of a call that brings `batches`.
pub fn call(protocol: Protocol, sequence: i32, batches: &[Batch], out: &mut BytesMut) {
    let bytes: usize = batches.iter().map(Batch::event_bytes).sum();
    out.reserve(bytes + bytes / 4 + HEAD_ROOM);
    let mut writer = Writer::begin(protocol, out, (b"appendBatch", CALL, sequence));
    writer.field(1, 1, LIST);
    writer.list(STRUCT, batches.iter().map(Batch::len).sum());
    for event in batches.iter().flat_map(Batch::events) {
        writer.field(1, 1, MAP);
        writer.texts(event.headers().count());
        for (key, value) in event.headers() {
            writer.binary(key);
            writer.binary(value);
        }
        writer.field(2, 1, BINARY);
        writer.binary(event.body());
        writer.stop();
    }
    writer.stop();
    writer.finish();
}

/// Reads the answer to the call `sequence`: the status, or what the peer says went wrong.
///
/// # Errors
/// [`Malformed`]: the connection cannot go on.
pub fn read_answer(
    protocol: Protocol,
    sequence: i32,
    message: &[u8],
) -> Result<Result<Status, String>, Malformed> {
    let mut reader = Reader::new(protocol, message);
    let Head { kind, sequence: found, .. } = reader.head()?;
    if found != sequence {
        return Err(Malformed::Answer);
    }
    let (mut last, mut status, mut said) = (0, None, String::new());
    while let Some(field) = reader.field(&mut last)? {
        match field {
            (0, Type::Int) if kind == REPLY => status = Some(Status::of(reader.int()?)),
            (1, Type::Binary) if kind == EXCEPTION => {
                let text = String::from_utf8_lossy(reader.binary()?);
                said = text.chars().filter(|c| !c.is_control()).take(MOST_SAID).collect();
            }
            (_, kind) => reader.skip(kind, 0)?,
        }
    }
    match (kind, status) {
        (EXCEPTION, _) => Ok(Err(said)),
        (_, Some(status)) => Ok(Ok(status)),
        _ => Err(Malformed::Answer),
    }
}

const HEAD_ROOM: usize = 64;
/// Characters of what a peer says.
const MOST_SAID: usize = 300;

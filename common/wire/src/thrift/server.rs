//! The side of a source.

use super::read::{Head, Reader, Type};
use super::write::{BINARY, INT, Writer};
use super::{CALL, EXCEPTION, Malformed, ONEWAY, Protocol, REPLY, Status};
use bytes::BytesMut;
use event::BatchBuilder;
use std::borrow::Cow;

/// What [`answer`] and [`refuse`] need to know of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    name: Vec<u8>,
    sequence: i32,
    silent: bool,
}

/// What a message was.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// Events, which stand in the builder.
    Events(Token),
    /// A call that cannot be served; it is to be [refused](refuse) with this reason. What stands in the builder is
    /// of no use.
    Bad(Token, String),
}

/// Reads a call and puts its events into `builder`.
///
/// # Errors
/// [`Malformed`]: not even the head can be read, and the connection cannot go on.
pub fn receive(
    protocol: Protocol,
    message: &[u8],
    builder: &mut BatchBuilder,
) -> Result<Received, Malformed> {
    let mut reader = Reader::new(protocol, message);
    let Head { name, kind, sequence } = reader.head()?;
    if kind != CALL && kind != ONEWAY {
        return Err(Malformed::Type(kind));
    }
    let token = Token { name: name[..name.len().min(MOST_NAME)].to_vec(), sequence, silent: kind == ONEWAY };
    let read = match name {
        b"append" => arguments(&mut reader, Type::Struct, builder),
        b"appendBatch" => arguments(&mut reader, Type::List, builder),
        other => {
            let name = String::from_utf8_lossy(&other[..other.len().min(MOST_NAME)]);
            return Ok(Received::Bad(token, format!("Invalid method name: '{name}'")));
        }
    };
    Ok(match read {
        Ok(()) => Received::Events(token),
        Err(malformed) => Received::Bad(token, malformed.to_string()),
    })
}

/// The arguments of a call: the field 1 is one event or a list of them.
fn arguments(reader: &mut Reader<'_>, wanted: Type, builder: &mut BatchBuilder) -> Result<(), Malformed> {
    let (mut last, mut headers, mut found) = (0, Vec::new(), false);
    while let Some((number, kind)) = reader.field(&mut last)? {
        if number != 1 || kind != wanted || found {
            reader.skip(kind, 0)?;
            continue;
        }
        found = true;
        let events = if kind == Type::List {
            let (kind, count) = reader.list()?;
            if kind != Type::Struct {
                return Err(Malformed::Type(0));
            }
            count
        } else {
            1
        };
        for _ in 0..events {
            event(reader, &mut headers, builder)?;
        }
    }
    if found { Ok(()) } else { Err(Malformed::Required("events")) }
}

/// One event; `headers` is room for its headers.
fn event<'b>(
    reader: &mut Reader<'b>,
    headers: &mut Vec<[Cow<'b, str>; 2]>,
    builder: &mut BatchBuilder,
) -> Result<(), Malformed> {
    let (mut last, mut has_headers, mut body) = (0, false, None);
    headers.clear();
    while let Some(field) = reader.field(&mut last)? {
        match field {
            (1, Type::Map) => {
                let (key, value, count) = reader.map()?;
                if (key, value) != (Type::Binary, Type::Binary) {
                    return Err(Malformed::Type(0));
                }
                headers.clear();
                for _ in 0..count {
                    headers.push([text(reader.binary()?), text(reader.binary()?)]);
                }
                has_headers = true;
            }
            (2, Type::Binary) => body = Some(reader.binary()?),
            (_, kind) => reader.skip(kind, 0)?,
        }
    }
    if !has_headers {
        return Err(Malformed::Required("headers"));
    }
    let body = body.ok_or(Malformed::Required("body"))?;
    let pairs = headers.iter().map(|[key, value]| (key.as_ref(), value.as_ref()));
    builder.push_received(pairs, headers.len() as u32, body);
    Ok(())
}

/// As Java reads it: U+FFFD stands for what is no UTF-8.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// Answers a call.
pub fn answer(protocol: Protocol, token: &Token, status: Status, out: &mut BytesMut) {
    if token.silent {
        return;
    }
    let mut writer = Writer::begin(protocol, out, (&token.name, REPLY, token.sequence));
    writer.field(0, 0, INT);
    writer.int(status.number());
    writer.stop();
    writer.finish();
}

/// Answers a call that cannot be served with Thrift's own exception.
pub fn refuse(protocol: Protocol, token: &Token, why: &str, out: &mut BytesMut) {
    if token.silent {
        return;
    }
    let mut writer = Writer::begin(protocol, out, (&token.name, EXCEPTION, token.sequence));
    writer.field(1, 1, BINARY);
    writer.binary(why.as_bytes());
    writer.field(2, 1, INT);
    writer.int(if why.starts_with("Invalid method") { UNKNOWN_METHOD } else { PROTOCOL_ERROR });
    writer.stop();
    writer.finish();
}

/// Of a method's name, in an answer.
const MOST_NAME: usize = 256;
const UNKNOWN_METHOD: i32 = 1;
const PROTOCOL_ERROR: i32 = 7;

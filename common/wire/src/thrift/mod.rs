//! Flume's Thrift protocol: `append` and `appendBatch` in frames, in Thrift's binary or compact form.
//!
//! - [`Frames`] takes whole messages off a stream.
//! - [`receive`], [`answer`] and [`refuse`]: the side of a source.
//! - [`call`] and [`read_answer`]: the side of a sink.
//!
//! ```text
//! struct ThriftFlumeEvent { 1: required map<string,string> headers, 2: required binary body }
//! Status append(1: ThriftFlumeEvent event)
//! Status appendBatch(1: list<ThriftFlumeEvent> events)
//! ```

mod client;
mod read;
mod server;
mod write;

pub use client::{call, read_answer};
pub use server::{Received, Token, answer, receive, refuse};

use bytes::{Buf, Bytes, BytesMut};
use thiserror::Error;

/// How a message is written; both sides must be set alike, nothing tells them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// `TBinaryProtocol`
    Binary,
    /// `TCompactProtocol`, the default.
    Compact,
}

/// What a source answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The events are stored.
    Ok,
    /// They are not, and may be sent again.
    Failed,
    /// Never sent by Flume.
    Error,
    /// Never sent by Flume; stands for all numbers that are none of these.
    Unknown,
}

impl Status {
    fn number(self) -> i32 {
        match self {
            Status::Ok => 0,
            Status::Failed => 1,
            Status::Error => 2,
            Status::Unknown => 3,
        }
    }

    fn of(number: i32) -> Status {
        match number {
            0 => Status::Ok,
            1 => Status::Failed,
            2 => Status::Error,
            _ => Status::Unknown,
        }
    }
}

/// Why a message cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Malformed {
    /// It ends within something.
    #[error("the message ends too early")]
    Short,
    /// A length below zero, or beyond the end of the message.
    #[error("a length of {0} in a message that is shorter")]
    Length(i64),
    /// It begins with other bytes than a message of this protocol.
    #[error("the message is not in the {} protocol: set `protocol` alike on both sides", expected.name())]
    Protocol {
        /// The protocol that was expected.
        expected: Protocol,
    },
    /// A type that Thrift has not, or that cannot stand there.
    #[error("a field of the type {0}, which cannot stand there")]
    Type(u8),
    /// A field that an event must have.
    #[error("an event has no field `{0}`, which is required")]
    Required(&'static str),
    /// An answer without a result, or to another call.
    #[error("the answer is not one to this call")]
    Answer,
    /// Structures within structures.
    #[error("structures are nested more than {MOST_NESTED} times")]
    Nested,
}

impl Protocol {
    /// As the property `protocol` says.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Binary => "binary",
            Protocol::Compact => "compact",
        }
    }
}

/// Takes messages off a stream: a length of four bytes, and so many bytes. One for each direction of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Frames {
    most: usize,
}

/// A frame that is not taken; the connection cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadFrame {
    /// It is larger than allowed.
    #[error("a frame of {bytes} bytes, more than the {most} that are allowed")]
    Large {
        /// Of the frame.
        bytes: usize,
        /// Allowed.
        most: usize,
    },
    /// It is no frame: another protocol, or none.
    #[error(
        "these are no frames of Thrift (a length of {0}): the peer speaks another protocol, or TLS where this side does not"
    )]
    Foreign(i32),
}

impl Frames {
    /// Frames of up to `most` bytes.
    pub fn new(most: usize) -> Frames {
        Frames { most }
    }

    /// The next message; `None` when more bytes are needed. It is a slice of `input`'s memory.
    ///
    /// # Errors
    /// [`BadFrame`]; nothing is taken then.
    pub fn decode(&self, input: &mut BytesMut) -> Result<Option<Bytes>, BadFrame> {
        let Some(bytes) = self.next(input)?.filter(|bytes| input.len() >= HEAD_BYTES + bytes) else {
            return Ok(None);
        };
        input.advance(HEAD_BYTES);
        Ok(Some(input.split_to(bytes).freeze()))
    }

    /// How many bytes the message at the front has, if its head has come.
    ///
    /// # Errors
    /// [`BadFrame`]
    pub fn next(&self, input: &[u8]) -> Result<Option<usize>, BadFrame> {
        let Some(head) = input.first_chunk() else { return Ok(None) };
        let length = i32::from_be_bytes(*head);
        let bytes = usize::try_from(length).map_err(|_| BadFrame::Foreign(length))?;
        match bytes {
            0 => Err(BadFrame::Foreign(0)),
            bytes if bytes > self.most => Err(BadFrame::Large { bytes, most: self.most }),
            bytes => Ok(Some(bytes)),
        }
    }
}

/// Bytes of a frame's length.
pub const HEAD_BYTES: usize = 4;

/// Thrift's own limit.
const MOST_NESTED: usize = 64;

const CALL: u8 = 1;
const REPLY: u8 = 2;
const EXCEPTION: u8 = 3;
const ONEWAY: u8 = 4;

#[cfg(test)]
mod tests;

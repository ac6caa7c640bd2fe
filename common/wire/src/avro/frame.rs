//! Netty framing: a serial, then a list of buffers that, put together, are one Avro message.

use super::foreign::Foreign;
use bytes::{Buf, Bytes, BytesMut};
use std::fmt;

/// The largest frame that is taken unless the caller says otherwise: 256 MiB. A batch of 64 MiB passes, even one cut
/// into buffers of two bytes.
pub const MAX_FRAME_BYTES: usize = 256 * 1024 * 1024;

/// One frame, its buffers put together in the place where they were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    serial: i32,
    message: Bytes,
    first: usize,
}

impl Frame {
    /// Chosen by the caller, repeated in the reply.
    pub fn serial(&self) -> i32 {
        self.serial
    }

    /// The Avro message: all buffers, without their lengths.
    pub fn message(&self) -> &Bytes {
        &self.message
    }

    /// Length of the first buffer, in bytes. Borders mean nothing in Avro but for one thing: a Java server that fails
    /// before its handshake leaves the first buffer of its reply empty.
    pub fn first_buffer_bytes(&self) -> usize {
        self.first
    }

    /// The message, without a copy.
    pub fn into_message(self) -> Bytes {
        self.message
    }
}

/// Takes whole frames from the front of a connection's read buffer. One for each connection and direction.
///
/// It remembers how far it has walked through a frame that is not complete yet, so that bytes are looked at once,
/// however small the pieces in which they come. The read buffer may grow at its end between two calls; nothing else
/// may take bytes from its front.
#[derive(Debug)]
pub struct FrameDecoder {
    max: usize,
    partial: Option<Partial>,
    frames: u64,
}

/// What is known of the frame that begins at the front of the read buffer.
#[derive(Debug, Clone, Copy)]
struct Partial {
    serial: i32,
    count: u32, // buffers in all
    left: u32,  // buffers whose length is not known yet
    first: usize,
    longest: usize, // buffer so far
    end: usize,     // where the last buffer ends whose length is known; often beyond what has been read
}

impl FrameDecoder {
    /// A decoder for a new connection that takes frames of up to `max_frame_bytes`, lengths included; never more than
    /// the 4 GiB that a batch can hold.
    pub fn new(max_frame_bytes: usize) -> FrameDecoder {
        FrameDecoder { max: max_frame_bytes.min(u32::MAX as usize), partial: None, frames: 0 }
    }

    /// The next frame, or `None` when more bytes are needed. No event is copied: the frame is a slice of `input`'s
    /// memory, within which at most the borders between buffers were closed.
    ///
    /// # Errors
    /// [`FrameError`]: the connection cannot go on and should be closed. Nothing is taken from `input` then.
    pub fn decode(&mut self, input: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
        let mut partial = match self.partial {
            Some(partial) => partial,
            None => match input.first_chunk() {
                Some(head) => self.begin(head).map_err(|fault| self.error(fault, input))?,
                None => return Ok(None),
            },
        };
        let walked = partial.walk(input, self.max);
        self.partial = Some(partial);
        walked.map_err(|fault| self.error(fault, input))?;
        if partial.left > 0 || input.len() < partial.end {
            return Ok(None);
        }
        self.partial = None;
        self.frames += 1;
        Ok(Some(partial.cut(input)))
    }

    /// How many more bytes the frame at the front of `input` is known to need; more than none whenever
    /// [`FrameDecoder::decode`] has just answered `None`.
    ///
    /// It is what a peer announced, and a peer may lie: reserve the smaller of it and of what you would give anybody.
    pub fn wanted(&self, input: &BytesMut) -> usize {
        let needed =
            self.partial.map_or(HEAD_BYTES, |partial| partial.end + LENGTH_BYTES * partial.left as usize);
        needed.saturating_sub(input.len())
    }

    /// How many bytes the frame at the front of `input` will take in all, once its head has come. Where lengths of buffers
    /// are not known yet it is a guess, and [`FrameDecoder::decode`] may need more: buffers as long as Java's, or as the
    /// longest one so far.
    pub fn whole(&self) -> Option<usize> {
        let partial = self.partial?;
        let buffer = LENGTH_BYTES + partial.longest.max(JAVA_BUFFER_BYTES);
        let guess = partial.end.saturating_add(buffer.saturating_mul(partial.left as usize));
        Some(guess.min(self.max))
    }

    /// Tells whether the peer may end the connection here.
    ///
    /// # Errors
    /// [`Fault::Cut`] when `input` holds a part of a frame.
    pub fn finish(&self, input: &BytesMut) -> Result<(), FrameError> {
        let fault = Fault::Cut { bytes: input.len(), wanted: self.wanted(input) };
        if input.is_empty() { Ok(()) } else { Err(self.error(fault, input)) }
    }

    fn begin(&self, head: &[u8; HEAD_BYTES]) -> Result<Partial, Fault> {
        let [a, b, c, d, e, f, g, h] = *head;
        let count = i32::from_be_bytes([e, f, g, h]);
        if count <= 0 || (self.frames == 0 && Foreign::is_surely(head).is_some()) {
            return Err(Fault::Buffers(count));
        }
        let (serial, count) = (i32::from_be_bytes([a, b, c, d]), count.unsigned_abs());
        let partial = Partial { serial, count, left: count, first: 0, longest: 0, end: HEAD_BYTES };
        partial.check(self.max)?;
        Ok(partial)
    }

    fn error(&self, fault: Fault, input: &BytesMut) -> FrameError {
        let bytes = &input[..input.len().min(FIRST_BYTES)];
        let foreign = if self.frames == 0 { Foreign::recognise(bytes) } else { None };
        FrameError { fault, foreign, frames: self.frames, first: bytes.to_vec() }
    }
}

impl Partial {
    /// Goes on from length to length as far as `input` reaches.
    fn walk(&mut self, input: &[u8], max: usize) -> Result<(), Fault> {
        while self.left > 0 {
            let Some(length) = input.get(self.end..).and_then(|rest| rest.first_chunk()) else {
                return Ok(());
            };
            let length = i32::from_be_bytes(*length);
            let bytes = usize::try_from(length).map_err(|_| Fault::Length(length))?;
            if self.left == self.count {
                self.first = bytes;
            }
            let (longest, end) = (self.longest.max(bytes), self.end + LENGTH_BYTES + bytes);
            let walked = Partial { left: self.left - 1, longest, end, ..*self };
            walked.check(max)?;
            *self = walked;
        }
        Ok(())
    }

    fn check(&self, max: usize) -> Result<(), Fault> {
        let least = self.end as u64 + LENGTH_BYTES as u64 * u64::from(self.left);
        if least > max as u64 { Err(Fault::Large { least, max }) } else { Ok(()) }
    }

    /// Takes the frame off the front of `input` and closes the gaps between its buffers where they stand.
    ///
    /// The second buffer stays in its place: it holds all parameters in a frame of ours. The first, a few dozen bytes
    /// of handshake and call head, moves up to it; the third and later ones (Java cuts parameters into pieces of
    /// 8,192 bytes) move down.
    fn cut(self, input: &mut BytesMut) -> Frame {
        let mut bytes = input.split_to(self.end);
        let mut start = HEAD_BYTES + LENGTH_BYTES;
        let mut end = start + self.first;
        if self.count > 1 {
            let second = length_at(&bytes, end);
            bytes.copy_within(start..end, start + LENGTH_BYTES);
            start += LENGTH_BYTES;
            end += LENGTH_BYTES + second;
            close_gaps(&mut bytes, &mut end, self.count - 2);
        }
        bytes.truncate(end);
        bytes.advance(start);
        Frame { serial: self.serial, message: bytes.freeze(), first: self.first }
    }
}

/// Moves `buffers` buffers, the first of whose lengths stands at `*end`, down to `*end`, and `end` behind them.
fn close_gaps(bytes: &mut [u8], end: &mut usize, buffers: u32) {
    let mut from = *end;
    for _ in 0..buffers {
        let length = length_at(bytes, from);
        from += LENGTH_BYTES;
        bytes.copy_within(from..from + length, *end);
        from += length;
        *end += length;
    }
}

/// A length that [`Partial::walk`] has found to be in order.
fn length_at(bytes: &[u8], at: usize) -> usize {
    bytes[at..at + LENGTH_BYTES].iter().fold(0, |length, byte| length << 8 | usize::from(*byte))
}

/// Appends the head of a frame of `buffers` buffers.
pub(crate) fn put_head(out: &mut BytesMut, serial: i32, buffers: i32) {
    out.extend_from_slice(&serial.to_be_bytes());
    out.extend_from_slice(&buffers.to_be_bytes());
}

/// Appends one buffer of a frame, written by `content`, behind its length.
pub(crate) fn put_buffer(out: &mut BytesMut, content: impl FnOnce(&mut BytesMut)) {
    let at = out.len();
    out.extend_from_slice(&[0; LENGTH_BYTES]);
    content(out);
    let length = i32::try_from(out.len() - at - LENGTH_BYTES).expect("heads and answers are small");
    out[at..at + LENGTH_BYTES].copy_from_slice(&length.to_be_bytes());
}

/// Why bytes cannot be a frame. Its message names the place, what came and, where it can be told, what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameError {
    /// What is wrong with the frame.
    pub fault: Fault,
    /// What the connection looks like instead, when its very first bytes are wrong.
    pub foreign: Option<Foreign>,
    /// How many good frames came before on this connection.
    pub frames: u64,
    /// The first bytes of the bad frame, 16 at most.
    pub first: Vec<u8>,
}

/// What is wrong with a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The number of buffers, which must be one or more.
    #[error("a frame of {0} buffers was announced")]
    Buffers(i32),
    /// The length of a buffer, which must not be negative.
    #[error("a buffer of {0} bytes was announced")]
    Length(i32),
    /// More than is taken.
    #[error("a frame of {least} bytes or more was announced, at most {max} are taken")]
    Large {
        /// What the frame takes at the least, in bytes.
        least: u64,
        /// What is taken at most, in bytes.
        max: usize,
    },
    /// The connection ended within a frame.
    #[error("the connection ended within a frame: {bytes} bytes had come, {wanted} or more were missing")]
    Cut {
        /// Bytes of it that had come.
        bytes: usize,
        /// Bytes that were missing, at the least.
        wanted: usize,
    },
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.foreign, self.frames) {
            (Some(foreign), _) => write!(f, "{foreign}")?,
            (None, 0) if matches!(self.fault, Fault::Large { .. }) => {
                write!(f, "too large, or not Flume's Avro protocol: {}", self.fault)?;
            }
            (None, 0) => write!(f, "not Flume's Avro protocol: {}", self.fault)?,
            (None, good) => write!(f, "{} after {good} good frames", self.fault)?,
        }
        f.write_str(" (bytes")?;
        self.first.iter().try_for_each(|byte| write!(f, " {byte:02x}"))?;
        f.write_str(")")
    }
}

impl std::error::Error for FrameError {}

/// Serial and number of buffers.
const HEAD_BYTES: usize = 8;

/// The length before each buffer.
const LENGTH_BYTES: usize = 4;

/// Java cuts a message into buffers of so many bytes.
const JAVA_BUFFER_BYTES: usize = 8192;

/// So many bytes of a bad frame are shown.
const FIRST_BYTES: usize = 16;

//! The client's side of one connection.

use super::{
    call::{self, Head, Outcome},
    frame::{self, Frame},
    handshake::{Match, Request, Response},
    own::{AnswerNotes, BatchId, CallNotes, Hello},
    protocol::{Hash, Protocol},
    shape::{self, Mismatch},
};
use bytes::BytesMut;
use event::{Malformed, Zigzag};
use std::collections::VecDeque;

/// What ends a call: the array's last, empty block. To be sent behind the events of a [`ClientSession::call_head`].
pub const TAIL: &[u8] = &[0];

/// A call's number on its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serial(i32);

/// The client's side of one connection: calls in, frames out; frames in, answers out.
///
/// Events never pass through it: it writes what stands before them. Until the handshake is done one call may be
/// outstanding, afterwards as many as the caller likes: towards Flume one where order matters, towards a native node
/// what its [`Hello`] allows.
#[derive(Debug)]
pub struct ClientSession {
    greets: bool,
    may_swap: bool,
    swaps: bool,
    handshake: Handshake,
    server_hash: Hash,
    hello: Option<Hello>,
    last: i32,
    pending: VecDeque<(Serial, RequestKind)>,
}

/// How far the handshake is. `with_text`: the server has asked for our protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Handshake {
    Due { with_text: bool },
    Sent { with_text: bool },
    Done,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RequestKind {
    Ping,
    Call,
}

/// What a frame from the server says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientEvent {
    /// The handshake is done, by the first ping. Where a call carries the handshake its answer comes as
    /// [`ClientEvent::Answer`], and [`ClientSession::hello`] has the rest.
    Ready {
        /// What the server said of itself, if it is a native node.
        hello: Option<Hello>,
    },
    /// A call has ended.
    Answer {
        /// The call.
        serial: Serial,
        /// How it ended.
        outcome: Outcome,
        /// What else the server says.
        notes: AnswerNotes,
    },
    /// A ping was answered, so the server lives.
    Pong {
        /// The ping.
        serial: Serial,
    },
    /// The server wants to see our protocol first and has not executed the call. Send it again, now, as a new call (or
    /// ping); the text will be with it.
    Resend {
        /// The call or ping that was not executed.
        serial: Serial,
    },
}

/// Why a connection cannot go on. Calls that had no answer may or may not have been executed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// An answer to a call that was not made, or that was answered before.
    #[error("the server answered call {0}, which is not outstanding")]
    Serial(i32),
    /// The answer is not one.
    #[error("the server's answer is malformed: {0}")]
    Malformed(Malformed),
    /// An error instead of a handshake.
    #[error("the server refused the handshake: {0}")]
    Refused(String),
    /// The server asks for our protocol although it has just got it.
    #[error("the server does not accept Flume's protocol: it asks for it again and again")]
    Disagrees,
    /// The server's protocol differs from Flume's.
    #[error("the server does not speak Flume's protocol: {0}")]
    Protocol(Mismatch),
}

impl Default for ClientSession {
    fn default() -> ClientSession {
        ClientSession::new()
    }
}

impl ClientSession {
    /// A new connection.
    pub fn new() -> ClientSession {
        ClientSession {
            greets: true,
            may_swap: false,
            swaps: false,
            handshake: Handshake::Due { with_text: false },
            server_hash: Protocol::RELEASED.hash,
            hello: None,
            last: 0,
            pending: VecDeque::new(),
        }
    }

    /// A new connection of a client that looks like Flume's own, byte for byte, also to native nodes.
    pub fn flume() -> ClientSession {
        ClientSession { greets: false, ..ClientSession::new() }
    }

    /// The same, for a connection on which zlib can go inside TLS. Its first call is to be a ping, and nothing more is to
    /// be sent until that is answered.
    pub fn with_swap(self, may_swap: bool) -> ClientSession {
        ClientSession { may_swap, ..self }
    }

    /// Whether the server has agreed that from here on zlib is inside TLS, in both directions.
    pub fn swaps(&self) -> bool {
        self.swaps
    }

    /// Whether a call may be made now: always, but while the handshake is under way.
    pub fn may_call(&self) -> bool {
        !matches!(self.handshake, Handshake::Sent { .. })
    }

    /// Whether the handshake is done.
    pub fn is_ready(&self) -> bool {
        self.handshake == Handshake::Done
    }

    /// What the server said of itself, once the handshake is done and if it is a native node.
    pub fn hello(&self) -> Option<Hello> {
        self.hello
    }

    /// Calls and pings without an answer.
    pub fn outstanding(&self) -> usize {
        self.pending.len()
    }

    /// Appends a call without a message: it carries the handshake before there are events, and later shows whether the
    /// server lives.
    ///
    /// # Panics
    /// Unless [`ClientSession::may_call`].
    pub fn ping(&mut self, out: &mut BytesMut) -> Serial {
        let serial = self.next(RequestKind::Ping);
        frame::put_head(out, serial.0, 1);
        self.put_call(out, b"", None);
        serial
    }

    /// Appends all that stands before the first event of an `appendBatch`. Then send `event_bytes` bytes that hold
    /// `events` events (those of [`event::Batch::runs`]), then [`TAIL`].
    ///
    /// # Panics
    /// Unless [`ClientSession::may_call`]; when `event_bytes` is 2 GiB or more, which no frame can carry.
    pub fn call_head(
        &mut self,
        out: &mut BytesMut,
        events: usize,
        event_bytes: usize,
        id: Option<BatchId>,
    ) -> Serial {
        let count = Zigzag::new(events as i64);
        // An empty array has no block but the last.
        let count = if events == 0 { &[] } else { &count[..] };
        let serial = self.next(RequestKind::Call);
        frame::put_head(out, serial.0, 2);
        self.put_call(out, call::APPEND_BATCH, id);
        let length = i32::try_from(count.len() + event_bytes + TAIL.len()).expect("a batch is below 2 GiB");
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(count);
        serial
    }

    /// Appends a whole `append` of one event in its Avro form.
    ///
    /// # Panics
    /// Unless [`ClientSession::may_call`].
    pub fn append(&mut self, out: &mut BytesMut, event: &[u8], id: Option<BatchId>) -> Serial {
        let serial = self.next(RequestKind::Call);
        frame::put_head(out, serial.0, 2);
        self.put_call(out, call::APPEND, id);
        frame::put_buffer(out, |out| out.extend_from_slice(event));
        serial
    }

    /// Reads what the server sent.
    ///
    /// # Errors
    /// [`ClientError`]: the connection is to be closed.
    pub fn receive(&mut self, frame: Frame) -> Result<ClientEvent, ClientError> {
        let found = self.pending.iter().position(|(serial, _)| serial.0 == frame.serial());
        let (serial, kind) =
            found.and_then(|at| self.pending.remove(at)).ok_or(ClientError::Serial(frame.serial()))?;
        match (self.handshake, kind) {
            (Handshake::Sent { with_text }, _) => self.first_answer(&frame, serial, kind, with_text),
            // Whatever it says, the server lives.
            (_, RequestKind::Ping) => Ok(ClientEvent::Pong { serial }),
            (_, RequestKind::Call) => answer(serial, frame.message(), 0),
        }
    }

    /// The answer to the call that carried the handshake.
    fn first_answer(
        &mut self,
        frame: &Frame,
        serial: Serial,
        kind: RequestKind,
        with_text: bool,
    ) -> Result<ClientEvent, ClientError> {
        // A server that failed before it came to the handshake leaves it out: the first buffer is empty.
        if frame.first_buffer_bytes() == 0
            && let Ok((notes, Outcome::Error(text))) = call::read_answer(frame.message(), &mut 0)
        {
            self.handshake = Handshake::Due { with_text };
            return match kind {
                RequestKind::Ping => Err(ClientError::Refused(text)),
                RequestKind::Call => Ok(ClientEvent::Answer { serial, outcome: Outcome::Error(text), notes }),
            };
        }
        let mut at = 0;
        let response = Response::read(frame.message(), &mut at).map_err(ClientError::Malformed)?;
        self.learn(&response, with_text)?;
        match (self.handshake, kind) {
            (Handshake::Done, RequestKind::Ping) => Ok(ClientEvent::Ready { hello: self.hello }),
            (Handshake::Done, RequestKind::Call) => answer(serial, frame.message(), at),
            _ => Ok(ClientEvent::Resend { serial }),
        }
    }

    /// Goes where the server's handshake leads.
    fn learn(&mut self, response: &Response<'_>, with_text: bool) -> Result<(), ClientError> {
        self.server_hash = response.server_hash.unwrap_or(self.server_hash);
        if response.matched == Match::None {
            self.handshake = Handshake::Due { with_text: true };
            return if with_text { Err(ClientError::Disagrees) } else { Ok(()) };
        }
        let known = [Protocol::RELEASED.hash, Protocol::SNAPSHOT.hash].contains(&self.server_hash);
        match response.server_protocol {
            Some(text) if !known => shape::check(text).map_err(ClientError::Protocol)?,
            _ => {}
        }
        self.handshake = Handshake::Done;
        self.hello = response.greeting.hello().filter(|_| self.greets);
        self.swaps = self.may_swap && self.hello.is_some() && response.greeting.swap;
        Ok(())
    }

    fn next(&mut self, kind: RequestKind) -> Serial {
        assert!(self.may_call(), "one call at a time until the handshake is done");
        self.last = self.last.wrapping_add(1);
        let serial = Serial(self.last);
        self.pending.push_back((serial, kind));
        serial
    }

    /// Appends the first buffer of a call: the handshake if it is due, then metadata and name.
    fn put_call(&mut self, out: &mut BytesMut, name: &[u8], id: Option<BatchId>) {
        // A server that is known not to be ours is spared the identity.
        let stranger = !self.greets || (self.is_ready() && self.hello.is_none());
        let notes = CallNotes { batch: id.filter(|_| !stranger), first: None };
        frame::put_buffer(out, |out| {
            if let Handshake::Due { with_text } = self.handshake {
                Request::put(out, with_text, self.server_hash, self.greets, self.may_swap);
                self.handshake = Handshake::Sent { with_text };
            }
            Head { notes, name }.put(out);
        });
    }
}

fn answer(serial: Serial, message: &[u8], mut at: usize) -> Result<ClientEvent, ClientError> {
    let (notes, outcome) = call::read_answer(message, &mut at).map_err(ClientError::Malformed)?;
    Ok(ClientEvent::Answer { serial, outcome, notes })
}

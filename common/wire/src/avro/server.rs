//! The server's side of one connection.

use super::{
    call::{self, Answer, Head},
    frame::{self, Frame},
    handshake::{Match, Request, Response},
    own::{AnswerNotes, BatchId, Hello},
    protocol::{Protocol, ProtocolCache},
    shape::Mismatch,
};
use bytes::{Bytes, BytesMut};
use event::{Batch, Malformed};

/// The server's side of one connection: frames in, batches out; answers in, frames out.
///
/// Calls may be answered in any order, each by its token. It is as patient as Flume's server: whatever a call holds,
/// the connection stays open; only a frame that is none ends it.
#[derive(Debug)]
pub struct ServerSession {
    hello: Option<Hello>,
    most_events: usize,
    connected: bool,
    ours: bool,
    /// Zlib can go inside TLS here, and the client has said that it can there.
    may_swap: bool,
    client_may_swap: bool,
}

/// What a frame holds.
#[derive(Debug)]
pub enum Received {
    /// Events to store.
    Batch {
        /// Goes back with the answer, once the events are stored.
        token: ReplyToken,
        /// The events, in the memory where they were read. May be empty: answer `Ok` then.
        batch: Batch,
        /// It came by `append`, whose client is to get an error where `appendBatch` gets FAILED.
        single: bool,
        /// Which batch it is, if the client is ours and said so.
        id: Option<BatchId>,
    },
    /// More events than [`ServerSession::with_most_events`] allows, all well-formed; none of them is here to be stored.
    TooMany {
        /// Goes back with the answer.
        token: ReplyToken,
        /// How many came.
        events: usize,
    },
    /// A call that only asks whether someone is here: answer with [`ServerSession::pong`].
    Ping {
        /// Goes back with the answer.
        token: ReplyToken,
    },
    /// Nothing to store: send `bytes` as they are.
    Reply {
        /// A whole frame.
        bytes: Bytes,
        /// What was wrong, for the log; `None` for the ordinary question for the client's protocol.
        complaint: Option<Complaint>,
    },
}

/// Stands for a call that is not answered yet: its serial, and the handshake response if one is due.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a client waits for the answer"]
pub struct ReplyToken {
    serial: i32,
    handshake: Option<Match>,
    swaps: bool,
    single: bool,
}

impl ReplyToken {
    /// Whether zlib goes inside TLS once this answer is written: both sides can, and the client waits for the answer.
    pub fn swaps(&self) -> bool {
        self.swaps
    }

    /// Whether the call was an `append`, of one event.
    pub fn is_single(&self) -> bool {
        self.single
    }
}

/// What was wrong with a call that got an error for an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Complaint {
    /// The first call did not begin with a handshake.
    #[error("the first call has no valid handshake: {0}")]
    Handshake(Malformed),
    /// The client's protocol is not Flume's.
    #[error("the client's protocol was refused: {0}")]
    Protocol(Mismatch),
    /// The call's metadata or message name is malformed.
    #[error("a call has no valid head: {0}")]
    Head(Malformed),
    /// The events are malformed. None of them was taken.
    #[error("`{message}` with malformed events was refused as a whole: {reason}")]
    Events {
        /// The message's name.
        message: &'static str,
        /// What is wrong with them.
        reason: Malformed,
    },
    /// A message that Flume does not have.
    #[error("`{0}` is no message of Flume's protocol, which has `append` and `appendBatch`")]
    Message(String),
}

impl ServerSession {
    /// A new connection to a server that says `hello` to clients of ours. To others it looks like Flume.
    pub fn new(hello: Hello) -> ServerSession {
        ServerSession { hello: Some(hello), ..ServerSession::flume() }
    }

    /// A new connection to a server that looks like Flume to everybody, also to native nodes.
    pub fn flume() -> ServerSession {
        ServerSession {
            hello: None,
            most_events: usize::MAX,
            connected: false,
            ours: false,
            may_swap: false,
            client_may_swap: false,
        }
    }

    /// The same, but a call that brings more than `events` events is [`Received::TooMany`], for the price of so many. By
    /// default any number is taken.
    pub fn with_most_events(self, events: usize) -> ServerSession {
        ServerSession { most_events: events, ..self }
    }

    /// The same, for a connection on which zlib can go inside TLS.
    pub fn with_swap(self, may_swap: bool) -> ServerSession {
        ServerSession { may_swap, ..self }
    }

    /// Whether the handshake showed that the client is a native node.
    pub fn peer_is_ours(&self) -> bool {
        self.ours
    }

    /// Reads one call. No event is copied. `cache` is looked at and changed only during the handshake.
    pub fn receive(&mut self, frame: Frame, cache: &mut ProtocolCache) -> Received {
        let serial = frame.serial();
        let message = frame.into_message();
        let mut at = 0;
        let mut token = ReplyToken { serial, handshake: None, swaps: false, single: false };
        if !self.connected {
            match self.shake_hands(&message, &mut at, cache) {
                Ok(Match::None) => return self.ask_for_protocol(serial),
                Ok(matched) => token.handshake = Some(matched),
                Err(complaint) => return self.refuse(token, complaint),
            }
        }
        self.call(token, message, at)
    }

    /// Answers a call: appends a frame to `out`. `notes` reach clients of ours only.
    pub fn reply(&self, out: &mut BytesMut, token: ReplyToken, answer: Answer<'_>, notes: AnswerNotes) {
        let notes = if self.ours { notes } else { AnswerNotes::default() };
        frame::put_head(out, token.serial, 3);
        frame::put_buffer(out, |out| self.put_handshake(out, &token));
        frame::put_buffer(out, |out| notes.put(out));
        frame::put_buffer(out, |out| answer.put(out));
    }

    /// Answers a ping: appends a frame to `out` that holds the handshake response if one is due, and nothing else.
    pub fn pong(&self, out: &mut BytesMut, token: ReplyToken) {
        frame::put_head(out, token.serial, 1);
        frame::put_buffer(out, |out| self.put_handshake(out, &token));
    }

    fn shake_hands(
        &mut self,
        message: &[u8],
        at: &mut usize,
        cache: &mut ProtocolCache,
    ) -> Result<Match, Complaint> {
        let request = Request::read(message, at).map_err(Complaint::Handshake)?;
        self.ours = self.hello.is_some() && request.greeting.is_ours();
        self.client_may_swap = self.ours && request.greeting.swap;
        if !cache.knows(&request.client_hash) {
            match request.client_protocol {
                Some(text) => cache.accept(request.client_hash, text).map_err(Complaint::Protocol)?,
                None => return Ok(Match::None),
            }
        }
        self.connected = true;
        Ok(if request.server_hash == OURS.hash { Match::Both } else { Match::Client })
    }

    fn put_handshake(&self, out: &mut BytesMut, token: &ReplyToken) {
        if let Some(matched) = token.handshake {
            Response::put(out, matched, &OURS, self.hello.filter(|_| self.ours), token.swaps);
        }
    }

    /// The call was not executed; the client will send it again with the text of its protocol.
    fn ask_for_protocol(&self, serial: i32) -> Received {
        let mut out = BytesMut::new();
        self.pong(&mut out, ReplyToken { serial, handshake: Some(Match::None), swaps: false, single: false });
        Received::Reply { bytes: out.freeze(), complaint: None }
    }

    fn call(&self, mut token: ReplyToken, message: Bytes, mut at: usize) -> Received {
        let head = match Head::read(&message, &mut at) {
            Ok(head) => head,
            Err(reason) => return self.refuse(token, Complaint::Head(reason)),
        };
        let id = head.notes.batch.filter(|_| self.ours);
        let (name, read, single): (_, fn(_, _, _) -> _, _) = match head.name {
            call::APPEND_BATCH => ("appendBatch", call::read_append_batch, false),
            call::APPEND => ("append", call::read_append, true),
            b"" => {
                token.swaps = token.handshake.is_some() && self.may_swap && self.client_may_swap;
                return Received::Ping { token };
            }
            other => {
                let complaint = Complaint::message(other);
                return self.refuse(token, complaint);
            }
        };
        token.single = single;
        match read(message, at, self.most_events) {
            Ok((_, events)) if events > self.most_events => Received::TooMany { token, events },
            Ok((batch, _)) => Received::Batch { token, batch, single, id },
            Err(reason) => self.refuse(token, Complaint::Events { message: name, reason }),
        }
    }

    fn refuse(&self, token: ReplyToken, complaint: Complaint) -> Received {
        let mut out = BytesMut::new();
        self.reply(&mut out, token, Answer::Error(&complaint.in_java()), AnswerNotes::default());
        Received::Reply { bytes: out.freeze(), complaint: Some(complaint) }
    }
}

impl Complaint {
    fn message(name: &[u8]) -> Complaint {
        Complaint::Message(String::from_utf8_lossy(&name[..name.len().min(MAX_NAME_BYTES)]).into_owned())
    }

    /// What Flume 1.11's server would have answered, or nearly so.
    fn in_java(&self) -> String {
        match self {
            Complaint::Handshake(reason) | Complaint::Head(reason) | Complaint::Events { reason, .. } => {
                match reason {
                    Malformed::Short => "java.io.EOFException".into(),
                    Malformed::Number => {
                        "org.apache.avro.InvalidNumberEncodingException: Invalid int encoding".into()
                    }
                    Malformed::Length => {
                        "org.apache.avro.AvroRuntimeException: Malformed data. Length is negative".into()
                    }
                    reason => format!("org.apache.avro.AvroRuntimeException: Malformed data: {reason}"),
                }
            }
            Complaint::Protocol(mismatch) => format!("org.apache.avro.AvroRuntimeException: {mismatch}"),
            Complaint::Message(name) => {
                format!("org.apache.avro.AvroRuntimeException: No such remote message: {name}")
            }
        }
    }
}

/// What we present as our protocol.
const OURS: Protocol = Protocol::RELEASED;

/// So much of an unknown message's name is repeated.
const MAX_NAME_BYTES: usize = 100;

//! Flume's Avro protocol over Netty frames, both sides, without I/O.
//!
//! # A server's connection
//!
//! ```
//! use bytes::BytesMut;
//! use wire::avro::{
//!     Answer, AnswerNotes, FrameDecoder, Hello, MAX_FRAME_BYTES, ProtocolCache, Received, ServerSession,
//! };
//!
//! let mut cache = ProtocolCache::default(); // one for all connections of a source
//! let mut frames = FrameDecoder::new(MAX_FRAME_BYTES);
//! let mut session = ServerSession::new(Hello { window: 16, window_bytes: 16 << 20 });
//! let (mut input, mut output) = (BytesMut::new(), BytesMut::new());
//!
//! // After each read into `input`:
//! while let Some(frame) = frames.decode(&mut input)? {
//!     match session.receive(frame, &mut cache) {
//!         // Store the batch, then answer; several may be unanswered, and answers may come in any order.
//!         Received::Batch { token, batch, single, id } => {
//!             session.reply(&mut output, token, Answer::Ok, AnswerNotes { leaving: false })
//!         }
//!         // Only with a limit to the events of a call: to be answered FAILED.
//!         Received::TooMany { token, events } => {
//!             session.reply(&mut output, token, Answer::Failed, AnswerNotes { leaving: false })
//!         }
//!         Received::Ping { token } => session.pong(&mut output, token),
//!         Received::Reply { bytes, complaint } => output.extend_from_slice(&bytes), // log the complaint
//!     }
//! }
//! input.reserve(frames.wanted(&input).clamp(8 << 10, 256 << 10)); // a peer's word is not trusted for more
//! // When the peer closes: `frames.finish(&input)?` tells a cut frame, or a stranger, from a good end.
//! # Ok::<(), wire::avro::FrameError>(())
//! ```
//!
//! # A client's connection
//!
//! ```
//! use bytes::BytesMut;
//! use wire::avro::{ClientEvent, ClientSession, FrameDecoder, MAX_FRAME_BYTES, TAIL};
//! # use wire::avro::{Answer, AnswerNotes, Hello, ProtocolCache, Received, ServerSession};
//!
//! let mut session = ClientSession::new();
//! let mut frames = FrameDecoder::new(MAX_FRAME_BYTES);
//! let (mut input, mut output) = (BytesMut::new(), BytesMut::new());
//!
//! session.ping(&mut output); // at once after connecting: the handshake
//! # let mut server = ServerSession::new(Hello { window: 16, window_bytes: 1 });
//! # let mut cache = ProtocolCache::default();
//! # let frame = FrameDecoder::new(999).decode(&mut output).unwrap().unwrap();
//! # let Received::Ping { token } = server.receive(frame, &mut cache) else { panic!() };
//! # server.pong(&mut input, token);
//! while let Some(frame) = frames.decode(&mut input)? {
//!     match session.receive(frame)? {
//!         ClientEvent::Ready { hello } => {}                   // so many calls may be in flight; `None`: a Flume, one
//!         ClientEvent::Answer { serial, outcome, notes } => {} // commit or roll back that batch
//!         ClientEvent::Pong { serial } => {}                   // it lives
//!         ClientEvent::Resend { serial } => {}                 // ping or call again, now
//!     }
//! }
//! # let mut builder = event::BatchBuilder::default();
//! # builder.push([], b"hello");
//! # let batch = builder.finish();
//! if session.may_call() {
//!     let serial = session.call_head(&mut output, batch.len(), batch.event_bytes(), None);
//!     // Write `output`, then the runs, then the tail: one vectored write, no event is copied.
//!     for run in batch.runs() {
//!         output.extend_from_slice(&run);
//!     }
//!     output.extend_from_slice(TAIL);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it costs
//!
//! For a batch that arrives: an index of 16 bytes an event in one allocation, and a few fixed ones. An event may be as
//! small as two bytes: [`ServerSession::with_most_events`] bounds the index whatever a peer sends. The batch keeps the
//! read buffer's memory alive that its frame was read into. For a batch that leaves: nothing but what `output` holds.
//!
//! What Flume does in each case, and how we know: the crate's tests, and the captures in `testdata/`.

mod call;
mod client;
mod foreign;
mod frame;
mod handshake;
mod own;
mod protocol;
pub(crate) mod read;
mod server;
mod shape;

pub use call::{Answer, Outcome};
pub use client::{ClientError, ClientEvent, ClientSession, Serial, TAIL};
pub use foreign::Foreign;
pub use frame::{Fault, Frame, FrameDecoder, FrameError, MAX_FRAME_BYTES};
pub use own::{AnswerNotes, BatchId, CallNotes, Hello};
pub use protocol::{Hash, Protocol, ProtocolCache};
pub use server::{Complaint, Received, ReplyToken, ServerSession};
pub use shape::Mismatch;

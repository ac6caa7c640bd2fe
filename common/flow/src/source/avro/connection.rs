//! One peer of an avro source, from its first byte to its last.

use super::Shared;
use super::budget::Share;
use crate::clock::{self, Duration, Instant};
use crate::error::ChannelError;
use crate::message::Patience;
use crate::net::{Layered, Link, Worked};
use crate::source::Receipt;
use bytes::BytesMut;
use event::Batch;
use futures_util::future::{FutureExt, LocalBoxFuture};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::rc::Rc;
use tokio::sync::watch;
use tokio::time::{sleep_until, timeout};
use wire::avro::{Answer, AnswerNotes, FrameDecoder, Received, ReplyToken, ServerSession};

/// Stores what calls bring in the order they came, and answers in that order; a ping is answered at once. Calls that come
/// while others are being stored wait here and are stored together next, no more than the window allows: then the
/// connection is not read any further, and TCP tells the peer.
pub(super) struct Connection {
    shared: Rc<Shared>,
    peer: SocketAddr,
    link: Link,
    decoder: FrameDecoder,
    session: ServerSession,
    share: Share,
    storing: Option<Storing>,
    waiting: VecDeque<(ReplyToken, Result<Batch, ChannelError>)>,
    waiting_bytes: usize,
    /// A call of a peer of ours was refused: what it had sent behind that must be refused too, or it would be stored
    /// twice and out of order. The peer starts over with a new connection.
    refused: bool,
    leaving: bool,
}

impl Connection {
    pub(super) fn new(shared: Rc<Shared>, stream: Layered, peer: SocketAddr) -> Connection {
        let link = Link::new(stream, shared.spent.clone());
        Connection {
            peer,
            decoder: FrameDecoder::new(shared.max_frame_bytes),
            session: ServerSession::new(super::HELLO)
                .with_most_events(shared.most_events)
                .with_swap(link.may_swap()),
            link,
            share: shared.budget.share(),
            shared,
            storing: None,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            refused: false,
            leaving: false,
        }
    }

    /// Serves the peer until it goes, breaks the protocol, or the source stops.
    pub(super) async fn serve(mut self, mut stop: watch::Receiver<bool>) {
        loop {
            self.leaving |= *stop.borrow_and_update();
            if self.leaving && self.storing.is_none() {
                break; // what was taken is answered; what was not read is not stored
            }
            let (read, share) = (!self.leaving && self.has_room(), &self.share);
            tokio::select! { biased;
                (tokens, receipt) = stored(&mut self.storing) => self.answer(tokens, receipt),
                worked = self.link.work_within(|held| if read { share.spare(held) } else { 0 }) => match worked {
                    Ok(Worked::Written) => {}
                    Ok(Worked::Read) => {
                        if !self.take_frames() || !self.hold_share(&mut stop).await {
                            break;
                        }
                    }
                    Ok(Worked::Closed) => {
                        self.finish_what_came().await;
                        break;
                    }
                    // The stream is not what it should be: not compressed, not encrypted, damaged.
                    Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                        self.complain(&error);
                        break;
                    }
                    Err(_) => break, // the peer is gone; what it was not told, it will send again
                },
                _ = stop.changed(), if !self.leaving => {}
            }
        }
        let _gone = timeout(FAREWELL, self.link.finish()).await;
    }

    fn has_room(&self) -> bool {
        self.waiting.len() < super::HELLO.window as usize + 1
            && self.waiting_bytes < super::MOST_WAITING_BYTES
    }

    /// Decodes what was read. `false`: the peer does not speak our protocol.
    fn take_frames(&mut self) -> bool {
        loop {
            match self.decoder.decode(&mut self.link.input) {
                Ok(Some(frame)) => {
                    let received = self.session.receive(frame, &mut self.shared.protocols.borrow_mut());
                    self.take(received);
                }
                Ok(None) => {
                    self.link.expect(self.decoder.wanted(&self.link.input));
                    self.store_waiting();
                    return true;
                }
                Err(error) => {
                    self.complain(&format_args!("{error}{}", super::advice(&error)));
                    return false;
                }
            }
        }
    }

    fn take(&mut self, received: Received) {
        match received {
            Received::Batch { token, .. } | Received::TooMany { token, .. } if self.refused => {
                self.reply(token, Answer::Failed);
            }
            Received::Batch { token, batch, .. } => {
                self.waiting_bytes += batch.event_bytes();
                self.waiting.push_back((token, Ok(batch)));
            }
            Received::TooMany { token, events } => {
                self.waiting.push_back((token, Err(self.shared.too_many(events))));
            }
            Received::Ping { token } => {
                let swaps = token.swaps();
                let mut out = BytesMut::with_capacity(REPLY_BYTES);
                self.session.pong(&mut out, token);
                self.link.queue(out.freeze());
                if swaps {
                    self.link.swap();
                }
            }
            Received::Reply { bytes, complaint } => {
                if let Some(complaint) = complaint {
                    self.complain(&complaint);
                }
                self.link.queue(bytes);
            }
        }
    }

    /// Stores all that waits, unless something is being stored.
    fn store_waiting(&mut self) {
        if self.storing.is_some() || self.waiting.is_empty() {
            return;
        }
        // A Flume has one call under way. Should it have more, each stands for itself: one that is refused takes no other
        // with it.
        let together = if self.session.peer_is_ours() { self.waiting.len() } else { 1 };
        let (mut tokens, mut batches) = (Vec::new(), Vec::new());
        while tokens.len() < together
            && let Some((token, batch)) = self.waiting.pop_front_if(|(_, batch)| batch.is_ok())
        {
            tokens.push(token);
            batches.extend(batch);
        }
        self.waiting_bytes -= batches.iter().map(Batch::event_bytes).sum::<usize>();
        if batches.is_empty() {
            // The next one is refused already; it had to wait for its turn.
            let Some((token, Err(error))) = self.waiting.pop_front() else { return };
            let refused = Receipt { stored: 0, refused: Some(error) };
            self.storing = Some((vec![token], std::future::ready(refused).boxed_local()));
            return;
        }
        let intake = self.shared.intake.clone();
        let store = async move { intake.store_all(batches, false, Patience::KeepAlive).await };
        self.storing = Some((tokens, store.boxed_local()));
    }

    fn answer(&mut self, tokens: Vec<ReplyToken>, receipt: Receipt) {
        let mut tokens = tokens.into_iter();
        let mut out = BytesMut::with_capacity(REPLY_BYTES * tokens.len());
        let notes = AnswerNotes { leaving: self.leaving };
        for token in tokens.by_ref().take(receipt.stored) {
            self.session.reply(&mut out, token, Answer::Ok, notes);
        }
        if let Some(error) = receipt.refused {
            self.shared.complaints.borrow_mut().refused(&self.shared.log, &error, clock::now());
            if self.session.peer_is_ours() {
                (self.refused, self.waiting_bytes) = (true, 0);
            }
            let behind = if self.refused { self.waiting.len() } else { 0 };
            // Whatever the message: Flume's answer to a channel's refusal.
            for token in tokens.chain(self.waiting.drain(..behind).map(|(token, _)| token)) {
                self.session.reply(&mut out, token, Answer::Failed, notes);
            }
        }
        self.link.queue(out.freeze());
        self.store_waiting();
    }

    fn reply(&mut self, token: ReplyToken, answer: Answer<'_>) {
        let mut out = BytesMut::with_capacity(REPLY_BYTES);
        self.session.reply(&mut out, token, answer, AnswerNotes { leaving: self.leaving });
        self.link.queue(out.freeze());
    }

    fn complain(&self, what: &dyn std::fmt::Display) {
        self.shared.complaints.borrow_mut().about(&self.shared.log, self.peer, what, clock::now());
    }

    /// Accounts for a frame of which only a part has come. Waits when all connections together hold too much; `false`
    /// when that lasts, and this connection must go so that others can go on.
    async fn hold_share(&mut self, stop: &mut watch::Receiver<bool>) -> bool {
        let until = clock::now() + SHARE_WAIT;
        while !self.share.hold(self.link.input.len()) {
            tokio::select! {
                () = self.share.freed() => {}
                _ = stop.changed() => return false,
                () = sleep_until(until) => {
                    let error = format!("it has sent {} bytes of a frame that does not end, and all connections together hold as much as they may; it is closed", self.link.input.len());
                    self.complain(&error);
                    return false;
                }
            }
        }
        true
    }

    /// The peer has sent its last byte but may still read answers.
    async fn finish_what_came(&mut self) {
        match self.decoder.finish(&self.link.input) {
            Err(error) if error.foreign.is_some() => self.complain(&error),
            // A sender that died within a frame: it has no answer, so it still has the events.
            Err(error) => slog::debug!(self.shared.log, "{}: {error}", self.peer),
            Ok(()) => {}
        }
        let until: Instant = clock::now() + LAST_ANSWERS;
        while self.storing.is_some() && clock::now() < until {
            let (tokens, receipt) = stored(&mut self.storing).await;
            self.answer(tokens, receipt);
        }
    }
}

type Storing = (Vec<ReplyToken>, LocalBoxFuture<'static, Receipt>);

/// Resolves when the batches that are being stored are, or one was refused; never while there are none.
async fn stored(storing: &mut Option<Storing>) -> (Vec<ReplyToken>, Receipt) {
    let Some((_, future)) = storing else { return std::future::pending().await };
    let receipt = future.await;
    let (tokens, _) = storing.take().expect("it was just awaited");
    (tokens, receipt)
}

/// Room for an answer with a handshake.
const REPLY_BYTES: usize = 96;
/// How long the last answers may take to be written.
const FAREWELL: Duration = Duration::from_millis(500);
/// How long batches of a peer that has closed its side are still stored.
const LAST_ANSWERS: Duration = Duration::from_secs(30);
/// How long a connection may stand in the way of others with half a frame.
const SHARE_WAIT: Duration = Duration::from_secs(5);

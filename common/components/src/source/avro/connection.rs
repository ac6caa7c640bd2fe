//! One peer of an avro source, from its first byte to its last.

use super::Shared;
use super::vigil::{LOOK_AGAIN, NATIVE_SILENCE, Signs, Verdict, Vigil};
use crate::source::budget::Share;
use bytes::BytesMut;
use event::Batch;
use flow::error::ChannelError;
use flow::message::PutTimeout;
use flow::source::Receipt;
use futures_util::future::{FutureExt, LocalBoxFuture};
use runtime::clock::{self, Duration, Instant};
use runtime::net::{Guest, HOST_GONE, Layered, Link, Worked};
use std::collections::VecDeque;
use std::pin::pin;
use std::rc::Rc;
use tokio::sync::watch;
use tokio::time::{sleep_until, timeout};
use wire::avro::{Answer, AnswerNotes, FrameDecoder, Received, ReplyToken, ServerSession};

/// Stores what calls bring in the order they came, and answers in that order; a ping is answered at once. Calls that come
/// while others are being stored wait here and are stored together next.
///
/// All that is held for the peer counts in the source's budget. A connection that holds too much, one whose next frame is
/// not admitted yet, and one that does not read its answers is not read any further, and TCP tells the peer.
pub(super) struct Connection {
    shared: Rc<Shared>,
    guest: Guest,
    link: Link,
    decoder: FrameDecoder,
    session: ServerSession,
    share: Share,
    /// All that it holds, and the frame that comes next, have their part of the budget.
    covered: bool,
    /// It is read.
    reading: bool,
    /// Something stands in the link's input that may be a whole frame.
    unread: bool,
    storing: Option<Storing>,
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
    /// A call of a native node was refused: what it had sent behind that must be refused too, or it would be stored
    /// twice and out of order. The peer starts over with a new connection.
    refused: bool,
    leaving: bool,
}

/// A call that waits for its turn.
struct Waiting {
    token: ReplyToken,
    batch: Result<Batch, ChannelError>,
    /// Memory that it takes.
    bytes: usize,
}

/// Calls that are being stored.
struct Storing {
    tokens: Vec<ReplyToken>,
    bytes: usize,
    receipt: LocalBoxFuture<'static, Receipt>,
}

impl Connection {
    pub(super) fn new(shared: Rc<Shared>, stream: Layered, guest: Guest) -> Connection {
        let link = Link::new(stream, shared.pool.clone());
        Connection {
            decoder: FrameDecoder::new(shared.max_frame_bytes),
            session: ServerSession::new(super::HELLO)
                .with_most_events(shared.most_events)
                .with_swap(link.may_swap()),
            link,
            share: shared.budget.share(&guest),
            guest,
            shared,
            covered: true,
            reading: true,
            unread: false,
            storing: None,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            refused: false,
            leaving: false,
        }
    }

    /// Serves the peer until it goes, breaks the protocol, has to go, or the source stops. What is left is to be dropped.
    pub(super) async fn serve(mut self, mut stop: watch::Receiver<bool>) -> Connection {
        let mut vigil = Vigil::new(self.shared.idle_limit);
        let (door, mut native) = (self.guest.door(), false);
        let mut sent_away = pin!(door.sent_away());
        let mut look = pin!(sleep_until(self.guest.last_heard() + LOOK_AGAIN));
        loop {
            self.leaving |= *stop.borrow_and_update();
            if self.leaving && self.storing.is_none() {
                break; // what was taken is answered; what was not read is not stored
            }
            if self.unread && !self.take_frames() {
                break;
            }
            if !native && self.session.peer_is_ours() {
                native = true;
                look.as_mut().reset(self.guest.last_heard() + NATIVE_SILENCE);
            }
            let most = self.account();
            tokio::select! { biased;
                (tokens, receipt) = stored(&mut self.storing) => self.answer(tokens, receipt),
                worked = self.link.work_within(|_| most) => match worked {
                    Ok(Worked::Written) => {}
                    Ok(Worked::Read) => {
                        self.guest.heard(clock::now());
                        self.unread = true;
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
                    Err(error) if error.kind() == std::io::ErrorKind::TimedOut => {
                        self.complain(&HOST_GONE);
                        return self;
                    }
                    Err(_) => break, // the peer is gone; what it was not told, it will send again
                },
                () = self.share.turn(), if !self.covered => {}
                why = &mut sent_away => {
                    why.into_iter().for_each(|why| self.complain(&why));
                    return self;
                }
                () = &mut look => match vigil.look(self.signs(), clock::now()) {
                    Verdict::Fine(next) => look.as_mut().reset(next),
                    Verdict::Gone(why) => {
                        self.complain(&why);
                        return self;
                    }
                },
                _ = stop.changed(), if !self.leaving => {}
            }
        }
        let _gone = timeout(FAREWELL, self.link.finish()).await;
        self
    }

    /// Sees to it that what is held, and the frame that comes next, is accounted for. Says how much may be read now.
    fn account(&mut self) -> usize {
        let (came, whole) = (self.link.input.len(), self.decoder.whole().unwrap_or(0));
        let frame = if whole > came { self.shared.claim(whole) } else { came };
        self.covered = self.share.hold(self.kept() + self.link.output_bytes() + frame);
        let reading = self.covered && self.has_room() && !self.leaving;
        if reading && !self.reading {
            self.guest.heard(clock::now()); // its silence was ours
        }
        self.reading = reading;
        self.guest.served(!reading || self.storing.is_some());
        let owes = self.link.has_output() || (came > 0 && (reading || self.storing.is_none()));
        self.share.moved(self.link.moved(), owes);
        if !reading {
            return 0;
        }
        self.link.expect_whole(whole);
        self.share.read_most().max(whole.saturating_sub(came))
    }

    /// Memory that calls take.
    fn kept(&self) -> usize {
        self.waiting_bytes + self.storing.as_ref().map_or(0, |storing| storing.bytes)
    }

    fn has_room(&self) -> bool {
        self.waiting.len() < super::HELLO.window as usize + 1
            && self.waiting_bytes < super::MOST_WAITING_BYTES
            && self.link.output_bytes() < super::MOST_OUTPUT_BYTES
    }

    fn signs(&self) -> Signs {
        let heard = if self.reading { self.guest.last_heard() } else { clock::now() };
        let written = self.link.has_output().then(|| self.link.written());
        Signs { native: self.session.peer_is_ours(), heard, written }
    }

    /// Decodes what was read, as far as there is room. `false`: the peer does not speak our protocol.
    fn take_frames(&mut self) -> bool {
        while self.has_room() && self.covered {
            match self.decoder.decode(&mut self.link.input) {
                Ok(Some(frame)) => {
                    let bytes = frame.message().len();
                    let received = self.session.receive(frame, &mut self.shared.protocols.borrow_mut());
                    self.take(received, bytes);
                }
                Ok(None) => {
                    self.link.expect(self.decoder.wanted(&self.link.input));
                    self.unread = false;
                    break;
                }
                Err(error) => {
                    self.complain(&format_args!("{error}{}", super::advice(&error)));
                    return false;
                }
            }
        }
        self.store_waiting();
        true
    }

    fn take(&mut self, received: Received, bytes: usize) {
        match received {
            Received::Batch { token, .. } | Received::TooMany { token, .. } if self.refused => {
                self.reply(token, Answer::Failed);
            }
            Received::Batch { token, batch, .. } => {
                let counters = self.shared.processor.counters();
                let calls = match token.is_single() {
                    true => &counters.append_received,
                    false => &counters.append_batch_received,
                };
                calls.increment();
                let bytes = bytes + batch.len() * size_of::<event::Span>();
                self.wait(token, Ok(batch), bytes);
            }
            Received::TooMany { token, events } => {
                self.wait(token, Err(self.shared.too_many(events)), 0);
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

    fn wait(&mut self, token: ReplyToken, batch: Result<Batch, ChannelError>, bytes: usize) {
        let bytes = bytes + CALL_BYTES;
        self.waiting_bytes += bytes;
        self.waiting.push_back(Waiting { token, batch, bytes });
    }

    /// Stores all that waits, unless something is being stored.
    fn store_waiting(&mut self) {
        if self.storing.is_some() || self.waiting.is_empty() {
            return;
        }
        // A Flume has one call under way. Should it have more, each stands for itself: one that is refused takes no other
        // with it.
        let together = if self.session.peer_is_ours() { self.waiting.len() } else { 1 };
        let (mut tokens, mut batches, mut bytes) = (Vec::new(), Vec::new(), 0);
        while tokens.len() < together
            && let Some(waiting) = self.waiting.pop_front_if(|waiting| waiting.batch.is_ok())
        {
            tokens.push(waiting.token);
            batches.extend(waiting.batch);
            bytes += waiting.bytes;
        }
        let receipt = if batches.is_empty() {
            // The next one is refused already; it had to wait for its turn.
            let Some(Waiting { token, batch: Err(error), bytes: of_it }) = self.waiting.pop_front() else {
                return;
            };
            (tokens, bytes) = (vec![token], of_it);
            std::future::ready(Receipt { stored: 0, refused: Some(error) }).boxed_local()
        } else {
            let processor = self.shared.processor.clone();
            async move { processor.store_all(batches, false, PutTimeout::KeepAlive).await }.boxed_local()
        };
        self.waiting_bytes -= bytes;
        self.storing = Some(Storing { tokens, bytes, receipt });
    }

    fn answer(&mut self, tokens: Vec<ReplyToken>, receipt: Receipt) {
        let mut tokens = tokens.into_iter();
        let mut out = BytesMut::with_capacity(REPLY_BYTES * tokens.len());
        let notes = AnswerNotes { leaving: self.leaving };
        let (mut singles, counters) = (0, self.shared.processor.counters());
        for token in tokens.by_ref().take(receipt.stored) {
            singles += usize::from(token.is_single());
            self.session.reply(&mut out, token, Answer::Ok, notes);
        }
        counters.append_accepted.add(singles);
        counters.append_batch_accepted.add(receipt.stored - singles);
        if let Some(error) = receipt.refused {
            self.shared.complaints.borrow_mut().refused(&self.shared.log, &error, clock::now());
            if self.session.peer_is_ours() {
                (self.refused, self.waiting_bytes) = (true, 0);
            }
            let behind = if self.refused { self.waiting.len() } else { 0 };
            // Whatever the message: Flume's answer to a channel's refusal.
            for token in tokens.chain(self.waiting.drain(..behind).map(|waiting| waiting.token)) {
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
        self.shared.complaints.borrow_mut().about(&self.shared.log, self.guest.peer(), what, clock::now());
    }

    /// The peer has sent its last byte but may still read answers.
    async fn finish_what_came(&mut self) {
        match self.decoder.finish(&self.link.input) {
            Err(error) if error.foreign.is_some() => self.complain(&error),
            // A sender that died within a frame: it has no answer, so it still has the events.
            Err(error) => slog::debug!(self.shared.log, "{}: {error}", self.guest.peer()),
            Ok(()) => {}
        }
        let until: Instant = clock::now() + LAST_ANSWERS;
        while self.storing.is_some() && clock::now() < until {
            let (tokens, receipt) = stored(&mut self.storing).await;
            self.answer(tokens, receipt);
        }
    }
}

/// Resolves when the batches that are being stored are, or one was refused; never while there are none.
async fn stored(storing: &mut Option<Storing>) -> (Vec<ReplyToken>, Receipt) {
    let Some(Storing { receipt, .. }) = storing else { return std::future::pending().await };
    let receipt = receipt.await;
    let Storing { tokens, .. } = storing.take().expect("it was just awaited");
    (tokens, receipt)
}

/// Room for an answer with a handshake.
const REPLY_BYTES: usize = 96;
/// How long the last answers may take to be written.
const FAREWELL: Duration = Duration::from_millis(500);
/// How long batches of a peer that has closed its side are still stored.
const LAST_ANSWERS: Duration = Duration::from_secs(30);
/// What a call that waits takes besides its bytes and its index.
const CALL_BYTES: usize = 256;

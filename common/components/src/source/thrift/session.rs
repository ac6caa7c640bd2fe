//! One client of a thrift source, from its first byte to its last.

use crate::source::budget::{Budget, Share};
use crate::source::port::Voice;
use bytes::{Bytes, BytesMut};
use flow::error::ChannelError;
use flow::message::PutTimeout;
use flow::source::{ChannelProcessor, Stopping};
use runtime::clock::{self, Duration};
use runtime::net::{BufferPool, Guest, HOST_GONE, Link, Stream, Worked};
use std::fmt::Display;
use std::future::pending;
use std::io;
use std::rc::Rc;
use tokio::time::{sleep, timeout};
use wire::thrift::{self, Frames, HEAD_BYTES, Protocol, Received, Status};

/// What the clients of one source share. All live on one thread.
pub(super) struct Shared {
    pub(super) protocol: Protocol,
    pub(super) max_frame_bytes: usize,
    pub(super) idle_limit: Option<Duration>,
    pub(super) processor: ChannelProcessor,
    pub(super) voice: Rc<Voice>,
    pub(super) budget: Budget,
    pub(super) pool: BufferPool,
}

/// Serves a client until it goes, sends what cannot be used, has to go, or the source stops.
pub(super) async fn serve(shared: Rc<Shared>, stream: Stream, guest: Guest, stop: Stopping) {
    let (peer, voice) = (guest.peer(), shared.voice.clone());
    let session = Session {
        frames: Frames::new(shared.max_frame_bytes),
        link: Link::new(stream.into(), shared.pool.clone()),
        share: shared.budget.share(&guest),
        shared,
        guest,
    };
    if let Err(Some(why)) = session.run(stop).await {
        voice.complain(peer, &why);
    }
}

/// Takes one call after the other: Flume's clients wait for each answer.
struct Session {
    shared: Rc<Shared>,
    guest: Guest,
    link: Link,
    frames: Frames,
    share: Share,
}

/// Why a session ends, where that is to be told.
type End = Option<String>;

impl Session {
    async fn run(mut self, mut stop: Stopping) -> Result<(), End> {
        loop {
            let idle_limit = self.shared.idle_limit;
            let message = tokio::select! { biased;
                // What was taken is answered by now; what was not is not stored.
                _ = stop.wait_for(|stop| *stop) => break,
                message = self.next() => message?,
                () = idle_for(idle_limit) => {
                    let what = "it has sent nothing for as long as maxIdleSeconds allows; its connection is closed";
                    return Err(Some(what.to_owned()));
                }
            };
            let Some(message) = message else { break };
            let answer = self.answer(&message).await?;
            drop(message);
            self.link.queue(answer);
            let written = self.write();
            tokio::select! { biased;
                written = written => written?,
                _ = stop.wait_for(|stop| *stop) => {}
            }
        }
        let _gone = timeout(FAREWELL, self.link.finish()).await;
        Ok(())
    }

    /// The next call, once there is memory for it and it has come; `None` at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, End> {
        loop {
            let bad = |frame: thrift::BadFrame| {
                Some(format!("{frame}; its connection is closed{}", advice(&frame)))
            };
            if let Some(message) = self.frames.decode(&mut self.link.input).map_err(bad)? {
                return Ok(Some(message));
            }
            let whole =
                self.frames.next(&self.link.input).map_err(bad)?.map_or(0, |bytes| HEAD_BYTES + bytes);
            let came = self.link.input.len();
            let claimed = if whole > SMALL_FRAME { whole * COPIES } else { whole.max(came) };
            let covered = self.share.hold(claimed);
            self.share.moved(self.link.moved(), came > 0 && covered);
            self.guest.served(!covered);
            if !covered {
                self.share.turn().await;
                self.guest.heard(clock::now()); // its silence was ours
                continue;
            }
            self.link.expect_whole(whole);
            let most = self.share.read_most().max(whole.saturating_sub(came));
            match self.link.work_within(|_| most).await {
                Ok(Worked::Read) => self.guest.heard(clock::now()),
                Ok(Worked::Written) => {}
                Ok(Worked::Closed) => return Ok(None), // what came in part, its client sends again
                Err(error) => return Err(in_words(&error)),
            }
        }
    }

    /// Stores what a call brings, and says how that went.
    async fn answer(&mut self, message: &Bytes) -> Result<Bytes, End> {
        let Shared { protocol, processor, voice, .. } = &*self.shared;
        let peer = self.guest.peer();
        let mut builder = processor.builder();
        let received = thrift::receive(*protocol, message, &mut builder);
        let mut out = BytesMut::new();
        match received {
            Err(malformed) => return Err(Some(format!("{malformed}; its connection is closed"))),
            Ok(Received::Bad(token, why)) => {
                voice.complain(
                    peer,
                    &format_args!("a call cannot be served: {why}; it is answered with that"),
                );
                thrift::refuse(*protocol, &token, &why, &mut out);
            }
            Ok(Received::Events(token)) => {
                self.share.moved(self.link.moved(), false);
                self.guest.served(true);
                let batch = processor.finish(builder);
                let stored = if batch.is_empty() {
                    Ok(())
                } else {
                    processor.store(batch, false, PutTimeout::KeepAlive).await
                };
                self.guest.served(false);
                thrift::answer(*protocol, &token, status(peer, voice, stored), &mut out);
            }
        }
        Ok(out.freeze())
    }

    async fn write(&mut self) -> Result<(), End> {
        while self.link.has_output() {
            let worked = timeout(UNREAD, self.link.work(false)).await;
            worked
                .map_err(|_| {
                    Some(format!(
                        "it has read none of its answers for {} s; its connection is closed",
                        UNREAD.as_secs()
                    ))
                })?
                .map_err(|error| in_words(&error))?;
        }
        Ok(())
    }
}

fn status(peer: std::net::SocketAddr, voice: &Voice, stored: Result<(), ChannelError>) -> Status {
    match stored {
        Ok(()) => Status::Ok,
        Err(error) => {
            voice.complain(peer, &format_args!("{error}; it was answered FAILED and keeps its events"));
            Status::Failed
        }
    }
}

/// What to say of an error of a connection, if anything.
fn in_words(error: &io::Error) -> End {
    match error.kind() {
        io::ErrorKind::TimedOut => Some(HOST_GONE.to_owned()),
        // The stream is not what it should be: not encrypted, damaged.
        io::ErrorKind::InvalidData => Some(error.to_string()),
        _ => None, // it is gone; what it was not told, it will send again
    }
}

fn advice(frame: &thrift::BadFrame) -> impl Display {
    match frame {
        thrift::BadFrame::Large { .. } => "; send smaller batches or raise maxFrameBytes of this source",
        thrift::BadFrame::Foreign(_) => "",
    }
}

/// Resolves after that time; never without one.
async fn idle_for(limit: Option<Duration>) {
    match limit {
        Some(limit) => sleep(limit).await,
        None => pending().await,
    }
}

/// A frame, its events, and where they stand.
const COPIES: usize = 3;
/// Of one up to this size that is accounted for when it is known.
const SMALL_FRAME: usize = 64 << 10;
/// A client that reads none of its answers for so long is gone.
const UNREAD: Duration = Duration::from_secs(60);
/// How long a source that stops waits for a client to read its last answer.
const FAREWELL: Duration = Duration::from_millis(500);

//! One peer of a netcat source, from its first byte to its last.

use super::NetcatConfig;
use super::lines::LineDecoder;
use bytes::BytesMut;
use event::{Batch, Span};
use flow::counters::Connected;
use flow::error::ChannelError;
use flow::message::PutTimeout;
use flow::source::ChannelProcessor;
use runtime::clock::{self, Duration};
use runtime::net::{Guest, HOST_GONE, TcpStream};
use std::cell::{Cell, RefCell};
use std::fmt::Display;
use std::future::{pending, poll_fn};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// What the sessions of one source share. All live on one thread.
pub(super) struct Shared {
    config: NetcatConfig,
    name: String,
    processor: ChannelProcessor,
    log: slog::Logger,
    /// Events in one batch.
    most: usize,
    /// What all read into, one after the other: a session that waits for its peer holds no buffer.
    read: RefCell<Vec<u8>>,
    /// Lines that were refused since the last one that was stored.
    refused: Cell<u64>,
}

impl Shared {
    pub(super) fn new(
        config: NetcatConfig,
        name: &str,
        processor: ChannelProcessor,
        log: slog::Logger,
    ) -> Shared {
        let most = processor.transaction().clamp(1, MOST_EVENTS);
        let read = RefCell::new(vec![0; READ_BYTES]);
        Shared { config, name: name.to_owned(), processor, log, most, read, refused: Cell::new(0) }
    }
}

/// Serves a peer until it goes, sends what cannot be used, has to go, or the source stops.
pub(super) async fn serve(
    shared: Rc<Shared>,
    stream: TcpStream,
    guest: Guest,
    mut stop: watch::Receiver<bool>,
) {
    let (log, name, peer, door) = (shared.log.clone(), shared.name.clone(), guest.peer(), guest.door());
    let _open = Connected::count(shared.processor.counters());
    let lines = LineDecoder::new(shared.config.encoding, shared.config.max_line_length);
    let session = Session { shared, stream, guest, lines };
    tokio::select! { biased;
        outcome = session.run(&mut stop) => if let Err(error) = outcome {
            match error.kind() {
                // The kernel has asked in vain.
                io::ErrorKind::TimedOut => slog::warn!(log, "netcat source {name}: {peer}: {HOST_GONE}"),
                _ => slog::debug!(log, "netcat session with {peer} has ended: {error}"),
            }
        },
        _told = door.sent_away() => {}
    }
}

struct Session {
    shared: Rc<Shared>,
    stream: TcpStream,
    guest: Guest,
    lines: LineDecoder,
}

impl Session {
    async fn run(mut self, stop: &mut watch::Receiver<bool>) -> io::Result<()> {
        loop {
            let idle_limit = self.shared.config.place.idle_limit;
            let read = tokio::select! { biased;
                // What was read is answered by now; what was not is not stored.
                _ = stop.changed() => break,
                read = poll_fn(|cx| self.poll_read(cx)) => read?,
                () = idle_for(idle_limit) => {
                    self.complain(&"it has sent nothing for as long as maxIdleSeconds allows; its connection is closed");
                    break;
                }
            };
            // An unfinished line is dropped at the end, as in Flume.
            if read == 0 || !self.answer_all(stop).await? {
                break;
            }
            self.guest.heard(clock::now());
        }
        self.stream.shutdown().await
    }

    fn complain(&self, what: &dyn Display) {
        let Shared { log, name, .. } = &*self.shared;
        slog::warn!(log, "netcat source {name}: {}: {what}", self.guest.peer());
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut buffer = self.shared.read.borrow_mut();
        let mut read = ReadBuf::new(&mut buffer);
        let polled = Pin::new(&mut self.stream).poll_read(cx, &mut read);
        if polled.is_pending() {
            self.lines.rest();
        }
        ready!(polled)?;
        self.lines.push(read.filled());
        Poll::Ready(Ok(read.filled().len()))
    }

    /// Stores and answers all lines that have come. `false`: the session must end.
    async fn answer_all(&mut self, stop: &mut watch::Receiver<bool>) -> io::Result<bool> {
        while let Some((batch, finished)) = self.next_batch() {
            self.guest.served(true);
            let parts = self.shared.processor.store_parts(batch, finished, PutTimeout::KeepAlive).await;
            self.guest.served(false);
            let answers: String =
                parts.into_iter().map(|(events, stored)| self.answers(events, stored)).collect();
            if !self.write(answers.as_bytes(), stop).await? {
                return Ok(false);
            }
        }
        let Some(fault) = self.lines.fault() else { return Ok(true) };
        self.complain(&format_args!(
            "{fault}; its connection is closed and the rest of what it sent is lost"
        ));
        if let Some(answer) = fault.answer() {
            self.write(answer.as_bytes(), stop).await?;
        }
        Ok(false)
    }

    /// As many lines as one transaction takes, encoded, and whether interceptors have done all they do.
    fn next_batch(&mut self) -> Option<(Batch, bool)> {
        let processor = &self.shared.processor;
        let mut prefix = BytesMut::new();
        let finished = processor.prefix(&[], &mut prefix);
        let headers = if finished { &prefix[..] } else { NO_HEADERS };
        let mut builder = processor.builder();
        let given =
            self.lines.give(self.shared.most, |line| builder.push_encoded(headers, Span::BORN_HERE, line));
        (given > 0).then(|| (processor.finish(builder), finished))
    }

    /// One line for each event.
    fn answers(&self, events: usize, stored: Result<(), ChannelError>) -> String {
        if events == 0 {
            return String::new();
        }
        let Shared { config, name, log, refused, .. } = &*self.shared;
        match stored {
            Ok(()) => {
                let before = refused.take();
                if before > 0 {
                    slog::info!(
                        log,
                        "netcat source {name}: lines are stored again; {before} were answered FAILED and are \
                        lost unless they are sent again"
                    );
                }
                if config.ack_every_event { OK.repeat(events) } else { String::new() }
            }
            Err(error) => {
                if refused.replace(refused.get() + events as u64) == 0 {
                    slog::warn!(
                        log,
                        "netcat source {name}: {error}; {events} lines of {} were answered FAILED, and so are \
                        those that follow until there is room",
                        self.guest.peer()
                    );
                }
                format!("FAILED: {}\n", flumes_words(&error)).repeat(events)
            }
        }
    }

    /// Writes answers; a peer that does not read them is waited for, but not once the source stops. `false`: it did not.
    async fn write(&mut self, answers: &[u8], stop: &mut watch::Receiver<bool>) -> io::Result<bool> {
        let stream = &mut self.stream;
        let mut written = std::pin::pin!(stream.write_all(answers));
        tokio::select! { biased;
            outcome = &mut written => outcome.map(|()| true),
            _ = stop.wait_for(|stop| *stop) => match timeout(FAREWELL, written).await {
                Ok(outcome) => outcome.map(|()| true),
                Err(_) => Ok(false),
            },
        }
    }
}

/// Resolves after that time; never without one.
async fn idle_for(limit: Option<Duration>) {
    match limit {
        Some(limit) => sleep(limit).await,
        None => pending().await,
    }
}

/// What Flume's channel says, which is what its clients may look for; our own words go to the log.
fn flumes_words(error: &ChannelError) -> String {
    match error {
        ChannelError::Full { .. } => {
            "Space for commit to queue couldn't be acquired. Sinks are likely not keeping up with \
            sources, or the buffer size is too tight"
                .to_owned()
        }
        other => other.to_string(),
    }
}

const OK: &str = "OK\n";

/// The header map of an event without headers.
const NO_HEADERS: &[u8] = &[0];

/// Bytes read at a time.
const READ_BYTES: usize = 64 << 10;

/// Events in one batch at most: a read of empty lines has very many.
const MOST_EVENTS: usize = 4096;

/// How long a source that stops waits for a peer to read its last answers.
const FAREWELL: Duration = Duration::from_millis(500);

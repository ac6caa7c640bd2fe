//! One sender over TCP, from its first byte to its last.

use super::config::{Config, FormatText, Parser};
use crate::source::names::{as_java, name_of};
use crate::source::port::Voice;
use event::{Batch, BatchBuilder};
use flow::message::PutTimeout;
use flow::source::{ChannelProcessor, Stopping};
use runtime::clock::{self, Duration};
use runtime::net::{Guest, HOST_GONE, Stream};
use runtime::told::Told;
use std::cell::RefCell;
use std::future::{pending, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use wire::syslog::{Classic, Found, Line, Lines, Multiport};

/// What the senders at one port share. All live on one thread.
pub(super) struct Shared {
    pub(super) what: String,
    pub(super) processor: ChannelProcessor,
    pub(super) log: slog::Logger,
    pub(super) voice: Rc<Voice>,
    pub(super) reader: RefCell<Reader>,
    /// Events in one batch.
    pub(super) most: usize,
    event_size: usize,
    idle_limit: Option<Duration>,
    names: Names,
    lost: RefCell<Told>,
    /// What all read into, one after the other: a session that waits for its sender holds a line at most.
    read: RefCell<Vec<u8>>,
    /// Questions to a name server under way.
    asking: Semaphore,
}

/// The headers that tell of a sender.
struct Names {
    port: Option<(String, String)>,
    address: Option<String>,
    name: Option<String>,
}

/// Either parser.
pub(super) enum Reader {
    Classic(Box<Classic>),
    Multiport(Multiport),
}

impl Reader {
    fn new(config: &Config, port: u16) -> Reader {
        match &config.parser {
            Parser::Classic(format) => {
                Reader::Classic(Box::new(FormatText::parser(format.as_ref(), config.keep)))
            }
            Parser::Multiport { default, ports } => {
                let charset = ports.get(&port).unwrap_or(default);
                Reader::Multiport(Multiport::new(*charset, config.keep))
            }
        }
    }

    pub(super) fn push(
        &mut self,
        line: Line<'_>,
        now: i64,
        extra: &[(&str, &str)],
        out: &mut BatchBuilder,
    ) -> Found {
        match self {
            Reader::Classic(reader) => reader.push(line, now, extra, out),
            Reader::Multiport(reader) => reader.push(line, now, extra, out),
        }
    }
}

impl Shared {
    pub(super) fn new(
        config: &Config,
        port: u16,
        what: &str,
        processor: ChannelProcessor,
        log: &slog::Logger,
        voice: Rc<Voice>,
    ) -> Shared {
        let most = processor.transaction().min(config.batch_size.unwrap_or(MOST_EVENTS)).max(1);
        Shared {
            what: what.to_owned(),
            processor,
            log: log.clone(),
            voice,
            reader: RefCell::new(Reader::new(config, port)),
            most,
            event_size: config.event_size,
            idle_limit: config.idle_limit,
            names: Names {
                port: config.port_header.clone().map(|header| (header, port.to_string())),
                address: config.ip_header.clone(),
                name: config.name_header.clone(),
            },
            lost: RefCell::new(Told::every(NEWS_PAUSE)),
            read: RefCell::new(vec![0; READ_BYTES]),
            asking: Semaphore::new(MOST_ASKED),
        }
    }

    /// The headers about a sender.
    pub(super) async fn headers(&self, peer: SocketAddr) -> Vec<(String, String)> {
        let mut headers: Vec<_> = self.names.port.iter().cloned().collect();
        headers.extend(self.names.address.clone().map(|header| (header, as_java(peer.ip()))));
        if let Some(header) = self.names.name.clone() {
            let _turn = self.asking.acquire().await;
            let asked = actix_rt::task::spawn_blocking(move || name_of(peer.ip())).await;
            headers.push((header, asked.unwrap_or_else(|_| as_java(peer.ip())))); // only a panic
        }
        headers
    }

    /// Says what was found in a line, where that is worth a word.
    pub(super) fn tell(&self, peer: SocketAddr, found: Found) {
        match found {
            Found::Message => {}
            Found::Invalid => self.voice.complain(
                peer,
                &"it has sent a line that is no syslog message; its event has the header flume.syslog.status = Invalid",
            ),
            Found::Incomplete => self.voice.complain(
                peer,
                &format_args!(
                    "it has sent a message of more than eventSize = {} bytes, which becomes several events; raise eventSize",
                    self.event_size
                ),
            ),
        }
    }

    /// Stores a batch; `wait` says how long it waits for room.
    pub(super) async fn store(&self, batch: Batch, wait: PutTimeout) {
        for (events, stored) in self.processor.store_parts(batch, false, wait).await {
            if let Err(error) = stored {
                self.tell_lost(events, &error);
            }
        }
    }

    fn tell_lost(&self, events: usize, why: &dyn std::fmt::Display) {
        if let Some(before) = self.lost.borrow_mut().tell(clock::now()) {
            slog::error!(
                self.log,
                "{}: {events} messages are lost, since UDP does not send them again: {why} ({before} such lines were left out)",
                self.what
            );
        }
    }
}

/// Serves a sender until it goes, or the source stops.
pub(super) async fn serve(shared: Rc<Shared>, stream: Stream, guest: Guest, mut stop: Stopping) {
    let peer = guest.peer();
    let headers = tokio::select! {
        headers = shared.headers(peer) => headers,
        _ = stop.changed() => return,
    };
    let lines = Lines::new(shared.event_size);
    let session = Session { shared: shared.clone(), stream, guest, headers, lines, input: Vec::new() };
    if let Err(error) = session.run(&mut stop).await {
        match error.kind() {
            io::ErrorKind::TimedOut => shared.voice.complain(peer, &HOST_GONE),
            // The stream is not what it should be: damaged, not encrypted.
            io::ErrorKind::InvalidData => shared.voice.complain(peer, &error),
            _ => slog::debug!(shared.log, "{}: the connection of {peer} has ended: {error}", shared.what),
        }
    }
}

struct Session {
    shared: Rc<Shared>,
    stream: Stream,
    guest: Guest,
    headers: Vec<(String, String)>,
    lines: Lines,
    input: Vec<u8>,
}

impl Session {
    async fn run(mut self, stop: &mut Stopping) -> io::Result<()> {
        loop {
            let idle_limit = self.shared.idle_limit;
            let read = tokio::select! { biased;
                // What was read is stored by now; what was not is the sender's.
                _ = stop.changed() => return Ok(()),
                read = poll_fn(|cx| self.poll_read(cx)) => read?,
                () = idle_for(idle_limit) => {
                    let what = "it has sent nothing for as long as maxIdleSeconds allows; its connection is closed";
                    self.shared.voice.complain(self.guest.peer(), &what);
                    return Ok(());
                }
            };
            if read == 0 {
                return self.store_last(stop).await;
            }
            self.store_all(stop).await;
            self.guest.heard(clock::now());
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut buffer = self.shared.read.borrow_mut();
        let mut read = ReadBuf::new(&mut buffer);
        let polled = Pin::new(&mut self.stream).poll_read(cx, &mut read);
        if polled.is_pending() {
            self.input.shrink_to_fit(); // a silent sender holds no more than it needs
        }
        ready!(polled)?;
        self.input.extend_from_slice(read.filled());
        Poll::Ready(Ok(read.filled().len()))
    }

    /// Stores all lines that have come.
    async fn store_all(&mut self, stop: &mut Stopping) {
        let mut at = 0;
        while let Some(batch) = self.next_batch(&mut at) {
            self.store(batch, stop).await;
        }
        self.input.drain(..at);
    }

    fn next_batch(&mut self, at: &mut usize) -> Option<Batch> {
        let Session { shared, guest, headers, lines, input, .. } = self;
        let extra: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let (mut builder, mut reader) = (shared.processor.builder(), shared.reader.borrow_mut());
        let now = clock::epoch_millis();
        while builder.len() < shared.most
            && let Some(line) = lines.next(input, at)
        {
            shared.tell(guest.peer(), reader.push(line, now, &extra, &mut builder));
        }
        (!builder.is_empty()).then(|| shared.processor.finish(builder))
    }

    /// The sender has ended: what has no line feed behind it is a message, too.
    async fn store_last(&mut self, stop: &mut Stopping) -> io::Result<()> {
        if !self.input.is_empty() {
            self.input.push(b'\n');
            self.store_all(stop).await;
        }
        Ok(())
    }

    /// Waits for room as long as it takes, and once the source stops for a while.
    async fn store(&self, batch: Batch, stop: &mut Stopping) {
        let events = batch.len();
        self.guest.served(true);
        let mut storing = std::pin::pin!(self.shared.store(batch, PutTimeout::Forever));
        tokio::select! { biased;
            () = &mut storing => {}
            _ = stop.wait_for(|stop| *stop) => {
                if timeout(LAST_STORE, storing).await.is_err() {
                    self.shared.tell_lost(events, &"the source stops and its channel has had no room");
                }
            }
        }
        self.guest.served(false);
    }
}

/// Resolves after that time; never without one.
async fn idle_for(limit: Option<Duration>) {
    match limit {
        Some(limit) => sleep(limit).await,
        None => pending().await,
    }
}

/// Events in one batch at most.
const MOST_EVENTS: usize = 1000;
/// Bytes read at a time.
const READ_BYTES: usize = 64 << 10;
/// How long a source that stops waits for room for what it has read.
const LAST_STORE: Duration = Duration::from_secs(3);
/// Names asked for at a time.
const MOST_ASKED: usize = 16;
/// Between two lines about messages that are lost.
const NEWS_PAUSE: Duration = Duration::from_secs(10);

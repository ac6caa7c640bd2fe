//! One connection to a collector, from its handshake to its end.

use crate::AvroSinkConfig;
use crate::liveness::{Liveness, Unsent, Verdict};
use bytes::{Bytes, BytesMut};
use event::Batch;
use flow::error::DeliveryError;
use flow::message::{PendingDelivery, Window};
use runtime::clock::{self, Duration, Instant};
use runtime::net::{BufferPool, Duplex, Gauge, Link, TcpStream, Worked, keep_alive};
use std::cell::Cell;
use std::collections::VecDeque;
use std::io;
use std::pin::pin;
use tokio::sync::mpsc;
use tokio::task::yield_now;
use tokio::time::{sleep_until, timeout};
use wire::avro::{
    BatchId, ClientEvent, ClientSession, Fault, FrameDecoder, FrameError, Outcome, Serial, TAIL,
};

/// What a connection carries, and tells how it went: a sink's [`PendingDelivery`], a batch of the command-line client.
pub trait Cargo: Sized {
    /// The batches to deliver, in order.
    fn batches(&self) -> &[Batch];
    /// Its name; it stays the same when it is sent again.
    fn id(&self) -> Option<BatchId>;
    /// All of these have arrived.
    fn done(all: Vec<Self>);
    /// It has not arrived, or nobody knows.
    fn failed(self, error: DeliveryError);

    /// How many events it holds.
    fn events(&self) -> usize {
        self.batches().iter().map(Batch::len).sum()
    }
}

impl Cargo for PendingDelivery {
    fn batches(&self) -> &[Batch] {
        PendingDelivery::batches(self)
    }

    fn id(&self) -> Option<BatchId> {
        PendingDelivery::id(self)
    }

    fn done(all: Vec<PendingDelivery>) {
        PendingDelivery::done(all);
    }

    fn failed(self, error: DeliveryError) {
        PendingDelivery::failed(self, error);
    }
}

/// A connection that has shaken hands.
pub struct Connection<C> {
    peer: String,
    request_timeout: Duration,
    link: Link,
    gauge: Option<Gauge>,
    decoder: FrameDecoder,
    session: ClientSession,
    /// What the peer has not answered yet, in the order sent.
    sent: VecDeque<(Serial, C)>,
    /// What it has just answered.
    arrived: Vec<C>,
    /// Where batches are written whose headers were set here.
    pool: BufferPool,
    /// What the peer takes at a time.
    pub window: Window,
    ours: bool,
    until: Option<Instant>,
    /// That time is over: nothing more is sent, and what is under way is awaited.
    resetting: bool,
}

/// How a connection ended.
pub enum End {
    /// `reset-connection-interval` is over and nothing is under way: a new one is to take its place.
    Reset,
    /// Nobody wants it any more.
    Stopped,
    /// It failed.
    Failed(DeliveryError),
}

impl<C: Cargo> Connection<C> {
    /// Connects and shakes hands, within `connect-timeout` for both together.
    pub async fn open(config: &AvroSinkConfig) -> Result<Connection<C>, DeliveryError> {
        let gauge = Cell::new(None);
        let dial = async || {
            let stream = TcpStream::connect((config.host.as_str(), config.port)).await?;
            stream.set_nodelay(true)?;
            keep_alive(&stream)?;
            gauge.set(Some(Gauge::new(stream.local_addr()?, stream.peer_addr()?)));
            Ok(stream)
        };
        let connection = Connection::open_over(config, dial).await?;
        Ok(Connection { gauge: gauge.take(), ..connection })
    }

    /// The same over what `dial` connects, which nothing tells of how much of it is under way.
    pub async fn open_over<S: Duplex + 'static>(
        config: &AvroSinkConfig,
        dial: impl AsyncFn() -> io::Result<S>,
    ) -> Result<Connection<C>, DeliveryError> {
        let peer = config.peer();
        let unreachable = |reason: String| DeliveryError::Unreachable { peer: peer.clone(), reason };
        match timeout(config.connect_timeout, Connection::shake_hands(config, peer.clone(), dial)).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(reason)) => Err(unreachable(reason)),
            Err(_) => Err(unreachable(format!(
                "no answer within connect-timeout ({} ms)",
                config.connect_timeout.as_millis()
            ))),
        }
    }

    async fn shake_hands<S: Duplex + 'static>(
        config: &AvroSinkConfig,
        peer: String,
        dial: impl AsyncFn() -> io::Result<S>,
    ) -> Result<Connection<C>, String> {
        let link = Link::new(config.layers.connect(&config.host, dial).await?, BufferPool::default());
        let mut connection = Connection {
            peer,
            request_timeout: config.request_timeout,
            gauge: None,
            session: ClientSession::new().with_swap(link.may_swap()),
            link,
            decoder: FrameDecoder::new(MAX_ANSWER_BYTES),
            sent: VecDeque::new(),
            arrived: Vec::new(),
            pool: BufferPool::default(),
            window: Window::LOCK_STEP,
            ours: false,
            until: config.reset_interval.map(|interval| clock::now() + interval),
            resetting: false,
        };
        connection.ping();
        loop {
            match connection.link.work(true).await.map_err(|error| in_handshake(&error))? {
                Worked::Written => {}
                Worked::Closed => {
                    // What it has said may tell why: an alert of TLS, a page of HTTP.
                    connection.decoder.finish(&connection.link.input).map_err(|error| error.to_string())?;
                    return Err(CLOSED_IN_HANDSHAKE.to_owned());
                }
                Worked::Read => {
                    if connection.handshake_done()? {
                        return Ok(connection);
                    }
                }
            }
        }
    }

    fn handshake_done(&mut self) -> Result<bool, String> {
        while let Some(frame) =
            self.decoder.decode(&mut self.link.input).map_err(|error| no_answer(&error))?
        {
            match self.session.receive(frame).map_err(|error| error.to_string())? {
                ClientEvent::Ready { hello } => {
                    if self.session.swaps() {
                        self.link.swap();
                    }
                    if let Some(hello) = hello {
                        self.ours = true;
                        self.window = Window {
                            deliveries: (hello.window as usize).clamp(1, MOST_DELIVERIES),
                            bytes: usize::try_from(hello.window_bytes).unwrap_or(usize::MAX),
                        };
                    }
                    return Ok(true);
                }
                // The peer does not know our protocol's hash: the session now sends its text.
                ClientEvent::Resend { .. } => self.ping(),
                _ => {}
            }
        }
        Ok(false)
    }

    fn ping(&mut self) {
        let mut bytes = BytesMut::with_capacity(PING_BYTES);
        self.session.ping(&mut bytes);
        self.link.queue(bytes.freeze());
    }

    /// Sends what comes through `all_pending` and settles what is answered, until the connection ends one way or
    /// another. `leaving` is called when the peer says that it is about to stop.
    pub async fn run(&mut self, all_pending: &mut mpsc::UnboundedReceiver<C>, leaving: impl Fn()) -> End {
        let mut liveness = Liveness::new(self.ours, self.request_timeout, clock::now());
        let mut look = pin!(sleep_until(clock::now()));
        let end = loop {
            if self.resetting && self.sent.is_empty() {
                self.close().await;
                break End::Reset;
            }
            tokio::select! { biased;
                worked = self.link.work(true) => {
                    if let Err(end) = self.worked(worked, &mut liveness, &leaving) {
                        break end;
                    }
                }
                pending = all_pending.recv(), if !self.resetting => match pending {
                    Some(pending) => {
                        let now = clock::now();
                        self.send(pending);
                        liveness.called(now);
                        // Here as well as below: where there is always something to do, no timer gets its turn.
                        self.resetting = self.is_due(now);
                        while let Some(pending) = next_of(all_pending).await {
                            self.send(pending);
                            liveness.called(now);
                        }
                    }
                    None => break self.close().await,
                },
                () = &mut look => {
                    let now = clock::now();
                    self.resetting |= self.is_due(now);
                    match liveness.look(now, self.unsent()) {
                        Verdict::Fine(next) => look.as_mut().reset(self.next_look(next, now)),
                        Verdict::Ping(next) => {
                            self.ping();
                            look.as_mut().reset(self.next_look(next, now));
                        }
                        Verdict::Dead(silent) => break self.lost(format!("it is connected but has answered nothing for {} ms", silent.as_millis())),
                    }
                }
            }
        };
        self.give_back(&end);
        end
    }

    fn unsent(&self) -> Unsent {
        let backlog = self.gauge.and_then(|gauge| gauge.read());
        Unsent { waiting: self.link.has_output(), backlog }
    }

    fn is_due(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| until <= now)
    }

    fn next_look(&self, next: Instant, now: Instant) -> Instant {
        self.until.filter(|until| now < *until).map_or(next, |until| next.min(until))
    }

    fn worked(
        &mut self,
        worked: io::Result<Worked>,
        liveness: &mut Liveness,
        leaving: &impl Fn(),
    ) -> Result<(), End> {
        match worked {
            Ok(Worked::Written) => return Ok(()),
            Ok(Worked::Closed) if self.sent.is_empty() => {
                return Err(self.gone("it closed the connection".to_owned()));
            }
            Ok(Worked::Closed) => return Err(self.lost("it closed the connection".to_owned())),
            Ok(Worked::Read) => {}
            Err(error) => return Err(self.lost(error.to_string())),
        }
        liveness.heard(clock::now());
        let taken = self.take_answers(liveness, leaving);
        if !self.arrived.is_empty() {
            C::done(std::mem::take(&mut self.arrived));
        }
        taken
    }

    fn take_answers(&mut self, liveness: &mut Liveness, leaving: &impl Fn()) -> Result<(), End> {
        while let Some(frame) =
            self.decoder.decode(&mut self.link.input).map_err(|error| self.lost(no_answer(&error)))?
        {
            let event = self.session.receive(frame).map_err(|error| self.lost(error.to_string()))?;
            let ClientEvent::Answer { serial, outcome, notes } = event else { continue };
            liveness.answered();
            self.settle(serial, outcome)?;
            if notes.leaving {
                leaving();
            }
        }
        Ok(())
    }

    fn settle(&mut self, serial: Serial, outcome: Outcome) -> Result<(), End> {
        let Some(at) = self.sent.iter().position(|(sent, _)| *sent == serial) else {
            return Err(self.lost("it answered a call that was never sent".to_owned()));
        };
        let (_, pending) = self.sent.remove(at).expect("it was just found");
        let reason = match outcome {
            Outcome::Ok => {
                self.arrived.push(pending);
                return Ok(());
            }
            Outcome::Failed | Outcome::Unknown => {
                "it answered FAILED: its channel is full, or the batch is larger than its transactionCapacity"
                    .to_owned()
            }
            Outcome::Error(text) => text,
        };
        let (peer, events) = (self.peer.clone(), pending.events());
        pending.failed(DeliveryError::Refused { peer: peer.clone(), events, reason: reason.clone() });
        // Like Flume's client, ours starts over after a refusal. A peer of ours has refused all that came behind, too.
        Err(End::Failed(DeliveryError::Refused { peer, events, reason }))
    }

    fn send(&mut self, pending: C) {
        let bytes = pending.batches().iter().map(Batch::event_bytes).sum();
        let mut head = BytesMut::with_capacity(HEAD_BYTES);
        let id = pending.id().filter(|_| self.ours);
        let serial = self.session.call_head(&mut head, pending.events(), bytes, id);
        self.link.queue(head.freeze());
        if pending.batches().iter().all(Batch::is_in_place) {
            pending.batches().iter().flat_map(Batch::runs).for_each(|run| self.link.queue(run));
        } else {
            let (mut out, size) = self.pool.take(bytes.next_multiple_of(WRITTEN_BYTES));
            pending.batches().iter().for_each(|batch| batch.append_to(&mut out));
            self.link.queue(out.split().freeze());
            self.pool.put(out, size);
        }
        self.link.queue(Bytes::from_static(TAIL));
        self.sent.push_back((serial, pending));
    }

    async fn close(&mut self) -> End {
        // Whoever stops us has waited for all answers; what the other side thinks of our leaving is of no use to anybody.
        let _closed = timeout(CLOSE_WITHIN, self.link.finish()).await;
        End::Stopped
    }

    fn lost(&self, reason: String) -> End {
        End::Failed(DeliveryError::Lost { peer: self.peer.clone(), reason })
    }

    fn gone(&self, reason: String) -> End {
        End::Failed(DeliveryError::Closed { peer: self.peer.clone(), reason })
    }

    /// What was sent and not answered goes back, oldest first.
    fn give_back(&mut self, end: &End) {
        for (_, pending) in self.sent.drain(..) {
            let peer = self.peer.clone();
            pending.failed(match end {
                End::Failed(DeliveryError::Refused { events, reason, .. }) if self.ours => {
                    DeliveryError::Refused { peer, events: *events, reason: reason.clone() }
                }
                End::Failed(DeliveryError::Lost { reason, .. } | DeliveryError::Closed { reason, .. }) => {
                    DeliveryError::Lost { peer, reason: reason.clone() }
                }
                End::Failed(error) => DeliveryError::Lost { peer, reason: error.to_string() },
                End::Reset | End::Stopped => {
                    DeliveryError::Lost { peer, reason: "the connection was closed".to_owned() }
                }
            });
        }
    }
}

/// The next one that is there, or comes when everybody else has had a turn: calls that go together cost one write here and
/// one wake-up there.
async fn next_of<C>(all_pending: &mut mpsc::UnboundedReceiver<C>) -> Option<C> {
    if let Ok(pending) = all_pending.try_recv() {
        return Some(pending);
    }
    yield_now().await;
    all_pending.try_recv().ok()
}

/// What came instead of an answer, and what follows from it.
fn no_answer(error: &FrameError) -> String {
    match error.fault {
        Fault::Large { .. } => format!("its answer is too long to be one, the connection is closed: {error}"),
        _ => error.to_string(),
    }
}

fn in_handshake(error: &io::Error) -> String {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    match error.kind() {
        BrokenPipe | ConnectionAborted | ConnectionReset => CLOSED_IN_HANDSHAKE.to_owned(),
        _ => error.to_string(),
    }
}

const CLOSED_IN_HANDSHAKE: &str =
    "it closed the connection during the handshake: are `ssl` and `compression-type` the same on both sides?";
/// Room for everything of a call but its events.
const HEAD_BYTES: usize = 160;
const PING_BYTES: usize = 128;
/// Buffers for batches whose headers were set here come in sizes of so many bytes, so that one fits again.
const WRITTEN_BYTES: usize = 64 << 10;
/// Deliveries in flight, whatever a peer allows.
const MOST_DELIVERIES: usize = 64;
/// The largest frame that is taken from a peer: answers are a few dozen bytes, the longest is a handshake with the text of
/// a protocol, some 64 KiB.
const MAX_ANSWER_BYTES: usize = 1 << 20;
const CLOSE_WITHIN: Duration = Duration::from_millis(500);

//! Sends batches, in order, and sends again elsewhere what was not acknowledged.

use super::config::{Batches, Hosts};
use super::feed::Fed;
use super::policy::Route;
use super::{Delivered, Failure};
use crate::{AvroSinkConfig, Cargo, Connection};
use event::Batch;
use flow::error::DeliveryError;
use flow::message::Window;
use runtime::clock;
use runtime::random::Random;
use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use wire::avro::BatchId;

/// Batches go to one host at a time: what is under way has to be settled before another one gets any, so that order is
/// kept over a failure. A batch keeps its name when it is sent again.
pub(super) struct Shipper {
    log: slog::Logger,
    hosts: Vec<Host>,
    route: Route,
    current: Option<usize>,
    names: Names,
    most: usize,
    may_shrink: bool,
    /// To be sent, the oldest first.
    queue: VecDeque<Delivery>,
    flying: Flying,
    settled: mpsc::UnboundedReceiver<Settled>,
    tell: mpsc::UnboundedSender<Settled>,
    /// What came back of those under way, since the first of them failed.
    failed: Option<Failed>,
    /// A file has ended: to be answered when nothing is under way.
    finished: Option<oneshot::Sender<()>>,
    last_error: String,
    delivered: u64,
}

#[derive(Default)]
struct Flying {
    deliveries: usize,
    bytes: usize,
}

struct Failed {
    host: usize,
    error: DeliveryError,
    deliveries: Vec<Delivery>,
}

struct Host {
    config: AvroSinkConfig,
    lane: Option<Lane>,
}

/// A connection and the task that drives it.
struct Lane {
    deliveries: mpsc::UnboundedSender<PendingDelivery>,
    window: Window,
    leaving: Rc<Cell<bool>>,
    proved: bool, // it has delivered something
    task: JoinHandle<()>,
}

impl Lane {
    fn is_usable(&self) -> bool {
        !self.leaving.get() && !self.deliveries.is_closed()
    }
}

/// A batch and its name.
struct Delivery {
    id: BatchId,
    batch: Batch,
    /// It was sent and not answered, so that it may have arrived.
    doubt: bool,
}

/// Names for batches, in order.
struct Names {
    next: BatchId,
}

impl Names {
    fn next(&mut self) -> BatchId {
        let id = self.next;
        self.next.sequence += 1;
        id
    }
}

/// A delivery in the hands of a connection. One that is dropped says so.
struct PendingDelivery {
    delivery: Option<Delivery>,
    host: usize,
    tell: mpsc::UnboundedSender<Settled>,
}

struct Settled {
    delivery: Delivery,
    host: usize,
    outcome: Result<(), DeliveryError>,
}

impl PendingDelivery {
    fn report(&mut self, outcome: Result<(), DeliveryError>) {
        if let Some(delivery) = self.delivery.take() {
            let _ = self.tell.send(Settled { delivery, host: self.host, outcome }); // nobody listens after a failure
        }
    }
}

impl Cargo for PendingDelivery {
    fn batches(&self) -> &[Batch] {
        self.delivery.as_ref().map_or(&[], |delivery| std::slice::from_ref(&delivery.batch))
    }

    fn id(&self) -> Option<BatchId> {
        self.delivery.as_ref().map(|delivery| delivery.id)
    }

    fn done(all: Vec<PendingDelivery>) {
        all.into_iter().for_each(|mut pending| pending.report(Ok(())));
    }

    fn failed(mut self, error: DeliveryError) {
        self.report(Err(error));
    }
}

impl Drop for PendingDelivery {
    fn drop(&mut self) {
        self.report(Err(DeliveryError::Gone));
    }
}

impl Shipper {
    pub(super) fn new(to: Hosts, batches: Batches, log: slog::Logger) -> Shipper {
        let mut random = Random::from_system();
        let next = BatchId { agent: random.next(), stream: 0, sequence: 0 };
        let (tell, settled) = mpsc::unbounded_channel();
        Shipper {
            log,
            hosts: to.hosts.into_iter().map(|config| Host { config, lane: None }).collect(),
            route: to.route,
            current: None,
            names: Names { next },
            most: batches.most,
            may_shrink: batches.may_shrink && batches.most > SMALL_BATCH,
            queue: VecDeque::new(),
            flying: Flying::default(),
            settled,
            tell,
            failed: None,
            finished: None,
            last_error: String::new(),
            delivered: 0,
        }
    }

    /// Sends all that `feed` has, and answers how many events that were.
    ///
    /// # Errors
    /// [`Failure`]
    pub(super) async fn ship(&mut self, feed: &mut mpsc::Receiver<Fed>) -> Result<u64, Failure> {
        let mut end = None;
        loop {
            while self.may_send() {
                self.send().await?;
            }
            if self.queue.is_empty() && self.flying.deliveries == 0 {
                if let Some(finished) = self.finished.take() {
                    let _ = finished.send(()); // the reader has gone if it is not there any more
                }
                if let Some(end) = end {
                    self.close().await;
                    return self.ended(end);
                }
            }
            let wants_more = end.is_none() && self.wants_more();
            tokio::select! { biased;
                Some(settled) = self.settled.recv() => self.settle(settled),
                fed = feed.recv(), if wants_more => match fed {
                    Some(Fed::Batch(batch)) => self.enqueue(batch, false),
                    Some(Fed::Finished(finished)) => self.finished = Some(finished),
                    Some(Fed::Failed(reason)) => end = Some(Err(reason)),
                    None => end = Some(Ok(())),
                },
            }
        }
    }

    fn ended(&self, end: Result<(), String>) -> Result<u64, Failure> {
        slog::debug!(self.log, "{} events were delivered", self.delivered);
        match end {
            Ok(()) => Ok(self.delivered),
            Err(reason) => Err(Failure::Input { reason, delivered: self.so_far() }),
        }
    }

    /// Connects to the next host that can be, unless there is one already.
    ///
    /// # Errors
    /// [`Failure::Delivery`]
    pub(super) async fn connect(&mut self) -> Result<usize, Failure> {
        loop {
            let Some(index) = self.current.or_else(|| self.route.pick(clock::now())) else {
                let reason = std::mem::take(&mut self.last_error);
                return Err(Failure::Delivery { reason, delivered: self.so_far() });
            };
            self.current = Some(index);
            let host = &mut self.hosts[index];
            if host.lane.as_ref().is_some_and(Lane::is_usable) {
                return Ok(index);
            }
            match Connection::open(&host.config).await {
                Ok(connection) => host.lane = Some(drive(connection)),
                Err(error) => {
                    host.lane = None;
                    self.route.unreachable(index, clock::now());
                    self.next_host(&error);
                }
            }
        }
    }

    /// The current host has failed.
    fn next_host(&mut self, error: &DeliveryError) {
        self.current = None;
        self.last_error = error.to_string();
        if let Some(next) = self.route.pick(clock::now()) {
            slog::warn!(self.log, "{error}; trying {}", self.hosts[next].config.peer());
        }
    }

    fn wants_more(&self) -> bool {
        self.queue.is_empty() && self.finished.is_none() && self.failed.is_none() && self.has_room()
    }

    /// Whether the next batch can go: at once when none is under way, else as the window of the connection says.
    fn may_send(&self) -> bool {
        !self.queue.is_empty() && self.failed.is_none() && self.has_room()
    }

    fn has_room(&self) -> bool {
        if self.flying.deliveries == 0 {
            return true;
        }
        let lane = self.current.and_then(|host| self.hosts[host].lane.as_ref());
        lane.is_some_and(|lane| {
            let window = if self.route.is_balance() { Window::LOCK_STEP } else { lane.window };
            lane.is_usable() && self.flying.deliveries < window.deliveries && self.flying.bytes < window.bytes
        })
    }

    /// Puts a batch behind the others, in as many pieces as it has to be.
    fn enqueue(&mut self, mut batch: Batch, doubt: bool) {
        while !batch.is_empty() {
            let part = batch.split_to(self.most);
            self.queue.push_back(Delivery { id: self.names.next(), batch: part, doubt });
        }
    }

    async fn send(&mut self) -> Result<(), Failure> {
        let host = self.connect().await?;
        let lane = self.hosts[host].lane.as_ref();
        let (Some(lane), Some(delivery)) = (lane, self.queue.pop_front()) else { return Ok(()) };
        self.flying.deliveries += 1;
        self.flying.bytes += delivery.batch.event_bytes();
        let pending = PendingDelivery { delivery: Some(delivery), host, tell: self.tell.clone() };
        if let Err(mpsc::error::SendError(unsent)) = lane.deliveries.send(pending) {
            unsent.failed(just_ended());
        }
        Ok(())
    }

    fn settle(&mut self, Settled { delivery, host, outcome }: Settled) {
        self.flying.deliveries -= 1;
        self.flying.bytes -= delivery.batch.event_bytes();
        match (outcome, &mut self.failed) {
            (Ok(()), _) => {
                self.delivered += delivery.batch.len() as u64;
                self.route.delivered(host);
                if let Some(lane) = &mut self.hosts[host].lane {
                    lane.proved = true;
                }
                if self.route.is_balance() {
                    self.current = None;
                }
            }
            (Err(_), Some(failed)) => failed.deliveries.push(delivery),
            (Err(error), None) => self.failed = Some(Failed { host, error, deliveries: vec![delivery] }),
        }
        if self.flying.deliveries == 0
            && let Some(failed) = self.failed.take()
        {
            self.failed(failed);
        }
    }

    /// A connection has failed and all that was under way on it is back.
    fn failed(&mut self, Failed { host, error, mut deliveries }: Failed) {
        let lane = self.hosts[host].lane.take();
        self.current = None;
        deliveries.iter_mut().for_each(|delivery| delivery.doubt |= error.leaves_doubt());
        deliveries.sort_by_key(|delivery| delivery.id.sequence);
        deliveries.into_iter().rev().for_each(|delivery| self.queue.push_front(delivery));
        match error {
            // It closed a connection on which nothing was under way, which is no failure.
            DeliveryError::Closed { .. } if lane.is_some_and(|lane| lane.proved) => self.current = Some(host),
            DeliveryError::Refused { events, .. } if self.may_shrink && events > SMALL_BATCH => {
                slog::debug!(self.log, "{error}; going on with batches of {SMALL_BATCH}");
                self.shrink();
            }
            error => {
                self.route.failed(host, clock::now());
                self.next_host(&error);
            }
        }
    }

    /// Goes on with batches as small as those of Flume's client. What was refused was not stored, so that its parts get
    /// new names.
    fn shrink(&mut self) {
        self.may_shrink = false;
        self.most = SMALL_BATCH;
        for delivery in std::mem::take(&mut self.queue) {
            self.enqueue(delivery.batch, delivery.doubt);
        }
    }

    fn so_far(&self) -> Delivered {
        let doubtful = self
            .queue
            .iter()
            .filter(|delivery| delivery.doubt)
            .map(|delivery| delivery.batch.len() as u64)
            .sum();
        Delivered { events: self.delivered, doubtful }
    }

    async fn close(&mut self) {
        for lane in self.hosts.iter_mut().filter_map(|host| host.lane.take()) {
            drop(lane.deliveries);
            let _ = lane.task.await; // however it ended: all that it was given is settled
        }
    }
}

/// Drives a connection on a task of its own, until nobody has more for it.
fn drive(mut connection: Connection<PendingDelivery>) -> Lane {
    let (deliveries, mut coming) = mpsc::unbounded_channel();
    let leaving = Rc::new(Cell::new(false));
    let (window, told) = (connection.window, leaving.clone());
    let task = actix_rt::spawn(async move {
        connection.run(&mut coming, || told.set(true)).await;
        coming.close();
        while let Ok(unsent) = coming.try_recv() {
            unsent.failed(just_ended());
        }
    });
    Lane { deliveries, window, leaving, proved: false, task }
}

fn just_ended() -> DeliveryError {
    DeliveryError::Closed { peer: "the collector".to_owned(), reason: "it has just ended".to_owned() }
}

/// Events that Flume's command-line client sends at a time.
pub(super) const SMALL_BATCH: usize = 5;

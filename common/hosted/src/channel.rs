//! A channel in the JVM, behind the same messages as a native one. A lease is a transaction that its settling ends.

mod actor;

pub(crate) use actor::start;

use crate::host::Host;
use bridge::{BridgeError, Channel, Jvm, Spec, Taking};
use event::{Batch, Origin};
use flow::channel::Holds;
use flow::channel::lease::Settle;
use flow::channel::store::Level;
use flow::error::ChannelError;
use flow::message::PutTimeout;
use runtime::clock::{self, Duration};
use runtime::told::Told;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{sleep, timeout};

/// What is known of a channel natively; it outlives the actor.
pub(crate) struct Books {
    host: Arc<Host>,
    spec: Spec,
    /// Whether what it holds survives the JVM.
    durable: bool,
    /// Whether nobody will find what it keeps once it has ended, and how much that was when its class was asked last.
    leaving: AtomicBool,
    on_disk: AtomicUsize,
    made: tokio::sync::Mutex<Option<Arc<Channel>>>,
    /// Something was stored, or has left.
    moved: Notify,
    stopping: AtomicBool,
    told: Mutex<Told>,
    /// Events that are being stored or wait for that, that are leased, and that were stored and have left since the JVM began.
    storing: AtomicUsize,
    leased: AtomicUsize,
    stored: AtomicU64,
    taken: AtomicU64,
    /// Events that were in it when the JVM began, and what it takes at most, as its class counts them; 0 where that is not known.
    found: AtomicUsize,
    capacity: AtomicUsize,
    /// Whether a sink may have several transactions at a time.
    overlap: bool,
    /// Transactions that are being ended.
    ending: watch::Sender<usize>,
    /// Leases that are not settled.
    open: Mutex<HashMap<u64, (Taking, usize)>>,
    next_lease: AtomicU64,
}

impl Books {
    pub(crate) fn new(host: Arc<Host>, spec: Spec, durable: bool, overlap: bool) -> Arc<Books> {
        Arc::new(Books {
            host,
            spec,
            durable,
            leaving: AtomicBool::new(false),
            on_disk: AtomicUsize::new(0),
            made: tokio::sync::Mutex::default(),
            moved: Notify::new(),
            stopping: AtomicBool::new(false),
            told: Mutex::new(Told::every(TELL_EVERY)),
            storing: AtomicUsize::new(0),
            leased: AtomicUsize::new(0),
            stored: AtomicU64::new(0),
            taken: AtomicU64::new(0),
            found: AtomicUsize::new(0),
            capacity: AtomicUsize::new(0),
            overlap,
            ending: watch::Sender::new(0),
            open: Mutex::default(),
            next_lease: AtomicU64::new(0),
        })
    }

    /// The channel, made when there is none.
    async fn made(&self, log: &slog::Logger) -> Result<Arc<Channel>, BridgeError> {
        let mut made = self.made.lock().await;
        if let Some(made) = &*made {
            return Ok(made.clone());
        }
        let jvm = self.host.jvm(log).await?;
        let new = Channel::create(&jvm, &self.spec).await?;
        new.start().await?;
        // Before anything is stored or leaves.
        self.look(&jvm).await;
        Ok(made.insert(Arc::new(new)).clone())
    }

    /// Has its class say how much it holds and takes, where that counts as Flume's own do.
    async fn look(&self, jvm: &Jvm) {
        let Some((held, capacity)) = self.counted(jvm, COUNTED_WITHIN).await else { return };
        self.found.store(held, Relaxed);
        self.capacity.store(capacity, Relaxed);
    }

    /// What its class counts, if it says so in time.
    async fn counted(&self, jvm: &Jvm, within: Duration) -> Option<(usize, usize)> {
        let figures = timeout(within, jvm.metrics()).await.ok()?.ok()?;
        Some(counted(figures.get(&format!("CHANNEL.{}", self.spec.name))))
    }

    /// Its JVM is gone: the next one that asks makes it anew.
    async fn gone(&self, old: &Arc<Channel>, log: &slog::Logger) {
        if self.made.lock().await.take_if(|now| Arc::ptr_eq(now, old)).is_none() {
            return;
        }
        // Until the next one is there.
        self.found.store(if self.durable { self.held() } else { 0 }, Relaxed);
        let left = self.stored.swap(0, Relaxed).saturating_sub(self.taken.swap(0, Relaxed));
        if !self.durable && left > 0 {
            slog::error!(
                log,
                "channel {}: its JVM has ended with up to {left} events in it, which its class keeps in memory: they are lost",
                self.spec.name
            );
        }
    }

    fn tell(&self, error: &BridgeError, log: &slog::Logger) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.tell(clock::now()).is_some() {
            slog::error!(log, "{error}; it is tried again, and what is sent to the channel waits");
        }
    }

    /// Whether nothing is to be waited for any more.
    fn stops(&self) -> bool {
        self.stopping.load(Relaxed)
    }

    /// Waits until something has moved, at most so long.
    async fn a_move(&self, most: Duration) {
        let _moved_or_late = timeout(most, self.moved.notified()).await;
    }

    async fn put_some(
        &self,
        batches: &[Batch],
        wait: PutTimeout,
        log: &slog::Logger,
    ) -> Result<usize, ChannelError> {
        for (stored, batch) in batches.iter().enumerate() {
            let wait = if stored == 0 { wait } else { PutTimeout::Now };
            match self.put(batch, wait, log).await {
                Ok(()) => {}
                Err(error) if stored == 0 => return Err(error),
                Err(_) => return Ok(stored),
            }
        }
        Ok(batches.len())
    }

    async fn put(&self, batch: &Batch, wait: PutTimeout, log: &slog::Logger) -> Result<(), ChannelError> {
        let (channel, events) = (self.spec.name.clone(), batch.len());
        if events > self.spec.transaction_capacity {
            let limit = self.spec.transaction_capacity;
            return Err(ChannelError::TooLarge { channel, events, limit });
        }
        self.storing.fetch_add(events, Relaxed);
        let stored = loop {
            let error = match self.put_once(batch, log).await {
                Ok(()) => break Ok(()),
                Err(BridgeError::TooLarge { bytes, .. }) => {
                    break Err(ChannelError::TooManyBytes { channel, bytes });
                }
                Err(error) => error,
            };
            if self.stops() {
                break Err(ChannelError::Stopping(channel));
            }
            if wait != PutTimeout::Forever {
                break Err(ChannelError::Failed { channel, reason: error.to_string() });
            }
            if !error.is_full() {
                self.tell(&error, log);
            }
            // The channel itself has waited for its keep-alive, unless it was its JVM that went.
            self.a_move(if matches!(error, BridgeError::Gone(_)) { Duration::ZERO } else { RETRY }).await;
        };
        self.storing.fetch_sub(events, Relaxed);
        stored
    }

    async fn put_once(&self, batch: &Batch, log: &slog::Logger) -> Result<(), BridgeError> {
        let channel = self.made(log).await?;
        let put = channel.put(batch).await;
        match &put {
            Ok(()) => {
                self.stored.fetch_add(batch.len() as u64, Relaxed);
                self.moved.notify_waiters();
            }
            Err(BridgeError::Gone(_)) => self.gone(&channel, log).await,
            Err(_) => {}
        }
        put
    }

    /// Events, as soon as there are any; `None` when it stops.
    async fn take(&self, most: usize, log: &slog::Logger) -> Option<Taking> {
        while !self.stops() {
            let taken = match self.made(log).await {
                Ok(channel) => {
                    let taken = channel.take(most).await;
                    if matches!(taken, Err(BridgeError::Gone(_))) {
                        self.gone(&channel, log).await;
                        continue;
                    }
                    taken
                }
                Err(error) => Err(error),
            };
            match taken {
                Ok(taking) if !taking.batch.is_empty() => return Some(taking),
                // It has waited for its own keep-alive. Others may fill it too, so that it is asked now and then.
                Ok(empty) => {
                    drop(empty);
                    self.a_move(LOOK).await;
                }
                Err(error) => {
                    self.tell(&error, log);
                    self.a_move(RETRY).await;
                }
            }
        }
        None
    }

    fn open(&self) -> std::sync::MutexGuard<'_, HashMap<u64, (Taking, usize)>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it holds, with what was found in it.
    fn held(&self) -> usize {
        let came = (self.found.load(Relaxed) as u64).saturating_add(self.stored.load(Relaxed));
        usize::try_from(came.saturating_sub(self.taken.load(Relaxed))).unwrap_or(usize::MAX)
    }

    /// What would be lost with it.
    fn lost_with_it(&self) -> usize {
        match (self.durable, self.leaving.load(Relaxed)) {
            (true, false) => 0,
            (false, false) => self.left(),
            (_, true) => self.held().max(self.on_disk.load(Relaxed)),
        }
    }

    /// Asks its class how much is left of a channel that leaves and is empty as far as is known here. Takes its time over it, for it
    /// is asked until that is nothing. While nobody answers, that is as it was.
    async fn look_at_disk(&self) {
        sleep(LOOK).await;
        let Some(jvm) = self.host.running() else { return };
        if let Some((held, _)) = self.counted(&jvm, LOOK).await {
            self.on_disk.store(held, Relaxed);
        }
    }

    fn left(&self) -> usize {
        let left = self.stored.load(Relaxed).saturating_sub(self.taken.load(Relaxed));
        usize::try_from(left).unwrap_or(usize::MAX)
    }
}

/// Of a channel whose events do not survive the JVM, or leave with it.
impl Holds for Books {
    fn origins(&self) -> Vec<(Option<Origin>, usize)> {
        let left = self.lost_with_it();
        if left > 0 { vec![(None, left)] } else { Vec::new() }
    }

    fn give_back(&self, _: &dyn Fn(Origin) -> bool) {}

    /// Until its class has said that it is empty, it is not; one that has never come up holds nobody up.
    fn leaves(&self, for_good: bool) {
        let was_up = self.capacity.load(Relaxed) > 0;
        self.on_disk.store(usize::from(self.durable && was_up), Relaxed);
        self.leaving.store(for_good, Relaxed);
    }

    fn one_by_one(&self) -> bool {
        !self.overlap
    }

    /// What was found in it when the JVM began, where its class counts that, and what came and went since.
    fn level(&self) -> Level {
        let (held, leased) = (self.held(), self.leased.load(Relaxed));
        let capacity = self.capacity.load(Relaxed);
        Level { held, leased, bytes: 0, taken: self.taken.load(Relaxed), capacity }
    }

    fn figures(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// Events that a channel's class counts as held, and as its capacity; both 0 where it has no capacity to tell. Such a class of
/// Flume tells no size either, or a wrong one (the pseudo-transaction channel's is its capacity).
fn counted(figures: Option<&BTreeMap<String, String>>) -> (usize, usize) {
    let figure = |key: &str| -> Option<usize> {
        figures?.get(key)?.trim().parse().ok().filter(|figure: &usize| *figure > 0)
    };
    match figure("ChannelCapacity") {
        Some(capacity) => (figure("ChannelSize").unwrap_or(0), capacity),
        None => (0, 0),
    }
}

/// Where leases are settled.
struct Settling {
    books: Arc<Books>,
    ends: mpsc::UnboundedSender<(Taking, usize, bool)>,
}

impl Settle for Settling {
    fn settle(&self, lease: u64, commit: bool) {
        if let Some((taking, events)) = self.books.open().remove(&lease) {
            self.books.ending.send_modify(|ending| *ending += 1);
            // Should the thread be at its end already, the transaction rolls back.
            let _ended = self.ends.send((taking, events, commit));
        }
    }
}

/// Ends transactions. It goes on without the channel's actor for as long as there are leases.
async fn settle(
    books: Arc<Books>,
    mut ended: mpsc::UnboundedReceiver<(Taking, usize, bool)>,
    log: slog::Logger,
) {
    while let Some((taking, events, commit)) = ended.recv().await {
        let (books, log) = (books.clone(), log.clone());
        // Transactions that were open together end together: none waits for another one's disk.
        actix_rt::spawn(async move {
            let outcome = if commit { taking.commit().await } else { taking.rollback().await };
            books.ending.send_modify(|ending| *ending -= 1);
            books.leased.fetch_sub(events, Relaxed);
            match outcome {
                Ok(()) if commit => drop(books.taken.fetch_add(events as u64, Relaxed)),
                Ok(()) => {}
                Err(error) if commit => slog::warn!(
                    log,
                    "channel {}: {events} events were delivered, and it may deliver them again: {error}",
                    books.spec.name
                ),
                Err(error) => slog::debug!(log, "channel {}: {error}", books.spec.name),
            }
            books.moved.notify_waiters();
        });
    }
}

/// Between two tries of something that fails, and of a full channel whose sinks do not take.
const RETRY: Duration = Duration::from_secs(1);
/// A JVM that does not say what its classes count keeps no channel from its start.
const COUNTED_WITHIN: Duration = Duration::from_secs(2);
/// Between two looks at an empty channel that others may fill.
const LOOK: Duration = Duration::from_millis(250);
/// Between two lines about a channel that fails.
const TELL_EVERY: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(size: &str, capacity: &str) -> BTreeMap<String, String> {
        [("ChannelSize", size), ("ChannelCapacity", capacity)]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into()
    }

    #[test]
    fn what_a_class_counts_is_believed_where_it_knows_its_capacity() {
        assert_eq!(
            counted(Some(&figures("100000", "1000000"))),
            (100_000, 1_000_000),
            "a file channel with a backlog"
        );
        assert_eq!(counted(Some(&figures("0", "10000"))), (0, 10_000));
        assert_eq!(counted(Some(&figures("0", "0"))), (0, 0), "a Kafka channel");
        assert_eq!(counted(Some(&figures("50", "0"))), (0, 0), "a pseudo-transaction channel, empty");
        assert_eq!(counted(Some(&figures("many", "-1"))), (0, 0));
        assert_eq!(counted(None), (0, 0), "a class that counts nothing");
    }
}

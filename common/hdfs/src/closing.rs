//! Completes files beside the writing: closes them, gives them their names, recovers those that cannot be closed.

mod listed;

use crate::file::OpenFile;
use crate::ledger::{Ledger, LeftFile, LeftList};
use crate::path::FileNames;
use crate::policy::ClosePolicy;
use crate::store::{Store, StoreError, StoreFile};
use flow::counters::SinkCounters;
use runtime::clock::Duration;
use runtime::told::Told;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};
use tokio::time::{sleep, timeout};

/// Has files completed, so many at a time. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Closer<S> {
    shared: Rc<Shared<S>>,
}

struct Shared<S> {
    store: RefCell<S>,
    ledger: RefCell<Ledger>,
    /// That it cannot be written.
    list_told: RefCell<Told>,
    /// Lists of others whose files may not stand in the own one.
    left: RefCell<Vec<LeftList>>,
    name: String,
    log: slog::Logger,
    counters: Arc<SinkCounters>,
    policy: ClosePolicy,
    call_timeout: Duration,
    at_a_time: Semaphore,
    under_way: Cell<usize>,
    /// Of those, the ones that wait for their next try.
    resting: Cell<usize>,
    one_less: Notify,
}

/// The turn of one file among those that are worked on at a time.
struct Turn<'a> {
    all: &'a Semaphore,
    permit: Option<SemaphorePermit<'a>>,
}

impl Turn<'_> {
    async fn of(all: &Semaphore) -> Turn<'_> {
        Turn { all, permit: all.acquire().await.ok() }
    }

    /// Gives the turn to others for so long.
    async fn pause(&mut self, pause: Duration) {
        self.permit = None;
        sleep(pause).await;
        self.permit = self.all.acquire().await.ok();
    }
}

/// A file that is to be completed.
pub(crate) struct Unfinished {
    pub(crate) names: FileNames,
    /// Bytes of it that are there for sure; what follows may come again in another file. `None` where another process has
    /// left it and nobody knows: all of it counts.
    pub(crate) synced: Option<u64>,
    pub(crate) few_copies: bool,
    /// A copy of these bytes is complete, and takes its place.
    pub(crate) copied: bool,
}

impl Unfinished {
    /// One of which no copy was made.
    pub(crate) fn new(names: FileNames, synced: Option<u64>, few_copies: bool) -> Unfinished {
        Unfinished { names, synced, few_copies, copied: false }
    }

    /// What another process has left. A copy that it had begun goes with its original.
    fn left(files: &[LeftFile]) -> Vec<Unfinished> {
        let of = |in_use: &str| files.iter().find(|file| file.names.in_use == in_use);
        let is_copy = |file: &LeftFile| {
            file.names.in_use.strip_suffix(COPY).is_some_and(|original| of(original).is_some())
        };
        let originals = files.iter().filter(|file| !is_copy(file));
        let unfinished = originals.map(|file| Unfinished {
            copied: of(&copy_of(&file.names).in_use).is_some_and(|copy| copy.synced.is_some()),
            ..Unfinished::new(file.names.clone(), file.synced, false)
        });
        unfinished.collect()
    }
}

/// The copy of a file without the bytes that do not count.
fn copy_of(names: &FileNames) -> FileNames {
    FileNames { in_use: format!("{}{COPY}", names.in_use), complete: names.complete.clone() }
}

impl<S: Store> Closer<S> {
    pub(crate) fn new(
        store: S,
        context: &flow::sink::SinkContext,
        policy: ClosePolicy,
        call_timeout: Duration,
        at_a_time: usize,
    ) -> Closer<S> {
        let shared = Shared {
            store: RefCell::new(store),
            ledger: RefCell::new(Ledger::none()),
            list_told: RefCell::new(Told::once()),
            left: RefCell::default(),
            name: context.name.clone(),
            log: context.log.clone(),
            counters: context.counters.clone(),
            policy,
            call_timeout,
            at_a_time: Semaphore::new(at_a_time),
            under_way: Cell::new(0),
            resting: Cell::new(0),
            one_less: Notify::new(),
        };
        Closer { shared: Rc::new(shared) }
    }

    /// The store, as it is to be used now.
    pub(crate) fn store(&self) -> S {
        self.shared.store.borrow().clone()
    }

    /// A call did not come back: the next ones go over other connections.
    pub(crate) fn renew_store(&self) {
        let renewed = self.store().renewed();
        *self.shared.store.borrow_mut() = renewed;
    }

    /// Files that are being completed.
    pub(crate) fn under_way(&self) -> usize {
        self.shared.under_way.get()
    }

    /// Resolves when no more than `most` files are being completed.
    pub(crate) async fn wait_for(&self, most: usize) {
        while self.under_way() > most {
            self.shared.one_less.notified().await;
        }
    }

    /// Resolves when no more than `most` files are being completed, without those that wait for their next try.
    pub(crate) async fn wait_for_busy(&self, most: usize) {
        while self.under_way() - self.shared.resting.get() > most {
            self.shared.one_less.notified().await;
        }
    }

    /// Completes a file that is well.
    pub(crate) fn close(&self, file: OpenFile<S::File>) {
        let closer = self.clone();
        self.spawn(async move {
            let (names, synced, few_copies) = (file.names.clone(), file.synced, file.few_copies);
            let closed = {
                let _turn = Turn::of(&closer.shared.at_a_time).await;
                closer.bounded(file.close()).await
            };
            match &closed {
                Ok(()) => closer.shared.counters.connection_closed.increment(),
                Err(error) => closer.told(&names.in_use, "closed", error),
            }
            closer.finish(Unfinished::new(names, Some(synced), few_copies), closed.is_ok()).await;
        });
    }

    /// Completes a file that nobody can write to any more.
    pub(crate) fn recover(&self, file: Unfinished) {
        let closer = self.clone();
        self.spawn(async move { closer.finish(file, false).await });
    }

    fn spawn(&self, work: impl Future<Output = ()> + 'static) {
        let shared = self.shared.clone();
        shared.under_way.set(shared.under_way.get() + 1);
        actix::spawn(async move {
            work.await;
            shared.under_way.set(shared.under_way.get() - 1);
            shared.one_less.notify_waiters();
        });
    }

    async fn finish(&self, mut file: Unfinished, mut closed: bool) {
        if let Some(synced) = file.synced.filter(|_| !closed) {
            self.mark(&file.names.in_use, synced);
        }
        for failed in 1.. {
            let mut turn = Turn::of(&self.shared.at_a_time).await;
            let finished = self.try_finish(&mut file, closed, &mut turn).await;
            drop(turn);
            match finished {
                Ok(()) => return self.forget(&file.names.in_use),
                Err(error) => {
                    self.told(&file.names.in_use, "completed", &error);
                    if matches!(error, StoreError::Late(_)) {
                        self.renew_store();
                    }
                }
            }
            closed = false;
            match self.shared.policy.pause(failed) {
                Some(pause) => self.rest(pause).await,
                None => break,
            }
        }
        slog::error!(
            self.shared.log,
            "sink {}: {} is given up after hdfs.closeTries: it keeps its name, with all its events",
            self.shared.name,
            file.names.in_use
        );
    }

    async fn rest(&self, pause: Duration) {
        let resting = &self.shared.resting;
        resting.set(resting.get() + 1);
        self.shared.one_less.notify_waiters();
        sleep(pause).await;
        resting.set(resting.get() - 1);
    }

    async fn try_finish(
        &self,
        file: &mut Unfinished,
        closed: bool,
        turn: &mut Turn<'_>,
    ) -> Result<(), StoreError> {
        let store = self.store();
        if file.copied {
            return self.put_copy(&store, file, turn).await;
        }
        let names = &file.names;
        if !closed {
            if self.bounded(store.length(&names.in_use)).await?.is_none() {
                return Ok(());
            }
            self.recover_lease(&store, names, turn).await?;
            let Some(length) = self.bounded(store.length(&names.in_use)).await? else { return Ok(()) };
            let synced = file.synced.unwrap_or(length);
            if synced == 0 {
                return self.bounded(store.remove(&names.in_use)).await;
            }
            if length < synced {
                slog::error!(
                    self.shared.log,
                    "sink {}: {} has {length} bytes, and {synced} were acknowledged: the others are lost",
                    self.shared.name,
                    names.in_use
                );
            }
            if length > synced {
                return self.cut(&store, file, synced, turn).await;
            }
        }
        self.rename(&store, &names.in_use, &names.complete).await?;
        if file.few_copies {
            self.bounded(store.restore_copies(&names.complete)).await?;
        }
        Ok(())
    }

    /// Waits until a file has no writer any more. Others have the turn between the looks.
    async fn recover_lease(
        &self,
        store: &S,
        names: &FileNames,
        turn: &mut Turn<'_>,
    ) -> Result<(), StoreError> {
        let mut looks = 0;
        while !self.bounded(store.recover(&names.in_use)).await? {
            looks += 1;
            if looks > MOST_LOOKS {
                return Err(StoreError::Failed(
                    "HDFS does not end the recovery of its last block".to_owned(),
                ));
            }
            turn.pause(BETWEEN_LOOKS).await;
        }
        Ok(())
    }

    /// Writes the first `synced` bytes of a file anew: what follows stands in another file.
    async fn cut(
        &self,
        store: &S,
        file: &mut Unfinished,
        synced: u64,
        turn: &mut Turn<'_>,
    ) -> Result<(), StoreError> {
        let (in_use, cut) = (&file.names.in_use, copy_of(&file.names));
        self.note(&cut);
        if self.bounded(store.length(&cut.in_use)).await?.is_some() {
            self.recover_lease(store, &cut, turn).await?;
            self.bounded(store.remove(&cut.in_use)).await?;
        }
        let mut copy = self.bounded(store.create(&cut.in_use, None)).await?;
        let mut at = 0;
        while at < synced {
            let bytes = self.bounded(store.read(in_use, at, synced.min(at + COPIED_BYTES))).await?;
            if bytes.is_empty() {
                return Err(StoreError::Failed(format!("it cannot be read at byte {at}")));
            }
            at += bytes.len() as u64;
            self.bounded(copy.append(bytes)).await?;
        }
        self.bounded(copy.sync()).await?;
        self.bounded(copy.close()).await?;
        // From here on only the copy counts, whatever fails: a second one would double all of it.
        self.mark(&cut.in_use, synced);
        file.copied = true;
        self.put_copy(store, file, turn).await
    }

    /// The copy gets the name of its original, which goes.
    async fn put_copy(
        &self,
        store: &S,
        file: &mut Unfinished,
        turn: &mut Turn<'_>,
    ) -> Result<(), StoreError> {
        let names = &file.names;
        let cut = copy_of(names);
        // Without one it has its name already, and the answer was lost, or who has made it was killed then.
        if self.bounded(store.length(&cut.in_use)).await?.is_some() {
            self.recover_lease(store, &cut, turn).await?;
            self.rename(store, &cut.in_use, &cut.complete).await?;
        } else if self.bounded(store.length(&cut.complete)).await?.is_none()
            && self.bounded(store.length(&names.in_use)).await?.is_some()
        {
            // Somebody has taken it away: the original is not given up for a copy that is not there.
            file.copied = false;
            return Err(StoreError::Failed("its copy is not there".to_owned()));
        }
        match self.bounded(store.remove(&names.in_use)).await {
            Ok(()) | Err(StoreError::Missing) => self.forget(&cut.in_use),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Gives a file its name, or the next one that is free: no file is ever written over.
    async fn rename(&self, store: &S, from: &str, to: &str) -> Result<(), StoreError> {
        // Of a file that is kept here, `rename` is the upload.
        if from == to && !S::KEPT_HERE {
            return Ok(());
        }
        let mut name = to.to_owned();
        for number in 1..MOST_NAMES {
            let renamed = match S::KEPT_HERE {
                true => store.rename(from, &name).await,
                false => self.bounded(store.rename(from, &name)).await,
            };
            match renamed {
                Err(StoreError::Exists) => name = format!("{to}.{number}"),
                // The answer to an earlier try may have been lost.
                Err(StoreError::Missing) if self.bounded(store.length(&name)).await?.is_some() => {
                    return Ok(());
                }
                done => return done,
            }
        }
        Err(StoreError::Exists)
    }

    async fn bounded<T>(&self, call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let late = StoreError::Late(self.shared.call_timeout.as_millis());
        timeout(self.shared.call_timeout, call).await.unwrap_or(Err(late))
    }

    fn told(&self, path: &str, done: &str, error: &StoreError) {
        self.shared.counters.connection_failed.increment();
        slog::warn!(
            self.shared.log,
            "sink {}: {path} cannot be {done} yet: {error}; no event is lost, it is tried again",
            self.shared.name
        );
    }
}

/// Between two questions whether a lease is recovered, which takes one to three seconds.
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);
/// After so many, a minute of them, it is tried anew when `hdfs.retryInterval` has passed. Waiting for a turn does not count.
const MOST_LOOKS: u32 = 120;
/// Behind the name of a copy while it is written.
const COPY: &str = ".cut";
/// Read at once when a file is written anew.
const COPIED_BYTES: u64 = 4 << 20;
/// Names that are tried for one file.
const MOST_NAMES: u32 = 1000;

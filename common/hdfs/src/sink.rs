//! Writes deliveries to files. A delivery has arrived when each of its events is synced in one.
//!
//! One error ends a file: what of it was synced stays, a new file takes the events again, and the old one is completed
//! later, by recovery of its lease. Closing and renaming never hold up writing.

use crate::closing::Closer;
use crate::config::Config;
use crate::format::{Content, Schemas};
use crate::ledger::Ledger;
use crate::path::Buckets;
use crate::sort::{Key, Sorted, sort};
use crate::store::{Store, StoreError};
use crate::table::{Bucket, Table};
use event::Batch;
use flow::error::DeliveryError;
use flow::message::Window;
use flow::sink::SinkContext;
use flow::sink::remote::AsyncSink;
use futures_util::{StreamExt, stream};
use runtime::clock::{self, Duration, Instant};
use runtime::random::{Random, Unique};
use runtime::told::Told;
use std::future::pending;
use tokio::time::{sleep_until, timeout};

mod progress;
mod schema;
mod writer;

use progress::Progress;
use writer::{Writer, Written};

/// The sink.
pub(crate) struct HdfsSink<S: Store> {
    writer: Writer<S>,
    buckets: Buckets,
    schemas: Option<Schemas>,
    table: Table<S::File>,
    progress: Progress,
    random: Random,
    /// The highest counter of all files so far: no name is used twice, as the first file of that name may still be recovered.
    highest: i64,
    started: bool,
    untimed: Told,
    schema_failures: Told,
}

/// What came of a delivery.
#[derive(Default)]
struct Outcome {
    /// What can be written nowhere, with the reason.
    hopeless: Vec<(Batch, String)>,
    /// What is to be tried again.
    unwritten: Vec<Batch>,
    /// Why, of one of them.
    failed: Option<DeliveryError>,
}

impl<S: Store> HdfsSink<S> {
    pub(crate) fn new(store: S, config: Config, context: &SinkContext) -> HdfsSink<S> {
        let closer = Closer::new(store, context, config.closing, config.call_timeout, config.at_a_time);
        let schemas =
            matches!(config.content, Content::Container(..)).then(|| Schemas::new(config.schema_url.clone()));
        HdfsSink {
            buckets: config.buckets(),
            schemas,
            table: Table::new(config.most_open),
            progress: Progress::default(),
            random: Random::from_system(),
            highest: 0,
            started: false,
            untimed: Told::once(),
            schema_failures: Told::every(SCHEMA_FAILS_FOR),
            writer: Writer {
                name: context.name.clone(),
                log: context.log.clone(),
                counters: context.counters.clone(),
                config,
                closer,
            },
        }
    }

    /// Looks for what an earlier run has left, once the store answers.
    async fn start(&mut self) {
        let Writer { name, log, config, closer, .. } = &self.writer;
        match Ledger::begin(&config.state, &config.written_path, Unique::from_system().draw()) {
            Ok((ledger, left)) => {
                closer.set_ledger(ledger);
                closer.sweep(left).await;
            }
            Err(error) => slog::warn!(
                log,
                "sink {name}: no list of open files can be kept in {} ({error}): if this process is killed, its files \
                keep their names of files in use; let it write there, or set hdfs.stateDir",
                config.state.display()
            ),
        }
    }

    /// Sorts a delivery; reads schemas that were not met before.
    async fn sorted(&mut self, batches: &[Batch], arrival: i64) -> Result<Sorted, DeliveryError> {
        if let Some(schemas) = &mut self.schemas
            && self.schema_failures.tell(clock::now()).is_some()
        {
            schemas.forget_failures();
        }
        loop {
            let sorted = sort(batches, arrival, &mut self.buckets, self.schemas.as_mut());
            let Some(schemas) = self.schemas.as_mut().filter(|_| !sorted.unread.is_empty()) else {
                self.say_untimed();
                return Ok(sorted);
            };
            for url in &sorted.unread {
                let text = self.writer.read_schema(url).await?;
                schemas.read(url, text);
            }
        }
    }

    fn say_untimed(&mut self) {
        if self.buckets.untimed() > 0 && self.untimed.tell(clock::now()).is_some() {
            slog::warn!(
                self.writer.log,
                "sink {}: events come without a usable header `timestamp`, and hdfs.path or hdfs.filePrefix has the time \
                in it: they go where the time of their arrival says; add a timestamp interceptor, or set \
                hdfs.useLocalTimeStamp",
                self.writer.name
            );
        }
    }

    /// Writes the parts of a delivery, several at a time. One that fails holds up no other.
    async fn write(&mut self, parts: Vec<(Key, Vec<Batch>)>, arrival: i64, now: Instant) -> Outcome {
        let mut jobs = Vec::with_capacity(parts.len());
        for (key, batches) in parts {
            let bucket = self.table.take(&key).unwrap_or_else(|| Bucket::new(arrival.max(self.highest)));
            let random = Random::seeded(self.random.next());
            jobs.push(self.writer.write(key, bucket, batches.into(), arrival, now, random));
        }
        let at_a_time = self.writer.config.at_a_time;
        let written: Vec<Written<S::File>> = stream::iter(jobs).buffer_unordered(at_a_time).collect().await;
        let mut all = Outcome::default();
        for Written { key, bucket, outcome, pending } in written {
            match outcome {
                Ok(()) => {}
                Err(StoreError::BadPath(reason)) => {
                    all.hopeless.extend(pending.into_iter().map(|batch| (batch, reason.clone())));
                }
                Err(error) => {
                    all.unwritten.extend(pending);
                    all.failed = Some(DeliveryError::Write {
                        what: format!("files in {}{}", self.writer.config.file_system(), key.place.directory),
                        reason: error.to_string(),
                    });
                }
            }
            self.highest = self.highest.max(bucket.counter);
            self.table.put(key, bucket);
        }
        for file in self.table.too_many() {
            self.writer.closer.close(file);
        }
        all
    }

    /// Writes what is left of a delivery, and puts aside what can be written nowhere.
    async fn write_or_bury(&mut self, sorted: Sorted, arrival: i64, now: Instant) -> Outcome {
        let Sorted { parts, mut hopeless, .. } = sorted;
        let mut all = self.write(parts, arrival, now).await;
        hopeless.append(&mut all.hopeless);
        if let Err((error, unburied)) = self.writer.bury(hopeless, arrival).await {
            all.unwritten.extend(unburied);
            all.failed.get_or_insert(error);
        }
        all
    }

    fn close_due(&mut self, now: Instant) {
        for file in self.table.due(&self.writer.config.roll, now) {
            self.writer.closer.close(file);
        }
    }
}

impl<S: Store> AsyncSink for HdfsSink<S> {
    /// A sync takes about as long for one batch as for those that wait behind it.
    const TOGETHER: bool = true;

    async fn open(&mut self) -> Result<Window, DeliveryError> {
        let store = self.writer.closer.store();
        let limit = self.writer.config.call_timeout;
        let late = StoreError::Late(limit.as_millis());
        if let Err(error) = timeout(limit, store.probe()).await.unwrap_or(Err(late)) {
            self.writer.closer.renew_store();
            return Err(DeliveryError::Unreachable {
                peer: self.writer.config.written_path.clone(),
                reason: error.to_string(),
            });
        }
        if !std::mem::replace(&mut self.started, true) {
            self.start().await;
        }
        Ok(Window::LOCAL)
    }

    async fn deliver(&mut self, batches: &[Batch]) -> Result<(), DeliveryError> {
        let (now, arrival) = (clock::now(), clock::epoch_millis());
        self.close_due(now);
        self.writer.closer.wait_for_busy(S::MOST_CLOSING).await;
        let rest = self.progress.rest_of(batches);
        let sorted = self.sorted(&rest, arrival).await?;
        let Outcome { unwritten, failed, .. } = self.write_or_bury(sorted, arrival, now).await;
        match failed {
            None => {
                self.progress.arrived(batches);
                Ok(())
            }
            Some(error) => {
                self.progress.failed(batches, &rest, &unwritten);
                Err(error)
            }
        }
    }

    /// Closes files whose time has come.
    async fn ended(&mut self) -> DeliveryError {
        loop {
            match self.table.next_due(&self.writer.config.roll) {
                Some(due) => sleep_until(due).await,
                None => pending().await,
            }
            self.close_due(clock::now());
        }
    }

    async fn close(&mut self) {
        for file in self.table.all() {
            self.writer.closer.close(file);
        }
        let closer = &self.writer.closer;
        if timeout(LONGEST_CLOSE, closer.wait_for(0)).await.is_err() {
            slog::warn!(
                self.writer.log,
                "sink {}: {} files are not complete yet: all their events are there, and the next start completes them",
                self.writer.name,
                closer.under_way()
            );
        }
        closer.end();
    }
}

/// How long a schema that cannot be read is not asked for again.
const SCHEMA_FAILS_FOR: Duration = Duration::from_secs(60);
/// A stop does not wait longer for files to be completed: the next start does what is left.
const LONGEST_CLOSE: Duration = Duration::from_secs(4);

#[cfg(test)]
mod tests;

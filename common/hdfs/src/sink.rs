//! Writes deliveries to files. A delivery has arrived when each of its events is synced in one.
//!
//! One error ends a file: what of it was synced stays, a new file takes the events again, and the old one is completed
//! later, by recovery of its lease. Closing and renaming never hold up writing.

use crate::closing::{Closer, Unfinished};
use crate::config::Config;
use crate::file::OpenFile;
use crate::format::{Content, Schemas};
use crate::ledger::Ledger;
use crate::path::{Buckets, FileNames};
use crate::policy::{MOST_ATTEMPTS, attempt_limit, replication};
use crate::sort::{Key, Sorted, sort};
use crate::store::{Hadoop, RemoteStore, Store, StoreError};
use crate::table::{Bucket, Table};
use components::dead::{bury, with_reasons};
use event::Batch;
use flow::counters::SinkCounters;
use flow::error::DeliveryError;
use flow::message::Window;
use flow::sink::SinkContext;
use flow::sink::remote::AsyncSink;
use futures_util::{StreamExt, stream};
use runtime::clock::{self, Duration, Instant};
use runtime::random::{Random, Unique};
use runtime::told::Told;
use std::collections::VecDeque;
use std::future::pending;
use std::sync::Arc;
use tokio::time::{sleep, sleep_until, timeout};

/// The sink.
pub(crate) struct HdfsSink<S: Store> {
    writer: Writer<S>,
    buckets: Buckets,
    schemas: Option<Schemas>,
    table: Table<S::File>,
    random: Random,
    /// The highest counter of all files so far: no name is used twice, as the first file of that name may still be recovered.
    highest: i64,
    started: bool,
    untimed: Told,
    schema_failures: Told,
}

/// What the writers of all files share.
struct Writer<S: Store> {
    name: String,
    log: slog::Logger,
    counters: Arc<SinkCounters>,
    config: Config,
    closer: Closer<S>,
}

/// What came of a part of a delivery.
struct Written<F> {
    key: Key,
    bucket: Bucket<F>,
    outcome: Result<(), StoreError>,
    /// What is not there.
    pending: VecDeque<Batch>,
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
    fn start(&mut self) {
        let Writer { name, log, config, closer, .. } = &self.writer;
        match Ledger::begin(&config.state, &config.written_path, Unique::from_system().draw()) {
            Ok((ledger, left)) => {
                closer.set_ledger(ledger);
                closer.sweep(left);
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

    /// Writes the parts of a delivery, several at a time, and gives back what cannot be written anywhere.
    async fn write(
        &mut self,
        sorted: Sorted,
        arrival: i64,
        now: Instant,
    ) -> Result<Vec<(Batch, String)>, DeliveryError> {
        let Sorted { parts, mut hopeless, .. } = sorted;
        let mut jobs = Vec::with_capacity(parts.len());
        for (key, batches) in parts {
            let bucket = self.table.take(&key).unwrap_or_else(|| Bucket::new(arrival.max(self.highest)));
            let random = Random::seeded(self.random.next());
            jobs.push(self.writer.write(key, bucket, batches.into(), arrival, now, random));
        }
        let at_a_time = self.writer.config.at_a_time;
        let written: Vec<Written<S::File>> = stream::iter(jobs).buffer_unordered(at_a_time).collect().await;
        let mut failed = None;
        for Written { key, bucket, outcome, pending } in written {
            match outcome {
                Ok(()) => {}
                Err(StoreError::BadPath(reason)) => {
                    hopeless.extend(pending.into_iter().map(|batch| (batch, reason.clone())));
                }
                Err(error) => failed = Some((key.clone(), error)),
            }
            self.highest = self.highest.max(bucket.counter);
            self.table.put(key, bucket);
        }
        for file in self.table.too_many() {
            self.writer.closer.close(file);
        }
        match failed {
            None => Ok(hopeless),
            Some((key, error)) => Err(DeliveryError::Write {
                what: format!("files in {}{}", self.writer.config.file_system(), key.place.directory),
                reason: error.to_string(),
            }),
        }
    }

    fn close_due(&mut self, now: Instant) {
        for file in self.table.due(&self.writer.config.roll, now) {
            self.writer.closer.close(file);
        }
    }
}

impl<S: Store> AsyncSink for HdfsSink<S> {
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
            self.start();
        }
        Ok(Window::LOCAL)
    }

    async fn deliver(&mut self, batches: &[Batch]) -> Result<(), DeliveryError> {
        let (now, arrival) = (clock::now(), clock::epoch_millis());
        self.close_due(now);
        self.writer.closer.wait_for_busy(MOST_CLOSING).await;
        let sorted = self.sorted(batches, arrival).await?;
        let hopeless = self.write(sorted, arrival, now).await?;
        self.writer.bury(hopeless, arrival)
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

impl<S: Store> Writer<S> {
    /// Writes `pending` to the files of one bucket.
    async fn write(
        &self,
        key: Key,
        mut bucket: Bucket<S::File>,
        mut pending: VecDeque<Batch>,
        arrival: i64,
        now: Instant,
        mut random: Random,
    ) -> Written<S::File> {
        let (mut attempt, mut refused) = (0, 0);
        while !pending.is_empty() {
            let mut making = None;
            let limit = attempt_limit(attempt, self.config.call_timeout);
            let step = async {
                if bucket.file.as_ref().is_some_and(|file| self.config.roll.is_full(&file.filled))
                    && let Some(full) = bucket.file.take()
                {
                    self.closer.close(full);
                }
                if bucket.file.is_none() {
                    bucket.file =
                        Some(self.make(&key, &mut bucket.counter, &mut making, attempt, &mut random).await?);
                }
                match &mut bucket.file {
                    Some(file) => file.write(&mut pending, arrival, &self.config.roll, now).await,
                    None => Ok(()),
                }
            };
            let late = StoreError::Late(limit.as_millis());
            let Err(error) = timeout(limit, step).await.unwrap_or(Err(late)) else {
                attempt = 0;
                continue;
            };
            attempt += 1;
            refused += u32::from(matches!(error, StoreError::BadPath(_)));
            // The store itself says no, and will the next time. Its group tells the error.
            let is_away =
                bucket.file.is_none() && matches!(error, StoreError::Failed(_) | StoreError::Refused(_));
            self.leave(&mut bucket, making, &error, is_away);
            if is_away || attempt >= MOST_ATTEMPTS || refused >= MOST_REFUSALS {
                return Written { key, bucket, outcome: Err(error), pending };
            }
        }
        Written { key, bucket, outcome: Ok(()), pending }
    }

    /// Makes the next file of a bucket. `making` is its names as long as nobody knows whether it is there.
    async fn make(
        &self,
        key: &Key,
        counter: &mut i64,
        making: &mut Option<FileNames>,
        attempt: u32,
        random: &mut Random,
    ) -> Result<OpenFile<S::File>, StoreError> {
        let store = self.closer.store();
        loop {
            *counter += 1;
            let names = self.config.names.of(&key.place.directory, &key.place.prefix, *counter);
            self.closer.note(&names);
            let in_use = making.insert(names).in_use.clone();
            let made = store.create(&in_use, replication(attempt)).await;
            let names = match (&made, making.take()) {
                (Err(StoreError::Exists), Some(_)) => {
                    self.closer.forget(&in_use);
                    continue;
                }
                (Err(StoreError::BadPath(_) | StoreError::Refused(_)), _) => {
                    self.closer.forget(&in_use);
                    None
                }
                (Err(_), names) => {
                    *making = names;
                    None
                }
                (Ok(_), names) => names,
            };
            let file = made?;
            let Some(names) = names else { return Err(StoreError::Missing) };
            slog::info!(self.log, "Creating {in_use}");
            self.counters.connection_created.increment();
            let encoder = self.config.content.encoder(key.schema.as_ref(), random);
            return Ok(OpenFile::new(names, file, encoder, clock::now(), attempt > 0));
        }
    }

    /// A file has failed, or could not be made: it is completed later, without what is not synced.
    fn leave(
        &self,
        bucket: &mut Bucket<S::File>,
        making: Option<FileNames>,
        error: &StoreError,
        is_away: bool,
    ) {
        self.counters.connection_failed.increment();
        let file = bucket.file.take();
        if !is_away {
            let names = file.as_ref().map(|file| &file.names).or(making.as_ref());
            slog::warn!(
                self.log,
                "sink {}: {} cannot be written: {error}; the events go to a new file, what was acknowledged stays in it",
                self.name,
                names.map(|names| names.in_use.as_str()).unwrap_or_default()
            );
        }
        if let Some(OpenFile { names, synced, few_copies, .. }) = file {
            self.closer.recover(Unfinished { names, synced: Some(synced), few_copies });
        }
        // With many of them the store is away: what it has made all the same, the next start finds in the list.
        if let Some(names) = making.filter(|_| self.closer.under_way() < MOST_CLOSING) {
            self.closer.recover(Unfinished { names, synced: Some(0), few_copies: false });
        }
        if matches!(error, StoreError::Late(_)) {
            self.closer.renew_store();
        }
    }

    /// Puts events aside that can never be written.
    fn bury(&self, hopeless: Vec<(Batch, String)>, arrival: i64) -> Result<(), DeliveryError> {
        let mut by_reason: Vec<(String, Vec<Batch>)> = Vec::new();
        for (batch, reason) in hopeless {
            match by_reason.iter_mut().find(|(known, _)| *known == reason) {
                Some((_, batches)) => batches.push(batch),
                None => by_reason.push((reason, vec![batch])),
            }
        }
        for (reason, batches) in by_reason {
            let directory = &self.config.dead_letters;
            for batch in &batches {
                let told = with_reasons(batch.events().map(|event| (event, reason.as_str())), REASON);
                let path = bury(directory, &told, arrival).map_err(|error| DeliveryError::Write {
                    what: format!("dead letters to {}", directory.display()),
                    reason: error.to_string(),
                })?;
                self.counters.event_write_fail.add(batch.len());
                slog::error!(
                    self.log,
                    "sink {}: {} events can never be written: {reason}; they stand in {}",
                    self.name,
                    batch.len(),
                    path.display()
                );
            }
        }
        Ok(())
    }

    /// Reads the schema at `url`. The inner error is final.
    async fn read_schema(&self, url: &str) -> Result<Result<String, String>, DeliveryError> {
        let mut failure = String::new();
        for _ in 0..MOST_REFUSALS {
            match timeout(self.config.call_timeout, self.schema(url)).await {
                Ok(Ok(text)) => return Ok(Ok(text)),
                Ok(Err(StoreError::Missing | StoreError::BadPath(_))) => {
                    failure = format!("its schema is not at {}", plan::quoted(url));
                }
                Ok(Err(error)) => {
                    let what = format!("events whose schema is at {url}");
                    return Err(DeliveryError::Write { what, reason: error.to_string() });
                }
                Err(_) => {
                    let what = format!("events whose schema is at {url}");
                    let reason = StoreError::Late(self.config.call_timeout.as_millis()).to_string();
                    return Err(DeliveryError::Write { what, reason });
                }
            }
            sleep(BETWEEN_REFUSALS).await;
        }
        Ok(Err(failure))
    }

    async fn schema(&self, url: &str) -> Result<String, StoreError> {
        let bytes = if let Some(path) = url.strip_prefix("file:") {
            tokio::fs::read(format!("/{}", path.trim_start_matches('/'))).await?
        } else if let Some((host, path)) = url.strip_prefix("hdfs://").and_then(|rest| rest.split_once('/')) {
            let hadoop = Hadoop { url: format!("hdfs://{host}"), ..self.config.hadoop() };
            let store = RemoteStore::new(hadoop);
            store.read(&format!("/{path}"), 0, MOST_SCHEMA_BYTES).await?.to_vec()
        } else {
            return Err(StoreError::BadPath("only hdfs:// and file:// are read".to_owned()));
        };
        String::from_utf8(bytes).map_err(|_| StoreError::BadPath("it is no text".to_owned()))
    }
}

/// How often a path or a schema is tried before its events are put aside.
const MOST_REFUSALS: u32 = 3;
const BETWEEN_REFUSALS: Duration = Duration::from_millis(300);
/// How long a schema that cannot be read is not asked for again.
const SCHEMA_FAILS_FOR: Duration = Duration::from_secs(60);
/// Schemas are small.
const MOST_SCHEMA_BYTES: u64 = 4 << 20;
/// Files that are being completed, before writing waits for some of them.
const MOST_CLOSING: usize = 256;
/// The header that says why an event could not be written.
const REASON: &str = "hdfs.reason";
/// A stop does not wait longer for files to be completed: the next start does what is left.
const LONGEST_CLOSE: Duration = Duration::from_secs(4);

#[cfg(test)]
mod tests;

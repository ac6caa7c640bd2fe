//! Writes a part of a delivery to the files of its bucket: an error ends a file, and the events go to the next one.

use super::schema;
use crate::closing::{Closer, Unfinished};
use crate::config::Config;
use crate::file::OpenFile;
use crate::path::FileNames;
use crate::policy::{MOST_ATTEMPTS, attempt_limit, replication};
use crate::sort::Key;
use crate::store::{Store, StoreError};
use crate::table::Bucket;
use components::dead::{bury, with_reasons};
use event::Batch;
use flow::counters::SinkCounters;
use flow::error::DeliveryError;
use runtime::clock::{self, Duration, Instant};
use runtime::random::Random;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::time::{sleep, timeout};

/// What the writers of all files share.
pub(super) struct Writer<S: Store> {
    pub(super) name: String,
    pub(super) log: slog::Logger,
    pub(super) counters: Arc<SinkCounters>,
    pub(super) config: Config,
    pub(super) closer: Closer<S>,
}

/// What came of a part of a delivery.
pub(super) struct Written<F> {
    pub(super) key: Key,
    pub(super) bucket: Bucket<F>,
    pub(super) outcome: Result<(), StoreError>,
    /// What is not there.
    pub(super) pending: VecDeque<Batch>,
}

impl<S: Store> Writer<S> {
    /// Writes `pending` to the files of one bucket.
    pub(super) async fn write(
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
                    Some(file) => {
                        file.write(&mut pending, arrival, &self.config.roll, now).await?;
                        self.closer.synced(&file.names.in_use, file.synced);
                        Ok(())
                    }
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
            if S::KEPT_HERE
                && let Err(error) = self.closer.force_list().await
            {
                self.closer.forget(&names.in_use);
                return Err(error);
            }
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
            self.closer.synced(&in_use, 0);
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
            self.closer.recover(Unfinished::new(names, Some(synced), few_copies));
        }
        // With many of them the store is away: what it has made all the same, the next start finds in the list.
        if let Some(names) = making.filter(|_| self.closer.under_way() < S::MOST_CLOSING) {
            self.closer.recover(Unfinished::new(names, Some(0), false));
        }
        if matches!(error, StoreError::Late(_)) {
            self.closer.renew_store();
        }
    }

    /// Puts events aside that can never be written: one file for each reason. With an error comes what is not put aside.
    pub(super) async fn bury(
        &self,
        hopeless: Vec<(Batch, String)>,
        arrival: i64,
    ) -> Result<(), (DeliveryError, Vec<Batch>)> {
        let mut by_reason: Vec<(String, Vec<Batch>)> = Vec::new();
        for (batch, reason) in hopeless {
            match by_reason.iter_mut().find(|(known, _)| *known == reason) {
                Some((_, batches)) => batches.push(batch),
                None => by_reason.push((reason, vec![batch])),
            }
        }
        let directory = &self.config.dead_letters;
        let mut by_reason = by_reason.into_iter();
        while let Some((reason, batches)) = by_reason.next() {
            let events = batches.iter().map(Batch::len).sum();
            let told = batches.iter().flat_map(Batch::events).map(|event| (event, reason.as_str()));
            let buried = bury(directory.clone(), with_reasons(told, REASON), arrival).await;
            let path = match buried {
                Ok(path) => path,
                Err(error) => {
                    let what = format!("dead letters to {}", directory.display());
                    let left = by_reason.flat_map(|(_, batches)| batches);
                    let left = batches.into_iter().chain(left).collect();
                    return Err((DeliveryError::Write { what, reason: error.to_string() }, left));
                }
            };
            self.counters.event_write_fail.add(events);
            slog::error!(
                self.log,
                "sink {}: {events} events can never be written: {reason}; they stand in {}",
                self.name,
                path.display()
            );
        }
        Ok(())
    }

    /// Reads the schema at `url`. The inner error is final.
    pub(super) async fn read_schema(&self, url: &str) -> Result<Result<String, String>, DeliveryError> {
        let mut failure = String::new();
        let place = plan::quoted(&plan::secret::without_log_ins(url));
        for _ in 0..MOST_REFUSALS {
            match timeout(self.config.call_timeout, schema::read(url, &self.config)).await {
                Ok(Ok(text)) => return Ok(Ok(text)),
                Ok(Err(StoreError::Missing | StoreError::BadPath(_))) => {
                    failure = format!("its schema is not at {place}");
                }
                Ok(Err(error)) => {
                    let what = format!("events whose schema is at {place}");
                    return Err(DeliveryError::Write { what, reason: error.to_string() });
                }
                Err(_) => {
                    let what = format!("events whose schema is at {place}");
                    let reason = StoreError::Late(self.config.call_timeout.as_millis()).to_string();
                    return Err(DeliveryError::Write { what, reason });
                }
            }
            sleep(BETWEEN_REFUSALS).await;
        }
        Ok(Err(failure))
    }
}

/// How often a path or a schema is tried before its events are put aside.
const MOST_REFUSALS: u32 = 3;
const BETWEEN_REFUSALS: Duration = Duration::from_millis(300);
/// The header that says why an event could not be written.
const REASON: &str = "hdfs.reason";

//! The files that are open, by what they are about.

use crate::file::OpenFile;
use crate::policy::RollPolicy;
use crate::sort::Key;
use runtime::clock::Instant;
use std::collections::HashMap;

/// A place and its file, one after the other.
#[derive(Debug)]
pub(crate) struct Bucket<F> {
    /// Of the last file. Source: Flume begins at the time in milliseconds, and adds one before each file.
    pub(crate) counter: i64,
    pub(crate) file: Option<OpenFile<F>>,
}

impl<F> Bucket<F> {
    /// Of a place that was not met before, or not for a while.
    pub(crate) fn new(millis: i64) -> Bucket<F> {
        Bucket { counter: millis, file: None }
    }
}

/// All buckets with an open file.
#[derive(Debug)]
pub(crate) struct Table<F> {
    buckets: HashMap<Key, Bucket<F>>,
    most: usize,
}

impl<F> Table<F> {
    /// For `most` open files.
    pub(crate) fn new(most: usize) -> Table<F> {
        Table { buckets: HashMap::new(), most }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.buckets.len()
    }

    /// Takes a bucket out, to write to it.
    pub(crate) fn take(&mut self, key: &Key) -> Option<Bucket<F>> {
        self.buckets.remove(key)
    }

    /// Puts a bucket back; one without a file is forgotten.
    pub(crate) fn put(&mut self, key: Key, bucket: Bucket<F>) {
        if bucket.file.is_some() {
            self.buckets.insert(key, bucket);
        }
    }

    /// Takes out the files that were not used for longest, until there is room.
    pub(crate) fn too_many(&mut self) -> Vec<OpenFile<F>> {
        let Some(more) = self.buckets.len().checked_sub(self.most).filter(|more| *more > 0) else {
            return Vec::new();
        };
        let used = |(key, bucket): (&Key, &Bucket<F>)| Some((bucket.file.as_ref()?.filled.used, key.clone()));
        let mut all: Vec<(Instant, Key)> = self.buckets.iter().filter_map(used).collect();
        all.sort_by_key(|(used, _)| *used);
        all.into_iter().take(more).filter_map(|(_, key)| self.buckets.remove(&key)?.file).collect()
    }

    /// When the next file is to be closed.
    pub(crate) fn next_due(&self, policy: &RollPolicy) -> Option<Instant> {
        self.files().filter_map(|file| policy.due(&file.filled)).min()
    }

    /// Takes out the files whose time has come.
    pub(crate) fn due(&mut self, policy: &RollPolicy, now: Instant) -> Vec<OpenFile<F>> {
        let is_due = |bucket: &Bucket<F>| {
            bucket.file.as_ref().and_then(|file| policy.due(&file.filled)).is_some_and(|due| due <= now)
        };
        let due: Vec<Key> =
            self.buckets.iter().filter(|(_, bucket)| is_due(bucket)).map(|(key, _)| key.clone()).collect();
        due.iter().filter_map(|key| self.buckets.remove(key)?.file).collect()
    }

    /// Takes out all files.
    pub(crate) fn all(&mut self) -> Vec<OpenFile<F>> {
        self.buckets.drain().filter_map(|(_, bucket)| bucket.file).collect()
    }

    fn files(&self) -> impl Iterator<Item = &OpenFile<F>> {
        self.buckets.values().filter_map(|bucket| bucket.file.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{Content, WriteFormat};
    use crate::path::{FileNames, Place};
    use runtime::clock::{self, Duration};
    use runtime::random::Random;

    const SECOND: Duration = Duration::from_secs(1);

    fn key(number: u32) -> Key {
        let place = Place { directory: format!("/{number}"), prefix: "p".to_owned() };
        Key { place: place.into(), schema: None }
    }

    fn bucket(number: u32, used: Instant) -> Bucket<u32> {
        let content = Content::Sequence(WriteFormat::Text, None);
        let names = FileNames { in_use: number.to_string(), complete: number.to_string() };
        let encoder = content.encoder(None, &mut Random::seeded(1));
        let mut file = OpenFile::new(names, number, encoder, used, false);
        file.filled.used = used;
        Bucket { counter: 0, file: Some(file) }
    }

    fn numbers(files: Vec<OpenFile<u32>>) -> Vec<u32> {
        files.into_iter().map(|file| file.file).collect()
    }

    #[test]
    fn those_that_were_used_least_recently_make_room() {
        let (mut table, start) = (Table::new(2), clock::now());
        for (number, used) in [(1, 5), (2, 1), (3, 9), (4, 3)] {
            table.put(key(number), bucket(number, start + used * SECOND));
        }
        assert_eq!(numbers(table.too_many()), [2, 4]);
        assert_eq!((table.len(), numbers(table.too_many())), (2, vec![]));
        assert!(table.take(&key(2)).is_none() && table.take(&key(3)).is_some());
        table.put(key(3), Bucket::new(7));
        assert_eq!(table.len(), 1, "a bucket without a file is not kept");
    }

    #[test]
    fn a_file_is_closed_when_its_time_has_come_and_not_before() {
        let (mut table, start) = (Table::new(9), clock::now());
        let policy = RollPolicy { interval: Duration::ZERO, size: 0, count: 0, idle: 5 * SECOND };
        for (number, used) in [(1, 5), (2, 1)] {
            table.put(key(number), bucket(number, start + used * SECOND));
        }
        assert_eq!(table.next_due(&policy), Some(start + 6 * SECOND));
        assert_eq!(numbers(table.due(&policy, start + 5 * SECOND)), Vec::<u32>::new());
        assert_eq!(numbers(table.due(&policy, start + 6 * SECOND)), [2]);
        assert_eq!(table.next_due(&policy), Some(start + 10 * SECOND));
        assert_eq!(numbers(table.all()), [1]);
    }
}

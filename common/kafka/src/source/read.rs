//! Where the events of a read stand in their partitions, so that any number of them, from the front, can be committed.

use rdkafka::{Offset, TopicPartitionList};

/// What was read together, in its order.
#[derive(Debug, Default)]
pub(super) struct Read {
    partitions: Vec<(String, i32)>,
    runs: Vec<Run>,
    /// Runs that are committed.
    done: usize,
}

/// Events of one partition with offsets one behind the other, or a record that is no event.
#[derive(Debug)]
struct Run {
    /// Its place in `partitions`.
    partition: usize,
    /// Events that are not committed.
    events: usize,
    /// Behind the last of them.
    next: i64,
}

impl Read {
    /// Nothing was read.
    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// The next record, which is an event or none.
    pub(super) fn add(&mut self, topic: &str, partition: i32, offset: i64, is_event: bool) {
        if let Some(last) = self.runs.last_mut()
            && is_event
            && last.events > 0
            && last.next == offset
            && self.partitions[last.partition].1 == partition
            && self.partitions[last.partition].0 == topic
        {
            last.events += 1;
            last.next += 1;
            return;
        }
        let known = self.partitions.iter().position(|(name, number)| *number == partition && name == topic);
        let partition = known.unwrap_or_else(|| {
            self.partitions.push((topic.to_owned(), partition));
            self.partitions.len() - 1
        });
        let next = offset + 1;
        if !is_event {
            // However many come one behind the other, they take one run of each partition.
            let mut none = self.runs.iter_mut().rev().take_while(|run| run.events == 0);
            if let Some(run) = none.find(|run| run.partition == partition) {
                run.next = next;
                return;
            }
        }
        self.runs.push(Run { partition, events: usize::from(is_event), next });
    }

    /// Takes up to `left` events from the front, and counts them off; adds where their partitions are to be read on. Whether
    /// nothing is left.
    pub(super) fn settle(&mut self, left: &mut usize, list: &mut Behind) -> bool {
        while let Some(run) = self.runs.get_mut(self.done) {
            let events = run.events.min(*left);
            run.events -= events;
            *left -= events;
            let (topic, partition) = &self.partitions[run.partition];
            list.set(topic, *partition, run.next - run.events as i64);
            if run.events > 0 {
                return false;
            }
            self.done += 1;
        }
        true
    }
}

/// Where partitions are to be read on.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Behind(Vec<(String, i32, i64)>);

impl Behind {
    pub(super) fn set(&mut self, topic: &str, partition: i32, next: i64) {
        match self.0.iter_mut().find(|(name, number, _)| *number == partition && name == topic) {
            Some((.., known)) => *known = next,
            None => self.0.push((topic.to_owned(), partition, next)),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These are later: they take the place of what is known.
    pub(super) fn extend(&mut self, later: Behind) {
        for (topic, partition, next) in later.0 {
            self.set(&topic, partition, next);
        }
    }

    pub(super) fn retain(&mut self, is_held: impl Fn(&str, i32) -> bool) {
        self.0.retain(|(topic, partition, _)| is_held(topic, *partition));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, i32, i64)> {
        self.0.iter().map(|(topic, partition, next)| (topic.as_str(), *partition, *next))
    }

    /// As librdkafka wants them.
    pub(super) fn list(&self) -> TopicPartitionList {
        let mut list = TopicPartitionList::with_capacity(self.0.len());
        for (topic, partition, next) in self.iter() {
            let _in_memory = list.add_partition_offset(topic, partition, Offset::Offset(next));
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(read: &mut Read, events: usize) -> (bool, Vec<(i32, i64)>) {
        let (mut left, mut behind) = (events, Behind::default());
        let all = read.settle(&mut left, &mut behind);
        (all, behind.0.into_iter().map(|(_, partition, next)| (partition, next)).collect())
    }

    /// Records by partition and offset; those of even offsets above 100 are no events.
    fn read(records: &[(i32, i64)]) -> Read {
        let mut read = Read::default();
        for (partition, offset) in records {
            read.add("t", *partition, *offset, *offset <= 100 || offset % 2 == 1);
        }
        read
    }

    #[test]
    fn any_number_of_events_can_be_committed() {
        let records = [(0, 5), (0, 6), (1, 9), (0, 7), (0, 9), (0, 10)];
        let mut all = read(&records);
        assert_eq!(settled(&mut all, 1), (false, vec![(0, 6)]));
        assert_eq!(settled(&mut all, 2), (false, vec![(0, 7), (1, 10)]));
        assert_eq!(settled(&mut all, 2), (false, vec![(0, 10)]));
        assert_eq!(settled(&mut all, 1), (true, vec![(0, 11)]));
        assert_eq!(settled(&mut read(&records), 6), (true, vec![(0, 11), (1, 10)]));
    }

    #[test]
    fn a_record_that_is_no_event_is_committed_with_those_before_it() {
        let mut all = read(&[(0, 100), (0, 101), (0, 102), (0, 103)]);
        assert_eq!(settled(&mut all, 2), (false, vec![(0, 103)]));
        assert_eq!(settled(&mut all, 1), (true, vec![(0, 104)]));
        assert_eq!(settled(&mut read(&[(0, 102)]), 0), (true, vec![(0, 103)]));
    }

    #[test]
    fn records_that_are_no_events_take_no_memory_each() {
        let mut all = Read::default();
        for offset in 0..1_000 {
            (0..3).for_each(|partition| all.add("t", partition, offset, false));
        }
        assert_eq!(all.runs.len(), 3);
        all.add("t", 1, 1_000, true);
        assert_eq!(settled(&mut all, 1), (true, vec![(0, 1_000), (1, 1_001), (2, 1_000)]));
    }
}

//! The thread that commits: librdkafka blocks until the broker has answered, and the reader does not wait for that.

use super::consumer::Ear;
use crate::producer::plain;
use crossbeam_channel::{Receiver, Sender, bounded};
use flow::counters::Counter;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use runtime::clock::{self, Instant};
use std::io;
use std::sync::Arc;
use std::thread;

/// Offsets to commit, and what became of them; one commit at a time.
pub(super) struct Committer {
    todo: Sender<TopicPartitionList>,
    pub(super) answers: Receiver<Answer>,
}

/// What became of a commit: it was made, or why not.
pub(super) type Answer = Result<(), String>;

impl Committer {
    /// Begins; it ends when its reader does, or behind the commit that is on its way then.
    pub(super) fn begin(consumer: Arc<BaseConsumer<Ear>>, timer: Arc<Counter>) -> io::Result<Committer> {
        let (todo, wanted) = bounded::<TopicPartitionList>(1);
        let (tell, answers) = bounded(1);
        let name = format!("{} commit", thread::current().name().unwrap_or("kafka"));
        thread::Builder::new().name(name).spawn(move || {
            for offsets in wanted {
                let begun = clock::now();
                let outcome = consumer.commit(&offsets, CommitMode::Sync).map_err(|error| plain(&error));
                let millis = clock::now().saturating_duration_since(begun).as_millis();
                timer.add(usize::try_from(millis).unwrap_or(usize::MAX));
                if tell.send(outcome).is_err() {
                    break;
                }
            }
            drop(consumer); // before its reader hears of the end
            drop(tell);
        })?;
        Ok(Committer { todo, answers })
    }

    /// Has these committed.
    pub(super) fn send(&self, offsets: TopicPartitionList) {
        let _ended = self.todo.send(offsets); // its answers end then as well
    }

    /// Ends, and has nothing of the consumer any more then: whoever drops that leaves the group. A commit that is on its way is
    /// waited for until then.
    pub(super) fn end(self, until: Instant) {
        drop(self.todo);
        let left = || until.saturating_duration_since(clock::now());
        while self.answers.recv_timeout(left()).is_ok() {}
    }
}

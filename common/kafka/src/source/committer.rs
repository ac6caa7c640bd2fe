//! The thread that commits: librdkafka blocks until the broker has answered, and the reader does not wait for that.

use super::consumer::Ear;
use super::read::Behind;
use super::reader::{End, Reader, Settled};
use crate::producer::plain;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
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

impl Reader {
    /// What was under way is stored: Kafka need not send it again.
    pub(super) fn note(&mut self, settled: Settled) {
        if settled.epoch != self.epoch {
            return; // its partitions were given up meanwhile
        }
        let (mut left, mut behind) = (settled.events, Behind::default());
        while left > 0
            && let Some(read) = self.storing.front_mut()
            && read.settle(&mut left, &mut behind)
        {
            self.storing.pop_front();
        }
        self.commits.add(behind);
        self.got_on();
    }

    /// Something that was waited for has come; whether more is.
    fn got_on(&mut self) {
        let waits = !self.storing.is_empty() || self.commits.unanswered() > 0;
        self.waits_since = waits.then(clock::now);
    }

    /// Has committed what is stored, if no commit is on its way.
    pub(super) fn commit(&mut self) {
        if let Some(behind) = self.commits.next(clock::now()) {
            self.committer.send(behind.list());
        }
    }

    pub(super) fn answered(&mut self, answer: Option<Answer>) -> Result<(), End> {
        let answer = answer.ok_or_else(|| End::Failed("its thread that commits has ended".to_owned()))?;
        self.commits.answered(answer.is_ok(), clock::now());
        self.got_on();
        if let Err(reason) = answer {
            self.uncommitted(&reason);
        }
        Ok(())
    }

    fn uncommitted(&mut self, reason: &str) {
        if self.told.uncommitted.tell(clock::now()).is_some() {
            slog::warn!(
                self.orders.log,
                "offsets were not committed ({reason}): events since then may come again; it is tried again with the next"
            );
        }
    }

    /// Has committed what is stored, behind the commit that is on its way; both in time.
    pub(super) fn commit_last(&mut self, until: Instant) -> Result<(), End> {
        self.commits.hurry();
        loop {
            self.commit();
            if self.commits.is_done() {
                return Ok(());
            }
            let left = until.saturating_duration_since(clock::now());
            match self.committer.answers.recv_timeout(left) {
                Err(RecvTimeoutError::Timeout) => {
                    self.uncommitted("the brokers do not answer in time");
                    return Ok(());
                }
                answer => self.answered(answer.ok())?,
            }
        }
    }
}

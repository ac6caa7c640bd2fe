//! What a reader does with word that events are stored, and that offsets are committed.

use super::committer::Answer;
use super::read::Behind;
use super::reader::{End, Reader, Settled, is_held};
use crossbeam_channel::RecvTimeoutError;
use runtime::clock::{self, Instant};

impl Reader {
    /// What was under way is stored: Kafka need not send it again.
    pub(super) fn note(&mut self, settled: Settled) {
        if settled.epoch != self.epoch {
            // Its partitions were given up meanwhile.
            self.stale = self.stale.saturating_sub(1);
            return self.got_on();
        }
        let (mut left, mut behind) = (settled.events, Behind::default());
        while left > 0
            && let Some(read) = self.storing.front_mut()
            && read.settle(&mut left, &mut behind)
        {
            self.storing.pop_front();
        }
        // What was read before partitions went, and had to wait, is stored after that: another member has them now.
        behind.retain(|topic, partition| is_held(&self.held, topic, partition));
        self.commits.add(behind);
        self.got_on();
    }

    /// Something that was waited for has come; whether more is.
    pub(super) fn got_on(&mut self) {
        let waits = self.stale > 0 || !self.storing.is_empty() || self.commits.unanswered() > 0;
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

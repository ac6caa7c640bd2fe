//! How a source ends: what is under way is settled, and the position file is written for good.

use super::Stage;
use super::follow::Follower;
use super::read::compare_mark;
use runtime::clock::{self, Duration};
use std::sync::Arc;
use tokio::sync::watch;
use tokio::time::timeout_at;

impl Follower {
    /// What is under way is stored, if that does not take long.
    pub(super) async fn settle_under_way(&mut self) {
        let latest = clock::now() + LAST_ANSWERS;
        while self.outbound.is_busy() {
            let until = latest.min(clock::now() + LAST_ANSWER);
            let Ok(answers) = timeout_at(until, self.outbound.next()).await else { break };
            self.settle(answers.unwrap_or_default());
        }
    }

    /// While it is paused, room may be found for what is still under way.
    pub(super) async fn wait_for_the_stop(&mut self, stage: &mut watch::Receiver<Stage>) {
        while *stage.borrow_and_update() == Stage::Pause {
            let answers = tokio::select! { biased;
                changed = stage.changed() => if changed.is_ok() { continue } else { break },
                Some(answers) = self.outbound.next() => answers,
                Some(question) = self.asked.recv() => {
                    let _gone = question.send(self.describe(clock::now()));
                    continue;
                }
            };
            self.settle(answers);
        }
    }

    /// The position file says what is stored, or (`goes_back`) what is delivered.
    pub(super) async fn finish(mut self, goes_back: bool) {
        if self.outbound.is_busy() {
            slog::warn!(
                self.context.log,
                "source {} stops while its channel has no room: what it has not taken yet is read again with the next start",
                self.context.name
            );
        }
        self.look_back();
        let again = if goes_back { self.go_back() } else { Again::default() };
        if std::mem::take(&mut self.catalog.changed) {
            self.saver.changed(clock::now());
        }
        let is_saved = self.saver.finish(&self.catalog).await;
        if is_saved && again.events > 0 {
            self.context.processor.give_back(self.life, |part| again.parts.contains(&part));
            slog::warn!(
                self.context.log,
                "source {}: the last {} events of {} were not delivered; the position file {} stands before them, and the next start sends them",
                self.context.name,
                again.events,
                again.of(),
                self.config.position_file.display()
            );
        }
    }

    /// Moves the positions back to what the channels still hold.
    fn go_back(&mut self) -> Again {
        let mut undelivered = self.context.processor.undelivered(self.life);
        let mut again = Again::default();
        for id in self.catalog.written() {
            let Some(tail) = self.catalog.tails.get_mut(&id) else { continue };
            let Some((start, events)) = undelivered.remove(&tail.progress.generation()) else { continue };
            tail.progress.store(tail.progress.stored().min(start));
            self.catalog.changed = true;
            again.parts.push(tail.progress.generation());
            again.events += events;
            again.first.get_or_insert_with(|| tail.spot.path.clone());
        }
        again
    }

    /// What has happened until now to the files whose positions are about to be written for good.
    fn look_back(&mut self) {
        let now = clock::now();
        self.listen(now);
        for id in std::mem::take(&mut self.catalog.queue) {
            let fresh = self.catalog.next_generation();
            let tail = if self.catalog.open(id, now) { self.catalog.tails.get_mut(&id) } else { None };
            if let Some(tail) = tail
                && compare_mark(tail).is_ok_and(|changed| changed.is_some())
            {
                tail.restart(fresh);
                self.catalog.changed = true;
            }
        }
    }
}

/// What the next start sends again.
#[derive(Default)]
struct Again {
    /// By the generations of their files.
    parts: Vec<u64>,
    events: usize,
    first: Option<Arc<str>>,
}

impl Again {
    /// The files, in words.
    fn of(&self) -> String {
        let first = self.first.as_deref().unwrap_or_default();
        match self.parts.len() {
            0 | 1 => first.to_owned(),
            files => format!("{files} files ({first} ...)"),
        }
    }
}

/// How long a stopping source waits for its channel, while that moves: for each answer, and for all together.
const LAST_ANSWER: Duration = Duration::from_secs(1);
const LAST_ANSWERS: Duration = Duration::from_secs(3);

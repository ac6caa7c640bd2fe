//! Reads what is new and sends it.

use super::catalog::Catalog;
use super::config::TailDirConfig;
use super::deliver::{Answer, Bundle, Outbound, Ticket};
use super::policy::ScanBeat;
use super::position::Positions;
use super::read::{Form, Look, MOST_LINE, Scratch};
use super::save::Saver;
use super::shared::Share;
use super::tail::{FileId, Reading, Tail};
use super::{Question, Stage};
use bytes::BytesMut;
use event::{Origin, encode_headers};
use flow::error::ChannelError;
use flow::source::SourceContext;
use futures_util::FutureExt;
use runtime::clock::{self, Duration, Instant};
use runtime::random::Random;
use runtime::told::Told;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep_until;

/// The work of a source, in bounded steps.
pub(super) struct Follower {
    pub(super) config: Arc<TailDirConfig>,
    pub(super) context: SourceContext,
    pub(super) asked: mpsc::UnboundedReceiver<Question>,
    pub(super) catalog: Catalog,
    scratch: Scratch,
    pub(super) outbound: Outbound,
    pub(super) saver: Saver,
    scans: ScanBeat,
    pub(super) scan_due: Instant,
    /// Something was missed while a scan was under way: another one must follow.
    scan_again: bool,
    sweep_due: Instant,
    /// Lines in a batch.
    lines: usize,
    /// Batches read from the file whose turn it is.
    turn: u64,
    /// The channel is being stopped: nothing more can be stored.
    halted: bool,
    /// How its batches name this life of it (see [`Origin`]).
    pub(super) life: u64,
    told_long: Told,
    told_lost: Told,
    prefix: BytesMut,
}

impl Follower {
    pub(super) fn new(
        config: Arc<TailDirConfig>,
        context: SourceContext,
        share: Share,
        positions: Positions,
        asked: mpsc::UnboundedReceiver<Question>,
    ) -> Follower {
        if let Some(fault) = &positions.fault {
            let others = if config.skip_to_end { "its end" } else { "its beginning" };
            slog::error!(
                context.log,
                "the position file {} cannot be used: {fault}; {} files continue at its positions, every other file begins at {others}, and it is written anew",
                config.position_file.display(),
                positions.entries.len()
            );
        }
        let now = clock::now();
        let saver = Saver::new(&config, share, context.log.clone());
        Follower {
            catalog: Catalog::new(
                config.clone(),
                positions,
                saver.is_shared(),
                context.processor.counters().clone(),
                context.log.clone(),
            ),
            scratch: Scratch::new(),
            outbound: Outbound::new(context.processor.clone()),
            saver,
            scans: ScanBeat::new(config.scan_increment, config.scan_longest),
            scan_due: now,
            scan_again: false,
            sweep_due: now + SWEEP_PAUSE,
            lines: config.batch_size.min(context.processor.transaction()).clamp(1, MOST_LINES),
            turn: 0,
            halted: false,
            life: Random::from_system().next(),
            told_long: Told::once(),
            told_lost: Told::every(TELL_EVERY),
            prefix: BytesMut::new(),
            config,
            context,
            asked,
        }
    }

    /// Follows until `stage` changes, and says that it has `paused`; in the end everything that was sent and answered is in
    /// the position file.
    pub(super) async fn run(mut self, mut stage: watch::Receiver<Stage>, paused: watch::Sender<bool>) {
        for fault in &self.config.faults {
            slog::error!(self.context.log, "{fault}");
        }
        self.first_scan().await;
        console::fact::component_started(
            &self.context.log,
            console::fact::ComponentType::Source,
            &self.context.name,
        );
        self.context.ready.done();
        while *stage.borrow() == Stage::Run && stage.has_changed().is_ok() {
            if self.step(clock::now()) {
                // What was read goes on its way while it is in the processor's cache.
                tokio::task::yield_now().await;
            } else {
                self.wait(&mut stage).await;
            }
        }
        self.settle_under_way().await;
        paused.send_replace(true);
        self.wait_for_the_stop(&mut stage).await;
        let goes_back = matches!(*stage.borrow(), Stage::Stop { goes_back: true });
        self.finish(goes_back).await;
    }

    /// All files that there are, oldest first, before the first is read.
    async fn first_scan(&mut self) {
        self.catalog.begin_scan();
        while !self.scan_on(clock::now()) {
            tokio::task::yield_now().await;
        }
        let tails = &self.catalog.tails;
        let age = |id: &FileId| tails.get(id).map(|tail| (tail.seen.modified, tail.spot.path.clone()));
        self.catalog.queue.make_contiguous().sort_by_cached_key(age);
    }

    /// Does a little of everything there is to do; whether there is more.
    fn step(&mut self, now: Instant) -> bool {
        self.hear_answers();
        if self.catalog.wake.ready().now_or_never().is_some() {
            self.listen(now);
        }
        if self.catalog.is_scanning() {
            self.scan_on(now);
        } else if now >= self.scan_due {
            self.catalog.begin_scan();
        }
        if now >= self.sweep_due {
            self.sweep_due = now + SWEEP_PAUSE.min(self.config.idle_timeout).max(LEAST_SWEEP_PAUSE);
            self.catalog.close_the_idle(now);
        }
        self.read_on(now);
        if std::mem::take(&mut self.catalog.changed) {
            self.saver.changed(now);
        }
        self.saver.poll(now, &self.catalog);
        self.answer(now);
        self.catalog.is_scanning() || self.can_read()
    }

    fn can_read(&self) -> bool {
        !self.halted && !self.catalog.queue.is_empty() && self.outbound.has_room()
    }

    /// Waits until there is something to do.
    async fn wait(&mut self, stage: &mut watch::Receiver<Stage>) {
        let due = self.scan_due.min(self.sweep_due).min(self.saver.due().unwrap_or(self.scan_due));
        let answers = tokio::select! { biased;
            _ = stage.changed() => None,
            Some(answers) = self.outbound.next() => Some(answers),
            () = self.catalog.wake.ready() => None,
            () = self.saver.ended() => None,
            () = sleep_until(due) => None,
            Some(question) = self.asked.recv() => {
                let _gone = question.send(self.describe(clock::now()));
                None
            }
        };
        self.settle(answers.unwrap_or_default());
    }

    /// Goes on with a scan; whether it has ended.
    fn scan_on(&mut self, now: Instant) -> bool {
        let Some(scanned) = self.catalog.scan_on(now) else { return false };
        let pause = self.scans.pause(scanned.surprised, scanned.blind);
        self.scan_due = if std::mem::take(&mut self.scan_again) { now } else { now + pause };
        true
    }

    pub(super) fn listen(&mut self, now: Instant) {
        if self.catalog.listen(now) {
            self.scan_due = now;
            self.scan_again = self.catalog.is_scanning();
        }
    }

    /// Reads one batch from the file whose turn it is, or finds that it has none.
    fn read_on(&mut self, now: Instant) {
        if !self.can_read() {
            return;
        }
        let Some(id) = self.catalog.queue.front().copied() else { return };
        let tail = self.catalog.tails.get(&id);
        if tail.is_some_and(Tail::is_parked) {
            return self.end_of(id);
        }
        let has_lines = tail.is_some_and(|tail| self.scratch.has_lines(tail));
        if has_lines || self.look(id, now) {
            self.send(id, false, now);
        }
        self.end_turn(id);
    }

    /// Reads on in a file; whether there are lines.
    fn look(&mut self, id: FileId, now: Instant) -> bool {
        let is_open = self.catalog.open(id, now);
        let fresh = self.catalog.next_generation();
        let Some(tail) = self.catalog.tails.get_mut(&id).filter(|_| is_open) else {
            self.end_of(id);
            return false;
        };
        let (held, was) = (tail.progress.held(), tail.reading);
        if was == Reading::Last {
            tail.progress.hold(0); // all of it is wanted
        }
        tail.reading = Reading::Begun;
        match self.scratch.fill(tail) {
            Ok(Look::Lines) => return true,
            Ok(Look::Nothing(now_held)) => {
                tail.progress.hold(now_held);
                if now_held != held {
                    tail.live = now;
                } else if was == Reading::Last && held > 0 {
                    self.send(id, true, now);
                }
                self.end_of(id);
            }
            Ok(Look::Hole(end)) => {
                slog::info!(
                    self.context.log,
                    "{} begins with a hole of {end} bytes, which is skipped: it was truncated by somebody else than its writer, who should append",
                    tail.spot.path
                );
                tail.progress.skip_to(end);
                tail.reading = if was == Reading::Last { was } else { Reading::Queued };
                self.catalog.changed = true;
            }
            Ok(Look::Shrunk | Look::Rewritten) => {
                slog::info!(
                    self.context.log,
                    "{} was truncated or written anew behind position {}, and is read from its beginning",
                    tail.spot.path,
                    tail.progress.next()
                );
                tail.restart(fresh);
                (tail.reading, tail.live) = (Reading::Queued, now);
                self.catalog.changed = true;
            }
            Err(error) => {
                self.catalog.cannot_read(id, &error);
                self.end_of(id);
            }
        }
        false
    }

    /// Whether the file has had its turn: nothing is left of it, or others wait.
    fn end_turn(&mut self, id: FileId) {
        if self.catalog.queue.front() != Some(&id) {
            return;
        }
        let Some(tail) = self.catalog.tails.get_mut(&id) else { return self.end_of(id) };
        let is_read = self.scratch.is_at_end(tail) && !self.scratch.has_lines(tail);
        if tail.reading == Reading::Begun && is_read {
            tail.progress.hold(self.scratch.left());
            self.end_of(id);
        } else if self.turn >= self.config.longest_turn() {
            self.turn = 0;
            self.catalog.queue.rotate_left(1);
        }
    }

    /// The file has nothing more to read.
    fn end_of(&mut self, id: FileId) {
        self.turn = 0;
        self.catalog.queue.pop_front();
        if let Some(tail) = self.catalog.tails.get_mut(&id) {
            tail.leave_queue();
        }
        if self.catalog.queue.is_empty() {
            self.scratch.rest();
        }
    }

    /// Makes batches of the lines that were read, or one (`rest`) of what has no end, and sends them.
    fn send(&mut self, id: FileId, rest: bool, now: Instant) {
        let Some(tail) = self.catalog.tails.get_mut(&id) else { return };
        let path = tail.spot.path.clone();
        let group = &self.config.groups[tail.spot.group].headers;
        let mut headers: Vec<(&str, &str)> = group.iter().map(|(key, value)| (&**key, &**value)).collect();
        headers.extend(self.config.file_header.as_deref().map(|key| (key, &*path)));
        self.prefix.clear();
        let finished =
            !self.config.offset_header && self.context.processor.prefix(&headers, &mut self.prefix);
        if !finished {
            encode_headers(
                &mut self.prefix,
                headers.iter().map(|(key, value)| (key.as_bytes(), value.as_bytes())),
            );
        }
        let offset_before = self.config.offset_header.then_some(&headers[..]);
        let form = Form { prefix: &self.prefix, offset_before, lines: self.lines };
        let (longest, mut bundle) = (self.config.longest_turn(), Bundle::default());
        let mut is_long = false;
        if !rest {
            tail.live = now;
        }
        loop {
            let (start, mut builder) = (tail.progress.next(), self.context.processor.builder());
            if rest {
                self.scratch.cut_rest(tail, &mut builder, &form);
            } else {
                is_long |= self.scratch.cut(tail, &mut builder, &form);
            }
            self.turn += 1;
            let ticket = Ticket { id, generation: tail.progress.generation(), end: tail.progress.next() };
            let origin = Origin { source: self.life, part: tail.progress.generation(), start };
            bundle.push(ticket, self.context.processor.finish(builder).with_origin(Some(origin)));
            if rest || bundle.is_full() || self.turn >= longest || !self.scratch.has_lines(tail) {
                break;
            }
        }
        if is_long && self.told_long.tell(now).is_some() {
            slog::warn!(
                self.context.log,
                "{path} has a line of more than {MOST_LINE} bytes: such lines become several events"
            );
        }
        self.outbound.send(bundle, finished);
        // It goes at once: a channel in memory has it before the next is read.
        self.hear_answers();
    }

    fn hear_answers(&mut self) {
        while let Some(Some(answers)) = self.outbound.next().now_or_never() {
            self.settle(answers);
        }
    }

    pub(super) fn settle(&mut self, answers: Vec<Answer>) {
        answers.into_iter().for_each(|answer| self.settle_one(answer));
    }

    fn settle_one(&mut self, (ticket, outcome): Answer) {
        let Some(tail) = self.catalog.tails.get_mut(&ticket.id) else { return };
        match outcome {
            Ok(()) => self.catalog.changed |= tail.was_stored(ticket.generation, ticket.end),
            Err(ChannelError::Stopping(_)) => {
                self.halted = true;
                tail.park(ticket.generation);
            }
            Err(error) if ticket.generation != tail.progress.generation() => {
                if self.told_lost.tell(clock::now()).is_some() {
                    slog::error!(
                        self.context.log,
                        "{}: what was read of it before it was truncated or written anew can never be stored: {error}; those lines are lost",
                        tail.spot.path
                    );
                }
            }
            Err(error) => {
                if tail.park(ticket.generation) {
                    slog::error!(
                        self.context.log,
                        "{} cannot be sent on from position {}: {error}; this file waits until that is changed and the agent started again, nothing of it is lost",
                        tail.spot.path,
                        tail.progress.stored()
                    );
                }
            }
        }
    }
}

/// Lines in a batch, should neither the source nor the channel set a limit.
const MOST_LINES: usize = 100_000;
/// Between two lines about lines that are lost.
const TELL_EVERY: Duration = Duration::from_secs(60);
/// Between looks at what is open, as Flume.
const SWEEP_PAUSE: Duration = Duration::from_secs(5);
const LEAST_SWEEP_PAUSE: Duration = Duration::from_millis(50);

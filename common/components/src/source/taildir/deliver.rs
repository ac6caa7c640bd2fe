//! Batches on their way to the channel.

use super::tail::FileId;
use event::Batch;
use flow::channel::DELIVERY_BYTES;
use flow::error::ChannelError;
use flow::message::PutTimeout;
use flow::source::ChannelProcessor;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use runtime::clock::Duration;
use std::collections::VecDeque;

/// What a batch is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket {
    pub(super) id: FileId,
    pub(super) generation: u64,
    /// Where in the file it ends.
    pub(super) end: u64,
}

/// How a batch's way ended.
pub(super) type Answer = (Ticket, Result<(), ChannelError>);

/// Batches that were read together and go together: one message for all of them, one write on the other side.
#[derive(Default)]
pub(super) struct Bundle {
    tickets: Vec<Ticket>,
    batches: Vec<Batch>,
    bytes: usize,
}

impl Bundle {
    pub(super) fn push(&mut self, ticket: Ticket, batch: Batch) {
        self.bytes += batch.event_bytes();
        self.tickets.push(ticket);
        self.batches.push(batch);
    }

    /// Whether it is as large as is worth while.
    pub(super) fn is_full(&self) -> bool {
        self.bytes >= BUNDLE_BYTES
    }
}

/// A bundle on its way, and those that are read meanwhile. A channel in memory answers before the next one is read. One that
/// answers when a disk or a network has the events gets all that waits in one put then, so that its answers take less of
/// the time.
pub(super) struct Outbound {
    processor: ChannelProcessor,
    /// Of what is under way, in order.
    tickets: VecDeque<Ticket>,
    finished: bool,
    step: Option<LocalBoxFuture<'static, Step>>,
    /// With whether their interceptors are done with them.
    waiting: VecDeque<(Bundle, bool)>,
    waiting_bytes: usize,
}

/// How it went with the first batches, and those that are left.
type Step = (Vec<Result<(), ChannelError>>, Vec<Batch>);

impl Outbound {
    pub(super) fn new(processor: ChannelProcessor) -> Outbound {
        Outbound {
            processor,
            tickets: VecDeque::new(),
            finished: false,
            step: None,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
        }
    }

    /// Whether anything is under way.
    pub(super) fn is_busy(&self) -> bool {
        self.step.is_some()
    }

    /// Whether one more bundle may be read.
    pub(super) fn has_room(&self) -> bool {
        !self.is_busy() || self.waiting_bytes < BUNDLE_BYTES
    }

    /// Sends `bundle` behind all that is under way; `finished` says that its interceptors are done with it.
    pub(super) fn send(&mut self, bundle: Bundle, finished: bool) {
        self.waiting_bytes += bundle.bytes;
        self.waiting.push_back((bundle, finished));
        if !self.is_busy() {
            self.go_on(Vec::new());
        }
    }

    /// With what is `left` of a step, or with all that waits and can go together.
    fn go_on(&mut self, left: Vec<Batch>) {
        let mut batches = left;
        if batches.is_empty() {
            let finished = self.waiting.front().is_some_and(|(_, finished)| *finished);
            self.finished = finished;
            while let Some((bundle, _)) = self.waiting.pop_front_if(|(_, next)| *next == finished) {
                self.waiting_bytes -= bundle.bytes;
                self.tickets.extend(bundle.tickets);
                batches.extend(bundle.batches);
            }
        }
        let (processor, finished) = (self.processor.clone(), self.finished);
        self.step = (!batches.is_empty()).then(|| step(processor, batches, finished).boxed_local());
    }

    /// The next answers; `None` when nothing is under way. May be dropped and called again.
    pub(super) async fn next(&mut self) -> Option<Vec<Answer>> {
        let (outcomes, mut left) = self.step.as_mut()?.await;
        let mut answers: Vec<Answer> = self.tickets.drain(..outcomes.len()).zip(outcomes).collect();
        if let Some((refused, Err(error))) = answers.last() {
            let (refused, error) = (*refused, error.clone());
            let behind = self.leave_behind(refused, &mut left);
            answers.extend(behind.into_iter().map(|ticket| (ticket, Err(error.clone()))));
        }
        self.go_on(left);
        Some(answers)
    }

    /// Nothing of a file goes before what was `refused` of it: takes all of it out, and says what that was.
    fn leave_behind(&mut self, refused: Ticket, left: &mut Vec<Batch>) -> Vec<Ticket> {
        let is_behind = |ticket: &Ticket| (ticket.id, ticket.generation) == (refused.id, refused.generation);
        let mut taken_out = Vec::new();
        let under_way = self.tickets.drain(..).zip(left.drain(..)).collect::<Vec<_>>();
        for (ticket, batch) in under_way {
            if is_behind(&ticket) {
                taken_out.push(ticket);
            } else {
                self.tickets.push_back(ticket);
                left.push(batch);
            }
        }
        // A bundle is of one file.
        self.waiting.retain(|(bundle, _)| {
            let stays = !bundle.tickets.first().is_some_and(is_behind);
            if !stays {
                self.waiting_bytes -= bundle.bytes;
                taken_out.extend(&bundle.tickets);
            }
            stays
        });
        taken_out
    }
}

/// Stores as many of `batches` as there is room for, however long the first has to wait for it.
async fn step(processor: ChannelProcessor, mut batches: Vec<Batch>, finished: bool) -> Step {
    if finished
        && processor.fits(&batches[0])
        && let Ok(stored) = processor.store_some(&batches, PutTimeout::Forever).await
    {
        let outcomes = batches.drain(..stored).map(|_| Ok(())).collect();
        return (outcomes, batches);
    }
    let outcome = store_in_parts(&processor, batches.remove(0), finished).await;
    (vec![outcome], batches)
}

/// Stores `batch`, in parts if that is the only way.
async fn store_in_parts(
    processor: &ChannelProcessor,
    batch: Batch,
    finished: bool,
) -> Result<(), ChannelError> {
    let mut parts = vec![batch];
    while let Some(mut part) = parts.pop() {
        if part.len() > 1 && !processor.fits(&part) {
            let first = part.split_to(part.len() / 2);
            parts.extend([part, first]);
            continue;
        }
        match processor.store(part.clone(), finished, PutTimeout::Forever).await {
            Ok(()) => {}
            Err(ChannelError::Full { .. } | ChannelError::Failed { .. }) => {
                tokio::time::sleep(PAUSE).await;
                parts.push(part);
            }
            Err(
                ChannelError::TooLarge { .. } | ChannelError::TooManyBytes { .. } | ChannelError::Oversized,
            ) if part.len() > 1 => {
                let first = part.split_to(part.len() / 2);
                parts.extend([part, first]);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Bytes of a bundle, and of those that wait: more than one read gives, whatever its headers add, unless its lines are very
/// short.
const BUNDLE_BYTES: usize = 4 * DELIVERY_BYTES;
/// Before a channel that had no room is asked again. As a rule the channel itself makes us wait.
const PAUSE: Duration = Duration::from_millis(100);

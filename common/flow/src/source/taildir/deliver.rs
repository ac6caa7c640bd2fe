//! Batches on their way to the channel.

use super::tail::FileId;
use crate::clock::Duration;
use crate::error::ChannelError;
use crate::message::Patience;
use crate::source::Intake;
use event::Batch;
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesOrdered;

/// What a batch is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket {
    pub(super) id: FileId,
    pub(super) generation: u64,
    /// Where in the file it ends.
    pub(super) end: u64,
    /// What it takes of memory.
    pub(super) bytes: usize,
}

/// How a batch's way ended.
pub(super) type Answer = (Ticket, Result<(), ChannelError>);

/// Batches that were sent and not answered, in order. The next one is read while they are under way: its channel is on
/// another thread, and to wait for each answer costs more than to read.
pub(super) struct Deliveries {
    intake: Intake,
    under_way: FuturesOrdered<LocalBoxFuture<'static, Answer>>,
    bytes: usize,
}

impl Deliveries {
    pub(super) fn new(intake: Intake) -> Deliveries {
        Deliveries { intake, under_way: FuturesOrdered::new(), bytes: 0 }
    }

    /// Whether another batch may be sent.
    pub(super) fn has_credit(&self) -> bool {
        self.under_way.is_empty() || (self.under_way.len() < MOST_BATCHES && self.bytes < MOST_BYTES)
    }

    /// Whether anything is under way.
    pub(super) fn is_busy(&self) -> bool {
        !self.under_way.is_empty()
    }

    /// Sends `batch`; `finished` says that its interceptors are done with it.
    pub(super) fn send(&mut self, ticket: Ticket, batch: Batch, finished: bool) {
        self.bytes += ticket.bytes;
        let intake = self.intake.clone();
        self.under_way.push_back(Box::pin(async move { (ticket, store(&intake, batch, finished).await) }));
    }

    /// The next answer; `None` when nothing is under way. May be dropped and called again.
    pub(super) async fn next(&mut self) -> Option<Answer> {
        let answer = self.under_way.next().await;
        if let Some((ticket, _)) = &answer {
            self.bytes -= ticket.bytes;
        }
        answer
    }
}

/// Stores `batch`, however long that takes, and in parts if that is the only way.
async fn store(intake: &Intake, batch: Batch, finished: bool) -> Result<(), ChannelError> {
    let mut parts = vec![batch];
    while let Some(mut part) = parts.pop() {
        let stored = if finished {
            intake.store_finished(part.clone(), Patience::Forever).await
        } else {
            intake.store(part.clone(), Patience::Forever).await
        };
        match stored {
            Ok(()) => {}
            Err(ChannelError::Full { .. }) => {
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

/// Batches under way: small ones, as the lesson's, need several to keep the channel busy.
const MOST_BATCHES: usize = 16;
/// Bytes after which there is no further one, should lines be long.
const MOST_BYTES: usize = 2 << 20;
/// Before a channel that had no room is asked again. As a rule the channel itself makes us wait.
const PAUSE: Duration = Duration::from_millis(100);

//! A batch on its way to the channels.

use super::policy::Backoff;
use event::Batch;
use flow::error::ChannelError;
use flow::message::PutTimeout;
use flow::source::{SourceContext, Stopping};
use runtime::clock::{self, Duration};
use runtime::told::Told;
use std::pin::pin;
use tokio::time::{sleep, timeout};

/// What became of a batch.
pub(super) enum Stored {
    All,
    /// So many of its events, and the next one never will be.
    Refused(usize, ChannelError),
    /// The source is stopped; so many of its events are stored.
    Stopped(usize),
}

/// Stores `batch`, in parts if need be, however long that takes. A channel answers within its `keep-alive`: so it is
/// known at a stop what is stored.
pub(super) async fn store(
    context: &SourceContext,
    longest_backoff: Duration,
    mut batch: Batch,
    finished: bool,
    stop: &mut Stopping,
) -> Stored {
    let (mut backoff, mut done, mut refusals) = (Backoff::new(longest_backoff), 0, Told::once());
    loop {
        let mut storing = pin!(context.processor.store_parts(batch.clone(), finished, PutTimeout::KeepAlive));
        let parts = tokio::select! { biased;
            parts = &mut storing => parts,
            _ = stop.changed() => match timeout(LAST_ANSWER, storing).await {
                Ok(parts) => parts,
                Err(_) => return Stored::Stopped(done), // what may be stored is read again with the next start
            },
        };
        let stored = parts.iter().take_while(|(_, outcome)| outcome.is_ok()).map(|(events, _)| events).sum();
        done += stored;
        let refused = match parts.into_iter().find_map(|(_, outcome)| outcome.err()) {
            None => return Stored::All,
            Some(
                never @ (ChannelError::TooLarge { .. }
                | ChannelError::TooManyEvents { .. }
                | ChannelError::TooManyBytes { .. }
                | ChannelError::Oversized),
            ) => return Stored::Refused(done, never),
            Some(ChannelError::Stopping(_)) => {
                let _told_to_stop = stop.wait_for(|stop| *stop).await;
                return Stored::Stopped(done);
            }
            Some(later) => later,
        };
        batch.split_to(stored);
        if refusals.tell(clock::now()).is_some() {
            let name = &context.name;
            slog::warn!(
                context.log,
                "source {name}: {refused}; it is tried again and again, and nothing is lost"
            );
        }
        tokio::select! { biased;
            _ = stop.wait_for(|stop| *stop) => return Stored::Stopped(done),
            () = sleep(backoff.next()) => {}
        }
    }
}

/// How long a stopping source waits for its channel: a little longer than its `keep-alive`, unless that is set.
const LAST_ANSWER: Duration = Duration::from_secs(4);

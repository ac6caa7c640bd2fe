//! Tells of brokers that acknowledge nothing.

use crate::producer::Line;
use runtime::clock::{self, Duration};
use runtime::told::Told;
use std::pin::pin;
use tokio::time::sleep;

/// What is said of that, once in a while.
pub(crate) struct Unanswered {
    peer: String,
    consequence: &'static str,
    log: slog::Logger,
    told: Told,
}

impl Unanswered {
    /// Of `peer`; the `consequence` is what becomes of events.
    pub(crate) fn new(peer: &str, consequence: &'static str, log: &slog::Logger) -> Unanswered {
        let (peer, log) = (peer.to_owned(), log.clone());
        Unanswered { peer, consequence, log, told: Told::every(NEWS_PAUSE) }
    }

    /// Waits for `end`, and tells of it when that takes long. The clock is not read when it does not take anything.
    pub(crate) async fn until<T>(&mut self, end: impl Future<Output = T>, line: &Line) -> T {
        let mut end = pin!(end);
        loop {
            tokio::select! { biased;
                ended = &mut end => return ended,
                () = async { sleep(LONG).await } => if self.told.tell(clock::now()).is_some() {
                    let said = line.said().map(|said| format!(": {said}")).unwrap_or_default();
                    let Unanswered { peer, consequence, log, .. } = self;
                    slog::warn!(log, "{peer} has acknowledged nothing for {} s{said}; {consequence}", LONG.as_secs());
                },
            }
        }
    }
}

/// After so long without an acknowledgement it is told.
const LONG: Duration = Duration::from_secs(10);
const NEWS_PAUSE: Duration = Duration::from_secs(60);

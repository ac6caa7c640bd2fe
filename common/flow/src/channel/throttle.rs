//! Keeps who can wait from running far ahead of sinks that move (decisions/0012).

use crate::channel::DELIVERY_BYTES;
use runtime::clock::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// Who reads a file or a pipe gains nothing by being far ahead: what sinks take then has left the processor's cache. So it
/// is answered when the channel holds little, or in a moment, by which a channel whose sinks stand still fills as well.
#[derive(Default)]
pub(super) struct Throttle {
    waiting: Vec<oneshot::Sender<()>>,
    stored: usize, // bytes since somebody last had to wait
}

impl Throttle {
    /// So many bytes were stored, and the channel holds `held` now. What the sender, if it can wait, is to wait for before
    /// it is answered.
    pub(super) fn stored(
        &mut self,
        bytes: usize,
        held: usize,
        can_wait: bool,
    ) -> Option<impl Future<Output = ()> + use<>> {
        self.stored += bytes;
        if !can_wait || self.stored < THROTTLED_BYTES || held <= AHEAD_BYTES {
            return None;
        }
        let (free, waiting) = oneshot::channel();
        self.stored = 0;
        self.waiting.retain(|gone| !gone.is_closed());
        self.waiting.push(free);
        Some(async move {
            let _soon = timeout(THROTTLE_PAUSE, waiting).await;
        })
    }

    /// Events have left, and the channel holds `held` now.
    pub(super) fn freed(&mut self, held: impl FnOnce() -> usize) {
        if !self.waiting.is_empty() && held() <= AHEAD_BYTES {
            self.waiting.clear(); // which wakes them
        }
    }
}

/// Twice what goes to a sink at a time.
pub(super) const AHEAD_BYTES: usize = 2 * DELIVERY_BYTES;
/// So many are stored for each pause: a channel fills as fast whatever the size of a put.
const THROTTLED_BYTES: usize = DELIVERY_BYTES / 2;
pub(super) const THROTTLE_PAUSE: Duration = Duration::from_millis(1);

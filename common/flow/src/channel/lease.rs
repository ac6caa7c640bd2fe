//! Events that are on their way and still their channel's.

use event::Batch;
use std::sync::Arc;

/// Events out of a channel but still its own. Dropping a lease rolls it back, so a sink that panics or is stopped loses
/// nothing; `commit` makes the channel forget them.
pub struct Lease {
    id: u64,
    batches: Vec<Batch>,
    channel: Option<Arc<dyn Settle>>,
}

/// Where a lease is settled: in the channel's books themselves, so that it counts also while the channel's actor is
/// being built anew.
pub trait Settle: Send + Sync {
    /// The lease has ended: its events have arrived elsewhere (`commit`), or go back to where they were.
    fn settle(&self, lease: u64, commit: bool);
}

impl Lease {
    /// A lease of `channel`, which knows it by `id`.
    pub fn new(id: u64, batches: Vec<Batch>, channel: Arc<dyn Settle>) -> Lease {
        Lease { id, batches, channel: Some(channel) }
    }

    /// The leased events, in order.
    pub fn batches(&self) -> &[Batch] {
        &self.batches
    }

    /// Leaves those events, by their place among all, for which `is_left` holds; the others have arrived elsewhere. It ends as
    /// one: when it is rolled back, all come back.
    pub fn keep(&mut self, mut is_left: impl FnMut(usize) -> bool) {
        let mut places = 0..;
        for batch in &mut self.batches {
            *batch = batch.filter(|_| places.next().is_some_and(&mut is_left));
        }
        self.batches.retain(|batch| !batch.is_empty());
    }

    /// The events have arrived elsewhere.
    pub fn commit(mut self) {
        self.settle(true);
    }

    fn settle(&mut self, commit: bool) {
        self.batches.clear(); // before the channel hears of it, so that the buffer is free when it is looked for
        if let Some(channel) = self.channel.take() {
            channel.settle(self.id, commit);
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.settle(false);
    }
}

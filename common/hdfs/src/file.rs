//! One file that is open, and how a bucket's events get into it.

use crate::format::{Encoder, KEPT_BYTES};
use crate::path::FileNames;
use crate::policy::{Filled, RollPolicy};
use crate::store::{StoreError, StoreFile};
use bytes::Bytes;
use event::Batch;
use runtime::clock::Instant;
use std::collections::VecDeque;

/// A file that is being written.
#[derive(Debug)]
pub(crate) struct OpenFile<F> {
    pub(crate) names: FileNames,
    pub(crate) file: F,
    encoder: Encoder,
    pub(crate) filled: Filled,
    /// Bytes that are there for sure.
    pub(crate) synced: u64,
    begun: bool,
    /// It has fewer copies than usual.
    pub(crate) few_copies: bool,
}

impl<F> OpenFile<F> {
    /// A new one.
    pub(crate) fn new(
        names: FileNames,
        file: F,
        encoder: Encoder,
        now: Instant,
        few_copies: bool,
    ) -> OpenFile<F> {
        OpenFile { names, file, encoder, filled: Filled::new(now), synced: 0, begun: false, few_copies }
    }
}

impl<F: StoreFile> OpenFile<F> {
    /// Writes as many events of `pending` as this file takes, and takes them out when they are there for sure. After an error
    /// the file is not to be used any more, and all of them are still pending.
    pub(crate) async fn write(
        &mut self,
        pending: &mut VecDeque<Batch>,
        arrival: i64,
        policy: &RollPolicy,
        now: Instant,
    ) -> Result<(), StoreError> {
        let (taken, filled) = self.room(pending, policy, now);
        let (mut out, mut written) = (Vec::new(), 0);
        if !self.begun {
            self.encoder.begin(&mut out);
        }
        for batch in &taken {
            self.encoder.write(batch, arrival, &mut out);
            if out.len() >= KEPT_BYTES {
                written += out.len() as u64;
                self.file.append(Bytes::from(std::mem::take(&mut out))).await?;
            }
        }
        written += out.len() as u64;
        self.file.append(Bytes::from(out)).await?;
        self.file.sync().await?;
        self.begun = true;
        self.synced += written;
        self.filled = filled;
        take(pending, taken.iter().map(Batch::len).sum());
        Ok(())
    }

    /// Ends the file, which is well.
    pub(crate) async fn close(mut self) -> Result<(), StoreError> {
        let mut out = Vec::new();
        self.encoder.end(&mut out);
        if !out.is_empty() && self.begun {
            self.file.append(Bytes::from(out)).await?;
        }
        self.file.close().await
    }

    /// The batches at the front of `pending` until the file is full, the last of them cut, and how full it is then.
    fn room(&self, pending: &VecDeque<Batch>, policy: &RollPolicy, now: Instant) -> (Vec<Batch>, Filled) {
        let mut filled = Filled { used: now, ..self.filled };
        let mut taken = Vec::new();
        for batch in pending {
            let mut events = 0;
            for span in batch.spans() {
                if policy.is_full(&filled) {
                    break;
                }
                filled.add((span.end - span.body) as usize);
                events += 1;
            }
            let mut batch = batch.clone();
            if events == batch.len() {
                taken.push(batch);
                continue;
            }
            if events > 0 {
                taken.push(batch.split_to(events));
            }
            break;
        }
        (taken, filled)
    }
}

/// Takes so many events away from the front.
fn take(pending: &mut VecDeque<Batch>, mut events: usize) {
    while let Some(front) = pending.front_mut().filter(|_| events > 0) {
        if front.len() <= events {
            events -= front.len();
            pending.pop_front();
        } else {
            let _written = front.split_to(events);
            events = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::testing::{batch, numbers};

    #[test]
    fn so_many_events_are_taken_from_the_front_whatever_the_batches_are() {
        for events in 0..=6 {
            let mut pending: VecDeque<Batch> = [batch(0..2), batch(2..3), batch(3..6)].into();
            take(&mut pending, events);
            let rest: Vec<Batch> = pending.into();
            assert_eq!(numbers(&rest), (events as u64..6).collect::<Vec<_>>());
        }
    }
}

//! Buffers that have done their work and can be written again.

use crate::{Batch, BatchBuilder};
use std::collections::VecDeque;

/// Remembers batches that were handed on and takes their buffers back once nobody else holds them.
///
/// So a source that is in balance with its sink writes into the same few buffers again and again: no allocation, no
/// page that the kernel must clear first. What is not back in time is forgotten and a new buffer is made.
pub struct Recycler {
    lent: VecDeque<Batch>,
    bytes: usize,
    most: usize,
    most_bytes: usize,
}

impl Recycler {
    /// Keeps an eye on the last batches, no more than `most` of them and as many as hold `most_bytes` bytes.
    pub fn new(most: usize, most_bytes: usize) -> Recycler {
        Recycler { lent: VecDeque::new(), bytes: 0, most, most_bytes }
    }

    /// Remembers `batch`, which is about to be handed on, unless it is larger than all may be together.
    pub fn lend(&mut self, batch: &Batch) {
        if batch.buffer().len() > self.most_bytes {
            return;
        }
        self.bytes += batch.buffer().len();
        self.lent.push_back(batch.clone());
        while (self.lent.len() > self.most || self.bytes > self.most_bytes)
            && let Some(oldest) = self.lent.pop_front()
        {
            self.bytes -= oldest.buffer().len();
        }
    }

    /// An empty builder, over an old buffer when one is free.
    pub fn builder(&mut self) -> BatchBuilder {
        // Batches go in the order they came, mostly. Of those that are gone the last one is still in the processor's cache.
        let free = self.lent.partition_point(Batch::is_alone);
        let Some(batch) = free.checked_sub(1).and_then(|last| self.lent.remove(last)) else {
            return BatchBuilder::default();
        };
        self.bytes -= batch.buffer().len();
        batch
            .into_parts()
            .map_or_else(BatchBuilder::default, |(bytes, spans)| BatchBuilder::reuse(bytes, spans))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_when_its_batch_is_gone_and_not_before() {
        let mut recycler = Recycler::new(2, 1 << 20);
        let mut first = recycler.builder();
        first.push([], &[b'x'; 1000]);
        let batch = first.finish();
        let at = batch.buffer().as_ptr();
        recycler.lend(&batch);
        let mut other = recycler.builder();
        other.push([], b"y");
        assert_ne!(other.finish().buffer().as_ptr(), at, "still held");
        drop(batch);
        let mut again = recycler.builder();
        again.push([], b"z");
        assert_eq!(again.finish().buffer().as_ptr(), at, "the same buffer");
    }

    #[test]
    fn of_buffers_that_are_free_the_last_one_comes_and_none_that_is_too_large() {
        let mut recycler = Recycler::new(3, 3000);
        let sent = [100, 200, 300].map(|size| {
            let mut builder = BatchBuilder::default();
            builder.push([], &vec![b'x'; size]);
            let batch = builder.finish();
            recycler.lend(&batch);
            batch
        });
        let [first, second, third] = sent.each_ref().map(|batch| batch.buffer().as_ptr());
        let [one, two, _three] = sent;
        drop((one, two));
        let mut next = || {
            let mut builder = recycler.builder();
            builder.push([], b"");
            builder.finish().buffer().as_ptr()
        };
        assert_eq!([next(), next()], [second, first]);
        assert_ne!(next(), third);
        let mut large = recycler.builder();
        large.push([], &[b'x'; 3001]);
        recycler.lend(&large.finish());
        assert_eq!(recycler.lent.len(), 1);
    }
}

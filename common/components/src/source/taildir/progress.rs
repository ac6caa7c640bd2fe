//! How far a file has been read, and how far it is stored.

use flow::counters::Counter;
use std::sync::Arc;

/// A place in a file that moves on.
#[derive(Debug)]
pub(super) struct Progress {
    /// Changes with each new beginning: an answer that carries another one is about bytes that are no more.
    generation: u64,
    /// Bytes read into batches.
    next: u64,
    /// Bytes of which the channel has said that it stored their events.
    stored: u64,
    /// The same, for whoever asks how far the source is behind.
    shown: Arc<Counter>,
    /// Batches under way to the channel.
    in_flight: usize,
    /// Bytes behind `next` that are no line yet.
    held: u64,
    /// The last bytes before `next`, as they were read: if they have changed, the file was written anew.
    mark: Vec<u8>,
}

impl Progress {
    /// All before `position` is stored.
    pub(super) fn new(position: u64, generation: u64, shown: Arc<Counter>) -> Progress {
        shown.set(position);
        Progress {
            generation,
            next: position,
            stored: position,
            shown,
            in_flight: 0,
            held: 0,
            mark: Vec::new(),
        }
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn next(&self) -> u64 {
        self.next
    }

    pub(super) fn stored(&self) -> u64 {
        self.stored
    }

    pub(super) fn held(&self) -> u64 {
        self.held
    }

    pub(super) fn mark(&self) -> &[u8] {
        &self.mark
    }

    /// Where the last look ended.
    pub(super) fn end(&self) -> u64 {
        self.next + self.held
    }

    /// Whether no batch is under way.
    pub(super) fn is_settled(&self) -> bool {
        self.in_flight == 0
    }

    /// So many bytes behind [`Progress::next`] are no line yet.
    pub(super) fn hold(&mut self, held: u64) {
        self.held = held;
    }

    /// A batch that ends at `next` is on its way; `before` ends with the bytes before it.
    pub(super) fn sent(&mut self, next: u64, before: &[u8]) {
        self.next = next;
        self.held = 0;
        self.in_flight += 1;
        self.keep_mark(before);
    }

    /// Remembers the end of `before`, which ends at [`Progress::next`].
    pub(super) fn keep_mark(&mut self, before: &[u8]) {
        self.mark.clear();
        self.mark.extend_from_slice(&before[before.len().saturating_sub(MARK_BYTES)..]);
    }

    /// How many bytes before [`Progress::next`] are to be compared with the mark, or taken for one.
    pub(super) fn mark_wanted(&self) -> usize {
        usize::try_from(self.next).map_or(MARK_BYTES, |next| next.min(MARK_BYTES))
    }

    /// A batch of `generation` was answered; whether it is about the file as it is now.
    pub(super) fn was_answered(&mut self, generation: u64) -> bool {
        if generation != self.generation {
            return false;
        }
        self.in_flight = self.in_flight.saturating_sub(1);
        true
    }

    /// All before `stored` is stored.
    pub(super) fn store(&mut self, stored: u64) {
        self.stored = stored;
        self.shown.set(stored);
    }

    /// There is nothing before `position`.
    pub(super) fn skip_to(&mut self, position: u64) {
        (self.next, self.held) = (position, 0);
        self.store(position);
    }

    /// The file was written anew: it begins at its beginning.
    pub(super) fn restart(&mut self, generation: u64) {
        self.generation = generation;
        (self.next, self.held, self.in_flight) = (0, 0, 0);
        self.store(0);
        self.mark.clear();
    }
}

/// Bytes by which a file is known again. Where a line has a time in it, two lines are enough to tell.
pub(super) const MARK_BYTES: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn beginning() -> Progress {
        Progress::new(0, 1, Arc::default())
    }

    #[test]
    fn a_position_moves_when_its_batch_is_stored_and_not_before() {
        let mut progress = beginning();
        progress.sent(10, b"ten bytes\n");
        progress.sent(14, b"ten bytes\nabc\n");
        assert_eq!((progress.next, progress.stored, progress.in_flight), (14, 0, 2));
        assert!(progress.was_answered(1));
        progress.store(10);
        assert_eq!((progress.stored, progress.in_flight), (10, 1));
    }

    #[test]
    fn an_answer_from_before_a_truncation_is_about_nothing() {
        let mut progress = beginning();
        progress.sent(10, b"ten bytes\n");
        progress.restart(2);
        progress.sent(4, b"new\n");
        assert!(!progress.was_answered(1));
        assert!(progress.was_answered(2) && progress.is_settled());
    }

    #[test]
    fn the_mark_is_the_last_bytes() {
        let mut progress = beginning();
        progress.sent(1000, &[b'x'; 1000]);
        assert_eq!((progress.mark.len(), progress.mark_wanted()), (MARK_BYTES, MARK_BYTES));
        progress.restart(2);
        assert_eq!((progress.mark.len(), progress.mark_wanted()), (0, 0));
    }
}

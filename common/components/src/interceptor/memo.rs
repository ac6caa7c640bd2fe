//! What became of the last header map: neighbours in a batch mostly came with the same headers.

use super::draft::KEPT_BYTES;
use event::Event;

/// One header map as it came and as it leaves, both in their Avro form.
#[derive(Debug, Default)]
pub(crate) struct Memo {
    known: Known,
    valid: bool,
}

/// See [`Memo`].
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// As it came.
    pub(crate) input: Vec<u8>,
    /// As it leaves.
    pub(crate) output: Vec<u8>,
    /// Whether there is a difference.
    pub(crate) changes: bool,
}

impl Memo {
    /// What leaves would be something else now.
    pub(crate) fn forget(&mut self) {
        self.valid = false;
    }

    /// Lets go of what large headers needed.
    pub(crate) fn tidy(&mut self) {
        if self.known.input.capacity().max(self.known.output.capacity()) > KEPT_BYTES {
            *self = Memo::default();
        }
    }

    /// What becomes of this event's headers, which `write` works out if it is not known.
    #[inline]
    pub(crate) fn recall(&mut self, event: Event<'_>, write: impl FnOnce(&mut Vec<u8>)) -> &Known {
        if !(self.valid && event.has_header_bytes(&self.known.input)) {
            self.learn(event, write);
        }
        &self.known
    }

    /// Bytes that the last map grew by.
    pub(crate) fn growth(&self) -> usize {
        self.known.output.len().saturating_sub(self.known.input.len())
    }

    #[cold]
    fn learn(&mut self, event: Event<'_>, write: impl FnOnce(&mut Vec<u8>)) {
        self.known.output.clear();
        write(&mut self.known.output);
        self.known.input.clear();
        self.known.input.extend_from_slice(event.header_bytes());
        self.known.changes = self.known.input != self.known.output;
        self.valid = true;
    }
}

//! What became of the last header map: neighbours in a batch mostly came with the same headers.

use super::draft::{Desk, Draft, Fixed, KEPT_BYTES};
use super::step::Step;
use event::Event;

/// One header map as it came and as it leaves, both in their Avro form.
#[derive(Debug)]
pub(crate) struct Memo {
    known: Known,
    valid: bool,
    tells_time: bool,
    now_millis: i64,
    desk: Desk,
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
    /// `tells_time`: whether what leaves depends on the time of the batch.
    pub(crate) fn new(tells_time: bool) -> Memo {
        Memo { known: Known::default(), valid: false, tells_time, now_millis: 0, desk: Desk::new() }
    }

    /// A batch begins.
    pub(crate) fn begin(&mut self, now_millis: i64) {
        if self.tells_time && self.now_millis != now_millis {
            self.valid = false;
        }
        self.now_millis = now_millis;
    }

    /// A batch has ended: lets go of what large headers needed.
    pub(crate) fn end(&mut self) {
        self.desk.tidy();
        if self.known.input.capacity().max(self.known.output.capacity()) > KEPT_BYTES {
            self.known = Known::default();
            self.valid = false;
        }
    }

    /// What becomes of this event's headers.
    #[inline]
    pub(crate) fn recall(&mut self, event: Event<'_>, steps: &[Step], fixed: &Fixed) -> &Known {
        if !(self.valid && event.has_header_bytes(&self.known.input)) {
            self.learn(event, steps, fixed);
        }
        &self.known
    }

    /// Bytes that the last map grew by.
    pub(crate) fn growth(&self) -> usize {
        self.known.output.len().saturating_sub(self.known.input.len())
    }

    #[cold]
    fn learn(&mut self, event: Event<'_>, steps: &[Step], fixed: &Fixed) {
        let mut draft = Draft::of(event, fixed, &mut self.desk);
        steps.iter().for_each(|step| step.apply_to_headers(&mut draft));
        self.known.output.clear();
        draft.encode_headers(&mut self.known.output);
        self.known.input.clear();
        self.known.input.extend_from_slice(event.header_bytes());
        self.known.changes = self.known.input != self.known.output;
        self.valid = true;
    }
}

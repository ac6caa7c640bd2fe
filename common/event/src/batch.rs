//! Many events in one shared buffer.

use crate::{Event, Malformed, Scanner};
use bytes::Bytes;
use std::sync::Arc;

/// Where one event stands in a batch's buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first byte of its header map.
    pub start: u32,
    /// The first byte of its body.
    pub body: u32,
    /// One behind its last byte.
    pub end: u32,
    /// How many headers a peer had sent with it, or [`Span::BORN_HERE`]. The console prints headers in the order of
    /// Java's hash map, which depends on it.
    pub received: u32,
}

impl Span {
    /// The event was made in this process, not received.
    pub const BORN_HERE: u32 = u32::MAX;
}

/// Events in Avro's binary form (`AvroFlumeEvent`: header map, body) in one shared buffer, in order.
///
/// Cloning and splitting copy no event. Between two events there may be bytes of a peer's framing that belong to
/// neither; [`Batch::runs`] gives the stretches that have none.
#[derive(Clone, Default)]
pub struct Batch {
    bytes: Bytes,
    spans: Arc<Vec<Span>>, // in rising order, none reaching beyond `bytes`
    from: usize,
    to: usize,
    event_bytes: usize,
}

impl Batch {
    /// Puts a batch together from a buffer and what [`Scanner::scan`] found in it.
    ///
    /// # Panics
    /// When a span lies outside of the buffer or they do not rise: that is a fault of the caller, not of its input.
    pub fn from_parts(bytes: Bytes, spans: Vec<Span>) -> Batch {
        let (mut last, mut event_bytes) = (0, 0);
        for span in &spans {
            assert!(last <= span.start && span.start <= span.body && span.body <= span.end, "spans rise");
            last = span.end;
            event_bytes += (span.end - span.start) as usize;
        }
        assert!(last as usize <= bytes.len(), "spans lie within the buffer");
        let to = spans.len();
        Batch { bytes, spans: Arc::new(spans), from: 0, to, event_bytes }
    }

    /// Reads events that stand one behind the other, as they do in a file of ours.
    ///
    /// # Errors
    /// [`Malformed`] when anything but whole events is found.
    pub fn parse(bytes: Bytes) -> Result<Batch, Malformed> {
        let mut spans = Vec::new();
        let (mut scanner, mut at) = (Scanner::new(&bytes), 0);
        while at < bytes.len() {
            spans.push(scanner.scan(&mut at)?);
        }
        Ok(Batch::from_parts(bytes, spans))
    }

    /// How many events it holds.
    pub fn len(&self) -> usize {
        self.to - self.from
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.from == self.to
    }

    /// Its events, in order.
    pub fn events(&self) -> impl ExactSizeIterator<Item = Event<'_>> + Clone {
        self.spans().iter().map(|span| Event {
            bytes: &self.bytes[span.start as usize..span.end as usize],
            body: (span.body - span.start) as usize,
            received: span.received,
        })
    }

    /// Where its events stand in [`Batch::buffer`].
    pub fn spans(&self) -> &[Span] {
        &self.spans[self.from..self.to]
    }

    /// The whole buffer, with what may stand before, between and behind this batch's events.
    pub fn buffer(&self) -> &Bytes {
        &self.bytes
    }

    /// Takes the first `events` (or all, if there are fewer) out of this batch. Both share the buffer.
    pub fn split_to(&mut self, events: usize) -> Batch {
        if events >= self.len() {
            return std::mem::take(self);
        }
        let middle = self.from + events;
        let mut first = Batch { to: middle, ..self.clone() };
        first.event_bytes = bytes_of(first.spans());
        self.event_bytes -= first.event_bytes;
        self.from = middle;
        first
    }

    /// The events' bytes as stretches without a gap, in order; one for a batch that was encoded here.
    pub fn runs(&self) -> impl Iterator<Item = Bytes> + '_ {
        self.spans().chunk_by(|a, b| a.end == b.start).map(|run| {
            let (first, last) = (run[0], run[run.len() - 1]);
            self.bytes.slice(first.start as usize..last.end as usize)
        })
    }

    /// Bytes of the events in their Avro form, without gaps.
    pub fn event_bytes(&self) -> usize {
        self.event_bytes
    }

    /// A batch of those events of this one for which `keep` holds. Shares the buffer.
    pub fn filter(&self, mut keep: impl FnMut(&Event<'_>) -> bool) -> Batch {
        let kept = self.events().zip(self.spans()).filter(|(event, _)| keep(event)).map(|(_, span)| *span);
        let spans: Vec<Span> = kept.collect();
        let (to, event_bytes) = (spans.len(), bytes_of(&spans));
        Batch { bytes: self.bytes.clone(), spans: Arc::new(spans), from: 0, to, event_bytes }
    }

    /// Gives the buffer and the index back for reuse when nobody else holds them.
    pub(crate) fn into_parts(self) -> Result<(bytes::BytesMut, Vec<Span>), Batch> {
        if !self.bytes.is_unique() {
            return Err(self);
        }
        let Batch { bytes, spans, from, to, event_bytes } = self;
        match Arc::try_unwrap(spans) {
            Ok(spans) => match bytes.try_into_mut() {
                Ok(bytes) => Ok((bytes, spans)),
                Err(bytes) => Err(Batch { bytes, spans: Arc::new(spans), from, to, event_bytes }),
            },
            Err(spans) => Err(Batch { bytes, spans, from, to, event_bytes }),
        }
    }
}

fn bytes_of(spans: &[Span]) -> usize {
    spans.iter().map(|span| (span.end - span.start) as usize).sum()
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Batch({} events, {} bytes)", self.len(), self.event_bytes())
    }
}

#[cfg(test)]
mod tests {
    use crate::BatchBuilder;

    fn batch(bodies: &[&str]) -> super::Batch {
        let mut builder = BatchBuilder::default();
        for body in bodies {
            builder.push([("k", "v")], body.as_bytes());
        }
        builder.finish()
    }

    fn bodies(batch: &super::Batch) -> Vec<String> {
        batch.events().map(|event| String::from_utf8_lossy(event.body()).into_owned()).collect()
    }

    #[test]
    fn splitting_shares_the_buffer_and_keeps_the_order() {
        let mut rest = batch(&["a", "b", "c"]);
        let first = rest.split_to(2);
        assert_eq!((bodies(&first), bodies(&rest)), (vec!["a".into(), "b".into()], vec!["c".into()]));
        assert_eq!(first.buffer().as_ptr(), rest.buffer().as_ptr());
        assert_eq!(rest.split_to(9).len(), 1);
        assert!(rest.is_empty());
    }

    #[test]
    fn runs_leave_gaps_out() {
        let all = batch(&["a", "b", "c", "d"]);
        assert_eq!(all.runs().count(), 1);
        let some = all.filter(|event| event.body() != b"b");
        let runs: Vec<usize> = some.runs().map(|run| run.len()).collect();
        assert_eq!(runs, [8, 16]);
        assert_eq!(some.event_bytes(), 24);
        assert_eq!(bodies(&some), ["a", "c", "d"]);
    }

    #[test]
    fn what_was_encoded_parses_and_no_cut_of_it_does() {
        let all = batch(&["one", ""]);
        let bytes = all.buffer().clone();
        assert_eq!(super::Batch::parse(bytes.clone()).expect("own bytes").spans().len(), 2);
        let whole_event = all.spans()[0].end as usize;
        for cut in (1..bytes.len()).filter(|cut| *cut != whole_event) {
            assert!(super::Batch::parse(bytes.slice(..cut)).is_err(), "cut at {cut}");
        }
    }
}

//! Many events in one shared buffer.

use crate::beside::Beside;
use crate::{BatchBuilder, Event, Malformed, Scanner};
use bytes::{Bytes, BytesMut};
use std::any::Any;
use std::sync::Arc;

/// Where one event stands in a batch's buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first byte of the header map that it came with.
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
/// Cloning, splitting and setting the headers of events that have the same ones copy no event. Between two events there may
/// be bytes of a peer's framing that belong to neither; [`Batch::runs`] gives the stretches that have none.
#[derive(Clone, Default)]
pub struct Batch {
    bytes: Bytes,
    index: Arc<Index>,
    // As small as spans are: a batch of 64 bytes is moved by eight instructions.
    from: u32,
    to: u32,
    event_bytes: usize,
    // Shared: a batch is moved and cut more often than its origin is asked for.
    origin: Option<Arc<Origin>>,
}

/// Where the events of a batch can be read again, should they not arrive: for the source that has read them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The source.
    pub source: u64,
    /// What it has read, such as a file.
    pub part: u64,
    /// Where in it the first of them begins, or one before it.
    pub start: u64,
}

#[derive(Clone, Default)]
struct Index {
    spans: Vec<Span>, // in rising order, none reaching beyond the batch's bytes
    maps: Maps,
    beside: Option<Box<Beside>>, // mostly there is nothing
}

/// Where the header maps of a batch are.
#[derive(Clone, Default)]
enum Maps {
    /// Before the bodies.
    #[default]
    InPlace,
    /// Before the bodies, and all are the same, byte for byte: so many of them.
    Alike(u32),
    /// `map` is that of each event; the `old` bytes before each body do not count any more.
    Replaced { old: u32, map: Bytes },
}

impl Batch {
    /// Puts a batch together from a buffer, what [`Scanner::scan`] found in it, and [`Scanner::alike`].
    ///
    /// # Panics
    /// When a span lies outside of the buffer or they do not rise: that is a fault of the caller, not of its input.
    pub fn from_parts(bytes: Bytes, spans: Vec<Span>, alike: Option<u32>) -> Batch {
        let (mut last, mut event_bytes) = (0, 0);
        for span in &spans {
            assert!(last <= span.start && span.start <= span.body && span.body <= span.end, "spans rise");
            assert!(alike.is_none_or(|map| map < span.body - span.start), "a map is before its body");
            last = span.end;
            event_bytes += (span.end - span.start) as usize;
        }
        assert!(last as usize <= bytes.len(), "spans lie within the buffer");
        let (to, maps) = (count(&spans), alike.map_or(Maps::InPlace, Maps::Alike));
        let index = Arc::new(Index { spans, maps, beside: None });
        Batch { bytes, index, from: 0, to, event_bytes, origin: None }
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
        let alike = scanner.alike();
        Ok(Batch::from_parts(bytes, spans, alike))
    }

    /// The same events, of that origin.
    pub fn with_origin(mut self, origin: Option<Origin>) -> Batch {
        self.origin = origin.map(Arc::new);
        self
    }

    /// Where they can be read again, if anywhere. Kept by whatever makes a part of a batch.
    pub fn origin(&self) -> Option<Origin> {
        self.origin.as_deref().copied()
    }

    /// The same events, with `what` beside them. Whatever part of the batch an event comes to be in, it keeps its place there, which
    /// is its number among these.
    pub fn with_beside(self, what: Arc<dyn Any + Send + Sync>) -> Batch {
        let beside = Beside::new(what, self.len());
        self.beside_is(Some(beside))
    }

    /// What is beside its events, if that is a `T`, and the place of each of them in it.
    pub fn beside<T: Any>(&self) -> Option<(&T, &[u32])> {
        let beside = self.index.beside.as_deref()?;
        Some((beside.what()?, beside.places(self.from, self.to)))
    }

    /// The same events, with what belongs to just these.
    fn beside_is(mut self, beside: Option<Beside>) -> Batch {
        let Some(beside) = beside else { return self };
        let spans = self.spans().to_vec();
        let (maps, to) = (self.index.maps.clone(), count(&spans));
        self.index = Arc::new(Index { spans, maps, beside: Some(Box::new(beside)) });
        (self.from, self.to) = (0, to);
        self
    }

    /// How many events it holds.
    pub fn len(&self) -> usize {
        (self.to - self.from) as usize
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.from == self.to
    }

    /// Its events, in order.
    pub fn events(&self) -> impl ExactSizeIterator<Item = Event<'_>> + Clone {
        let set = if let Maps::Replaced { map, .. } = &self.index.maps { Some(&map[..]) } else { None };
        self.spans().iter().map(move |span| {
            let bytes = &self.bytes[span.start as usize..span.end as usize];
            let body = (span.body - span.start) as usize;
            Event { bytes, body, map: set.unwrap_or(bytes), received: span.received }
        })
    }

    /// The first event, if all are known to have its header map.
    pub fn model(&self) -> Option<Event<'_>> {
        if matches!(self.index.maps, Maps::InPlace) { None } else { self.events().next() }
    }

    /// Gives all events of a batch that has a [`Batch::model`] the header map `map` (in its Avro form). Nothing is copied:
    /// the map is kept beside the buffer.
    ///
    /// # Panics
    /// When it has none.
    pub fn with_headers(mut self, map: Bytes) -> Batch {
        let (Maps::Alike(old) | Maps::Replaced { old, .. }) = self.index.maps else {
            panic!("events that may have different headers")
        };
        Arc::make_mut(&mut self.index).maps = Maps::Replaced { old, map };
        self.event_bytes = self.measure();
        self
    }

    /// Whether each header map stands before its body; else it is kept beside the buffer.
    pub fn is_in_place(&self) -> bool {
        !matches!(self.index.maps, Maps::Replaced { .. })
    }

    /// Appends the events in their Avro form.
    pub fn append_to(&self, out: &mut BytesMut) {
        let (old, map) = self.replaced();
        for span in self.spans() {
            out.extend_from_slice(map);
            out.extend_from_slice(&self.bytes[span.start as usize + old..span.end as usize]);
        }
    }

    /// The same events with each header map before its body: a copy, in new memory, unless they are.
    pub fn in_place(&self) -> Batch {
        if self.is_in_place() {
            return self.clone();
        }
        let (old, map) = self.replaced();
        let mut builder = BatchBuilder::default();
        builder.reserve(self.event_bytes);
        self.events().for_each(|event| builder.push_with_headers(map, &event, old));
        let beside = self.index.beside.as_ref();
        let beside = beside.map(|beside| beside.part(self.from as usize..self.to as usize));
        builder.finish().beside_is(beside)
    }

    /// Where its events stand in [`Batch::buffer`]; their header maps may have been set since they were written there.
    pub fn spans(&self) -> &[Span] {
        &self.index.spans[self.from as usize..self.to as usize]
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
        let middle = self.from + events as u32; // fewer than are there
        let mut first = Batch { to: middle, ..self.clone() };
        first.event_bytes = first.measure();
        self.event_bytes -= first.event_bytes;
        self.from = middle;
        first
    }

    /// The events' bytes as stretches without a gap, in order; one for a batch that was encoded here. A batch that is not
    /// [`Batch::is_in_place`] is copied into new memory.
    pub fn runs(&self) -> impl Iterator<Item = Bytes> + use<> {
        let batch = self.in_place();
        let mut at = batch.from as usize;
        std::iter::from_fn(move || {
            let run = batch.index.spans[at..batch.to as usize].chunk_by(|a, b| a.end == b.start).next()?;
            at += run.len();
            Some(batch.bytes.slice(run[0].start as usize..run[run.len() - 1].end as usize))
        })
    }

    /// Bytes of the events in their Avro form, without gaps.
    pub fn event_bytes(&self) -> usize {
        self.event_bytes
    }

    /// A batch of those events of this one for which `keep` holds. Shares the buffer, unless they are so few that it would
    /// be held for next to nothing.
    pub fn filter(&self, mut keep: impl FnMut(&Event<'_>) -> bool) -> Batch {
        let kept = self.events().zip(self.spans()).filter(|(event, _)| keep(event)).map(|(_, span)| *span);
        let spans: Vec<Span> = kept.collect();
        let beside = self.index.beside.as_ref().map(|beside| Box::new(beside.part(self.places_of(&spans))));
        let (bytes, maps, to) = (self.bytes.clone(), self.index.maps.clone(), count(&spans));
        let (index, origin) = (Arc::new(Index { spans, maps, beside }), self.origin.clone());
        let mut batch = Batch { bytes, index, from: 0, to, event_bytes: 0, origin };
        batch.event_bytes = batch.measure();
        if batch.event_bytes >= self.bytes.len() / FEW {
            return batch;
        }
        let mut builder = BatchBuilder::default();
        for event in batch.events() {
            builder.push_encoded(event.header_bytes(), event.received, event.body());
        }
        let beside = batch.index.beside.as_deref().cloned();
        Batch { origin: self.origin.clone(), ..builder.finish().beside_is(beside) }
    }

    /// Where `some` of its spans stand in the index.
    fn places_of(&self, some: &[Span]) -> impl Iterator<Item = usize> {
        let mut left = some.iter().peekable();
        let all = self.spans().iter().enumerate();
        all.filter_map(move |(at, span)| left.next_if_eq(&span).map(|_| self.from as usize + at))
    }

    /// See [`Batch::event_bytes`].
    fn measure(&self) -> usize {
        let there: usize = self.spans().iter().map(|span| (span.end - span.start) as usize).sum();
        let (old, map) = self.replaced();
        there + self.len() * map.len() - self.len() * old
    }

    /// What counts in place of the first bytes of each event, and of how many of them: nothing, of none, when header maps
    /// are in place.
    fn replaced(&self) -> (usize, &[u8]) {
        match &self.index.maps {
            Maps::InPlace | Maps::Alike(_) => (0, &[]),
            Maps::Replaced { old, map } => (*old as usize, map),
        }
    }

    /// Whether nobody else holds the buffer and the index.
    pub(crate) fn is_alone(&self) -> bool {
        self.bytes.is_unique() && Arc::strong_count(&self.index) == 1
    }

    /// The buffer and the index, to be used again; `None` unless the batch [`Batch::is_alone`].
    pub(crate) fn into_parts(self) -> Option<(BytesMut, Vec<Span>)> {
        let Batch { bytes, index, .. } = self;
        Some((bytes.try_into_mut().ok()?, Arc::try_unwrap(index).ok()?.spans))
    }
}

/// How many events these are.
fn count(spans: &[Span]) -> u32 {
    u32::try_from(spans.len()).expect("each has bytes in a buffer of less than 4 GiB")
}

/// A batch of less than this part of its buffer gets one of its own.
const FEW: usize = 8;

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Batch({} events, {} bytes)", self.len(), self.event_bytes())
    }
}

#[cfg(test)]
mod tests {
    use crate::BatchBuilder;
    use bytes::Bytes;

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
    fn headers_of_events_that_have_the_same_are_set_without_a_copy() {
        let peer = batch(&["a", "bc", "d"]);
        assert!(peer.model().is_none(), "nobody has looked");
        // Its framing may give a length more bytes than it needs.
        let bytes = [&peer.buffer()[..], b"\x02\x02k\x02v\x00\x84\x00ef"].concat();
        let parsed = super::Batch::parse(bytes.into()).expect("own bytes");
        let at = parsed.buffer().as_ptr();
        let mut set = parsed.with_headers(Bytes::from_static(b"\x00"));
        assert_eq!(
            (set.buffer().as_ptr(), set.events().all(|event| event.header("k").is_none())),
            (at, true)
        );
        let rest = set.filter(|event| event.body() != b"d");
        let first = set.split_to(1);
        for (part, expected) in [(first, &["a"][..]), (set, &["bc", "d", "ef"]), (rest, &["a", "bc", "ef"])] {
            let runs: Vec<u8> = part.runs().flatten().collect();
            assert_eq!(part.event_bytes(), runs.len());
            assert_eq!(bodies(&part), expected);
            assert_eq!(bodies(&super::Batch::parse(runs.into()).expect("own bytes")), expected);
        }
    }

    #[test]
    fn what_is_beside_a_batch_goes_with_each_part_of_it_and_ends_with_the_last() {
        let what = std::sync::Arc::new(7u64);
        let held = || std::sync::Arc::strong_count(&what) - 1;
        let mut rest = batch(&["a", &"b".repeat(100), "c", "d"]).with_beside(what.clone());
        let places =
            |batch: &super::Batch| batch.beside::<u64>().map(|(what, places)| (*what, places.to_vec()));
        assert!(rest.beside::<u32>().is_none() && batch(&["a"]).beside::<u64>().is_none());
        let first = rest.split_to(1);
        assert_eq!((places(&first), places(&rest)), (Some((7, vec![0])), Some((7, vec![1, 2, 3]))));
        let large = rest.filter(|event| event.body() != b"c");
        assert_eq!(places(&large), Some((7, vec![1, 3])));
        let small = rest.filter(|event| event.body() == b"d");
        assert_eq!((small.buffer().len(), places(&small)), (8, Some((7, vec![3]))), "in memory of its own");
        let peer = super::Batch::parse(batch(&["a", "b"]).buffer().clone()).expect("own bytes");
        let set = peer.with_beside(what.clone()).with_headers(Bytes::from_static(b"\x00"));
        assert_eq!((places(&set), places(&set.in_place())), (Some((7, vec![0, 1])), Some((7, vec![0, 1]))));
        drop((rest, first, large, set));
        assert!(held() > 0, "a part is left");
        drop(small);
        assert_eq!(held(), 0);
    }

    #[test]
    fn few_events_do_not_hold_a_large_buffer() {
        let all = batch(&["a", &"b".repeat(100), "c", &"d".repeat(100)]);
        let large = all.filter(|event| event.body().len() > 1);
        assert_eq!(large.buffer().as_ptr(), all.buffer().as_ptr());
        let small = all.filter(|event| event.body() != b"c" && event.body().len() == 1);
        assert_eq!((small.buffer().len(), bodies(&small)), (8, vec!["a".into()]));
        assert_eq!(small.events().next().and_then(|event| event.header("k")), Some("v"));
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

//! How a source encodes events, once.

use crate::{Batch, Event, Span, Zigzag, push_zigzag};
use bytes::BytesMut;

/// Encodes events one behind the other into one buffer.
#[derive(Default)]
pub struct BatchBuilder {
    bytes: BytesMut,
    spans: Vec<Span>,
}

impl BatchBuilder {
    /// A builder over a buffer and an index that were used before; what they hold is forgotten.
    pub fn reuse(mut bytes: BytesMut, mut spans: Vec<Span>) -> BatchBuilder {
        bytes.clear();
        spans.clear();
        BatchBuilder { bytes, spans }
    }

    /// Makes room for `bytes` more, so that the events to come are written without growing the buffer.
    pub fn reserve(&mut self, bytes: usize) {
        self.bytes.reserve(bytes);
    }

    /// Encodes an event that is born here.
    pub fn push<'a>(&mut self, headers: impl IntoIterator<Item = (&'a str, &'a str)>, body: &[u8]) {
        self.push_received(headers, Span::BORN_HERE, body);
    }

    /// Encodes an event of which the first `received` headers came with it; see [`Span::received`].
    pub fn push_received<'a>(
        &mut self,
        headers: impl IntoIterator<Item = (&'a str, &'a str)>,
        received: u32,
        body: &[u8],
    ) {
        let start = self.bytes.len();
        let pairs = headers.into_iter().map(|(key, value)| (key.as_bytes(), value.as_bytes()));
        encode_headers(&mut self.bytes, pairs);
        self.body(start, received, body);
    }

    /// Encodes an event whose header map already stands in its Avro form (see [`encode_headers`]).
    #[inline]
    pub fn push_encoded(&mut self, headers: &[u8], received: u32, body: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(headers);
        self.body(start, received, body);
    }

    /// Copies an event of another batch, with `headers` (in their Avro form) in place of those it came with, which are the
    /// first `old` bytes of it.
    #[inline]
    pub fn push_with_headers(&mut self, headers: &[u8], event: &Event<'_>, old: usize) {
        let start = self.bytes.len();
        let rest = &event.bytes[old..];
        self.bytes.reserve(headers.len() + rest.len());
        self.bytes.extend_from_slice(headers);
        self.bytes.extend_from_slice(rest);
        let body = start + headers.len() + event.body - old;
        let (start, body, end) = (start as u32, body as u32, self.bytes.len() as u32);
        self.spans.push(Span { start, body, end, received: event.received });
    }

    #[inline]
    fn body(&mut self, start: usize, received: u32, body: &[u8]) {
        push_zigzag(&mut self.bytes, body.len() as i64);
        let at = self.bytes.len();
        self.bytes.extend_from_slice(body);
        // A builder is emptied long before 4 GiB: sources bound what they put into one batch.
        let span = Span { start: start as u32, body: at as u32, end: self.bytes.len() as u32, received };
        self.spans.push(span);
    }

    /// How many events it holds.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Bytes encoded so far.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The events as a batch.
    pub fn finish(self) -> Batch {
        Batch::from_parts(self.bytes.freeze(), self.spans, None)
    }
}

/// Appends a header map in its Avro form: one block, or the single byte `00` when there are none.
pub fn encode_headers<'a>(out: &mut BytesMut, headers: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) {
    let at = out.len();
    let mut count = 0;
    for (key, value) in headers {
        if count == 0 {
            out.extend_from_slice(&[0]); // where the count of a small map goes
        }
        count += 1;
        for text in [key, value] {
            push_zigzag(out, text.len() as i64);
            out.extend_from_slice(text);
        }
    }
    if count > 0 {
        write_count(out, at, count);
    }
    out.extend_from_slice(&[0]);
}

/// Writes the count of a block over the one byte kept for it; more than 63 need a second byte and a move.
fn write_count(out: &mut BytesMut, at: usize, count: i64) {
    let bytes = Zigzag::new(count);
    out[at] = bytes[0];
    if bytes.len() > 1 {
        let rest = out.split_off(at + 1);
        out.extend_from_slice(&bytes[1..]);
        out.unsplit(BytesMut::from(&rest[..]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(
            events in proptest::collection::vec(
                (proptest::collection::vec((".*", ".*"), 0..5), proptest::collection::vec(any::<u8>(), 0..300)), 0..8)
        ) {
            let mut builder = BatchBuilder::default();
            for (headers, body) in &events {
                builder.push(headers.iter().map(|(k, v)| (k.as_str(), v.as_str())), body);
            }
            let batch = builder.finish();
            prop_assert_eq!(batch.len(), events.len());
            for (event, (headers, body)) in batch.events().zip(&events) {
                prop_assert_eq!(event.body(), &body[..]);
                let read: Vec<_> = event.headers().collect();
                let written: Vec<_> = headers.iter().map(|(k, v)| (k.as_bytes(), v.as_bytes())).collect();
                prop_assert_eq!(read, written);
            }
        }
    }

    #[test]
    fn a_hundred_headers_take_a_second_byte_for_their_count() {
        let names: Vec<String> = (0..100).map(|n| n.to_string()).collect();
        let mut builder = BatchBuilder::default();
        builder.push(names.iter().map(|name| (name.as_str(), "x")), b"body");
        let batch = builder.finish();
        let event = batch.events().next().expect("one event");
        assert_eq!(
            (event.headers().count(), event.header("99"), event.body()),
            (100, Some("x"), &b"body"[..])
        );
    }
}

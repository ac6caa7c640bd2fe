//! Lines of a file or a pipe, turned into batches.

use bytes::{Buf, Bytes, BytesMut};
use event::{Batch, BatchBuilder, Recycler, Span};
use std::io::{self, Read};
use wire::line::{Ends, LineCutter};

/// Makes a batch of what a read has brought, whatever it is, so that no line waits for others. Bytes stay what they are:
/// Flume decodes and encodes them, which changes only what was malformed.
pub(super) struct LineBatches<R> {
    input: R,
    ended: bool,
    cutter: LineCutter,
    buffer: BytesMut,
    headers: Bytes,
    most: usize,
    recycler: Recycler,
    /// Lines that were longer than anything can be sent, and became several events.
    pub(super) cut: u64,
}

impl<R: Read> LineBatches<R> {
    /// `headers`: of every event, in their Avro form; `most`: lines in a batch.
    pub(super) fn new(input: R, ends: Ends, headers: Bytes, most: usize) -> LineBatches<R> {
        LineBatches {
            input,
            ended: false,
            cutter: LineCutter::new(ends),
            buffer: BytesMut::new(),
            headers,
            most,
            recycler: Recycler::new(LENT, LENT_BYTES),
            cut: 0,
        }
    }

    /// The next lines; `None` at the end. The last line need not be ended.
    ///
    /// # Errors
    /// When the input cannot be read.
    pub(super) fn next(&mut self) -> io::Result<Option<Batch>> {
        loop {
            if let Some(batch) = self.batch() {
                return Ok(Some(batch));
            }
            if self.ended {
                return Ok(None);
            }
            self.read()?;
        }
    }

    fn batch(&mut self) -> Option<Batch> {
        if self.buffer.is_empty() {
            return None;
        }
        let mut builder = self.recycler.builder();
        let mut lines = self.cutter.cut(&self.buffer);
        while builder.len() < self.most && builder.bytes() < MOST_BYTES {
            let Some(line) = lines.next() else { break };
            builder.push_encoded(&self.headers, Span::BORN_HERE, line);
        }
        let taken = lines.taken();
        self.buffer.advance(taken);
        if builder.is_empty() {
            self.take_rest(&mut builder);
        }
        (!builder.is_empty()).then(|| {
            let batch = builder.finish();
            self.recycler.lend(&batch);
            batch
        })
    }

    /// A line that ends with the input, or is too long to be waited for.
    fn take_rest(&mut self, builder: &mut BatchBuilder) {
        if !self.ended && self.buffer.len() < MOST_LINE {
            return;
        }
        self.cut += u64::from(!self.ended);
        if let Some(line) = self.cutter.rest(&self.buffer) {
            builder.push_encoded(&self.headers, Span::BORN_HERE, line);
        }
        self.buffer.clear();
    }

    fn read(&mut self) -> io::Result<()> {
        let held = self.buffer.len();
        self.buffer.resize(held + READ_BYTES, 0);
        let read = loop {
            match self.input.read(&mut self.buffer[held..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.buffer.truncate(held + read.as_ref().copied().unwrap_or_default());
        self.ended = read? == 0;
        Ok(())
    }
}

/// A line is cut here: nobody's file takes memory without bound.
pub(super) const MOST_LINE: usize = 16 << 20;
/// Bytes after which a batch gets no more lines.
const MOST_BYTES: usize = 1 << 20;
/// Bytes asked for in a read.
const READ_BYTES: usize = 64 << 10;
/// Batches under way whose buffers are written again when they are back.
const LENT: usize = 8;
const LENT_BYTES: usize = 4 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(ends: Ends, input: impl Read, most: usize) -> (Vec<usize>, Vec<Vec<u8>>) {
        let mut lines = LineBatches::new(input, ends, Bytes::from_static(&[0]), most);
        let (mut sizes, mut bodies) = (Vec::new(), Vec::new());
        while let Some(batch) = lines.next().unwrap() {
            sizes.push(batch.len());
            bodies.extend(batch.events().map(|event| event.body().to_vec()));
        }
        (sizes, bodies)
    }

    /// Gives a few bytes at a time.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let count = 2.min(self.0.len());
            self.0.read(&mut into[..count])
        }
    }

    #[test]
    fn lines_end_as_in_java_and_bytes_stay_what_they_are() {
        let text: &[u8] = b"one\ntwo\r\nthree\rf\xff\x00r\n\nlast";
        let bodies: [&[u8]; 6] = [b"one", b"two", b"three", b"f\xff\x00r", b"", b"last"];
        assert_eq!(lines(Ends::Any, text, 4), (vec![4, 1, 1], bodies.map(<[u8]>::to_vec).to_vec()));
        assert_eq!(lines(Ends::Any, Slow(text), 100).1, bodies);
        assert_eq!(lines(Ends::Lf, &b"a\r\nb\r"[..], 9).1, [b"a\r", b"b\r"]);
        for empty in ["", "\n"] {
            assert_eq!(
                lines(Ends::Any, empty.as_bytes(), 9).1.len(),
                empty.len(),
                "an empty line is an event"
            );
        }
    }

    #[test]
    fn a_line_without_an_end_is_cut_and_counted() {
        let mut lines = LineBatches::new(io::repeat(b'x'), Ends::Any, Bytes::from_static(&[0]), 100);
        let batch = lines.next().unwrap().unwrap();
        assert_eq!((batch.len(), lines.cut), (1, 1));
        assert!(batch.event_bytes() >= MOST_LINE && batch.event_bytes() < 2 * MOST_LINE);
    }
}

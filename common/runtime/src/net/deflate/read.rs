//! What a peer has compressed, expanded.

use super::{Broken, ROOM};
use flate2::{Decompress, FlushDecompress, Status};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, ReadBuf};

/// Expands what a peer has compressed.
pub(crate) struct Reader {
    inflate: Decompress,
    input: Box<[u8]>,
    from: usize,
    to: usize,
    /// What came first, to tell what it is if it is no zlib stream.
    first: Vec<u8>,
    ended: bool,
}

impl Reader {
    pub(crate) fn new() -> Reader {
        Reader {
            inflate: Decompress::new(true),
            input: vec![0; ROOM].into(),
            from: 0,
            to: 0,
            first: Vec::new(),
            ended: false,
        }
    }

    /// Whether the stream has come to its end.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Moves to `buf` what was read together with the stream's end; `false` when there is no more.
    pub(crate) fn take_rest(&mut self, buf: &mut ReadBuf<'_>) -> bool {
        let rest = &self.input[self.from..self.to];
        let now = rest.len().min(buf.remaining());
        buf.put_slice(&rest[..now]);
        self.from += now;
        now > 0
    }

    /// Expands what was read as far as `out` has room, and answers how many bytes that were.
    fn expand(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let (read, written) = (self.inflate.total_in(), self.inflate.total_out());
        let status = self.inflate.decompress(&self.input[self.from..self.to], out, FlushDecompress::None);
        let status = status.map_err(|error| self.broken(&error))?;
        let step =
            |now: u64, before| usize::try_from(now - before).expect("a step is no longer than a buffer");
        self.from += step(self.inflate.total_in(), read);
        self.ended = status == Status::StreamEnd;
        Ok(step(self.inflate.total_out(), written))
    }

    fn broken(&self, error: &flate2::DecompressError) -> io::Error {
        let broken = match is_zlib(&self.first) {
            true => Broken::Damaged(error.to_string()),
            false => Broken::NotZlib(self.first.clone()),
        };
        io::Error::new(io::ErrorKind::InvalidData, broken)
    }

    /// `read` more bytes have come.
    fn grow(&mut self, read: usize) {
        let new = &self.input[self.to..self.to + read];
        self.first.extend(new.iter().take(FIRST_BYTES - self.first.len()));
        self.to += read;
    }

    /// Fills `buf` with what the peer has compressed, as far as there is room; with nothing at the stream's end.
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        inner: &mut (impl AsyncRead + Unpin),
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let most = buf.remaining().min(MOST_EXPANDED);
        while most > 0 && !self.ended {
            // Also without new input: the last call may have ended for want of room.
            let expanded = self.expand(buf.initialize_unfilled_to(most))?;
            if expanded > 0 {
                buf.advance(expanded);
                break;
            }
            if self.ended {
                break;
            }
            // zlib keeps what it cannot use yet; nothing is left in front of `from` that it has not taken.
            let kept = self.to - self.from;
            if kept == self.input.len() {
                let error = Broken::Damaged("no progress".to_owned());
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, error)));
            }
            self.input.copy_within(self.from..self.to, 0);
            (self.from, self.to) = (0, kept);
            let mut input = ReadBuf::new(&mut self.input[kept..]);
            ready!(Pin::new(&mut *inner).poll_read(cx, &mut input))?;
            match input.filled().len() {
                0 => break,
                read => self.grow(read),
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// Whether a stream begins as RFC 1950 has it: method 8, and a header that 31 divides.
fn is_zlib(first: &[u8]) -> bool {
    match first {
        [method, flags, ..] => method & 15 == 8 && u16::from_be_bytes([*method, *flags]) % 31 == 0,
        [method] => method & 15 == 8,
        [] => true,
    }
}

/// Bytes expanded at a time.
pub(super) const MOST_EXPANDED: usize = 64 << 10;
/// Bytes kept of a stream that is none, to tell what it is.
const FIRST_BYTES: usize = 16;

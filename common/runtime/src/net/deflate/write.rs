//! What is written, compressed.

use super::ROOM;
use flate2::{Compress, Compression, FlushCompress, Status};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::AsyncWrite;

/// Compresses.
pub(crate) struct Writer {
    deflate: Compress,
    output: Vec<u8>,
    written: usize,
    /// Something was compressed since the last flush.
    dirty: bool,
    finished: bool,
}

impl Writer {
    /// With `level`, 0 (not at all) to 9.
    pub(crate) fn new(level: u8) -> Writer {
        Writer {
            deflate: Compress::new(Compression::new(level.min(9).into()), true),
            output: Vec::with_capacity(ROOM),
            written: 0,
            dirty: false,
            finished: false,
        }
    }

    /// Compresses as much of `bytes` as there is room for what comes out, and answers how many that were.
    fn compress(&mut self, bytes: &[u8], flush: FlushCompress) -> io::Result<(usize, Status)> {
        let before = self.deflate.total_in();
        let status = self.deflate.compress_vec(bytes, &mut self.output, flush).map_err(io::Error::other)?;
        let used = self.deflate.total_in() - before;
        Ok((usize::try_from(used).expect("no more than was given"), status))
    }

    fn poll_drain(
        &mut self,
        cx: &mut Context<'_>,
        inner: &mut (impl AsyncWrite + Unpin),
    ) -> Poll<io::Result<()>> {
        while self.written < self.output.len() {
            match ready!(Pin::new(&mut *inner).poll_write(cx, &self.output[self.written..]))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.written += written,
            }
        }
        self.output.clear();
        self.written = 0;
        Poll::Ready(Ok(()))
    }

    /// Takes what it can of `bytes`; waits only when it can take nothing.
    pub(crate) fn poll_take(
        &mut self,
        cx: &mut Context<'_>,
        inner: &mut (impl AsyncWrite + Unpin),
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            if self.output.len() + LEAST_ROOM > ROOM {
                ready!(self.poll_drain(cx, inner))?;
            }
            let (used, _) = self.compress(bytes, FlushCompress::None)?;
            if used > 0 || bytes.is_empty() {
                self.dirty |= used > 0;
                return Poll::Ready(Ok(used));
            }
        }
    }

    /// The same for several slices.
    pub(crate) fn poll_take_all(
        &mut self,
        cx: &mut Context<'_>,
        inner: &mut (impl AsyncWrite + Unpin),
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut taken = 0;
        for slice in slices.iter().filter(|slice| !slice.is_empty()) {
            match self.poll_take(cx, inner, slice)? {
                Poll::Ready(used) => {
                    taken += used;
                    if used < slice.len() {
                        break;
                    }
                }
                Poll::Pending if taken == 0 => return Poll::Pending,
                Poll::Pending => break,
            }
        }
        Poll::Ready(Ok(taken))
    }

    /// Passes on all that was taken.
    pub(crate) fn poll_flush(
        &mut self,
        cx: &mut Context<'_>,
        inner: &mut (impl AsyncWrite + Unpin),
    ) -> Poll<io::Result<()>> {
        if self.dirty {
            ready!(self.poll_end(cx, inner, FlushCompress::Sync))?;
            self.dirty = false;
        }
        self.poll_drain(cx, inner)
    }

    /// Passes on all that was taken, and the stream's end.
    pub(crate) fn poll_finish(
        &mut self,
        cx: &mut Context<'_>,
        inner: &mut (impl AsyncWrite + Unpin),
    ) -> Poll<io::Result<()>> {
        if !self.finished {
            ready!(self.poll_end(cx, inner, FlushCompress::Finish))?;
            self.finished = true;
        }
        self.poll_drain(cx, inner)
    }

    /// Ends what was compressed so far, with all that it takes to expand it, and passes it on.
    fn poll_end(
        &mut self,
        cx: &mut Context<'_>,
        inner: &mut (impl AsyncWrite + Unpin),
        flush: FlushCompress,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.poll_drain(cx, inner))?;
            let (_, status) = self.compress(&[], flush)?;
            // With room to spare zlib has nothing more to say.
            if status == Status::StreamEnd || self.output.len() < ROOM {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

/// Room that compressed bytes must find before more are compressed.
const LEAST_ROOM: usize = 4 << 10;

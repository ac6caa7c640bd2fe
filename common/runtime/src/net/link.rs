//! A byte stream with what is still to be written and what was read but not understood yet.

use super::swap::Swap;
use super::{BufferPool, Layered, Stream};
use bytes::{BufMut, Bytes, BytesMut};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncReadExt, AsyncWrite};

/// Reads into buffers of which the codec cuts slices, and writes slices that others own: no byte of an event is copied here
/// but by the kernel, and when a frame does not end with its buffer.
pub struct Link {
    stream: Stream,
    /// See [`Link::swap`].
    swap: Option<Swap>,
    swap_due: bool,
    pool: BufferPool,
    /// What was read and is not decoded yet.
    pub input: BytesMut,
    output: VecDeque<Bytes>,
    output_bytes: usize,
    read: u64,
    written: u64,
    /// A stream that encrypts or compresses has not passed on yet all that it was given.
    unflushed: bool,
    read_size: usize,
    expected: usize,
    size: usize, // of the buffer in `input` when it was taken; 0 when it has grown since
}

/// What [`Link::work`] has done.
#[derive(Debug, PartialEq, Eq)]
pub enum Worked {
    /// More stands in `input`.
    Read,
    /// The peer has closed its side.
    Closed,
    /// All that was queued is written.
    Written,
}

impl Link {
    /// A link over `layered`; what passes is counted in `pool`.
    pub fn new(layered: Layered, pool: BufferPool) -> Link {
        Link {
            stream: layered.stream,
            swap: layered.swap,
            swap_due: false,
            pool,
            input: BytesMut::new(),
            output: VecDeque::new(),
            output_bytes: 0,
            read: 0,
            written: 0,
            unflushed: false,
            read_size: FIRST_READ,
            expected: 0,
            size: 0,
        }
    }

    /// Puts bytes behind those that wait to be written.
    pub fn queue(&mut self, bytes: Bytes) {
        if !bytes.is_empty() {
            self.output_bytes += bytes.len();
            self.output.push_back(bytes);
        }
    }

    /// So many bytes are known to be on their way. Room for them is made in good time, but never only because a peer has
    /// announced them: at most [`MOST_AHEAD`] at once.
    pub fn expect(&mut self, bytes: usize) {
        self.expected = bytes;
    }

    /// Whether something waits to be written.
    pub fn has_output(&self) -> bool {
        !self.output.is_empty() || self.unflushed
    }

    /// Whether zlib, which is outside TLS, can go inside.
    pub fn may_swap(&self) -> bool {
        self.swap.is_some()
    }

    /// Puts zlib inside TLS as soon as all that is queued is written; both sides do, and the peer says nothing before.
    pub fn swap(&mut self) {
        self.swap_due = true;
        if !self.has_output() {
            self.swap_now();
        }
    }

    fn swap_now(&mut self) {
        if std::mem::take(&mut self.swap_due)
            && let Some(swap) = self.swap.take()
        {
            let stream = std::mem::replace(&mut self.stream, Box::new(tokio::io::empty()));
            self.stream = swap.inside(stream);
        }
    }

    /// What waits to be written takes so much memory. A stream that encrypts or compresses may hold a little besides.
    pub fn output_bytes(&self) -> usize {
        self.output_bytes + self.output.len() * SLICE_BYTES
    }

    /// Bytes read and written so far.
    pub fn moved(&self) -> u64 {
        self.read + self.written
    }

    /// Bytes written so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Makes room for the whole frame at the front of `input`, which the caller has allowed to take so much: it is not
    /// copied from buffer to buffer while it comes. A frame that fits a read is none of those.
    pub fn expect_whole(&mut self, bytes: usize) {
        if bytes > LAST_READ && self.input.capacity() < bytes {
            let mut fresh = BytesMut::with_capacity(bytes);
            fresh.extend_from_slice(&self.input);
            self.pool.put(std::mem::replace(&mut self.input, fresh), self.size);
            self.size = 0;
        }
    }

    /// Writes what is queued, and reads when `read` says so, until something has happened. Dropping the future loses
    /// nothing: what was moved is accounted for at once.
    pub async fn work(&mut self, read: bool) -> io::Result<Worked> {
        self.work_within(|_| if read { usize::MAX } else { 0 }).await
    }

    /// As [`Link::work`], and reads at most so many bytes as `most` says when it hears how many stand in `input`.
    pub async fn work_within(&mut self, most: impl Fn(usize) -> usize) -> io::Result<Worked> {
        poll_fn(|cx| {
            let most = most(self.input.len());
            self.poll_work(cx, most)
        })
        .await
    }

    fn poll_work(&mut self, cx: &mut Context<'_>, most: usize) -> Poll<io::Result<Worked>> {
        if self.has_output() && self.poll_write(cx)?.is_ready() {
            return Poll::Ready(Ok(Worked::Written));
        }
        if most == 0 {
            return Poll::Pending;
        }
        Poll::Ready(match ready!(self.poll_read(cx, most)) {
            Ok(0) => Ok(Worked::Closed),
            Ok(_) => Ok(Worked::Read),
            Err(error) => Err(error),
        })
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.output.is_empty() {
            let mut slices = [IoSlice::new(&[]); MAX_SLICES];
            let mut used = 0;
            for (slot, bytes) in slices.iter_mut().zip(&self.output) {
                *slot = IoSlice::new(bytes);
                used += 1;
            }
            let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, &slices[..used]))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.unflushed = true;
            self.forget(written);
        }
        // A stream that encrypts or compresses keeps bytes back until it is told that no more are coming.
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.unflushed = false;
        self.swap_now();
        Poll::Ready(Ok(()))
    }

    fn forget(&mut self, mut written: usize) {
        self.output_bytes -= written;
        self.written += written as u64;
        while let Some(first) = self.output.front_mut() {
            if first.len() > written {
                bytes::Buf::advance(first, written);
                return;
            }
            written -= first.len();
            self.output.pop_front();
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, most: usize) -> Poll<io::Result<usize>> {
        let least = self.expected.min(MOST_AHEAD).max(self.read_size / 2).min(most);
        if self.input.capacity() - self.input.len() < least {
            self.make_room(self.read_size.max(least).min(most), least);
        }
        let room = (self.input.capacity() - self.input.len()).min(most);
        // `read_buf` writes into memory that was never cleared, and may be dropped at any time.
        let read = ready!(pin!(self.stream.read_buf(&mut (&mut self.input).limit(room))).poll(cx))?;
        self.read += read as u64;
        if read == room && self.read_size < LAST_READ {
            self.read_size *= 2;
        }
        Poll::Ready(Ok(read))
    }

    /// Makes room for `wanted` bytes, `least` of them behind those in `input`.
    fn make_room(&mut self, wanted: usize, least: usize) {
        if self.input.len() > wanted {
            // A frame larger than a read: the buffer grows with it, and is not kept for others.
            self.size = 0;
            return self.input.reserve(wanted);
        }
        let (mut fresh, size) = self.pool.take(wanted.max(self.input.len() + least));
        fresh.extend_from_slice(&self.input);
        self.pool.put(std::mem::replace(&mut self.input, fresh), self.size);
        self.size = size;
    }

    /// Tells the peer that nothing more will come, after all that is queued.
    pub async fn finish(&mut self) -> io::Result<()> {
        while self.has_output() {
            self.work(false).await?;
        }
        poll_fn(|cx| Pin::new(&mut self.stream).poll_shutdown(cx)).await
    }
}

/// Bytes asked for in a connection's first read; an idle connection holds no more than four times as many.
const FIRST_READ: usize = 2 << 10;
/// Bytes asked for at most: more gain nothing and leave the processor's cache.
pub const LAST_READ: usize = 512 << 10;
/// Room made for what a peer has announced.
const MOST_AHEAD: usize = 512 << 10;
/// What a slice takes besides its bytes.
const SLICE_BYTES: usize = 128;
/// Slices given to the kernel at a time.
const MAX_SLICES: usize = 64;

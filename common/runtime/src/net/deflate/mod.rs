//! `compression-type = deflate`: one zlib stream (RFC 1950) in each direction for the whole life of a connection.
//!
//! What was written is complete on the wire after a flush, which ends in `Z_SYNC_FLUSH` as Netty's encoder does after
//! each frame. The stream's end is sent at shutdown; a peer that leaves without one is no error, frames tell their own
//! end. Source: `flume-wire`, "Deflate"; Flume 1.11 against this module, both ways.
//!
//! Memory: some 256 KiB of zlib's own for a connection that compresses, 40 KiB for one that expands, and [`ROOM`] bytes
//! for each direction. What a peer sends expands only as far as the reader asks for.

mod read;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use read::Reader;
pub(crate) use write::Writer;

use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream whose bytes are compressed on their way through `inner`.
pub(crate) struct Deflate<S> {
    inner: S,
    reader: Reader,
    writer: Writer,
}

/// The peer's bytes are not a zlib stream. Carried by an [`io::Error`] of the kind `InvalidData`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// From the first byte on; these came.
    NotZlib(Vec<u8>),
    /// Later.
    Damaged(String),
}

impl<S> Deflate<S> {
    /// Over `inner`, compressing with `level`, 0 (not at all) to 9.
    pub(crate) fn new(inner: S, level: u8) -> Deflate<S> {
        Deflate { inner, reader: Reader::new(), writer: Writer::new(level) }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Deflate<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Deflate { inner, reader, .. } = self.get_mut();
        reader.poll_read(cx, inner, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Deflate<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Deflate { inner, writer, .. } = self.get_mut();
        writer.poll_take(cx, inner, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Deflate { inner, writer, .. } = self.get_mut();
        writer.poll_take_all(cx, inner, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Deflate { inner, writer, .. } = self.get_mut();
        ready!(writer.poll_flush(cx, inner))?;
        Pin::new(inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Deflate { inner, writer, .. } = self.get_mut();
        ready!(writer.poll_finish(cx, inner))?;
        Pin::new(inner).poll_shutdown(cx)
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Broken::NotZlib(_) => f.write_str(
                "the peer does not compress, this end does: set `compression-type = deflate` on both sides or on neither",
            ),
            Broken::Damaged(why) => {
                write!(f, "the peer's compressed stream is damaged ({why}); the connection cannot go on")
            }
        }
    }
}

impl std::error::Error for Broken {}

/// Bytes held for each direction.
const ROOM: usize = 16 << 10;

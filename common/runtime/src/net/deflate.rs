//! `compression-type = deflate`: one zlib stream (RFC 1950) in each direction for the whole life of a connection.
//!
//! What was written is complete on the wire after a flush, which ends in `Z_SYNC_FLUSH` as Netty's encoder does after
//! each frame. The stream's end is sent at shutdown; a peer that leaves without one is no error, frames tell their own
//! end. Source: `flume-wire`, "Deflate"; Flume 1.11 against this module, both ways.
//!
//! Memory: some 256 KiB of zlib's own for a connection that compresses, 40 KiB for one that expands, and [`ROOM`] bytes
//! for each direction. What a peer sends expands only as far as the reader asks for.

use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream whose bytes are compressed on their way through `inner`.
pub(crate) struct Deflate<S> {
    inner: S,
    reader: Reader,
    writer: Writer,
}

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

/// Compresses.
pub(crate) struct Writer {
    deflate: Compress,
    output: Vec<u8>,
    written: usize,
    /// Something was compressed since the last flush.
    dirty: bool,
    finished: bool,
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

impl<S: AsyncRead + Unpin> AsyncRead for Deflate<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Deflate { inner, reader, .. } = self.get_mut();
        reader.poll_read(cx, inner, buf)
    }
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

/// Whether a stream begins as RFC 1950 has it: method 8, and a header that 31 divides.
fn is_zlib(first: &[u8]) -> bool {
    match first {
        [method, flags, ..] => method & 15 == 8 && u16::from_be_bytes([*method, *flags]) % 31 == 0,
        [method] => method & 15 == 8,
        [] => true,
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
/// Room that compressed bytes must find before more are compressed.
const LEAST_ROOM: usize = 4 << 10;
/// Bytes expanded at a time.
const MOST_EXPANDED: usize = 64 << 10;
/// Bytes kept of a stream that is none, to tell what it is.
const FIRST_BYTES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::within::Within;
    use std::io::Write;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    #[tokio::test]
    async fn a_flush_completes_what_was_written_and_an_end_is_sent() {
        let (near, mut far) = duplex(1 << 20);
        let mut stream = Deflate::new(near, 6);
        stream.write_all(b"hello").within("a write").await.unwrap();
        stream.flush().within("a flush").await.unwrap();
        stream.flush().within("a flush").await.unwrap();
        stream.write_all(b" world").within("a write").await.unwrap();
        stream.shutdown().within("the end of the stream").await.unwrap();
        drop(stream);
        let mut wire = Vec::new();
        far.read_to_end(&mut wire).within("the end of the stream").await.unwrap();
        assert_eq!(wire[..2], [0x78, 0x9c]);
        // One flush that had something to say, one that had not.
        assert_eq!(wire.windows(4).filter(|window| *window == [0, 0, 0xff, 0xff]).count(), 1);
        let mut plain = Vec::new();
        std::io::copy(&mut flate2::read::ZlibDecoder::new(&wire[..]), &mut plain).unwrap();
        assert_eq!(plain, b"hello world");
    }

    /// The client's stream of two calls and its end, as captured from Flume 1.11.0.
    #[tokio::test]
    async fn what_flume_sent_comes_out_in_whatever_pieces_it_comes() {
        let wire = hex(
            "789c626060606460606002628386b2a3e6220fe4f374645f4f7579bef11f03ba005095586241416a5e8a5362497206508f2a130b474865412a978fbfbba79f90737e4e4e6a72497e1157467e7189210357466a4e4e3e03000000ffff\
             825a00c2bca49a509e5f9493c200000000ffff\
             03001abc2fb7",
        );
        for piece in [1, 7, 1000] {
            let (near, mut far) = duplex(piece);
            let sent = wire.clone();
            let sending = tokio::spawn(async move {
                far.write_all(&sent).within("a write").await.unwrap();
                far.shutdown().within("the end of the stream").await.unwrap();
            });
            let mut plain = Vec::new();
            Deflate::new(near, 6).read_to_end(&mut plain).within("the end of the stream").await.unwrap();
            sending.within("the task that sends").await.unwrap();
            assert_eq!(plain.len(), 101 + 66, "{piece}");
            assert_eq!(plain[..8], [0, 0, 0, 1, 0, 0, 0, 2]);
            assert!(plain.windows(5).any(|window| window == b"hello"));
        }
    }

    #[tokio::test]
    async fn both_ways_through_a_narrow_pipe_at_every_level() {
        let data: Vec<u8> = (0..200_000_u32)
            .flat_map(|n| (n.wrapping_mul(2_654_435_761) >> (n % 29)).to_le_bytes())
            .collect();
        for level in 0..=9 {
            let (near, far) = duplex(777);
            let (mut near, mut far) = (Deflate::new(near, level), Deflate::new(far, 6));
            let sent = data.clone();
            let sending = tokio::spawn(async move {
                for part in sent.chunks(9_001) {
                    near.write_all(part).within("a write").await.unwrap();
                    near.flush().within("a flush").await.unwrap();
                }
                near.shutdown().within("the end of the stream").await.unwrap();
            });
            let mut received = Vec::new();
            far.read_to_end(&mut received).within("the end of the stream").await.unwrap();
            sending.within("the task that sends").await.unwrap();
            assert!(received == data, "level {level}");
        }
    }

    #[tokio::test]
    async fn a_bomb_expands_no_further_than_the_reader_asks() {
        let mut bomb = flate2::write::ZlibEncoder::new(Vec::new(), Compression::best());
        bomb.write_all(&vec![0; 64 << 20]).unwrap();
        let bomb = bomb.finish().unwrap();
        let mut stream = Deflate::new(std::io::Cursor::new(bomb), 6);
        let mut asked = [1; 1000];
        assert_eq!(stream.read(&mut asked).within("an answer").await.unwrap(), 1000);
        let mut large = vec![1; 1 << 20];
        assert!(stream.read(&mut large).within("an answer").await.unwrap() <= MOST_EXPANDED);
    }

    #[tokio::test]
    async fn bytes_that_are_not_compressed_are_told_from_a_damaged_stream() {
        let broken = |wire: Vec<u8>| async move {
            let mut plain = Vec::new();
            let error = Deflate::new(std::io::Cursor::new(wire), 6)
                .read_to_end(&mut plain)
                .within("the end of the stream")
                .await
                .unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
            error.into_inner().unwrap().downcast::<Broken>().unwrap()
        };
        let frame = [0, 0, 0, 1, 0, 0, 0, 2, 0, 0];
        assert_eq!(*broken(frame.to_vec()).await, Broken::NotZlib(frame.to_vec()));
        assert!(matches!(*broken(b"xyz".to_vec()).await, Broken::NotZlib(_)));
        let damaged = hex("789cff60606064606060");
        assert!(matches!(*broken(damaged).await, Broken::Damaged(_)));
    }

    #[tokio::test]
    async fn a_peer_that_leaves_in_the_middle_is_no_error() {
        let mut plain = Vec::new();
        Deflate::new(std::io::Cursor::new(hex("789c6260")), 6)
            .read_to_end(&mut plain)
            .within("the end of the stream")
            .await
            .unwrap();
        Deflate::new(std::io::Cursor::new(hex("78")), 6)
            .read_to_end(&mut plain)
            .within("the end of the stream")
            .await
            .unwrap();
    }

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
        digits.chunks(2).map(|pair| u8::try_from(pair[0] << 4 | pair[1]).unwrap()).collect()
    }
}

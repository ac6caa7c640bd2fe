//! Zlib that goes from outside TLS to inside it in the middle of a connection.
//!
//! Flume 1.10 and later have TLS inside zlib, so that both ends compress what is encrypted already: most of the work for
//! nothing. A connection has to begin so, or a Flume logs an error. Once the handshake has shown that both ends are native
//! nodes, each ends its zlib stream outside, which tells its own end, and goes on with bare TLS; inside TLS a new zlib stream
//! begins. Source: `wire::avro`, `flow.swap`.

use super::Stream;
use super::deflate::{Deflate, Reader, Writer};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The end of a connection at which zlib can go inside TLS.
pub struct Swap {
    level: u8,
    bare: Arc<AtomicBool>,
}

impl Swap {
    /// Puts zlib inside `stream`, and lets the one outside of it end before its next byte.
    pub(crate) fn inside(self, stream: Stream) -> Stream {
        self.bare.store(true, Relaxed);
        Box::new(Deflate::new(stream, self.level))
    }
}

/// Zlib around TLS, until it is told to end.
pub(crate) struct Outside<S> {
    inner: S,
    /// `None` once the peer's zlib stream has ended and all that came with its end is read.
    reader: Option<Reader>,
    /// `None` once our zlib stream has ended.
    writer: Option<Writer>,
    bare: Arc<AtomicBool>,
}

impl<S> Outside<S> {
    /// Over `inner`, and what ends it.
    pub(crate) fn new(inner: S, level: u8) -> (Outside<S>, Swap) {
        let bare = Arc::new(AtomicBool::new(false));
        let swap = Swap { level, bare: bare.clone() };
        (Outside { inner, reader: Some(Reader::new()), writer: Some(Writer::new(level)), bare }, swap)
    }
}

impl<S: AsyncWrite + Unpin> Outside<S> {
    /// Ends the zlib stream when that is due.
    fn poll_bare(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.bare.load(Relaxed)
            && let Some(writer) = &mut self.writer
        {
            ready!(writer.poll_finish(cx, &mut self.inner))?;
            self.writer = None;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Outside<S> {
    /// After the end of the zlib stream comes bare TLS, or nothing.
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let Some(reader) = &mut this.reader {
            let before = buf.filled().len();
            ready!(reader.poll_read(cx, &mut this.inner, buf))?;
            if buf.filled().len() > before || !reader.has_ended() || reader.take_rest(buf) {
                return Poll::Ready(Ok(()));
            }
            this.reader = None;
        }
        Pin::new(&mut this.inner).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Outside<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_bare(cx))?;
        match &mut this.writer {
            Some(writer) => writer.poll_take(cx, &mut this.inner, bytes),
            None => Pin::new(&mut this.inner).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_bare(cx))?;
        match &mut this.writer {
            Some(writer) => writer.poll_take_all(cx, &mut this.inner, slices),
            None => Pin::new(&mut this.inner).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let Some(writer) = &mut this.writer {
            ready!(writer.poll_flush(cx, &mut this.inner))?;
        }
        Pin::new(&mut this.inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let Some(writer) = &mut this.writer {
            ready!(writer.poll_finish(cx, &mut this.inner))?;
        }
        Pin::new(&mut this.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::time::timeout;

    /// Reads so many bytes at a time.
    struct Pieces(DuplexStream, usize);

    impl AsyncRead for Pieces {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            let most = buf.remaining().min(self.1);
            let mut part = ReadBuf::new(buf.initialize_unfilled_to(most));
            ready!(Pin::new(&mut self.0).poll_read(cx, &mut part))?;
            let read = part.filled().len();
            buf.advance(read);
            Poll::Ready(Ok(()))
        }
    }

    impl AsyncWrite for Pieces {
        fn poll_write(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            let most = bytes.len().min(self.1);
            Pin::new(&mut self.0).poll_write(cx, &bytes[..most])
        }

        fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_flush(cx)
        }

        fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_shutdown(cx)
        }
    }

    /// One end, without TLS between, to see what passes.
    fn end(pipe: impl super::super::Duplex + 'static) -> (Stream, Swap) {
        let (outside, swap) = Outside::new(pipe, 6);
        (Box::new(outside), swap)
    }

    async fn say(stream: &mut Stream, text: &[u8]) {
        stream.write_all(text).await.unwrap();
        stream.flush().await.unwrap();
    }

    async fn hear(stream: &mut Stream, text: &[u8]) {
        let mut heard = vec![0; text.len()];
        stream.read_exact(&mut heard).await.unwrap();
        assert_eq!(heard, text);
    }

    /// The two streams of bytes of a client and a server that swap after a question and an answer.
    async fn talk(near: Pieces, far: Pieces) {
        let data: Vec<u8> = (0..3_000_u32).flat_map(|n| (n % 977).to_le_bytes()).collect();
        let client = async {
            let (mut stream, swap) = end(near);
            say(&mut stream, b"question").await;
            hear(&mut stream, b"answer").await;
            stream = swap.inside(stream);
            say(&mut stream, &data).await;
            hear(&mut stream, &data).await;
            stream.shutdown().await.unwrap();
            stream.read_to_end(&mut Vec::new()).await.unwrap()
        };
        let server = async {
            let (mut stream, swap) = end(far);
            hear(&mut stream, b"question").await;
            say(&mut stream, b"answer").await;
            stream = swap.inside(stream);
            hear(&mut stream, &data).await;
            say(&mut stream, &data).await;
            let more = stream.read_to_end(&mut Vec::new()).await.unwrap();
            stream.shutdown().await.unwrap();
            more
        };
        assert_eq!(tokio::join!(client, server), (0, 0));
    }

    #[tokio::test]
    async fn what_is_said_arrives_however_the_bytes_come_in_pieces() {
        for piece in [1, 2, 3, 5, 7, 11, 13, 1_000, 100_000] {
            let (near, far) = duplex(1 << 20);
            let talk = talk(Pieces(near, piece), Pieces(far, piece));
            let talked = timeout(Duration::from_secs(20), talk).await;
            talked.unwrap_or_else(|_| panic!("no end within 20 s with pieces of {piece}"));
        }
    }

    /// All bytes of the client's side, where the border between outside and inside is.
    async fn recorded() -> Vec<u8> {
        let (near, mut far) = duplex(1 << 20);
        let (mut stream, swap) = end(near);
        say(&mut stream, b"question").await;
        stream = swap.inside(stream);
        say(&mut stream, b"hello").await;
        stream.shutdown().await.unwrap();
        drop(stream);
        let mut bytes = Vec::new();
        far.read_to_end(&mut bytes).await.unwrap();
        bytes
    }

    #[tokio::test]
    async fn two_pieces_with_the_border_anywhere_are_the_same_and_a_cut_is_an_end() {
        let bytes = recorded().await;
        assert_eq!(
            bytes.windows(2).filter(|window| *window == [0x78, 0x9c]).count(),
            2,
            "one after the other"
        );
        for border in 0..=bytes.len() {
            for cut in [false, true] {
                let (mut near, far) = duplex(1 << 20);
                let (mut stream, swap) = end(far);
                let (first, second) = bytes.split_at(border);
                near.write_all(first).await.unwrap();
                let reading = actix_rt::task::yield_now;
                let said = async {
                    let mut plain = vec![0; 8];
                    let read = stream.read_exact(&mut plain).await;
                    if read.is_err() {
                        return None;
                    }
                    let mut stream = swap.inside(stream);
                    let mut inside = Vec::new();
                    stream.read_to_end(&mut inside).await.unwrap();
                    Some((plain, inside))
                };
                let feeding = async {
                    reading().await;
                    if !cut {
                        near.write_all(second).await.unwrap();
                    }
                    near.shutdown().await.unwrap();
                };
                let (said, ()) = tokio::join!(said, feeding);
                match said {
                    Some((plain, inside)) => {
                        assert_eq!(plain, b"question");
                        assert!(
                            b"hello".starts_with(&inside) && (cut || inside == b"hello"),
                            "{border} {cut}"
                        );
                    }
                    None => assert!(cut, "{border}"),
                }
            }
        }
    }
}

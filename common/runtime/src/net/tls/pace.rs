//! A pause behind a server's first record.
//!
//! Flume up to 1.9 stands on Netty 3, whose `SslHandler` loses what it reads together with a TLS 1.3 `ServerHello`: with a
//! JVM that speaks TLS 1.3 (11 and later) the handshake hangs when our whole answer arrives at once, which depends on its
//! size. Seen with Flume 1.9.0 on OpenJDK 17, "Unexpected leftover data after SSLEngine.unwrap()". A client in TLS 1.3's
//! compatibility mode answers the `ServerHello` alone, so the rest waits for that, and never long: others do not answer.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use crate::clock::Duration;

/// A stream that stops for a moment between the first TLS record it writes and what follows.
pub(crate) struct Paced<S> {
    inner: S,
    state: State,
}

enum State {
    /// So many bytes of the first record are not written yet; `None` before its first byte.
    First(Option<usize>),
    /// It is written.
    Waiting(Pin<Box<Sleep>>),
    Open,
}

impl<S> Paced<S> {
    pub(crate) fn new(inner: S) -> Paced<S> {
        Paced { inner, state: State::First(None) }
    }
}

impl<S: AsyncWrite + Unpin> Paced<S> {
    /// Writes of `bytes` what may be written now.
    fn poll_paced(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.state {
            State::First(left) => {
                let left = left.unwrap_or_else(|| record_bytes(bytes));
                let now = &bytes[..left.min(bytes.len())];
                let written = ready!(Pin::new(&mut self.inner).poll_write(cx, now))?;
                self.state = match left - written {
                    0 => State::Waiting(Box::pin(sleep(AT_MOST))),
                    left => State::First(Some(left)),
                };
                Poll::Ready(Ok(written))
            }
            // Only what follows in TLS 1.3 is held: there the second record is not of the handshake's kind.
            State::Waiting(pause) if bytes.first() != Some(&HANDSHAKE) => {
                ready!(pause.as_mut().poll(cx));
                self.state = State::Open;
                Pin::new(&mut self.inner).poll_write(cx, bytes)
            }
            State::Waiting(_) | State::Open => {
                self.state = State::Open;
                Pin::new(&mut self.inner).poll_write(cx, bytes)
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().poll_paced(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match this.state {
            State::Open => Pin::new(&mut this.inner).poll_write_vectored(cx, slices),
            _ => {
                this.poll_paced(cx, slices.iter().find(|slice| !slice.is_empty()).map_or(&[], |slice| slice))
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        if let State::Waiting(_) = self.state {
            self.state = State::Open; // it has answered, or gone
        }
        Poll::Ready(Ok(()))
    }
}

/// How long the record is that `bytes` begin with.
fn record_bytes(bytes: &[u8]) -> usize {
    match bytes {
        [_, _, _, high, low, ..] => HEAD_BYTES + usize::from(u16::from_be_bytes([*high, *low])),
        _ => bytes.len(),
    }
}

/// Kind, version, length.
const HEAD_BYTES: usize = 5;
/// The kind of a record that holds a part of the handshake in the open.
const HANDSHAKE: u8 = 0x16;
/// Long enough for two reads at the other end, short enough not to be felt.
const AT_MOST: Duration = Duration::from_millis(3);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;
    use crate::within::Within;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    const HELLO: [u8; 7] = [HANDSHAKE, 3, 3, 0, 2, 9, 9];
    const CHANGE: [u8; 6] = [0x14, 3, 3, 0, 1, 1];

    #[tokio::test(start_paused = true)]
    async fn the_rest_waits_for_an_answer_or_a_moment() {
        for answers in [false, true] {
            let (near, mut far) = duplex(100);
            let mut paced = Paced::new(near);
            let started = clock::now();
            // In two pieces, as a slow socket takes it.
            paced.write_all(&HELLO[..6]).within("a write").await.unwrap();
            let all = [&HELLO[6..], &CHANGE].concat();
            let written = paced.write(&all).within("a write").await.unwrap();
            assert_eq!(written, 1, "the first record alone");
            if answers {
                far.write_all(&CHANGE).within("a write").await.unwrap();
                paced.read_exact(&mut [0; 6]).within("an answer").await.unwrap();
            }
            paced.write_all(&all[written..]).within("a write").await.unwrap();
            assert_eq!(clock::now() - started >= AT_MOST, !answers);
            paced.write_all(&CHANGE).within("a write").await.unwrap();
            let mut received = [0; 19];
            far.read_exact(&mut received).within("an answer").await.unwrap();
            assert_eq!(received[..], [&HELLO[..], &CHANGE, &CHANGE].concat());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_older_handshake_does_not_wait() {
        let (near, _far) = duplex(100);
        let mut paced = Paced::new(near);
        let started = clock::now();
        paced.write_all(&[HELLO, HELLO].concat()).within("a write").await.unwrap();
        assert_eq!(clock::now(), started);
    }
}

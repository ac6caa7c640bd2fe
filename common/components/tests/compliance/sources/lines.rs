//! Senders of one event at a time: lines, datagrams, messages of syslog.

use super::port::{Port, connect};
use flow::compliance::source::TOO_LARGE;
use flow::compliance::{Pairs, SourceBench, pairs};
use futures_util::future::LocalBoxFuture;
use runtime::clock::Duration;
use runtime::net::{TcpStream, UdpSocket};
use std::collections::BTreeSet;
use std::ops::Range;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::time::sleep;

/// A client sends a line, and waits for its answer.
#[derive(Default)]
pub(crate) struct Netcat(Port);

/// The answer; `None`: the connection has ended without one.
async fn ask_netcat(stream: &mut BufReader<TcpStream>, body: &[u8]) -> Option<String> {
    stream.write_all(&[body, b"\n"].concat()).await.ok()?;
    let mut answer = String::new();
    stream.read_line(&mut answer).await.ok().filter(|length| *length > 0).map(|_| answer)
}

impl SourceBench for Netcat {
    fn properties(&self, _: u64) -> Pairs {
        [self.0.keys(), pairs([("max-line-length", 2 * TOO_LARGE)])].concat()
    }

    fn feed(&self, numbers: Range<u64>) -> LocalBoxFuture<'static, ()> {
        let (port, in_doubt) = (self.0.port, self.0.in_doubt.clone());
        Box::pin(async move {
            let mut stream = BufReader::new(connect(port).await);
            let mut next = numbers.start;
            while next < numbers.end {
                match ask_netcat(&mut stream, next.to_string().as_bytes()).await.as_deref() {
                    Some("OK\n") => next += 1,
                    Some(_) => sleep(Duration::from_millis(5)).await,
                    None => {
                        in_doubt.borrow_mut().insert(next);
                        stream = BufReader::new(connect(port).await);
                    }
                }
            }
        })
    }

    fn feed_too_large(&self) -> Option<LocalBoxFuture<'static, ()>> {
        let port = self.0.port;
        Some(Box::pin(async move {
            let mut stream = BufReader::new(connect(port).await);
            let answer = ask_netcat(&mut stream, &[b'x'; TOO_LARGE]).await.unwrap();
            assert!(answer.starts_with("FAILED"), "{answer}");
        }))
    }

    fn in_doubt(&self) -> BTreeSet<u64> {
        self.0.in_doubt()
    }
}

/// Datagrams, a few at a time.
#[derive(Default)]
pub(crate) struct NetcatUdp(Port);

impl SourceBench for NetcatUdp {
    fn properties(&self, _: u64) -> Pairs {
        self.0.keys()
    }

    fn feed(&self, numbers: Range<u64>) -> LocalBoxFuture<'static, ()> {
        let bodies = numbers.map(|number| number.to_string().into_bytes()).collect();
        Box::pin(send_datagrams(self.0.port, bodies))
    }

    fn feed_too_large(&self) -> Option<LocalBoxFuture<'static, ()>> {
        Some(Box::pin(send_datagrams(self.0.port, vec![vec![b'x'; TOO_LARGE]])))
    }

    fn loses(&self) -> Option<&'static str> {
        Some("a datagram that is lost is not sent again")
    }
}

async fn send_datagrams(port: u16, bodies: Vec<Vec<u8>>) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for body in bodies {
        // While nobody listens the system may say so: what is sent is lost.
        let _lost = socket.send_to(&body, ("127.0.0.1", port)).await;
        tokio::task::yield_now().await;
    }
}

/// Messages of syslog in a stream, which has no answers.
pub(crate) struct Syslog {
    port: Port,
    /// `port` or `ports`.
    key: &'static str,
}

impl Syslog {
    pub(crate) fn at(key: &'static str) -> Syslog {
        Syslog { port: Port::default(), key }
    }

    fn send(&self, bodies: Vec<String>) -> LocalBoxFuture<'static, ()> {
        let port = self.port.port;
        Box::pin(async move {
            let mut stream = connect(port).await;
            for body in bodies {
                let message = format!("<13>1 - h {body}\n");
                while stream.write_all(message.as_bytes()).await.is_err() {
                    stream = connect(port).await;
                }
                tokio::task::yield_now().await;
            }
        })
    }
}

impl SourceBench for Syslog {
    fn properties(&self, _: u64) -> Pairs {
        pairs([("host", "127.0.0.1".to_owned()), (self.key, self.port.port.to_string())])
    }

    fn feed(&self, numbers: Range<u64>) -> LocalBoxFuture<'static, ()> {
        self.send(numbers.map(|number| number.to_string()).collect())
    }

    fn feed_too_large(&self) -> Option<LocalBoxFuture<'static, ()>> {
        Some(self.send(vec!["x".repeat(TOO_LARGE)]))
    }

    fn loses(&self) -> Option<&'static str> {
        Some("a sender is not told which messages were not read before its connection ended")
    }
}

/// Messages of syslog in datagrams.
#[derive(Default)]
pub(crate) struct SyslogUdp(Port);

impl SourceBench for SyslogUdp {
    fn properties(&self, _: u64) -> Pairs {
        pairs([("host", "127.0.0.1".to_owned()), ("port", self.0.port.to_string())])
    }

    fn feed(&self, numbers: Range<u64>) -> LocalBoxFuture<'static, ()> {
        let bodies = numbers.map(|number| format!("<13>1 - h {number}").into_bytes()).collect();
        Box::pin(send_datagrams(self.0.port, bodies))
    }

    fn feed_too_large(&self) -> Option<LocalBoxFuture<'static, ()>> {
        let message = format!("<13>1 - h {}", "x".repeat(TOO_LARGE));
        Some(Box::pin(send_datagrams(self.0.port, vec![message.into_bytes()])))
    }

    fn loses(&self) -> Option<&'static str> {
        Some("a datagram that is lost is not sent again")
    }
}

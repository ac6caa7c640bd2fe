//! How each source is fed.

use bytes::BytesMut;
use event::{Batch, BatchBuilder};
use flow::compliance::source::TOO_LARGE;
use flow::compliance::{Pairs, SourceBench, pairs};
use futures_util::future::LocalBoxFuture;
use runtime::clock::Duration;
use runtime::net::{TcpStream, UdpSocket};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fs;
use std::future::ready;
use std::io::Write;
use std::ops::Range;
use std::rc::Rc;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::time::sleep;
use wire::avro::{ClientEvent, ClientSession, FrameDecoder, Outcome, TAIL};
use wire::thrift::{self, Frames, Protocol, Status};

pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A source that listens, and what was sent to it without an answer.
pub(crate) struct Port {
    port: u16,
    in_doubt: Rc<RefCell<BTreeSet<u64>>>,
}

impl Default for Port {
    fn default() -> Port {
        Port { port: free_port(), in_doubt: Rc::default() }
    }
}

impl Port {
    fn keys(&self) -> Pairs {
        pairs([("bind", "127.0.0.1".to_owned()), ("port", self.port.to_string())])
    }

    fn in_doubt(&self) -> BTreeSet<u64> {
        self.in_doubt.borrow().clone()
    }
}

/// Connects as soon as somebody listens; the suite bounds the wait.
async fn connect(port: u16) -> TcpStream {
    loop {
        match TcpStream::connect(("127.0.0.1", port)).await {
            Ok(stream) => return stream,
            Err(_) => sleep(Duration::from_millis(5)).await,
        }
    }
}

/// A client sends calls of a few events, one after the other.
#[derive(Default)]
pub(crate) struct Avro(Port);

struct AvroClient {
    stream: TcpStream,
    session: ClientSession,
    decoder: FrameDecoder,
    input: BytesMut,
}

impl AvroClient {
    async fn connect(port: u16) -> Option<AvroClient> {
        let (stream, decoder) = (connect(port).await, FrameDecoder::new(1 << 20));
        let (session, input) = (ClientSession::flume(), BytesMut::new());
        let mut client = AvroClient { stream, session, decoder, input };
        let mut out = BytesMut::new();
        client.session.ping(&mut out);
        client.stream.write_all(&out).await.ok()?;
        client.hear().await.map(|_| client)
    }

    /// `None`: the connection has ended without an answer.
    async fn ask(&mut self, batch: &Batch) -> Option<Outcome> {
        let mut out = BytesMut::new();
        self.session.call_head(&mut out, batch.len(), batch.event_bytes(), None);
        batch.runs().for_each(|run| out.extend_from_slice(&run));
        out.extend_from_slice(TAIL);
        self.stream.write_all(&out).await.ok()?;
        loop {
            if let ClientEvent::Answer { outcome, .. } = self.hear().await? {
                return Some(outcome);
            }
        }
    }

    async fn hear(&mut self) -> Option<ClientEvent> {
        loop {
            if let Some(frame) = self.decoder.decode(&mut self.input).unwrap() {
                return Some(self.session.receive(frame).unwrap());
            }
            match self.stream.read_buf(&mut self.input).await {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }
}

fn batch_of(bodies: impl IntoIterator<Item = Vec<u8>>) -> Batch {
    let mut builder = BatchBuilder::default();
    bodies.into_iter().for_each(|body| builder.push([], &body));
    builder.finish()
}

impl SourceBench for Avro {
    fn properties(&self, _: u64) -> Pairs {
        self.0.keys()
    }

    fn feed(&self, numbers: Range<u64>) -> LocalBoxFuture<'static, ()> {
        let (port, in_doubt) = (self.0.port, self.0.in_doubt.clone());
        Box::pin(async move {
            let mut client = None;
            let mut next = numbers.start;
            while next < numbers.end {
                let call = next..numbers.end.min(next + 3);
                if client.is_none() {
                    client = AvroClient::connect(port).await;
                }
                let Some(connected) = &mut client else { continue };
                match connected.ask(&batch_of(call.clone().map(|number| number.to_string().into()))).await {
                    Some(Outcome::Ok) => next = call.end,
                    Some(_) => sleep(Duration::from_millis(5)).await,
                    None => {
                        in_doubt.borrow_mut().extend(call);
                        client = None;
                    }
                }
            }
        })
    }

    fn feed_too_large(&self) -> Option<LocalBoxFuture<'static, ()>> {
        let port = self.0.port;
        Some(Box::pin(async move {
            let mut client = AvroClient::connect(port).await.unwrap();
            let outcome = client.ask(&batch_of([vec![b'x'; TOO_LARGE]])).await;
            assert_eq!(outcome, Some(Outcome::Failed));
        }))
    }

    fn in_doubt(&self) -> BTreeSet<u64> {
        self.0.in_doubt()
    }
}

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
        Some("nobody can be asked to send a datagram again")
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

/// Requests with a few events each, in a connection of their own.
#[derive(Default)]
pub(crate) struct Http(Port);

/// The status of the answer; `None`: there was none.
async fn post(port: u16, bodies: impl IntoIterator<Item = String>) -> Option<u16> {
    let events: Vec<String> = bodies.into_iter().map(|body| format!("{{\"body\":\"{body}\"}}")).collect();
    let body = format!("[{}]", events.join(","));
    let head =
        format!("POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    let mut stream = connect(port).await;
    stream.write_all(format!("{head}{body}").as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    answer.split(' ').nth(1)?.parse().ok()
}

impl SourceBench for Http {
    fn properties(&self, _: u64) -> Pairs {
        self.0.keys()
    }

    fn feed(&self, numbers: Range<u64>) -> LocalBoxFuture<'static, ()> {
        let (port, in_doubt) = (self.0.port, self.0.in_doubt.clone());
        Box::pin(async move {
            let mut next = numbers.start;
            while next < numbers.end {
                let call = next..numbers.end.min(next + 3);
                match post(port, call.clone().map(|number| number.to_string())).await {
                    Some(200) => next = call.end,
                    Some(503) => sleep(Duration::from_millis(5)).await,
                    Some(other) => panic!("answered {other}"),
                    None => in_doubt.borrow_mut().extend(call),
                }
            }
        })
    }

    fn feed_too_large(&self) -> Option<LocalBoxFuture<'static, ()>> {
        let port = self.0.port;
        Some(Box::pin(async move {
            let status = post(port, ["x".repeat(TOO_LARGE)]).await;
            assert!(status.is_some_and(|status| status >= 400), "{status:?}");
        }))
    }

    fn in_doubt(&self) -> BTreeSet<u64> {
        self.0.in_doubt()
    }
}

/// A client of Thrift sends calls of a few events, one after the other.
#[derive(Default)]
pub(crate) struct Thrift(Port);

/// The answer; `None`: the connection has ended without one.
async fn ask_thrift(stream: &mut TcpStream, batch: &Batch) -> Option<Status> {
    let mut frame = BytesMut::new();
    thrift::call(Protocol::Compact, 1, std::slice::from_ref(batch), &mut frame);
    stream.write_all(&frame).await.ok()?;
    let mut input = BytesMut::new();
    loop {
        if let Some(message) = Frames::new(1 << 20).decode(&mut input).unwrap() {
            return Some(thrift::read_answer(Protocol::Compact, 1, &message).unwrap().unwrap());
        }
        stream.read_buf(&mut input).await.ok().filter(|read| *read > 0)?;
    }
}

impl SourceBench for Thrift {
    fn properties(&self, _: u64) -> Pairs {
        self.0.keys()
    }

    fn feed(&self, numbers: Range<u64>) -> LocalBoxFuture<'static, ()> {
        let (port, in_doubt) = (self.0.port, self.0.in_doubt.clone());
        Box::pin(async move {
            let mut stream = connect(port).await;
            let mut next = numbers.start;
            while next < numbers.end {
                let call = next..numbers.end.min(next + 3);
                let batch = batch_of(call.clone().map(|number| number.to_string().into()));
                match ask_thrift(&mut stream, &batch).await {
                    Some(Status::Ok) => next = call.end,
                    Some(_) => sleep(Duration::from_millis(5)).await,
                    None => {
                        in_doubt.borrow_mut().extend(call);
                        stream = connect(port).await;
                    }
                }
            }
        })
    }

    fn feed_too_large(&self) -> Option<LocalBoxFuture<'static, ()>> {
        let port = self.0.port;
        Some(Box::pin(async move {
            let mut stream = connect(port).await;
            let status = ask_thrift(&mut stream, &batch_of([vec![b'x'; TOO_LARGE]])).await;
            assert!(status.is_some_and(|status| status != Status::Ok), "{status:?}");
        }))
    }

    fn in_doubt(&self) -> BTreeSet<u64> {
        self.0.in_doubt()
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
        Some("nobody is told what was not read of a connection that ends")
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
        Some("nobody can be asked to send a datagram again")
    }
}

/// A directory that files are put in.
pub(crate) struct SpoolDir {
    folder: tempfile::TempDir,
    files: Cell<usize>,
}

impl Default for SpoolDir {
    fn default() -> SpoolDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("spool")).unwrap();
        SpoolDir { folder, files: Cell::default() }
    }
}

impl SpoolDir {
    /// A file appears whole, by a rename.
    fn put(&self, text: &str) -> LocalBoxFuture<'static, ()> {
        let number = self.files.get();
        self.files.set(number + 1);
        let (name, folder) = (format!("file-{number:03}"), self.folder.path());
        fs::write(folder.join(&name), text).unwrap();
        fs::rename(folder.join(&name), folder.join("spool").join(name)).unwrap();
        Box::pin(ready(()))
    }
}

impl SourceBench for SpoolDir {
    fn properties(&self, _: u64) -> Pairs {
        let directory = self.folder.path().join("spool").display().to_string();
        pairs([("spoolDir", directory.as_str()), ("batchSize", "3"), ("pollDelay", "10")])
    }

    fn under_way(&self) -> usize {
        3
    }

    fn feed(&self, numbers: Range<u64>) -> LocalBoxFuture<'static, ()> {
        self.put(&numbers.map(|number| format!("{number}\n")).collect::<String>())
    }

    fn feed_too_large(&self) -> Option<LocalBoxFuture<'static, ()>> {
        Some(self.put(&format!("{}\n", "x".repeat(TOO_LARGE))))
    }
}

/// A file that is followed.
pub(crate) struct Taildir(tempfile::TempDir);

impl Default for Taildir {
    fn default() -> Taildir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("lines"), "").unwrap();
        Taildir(folder)
    }
}

impl Taildir {
    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn append(&self, text: &str) -> LocalBoxFuture<'static, ()> {
        let mut file = fs::File::options().append(true).open(self.path("lines")).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        Box::pin(ready(()))
    }
}

impl SourceBench for Taildir {
    fn properties(&self, _: u64) -> Pairs {
        pairs([
            ("filegroups", "f".to_owned()),
            ("filegroups.f", self.path("lines")),
            ("positionFile", self.path("positions.json")),
            ("batchSize", "3".to_owned()),
        ])
    }

    fn feed(&self, numbers: Range<u64>) -> LocalBoxFuture<'static, ()> {
        self.append(&numbers.map(|number| format!("{number}\n")).collect::<String>())
    }

    fn feed_too_large(&self) -> Option<LocalBoxFuture<'static, ()>> {
        Some(self.append(&format!("{}\n", "x".repeat(TOO_LARGE))))
    }

    fn stops_at_too_large(&self) -> Option<&'static str> {
        Some("the line stays in its file, and so does its position")
    }
}

/// Counts by itself.
pub(crate) struct Seq;

impl SourceBench for Seq {
    fn properties(&self, events: u64) -> Pairs {
        pairs([("totalEvents", events), ("batchSize", 3)])
    }

    fn feed(&self, _: Range<u64>) -> LocalBoxFuture<'static, ()> {
        Box::pin(ready(()))
    }

    fn feed_too_large(&self) -> Option<LocalBoxFuture<'static, ()>> {
        None
    }

    fn begins_again(&self) -> Option<&'static str> {
        Some("it counts from 0 whenever it is started, as Flume's")
    }
}

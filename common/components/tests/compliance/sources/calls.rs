//! Clients that send calls of several events: Avro, Thrift, HTTP.

use super::port::{Port, connect};
use bytes::BytesMut;
use event::{Batch, BatchBuilder};
use flow::compliance::source::TOO_LARGE;
use flow::compliance::{Pairs, SourceBench};
use futures_util::future::LocalBoxFuture;
use runtime::clock::Duration;
use runtime::net::TcpStream;
use std::collections::BTreeSet;
use std::ops::Range;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::sleep;
use wire::avro::{ClientEvent, ClientSession, FrameDecoder, Outcome, TAIL};
use wire::thrift::{self, Frames, Protocol, Status};

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

//! What the codec costs, in instructions: `just counts`.
//!
//! One batch of 1,000 events of 256 bytes each, or the answers to sixteen such batches, which is what two of our nodes
//! have under way. What goes in is made before the counting begins.
#![expect(missing_docs, clippy::disallowed_types, reason = "gungraun makes public items, and opens files")]

#[path = "../tests/support/mod.rs"]
mod support;

use bytes::{Bytes, BytesMut};
use event::{Batch, BatchBuilder, Span};
use gungraun::prelude::*;
use std::hint::black_box;
use support::framed;
use wire::avro::{
    Answer, AnswerNotes, BatchId, ClientEvent, ClientSession, FrameDecoder, Hello, MAX_FRAME_BYTES,
    ProtocolCache, Received, ReplyToken, ServerSession, TAIL,
};
use wire::line::{Ends, LineCutter};

main!(library_benchmark_groups = codec);
library_benchmark_group!(name = codec, benchmarks = [cut, encode, call, receive, reply, answer]);

// A source finds its lines.
#[library_benchmark]
#[bench::exec(text(Ends::Any))]
#[bench::taildir(text(Ends::LfOrCrLf))]
fn cut((mut cutter, text): (LineCutter, Vec<u8>)) -> (usize, Vec<u8>) {
    let bytes = cutter.cut(&text).map(|line| black_box(line).len()).sum();
    (bytes, text)
}

// A source writes them into a buffer that was used before.
#[library_benchmark]
#[bench::batch(bodies())]
fn encode((mut builder, bodies): (BatchBuilder, Vec<u8>)) -> (Batch, Vec<u8>) {
    for body in bodies.chunks_exact(BODY_BYTES) {
        builder.push_encoded(NO_HEADERS, Span::BORN_HERE, black_box(body));
    }
    (builder.finish(), bodies)
}

// A sink sends a batch: what goes before it, and the pieces that the kernel is given.
#[library_benchmark]
#[bench::batch(Link::new(), batch())]
fn call(mut link: Link, batch: Batch) -> (Link, Batch, Vec<Bytes>) {
    link.client.call_head(&mut link.stream, batch.len(), batch.event_bytes(), Some(id()));
    let mut pieces = Vec::with_capacity(3);
    pieces.push(link.stream.split().freeze());
    pieces.extend(batch.runs());
    pieces.push(Bytes::from_static(TAIL));
    (link, batch, pieces)
}

// A source receives a batch: from a native node in one buffer, from a Flume in pieces.
#[library_benchmark]
#[bench::ours(Link::new().with_call(None))]
#[bench::flume(Link::new().with_call(Some(&[30, JAVA_BUFFER_BYTES])))]
fn receive(mut link: Link) -> (Received, Link) {
    (link.receive(), link)
}

// A source answers sixteen batches.
#[library_benchmark]
#[bench::window(Link::new().with_tokens())]
fn reply((mut link, tokens): (Link, Vec<ReplyToken>)) -> Link {
    for token in tokens {
        link.reply(token);
    }
    link
}

// A sink reads these answers.
#[library_benchmark]
#[bench::window(Link::new().with_answers())]
fn answer(mut link: Link) -> Link {
    for _ in 0..WINDOW {
        black_box(link.read_answer());
    }
    link
}

/// Two native nodes that have shaken hands, and the bytes that are under way from one of them to the other.
struct Link {
    client: ClientSession,
    server: ServerSession,
    calls: FrameDecoder,
    answers: FrameDecoder,
    cache: ProtocolCache,
    stream: BytesMut,
}

impl Link {
    fn new() -> Link {
        let mut link = Link {
            client: ClientSession::new(),
            server: ServerSession::new(Hello { window: WINDOW, window_bytes: 2 << 20 }),
            calls: FrameDecoder::new(MAX_FRAME_BYTES),
            answers: FrameDecoder::new(MAX_FRAME_BYTES),
            cache: ProtocolCache::default(),
            stream: BytesMut::with_capacity(1 << 20),
        };
        link.client.ping(&mut link.stream);
        let Received::Ping { token } = link.receive() else { panic!("a ping") };
        link.server.pong(&mut link.stream, token);
        assert!(matches!(link.read_answer(), ClientEvent::Ready { hello: Some(_) }));
        link
    }

    fn send(&mut self, batch: &Batch) {
        self.client.call_head(&mut self.stream, batch.len(), batch.event_bytes(), Some(id()));
        batch.runs().for_each(|run| self.stream.extend_from_slice(&run));
        self.stream.extend_from_slice(TAIL);
    }

    fn receive(&mut self) -> Received {
        let frame = self.calls.decode(&mut self.stream).expect("a frame").expect("a whole one");
        self.server.receive(frame, &mut self.cache)
    }

    fn reply(&mut self, token: ReplyToken) {
        self.server.reply(&mut self.stream, token, Answer::Ok, AnswerNotes { leaving: false });
    }

    fn read_answer(&mut self) -> ClientEvent {
        let frame = self.answers.decode(&mut self.stream).expect("a frame").expect("a whole one");
        self.client.receive(frame).expect("an answer")
    }

    /// A call is under way, in buffers of these sizes.
    fn with_call(mut self, sizes: Option<&[usize]>) -> Link {
        self.send(&batch());
        if let Some(sizes) = sizes {
            let stream = framed(1, support::one_frame(&self.stream).message(), sizes);
            self.stream = BytesMut::from(&stream[..]);
        }
        self
    }

    /// Sixteen calls have been received.
    fn with_tokens(mut self) -> (Link, Vec<ReplyToken>) {
        let receive = |_| {
            self.send(&batch());
            let Received::Batch { token, .. } = self.receive() else { panic!("a batch") };
            token
        };
        let tokens = (0..WINDOW).map(receive).collect();
        (self, tokens)
    }

    /// The answers to sixteen calls are under way.
    fn with_answers(self) -> Link {
        let (mut link, tokens) = self.with_tokens();
        tokens.into_iter().for_each(|token| link.reply(token));
        link
    }
}

/// A stream of lines, and a cutter that has cut others before.
fn text(ends: Ends) -> (LineCutter, Vec<u8>) {
    let mut cutter = LineCutter::new(ends);
    assert_eq!(cutter.cut(b"before\n").count(), 1);
    (cutter, [&[b'x'; BODY_BYTES][..], b"\n"].concat().repeat(EVENTS))
}

fn bodies() -> (BatchBuilder, Vec<u8>) {
    let buffer = BytesMut::with_capacity(EVENTS * (BODY_BYTES + 8));
    (BatchBuilder::reuse(buffer, Vec::with_capacity(EVENTS)), vec![b'x'; EVENTS * BODY_BYTES])
}

fn batch() -> Batch {
    let (mut builder, bodies) = bodies();
    bodies.chunks_exact(BODY_BYTES).for_each(|body| builder.push_encoded(NO_HEADERS, Span::BORN_HERE, body));
    builder.finish()
}

fn id() -> BatchId {
    BatchId { agent: 1, stream: 1, sequence: 1 }
}

const EVENTS: usize = 1000;
const BODY_BYTES: usize = 256;
const NO_HEADERS: &[u8] = &[0];
const WINDOW: u32 = 16;
const JAVA_BUFFER_BYTES: usize = 8192;

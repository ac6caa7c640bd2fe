//! Bytes that Flume sent, as `testdata/README.md` says, against what we make of them and send ourselves.

mod support;

use bytes::BytesMut;
use support::{frame, one_frame, recorded};
use wire::avro::{
    Answer, AnswerNotes, ClientEvent, ClientSession, Complaint, FrameDecoder, Hello, Outcome, Protocol,
    ProtocolCache, Received, ServerSession, TAIL,
};

const QUIET: AnswerNotes = AnswerNotes { leaving: false };

/// A server, what it knows, and what it sent last.
struct Server {
    session: ServerSession,
    cache: ProtocolCache,
    out: BytesMut,
}

impl Server {
    fn new() -> Server {
        let hello = Hello { window: 16, window_bytes: 1 << 20 };
        Server { session: ServerSession::new(hello), cache: ProtocolCache::default(), out: BytesMut::new() }
    }

    /// Gives `answer` to the batch in `bytes`; the bodies of its events come back.
    fn store(&mut self, bytes: &[u8], answer: Answer<'_>) -> Vec<String> {
        match self.session.receive(one_frame(bytes), &mut self.cache) {
            Received::Batch { token, batch, id: None, .. } => {
                self.out.clear();
                self.session.reply(&mut self.out, token, answer, AnswerNotes { leaving: true });
                batch.events().map(|event| String::from_utf8_lossy(event.body()).into_owned()).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    /// What it answers to `bytes` by itself.
    fn refuse(&mut self, bytes: &[u8]) -> (Vec<u8>, Option<Complaint>) {
        match self.session.receive(one_frame(bytes), &mut self.cache) {
            Received::Reply { bytes, complaint } => (bytes.to_vec(), complaint),
            other => panic!("{other:?}"),
        }
    }

    fn connected() -> Server {
        let mut server = Server::new();
        server.store(&recorded("a"), Answer::Ok);
        server
    }
}

fn event(headers: &[(&str, &str)], body: &str) -> event::Batch {
    let mut builder = event::BatchBuilder::default();
    builder.push(headers.iter().copied(), body.as_bytes());
    builder.finish()
}

fn append_batch(session: &mut ClientSession, batch: &event::Batch) -> BytesMut {
    let mut out = BytesMut::new();
    session.call_head(&mut out, batch.len(), batch.event_bytes(), None);
    batch.runs().for_each(|run| out.extend_from_slice(&run));
    out.extend_from_slice(TAIL);
    out
}

/// `bytes` as a message, without its borders.
fn message(bytes: &[u8]) -> Vec<u8> {
    one_frame(bytes).message().to_vec()
}

fn ok(event: ClientEvent) -> bool {
    matches!(event, ClientEvent::Answer { outcome: Outcome::Ok, notes: QUIET, .. })
}

#[test]
fn a_to_d_the_server_answers_as_flume_does() {
    let mut server = Server::new();
    assert_eq!(server.store(&recorded("a"), Answer::Ok), ["hello"]);
    assert_eq!(server.out, recorded("b"));
    assert_eq!(server.store(&recorded("c"), Answer::Ok), ["world"]);
    assert_eq!(server.out, recorded("d"));
    assert!(!server.session.peer_is_ours());
}

#[test]
fn a_to_d_the_client_asks_as_flume_does() {
    let mut client = ClientSession::flume();
    let headers = [("Type", "LOGIN"), ("Collector", "host1")];
    assert_eq!(append_batch(&mut client, &event(&headers, "hello")), recorded("a"));
    assert!(!client.may_call());
    assert!(ok(client.receive(frame("b")).unwrap()));
    assert_eq!(append_batch(&mut client, &event(&headers, "world")), recorded("c"));
    assert!(ok(client.receive(frame("d")).unwrap()));
    assert_eq!((client.is_ready(), client.hello(), client.outstanding()), (true, None, 0));
}

#[test]
fn a_the_snapshots_client_is_shown_our_protocol() {
    let mut server = Server::new();
    assert_eq!(server.store(&recorded("a-snapshot"), Answer::Ok), ["hello"]);
    let text = Protocol::RELEASED.text.as_bytes();
    let handshake = [&[2, 2, 0xec, 0x14], text, &[2], &Protocol::RELEASED.hash, &[0]].concat();
    let length = (handshake.len() as i32).to_be_bytes();
    let rest = [0, 0, 0, 1, 0, 0, 0, 0, 2, 0, 0];
    assert_eq!(server.out, [&[0, 0, 0, 1, 0, 0, 0, 3][..], &length, &handshake, &rest].concat());
}

#[test]
fn e_the_client_answers_none_with_its_protocol() {
    let mut client = ClientSession::flume();
    let (event, mut out) = (event(&[("k", "v")], "hi"), BytesMut::new());
    let first = client.append(&mut out, event.buffer(), None);
    assert_eq!(message(&out), message(&recorded("e-request-1")));
    assert_eq!(client.receive(frame("e-reply-1")), Ok(ClientEvent::Resend { serial: first }));
    out.clear();
    client.append(&mut out, event.buffer(), None);
    assert_eq!(message(&out), message(&recorded("e-request-2")));
    assert!(ok(client.receive(frame("e-reply-2")).unwrap()));
    out.clear();
    client.append(&mut out, event.buffer(), None);
    assert_eq!(message(&out), message(&recorded("e-request-3")));
    assert!(ok(client.receive(frame("e-reply-3")).unwrap()));
}

#[test]
fn e_the_client_takes_the_servers_protocol() {
    let mut client = ClientSession::flume();
    client.append(&mut BytesMut::new(), &[0, 0], None);
    assert!(ok(client.receive(frame("e-reply-1-client")).unwrap()));
    assert!(client.is_ready());
}

#[test]
fn e_the_server_asks_for_a_protocol_and_goes_on() {
    let unknown = |name| {
        let mut bytes = recorded(name);
        let at = bytes.windows(16).position(|hash| hash == Protocol::RELEASED.hash).unwrap();
        bytes[at] ^= 0xff;
        bytes
    };
    let mut server = Server::new();
    let (reply, complaint) = server.refuse(&unknown("e-request-1"));
    let text = Protocol::RELEASED.text.as_bytes();
    let handshake = [&[4, 2, 0xec, 0x14], text, &[2], &Protocol::RELEASED.hash, &[0]].concat();
    let length = (handshake.len() as i32).to_be_bytes();
    assert_eq!((reply, complaint), ([&[0, 0, 0, 1, 0, 0, 0, 1][..], &length, &handshake].concat(), None));

    // The client has learnt our hash, which here takes the place of the snapshot's.
    let mut second = unknown("e-request-2");
    let at = second.windows(16).position(|hash| hash == Protocol::SNAPSHOT.hash).unwrap();
    second[at..at + 16].copy_from_slice(&Protocol::RELEASED.hash);
    assert_eq!(server.store(&second, Answer::Ok), ["hi"]);
    assert_eq!(server.out, recorded("e-reply-2"));
    assert_eq!(server.store(&recorded("e-request-3"), Answer::Ok), ["hi"]);
    assert_eq!(server.out, recorded("e-reply-3"));

    // What one connection has taught the source, the next one finds known.
    server.session = ServerSession::flume();
    assert_eq!(server.store(&unknown("e-request-1"), Answer::Ok), ["hi"]);
}

#[test]
fn f_a_full_channel() {
    let mut server = Server::connected();
    server.store(&recorded("c"), Answer::Failed);
    assert_eq!(server.out, recorded("f"));

    let mut client = ClientSession::flume();
    append_batch(&mut client, &event(&[], "x"));
    client.receive(frame("b")).unwrap();
    append_batch(&mut client, &event(&[], "y"));
    let answer = client.receive(frame("f")).unwrap();
    assert!(matches!(answer, ClientEvent::Answer { outcome: Outcome::Failed, .. }));
}

#[test]
fn g_a_message_that_is_none() {
    let mut server = Server::connected();
    let (reply, complaint) = server.refuse(&support::framed(4, b"\x00\x0cnosuch", &[99]));
    assert_eq!((reply, complaint), (recorded("g"), Some(Complaint::Message("nosuch".into()))));
    assert_eq!(server.store(&recorded("c"), Answer::Ok), ["world"], "the connection goes on");
}

#[test]
fn h_unusual_blocks() {
    let call = |name: &str, parameters: Vec<u8>| {
        let head = [&[0, name.len() as u8 * 2], name.as_bytes()].concat();
        support::framed(9, &[head, parameters].concat(), &[999])
    };
    let mut server = Server::connected();
    assert_eq!(server.store(&call("appendBatch", recorded("h-array")), Answer::Ok), ["x", "y"]);
    assert_eq!(server.store(&call("append", recorded("h-map")), Answer::Ok), ["b"]);
}

#[test]
fn the_table_of_what_the_server_says_when() {
    let error = |text: &str| [&[0, 1, 0, text.len() as u8 * 2], text.as_bytes()].concat();
    let mut server = Server::connected();
    // An empty array, and one that is cut.
    assert_eq!(server.store(&support::framed(1, b"\x00\x16appendBatch\x00", &[13]), Answer::Ok), [""; 0]);
    let (reply, _) = server.refuse(&support::framed(2, b"\x00\x16appendBatch\x02\x00", &[13]));
    let frame = one_frame(&reply);
    assert_eq!((frame.serial(), &frame.message()[..]), (2, &error("java.io.EOFException")[..]));
    // A negative serial is repeated, bytes too many are ignored, the call's metadata too.
    let call = b"\x02\x02k\x06any\x00\x16appendBatch\x02\x00\x02z\x00too many";
    assert_eq!(server.store(&support::framed(-5, call, &[1]), Answer::Ok), ["z"]);
    assert_eq!(one_frame(&server.out).serial(), -5);
    // An exception behind `append`.
    server.store(&support::framed(6, b"\x00\x0cappend\x00\x00", &[99]), Answer::Error("java.lang.Exception"));
    assert_eq!(one_frame(&server.out).message(), &error("java.lang.Exception"));
}

#[test]
fn a_call_without_a_handshake_is_refused_and_the_connection_stays_open() {
    let mut server = Server::new();
    let (reply, complaint) = server.refuse(&recorded("c"));
    let frame = one_frame(&reply);
    assert_eq!((frame.serial(), frame.first_buffer_bytes()), (2, 0));
    assert!(matches!(complaint, Some(Complaint::Handshake(_))));
    assert_eq!(server.store(&recorded("a"), Answer::Ok), ["hello"]);
    assert_eq!(server.out, recorded("b"), "the handshake was still due");
}

#[test]
fn an_error_in_the_first_call_comes_with_the_handshake() {
    let mut first = message(&recorded("a"));
    first.truncate(60);
    let mut server = Server::new();
    let (reply, _) = server.refuse(&support::framed(1, &first, &[8192]));
    assert_eq!(reply[..20], recorded("b")[..20]);
    assert_eq!(server.store(&recorded("c"), Answer::Ok), ["world"]);
}

#[test]
fn a_ping_gets_the_handshake_or_an_empty_buffer() {
    let mut handshake = message(&recorded("a"));
    handshake.truncate(35);
    let mut server = Server::new();
    let mut ping = |message: &[u8], sizes: &[usize]| {
        let frame = one_frame(&support::framed(3, message, sizes));
        let Received::Ping { token } = server.session.receive(frame, &mut server.cache) else {
            panic!("a ping")
        };
        let mut out = BytesMut::new();
        server.session.pong(&mut out, token);
        out.to_vec()
    };
    let first = [&handshake[..], &[0, 0]].concat();
    assert_eq!(ping(&first, &[7]), [0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 0]);
    assert_eq!(ping(&[0, 0], &[1]), [0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 0]);
}

#[test]
fn a_protocol_of_another_shape_is_refused() {
    let hash = [7; 16];
    let text = Protocol::SNAPSHOT.text.replace("\"bytes\"", "\"long\"");
    let length = event::Zigzag::new(text.len() as i64);
    let request =
        [&hash[..], &[2], &length, text.as_bytes(), &hash, &[0], b"\x00\x16appendBatch\x00"].concat();
    let mut server = Server::new();
    let (reply, complaint) = server.refuse(&support::framed(1, &request, &[9999]));
    assert_eq!(one_frame(&reply).first_buffer_bytes(), 0);
    assert!(matches!(complaint, Some(Complaint::Protocol(_))), "{complaint:?}");
    assert!(!server.cache.knows(&hash));
}

#[test]
fn the_size_of_a_frame_is_told_before_it_has_come() {
    let whole = |buffers: u32, lengths: &[u32]| {
        let mut input = bytes::BytesMut::new();
        input.extend_from_slice(&[7, buffers].map(u32::to_be_bytes).concat());
        for (at, length) in lengths.iter().enumerate() {
            input.extend_from_slice(&length.to_be_bytes());
            if at + 1 < lengths.len() {
                input.resize(input.len() + *length as usize, 0);
            }
        }
        let mut decoder = FrameDecoder::new(1 << 20);
        assert_eq!(decoder.whole(), None);
        decoder.decode(&mut input).unwrap();
        decoder.whole().unwrap()
    };
    assert_eq!(whole(1, &[1000]), 12 + 1000);
    assert_eq!(whole(2, &[100, 200_000]), 16 + 100 + 200_000);
    // Java's buffers, before any length is known and after.
    assert_eq!(whole(4, &[]), 8 + 4 * 8196);
    assert_eq!(whole(4, &[100, 8192]), 8 + 104 + 3 * 8196);
    assert_eq!(whole(3, &[20_000]), 8 + 3 * 20_004, "as the longest so far");
    assert_eq!(whole(100_000, &[]), 1 << 20, "never more than is taken");
}

//! What the fuzz targets do with their input; `cargo test` replays `testdata/fuzz/TARGET/` through the same functions.
//!
//! Each takes any bytes and panics when a promise is broken, be it only that no input panics.

use bytes::{Bytes, BytesMut};
use event::{Batch, BatchBuilder, Scanner, Span};
use java::Charset;
use jiff::tz::TimeZone;
use wire::{
    avro::{
        Answer, AnswerNotes, BatchId, ClientSession, Frame, FrameDecoder, FrameError, Hello, ProtocolCache,
        Received, ServerSession, TAIL,
    },
    container::{self, Schema},
    http,
    line::{Ends, LineCutter},
    syslog::{Classic, Format, Found, Keep, Line, Lines, Multiport},
    thrift, zookeeper,
};

/// A target's name and function.
pub type Entry = (&'static str, fn(&[u8]));

/// All targets.
pub const ENTRIES: &[Entry] = &[
    ("frame", frame),
    ("handshake", handshake),
    ("server_session", server_session),
    ("client_session", client_session),
    ("event", event),
    ("line", line),
    ("syslog", syslog),
    ("thrift", thrift),
    ("zookeeper", zookeeper),
    ("json", json),
    ("container", container),
];

/// A stream gives the same frames, and ends with the same fault, in whatever pieces it is read.
pub fn frame(data: &[u8]) {
    let (whole, whole_fault) = frames(data, usize::MAX);
    for piece in [1, 7] {
        let (pieces, fault) = frames(data, piece);
        assert_eq!(pieces, whole, "pieces of {piece}");
        assert_eq!(fault.map(|error| error.fault), whole_fault.as_ref().map(|error| error.fault));
    }
    let bytes: usize = whole.iter().map(|frame| frame.message().len()).sum();
    assert!(bytes <= data.len());
    if let Some(error) = whole_fault {
        assert!(error.to_string().len() < 400, "one line of a sane length");
    }
}

/// The same message as the first of a connection, to a server and to a client.
pub fn handshake(data: &[u8]) {
    for buffer in [usize::MAX, 1, 5] {
        let Some(frame) = message(1, data, buffer) else { return };
        receive(&mut server(), frame.clone());
        let mut client = ClientSession::new();
        client.ping(&mut BytesMut::new());
        let shaken = client.receive(frame.clone());
        assert!(shaken.is_err() || client.may_call(), "an answer that is taken leads on");
        let mut client = ClientSession::flume();
        client.call_head(&mut BytesMut::new(), 1, 2, None);
        client.receive(frame).ok();
    }
}

/// A stream of frames to a server that has shaken hands with a client of ours.
pub fn server_session(data: &[u8]) {
    let mut server = server();
    let mut first = BytesMut::new();
    ClientSession::new().ping(&mut first);
    for frame in frames(&first, usize::MAX).0.into_iter().chain(frames(data, usize::MAX).0) {
        receive(&mut server, frame);
    }
    assert!(server.peer_is_ours());
    // The bytes as a call's message, too: a fuzzer need not find the framing.
    for buffer in [usize::MAX, 3] {
        message(-7, data, buffer).into_iter().for_each(|frame| receive(&mut server, frame));
    }
}

/// A stream of frames to a client with calls outstanding, and the same bytes as an answer.
pub fn client_session(data: &[u8]) {
    let mut client = ready_client();
    for frame in frames(data, usize::MAX).0 {
        if client.receive(frame).is_err() {
            break;
        }
    }
    for buffer in [usize::MAX, 2] {
        message(3, data, buffer).into_iter().for_each(|frame| drop(ready_client().receive(frame)));
    }
}

/// An event is checked before it is looked at, and what is checked reads back the same.
pub fn event(data: &[u8]) {
    let mut at = 0;
    if let Ok(span) = Scanner::new(data).scan(&mut at) {
        assert!(at <= data.len() && at == span.end as usize);
        look_at(&Batch::from_parts(Bytes::copy_from_slice(data), vec![span], None));
    }
    if let Ok(batch) = Batch::parse(Bytes::copy_from_slice(data)) {
        assert_eq!(batch.event_bytes(), data.len());
        look_at(&batch);
    }
}

/// Lines are the same in whatever pieces a stream is read, and nothing but ends of lines is missing from them.
pub fn line(data: &[u8]) {
    for ends in [Ends::Lf, Ends::LfOrCrLf, Ends::Any] {
        let whole = lines(ends, data, usize::MAX);
        for piece in [1, 3] {
            assert_eq!(lines(ends, data, piece), whole, "{ends:?}, pieces of {piece}");
        }
        let kept = |bytes: &[u8]| bytes.iter().filter(|byte| !b"\r\n".contains(byte)).count();
        assert_eq!(whole.iter().map(|line| kept(line)).sum::<usize>(), kept(data));
    }
}

/// Lines of syslog are the same in whatever pieces a stream is read; each becomes one event, and none is longer than allowed.
pub fn syslog(data: &[u8]) {
    let regex = r"<(\d+)>(\d?) ?(\S+) (\S+) (.*)";
    let mut own = Format::compile(regex, None, Some("MMMdd"), &TimeZone::UTC).ok();
    for limit in [10, 2500] {
        let whole = syslog_lines(limit, data, usize::MAX);
        for piece in [1, 3] {
            assert_eq!(syslog_lines(limit, data, piece), whole, "pieces of {piece}");
        }
        for keep in ["none", "all", "priority timestamp hostname"].map(Keep::parse) {
            let mut readers = [None, own.take()].map(|own| Classic::new(keep, own, TimeZone::UTC));
            let mut multiport = Multiport::new(Charset::UTF_8, keep);
            let (mut out, mut invalid) = (BatchBuilder::default(), 0);
            for (bytes, cut) in &whole {
                let line = Line { bytes, cut: *cut };
                let found = readers.each_mut().map(|reader| reader.push(line, SYSLOG_NOW, &[], &mut out));
                invalid += 2 * usize::from(found == [Found::Invalid; 2]);
                invalid += usize::from(multiport.push(line, SYSLOG_NOW, &[], &mut out) == Found::Invalid);
            }
            let batch = out.finish();
            assert_eq!(batch.len(), 3 * whole.len());
            let marked =
                batch.events().filter(|event| event.header("flume.syslog.status") == Some("Invalid"));
            assert_eq!(marked.count(), invalid);
            assert!(batch.events().all(|event| event.headers().count() > 0), "each has a header");
        }
    }
}

/// Messages of Thrift: whatever is read is answered, and what is written anew reads the same.
pub fn thrift(data: &[u8]) {
    let frames = thrift::Frames::new(MAX_FRAME_BYTES);
    let (mut input, mut messages) = (BytesMut::from(data), vec![Bytes::copy_from_slice(data)]);
    while let Ok(Some(message)) = frames.decode(&mut input) {
        messages.push(message);
    }
    for protocol in [thrift::Protocol::Binary, thrift::Protocol::Compact] {
        for message in &messages {
            thrift_message(protocol, message);
        }
    }
}

/// Events in JSON are read or refused, in time that grows with the text; so is a query.
pub fn json(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut out = BatchBuilder::default();
    match http::events(&text, Charset::UTF_8, &mut out) {
        Err(bad) => assert!(bad.at <= text.len() && bad.to_string().len() < 200),
        Ok(events) => {
            let batch = out.finish();
            assert!(batch.len() == events && events <= text.len());
            look_at(&batch);
        }
    }
    assert!(http::parameters(&text).len() <= text.len());
}

fn thrift_message(protocol: thrift::Protocol, message: &Bytes) {
    drop(thrift::read_answer(protocol, 7, message));
    let (mut builder, mut out) = (BatchBuilder::default(), BytesMut::new());
    match thrift::receive(protocol, message, &mut builder) {
        Err(malformed) => assert!(malformed.to_string().len() < 200),
        Ok(thrift::Received::Bad(token, why)) => thrift::refuse(protocol, &token, &why, &mut out),
        Ok(thrift::Received::Events(token)) => {
            let batch = builder.finish();
            assert!(batch.len() <= message.len());
            look_at(&batch);
            thrift::answer(protocol, &token, thrift::Status::Ok, &mut out);
            let mut again = BytesMut::new();
            thrift::call(protocol, 7, std::slice::from_ref(&batch), &mut again);
            let mut read = BatchBuilder::default();
            let found = thrift::receive(protocol, &again[thrift::HEAD_BYTES..], &mut read);
            assert!(matches!(found, Ok(thrift::Received::Events(_))), "{found:?}");
            assert!(parts(&read.finish()).eq(parts(&batch)));
        }
    }
    let most = thrift::Frames::new(usize::MAX);
    assert!(
        out.is_empty() || matches!(most.decode(&mut out), Ok(Some(_))) && out.is_empty(),
        "one whole answer"
    );
}

fn syslog_lines(limit: usize, stream: &[u8], piece: usize) -> Vec<(Vec<u8>, bool)> {
    let (mut lines, mut found) = (Lines::new(limit), Vec::new());
    let (mut from, mut to) = (0, 0);
    while to < stream.len() {
        to = stream.len().min(to.saturating_add(piece));
        let mut at = 0;
        while let Some(line) = lines.next(&stream[from..to], &mut at) {
            assert!(!line.bytes.is_empty() && line.bytes.len() <= limit && !line.bytes.contains(&b'\n'));
            found.push((line.bytes.to_vec(), line.cut));
        }
        from += at;
        assert!(to - from < limit, "what is held is bounded");
    }
    found
}

/// All frames of a stream read in pieces of `piece` bytes, and what ended it, if not its end.
fn frames(stream: &[u8], piece: usize) -> (Vec<Frame>, Option<FrameError>) {
    let (mut decoder, mut input, mut found) =
        (FrameDecoder::new(MAX_FRAME_BYTES), BytesMut::new(), Vec::new());
    for piece in stream.chunks(piece.min(stream.len()).max(1)) {
        input.extend_from_slice(piece);
        loop {
            match decoder.decode(&mut input) {
                Ok(Some(frame)) => found.push(frame),
                Ok(None) => break assert!(decoder.wanted(&input) > 0),
                Err(error) => return (found, Some(error)),
            }
        }
    }
    (found, decoder.finish(&input).err())
}

/// `data` as the message of a frame with buffers of `buffer` bytes.
fn message(serial: i32, data: &[u8], buffer: usize) -> Option<Frame> {
    let buffers: Vec<&[u8]> = data.chunks(buffer.min(data.len()).max(1)).collect();
    let mut stream = serial.to_be_bytes().to_vec();
    stream.extend_from_slice(&(buffers.len() as i32).to_be_bytes());
    for buffer in buffers {
        stream.extend_from_slice(&(buffer.len() as i32).to_be_bytes());
        stream.extend_from_slice(buffer);
    }
    let frame = frames(&stream, usize::MAX).0.pop()?;
    assert_eq!(frame.message(), data, "borders mean nothing");
    Some(frame)
}

fn server() -> ServerSession {
    ServerSession::new(HELLO).with_most_events(MOST_EVENTS)
}

/// Lets a server read a frame, looks at all it found, and answers.
fn receive(server: &mut ServerSession, frame: Frame) {
    let (serial, bytes) = (frame.serial(), frame.message().len());
    let mut out = BytesMut::new();
    match server.receive(frame, &mut ProtocolCache::default()) {
        Received::Batch { token, batch, .. } => {
            assert!(batch.event_bytes() <= bytes && batch.len() <= MOST_EVENTS);
            look_at(&batch);
            server.reply(&mut out, token, Answer::Failed, AnswerNotes { leaving: true });
        }
        Received::TooMany { token, events } => {
            assert!(events > MOST_EVENTS && events <= bytes / 2, "no event is smaller than two bytes");
            server.reply(&mut out, token, Answer::Failed, AnswerNotes { leaving: true });
        }
        Received::Ping { token } => server.pong(&mut out, token),
        Received::Reply { bytes, complaint } => {
            assert!(complaint.is_none_or(|complaint| complaint.to_string().len() < 1000));
            out.extend_from_slice(&bytes);
        }
    }
    let (frames, fault) = frames(&out, usize::MAX);
    assert_eq!((frames.len(), frames[0].serial(), fault), (1, serial, None), "one whole answer");
}

/// Walks through a batch, and sends it on.
fn look_at(batch: &Batch) {
    for event in batch.events() {
        let received = event.headers().count();
        assert!(event.received() == Span::BORN_HERE || received == event.received() as usize);
        assert!(event.has_header_bytes(event.header_bytes()));
    }
    // A body's length takes a byte or more.
    assert!(parts(batch).map(|(map, body)| map.len() + body.len() + 1).sum::<usize>() <= batch.event_bytes());
    let mut out = BytesMut::new();
    let mut client = ClientSession::new();
    client.call_head(&mut out, batch.len(), batch.event_bytes(), Some(BATCH));
    batch.runs().for_each(|run| out.extend_from_slice(&run));
    out.extend_from_slice(TAIL);
    let mut frames = frames(&out, usize::MAX).0;
    let frame = frames.pop().expect("a batch in a frame");
    let mut server = ServerSession::new(HELLO);
    let Received::Batch { batch: sent, id, .. } = server.receive(frame, &mut ProtocolCache::default()) else {
        panic!("a batch came out of a frame and does not come out of another")
    };
    assert_eq!(id, Some(BATCH));
    assert!(parts(&sent).eq(parts(batch)) && sent.runs().flatten().eq(batch.runs().flatten()));
    if batch.model().is_some() {
        let map = Bytes::from_static(b"\x02\x02k\x02v\0");
        let changed = batch.clone().with_headers(map.clone());
        let in_place = Batch::parse(changed.runs().flatten().collect()).expect("its own events");
        assert!(parts(&changed).eq(parts(&in_place)));
        assert!(parts(&changed).eq(parts(batch).map(|(_, body)| (&map[..], body))));
        assert_eq!(changed.event_bytes(), in_place.event_bytes());
    }
}

/// The header map and the body of each event.
fn parts(batch: &Batch) -> impl Iterator<Item = (&[u8], &[u8])> {
    batch.events().map(|event| (event.header_bytes(), event.body()))
}

/// A client with a ping and two calls outstanding, the calls 3 and 4.
fn ready_client() -> ClientSession {
    let mut client = ClientSession::new();
    let mut out = BytesMut::new();
    client.ping(&mut out);
    let ready = message(1, &[0, 0, 0, 0], 4).expect("a frame");
    client.receive(ready).expect("the handshake of a Flume");
    client.ping(&mut out);
    client.call_head(&mut out, 1, 2, None);
    client.append(&mut out, &[0, 0], None);
    client
}

fn lines(ends: Ends, stream: &[u8], piece: usize) -> Vec<Vec<u8>> {
    let (mut cutter, mut found) = (LineCutter::new(ends), Vec::new());
    let (mut from, mut to) = (0, 0);
    while to < stream.len() {
        to = stream.len().min(to.saturating_add(piece));
        let mut lines = cutter.cut(&stream[from..to]);
        found.extend((&mut lines).map(<[u8]>::to_vec));
        from += lines.taken();
    }
    found.extend(cutter.rest(&stream[from..]).map(<[u8]>::to_vec));
    found
}

const HELLO: Hello = Hello { window: 4, window_bytes: 1 << 20 };
const BATCH: BatchId = BatchId { agent: 1, stream: 2, sequence: 3 };
const SYSLOG_NOW: i64 = 1_795_305_600_000;
const MAX_FRAME_BYTES: usize = 1 << 20;
const MOST_EVENTS: usize = 8;

/// A container file: whatever it says, its blocks take no more memory than they may, and its records end within them.
pub fn container(data: &[u8]) {
    let Ok(Some(head)) = container::head(data) else { return };
    let schema = head.meta("avro.schema").map(|text| Schema::parse(&String::from_utf8_lossy(text)));
    let (mut rest, mut records) = (&data[head.size..], Vec::new());
    while let Ok(Some(block)) = container::block(rest, &head.sync, data.len()) {
        if head.codec.unpack(&rest[block.data.clone()], MOST_UNPACKED, &mut records).is_ok() {
            assert!(records.len() <= MOST_UNPACKED);
            if let Some(Ok(schema)) = &schema {
                let mut at = 0;
                for _ in 0..block.records.min(1000) {
                    let Ok(end) = schema.end_of(&records, at) else { break };
                    assert!((at..=records.len()).contains(&end));
                    at = end;
                }
            }
        }
        assert!(block.end <= rest.len());
        rest = &rest[block.end..];
    }
}

const MOST_UNPACKED: usize = 1 << 20;

/// ZooKeeper's answers: none is too long to be refused, and none that ends early is more than told.
pub fn zookeeper(data: &[u8]) {
    let mut frames = zookeeper::Frames::default();
    frames.buffer().extend_from_slice(data);
    let mut taken = vec![data.to_vec()];
    while let Ok(Some(frame)) = frames.take() {
        taken.push(frame);
    }
    for frame in &taken {
        assert!(zookeeper::welcome(frame).is_err() || frame.len() >= 8);
        let Ok(answer) = zookeeper::Answer::new(frame) else { continue };
        assert!(answer.version().is_err() || frame.len() >= 16 + 36);
        assert!(
            answer.names().is_err() || answer.names().is_ok_and(|names| names.len() * 4 + 20 <= frame.len())
        );
        assert!(
            answer.data().is_err() || answer.data().is_ok_and(|(bytes, _)| bytes.len() + 56 <= frame.len())
        );
        assert!(answer.token().is_err() || answer.token().is_ok_and(|token| token.len() + 20 <= frame.len()));
        zookeeper_login(answer.token().unwrap_or_default());
    }
    zookeeper_login(data);
}

/// A challenge is answered with text, or refused in a line; no bytes prove a password that is not known.
fn zookeeper_login(token: &[u8]) {
    match zookeeper::Response::new(token, "user", "password", 7) {
        Ok(made) => assert!(made.token.len() <= 2 * token.len() + 500 && !made.is_proved_by(token)),
        Err(why) => assert!(why.to_string().len() < 200),
    }
}

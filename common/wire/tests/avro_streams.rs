//! Whole conversations: however their bytes are cut and read, the same calls and answers come out, and no event moves.

mod support;

use bytes::BytesMut;
use event::{Batch, BatchBuilder};
use proptest::prelude::*;
use support::{framed, recorded};
use wire::avro::{
    Answer, AnswerNotes, BatchId, ClientEvent, ClientSession, Frame, FrameDecoder, Hello, MAX_FRAME_BYTES,
    Outcome, ProtocolCache, Received, ServerSession, TAIL,
};

const HELLO: Hello = Hello { window: 16, window_bytes: 1 << 24 };

fn frames(pieces: &[&[u8]]) -> Vec<Frame> {
    let (mut decoder, mut input, mut found) =
        (FrameDecoder::new(MAX_FRAME_BYTES), BytesMut::new(), Vec::new());
    for piece in pieces {
        input.extend_from_slice(piece);
        while let Some(frame) = decoder.decode(&mut input).expect("frames") {
            found.push(frame);
        }
    }
    decoder.finish(&input).expect("nothing is left");
    found
}

/// What a server found in a call: the batch's identity and the events, or nothing for a ping.
type Call = Option<(Option<BatchId>, Vec<Vec<u8>>)>;

/// Each event in its Avro form.
fn encoded(batch: &Batch) -> Vec<Vec<u8>> {
    let mut rest = batch.clone();
    (0..batch.len()).map(|_| rest.split_to(1).runs().flatten().collect()).collect()
}

/// What a server finds in a stream, and what it answers: OK to all.
fn serve(session: &mut ServerSession, pieces: &[&[u8]]) -> (Vec<Call>, Vec<u8>) {
    let (mut cache, mut out, mut calls) = (ProtocolCache::default(), BytesMut::new(), Vec::new());
    for frame in frames(pieces) {
        match session.receive(frame, &mut cache) {
            Received::Batch { token, batch, id, .. } => {
                session.reply(&mut out, token, Answer::Ok, AnswerNotes { leaving: true });
                calls.push(Some((id, encoded(&batch))));
            }
            Received::Ping { token } => {
                session.pong(&mut out, token);
                calls.push(None);
            }
            other => panic!("{other:?}"),
        }
    }
    (calls, out.to_vec())
}

fn send(client: &mut ClientSession, out: &mut BytesMut, batch: &Batch, id: Option<BatchId>) {
    client.call_head(out, batch.len(), batch.event_bytes(), id);
    batch.runs().for_each(|run| out.extend_from_slice(&run));
    out.extend_from_slice(TAIL);
}

/// Headers and body.
type Plain = (Vec<(String, String)>, Vec<u8>);

fn batch(events: &[Plain]) -> Batch {
    let mut builder = BatchBuilder::default();
    for (headers, body) in events {
        builder.push(headers.iter().map(|(key, value)| (key.as_str(), value.as_str())), body);
    }
    builder.finish()
}

fn small_batch() -> Batch {
    batch(&[(vec![("k".into(), "v".into())], b"one".to_vec()), (vec![], vec![]), (vec![], vec![b'x'; 100])])
}

/// Everything a client of ours sends: a ping, then batches.
fn our_stream() -> Vec<u8> {
    let (mut client, mut out) = (ClientSession::new(), BytesMut::new());
    client.ping(&mut out);
    let (_, answer) = serve(&mut ServerSession::new(HELLO), &[&out]);
    assert_eq!(client.receive(frames(&[&answer]).remove(0)), Ok(ClientEvent::Ready { hello: Some(HELLO) }));
    for sequence in 0..3 {
        let id = BatchId { agent: 7, stream: 1, sequence };
        send(&mut client, &mut out, &small_batch().split_to(sequence as usize), Some(id));
    }
    out.to_vec()
}

#[test]
fn a_stream_cut_at_any_byte_or_at_every_byte_is_the_same_stream() {
    let java = [recorded("a"), recorded("c"), recorded("e-request-3")].concat();
    for stream in [java, our_stream()] {
        let whole = serve(&mut ServerSession::new(HELLO), &[&stream]);
        for cut in 0..stream.len() {
            let (first, second) = stream.split_at(cut);
            assert_eq!(serve(&mut ServerSession::new(HELLO), &[first, second]), whole, "cut at {cut}");
        }
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(serve(&mut ServerSession::new(HELLO), &bytes), whole);
        let answers: Vec<_> = frames(&[&whole.1]);
        let bytes: Vec<&[u8]> = whole.1.chunks(1).collect();
        assert_eq!(frames(&bytes), answers);
    }
}

#[test]
fn our_nodes_know_each_other_and_a_flume_stays_undisturbed() {
    let stream = our_stream();
    let mut server = ServerSession::new(HELLO);
    let (calls, answers) = serve(&mut server, &[&stream]);
    assert!(server.peer_is_ours());
    let ids: Vec<_> = calls.iter().flatten().map(|(id, _)| id.map(|id| id.sequence)).collect();
    assert_eq!(ids, [Some(0), Some(1), Some(2)]);

    // All answers at once, to a client that has three calls in flight.
    let (mut client, mut out) = (ClientSession::new(), BytesMut::new());
    client.ping(&mut out);
    let mut answers = frames(&[&answers]).into_iter();
    client.receive(answers.next().unwrap()).unwrap();
    (0..3).for_each(|_| send(&mut client, &mut out, &small_batch(), None));
    assert_eq!(client.outstanding(), 3);
    for answer in answers {
        let ClientEvent::Answer { outcome, notes, .. } = client.receive(answer).unwrap() else { panic!() };
        assert_eq!((outcome, notes), (Outcome::Ok, AnswerNotes { leaving: true }));
    }

    // A server that looks like Flume hears the same calls and says nothing of itself.
    let mut flume = ServerSession::flume();
    let (calls, answers) = serve(&mut flume, &[&stream]);
    assert!(calls.iter().flatten().all(|(id, _)| id.is_none()) && !flume.peer_is_ours());
    let mut client = ClientSession::new();
    client.ping(&mut BytesMut::new());
    let first = frames(&[&answers]).remove(0);
    assert_eq!(client.receive(first), Ok(ClientEvent::Ready { hello: None }));
    let (mut with_id, mut without) = (BytesMut::new(), BytesMut::new());
    client.call_head(&mut with_id, 1, 2, Some(BatchId { agent: 1, stream: 1, sequence: 1 }));
    ClientSession::flume().ping(&mut without);
    assert_eq!(with_id[12..25], b"\x00\x16appendBatch"[..], "not even an identity");
}

proptest! {
    #[test]
    fn a_batch_goes_through_however_its_message_is_cut(
        events in proptest::collection::vec(
            (proptest::collection::vec((".{0,9}", ".{0,9}"), 0..3), proptest::collection::vec(any::<u8>(), 0..70)),
            0..6,
        ),
        sizes in proptest::collection::vec(1..60usize, 1..5),
        id in any::<Option<(u64, u64, u64)>>(),
        piece in 1..100usize,
    ) {
        let batch = batch(&events);
        let id = id.map(|(agent, stream, sequence)| BatchId { agent, stream, sequence });
        let mut out = BytesMut::new();
        send(&mut ClientSession::new(), &mut out, &batch, id);
        let message = frames(&[&out]).remove(0).into_message();
        let stream = framed(1, &message, &sizes);
        let pieces: Vec<&[u8]> = stream.chunks(piece).collect();
        let (calls, _) = serve(&mut ServerSession::new(HELLO), &pieces);
        let sent = encoded(&batch);
        prop_assert_eq!(calls, vec![Some((id, sent))]);
    }

    #[test]
    fn garbage_takes_little_memory(garbage in proptest::collection::vec(any::<u8>(), 0..2000), likely in 0..5usize) {
        // Garbage as it is, and garbage in the place where a call, a handshake or an answer is expected.
        let heads: [&[u8]; 5] = [b"", b"\x00", b"\x00\x16appendBatch", b"\x00\x0cappend", b"\x00\x00"];
        let message = [heads[likely], &garbage].concat();
        let streams = [garbage.clone(), framed(2, &message, &[9999]), framed(2, &message, &[1])];
        let connected = recorded("a");
        for stream in streams {
            let used = allocation_counter::measure(|| hostile(&connected, &stream));
            prop_assert!(used.bytes_max < 20_000 + 16 * stream.len() as u64, "{:?} for {}", used, stream.len());
        }
    }
}

/// The same bytes from a client, from a client that has shaken hands, and from a server.
fn hostile(connected: &[u8], stream: &[u8]) {
    for before in [&b""[..], connected] {
        let (mut decoder, mut server) = (FrameDecoder::new(MAX_FRAME_BYTES), ServerSession::new(HELLO));
        let mut input = BytesMut::from(before);
        input.extend_from_slice(stream);
        while let Ok(Some(frame)) = decoder.decode(&mut input) {
            drop(server.receive(frame, &mut ProtocolCache::default()));
        }
    }
    let (mut decoder, mut client, mut input) =
        (FrameDecoder::new(MAX_FRAME_BYTES), ClientSession::new(), BytesMut::from(stream));
    client.ping(&mut BytesMut::new());
    while let Ok(Some(frame)) = decoder.decode(&mut input) {
        drop(client.receive(frame));
    }
}

/// A server that has shaken hands, with one batch of `events` in its read buffer.
fn about_to_read(events: usize, sizes: Option<&[usize]>) -> (ServerSession, FrameDecoder, BytesMut) {
    let mut server = ServerSession::new(HELLO);
    let (mut client, mut out) = (ClientSession::new(), BytesMut::new());
    client.ping(&mut out);
    let (_, answer) = serve(&mut server, &[&out]);
    client.receive(frames(&[&answer]).remove(0)).expect("the handshake");
    out.clear();
    let events = vec![(vec![("host".to_string(), "slave1".to_string())], vec![b'x'; 256]); events];
    send(&mut client, &mut out, &batch(&events), Some(BatchId { agent: 1, stream: 1, sequence: 1 }));
    let stream = match sizes {
        None => out.to_vec(),
        Some(sizes) => framed(2, frames(&[&out])[0].message(), sizes),
    };
    (server, FrameDecoder::new(MAX_FRAME_BYTES), BytesMut::from(&stream[..]))
}

fn read(server: &mut ServerSession, decoder: &mut FrameDecoder, input: &mut BytesMut) -> Batch {
    let frame = decoder.decode(input).expect("a frame").expect("a whole one");
    match server.receive(frame, &mut ProtocolCache::default()) {
        Received::Batch { batch, .. } => batch,
        other => panic!("{other:?}"),
    }
}

#[test]
fn no_event_is_copied_and_memory_is_asked_for_by_the_batch() {
    // As we send it, as Java cuts it, and as nobody would.
    for sizes in [None, Some(&[30, 8192][..]), Some(&[1])] {
        let mut counts = Vec::new();
        for events in [100, 1000] {
            let (mut server, mut decoder, mut input) = about_to_read(events, sizes);
            let read_buffer = input.as_ptr_range();
            let mut found = None;
            let used =
                allocation_counter::measure(|| found = Some(read(&mut server, &mut decoder, &mut input)));
            let batch = found.unwrap();
            assert_eq!(batch.len(), events);
            assert!(batch.events().all(|event| read_buffer.contains(&event.map().as_ptr())));
            assert!(used.bytes_total < 400 + 16 * events as u64, "{used:?}");
            counts.push(used.count_total);
        }
        assert!(counts[0] == counts[1] && counts[0] <= 4, "{counts:?}");
    }
}

#[test]
fn a_call_of_more_events_than_are_taken_costs_no_more_than_those() {
    // Half a million events of two bytes each: 8 MB of index, were all of them kept.
    let small = batch(&vec![(vec![], vec![]); 500_000]);
    let mut out = BytesMut::new();
    send(&mut ClientSession::new(), &mut out, &small, None);
    let frame = frames(&[&out]).remove(0);
    for (most, is_batch) in [(499_999, false), (500_000, true), (100, false)] {
        let mut server = ServerSession::new(HELLO).with_most_events(most);
        let (frame, mut found) = (frame.clone(), None);
        let used = allocation_counter::measure(|| {
            found = Some(server.receive(frame, &mut ProtocolCache::default()));
        });
        assert!(used.bytes_max < 1_000 + 16 * 2 * most as u64, "{used:?}");
        match found.unwrap() {
            Received::Batch { batch, .. } => assert!(is_batch && batch.len() == 500_000),
            Received::TooMany { events, .. } => assert!(!is_batch && events == 500_000),
            other => panic!("{other:?}"),
        }
    }
    // What is malformed behind the limit is malformed all the same.
    let message = frame.into_message();
    let cut = framed(1, &message[..message.len() - 2], &[9_999_999]);
    let mut server = ServerSession::new(HELLO).with_most_events(100);
    match server.receive(frames(&[&cut]).remove(0), &mut ProtocolCache::default()) {
        Received::Reply { complaint: Some(complaint), .. } => {
            assert!(complaint.to_string().contains("malformed"), "{complaint}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_call_and_its_answer_cost_nothing_once_buffers_have_grown() {
    let (mut client, mut server) = (ClientSession::new(), ServerSession::new(HELLO));
    let (mut out, mut back) = (BytesMut::with_capacity(4096), BytesMut::with_capacity(4096));
    client.ping(&mut out);
    back.extend_from_slice(&serve(&mut server, &[&out]).1);
    client.receive(frames(&[&back]).remove(0)).unwrap();
    let id = Some(BatchId { agent: 1, stream: 1, sequence: 1 });
    out.clear();
    client.call_head(&mut out, 1, 2, id);
    let used = allocation_counter::measure(|| {
        client.call_head(&mut out, 1000, 2000, id);
    });
    assert_eq!(used.count_total, 0);
}

#[test]
fn a_frame_of_a_million_tiny_buffers_is_walked_once() {
    // 5 MB in reads of 1 KiB: were each read to begin at the front, this would be 5,000 times a million steps.
    let stream = framed(1, &vec![0; 1 << 20], &[1]);
    let pieces: Vec<&[u8]> = stream.chunks(1024).collect();
    assert_eq!(frames(&pieces)[0].message().len(), 1 << 20);
}

#[test]
fn answers_in_another_order_each_belong_to_their_own_call() {
    let (mut client, mut server) = (ClientSession::new(), ServerSession::new(HELLO));
    let (mut cache, mut out, mut back) = (ProtocolCache::default(), BytesMut::new(), BytesMut::new());
    client.ping(&mut out);
    let Some(Received::Ping { token }) = frames(&[&out]).pop().map(|frame| server.receive(frame, &mut cache))
    else {
        panic!("no ping")
    };
    server.pong(&mut back, token);
    frames(&[&back]).into_iter().for_each(|frame| drop(client.receive(frame).expect("a handshake")));
    out.clear();
    back.clear();
    let mut builder = BatchBuilder::default();
    builder.push([], b"x");
    let batch = builder.finish();
    let calls: Vec<_> = (0..3)
        .map(|_| {
            let serial = client.call_head(&mut out, 1, batch.event_bytes(), None);
            batch.runs().for_each(|run| out.extend_from_slice(&run));
            out.extend_from_slice(TAIL);
            serial
        })
        .collect();
    let mut tokens: Vec<_> = frames(&[&out])
        .into_iter()
        .map(|frame| match server.receive(frame, &mut cache) {
            Received::Batch { token, .. } => Some(token),
            other => panic!("{other:?}"),
        })
        .collect();
    for (at, answer) in [(2, Answer::Ok), (0, Answer::Failed), (1, Answer::Ok)] {
        let token = tokens[at].take().expect("once each");
        server.reply(&mut back, token, answer, AnswerNotes::default());
    }
    let heard: Vec<_> = frames(&[&back])
        .into_iter()
        .map(|frame| match client.receive(frame).expect("an answer") {
            ClientEvent::Answer { serial, outcome, .. } => (serial, outcome),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(heard, [(calls[2], Outcome::Ok), (calls[0], Outcome::Failed), (calls[1], Outcome::Ok)]);
    assert_eq!(client.outstanding(), 0);
}

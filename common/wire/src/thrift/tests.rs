use super::*;
use event::BatchBuilder;
use proptest::prelude::*;

/// A call of two events and its answer, recorded between a Java client and Flume 1.11's agent.
const COMPACT: (&str, &str) = (
    "0000005e8221010b617070656e644261746368192c1b028804547970 65054c4f47494e09436f6c6c6563746f7205686f73743118 0568656c6c6f00\
     1b02880454797065054c4f47494e09436f6c6c6563746f7205686f7374311805776f726c640000",
    "000000138241010b617070656e64426174636805000000",
);
const BINARY: (&str, &str) = (
    "0000009a800100010000000b617070656e6442617463680000000 10f00010c00000002\
     0d00010b0b000000020000000454797065000000054c4f47494e00000009436f6c6c6563746f7200000005686f737431\
     0b00020000000568656c6c6f00\
     0d00010b0b000000020000000454797065000000054c4f47494e00000009436f6c6c6563746f7200000005686f737431\
     0b000200000005776f726c640000",
    "0000001f800100020000000b617070656e644261746368000000010800000000000000",
);

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn recorded() -> [(Protocol, Vec<u8>, Vec<u8>); 2] {
    [(Protocol::Compact, COMPACT), (Protocol::Binary, BINARY)].map(|(protocol, (call, answer))| {
        // The listing of the compact answer leaves its stop byte to the length.
        let mut answer = unhex(answer);
        answer.resize(HEAD_BYTES + answer[3] as usize, 0);
        (protocol, unhex(call), answer)
    })
}

fn message(frame: &[u8]) -> Bytes {
    let mut input = BytesMut::from(frame);
    let message = Frames::new(1 << 20).decode(&mut input).unwrap().unwrap();
    assert!(input.is_empty());
    message
}

fn batch(events: &[(&[(&str, &str)], &str)]) -> event::Batch {
    let mut builder = BatchBuilder::default();
    for (headers, body) in events {
        builder.push(headers.iter().copied(), body.as_bytes());
    }
    builder.finish()
}

fn two() -> event::Batch {
    let headers: &[(&str, &str)] = &[("Type", "LOGIN"), ("Collector", "host1")];
    batch(&[(headers, "hello"), (headers, "world")])
}

/// The headers and the body of each event.
type Parts = Vec<(Vec<(Vec<u8>, Vec<u8>)>, Vec<u8>)>;

fn parts(batch: &event::Batch) -> Parts {
    let pairs = |event: event::Event<'_>| event.headers().map(|(k, v)| (k.to_vec(), v.to_vec())).collect();
    batch.events().map(|event| (pairs(event), event.body().to_vec())).collect()
}

fn received(protocol: Protocol, message: &[u8]) -> (Result<Received, Malformed>, event::Batch) {
    let mut builder = BatchBuilder::default();
    (receive(protocol, message, &mut builder), builder.finish())
}

#[test]
fn calls_and_answers_are_byte_for_byte_javas() {
    for (protocol, call_frame, answer_frame) in recorded() {
        let mut out = BytesMut::new();
        call(protocol, 1, &[two()], &mut out);
        assert_eq!(out, call_frame, "{protocol:?}");
        let (found, events) = received(protocol, &message(&call_frame));
        let Ok(Received::Events(token)) = found else { panic!("{found:?}") };
        assert_eq!(parts(&events), parts(&two()));
        assert!(events.events().all(|event| event.received() == 2));
        let mut out = BytesMut::new();
        answer(protocol, &token, Status::Ok, &mut out);
        assert_eq!(out, answer_frame, "{protocol:?}");
        assert_eq!(read_answer(protocol, 1, &message(&answer_frame)), Ok(Ok(Status::Ok)));
        assert_eq!(read_answer(protocol, 2, &message(&answer_frame)), Err(Malformed::Answer));
    }
}

#[test]
fn a_stream_cut_anywhere_gives_the_same_messages() {
    for (_, frame, _) in recorded() {
        let stream = frame.repeat(3);
        for cut in 0..=stream.len() {
            let (frames, mut input, mut found) = (Frames::new(4096), BytesMut::new(), Vec::new());
            for piece in [&stream[..cut], &stream[cut..]] {
                input.extend_from_slice(piece);
                found.extend(std::iter::from_fn(|| frames.decode(&mut input).unwrap()));
            }
            assert_eq!((found.len(), input.len()), (3, 0));
            assert!(found.iter().all(|message| **message == frame[HEAD_BYTES..]));
        }
    }
}

#[test]
fn a_message_cut_short_anywhere_is_refused_and_nothing_worse() {
    for (protocol, frame, answer) in recorded() {
        for end in HEAD_BYTES..frame.len() {
            let (found, _) = received(protocol, &frame[HEAD_BYTES..end]);
            assert!(matches!(found, Err(_) | Ok(Received::Bad(..))), "{protocol:?}, {end}: {found:?}");
        }
        for end in HEAD_BYTES..answer.len() {
            assert!(read_answer(protocol, 1, &answer[HEAD_BYTES..end]).is_err());
        }
    }
}

#[test]
fn frames_that_are_none_or_too_large_end_the_stream() {
    let decode = |bytes: &[u8]| Frames::new(100).decode(&mut BytesMut::from(bytes));
    assert_eq!(decode(&[0, 0, 0]), Ok(None));
    assert_eq!(decode(&[0, 0, 0, 101]), Err(BadFrame::Large { bytes: 101, most: 100 }));
    assert_eq!(decode(&[0x80, 1, 0, 1]), Err(BadFrame::Foreign(-2_147_418_111)));
    assert_eq!(decode(&[0; 4]), Err(BadFrame::Foreign(0)));
}

#[test]
fn what_cannot_be_served_is_answered_with_an_exception() {
    for (protocol, frame, _) in recorded() {
        let other = match protocol {
            Protocol::Compact => Protocol::Binary,
            Protocol::Binary => Protocol::Compact,
        };
        let (found, _) = received(other, &message(&frame));
        assert_eq!(found, Err(Malformed::Protocol { expected: other }));
        let mut unknown = message(&frame).to_vec();
        let name = unknown.windows(6).position(|bytes| bytes == b"append").unwrap();
        unknown[name..name + 6].copy_from_slice(b"upload");
        let (found, _) = received(protocol, &unknown);
        let Ok(Received::Bad(token, why)) = found else { panic!("{found:?}") };
        let mut out = BytesMut::new();
        refuse(protocol, &token, &why, &mut out);
        let said = read_answer(protocol, 1, &message(&out));
        assert_eq!(said, Ok(Err("Invalid method name: 'uploadBatch'".to_owned())));
    }
}

#[test]
fn a_single_event_and_fields_of_other_versions_are_read() {
    // append, version-less binary; the event has a list, a structure and a flag that nobody knows, and its body first.
    let binary = unhex(
        "00000006 617070656e64 01 00000007 0c0001\
         0b0002 00000002 6869 0f0009 0c00000001 020001 01 00 0d0001 0b0b 00000001 00000001 6b 00000001 76\
         020008 01 00 00",
    );
    let compact = unhex("82210706617070656e641c 2802 6869 1f 1b018801 6b01 76 00 00");
    let compact = [&compact[..9 + 3], &compact[12..]].concat();
    let (found, events) = received(Protocol::Binary, &binary);
    assert!(matches!(found, Ok(Received::Events(_))), "{found:?}");
    assert_eq!(parts(&events), parts(&batch(&[(&[("k", "v")], "hi")])));
    let (found, _) = received(Protocol::Compact, &compact);
    assert!(matches!(found, Ok(Received::Bad(..))), "a type that does not exist: {found:?}");
}

#[test]
fn an_event_without_headers_or_body_is_refused() {
    let (found, _) = received(Protocol::Compact, &unhex("82210106617070656e641c1801610000"));
    assert!(matches!(&found, Ok(Received::Bad(_, why)) if why.contains("headers")), "{found:?}");
    let (found, _) = received(Protocol::Compact, &unhex("82210106617070656e641c1b000000"));
    assert!(matches!(&found, Ok(Received::Bad(_, why)) if why.contains("body")), "{found:?}");
}

#[test]
fn structures_nested_without_end_and_lengths_that_lie_are_refused() {
    let head = unhex("82210106617070656e64");
    let nested = [&head[..], &[0x2c; 4000]].concat();
    let (found, _) = received(Protocol::Compact, &nested);
    assert!(matches!(&found, Ok(Received::Bad(_, why)) if why.contains("nested")), "{found:?}");
    let lies = [&head[..], &unhex("29fcffffffff0f")].concat();
    let (found, _) = received(Protocol::Compact, &lies);
    assert!(matches!(&found, Ok(Received::Bad(_, why)) if why.contains("length")), "{found:?}");
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        events in proptest::collection::vec(
            (proptest::collection::vec((".{0,9}", ".{0,200}"), 0..20), proptest::collection::vec(any::<u8>(), 0..300)), 0..20),
        sequence in any::<i32>(),
    ) {
        let mut builder = BatchBuilder::default();
        for (headers, body) in &events {
            builder.push(headers.iter().map(|(k, v)| (k.as_str(), v.as_str())), body);
        }
        let batch = builder.finish();
        for protocol in [Protocol::Binary, Protocol::Compact] {
            let mut out = BytesMut::new();
            call(protocol, sequence, std::slice::from_ref(&batch), &mut out);
            let (found, events) = received(protocol, &message(&out));
            let Ok(Received::Events(token)) = found else { panic!("{found:?}") };
            prop_assert_eq!(parts(&events), parts(&batch));
            let mut out = BytesMut::new();
            answer(protocol, &token, Status::Failed, &mut out);
            prop_assert_eq!(read_answer(protocol, sequence, &message(&out)), Ok(Ok(Status::Failed)));
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        for (protocol, head) in [(Protocol::Compact, "82210106617070656e64"), (Protocol::Binary, "800100010000000 6617070656e6400000001")] {
            let (found, _) = received(protocol, &[&unhex(head)[..], &bytes].concat());
            prop_assert!(found.is_ok());
            drop(received(protocol, &bytes));
            drop(read_answer(protocol, 1, &bytes));
        }
    }
}

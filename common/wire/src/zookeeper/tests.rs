use super::*;

/// An answer to [`Request::Get`]: a node that holds `hello`, at version 2.
const DATA: &[u8] = b"\0\0\0\x5d\0\0\0\x03\0\0\0\0\0\0\0\x0b\0\0\0\0\0\0\0\x05hello\
    \0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\x0b\0\0\x01\x9a\0\0\0\0\0\0\x01\x9a\0\0\0\x07\
    \0\0\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\0\0\0\0\x05";

const WELCOME: &[u8] = b"\0\0\0\x25\0\0\0\0\0\0\x27\x10\x01\0\0\0\0\0\0\x07\0\0\0\x10abcdefghijklmnop\0";

#[test]
fn a_stream_of_answers_is_the_same_wherever_it_is_cut() {
    let stream = [WELCOME, DATA, DATA].concat();
    for cut in 0..=stream.len() {
        let (mut frames, mut seen) = (Frames::default(), Vec::new());
        for part in [&stream[..cut], &stream[cut..]] {
            frames.buffer().extend_from_slice(part);
            while let Some(frame) = frames.take().unwrap() {
                seen.push(frame);
            }
        }
        assert_eq!(welcome(&seen[0]), Ok(10_000));
        for frame in &seen[1..] {
            let answer = Answer::new(frame).unwrap();
            assert_eq!((answer.xid, answer.code, answer.data()), (3, 0, Ok((&b"hello"[..], 2))));
        }
        assert_eq!(seen.len(), 3, "cut at {cut}");
    }
}

#[test]
fn an_answer_that_ends_early_is_told_and_no_length_takes_memory() {
    let frame = &DATA[4..];
    for end in 0..frame.len() {
        let read = Answer::new(&frame[..end]).and_then(|answer| answer.data().map(|_| ()));
        // Behind the version stands what nobody reads.
        assert!(read == Err(Malformed::Short) || end >= 61, "{end}: {read:?}");
    }
    for length in [-1, i32::MIN, i32::MAX, MOST_BYTES as i32 + 1] {
        let mut frames = Frames::default();
        frames.buffer().extend(length.to_be_bytes());
        assert_eq!(frames.take(), Err(Malformed::Length(length)));
    }
}

#[test]
fn names_of_nodes_are_as_many_as_are_there_whatever_number_is_announced() {
    let named = |rest: &[u8]| {
        let frame = [&b"\0\0\0\x03\0\0\0\0\0\0\0\x0b\0\0\0\0"[..], rest].concat();
        Answer::new(&frame).and_then(|answer| answer.names())
    };
    let two = b"\0\0\0\x02\0\0\0\x011\0\0\0\x041001";
    assert_eq!(named(two), Ok(vec!["1".to_owned(), "1001".to_owned()]));
    assert_eq!(named(b"\0\0\0\0"), Ok(Vec::new()));
    assert_eq!(named(b"\xff\xff\xff\xff"), Ok(Vec::new()));
    assert_eq!(named(b"\x7f\xff\xff\xff\0\0\0\x011"), Err(Malformed::Short));
    assert_eq!(named(&two[..two.len() - 1]), Err(Malformed::Short));
}

#[test]
fn requests_are_as_zookeepers_own_client_writes_them() {
    let frame = Request::Get { path: "/a", watch: true }.frame(7);
    assert_eq!(frame, b"\0\0\0\x0f\0\0\0\x07\0\0\0\x04\0\0\0\x02/a\x01");
    assert_eq!(Request::Ping.frame(9), b"\0\0\0\x08\xff\xff\xff\xfe\0\0\0\x0b");
    let set = Request::Set { path: "/a", bytes: b"xy", version: 3 }.frame(1);
    assert_eq!(set, b"\0\0\0\x18\0\0\0\x01\0\0\0\x05\0\0\0\x02/a\0\0\0\x02xy\0\0\0\x03");
    let children = Request::Children { path: "/a" }.frame(2);
    assert_eq!(children, b"\0\0\0\x0f\0\0\0\x02\0\0\0\x08\0\0\0\x02/a\0");
    assert_eq!(Request::Login { token: b"" }.frame(1), b"\0\0\0\x0c\0\0\0\x01\0\0\0\x66\0\0\0\0");
    let create = Request::Create { path: "/a", bytes: b"" }.frame(1);
    let rights = b"\0\0\0\x01\0\0\0\x1f\0\0\0\x05world\0\0\0\x06anyone\0\0\0\0";
    assert_eq!(create[4..], [&b"\0\0\0\x01\0\0\0\x01\0\0\0\x02/a\0\0\0\0"[..], rights].concat());
    assert_eq!(hello(10_000).len(), 4 + 4 + 8 + 4 + 8 + 20 + 1);
}

#[test]
fn a_token_is_there_or_not() {
    let token = |rest: &[u8]| {
        let frame = [&b"\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0"[..], rest].concat();
        Answer::new(&frame).and_then(|answer| answer.token().map(<[u8]>::to_vec))
    };
    let whole = b"\0\0\0\x05realm";
    assert_eq!(token(whole), Ok(b"realm".to_vec()));
    (0..whole.len()).for_each(|end| assert_eq!(token(&whole[..end]), Err(Malformed::Short)));
    assert_eq!((token(b"\xff\xff\xff\xff"), token(b"\0\0\0\0")), (Ok(Vec::new()), Ok(Vec::new())));
}

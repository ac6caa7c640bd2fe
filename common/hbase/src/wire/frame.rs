//! Calls and their answers in a stream of bytes.

use super::cells::CODEC;
use super::message::{
    CellBlock, ConnectionHeader, ExceptionResponse, RequestHeader, ResponseHeader, UserInformation,
};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use prost::Message;
use prost::encoding::encode_varint;
use thiserror::Error;

/// What comes is no answer of HBase's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum Malformed {
    /// A length that no answer has.
    #[error("an answer of {0} bytes was announced")]
    Length(u32),
    /// It cannot be read.
    #[error("an answer cannot be read: {0}")]
    Message(String),
}

/// What a client says first. There is no answer to it. With `cells`, they may stand behind messages, and those of the server do.
pub(crate) fn preamble(user: &str, cells: bool) -> BytesMut {
    let header = ConnectionHeader {
        user: Some(UserInformation { effective_user: user.to_owned() }),
        service: "ClientService".to_owned(),
        codec: cells.then(|| CODEC.to_owned()),
    };
    let mut out = BytesMut::new();
    out.put_slice(b"HBas\0");
    out.put_u8(SIMPLE);
    out.put_u32(length(header.encoded_len()));
    put(&header, &mut out);
    out
}

/// Without a login.
const SIMPLE: u8 = 80;

/// One call, with `cells` behind its request, behind what `out` holds already.
pub(crate) fn call<'c>(
    id: u32,
    method: &str,
    request: &impl Message,
    cells: impl Iterator<Item = &'c Bytes> + Clone,
    millis: u32,
    out: &mut BytesMut,
) {
    let block: usize = cells.clone().map(Bytes::len).sum();
    let header = RequestHeader {
        call_id: Some(id),
        method: method.to_owned(),
        has_request: true,
        cells: (block > 0).then(|| CellBlock { length: Some(length(block)) }),
        timeout: Some(millis),
    };
    let (head, body) = (header.encoded_len(), request.encoded_len());
    let delimited = |length: usize| prost::length_delimiter_len(length) + length;
    let all = delimited(head) + delimited(body) + block;
    out.reserve(4 + all);
    out.put_u32(length(all));
    encode_varint(head as u64, out);
    put(&header, out);
    encode_varint(body as u64, out);
    put(request, out);
    cells.for_each(|cell| out.put_slice(cell));
}

/// The messages of a call are bounded far below what a length can say.
fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

fn put(message: &impl Message, out: &mut BytesMut) {
    message.encode_raw(out); // a buffer that grows has room
}

/// One answer.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    /// Of which call.
    pub(crate) id: u32,
    /// What the method says, not yet read; or why it has failed.
    pub(crate) body: Result<Bytes, ExceptionResponse>,
}

impl Answer {
    /// What the method says.
    ///
    /// # Errors
    /// [`Malformed`]
    pub(crate) fn read<A: Message + Default>(body: Bytes) -> Result<A, Malformed> {
        A::decode_length_delimited(body).map_err(|error| Malformed::Message(error.to_string()))
    }
}

/// Bytes of a server's, of which answers are made.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    bytes: BytesMut,
}

impl Answers {
    /// Where what comes is put, at the end.
    pub(crate) fn buffer(&mut self) -> &mut BytesMut {
        &mut self.bytes
    }

    /// The next whole answer, if it is there.
    ///
    /// # Errors
    /// [`Malformed`]
    pub(crate) fn take(&mut self) -> Result<Option<Answer>, Malformed> {
        let Some(announced) = self.bytes.first_chunk().map(|bytes| u32::from_be_bytes(*bytes)) else {
            return Ok(None);
        };
        if announced > MOST_BYTES {
            return Err(Malformed::Length(announced));
        }
        let length = announced as usize;
        if self.bytes.len() - 4 < length {
            self.bytes.reserve(4 + length - self.bytes.len());
            return Ok(None);
        }
        self.bytes.advance(4);
        let mut frame = self.bytes.split_to(length).freeze();
        let header = ResponseHeader::decode_length_delimited(&mut frame)
            .map_err(|error| Malformed::Message(error.to_string()))?;
        let id = header.call_id.ok_or_else(|| Malformed::Message("it names no call".to_owned()))?;
        Ok(Some(Answer { id, body: header.exception.map_or(Ok(frame), Err) }))
    }
}

/// An answer to the largest call that is made, one of as many increments as a call has, is far smaller.
const MOST_BYTES: u32 = 64 << 20;

#[cfg(test)]
mod tests {
    use super::super::message::{
        Action, ColumnValue, GetRequest, MultiRequest, MultiResponse, Mutation, PUT, QualifierValue,
        RegionAction, RegionActionResult, ResultOrException, region,
    };
    use super::*;
    use runtime::random::Random;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// A server's answer.
    fn answer(id: u32, body: &impl Message) -> Vec<u8> {
        let header = ResponseHeader { call_id: Some(id), exception: None };
        let frame = [header.encode_length_delimited_to_vec(), body.encode_length_delimited_to_vec()].concat();
        [&(frame.len() as u32).to_be_bytes()[..], &frame].concat()
    }

    fn failed(id: u32, class: &str) -> Vec<u8> {
        let exception = ExceptionResponse {
            class: class.to_owned(),
            trace: "why\n\tat x".to_owned(),
            do_not_retry: true,
        };
        let header = ResponseHeader { call_id: Some(id), exception: Some(exception) };
        let frame = header.encode_length_delimited_to_vec();
        [&(frame.len() as u32).to_be_bytes()[..], &frame].concat()
    }

    fn done(indices: u32) -> MultiResponse {
        let results = (0..indices).map(|index| ResultOrException { index, exception: None }).collect();
        MultiResponse { regions: vec![RegionActionResult { results, exception: None }] }
    }

    #[test]
    fn the_first_bytes_are_those_of_javas_client() {
        let expected = "48426173005000000018" // HBas, version, SIMPLE, length
            .to_owned()
            + "0a070a05666c756d65120d436c69656e7453657276696365";
        assert_eq!(hex(&preamble("flume", false)), expected);
    }

    #[test]
    fn a_call_is_a_header_and_a_request() {
        let mutation = Mutation {
            row: Some("row1".into()),
            kind: Some(PUT),
            columns: vec![ColumnValue {
                family: "cf".into(),
                values: vec![QualifierValue { qualifier: Some("pCol".into()), value: Some("hello".into()) }],
            }],
            ..Mutation::default()
        };
        assert_eq!(
            hex(&mutation.encode_to_vec()),
            "0a04726f773110021a130a02636612".to_owned() + "0d0a0470436f6c120568656c6c6f"
        );
        let action = Action { index: Some(0), mutation: mutation.encode_to_vec().into() };
        let regions = vec![RegionAction { region: region("r".into()), actions: vec![action] }];
        let mut out = BytesMut::new();
        let request = MultiRequest { regions, nonce_group: None };
        call(1, "Multi", &request, [].iter(), 20_000, &mut out);
        let (length, rest) = out.split_first_chunk().unwrap();
        assert_eq!(u32::from_be_bytes(*length) as usize, rest.len());
        assert_eq!(hex(&rest[..16]), "0f08011a054d756c746920013".to_owned() + "8a09c01");
    }

    #[test]
    fn cells_stand_behind_the_request_and_the_header_says_how_long_they_are() {
        let (mut plain, mut out) = (BytesMut::new(), BytesMut::new());
        let cells = [Bytes::from("abc"), Bytes::from("de")];
        call(1, "Multi", &MultiRequest::default(), [].iter(), 1, &mut plain);
        call(1, "Multi", &MultiRequest::default(), cells.iter(), 1, &mut out);
        assert_eq!((hex(&plain[..4]), hex(&out[..4])), ("0000000f".to_owned(), "00000018".to_owned()));
        let header = RequestHeader::decode_length_delimited(&out[4..]).unwrap();
        assert_eq!(header.cells, Some(CellBlock { length: Some(5) }));
        assert!(out.ends_with(b"\0abcde"), "behind a request of no bytes");
    }

    #[test]
    fn an_answer_is_read_in_front_of_its_cells() {
        // To an increment, as HBase 2.6.1 has sent it.
        let seen = b"\0\0\0\x41\x06\x08\x02\x1a\x02\x08\x2b\x0e\x0a\x0a\x0a\x08\x08\0\x12\x04\x10\x01\x20\0\x1a\0\
            \0\0\0\x27\0\0\0\x17\0\0\0\x08\0\x06incRow\x01fiCol\0\0\x01\xa2\x1d\x16\xcd\xbe\x04\0\0\0\0\0\0\0\x03";
        let mut answers = Answers::default();
        answers.buffer().extend_from_slice(seen);
        let answer = answers.take().unwrap().unwrap();
        assert_eq!((answer.id, answers.buffer().len()), (2, 0));
        assert_eq!(Answer::read::<MultiResponse>(answer.body.unwrap()), Ok(done(1)));
    }

    #[test]
    fn a_stream_of_answers_is_the_same_wherever_it_is_cut() {
        let stream = [answer(1, &done(3)), failed(2, "x.Y"), answer(3, &GetRequest::default())].concat();
        for cut in 0..=stream.len() {
            let (mut answers, mut seen) = (Answers::default(), Vec::new());
            for part in [&stream[..cut], &stream[cut..]] {
                answers.buffer().extend_from_slice(part);
                while let Some(answer) = answers.take().unwrap() {
                    seen.push(answer);
                }
            }
            assert_eq!(seen.iter().map(|answer| answer.id).collect::<Vec<_>>(), [1, 2, 3], "cut at {cut}");
            let body = seen[0].body.clone().unwrap();
            assert_eq!(Answer::read::<MultiResponse>(body), Ok(done(3)));
            assert_eq!(seen[1].body.as_ref().unwrap_err().class, "x.Y");
        }
    }

    #[test]
    fn no_length_takes_memory_and_no_bytes_a_panic() {
        let mut answers = Answers::default();
        answers.buffer().extend_from_slice(&u32::MAX.to_be_bytes());
        assert_eq!(answers.take(), Err(Malformed::Length(u32::MAX)));
        let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7);
        eprintln!("SEED={seed}");
        let mut random = Random::seeded(seed);
        let whole = [answer(1, &done(5)), failed(2, "x.Y")].concat();
        for _ in 0..20_000 {
            let mut bytes = whole.clone();
            for _ in 0..=random.next() % 4 {
                let at = (random.next() % bytes.len() as u64) as usize;
                bytes[at] = random.next() as u8;
            }
            let mut answers = Answers::default();
            answers.buffer().extend_from_slice(&bytes);
            while let Ok(Some(answer)) = answers.take() {
                let _read_or_not = answer.body.map(Answer::read::<MultiResponse>);
            }
        }
    }
}

//! By what a connection begins: each side says which text of the protocol it speaks.

use super::{
    own::{self, Greeting, Hello},
    protocol::{Hash, Protocol},
    read,
};
use bytes::BytesMut;
use event::{Malformed, push_zigzag, read_zigzag};

/// What a client says at the head of its first call, and again until the server has agreed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request<'a> {
    pub(crate) client_hash: Hash,
    /// The text to the hash, once the server has said that it does not know it.
    pub(crate) client_protocol: Option<&'a [u8]>,
    /// What the client takes the server's hash for.
    pub(crate) server_hash: Hash,
    pub(crate) greeting: Greeting,
}

impl<'a> Request<'a> {
    pub(crate) fn read(bytes: &'a [u8], at: &mut usize) -> Result<Request<'a>, Malformed> {
        Ok(Request {
            client_hash: read::fixed(bytes, at)?,
            client_protocol: read::nullable(bytes, at, |at| read::string(bytes, at))?,
            server_hash: read::fixed(bytes, at)?,
            greeting: read::nullable(bytes, at, |at| Greeting::read(bytes, at))?.unwrap_or_default(),
        })
    }

    /// Appends the request of a client with our protocol. `greets` is false for one that must look like Flume's own,
    /// which sends an empty map; `swap` is for one that can put zlib inside TLS.
    pub(crate) fn put(out: &mut BytesMut, with_text: bool, server_hash: Hash, greets: bool, swap: bool) {
        let ours = Protocol::RELEASED;
        out.extend_from_slice(&ours.hash);
        put_nullable(out, with_text.then_some(ours.text.as_bytes()));
        out.extend_from_slice(&server_hash);
        push_zigzag(out, 1);
        if greets { own::put_greeting(out, swap) } else { out.extend_from_slice(&[0]) }
    }
}

/// Whether two sides agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Match {
    /// Each knew the other's protocol.
    Both,
    /// The server knows the client's; here is the server's.
    Client,
    /// The server wants the client's text first. The call was not executed.
    None,
}

/// What a server says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Response<'a> {
    pub(crate) matched: Match,
    pub(crate) server_protocol: Option<&'a [u8]>,
    pub(crate) server_hash: Option<Hash>,
    pub(crate) greeting: Greeting,
}

impl<'a> Response<'a> {
    pub(crate) fn read(bytes: &'a [u8], at: &mut usize) -> Result<Response<'a>, Malformed> {
        Ok(Response {
            matched: match read_zigzag(bytes, at)? {
                0 => Match::Both,
                1 => Match::Client,
                2 => Match::None,
                _ => return Err(Malformed::Choice),
            },
            server_protocol: read::nullable(bytes, at, |at| read::string(bytes, at))?,
            server_hash: read::nullable(bytes, at, |at| read::fixed(bytes, at))?,
            greeting: read::nullable(bytes, at, |at| Greeting::read(bytes, at))?.unwrap_or_default(),
        })
    }

    /// Appends the response of a server that speaks `protocol`; `hello` is for clients of ours. A Java client fails
    /// over a `CLIENT` or `NONE` without text and hash, so they are there.
    pub(crate) fn put(
        out: &mut BytesMut,
        matched: Match,
        protocol: &Protocol,
        hello: Option<Hello>,
        swap: bool,
    ) {
        push_zigzag(out, matched as i64);
        if matched == Match::Both {
            out.extend_from_slice(&[0, 0]);
        } else {
            put_nullable(out, Some(protocol.text.as_bytes()));
            push_zigzag(out, 1);
            out.extend_from_slice(&protocol.hash);
        }
        push_zigzag(out, i64::from(hello.is_some()));
        if let Some(hello) = hello {
            own::put_hello(out, hello, swap);
        }
    }
}

fn put_nullable(out: &mut BytesMut, text: Option<&[u8]>) {
    push_zigzag(out, i64::from(text.is_some()));
    if let Some(text) = text {
        push_zigzag(out, text.len() as i64);
        out.extend_from_slice(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_reads_back_and_no_cut_of_it_does() {
        for (with_text, greets) in [(false, false), (true, true)] {
            let mut out = BytesMut::new();
            Request::put(&mut out, with_text, Protocol::SNAPSHOT.hash, greets, greets);
            let mut at = 0;
            let request = Request::read(&out, &mut at).expect("own bytes");
            assert_eq!((at, request.greeting.is_ours()), (out.len(), greets));
            assert_eq!(request.greeting.swap, greets);
            assert_eq!(request.client_hash, Protocol::RELEASED.hash);
            assert_eq!(request.server_hash, Protocol::SNAPSHOT.hash);
            assert_eq!(request.client_protocol, with_text.then_some(Protocol::RELEASED.text.as_bytes()));
            for cut in 0..out.len() {
                assert_eq!(Request::read(&out[..cut], &mut 0), Err(Malformed::Short), "cut at {cut}");
            }
        }
    }

    #[test]
    fn a_response_reads_back_and_no_cut_of_it_does() {
        let hello = Hello { window: 4, window_bytes: 99 };
        for (matched, hello) in [(Match::Both, None), (Match::Client, Some(hello)), (Match::None, None)] {
            let mut out = BytesMut::new();
            Response::put(&mut out, matched, &Protocol::RELEASED, hello, hello.is_some());
            let mut at = 0;
            let response = Response::read(&out, &mut at).expect("own bytes");
            assert_eq!((at, response.matched, response.greeting.hello()), (out.len(), matched, hello));
            assert_eq!(response.greeting.swap, hello.is_some());
            assert_eq!(response.server_hash, (matched != Match::Both).then_some(Protocol::RELEASED.hash));
            for cut in 0..out.len() {
                assert_eq!(Response::read(&out[..cut], &mut 0), Err(Malformed::Short), "cut at {cut}");
            }
        }
    }

    #[test]
    fn null_meta_is_accepted_and_a_choice_that_is_none_is_not() {
        let mut bytes = [0; 34];
        assert!(Request::read(&bytes, &mut 0).is_ok());
        bytes[33] = 4;
        assert_eq!(Request::read(&bytes, &mut 0), Err(Malformed::Choice));
        assert_eq!(Response::read(&[6, 0, 0, 0], &mut 0), Err(Malformed::Choice));
    }
}

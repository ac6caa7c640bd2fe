//! Just enough of HTTP/1.1 to be asked for a page: no sockets in here.

use bytes::{Buf, Bytes, BytesMut};

/// A request for a page.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: Method,
    /// Without what stands behind a `?`.
    pub(crate) path: String,
    /// What stands behind `Authorization: Bearer`.
    pub(crate) token: Option<String>,
    /// The connection may be used for another one.
    pub(crate) keep: bool,
}

/// What is to be done with the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    /// All but the page itself.
    Head,
    /// Anything else.
    Other,
}

/// Why what came is no request: the status to answer with before the connection is closed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    Malformed,
    TooLarge,
}

/// Takes the next request out of `input`; `None` when there is more to come.
pub(crate) fn next(input: &mut BytesMut) -> Result<Option<Request>, Wrong> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let length = match parsed.parse(input) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if input.len() >= MOST_BYTES => return Err(Wrong::TooLarge),
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(Wrong::TooLarge),
        Err(_) => return Err(Wrong::Malformed),
    };
    let request = read(&parsed);
    input.advance(length);
    Ok(Some(request))
}

fn read(parsed: &httparse::Request<'_, '_>) -> Request {
    let header = |name: &str| {
        let of_name = parsed.headers.iter().filter(move |header| header.name.eq_ignore_ascii_case(name));
        of_name.filter_map(|header| std::str::from_utf8(header.value).ok()).next()
    };
    let method = match parsed.method {
        Some("GET") => Method::Get,
        Some("HEAD") => Method::Head,
        _ => Method::Other,
    };
    let asks = |word: &str| header("connection").is_some_and(|text| text.to_ascii_lowercase().contains(word));
    // A body is not read: what stands behind it is lost with the connection.
    let has_body =
        header("transfer-encoding").is_some() || header("content-length").is_some_and(|length| length != "0");
    let bearer = |text: &str| {
        let (scheme, token) = text.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
    };
    let path = parsed.path.unwrap_or_default();
    Request {
        method,
        path: path.split_once('?').map_or(path, |(path, _)| path).to_owned(),
        token: header("authorization").and_then(bearer),
        keep: parsed.version == Some(1) && !asks("close") && !has_body,
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) kind: &'static str,
    pub(crate) body: String,
}

impl Reply {
    /// In plain words.
    pub(crate) fn plain(status: u16, body: impl Into<String>) -> Reply {
        Reply { status, kind: "text/plain; charset=utf-8", body: body.into() + "\n" }
    }

    /// As it is written; `method` is that of the request.
    pub(crate) fn encode(&self, method: Method, keep: bool) -> Bytes {
        let (status, reason) = (self.status, reason(self.status));
        let more = match self.status {
            401 => "WWW-Authenticate: Bearer\r\n",
            405 => "Allow: GET, HEAD\r\n",
            _ => "",
        };
        let connection = if keep { "keep-alive" } else { "close" };
        let mut text = format!(
            "HTTP/1.1 {status} {reason}\r\nContent-Type: {}\r\nContent-Length: {}\r\n\
             Cache-Control: no-store\r\n{more}Connection: {connection}\r\n\r\n",
            self.kind,
            self.body.len()
        );
        if method != Method::Head {
            text.push_str(&self.body);
        }
        text.into()
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        404 => "Not Found",
        405 => "Method Not Allowed",
        431 => "Request Header Fields Too Large",
        _ => "Service Unavailable",
    }
}

/// A request is no longer than this.
pub(crate) const MOST_BYTES: usize = 8 << 10;
const MOST_HEADERS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(text: &str) -> Result<Option<Request>, Wrong> {
        next(&mut BytesMut::from(text))
    }

    const SCRAPE: &str =
        "GET /metrics?x=1 HTTP/1.1\r\nHost: a\r\nauthorization: bearer s3cret\r\nAccept: */*\r\n\r\n";

    #[test]
    fn a_request_is_the_same_wherever_its_bytes_are_cut() {
        let whole = ask(SCRAPE).unwrap().unwrap();
        assert_eq!(
            (whole.method, &*whole.path, whole.token.as_deref(), whole.keep),
            (Method::Get, "/metrics", Some("s3cret"), true)
        );
        for cut in 1..SCRAPE.len() {
            let mut input = BytesMut::from(&SCRAPE[..cut]);
            assert_eq!(next(&mut input), Ok(None), "{cut} bytes");
            input.extend_from_slice(&SCRAPE.as_bytes()[cut..]);
            input.extend_from_slice(b"HEAD / HTTP/1.0\r\n\r\n");
            assert_eq!(next(&mut input).unwrap().as_ref(), Some(&whole), "cut at {cut}");
            let second = next(&mut input).unwrap().unwrap();
            assert_eq!((second.method, second.keep, input.len()), (Method::Head, false, 0));
        }
    }

    #[test]
    fn a_connection_ends_where_the_next_request_cannot_be_found() {
        for header in ["Connection: close", "Content-Length: 7", "Transfer-Encoding: chunked"] {
            let request = ask(&format!("POST / HTTP/1.1\r\n{header}\r\n\r\n")).unwrap().unwrap();
            assert_eq!((request.method, request.keep), (Method::Other, false), "{header}");
        }
        assert!(ask("GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n").unwrap().unwrap().keep);
    }

    #[test]
    fn what_is_no_request_is_refused_and_takes_no_memory() {
        assert_eq!(ask("\u{1}\u{2}\r\n\r\n"), Err(Wrong::Malformed));
        assert_eq!(ask(&format!("GET /{}", "a".repeat(MOST_BYTES))), Err(Wrong::TooLarge));
        let many = "a: b\r\n".repeat(MOST_HEADERS + 1);
        assert_eq!(ask(&format!("GET / HTTP/1.1\r\n{many}\r\n")), Err(Wrong::TooLarge));
    }

    #[test]
    fn an_answer_to_head_has_the_length_and_no_page() {
        let reply = Reply::plain(405, "no");
        let (get, head) = (reply.encode(Method::Get, true), reply.encode(Method::Head, false));
        let text = std::str::from_utf8(&get).unwrap();
        assert!(text.starts_with("HTTP/1.1 405 Method Not Allowed\r\n") && text.ends_with("\r\n\r\nno\n"));
        assert!(text.contains("Allow: GET, HEAD\r\n") && text.contains("Content-Length: 3\r\n"));
        assert!(head.ends_with(b"Connection: close\r\n\r\n"));
    }
}

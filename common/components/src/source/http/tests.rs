use super::*;
use crate::testing::{Listening, memory_channel, said_of_source};
use event::Batch;
use flow::channel::ChannelRef;
use flow::message::Stop;
use runtime::net::TcpStream;
use runtime::within::Within;
use std::path::Path;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

async fn start(channel: &ChannelRef, keys: &[(&str, &str)]) -> Listening {
    let place = [("bind", "127.0.0.1"), ("port", "PORT")];
    Listening::start(&COMPONENT, channel, place.into_iter().chain(keys.iter().copied())).await
}

impl Listening {
    /// The status of the answer to one request in a connection of its own.
    async fn ask(&self, head: &str, body: &[u8]) -> u16 {
        let mut stream = self.connect().await;
        let head =
            format!("{head}\r\nHost: h\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all(&[head.as_bytes(), body].concat()).within("a write").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).within("the answer").await.unwrap();
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }
}

/// All events in the channel, as `{NAME=VALUE, ...} BODY`.
async fn events(channel: &ChannelRef) -> Vec<String> {
    let mut events = Vec::new();
    let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
    while channel.fill().within("the fill of the channel").await.is_some_and(|fill| fill.events > 0) {
        let lease = channel.take(usize::MAX).within("events").await.unwrap();
        for event in lease.batches().iter().flat_map(Batch::events) {
            let headers: Vec<_> =
                event.headers().map(|(name, value)| format!("{}={}", text(name), text(value))).collect();
            events.push(format!("{{{}}} {}", headers.join(", "), text(event.body())));
        }
        lease.commit();
    }
    events
}

const POST: &str = "POST / HTTP/1.1";

#[actix::test]
async fn json_is_answered_as_by_flume() {
    let channel = memory_channel(&[]);
    let stage = start(&channel, &[]).await;
    let utf16 = "[{\"body\":\"é\"}]".encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    for (head, body, status, stored) in [
        (POST, &b"[{\"headers\":{\"a\":\"b\"},\"body\":\"x\"},{}]"[..], 200, vec!["{a=b} x", "{} "]),
        ("POST /any/path?x HTTP/1.1", b"[]", 200, vec![]),
        (POST, b"{}", 400, vec![]),
        (POST, b"", 400, vec![]),
        (POST, b"[null]", 400, vec![]),
        ("GET / HTTP/1.1", b"", 400, vec![]),
        ("PUT / HTTP/1.1", b"[]", 405, vec![]),
        ("DELETE / HTTP/1.1", b"", 405, vec![]),
        ("OPTIONS / HTTP/1.1", b"", 403, vec![]),
        ("TRACE / HTTP/1.1", b"", 403, vec![]),
        (
            "POST / HTTP/1.1\r\nContent-Type: text/plain",
            "[{\"body\":\"é\"}]".as_bytes(),
            200,
            vec!["{} \\xc3\\xa9"],
        ),
        (
            "POST / HTTP/1.1\r\nContent-Type: x; Charset=\"UTF-16\"",
            &utf16,
            200,
            vec!["{} \\xfe\\xff\\x00\\xe9"],
        ),
        ("POST / HTTP/1.1\r\nContent-Type: x; charset=latin1", b"[]", 500, vec![]),
    ] {
        assert_eq!(stage.ask(head, body).await, status, "{head} {}", body.escape_ascii());
        assert_eq!(events(&channel).await, stored);
    }
}

#[actix::test]
async fn a_blob_has_the_parameters_for_headers() {
    let channel = memory_channel(&[]);
    let handler = ("handler", "org.apache.flume.source.http.BLOBHandler");
    let stage = start(&channel, &[handler, ("handler.mandatoryParameters", "a,b")]).await;
    assert_eq!(stage.ask("POST /?a=1&b=%32&a=3 HTTP/1.1", b"\0\xff").await, 200);
    assert_eq!(stage.ask("POST /?a=1 HTTP/1.1", b"x").await, 500);
    assert_eq!(events(&channel).await, ["{a=1, b=2} \\x00\\xff"]);
    assert!(stage.heard.lines()[0].contains("Please specify b parameter"), "{:?}", stage.heard.lines());
    let plain = start(&channel, &[handler]).await;
    assert_eq!(plain.ask(POST, b"x").await, 200, "no parameter is mandatory of itself");
    assert_eq!(events(&channel).await, ["{} x"]);
    let handler = ("handler", "org.apache.flume.sink.solr.morphline.BlobHandler");
    let cut = start(&channel, &[handler, ("handler.maxBlobLength", "2")]).await;
    assert_eq!(cut.ask("POST /?a=1 HTTP/1.1\r\nContent-Type: text/x", b"123").await, 200);
    assert_eq!(events(&channel).await, ["{Content-Type=text/x, a=1} 12"]);
}

#[actix::test]
async fn a_full_channel_is_answered_503_and_nothing_of_the_request_is_stored() {
    let channel = memory_channel(&[("capacity", "2"), ("transactionCapacity", "2"), ("keep-alive", "0")]);
    let stage = start(&channel, &[]).await;
    assert_eq!(stage.ask(POST, b"[{body:1}]").await, 200);
    assert_eq!(stage.ask(POST, b"[{body:2},{body:3}]").await, 503);
    assert_eq!(stage.ask(POST, b"[{},{},{}]").await, 503, "more than a transaction takes");
    assert_eq!(events(&channel).await, ["{} 1"]);
}

#[actix::test]
async fn requests_in_pieces_and_one_after_another_in_one_connection_are_taken() {
    let channel = memory_channel(&[]);
    let stage = start(&channel, &[]).await;
    let mut stream = stage.connect().await;
    stream.set_nodelay(true).unwrap();
    let chunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[{bod\r\n5\r\ny:1}]\r\n0\r\n\r\n";
    for _ in 0..2 {
        for byte in chunked.bytes() {
            stream.write_all(&[byte]).within("a write").await.unwrap();
        }
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            assert!(stream.read_buf(&mut answer).within("an answer").await.unwrap() > 0);
        }
        assert!(answer.starts_with(b"HTTP/1.1 200 OK"), "{}", answer.escape_ascii());
    }
    assert_eq!(events(&channel).await, ["{} 1", "{} 1"]);
}

#[actix::test]
async fn what_is_too_large_or_not_http_is_told_and_takes_no_memory() {
    let channel = memory_channel(&[]);
    let stage = start(&channel, &[("maxRequestBytes", "100000")]).await;
    let mut stream = stage.connect().await;
    stream.write_all(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100001\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    stream.read_buf(&mut answer).within("an answer").await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 413 "), "{}", answer.escape_ascii());
    let mut stream = stage.connect().await;
    stream.write_all(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n").await.unwrap();
    let mut rest = Vec::new();
    let _reset = stream.read_to_end(&mut rest).within("the end").await;
    stage.heard.wait(2).await;
    let lines = stage.heard.lines();
    assert!(lines[0].contains("maxRequestBytes") && lines[1].contains("not HTTP/1"), "{lines:?}");
    let mut announced = Vec::new();
    for _ in 0..50 {
        let mut stream = stage.connect().await;
        stream.write_all(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999\r\n\r\n[").await.unwrap();
        announced.push(stream);
    }
    assert_eq!(stage.ask(POST, b"[{}]").await, 200, "others are served");
}

#[actix::test]
async fn a_stop_answers_what_is_under_way_and_closes() {
    let channel = memory_channel(&[("capacity", "1"), ("transactionCapacity", "1"), ("keep-alive", "60")]);
    let stage = start(&channel, &[]).await;
    let mut silent = stage.connect().await;
    assert_eq!(stage.ask(POST, b"[{body:1}]").await, 200);
    let mut waits = stage.connect().await;
    waits.write_all(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n[{body:2}]").await.unwrap();
    let lease = channel.take(1).within("an event").await.unwrap();
    let stopping = stage.source.send(Stop);
    lease.commit();
    stopping.within("the stop").await.unwrap();
    let (mut answer, mut nothing) = (Vec::new(), Vec::new());
    waits.read_to_end(&mut answer).within("the answer").await.unwrap();
    let _reset = silent.read_to_end(&mut nothing).within("the end").await;
    let stored = events(&channel).await;
    // The source may have been told to stop before it has read the request.
    assert!(
        answer.starts_with(b"HTTP/1.1 200 OK") == (stored == ["{} 2"]),
        "{} {stored:?}",
        answer.escape_ascii()
    );
    assert!(TcpStream::connect(("127.0.0.1", stage.port)).within("a refusal").await.is_err());
}

/// The client that everybody has, with TLS and without; the old names of TLS's properties count.
#[actix::test]
async fn what_curl_posts_is_stored() {
    let channel = memory_channel(&[]);
    let store = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime/testdata/stores/server.jks");
    let store = store.display().to_string();
    let tls = [("enableSSL", "true"), ("keystore", store.as_str()), ("keystorePassword", "changeit")];
    for (scheme, keys) in [("http", &[][..]), ("https", &tls)] {
        let stage = start(&channel, keys).await;
        let mut curl = Command::new("curl");
        curl.args([
            "--silent",
            "--insecure",
            "--noproxy",
            "*",
            "--max-time",
            "30",
            "--write-out",
            "%{http_code}",
        ]);
        curl.args(["--header", "Content-Type: application/json", "--data", "[{\"body\":\"by curl\"}]"]);
        let Ok(output) =
            curl.arg(format!("{scheme}://127.0.0.1:{}/", stage.port)).output().within("curl").await
        else {
            assert!(std::env::var_os("CI").is_none(), "curl is not installed, and CI is to have it");
            return eprintln!("curl is not installed: nothing is tested");
        };
        assert_eq!(String::from_utf8_lossy(&output.stdout), "200");
        assert_eq!(events(&channel).await, ["{} by curl"]);
    }
}

#[test]
fn properties_that_cannot_be_are_refused() {
    let said = |keys: &[(&str, &str)]| said_of_source("http", &[&[("port", "1")], keys].concat());
    assert_eq!(said(&[("HttpConfiguration.sendServerVersion", "false")]), "");
    assert!(said(&[("handler", "com.example.Own")]).contains("its `handler` is a Java class"));
    assert!(said(&[("enableSSL", "true")]).contains("no `keystore`"));
    let blob = ("handler", "org.apache.flume.sink.solr.morphline.BlobHandler");
    assert!(said(&[blob, ("handler.maxBlobLength", "0")]).contains("above 0"));
}

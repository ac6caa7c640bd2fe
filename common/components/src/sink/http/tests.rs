use super::*;
use crate::testing::{said_of_sink, silent};
use event::{Batch, BatchBuilder};
use flow::counters::SinkCounters;
use flow::error::DeliveryError;
use flow::sink::remote::AsyncSink;
use plan::{Owner, Report};
use runtime::net::{TcpListener, TcpStream};
use runtime::within::Within;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn client(endpoint: &str, keys: &[(&str, &str)]) -> HttpClient {
    counting(endpoint, keys, &Arc::default())
}

fn counting(endpoint: &str, keys: &[(&str, &str)], counters: &Arc<SinkCounters>) -> HttpClient {
    let pairs = [("endpoint", endpoint), ("rollback.2XX", "false"), ("backoff.2XX", "false")];
    let properties = Properties::of(&COMPONENT.descriptor, pairs.into_iter().chain(keys.iter().copied()));
    let (owner, mut report) = (Owner::nobody(), Report::default());
    let config =
        Config::new(&properties, &Site::new(&[]), &mut Findings::new(&owner, &properties, &mut report));
    HttpClient::new(config.unwrap_or_else(|| panic!("{report}")), silent(), counters.clone())
}

fn batch(bodies: &[&str]) -> Batch {
    let mut builder = BatchBuilder::default();
    bodies.iter().for_each(|body| builder.push([("not", "sent")], body.as_bytes()));
    builder.finish()
}

/// Reads one request and answers it.
async fn serve(stream: &mut TcpStream, answer: &str) -> String {
    let mut request = Vec::new();
    loop {
        stream.read_buf(&mut request).within("a request").await.unwrap();
        let text = String::from_utf8_lossy(&request).to_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.split("content-length: ").nth(1).unwrap().split("\r\n").next().unwrap();
            if body.len() == length.parse::<usize>().unwrap() {
                break;
            }
        }
    }
    stream.write_all(answer.as_bytes()).within("a write").await.unwrap();
    String::from_utf8(request).unwrap()
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[actix::test]
async fn each_event_is_a_request_in_one_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = format!("127.0.0.1:{}", listener.local_addr().unwrap().port());
    let keys = [("contentTypeHeader", "text/x"), ("acceptHeader", "text/y")];
    let mut client = client(&format!("http://{place}/a/b?c=d"), &keys);
    client.open().within("a connection").await.unwrap();
    let (mut peer, _) = listener.accept().within("a connection").await.unwrap();
    let peer = actix_rt::spawn(async move { [serve(&mut peer, OK).await, serve(&mut peer, OK).await] });
    client.deliver(&[batch(&["one", "", "two"])]).within("the answers").await.unwrap();
    for (request, body) in peer.within("the peer").await.unwrap().iter().zip(["one", "two"]) {
        let has = |part: &str| assert!(request.to_lowercase().contains(part), "{part}: {request}");
        has("post /a/b?c=d http/1.1\r\n");
        [format!("host: {place}\r\n"), "content-type: text/x\r\n".into(), "accept: text/y\r\n".into()]
            .iter()
            .for_each(|part| has(part));
        assert!(request.ends_with(&format!("\r\n\r\n{body}")), "{request}");
    }
}

#[actix::test]
async fn what_is_answered_decides() {
    let refused = |status: u16| format!("it answered {status}, for which `rollback` is true");
    for (answer, keys, outcome) in [
        (OK, &[][..], None),
        ("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", &[], Some(refused(503))),
        ("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", &[], Some(refused(302))),
        ("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", &[("rollback.4XX", "false")], None),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", &[("rollback.200", "true")], Some(refused(200))),
        ("SSH-2.0-x\r\n\r\n", &[], Some("its answer is not HTTP/1".to_owned())),
        ("", &[], Some("it closed the connection before it had answered".to_owned())),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let mut client = client(&endpoint, keys);
        client.open().within("a connection").await.unwrap();
        let (mut peer, _) = listener.accept().within("a connection").await.unwrap();
        let served = actix_rt::spawn(async move { serve(&mut peer, answer).await });
        let delivered = client.deliver(&[batch(&["x"])]).within("an answer").await;
        served.within("the peer").await.unwrap();
        let said = delivered.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(said.contains(&outcome.clone().unwrap_or_default()), "{answer}: {said}");
        assert_eq!(said.is_empty(), outcome.is_none(), "{answer}: {said}");
    }
}

#[actix::test]
async fn a_silent_peer_is_given_its_time_and_one_that_is_not_there_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://127.0.0.1:{}/", listener.local_addr().unwrap().port());
    let mut client = client(&endpoint, &[("requestTimeout", "1500")]);
    client.open().within("a connection").await.unwrap();
    tokio::time::pause();
    let error = client.deliver(&[batch(&["x"])]).await.unwrap_err();
    assert!(error.to_string().contains("no answer within requestTimeout (1500 ms)"), "{error}");
    tokio::time::resume();
    drop(listener);
    let error = client.open().within("a refusal").await.unwrap_err();
    assert!(matches!(error, DeliveryError::Unreachable { .. }), "{error:?}");
}

#[actix::test]
async fn a_connection_that_was_closed_meanwhile_is_made_anew() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://127.0.0.1:{}/", listener.local_addr().unwrap().port());
    let mut client = client(&endpoint, &[]);
    client.open().within("a connection").await.unwrap();
    for _ in 0..2 {
        let (mut peer, _) = listener.accept().within("a connection").await.unwrap();
        let served =
            actix_rt::spawn(
                async move { serve(&mut peer, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n").await },
            );
        client.deliver(&[batch(&["x"])]).within("an answer").await.unwrap();
        served.within("the peer").await.unwrap();
        client.open().within("a connection").await.unwrap();
    }
}

#[actix::test]
async fn only_answers_for_which_increment_metrics_is_true_count_as_delivered() {
    let said = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n";
    for (keys, answer, counted) in [
        (&[][..], OK, 0),
        (&[("incrementMetrics.2XX", "true")], OK, 1),
        (&[("incrementMetrics.200", "false"), ("defaultIncrementMetrics", "true")], OK, 0),
        (&[("incrementMetrics.503", "true")], said, 1), // also where it is rolled back, as in Flume
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let counters = Arc::default();
        let mut client = counting(&endpoint, keys, &counters);
        client.open().within("a connection").await.unwrap();
        let (mut peer, _) = listener.accept().within("a connection").await.unwrap();
        let served = actix_rt::spawn(async move { serve(&mut peer, answer).await });
        let _whether = client.deliver(&[batch(&["x"])]).within("an answer").await;
        served.within("the peer").await.unwrap();
        assert_eq!(counters.drain_success.get(), counted, "{keys:?} {answer}");
        counters.count_arrived(1); // its group
        assert_eq!(counters.drain_success.get(), counted, "{keys:?} {answer}");
    }
}

#[actix::test]
async fn a_backoff_without_a_rollback_is_a_pause_before_the_next_event() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://127.0.0.1:{}/", listener.local_addr().unwrap().port());
    let mut client = client(&endpoint, &[("backoff.200", "true"), ("requestTimeout", "600000")]);
    client.open().within("a connection").await.unwrap();
    let (mut peer, _) = listener.accept().within("a connection").await.unwrap();
    actix_rt::spawn(async move { while !serve(&mut peer, OK).await.is_empty() {} });
    tokio::time::pause();
    let start = runtime::clock::now();
    client.deliver(&[batch(&["1", "2", "3"])]).await.unwrap();
    let took = (runtime::clock::now() - start).as_secs();
    assert!((3..10).contains(&took), "a pause of 1 s, then one of 2 s: {took} s");
}

#[test]
fn properties_that_cannot_be_are_refused() {
    let said = |keys: &[(&str, &str)]| said_of_sink("http", keys);
    assert_eq!(said(&[("endpoint", "http://h:1/x")]), "");
    assert_eq!(said(&[("endpoint", "https://[::1]/")]), "");
    for (key, value, why) in [
        ("endpoint", "ftp://h/", "must begin with"),
        ("endpoint", "h:1", "must begin with"),
        ("endpoint", "http://", "no URL"),
        ("connectTimeout", "0", "connectTimeout"),
        ("contentTypeHeader", "a\u{7}b", "cannot stand in a header"),
    ] {
        let keys = [("endpoint", "http://h/"), (key, value)];
        let keys = if key == "endpoint" { &keys[1..] } else { &keys[..] };
        assert!(said(keys).contains(why), "{key} = {value}: {}", said(keys));
    }
}

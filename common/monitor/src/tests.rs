use crate::ganglia::Ganglia;
use crate::settings::{Settings, Way};
use crate::{send, server};
use flow::counters::Registry;
use runtime::clock::Duration;
use runtime::net::{Globals, TcpStream, UdpSocket};
use runtime::within::Within;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A monitor of an agent that has nothing, and a way to ask it.
async fn ask(more: &[(&str, &str)], request: &str) -> String {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let pairs = [&[("type", "http"), ("bind", "127.0.0.1"), ("port", &*free)], more].concat();
    let properties: Vec<_> =
        pairs.iter().map(|(key, value)| (format!("flume.monitoring.{key}"), (*value).to_owned())).collect();
    let settings = Settings::of(&properties, &Globals::new(&[], |_| None), &mut Vec::new()).unwrap().unwrap();
    let Settings(Way::Http(settings)) = settings else { unreachable!("it is http") };
    let log = flow::testing::silent();
    let local = tokio::task::LocalSet::new();
    let asking = async move {
        tokio::task::spawn_local(server::serve(*settings, Registry::watched(), log));
        tokio::task::yield_now().await;
        let mut stream = loop {
            match TcpStream::connect(format!("127.0.0.1:{free}")).await {
                Ok(stream) => break stream,
                Err(_) => tokio::task::yield_now().await,
            }
        };
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).within("the end of the answer").await.unwrap();
        answer
    };
    local.run_until(asking).within("an answer").await
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
}

#[tokio::test]
async fn each_path_has_its_page() {
    assert!(ask(&[], &get("/METRICS")).await.ends_with("\r\n\r\n{}"));
    assert!(ask(&[], &get("/metrics/prometheus")).await.contains("\nflume_healthy 0\n"));
    assert!(ask(&[("type", "prometheus")], &get("/metrics")).await.contains("\nflume_healthy 0\n"));
    let health = ask(&[], &get("/health")).await;
    assert!(health.starts_with("HTTP/1.1 503 ") && health.ends_with("the agent is starting\n"));
    assert!(ask(&[], &get("/")).await.contains("<a href=\"/metrics\">"));
    assert!(ask(&[], &get("/other")).await.starts_with("HTTP/1.1 404 "));
    assert!(ask(&[], &get("/metrics").replace("GET", "POST")).await.starts_with("HTTP/1.1 405 "));
    assert!(ask(&[], &get("/metrics").replace("GET", "HEAD")).await.ends_with("Connection: close\r\n\r\n"));
    assert!(ask(&[], "\u{1}\r\n\r\n").await.starts_with("HTTP/1.1 400 "));
}

#[tokio::test]
async fn two_requests_on_one_connection_are_answered_in_order() {
    let first = "GET /health HTTP/1.1\r\nHost: a\r\n\r\n";
    let answer = ask(&[], &format!("{first}{}", get("/metrics"))).await;
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 2);
    assert!(answer.find("503").unwrap() < answer.find("200").unwrap());
}

#[tokio::test]
async fn without_the_token_nothing_is_told() {
    let token = [("token", "s3cret")];
    assert!(ask(&token, &get("/metrics")).await.starts_with("HTTP/1.1 401 "));
    let with = |token: &str| get("/metrics").replace("Host: a", &format!("Authorization: Bearer {token}"));
    assert!(ask(&token, &with("s3cres")).await.starts_with("HTTP/1.1 401 "));
    assert!(ask(&token, &with("s3cret")).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn each_counter_is_sent_to_ganglia() {
    let ear = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let hosts = vec![("127.0.0.1".to_owned(), ear.local_addr().unwrap().port())];
    let ganglia = Ganglia { hosts, every: Duration::from_secs(60), is_3_0: true };
    let registry = Registry::watched();
    let source =
        flow::counters::SourceEntry { name: "r1".to_owned(), channels: Vec::new(), counters: Arc::default() };
    source.counters.life.start();
    registry.add_source(source);
    let mut packet = [0; 1500];
    tokio::select! {
        () = send::send(&ganglia, &registry, &flow::testing::silent()) => {}
        received = ear.recv(&mut packet).within("a packet") => {
            let packet = String::from_utf8_lossy(&packet[..received.unwrap()]).into_owned();
            assert!(packet.contains(".flume.SOURCE.r1."), "{packet:?}");
        }
    }
}

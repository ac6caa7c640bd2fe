use crate::server;
use crate::settings::Settings;
use flow::counters::Registry;
use runtime::net::{Globals, TcpStream};
use runtime::within::Within;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A monitor of an agent that has nothing, and a way to ask it.
async fn ask(more: &[(&str, &str)], request: &str) -> String {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let pairs = [&[("type", "http"), ("bind", "127.0.0.1"), ("port", &*free)], more].concat();
    let properties: Vec<_> =
        pairs.iter().map(|(key, value)| (format!("flume.monitoring.{key}"), (*value).to_owned())).collect();
    let settings = Settings::of(&properties, &Globals::new(&[], |_| None), &mut Vec::new()).unwrap().unwrap();
    let log = flow::testing::silent();
    let local = tokio::task::LocalSet::new();
    let asking = async move {
        tokio::task::spawn_local(server::serve(settings, Registry::watched(), log));
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

use crate::ganglia::Ganglia;
use crate::settings::{Settings, Way};
use crate::view::View;
use crate::{send, server};
use flow::counters::{
    AskElsewhere, ChannelEntry, Elsewhere, Figures, GroupEntry, Registry, SinkEntry, SourceEntry,
};
use runtime::clock::{self, Duration};
use runtime::net::{TcpStream, TlsDefaults, UdpSocket};
use runtime::within::Within;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A monitor of an agent that has nothing, and a way to ask it.
async fn ask(more: &[(&str, &str)], request: &str) -> String {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let pairs = [&[("type", "http"), ("bind", "127.0.0.1"), ("port", &*free)], more].concat();
    let properties: Vec<_> =
        pairs.iter().map(|(key, value)| (format!("flume.monitoring.{key}"), (*value).to_owned())).collect();
    let settings =
        Settings::of(&properties, &TlsDefaults::new(&[], |_| None), &mut Vec::new()).unwrap().unwrap();
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

/// One component of each kind; the channel holds 2 of 10 events.
fn full() -> Registry {
    let registry = Registry::watched();
    let source = SourceEntry { name: "r1".to_owned(), counters: Arc::default() };
    source.counters.life.start();
    registry.add_source(source);
    let channel = ChannelEntry {
        name: "c1".to_owned(),
        capacity: Arc::new(|| Some(10)),
        size: Arc::new(|| 2),
        more: Arc::new(|| vec![("Open", "true".to_owned()), ("KafkaEventGetTimer", "1500".to_owned())]),
        counters: Arc::default(),
    };
    channel.counters.life.start();
    channel.counters.put_success.add(2);
    registry.add_channel(channel);
    let sink = SinkEntry { name: "k1".to_owned(), counters: registry.of_a_sink() };
    let (name, processor, channel) = ("g1".to_owned(), "failover", "c1".to_owned());
    registry.add_group(GroupEntry { name, processor, channel, life: Arc::default(), sinks: vec![sink] });
    registry
}

#[test]
fn a_page_of_flumes_has_its_keys_and_strings_and_no_component_that_has_not_started() {
    let page = crate::json::text(&full(), Figures::new());
    for part in [
        "\"ChannelFillPercentage\":\"20.0\"",
        "\"ChannelSize\":\"2\"",
        "\"EventPutSuccessCount\":\"2\"",
        "\"Open\":\"true\"",
        "\"StopTime\":\"0\"",
        "\"SOURCE.r1\":{",
        "\"Type\":\"CHANNEL\"",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("SINK.k1"), "{page}");
}

#[tokio::test]
async fn what_a_class_in_another_process_counts_itself_is_shown_under_its_own_keys() {
    let registry = full();
    let figures: AskElsewhere = Arc::new(|| {
        let figures = [
            ("EventPutSuccessCount", "1"),
            ("EventPutAttemptCount", "3"),
            ("RowsCount", "9"),
            ("Type", "CHANNEL"),
        ];
        let figures = figures.map(|(key, value)| (key.to_owned(), value.to_owned()));
        Box::pin(async move { Figures::from([("CHANNEL.c1".to_owned(), figures.into())]) })
    });
    registry.add_elsewhere(Elsewhere { figures, restarts: Arc::new(|| 3) });
    let json = crate::json::text(&registry, registry.elsewhere().await);
    let own = r#""CHANNEL.c1":{"EventPutAttemptCount":"3","EventPutSuccessCount":"1","RowsCount":"9","Type":"CHANNEL"}"#;
    assert!(json.contains(own) && json.contains("SOURCE.r1"), "{json}");
    let view = View::new(registry.clone(), Duration::from_secs(30));
    let page = crate::text::text(&view, registry.elsewhere().await, clock::now());
    for sample in ["event_put_success_total{L} 2", "event_put_attempt_total{L} 3", "rows_total{L} 9"] {
        let sample = sample.replace('L', "kind=\"channel\",name=\"c1\"");
        assert_eq!(page.matches(&format!("\nflume_{sample}\n")).count(), 1, "{sample}: {page}");
    }
    assert!(page.contains("\nflume_jvm_restarts_total 3\n"), "{page}");
}

#[tokio::test]
async fn rules_and_dashboard_name_only_what_is_there() {
    let now = clock::now();
    let mut view = View::new(full(), Duration::from_secs(30));
    view.look(now);
    view.look(now + Duration::from_secs(30));
    view.files.look(vec![crate::lag::tests::seen(17, 10, 9)], now + Duration::from_secs(30));
    let page = crate::text::text(&view, Figures::new(), now + Duration::from_secs(30));
    let lag = "flume_followed_file_lag_seconds{kind=\"source\",name=\"r1\",path=\"/a.log\"} 9\n";
    assert!(page.contains(lag), "{page}");
    assert!(
        page.contains("flume_kafka_event_get_seconds_total{kind=\"channel\",name=\"c1\"} 1.5\n"),
        "{page}"
    );
    let complaints = view.complaints(now + Duration::from_secs(30));
    assert!(complaints.len() == 1 && complaints[0].contains("sink k1 is down"), "{complaints:?}");
    for file in [
        include_str!("../../../deploy/monitoring/alerts.yml"),
        include_str!("../../../deploy/monitoring/grafana.json"),
    ] {
        let words = file.split(|sign: char| !(sign.is_ascii_lowercase() || sign == '_'));
        let names: Vec<&str> = words.filter(|word| word.starts_with("flume_")).collect();
        assert!(names.len() > 10, "{names:?}");
        for name in names {
            assert!(
                page.contains(&format!("\n{name}{{")) || page.contains(&format!("\n{name} ")),
                "{name}: {page}"
            );
        }
    }
}

/// A channel of the name `c1` that holds so many events, all that were ever put.
fn filled(events: usize) -> ChannelEntry {
    let channel = ChannelEntry {
        name: "c1".to_owned(),
        capacity: Arc::new(|| Some(1000)),
        size: Arc::new(move || events),
        more: Arc::new(Vec::new),
        counters: Arc::default(),
    };
    channel.counters.put_success.add(events);
    channel
}

#[test]
fn a_channel_in_the_place_of_another_begins_anew_and_one_that_is_gone_is_forgotten() {
    let (registry, start) = (Registry::watched(), clock::now());
    let mut view = View::new(registry.clone(), Duration::from_secs(30));
    let mut look = |second: u64| {
        let now = start + Duration::from_secs(second);
        view.look(now);
        view.trend("c1").map(|trend| (trend.oldest(now).as_secs(), trend.stuck_for(now).as_secs()))
    };
    registry.add_channel(filled(100));
    assert_eq!([look(0), look(90)], [Some((0, 0)), Some((90, 90))]);
    registry.remove_channel("c1");
    registry.add_channel(filled(5));
    assert_eq!(
        [look(91), look(95)],
        [Some((0, 0)), Some((4, 4))],
        "its events came after those of the first"
    );
    registry.remove_channel("c1");
    registry.add_channel(filled(500));
    assert_eq!(look(96), Some((0, 0)), "also where it has got more already");
    registry.remove_channel("c1");
    assert_eq!(look(97), None);
}

#[test]
fn lines_that_no_source_reads_make_the_agent_unwell_though_its_channel_is_empty() {
    let (registry, start) = (Registry::watched(), clock::now() + Duration::from_secs(1_000));
    let source = SourceEntry { name: "r1".to_owned(), counters: Arc::default() };
    registry.add_source(source.clone());
    registry.add_channel(filled(0));
    let mut view = View::new(registry, Duration::from_secs(30));
    let mut look = |second: u64, stored: u64| {
        let now = start + Duration::from_secs(second);
        view.look(now);
        view.files.look(vec![crate::lag::tests::seen(100, stored, 600)], now);
        view.complaints(now)
    };
    assert!(look(0, 10).is_empty(), "the lines are old, and the source has just started");
    assert!(look(29, 10).is_empty());
    let complaint = "source r1: lines of /a.log wait for 630 s, and it has stored no event for 30 s";
    assert_eq!(look(30, 10), [complaint]);
    source.counters.event_accepted.add(1);
    assert!(look(31, 20).is_empty(), "it moves");
    assert!(look(99, 100).is_empty(), "all is read");
}

#[tokio::test]
async fn each_counter_is_sent_to_ganglia() {
    let ear = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let hosts = vec![("127.0.0.1".to_owned(), ear.local_addr().unwrap().port())];
    let ganglia = Ganglia { hosts, every: Duration::from_secs(60), is_3_0: true };
    let registry = full();
    let mut packet = [0; 1500];
    let log = flow::testing::silent();
    tokio::select! {
        () = send::send(&ganglia, &registry, &log) => {}
        received = ear.recv(&mut packet).within("a packet") => {
            let packet = String::from_utf8_lossy(&packet[..received.unwrap()]).into_owned();
            assert!(packet.contains(".flume.CHANNEL.c1.ChannelCapacity"), "{packet:?}");
        }
    }
}

use super::client::REASON;
use super::*;
use crate::testing::{Heard, said_of_sink};
use event::{Batch, BatchBuilder};
use flow::counters::SinkCounters;
use flow::error::DeliveryError;
use flow::sink::remote::AsyncSink;
use plan::{Owner, Report};
use runtime::net::{TcpListener, TcpStream};
use runtime::within::Within;
use std::collections::VecDeque;
use std::fs;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// What a peer says, and what it is asked.
struct Peer {
    port: u16,
    asked: UnboundedReceiver<String>,
}

/// Answers to requests for `_bulk`, in their order; an empty one ends the connection.
async fn peer(version: &'static str, answers: Vec<String>) -> Peer {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, asked) = unbounded_channel();
    actix_rt::spawn(async move {
        let mut answers = VecDeque::from(answers);
        while let Ok((mut stream, _)) = listener.accept().await {
            while let Some(request) = request(&mut stream).await {
                let answer = if request.starts_with("GET / ") {
                    ok(&format!("{{\"cluster_name\":\"lab\",\"version\":{{\"number\":\"{version}\"}}}}"))
                } else {
                    tell.send(request).unwrap();
                    answers.pop_front().expect("there is an answer")
                };
                if answer.is_empty() || stream.write_all(answer.as_bytes()).await.is_err() {
                    break;
                }
            }
        }
    });
    Peer { port, asked }
}

/// One request, head and body; `None` where the connection ends.
async fn request(stream: &mut TcpStream) -> Option<String> {
    let mut read = Vec::new();
    loop {
        if stream.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&read).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.to_lowercase().split("content-length: ").nth(1).map(|rest| rest.to_owned());
        let length: usize =
            length.map_or(0, |rest| rest.split("\r\n").next().unwrap().trim().parse().unwrap());
        if body.len() >= length {
            return Some(text);
        }
    }
}

fn answer(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn ok(body: &str) -> String {
    answer("200 OK", body)
}

/// An answer about documents with these statuses.
fn told(statuses: &[u16]) -> String {
    let item = |status: &u16| match status {
        200..=299 => format!("{{\"create\":{{\"status\":{status}}}}}"),
        _ => {
            format!(
                "{{\"create\":{{\"status\":{status},\"error\":{{\"type\":\"t\",\"reason\":\"r{status}\"}}}}}}"
            )
        }
    };
    ok(&format!("{{\"items\":[{}]}}", statuses.iter().map(item).collect::<Vec<_>>().join(",")))
}

impl Peer {
    /// The ids of the documents that it was asked to take next.
    async fn ids(&mut self) -> Vec<String> {
        let asked = self.text().await;
        asked.split("\"_id\":\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    }

    async fn text(&mut self) -> String {
        self.asked.recv().within("a request").await.unwrap()
    }
}

struct Bench {
    config: Config,
    client: ElasticSearchClient,
    counters: Arc<SinkCounters>,
    heard: Heard,
    folder: TempDir,
}

impl Bench {
    fn new(hosts: &str, keys: &[(&str, &str)]) -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let dead = folder.path().join("dead").display().to_string();
        let pairs = [("hostNames", hosts), ("deadLetterDir", &dead)];
        let pairs = pairs.into_iter().chain(keys.iter().copied());
        let properties = Properties::of(&COMPONENT.descriptor, pairs);
        let (owner, mut report) = (Owner::nobody(), Report::default());
        let config =
            Config::new(&properties, &Site::new(&[]), &mut Findings::new(&owner, &properties, &mut report));
        let (heard, counters) = (Heard::default(), Arc::new(SinkCounters::default()));
        let log = slog::Logger::root(heard.clone(), slog::o!());
        let config = config.unwrap_or_else(|| panic!("{report}"));
        let client = ElasticSearchClient::new(config.clone(), "k1", counters.clone(), log);
        Bench { config, client, counters, heard, folder }
    }

    /// One delivery, on a connection that is there.
    async fn deliver(&mut self, batch: &Batch) -> Result<(), DeliveryError> {
        self.client.open().within("a connection").await?;
        self.client.deliver(std::slice::from_ref(batch)).within("an answer").await
    }

    /// Bodies and reasons of all dead letters.
    fn dead(&self) -> Vec<(String, String)> {
        let files = fs::read_dir(self.folder.path().join("dead")).into_iter().flatten();
        let mut all = Vec::new();
        for file in files {
            let bytes = fs::read(file.unwrap().path()).unwrap();
            let head = wire::container::head(&bytes).unwrap().unwrap();
            let block = wire::container::block(&bytes[head.size..], &head.sync, 1 << 20).unwrap().unwrap();
            let batch = Batch::parse(bytes[head.size..][block.data].to_vec().into()).unwrap();
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            all.extend(
                batch.events().map(|event| (text(event.body()), event.header(REASON).unwrap().to_owned())),
            );
        }
        all.sort();
        all
    }
}

fn batch(bodies: &[&str]) -> Batch {
    let mut builder = BatchBuilder::default();
    bodies.iter().for_each(|body| builder.push([("timestamp", "1700000000123")], body.as_bytes()));
    builder.finish()
}

#[actix::test]
async fn a_batch_is_one_request_with_an_action_and_a_document_for_each_event() {
    let mut modern = peer("8.15.0", vec![told(&[201, 201])]).await;
    let keys = [("username", "u"), ("password", "geheim"), ("indexName", "logs"), ("ttl", "5d")];
    let mut bench = Bench::new(&format!("127.0.0.1:{}", modern.port), &keys);
    bench.deliver(&batch(&["one", "two"])).await.unwrap();
    let asked = modern.text().await;
    let (head, body) = asked.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /_bulk?filter_path="), "{head}");
    assert!(head.contains("Basic dTpnZWhlaW0="), "{head}");
    let lines: Vec<&str> = body.lines().collect();
    assert_eq!(lines.len(), 4);
    assert!(lines[0].starts_with("{\"create\":{\"_index\":\"logs-2023-11-14\",\"_id\":\""), "{}", lines[0]);
    assert!(lines[1].starts_with("{\"@message\":\"one\",\"@timestamp\":\"2023-11-14T22:13:20.123Z\""));
    assert_eq!(bench.dead(), []);
    let mut old = peer("1.7.6", vec![told(&[201])]).await;
    let mut bench = Bench::new(&format!("127.0.0.1:{}", old.port), &keys);
    bench.deliver(&batch(&["one"])).await.unwrap();
    let asked = old.text().await;
    assert!(asked.contains(",\"_type\":\"log\",\"_ttl\":432000000,"), "{asked}");
}

#[actix::test]
async fn only_what_was_not_taken_is_sent_again_and_what_is_never_taken_is_put_aside() {
    let answers = vec![told(&[201, 429, 400, 503]), told(&[429, 201]), told(&[201])];
    let mut peer = peer("8.15.0", answers).await;
    let mut bench = Bench::new(&format!("127.0.0.1:{}", peer.port), &[]);
    bench.client.open().within("a connection").await.unwrap();
    tokio::time::pause();
    bench.client.deliver(&[batch(&["a", "b", "c", "d"])]).await.unwrap();
    tokio::time::resume();
    let (first, second, third) = (peer.ids().await, peer.ids().await, peer.ids().await);
    assert_eq!(second, [first[1].clone(), first[3].clone()]);
    assert_eq!(third, [first[1].clone()]);
    assert_eq!(bench.dead(), [("c".to_owned(), "400 t: r400".to_owned())]);
    assert_eq!(bench.counters.event_write_fail.get(), 1);
    let lines = bench.heard.lines();
    assert!(lines.iter().any(|line| line.contains("never takes 1 events")), "{lines:?}");
}

#[actix::test]
async fn a_batch_whose_answer_was_lost_comes_again_under_the_same_ids() {
    let answers = vec![String::new(), told(&[409, 201])];
    let mut peer = peer("8.15.0", answers).await;
    let mut bench = Bench::new(&format!("127.0.0.1:{}", peer.port), &[]);
    let batch = batch(&["a", "b"]);
    let lost = bench.deliver(&batch).await.unwrap_err();
    assert!(matches!(lost, DeliveryError::Lost { .. }), "{lost}");
    bench.deliver(&batch).await.unwrap();
    assert_eq!(peer.ids().await, peer.ids().await);
    assert_eq!(bench.dead(), [], "what is there already is its own");
}

#[actix::test]
async fn what_stays_busy_is_given_back_and_what_was_settled_is_not_sent_again() {
    let answers = [&[201, 400, 429][..], &[429], &[429], &[429], &[429], &[201]].map(told).to_vec();
    let mut peer = peer("8.15.0", answers).await;
    let mut bench = Bench::new(&format!("127.0.0.1:{}", peer.port), &[]);
    let batch = batch(&["a", "b", "c"]);
    bench.client.open().within("a connection").await.unwrap();
    tokio::time::pause();
    let refused = bench.client.deliver(std::slice::from_ref(&batch)).await.unwrap_err();
    assert!(matches!(refused, DeliveryError::Refused { events: 1, .. }), "{refused}");
    bench.client.deliver(std::slice::from_ref(&batch)).await.unwrap();
    tokio::time::resume();
    let mut asked = Vec::new();
    for _ in 0..6 {
        asked.push(peer.ids().await);
    }
    assert_eq!(asked.iter().map(Vec::len).collect::<Vec<_>>(), [3, 1, 1, 1, 1, 1]);
    assert!(asked[1..].iter().all(|ids| ids[0] == asked[0][2]), "{asked:?}");
    assert_eq!(bench.dead().len(), 1, "once");
}

#[actix::test]
async fn a_request_that_is_too_large_is_halved_until_one_event_alone_is() {
    let large = || answer("413 Too Large", "");
    let answers = vec![large(), told(&[201]), large(), told(&[201]), large()];
    let mut peer = peer("8.15.0", answers).await;
    let mut bench = Bench::new(&format!("127.0.0.1:{}", peer.port), &[]);
    bench.deliver(&batch(&["a", "b", "c"])).await.unwrap();
    let mut sizes = Vec::new();
    for _ in 0..5 {
        sizes.push(peer.ids().await.len());
    }
    assert_eq!(sizes, [3, 1, 2, 1, 1]);
    assert_eq!(bench.dead(), [("c".to_owned(), "it is larger than the store takes".to_owned())]);
}

#[actix::test]
async fn answers_that_are_none_give_the_batch_back() {
    let page = |length: usize| ok(&"x".repeat(length));
    for (given, expected) in [
        (answer("503 Busy", "later"), "refused 1 events: it answered 503: later"),
        (answer("401 No", ""), "it does not know this account"),
        (answer("302 Found", ""), "it answered 302"),
        (page(10), "its answer cannot be read"),
        (page(200_000), "its answer breaks off, or has more than"),
        (told(&[201, 201]), "it answered about 2 documents of 1"),
        (told(&[404]), "404 t: r404"),
        ("SSH-2.0-x\r\n\r\n".to_owned(), "is not HTTP/1"),
        (String::new(), "it closed the connection before it had answered"),
    ] {
        let peer = peer("8.15.0", vec![given.clone(); 6]).await;
        let mut bench = Bench::new(&format!("127.0.0.1:{}", peer.port), &[]);
        bench.client.open().within("a connection").await.unwrap();
        tokio::time::pause();
        let error = bench.client.deliver(&[batch(&["a"])]).await.unwrap_err().to_string();
        tokio::time::resume();
        assert!(error.contains(expected), "{expected}: {error}");
        assert_eq!(bench.dead(), []);
    }
}

#[actix::test]
async fn an_index_that_events_name_and_that_never_comes_holds_them_up_only_for_a_while() {
    let peer = peer("8.15.0", vec![told(&[404]); 100]).await;
    let mut bench = Bench::new(&format!("127.0.0.1:{}", peer.port), &[("indexName", "l-%{app}")]);
    bench.client.open().within("a connection").await.unwrap();
    let batch = batch(&["a"]);
    let mut failed = 0;
    tokio::time::pause();
    while let Err(error) = bench.client.deliver(std::slice::from_ref(&batch)).await {
        assert!(error.to_string().contains("r404"), "{error}");
        failed += 1;
    }
    assert_eq!((failed, bench.dead().len()), (3, 1));
}

#[actix::test]
async fn another_host_is_asked_when_one_is_away_and_each_has_its_turn() {
    let (mut one, mut two) =
        (peer("8.15.0", vec![told(&[201]); 9]).await, peer("8.15.0", vec![told(&[201]); 9]).await);
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let hosts = format!("127.0.0.1:{nobody}, 127.0.0.1:{}, 127.0.0.1:{}", one.port, two.port);
    let mut bench = Bench::new(&hosts, &[]);
    bench.client.open().within("a connection").await.unwrap();
    for _ in 0..4 {
        bench.client.deliver(&[batch(&["a"])]).within("an answer").await.unwrap();
    }
    for peer in [&mut one, &mut two] {
        for _ in 0..2 {
            assert_eq!(peer.ids().await.len(), 1);
        }
    }
    let lines = bench.heard.lines();
    assert!(lines.iter().any(|line| line.contains("another host is asked")), "{lines:?}");
}

#[actix::test]
async fn a_silent_host_is_given_its_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hosts = format!("127.0.0.1:{}", listener.local_addr().unwrap().port());
    let mut bench = Bench::new(&hosts, &[("requestTimeout", "100")]);
    let error = bench.client.open().within("the limit").await.unwrap_err();
    assert!(error.to_string().contains("no answer within requestTimeout (100 ms)"), "{error}");
}

#[actix::test]
async fn a_cluster_of_another_name_gets_nothing() {
    let peer = peer("8.15.0", Vec::new()).await;
    let hosts = format!("127.0.0.1:{}", peer.port);
    let mut bench = Bench::new(&hosts, &[("clusterName", "prod")]);
    let error = bench.client.open().within("an answer").await.unwrap_err();
    assert!(error.to_string().contains("it is of the cluster `lab`, and `clusterName` is prod"), "{error}");
    for keys in [&[][..], &[("clusterName", "lab")], &[("clusterName", "prod"), ("client", "rest")]] {
        Bench::new(&hosts, keys).client.open().within("an answer").await.unwrap();
    }
}

#[test]
fn each_host_has_its_port_of_http() {
    let hosts = |text: &str, keys: &[(&str, &str)]| -> Vec<String> {
        Bench::new(text, keys)
            .config
            .hosts
            .iter()
            .map(|host| format!("{}{}", host.origin(), host.path))
            .collect()
    };
    let transport = "a, b:9300,c:9301 ,d:9200,https://e/x/,[::1]:9300";
    assert_eq!(
        hosts(transport, &[]),
        [
            "http://a:9200",
            "http://b:9200",
            "http://c:9201",
            "http://d:9200",
            "https://e/x",
            "http://[::1]:9200"
        ]
    );
    assert_eq!(
        hosts("a,b:9300,http://c:1", &[("httpPort", "80")]),
        ["http://a:80", "http://b:80", "http://c:1"]
    );
    assert_eq!(hosts("a,b:9300", &[("client", "rest")]), ["http://a", "http://b:9300"]);
}

#[test]
fn properties_that_cannot_be_are_refused() {
    let said = |keys: &[(&str, &str)]| said_of_sink("elasticsearch", keys);
    assert!(said(&[]).contains("hostNames"));
    for (key, value, why) in [
        ("hostNames", "h:x", "the port of `h:x` is none"),
        ("hostNames", "a,,b", "it has no host"),
        ("batchSize", "0", "batchSize"),
        ("ttl", "5y", "a number above zero and one of ms"),
        ("ttl", "0", "a number above zero"),
        ("indexName", "%[nobody]", "is none of"),
        ("indexNameBuilder.dateFormat", "ww", "`ww` is not known in a date"),
        ("indexNameBuilder.timeZone", "Mars", "no such time zone"),
        ("password", "x", "`password` needs it"),
        ("client", "jest", "jest"),
    ] {
        let keys = [("hostNames", "h"), (key, value)];
        assert!(said(&keys).contains(why), "{key} = {value}: {}", said(&keys));
    }
    assert_eq!(
        said(&[("hostNames", "h"), ("serializer", DYNAMIC), ("ttl", "5d"), ("indexType", "%{t}")]),
        ""
    );
}

#[test]
fn ttls_are_days_unless_they_say_otherwise() {
    for (text, expected) in [("5", 5 * DAY), ("5d", 5 * DAY), ("7ms", 7), ("2w", 14 * DAY), ("3m", 180_000)] {
        let properties = Properties::of(&COMPONENT.descriptor, [("ttl", text)]);
        let (owner, mut report) = (Owner::nobody(), Report::default());
        let found = ttl(&properties, &mut Findings::new(&owner, &properties, &mut report));
        assert_eq!(found, Some(Some(expected)), "{text}");
    }
}

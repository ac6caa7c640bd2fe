//! How each sink's destination is read, broken and mended.

use crate::component;
use console::{Console, Settings};
use flow::compliance::{Collected, Pairs, Running, SinkBench, pairs};
use flow::testing::Paper;
use futures_util::future::LocalBoxFuture;
use plan::Kind;
use runtime::clock::Duration;
use runtime::net::{TcpListener, TcpStream};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::{fs, future::ready};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

/// Sends to a source of the same name.
pub(crate) struct Peer {
    alias: &'static str,
    port: u16,
    collected: Collected,
    collector: RefCell<Option<Running>>,
}

impl Peer {
    pub(crate) async fn start(alias: &'static str) -> Peer {
        let port = crate::sources::free_port();
        let peer = Peer { alias, port, collected: Collected::default(), collector: RefCell::default() };
        peer.collect(1000).await;
        peer
    }

    /// Starts the collector, which takes so many events in a batch.
    async fn collect(&self, transaction: usize) {
        let channel = pairs([("capacity", 1000), ("transactionCapacity", transaction)]);
        let mut place = pairs([("bind", "127.0.0.1".to_owned()), ("port", self.port.to_string())]);
        if self.alias == "http" {
            place.extend(pairs([("handler", "org.apache.flume.source.http.BLOBHandler")]));
        }
        let memory = component(Kind::Channel, "memory");
        let source = component(Kind::Source, self.alias);
        let running = Running::start(source, place, (memory, channel), &self.collected).await;
        self.collector.replace(Some(running));
    }

    async fn stop(&self) {
        let running = self.collector.take();
        if let Some(running) = running {
            running.stop(Duration::from_secs(30)).await;
        }
    }
}

impl SinkBench for Peer {
    fn properties(&self) -> Pairs {
        if self.alias == "http" {
            let endpoint = format!("http://127.0.0.1:{}/", self.port);
            let taken = [("rollback.200", "false"), ("backoff.200", "false")];
            return [pairs([("endpoint", endpoint)]), pairs(taken)].concat();
        }
        pairs([("hostname", "127.0.0.1".to_owned()), ("port", self.port.to_string())])
    }

    fn arrived(&self) -> Option<Vec<u64>> {
        Some(self.collected.numbers())
    }

    fn set_whole(&self, whole: bool) -> LocalBoxFuture<'_, Result<(), &'static str>> {
        Box::pin(async move {
            if whole {
                self.collect(1000).await;
            } else {
                self.stop().await;
            }
            Ok(())
        })
    }

    fn set_refusing(&self, refusing: bool) -> LocalBoxFuture<'_, Result<(), &'static str>> {
        Box::pin(async move {
            if self.alias == "http" {
                return Err("each event is a request of its own");
            }
            self.stop().await;
            self.collect(if refusing { 1 } else { 1000 }).await;
            Ok(())
        })
    }
}

/// Makes documents in a store that answers as Elasticsearch does.
pub(crate) struct Store {
    port: u16,
    documents: Arc<Mutex<Documents>>,
    folder: tempfile::TempDir,
    /// Its connections; none while it is down.
    serving: Rc<RefCell<Option<JoinSet<()>>>>,
}

#[derive(Default)]
struct Documents {
    ids: BTreeSet<String>,
    numbers: Vec<u64>,
    refusing: bool,
}

impl Store {
    pub(crate) async fn start() -> Store {
        // It keeps its port while it is down.
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let serving = Rc::new(RefCell::new(Some(JoinSet::new())));
        let store = Store { port, documents: Arc::default(), folder, serving };
        actix_rt::spawn(serve(listener, store.documents.clone(), store.serving.clone()));
        store
    }
}

async fn serve(
    listener: TcpListener,
    documents: Arc<Mutex<Documents>>,
    serving: Rc<RefCell<Option<JoinSet<()>>>>,
) {
    while let Ok((stream, _)) = listener.accept().await {
        if let Some(connections) = &mut *serving.borrow_mut() {
            connections.spawn_local(connection(stream, documents.clone()));
        }
    }
}

async fn connection(mut stream: TcpStream, documents: Arc<Mutex<Documents>>) {
    let mut read = Vec::new();
    while stream.read_buf(&mut read).await.is_ok_and(|bytes| bytes > 0) {
        let text = String::from_utf8_lossy(&read).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let head = head.to_lowercase();
        let length = head.split("content-length: ").nth(1).map(|rest| rest.lines().next().unwrap());
        if body.len() < length.map_or(0, |length| length.parse::<usize>().unwrap()) {
            continue;
        }
        let answer = match head.starts_with("get / ") {
            true => "{\"version\":{\"number\":\"8.15.0\"}}".to_owned(),
            false => documents.lock().unwrap().take(body),
        };
        let status = if answer.is_empty() { "503 Busy" } else { "200 OK" };
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{answer}", answer.len());
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
        read.clear();
    }
}

impl Documents {
    /// Takes a bulk, and says what became of each document; nothing when it refuses it.
    fn take(&mut self, bulk: &str) -> String {
        let lines: Vec<&str> = bulk.lines().collect();
        if self.refusing && lines.len() > 2 {
            return String::new();
        }
        let quoted =
            |line: &str, after: &str| line.split(after).nth(1).unwrap().split('"').next().unwrap().to_owned();
        let mut items = Vec::new();
        for document in lines.chunks(2) {
            let is_new = self.ids.insert(quoted(document[0], "\"_id\":\""));
            if is_new {
                self.numbers.push(quoted(document[1], "\"@message\":\"").parse().unwrap());
            }
            items.push(format!("{{\"create\":{{\"status\":{}}}}}", if is_new { 201 } else { 409 }));
        }
        format!("{{\"items\":[{}]}}", items.join(","))
    }
}

impl SinkBench for Store {
    fn properties(&self) -> Pairs {
        let dead = self.folder.path().display().to_string();
        pairs([("hostNames", format!("127.0.0.1:{}", self.port)), ("deadLetterDir", dead)])
    }

    fn arrived(&self) -> Option<Vec<u64>> {
        Some(self.documents.lock().unwrap().numbers.clone())
    }

    fn set_whole(&self, whole: bool) -> LocalBoxFuture<'_, Result<(), &'static str>> {
        self.serving.replace(whole.then(JoinSet::new));
        Box::pin(ready(Ok(())))
    }

    fn set_refusing(&self, refusing: bool) -> LocalBoxFuture<'_, Result<(), &'static str>> {
        self.documents.lock().unwrap().refusing = refusing;
        Box::pin(ready(Ok(())))
    }
}

/// Writes to a directory.
pub(crate) struct FileRoll {
    folder: tempfile::TempDir,
    /// What stood in directories that are gone.
    gone: RefCell<Vec<u64>>,
}

impl Default for FileRoll {
    fn default() -> FileRoll {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("logs")).unwrap();
        FileRoll { folder, gone: RefCell::default() }
    }
}

impl FileRoll {
    fn directory(&self) -> PathBuf {
        self.folder.path().join("logs")
    }
}

impl SinkBench for FileRoll {
    fn properties(&self) -> Pairs {
        let directory = self.directory().display().to_string();
        pairs([("sink.directory", directory), ("sink.rollInterval", "0".to_owned())])
    }

    fn arrived(&self) -> Option<Vec<u64>> {
        let entries = fs::read_dir(self.directory()).into_iter().flatten().map(|entry| entry.unwrap());
        let mut files: Vec<_> =
            entries.map(|file| (file.metadata().unwrap().modified().unwrap(), file.path())).collect();
        files.sort();
        let mut numbers = self.gone.borrow().clone();
        for (_, file) in files {
            let text = fs::read_to_string(file).unwrap();
            let whole = text.rfind('\n').map_or("", |end| &text[..end]);
            numbers.extend(whole.lines().map(|line| line.parse::<u64>().unwrap()));
        }
        Some(numbers)
    }

    fn set_whole(&self, whole: bool) -> LocalBoxFuture<'_, Result<(), &'static str>> {
        if whole {
            fs::create_dir(self.directory()).unwrap();
        } else {
            let arrived = self.arrived().unwrap_or_default();
            self.gone.replace(arrived);
            fs::remove_dir_all(self.directory()).unwrap();
        }
        Box::pin(ready(Ok(())))
    }

    fn set_refusing(&self, _: bool) -> LocalBoxFuture<'_, Result<(), &'static str>> {
        Box::pin(ready(Err("a file takes every event or none")))
    }
}

/// Prints on a console.
#[derive(Default)]
pub(crate) struct Logger(Paper);

impl SinkBench for Logger {
    fn properties(&self) -> Pairs {
        Pairs::new()
    }

    fn arrived(&self) -> Option<Vec<u64>> {
        let text = self.0.text();
        let number =
            |line: &str| line.trim_end_matches(" }").rsplit(' ').next().unwrap().parse::<u64>().unwrap();
        Some(text.lines().filter(|line| line.contains("Event: {")).map(number).collect())
    }

    fn set_whole(&self, whole: bool) -> LocalBoxFuture<'_, Result<(), &'static str>> {
        self.0.refuse(!whole);
        Box::pin(ready(Ok(())))
    }

    fn set_refusing(&self, _: bool) -> LocalBoxFuture<'_, Result<(), &'static str>> {
        Box::pin(ready(Err("a console takes every event or none")))
    }

    fn console(&self) -> Arc<Console> {
        Console::to(self.0.clone(), Settings::default())
    }
}

/// Forgets everything.
pub(crate) struct Null;

impl SinkBench for Null {
    fn properties(&self) -> Pairs {
        Pairs::new()
    }

    fn arrived(&self) -> Option<Vec<u64>> {
        None
    }

    fn set_whole(&self, _: bool) -> LocalBoxFuture<'_, Result<(), &'static str>> {
        Box::pin(ready(Err("it has no destination")))
    }

    fn set_refusing(&self, _: bool) -> LocalBoxFuture<'_, Result<(), &'static str>> {
        Box::pin(ready(Err("it has no destination")))
    }
}

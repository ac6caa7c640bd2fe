//! How each sink's destination is read, broken and mended.

use crate::component;
use console::{Console, Settings};
use flow::compliance::{Collected, Pairs, Running, SinkBench, pairs};
use flow::testing::Paper;
use futures_util::future::LocalBoxFuture;
use plan::Kind;
use runtime::clock::Duration;
use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;
use std::{fs, future::ready};

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

//! A real HDFS, and agents that write to it.

use integration::flume::fetched;
use integration::http;
use integration::ports;
use integration::stores::{self, Files};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The limit of every wait.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

/// A NameNode and DataNodes in one JVM.
pub(crate) struct Hdfs {
    store: stores::Hdfs,
}

/// The class path of Flume 1.11 with its HDFS sink.
pub(crate) fn flume() -> String {
    fetched("flume-hdfs").unwrap_or_else(|why| panic!("Flume's HDFS sink cannot be run here: {why}"))
}

fn run(command: &mut Command) {
    let ended = command.stdin(Stdio::null()).output().expect("it starts");
    let said = [ended.stdout, ended.stderr].concat();
    assert!(ended.status.success(), "{command:?}: {}", String::from_utf8_lossy(&said));
}

/// What has an agent, or a Flume's JVM, serve its counters at `port`.
pub(crate) fn counters_at(port: u16) -> [String; 2] {
    [format!("-Dflume.monitoring.port={port}"), "-Dflume.monitoring.type=http".to_owned()]
}

pub(crate) fn free_port() -> u16 {
    ports::free(&["127.0.0.1"]).expect("a port")
}

impl Hdfs {
    /// One with so many DataNodes of its own.
    pub(crate) fn start(data_nodes: u32, settings: &[&str]) -> Hdfs {
        Hdfs { store: stores::Hdfs::start(data_nodes, settings).unwrap_or_else(|why| panic!("{why}")) }
    }

    /// What it answers to a command.
    pub(crate) fn ask(&mut self, command: &str) -> Vec<String> {
        self.store.ask(command).unwrap_or_else(|why| panic!("{why}"))
    }

    /// All files below `path` as Hadoop's client reads them, and which of them are open.
    pub(crate) fn files(&mut self, path: &str) -> (Files, Vec<String>) {
        self.store.files(path).unwrap_or_else(|why| panic!("{why}"))
    }

    /// Waits until the files below `path` are as they should be.
    pub(crate) fn until(
        &mut self,
        path: &str,
        what: &str,
        holds: impl Fn(&Files, &[String]) -> bool,
    ) -> Files {
        let begun = Instant::now();
        loop {
            let (files, open) = self.files(path);
            if holds(&files, &open) {
                return files;
            }
            let names: Vec<_> = files.iter().map(|(name, body)| (name, body.len())).collect();
            assert!(
                begun.elapsed() < LIMIT,
                "waited {LIMIT:?} for {what}; there is {names:?}, open {open:?}"
            );
            thread::sleep(Duration::from_millis(200));
        }
    }

    pub(crate) fn url(&self) -> String {
        self.store.url()
    }

    /// Its files on this machine.
    pub(crate) fn folder(&self) -> &Path {
        self.store.directory()
    }

    /// Another DataNode, as a process of its own.
    pub(crate) fn data_node(&self, number: u32) -> Process {
        let (java, port) = self.store.data_node(number).expect("its files");
        let node = Process::spawn(java, &self.folder().join(format!("dn{number}/log")));
        node.wait_for_port(port);
        node
    }
}

/// A process that ends with its test.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    pub(crate) fn spawn(mut command: Command, log: &Path) -> Process {
        let file = fs::File::create(log).expect("a log");
        let errors = file.try_clone().expect("the same log");
        command.stdin(Stdio::null()).stdout(file).stderr(errors);
        Process { child: command.spawn().expect("it starts"), log: log.to_owned() }
    }

    /// A Flume, or an agent, with this configuration.
    pub(crate) fn run(mut node: Command, configuration: &str, folder: &Path, name: &str) -> Process {
        let file = folder.join(format!("{name}.conf"));
        fs::write(&file, configuration).expect("a file");
        node.args(["-n", "a", "-f"]).arg(file);
        Process::spawn(node, &folder.join(format!("{name}.log")))
    }

    /// Waits until each of its sinks has delivered so many events, by the counters that it serves at `port`.
    pub(crate) fn until_drained(&self, port: u16, sinks: &[&str], events: u64) {
        let begun = Instant::now();
        let drained = |sink: &str| http::counter(port, &format!("SINK.{sink}"), "EventDrainSuccessCount");
        while !sinks.iter().all(|sink| drained(sink).is_some_and(|count| count >= events)) {
            let counts: Vec<_> = sinks.iter().map(|sink| (sink, drained(sink))).collect();
            assert!(
                begun.elapsed() < LIMIT,
                "waited {LIMIT:?} for {events} events by each sink; {counts:?}; {}",
                self.said()
            );
            thread::sleep(Duration::from_millis(100));
        }
    }

    pub(crate) fn wait_for_port(&self, port: u16) {
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < LIMIT, "waited {LIMIT:?} for port {port}; {}", self.said());
            thread::sleep(Duration::from_millis(100));
        }
    }

    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        run(Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()));
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it lived");
        self.child.wait().expect("it ends");
    }

    /// Stops it in good order.
    pub(crate) fn stop(&mut self) {
        self.signal("TERM");
        let begun = Instant::now();
        while self.child.try_wait().expect("it can be asked").is_none() {
            assert!(begun.elapsed() < LIMIT, "waited {LIMIT:?} for its end; {}", self.said());
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _ended = self.child.wait();
    }
}

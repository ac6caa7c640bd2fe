//! A Kafka broker that is its own controller.

mod secured;

pub use secured::{BROKER_USER, PASSWORD, Secured, USER, key_store};

use super::Jvm;
use crate::console::Console;
use crate::flume::{Missing, fetched, fetched_program, jdk};
use crate::{node::Error, ports, process::Process};
use rustix::process::Signal;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};
use std::{fs, io};
use tempfile::TempDir;

/// A broker, with a directory for its log that lives as long as it does.
pub struct Broker {
    directory: TempDir,
    port: u16,
    class_path: String,
    console: Console,
    process: Process,
}

impl Broker {
    /// Starts one that has nothing yet; `more` are further lines of its configuration.
    ///
    /// # Panics
    /// When there is none to be had: a test that did not run must not look as if it had.
    pub fn start(more: &str) -> Broker {
        Broker::open(more).unwrap_or_else(|why| panic!("{why}"))
    }

    /// Starts one, as [`Broker::start`] does.
    ///
    /// # Errors
    /// When there is none to be had, or it does not start.
    pub fn open(more: &str) -> Result<Broker, Error> {
        Broker::open_with(&More { lines: more, ..More::default() })
    }

    /// Starts one with another port for clients who are to come by `relay`, which is theirs to make; and that port.
    ///
    /// # Panics
    /// When there is none to be had.
    pub fn behind(relay: u16) -> (Broker, u16) {
        let port = ports::free(&["127.0.0.1"]).map_err(Error::io("no free port for Kafka"));
        let opened = port.and_then(|port| {
            let listener = Listener { seen_at: relay, ..Listener::new("RELAYED", "PLAINTEXT", port) };
            Ok((Broker::open_with(&More { listeners: &[listener], ..More::default() })?, port))
        });
        opened.unwrap_or_else(|why| panic!("{why}"))
    }

    fn open_with(more: &More<'_>) -> Result<Broker, Error> {
        let class_path = class_path()?;
        let directory = tempfile::tempdir().map_err(Error::io("cannot make a temporary directory"))?;
        let port = || ports::free(&["127.0.0.1"]).map_err(Error::io("no free port for Kafka"));
        let (port, controller) = (port()?, port()?);
        let plain = [Listener::new("PLAINTEXT", "PLAINTEXT", port)];
        let listeners = [&plain, more.listeners].concat();
        write(directory.path(), &listeners, controller, more)
            .map_err(Error::io("cannot write Kafka's files"))?;
        let mut format = java(directory.path(), &class_path, "-Xmx128m");
        format.args(["kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", "server.properties"]);
        format.args(more.users.iter().flat_map(|user| ["--add-scram", user]));
        let done = format.output().map_err(Error::io("cannot start java"))?;
        if !done.status.success() {
            let said = String::from_utf8_lossy(&done.stdout).into_owned();
            return Err(Error::Missing(format!("Kafka's log cannot be made: {said}")));
        }
        let console = Console::default();
        let process = run(directory.path(), &class_path, &console)?;
        let mut broker = Broker { directory, port, class_path, console, process };
        broker.wait()?;
        Ok(broker)
    }

    /// `HOST:PORT`
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Ends it with SIGKILL.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again with what its disk has.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start_again(&mut self) {
        self.open_again().unwrap_or_else(|why| panic!("{why}"));
    }

    /// As [`Broker::start_again`].
    ///
    /// # Errors
    /// When it does not come up.
    pub fn open_again(&mut self) -> Result<(), Error> {
        self.process = run(self.directory.path(), &self.class_path, &self.console)?;
        self.wait()
    }

    /// A client of it.
    ///
    /// # Errors
    /// When there is none to be had.
    pub fn topics(&self) -> Result<Jvm, Error> {
        let class_path = fetched_program("kafka", "Topics").map_err(cannot_be_run)?;
        let mut client = java(self.directory.path(), &class_path, "-Xmx128m");
        client.arg("Topics").arg(self.address());
        Jvm::start(client, &self.directory.path().join("Topics.log"))
    }

    /// Stops it in its tracks, and lets it go on.
    pub fn freeze(&self, frozen: bool) {
        self.process.signal(if frozen { Signal::STOP } else { Signal::CONT });
    }

    /// A port that accepts is not a broker that serves: clients wait for that themselves.
    fn wait(&mut self) -> Result<(), Error> {
        let deadline = Instant::now() + UP;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let what = match (self.process.is_running(), Instant::now() < deadline) {
                (true, true) => {
                    sleep(LOOK);
                    continue;
                }
                (true, false) => format!("is not up after {UP:?}"),
                (false, _) => "has ended".to_owned(),
            };
            return Err(Error::Missing(format!("Kafka {what}: {:?}", self.console.lines_from(0))));
        }
        Ok(())
    }
}

fn class_path() -> Result<String, Error> {
    fetched("kafka").map_err(cannot_be_run)
}

fn cannot_be_run(why: Missing) -> Error {
    Error::Missing(format!("Kafka cannot be run here: {why}"))
}

/// The class path of the Kafka components of Flume 1.11.
///
/// # Panics
/// When they are not to be had.
pub fn flumes_parts() -> String {
    fetched("flume-kafka").unwrap_or_else(|why| panic!("Flume's Kafka components cannot be run here: {why}"))
}

fn run(directory: &Path, class_path: &str, console: &Console) -> Result<Process, Error> {
    let mut server = java(directory, class_path, "-Xmx384m");
    server.args(["kafka.Kafka", "server.properties"]);
    Process::spawn(server, console, 0).map_err(Error::io("cannot start Kafka"))
}

fn java(directory: &Path, class_path: &str, heap: &str) -> Command {
    let mut java = jdk("java");
    java.args([heap, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "@jvm.options", "-cp"]);
    java.arg(format!("{}:{class_path}", directory.display())).current_dir(directory);
    java
}

/// Short sessions, so that a broker that was killed is back soon.
fn write(directory: &Path, listeners: &[Listener], controller: u16, more: &More<'_>) -> io::Result<()> {
    fs::write(directory.join("jvm.options"), more.jvm)?;
    let more = more.lines;
    let log = directory.join("data");
    let each = |text: fn(&Listener) -> String| listeners.iter().map(text).collect::<Vec<_>>().join(",");
    let places = each(|of| format!("{}://127.0.0.1:{}", of.name, of.port));
    let seen = each(|of| format!("{}://127.0.0.1:{}", of.name, of.seen_at));
    let protocols = each(|of| format!("{}:{}", of.name, of.protocol));
    let text = format!(
        "process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners={places},CONTROLLER://127.0.0.1:{controller}
advertised.listeners={seen}
controller.listener.names=CONTROLLER
listener.security.protocol.map={protocols},CONTROLLER:PLAINTEXT
log.dirs={}
num.partitions=1
auto.create.topics.enable=false
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
log.cleaner.dedupe.buffer.size=4194304
{more}
",
        log.display()
    );
    fs::write(directory.join("server.properties"), text)?;
    let quiet = "log4j.rootLogger=WARN,c\nlog4j.appender.c=org.apache.log4j.ConsoleAppender\n\
        log4j.appender.c.layout=org.apache.log4j.PatternLayout\nlog4j.appender.c.layout.ConversionPattern=%d %p %c{1}: %m%n\n";
    fs::write(directory.join("log4j.properties"), quiet)
}

/// What a broker has beside the usual.
#[derive(Debug, Default)]
struct More<'a> {
    /// Lines of its configuration.
    lines: &'a str,
    /// Where it listens as well.
    listeners: &'a [Listener],
    /// Made with the log, for SCRAM.
    users: &'a [String],
    /// Options of its JVM.
    jvm: &'a str,
}

/// Where it listens, and where it sends its clients.
#[derive(Debug, Clone, Copy)]
struct Listener {
    name: &'static str,
    protocol: &'static str,
    port: u16,
    seen_at: u16,
}

impl Listener {
    fn new(name: &'static str, protocol: &'static str, port: u16) -> Listener {
        Listener { name, protocol, port, seen_at: port }
    }
}

/// Any name of 22 characters.
const CLUSTER: &str = "AAAAAAAAAAAAAAAAAAAAAQ";
const UP: Duration = Duration::from_secs(120);
const LOOK: Duration = Duration::from_millis(50);

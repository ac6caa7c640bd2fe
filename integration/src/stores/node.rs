//! Native nodes of a build with a store in it, and what tests of stores do with them.

use crate::binaries::{cargo, directory};
use crate::console::Console;
use crate::process::{HEARS_HANG_UPS, Process};
use rustix::process::Signal;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A native node, with a directory for its files.
pub struct Node {
    directory: TempDir,
    /// What it says.
    pub console: Console,
    /// It.
    pub process: Process,
    program: PathBuf,
    text: String,
}

impl Node {
    /// The agent `a1` of `text`, in which `DIR/` stands for its directory, in a build with all stores.
    ///
    /// # Panics
    /// When it cannot be built or started.
    pub fn start(text: &str) -> Node {
        let directory = tempfile::tempdir().expect("a folder");
        let text = text.replace("DIR/", &format!("{}/", directory.path().display()));
        let (program, console) = (agent(), Console::default());
        let process = run(&program, directory.path(), &text, &console);
        Node { directory, console, process, program, text }
    }

    /// Starts it again with what its directory has.
    pub fn start_again(&mut self) {
        self.process = run(&self.program, self.directory.path(), &self.text, &self.console);
    }

    /// Gives it another text, which it reads at once.
    ///
    /// # Panics
    /// When the disk does not take it.
    pub fn reload(&mut self, text: &str) {
        self.text = text.to_owned();
        fs::write(self.directory.path().join(FILE), text).expect("a file");
        self.process.signal(Signal::HUP);
    }

    /// A file of its directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// How many of its lines have this part.
    pub fn said(&self, part: &str) -> usize {
        self.console.visit(0, |line| line.text.contains(part).then_some(())).len()
    }

    /// Waits until it says it.
    ///
    /// # Panics
    /// When it does not.
    pub fn wait_for(&self, part: &str) {
        if let Err(error) = self.console.wait_from(0, LONG, part, |line| line.text.contains(part)) {
            panic!("{error}");
        }
    }
}

impl Drop for Node {
    /// Says what it said, where the test has failed.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.console.lines_from(0).iter().for_each(|line| eprintln!("{}", line.text));
        }
    }
}

fn run(program: &Path, directory: &Path, text: &str, console: &Console) -> Process {
    let file = directory.join(FILE);
    fs::write(&file, text).expect("a file");
    let [env, hears] = HEARS_HANG_UPS;
    let mut command = Command::new(env);
    command.arg(hears).arg(program).args(["-n", "a1", "--drain-timeout", "20", "-f"]).arg(file);
    Process::spawn(command, console, 0).expect("it runs")
}

/// The program, beside the test's own. All tests of stores build it with the same features, so that it is built once;
/// `FLUME_BIN_DIR` names another one that has them.
fn agent() -> PathBuf {
    if std::env::var_os("FLUME_BIN_DIR").is_some() {
        return directory().expect("it is there").join("agent");
    }
    static BUILT: Mutex<()> = Mutex::new(());
    let _one = BUILT.lock().expect("it is built");
    let mut cargo = cargo();
    cargo.args(["build", "--quiet", "-p", "agent", "--features", "hbase,hdfs,kafka"]);
    assert!(cargo.status().expect("cargo runs").success(), "the agent is not built");
    let own = std::env::current_exe().expect("a program");
    own.ancestors().nth(2).expect("target/debug/deps/TEST").join("agent")
}

/// Sends events to an HTTP source, which may not listen yet.
///
/// # Panics
/// When it does not take them.
pub fn post(port: u16, events: &str) {
    until(&format!("the http source at {port} takes the events"), || {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
        let head = format!(
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            events.len()
        );
        let mut answer = String::new();
        let sent = stream
            .write_all(format!("{head}{events}").as_bytes())
            .and_then(|()| stream.read_to_string(&mut answer));
        sent.is_ok() && answer.contains(" 200 ")
    });
}

/// Waits until it `holds`.
///
/// # Panics
/// When it does not.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + LONG;
    while !holds() {
        assert!(Instant::now() < deadline, "in {LONG:?}: {what}");
        std::thread::sleep(LOOK);
    }
}

/// The beginning of an agent that follows the file `log` of its directory into a channel `c`.
pub const FOLLOWS: &str = "
a1.sources = r
a1.channels = c
a1.sources.r.type = TAILDIR
a1.sources.r.positionFile = DIR/positions.json
a1.sources.r.filegroups = f
a1.sources.r.filegroups.f = DIR/log
a1.sources.r.channels = c
";

/// Such an agent with a memory channel and `sink`, the lines of a sink `k`.
pub fn follows_into(sink: &str) -> String {
    let channel = "a1.channels.c.type = memory\na1.channels.c.capacity = 1000\na1.channels.c.transactionCapacity = 100\n";
    format!("{FOLLOWS}{channel}a1.sinks = k\na1.sinks.k.channel = c\n{sink}")
}

/// An agent that takes events by HTTP at `port` ([`post`]) into a channel `c`, and has `sink`, the lines of a sink `k`.
pub fn posted_into(port: u16, sink: &str) -> String {
    format!(
        "a1.sources = r\na1.channels = c\na1.sinks = k\na1.sources.r.type = http\na1.sources.r.bind = 127.0.0.1\n\
         a1.sources.r.port = {port}\na1.sources.r.channels = c\na1.channels.c.type = memory\na1.sinks.k.channel = c\n{sink}"
    )
}

/// Numbered lines, as a file has them.
pub fn lines(numbers: std::ops::Range<usize>) -> String {
    numbers.map(|number| format!("line {number}\n")).collect()
}

/// Adds to a file.
///
/// # Panics
/// When the disk does not take it.
pub fn append(path: &Path, text: &str) {
    let mut file = fs::OpenOptions::new().create(true).append(true).open(path).expect("a file");
    file.write_all(text.as_bytes()).expect("room");
}

const FILE: &str = "a1.conf";
const LONG: Duration = Duration::from_secs(180);
const LOOK: Duration = Duration::from_millis(100);

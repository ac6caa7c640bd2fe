//! A Storm cluster in one JVM, with a topology whose bolt writes down what it acknowledges.

use crate::binaries::workspace;
use crate::console::Console;
use crate::flume::{jdk, with_programs};
use crate::node::Error;
use crate::process::Process;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// The cluster, its worker and its topology: all end when its spout does, or when it is killed, and nobody starts them again but
/// the test, in the place of a supervisor.
pub struct Storm {
    directory: TempDir,
    class_path: String,
    topology: Vec<String>,
    /// What it says.
    pub console: Console,
    /// The JVM.
    pub process: Process,
}

impl Storm {
    /// Starts one whose spout is this: `shell` with a command, or `kafka` with brokers and a topic.
    ///
    /// # Panics
    /// When there is none to be had: a test that did not run must not look as if it had.
    pub fn start(topology: &[&str]) -> Storm {
        let class_path = Storm::class_path().unwrap_or_else(|why| panic!("{why}"));
        let directory = tempfile::tempdir().expect("a folder");
        let topology: Vec<String> = topology.iter().map(|word| (*word).to_owned()).collect();
        let console = Console::default();
        let process = run(directory.path(), &class_path, &topology, &console);
        Storm { directory, class_path, topology, console, process }
    }

    /// What a [`Storm::command`] needs, fetched and compiled once.
    ///
    /// # Errors
    /// When it is not to be had.
    pub fn class_path() -> Result<String, Error> {
        let programs = ["integration/stores/storm/Lab.java", "deploy/storm/FlumeSpout.java"];
        with_programs("storm", "programs", &programs.map(|program| workspace().join(program)))
            .map_err(|why| Error::Missing(format!("Storm cannot be run here: {why}")))
    }

    /// A JVM with such a cluster, whose bolt writes to `file`; the words of `Lab.java` behind that are still to come.
    pub fn command(directory: &Path, class_path: &str, file: &Path) -> Command {
        let mut java = jdk("java");
        java.args(["-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]);
        java.arg(format!("-Djava.io.tmpdir={}", directory.display()));
        let log = workspace().join("integration/stores/storm/log4j2.xml");
        java.arg(format!("-Dlog4j2.configurationFile={}", log.display()));
        java.args(["-cp", class_path, "Lab"]).arg(file).current_dir(directory);
        java
    }

    /// Starts it again when it has ended; its bolt goes on with the same file.
    pub fn start_again(&mut self) {
        self.console = Console::default();
        self.process = run(self.directory.path(), &self.class_path, &self.topology, &self.console);
    }

    /// The bodies that its bolt has acknowledged, those that it has not written down in full left out.
    pub fn acknowledged(&self) -> Vec<String> {
        let text = fs::read_to_string(file(self.directory.path())).unwrap_or_default();
        text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')).map(str::to_owned).collect()
    }

    /// How long that file is.
    pub fn acknowledged_bytes(&self) -> u64 {
        fs::metadata(file(self.directory.path())).map_or(0, |file| file.len())
    }

    /// Waits until a spout's program is an Avro source.
    ///
    /// # Panics
    /// When it is not in time.
    pub fn listens(&self) {
        self.wait_for("Avro source r1 started.");
    }

    /// Waits until it has said so.
    ///
    /// # Panics
    /// When it does not.
    pub fn wait_for(&self, part: &str) {
        if let Err(error) = self.console.wait_from(0, UP, part, |line| line.text.contains(part)) {
            panic!("{error}: {:#?}", self.console.lines_from(0));
        }
    }

    /// The program that its spout runs.
    ///
    /// # Panics
    /// When it has not started one.
    pub fn spout(&self) -> Pid {
        let launched = |text: &str| text.rsplit_once("Launched subprocess with pid ")?.1.trim().parse().ok();
        let pids = self.console.visit(0, |line| launched(&line.text).and_then(Pid::from_raw));
        *pids.last().expect("it has started one")
    }

    /// Ends its spout's program with SIGKILL, and waits for what Storm does then: its worker ends.
    ///
    /// # Panics
    /// When the worker does not end.
    pub fn kill_spout(&mut self) {
        kill_process(self.spout(), Signal::KILL).expect("it runs");
        assert!(self.process.wait(UP).is_some(), "the worker goes on without its spout");
    }
}

impl Drop for Storm {
    /// Says what it said, where the test has failed.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.console.lines_from(0).iter().for_each(|line| eprintln!("{}", line.text));
        }
    }
}

fn file(directory: &Path) -> PathBuf {
    directory.join("acknowledged")
}

fn run(directory: &Path, class_path: &str, topology: &[String], console: &Console) -> Process {
    let mut java = Storm::command(directory, class_path, &file(directory));
    java.args(topology);
    Process::spawn(java, console, 0).expect("java runs")
}

/// A start takes 10 s where nothing else does.
const UP: Duration = Duration::from_secs(180);

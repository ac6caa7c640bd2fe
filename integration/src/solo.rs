//! One node with a configuration of its own.

use crate::{binaries, console::Console, process::Process};
use std::{
    fs,
    path::PathBuf,
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// A running `agent`, with a directory for its files.
pub struct Solo {
    directory: TempDir,
    /// What it says.
    pub console: Console,
    /// The process.
    pub node: Process,
}

impl Solo {
    /// Starts the agent `a1` of `text`, in which `DIR/` stands for its directory; `before` are the words before its own command
    /// line.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(text: &str, before: &[&str]) -> Solo {
        Solo::start_in(tempfile::tempdir().expect("a folder"), text, before)
    }

    /// The same with more `options` behind its command line.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start_with(text: &str, options: &[&str]) -> Solo {
        let directory = tempfile::tempdir().expect("a folder");
        let (console, node) = run(&directory, text, &[], options);
        Solo { directory, console, node }
    }

    /// The same in a directory with files.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start_in(directory: TempDir, text: &str, before: &[&str]) -> Solo {
        let (console, node) = run(&directory, text, before, &[]);
        Solo { directory, console, node }
    }

    /// Starts it again, with its files as they are, when it has ended.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start_again(&mut self, text: &str, before: &[&str]) {
        (self.console, self.node) = run(&self.directory, text, before, &[]);
    }

    /// A file of its directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// How many lines of its console have this in them.
    pub fn said(&self, part: &str) -> usize {
        self.console.visit(0, |line| line.text.contains(part).then_some(())).len()
    }

    /// Waits until it has said so.
    ///
    /// # Panics
    /// When it does not.
    pub fn wait_for(&self, part: &str) {
        if let Err(error) = self.console.wait_from(0, LONG, part, |line| line.text.contains(part)) {
            panic!("{error}");
        }
    }
}

fn run(directory: &TempDir, text: &str, before: &[&str], options: &[&str]) -> (Console, Process) {
    let file = directory.path().join("a1.conf");
    fs::write(&file, text.replace("DIR/", &format!("{}/", directory.path().display()))).expect("a file");
    let program = binaries::directory().expect("it is built").join("agent");
    let mut command = match before.split_first() {
        Some((first, rest)) => {
            let mut command = Command::new(first);
            command.args(rest).arg(program);
            command
        }
        None => Command::new(program),
    };
    command.args(["-n", "a1", "--drain-timeout", "4", "-f"]).arg(&file).args(options);
    let console = Console::default();
    let process = Process::spawn(command, &console, 0).expect("it runs");
    (console, process)
}

/// Waits until it `holds`.
///
/// # Panics
/// When it does not hold in [`LONG`].
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + LONG;
    while !holds() {
        assert!(Instant::now() < deadline, "in {LONG:?}: {what}");
        sleep(Duration::from_millis(10));
    }
}

/// Three tries at what compares with the clock: where one is late, the machine may have had something else to do.
///
/// # Panics
/// When each is late.
pub fn at_best(mut attempt: impl FnMut() -> Result<(), String>) {
    let mut late = Vec::new();
    while late.len() < 3 {
        match attempt() {
            Ok(()) => return,
            Err(how) => late.push(how),
        }
    }
    panic!("it is late each time: {late:#?}");
}

/// Whether it `took` less than `bar`, for [`at_best`].
///
/// # Errors
/// What took how long.
pub fn less(what: &str, took: Duration, bar: Duration) -> Result<(), String> {
    if took < bar { Ok(()) } else { Err(format!("{what}: {took:?}, and not less than {bar:?}")) }
}

/// Far longer than anything takes, for a machine that has other things to do: also where a JVM needs half a minute to start.
pub const LONG: Duration = Duration::from_secs(120);

//! One node of a cluster: what it runs, its console over all its lives, and what was done to it.

use crate::{
    console::{Console, Line, NotSeen},
    flume::Version,
    ledger::Incident,
    ledger::Place,
    process::{Ended, Process},
    vitals,
};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    io,
    process::Command,
    time::{Duration, Instant},
};

/// What could not be done with a node or a cluster.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or a process.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
    /// A console line that did not come.
    #[error(transparent)]
    NotSeen(#[from] NotSeen),
    /// There is nothing to start.
    #[error("{0}")]
    Missing(String),
}

impl Error {
    /// For `map_err`: an I/O error with what was being done.
    pub fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Error {
        let what = what.into();
        |source| Error::Io { what, source }
    }
}

/// What a node is in the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Follows a log and sends.
    Agent,
    /// Receives and prints. The number is its index in the cluster.
    Collector(usize),
}

/// Whose program it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Implementation {
    /// This workspace's binary.
    Ours,
    /// Apache Flume of this release.
    Flume(Version),
}

impl std::fmt::Display for Implementation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Implementation::Ours => f.write_str("native"),
            Implementation::Flume(version) => write!(f, "Flume {}", version.name()),
        }
    }
}

/// Makes the command that starts a node; asked anew for each life.
pub type Launch = Box<dyn Fn() -> Result<Command, Error> + Send + Sync>;

/// A node, running or not.
pub struct Node {
    name: String,
    role: Role,
    kind: Implementation,
    launch: Launch,
    console: Console,
    process: Option<Process>,
    life: u32,
    born: usize, // where this life's console begins
    incidents: Vec<Incident>,
    births: Vec<Instant>,
    program: Option<&'static str>,
}

impl Node {
    /// A node that does not run yet.
    pub fn new(name: &str, role: Role, kind: Implementation, launch: Launch) -> Node {
        let (console, incidents) = (Console::default(), Vec::new());
        Node {
            name: name.to_owned(),
            role,
            kind,
            launch,
            console,
            process: None,
            life: 0,
            born: 0,
            incidents,
            births: Vec::new(),
            program: None,
        }
    }

    /// Its process only runs its program, whose command line has this word: as Storm's worker runs a spout. It ends by itself when
    /// the program does.
    pub fn hosted(self, word: &'static str) -> Node {
        Node { program: Some(word), ..self }
    }

    /// Its name, such as `slave3`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whose program it runs.
    pub fn kind(&self) -> Implementation {
        self.kind
    }

    /// What it has printed, over all its lives.
    pub fn console(&self) -> &Console {
        &self.console
    }

    /// What was done to it.
    pub fn incidents(&self) -> &[Incident] {
        &self.incidents
    }

    /// When each of its lives began.
    pub fn births(&self) -> &[Instant] {
        &self.births
    }

    /// Its process id while it runs.
    pub fn pid(&self) -> Option<Pid> {
        self.process.as_ref().map(Process::pid)
    }

    /// Starts it, for the first time or again.
    ///
    /// # Errors
    /// When there is nothing to start or it cannot be started.
    pub fn start(&mut self) -> Result<(), Error> {
        if self.process.take().is_some() {
            self.life += 1;
        }
        self.born = self.console.mark();
        self.births.push(Instant::now());
        let command = (self.launch)()?;
        let process = Process::spawn(command, &self.console, self.life);
        self.process = Some(process.map_err(Error::io(format!("cannot start {}", self.name)))?);
        Ok(())
    }

    /// Waits until this life has said that it has started, and tells how long that took from its start on.
    ///
    /// # Errors
    /// [`Error::NotSeen`].
    pub fn ready(&self, timeout: Duration) -> Result<Duration, Error> {
        let (text, started) = (self.ready_text(), self.process.as_ref().map(Process::started));
        let what = format!("{}: \"{text}\"", self.name);
        let line = self.console.wait_from(self.born, timeout, &what, |line| line.text.contains(text))?;
        Ok(started.map_or(Duration::ZERO, |started| line.at.saturating_duration_since(started)))
    }

    /// Waits for a line of this life for which `wanted` holds.
    ///
    /// # Errors
    /// [`NotSeen`].
    pub fn wait_for(
        &self,
        what: &str,
        timeout: Duration,
        wanted: impl FnMut(&Line) -> bool,
    ) -> Result<Line, NotSeen> {
        self.console.wait_from(self.born, timeout, &format!("{}: {what}", self.name), wanted)
    }

    /// Ends it as `kill -9` does; `holds` is what its channel may hold at that moment. Tells when the signal was sent.
    pub fn kill(&mut self, holds: usize) -> Instant {
        let at = Instant::now();
        self.note(at, holds);
        if self.program.is_some() {
            self.signal_program(Signal::KILL);
            self.wait(HOST_ENDS);
        }
        self.kill_process();
        at
    }

    /// Ends its process, where that only runs its program.
    pub fn kill_process(&mut self) {
        if let Some(process) = &mut self.process {
            process.kill();
        }
        self.console.drained(Duration::from_secs(5));
    }

    /// Kills the JVM of its Java components, which it starts again; `false` when there is none.
    pub fn kill_jvm(&mut self) -> bool {
        let jvm = self.pid().and_then(vitals::jvm);
        if jvm.is_some() {
            self.note(Instant::now(), 0);
        }
        jvm.is_some_and(|jvm| kill_process(jvm, Signal::KILL).is_ok())
    }

    /// Holds it still with SIGSTOP: its connections stay open and nothing is answered.
    pub fn freeze(&mut self) -> Instant {
        let at = Instant::now();
        self.note(at, 0);
        self.signal_program(Signal::STOP);
        at
    }

    /// Lets it go on after [`Node::freeze`].
    pub fn thaw(&self) {
        self.signal_program(Signal::CONT);
    }

    fn signal_program(&self, signal: Signal) {
        match self.program {
            None => self.signal(signal),
            Some(word) => {
                let program = self.pid().and_then(|host| vitals::child(host, word));
                // It may have ended by itself.
                let _ = program.map(|program| kill_process(program, signal));
            }
        }
    }

    /// Sends a signal to its process.
    pub fn signal(&self, signal: Signal) {
        if let Some(process) = &self.process {
            process.signal(signal);
        }
    }

    /// Asks it to stop with SIGTERM and waits for its end; `None` when it still runs after `timeout`.
    pub fn terminate(&mut self, timeout: Duration) -> Option<Ended> {
        self.signal(Signal::TERM);
        self.wait(timeout)
    }

    /// Waits for its end; `None` when it still runs after `timeout`.
    pub fn wait(&mut self, timeout: Duration) -> Option<Ended> {
        let ended = self.process.as_mut()?.wait(timeout)?;
        self.console.drained(Duration::from_secs(5));
        Some(ended)
    }

    /// Whether its process has not ended.
    pub fn is_running(&mut self) -> bool {
        self.process.as_mut().is_some_and(Process::is_running)
    }

    fn note(&mut self, at: Instant, holds: usize) {
        if let Role::Collector(node) = self.role {
            self.incidents.push(Incident { place: Place { node, life: self.life }, at, holds });
        }
    }

    /// What Flume and we print when the source is up, which is the last to start.
    fn ready_text(&self) -> &'static str {
        match self.role {
            Role::Agent => "xec source starting with command",
            Role::Collector(_) => "Avro source r1 started.",
        }
    }
}

/// For a host to notice that its program has ended.
const HOST_ENDS: Duration = Duration::from_secs(30);

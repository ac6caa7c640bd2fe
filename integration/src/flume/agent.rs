//! A real Flume agent in a JVM.

use super::{Version, install};
use crate::{
    console::{Console, Line, NotSeen},
    process::{Ended, Process},
};
use rustix::process::Signal;
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// A running agent. What it logs goes to [`Flume::console`]; dropping it kills it and what it started.
pub struct Flume {
    process: Process,
    console: Console,
    version: Version,
}

/// How an agent is started, where a test needs more than [`Flume::start`].
#[derive(Debug, Clone, Default)]
pub struct Launch {
    /// Words before `java`: `["ip", "netns", "exec", "slave3"]`.
    pub under: Vec<String>,
    /// Further words for the JVM; they come last and so win: `-Xmx1g`, `-Dflume.monitoring.type=http`.
    pub jvm: Vec<String>,
    /// Further words for the agent, behind `-n NAME -f FILE`.
    pub agent: Vec<String>,
    /// A class path to stand before the release's, with a colon at its end.
    pub before: String,
    /// Looks for changes of its file, every 30 seconds.
    pub reload: bool,
    /// Logs at DEBUG instead of INFO.
    pub debug: bool,
    /// A folder with classes of an operator.
    pub classes: Option<PathBuf>,
}

impl Flume {
    /// Starts the agent `name` of `properties`, with `dir` as working directory and as its user's home.
    ///
    /// # Errors
    /// When the file cannot be written or the JVM not started.
    pub fn start(version: Version, properties: &str, name: &str, dir: &Path) -> io::Result<Flume> {
        let file = dir.join(format!("{name}.properties"));
        fs::write(&file, properties)?;
        Flume::start_as(version, &file, name, dir, &Launch::default(), &Console::default())
    }

    /// Starts the agent `name` of `file` as `launch` says; its lines join those of `console`.
    ///
    /// # Errors
    /// When the JVM cannot be started.
    pub fn start_as(
        version: Version,
        file: &Path,
        name: &str,
        dir: &Path,
        launch: &Launch,
        console: &Console,
    ) -> io::Result<Flume> {
        let process = Process::spawn(command(version, file, name, dir, launch), console, 0)?;
        Ok(Flume { process, console: console.clone(), version })
    }

    /// Which release it is.
    pub fn version(&self) -> Version {
        self.version
    }

    /// All its lines.
    pub fn console(&self) -> &Console {
        &self.console
    }

    /// Its process, for signals and vital signs.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Its process alone, for what has a console already.
    pub fn into_process(self) -> Process {
        self.process
    }

    /// The lines so far, as text.
    pub fn lines(&self) -> Vec<String> {
        self.console.lines_from(0).into_iter().map(|line| line.text).collect()
    }

    /// The first line that contains `text`, waited for at most `timeout`.
    ///
    /// # Errors
    /// [`NotSeen`] when it did not come.
    pub fn wait_for_line(&self, text: &str, timeout: Duration) -> Result<Line, NotSeen> {
        self.console.wait_from(0, timeout, text, |line| line.text.contains(text))
    }

    /// Ends it with SIGKILL.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Ends it with SIGTERM and waits for the end: an Avro source of 1.11 alone takes four seconds.
    pub fn stop(&mut self) -> Option<Ended> {
        self.process.signal(Signal::TERM);
        self.process.wait(STOP)
    }
}

/// What starts the agent `name` of `file`, for those who have a process and a console of their own to start it in.
pub fn command(version: Version, file: &Path, name: &str, dir: &Path, launch: &Launch) -> Command {
    let mut command = java(&launch.under);
    command.args(LEAN).args(logging(version, launch.debug));
    if let Some(shared) = install::shared(version).filter(|_| launch.before.is_empty()) {
        command.arg(format!("-XX:SharedArchiveFile={}", shared.display()));
    }
    command.arg(format!("-Duser.home={}", dir.display())).args(&launch.jvm);
    let mut class_path = format!("{}{}", launch.before, install::release(version));
    launch.classes.iter().for_each(|folder| class_path.push_str(&format!(":{}", folder.display())));
    command.args(["-cp", &class_path, "org.apache.flume.node.Application"]);
    command.args(["-n", name, "-f"]).arg(file).args(&launch.agent);
    if !launch.reload {
        command.arg("--no-reload-conf");
    }
    command.current_dir(dir);
    command
}

/// `java`, after the words of `under`.
pub(super) fn java(under: &[String]) -> Command {
    let java = install::jdk("java");
    match under.split_first() {
        None => java,
        Some((first, rest)) => {
            let mut command = Command::new(first);
            command.args(rest).arg(java.get_program());
            command
        }
    }
}

/// The console layout of the release.
pub(super) fn logging(version: Version, debug: bool) -> Vec<String> {
    let url = |file: PathBuf| format!("file:{}", file.display());
    match version {
        Version::V1_9 => vec![
            format!("-Dlog4j.configuration={}", url(install::shipped(version, "log4j.properties"))),
            format!("-Dflume.root.logger={},console", if debug { "DEBUG" } else { "INFO" }),
        ],
        Version::V1_11 => vec![
            format!("-Dlog4j2.configurationFile={}", install::shipped(version, "log4j2.xml").display()),
            format!("-Dflume.root.level={}", if debug { "DEBUG" } else { "INFO" }),
        ],
    }
}

/// A small JVM that is up soon, with the same texts wherever it runs. The opened packages are those that Flume 1.9's
/// file channel reaches into.
pub(super) const LEAN: [&str; 7] = [
    "-Xmx256m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Dfile.encoding=UTF-8",
    "-Djava.net.preferIPv4Stack=true",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
];

/// Longer than any orderly stop: the supervisor alone is waited for ten seconds.
const STOP: Duration = Duration::from_secs(40);

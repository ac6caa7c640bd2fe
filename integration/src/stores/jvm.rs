//! A program in a JVM that is asked, line by line, on its standard input.

use crate::{flume::jdk, node::Error, process::Process};
use rustix::process::Signal;
use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, PipeWriter, Write},
    path::{Path, PathBuf},
    process::Command,
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

/// It says UP when it is ready, and ends each answer with DONE or FAILED.
pub struct Jvm {
    process: Process,
    input: PipeWriter,
    said: Receiver<String>,
    news: Receiver<String>,
    log: PathBuf,
}

impl Jvm {
    /// Starts `java`, whose complaints go to a file `log`, and waits until it is up.
    ///
    /// # Errors
    /// When it cannot be started, or does not come up.
    pub fn start(mut java: Command, log: &Path) -> Result<Jvm, Error> {
        let broken = || Error::io(format!("cannot start {}", java_name(log)));
        let pipes = || io::Result::Ok((io::pipe()?, io::pipe()?, File::create(log)?));
        let ((stdin, input), (output, stdout), stderr) = pipes().map_err(broken())?;
        java.stdin(stdin).stdout(stdout).stderr(stderr);
        let process = Process::spawn_as_is(java).map_err(broken())?; // our ends of its pipes go with the command
        let ((tell, said), (tell_news, news)) = (channel(), channel());
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let told = match line.strip_prefix(NEWS) {
                    Some(line) => tell_news.send(line.to_owned()),
                    None => tell.send(line),
                };
                if told.is_err() {
                    return; // nobody asks any more
                }
            }
        });
        let jvm = Jvm { process, input, said, news, log: log.to_owned() };
        while jvm.hear()? != "UP" {}
        Ok(jvm)
    }

    /// What it answers to `command`.
    ///
    /// # Errors
    /// When it fails, says nothing for [`PATIENCE`], or is gone.
    pub fn ask(&mut self, command: &str) -> Result<Vec<String>, Error> {
        writeln!(self.input, "{command}").map_err(Error::io(format!("{} is gone", java_name(&self.log))))?;
        let mut lines = Vec::new();
        loop {
            let line = self.hear()?;
            if line.starts_with("FAILED") {
                return Err(Error::Missing(format!("{}: {command}: {line}", java_name(&self.log))));
            }
            if line == "DONE" {
                return Ok(lines);
            }
            lines.push(line);
        }
    }

    /// What it has told by itself since the last call.
    pub fn news(&self) -> impl Iterator<Item = String> {
        self.news.try_iter()
    }

    /// Ends it as `kill -9` does.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    fn hear(&self) -> Result<String, Error> {
        self.said.recv_timeout(PATIENCE).map_err(|error| {
            let log = fs::read_to_string(&self.log).unwrap_or_default();
            let last: Vec<&str> = log.lines().rev().take(SHOWN).collect();
            let last: String = last.iter().rev().map(|line| format!("\n  | {line}")).collect();
            Error::Missing(format!("{} says nothing ({error}); its last lines:{last}", java_name(&self.log)))
        })
    }
}

/// A JVM with the packages open that Hadoop and HBase reach into.
pub(super) fn hadoops_java() -> Command {
    let mut java = jdk("java");
    for package in ["lang", "util", "nio", "io", "net", "util.concurrent", "lang.reflect"] {
        java.arg(format!("--add-opens=java.base/java.{package}=ALL-UNNAMED"));
    }
    java.arg("--add-opens=java.base/sun.nio.ch=ALL-UNNAMED");
    java
}

/// The log is named after it.
fn java_name(log: &Path) -> String {
    log.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// Before a line that is no answer.
const NEWS: &str = "NEWS ";

/// For its start and for each line of an answer.
const PATIENCE: Duration = Duration::from_secs(120);

/// Lines of its log in an error.
const SHOWN: usize = 15;

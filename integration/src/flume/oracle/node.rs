//! An agent of either kind, started with the same words.

use crate::{
    binaries,
    console::Console,
    flume::{Flume, Launch, Version},
    process::Process,
};
use std::{
    io,
    path::{Path, PathBuf},
    process::Command,
};

/// Who is given a file.
#[derive(Debug, Clone)]
pub enum Side {
    /// A released Flume.
    Flume(Version),
    /// A binary of ours, started with `flume-ng`'s words.
    Ours(PathBuf),
}

impl Side {
    /// Ours, by the name of its binary.
    ///
    /// # Errors
    /// When the binaries are not built.
    pub fn ours(binary: &str) -> Result<Side, String> {
        Ok(Side::Ours(binaries::directory()?.join(binary)))
    }
}

/// A running agent of either kind.
pub struct Node {
    /// Its process.
    pub process: Process,
    /// What it printed.
    pub console: Console,
}

impl Node {
    /// Starts the agent `name` of `file`, with `dir` as working directory and home.
    ///
    /// # Errors
    /// When the process cannot be started.
    pub fn start(side: &Side, file: &Path, name: &str, dir: &Path) -> io::Result<Node> {
        Node::start_with(side, file, name, dir, &[])
    }

    /// The same with further words for it: `-Dflume.monitoring.type=http`.
    ///
    /// # Errors
    /// As [`Node::start`].
    pub fn start_with(
        side: &Side,
        file: &Path,
        name: &str,
        dir: &Path,
        words: &[String],
    ) -> io::Result<Node> {
        let console = Console::default();
        let process = match side {
            Side::Flume(version) => {
                let launch = Launch { jvm: words.to_vec(), ..Launch::default() };
                Flume::start_as(*version, file, name, dir, &launch, &console)?.into_process()
            }
            Side::Ours(binary) => {
                let mut command = ours(binary, file, name, dir);
                command.args(words);
                Process::spawn(command, &console, 0)?
            }
        };
        Ok(Node { process, console })
    }
}

fn ours(binary: &Path, file: &Path, name: &str, dir: &Path) -> Command {
    let mut command = Command::new(binary);
    command.args(["agent", "--name", name, "--conf", "."]).arg("--conf-file").arg(file);
    command.args(["--no-reload-conf", "-Dflume.root.logger=INFO,console"]);
    command.current_dir(dir).env("HOME", dir);
    command
}

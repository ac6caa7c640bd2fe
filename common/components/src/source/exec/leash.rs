//! A running command, as its source holds it: through its keeper (`keeper.rs`).

use super::keeper::LAST_WORDS;
use super::session;
use rustix::process::Signal;
use std::io;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::process::{Child, ChildStderr, ChildStdout, Command};
use tokio::time::timeout;

/// A command that runs. When this goes, and the process with it or not, the command is ended by its keeper.
pub(super) struct Leash {
    keeper: Child,
    line: UnixStream,
    session: Option<rustix::process::Pid>,
    code: Option<i32>,
}

/// A command that was started, and what it prints.
pub(super) struct Started {
    pub(super) leash: Leash,
    pub(super) stdout: ChildStdout,
    pub(super) stderr: Option<ChildStderr>,
}

impl Leash {
    /// Starts the command of `words`.
    ///
    /// # Errors
    /// Why it cannot be run.
    pub(super) async fn start(words: &[&str]) -> io::Result<Started> {
        if words.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is empty"));
        }
        let (ours, keepers) = std::os::unix::net::UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let mut command = keeper();
        command.args(words).stdin(OwnedFd::from(keepers)).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut keeper = command.spawn().map_err(|error| no_keeper(&error))?;
        drop(command); // and with it the keeper's end of the line
        let stdout = keeper.stdout.take().ok_or_else(|| io::Error::other("it has no output"))?;
        let stderr = keeper.stderr.take();
        let session = keeper.id().and_then(session::pid);
        let mut leash = Leash { keeper, line: UnixStream::from_std(ours)?, session, code: None };
        match timeout(START, leash.hear()).await {
            Ok(Ok(0)) => Ok(Started { leash, stdout, stderr }),
            Ok(Ok(number)) => Err(io::Error::from_raw_os_error(number)),
            Ok(Err(error)) => Err(no_keeper(&error)),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    /// Asks the command, and all it has started, to end; what does not is killed after [`LAST_WORDS`].
    pub(super) async fn end(&mut self) {
        let _gone_already = self.line.shutdown().await;
    }

    /// Waits until the keeper is gone, which it is not while we hold it, unless somebody has killed it. May be dropped.
    pub(super) async fn lost(&mut self) {
        while let Ok(code) = self.hear().await {
            self.code = Some(code);
        }
    }

    /// The keeper is gone: ends what it has kept.
    pub(super) fn kill(&self) {
        self.session.into_iter().for_each(|own| session::signal(session::members(own), Signal::KILL));
    }

    /// The output has ended: waits for the command's end as well, but not for long. The answer is its exit code; -1 when
    /// nobody knows. What it has started and has no more to say to us is let go, unless the command did not end.
    pub(super) async fn ended(mut self) -> i32 {
        let code = match self.code {
            Some(code) => Ok(code),
            None => self.last_code().await,
        };
        if code.is_ok() {
            let _gone_already = self.line.write_all(b".").await;
        }
        if code.is_err() || timeout(KILLED, self.keeper.wait()).await.is_err() {
            // The keeper was killed, or hangs: what it has kept is ended without it.
            let _gone_already = self.keeper.start_kill();
            self.kill();
            let _hangs = timeout(KILLED, self.keeper.wait()).await;
        }
        code.unwrap_or(-1)
    }

    async fn last_code(&mut self) -> io::Result<i32> {
        if let Ok(code) = timeout(LAST_WORDS, self.hear()).await {
            return code;
        }
        self.end().await;
        timeout(KILLED, self.hear()).await.unwrap_or_else(|late| Err(late.into()))
    }

    async fn hear(&mut self) -> io::Result<i32> {
        self.line.read_i32_le().await
    }
}

/// This program, whatever has become of its file meanwhile, as a keeper.
#[cfg(not(test))]
fn keeper() -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.arg0("exec-keeper").arg(super::keeper::KEEPER);
    command
}

/// The program of these tests is no keeper: a shell that says what one would.
#[cfg(test)]
fn keeper() -> Command {
    let mut command = Command::new("/bin/sh");
    let script = r#"printf '\0\0\0\0' >&0; "$@" </dev/null; printf '\0\0\0\0' >&0"#;
    command.args(["-c", script, "keeper"]);
    command
}

fn no_keeper(error: &io::Error) -> io::Error {
    io::Error::other(format!("this program cannot start itself once more to watch over it: {error}"))
}

/// How long the system may take to start a program.
const START: std::time::Duration = std::time::Duration::from_secs(10);
/// How long a keeper may take to end what it keeps, [`LAST_WORDS`] included.
const KILLED: std::time::Duration = std::time::Duration::from_secs(3);

//! The keeper: a small process that stands between an exec source and its command, so that the command never outlives us.
//!
//! A process that is killed by `kill -9` can do nothing any more, and the kernel tells only its children's parent, not
//! theirs. So the command is started by this program called in another way, which begins a session of its own, starts the
//! command in it and waits at the line: a socket whose other end only the agent has. Bytes of output do not pass through
//! it: the command writes into the agent's pipe.
//!
//! On the line the keeper says, in four bytes each, whether the command was started (0, or the system's error number), and
//! with what it has ended. The agent says nothing but its end, or one byte: what still runs may go on without it.

use super::session;
use rustix::process::{Pid, Signal};
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// The first word of a command line that asks for a keeper; the command's words follow.
pub const KEEPER: &str = "__keep-command";

/// What the agent's program does when its first word is [`KEEPER`]: runs the command of `words` until it ends or the agent
/// does. Standard input is the line.
pub fn keep(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    match keep_all(words.into_iter().collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE, // the agent sees the line end
    }
}

fn keep_all(words: Vec<OsString>) -> io::Result<()> {
    let own = rustix::process::setsid()?;
    rustix::thread::set_name(c"exec-keeper")?;
    let mut line = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut answer = line.try_clone()?;
    let nowhere = std::fs::File::options().write(true).open("/dev/null")?;
    let mut child = match start(&words) {
        Ok(child) => child,
        Err(error) => return line.write_all(&error.raw_os_error().unwrap_or(UNKNOWN).to_le_bytes()),
    };
    // From here on an error must not leave the command behind: the agent may be killed before it hears of it.
    let leader = session::pid(child.id());
    let told = detach(&nowhere).and_then(|()| line.write_all(&0i32.to_le_bytes()));
    let waiter = thread::spawn(move || {
        let code = child.wait().map_or(-1, |status| exit_code(&status));
        answer.write_all(&code.to_le_bytes())
    });
    if told.and_then(|()| line.read(&mut [0])).is_ok_and(|said| said > 0) {
        return Ok(()); // let go
    }
    end(own, leader);
    let _nobody_listens = waiter.join();
    Ok(())
}

/// The pipes are the command's alone: the agent sees their end when the last process that has them is gone.
fn detach(nowhere: &std::fs::File) -> io::Result<()> {
    rustix::stdio::dup2_stdout(nowhere)?;
    Ok(rustix::stdio::dup2_stderr(nowhere)?)
}

fn start(words: &[OsString]) -> io::Result<Child> {
    let (program, arguments) = words.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    // A group of its own: it can be signalled in one go.
    Command::new(program).args(arguments).stdin(Stdio::null()).process_group(0).spawn()
}

/// Ends what runs in the session of `own`: asks, waits a moment, and then does not ask.
fn end(own: Pid, leader: Option<Pid>) {
    session::signal_group(leader, Signal::TERM);
    session::signal(session::members(own), Signal::TERM);
    if !pause_until_gone(own) {
        session::signal_group(leader, Signal::KILL);
        // One that was just started by another was not seen: the next look sees it.
        for _ in 0..MOST_LOOKS {
            let left = session::members(own);
            if left.is_empty() {
                break;
            }
            session::signal(left, Signal::KILL);
            pause(BETWEEN_LOOKS);
        }
    }
}

fn pause_until_gone(own: Pid) -> bool {
    let looks = LAST_WORDS.as_millis() / BETWEEN_LOOKS.as_millis();
    (0..looks).any(|_| {
        let gone = session::members(own).is_empty();
        if !gone {
            pause(BETWEEN_LOOKS);
        }
        gone
    })
}

fn pause(time: Duration) {
    let (_kept, nothing) = mpsc::channel::<()>();
    let _time_is_up = nothing.recv_timeout(time);
}

/// As a shell counts: 128 and the signal for a process that a signal ended.
fn exit_code(status: &ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}

/// How long a command that was told to end may still print.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(1);
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);
const MOST_LOOKS: usize = 100;
/// Said when an error has no number: "Invalid argument".
const UNKNOWN: i32 = 22;

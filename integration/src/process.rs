//! One real process: started, listened to, stopped, killed, and never left behind.

use crate::{console::Console, vitals};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{
        Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, pidfd_open, waitid,
    },
};
use std::{
    collections::BTreeSet,
    io,
    os::unix::process::CommandExt,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// A running process in a process group of its own. Dropping it kills it and what it started.
pub struct Process {
    child: Child,
    pid: Pid,
    started: Instant,
    ended: Option<Ended>,
}

/// How a process ended.
#[derive(Debug, Clone, Copy)]
pub struct Ended {
    /// What it said at the end.
    pub status: ExitStatus,
    /// Processor seconds of its whole life, with the children it waited for.
    pub cpu_seconds: f64,
}

/// In front of a program that is to hear SIGHUP, also where what runs the tests ignores it, as `nohup` does.
pub const HEARS_HANG_UPS: [&str; 2] = ["/usr/bin/env", "--default-signal=HUP"];

impl Process {
    /// Starts `command`; what it prints on standard output and standard error goes to `console` as `life`.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn spawn(mut command: Command, console: &Console, life: u32) -> io::Result<Process> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = Process::spawn_as_is(command)?;
        if let Some(out) = process.child.stdout.take() {
            console.read(out, life);
        }
        if let Some(err) = process.child.stderr.take() {
            console.read(err, life);
        }
        Ok(process)
    }

    /// Starts `command` with the files it has been given.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn spawn_as_is(mut command: Command) -> io::Result<Process> {
        let started = Instant::now();
        let child = command.process_group(0).spawn()?;
        let pid = Pid::from_child(&child);
        live().insert(pid.as_raw_nonzero().get());
        Ok(Process { child, pid, started, ended: None })
    }

    /// Its process id.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Just before it was started.
    pub fn started(&self) -> Instant {
        self.started
    }

    /// Ends it without a warning, as `kill -9` does, and waits until it is gone.
    pub fn kill(&mut self) {
        if self.ended.is_none() {
            let orphans = vitals::children(self.pid);
            self.signal(Signal::KILL);
            self.wait(FOREVER);
            for orphan in orphans {
                let _ = kill_process(orphan, Signal::KILL); // it may have ended with its parent
            }
        }
    }

    /// Sends `signal` to the process alone.
    pub fn signal(&self, signal: Signal) {
        if self.ended.is_none() {
            let _ = kill_process(self.pid, signal); // it may have ended by itself, which `wait` will tell
        }
    }

    /// Waits at most `timeout` for its end; `None` when it still runs.
    pub fn wait(&mut self, timeout: Duration) -> Option<Ended> {
        if self.ended.is_none() && self.poll_end(timeout) {
            // Still a zombie: the kernel has its times until it is waited for.
            let cpu_seconds = vitals::cpu_seconds(self.pid).unwrap_or_default();
            let status = self.child.wait().ok()?;
            live().remove(&self.pid.as_raw_nonzero().get());
            self.ended = Some(Ended { status, cpu_seconds });
        }
        self.ended
    }

    /// Whether it has not ended yet.
    pub fn is_running(&mut self) -> bool {
        self.wait(Duration::ZERO).is_none()
    }

    fn poll_end(&self, timeout: Duration) -> bool {
        let exited = || {
            waitid(
                WaitId::Pid(self.pid),
                WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT,
            )
        };
        if timeout > Duration::ZERO
            && let Ok(handle) = pidfd_open(self.pid, PidfdFlags::empty())
        {
            let limit = Timespec::try_from(timeout).ok();
            let deadline = Instant::now() + timeout.min(FOREVER);
            let mut fds = [PollFd::new(&handle, PollFlags::IN)];
            while poll(&mut fds, limit.as_ref()) == Err(rustix::io::Errno::INTR) && Instant::now() < deadline
            {
            }
        }
        matches!(exited(), Ok(Some(_)))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        let _ = kill_process_group(self.pid, Signal::KILL); // what it left running in its group
    }
}

/// Kills every process that was started here and still runs. For a program that must leave at once.
pub fn kill_all() {
    for pid in std::mem::take(&mut *live()).into_iter().filter_map(Pid::from_raw) {
        for child in vitals::children(pid) {
            let _ = kill_process(child, Signal::KILL);
        }
        let _ = kill_process_group(pid, Signal::KILL);
    }
}

fn live() -> std::sync::MutexGuard<'static, BTreeSet<i32>> {
    static LIVE: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Longer than any test.
const FOREVER: Duration = Duration::from_secs(24 * 3600);

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, console: &Console) -> Process {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Process::spawn(command, console, 0).expect("there is a shell")
    }

    #[test]
    fn both_outputs_are_read_and_the_exit_code_is_told() {
        let console = Console::default();
        let mut process = shell("echo out; echo err >&2; exit 3", &console);
        let ended = process.wait(Duration::from_secs(20)).expect("it ends by itself");
        assert_eq!(ended.status.code(), Some(3));
        assert!(console.drained(Duration::from_secs(20)));
        let mut lines: Vec<String> = console.lines_from(0).into_iter().map(|line| line.text).collect();
        lines.sort();
        assert_eq!(lines, ["err", "out"]);
    }

    #[test]
    fn a_kill_takes_the_children_along() {
        let console = Console::default();
        let mut process = shell("sleep 600 & echo ready; wait", &console);
        console
            .wait_from(0, Duration::from_secs(20), "ready", |line| line.text == "ready")
            .expect("it starts");
        assert!(process.is_running());
        let children = vitals::children(process.pid());
        assert_eq!(children.len(), 1);
        process.kill();
        assert!(!process.is_running());
        assert!(console.drained(Duration::from_secs(20)), "the child that held the pipe is gone as well");
    }
}

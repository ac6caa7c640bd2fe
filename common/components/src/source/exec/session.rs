//! The processes of a command: all that are in its session, whoever started them.

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::fs;

/// The processes of the session that `leader` began, without it and without those that have ended.
pub(super) fn members(leader: Pid) -> Vec<Pid> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let stats = processes.filter_map(|process| {
        let pid = number(process.file_name().to_str()?)?;
        // A program's name need not be UTF-8.
        Some((pid, fs::read(process.path().join("stat")).ok()?))
    });
    let is_member =
        |pid: Pid, stat: &[u8]| pid != leader && session_of(&String::from_utf8_lossy(stat)) == Some(leader);
    stats.filter(|(pid, stat)| is_member(*pid, stat)).map(|(pid, _)| pid).collect()
}

/// Sends `signal` to each of them.
pub(super) fn signal(members: impl IntoIterator<Item = Pid>, signal: Signal) {
    for pid in members {
        let _gone_already = kill_process(pid, signal);
    }
}

/// Sends `signal` to the process group of `leader`, in one go: none of it can escape by starting another.
pub(super) fn signal_group(leader: Option<Pid>, signal: Signal) {
    if let Some(leader) = leader {
        let _gone_already = kill_process_group(leader, signal);
    }
}

/// A process's number as the kernel's calls want it.
pub(super) fn pid(number: u32) -> Option<Pid> {
    i32::try_from(number).ok().and_then(Pid::from_raw)
}

/// The session of a `/proc/PID/stat` line that is about a living process: the fourth field behind the program's name, which
/// stands in brackets and may hold blanks and brackets itself.
fn session_of(stat: &str) -> Option<Pid> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    let state = fields.next()?;
    let session = number(fields.nth(2)?);
    session.filter(|_| !matches!(state, "Z" | "X"))
}

/// A process's number as the kernel writes it: -1 stands for none, as in the line of a process that is just ending.
fn number(text: &str) -> Option<Pid> {
    pid(text.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_read_whatever_the_program_is_called() {
        let session = |stat| session_of(stat).map(Pid::as_raw_nonzero).map(i32::from);
        assert_eq!(session("42 (a ) b) S 1 42 17 0 -1"), Some(17));
        assert_eq!(session("42 (sh) Z 1 42 17 0 -1"), None, "it has ended");
        assert_eq!(session("42 (sh) R 1 -1 -1 0 -1"), None, "it is just ending");
        assert_eq!(session("42 (sh"), None);
    }
}

//! The processes of a command: all that are in its session, whoever started them.

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::fs;

/// The processes of the session that `leader` began, without it and without those that have ended.
///
/// One look at a busy system may miss a process that is there, so "nobody" is believed when several looks agree.
pub(super) fn members(leader: Pid) -> Vec<Pid> {
    (0..LOOKS).map(|_| seen(leader)).find(|seen| !seen.is_empty()).unwrap_or_default()
}

const LOOKS: usize = 5;

fn seen(leader: Pid) -> Vec<Pid> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let stats = processes.filter_map(|process| {
        let pid: i32 = process.file_name().to_str()?.parse().ok()?;
        Some((Pid::from_raw(pid)?, fs::read_to_string(process.path().join("stat")).ok()?))
    });
    let is_member = |pid: Pid, stat: &str| pid != leader && session_of(stat) == Some(leader);
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
    let session = fields.nth(2)?.parse().ok().and_then(Pid::from_raw);
    session.filter(|_| !matches!(state, "Z" | "X"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_read_whatever_the_program_is_called() {
        let session = |stat| session_of(stat).map(Pid::as_raw_nonzero).map(i32::from);
        assert_eq!(session("42 (a ) b) S 1 42 17 0 -1"), Some(17));
        assert_eq!(session("42 (sh) Z 1 42 17 0 -1"), None, "it has ended");
        assert_eq!(session("42 (sh"), None);
    }
}

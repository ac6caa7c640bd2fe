//! What the kernel says about a process: memory, processor time, children.

use rustix::process::Pid;
use std::fs;

/// A figure of `/proc/PID/status` in KiB, such as `VmRSS` (resident now) or `VmHWM` (its peak); `None` once the process
/// has ended.
pub fn memory_kib(pid: Pid, figure: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let rest = status.lines().find_map(|line| line.strip_prefix(figure)?.strip_prefix(':'))?;
    rest.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// KiB that are its own and come from no file: heap, stacks, the C library's and the kernel's records. Without the pages of
/// the program that the loader has put addresses into, of which an unoptimised build has many.
pub fn working_kib(pid: Pid) -> Option<u64> {
    let maps = fs::read_to_string(format!("/proc/{pid}/smaps")).ok()?;
    let (mut of_file, mut sum) = (false, 0);
    for line in maps.lines() {
        if let Some(rest) = line.strip_prefix("Anonymous:") {
            let kib: u64 = rest.trim().strip_suffix("kB")?.trim().parse().ok()?;
            sum += if of_file { 0 } else { kib };
        } else if !line.split_whitespace().next()?.ends_with(':') {
            of_file = line.split_whitespace().nth(5).is_some_and(|name| name.starts_with('/'));
        }
    }
    Some(sum)
}

/// Seconds of processor time, user and system, of all its threads and of the children it has waited for. A process that
/// has ended but was not waited for yet still has it. The kernel counts in hundredths of a second.
pub fn cpu_seconds(pid: Pid) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    ticks(&stat).map(|ticks| ticks as f64 / TICKS_PER_SECOND)
}

/// Bytes it asked the kernel to write, to files and sockets alike, and bytes that went to a block device.
pub fn written_bytes(pid: Pid) -> Option<(u64, u64)> {
    let io = fs::read_to_string(format!("/proc/{pid}/io")).ok()?;
    let figure = |name: &str| io.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    Some((figure("wchar:")?, figure("write_bytes:")?))
}

/// How many threads it has.
pub fn threads(pid: Pid) -> Option<usize> {
    Some(fs::read_dir(format!("/proc/{pid}/task")).ok()?.count())
}

/// The processes it started that still run, and theirs.
pub fn children(pid: Pid) -> Vec<Pid> {
    let mut all = Vec::new();
    let mut open = vec![pid];
    while let Some(parent) = open.pop() {
        let found: Vec<Pid> = direct_children(parent);
        all.extend(&found);
        open.extend(found);
    }
    all
}

/// The JVM of an agent with Java components.
pub fn jvm(pid: Pid) -> Option<Pid> {
    child(pid, "org.logcluster.bridge")
}

/// The process it started that has `part` in its command line.
pub fn child(pid: Pid, part: &str) -> Option<Pid> {
    let has_it = |pid: &Pid| {
        fs::read_to_string(format!("/proc/{}/cmdline", pid.as_raw_nonzero()))
            .is_ok_and(|line| line.contains(part))
    };
    children(pid).into_iter().find(has_it)
}

/// Whether `pid`, or a process it started, has a file of this name open and an ear for changes. A `tail -F` that has not
/// come so far yet would pass over all but the last ten lines.
pub fn follows(pid: Pid, file_name: &str) -> bool {
    std::iter::once(pid).chain(children(pid)).any(|pid| {
        let open = open_files(pid);
        open.iter().any(|file| file.ends_with(file_name)) && open.iter().any(|file| file.contains("inotify"))
    })
}

fn open_files(pid: Pid) -> Vec<String> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    entries.filter_map(|entry| Some(fs::read_link(entry.path()).ok()?.display().to_string())).collect()
}

fn direct_children(pid: Pid) -> Vec<Pid> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(parse_pid).collect::<Vec<_>>()).collect()
}

fn parse_pid(text: &str) -> Option<Pid> {
    text.parse().ok().and_then(Pid::from_raw)
}

/// User and system time of a `/proc/PID/stat` line, own and of waited-for children: fields 14 to 17, counted behind the
/// program's name, which stands in brackets and may hold blanks and brackets itself.
fn ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let times: Vec<u64> =
        fields.split_whitespace().skip(11).take(4).filter_map(|field| field.parse().ok()).collect();
    (times.len() == 4).then(|| times.iter().sum())
}

/// `USER_HZ`, 100 on every Linux that Rust knows.
const TICKS_PER_SECOND: f64 = 100.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_does_not_shift_the_fields() {
        let stat = "42 (a ) b) S 1 2 3 4 5 6 7 8 9 10 100 20 3 4 20 0 1 0 5";
        assert_eq!(ticks(stat), Some(127));
        assert_eq!(ticks("42 (short) S 1"), None);
    }

    #[test]
    fn a_file_without_an_ear_is_not_followed() {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        let name = file.path().file_name().expect("it has one").to_string_lossy().into_owned();
        let own = rustix::process::getpid();
        assert!(open_files(own).iter().any(|open| open.ends_with(&name)));
        assert!(!follows(own, &name));
    }

    #[test]
    fn our_own_figures_are_there() {
        let own = rustix::process::getpid();
        assert!(working_kib(own).is_some_and(|kib| kib > 0));
        // The peak is asked for last: other tests of this process take memory between two looks.
        let resident = memory_kib(own, "VmRSS");
        assert!(resident.is_some_and(|kib| kib > 500));
        assert!(memory_kib(own, "VmHWM") >= resident);
        assert!(cpu_seconds(own).is_some() && threads(own).is_some_and(|count| count >= 1));
    }
}

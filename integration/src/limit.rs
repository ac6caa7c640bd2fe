//! Ends of other processes and threads, waited for with a limit: a fault makes a test fail and say what it waited for, not
//! hang. Needs nothing but the standard library: the binaries' own tests include this file.

use std::{
    io::Read,
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

/// Far longer than anything takes on a loaded machine, and far less than a test may take in all.
pub const LIMIT: Duration = Duration::from_secs(120);

/// Runs `command` to its end, as [`Command::output`] does.
///
/// # Panics
/// When it cannot be started, and when it still runs after [`LIMIT`]: it is killed, and what it printed is shown.
#[track_caller]
pub fn output(command: &mut Command) -> Output {
    let what = format!("{command:?}");
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    finish(child.unwrap_or_else(|error| panic!("{what} does not start: {error}")), &what)
}

/// Waits for the end of `child`, called `what`, as [`Child::wait_with_output`] does.
///
/// # Panics
/// As [`output`].
#[track_caller]
pub fn finish(mut child: Child, what: &str) -> Output {
    drop(child.stdin.take());
    let (out, err) = (child.stdout.take().map(gather), child.stderr.take().map(gather));
    let status = ended(&mut child);
    let gathered = |bytes: Option<Receiver<Vec<u8>>>| {
        // Whoever it has left behind may hold its output open.
        bytes.and_then(|bytes| bytes.recv_timeout(LIMIT).ok()).unwrap_or_default()
    };
    let (stdout, stderr) = (gathered(out), gathered(err));
    let Some(status) = status else {
        let said = [&stdout[..], &stderr].concat();
        panic!("{what} still ran after {LIMIT:?}; it printed:\n{}", String::from_utf8_lossy(&said));
    };
    Output { status, stdout, stderr }
}

/// Waits for the end of `child`, called `what`.
///
/// # Panics
/// When it still runs after [`LIMIT`]; it is killed.
#[track_caller]
pub fn wait(child: &mut Child, what: &str) -> ExitStatus {
    ended(child).unwrap_or_else(|| panic!("{what} still ran after {LIMIT:?}"))
}

/// How it ended; `None` when it had to be killed.
fn ended(child: &mut Child) -> Option<ExitStatus> {
    let deadline = Instant::now() + LIMIT;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().expect("a child of this process") {
            return Some(status);
        }
        thread::sleep(GLANCE);
    }
    child.kill().expect("it can be killed");
    child.wait().expect("a child of this process");
    None
}

fn gather(mut pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (send, bytes) = channel();
    thread::spawn(move || {
        let mut all = Vec::new();
        let _broken = pipe.read_to_end(&mut all); // what came before counts
        let _test_over = send.send(all);
    });
    bytes
}

/// How often it is looked at a process.
const GLANCE: Duration = Duration::from_millis(5);

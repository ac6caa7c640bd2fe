//! The `external` config filter: a secret from a command's output.
//!
//! Source: Flume's `ExternalProcessConfigFilter`: the key is the last word of the command, the first line of the output
//! is the answer. Flume waits without end, and before it reads; here a command has ten seconds.

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How long a command may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// So much of the output is read, in bytes; a secret is shorter.
const MOST_BYTES: u64 = 64 << 10;

/// Runs `command` with `key` behind it.
///
/// # Errors
/// Why there is no answer, for people.
pub(crate) fn ask(command: &[String], key: &str) -> Result<String, String> {
    let [program, words @ ..] = command else { return Err("its command is empty".to_owned()) };
    let mut child = Command::new(program)
        .args(words)
        .arg(key)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("`{program}` cannot be run: {error}"))?;
    let answer = first_line(&mut child).and_then(|line| Ok((line, ended(&mut child)?)));
    if answer.is_err() {
        // It may have ended by itself meanwhile, which is as good.
        let _ = child.kill();
        let _ = child.wait();
    }
    let (line, status) = answer.map_err(|why| format!("`{program}` {why}"))?;
    match (status.success(), line) {
        (false, _) => Err(format!("`{program}` ended with {status}")),
        (true, None) => Err(format!("`{program}` printed nothing")),
        (true, Some(line)) => Ok(line),
    }
}

/// The first line of its output, once it has ended that.
fn first_line(child: &mut Child) -> Result<Option<String>, String> {
    let Some(output) = child.stdout.take() else { return Ok(None) };
    let (done, waiting) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = output.take(MOST_BYTES).read_to_end(&mut bytes).map(|_| bytes);
        // Nobody waits any more when it took too long.
        let _ = done.send(read);
    });
    let bytes = waiting
        .recv_timeout(PATIENCE)
        .map_err(|_| format!("did not end within {} s", PATIENCE.as_secs()))?
        .map_err(|error| format!("cannot be read: {error}"))?;
    let text = String::from_utf8(bytes).map_err(|_| "printed something else than UTF-8".to_owned())?;
    Ok(text.lines().next().map(str::to_owned))
}

/// How it ended, once its output has: as a rule at once.
fn ended(child: &mut Child) -> Result<ExitStatus, String> {
    const LOOK: Duration = Duration::from_millis(20);
    for _ in 0..PATIENCE.as_millis() / LOOK.as_millis() {
        if let Some(status) = child.try_wait().map_err(|error| format!("is lost: {error}"))? {
            return Ok(status);
        }
        thread::park_timeout(LOOK);
    }
    Err(format!("did not end within {} s", PATIENCE.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Result<String, String> {
        ask(&["/bin/sh".into(), "-c".into(), script.into()], "key")
    }

    #[test]
    fn the_key_is_the_last_word_and_the_first_line_the_answer() {
        assert_eq!(ask(&["echo".into(), "a".into()], "key"), Ok("a key".into()));
        assert_eq!(shell("echo one; echo two"), Ok("one".into()));
        assert_eq!(shell("echo $0"), Ok("key".into()));
    }

    #[test]
    fn why_there_is_no_answer() {
        assert!(shell("echo x; exit 3").unwrap_err().contains("exit status: 3"));
        assert!(shell("true").unwrap_err().contains("printed nothing"));
        assert!(ask(&["/no/such/program".into()], "k").unwrap_err().contains("cannot be run"));
        assert!(ask(&[], "k").is_err());
    }
}

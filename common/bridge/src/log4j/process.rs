//! The JVM itself: what is asked of it, and its end.

use super::{
    Heard, Hears, LogFile, LogJvm,
    frames::{self, Said},
    printed::Printed,
};
use crate::{clock, jar, launch, with_cause};
use std::{io, path::Path, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::{Child, ChildStdin, Command},
    sync::mpsc,
    task::JoinHandle,
};

/// A JVM in which log4j has read the file. When it is dropped it is ended.
pub(super) struct Process {
    child: Child,
    to: Option<ChildStdin>,
    answers: mpsc::Receiver<Result<Said, String>>,
    printed: Option<JoinHandle<()>>,
}

impl Process {
    /// Starts one, and has log4j read the file.
    ///
    /// # Errors
    /// Why not, in an operator's words.
    pub(super) async fn begin(jvm: &LogJvm, file: &LogFile, hears: &Hears) -> Result<Process, String> {
        let wish = frames::wish(file, &jvm.properties)?;
        let mut process = Process::spawn(jvm, hears)?;
        let begun = tokio::time::timeout(START, process.ask(&wish)).await;
        match begun.map_err(|_| format!("it has not begun within {} s", START.as_secs()))?? {
            Said::Ready => Ok(process),
            Said::Failed(why) => Err(format!("log4j cannot be had there: {why}")),
            _ => Err(nonsense("lines are taken that it was not given")),
        }
    }

    fn spawn(jvm: &LogJvm, hears: &Hears) -> Result<Process, String> {
        let jar = jar::unpack(&jvm.scratch).map_err(|error| with_cause(&error))?;
        let failed = |error: io::Error| format!("/bin/sh, which is to become it, cannot be started: {error}");
        let mut child = command(jvm, &jar).spawn().map_err(failed)?;
        let (Some(to), Some(from), Some(err)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(format!("{} has no pipes", jvm.java.display()));
        };
        let (tell, answers) = mpsc::channel(1);
        tokio::spawn(read(from, tell, hears.clone()));
        let printed = Some(tokio::spawn(show(err, hears.clone())));
        Ok(Process { child, to: Some(to), answers, printed })
    }

    /// Hands records over, and waits until log4j has taken them.
    ///
    /// # Errors
    /// Why it has not. The process is of no use then.
    pub(super) async fn take(&mut self, records: &[u8]) -> Result<(), String> {
        let asked = tokio::time::timeout(PATIENCE, self.ask(&frames::framed(records)?)).await;
        match asked.map_err(|_| format!("it has not taken lines within {} s", PATIENCE.as_secs()))?? {
            Said::Taken => Ok(()),
            _ => Err(nonsense("it begins twice")),
        }
    }

    async fn ask(&mut self, frame: &[u8]) -> Result<Said, String> {
        let written = async {
            if let Some(to) = &mut self.to {
                to.write_all(frame).await?;
                to.flush().await?;
            }
            io::Result::Ok(())
        };
        // What it has said of its end is worth more than that nobody reads.
        let _ = written.await;
        match self.answers.recv().await {
            Some(said) => said,
            None => Err(self.ended().await),
        }
    }

    /// Waits for its end, while nothing is asked of it.
    pub(super) async fn ended_by_itself(&mut self) -> String {
        match self.answers.recv().await {
            Some(Ok(_)) => nonsense("it answers what it was not asked"),
            Some(Err(why)) => why,
            None => self.ended().await,
        }
    }

    async fn ended(&mut self) -> String {
        let ended = tokio::time::timeout(FAREWELL, self.child.wait()).await;
        if let Some(printed) = self.printed.take() {
            let _ = tokio::time::timeout(FAREWELL, printed).await; // a child of it may hold the pipe
        }
        match ended {
            Ok(Ok(status)) => format!("it has ended ({status})"),
            _ => "it has closed its pipe".to_owned(),
        }
    }

    /// Ends it: log4j writes what it has. Says whether it was in time.
    pub(super) async fn end(mut self, at_most: Duration) -> bool {
        self.to = None;
        let ended = async {
            let _ = self.child.wait().await;
            if let Some(printed) = self.printed.take() {
                let _ = printed.await;
            }
        };
        tokio::time::timeout(at_most, ended).await.is_ok()
    }
}

fn command(jvm: &LogJvm, jar: &Path) -> Command {
    let mut path = std::ffi::OsString::from(jvm.class_path.entries.join(":"));
    path.push(":");
    path.push(jar);
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", launch::MOVE_PIPES, "log4j"])
        .arg(&jvm.java)
        // No collector: a second one beside that of JAVA_TOOL_OPTIONS ends a JVM.
        .args(["-Xmx64m", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-XX:+ExitOnOutOfMemoryError"])
        .args((!jvm.class_path.native.is_empty()).then(|| launch::native(&jvm.class_path)))
        .arg("-cp")
        .arg(path)
        .args([MAIN, "/proc/self/fd/3", "/proc/self/fd/4"])
        .envs(&jvm.environment)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    command
}

/// Reads what it says until its end.
async fn read(mut from: impl AsyncRead + Unpin, tell: mpsc::Sender<Result<Said, String>>, hears: Hears) {
    loop {
        let said = match next(&mut from).await {
            Ok(Some(frame)) => frames::said(&frame).map_err(nonsense),
            Ok(None) => Err(nonsense("a frame of it is longer than any")),
            Err(_) => return,
        };
        let goes_on = said.is_ok();
        match said {
            Ok(Said::Printed(bytes)) => hears(Heard::Printed(bytes)),
            said => {
                if tell.send(said).await.is_err() {
                    return;
                }
            }
        }
        if !goes_on {
            return;
        }
    }
}

/// The next frame; `None`: it is too long.
async fn next(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Vec<u8>>> {
    let length = from.read_u32().await? as usize;
    if length > frames::MOST_SAID {
        return Ok(None);
    }
    let mut frame = vec![0; length];
    from.read_exact(&mut frame).await?;
    Ok(Some(frame))
}

/// Shows what it prints.
async fn show(mut err: impl AsyncRead + Unpin, hears: Hears) {
    let (mut printed, mut buffer) = (Printed::default(), Vec::with_capacity(4096));
    while let Ok(1..) = err.read_buf(&mut buffer).await {
        printed.take(&buffer, clock::now()).into_iter().for_each(|line| hears(Heard::Said(line)));
        buffer.clear();
    }
}

fn nonsense(what: &str) -> String {
    format!("it says what cannot be: {what}; look whether `java` of JAVA_HOME or of the PATH is a Java")
}

const MAIN: &str = "org.logcluster.bridge.LogLines";
/// A JVM on a loaded host takes some seconds.
const START: Duration = Duration::from_secs(60);
/// An appender may send a mail or ask a server.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long its end is waited for once it says no more.
const FAREWELL: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// What comes of a stream: what is answered, and what is printed.
    async fn heard(stream: &[u8]) -> (Vec<Result<Said, String>>, Vec<Heard>) {
        let (tell, mut answers) = mpsc::channel(10);
        let printed = Arc::new(Mutex::new(Vec::new()));
        let to = Arc::clone(&printed);
        read(stream, tell, Arc::new(move |what| to.lock().expect("nobody panics").push(what))).await;
        let mut answered = Vec::new();
        while let Some(said) = answers.recv().await {
            answered.push(said);
        }
        let printed = std::mem::take(&mut *printed.lock().expect("nobody panics"));
        (answered, printed)
    }

    #[tokio::test]
    async fn a_stream_that_is_cut_at_any_byte_has_its_whole_frames() {
        let frames = [&b"\0\0\0\x01R"[..], b"\0\0\0\x03Cx\n", b"\0\0\0\x01T"];
        let whole = frames.concat();
        for end in 0..=whole.len() {
            let (answered, printed) = heard(&whole[..end]).await;
            let all = [(5, Some(Said::Ready)), (12, None), (17, Some(Said::Taken))];
            let there: Vec<_> = all.into_iter().filter(|(at, _)| *at <= end).collect();
            let expected: Vec<_> = there.iter().filter_map(|(_, said)| said.as_ref()).collect();
            let answered: Vec<_> = answered.iter().map(|said| said.as_ref().expect("it is well")).collect();
            assert_eq!((answered, printed.len()), (expected, usize::from(end >= 12)), "{end}");
        }
    }

    #[tokio::test]
    async fn a_frame_that_is_too_long_ends_it_before_there_is_memory_for_it() {
        let (answered, _) = heard(b"\xff\xff\xff\xffC").await;
        assert!(matches!(&answered[..], [Err(why)] if why.contains("longer than any")), "{answered:?}");
    }
}

//! The JVM itself: what is asked of it, and its end.

use super::{
    Heard, Hears, LogFile, LogJvm,
    frames::{self, Said},
    printed::Printed,
};
use crate::{
    clock, jar, launch,
    small::{self, Small},
    with_cause,
};
use std::{
    ffi::OsString,
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, ChildStdin, Command},
    sync::mpsc,
    task::JoinHandle,
};

/// A JVM in which log4j has read the file. When it is dropped it is ended.
pub(super) struct Process {
    child: Child,
    to: Option<ChildStdin>,
    answers: mpsc::Receiver<Result<Said, String>>,
    /// What reads its pipes.
    readers: Vec<JoinHandle<()>>,
}

/// Why records are not taken.
#[derive(Debug)]
pub(super) struct Lost {
    pub(super) why: String,
    /// So many of them are, as far as it has said.
    pub(super) done: usize,
    /// Whether it had got them all.
    pub(super) given: bool,
}

/// Who is told of what it says, and how much that may be, of all JVMs together.
#[derive(Clone)]
pub(super) struct Ears {
    pub(super) hears: Hears,
    pub(super) printed: Arc<Mutex<Printed>>,
}

impl Ears {
    pub(super) fn new(hears: Hears) -> Ears {
        Ears { hears, printed: Arc::default() }
    }

    fn show(&self, lines: impl FnOnce(&mut Printed) -> Vec<String>) {
        let lines = lines(&mut self.printed.lock().unwrap_or_else(PoisonError::into_inner));
        lines.into_iter().for_each(|line| (self.hears)(Heard::Said(line)));
    }
}

impl Process {
    /// Starts one, and has log4j read the file.
    ///
    /// # Errors
    /// Why not, in an operator's words.
    pub(super) async fn begin(jvm: &LogJvm, file: &LogFile, ears: &Ears) -> Result<Process, String> {
        let wish = frames::wish(file, &jvm.properties)?;
        let mut process = Process::spawn(jvm, ears)?;
        let asked = async {
            let _ = small::write(process.to.as_mut(), &wish).await; // what it has said of its end is worth more than that nobody reads
            process.answer().await
        };
        let begun = tokio::time::timeout(PATIENCE, asked).await;
        match begun.map_err(|_| format!("it has not begun within {} s", PATIENCE.as_secs()))?? {
            Said::Ready => Ok(process),
            Said::Failed(why) => Err(format!("log4j cannot be had there: {why}")),
            _ => Err(nonsense("lines are taken that it was not given")),
        }
    }

    fn spawn(jvm: &LogJvm, ears: &Ears) -> Result<Process, String> {
        let jar = jar::unpack(&jvm.scratch).map_err(|error| with_cause(&error))?;
        let mut child = command(jvm, &jar).spawn().map_err(small::not_started)?;
        let (Some(to), Some(from), Some(err)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(format!("{} has no pipes", jvm.java.display()));
        };
        let (tell, answers) = mpsc::channel(1);
        let reader = tokio::spawn(read(from, tell, ears.hears.clone()));
        let readers = vec![reader, tokio::spawn(show(err, ears.clone()))];
        Ok(Process { child, to: Some(to), answers, readers })
    }

    /// Hands records over, and waits until log4j has taken them, as long as one after the other is done.
    ///
    /// # Errors
    /// Why it has not taken all of them. The process is of no use then.
    pub(super) async fn take(&mut self, records: &[u8]) -> Result<(), Lost> {
        let (mut done, given) = (0, true);
        let frame = frames::framed(records).map_err(|why| Lost { why, done, given })?;
        let written = tokio::time::timeout(PATIENCE, small::write(self.to.as_mut(), &frame)).await;
        let Ok(written) = written else {
            let why = format!("it has read no lines within {} s", PATIENCE.as_secs());
            return Err(Lost { why, done, given: false });
        };
        let given = written.is_ok();
        loop {
            let why = match tokio::time::timeout(PATIENCE, self.answer()).await {
                Ok(Ok(Said::Taken)) => return Ok(()),
                Ok(Ok(Said::Done(number))) => {
                    done = number.max(done);
                    continue;
                }
                Ok(Ok(_)) => nonsense("it begins twice"),
                Ok(Err(why)) => why,
                Err(_) => format!("it has not taken a line within {} s", PATIENCE.as_secs()),
            };
            return Err(Lost { why, done, given });
        }
    }

    async fn answer(&mut self) -> Result<Said, String> {
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
        let _ = tokio::time::timeout(FAREWELL, self.all_read()).await; // a child of it may hold the pipes
        match ended {
            Ok(Ok(status)) => format!("it has ended ({status})"),
            _ => "it has closed its pipe".to_owned(),
        }
    }

    /// Ends it: log4j writes what it has. Says whether it was in time.
    pub(super) async fn end(mut self, at_most: Duration) -> bool {
        self.to = None;
        self.answers.close();
        let ended = async {
            let _ = self.child.wait().await;
            self.all_read().await;
        };
        tokio::time::timeout(at_most, ended).await.is_ok()
    }

    /// Waits for the end of its pipes.
    async fn all_read(&mut self) {
        while let Some(reader) = self.readers.last_mut() {
            let _ = reader.await;
            self.readers.pop();
        }
    }
}

fn command(jvm: &LogJvm, jar: &Path) -> Command {
    let mut class_path = OsString::from(jvm.class_path.entries.join(":"));
    class_path.push(":");
    class_path.push(jar);
    let small = Small {
        before: (DEAF, "log4j"),
        java: &jvm.java,
        class_path: &class_path,
        main: MAIN,
        environment: &jvm.environment,
    };
    let mut options = vec!["-XX:+ExitOnOutOfMemoryError".to_owned()];
    options.extend((!jvm.class_path.native.is_empty()).then(|| launch::native(&jvm.class_path)));
    options.extend(of_the_start(&jvm.properties));
    let mut command = small.command(&options);
    command.stderr(Stdio::piped());
    command
}

/// Words for properties that count only when they are there before the first class is.
fn of_the_start(properties: &[(String, String)]) -> Vec<String> {
    let last = |name: &&str| properties.iter().rev().find(|(known, _)| known == name);
    AT_START.iter().filter_map(last).map(|(name, value)| format!("-D{name}={value}")).collect()
}

/// Reads what it says until its end.
async fn read(from: impl AsyncRead + Unpin, tell: mpsc::Sender<Result<Said, String>>, hears: Hears) {
    read_frames(from, &tell, &hears).await;
    hears(Heard::AllPrinted); // before `tell` is gone, which says that it has ended
}

async fn read_frames(
    mut from: impl AsyncRead + Unpin,
    tell: &mpsc::Sender<Result<Said, String>>,
    hears: &Hears,
) {
    loop {
        let said = match small::next(&mut from, frames::MOST_SAID).await {
            Ok(Some(frame)) => frames::said(&frame).map_err(nonsense),
            Ok(None) => Err(nonsense("a frame of it is longer than any")),
            Err(_) => return,
        };
        let goes_on = said.is_ok();
        match said {
            Ok(Said::Printed(bytes)) => hears(Heard::Printed(bytes)),
            said => drop(tell.send(said).await), // at the end nobody asks, and what is printed still counts
        }
        if !goes_on {
            return;
        }
    }
}

/// Shows what it prints.
async fn show(mut err: impl AsyncRead + Unpin, ears: Ears) {
    let mut buffer = Vec::with_capacity(4096);
    while let Ok(1..) = err.read_buf(&mut buffer).await {
        ears.show(|printed| printed.take(&buffer, clock::now()));
        buffer.clear();
    }
    ears.show(|printed| printed.rest(clock::now()));
}

fn nonsense(what: &str) -> String {
    format!("it says what cannot be: {what}; look whether `java` of JAVA_HOME or of the PATH is a Java")
}

const MAIN: &str = "org.logcluster.bridge.LogLines";
/// For one line, or for the start. An appender may send a mail or ask a server, and wait for a host that never answers: Linux takes
/// some 127 s to give it up. As long as [`crate::policy::SilenceLimits`] leaves a component of Flume's.
const PATIENCE: Duration = Duration::from_secs(300);
/// A signal to all of the agent's control group must not end log4j before the agent's last lines. The end of its pipe does.
const DEAF: &str = "trap '' TERM INT HUP; ";
/// What Java, or its library, reads once.
const AT_START: [&str; 8] = [
    "file.encoding",
    "sun.jnu.encoding",
    "user.language",
    "user.country",
    "user.timezone",
    "java.net.preferIPv4Stack",
    "java.net.preferIPv6Addresses",
    "java.awt.headless",
];
/// How long its end is waited for once it says no more.
const FAREWELL: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

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
        let mut printed = std::mem::take(&mut *printed.lock().expect("nobody panics"));
        assert_eq!(printed.pop(), Some(Heard::AllPrinted), "the last of all");
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

    #[test]
    fn what_java_reads_at_its_start_is_a_word() {
        let pairs = [("file.encoding", "a"), ("mail.password", "b"), ("file.encoding", "UTF-8")];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(of_the_start(&pairs), ["-Dfile.encoding=UTF-8"]);
    }

    #[tokio::test]
    async fn a_frame_that_is_too_long_ends_it_before_there_is_memory_for_it() {
        let (answered, _) = heard(b"\xff\xff\xff\xffC").await;
        assert!(matches!(&answered[..], [Err(why)] if why.contains("longer than any")), "{answered:?}");
    }
}

//! The tasks of a JVM: one writes its pipe, one reads it, one reads its log lines, one waits for its end, one asks whether
//! it is alive. None waits for another one, so that a full pipe on one side never stops the other.

use super::objects::Objects;
use super::*;
use crate::{
    crash::{self, Known},
    life::End as How,
};
use bytes::{Buf, Bytes, BytesMut};
use std::{
    collections::VecDeque,
    fs,
    io::IoSlice,
    path::{Path, PathBuf},
};
use tokio::{
    io::AsyncWriteExt,
    process::{Child, ChildStderr, ChildStdin},
    task::JoinHandle,
};

/// How a JVM has ended, and why it was ended if it was.
pub(super) struct End {
    status: String,
    killed: Option<Cause>,
}

/// The task that reads the JVM's output.
pub(super) struct Log {
    last_words: Arc<Mutex<VecDeque<String>>>,
    ended: JoinHandle<()>,
}

/// Writes frames in their order, many with one call.
pub(super) async fn write(mut pipe: ChildStdin, mut frames: mpsc::UnboundedReceiver<Outgoing>) {
    let (mut ready, mut parts) = (Vec::new(), VecDeque::<Bytes>::new());
    while frames.recv_many(&mut ready, MOST_SLICES).await > 0 {
        parts.extend(ready.drain(..).flat_map(|frame| frame.parts));
        while !parts.is_empty() {
            let mut slices = [IoSlice::new(&[]); MOST_SLICES];
            let used = parts.len().min(MOST_SLICES);
            for (slice, part) in slices.iter_mut().zip(&parts) {
                *slice = IoSlice::new(part);
            }
            let Ok(written) = pipe.write_vectored(&slices[..used]).await else { return };
            advance(&mut parts, written);
        }
    }
}

/// Takes what is written off the front.
fn advance(parts: &mut VecDeque<Bytes>, mut written: usize) {
    while let Some(first) = parts.front_mut() {
        if first.len() > written {
            first.advance(written);
            return;
        }
        written -= first.len();
        parts.pop_front();
    }
}

/// What tells why a JVM has ended.
pub(super) struct Last {
    pub(super) log: Log,
    /// The report that it writes when it crashes.
    pub(super) report: PathBuf,
}

/// Reads the JVM's pipe to its very end, and only then says that it is gone: acknowledgements that were written before a
/// kill are still in it.
pub(super) async fn read(
    shared: Arc<Shared>,
    mut pipe: ChildStdout,
    end: oneshot::Receiver<End>,
    last: Last,
    greet: oneshot::Sender<()>,
) {
    let (mut exiting, mut greet) = (None, Some(greet));
    let fault = read_frames(&shared, &mut pipe, &mut exiting, &mut greet).await;
    if let Some(fault) = &fault {
        shared.kill(fault.clone());
    }
    drop(pipe);
    // It has closed its pipe, so it is about to end; if it does not, it is made to.
    let mut end = std::pin::pin!(end);
    let ended = match tokio::time::timeout(ANSWER, &mut end).await {
        Ok(ended) => ended,
        Err(_) => {
            shared.kill("it has closed its pipe and does not end".to_owned());
            end.await
        }
    };
    let (status, killed) = ended.map_or(("it is gone".into(), None), |end| (end.status, end.killed));
    let wanted = killed.as_ref().is_some_and(|cause| cause.text == UNUSED);
    // What it has said last is on its way; a program that it has started may hold the pipe open for longer.
    let _ = tokio::time::timeout(LAST_LINES, last.log.ended).await;
    let crash = if killed.is_none() && exiting.is_none() { crash(&shared, &last.report) } else { None };
    let cause = killed.or(exiting).or(crash).unwrap_or_else(|| {
        let words = last.log.last_words.lock().unwrap_or_else(PoisonError::into_inner);
        let said = words.iter().map(String::as_str).collect::<Vec<_>>().join(" | ");
        let text = if said.is_empty() { status } else { format!("{status}; its last lines: {said}") };
        Cause::from(text)
    });
    shared.ended(cause, wanted);
    drop(greet);
}

/// What its report says of its crash. The last one is kept, for those who made what has crashed; one of used up memory is not.
fn crash(shared: &Shared, report: &Path) -> Option<Cause> {
    let kept = report.with_file_name("crash.log");
    fs::rename(report, &kept).ok()?;
    let text = String::from_utf8_lossy(&fs::read(&kept).ok()?).into_owned();
    let registry = shared.registry();
    let known = registry.components.values();
    let known = known.map(|entry| Known { title: entry.title.clone(), classes: entry.classes.clone() });
    let mut cause = crash::cause(&text, &known.collect::<Vec<_>>())?;
    match cause.end {
        How::Memory => drop(fs::remove_file(kept)),
        _ => cause.text.push_str(&format!("; its report is {}", kept.display())),
    }
    Some(cause)
}

/// Hands frames on until the pipe ends. Says why, if it had to stop before.
async fn read_frames(
    shared: &Arc<Shared>,
    pipe: &mut ChildStdout,
    exiting: &mut Option<Cause>,
    greet: &mut Option<oneshot::Sender<()>>,
) -> Option<String> {
    let mut decoder = FrameDecoder::new(MOST_FRAME);
    loop {
        match pipe.read_buf(decoder.room()).await {
            Ok(0) | Err(_) => return None, // a last frame that was cut off is forgotten
            Ok(_) => {}
        }
        loop {
            let frame = match decoder.next_frame() {
                Ok(Some(frame)) => frame,
                Ok(None) => break,
                Err(fault) => return Some(BridgeError::from(fault).to_string()),
            };
            let component = frame.component;
            match FromJvm::read(frame) {
                Ok(Some(FromJvm::Hello(hello))) => {
                    if hello.protocol != VERSION {
                        return Some(format!(
                            "it speaks version {} of the protocol, not {VERSION}",
                            hello.protocol
                        ));
                    }
                    (shared.notify)(Notice::Started(hello.clone()));
                    let _ = shared.hello.set(hello);
                    greet.take().map(|greet| greet.send(()));
                }
                Ok(Some(FromJvm::Exiting { component, stack })) => *exiting = exit(&component, &stack),
                Ok(Some(FromJvm::WithObjects { id, message })) => {
                    shared.dispatch(component, message.with(Objects::new(shared, id)));
                }
                Ok(Some(message)) => shared.dispatch(component, message),
                Ok(None) => {} // of a newer jar: it can be done without, or the version would differ
                Err(malformed) => return Some(BridgeError::from(malformed).to_string()),
            }
        }
    }
}

/// Who has ended the JVM by `System.exit`; `None` when a signal did.
fn exit(component: &str, stack: &str) -> Option<Cause> {
    let who = if component.is_empty() { "a thread of no component" } else { component };
    // The frames of Java's own come first; the first one below is the caller.
    // Since Java 9 a module or a class loader stands before each: `java.base/`, `app//`.
    let calls =
        stack.lines().skip(1).filter_map(|line| line.trim().trim_start_matches("at ").rsplit('/').next());
    let caller = calls.skip_while(|call| call.starts_with("java.")).find(|call| !call.is_empty())?;
    let culprit = (!component.is_empty()).then(|| component.to_owned());
    Some(Cause { text: format!("{who} has called System.exit, in {caller}"), culprit, end: How::Crash })
}

/// Passes the lines of the JVM's output on, and keeps the last few: they say why it has died.
pub(super) fn spawn_log(shared: &Arc<Shared>, mut pipe: ChildStderr) -> Log {
    let last_words = Arc::new(Mutex::new(VecDeque::new()));
    let (notify, words) = (shared.notify.clone(), last_words.clone());
    let ended = tokio::spawn(async move {
        let mut buffer = BytesMut::new();
        loop {
            buffer.reserve(4096);
            let ended = !matches!(pipe.read_buf(&mut buffer).await, Ok(1..));
            while let Some(line) = line(&mut buffer, ended) {
                keep(&mut words.lock().unwrap_or_else(PoisonError::into_inner), &line);
                notify(Notice::Output(line));
            }
            if ended {
                return;
            }
        }
    });
    Log { last_words, ended }
}

/// Keeps the last lines, but for what only continues one: a stack's calls say less than the line above them.
fn keep(words: &mut VecDeque<String>, line: &str) {
    // The end of a crash's report says less than what stands before it.
    if line.starts_with(char::is_whitespace) || line.starts_with('#') || line.is_empty() {
        return;
    }
    if words.len() == LAST_WORDS {
        words.pop_front();
    }
    words.push_back(line.to_owned());
}

/// The next line; a very long one comes in pieces.
fn line(buffer: &mut BytesMut, ended: bool) -> Option<String> {
    let end = buffer.iter().take(LONGEST_LINE).position(|byte| *byte == b'\n');
    let cut = match end {
        Some(at) => at + 1,
        None if buffer.len() >= LONGEST_LINE || ended && !buffer.is_empty() => buffer.len().min(LONGEST_LINE),
        None => return None,
    };
    let line = buffer.split_to(cut);
    Some(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_owned())
}

/// Waits for the process, and kills it when that is asked for.
pub(super) fn spawn_reaper(
    mut child: Child,
    mut kills: mpsc::UnboundedReceiver<Cause>,
) -> oneshot::Receiver<End> {
    let (tell, told) = oneshot::channel();
    tokio::spawn(async move {
        let mut killed = None;
        let status = loop {
            tokio::select! {
                status = child.wait() => break status,
                Some(cause) = kills.recv() => {
                    killed.get_or_insert(cause);
                    let _ = child.start_kill(); // it may have ended this very moment
                }
            }
        };
        let status = status.map_or_else(|error| error.to_string(), |status| status.to_string());
        let _ = tell.send(End { status, killed });
    });
    told
}

/// Asks the JVM every ten seconds whether it is there. The thread that answers never waits for a component, so silence
/// means that the JVM as a whole hangs.
pub(super) async fn watch(shared: Weak<Shared>) {
    let mut seen = u64::MAX;
    loop {
        let Some(jvm) = shared.upgrade().filter(|jvm| jvm.end.get().is_none()) else { return };
        let pongs = jvm.registry().pongs;
        if pongs == seen {
            jvm.kill(format!("it has not answered for {} s", PING.as_secs()));
            return;
        }
        seen = pongs;
        let _ = jvm.out.send(to_jvm::plain(to_jvm::PING, 0));
        drop(jvm);
        tokio::time::sleep(PING).await;
    }
}

/// As many slices as one call of the kernel takes, nearly.
const MOST_SLICES: usize = 256;

/// Lines that are kept for the reason of a death.
const LAST_WORDS: usize = 3;

/// How long the last lines of a JVM that has ended are waited for.
const LAST_LINES: Duration = Duration::from_secs(1);

/// A longer line of output comes in pieces.
const LONGEST_LINE: usize = 16 * 1024;

/// A JVM that collects a large heap stands still for seconds.
const PING: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_called_system_exit_is_named() {
        let stack = "\"worker\"\n\tat java.lang.Thread.sleep(Native)\n\tat java.base/java.lang.Runtime.exit(Runtime.java:1)\n\
                     \tat java.lang.System.exit(System.java:9)\n\tat app//org.acme.Sink.process(Sink.java:7)\n\tat x.Y.z(Y.java:1)\n";
        let cause = exit("sink k1", stack).expect("a caller");
        assert_eq!(cause.text, "sink k1 has called System.exit, in org.acme.Sink.process(Sink.java:7)");
        assert_eq!([cause.fault("sink k1"), cause.fault("sink k2")], [Fault::Crash, Fault::Another]);
        assert!(exit("", "").is_none(), "a signal has ended it");
    }

    #[test]
    fn the_last_words_are_lines_that_say_something() {
        let mut words = VecDeque::new();
        for line in ["one", "two", "java.lang.Error: no", "\tat x", "", "\tat y", "three"] {
            keep(&mut words, line);
        }
        assert_eq!(words, ["two", "java.lang.Error: no", "three"]);
    }

    #[test]
    fn lines_come_whole_and_long_ones_in_pieces() {
        let mut buffer = BytesMut::from(&b"one\r\ntwo\nthr"[..]);
        let lines: Vec<_> = std::iter::from_fn(|| line(&mut buffer, false)).collect();
        assert_eq!(lines, ["one", "two"]);
        assert_eq!((line(&mut buffer, true).as_deref(), line(&mut buffer, true)), (Some("thr"), None));
        let mut long = BytesMut::from(&vec![b'x'; LONGEST_LINE + 1][..]);
        assert_eq!(line(&mut long, false).map(|line| line.len()), Some(LONGEST_LINE));
    }

    #[test]
    fn what_is_written_is_taken_off_the_front() {
        let mut parts = VecDeque::from(["abc", "", "de"].map(|part| Bytes::from_static(part.as_bytes())));
        advance(&mut parts, 4);
        assert_eq!(parts, ["e"]);
        advance(&mut parts, 1);
        assert!(parts.is_empty());
    }
}

//! What the frames say, both ways. The JVM's side has the same numbers in `Protocol.java`. No I/O.
//!
//! Payloads are in Avro's binary form: numbers are zig-zag, texts and bytes have their length before them, an event is
//! its header map and its body, as everywhere in this project.

use crate::{ComponentKind, frame::Frame};
use bytes::{Bytes, BytesMut};
use event::{Batch, Malformed, Scanner, push_zigzag, read_length, read_zigzag};
use std::{any::Any, collections::BTreeMap, sync::Arc};

pub(crate) mod to_jvm;

/// The protocol's version, which the JVM says in its HELLO.
pub const VERSION: i64 = 1;

/// A frame from the JVM.
#[derive(Debug)]
pub(crate) enum FromJvm {
    Hello(Hello),
    Created {
        class: String,
        batch_size: Option<usize>,
        how: String,
    },
    Started,
    Stopped,
    /// A step of the life cycle, or "call N", has failed.
    Error {
        phase: String,
        thrown: Thrown,
    },
    /// An answer of interceptors, to be read beside the batch of its call.
    Result {
        call: u64,
        answer: Bytes,
        objects: Option<Kept>,
    },
    Ack(Ranges),
    Nack(Ranges),
    Done {
        outcome: Outcome,
        runs: u64,
        starved: bool,
    },
    Recalled(Ranges),
    Put {
        transaction: i64,
        channel: usize,
        batch: Batch,
    },
    Metrics(Metrics),
    Pong,
    Dumped {
        deadlock: String,
        stacks: String,
    },
    Log(LogLine),
    Uncaught {
        thread: String,
        thrown: Thrown,
    },
    Exiting {
        component: String,
        stack: String,
    },
    Taken {
        transaction: u64,
        batch: Batch,
    },
    TransactionDone {
        transaction: u64,
        answer: Result<(), (bool, Thrown)>,
    },
    Ask {
        index: usize,
    },
    /// Somebody reads the counters of native components.
    Count,
    /// What a config filter answers.
    Word(Option<String>),
    /// Events, of which the JVM keeps objects under this number.
    WithObjects {
        id: u64,
        message: Box<FromJvm>,
    },
}

/// The first frame of a JVM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// The protocol it speaks.
    pub protocol: i64,
    /// Flume's version on its class path.
    pub flume: String,
    /// The JVM's own.
    pub java: String,
    /// `pid@host`.
    pub process: String,
    /// Milliseconds since the JVM began.
    pub start_millis: i64,
    /// Its largest heap in bytes.
    pub heap_bytes: i64,
}

/// What says, when its last part is dropped, that nobody has a batch's objects any more.
pub(crate) type Kept = Arc<dyn Any + Send + Sync>;

/// Something that was thrown in the JVM.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Thrown {
    /// Its class.
    pub class: String,
    /// Its message; may be empty.
    pub message: String,
    /// The class that was looked for and not found, if that is what it is about.
    pub missing: Option<String>,
    /// Its stack, many lines.
    pub stack: String,
}

impl Thrown {
    /// Whether it is about an event, or something else, that is of another class than was wanted.
    pub fn is_a_cast(&self) -> bool {
        let of =
            |line: &str| line.strip_prefix(CAST).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'));
        of(&self.class) || self.stack.lines().filter_map(|line| line.strip_prefix(CAUSE)).any(of)
    }
}

const CAST: &str = "java.lang.ClassCastException";
/// Begins the line of each cause in a stack.
const CAUSE: &str = "Caused by: ";

/// `FlumeException: Failed to login; its cause is KerberosAuthException: no such keytab`
impl std::fmt::Display for Thrown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let short = |class: &str| class.rsplit('.').next().unwrap_or_default().to_owned();
        f.write_str(&short(&self.class))?;
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        let Some(cause) = self.last_cause() else { return Ok(()) };
        let (class, message) = cause.split_once(": ").unwrap_or((cause, ""));
        match message {
            // What wraps a cause often says it, too.
            _ if self.message.contains(if message.is_empty() { class } else { message }) => Ok(()),
            "" => write!(f, "; its cause is {}", short(class)),
            _ => write!(f, "; its cause is {}: {message}", short(class)),
        }
    }
}

impl Thrown {
    /// `CLASS: MESSAGE` of what all began with, by the stack.
    fn last_cause(&self) -> Option<&str> {
        self.stack.lines().rev().find_map(|line| line.strip_prefix(CAUSE))
    }
}

/// How `process()` of a sink or of a group has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It may be asked again at once.
    Ready,
    /// It wants a pause.
    Backoff,
    /// It has thrown an exception: a pause, then it may be asked again.
    Exception(Thrown),
    /// It has thrown an Error: its thread is gone, as in Flume.
    Dead(Thrown),
}

/// Stretches of event numbers: first, how many.
pub type Ranges = Vec<(u64, u64)>;

/// Counters by component (`SINK.k1`) and name.
pub type Metrics = BTreeMap<String, BTreeMap<String, String>>;

/// A line of the class path's own logging.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// `INFO`, `WARN`, ...
    pub level: String,
    /// The logger's name.
    pub logger: String,
    /// The thread's.
    pub thread: String,
    /// The message.
    pub message: String,
    /// The stack of what was logged with it; empty when there is none.
    pub stack: String,
    /// When, in milliseconds since 1970.
    pub millis: i64,
}

impl FromJvm {
    /// Reads a frame; `None` when it is of a kind that this version does not know.
    ///
    /// # Errors
    /// [`Malformed`].
    pub(crate) fn read(frame: Frame) -> Result<Option<FromJvm>, Malformed> {
        let mut reader = Reader::new(frame.payload);
        match frame.kind {
            kind if WITH_OBJECTS.contains(&kind) => {
                let id = reader.natural()?;
                let message = FromJvm::read_kind(kind & !OBJECTS, &mut reader)?;
                Ok(message.map(|message| FromJvm::WithObjects { id, message: Box::new(message) }))
            }
            kind => FromJvm::read_kind(kind, &mut reader),
        }
    }

    fn read_kind(kind: u8, r: &mut Reader) -> Result<Option<FromJvm>, Malformed> {
        Ok(Some(match kind {
            0x81 => FromJvm::Hello(r.hello()?),
            0x82 => {
                let (class, size, how) = (r.text()?, r.number()?, r.text()?);
                FromJvm::Created {
                    class,
                    batch_size: usize::try_from(size).ok().filter(|size| *size > 0),
                    how,
                }
            }
            0x83 => FromJvm::Started,
            0x84 => FromJvm::Stopped,
            0x8f => FromJvm::Error { phase: r.text()?, thrown: r.thrown()? },
            0x90 => FromJvm::Result { call: r.natural()?, answer: r.rest(), objects: None },
            0xa1 => FromJvm::Ack(r.ranges()?),
            0xa2 => FromJvm::Nack(r.ranges()?),
            0xa3 => {
                let (code, runs, starved) = (r.number()?, r.natural()?, r.number()? == 1);
                FromJvm::Done { outcome: r.outcome(code)?, runs, starved }
            }
            0xa4 => FromJvm::Recalled(r.ranges()?),
            0xb0 => FromJvm::Put { transaction: r.number()?, channel: r.size()?, batch: r.events()? },
            0xc0 => FromJvm::Metrics(r.metrics()?),
            0xc1 => FromJvm::Pong,
            0xc2 => FromJvm::Dumped { deadlock: r.text()?, stacks: r.text()? },
            0xcd => FromJvm::Log(r.log()?),
            0xce => FromJvm::Uncaught { thread: r.text()?, thrown: r.thrown()? },
            0xcf => FromJvm::Exiting { component: r.text()?, stack: r.text()? },
            0xd0 => FromJvm::Taken { transaction: r.natural()?, batch: r.events()? },
            0xd1 => {
                let (transaction, code) = (r.natural()?, r.number()?);
                let answer = if code == 0 { Ok(()) } else { Err((code == 1, r.thrown()?)) };
                FromJvm::TransactionDone { transaction, answer }
            }
            0xe0 => FromJvm::Ask { index: r.size()? },
            0xe1 => FromJvm::Count,
            0xf0 => {
                let (there, word) = (r.number()? == 1, r.text()?);
                FromJvm::Word(there.then_some(word))
            }
            _ => return Ok(None),
        }))
    }

    /// The same message, whose events have these objects.
    pub(crate) fn with(self, kept: Kept) -> FromJvm {
        match self {
            FromJvm::Put { transaction, channel, batch } => {
                FromJvm::Put { transaction, channel, batch: batch.with_beside(kept) }
            }
            FromJvm::Taken { transaction, batch } => {
                FromJvm::Taken { transaction, batch: batch.with_beside(kept) }
            }
            FromJvm::Result { call, answer, .. } => FromJvm::Result { call, answer, objects: Some(kept) },
            other => other,
        }
    }
}

/// In the kind of a frame whose events have objects: their number comes first then.
const OBJECTS: u8 = 0x08;

/// An answer of interceptors, a source's put, what a channel's transaction has taken.
const WITH_OBJECTS: [u8; 3] = [0x90 | OBJECTS, 0xb0 | OBJECTS, 0xd0 | OBJECTS];

/// Reads a payload from its front. Lengths and counts that lie run out of bytes, not of memory.
pub(crate) struct Reader {
    bytes: Bytes,
    at: usize,
}

impl Reader {
    pub(crate) fn new(bytes: Bytes) -> Reader {
        Reader { bytes, at: 0 }
    }

    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    pub(crate) fn at(&mut self) -> &mut usize {
        &mut self.at
    }

    pub(crate) fn number(&mut self) -> Result<i64, Malformed> {
        read_zigzag(&self.bytes, &mut self.at)
    }

    pub(crate) fn natural(&mut self) -> Result<u64, Malformed> {
        u64::try_from(self.number()?).map_err(|_| Malformed::Length)
    }

    pub(crate) fn size(&mut self) -> Result<usize, Malformed> {
        usize::try_from(self.number()?).map_err(|_| Malformed::Length)
    }

    fn text(&mut self) -> Result<String, Malformed> {
        let length = read_length(&self.bytes, &mut self.at)?;
        let text = String::from_utf8_lossy(&self.bytes[self.at..self.at + length]).into_owned();
        self.at += length;
        Ok(text)
    }

    fn rest(&mut self) -> Bytes {
        self.bytes.slice(self.at..)
    }

    /// Events, as slices of the frame.
    fn events(&mut self) -> Result<Batch, Malformed> {
        let count = self.size()?;
        let bytes = self.rest();
        let mut spans = Vec::with_capacity(count.min(FIRST_ROOM));
        let (mut scanner, mut at) = (Scanner::new(&bytes), 0);
        for _ in 0..count {
            let mut span = scanner.scan(&mut at)?;
            span.received = event::Span::BORN_HERE;
            spans.push(span);
        }
        let alike = scanner.alike();
        Ok(Batch::from_parts(bytes, spans, alike))
    }

    fn ranges(&mut self) -> Result<Ranges, Malformed> {
        let count = self.size()?;
        let mut ranges = Vec::with_capacity(count.min(FIRST_ROOM));
        for _ in 0..count {
            ranges.push((self.natural()?, self.natural()?));
        }
        Ok(ranges)
    }

    fn thrown(&mut self) -> Result<Thrown, Malformed> {
        let (class, message, missing, stack) = (self.text()?, self.text()?, self.text()?, self.text()?);
        Ok(Thrown { class, message, missing: Some(missing).filter(|name| !name.is_empty()), stack })
    }

    fn outcome(&mut self, code: i64) -> Result<Outcome, Malformed> {
        Ok(match code {
            0 => Outcome::Ready,
            1 => Outcome::Backoff,
            2 => Outcome::Exception(self.thrown()?),
            3 => Outcome::Dead(self.thrown()?),
            _ => return Err(Malformed::Choice),
        })
    }

    fn hello(&mut self) -> Result<Hello, Malformed> {
        Ok(Hello {
            protocol: self.number()?,
            flume: self.text()?,
            java: self.text()?,
            process: self.text()?,
            start_millis: self.number()?,
            heap_bytes: self.number()?,
        })
    }

    fn log(&mut self) -> Result<LogLine, Malformed> {
        Ok(LogLine {
            level: self.text()?,
            logger: self.text()?,
            thread: self.text()?,
            message: self.text()?,
            stack: self.text()?,
            millis: self.number()?,
        })
    }

    fn metrics(&mut self) -> Result<Metrics, Malformed> {
        let mut metrics = Metrics::new();
        for _ in 0..self.size()? {
            let name = self.text()?;
            let mut counters = BTreeMap::new();
            for _ in 0..self.size()? {
                counters.insert(self.text()?, self.text()?);
            }
            metrics.insert(name, counters);
        }
        Ok(metrics)
    }
}

fn push_text(out: &mut BytesMut, text: &str) {
    push_zigzag(out, text.len() as i64);
    out.extend_from_slice(text.as_bytes());
}

/// Room that is made for a list before its items are there, whatever count is announced.
const FIRST_ROOM: usize = 1024;

impl ComponentKind {
    /// The word for it in messages.
    pub(crate) fn word(self) -> &'static str {
        match self {
            ComponentKind::Source => "source",
            ComponentKind::Sink => "sink",
            ComponentKind::Interceptors => "interceptors of source",
            ComponentKind::Channel => "channel",
            ComponentKind::Group => "sink group",
            ComponentKind::Filter => "config filter",
            ComponentKind::Monitor => "monitor",
        }
    }
}

/// What the fuzz target of this crate does: any bytes as a stream from the JVM, in pieces of any size.
#[doc(hidden)]
pub fn fuzz(data: &[u8]) {
    let mut seen = None;
    for piece in [usize::MAX, 1, 7] {
        let mut decoder = crate::frame::FrameDecoder::new(1 << 16);
        let mut all = Vec::new();
        'stream: for part in data.chunks(piece.min(data.len().max(1))) {
            decoder.room().extend_from_slice(part);
            loop {
                match decoder.next_frame() {
                    Ok(Some(frame)) => all.push(format!("{:?}", FromJvm::read(frame))),
                    Ok(None) => break,
                    Err(fault) => {
                        all.push(fault.to_string());
                        break 'stream;
                    }
                }
            }
        }
        assert_eq!(*seen.get_or_insert(all.clone()), all, "pieces of {piece}");
    }
}

#[cfg(test)]
mod tests;

//! Own log lines: they wait in a bounded queue, and give way when it is full.

use crate::{
    Levels,
    layout::{self, Format},
    output::{Cut, Place},
    packing::Packing,
    speaker::Speaker,
    stamp::Stamp,
};
use arc_swap::ArcSwap;
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use slog::Level;
use std::{
    io,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant, SystemTime},
};

/// What loggers need: how lines look, which are printed, and where they wait.
pub(crate) struct LogOutput {
    pub(crate) queue: Arc<Queue>,
    pub(crate) bell: Sender<()>, // the writer ends when it is gone
    pub(crate) format: Format,
    pub(crate) levels: ArcSwap<Levels>,
    pub(crate) gives_way: bool,
    pub(crate) events_wait: Duration, // for room in a place that gives way
    pub(crate) packing: Option<Arc<Packing>>, // what compresses its rolled files
}

/// Whether a line may hold its speaker up, for [`PATIENCE`] at most.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Urgency {
    GivesWay,
    MayWait,
}

impl LogOutput {
    /// Hands an own line over, or counts it as left out. For a place that gives way nobody waits.
    pub(crate) fn say(&self, line: Vec<u8>, urgency: Urgency) {
        let urgency = if self.gives_way { Urgency::GivesWay } else { urgency };
        self.queue.put(line, urgency);
        self.ring();
    }

    /// Hands over what a logger sink prints to a place that gives way. Waits for room where the place is worth that; blocks.
    pub(crate) fn say_event(&self, message: Vec<u8>) {
        if !self.events_wait.is_zero() {
            self.queue.wait_for_room(message.len(), self.events_wait);
        }
        self.say(message, Urgency::GivesWay);
    }

    /// Says something that is about this process's own lines, whatever levels are printed.
    pub(crate) fn tell(&self, level: Level, text: &str) {
        let mut line = Vec::new();
        let mut stamp = Stamp::new(None);
        layout::plain_line(&self.format, &mut line, &mut stamp, (SystemTime::now(), level), &SPEAKER, text);
        self.say(line, Urgency::MayWait);
    }

    /// Writes whole lines of data, behind the own lines that wait. Blocks while the place takes nothing.
    ///
    /// # Errors
    /// [`Cut`] when it refuses.
    pub(crate) fn data(&self, lines: &[u8]) -> Result<(), Cut> {
        let mut writing = self.queue.writing();
        self.queue.drain(&mut writing, &self.format);
        writing.output.write_lines(lines)
    }

    /// Counts lines of data as left out: of those of `lines` that stand behind `cut`.
    pub(crate) fn leave_out(&self, lines: &[u8], cut: Cut) {
        let lost = lines[cut.written..].iter().filter(|byte| **byte == b'\n').count();
        self.queue.left_out.fetch_add(lost as u64, Relaxed);
        self.queue.writing().trouble.get_or_insert(cut.error);
    }

    /// Waits until `end` until every own line said so far is written or lost. Says whether that came to pass.
    pub(crate) fn flush(&self, end: Instant) -> bool {
        let queue = &self.queue;
        let target = queue.said.load(Relaxed);
        self.ring();
        let settled = queue.settled.lock().unwrap_or_else(PoisonError::into_inner);
        let left = end.saturating_duration_since(Instant::now());
        let wait = queue.progress.wait_timeout_while(settled, left, |settled| *settled < target);
        let settled = wait.unwrap_or_else(PoisonError::into_inner).0;
        let all = *settled >= target;
        drop(settled);
        // A file that is still being compressed at the end stays as it was.
        if let Some(packing) = &self.packing {
            packing.settle(end);
        }
        all
    }

    /// Lines that the place has not taken by `end`, after which it takes none, and that nobody has been told of.
    pub(crate) fn never_taken(&self, end: Instant) -> u64 {
        self.flush(end);
        let queue = &self.queue;
        let settled = *queue.settled.lock().unwrap_or_else(PoisonError::into_inner);
        queue.said.load(Relaxed).saturating_sub(settled) + queue.left_out.load(Relaxed)
    }

    /// Wakes the writer; when the bell is already ringing, that is enough.
    pub(crate) fn ring(&self) {
        let _ = self.bell.try_send(());
    }
}

/// Own lines that wait, and the place they wait for.
pub(crate) struct Queue {
    put: Sender<Vec<u8>>,
    take: Receiver<Vec<u8>>,
    pub(crate) bytes: AtomicUsize, // in waiting lines
    writing: Mutex<Writing>,
    pub(crate) said: AtomicU64,       // lines that were put
    pub(crate) settled: Mutex<u64>,   // of them, those printed or lost
    pub(crate) progress: Condvar,     // `settled` grew
    pub(crate) left_out: AtomicU64,   // lines nobody will see, since they were last told of
    pub(crate) stands_in: AtomicBool, // warnings are printed that are for log4j, which is not there
    stuck: AtomicBool,                // somebody has waited in vain since a line was last printed
}

/// What the one who writes holds.
pub(crate) struct Writing {
    pub(crate) output: Box<dyn Place>,
    chunk: Vec<u8>,
    ends: Vec<usize>, // of the lines in `chunk`
    stamp: Stamp,
    trouble: Option<io::Error>, // why own lines were lost
}

impl Queue {
    pub(crate) fn new(output: Box<dyn Place>) -> Queue {
        let (put, take) = bounded(MOST_LINES);
        let writing =
            Writing { output, chunk: Vec::new(), ends: Vec::new(), stamp: Stamp::new(None), trouble: None };
        Queue {
            put,
            take,
            bytes: AtomicUsize::new(0),
            writing: Mutex::new(writing),
            said: AtomicU64::new(0),
            settled: Mutex::new(0),
            progress: Condvar::new(),
            left_out: AtomicU64::new(0),
            stands_in: AtomicBool::new(false),
            stuck: AtomicBool::new(false),
        }
    }

    pub(crate) fn writing(&self) -> MutexGuard<'_, Writing> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(crate) fn is_full(&self) -> bool {
        self.put.is_full()
    }

    fn put(&self, line: Vec<u8>, urgency: Urgency) {
        let bytes = line.len();
        if self.bytes.fetch_add(bytes, Relaxed) + bytes <= MOST_BYTES && self.send(line, urgency) {
            self.said.fetch_add(1, Relaxed);
        } else {
            self.bytes.fetch_sub(bytes, Relaxed);
            self.left_out.fetch_add(1, Relaxed);
        }
    }

    fn send(&self, line: Vec<u8>, urgency: Urgency) -> bool {
        match self.put.try_send(line) {
            Ok(()) => true,
            Err(TrySendError::Full(line)) if urgency == Urgency::MayWait && !self.stuck.load(Relaxed) => {
                let sent = self.put.send_timeout(line, PATIENCE).is_ok();
                self.stuck.fetch_or(!sent, Relaxed);
                sent
            }
            Err(_) => false,
        }
    }

    /// Waits for room for a line of so many bytes. Once that was in vain nobody waits until a line is printed again.
    fn wait_for_room(&self, bytes: usize, at_most: Duration) {
        let is_full = || self.put.is_full() || self.bytes.load(Relaxed).saturating_add(bytes) > MOST_BYTES;
        if bytes > MOST_BYTES || !is_full() || self.stuck.load(Relaxed) {
            return;
        }
        let settled = self.settled.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = self.progress.wait_timeout_while(settled, at_most, |_| is_full());
        let (settled, waited) = wait.unwrap_or_else(PoisonError::into_inner);
        drop(settled);
        self.stuck.fetch_or(waited.timed_out(), Relaxed);
    }

    /// Prints the own lines that wait now, and how many were left out.
    pub(crate) fn drain(&self, writing: &mut Writing, format: &Format) {
        let mut left = self.take.len();
        let mut all_well = true;
        while left > 0 {
            left -= self.fill(writing, left);
            all_well = self.print(writing);
        }
        if all_well && self.left_out.load(Relaxed) > 0 {
            self.tell(writing, format);
        }
    }

    /// Puts waiting lines into the chunk, `most` or as many as it may hold, and says how many.
    fn fill(&self, writing: &mut Writing, most: usize) -> usize {
        writing.chunk.clear();
        writing.ends.clear();
        while writing.ends.len() < most && writing.chunk.len() < CHUNK_BYTES {
            let Ok(line) = self.take.try_recv() else { return most };
            self.bytes.fetch_sub(line.len(), Relaxed);
            writing.chunk.extend_from_slice(&line);
            writing.ends.push(writing.chunk.len());
        }
        writing.ends.len()
    }

    /// Prints the chunk, and counts what of it was lost. Says whether all is well.
    fn print(&self, writing: &mut Writing) -> bool {
        let outcome = writing.output.write_messages(&writing.chunk, &writing.ends);
        let well = outcome.is_ok();
        if let Some((unfit, error)) = writing.output.take_unfit() {
            self.left_out.fetch_add(unfit, Relaxed);
            writing.trouble = Some(error);
        }
        if let Err(Cut { written, error }) = outcome {
            let lost = writing.ends.iter().filter(|end| **end > written).count();
            self.left_out.fetch_add(lost as u64, Relaxed);
            writing.trouble = Some(error);
        } else {
            self.stuck.store(false, Relaxed);
        }
        *self.settled.lock().unwrap_or_else(PoisonError::into_inner) += writing.ends.len() as u64;
        self.progress.notify_all();
        well
    }

    /// Says how many lines were left out and why; tries again another time when that cannot be printed either.
    fn tell(&self, writing: &mut Writing, format: &Format) {
        let lines = self.left_out.load(Relaxed);
        let why = match &writing.trouble {
            Some(error) => format!("{} refused them: {error}", writing.output.what()),
            None => format!("{} was slower than they came", writing.output.what()),
        };
        let events = writing.output.left_out_events();
        let text = format!("{lines} log lines were left out here: {why}. {events}");
        let (line, stamp, now) = (&mut writing.chunk, &mut writing.stamp, SystemTime::now());
        line.clear();
        layout::plain_line(format, line, stamp, (now, Level::Warning), &SPEAKER, &text);
        if writing.output.write_lines(line).is_ok() {
            writing.trouble = None;
            // Only now: who asks while it is being told must not hear of none.
            self.left_out.fetch_sub(lines, Relaxed);
        }
    }
}

/// The writer's thread: prints what waits each time the bell rings, until nobody can ring it any more.
pub(crate) fn write_when_rung(queue: &Queue, rung: &Receiver<()>, format: &Format) {
    while rung.recv().is_ok() {
        queue.drain(&mut queue.writing(), format);
    }
    queue.drain(&mut queue.writing(), format);
}

/// Who says what is about the lines themselves.
const SPEAKER: Speaker<'static> =
    Speaker { thread: "console", location: concat!(module_path!(), "(lines.rs)") };

/// Own lines that wait at most.
const MOST_LINES: usize = 8192;

/// Bytes of own lines that wait at most.
pub(crate) const MOST_BYTES: usize = 4 << 20;

/// Bytes of own lines that are printed in one write.
const CHUNK_BYTES: usize = 64 << 10;

/// How long an error or a warning waits for room, once: then none waits until a line is printed again.
const PATIENCE: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Output;

    #[test]
    fn for_a_place_that_gives_way_no_error_waits() {
        let stuck = |gives_way| {
            let queue = Arc::new(Queue::new(Box::new(Output::other(Box::new(io::sink())))));
            let (bell, _rung) = bounded(1);
            let levels = ArcSwap::from_pointee(Levels::default());
            let (format, events_wait) = (Format::Flume, Duration::ZERO);
            let lines = LogOutput { queue, bell, format, levels, gives_way, events_wait, packing: None };
            (0..=MOST_LINES).for_each(|_| lines.say(b"x\n".to_vec(), Urgency::MayWait));
            assert_eq!(lines.queue.left_out.load(Relaxed), 1);
            lines.queue.stuck.load(Relaxed) // which it is when somebody has waited in vain
        };
        assert_eq!([false, true].map(stuck), [true, false]);
    }

    #[test]
    fn an_event_waits_once_for_room_where_the_place_is_worth_it() {
        let queue = Arc::new(Queue::new(Box::new(Output::other(Box::new(io::sink())))));
        let (bell, _rung) = bounded(1);
        let levels = ArcSwap::from_pointee(Levels::default());
        let (format, events_wait) = (Format::Flume, Duration::from_millis(10));
        let lines = LogOutput { queue, bell, format, levels, gives_way: true, events_wait, packing: None };
        let half = vec![b'x'; MOST_BYTES / 2];
        (0..2).for_each(|_| lines.say_event(half.clone()));
        assert!(!lines.queue.stuck.load(Relaxed), "there was room");
        lines.say_event(half.clone());
        assert!(lines.queue.stuck.load(Relaxed), "it has waited in vain");
        assert_eq!(lines.queue.left_out.load(Relaxed), 1);
        // Printed by somebody else meanwhile.
        let queue = Arc::clone(&lines.queue);
        queue.drain(&mut queue.writing(), &Format::Flume);
        let patient = LogOutput { events_wait: Duration::from_secs(60), ..lines };
        (0..2).for_each(|_| patient.say_event(half.clone()));
        let writer = std::thread::spawn(move || queue.drain(&mut queue.writing(), &Format::Flume));
        patient.say_event(half);
        writer.join().expect("it prints");
        assert_eq!(patient.queue.left_out.load(Relaxed), 0, "the drain has told of the first one");
    }
}

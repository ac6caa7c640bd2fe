//! Lines for the logs: one by one, or so many a second on a thread of their own.

use crate::ledger::LineId;
use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant, SystemTime},
};

/// A log that an agent follows.
pub struct Log {
    path: PathBuf,
    file: File,
}

impl Log {
    /// Opens the log at `path` for appending; it is made when it is not there.
    ///
    /// # Errors
    /// As the file system has them.
    pub fn open(path: &Path) -> io::Result<Log> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Log { path: path.to_owned(), file })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends one line, as `echo TEXT >> LOG` does, and tells when.
    ///
    /// # Errors
    /// As the file system has them.
    pub fn echo(&mut self, text: &str) -> io::Result<Instant> {
        let at = Instant::now();
        self.file.write_all(format!("{text}\n").as_bytes())?;
        Ok(at)
    }

    /// Another handle on the same log.
    ///
    /// # Errors
    /// When the process has no room for another open file.
    pub fn again(&self) -> io::Result<Log> {
        Ok(Log { path: self.path.clone(), file: self.file.try_clone()? })
    }
}

/// How much to write, and how fast.
#[derive(Debug, Clone, Copy)]
pub struct Demand {
    /// Lines in all, dealt out to the logs in turn.
    pub lines: u32,
    /// Lines a second in all; 0 is as fast as the disk takes them.
    pub rate: u32,
    /// Bytes of each line with its end; at least 40.
    pub bytes: usize,
}

/// Lines being written.
pub struct Load {
    thread: JoinHandle<io::Result<Written>>,
    progress: Arc<AtomicU32>,
    enough: Arc<AtomicBool>,
}

/// What was written, and when.
#[derive(Debug, Default)]
pub struct Written {
    /// Lines of each source, numbered from 0.
    pub lines: BTreeMap<u8, u32>,
    /// Moments, and how many lines in all had been written up to each of them.
    pub beats: Vec<(Instant, u32)>,
}

impl Written {
    /// When a line was written; logs are dealt out in turn.
    pub fn at(&self, line: LineId) -> Option<Instant> {
        let place = line.number * self.lines.len() as u32 + u32::from(line.source) - 1;
        let beat = self.beats.partition_point(|(_, lines)| *lines <= place);
        self.beats.get(beat).map(|(at, _)| *at)
    }
}

impl Load {
    /// Begins to write to `logs`, whose lines are those of sources 1, 2 and so on.
    pub fn start(mut logs: Vec<Log>, demand: Demand) -> Load {
        let progress = Arc::new(AtomicU32::new(0));
        let enough = Arc::new(AtomicBool::new(false));
        let (told, stop) = (progress.clone(), enough.clone());
        let thread = thread::spawn(move || write(&mut logs, demand, &told, &stop));
        Load { thread, progress, enough }
    }

    /// Lines written so far.
    pub fn progress(&self) -> u32 {
        self.progress.load(Ordering::Relaxed)
    }

    /// Waits until so many lines are written.
    ///
    /// # Panics
    /// When they are not within `limit`.
    pub fn until(&self, lines: u32, limit: Duration) {
        let deadline = Instant::now() + limit;
        while self.progress() < lines {
            let written = self.progress();
            assert!(Instant::now() < deadline, "{written} of {lines} lines were written within {limit:?}");
            thread::sleep(BEAT);
        }
    }

    /// Whether all is written.
    pub fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// Writes no more lines than have been written by now.
    pub fn stop(&self) {
        self.enough.store(true, Ordering::Relaxed);
    }

    /// Waits until all is written.
    ///
    /// # Errors
    /// When a log could not be written.
    pub fn finish(self) -> io::Result<Written> {
        self.thread
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the thread that writes lines has panicked")))
    }
}

fn write(logs: &mut [Log], demand: Demand, progress: &AtomicU32, enough: &AtomicBool) -> io::Result<Written> {
    let start = Instant::now();
    let mut texts: Vec<Vec<u8>> = logs.iter().map(|_| Vec::new()).collect();
    let (mut written, mut done) = (Written::default(), 0);
    while done < demand.lines && !enough.load(Ordering::Relaxed) {
        let due = due(demand, start.elapsed()).min(done + MOST_AT_ONCE);
        if due == done {
            thread::sleep(BEAT);
            continue;
        }
        encode(&mut texts, done..due, demand.bytes);
        written.beats.push((Instant::now(), due));
        for (log, text) in logs.iter_mut().zip(&mut texts) {
            log.file.write_all(text)?;
            text.clear();
        }
        done = due;
        progress.store(done, Ordering::Relaxed);
    }
    let count = logs.len() as u32;
    written.lines = (0..count).map(|log| (log as u8 + 1, (done + count - 1 - log) / count)).collect();
    Ok(written)
}

/// How many lines are to be written once `elapsed` has passed.
fn due(demand: Demand, elapsed: Duration) -> u32 {
    match demand.rate {
        0 => demand.lines,
        rate => ((elapsed.as_secs_f64() * f64::from(rate)) as u32).saturating_add(1).min(demand.lines),
    }
}

fn encode(texts: &mut [Vec<u8>], lines: std::ops::Range<u32>, bytes: usize) {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_micros();
    let count = texts.len() as u32;
    let mut model = format!("{} {now} ", LineId { source: 1, number: 0 }).into_bytes();
    model.resize(model.len().max(bytes.saturating_sub(1)), b'.');
    model.push(b'\n');
    for line in lines {
        let text = &mut texts[(line % count) as usize];
        let begin = text.len();
        text.extend_from_slice(&model);
        // Lines are written beside what is measured: to format each would take a processor of its own.
        LineId { source: (line % count) as u8 + 1, number: line / count }.write(&mut text[begin..]);
    }
}

/// How often lines are written: often enough that what goes out in one beat fits into a channel of 1000.
const BEAT: Duration = Duration::from_millis(2);

/// Lines that are encoded before they are written.
const MOST_AT_ONCE: u32 = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_dealt_out_and_each_is_dated() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let logs: Vec<Log> =
            ["a", "b"].map(|name| Log::open(&directory.path().join(name)).expect("a new file")).into();
        let paths: Vec<PathBuf> = logs.iter().map(|log| log.path().to_owned()).collect();
        let written =
            Load::start(logs, Demand { lines: 5, rate: 0, bytes: 64 }).finish().expect("it can be written");
        assert_eq!(written.lines, BTreeMap::from([(1, 3), (2, 2)]));
        let ids = |path: &PathBuf| -> Vec<LineId> {
            let text = std::fs::read_to_string(path).expect("it was written");
            assert!(text.lines().all(|line| line.len() == 63));
            text.lines().filter_map(|line| LineId::parse(line.as_bytes())).collect()
        };
        assert_eq!(ids(&paths[0]), [0, 1, 2].map(|number| LineId { source: 1, number }));
        assert_eq!(ids(&paths[1]), [0, 1].map(|number| LineId { source: 2, number }));
        assert!(written.at(LineId { source: 1, number: 2 }).is_some());
        assert!(written.at(LineId { source: 2, number: 2 }).is_none());
    }
}

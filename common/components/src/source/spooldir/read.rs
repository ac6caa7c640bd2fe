//! One file on its way through its deserializer.

use super::finish::changed;
use super::policy::Candidate;
use super::scan::candidate;
use crate::deserializer::{Cut, Deserializer, DeserializerConfig};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// A file that is being read.
#[derive(Debug)]
pub(super) struct Reading {
    /// The file as it was when it was opened.
    pub(super) file: Candidate,
    handle: File,
    deserializer: Deserializer,
    window: Window,
    /// Where reading began.
    pub(super) begun_at: u64,
    /// Events that were cut.
    pub(super) events: u64,
    /// Why nothing more can be read; told when all in front of it is stored.
    fault: Option<String>,
}

/// Bytes of the file, of which some are used up.
#[derive(Debug, Default)]
pub(super) struct Window {
    bytes: Vec<u8>,
    from: usize,
    to: usize,
    /// Where in the file `from` is.
    at: u64,
    is_last: bool,
}

/// What came of reading a batch.
pub(super) enum Read {
    /// There are events, as many as were wanted or there are.
    Events,
    /// The file is read to its end, without more events.
    End,
}

impl Reading {
    /// Opens `file`, to be read from `position` on. `window` was used before.
    ///
    /// # Errors
    /// The system's; what it is, if it is no regular file any more, or another one.
    pub(super) fn open(
        file: Candidate,
        position: u64,
        config: &DeserializerConfig,
        window: Window,
    ) -> io::Result<Reading> {
        let handle = plan::input::open(&file.path)?;
        let about = handle.metadata()?;
        runtime::files::refuse_unless_regular(about.file_type())?;
        let file = candidate(file.path, &about);
        let begun_at = if position > file.stamp.size { 0 } else { position };
        let (deserializer, at) = Deserializer::new(config, begun_at);
        let window = Window { from: 0, to: 0, at, is_last: false, ..window };
        let mut reading = Reading { file, handle, deserializer, window, begun_at, events: 0, fault: None };
        if let Err(fault) = reading.prime() {
            reading.fault = Some(fault);
        }
        Ok(reading)
    }

    /// Reads the head that some files have: what their events carry stands there.
    fn prime(&mut self) -> Result<(), String> {
        while !self.deserializer.is_ready() {
            let Window { bytes, from, to, at, is_last } = &self.window;
            match self.deserializer.cut(&bytes[*from..*to], *at, *is_last)? {
                Cut::Event(..) => return Ok(()),
                Cut::Skip(used) => self.window.take(used),
                Cut::Jump(place) => self.window.jump(place),
                Cut::More if *is_last => return Ok(()),
                Cut::More => self.fill()?,
            }
        }
        Ok(())
    }

    /// Cuts up to `most` events, and fewer when they are large; gives each to `take`, and adds to `marks` where a new
    /// start is to read on behind it.
    ///
    /// # Errors
    /// Why the file cannot be read on, in words, when nothing is left in front of that.
    pub(super) fn next(
        &mut self,
        most: usize,
        marks: &mut Vec<u64>,
        mut take: impl FnMut(&[u8]),
    ) -> Result<Read, String> {
        let mut bytes = 0;
        while self.fault.is_none() && marks.len() < most && bytes < MOST_BYTES {
            let Window { bytes: window, from, to, at, is_last } = &self.window;
            let step = match self.deserializer.cut(&window[*from..*to], *at, *is_last) {
                Ok(Cut::Event(body, used)) => {
                    bytes += body.len();
                    take(body);
                    self.window.take(used);
                    self.events += 1;
                    marks.push(self.deserializer.mark(self.window.at));
                    continue;
                }
                Ok(Cut::Skip(used)) => {
                    self.window.take(used);
                    Ok(())
                }
                Ok(Cut::Jump(place)) => {
                    self.window.jump(place);
                    Ok(())
                }
                Ok(Cut::More) if *is_last => break,
                Ok(Cut::More) => self.fill(),
                Err(fault) => Err(fault),
            };
            self.fault = step.err();
        }
        match self.fault.take() {
            Some(fault) if marks.is_empty() => Err(fault),
            fault => {
                self.fault = fault;
                Ok(if marks.is_empty() { Read::End } else { Read::Events })
            }
        }
    }

    /// Reads on in the file. What is at its end is only believed if it is as it was when it was opened.
    fn fill(&mut self) -> Result<(), String> {
        let limit = self.deserializer.window().max(CHUNK);
        if !self.window.make_room(limit) {
            return Err(format!("a piece of it is larger than {limit} bytes"));
        }
        let Window { bytes, from, to, at, is_last } = &mut self.window;
        let end = *at + (*to - *from) as u64;
        let read = self
            .handle
            .read_at(&mut bytes[*to..], end)
            .map_err(|error| format!("it cannot be read: {error}"))?;
        *to += read;
        if read == 0 {
            let about = self.handle.metadata().map_err(|error| format!("it cannot be looked at: {error}"))?;
            let now = candidate(self.file.path.clone(), &about);
            if now.stamp != self.file.stamp {
                return Err(changed(&self.file, &now));
            }
            *is_last = true;
        }
        Ok(())
    }

    /// A header that all its events have.
    pub(super) fn header(&self) -> Option<(&'static str, &str)> {
        self.deserializer.header()
    }

    /// What was cut in two for its length, if anything was.
    pub(super) fn split(&self) -> Option<String> {
        self.deserializer.split()
    }

    /// What can be used again for the next file, unless it is large.
    pub(super) fn window(&mut self) -> Window {
        let window = std::mem::take(&mut self.window);
        if window.bytes.len() > MOST_KEPT { Window::default() } else { window }
    }
}

impl Window {
    fn take(&mut self, used: usize) {
        self.from += used;
        self.at += used as u64;
    }

    fn jump(&mut self, place: u64) {
        (self.from, self.to, self.at, self.is_last) = (0, 0, place, false);
    }

    /// Sees to it that there is room for more, with `limit` bytes at most; whether there is.
    fn make_room(&mut self, limit: usize) -> bool {
        if self.from > 0 && self.bytes.len() - self.to < self.bytes.len() / 2 {
            self.bytes.copy_within(self.from..self.to, 0);
            (self.from, self.to) = (0, self.to - self.from);
        }
        if self.to == self.bytes.len() {
            let larger = (2 * self.bytes.len()).clamp(CHUNK, limit);
            self.bytes.resize(larger, 0);
        }
        self.to < self.bytes.len()
    }
}

/// Read at once.
const CHUNK: usize = 128 << 10;
/// Bodies of a batch, unless one alone is larger.
const MOST_BYTES: usize = 1 << 20;
/// Of a window, for the next file.
const MOST_KEPT: usize = 1 << 20;

//! Whole lines to one place, whatever that place does.

use crate::packing::Packing;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::{
    io::{self, ErrorKind, Write},
    sync::Arc,
    time::Duration,
};

/// A place for whole lines.
pub(crate) trait Place: Send {
    /// Writes whole lines and waits as long as the place takes nothing.
    ///
    /// # Errors
    /// [`Cut`] when it refuses.
    fn write_lines(&mut self, lines: &[u8]) -> Result<(), Cut>;

    /// The same where it is known at which of their bytes messages end, which may have several lines each.
    ///
    /// # Errors
    /// As above.
    fn write_messages(&mut self, messages: &[u8], _ends: &[usize]) -> Result<(), Cut> {
        self.write_lines(messages)
    }

    /// How many messages were left out, since this was asked last, because the place can never take them, and why.
    fn take_unfit(&mut self) -> Option<(u64, io::Error)> {
        None
    }

    /// What refuses lines, or is slow, in words.
    fn what(&self) -> &'static str;

    /// What lines that were left out mean for events.
    fn left_out_events(&self) -> &'static str;

    /// Whether nobody may wait for it, not even a logger sink.
    fn gives_way(&self) -> bool {
        false
    }

    /// How long a logger sink waits all the same when there is no room, until lines are taken again.
    fn events_wait(&self) -> Duration {
        Duration::ZERO
    }

    /// What compresses the files that it has filled, if anything does.
    fn packing(&self) -> Option<Arc<Packing>> {
        None
    }
}

/// How far a write came before it failed.
pub(crate) struct Cut {
    pub(crate) written: usize,
    pub(crate) error: io::Error,
}

/// A console's place. Remembers when a failed write has left half a line behind and ends that line before the next.
pub(crate) struct Output {
    to: Target,
    torn: bool,
}

enum Target {
    Stderr(io::Stderr),
    Other(Box<dyn Write + Send>),
}

impl Output {
    pub(crate) fn stderr() -> Output {
        Output { to: Target::Stderr(io::stderr()), torn: false }
    }

    pub(crate) fn other(to: Box<dyn Write + Send>) -> Output {
        Output { to: Target::Other(to), torn: false }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Cut> {
        let mut written = 0;
        while written < bytes.len() {
            match self.to.write(&bytes[written..]) {
                Ok(0) => return Err(Cut { written, error: ErrorKind::WriteZero.into() }),
                Ok(n) => written += n,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.to.wait(),
                Err(error) => return Err(Cut { written, error }),
            }
        }
        Ok(())
    }
}

impl Place for Output {
    fn write_lines(&mut self, lines: &[u8]) -> Result<(), Cut> {
        if self.torn {
            self.write(b"\n").map_err(|Cut { error, .. }| Cut { written: 0, error })?;
            self.torn = false;
        }
        self.write(lines).inspect_err(|cut| self.torn = cut.written > 0 && lines[cut.written - 1] != b'\n')
    }

    fn what(&self) -> &'static str {
        "the console"
    }

    fn left_out_events(&self) -> &'static str {
        "No event was lost by that."
    }
}

impl Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Target::Stderr(stderr) => stderr.write(bytes),
            Target::Other(other) => other.write(bytes),
        }
    }

    /// Whoever shares a terminal or a pipe with us may have made it non-blocking: waits until it may take bytes.
    fn wait(&self) {
        match self {
            Target::Stderr(stderr) => {
                let second = Timespec { tv_sec: 1, tv_nsec: 0 };
                // An error here shows again, and for certain, at the next write.
                let _ = poll(&mut [PollFd::new(stderr, PollFlags::OUT)], Some(&second));
            }
            Target::Other(_) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

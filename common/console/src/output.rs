//! Whole lines to one place, whatever that place does.

use crate::file::LogFile;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::{
    io::{self, ErrorKind, Write},
    time::Duration,
};

/// Where lines go. Remembers when a failed write has left half a line behind and ends that line before the next.
pub(crate) struct Output {
    to: Target,
    torn: bool,
}

enum Target {
    Stderr(io::Stderr),
    Other(Box<dyn Write + Send>),
    File(Box<LogFile>),
}

/// How far a write came before it failed.
pub(crate) struct Cut {
    pub(crate) written: usize,
    pub(crate) error: io::Error,
}

impl Output {
    pub(crate) fn stderr() -> Output {
        Output { to: Target::Stderr(io::stderr()), torn: false }
    }

    pub(crate) fn other(to: Box<dyn Write + Send>) -> Output {
        Output { to: Target::Other(to), torn: false }
    }

    pub(crate) fn file(file: LogFile) -> Output {
        Output { to: Target::File(Box::new(file)), torn: false }
    }

    /// What refuses lines, or is slow, in words.
    pub(crate) fn what(&self) -> &'static str {
        match self.to {
            Target::Stderr(_) | Target::Other(_) => "the console",
            Target::File(_) => "the log file",
        }
    }

    /// What lines that were left out mean for events.
    pub(crate) fn left_out_events(&self) -> &'static str {
        match self.to {
            Target::Stderr(_) | Target::Other(_) => "No event was lost by that.",
            Target::File(_) => "What logger sinks print may be among them; no other event was lost by that.",
        }
    }

    /// Writes whole lines and waits as long as the place takes nothing.
    ///
    /// # Errors
    /// [`Cut`] when it refuses.
    pub(crate) fn write_lines(&mut self, lines: &[u8]) -> Result<(), Cut> {
        if let Target::File(file) = &mut self.to {
            return file.write_lines(lines);
        }
        if self.torn {
            self.write(b"\n").map_err(|Cut { error, .. }| Cut { written: 0, error })?;
            self.torn = false;
        }
        self.write(lines).inspect_err(|cut| self.torn = cut.written > 0 && lines[cut.written - 1] != b'\n')
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

impl Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Target::Stderr(stderr) => stderr.write(bytes),
            Target::Other(other) => other.write(bytes),
            Target::File(_) => Err(ErrorKind::Unsupported.into()), // it takes whole lines alone
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
            Target::Other(_) | Target::File(_) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

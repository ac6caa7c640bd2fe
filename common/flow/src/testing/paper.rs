//! A console's place that remembers.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What was written, unless it is told to refuse.
#[derive(Clone, Default)]
pub struct Paper(Arc<Mutex<Sheet>>);

#[derive(Default)]
struct Sheet {
    bytes: Vec<u8>,
    refuses: bool,
}

impl Paper {
    /// All that was written.
    pub fn text(&self) -> String {
        String::from_utf8(self.sheet().bytes.clone()).expect("a console prints text")
    }

    /// Whether it refuses what comes from now on.
    pub fn refuse(&self, refuses: bool) {
        self.sheet().refuses = refuses;
    }

    fn sheet(&self) -> MutexGuard<'_, Sheet> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut sheet = self.sheet();
        if sheet.refuses {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        sheet.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

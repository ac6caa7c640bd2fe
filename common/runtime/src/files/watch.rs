//! What the file system tells by inotify(7).
//!
//! A hint, never the truth: whoever listens must find by himself what he is not told.

pub use rustix::fs::inotify::{ReadFlags, WatchFlags};

use rustix::fs::inotify::{self, CreateFlags};
use std::io;
use std::path::Path;
use tokio::net::unix::pipe;

/// Whatever happens to the names in a directory, and to the directory itself.
pub const NAMES: WatchFlags = WatchFlags::CREATE
    .union(WatchFlags::DELETE)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::ONLYDIR);

/// Hears of what is watched; without an ear of the system's it hears nothing.
#[derive(Debug)]
pub struct Ear {
    /// To tokio it is a pipe's end: something that becomes readable.
    pipe: Option<pipe::Receiver>,
    buffer: Vec<u8>,
}

impl Ear {
    /// An ear, or why there is none.
    pub fn new() -> (Ear, Option<io::Error>) {
        let opened = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC);
        let (pipe, error) =
            match opened.map_err(io::Error::from).and_then(pipe::Receiver::from_owned_fd_unchecked) {
                Ok(pipe) => (Some(pipe), None),
                Err(error) => (None, Some(error)),
            };
        (Ear { pipe, buffer: vec![0; BUFFER_BYTES] }, error)
    }

    /// Watches what is at `path`; its number. What is watched already keeps its number.
    ///
    /// # Errors
    /// The operating system's; with too many watches, [`io::ErrorKind::StorageFull`].
    pub fn watch(&mut self, path: &Path, events: WatchFlags) -> io::Result<i32> {
        let pipe = self.pipe.as_ref().ok_or(io::ErrorKind::Unsupported)?;
        Ok(inotify::add_watch(pipe, path, events)?)
    }

    /// Watches it no longer.
    pub fn forget(&mut self, watch: i32) {
        if let Some(pipe) = &self.pipe {
            let _ended_by_itself = inotify::remove_watch(pipe, watch);
        }
    }

    /// Waits until something has happened.
    pub async fn ready(&self) {
        let failed = match &self.pipe {
            Some(pipe) => pipe.readable().await.is_err(),
            None => true,
        };
        if failed {
            std::future::pending::<()>().await;
        }
    }

    /// Tells of what has happened, up to some thousand things; the rest with the next call.
    pub fn listen(&mut self, mut tell: impl FnMut(Event<'_>)) {
        let Some(pipe) = &self.pipe else { return };
        for _ in 0..MOST_READS {
            // Asked first without tokio, which may not have noticed yet; then through it, so that it waits again.
            let read = rustix::io::read(pipe, &mut self.buffer[..]).map_err(io::Error::from);
            let Ok(read) = read.or_else(|_| pipe.try_read(&mut self.buffer)) else { return };
            let mut rest = &self.buffer[..read];
            while let Some(event) = Event::split_off(&mut rest) {
                tell(event);
            }
        }
    }
}

/// One `struct inotify_event`, see inotify(7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    /// The number of what is watched.
    pub watch: i32,
    /// What happened.
    pub what: ReadFlags,
    /// The same for the two names of a renamed file.
    pub cookie: u32,
    /// Empty when it is about what is watched itself.
    pub name: &'a [u8],
}

impl<'a> Event<'a> {
    /// Takes the first event off `bytes`; `None` when they hold no whole one.
    fn split_off(bytes: &mut &'a [u8]) -> Option<Event<'a>> {
        let (head, rest) = bytes.split_at_checked(4 * size_of::<u32>())?;
        let word = |at: usize| u32::from_ne_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let (name, rest) = rest.split_at_checked(usize::try_from(word(12)).ok()?)?;
        *bytes = rest;
        let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
        let what = ReadFlags::from_bits_retain(word(4));
        Some(Event { watch: word(0).cast_signed(), what, cookie: word(8), name: &name[..end] })
    }
}

/// Room for some hundred events; the largest takes 272 bytes.
const BUFFER_BYTES: usize = 16 << 10;
/// Of that buffer in one go, so that nobody waits long for his turn.
const MOST_READS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_an_event_is_none() {
        let mut bytes = Vec::new();
        for word in [7u32, ReadFlags::MODIFY.bits(), 9, 4] {
            bytes.extend_from_slice(&word.to_ne_bytes());
        }
        bytes.extend_from_slice(b"a\0\0\0");
        for cut in 0..bytes.len() {
            assert_eq!(Event::split_off(&mut &bytes[..cut]), None);
        }
        let event = Event { watch: 7, what: ReadFlags::MODIFY, cookie: 9, name: b"a" };
        assert_eq!(Event::split_off(&mut &bytes[..]), Some(event));
    }
}

//! Lines of a limited length.

use memchr::memchr;

/// Cuts a stream into lines at LF. One for each stream.
///
/// A line that reaches the limit is cut there, and what follows of it is a line of its own, as in Flume. Lines without
/// a byte are left out. The caller keeps the bytes, as with [`crate::line::LineCutter`]: what is left over is shorter
/// than the limit.
#[derive(Debug, Clone)]
pub struct Lines {
    limit: usize,
    searched: usize,
}

/// A line, without its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'b> {
    /// Its bytes; there is at least one.
    pub bytes: &'b [u8],
    /// It was cut at the limit.
    pub cut: bool,
}

impl Lines {
    /// Lines of at most `limit` bytes, which is more than zero.
    pub fn new(limit: usize) -> Lines {
        Lines { limit: limit.max(1), searched: 0 }
    }

    /// The next line in `bytes`, from `*at`, which is moved behind what was taken. `None`: what is left is not whole; it is
    /// to be shown again, from its first byte, with more behind it.
    pub fn next<'b>(&mut self, bytes: &'b [u8], at: &mut usize) -> Option<Line<'b>> {
        loop {
            let rest = bytes.get(*at..).unwrap_or_default();
            let seen = &rest[..rest.len().min(self.limit)];
            match memchr(b'\n', seen.get(self.searched..).unwrap_or_default()) {
                Some(found) => {
                    let line = &seen[..self.searched + found];
                    self.searched = 0;
                    *at += line.len() + 1;
                    if !line.is_empty() {
                        return Some(Line { bytes: line, cut: false });
                    }
                }
                None if seen.len() == self.limit => {
                    self.searched = 0;
                    *at += seen.len();
                    return Some(Line { bytes: seen, cut: true });
                }
                None => {
                    self.searched = seen.len();
                    return None;
                }
            }
        }
    }
}

//! Lines with their continuations joined.

use std::ops::Range;

/// Splits bytes into logical lines.
pub(super) struct LogicalLines<'a> {
    bytes: &'a [u8],
    next: usize,
    line: u32,
    line_start: usize,
}

/// A line with its continuations joined, and where its parts came from.
#[derive(Default)]
pub(super) struct Logical {
    pub(super) text: Vec<u8>,
    pub(super) parts: Vec<Part>,
}

/// From `start` in the logical line on, bytes stand in `line` from `column` on (both as in [`Place`]).
pub(super) struct Part {
    pub(super) start: usize,
    pub(super) line: u32,
    pub(super) column: u32,
}

impl LogicalLines<'_> {
    /// From the first line on.
    pub(super) fn new(bytes: &[u8]) -> LogicalLines<'_> {
        LogicalLines { bytes, next: 0, line: 1, line_start: 0 }
    }

    /// Reads the next line that is neither blank nor a comment; false at the end.
    pub(super) fn read(&mut self, logical: &mut Logical) -> bool {
        logical.text.clear();
        logical.parts.clear();
        loop {
            let natural = self.natural();
            if natural.is_empty() && self.next >= self.bytes.len() {
                self.end_line();
                return !logical.text.is_empty();
            }
            let comment =
                logical.text.is_empty() && matches!(self.bytes[natural.start..].first(), Some(b'#' | b'!'));
            let continued = !comment && odd_backslashes(&self.bytes[natural.clone()]);
            if !comment && !natural.is_empty() {
                let part =
                    Part { start: logical.text.len(), line: self.line, column: self.column(natural.start) };
                logical.parts.push(part);
                let end = natural.end - usize::from(continued);
                logical.text.extend_from_slice(&self.bytes[natural.start..end]);
            }
            // A backslash makes a line, even an empty one, when the file ends with it or one byte later.
            let cut = continued && self.next + 1 >= self.bytes.len();
            self.end_line();
            if cut || !continued && !logical.text.is_empty() {
                return true;
            }
        }
    }

    /// The natural line from `next` on, without its leading blanks; `next` moves to its end.
    fn natural(&mut self) -> Range<usize> {
        let line = &self.bytes[self.next..];
        let blanks = line.iter().take_while(|byte| is_blank(**byte)).count();
        let length = line[blanks..].iter().take_while(|byte| !matches!(byte, b'\n' | b'\r')).count();
        let start = self.next + blanks;
        self.next = start + length;
        start..self.next
    }

    /// Steps over one line end.
    fn end_line(&mut self) {
        let rest = &self.bytes[self.next..];
        self.next += if rest.starts_with(b"\r\n") { 2 } else { usize::from(!rest.is_empty()) };
        if !rest.is_empty() {
            self.line = self.line.saturating_add(1);
            self.line_start = self.next;
        }
    }

    fn column(&self, offset: usize) -> u32 {
        u32::try_from(offset - self.line_start + 1).unwrap_or(u32::MAX)
    }
}

pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\x0c')
}

fn odd_backslashes(line: &[u8]) -> bool {
    line.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

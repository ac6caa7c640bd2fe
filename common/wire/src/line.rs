//! Text cut at its newlines: `exec`, `TAILDIR`, `spooldir` and `netcat`.
//!
//! ```
//! use wire::line::{Ends, LineCutter};
//!
//! let mut cutter = LineCutter::new(Ends::Any);
//! let mut batch = event::BatchBuilder::default();
//! let buffer = b"one\r\ntwo\rthr"; // the caller's read buffer
//! let mut lines = cutter.cut(buffer);
//! for line in &mut lines {
//!     batch.push_encoded(&[0], event::Span::BORN_HERE, line);
//! }
//! assert_eq!((lines.taken(), batch.len()), (9, 2)); // "thr" stays where it is; read on behind it
//! ```

use memchr::{memchr, memchr2};

/// What ends a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// LF; a CR before it stays with the line: Flume's `netcat` and `spooldir`.
    Lf,
    /// LF; one CR before it is removed: Flume's `TAILDIR`.
    LfOrCrLf,
    /// LF, CR or CRLF: Java's `BufferedReader.readLine`, and so `exec`.
    Any,
}

/// Cuts a stream into lines. One for each stream.
///
/// The caller keeps the bytes: it shows the front of its buffer, drops what was taken, reads on behind the rest, and
/// shows it again. The rest, a line without an end, is not searched again. No line is copied; how long one may become
/// is for the caller to say, by its buffer: [`LineCutter::rest`] makes a line of what is there.
#[derive(Debug, Clone)]
pub struct LineCutter {
    ends: Ends,
    searched: usize, // bytes of the rest that hold no end of a line
    after_cr: bool,  // the last line was ended by a CR; an LF that follows belongs to it
}

/// The whole lines at the front of a buffer, without what ends them. It may be left at any line: the next
/// [`LineCutter::cut`], of the bytes behind those taken, goes on with the next one.
#[derive(Debug)]
pub struct Lines<'c, 'b> {
    cutter: &'c mut LineCutter,
    bytes: &'b [u8],
    taken: usize,
}

impl LineCutter {
    /// A cutter at the beginning of a stream.
    pub fn new(ends: Ends) -> LineCutter {
        LineCutter { ends, searched: 0, after_cr: false }
    }

    /// The whole lines at the front of `bytes`, which begin behind what was taken before.
    #[inline]
    pub fn cut<'b>(&mut self, bytes: &'b [u8]) -> Lines<'_, 'b> {
        Lines { cutter: self, bytes, taken: 0 }
    }

    /// Ends the line that has no end, and takes all of `rest`: at the end of a stream, or when the line has become too
    /// long. `None` when there is none.
    pub fn rest<'b>(&mut self, rest: &'b [u8]) -> Option<&'b [u8]> {
        self.searched = 0;
        let line =
            if std::mem::take(&mut self.after_cr) { rest.strip_prefix(b"\n").unwrap_or(rest) } else { rest };
        Some(line).filter(|line| !line.is_empty())
    }
}

impl Lines<'_, '_> {
    /// So many bytes were taken, and can be dropped from the front of the buffer: the lines that were given out, and
    /// what ended them.
    #[inline]
    pub fn taken(&self) -> usize {
        self.taken
    }
}

impl<'b> Iterator for Lines<'_, 'b> {
    type Item = &'b [u8];

    #[inline]
    fn next(&mut self) -> Option<&'b [u8]> {
        self.pass_over_lf();
        let rest = &self.bytes[self.taken..];
        let from = self.cutter.searched.min(rest.len());
        let found = match self.cutter.ends {
            Ends::Any => memchr2(b'\n', b'\r', &rest[from..]),
            Ends::Lf | Ends::LfOrCrLf => memchr(b'\n', &rest[from..]),
        };
        let Some(found) = found else {
            self.cutter.searched = rest.len();
            return None;
        };
        let line = &rest[..from + found];
        self.cutter.searched = 0;
        self.taken += line.len() + 1;
        match self.cutter.ends {
            Ends::Lf => Some(line),
            Ends::LfOrCrLf => Some(line.strip_suffix(b"\r").unwrap_or(line)),
            Ends::Any => {
                self.cutter.after_cr = rest[line.len()] == b'\r';
                self.pass_over_lf();
                Some(line)
            }
        }
    }
}

impl Lines<'_, '_> {
    /// The LF of a CRLF, whose CR has ended a line already; it may come with a later read.
    #[inline]
    fn pass_over_lf(&mut self) {
        if self.cutter.after_cr
            && let Some(next) = self.bytes.get(self.taken)
        {
            self.taken += usize::from(*next == b'\n');
            self.cutter.after_cr = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Shows `stream` in pieces of the given sizes, as a source does, and takes the rest at the end.
    fn lines(ends: Ends, stream: &[u8], sizes: &[usize]) -> Vec<Vec<u8>> {
        let (mut cutter, mut found) = (LineCutter::new(ends), Vec::new());
        let (mut from, mut to) = (0, 0);
        for size in sizes.iter().cycle() {
            to = stream.len().min(to + size);
            let mut lines = cutter.cut(&stream[from..to]);
            found.extend((&mut lines).map(<[u8]>::to_vec));
            from += lines.taken();
            if to == stream.len() {
                break;
            }
        }
        found.extend(cutter.rest(&stream[from..]).map(<[u8]>::to_vec));
        found
    }

    /// The same, slowly: byte by byte.
    fn expected(ends: Ends, stream: &[u8]) -> Vec<Vec<u8>> {
        let (mut found, mut line, mut after_cr) = (Vec::new(), Vec::new(), false);
        for byte in stream {
            let belongs_to_cr = std::mem::take(&mut after_cr) && *byte == b'\n';
            match byte {
                b'\n' if belongs_to_cr => {}
                b'\n' => {
                    if ends == Ends::LfOrCrLf && line.last() == Some(&b'\r') {
                        line.pop();
                    }
                    found.push(std::mem::take(&mut line));
                }
                b'\r' if ends == Ends::Any => {
                    found.push(std::mem::take(&mut line));
                    after_cr = true;
                }
                _ => line.push(*byte),
            }
        }
        found.extend(Some(line).filter(|line| !line.is_empty()));
        found
    }

    fn ends() -> impl Strategy<Value = Ends> {
        prop_oneof![Just(Ends::Lf), Just(Ends::LfOrCrLf), Just(Ends::Any)]
    }

    proptest! {
        #[test]
        fn however_it_is_read_the_lines_are_the_same(
            ends in ends(),
            stream in "[a\r\n]{0,40}",
            sizes in proptest::collection::vec(1..9usize, 1..4),
        ) {
            prop_assert_eq!(lines(ends, stream.as_bytes(), &sizes), expected(ends, stream.as_bytes()));
        }
    }

    #[test]
    fn each_kind_of_end() {
        let stream = b"a\nb\r\nc\rd\n\ne";
        let text = |ends| {
            let lines = lines(ends, stream, &[100]).into_iter();
            lines.map(|line| String::from_utf8_lossy(&line).into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(text(Ends::Lf), ["a", "b\r", "c\rd", "", "e"]);
        assert_eq!(text(Ends::LfOrCrLf), ["a", "b", "c\rd", "", "e"]);
        assert_eq!(text(Ends::Any), ["a", "b", "c", "d", "", "e"]);
    }

    #[test]
    fn a_crlf_at_the_border_of_two_reads_ends_one_line() {
        let mut cutter = LineCutter::new(Ends::Any);
        let mut first = cutter.cut(b"a\r");
        assert_eq!((first.next(), first.next(), first.taken()), (Some(&b"a"[..]), None, 2));
        assert_eq!(cutter.cut(b"").next(), None);
        let mut second = cutter.cut(b"\n\n");
        assert_eq!((second.next(), second.taken()), (Some(&b""[..]), 2), "the LF, then an empty line");
    }

    #[test]
    fn lines_may_be_left_and_taken_up_again() {
        let mut cutter = LineCutter::new(Ends::Any);
        let stream = b"a\r\nb\r\nc";
        let mut lines = cutter.cut(stream);
        assert_eq!(lines.next(), Some(&b"a"[..]));
        let taken = lines.taken();
        assert_eq!(taken, 3, "with the whole of its end, so that a position behind it is the next line's");
        let mut lines = cutter.cut(&stream[taken..]);
        assert_eq!((lines.next(), lines.next(), lines.taken()), (Some(&b"b"[..]), None, 3));
        assert_eq!(cutter.rest(b"c"), Some(&b"c"[..]));
        assert_eq!(cutter.rest(b""), None);
    }

    #[test]
    fn a_line_too_long_is_cut_where_the_caller_says() {
        let mut cutter = LineCutter::new(Ends::Lf);
        assert_eq!(cutter.cut(b"aaaa").next(), None);
        assert_eq!(cutter.rest(b"aaaa"), Some(&b"aaaa"[..]));
        assert_eq!(cutter.cut(b"b\n").next(), Some(&b"b"[..]), "nothing of it counts as searched");
    }
}

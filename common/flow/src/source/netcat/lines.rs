//! What a peer sends, cut into lines: no socket, no clock.

use memchr::memchr;
use std::fmt;

/// Text in which lines come. Java has more; these are those that [`plan`] lets pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Latin1,
    Ascii,
}

impl Encoding {
    /// By any of Java's names for it, in any case.
    pub(super) fn named(name: &str) -> Option<Encoding> {
        const NAMES: [(Encoding, &[&str]); 3] = [
            (Encoding::Utf8, &["UTF-8", "UTF8"]),
            (Encoding::Latin1, &["ISO-8859-1", "ISO8859_1", "ISO8859-1", "LATIN1", "L1"]),
            (Encoding::Ascii, &["US-ASCII", "ASCII", "ISO646-US"]),
        ];
        let known = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name.trim()));
        NAMES.iter().find(|(_, names)| known(names)).map(|(encoding, _)| *encoding)
    }
}

/// Why a session must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// A line has more characters than `max-line-length`, its LF included.
    TooLong {
        /// `max-line-length`.
        max_chars: usize,
    },
    /// Bytes that are no text.
    Malformed(Encoding),
}

/// For the log. What the peer is told, if anything, is [`Fault::answer`].
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::TooLong { max_chars } => {
                write!(
                    f,
                    "a line has more than max-line-length = {max_chars} characters (its line end counts)"
                )
            }
            Fault::Malformed(encoding) => {
                let name = match encoding {
                    Encoding::Utf8 => "UTF-8",
                    Encoding::Latin1 => "ISO-8859-1",
                    Encoding::Ascii => "US-ASCII",
                };
                write!(f, "what it sends is not {name} (see the property encoding)")
            }
        }
    }
}

impl Fault {
    /// What Flume answers before it closes the session.
    pub(super) fn answer(&self) -> Option<String> {
        match self {
            Fault::TooLong { max_chars } => Some(format!(
                "FAILED: Event exceeds the maximum length ({max_chars} chars, including newline)\n"
            )),
            Fault::Malformed(_) => None,
        }
    }
}

/// Turns the bytes of one session into lines of UTF-8.
///
/// Lines end with LF alone; a CR stays, an empty line is a line, what has no LF behind it is none. A character is a UTF-16
/// unit, as Java counts. Source: Flume's `NetcatSource`, run. One difference: whole lines in front of malformed bytes are
/// given out; Flume loses those that came with the same read.
#[derive(Debug)]
pub(super) struct Lines {
    encoding: Encoding,
    max_chars: usize,
    text: Vec<u8>,
    start: usize,    // of the first line that was not given out
    searched: usize, // up to here there is no LF behind `start`
    checked: usize,  // up to here it is UTF-8; a character that has come in part stands behind
    look_at: usize,  // so many bytes a line without an end must have before it can be too long
    fault: Option<Fault>,
}

impl Lines {
    pub(super) fn new(encoding: Encoding, max_chars: usize) -> Lines {
        Lines {
            encoding,
            max_chars,
            text: Vec::new(),
            start: 0,
            searched: 0,
            checked: 0,
            look_at: max_chars, // there are never more characters than bytes
            fault: None,
        }
    }

    /// Takes what was read. All its lines are to be given out ([`Lines::give`] until it gives none) before more is read:
    /// that bounds what is held to one read and one line.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        match self.encoding {
            Encoding::Utf8 => self.text.extend_from_slice(bytes),
            Encoding::Latin1 => {
                let as_utf8 = |byte: &u8| char::from(*byte).encode_utf8(&mut [0; 2]).len();
                self.text.reserve(bytes.iter().map(as_utf8).sum());
                for byte in bytes {
                    self.text.extend_from_slice(char::from(*byte).encode_utf8(&mut [0; 2]).as_bytes());
                }
            }
            Encoding::Ascii => {
                let good = bytes.iter().position(|byte| !byte.is_ascii()).unwrap_or(bytes.len());
                self.text.extend_from_slice(&bytes[..good]);
                if good < bytes.len() {
                    self.fault = Some(Fault::Malformed(self.encoding));
                }
            }
        }
        self.check();
    }

    fn check(&mut self) {
        let Err(error) = std::str::from_utf8(&self.text[self.checked..]) else {
            self.checked = self.text.len();
            return;
        };
        self.checked += error.valid_up_to();
        // Without a length it is a character of which the rest has yet to come.
        if error.error_len().is_some() {
            self.text.truncate(self.checked);
            self.fault = Some(Fault::Malformed(self.encoding));
        }
    }

    /// Gives the next lines, at most `most`, to `take`, and says how many there were.
    pub(super) fn give(&mut self, most: usize, mut take: impl FnMut(&[u8])) -> usize {
        let mut given = 0;
        while given < most
            && let Some(found) = memchr(b'\n', &self.text[self.searched..self.checked])
        {
            let end = self.searched + found;
            let line = &self.text[self.start..end];
            if line.len() >= self.max_chars && chars(line) >= self.max_chars {
                self.too_long();
                return given;
            }
            take(line);
            given += 1;
            (self.start, self.searched, self.look_at) = (end + 1, end + 1, self.max_chars);
        }
        if given == 0 {
            self.keep_the_rest();
        }
        given
    }

    /// No whole line is left: keeps the beginning of the next one, unless that is too long already.
    fn keep_the_rest(&mut self) {
        self.text.drain(..self.start);
        self.checked -= self.start;
        (self.start, self.searched) = (0, self.checked);
        if self.checked >= self.look_at {
            let chars = chars(&self.text[..self.checked]);
            if chars >= self.max_chars {
                self.too_long();
            } else {
                self.look_at = self.checked + (self.max_chars - chars);
            }
        }
    }

    /// What stands behind does not count any more, not even what else may be wrong there.
    fn too_long(&mut self) {
        self.fault = Some(Fault::TooLong { max_chars: self.max_chars });
        self.text.clear();
        (self.start, self.searched, self.checked) = (0, 0, 0);
    }

    /// Why no more lines will come, once all that did are given out.
    pub(super) fn fault(&self) -> Option<Fault> {
        self.fault
    }

    /// The peer is silent: holds no more memory than it needs.
    pub(super) fn rest(&mut self) {
        self.text.shrink_to_fit();
    }
}

/// UTF-16 units in UTF-8 text: one for each character, two for those outside of the basic plane.
fn chars(text: &[u8]) -> usize {
    text.iter().map(|byte| usize::from(byte & 0xc0 != 0x80) + usize::from(*byte >= 0xf0)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// All lines of a stream that is read in pieces of `size` bytes, three at a time, and how it ended.
    fn lines(
        encoding: Encoding,
        max_chars: usize,
        stream: &[u8],
        size: usize,
    ) -> (Vec<String>, Option<Fault>) {
        let (mut lines, mut found) = (Lines::new(encoding, max_chars), Vec::new());
        for piece in stream.chunks(size.max(1)) {
            lines.push(piece);
            while lines.give(3, |line| found.push(String::from_utf8(line.to_vec()).unwrap())) > 0 {}
            if lines.fault().is_some() {
                break;
            }
        }
        (found, lines.fault())
    }

    const TOO_LONG: Option<Fault> = Some(Fault::TooLong { max_chars: 5 });
    const MALFORMED: Option<Fault> = Some(Fault::Malformed(Encoding::Utf8));

    /// What Flume 1.9.0 does, for any cut of the stream.
    #[test]
    fn however_it_is_cut_the_lines_are_flumes() {
        let smile = "\u{1f600}"; // two UTF-16 units
        for (stream, expected, fault) in [
            ("a\r\n\nb\n".to_owned(), vec!["a\r", "", "b"], None),
            ("last".to_owned(), vec![], None),
            ("1234\n".to_owned(), vec!["1234"], None),
            ("12345\n".to_owned(), vec![], TOO_LONG),
            ("12345".to_owned(), vec![], TOO_LONG),
            ("ok\n1234567890\nmore\n".to_owned(), vec!["ok"], TOO_LONG),
            (format!("{smile}{smile}\n"), vec!["\u{1f600}\u{1f600}"], None),
            (format!("{smile}{smile}a\n"), vec![], TOO_LONG),
            ("äöüß\n".to_owned(), vec!["äöüß"], None),
            ("äöüßa".to_owned(), vec![], TOO_LONG),
            ("äöüß".to_owned(), vec![], None),
        ] {
            for size in 1..=stream.len() {
                let (found, ended) = lines(Encoding::Utf8, 5, stream.as_bytes(), size);
                assert_eq!(
                    (&found[..], ended),
                    (&expected.iter().map(ToString::to_string).collect::<Vec<_>>()[..], fault),
                    "{stream:?} in pieces of {size}"
                );
            }
        }
    }

    #[test]
    fn lines_before_malformed_bytes_are_given_out_and_nothing_behind() {
        for bad in [&b"\xff"[..], b"\xc3(", b"\xed\xa0\x80", b"\xf5\x80\x80\x80"] {
            let stream = [b"one\ntwo", bad, b"\nmore\n"].concat();
            for size in 1..=stream.len() {
                assert_eq!(lines(Encoding::Utf8, 512, &stream, size), (vec!["one".to_owned()], MALFORMED));
            }
        }
    }

    #[test]
    fn other_encodings_become_utf_8() {
        assert_eq!(lines(Encoding::Latin1, 4, b"\xe4\xf6\xfc\n", 2), (vec!["äöü".to_owned()], None));
        let ascii = lines(Encoding::Ascii, 10, b"a\nb\xe4\n", 9);
        assert_eq!(ascii, (vec!["a".to_owned()], Some(Fault::Malformed(Encoding::Ascii))));
        assert_eq!(Encoding::named(" Iso8859_1 "), Some(Encoding::Latin1));
        assert_eq!(Encoding::named("utf-16"), None);
    }

    #[test]
    fn a_silent_session_holds_nothing() {
        let mut lines = Lines::new(Encoding::Utf8, 512);
        lines.push(&[b'\n'; 10_000]);
        while lines.give(100, |_| ()) > 0 {}
        lines.rest();
        assert_eq!(lines.text.capacity(), 0);
    }

    #[test]
    fn a_long_limit_of_wide_characters_is_not_counted_again_and_again() {
        let mut lines = Lines::new(Encoding::Utf8, 1000);
        let mut looks = Vec::new();
        for _ in 0..999 {
            lines.push("\u{4f60}".as_bytes());
            assert_eq!(lines.give(1, |_| ()), 0);
            looks.push(lines.look_at);
        }
        looks.dedup();
        assert!(looks.len() < 25, "{looks:?}");
        assert_eq!(lines.fault(), None);
        lines.push(b"x");
        lines.give(1, |_| ());
        assert_eq!(lines.fault(), Some(Fault::TooLong { max_chars: 1000 }));
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_pieces_end_alike(
            stream in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'a'), any::<u8>()], 0..60),
            size in 1..20usize,
        ) {
            prop_assert_eq!(lines(Encoding::Utf8, 6, &stream, size), lines(Encoding::Utf8, 6, &stream, 1));
        }
    }
}

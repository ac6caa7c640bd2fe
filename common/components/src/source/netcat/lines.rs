//! What a peer sends, cut into lines: no socket, no clock.

use java::{Charset, Decoder, OnMalformed};
use memchr::memchr;
use std::fmt;

/// Why a session must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// A line has more characters than `max-line-length`, its LF included.
    TooLong {
        /// `max-line-length`.
        max_chars: usize,
    },
    /// Bytes that are no text.
    Malformed(Charset),
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
            Fault::Malformed(charset) => {
                write!(f, "what it sends is not {} (see the property encoding)", charset.name())
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
pub(super) struct LineDecoder {
    charset: Charset,
    decoder: Decoder,
    max_chars: usize,
    text: Vec<u8>,
    start: usize,    // of the first line that was not given out
    searched: usize, // up to here there is no LF behind `start`
    look_at: usize,  // so many bytes a line without an end must have before it can be too long
    fault: Option<Fault>,
}

impl LineDecoder {
    pub(super) fn new(charset: Charset, max_chars: usize) -> LineDecoder {
        LineDecoder {
            charset,
            decoder: charset.decoder(OnMalformed::Report),
            max_chars,
            text: Vec::new(),
            start: 0,
            searched: 0,
            look_at: max_chars, // there are never more characters than bytes
            fault: None,
        }
    }

    /// Takes what was read. All its lines are to be given out ([`LineDecoder::give`] until it gives none) before more
    /// is read: that bounds what is held to one read and one line.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.decoder.decode(bytes, false, &mut self.text).is_err() {
            self.fault = Some(Fault::Malformed(self.charset));
        }
    }

    /// Gives the next lines, at most `most`, to `take`, and says how many there were.
    pub(super) fn give(&mut self, most: usize, mut take: impl FnMut(&[u8])) -> usize {
        let mut given = 0;
        while given < most
            && let Some(found) = memchr(b'\n', &self.text[self.searched..])
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
        (self.start, self.searched) = (0, self.text.len());
        if self.text.len() >= self.look_at {
            let chars = chars(&self.text);
            if chars >= self.max_chars {
                self.too_long();
            } else {
                self.look_at = self.text.len() + (self.max_chars - chars);
            }
        }
    }

    /// What stands behind does not count any more, not even what else may be wrong there.
    fn too_long(&mut self) {
        self.fault = Some(Fault::TooLong { max_chars: self.max_chars });
        self.text.clear();
        (self.start, self.searched) = (0, 0);
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
    fn lines(charset: Charset, max_chars: usize, stream: &[u8], size: usize) -> (Vec<String>, Option<Fault>) {
        let (mut lines, mut found) = (LineDecoder::new(charset, max_chars), Vec::new());
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
    const MALFORMED: Option<Fault> = Some(Fault::Malformed(Charset::UTF_8));

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
                let (found, ended) = lines(Charset::UTF_8, 5, stream.as_bytes(), size);
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
                assert_eq!(lines(Charset::UTF_8, 512, &stream, size), (vec!["one".to_owned()], MALFORMED));
            }
        }
    }

    #[test]
    fn other_encodings_become_utf_8() {
        let all = |name, stream: &[u8]| {
            let charset = Charset::for_name(name).unwrap();
            let found = lines(charset, 10, stream, 1);
            assert_eq!(found, lines(charset, 10, stream, stream.len()), "{name}");
            (found.0.join("|"), found.1.is_some())
        };
        assert_eq!(all("latin1", b"\xe4\xf6\xfc\n"), ("äöü".to_owned(), false));
        assert_eq!(all("US-ASCII", b"a\nb\xe4\n"), ("a".to_owned(), true));
        assert_eq!(all("GBK", b"\xc4\xe3\xba\xc3\nb\n"), ("你好|b".to_owned(), false));
        assert_eq!(all("Big5", b"\xa7A\xa6n\n"), ("你好".to_owned(), false));
        assert_eq!(all("Shift_JIS", b"\x93\xfa\x96{\n"), ("日本".to_owned(), false));
        assert_eq!(all("UTF-16", b"\xff\xfea\0\n\0b\0\n\0"), ("a|b".to_owned(), false));
        assert_eq!(all("windows-1251", b"\xe4\xe0\n\x98\n"), ("да".to_owned(), true));
    }

    #[test]
    fn a_silent_session_holds_nothing() {
        let mut lines = LineDecoder::new(Charset::UTF_8, 512);
        lines.push(&[b'\n'; 10_000]);
        while lines.give(100, |_| ()) > 0 {}
        lines.rest();
        assert_eq!(lines.text.capacity(), 0);
    }

    #[test]
    fn a_long_limit_of_wide_characters_is_not_counted_again_and_again() {
        let mut lines = LineDecoder::new(Charset::UTF_8, 1000);
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
            prop_assert_eq!(lines(Charset::UTF_8, 6, &stream, size), lines(Charset::UTF_8, 6, &stream, 1));
        }
    }
}

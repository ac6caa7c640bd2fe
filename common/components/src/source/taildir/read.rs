//! From a file's bytes to a batch's lines.

use super::progress::MARK_BYTES;
use super::tail::{FileId, Tail};
use event::{BatchBuilder, Span};
use flow::channel::DELIVERY_BYTES;
use memchr::memchr;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

/// What a look into a file found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// At least one line; [`Scratch::cut`] gives them.
    Lines,
    /// So many bytes (0, as a rule) that are no line yet.
    Nothing(u64),
    /// It begins with a hole, up to there.
    Hole(u64),
    /// It is shorter than what was read of it.
    Shrunk,
    /// What was read of it is not there any more: it was truncated and has grown since.
    Rewritten,
}

/// The buffer into which all files are read, one at a time.
#[derive(Debug)]
pub(super) struct Scratch {
    bytes: Vec<u8>,
    /// Whose bytes these are, if anybody's.
    owner: Option<(FileId, u64)>,
    /// What is not in a batch yet, and where in the file that begins.
    from: usize,
    to: usize,
    /// The file had no more when it was read.
    at_end: bool,
}

/// How the lines of a batch are written.
pub(super) struct Form<'a> {
    /// The header map of each event, in its Avro form.
    pub(super) prefix: &'a [u8],
    /// The headers, when each event has one more, the offset of its line.
    pub(super) offset_before: Option<&'a [(&'a str, &'a str)]>,
    /// At most so many.
    pub(super) lines: usize,
}

impl Scratch {
    pub(super) fn new() -> Scratch {
        Scratch { bytes: Vec::new(), owner: None, from: 0, to: 0, at_end: false }
    }

    /// Whether there are lines of `tail` left in it.
    pub(super) fn has_lines(&self, tail: &Tail) -> bool {
        self.owner == Some((tail.id, tail.progress.generation()))
            && memchr(b'\n', &self.bytes[self.from..self.to]).is_some()
    }

    /// Whether all that `tail` had is in it, or was.
    pub(super) fn is_at_end(&self, tail: &Tail) -> bool {
        self.owner == Some((tail.id, tail.progress.generation())) && self.at_end
    }

    /// What is left in it.
    pub(super) fn left(&self) -> u64 {
        (self.to - self.from) as u64
    }

    /// Gives its memory back when a long line has made it large, or when nothing is to be read.
    pub(super) fn rest(&mut self) {
        self.owner = None;
        if self.bytes.len() > READ_BYTES {
            self.bytes = Vec::new();
        }
    }

    /// Reads on in `tail`, which is open, from what is in no batch yet. One call of the system, as a rule: the bytes
    /// before it are read as well, to see whether it still is what it was.
    ///
    /// # Errors
    /// The operating system's.
    pub(super) fn fill(&mut self, tail: &Tail) -> io::Result<Look> {
        if self.bytes.is_empty() {
            self.bytes.resize(READ_BYTES, 0);
        }
        self.owner = Some((tail.id, tail.progress.generation()));
        (self.from, self.to, self.at_end) = (0, 0, false);
        if tail.progress.held() > LONG_HELD
            && let Some(look) = self.probe(tail)?
        {
            return Ok(look);
        }
        loop {
            let known = tail.progress.mark().len();
            let read = read_at(tail, &mut self.bytes, tail.progress.next() - known as u64)?;
            if let Some(look) = compare(tail, &self.bytes[..read]) {
                return Ok(look);
            }
            (self.from, self.to, self.at_end) = (known, read, read < self.bytes.len());
            let new = &self.bytes[known..read];
            if tail.progress.next() == 0
                && new.first() == Some(&0)
                && let Some(end) = end_of_hole(tail)
            {
                (self.from, self.to, self.at_end) = (0, 0, false);
                return Ok(Look::Hole(end));
            }
            if memchr(b'\n', new).is_some() || new.len() >= MOST_LINE {
                return Ok(Look::Lines);
            }
            if self.at_end {
                return Ok(Look::Nothing(new.len() as u64));
            }
            let larger = (self.bytes.len() * 2).min(MOST_LINE + known);
            self.bytes.resize(larger, 0);
        }
    }

    /// Looks only at what is new behind a long line without an end, so that it is not read again and again.
    fn probe(&mut self, tail: &Tail) -> io::Result<Option<Look>> {
        if let Some(look) = compare_mark(tail)? {
            return Ok(Some(look));
        }
        let mut held = tail.progress.held();
        loop {
            let read = read_at(tail, &mut self.bytes, tail.progress.next() + held)?;
            if memchr(b'\n', &self.bytes[..read]).is_some() || held + read as u64 >= MOST_LINE as u64 {
                return Ok(None);
            }
            held += read as u64;
            if read < self.bytes.len() {
                self.at_end = true;
                return Ok(Some(Look::Nothing(held)));
            }
        }
    }

    /// Moves lines into `builder` until it has enough of them, or of bytes, and tells `tail` of it. A line that is too
    /// long is cut; answers whether that was so.
    pub(super) fn cut(&mut self, tail: &mut Tail, builder: &mut BatchBuilder, form: &Form<'_>) -> bool {
        let start = self.from;
        while builder.len() < form.lines && builder.bytes() < DELIVERY_BYTES {
            let rest = &self.bytes[self.from..self.to];
            let Some(end) = memchr(b'\n', rest) else { break };
            let line = &rest[..end];
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            push(builder, form, tail.progress.next() + (self.from - start) as u64, line);
            self.from += end + 1;
        }
        let is_long = builder.is_empty() && self.to - self.from >= MOST_LINE;
        if is_long {
            push(builder, form, tail.progress.next(), &self.bytes[self.from..self.from + MOST_LINE]);
            self.from += MOST_LINE;
        }
        tail.progress.sent(tail.progress.next() + (self.from - start) as u64, &self.bytes[..self.from]);
        is_long
    }

    /// Moves what has no end into `builder`, as a line.
    pub(super) fn cut_rest(&mut self, tail: &mut Tail, builder: &mut BatchBuilder, form: &Form<'_>) {
        push(builder, form, tail.progress.next(), &self.bytes[self.from..self.to]);
        tail.progress.sent(tail.progress.next() + self.left(), &self.bytes[..self.to]);
        self.from = self.to;
    }
}

/// Reads what is before the first byte to come, when that is not known yet: from then on a change is noticed. `false`
/// when the file is too short for that.
///
/// # Errors
/// The operating system's.
pub(super) fn learn_mark(tail: &mut Tail) -> io::Result<bool> {
    let wanted = tail.progress.mark_wanted();
    if tail.progress.mark().len() >= wanted {
        return Ok(true);
    }
    let mut mark = vec![0; wanted];
    let read = read_at(tail, &mut mark, tail.progress.next() - wanted as u64)?;
    if read == wanted {
        tail.progress.keep_mark(&mark);
    }
    Ok(read == wanted)
}

/// Whether a file still is what was read of it: [`Look::Shrunk`] or [`Look::Rewritten`] if not.
///
/// # Errors
/// The operating system's.
pub(super) fn compare_mark(tail: &Tail) -> io::Result<Option<Look>> {
    let mut before = [0; MARK_BYTES];
    let known = tail.progress.mark().len();
    let read = read_at(tail, &mut before[..known], tail.progress.next() - known as u64)?;
    Ok(compare(tail, &before[..read]))
}

/// Where the data begin in a file that begins with none.
///
/// A log that was truncated by somebody else (logrotate's `copytruncate`), while its writer goes on at its old offset, is
/// empty up to there, and may seem as large as it was.
fn end_of_hole(tail: &Tail) -> Option<u64> {
    let file = tail.file.as_ref()?;
    let data = rustix::fs::seek(file, rustix::fs::SeekFrom::Data(0)).ok().filter(|data| *data > 0)?;
    let mut block = vec![0; READ_BYTES];
    let read = read_at(tail, &mut block, data).ok()?;
    Some(data + block[..read].iter().take_while(|byte| **byte == 0).count() as u64)
}

/// Fills `buffer` from `offset` on as far as the file goes.
fn read_at(tail: &Tail, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let Some(file) = &tail.file else { return Ok(0) };
    loop {
        match file.read_at(buffer, offset) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

fn compare(tail: &Tail, read: &[u8]) -> Option<Look> {
    match read.get(..tail.progress.mark().len()) {
        None => Some(Look::Shrunk),
        Some(before) if before != tail.progress.mark() => Some(Look::Rewritten),
        Some(_) => None,
    }
}

#[inline]
fn push(builder: &mut BatchBuilder, form: &Form<'_>, offset: u64, line: &[u8]) {
    match form.offset_before {
        None => builder.push_encoded(form.prefix, Span::BORN_HERE, line),
        Some(headers) => push_with_offset(builder, headers, offset, line),
    }
}

fn push_with_offset(builder: &mut BatchBuilder, headers: &[(&str, &str)], offset: u64, line: &[u8]) {
    let mut digits = [0; 20];
    let mut rest = &mut digits[..];
    let _it_fits = write!(rest, "{offset}");
    let unused = rest.len();
    let text = str::from_utf8(&digits[..digits.len() - unused]).unwrap_or_default();
    // In front, as in Flume: where two names meet in a bucket of Java's map, the first one set prints first.
    builder.push([(OFFSET_HEADER, text)].into_iter().chain(headers.iter().copied()), line);
}

/// Flume's name for it.
const OFFSET_HEADER: &str = "byteoffset";
/// Bytes asked for in a read: enough that the call costs nothing, and little enough to stay in the processor's cache.
const READ_BYTES: usize = 256 << 10;
/// A line is cut here: nobody's file takes memory without bound. Flume has no limit.
pub(super) const MOST_LINE: usize = 16 << 20;
/// A line without an end that is longer than this is not read again before it has one.
const LONG_HELD: u64 = 64 << 10;

#[cfg(test)]
mod tests {
    use super::super::tail::tests::tail;
    use super::*;
    use std::fs::{File, OpenOptions};

    struct Bench {
        writer: File,
        tail: Tail,
        scratch: Scratch,
    }

    impl Bench {
        fn new(content: &[u8]) -> Bench {
            let file = tempfile::NamedTempFile::new().unwrap();
            let mut writer = OpenOptions::new().append(true).open(file.path()).unwrap();
            writer.write_all(content).unwrap();
            let mut tail = tail(0);
            tail.file = Some(File::open(file.path()).unwrap());
            Bench { writer, tail, scratch: Scratch::new() }
        }

        fn write(&mut self, text: &[u8]) {
            self.writer.write_all(text).unwrap();
        }

        fn look(&mut self) -> Look {
            let look = self.scratch.fill(&self.tail).unwrap();
            if let Look::Nothing(held) = look {
                self.tail.progress.hold(held);
            }
            look
        }

        fn cut(&mut self, lines: usize) -> Vec<Vec<u8>> {
            let mut builder = BatchBuilder::default();
            let form = Form { prefix: &[0], offset_before: None, lines };
            self.scratch.cut(&mut self.tail, &mut builder, &form);
            builder.finish().events().map(|event| event.body().to_vec()).collect()
        }
    }

    #[test]
    fn lines_come_whole_and_one_cr_goes() {
        let mut bench = Bench::new(b"one\r\ntwo\r\r\n\nthr");
        assert_eq!(bench.look(), Look::Lines);
        assert_eq!(bench.cut(2), [&b"one"[..], b"two\r"]);
        assert!(bench.scratch.has_lines(&bench.tail));
        assert_eq!(bench.cut(9), [b""]);
        assert!(!bench.scratch.has_lines(&bench.tail) && bench.scratch.is_at_end(&bench.tail));
        assert_eq!((bench.tail.progress.next(), bench.scratch.left()), (12, 3));
        assert_eq!(bench.look(), Look::Nothing(3));
        bench.write(b"ee\n");
        assert_eq!(bench.look(), Look::Lines);
        assert_eq!(bench.cut(9), [b"three"]);
        assert_eq!(bench.look(), Look::Nothing(0));
    }

    #[test]
    fn a_file_that_was_written_anew_is_seen_however_long_it_is() {
        let mut bench = Bench::new(b"one\ntwo\n");
        bench.look();
        bench.cut(9);
        bench.writer.set_len(0).unwrap();
        assert_eq!(bench.look(), Look::Shrunk);
        bench.write(b"1\n");
        assert_eq!(bench.look(), Look::Shrunk);
        bench.write(b"2\n3\n4\n5\n6\n");
        assert_eq!(bench.look(), Look::Rewritten);
        bench.tail.restart(2);
        assert_eq!(bench.look(), Look::Lines);
        assert_eq!(bench.cut(9).concat(), b"123456");
    }

    #[test]
    fn a_hole_at_the_beginning_is_no_line() {
        let mut bench = Bench::new(b"");
        bench.writer.set_len(10_000_000).unwrap();
        bench.write(b"next\n");
        assert_eq!(bench.look(), Look::Hole(10_000_000));
        assert!(!bench.scratch.has_lines(&bench.tail));
        bench.tail.progress.skip_to(10_000_000);
        assert_eq!(bench.look(), Look::Lines);
        assert_eq!(bench.cut(9), [b"next"]);
        let mut zeros = Bench::new(b"\0\0\n");
        assert_eq!(zeros.look(), Look::Lines);
    }

    #[test]
    fn a_place_learnt_from_the_position_file_is_guarded_from_then_on() {
        let mut bench = Bench::new(b"one\ntwo\n");
        bench.tail.progress.skip_to(9);
        assert!(!learn_mark(&mut bench.tail).unwrap(), "there are 8 bytes");
        bench.tail.progress.skip_to(4);
        assert!(learn_mark(&mut bench.tail).unwrap());
        assert_eq!(bench.tail.progress.mark(), b"one\n");
        bench.look();
        assert_eq!(bench.cut(9), [b"two"]);
    }

    #[test]
    fn a_long_line_waits_for_its_end_and_a_longer_one_is_cut() {
        let mut bench = Bench::new(b"short\n");
        bench.look();
        bench.cut(9);
        let piece = vec![b'x'; 300 << 10];
        for n in 1..=3 {
            bench.write(&piece);
            assert_eq!(bench.look(), Look::Nothing(n * piece.len() as u64));
        }
        bench.write(b"\nnext\n");
        assert_eq!(bench.look(), Look::Lines);
        let lines = [bench.cut(1), bench.cut(9)].concat();
        assert_eq!((lines[0].len(), &lines[1][..]), (3 * piece.len(), &b"next"[..]));
        bench.write(&vec![b'y'; MOST_LINE + 5]);
        assert_eq!(bench.look(), Look::Lines);
        assert_eq!(bench.cut(9)[0].len(), MOST_LINE);
        assert_eq!(bench.look(), Look::Nothing(5));
        bench.scratch.rest();
        assert!(bench.scratch.bytes.is_empty());
    }

    #[test]
    fn the_offset_of_each_line_is_a_header() {
        let mut bench = Bench::new(b"one\nthree\n");
        bench.look();
        let mut builder = BatchBuilder::default();
        let form = Form { prefix: &[], offset_before: Some(&[("file", "/a")]), lines: 9 };
        bench.scratch.cut(&mut bench.tail, &mut builder, &form);
        let batch = builder.finish();
        let offsets: Vec<_> =
            batch.events().map(|event| event.header("byteoffset").map(str::to_owned)).collect();
        assert_eq!(offsets, [Some("0".to_owned()), Some("4".to_owned())]);
        assert_eq!(batch.events().next().and_then(|event| event.header("file")), Some("/a"));
    }
}

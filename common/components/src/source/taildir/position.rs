//! The position file, as Flume writes and reads it.

use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read, Seek};
use std::time::UNIX_EPOCH;

/// How far one file has been stored. Flume knows no other key, and a file with one more would keep it from starting.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) inode: u64,
    /// Bytes whose events are in the channel.
    pub(crate) pos: u64,
    /// The absolute path.
    pub(crate) file: String,
}

/// An entry on its way out.
#[derive(Debug, Serialize)]
pub(crate) struct EntryRef<'a> {
    pub(crate) inode: u64,
    pub(crate) pos: u64,
    pub(crate) file: &'a str,
}

/// What a position file says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Positions {
    pub(super) entries: Vec<Entry>,
    /// When it was last written, in nanoseconds since 1970.
    pub(super) written: Option<i64>,
    /// What is wrong with it; the entries are those before that place.
    pub(super) fault: Option<String>,
}

/// The text of a position file: `[{"inode":10371595,"pos":504,"file":"/var/log/app.log"}]`, no line end.
///
/// # Errors
/// What JSON refuses; nothing is to be written then.
pub(crate) fn encode<'a>(entries: impl Iterator<Item = EntryRef<'a>>) -> io::Result<Vec<u8>> {
    let entries: Vec<_> = entries.collect();
    Ok(serde_json::to_vec(&entries)?)
}

/// Reads `text`; where it is broken, what stands before that place still counts. Names in another encoding than UTF-8, as
/// a JVM writes them in some locales, are no fault: a file is known by its number.
pub(crate) fn decode(text: &[u8]) -> (Vec<Entry>, Option<String>) {
    let text = String::from_utf8_lossy(text);
    let text = text.as_bytes();
    match serde_json::from_slice(text) {
        Ok(entries) => (entries, None),
        Err(_) if text.trim_ascii().is_empty() => (Vec::new(), Some("it is empty".to_owned())),
        Err(error) => (decode_front(text), Some(error.to_string())),
    }
}

/// The whole entries at the front of a text that breaks off.
fn decode_front(text: &[u8]) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut rest = text.trim_ascii_start().strip_prefix(b"[").unwrap_or_default();
    loop {
        let mut stream = serde_json::Deserializer::from_slice(rest).into_iter::<Entry>();
        let Some(Ok(entry)) = stream.next() else { return entries };
        entries.push(entry);
        rest = rest.get(stream.byte_offset()..).unwrap_or_default().trim_ascii_start();
        rest = rest.strip_prefix(b",").unwrap_or_default();
    }
}

/// Reads `file` from its beginning.
pub(super) fn read(file: &File) -> Positions {
    let mut text = Vec::new();
    let mut from_start = file;
    let read = from_start.rewind().and_then(|()| file.take(MOST_BYTES).read_to_end(&mut text));
    match read {
        Ok(_) => {
            let (entries, fault) = decode(&text);
            Positions { entries, written: written(file), fault }
        }
        Err(error) => Positions { fault: Some(error.to_string()), ..Positions::default() },
    }
}

/// When `file` was written, in nanoseconds since 1970.
pub(super) fn written(file: &File) -> Option<i64> {
    let since = file.metadata().ok()?.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_nanos()).ok()
}

/// A position file for over a million files; what is larger is none.
const MOST_BYTES: u64 = 256 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(inode: u64, pos: u64, file: &str) -> Entry {
        Entry { inode, pos, file: file.to_owned() }
    }

    #[test]
    fn writes_what_flume_writes_and_reads_it() {
        let text =
            encode([EntryRef { inode: 10_371_595, pos: 504, file: "/var/log/app.log" }].into_iter()).unwrap();
        assert_eq!(text, br#"[{"inode":10371595,"pos":504,"file":"/var/log/app.log"}]"#);
        assert_eq!(decode(&text), (vec![entry(10_371_595, 504, "/var/log/app.log")], None));
        assert_eq!(encode(std::iter::empty()).unwrap(), b"[]");
    }

    #[test]
    fn a_file_cut_anywhere_gives_the_entries_before_the_cut() {
        let whole = br#"[{"inode":1,"pos":2,"file":"/a"},{"inode":3,"pos":4,"file":"/b\"}"}]"#;
        let second = whole.len() - 1;
        for cut in 0..whole.len() {
            let (entries, fault) = decode(&whole[..cut]);
            let expected = if cut >= second { 2 } else { usize::from(cut >= 32) };
            assert_eq!(entries.len(), expected, "cut at {cut}");
            assert!(fault.is_some(), "cut at {cut}");
        }
    }

    #[test]
    fn what_has_another_shape_is_a_fault() {
        for text in
            ["{}", "7", r#"[{"inode":1,"pos":2}]"#, r#"[{"inode":1,"pos":2,"file":"/a","x":1}]"#, "\0\0\0"]
        {
            let (entries, fault) = decode(text.as_bytes());
            assert!(entries.is_empty() && fault.is_some(), "{text}");
        }
        assert_eq!(decode(b" \n").1.as_deref(), Some("it is empty"));
    }

    #[test]
    fn a_file_says_when_it_was_written_and_names_need_not_be_utf_8() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"[{\"inode\":1,\"pos\":2,\"file\":\"/\xe9\"}]").unwrap();
        let positions = read(file.as_file());
        assert_eq!(positions.entries, [entry(1, 2, "/\u{fffd}")]);
        assert!(positions.written.is_some() && positions.fault.is_none());
    }
}

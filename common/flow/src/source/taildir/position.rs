//! The position file, as Flume writes and reads it.

use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
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
pub(crate) fn encode<'a>(entries: impl Iterator<Item = EntryRef<'a>>) -> Vec<u8> {
    let entries: Vec<_> = entries.collect();
    // Numbers and text: there is nothing in it that JSON could refuse.
    serde_json::to_vec(&entries).unwrap_or_else(|_| b"[]".to_vec())
}

/// Reads `text`; where it is broken, what stands before that place still counts.
pub(crate) fn decode(text: &[u8]) -> (Vec<Entry>, Option<String>) {
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

/// Reads the file at `path`; one that is not there says nothing.
pub(super) fn load(path: &Path) -> Positions {
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| {
        file.take(MOST_BYTES).read_to_end(&mut text)?;
        fs::metadata(path)?.modified()
    });
    match read {
        Ok(written) => {
            let (entries, fault) = decode(&text);
            let written = written.duration_since(UNIX_EPOCH).ok();
            Positions {
                entries,
                written: written.and_then(|since| i64::try_from(since.as_nanos()).ok()),
                fault,
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Positions::default(),
        Err(error) => Positions { fault: Some(error.to_string()), ..Positions::default() },
    }
}

/// How a position file was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// Beside the old one, then in its place: whenever the machine stops, one of the two is whole.
    Whole,
    /// Over the old one, as Flume does: its directory takes no new file, or it is a mount of its own.
    InPlace,
}

/// Replaces the file at `path` by `text`, on the disk when it returns.
///
/// # Errors
/// The operating system's; unless it was written in place, the old file is still there.
pub(super) fn save(path: &Path, text: &[u8]) -> io::Result<Written> {
    // A link to a file elsewhere stays a link.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    match save_whole(&path, text) {
        Ok(()) => Ok(Written::Whole),
        Err(error) if is_refused(&error) => {
            let mut file = File::create(&path)?;
            file.write_all(text)?;
            file.sync_data()?;
            Ok(Written::InPlace)
        }
        Err(error) => Err(error),
    }
}

fn save_whole(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    let beside = PathBuf::from(name);
    let mut file = File::create(&beside)?;
    file.write_all(text)?;
    file.sync_all()?;
    if let Err(error) = fs::rename(&beside, path) {
        let _left_over = fs::remove_file(&beside);
        return Err(error);
    }
    match path.parent() {
        Some(directory) if directory.as_os_str().is_empty() => File::open(".")?.sync_all(),
        Some(directory) => File::open(directory)?.sync_all(),
        None => Ok(()),
    }
}

/// Whether writing in place may still work. On a full disk it must not be tried: it begins by emptying the file.
fn is_refused(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ResourceBusy)
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
        let text = encode([EntryRef { inode: 10_371_595, pos: 504, file: "/var/log/app.log" }].into_iter());
        assert_eq!(text, br#"[{"inode":10371595,"pos":504,"file":"/var/log/app.log"}]"#);
        assert_eq!(decode(&text), (vec![entry(10_371_595, 504, "/var/log/app.log")], None));
        assert_eq!(encode(std::iter::empty()), b"[]");
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
    fn replaces_the_old_file_and_leaves_nothing_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("positions.json");
        assert_eq!(load(&path), Positions::default());
        for pos in [1, 2] {
            let text = encode([EntryRef { inode: 1, pos, file: "/a" }].into_iter());
            assert_eq!(save(&path, &text).unwrap(), Written::Whole);
            let positions = load(&path);
            assert_eq!(positions.entries, [entry(1, pos, "/a")]);
            assert!(positions.written.is_some() && positions.fault.is_none());
        }
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}

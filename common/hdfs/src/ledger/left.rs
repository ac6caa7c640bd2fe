//! Reads the lists of those that are gone.

use super::list::{Head, List, is_certain};
use super::{Left, LeftFile, LeftList};
use crate::path::FileNames;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The lists in `directory` about the place of `own` that nobody holds.
pub(super) fn left_behind(directory: &Path, own: &List) -> io::Result<Left> {
    let mut left = Left::default();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let Some(is_certain) = is_certain(&path).filter(|_| path != own.path()) else { continue };
        let Ok(file) = File::open(&path) else { continue };
        // Who holds it lives. One without a name was taken over by another that has started meanwhile.
        if file.try_lock().is_err() || file.metadata()?.nlink() == 0 {
            continue;
        }
        let Ok(Some(files)) = unfinished(BufReader::new(&file), own.head(), is_certain) else { continue };
        left.add(files);
        left.lists.push(LeftList { path, _lock: file });
    }
    Ok(left)
}

/// The files that were begun and not finished; `None` of a list about another place. A list may be longer than memory: only
/// what is open is kept of it. A last line that was cut off names a file that was not made, or a sync that nobody has
/// acknowledged. What stands there of files that were still written to counts in the boot of `now` alone, where it is certain.
pub(super) fn unfinished(
    mut list: impl BufRead,
    now: &Head,
    is_certain: bool,
) -> io::Result<Option<Vec<LeftFile>>> {
    let mut open: BTreeMap<String, LeftFile> = BTreeMap::new();
    let (mut line, mut is_first, mut of_this_boot) = (Vec::new(), true, false);
    loop {
        line.clear();
        list.by_ref().take(MOST_LINE_BYTES).read_until(b'\n', &mut line)?;
        let whole = line.strip_suffix(b"\n");
        if std::mem::replace(&mut is_first, false) {
            if whole.unwrap_or(&line) != now.place.as_bytes() {
                return Ok(None);
            }
            continue;
        }
        let Some(whole) = whole else { return Ok(Some(open.into_values().collect())) };
        let Ok(text) = std::str::from_utf8(whole) else { continue };
        let (kind, rest) = text.split_at_checked(1).unwrap_or_default();
        match (kind, rest.split_once('\t')) {
            ("@", None) => of_this_boot = now.boot.as_deref() == Some(rest),
            ("+", Some((in_use, complete))) => {
                let names = FileNames { in_use: in_use.to_owned(), complete: complete.to_owned() };
                open.entry(in_use.to_owned()).or_insert(LeftFile { names, synced: None });
            }
            ("=" | "~", Some((in_use, synced))) => {
                if let Some(file) = open.get_mut(in_use) {
                    let counts = kind == "=" || (is_certain && of_this_boot);
                    file.synced = synced.parse().ok().filter(|_| counts);
                }
            }
            ("-", None) => {
                open.remove(rest);
            }
            _ => {}
        }
    }
}

/// A line has two paths, of some 8000 bytes each.
const MOST_LINE_BYTES: u64 = 64 << 10;

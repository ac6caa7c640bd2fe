//! Waits for what comes out.

use crate::node::Error;
use std::{
    fs,
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

/// When the first and the last of it were there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Watched {
    pub(super) first: Instant,
    pub(super) done: Instant,
}

/// Waits until `path` holds `bytes`.
pub(super) fn file(path: &Path, bytes: u64, limit: Duration) -> Result<Watched, Error> {
    size(|| length(path), bytes, limit)
}

/// Waits until the files in `directory` hold `bytes` together.
pub(super) fn directory(directory: &Path, bytes: u64, limit: Duration) -> Result<Watched, Error> {
    size(|| files(directory).iter().map(|path| length(path)).sum(), bytes, limit)
}

/// Waits until the end of `path` contains `text`.
pub(super) fn last_line(path: &Path, text: &str, limit: Duration) -> Result<Watched, Error> {
    let found = || {
        let end = end_of(path).unwrap_or_default();
        (end.contains(text), length(path))
    };
    poll(found, limit, || format!("the last lines of {} lack \"{text}\"", path.display()))
}

/// Waits until a line of the short file `path` contains `text`.
pub(super) fn line(path: &Path, text: &str, limit: Duration) -> Result<Watched, Error> {
    let found = || (fs::read(path).is_ok_and(|all| String::from_utf8_lossy(&all).contains(text)), 0);
    poll(found, limit, || format!("{} lacks \"{text}\"", path.display()))
}

/// The text of a file, once it is there and ends with a line end.
pub(super) fn text(path: &Path, limit: Duration) -> Option<String> {
    let read = || fs::read_to_string(path).ok().filter(|text| text.ends_with('\n'));
    poll(|| (read().is_some(), 0), limit, String::new).ok()?;
    read()
}

/// The files of a directory, in the order in which file_roll made them: by the number at the end of their names.
pub(super) fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.sort_by_key(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.rsplit('-').next().and_then(|number| number.parse::<u64>().ok())
    });
    files
}

fn size(length: impl Fn() -> u64, bytes: u64, limit: Duration) -> Result<Watched, Error> {
    let found = || {
        let length = length();
        (length >= bytes, length)
    };
    poll(found, limit, || format!("{} of {bytes} bytes came out", length()))
}

/// Looks until all is `found`, which tells whether all is there, and how much is.
fn poll(
    found: impl Fn() -> (bool, u64),
    limit: Duration,
    what: impl Fn() -> String,
) -> Result<Watched, Error> {
    let begin = Instant::now();
    let (mut first, mut moved, mut before) = (None, begin, 0);
    loop {
        let (all, much) = found();
        let now = Instant::now();
        if much > 0 {
            first.get_or_insert(now);
        }
        if much != before {
            (before, moved) = (much, now);
        }
        if all {
            return Ok(Watched { first: first.unwrap_or(now), done: now });
        }
        if now - begin > limit || now - moved > STALL {
            return Err(Error::Missing(format!("after {:.0?} {}", now - begin, what())));
        }
        thread::sleep(LOOK);
    }
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |found| found.len())
}

fn end_of(path: &Path) -> std::io::Result<String> {
    let mut file = fs::File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(END)))?;
    let mut end = Vec::new();
    file.take(END).read_to_end(&mut end)?;
    Ok(String::from_utf8_lossy(&end).into_owned())
}

/// Often enough for a run of half a second, seldom enough to cost nothing.
const LOOK: Duration = Duration::from_millis(1);

/// Nothing new for this long is the end: longer than any pause of Flume's.
const STALL: Duration = Duration::from_secs(40);

/// How much of a console's end is looked at.
const END: u64 = 4096;

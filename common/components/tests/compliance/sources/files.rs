//! Sources that need nobody to send: of files, and `seq`.

use flow::compliance::source::TOO_LARGE;
use flow::compliance::{Pairs, SourceBench, pairs};
use futures_util::future::LocalBoxFuture;
use std::cell::Cell;
use std::fs;
use std::future::ready;
use std::io::Write;
use std::ops::Range;

/// A directory that files are put in.
pub(crate) struct SpoolDir {
    folder: tempfile::TempDir,
    files: Cell<usize>,
}

impl Default for SpoolDir {
    fn default() -> SpoolDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("spool")).unwrap();
        SpoolDir { folder, files: Cell::default() }
    }
}

impl SpoolDir {
    /// A file appears whole, by a rename.
    fn put(&self, text: &str) -> LocalBoxFuture<'static, ()> {
        let number = self.files.get();
        self.files.set(number + 1);
        let (name, folder) = (format!("file-{number:03}"), self.folder.path());
        fs::write(folder.join(&name), text).unwrap();
        fs::rename(folder.join(&name), folder.join("spool").join(name)).unwrap();
        Box::pin(ready(()))
    }
}

impl SourceBench for SpoolDir {
    fn properties(&self, _: u64) -> Pairs {
        let directory = self.folder.path().join("spool").display().to_string();
        pairs([("spoolDir", directory.as_str()), ("batchSize", "3"), ("pollDelay", "10")])
    }

    fn under_way(&self) -> usize {
        3
    }

    fn feed(&self, numbers: Range<u64>) -> LocalBoxFuture<'static, ()> {
        self.put(&numbers.map(|number| format!("{number}\n")).collect::<String>())
    }

    fn feed_too_large(&self) -> Option<LocalBoxFuture<'static, ()>> {
        Some(self.put(&format!("{}\n", "x".repeat(TOO_LARGE))))
    }
}

/// A file that is followed.
pub(crate) struct Taildir(tempfile::TempDir);

impl Default for Taildir {
    fn default() -> Taildir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("lines"), "").unwrap();
        Taildir(folder)
    }
}

impl Taildir {
    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn append(&self, text: &str) -> LocalBoxFuture<'static, ()> {
        let mut file = fs::File::options().append(true).open(self.path("lines")).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        Box::pin(ready(()))
    }
}

impl SourceBench for Taildir {
    fn properties(&self, _: u64) -> Pairs {
        pairs([
            ("filegroups", "f".to_owned()),
            ("filegroups.f", self.path("lines")),
            ("positionFile", self.path("positions.json")),
            ("batchSize", "3".to_owned()),
        ])
    }

    fn feed(&self, numbers: Range<u64>) -> LocalBoxFuture<'static, ()> {
        self.append(&numbers.map(|number| format!("{number}\n")).collect::<String>())
    }

    fn feed_too_large(&self) -> Option<LocalBoxFuture<'static, ()>> {
        Some(self.append(&format!("{}\n", "x".repeat(TOO_LARGE))))
    }

    fn stops_at_too_large(&self) -> Option<&'static str> {
        Some("the line stays in its file, and so does its position")
    }
}

/// Counts by itself.
pub(crate) struct Seq;

impl SourceBench for Seq {
    fn properties(&self, events: u64) -> Pairs {
        pairs([("totalEvents", events), ("batchSize", 3)])
    }

    fn feed(&self, _: Range<u64>) -> LocalBoxFuture<'static, ()> {
        Box::pin(ready(()))
    }

    fn feed_too_large(&self) -> Option<LocalBoxFuture<'static, ()>> {
        None
    }

    fn begins_again(&self) -> Option<&'static str> {
        Some("it counts from 0 whenever it is started, as Flume's")
    }
}

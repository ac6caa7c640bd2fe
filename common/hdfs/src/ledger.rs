//! Which files of this sink are unfinished, written down on this machine: the next start finds those of a process that was
//! killed, and no others, and which bytes of them count.
//!
//! Each sink that runs has a file of its own, locked as long as it lives. A line is added before a file is made, after each of
//! its syncs before that is acknowledged, and when it is complete: a file that was open at a crash is always in it, and how
//! many bytes of it were acknowledged. A list that has grown long is written anew, without what is complete. Whoever starts
//! takes over the files that nobody holds.
//!
//! No line waits for the disk. What was written outlives the process, for the kernel has it; a loss of power may take the last
//! lines. So a list says in which boot of the machine it was written, and behind another one all bytes of a file that was
//! still written to count: more of it may have been acknowledged than the list says.

mod left;
mod list;

pub(crate) use list::make_directory;

use crate::path::FileNames;
use left::left_behind;
use list::List;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// The list of one sink.
#[derive(Debug)]
pub(crate) struct Ledger {
    held: Option<List>,
    /// By the names that they have now.
    open: BTreeMap<String, Entry>,
}

/// A file that is not complete.
#[derive(Debug)]
struct Entry {
    file: LeftFile,
    /// It is written to: more of it may count soon.
    grows: bool,
}

/// What a process that is gone has left.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Left {
    /// Its unfinished files.
    pub(crate) files: Vec<LeftFile>,
    /// The lists they stand in; to be removed when all of them stand in another one.
    pub(crate) lists: Vec<LeftList>,
}

/// A list that was taken over. It is locked as long as this lives: two that complete the same files would undo each other's
/// work.
#[derive(Debug)]
pub(crate) struct LeftList {
    pub(crate) path: PathBuf,
    _lock: File,
}

impl PartialEq for LeftList {
    fn eq(&self, other: &LeftList) -> bool {
        self.path == other.path
    }
}

impl Eq for LeftList {}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LeftFile {
    pub(crate) names: FileNames,
    /// So many bytes of it count, where that is known.
    pub(crate) synced: Option<u64>,
}

impl Left {
    /// A process that was killed while it took over a list has its files in both.
    fn add(&mut self, files: Vec<LeftFile>) {
        for file in files {
            match self.files.iter_mut().find(|known| known.names.in_use == file.names.in_use) {
                Some(known) => known.synced = known.synced.or(file.synced),
                None => self.files.push(file),
            }
        }
    }
}

impl Ledger {
    /// One that writes nothing down.
    pub(crate) fn none() -> Ledger {
        Ledger { held: None, open: BTreeMap::new() }
    }

    /// A new list in `directory` for files at `place`, and what others have left there. `unique` is nobody else's.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn begin(directory: &Path, place: &str, unique: u128) -> io::Result<(Ledger, Left)> {
        make_directory(directory)?;
        let list = List::begin(directory, place, unique)?;
        let left = left_behind(directory, &list)?;
        Ok((Ledger { held: Some(list), open: BTreeMap::new() }, left))
    }

    /// The list, to be forced to the disk.
    ///
    /// # Errors
    /// The system's, or there is none, or it lacks something.
    pub(crate) fn list(&self) -> io::Result<File> {
        match &self.held {
            Some(list) => list.file(),
            None => Err(io::Error::other("it cannot be written")),
        }
    }

    /// Whether it lacks something: the last line could not be written.
    pub(crate) fn is_broken(&self) -> bool {
        self.held.as_ref().is_some_and(List::is_broken)
    }

    /// A file is about to be made. Nobody has said of it how many bytes count: it may be somebody else's.
    ///
    /// # Errors
    /// The system's; this and the others write all of it again when they are called the next time.
    pub(crate) fn add(&mut self, names: &FileNames) -> io::Result<()> {
        let entry = Entry { file: LeftFile { names: names.clone(), synced: None }, grows: false };
        let lines = entry.lines();
        self.open.insert(names.in_use.clone(), entry);
        self.write(&lines)
    }

    /// So many bytes of a file that is written to are there for sure.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn grown(&mut self, in_use: &str, synced: u64) -> io::Result<()> {
        self.count(in_use, synced, true)
    }

    /// So many bytes of a file count, and it is written to no more; who comes after us is to cut off the others.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn mark(&mut self, in_use: &str, synced: u64) -> io::Result<()> {
        self.count(in_use, synced, false)
    }

    fn count(&mut self, in_use: &str, synced: u64, grows: bool) -> io::Result<()> {
        let Some(entry) = self.open.get_mut(in_use) else { return Ok(()) };
        (entry.file.synced, entry.grows) = (Some(synced), grows);
        let line = entry.count_line();
        self.write(&line)
    }

    /// A file is complete, or there is none of that name.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn remove(&mut self, in_use: &str) -> io::Result<()> {
        match self.open.remove(in_use) {
            Some(_) => self.write(&format!("-{in_use}\n")),
            None => Ok(()),
        }
    }

    /// Writes what `open` has already.
    fn write(&mut self, lines: &str) -> io::Result<()> {
        match &mut self.held {
            Some(list) => list.write(lines, self.open.values()),
            None => Ok(()),
        }
    }

    /// The sink ends: its list goes when nothing is open.
    pub(crate) fn end(&mut self) {
        match self.held.take_if(|_| self.open.is_empty()) {
            Some(list) => list.remove(),
            None if self.is_broken() => {
                let _last_try = self.write("");
            }
            None => {}
        }
    }

    /// The next line meets a disk that is full.
    #[cfg(test)]
    pub(crate) fn meet_a_full_disk(&mut self) {
        self.held.iter_mut().for_each(List::meet_a_full_disk);
    }
}

impl Entry {
    /// What a list says of it.
    fn lines(&self) -> String {
        let FileNames { in_use, complete } = &self.file.names;
        format!("+{in_use}\t{complete}\n{}", self.count_line())
    }

    fn count_line(&self) -> String {
        let mut line = String::new();
        if let Some(synced) = self.file.synced {
            let kind = if self.grows { '~' } else { '=' };
            let _in_memory = writeln!(line, "{kind}{}\t{synced}", self.file.names.in_use);
        }
        line
    }
}

#[cfg(test)]
mod tests;

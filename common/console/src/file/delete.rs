//! log4j 2's `Delete`: which kept files go when one more is kept.

use super::glob::matches;
use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// What is deleted: files below a folder that pass all conditions. Without any condition nothing is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delete {
    base: PathBuf,
    depth: usize,
    spared: Option<PathBuf>,
    conditions: Vec<Condition>,
}

/// Asked in their order, as by log4j: a later one sees and counts only what all before it let pass.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Condition {
    /// What names are like, from the folder on.
    Path(String),
    /// What names are like, without their folders.
    Name(String),
    /// The newest may have so many bytes together.
    Bytes(u64),
    /// So many of the newest stay.
    Files(usize),
    /// Milliseconds since the last change, at least.
    Age(i64),
}

/// A file that may go.
struct Candidate {
    path: PathBuf,
    /// From the folder on.
    name: String,
    /// Its device, and its number there.
    file: (u64, u64),
    bytes: u64,
    modified: i64,
}

impl Delete {
    /// Of the files of `base`; `depth` says how many levels of folders are looked at, 1 is the folder alone.
    pub fn new(base: impl Into<PathBuf>, depth: usize) -> Delete {
        Delete { base: base.into(), depth, ..Delete::default() }
    }

    /// Never deletes this one: the file that is written. (log4j does, when its conditions hold of it.)
    #[must_use]
    pub fn spare(mut self, file: impl Into<PathBuf>) -> Delete {
        self.spared = Some(file.into());
        self
    }

    /// Then: whose name, from the folder on, is like `glob`, with `*` and `?`.
    #[must_use]
    pub fn path(self, glob: impl Into<String>) -> Delete {
        self.and(Condition::Path(glob.into()))
    }

    /// Then: whose own name is like `glob`, with `*` and `?`.
    #[must_use]
    pub fn name(self, glob: impl Into<String>) -> Delete {
        self.and(Condition::Name(glob.into()))
    }

    /// Then: with which the newest have more than so many bytes together.
    #[must_use]
    pub fn most_bytes(self, bytes: u64) -> Delete {
        self.and(Condition::Bytes(bytes))
    }

    /// Then: before which there are so many newer ones.
    #[must_use]
    pub fn most_files(self, files: usize) -> Delete {
        self.and(Condition::Files(files))
    }

    /// Then: whose last change is so many milliseconds ago, or more.
    #[must_use]
    pub fn older_than(self, millis: i64) -> Delete {
        self.and(Condition::Age(millis))
    }

    fn and(mut self, condition: Condition) -> Delete {
        self.conditions.push(condition);
        self
    }

    /// Whether nothing says which files go, so that none does.
    pub fn is_idle(&self) -> bool {
        self.conditions.is_empty()
    }

    /// Deletes them.
    ///
    /// # Errors
    /// What the system said.
    pub(super) fn run(&self, now: i64) -> io::Result<()> {
        let mut found = Vec::new();
        self.find(&self.base, "", self.depth, &mut found)?;
        let spared = self.spared.as_ref().and_then(|path| fs::metadata(path).ok());
        let spared = spared.map(|about| (about.dev(), about.ino()));
        for kept in self.choose(found, now).into_iter().filter(|kept| Some(kept.file) != spared) {
            fs::remove_file(kept.path)?;
        }
        Ok(())
    }

    fn find(&self, folder: &Path, front: &str, depth: usize, found: &mut Vec<Candidate>) -> io::Result<()> {
        let entries = match fs::read_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let Ok(about) = entry.metadata() else { continue }; // it is gone
            let name = format!("{front}{}", entry.file_name().to_string_lossy());
            if about.is_dir() && depth > 1 {
                self.find(&entry.path(), &format!("{name}/"), depth - 1, found)?;
            } else if about.is_file() {
                let modified = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                found.push(Candidate {
                    path: entry.path(),
                    name,
                    file: (about.dev(), about.ino()),
                    bytes: about.len(),
                    modified: crate::stamp::millis(modified),
                });
            }
        }
        Ok(())
    }

    /// The newest are looked at first.
    fn choose(&self, mut found: Vec<Candidate>, now: i64) -> Vec<Candidate> {
        if self.is_idle() {
            return Vec::new();
        }
        found.sort_by(|one, other| other.modified.cmp(&one.modified).then(other.path.cmp(&one.path)));
        let mut conditions: Vec<(&Condition, u64)> = self.conditions.iter().map(|one| (one, 0)).collect();
        found.retain(|kept| conditions.iter_mut().all(|(condition, sum)| condition.holds(kept, now, sum)));
        found
    }
}

impl Condition {
    /// Whether it holds of a file. `sum` is what the condition has counted so far.
    fn holds(&self, kept: &Candidate, now: i64, sum: &mut u64) -> bool {
        match self {
            Condition::Path(glob) => matches(glob, &kept.name),
            Condition::Name(glob) => matches(glob, kept.name.rsplit('/').next().unwrap_or_default()),
            Condition::Bytes(most) => {
                *sum = sum.saturating_add(kept.bytes);
                *sum > *most
            }
            Condition::Files(most) => {
                *sum += 1;
                *sum > *most as u64
            }
            Condition::Age(least) => now.saturating_sub(kept.modified) >= *least,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of three files go.
    fn chosen(delete: &Delete) -> Vec<String> {
        let kept = |name: &str, bytes, modified| Candidate {
            path: name.into(),
            name: name.to_owned(),
            file: (0, 0),
            bytes,
            modified,
        };
        let files = vec![kept("b", 60, 2), kept("a", 60, 1), kept("x/c", 30, 3)];
        delete.choose(files, 10).into_iter().map(|kept| kept.name).collect()
    }

    #[test]
    fn the_oldest_go_when_all_are_too_much() {
        let delete = Delete::default;
        assert_eq!(chosen(&delete().most_bytes(100)), ["a"]);
        assert_eq!(chosen(&delete().most_files(1)), ["b", "a"]);
        assert_eq!(chosen(&delete().older_than(9)), ["a"]);
        assert_eq!(chosen(&delete().path("?")), ["b", "a"]);
        assert_eq!(chosen(&delete().name("c")), ["x/c"]);
        assert!(chosen(&delete()).is_empty());
    }

    #[test]
    fn a_condition_counts_what_those_before_it_let_pass() {
        let delete = Delete::default;
        assert_eq!(chosen(&delete().older_than(8).most_files(1)), ["a"]);
        assert_eq!(chosen(&delete().most_files(1).older_than(8)), ["b", "a"]);
        assert_eq!(chosen(&delete().path("?").most_bytes(60)), ["a"]);
        assert!(chosen(&delete().most_files(2).most_files(1)).is_empty());
    }

    #[test]
    fn the_file_that_is_written_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        ["f.log", "f.log.1"].iter().for_each(|name| fs::write(path(name), "x").unwrap());
        let written = folder.path().join(".").join("f.log");
        Delete::new(folder.path(), 1).spare(written).path("*").run(0).unwrap();
        assert!(path("f.log").exists() && !path("f.log.1").exists());
    }
}

//! log4j 2's `Delete`: which kept files go when one more is kept.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// What is deleted: files below `base` of which all conditions hold. Without any condition nothing is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delete {
    /// The folder.
    pub base: PathBuf,
    /// How many levels of folders are looked at; 1 is the folder alone.
    pub depth: usize,
    /// What names are like, from the folder on, with `*` and `?`.
    pub glob: Option<String>,
    /// The newest may have so many bytes together.
    pub most_bytes: Option<u64>,
    /// So many of the newest stay.
    pub most_files: Option<usize>,
    /// Milliseconds since the last change.
    pub older_than: Option<i64>,
}

/// A file that may go.
struct Kept {
    path: PathBuf,
    bytes: u64,
    modified: i64,
}

impl Delete {
    /// Deletes them.
    ///
    /// # Errors
    /// What the system said.
    pub(super) fn run(&self, now: i64) -> io::Result<()> {
        let mut found = Vec::new();
        self.find(&self.base, "", self.depth, &mut found)?;
        for path in self.choose(found, now) {
            fs::remove_file(path)?;
        }
        Ok(())
    }

    fn find(&self, folder: &Path, front: &str, depth: usize, found: &mut Vec<Kept>) -> io::Result<()> {
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
            } else if about.is_file() && self.glob.as_deref().is_none_or(|glob| matches(glob, &name)) {
                let modified = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                found.push(Kept {
                    path: entry.path(),
                    bytes: about.len(),
                    modified: crate::stamp::millis(modified),
                });
            }
        }
        Ok(())
    }

    /// The newest are looked at first.
    fn choose(&self, mut found: Vec<Kept>, now: i64) -> Vec<PathBuf> {
        if self.most_bytes.is_none() && self.most_files.is_none() && self.older_than.is_none() {
            return Vec::new();
        }
        found.sort_by(|one, other| other.modified.cmp(&one.modified).then(other.path.cmp(&one.path)));
        let (mut bytes, mut files) = (0u64, 0usize);
        let goes = |kept: &Kept| {
            (bytes, files) = (bytes.saturating_add(kept.bytes), files + 1);
            self.older_than.is_none_or(|age| now.saturating_sub(kept.modified) >= age)
                && self.most_bytes.is_none_or(|most| bytes > most)
                && self.most_files.is_none_or(|most| files > most)
        };
        let mut goes = goes;
        found.into_iter().filter(|kept| goes(kept)).map(|kept| kept.path).collect()
    }
}

/// Whether a name is like `glob`: `*` is any text and `?` any sign, within a folder's name.
pub(super) fn matches(glob: &str, name: &str) -> bool {
    let (glob, name): (Vec<char>, Vec<char>) = (glob.chars().collect(), name.chars().collect());
    let (mut at, mut on, mut star) = (0, 0, None);
    while on < name.len() {
        match glob.get(at) {
            Some('*') => {
                star = Some((at, on));
                at += 1;
            }
            Some(sign) if *sign == name[on] || (*sign == '?' && name[on] != '/') => {
                (at, on) = (at + 1, on + 1)
            }
            _ => match star {
                Some((behind, from)) if name[from] != '/' => {
                    star = Some((behind, from + 1));
                    (at, on) = (behind + 1, from + 1);
                }
                _ => return false,
            },
        }
    }
    glob[at..].iter().all(|sign| *sign == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_stay_within_a_folder() {
        for (glob, name, expected) in [
            ("flume.log.*", "flume.log.20261127-1", true),
            ("flume.log.*", "flume.log", false),
            ("*/a-?.log", "x/a-1.log", true),
            ("*.log", "x/a.log", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbY", false),
            ("**", "", true),
        ] {
            assert_eq!(matches(glob, name), expected, "{glob} {name}");
        }
    }

    #[test]
    fn the_oldest_go_when_all_are_too_much() {
        let kept = |name: &str, bytes, modified| Kept { path: name.into(), bytes, modified };
        let files = || vec![kept("b", 60, 2), kept("a", 60, 1), kept("c", 30, 3)];
        let chosen = |delete: Delete| delete.choose(files(), 10);
        assert_eq!(chosen(Delete { most_bytes: Some(100), ..Delete::default() }), [PathBuf::from("a")]);
        assert_eq!(
            chosen(Delete { most_files: Some(1), ..Delete::default() }),
            ["b", "a"].map(PathBuf::from)
        );
        assert_eq!(chosen(Delete { older_than: Some(9), ..Delete::default() }), [PathBuf::from("a")]);
        assert!(chosen(Delete::default()).is_empty());
    }
}

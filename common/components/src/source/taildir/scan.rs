//! Which files of a directory are followed.

use super::tail::FileId;
use java::Pattern;
use runtime::told::LastTold;
use std::collections::{BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::rc::Rc;

/// A directory in which files are followed.
#[derive(Debug)]
pub(super) struct Directory {
    /// Absolute.
    pub(super) path: PathBuf,
    /// The groups that look here, in the order of `filegroups`: a file belongs to the first that matches its name.
    pub(super) groups: Vec<(usize, Pattern)>,
    /// What is followed here, by name.
    pub(super) names: HashMap<OsString, FileId>,
    /// It was listed at least once.
    pub(super) scanned: bool,
    /// Nothing can be heard of it.
    pub(super) blind: bool,
    /// What is wrong with it.
    pub(super) fault: LastTold,
    listing: Option<Listing>,
}

#[derive(Debug)]
struct Listing {
    modified: i64,
    names: Rc<[OsString]>,
}

impl Directory {
    pub(super) fn new(path: PathBuf) -> Directory {
        Directory {
            path,
            groups: Vec::new(),
            names: HashMap::new(),
            scanned: false,
            blind: false,
            fault: LastTold::default(),
            listing: None,
        }
    }

    /// The group to which a file called `name` belongs. The pattern sees a name that is not UTF-8 as Java does, with U+FFFD
    /// for what cannot be decoded.
    pub(super) fn group_of(&self, name: &OsStr) -> Option<usize> {
        let name = name.to_string_lossy();
        self.groups.iter().find(|(_, pattern)| pattern.is_found(name.as_bytes())).map(|(group, _)| *group)
    }

    /// The names that match. With `cache`, the directory is not read again while it is not modified; `now` is in
    /// milliseconds since 1970.
    ///
    /// # Errors
    /// The operating system's.
    pub(super) fn list(&mut self, cache: bool, now: i64) -> io::Result<Rc<[OsString]>> {
        let about = fs::metadata(&self.path)?;
        let modified = about.mtime().saturating_mul(1000).saturating_add(about.mtime_nsec() / 1_000_000);
        if let Some(listing) = self.listing.as_ref().filter(|listing| cache && listing.modified == modified) {
            return Ok(listing.names.clone());
        }
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let name = entry?.file_name();
            if self.group_of(&name).is_some() {
                names.push(name);
            }
        }
        let names: Rc<[OsString]> = names.into();
        // A name that comes within the same tick of the file system's clock does not change the time again.
        let is_settled = now.saturating_sub(modified) > SETTLED_MILLIS;
        self.listing = is_settled.then(|| Listing { modified, names: names.clone() });
        Ok(names)
    }
}

/// Which groups have been seen with a file, or told without one.
#[derive(Debug, Default)]
pub(super) struct Unmatched(BTreeSet<usize>);

impl Unmatched {
    /// The groups of `count` that follow no file, each once. `follows` answers nothing for a group whose directory has not
    /// been read yet.
    pub(super) fn told_now(&mut self, count: usize, follows: impl Fn(usize) -> Option<bool>) -> Vec<usize> {
        if self.0.len() == count {
            return Vec::new();
        }
        let fresh = |group: &usize| !self.0.contains(group);
        let known: Vec<(usize, bool)> =
            (0..count).filter(fresh).filter_map(|group| Some((group, follows(group)?))).collect();
        self.0.extend(known.iter().map(|(group, _)| *group));
        known.into_iter().filter(|(_, follows)| !follows).map(|(group, _)| group).collect()
    }
}

/// Flume's second, by which the clocks of file systems are told apart.
const SETTLED_MILLIS: i64 = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(path: PathBuf, patterns: &[&str]) -> Directory {
        let mut directory = Directory::new(path);
        directory.groups =
            patterns.iter().enumerate().map(|(n, text)| (n, Pattern::compile_whole(text).unwrap())).collect();
        directory
    }

    #[test]
    fn the_whole_name_must_match_and_the_first_group_wins() {
        let directory = directory("/".into(), &[r"app\.log", ".*log.*"]);
        let group = |name: &str| directory.group_of(OsStr::new(name));
        assert_eq!([group("app.log"), group("app.log.1"), group("apx.txt")], [Some(0), Some(1), None]);
    }

    #[test]
    fn a_group_may_leave_names_out_by_look_ahead() {
        let directory = directory("/".into(), &[r"^((?!ebooks).)*\.log$"]);
        let group = |name: &str| directory.group_of(OsStr::new(name));
        assert_eq!([group("a.log"), group("ebooks.log"), group("a.log\n")], [Some(0), None, None]);
    }

    #[test]
    fn a_group_without_a_file_is_told_once_when_its_directory_is_read() {
        let mut unmatched = Unmatched::default();
        assert_eq!(unmatched.told_now(3, |group| [Some(true), Some(false), None][group]), [1]);
        assert_eq!(unmatched.told_now(3, |_| None), [0; 0]);
        assert_eq!(unmatched.told_now(3, |_| Some(false)), [2]);
        assert_eq!(unmatched.told_now(3, |_| Some(false)), [0; 0]);
    }

    #[test]
    fn an_old_listing_is_used_again_until_the_directory_changes() {
        let root = tempfile::tempdir().unwrap();
        let mut directory = directory(root.path().into(), &["a.*"]);
        let touch = |name: &str| fs::write(root.path().join(name), "").unwrap();
        let much_later = i64::MAX;
        touch("a1");
        touch("b1");
        let first = directory.list(true, much_later).unwrap();
        assert_eq!(&*first, [OsString::from("a1")]);
        assert!(Rc::ptr_eq(&first, &directory.list(true, much_later).unwrap()));
        assert!(!Rc::ptr_eq(&first, &directory.list(false, much_later).unwrap()));
        let soon = fs::metadata(root.path()).unwrap().mtime() * 1000;
        directory.listing = None;
        let unsettled = directory.list(true, soon).unwrap();
        assert!(!Rc::ptr_eq(&unsettled, &directory.list(true, soon).unwrap()));
    }
}

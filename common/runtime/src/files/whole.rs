//! A new file beside an old one, and then in its place.

use crate::random::Random;
use rustix::fs::{CWD, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

/// Writes `text` to the disk and gives it the name `path`, which means no link. It takes owner and mode of `old`, the file
/// that is there.
///
/// # Errors
/// The system's; [`io::ErrorKind::PermissionDenied`] when the owner would not stay the same. Nothing is left behind then.
pub(crate) fn write(
    path: &Path,
    text: &[u8],
    old: Option<&Metadata>,
    held: impl FnOnce(&File) -> io::Result<()>,
) -> io::Result<File> {
    let beside = Beside::new(path)?;
    beside.fill(text, old)?;
    held(&beside.file)?;
    fs::rename(&beside.path, path)?;
    beside.placed(path)
}

/// Makes a file at `path`, which means no link, with `text` in it, unless there is one: it appears whole, and `held`.
/// `None`: somebody was faster.
///
/// # Errors
/// The system's.
pub fn create(
    path: &Path,
    text: &[u8],
    held: impl FnOnce(&File) -> io::Result<()>,
) -> io::Result<Option<File>> {
    let beside = Beside::new(path)?;
    beside.fill(text, None)?;
    held(&beside.file)?;
    match rustix::fs::renameat_with(CWD, &beside.path, CWD, path, RenameFlags::NOREPLACE) {
        Ok(()) => {}
        Err(Errno::EXIST) => return Ok(None),
        // A file system that cannot do that at once: somebody who comes at the same moment finds one of the two.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) if !path.exists() => {
            fs::rename(&beside.path, path)?;
        }
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    beside.placed(path).map(Some)
}

/// Makes `NAME.EXTENSION` in `folder`, which is made as well, with `text` in it: whole, on the disk, and over no other file.
/// Where there is one already, it is `NAME-1.EXTENSION`, and so on.
///
/// # Errors
/// The system's.
pub fn create_numbered(folder: &Path, name: &str, extension: &str, text: &[u8]) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let mut path = folder.join(format!("{name}.{extension}"));
    let mut number = 0;
    while create(&path, text, |_| Ok(()))?.is_none() {
        number += 1;
        path = folder.join(format!("{name}-{number}.{extension}"));
    }
    Ok(path)
}

/// A file that nobody knows yet; it is removed unless it is placed.
struct Beside {
    path: PathBuf,
    file: File,
}

impl Beside {
    /// A name that nobody can know before: what stands there already, a link above all, is not touched.
    fn new(path: &Path) -> io::Result<Beside> {
        let (directory, name) =
            (path.parent().unwrap_or(Path::new("/")), path.file_name().unwrap_or_default());
        let mut random = Random::from_system();
        for _ in 0..TRIES {
            let path = directory.join(temporary(name, random.next()));
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            match rustix::fs::open(&path, flags, Mode::from_raw_mode(0o666)) {
                Ok(file) => return Ok(Beside { path, file: file.into() }),
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    fn fill(&self, text: &[u8], old: Option<&Metadata>) -> io::Result<()> {
        let mut file = &self.file;
        if let Some(old) = old {
            let new = file.metadata()?;
            if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
                fchown(file, Some(old.uid()), Some(old.gid()))?;
            }
            file.set_permissions(fs::Permissions::from_mode(old.mode() & 0o7777))?;
        }
        file.write_all(text)?;
        file.sync_all()
    }

    fn placed(mut self, path: &Path) -> io::Result<File> {
        self.path.clear();
        File::open(path.parent().unwrap_or(Path::new("/")))?.sync_all()?;
        self.file.try_clone()
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() {
            let _left_over = fs::remove_file(&self.path);
        }
    }
}

/// `.NAME.0123456789abcdef.tmp`; of a long name its beginning.
fn temporary(name: &OsStr, number: u64) -> OsString {
    let name = &name.as_bytes()[..name.len().min(MOST_NAME)];
    OsString::from_vec([b".", name, format!(".{number:016x}.tmp").as_bytes()].concat())
}

/// Whether `name` is one that a file may have on its way to the name `of`, now or in an earlier release.
pub fn is_temporary(name: &OsStr, of: &OsStr) -> bool {
    let short = &of.as_bytes()[..of.len().min(MOST_NAME)];
    let middle = name
        .as_bytes()
        .strip_prefix(b".")
        .and_then(|name| name.strip_prefix(short)?.strip_prefix(b".")?.strip_suffix(b".tmp"));
    let is_ours = middle.is_some_and(|hex| hex.len() == 16 && hex.iter().all(u8::is_ascii_hexdigit));
    is_ours || name.as_bytes().strip_suffix(b".tmp") == Some(of.as_bytes())
}

/// Removes what a killed process has left on the way to `path`. Whoever calls it knows that nobody writes there now.
pub fn sweep(path: &Path) {
    let (Some(directory), Some(of)) = (path.parent(), path.file_name()) else { return };
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.take(MOST_SWEPT).flatten() {
        let name = entry.file_name();
        let is_ours = name.as_bytes().starts_with(b".") && is_temporary(&name, of);
        if is_ours && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            let _it_costs_little = fs::remove_file(entry.path());
        }
    }
}

const TRIES: usize = 8;
/// Bytes of a name, so that a temporary one is short enough for any file system.
const MOST_NAME: usize = 200;
/// Names looked at for what was left.
const MOST_SWEPT: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_made_once_and_leftovers_are_swept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("positions.json");
        assert!(create(&path, b"[]", |_| Ok(())).unwrap().is_some());
        assert!(create(&path, b"x", |_| Ok(())).unwrap().is_none());
        assert_eq!(fs::read_to_string(&path).unwrap(), "[]");
        let left = [".positions.json.0123456789abcdef.tmp", ".positions.json.tmp", "other"];
        left.iter().for_each(|name| fs::write(directory.path().join(name), "").unwrap());
        sweep(&path);
        let is_there = |name: &str| directory.path().join(name).exists();
        assert_eq!(left.iter().map(|name| is_there(name)).collect::<Vec<_>>(), [false, true, true]);
    }

    #[test]
    fn numbers_tell_files_of_one_name_apart() {
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path().join("made");
        let make = |text: &[u8]| create_numbered(&folder, "5", "avro", text).unwrap();
        let made = [make(b"a"), make(b"b"), make(b"c")];
        let names = ["5.avro", "5-1.avro", "5-2.avro"].map(|name| folder.join(name));
        assert_eq!(made, names);
        assert_eq!(names.map(|path| fs::read(path).unwrap()), [b"a", b"b", b"c"]);
    }

    #[test]
    fn a_failure_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        assert!(write(&path, b"x", None, |_| Err(io::ErrorKind::Other.into())).is_err());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn temporary_names_are_known_also_those_of_long_names() {
        let long = "x".repeat(255);
        for of in ["a", &long] {
            let name = temporary(of.as_ref(), 7);
            assert!(name.len() <= 255 && is_temporary(&name, of.as_ref()), "{name:?}");
        }
        assert!(is_temporary("a.tmp".as_ref(), "a".as_ref()));
        assert!(!is_temporary(".a.7.tmp".as_ref(), "a".as_ref()));
    }
}

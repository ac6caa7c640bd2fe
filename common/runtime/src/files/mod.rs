//! Files that this process writes: replaced safely.
//!
//! A name in a configuration may stand for anything: a link, a device, a pipe. What is not a regular file is never
//! replaced. A device is written to as it is, as Flume does; all else is refused.

pub mod watch;
pub mod whole;

use plan::input::name_of;
use std::fs::{self, File, FileType, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// How a file was written.
#[derive(Debug)]
pub enum Written {
    /// Beside the old one, then in its place: whenever the machine stops, one of the two is whole. This is the new one.
    Whole(File),
    /// Over the old one, as Flume does: its directory takes no new file, it is a mount of its own, or its owner is somebody
    /// else and must stay so.
    InPlace,
    /// To a device, which keeps what it likes.
    ToDevice,
}

/// Replaces what is at `path` by `text`, on the disk when it returns. A link stays a link, and the file that it means is
/// replaced; owner and mode stay. `held` may lock the new file, which nobody can see yet.
///
/// # Errors
/// The system's; unless it was written in place, the old file is still there.
pub fn replace(path: &Path, text: &[u8], held: impl FnOnce(&File) -> io::Result<()>) -> io::Result<Written> {
    let path = resolve(path)?;
    let old = match fs::symlink_metadata(&path) {
        Ok(about) => Some(about),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if let Some(about) = &old {
        let kind = about.file_type();
        if kind.is_char_device() {
            write_over(&path, text, false)?;
            return Ok(Written::ToDevice);
        }
        refuse_unless_regular(kind)?;
    }
    match whole::write(&path, text, old.as_ref(), held) {
        Ok(file) => Ok(Written::Whole(file)),
        Err(error) if old.is_some() && is_refused(&error) => {
            write_over(&path, text, true)?;
            Ok(Written::InPlace)
        }
        Err(error) => Err(error),
    }
}

fn write_over(path: &Path, text: &[u8], cut: bool) -> io::Result<()> {
    // Should something else have taken its place meanwhile: no link is followed, and nobody is waited for.
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::NOFOLLOW;
    let mut file = OpenOptions::new().write(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    let kind = file.metadata()?.file_type();
    if cut {
        refuse_unless_regular(kind)?;
        file.set_len(0)?;
    } else if !kind.is_char_device() {
        return Err(refused(kind));
    }
    file.write_all(text)?;
    if cut { file.sync_data() } else { Ok(()) }
}

/// # Errors
/// Says what a file is that is no regular one.
pub fn refuse_unless_regular(kind: FileType) -> io::Result<()> {
    if kind.is_file() { Ok(()) } else { Err(refused(kind)) }
}

fn refused(kind: FileType) -> io::Error {
    let text = format!("it is {}, not a regular file", name_of(kind));
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

/// Where the file is that `path` means, whether or not it is there: links are followed to their end.
///
/// # Errors
/// The system's, when its directory cannot be looked at.
pub fn resolve(path: &Path) -> io::Result<PathBuf> {
    let mut path = std::path::absolute(path)?;
    for _ in 0..MOST_LINKS {
        let (directory, Some(name)) = (path.parent().unwrap_or(Path::new("/")), path.file_name()) else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it names no file"));
        };
        let here = fs::canonicalize(directory)?.join(name);
        match fs::read_link(&here) {
            Ok(target) => path = here.with_file_name(target), // an absolute target takes the place of all
            Err(_) => return Ok(here),
        }
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "it is a link that leads to itself"))
}

/// Whether two looks were at the same file.
pub fn is_same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// The process that has locked `file`, as far as it can be seen from here.
pub fn holder(file: &File) -> Option<u32> {
    let inode = file.metadata().ok()?.ino().to_string();
    let locks = fs::read_to_string("/proc/locks").ok()?;
    // `1: FLOCK  ADVISORY  WRITE 4711 08:01:131090 0 EOF`
    let found = locks.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).find(|words| {
        words.get(1) == Some(&"FLOCK")
            && words.get(5).and_then(|id| id.rsplit(':').next()) == Some(inode.as_str())
    })?;
    found.get(4)?.parse().ok().filter(|id| *id > 0)
}

/// Whether writing in place may still work. On a full disk it must not be tried: it begins by emptying the file.
fn is_refused(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ResourceBusy)
}

/// As many as Linux follows.
const MOST_LINKS: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn replaced(path: &Path, text: &str) -> io::Result<Written> {
        replace(path, text.as_bytes(), |_| Ok(()))
    }

    #[test]
    fn a_regular_file_is_replaced_with_its_mode_and_nothing_is_left_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        assert!(matches!(replaced(&path, "one").unwrap(), Written::Whole(_)));
        fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
        assert!(matches!(replaced(&path, "two").unwrap(), Written::Whole(_)));
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o640);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn links_lead_to_the_file_that_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::create_dir(at("real")).unwrap();
        symlink("second", at("first")).unwrap();
        symlink(at("real/file"), at("second")).unwrap();
        for text in ["one", "two"] {
            replaced(&at("first"), text).unwrap();
            assert_eq!(fs::read_to_string(at("real/file")).unwrap(), text);
        }
        assert!(fs::symlink_metadata(at("first")).unwrap().is_symlink());
        symlink("loop", at("loop")).unwrap();
        assert!(replaced(&at("loop"), "x").unwrap_err().to_string().contains("leads to itself"));
    }

    #[test]
    fn a_device_stays_a_device_and_all_else_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("link");
        symlink("/dev/null", &link).unwrap();
        assert!(matches!(replaced(&link, "one").unwrap(), Written::ToDevice));
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
        let error = |path: &Path| replaced(path, "x").unwrap_err().to_string();
        assert_eq!(error(directory.path()), "it is a directory, not a regular file");
        let fifo = directory.path().join("fifo");
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        assert_eq!(error(&fifo), "it is a pipe (FIFO), not a regular file");
        assert!(fs::symlink_metadata(&fifo).unwrap().file_type().is_fifo());
    }

    #[test]
    fn a_link_in_the_place_of_a_temporary_file_is_not_written_through() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::write(at("victim"), "precious").unwrap();
        for name in [".a.tmp", "a.tmp"] {
            symlink("victim", at(name)).unwrap();
        }
        replaced(&at("a"), "one").unwrap();
        assert_eq!(fs::read_to_string(at("victim")).unwrap(), "precious");
        assert!(fs::symlink_metadata(at("a.tmp")).unwrap().is_symlink());
    }
}

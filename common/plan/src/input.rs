//! Reads a file that an operator has named, whatever kind of file it turns out to be.
//!
//! `-f <(...)` is a pipe, and a pipe whose writer never comes would be waited for without end. So anything that is not a
//! regular file is opened without waiting and read within a time limit.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::io::Errno;
use std::fs::{File, FileType, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

/// Reads the file at `path`, of which `most` bytes count: who gets one more knows that it is too large. A pipe or a
/// terminal may be silent for `patience_seconds` in all; `waiting` is told after the first of them what is waited for.
///
/// # Errors
/// The system's, in its words; [`io::ErrorKind::TimedOut`] and [`io::ErrorKind::InvalidInput`] say what the file is.
pub fn read(path: &Path, most: u64, patience_seconds: u32, waiting: &dyn Fn(&str)) -> io::Result<Vec<u8>> {
    let mut file = open(path)?;
    let mut bytes = Vec::new();
    let kind = file.metadata()?.file_type();
    if kind.is_file() {
        file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    let mut silent = 0;
    let mut part = vec![0; PART_BYTES];
    while bytes.len() as u64 <= most {
        if !is_ready(&file)? {
            silent += 1;
            if silent == SLICES_A_SECOND && patience_seconds > 1 {
                waiting(&format!(
                    "{} is {}: waiting up to {patience_seconds} s for what is written to it",
                    path.display(),
                    name_of(kind)
                ));
            }
            if silent >= patience_seconds * SLICES_A_SECOND {
                let text = format!(
                    "it is {}, and within {patience_seconds} s nobody has written to it and closed it",
                    name_of(kind)
                );
                return Err(io::Error::new(io::ErrorKind::TimedOut, text));
            }
            continue;
        }
        match file.read(&mut part) {
            Ok(0) => break,
            Ok(read) => bytes.extend_from_slice(&part[..read]),
            Err(error) if [io::ErrorKind::WouldBlock, io::ErrorKind::Interrupted].contains(&error.kind()) => {
            }
            Err(error) => return Err(error),
        }
    }
    Ok(bytes)
}

/// Opens a file for reading without waiting for anybody: not for a pipe's writer, nor for a device.
///
/// # Errors
/// The system's; [`io::ErrorKind::InvalidInput`] for what cannot be read as a file: a directory, a socket, a disk.
pub fn open(path: &Path) -> io::Result<File> {
    let kind = std::fs::metadata(path)?.file_type();
    if kind.is_dir() || kind.is_socket() || kind.is_block_device() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is {}", name_of(kind))));
    }
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

/// What a file is, in an operator's words.
#[must_use]
pub fn name_of(kind: FileType) -> &'static str {
    if kind.is_file() {
        "a regular file"
    } else if kind.is_dir() {
        "a directory"
    } else if kind.is_fifo() {
        "a pipe (FIFO)"
    } else if kind.is_socket() {
        "a socket"
    } else if kind.is_block_device() {
        "a block device"
    } else if kind.is_char_device() {
        "a character device"
    } else {
        "a symbolic link"
    }
}

/// Waits a moment until there is something to read, or nobody who could write it any more.
fn is_ready(file: &File) -> io::Result<bool> {
    let slice = Timespec { tv_sec: 0, tv_nsec: 1_000_000_000 / i64::from(SLICES_A_SECOND) };
    match poll(&mut [PollFd::new(file, PollFlags::IN)], Some(&slice)) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// How often a second a silent pipe is looked at; so a clock need not be asked.
const SLICES_A_SECOND: u32 = 20;
const PART_BYTES: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::os::unix::net::UnixListener;

    fn fifo(directory: &Path) -> std::path::PathBuf {
        let path = directory.join("fifo");
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        path
    }

    #[test]
    fn a_pipe_is_read_to_its_end_and_one_without_a_writer_is_given_up() {
        let directory = tempfile::tempdir().unwrap();
        let path = fifo(directory.path());
        let told = RefCell::new(Vec::new());
        let error = read(&path, 10, 2, &|text| told.borrow_mut().push(text.to_owned())).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(error.to_string().starts_with("it is a pipe (FIFO), and within 2 s nobody"), "{error}");
        assert!(told.borrow().len() == 1 && told.borrow()[0].contains("waiting up to 2 s"), "{told:?}");
        let writer = {
            let path = path.clone();
            std::thread::spawn(move || {
                use std::io::Write;
                let mut pipe = OpenOptions::new().write(true).open(path).unwrap();
                pipe.write_all(b"one").unwrap();
                pipe.write_all(b"two").unwrap();
            })
        };
        assert_eq!(read(&path, 100, 10, &|_| {}).unwrap(), b"onetwo");
        writer.join().unwrap();
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let error = |path: &Path| read(path, 10, 1, &|_| {}).unwrap_err().to_string();
        assert_eq!(error(directory.path()), "it is a directory");
        let socket = directory.path().join("socket");
        let _listener = UnixListener::bind(&socket).unwrap();
        assert_eq!(error(&socket), "it is a socket");
        assert_eq!(read(Path::new("/dev/null"), 10, 1, &|_| {}).unwrap(), b"");
        assert!(read(Path::new("/dev/zero"), 10, 1, &|_| {}).unwrap().len() > 10);
    }
}

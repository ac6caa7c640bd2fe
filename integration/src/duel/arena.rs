//! Where the contestants run: one directory, and the lines that all of them carry.

use crate::node::Error;
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufWriter, Write},
    ops::Range,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};
use tempfile::TempDir;

/// How many lines, and how long each is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shape {
    /// Lines of one run.
    pub lines: u32,
    /// Bytes of a line with its end; at least 16.
    pub bytes: usize,
}

/// Bytes of a line unless it is said.
pub const USUAL: usize = 256;

/// What a name says of lines that are not of the usual length.
pub fn length(shape: Shape) -> String {
    if shape.bytes == USUAL { String::new() } else { format!(", lines of {} bytes", shape.bytes) }
}

impl Shape {
    /// Bytes of all lines.
    pub fn total(self) -> u64 {
        u64::from(self.lines) * self.bytes as u64
    }
}

/// A directory on the disk that is measured, removed when this is dropped.
pub struct Arena {
    directory: TempDir,
    inputs: Mutex<BTreeMap<Shape, Arc<PathBuf>>>,
}

impl Arena {
    /// A new one in `parent`, or where temporary files go.
    ///
    /// # Errors
    /// As the file system has them.
    pub fn new(parent: Option<&Path>) -> Result<Arena, Error> {
        let made = parent.map_or_else(tempfile::tempdir, tempfile::tempdir_in);
        let directory = made.map_err(Error::io("cannot make a directory for the duel"))?;
        Ok(Arena { directory, inputs: Mutex::default() })
    }

    /// A file with lines of this shape, written once.
    ///
    /// # Errors
    /// As the file system has them.
    pub fn input(&self, shape: Shape) -> Result<Arc<PathBuf>, Error> {
        let mut inputs = self.inputs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(input) = inputs.get(&shape) {
            return Ok(input.clone());
        }
        let path = Arc::new(self.directory.path().join(format!("{}x{}.log", shape.lines, shape.bytes)));
        write_lines(&path, 0..shape.lines, shape.bytes)
            .map_err(Error::io(format!("cannot write {}", path.display())))?;
        inputs.insert(shape, path.clone());
        Ok(path)
    }

    /// The same lines in so many files, each with a block of them; written once. Gives their directory.
    ///
    /// # Errors
    /// As the file system has them.
    pub fn inputs(&self, shape: Shape, files: u32) -> Result<PathBuf, Error> {
        let directory = self.directory.path().join(format!("{}x{}in{files}", shape.lines, shape.bytes));
        let write = || -> std::io::Result<()> {
            fs::create_dir(&directory)?;
            let begin = |block: u32| (u64::from(shape.lines) * u64::from(block) / u64::from(files)) as u32;
            (0..files).try_for_each(|block| {
                let path = directory.join(format!("{block}.log"));
                write_lines(&path, begin(block)..begin(block + 1), shape.bytes)
            })
        };
        if !directory.exists() {
            write().map_err(Error::io(format!("cannot write {}", directory.display())))?;
        }
        Ok(directory)
    }

    /// Writes and removes as many bytes as a run of this shape will write. A virtual machine may have to fetch the memory
    /// for a file's pages from its host, which takes several times as long as to fill them: so every run finds it fetched.
    ///
    /// # Errors
    /// As the file system has them.
    pub fn warm(&self, shape: Shape) -> Result<(), Error> {
        let write = || -> std::io::Result<()> {
            let mut file = tempfile::tempfile_in(self.directory.path())?;
            let chunk = vec![b'.'; 1 << 18];
            (0..shape.total().div_ceil(chunk.len() as u64)).try_for_each(|_| file.write_all(&chunk))
        };
        write().map_err(Error::io("cannot write a file to warm the memory"))
    }

    /// An empty directory for one run.
    ///
    /// # Errors
    /// As the file system has them.
    pub fn fresh(&self) -> Result<TempDir, Error> {
        tempfile::tempdir_in(self.directory.path()).map_err(Error::io("cannot make a directory for a run"))
    }

    /// Its directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }
}

fn write_lines(path: &Path, lines: Range<u32>, bytes: usize) -> std::io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let filler = vec![FILLER; bytes];
    for number in lines {
        let id = line_id(number);
        out.write_all(id.as_bytes())?;
        out.write_all(&filler[..bytes.saturating_sub(id.len() + 1)])?;
        out.write_all(b"\n")?;
    }
    out.into_inner()?.sync_all()?; // so that no run pays for writing it to the disk
    fs::metadata(path).map(drop)
}

/// Whether `line` is, with its end, as it was written: [`line_id`], then nothing but [`FILLER`].
pub fn is_whole(line: &[u8], bytes: usize) -> bool {
    let filler = line.get(LINE_ID..line.len().saturating_sub(1));
    line.len() == bytes
        && line.ends_with(b"\n")
        && filler.is_some_and(|rest| rest.iter().all(|byte| *byte == FILLER))
}

/// What a line is filled up with.
const FILLER: u8 = b'.';

/// Bytes of [`line_id`].
const LINE_ID: usize = 11;

/// The beginning of line `number`: what a logger sink shows of it is enough to tell it.
pub fn line_id(number: u32) -> String {
    format!("{number:010} ")
}

/// The number of a line that begins with [`line_id`].
#[inline]
pub fn line_number(line: &[u8]) -> Option<u32> {
    let (digits, rest) = line.split_at_checked(10)?;
    let mut number = 0u32;
    for digit in digits.iter().map(|digit| digit.wrapping_sub(b'0')) {
        if digit > 9 {
            return None;
        }
        number = number.checked_mul(10)?.checked_add(u32::from(digit))?;
    }
    rest.first().is_some_and(|next| *next == b' ').then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_numbered_and_of_one_length() {
        let arena = Arena::new(None).expect("a temporary directory");
        let shape = Shape { lines: 3, bytes: 64 };
        let path = arena.input(shape).expect("it can be written");
        let text = fs::read_to_string(&*path).expect("it was written");
        assert_eq!(text.len() as u64, shape.total());
        let numbers: Vec<_> = text.lines().map(|line| line_number(line.as_bytes())).collect();
        assert_eq!(numbers, [Some(0), Some(1), Some(2)]);
        assert!(text.split_inclusive('\n').all(|line| is_whole(line.as_bytes(), 64)));
        for spoilt in [text[..63].to_owned(), text[..64].replacen('.', ",", 1), text[..65].to_owned()] {
            assert!(!is_whole(spoilt.as_bytes(), 64), "{spoilt}");
        }
        let parts = arena.inputs(shape, 2).expect("it can be written");
        let lengths = ["0.log", "1.log"].map(|part| fs::metadata(parts.join(part)).expect("a file").len());
        assert_eq!(lengths, [64, 128]);
    }

    #[test]
    fn other_lines_have_no_number() {
        let others: [&[u8]; 4] = [b"", b"0000000001", b"00000x0001 ", b"9999999999 "];
        assert!(others.iter().all(|line| line_number(line).is_none()));
    }
}

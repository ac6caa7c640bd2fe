//! The meta files below `trackerDir`: of the file that is read, and of those that are set aside.

use super::meta::{self, Meta};
use runtime::files::{self, resolve};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use wire::container::Marker;

/// Keeps how far files are read.
#[derive(Debug)]
pub(super) struct Tracker {
    directory: PathBuf,
    /// The meta file of the file that is read, open to append to.
    open: Option<(File, Marker)>,
    /// What is locked as long as this lives.
    _locks: Vec<File>,
    buffer: Vec<u8>,
}

impl Tracker {
    pub(super) fn new(directory: PathBuf, locks: Vec<File>) -> Tracker {
        Tracker { directory, open: None, _locks: locks, buffer: Vec::new() }
    }

    /// What the last start was reading, if anything; or why that cannot be known.
    pub(super) fn last(&self) -> Result<Option<Meta>, String> {
        read(&self.main())
    }

    /// What was set aside by an earlier start and is still there.
    pub(super) fn aside(&self) -> Vec<Meta> {
        let entries = fs::read_dir(&self.directory).into_iter().flatten().flatten();
        let asides = entries.filter(|entry| entry.file_name().as_bytes().starts_with(ASIDE.as_bytes()));
        let metas = asides.filter_map(|entry| {
            let meta = read(&entry.path()).ok().flatten()?;
            if meta.path.exists() {
                return Some(meta);
            }
            let _stays_then = fs::remove_file(entry.path());
            None
        });
        metas.collect()
    }

    /// The file that `meta` names is read to its offset.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn store(&mut self, meta: &Meta) -> io::Result<()> {
        let written = match &mut self.open {
            Some((file, sync)) => {
                self.buffer.clear();
                meta::push_record(meta.offset, sync, &mut self.buffer);
                file.write_all(&self.buffer)
            }
            None => self.begin(meta),
        };
        if written.is_err() {
            self.open = None; // half a record may stand there: the next one begins anew
        }
        written
    }

    fn begin(&mut self, meta: &Meta) -> io::Result<()> {
        let (bytes, sync) = meta::encode(meta);
        let path = self.main();
        if meta.offset == 0 || !path.exists() {
            remove(&path)?;
            let mut file = OpenOptions::new().append(true).create_new(true).open(&path)?;
            file.write_all(&bytes)?;
            self.open = Some((file, sync));
        } else {
            files::replace(&path, &bytes, |_| Ok(()))?;
            self.open = Some((OpenOptions::new().append(true).open(resolve(&path)?)?, sync));
        }
        Ok(())
    }

    /// Nothing of a file is to be remembered any more.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn forget(&mut self, path: &Path) -> io::Result<()> {
        self.open = None;
        remove(&self.main())?;
        remove(&self.aside_of(path))
    }

    /// Remembers how far a file was read that is set aside.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn set_aside(&mut self, meta: &Meta) -> io::Result<()> {
        self.open = None;
        files::replace(&self.aside_of(&meta.path), &meta::encode(meta).0, |_| Ok(()))?;
        remove(&self.main())
    }

    fn main(&self) -> PathBuf {
        self.directory.join(".flumespool-main.meta")
    }

    fn aside_of(&self, path: &Path) -> PathBuf {
        // FNV-1a: a name that stays the same from start to start.
        let hash = path.as_os_str().as_bytes().iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        self.directory.join(format!("{ASIDE}{hash:016x}.meta"))
    }
}

fn read(path: &Path) -> Result<Option<Meta>, String> {
    match plan::input::open(path).and_then(|file| {
        files::refuse_unless_regular(file.metadata()?.file_type())?;
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut io::Read::take(file, MOST_BYTES), &mut bytes)?;
        Ok(bytes)
    }) {
        Ok(bytes) if bytes.is_empty() => Ok(None),
        Ok(bytes) => meta::decode(&bytes).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

const ASIDE: &str = ".flumespool-aside-";
/// Of a meta file: a record of some 20 bytes for each batch of one file.
const MOST_BYTES: u64 = 1 << 30;

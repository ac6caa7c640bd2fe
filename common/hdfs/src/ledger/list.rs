//! A list as it stands on the disk of its owner, and what becomes of it when that takes nothing.

use super::Entry;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// It.
#[derive(Debug)]
pub(super) struct List {
    file: File,
    path: PathBuf,
    /// Its first lines.
    head: Head,
    bytes: u64,
    /// It is written anew when it is longer.
    most: u64,
    /// The last line is not in it: it is written anew before the next one.
    is_broken: bool,
    /// It has its other name, or none.
    is_loose: bool,
    /// What holds its lock while a test has a full disk in its place.
    #[cfg(test)]
    in_truth: Vec<File>,
}

/// What a list begins with.
#[derive(Debug)]
pub(super) struct Head {
    /// What its files are below.
    pub(super) place: String,
    /// The boot of the machine that has written it; `None` where nobody says which that is.
    pub(super) boot: Option<String>,
}

impl Head {
    /// Of a list that is written now.
    pub(super) fn now(place: &str) -> Head {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let boot = boot.trim();
        Head { place: place.to_owned(), boot: (!boot.is_empty()).then(|| boot.to_owned()) }
    }

    fn lines(&self) -> String {
        let boot = self.boot.as_ref().map(|boot| format!("@{boot}\n"));
        format!("{}\n{}", self.place, boot.unwrap_or_default())
    }
}

impl List {
    /// A new one, on the disk.
    pub(super) fn begin(directory: &Path, place: &str, unique: u128) -> io::Result<List> {
        let path = directory.join(format!("{unique:032x}.{OPEN}"));
        let head = Head::now(place);
        let first = head.lines();
        let file = written(&path, &first)?;
        File::open(directory)?.sync_all()?;
        Ok(List {
            file,
            path,
            head,
            bytes: first.len() as u64,
            most: LONG,
            is_broken: false,
            is_loose: false,
            #[cfg(test)]
            in_truth: Vec::new(),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn head(&self) -> &Head {
        &self.head
    }

    pub(super) fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// It, to be forced to the disk.
    pub(super) fn file(&self) -> io::Result<File> {
        if self.is_broken {
            return Err(io::Error::other("it cannot be written"));
        }
        self.file.try_clone()
    }

    /// Adds lines. With one that has grown long, or lacks something, what is `open` is written instead.
    pub(super) fn write<'a>(&mut self, lines: &str, open: impl Iterator<Item = &'a Entry>) -> io::Result<()> {
        let is_long = self.bytes > self.most;
        let anew = (self.is_broken || is_long).then(|| self.write_anew(open));
        let written = match anew {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) if self.is_broken => Err(error),
            // One that is only long goes on, twice as long.
            Some(Err(_)) => {
                self.most = 2 * self.bytes;
                self.append(lines)
            }
            None => self.append(lines),
        };
        self.is_broken = written.is_err();
        if self.is_broken {
            self.loosen();
        }
        written
    }

    fn append(&mut self, lines: &str) -> io::Result<()> {
        self.bytes += lines.len() as u64;
        self.file.write_all(lines.as_bytes())
    }

    /// With these files alone. Whoever looks finds one of the two lists whole, whenever we are killed, and each is locked.
    fn write_anew<'a>(&mut self, open: impl Iterator<Item = &'a Entry>) -> io::Result<()> {
        let mut text = self.head.lines();
        open.for_each(|entry| text.push_str(&entry.lines()));
        let beside = self.path.with_extension("new");
        let _of_a_try_before = fs::remove_file(&beside);
        let file = written(&beside, &text).and_then(|file| {
            file.sync_data()?;
            fs::rename(&beside, &self.path)?;
            Ok(file)
        });
        let file = file.inspect_err(|_| {
            let _of_no_use = fs::remove_file(&beside);
        })?;
        if std::mem::replace(&mut self.is_loose, false) {
            let _gone = fs::remove_file(loose(&self.path));
        }
        self.file = file;
        self.bytes = text.len() as u64;
        self.most = LONG.max(2 * self.bytes);
        File::open(self.path.parent().unwrap_or(Path::new(".")))?.sync_all()
    }

    /// What it says of files that grow is behind them from now on: who came after a kill would cut off what was acknowledged.
    /// Another name says so, for which a full disk has room, and it stays locked. Where the folder does not even take that, it is
    /// emptied, and nobody goes by it.
    fn loosen(&mut self) {
        if !self.is_loose {
            let renamed = fs::rename(&self.path, loose(&self.path));
            self.is_loose = renamed.or_else(|_| fs::remove_file(&self.path)).is_ok();
            if !self.is_loose {
                let _next_line_tries_again = self.file.set_len(0);
            }
        }
    }

    /// Takes it away.
    pub(super) fn remove(self) {
        for path in [loose(&self.path), self.path] {
            let _gone = fs::remove_file(path);
        }
    }

    /// The next line meets a disk that is full.
    #[cfg(test)]
    pub(super) fn meet_a_full_disk(&mut self) {
        let full = File::options().write(true).open("/dev/full").expect("it is there");
        self.in_truth.push(std::mem::replace(&mut self.file, full));
    }
}

/// The name of a list that lacks something.
fn loose(path: &Path) -> PathBuf {
    path.with_extension(LOOSE)
}

/// Whether it is a list, and whether what it says of files that grow is certain.
pub(super) fn is_certain(path: &Path) -> Option<bool> {
    let name = path.file_name()?.to_str()?;
    let (_, extension) = name.split_once('.')?;
    match extension {
        OPEN => Some(true),
        LOOSE => Some(false),
        _ => None,
    }
}

/// A new file with this text, locked.
fn written(path: &Path, text: &str) -> io::Result<File> {
    let mut file = File::options().append(true).create_new(true).open(path)?;
    file.try_lock().map_err(io::Error::from)?;
    file.write_all(text.as_bytes())?;
    Ok(file)
}

/// Makes a directory and those above it. Their names are on the disk then: a loss of power takes none of them away.
///
/// # Errors
/// The system's.
pub(crate) fn make_directory(directory: &Path) -> io::Result<()> {
    let made: Vec<&Path> = directory.ancestors().take_while(|directory| !directory.exists()).collect();
    fs::create_dir_all(directory)?;
    for directory in made {
        let parent = directory.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(parent.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

/// Behind the name of a list.
const OPEN: &str = "open";
/// Behind that of one that lacks something; earlier versions take it over, too.
const LOOSE: &str = "loose.open";
/// A list that is longer, and twice as long as it need be, is written anew: behind some thousands of syncs, for each time waits
/// for the disk.
pub(super) const LONG: u64 = 1 << 20;

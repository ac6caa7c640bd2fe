//! Which files of this sink are unfinished, written down on this machine: the next start finds those of a process that was
//! killed, and no others, and which bytes of them count.
//!
//! Each sink that runs has a file of its own, locked as long as it lives. A line is added before a file is made and when it
//! is complete, so a file that was open at a crash is always in it. A list that has grown long is written anew, without what
//! is complete. Whoever starts takes over the files that nobody holds.

use crate::path::FileNames;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The list of one sink.
#[derive(Debug)]
pub(crate) struct Ledger {
    held: Option<List>,
    /// By the names that they have now.
    open: BTreeMap<String, LeftFile>,
}

/// It, as it stands on the disk.
#[derive(Debug)]
struct List {
    file: File,
    path: PathBuf,
    /// Its first line.
    place: String,
    bytes: u64,
    /// It is written anew when it is longer.
    most: u64,
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
    /// So many bytes of it count, where that was written down.
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

    /// One on a disk that takes nothing.
    #[cfg(test)]
    pub(crate) fn on_a_full_disk() -> Ledger {
        let file = File::open("/dev/null").expect("it is there"); // not to be written to
        let list = List { file, path: PathBuf::new(), place: String::new(), bytes: 0, most: LONG };
        Ledger { held: Some(list), open: BTreeMap::new() }
    }

    /// A new list in `directory` for files at `place`, and what others have left there. `unique` is nobody else's.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn begin(directory: &Path, place: &str, unique: u128) -> io::Result<(Ledger, Left)> {
        make_directory(directory)?;
        let path = directory.join(format!("{unique:032x}.open"));
        let first = format!("{place}\n");
        let file = written(&path, &first)?;
        File::open(directory)?.sync_all()?;
        let left = left_behind(directory, place, &path)?;
        let list = List { file, path, place: place.to_owned(), bytes: first.len() as u64, most: LONG };
        Ok((Ledger { held: Some(list), open: BTreeMap::new() }, left))
    }

    /// The list, to be forced to the disk.
    ///
    /// # Errors
    /// The system's, or there is none.
    pub(crate) fn list(&self) -> io::Result<File> {
        match &self.held {
            Some(list) => list.file.try_clone(),
            None => Err(io::Error::other("it cannot be written")),
        }
    }

    /// A file is about to be made.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn add(&mut self, names: &FileNames) -> io::Result<()> {
        let file = LeftFile { names: names.clone(), synced: None };
        let line = file.lines();
        self.open.insert(names.in_use.clone(), file);
        self.line(&line)
    }

    /// So many bytes of an open file count; who comes after us is to cut off the others.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn mark(&mut self, in_use: &str, synced: u64) -> io::Result<()> {
        let Some(file) = self.open.get_mut(in_use) else { return Ok(()) };
        file.synced = Some(synced);
        self.line(&format!("={in_use}\t{synced}\n"))
    }

    /// A file is complete, or there is none of that name.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn remove(&mut self, in_use: &str) -> io::Result<()> {
        if self.open.remove(in_use).is_none() {
            return Ok(());
        }
        match &mut self.held {
            Some(list) if list.bytes > list.most => list.write_anew(self.open.values()),
            _ => self.line(&format!("-{in_use}\n")),
        }
    }

    fn line(&mut self, text: &str) -> io::Result<()> {
        let Some(list) = &mut self.held else { return Ok(()) };
        list.bytes += text.len() as u64;
        list.file.write_all(text.as_bytes())
    }

    /// The sink ends: its list goes when nothing is open.
    pub(crate) fn end(&mut self) {
        if let Some(list) = self.held.take_if(|_| self.open.is_empty()) {
            let _gone = fs::remove_file(list.path);
        }
    }
}

impl List {
    /// With these files alone. Whoever looks finds one of the two lists whole, whenever we are killed, and each is locked.
    fn write_anew<'a>(&mut self, open: impl Iterator<Item = &'a LeftFile>) -> io::Result<()> {
        let mut text = format!("{}\n", self.place);
        open.for_each(|file| text.push_str(&file.lines()));
        let beside = self.path.with_extension("new");
        let _of_a_try_before = fs::remove_file(&beside);
        let file = written(&beside, &text)?;
        file.sync_data()?;
        fs::rename(&beside, &self.path)?;
        self.file = file;
        self.bytes = text.len() as u64;
        self.most = LONG.max(2 * self.bytes);
        File::open(self.path.parent().unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl LeftFile {
    /// What a list says of it.
    fn lines(&self) -> String {
        let FileNames { in_use, complete } = &self.names;
        let mut lines = format!("+{in_use}\t{complete}\n");
        if let Some(synced) = self.synced {
            let _in_memory = writeln!(lines, "={in_use}\t{synced}");
        }
        lines
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

/// The lists in `directory` about `place` that nobody holds.
fn left_behind(directory: &Path, place: &str, own: &Path) -> io::Result<Left> {
    let mut left = Left::default();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path == own || path.extension().is_none_or(|extension| extension != "open") {
            continue;
        }
        let Ok(file) = File::open(&path) else { continue };
        // Who holds it lives. One without a name was taken over by another that has started meanwhile.
        if file.try_lock().is_err() || file.metadata()?.nlink() == 0 {
            continue;
        }
        let Ok(Some(files)) = unfinished(BufReader::new(&file), place) else { continue };
        left.add(files);
        left.lists.push(LeftList { path, _lock: file });
    }
    Ok(left)
}

/// The files that were begun and not finished; `None` of a list about another place. A list may be longer than memory: only
/// what is open is kept of it. A last line that was cut off names a file that was not made.
fn unfinished(mut list: impl BufRead, place: &str) -> io::Result<Option<Vec<LeftFile>>> {
    let mut open: BTreeMap<String, LeftFile> = BTreeMap::new();
    let (mut line, mut is_first) = (Vec::new(), true);
    loop {
        line.clear();
        list.by_ref().take(MOST_LINE_BYTES).read_until(b'\n', &mut line)?;
        let whole = line.strip_suffix(b"\n");
        if std::mem::replace(&mut is_first, false) {
            if whole.unwrap_or(&line) != place.as_bytes() {
                return Ok(None);
            }
            continue;
        }
        let Some(whole) = whole else { return Ok(Some(open.into_values().collect())) };
        let Ok(text) = std::str::from_utf8(whole) else { continue };
        let (kind, rest) = text.split_at_checked(1).unwrap_or_default();
        match (kind, rest.split_once('\t')) {
            ("+", Some((in_use, complete))) => {
                let names = FileNames { in_use: in_use.to_owned(), complete: complete.to_owned() };
                open.entry(in_use.to_owned()).or_insert(LeftFile { names, synced: None });
            }
            ("=", Some((in_use, synced))) => {
                if let Some(file) = open.get_mut(in_use) {
                    file.synced = synced.parse().ok();
                }
            }
            ("-", None) => {
                open.remove(rest);
            }
            _ => {}
        }
    }
}

/// A list that is longer, and twice as long as it need be, is written anew.
const LONG: u64 = 64 << 10;
/// A line has two paths, of some 8000 bytes each.
const MOST_LINE_BYTES: u64 = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn names(number: u32) -> FileNames {
        FileNames { in_use: format!("/a/{number}.tmp"), complete: format!("/a/{number}") }
    }

    fn left(number: u32, synced: Option<u64>) -> LeftFile {
        LeftFile { names: names(number), synced }
    }

    #[test]
    fn what_was_open_at_a_crash_is_found_and_what_a_living_process_has_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (mut living, left) = Ledger::begin(folder.path(), "hdfs://nn/a", 1).unwrap();
        assert_eq!(left, Left::default());
        living.add(&names(1)).unwrap();
        let (mut killed, _) = Ledger::begin(folder.path(), "hdfs://nn/a", 2).unwrap();
        for number in 2..5 {
            killed.add(&names(number)).unwrap();
        }
        killed.mark("/a/4.tmp", 17).unwrap();
        killed.remove("/a/3.tmp").unwrap();
        killed.mark("/a/3.tmp", 1).unwrap();
        drop(killed);
        let (mut elsewhere, other) = Ledger::begin(folder.path(), "hdfs://nn/b", 3).unwrap();
        assert_eq!(other, Left::default(), "another path is another sink's");
        let (_next, left) = Ledger::begin(folder.path(), "hdfs://nn/a", 4).unwrap();
        assert_eq!(left.files, [self::left(2, None), self::left(4, Some(17))]);
        assert_eq!(left.lists.len(), 1);
        assert!(Ledger::none().list().is_err() && elsewhere.list().is_ok());
        let (_other, nothing) = Ledger::begin(folder.path(), "hdfs://nn/a", 5).unwrap();
        assert_eq!(nothing, Left::default(), "they are being taken over");
        let mut both = left;
        both.add(vec![self::left(2, Some(3)), self::left(4, None)]);
        assert_eq!(both.files, [self::left(2, Some(3)), self::left(4, Some(17))], "each is there once");
        drop(both);
        living.remove("/a/1.tmp").unwrap();
        living.end();
        elsewhere.end();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[test]
    fn a_list_cut_at_any_byte_names_no_file_that_was_not_written_down() {
        let place = "hdfs://nn/ü";
        let text = "hdfs://nn/ü\n+/a/1.tmp\t/a/1\n+/a/ü.tmp\t/a/ü\n+/a/2.tmp\t/a/2\n\
            -/a/ü.tmp\n-/a/1.tmp\n=/a/2.tmp\t17\n";
        let found = |cut: usize| unfinished(&text.as_bytes()[..cut], place).unwrap();
        let whole = |cut: usize| text.as_bytes()[..cut].iter().filter(|byte| **byte == b'\n').count();
        let other = LeftFile {
            names: FileNames { in_use: "/a/ü.tmp".to_owned(), complete: "/a/ü".to_owned() },
            synced: None,
        };
        for cut in 0..=text.len() {
            let expected = match whole(cut) {
                0 if cut < place.len() => None,
                0 | 1 => Some(vec![]),
                2 => Some(vec![left(1, None)]),
                3 => Some(vec![left(1, None), other.clone()]),
                4 => Some(vec![left(1, None), left(2, None), other.clone()]),
                5 => Some(vec![left(1, None), left(2, None)]),
                6 => Some(vec![left(2, None)]),
                _ => Some(vec![left(2, Some(17))]),
            };
            assert_eq!(found(cut), expected, "{cut}");
        }
    }

    #[test]
    fn a_line_that_is_no_text_is_left_out_and_the_others_count() {
        let list = b"/\n+/a/1.tmp\t/a/1\n+/a/\xff.tmp\t/a/x\n+/a/2.tmp\t/a/2\n";
        assert_eq!(unfinished(&list[..], "/").unwrap(), Some(vec![left(1, None), left(2, None)]));
        assert_eq!(unfinished(&list[..], "/b").unwrap(), None, "it is about another place");
    }

    #[test]
    fn a_directory_is_made_with_those_above_it() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b/c");
        make_directory(&deep).unwrap();
        make_directory(&deep).unwrap();
        assert!(deep.is_dir());
        fs::write(folder.path().join("file"), "").unwrap();
        assert!(make_directory(&folder.path().join("file/x")).is_err());
    }

    #[test]
    fn a_long_list_is_written_anew_with_what_is_open_and_stays_locked() {
        for open in [0, 1, 3_000] {
            let folder = tempfile::tempdir().unwrap();
            let (mut ledger, _) = Ledger::begin(folder.path(), "/", 1).unwrap();
            let mut expected: Vec<_> =
                (0..open).map(|number| left(number, (number > 1).then_some(9))).collect();
            for file in &expected {
                ledger.add(&file.names).unwrap();
                file.synced.iter().for_each(|synced| ledger.mark(&file.names.in_use, *synced).unwrap());
            }
            for number in 10_000..20_000 {
                ledger.add(&names(number)).unwrap();
                ledger.remove(&names(number).in_use).unwrap();
            }
            let path = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
            let bytes = fs::metadata(&path).unwrap().len();
            assert!(bytes < 5 * LONG, "{open}: {bytes}");
            assert_eq!(Ledger::begin(folder.path(), "/", 2).unwrap().1, Left::default(), "it is held");
            drop(ledger);
            expected.sort_by(|one, other| one.names.in_use.cmp(&other.names.in_use));
            assert_eq!(Ledger::begin(folder.path(), "/", 3).unwrap().1.files, expected);
        }
    }
}

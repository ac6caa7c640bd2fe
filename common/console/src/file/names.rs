//! Under which name a full log file is kept, and which old ones go.

use super::{delete::Delete, glob::matches, pack::Compress};
use java::DatePrinter;
use jiff::tz::TimeZone;
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

/// What becomes of a file that is rolled.
#[derive(Debug, Clone)]
pub enum Names {
    /// log4j 1.2's `RollingFileAppender`: `flume.log.1` is the newest, and so many are kept. Of none the file is emptied.
    Numbered(u32),
    /// By a pattern with dates, and `%i` for a number.
    Pattern {
        /// Their names.
        pattern: NamePattern,
        /// The lowest number.
        first: u32,
        /// The highest, if there is one.
        last: Option<u32>,
        /// Whether the newest has the highest number, as log4j 2 has it when nothing is said.
        newest_is_last: bool,
        /// What goes when one more is kept.
        delete: Option<Delete>,
    },
}

/// `logs/archive/flume.log.%d{yyyyMMdd}-%i`, with `.gz` or `.zip` at its end when such files are compressed.
#[derive(Debug, Clone)]
pub struct NamePattern {
    /// Without that end.
    parts: Vec<Part>,
    compress: Option<Compress>,
}

#[derive(Debug, Clone)]
enum Part {
    Text(String),
    Date(DatePrinter),
    /// With how many digits at least.
    Number(usize),
}

impl NamePattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What cannot be read, in an operator's words.
    pub fn parse(text: &str) -> Result<NamePattern, String> {
        let mut parts = Vec::new();
        let compress = Compress::asked(text);
        let mut rest = compress.and_then(|compress| text.strip_suffix(compress.into.end())).unwrap_or(text);
        while let Some(at) = rest.find('%') {
            parts.push(Part::Text(rest[..at].to_owned()));
            let word = &rest[at + 1..];
            let digits = word.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(word.len());
            if let Some(behind) = word[digits..].strip_prefix('i') {
                parts.push(Part::Number(word[..digits].parse().unwrap_or(0).min(MOST_DIGITS)));
                rest = behind;
            } else if let Some(behind) = word.strip_prefix('d') {
                let option = |text| str::strip_prefix(text, '{').and_then(|inside| inside.split_once('}'));
                let (pattern, behind) = option(behind).unwrap_or(("yyyy-MM-dd", behind));
                let (zone, behind) = option(behind).map_or((None, behind), |(zone, rest)| (Some(zone), rest));
                let zone = zone.map_or_else(|| Ok(TimeZone::system()), TimeZone::get);
                let zone = zone.map_err(|error| error.to_string())?;
                parts.push(Part::Date(DatePrinter::compile(pattern, zone)?));
                rest = behind;
            } else {
                return Err(format!("`{}` has a word that is neither `%d{{...}}` nor `%i`", &rest[at..]));
            }
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(NamePattern { parts, compress })
    }

    /// Compresses so much: 0 not at all, 9 as much as can be.
    #[must_use]
    pub fn compressed_by(mut self, level: u32) -> NamePattern {
        if let Some(compress) = &mut self.compress {
            compress.level = level.min(9);
        }
        self
    }

    pub(super) fn compress(&self) -> Option<Compress> {
        self.compress
    }

    /// What names of compressed files end in; nothing when none is.
    fn end(&self) -> &'static str {
        self.compress.map_or("", |compress| compress.into.end())
    }

    /// A fixed front with a date behind it, as `DailyRollingFileAppender` has it.
    pub fn dated(front: &str, date: DatePrinter) -> NamePattern {
        NamePattern { parts: vec![Part::Text(front.to_owned()), Part::Date(date)], compress: None }
    }

    /// The first date of the pattern.
    pub fn date(&self) -> Option<&DatePrinter> {
        self.parts.iter().find_map(|part| if let Part::Date(date) = part { Some(date) } else { None })
    }

    /// The last one.
    pub fn last_date(&self) -> Option<&DatePrinter> {
        self.parts.iter().rev().find_map(|part| if let Part::Date(date) = part { Some(date) } else { None })
    }

    /// What the files are like that it names.
    pub fn kept(&self) -> Kept {
        let texts: Vec<&str> = self
            .parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => text,
                Part::Date(date) if has_folders(date) => "*/*",
                Part::Date(_) | Part::Number(_) => "*",
            })
            .collect();
        let like = texts.concat();
        let (folders, name) = like.rsplit_once('/').map_or((".", &*like), |(folders, name)| (folders, name));
        let fixed =
            folders.split('/').take_while(|folder| !folder.contains('*')).collect::<Vec<_>>().join("/");
        let folder = match (&*fixed, like.starts_with('/')) {
            ("", true) => "/",
            ("", false) => ".",
            (fixed, _) => fixed,
        };
        Kept { folder: folder.into(), below: fixed != folders, name: name.to_owned(), end: self.end() }
    }

    fn name(&self, millis: i64, number: u32) -> String {
        print(&self.parts, millis, number)
    }

    /// The names that are there already, by their number; none when the pattern has no number in a file's own name.
    fn there(&self, millis: i64) -> io::Result<There> {
        let Some(at) = self.parts.iter().position(|part| matches!(part, Part::Number(_))) else {
            return Ok(BTreeMap::new());
        };
        let [front, back] = [&self.parts[..at], &self.parts[at + 1..]].map(|parts| print(parts, millis, 0));
        if back.contains('/') {
            return Ok(BTreeMap::new());
        }
        let (folder, front) =
            front.rsplit_once('/').map_or((".", &*front), |(folder, front)| (folder, front));
        numbered(Path::new(if folder.is_empty() { "/" } else { folder }), front, &back, self.end())
    }
}

/// The files of each number, and what stands behind their names: one as it was, a compressed one, for a moment both.
type There = BTreeMap<u32, Vec<(PathBuf, &'static str)>>;

fn print(parts: &[Part], millis: i64, number: u32) -> String {
    let mut name = String::new();
    for part in parts {
        match part {
            Part::Text(text) => name.push_str(text),
            Part::Date(date) => date.push(millis, &mut name),
            Part::Number(digits) => name.push_str(&format!("{number:0digits$}")),
        }
    }
    name
}

/// Whether what a date prints goes over several folders.
fn has_folders(date: &DatePrinter) -> bool {
    let mut text = String::new();
    date.push(0, &mut text);
    text.contains('/')
}

/// The files of a folder whose names have a number between `front` and `back`, and `end` behind that or not. No folder, no files.
fn numbered(folder: &Path, front: &str, back: &str, end: &'static str) -> io::Result<There> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        entries => entries?,
    };
    let mut found = BTreeMap::new();
    for entry in entries {
        let name = entry?.file_name();
        let Some(behind) = name.to_str().and_then(|name| name.strip_prefix(front)) else { continue };
        let (behind, end) = behind.strip_suffix(end).map_or((behind, ""), |behind| (behind, end));
        let number = behind.strip_suffix(back);
        if let Some(number) = number.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
            && let Ok(number) = number.parse()
        {
            found.entry(number).or_insert_with(Vec::new).push((folder.join(&name), end));
        }
    }
    Ok(found)
}

/// What rolled files are like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Their folder.
    pub folder: PathBuf,
    /// They may be in folders of that folder, too.
    pub below: bool,
    /// Their names, without their folders; `*` is any text.
    pub name: String,
    /// What stands behind it when they are compressed; nothing when they are not.
    pub end: &'static str,
}

impl Kept {
    /// Whether that is such a name, also of one that is compressed, or on its way to it.
    pub fn is_name(&self, name: &str) -> bool {
        let packed = name.strip_suffix(self.end).is_some_and(|name| self.is_plain(name));
        self.is_plain(name) || packed || self.on_its_way(name).is_some()
    }

    pub(super) fn is_plain(&self, name: &str) -> bool {
        matches(&self.name, name)
    }

    /// Of which file that is the temporary name while it is compressed.
    pub(super) fn on_its_way<'a>(&self, name: &'a str) -> Option<&'a str> {
        let inner = name.strip_prefix('.')?.strip_suffix(".tmp")?.strip_suffix(self.end)?;
        Some(inner).filter(|inner| !self.end.is_empty() && self.is_plain(inner))
    }
}

/// The folder that a file is in.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

impl Names {
    /// What the files are like that the one at `path` is rolled to.
    pub(super) fn kept(&self, path: &Path) -> Kept {
        match self {
            Names::Numbered(_) => {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                Kept { folder: folder_of(path).into(), below: false, name: format!("{name}.*"), end: "" }
            }
            Names::Pattern { pattern, .. } => pattern.kept(),
        }
    }

    /// Moves the file at `path` away, so that a new one can begin. `millis` is the time its name tells of. Says where it is
    /// now, when it is to be compressed there.
    ///
    /// # Errors
    /// What the system said. Then the file is where it was.
    pub(super) fn move_away(&self, path: &Path, millis: i64) -> io::Result<Option<PathBuf>> {
        match self {
            Names::Numbered(0) => fs::File::create(path).map(|_| None),
            Names::Numbered(most) => shift(path, *most).map(|()| None),
            Names::Pattern { pattern, first, last, newest_is_last, .. } => {
                let number = make_room(pattern, millis, (*first, *last), *newest_is_last)?;
                let to = PathBuf::from(pattern.name(millis, number));
                make_folder(&to)?;
                if to == path {
                    return Ok(None);
                }
                rename(path, &to)?;
                Ok(pattern.compress.map(|_| to))
            }
        }
    }

    /// Removes what is too old or too much.
    ///
    /// # Errors
    /// What the system said.
    pub(super) fn tidy(&self, now: i64) -> io::Result<()> {
        match self {
            Names::Pattern { delete: Some(delete), .. } => delete.run(now),
            _ => Ok(()),
        }
    }
}

/// Moves a file, to another disk if need be.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            fs::copy(from, to).and_then(|_| fs::remove_file(from))
        }
        moved => moved,
    }
}

/// Makes the folder that `path` is to be in.
pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => fs::create_dir_all(folder),
        _ => Ok(()),
    }
}

/// `flume.log` becomes `flume.log.1`, that becomes `flume.log.2`, and so on; the last one goes.
fn shift(path: &Path, most: u32) -> io::Result<()> {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let there = numbered(folder_of(path), &format!("{name}."), "", "")?;
    let at = |number: u32| {
        let mut path = path.as_os_str().to_owned();
        path.push(format!(".{number}"));
        PathBuf::from(path)
    };
    for (number, files) in there.into_iter().rev().filter(|(number, _)| (1..most).contains(number)) {
        for (path, _) in files {
            fs::rename(path, at(number + 1))?;
        }
    }
    fs::rename(path, at(1))
}

/// The number that the next file gets. Files beyond the limits go, and the others move up or down.
fn make_room(
    pattern: &NamePattern,
    millis: i64,
    (first, last): (u32, Option<u32>),
    newest_is_last: bool,
) -> io::Result<u32> {
    let mut there = pattern.there(millis)?;
    let Some(last) = last else {
        return Ok(there.last_key_value().map_or(1, |(number, _)| number.saturating_add(1)));
    };
    let most = (last.saturating_sub(first) as usize).saturating_add(1);
    let mut moves = !newest_is_last || there.last_key_value().is_some_and(|(number, _)| *number >= last);
    while there.len() >= most {
        let gone = if newest_is_last { there.pop_first() } else { there.pop_last() };
        let Some((_, files)) = gone else { break };
        for (path, _) in files {
            fs::remove_file(path)?;
        }
        moves = true;
    }
    let rename = |files: &[(PathBuf, &str)], to: Option<u32>| {
        let Some(to) = to.map(|to| pattern.name(millis, to)) else { return Ok(()) };
        files.iter().try_for_each(|(path, end)| fs::rename(path, format!("{to}{end}")))
    };
    if newest_is_last {
        for (number, files) in there.iter().filter(|_| moves) {
            rename(files, number.checked_sub(1))?;
        }
        Ok(there.last_key_value().map_or(first, |(number, _)| if *number < last { number + 1 } else { last }))
    } else {
        for (number, files) in there.iter().rev() {
            rename(files, number.checked_add(1))?;
        }
        Ok(first)
    }
}

/// No number is made longer than this.
const MOST_DIGITS: usize = 20;

//! What this process writes itself, so that it does not follow it: what came in would go out into what comes in.

use super::shared::PositionFiles;
use console::Written;
use runtime::files::whole::is_temporary;
use runtime::files::{is_same, resolve};
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The files that the components of an agent write.
#[derive(Debug, Default)]
pub(crate) struct OwnFiles {
    /// Position files, each once.
    pub(crate) positions: Vec<PathBuf>,
    /// Files of `file_roll` sinks.
    pub(crate) rolled: Vec<Rolled>,
    /// There is a logger sink: what is followed is printed.
    pub(crate) prints: bool,
    /// Those that are in use, and how many sources use each.
    pub(crate) shared: PositionFiles,
}

/// Files of a `file_roll` sink.
#[derive(Debug)]
pub(crate) struct Rolled {
    /// Where they are.
    pub(crate) directory: PathBuf,
    /// What stands before and behind their numbers.
    pub(crate) prefix: String,
    pub(crate) suffix: String,
}

/// Whose file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Own {
    PositionFile,
    Rolled,
    Console,
}

impl OwnFiles {
    /// Whether the file at `path`, which is `about`, is one of those; asked once for each file.
    pub(crate) fn find(&self, path: &Path, about: &Metadata) -> Option<Own> {
        if self.positions.iter().any(|own| is_position_file(own, path, about)) {
            Some(Own::PositionFile)
        } else if self.rolled.iter().any(|own| own.made(path)) {
            Some(Own::Rolled)
        } else if self.prints && (is_console(about) || is_log_file(path, about)) {
            Some(Own::Console)
        } else {
            None
        }
    }
}

impl Own {
    /// Why it is not followed.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Own::PositionFile => "it is a position file of this agent, or on its way to be one",
            Own::Rolled => "a file_roll sink of this agent writes it",
            Own::Console => {
                "this process prints to it, and with a logger sink each line would come in again; write that elsewhere, or let the pattern leave it out"
            }
        }
    }
}

/// It is the file, under whatever name, or has its name, or one on the way to it.
fn is_position_file(own: &Path, path: &Path, about: &Metadata) -> bool {
    if fs::metadata(own).is_ok_and(|own| is_same(&own, about)) {
        return true;
    }
    let named = |own: &Path| {
        let (Some(name), Some(of)) = (path.file_name(), own.file_name()) else { return false };
        (name == of || is_temporary(name, of)) && same_directory(own.parent(), path.parent())
    };
    named(own) || resolve(own).is_ok_and(|own| named(&own))
}

impl Rolled {
    /// Whether `path` has a name that this sink gives: prefix, time, `-`, number, extension.
    fn made(&self, path: &Path) -> bool {
        let name = path.file_name().map(OsStr::as_bytes).unwrap_or_default();
        let numbers = name
            .strip_prefix(self.prefix.as_bytes())
            .and_then(|rest| rest.strip_suffix(self.suffix.as_bytes()))
            .and_then(|rest| {
                let dash = rest.iter().position(|byte| *byte == b'-')?;
                Some((&rest[..dash], &rest[dash + 1..]))
            });
        let is_number =
            |text: &[u8], least: usize| text.len() >= least && text.iter().all(u8::is_ascii_digit);
        let named =
            numbers.is_some_and(|(time, number)| is_number(time, TIME_DIGITS) && is_number(number, 1));
        named && same_directory(Some(&self.directory), path.parent())
    }
}

fn same_directory(one: Option<&Path>, other: Option<&Path>) -> bool {
    let look = |path: Option<&Path>| fs::metadata(path.filter(|path| !path.as_os_str().is_empty())?).ok();
    one == other || look(one).zip(look(other)).is_some_and(|(one, other)| is_same(&one, &other))
}

/// Whether what this process prints goes there.
fn is_console(about: &Metadata) -> bool {
    CONSOLE.iter().any(|fd| fs::metadata(fd).is_ok_and(|printed_to| is_same(&printed_to, about)))
}

/// Whether it is a log file of this process, or one that such a file was rolled to.
fn is_log_file(path: &Path, about: &Metadata) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    console::log_files().into_iter().any(|Written { path: own, kept }| {
        let mut folders = path.ancestors().skip(1).take(if kept.below { MOST_BELOW } else { 1 });
        fs::metadata(own).is_ok_and(|own| is_same(&own, about))
            || kept.is_name(&name) && folders.any(|folder| same_directory(Some(&kept.folder), Some(folder)))
    })
}

/// Whether what this process prints goes to a file, which could be followed.
pub(crate) fn console_is_a_file() -> bool {
    CONSOLE.iter().any(|fd| fs::metadata(fd).is_ok_and(|fd| fd.is_file()))
}

/// What this process prints to.
const CONSOLE: [&str; 2] = ["/proc/self/fd/1", "/proc/self/fd/2"];

/// So many folders deep rolled log files are known.
const MOST_BELOW: usize = 8;

/// Of the milliseconds since 1970, since 2001; the local time of the other path manager has one more.
const TIME_DIGITS: usize = 13;

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn position_files_are_known_by_name_by_link_and_on_their_way() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::create_dir(at("state")).unwrap();
        for name in ["state/p.json", "state/p.json.tmp", "state/.p.json.0123456789abcdef.tmp", "p.json"] {
            fs::write(at(name), name).unwrap();
        }
        symlink("state/p.json", at("link")).unwrap();
        symlink("state", at("same")).unwrap();
        let own = OwnFiles { positions: vec![at("state/p.json")], ..OwnFiles::default() };
        let find = |name: &str| own.find(&at(name), &fs::metadata(at(name)).unwrap());
        for name in
            ["state/p.json", "same/p.json", "link", "state/p.json.tmp", "state/.p.json.0123456789abcdef.tmp"]
        {
            assert_eq!(find(name), Some(Own::PositionFile), "{name}");
        }
        assert_eq!(find("p.json"), None, "the same name elsewhere");
        let own = OwnFiles { positions: vec![at("link")], ..OwnFiles::default() };
        assert_eq!(
            own.find(&at("state/p.json.tmp"), &fs::metadata(at("state/p.json.tmp")).unwrap()),
            Some(Own::PositionFile)
        );
    }

    #[test]
    fn rolled_files_are_known_by_their_names() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        let rolled = Rolled { directory: path.into(), prefix: "p-".into(), suffix: ".log".into() };
        let made = |name: &str| rolled.made(&path.join(name));
        assert!(made("p-1795364843779-1.log") && made("p-20261123002723-12.log"));
        for name in ["p-1795364843779-1", "1795364843779-1.log", "p-179-1.log", "p-app.log", "p-.log"] {
            assert!(!made(name), "{name}");
        }
        assert!(!rolled.made(Path::new("/elsewhere/p-1795364843779-1.log")));
    }

    #[test]
    fn log_files_are_known_and_what_they_were_rolled_to() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        let file = console::FileSettings {
            path: at("flume.log"),
            append: true,
            triggers: console::Triggers::default(),
            names: console::Names::Numbered(3),
        };
        let (format, levels) = (console::Format::default(), console::Levels::default());
        let files = vec![console::LogFileSettings { file, format, levels }];
        let _console = console::Console::to(
            std::io::sink(),
            console::Settings { files, ..console::Settings::default() },
        );
        let own = OwnFiles { prints: true, ..OwnFiles::default() };
        for (name, expected) in
            [("flume.log", Some(Own::Console)), ("flume.log.2", Some(Own::Console)), ("app.log", None)]
        {
            fs::write(at(name), name).unwrap();
            assert_eq!(own.find(&at(name), &fs::metadata(at(name)).unwrap()), expected, "{name}");
        }
        let silent = OwnFiles::default();
        assert_eq!(silent.find(&at("flume.log.2"), &fs::metadata(at("flume.log.2")).unwrap()), None);
    }
}

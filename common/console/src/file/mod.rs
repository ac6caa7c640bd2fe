//! A log file: whole lines to its end, and it is rolled as log4j rolls it.
//!
//! Source: log4j 1.2.17 `RollingFileAppender`, `DailyRollingFileAppender`; log4j 2.18 `RollingFileManager`,
//! `DefaultRolloverStrategy`. Different on purpose: an empty file is not kept, and a file that log4j 2's cron trigger rolls is
//! named by the day of its lines, also when it was full before midnight.

mod delete;
mod glob;
mod names;
mod on_its_way;
mod pack;
mod packer;
mod roll;

pub use delete::Delete;
pub use names::{Kept, NamePattern, Names};
pub use roll::{Size, Triggers};

use crate::{
    lines::LogOutput,
    output::{Cut, Place},
    packing::Packing,
    stamp,
};
use packer::Packer;
use roll::Roller;
use rustix::fs::OFlags;
use slog::Level;
use std::{
    fs::{File, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

/// Where a log file is and what becomes of it.
#[derive(Debug, Clone)]
pub struct FileSettings {
    /// Where it is.
    pub path: PathBuf,
    /// Whether what is in it stays at the start.
    pub append: bool,
    /// What rolls it.
    pub triggers: Triggers,
    /// What becomes of it then.
    pub names: Names,
}

/// A log file that is written. When it cannot be, that is said on the console, and it is tried again with each line.
pub(crate) struct LogFile {
    settings: FileSettings,
    roller: Roller,
    file: Option<File>,
    was_open: bool,
    /// It is one, and no pipe or device.
    is_file: bool,
    torn: bool,
    told: Option<ErrorKind>, // what the console was last told of
    packer: Option<Packer>,
    console: Arc<LogOutput>,
}

impl LogFile {
    /// Opens it, if that can be done.
    pub(crate) fn open(settings: FileSettings, console: Arc<LogOutput>) -> LogFile {
        let (path, kept) = (settings.path.clone(), settings.names.kept(&settings.path));
        WRITTEN.lock().unwrap_or_else(PoisonError::into_inner).push(Written { path, kept });
        let packer = Packer::start(&settings.names, &console);
        let mut log = LogFile {
            roller: Roller::new(settings.triggers.clone()),
            settings,
            file: None,
            was_open: false,
            is_file: true,
            torn: false,
            told: None,
            packer,
            console,
        };
        if let Err(error) = log.reopen(now()) {
            log.tell(&error);
        }
        log
    }

    fn write_pieces(&mut self, lines: &[u8], written: &mut usize) -> io::Result<()> {
        while *written < lines.len() {
            let now = now();
            if self.file.is_none() {
                self.reopen(now)?;
            }
            if self.is_file && self.roller.is_due(now) {
                self.roll(now)?;
            }
            let rest = &lines[*written..];
            let fitting = if self.is_file { self.roller.fitting(rest) } else { rest.len() };
            self.write(&rest[..fitting], written)?;
            if self.is_file && self.roller.is_due_at_once() {
                self.roll(now)?;
            }
        }
        Ok(())
    }

    fn write(&mut self, piece: &[u8], written: &mut usize) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Err(ErrorKind::NotFound.into()) };
        if self.torn {
            file.write_all(b"\n")?;
            (self.torn, _) = (false, self.roller.wrote(1));
        }
        let mut left = piece;
        while !left.is_empty() {
            match file.write(left) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(taken) => {
                    (self.torn, *written) = (left[taken - 1] != b'\n', *written + taken);
                    self.roller.wrote(taken);
                    left = &left[taken..];
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Makes its folder and opens it, or makes it.
    fn reopen(&mut self, now: i64) -> io::Result<()> {
        names::make_folder(self.path())?;
        let keep = self.settings.append || self.was_open;
        let before = self.path().metadata().ok().filter(|_| keep);
        let mut options = OpenOptions::new();
        // A pipe that nobody reads refuses lines, and holds nobody up.
        let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        options.create(true).append(true).custom_flags(flags.bits().cast_signed());
        let file = options.open(self.path())?;
        self.is_file = file.metadata().is_ok_and(|about| about.is_file());
        if !keep && self.is_file {
            file.set_len(0)?;
        }
        let modified = before.as_ref().and_then(|about| about.modified().ok()).map(stamp::millis);
        let bytes = before.map_or(0, |about| if about.is_file() { about.len() } else { 0 });
        self.roller.opened(bytes, modified, !self.was_open, now);
        (self.file, self.was_open) = (Some(file), true);
        Ok(())
    }

    /// Keeps the file under another name and begins a new one. When that fails, all goes on in the same file.
    fn roll(&mut self, now: i64) -> io::Result<()> {
        let names = self.packer.as_ref().map(Packer::hold_names);
        let moved = self.settings.names.move_away(self.path(), self.roller.named_by(now));
        drop(names);
        self.file = None;
        let rolled = match moved {
            Ok(rolled) => rolled,
            Err(error) => return self.go_on(now, &error),
        };
        self.roller.rolled();
        let is_packed = match (&self.packer, rolled) {
            (Some(packer), Some(path)) => {
                packer.pack(path); // also when the next file cannot be opened
                true
            }
            _ => false,
        };
        self.reopen(now)?;
        if is_packed {
            return Ok(()); // old files go when that is done
        }
        if let Err(error) = self.settings.names.tidy(now) {
            let text = format!("old files of {} cannot be removed: {error}", self.path().display());
            self.console.tell(Level::Warning, &text);
        }
        Ok(())
    }

    /// It could not be rolled.
    fn go_on(&mut self, now: i64, error: &io::Error) -> io::Result<()> {
        if self.path().exists() {
            self.roller.failed(now);
            let text = format!(
                "{} cannot be rolled: {error}. Lines go on into it, and it is tried again later",
                self.path().display()
            );
            self.console.tell(Level::Warning, &text);
        } else {
            self.roller.rolled(); // somebody has taken it away
        }
        self.reopen(now)
    }

    /// Says on the console what is wrong, once for each kind of trouble until it is written again.
    fn tell(&mut self, error: &io::Error) {
        if self.told.replace(error.kind()) != Some(error.kind()) {
            let text = format!(
                "log lines cannot be written to {}: {error}. They are left out there, events go on, and it is tried again with each line",
                self.path().display()
            );
            self.console.tell(Level::Error, &text);
        }
    }

    fn path(&self) -> &Path {
        &self.settings.path
    }
}

impl Place for LogFile {
    /// Each line goes to the file it belongs to.
    fn write_lines(&mut self, lines: &[u8]) -> Result<(), Cut> {
        if lines.is_empty() {
            return Ok(()); // which says nothing of the file
        }
        let mut written = 0;
        let outcome = self.write_pieces(lines, &mut written);
        match &outcome {
            Ok(()) if self.told.take().is_some() => {
                let text = format!("{} is written again", self.path().display());
                self.console.tell(Level::Info, &text);
            }
            Ok(()) => {}
            Err(error) => self.tell(error),
        }
        outcome.map_err(|error| Cut { written, error })
    }

    fn what(&self) -> &'static str {
        "the log file"
    }

    fn packing(&self) -> Option<Arc<Packing>> {
        self.packer.as_ref().map(Packer::shared)
    }

    fn left_out_events(&self) -> &'static str {
        "What logger sinks print may be among them; no other event was lost by that."
    }
}

/// A log file of this process.
#[derive(Debug, Clone)]
pub struct Written {
    /// The file.
    pub path: PathBuf,
    /// What those that it was rolled to are like.
    pub kept: Kept,
}

/// The log files of this process, for those who must not read what they write.
pub fn log_files() -> Vec<Written> {
    WRITTEN.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// As the system knows what a process prints to, so is this known of the process, and not of a part of it.
static WRITTEN: Mutex<Vec<Written>> = Mutex::new(Vec::new());

fn now() -> i64 {
    stamp::millis(SystemTime::now())
}

#[cfg(test)]
mod tests;

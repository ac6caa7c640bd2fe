//! Reads the input, on a thread of its own: files and terminals block.

use super::directory::{self, Look};
use super::lines::{LineBatches, MOST_LINE};
use super::{Delivered, Failure, Input};
use bytes::Bytes;
use event::Batch;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::thread;
use tokio::sync::{mpsc, oneshot};
use wire::line::Ends;

/// What the input has to say.
pub(super) enum Fed {
    /// The next lines.
    Batch(Batch),
    /// A file has ended: to be answered when all that came before is acknowledged.
    Finished(oneshot::Sender<()>),
    /// It cannot be read on.
    Failed(String),
}

/// An input that can be opened.
pub(super) struct Feed {
    input: Opened,
    headers: Bytes,
    most: usize,
    log: slog::Logger,
}

enum Opened {
    Stdin,
    File(File, PathBuf),
    Directory(PathBuf),
}

impl Feed {
    /// Opens what is to be read, and reads nothing of it.
    ///
    /// # Errors
    /// [`Failure::Input`]
    pub(super) fn open(
        input: Input,
        headers: Bytes,
        most: usize,
        log: slog::Logger,
    ) -> Result<Feed, Failure> {
        let input = match input {
            Input::Stdin => Opened::Stdin,
            Input::File(path) => {
                match File::open(&path).and_then(|file| Ok((file.metadata()?.is_dir(), file))) {
                    Ok((false, file)) => Opened::File(file, path),
                    Ok((true, _)) => {
                        return Err(failure(format!(
                            "{} is a directory: give it with --dirname",
                            path.display()
                        )));
                    }
                    Err(error) => return Err(failure(cannot_read(&path, &error))),
                }
            }
            Input::Directory(path) => match fs::read_dir(&path) {
                Ok(_) => Opened::Directory(path),
                Err(error) => return Err(failure(cannot_read(&path, &error))),
            },
        };
        Ok(Feed { input, headers, most, log })
    }

    /// Begins to read. What is read waits until it is received, a few batches of it.
    ///
    /// # Errors
    /// [`Failure::Input`], when there is no thread to be had.
    pub(super) fn start(self) -> Result<mpsc::Receiver<Fed>, Failure> {
        let (to, fed) = mpsc::channel(AHEAD);
        let reader = Reader { to, headers: self.headers, most: self.most, log: self.log };
        let input = self.input;
        let thread = thread::Builder::new().name("avro-client-input".to_owned());
        let started = thread.spawn(move || {
            if let Err(Stop::Failed(text)) = reader.read(input) {
                let _ = reader.to.blocking_send(Fed::Failed(text)); // nobody listens when sending has failed
            }
        });
        started.map(|_| fed).map_err(|error| failure(format!("no thread to read with: {error}")))
    }
}

struct Reader {
    to: mpsc::Sender<Fed>,
    headers: Bytes,
    most: usize,
    log: slog::Logger,
}

/// Why reading ends early.
enum Stop {
    /// Nobody wants more.
    Unwanted,
    Failed(String),
}

impl Reader {
    fn read(&self, input: Opened) -> Result<(), Stop> {
        match input {
            Opened::Stdin => self.lines(io::stdin().lock(), Ends::Any, Path::new("standard input")),
            Opened::File(file, path) => self.lines(file, Ends::Any, &path),
            Opened::Directory(path) => self.directory(&path),
        }
    }

    fn directory(&self, path: &Path) -> Result<(), Stop> {
        loop {
            let files = directory::waiting(path).map_err(|error| Stop::Failed(cannot_read(path, &error)))?;
            if files.is_empty() {
                return Ok(());
            }
            files.iter().try_for_each(|file| self.spooled(file))?;
        }
    }

    /// Sends a file and renames it when all of it is acknowledged.
    fn spooled(&self, path: &Path) -> Result<(), Stop> {
        let failed = |text: String| Err(Stop::Failed(text));
        let (name, completed) = (path.display(), directory::completed(path));
        if completed.exists() {
            return failed(format!(
                "{name} is not sent: {} is there already; move one of them away",
                completed.display()
            ));
        }
        let opened = File::open(path).and_then(|file| Ok((Look::of(&file.metadata()?), file)));
        let (before, file) = opened.map_err(|error| Stop::Failed(cannot_read(path, &error)))?;
        // As Flume's spooling directory has it: a CR stays with its line.
        self.lines(file, Ends::Lf, path)?;
        self.wait_until_arrived()?;
        match fs::metadata(path) {
            Ok(metadata) if Look::of(&metadata) == before => {}
            Ok(_) => {
                return failed(format!(
                    "{name} was written to while it was sent: it is not renamed, and part of it may not have been sent; \
                     put files into the directory when they are complete"
                ));
            }
            Err(error) => return failed(cannot_read(path, &error)),
        }
        fs::rename(path, &completed).map_err(|error| {
            Stop::Failed(format!("{name} was sent and cannot be renamed to {}: {error}", completed.display()))
        })
    }

    fn lines(&self, input: impl Read, ends: Ends, path: &Path) -> Result<(), Stop> {
        let mut lines = LineBatches::new(input, ends, self.headers.clone(), self.most);
        while let Some(batch) = lines.next().map_err(|error| Stop::Failed(cannot_read(path, &error)))? {
            self.tell(Fed::Batch(batch))?;
        }
        if lines.cut > 0 {
            slog::warn!(
                self.log,
                "{} has lines of more than {MOST_LINE} bytes: they became several events",
                path.display()
            );
        }
        Ok(())
    }

    fn wait_until_arrived(&self) -> Result<(), Stop> {
        let (arrived, all) = oneshot::channel();
        self.tell(Fed::Finished(arrived))?;
        all.blocking_recv().map_err(|_| Stop::Unwanted)
    }

    fn tell(&self, fed: Fed) -> Result<(), Stop> {
        self.to.blocking_send(fed).map_err(|_| Stop::Unwanted)
    }
}

fn cannot_read(path: &Path, error: &io::Error) -> String {
    format!("cannot read {}: {error}", path.display())
}

fn failure(reason: String) -> Failure {
    Failure::Input { reason, delivered: Delivered { events: 0, doubtful: 0 } }
}

/// Batches read ahead.
const AHEAD: usize = 4;

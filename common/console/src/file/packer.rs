//! The thread that compresses rolled files, so that who writes never waits for it.
//!
//! A file is there under its own name, or compressed and whole under the other; for a moment both are. What is on its way has a
//! name that begins with a dot, and is locked by who writes it; what a process leaves of that when it dies is done anew by the next,
//! behind the first file that it rolls.

use super::{
    log_files,
    names::{Kept, Names, folder_of},
    on_its_way::{OnItsWay, is_at},
    pack::Compress,
};
use crate::{lines::LogOutput, packing::Packing, stamp};
use crossbeam_channel::{Receiver, Sender, bounded};
use slog::Level;
use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::{Arc, MutexGuard},
    thread,
    time::SystemTime,
};

/// Where rolled files are handed over.
pub(super) struct Packer {
    jobs: Sender<Job>, // the thread ends when it is gone
    shared: Arc<Packing>,
    console: Arc<LogOutput>,
}

/// A rolled file. It is open, so that whatever becomes of its name it is no other one.
struct Job {
    file: File,
    path: PathBuf,
}

impl Packer {
    /// Starts the thread, if `names` asks for compression.
    pub(super) fn start(names: &Names, console: &Arc<LogOutput>) -> Option<Packer> {
        let Names::Pattern { pattern, .. } = names else { return None };
        let compress = pattern.compress()?;
        let (jobs, work) = bounded(MOST_WAITING);
        let shared = Arc::new(Packing::default());
        let worker = Worker {
            compress,
            kept: pattern.kept(),
            names: names.clone(),
            shared: Arc::clone(&shared),
            console: Arc::clone(console),
        };
        match thread::Builder::new().name("log-pack".to_owned()).spawn(move || worker.run(&work)) {
            Ok(_) => Some(Packer { jobs, shared, console: Arc::clone(console) }),
            Err(error) => {
                let text = format!(
                    "there is no thread for the compression of log files: {error}. Rolled files stay as they are"
                );
                console.tell(Level::Warning, &text);
                None
            }
        }
    }

    /// Keeps the names as they are while it is held.
    pub(super) fn hold_names(&self) -> MutexGuard<'_, ()> {
        self.shared.hold_names()
    }

    /// Has the file at `path` compressed.
    pub(super) fn pack(&self, path: PathBuf) {
        let refused = match File::open(&path) {
            Ok(file) => {
                self.shared.one_more();
                let sent = self.jobs.try_send(Job { file, path: path.clone() });
                sent.err().map(|_| {
                    self.shared.one_is_done();
                    format!("{MOST_WAITING} others wait for that")
                })
            }
            Err(error) => Some(error.to_string()),
        };
        if let Some(why) = refused {
            let text = format!("{} is not compressed: {why}. Compress or remove it yourself", path.display());
            self.console.tell(Level::Warning, &text);
        }
    }

    pub(super) fn shared(&self) -> Arc<Packing> {
        Arc::clone(&self.shared)
    }
}

/// The thread's side.
struct Worker {
    compress: Compress,
    kept: Kept,
    names: Names,
    shared: Arc<Packing>,
    console: Arc<LogOutput>,
}

impl Worker {
    fn run(&self, jobs: &Receiver<Job>) {
        for mut job in jobs {
            for mut left in self.left_over(&job) {
                self.told(&mut left);
            }
            self.told(&mut job);
            let tidied = {
                let _names = self.shared.hold_names(); // none is given another name between the look and the removal
                self.names.tidy(now())
            };
            if let Err(error) = tidied {
                let text = format!("old files such as {} cannot be removed: {error}", job.path.display());
                self.console.tell(Level::Warning, &text);
            }
            self.shared.one_is_done();
        }
    }

    fn told(&self, job: &mut Job) {
        if let Err(error) = self.pack(job) {
            let text = format!("{} cannot be compressed: {error}. It stays as it is", job.path.display());
            self.console.tell(Level::Warning, &text);
        }
    }

    /// What a process that died has left in the folder: its plain files are compressed after all. Those of a process that
    /// lives are its own.
    fn left_over(&self, job: &Job) -> Vec<Job> {
        let _names = self.shared.hold_names();
        let folder = folder_of(&job.path);
        let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
        let names: BTreeSet<String> =
            entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
        let of_the_dead = names.iter().filter_map(|name| {
            let plain = self.kept.on_its_way(name)?;
            OnItsWay::remove_if_left(&folder.join(name)).then_some(plain)
        });
        // It died between the last two steps: the compressed file is whole, and the plain one is still there.
        let end = self.compress.into.end();
        let twice = names.iter().map(String::as_str).filter(|name| {
            self.kept.is_plain(name)
                && names.contains(&format!("{name}{end}"))
                && !is_written(&folder.join(name))
        });
        let left: BTreeSet<PathBuf> = of_the_dead.chain(twice).map(|plain| folder.join(plain)).collect();
        let others = left.into_iter().filter(|path| *path != job.path && path.is_file());
        others.filter_map(|path| Some(Job { file: File::open(&path).ok()?, path })).collect()
    }

    /// Compresses it beside itself, and puts that in its place: in this order, so that one of them is always whole.
    fn pack(&self, job: &mut Job) -> io::Result<()> {
        let Some(path) = self.find(job) else { return Ok(()) }; // it was one too many
        let on_its_way = beside(&path, ".", &format!("{}.tmp", self.compress.into.end()));
        let mut on_its_way = OnItsWay::create(on_its_way)?;
        let outcome =
            self.write(job, &path, &mut on_its_way.file).and_then(|()| self.replace(job, &on_its_way));
        if outcome.is_err() {
            let _ = on_its_way.remove(); // if that fails too, the next process finds it
        }
        outcome
    }

    fn write(&self, job: &mut Job, path: &Path, to: &mut File) -> io::Result<()> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let mut packed = BufWriter::new(&mut *to);
        self.compress.pack(&mut job.file, &mut packed, &name, now())?;
        packed.flush()?;
        drop(packed);
        to.set_permissions(job.file.metadata()?.permissions())?;
        to.sync_all()
    }

    fn replace(&self, job: &Job, on_its_way: &OnItsWay) -> io::Result<()> {
        let end = self.compress.into.end();
        let moved = {
            let _names = self.shared.hold_names();
            let path = self.find(job);
            path.map(|path| on_its_way.rename(&beside(&path, "", end)))
        };
        let Some(moved) = moved else { return on_its_way.remove() };
        moved?;
        File::open(folder_of(&job.path))?.sync_all()?;
        let _names = self.shared.hold_names();
        self.find(job).map_or(Ok(()), fs::remove_file)
    }

    /// Where it is now: as more files are rolled it gets other numbers, and goes in the end.
    fn find(&self, job: &Job) -> Option<PathBuf> {
        let is_it = |path: &PathBuf| is_at(&job.file, path);
        if is_it(&job.path) {
            return Some(job.path.clone());
        }
        let entries = fs::read_dir(folder_of(&job.path)).ok()?.flatten();
        let named =
            entries.filter(|entry| entry.file_name().to_str().is_some_and(|name| self.kept.is_plain(name)));
        named.map(|entry| folder_of(&job.path).join(entry.file_name())).find(is_it)
    }
}

/// Whether this process writes that file now, which is never one that was rolled.
fn is_written(path: &Path) -> bool {
    path.is_file()
        && File::open(path).is_ok_and(|file| log_files().iter().any(|written| is_at(&file, &written.path)))
}

/// The same folder, and a name with more in front and behind.
fn beside(path: &Path, front: &str, end: &str) -> PathBuf {
    let mut name = OsString::from(front);
    name.push(path.file_name().unwrap_or_default());
    name.push(end);
    path.with_file_name(name)
}

fn now() -> i64 {
    stamp::millis(SystemTime::now())
}

/// Each is an open file.
const MOST_WAITING: usize = 64;

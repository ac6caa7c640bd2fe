//! Properties files, as `-f` names them.

use super::{Origin, Waiting};
use plan::{Options, Report, Text};
use runtime::{
    clock::Duration,
    files::watch::{Ear, NAMES, WatchFlags},
};
use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};
use tokio::time::{Interval, MissedTickBehavior, interval, sleep};

/// The files of `-f`. A look at them is worth while as soon as inotify tells of one of their names, and by the
/// interval whatever inotify tells: it says nothing of a network file system, or of what is behind a link.
pub(crate) struct Files {
    paths: Vec<PathBuf>,
    options: Options,
    every: Duration,
    seen: Vec<Option<Stamp>>,
    watching: Option<Watching>,
}

struct Watching {
    ear: Ear,
    looks: Interval,
}

/// What tells one content of a file from another without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
}

impl Stamp {
    /// `None` when there is nothing to read, or nothing that could be read again: a pipe.
    fn of(path: &Path) -> Option<Stamp> {
        let file = fs::metadata(path).ok().filter(|file| file.is_file())?;
        Some(Stamp {
            device: file.dev(),
            inode: file.ino(),
            bytes: file.len(),
            modified: (file.mtime(), file.mtime_nsec()),
        })
    }
}

impl Files {
    /// The files at `paths`, a later one winning; each looked at once in `every`.
    pub(crate) fn new(paths: Vec<PathBuf>, options: Options, every: Duration) -> Files {
        Files { seen: vec![None; paths.len()], paths, options, every, watching: None }
    }

    fn stamps(&self) -> Vec<Option<Stamp>> {
        self.paths.iter().map(|path| Stamp::of(path)).collect()
    }

    /// Hears of the names in the directories of all files; what cannot be watched is looked at by the interval.
    fn watching(&mut self) -> &mut Watching {
        let (paths, every) = (&self.paths, self.every);
        self.watching.get_or_insert_with(|| {
            let (mut ear, _none_is_no_loss) = Ear::new();
            for path in paths {
                let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
                let _looked_at_all_the_same =
                    ear.watch(directory.unwrap_or(Path::new(".")), NAMES | WatchFlags::CLOSE_WRITE);
            }
            let mut looks = interval(every);
            looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            Watching { ear, looks }
        })
    }
}

impl Files {
    /// Waits until nobody writes any more: half a file could be read as a whole one.
    async fn settled(&self) {
        let mut before = self.stamps();
        loop {
            sleep(SETTLED_AFTER).await;
            let now = self.stamps();
            if now == before {
                return;
            }
            before = now;
        }
    }
}

/// Without a change for so long, a file is complete.
const SETTLED_AFTER: Duration = Duration::from_millis(100);

impl Origin for Files {
    fn names(&self) -> Vec<String> {
        self.paths.iter().map(|path| path.display().to_string()).collect()
    }

    fn read<'a>(&'a mut self, report: &'a mut Report) -> Waiting<'a, Vec<Text>> {
        Box::pin(async move {
            // Before they are read: a change in between is seen as one.
            self.seen = self.stamps();
            plan::read_files(&self.paths, &self.options, report)
        })
    }

    fn changed(&mut self) -> Waiting<'_, ()> {
        Box::pin(async move {
            loop {
                if self.stamps() != self.seen {
                    return self.settled().await;
                }
                let Watching { ear, looks } = self.watching();
                tokio::select! {
                    () = ear.ready() => ear.listen(|_| {}),
                    _ = looks.tick() => {}
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(path: &Path) -> Files {
        static NOTHING: std::sync::LazyLock<plan::Catalogue> =
            std::sync::LazyLock::new(|| plan::Catalogue::new([]));
        Files::new(vec![path.to_owned()], Options::new(&NOTHING), Duration::from_secs(30))
    }

    async fn read(files: &mut Files) -> String {
        let texts = files.read(&mut Report::default()).await;
        texts.iter().map(|text| String::from_utf8_lossy(&text.bytes).into_owned()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_that_nobody_tells_of_is_seen_within_the_interval() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.conf");
        fs::write(&path, "a = 1").unwrap();
        let mut files = files(&path);
        assert_eq!(read(&mut files).await, "a = 1");
        let (deaf, _) = Ear::new();
        let mut looks = interval(files.every);
        looks.tick().await;
        files.watching = Some(Watching { ear: deaf, looks });
        let start = runtime::clock::now();
        tokio::time::timeout(Duration::from_secs(3600), files.changed()).await.unwrap_err();
        fs::write(&path, "a = 22").unwrap();
        let before = runtime::clock::now();
        assert_eq!(before - start, Duration::from_secs(3600));
        files.changed().await;
        assert_eq!(read(&mut files).await, "a = 22");
    }

    #[tokio::test]
    async fn a_file_that_is_written_or_replaced_is_seen_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.conf");
        fs::write(&path, "a = 1").unwrap();
        let mut files = files(&path);
        read(&mut files).await;
        let replace = |text: &str| {
            let new = directory.path().join("new");
            fs::write(&new, text).unwrap();
            fs::rename(&new, &path).unwrap();
        };
        for (round, text) in ["a = 2 ", "a = 3  "].into_iter().enumerate() {
            let change = async {
                tokio::task::yield_now().await;
                if round == 0 { fs::write(&path, text).unwrap() } else { replace(text) }
            };
            let seen = tokio::time::timeout(Duration::from_secs(10), files.changed());
            let (seen, ()) = tokio::join!(seen, change);
            seen.expect("inotify reports the change");
            assert_eq!(read(&mut files).await, text);
        }
    }
}

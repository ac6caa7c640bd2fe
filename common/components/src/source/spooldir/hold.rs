//! Before a source reads anything: its directories are there, and no other source uses them.

use super::config::{Config, Finish};
use super::tracker::Tracker;
use crate::directory;
use flow::source::{SourceContext, Stopping};
use runtime::clock::Duration;
use runtime::files::holder;
use runtime::told::LastTold;
use rustix::fs::{Access, FlockOperation, flock};
use rustix::io::Errno;
use std::fs::{self, File};
use std::path::Path;
use tokio::time::sleep;

/// Takes the directories, and waits until that can be. `None`: the source is stopped before that.
pub(super) async fn hold(
    config: &Config,
    context: &mut SourceContext,
    stop: &mut Stopping,
) -> Option<Tracker> {
    let mut fault = LastTold::default();
    loop {
        match take(config) {
            Ok(tracker) => return Some(tracker),
            Err(why) => {
                if fault.tell(&why) {
                    slog::error!(
                        context.log,
                        "source {}: {why}; it reads nothing until that has changed",
                        context.name
                    );
                    context.doing.set(format!("waits: {why}"));
                }
                context.ready.done();
            }
        }
        tokio::select! { biased;
            _ = stop.changed() => return None,
            () = sleep(PAUSE) => {}
        }
    }
}

/// Whether `spoolDir` can be read, and its files finished.
///
/// # Errors
/// Why not.
pub(super) fn look(config: &Config) -> Result<(), String> {
    let mut needed = Access::READ_OK | Access::EXEC_OK;
    if config.finish != Finish::Mark {
        needed |= Access::WRITE_OK;
    }
    const DENIED: &str =
        "may not be read and written by this user: finished files are renamed or deleted in it";
    directory::look("spoolDir", &config.directory, needed, DENIED)
}

fn take(config: &Config) -> Result<Tracker, String> {
    look(config)?;
    let directory = &config.directory;
    let tracker = config.tracker.display();
    fs::create_dir_all(&config.tracker)
        .map_err(|error| format!("the trackerDir {tracker} cannot be made: {error}"))?;
    let mut locks = vec![lock(&config.tracker, "trackerDir")?];
    // Where nothing is changed in it, several agents may read one directory.
    if config.finish != Finish::Mark && config.tracker != *directory {
        locks.push(lock(directory, "spoolDir")?);
    }
    Ok(Tracker::new(config.tracker.clone(), locks))
}

/// Locks a directory against other sources, of this process or another one.
fn lock(directory: &Path, key: &str) -> Result<File, String> {
    let shown = directory.display();
    let file =
        File::open(directory).map_err(|error| format!("the {key} {shown} cannot be opened: {error}"))?;
    // What another error says is that there are no locks here.
    if let Err(Errno::WOULDBLOCK) = flock(&file, FlockOperation::NonBlockingLockExclusive) {
        let by = match holder(&file) {
            Some(id) if id == std::process::id() => "another source of this process".to_owned(),
            Some(id) => format!("process {id}"),
            None => "another process".to_owned(),
        };
        return Err(format!("the {key} {shown} is in use by {by}: give each source one of its own"));
    }
    Ok(file)
}

/// Between two looks, as Flume between two starts.
const PAUSE: Duration = Duration::from_secs(3);

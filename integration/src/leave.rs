//! Leaving in the middle, without leaving anything behind.

use crate::process;
use std::{io, path::PathBuf, thread};

/// On SIGINT or SIGTERM, kills all nodes, removes `directory` and ends this program.
///
/// # Errors
/// When the signals cannot be listened to.
pub fn on_signal(directory: PathBuf) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let (mut interrupt, mut terminate) = runtime.block_on(async {
        use tokio::signal::unix::{SignalKind, signal};
        io::Result::Ok((signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?))
    })?;
    thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        });
        process::kill_all();
        let _ = std::fs::remove_dir_all(directory); // leaving anyway
        std::process::exit(INTERRUPTED);
    });
    Ok(())
}

/// What a shell makes of a program that SIGINT ended.
const INTERRUPTED: i32 = 130;

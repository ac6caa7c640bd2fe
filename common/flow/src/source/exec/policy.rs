//! What comes after a command has ended.

use crate::clock::Duration;

/// What to do when the command has ended, or could not be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// The source stops.
    Stop,
    /// The source stays, and nothing comes from it any more.
    Idle,
    /// The same command again, after a pause.
    RunAgain(Duration),
}

/// Decides it. Source: Flume 1.11 `ExecSource`.
pub(super) fn next(stopping: bool, restart: bool, throttle: Duration) -> Next {
    match (stopping, restart) {
        (true, _) => Next::Stop,
        (false, true) => Next::RunAgain(throttle),
        (false, false) => Next::Idle,
    }
}

//! What all places on other hosts have in common: they may be away.

use super::Backup;
use runtime::clock::Duration;
use slog::{Logger, warn};

/// How a first text is waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// How long; `None`: until it is there.
    pub(crate) limit: Option<Duration>,
    /// Is told when the waiting begins.
    pub(crate) begins: fn(&Logger),
}

/// Before the second try, and then longer.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The pause behind one of `pause`.
pub(super) fn next_pause(pause: Duration) -> Duration {
    (pause * 2).min(LONGEST_PAUSE)
}

/// Says that the start goes by the backup.
pub(super) fn tell_backup(log: &Logger, name: &str, why: &str, backup: &Backup) {
    let path = backup.path().display().to_string();
    warn!(
        log,
        "{name} cannot be read: the agent starts with the last good configuration, {path}, and asks again"; "error" => why
    );
}

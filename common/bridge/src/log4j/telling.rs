//! When trouble with that JVM is told of. No I/O.

use crate::clock::Instant;
use std::time::Duration;

/// At once, and from time to time as long as it lasts.
#[derive(Debug, Default)]
pub(super) struct Telling {
    last: Option<Instant>,
}

impl Telling {
    /// Whether trouble at `now` is to be told.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        let due = self.last.is_none_or(|last| now.saturating_duration_since(last) >= AGAIN);
        if due {
            self.last = Some(now);
        }
        due
    }

    /// It is over. Says whether it was told.
    pub(super) fn is_over(&mut self) -> bool {
        self.last.take().is_some()
    }
}

/// JVMs that do not come up are started once a minute.
const AGAIN: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn it_is_told_again_as_long_as_it_lasts() {
        let (mut telling, now) = (Telling::default(), clock::now());
        let minutes = (0..30).filter(|n| telling.is_due(now + Duration::from_secs(60 * n)));
        assert_eq!(minutes.collect::<Vec<_>>(), [0, 10, 20]);
        assert!(telling.is_over() && !telling.is_over());
        assert!(telling.is_due(now));
    }
}

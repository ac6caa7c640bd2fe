//! What is said of events that were put aside.

use runtime::clock::{Duration, Instant};
use runtime::told::{Told, left_out};
use std::fmt::Display;

/// Says that a store never takes some events and where they are, once in a while.
#[derive(Debug)]
pub struct News(Told);

impl Default for News {
    fn default() -> News {
        News(Told::every(PAUSE))
    }
}

impl News {
    /// `events` of a batch are at `place` now, since `store` never takes them; `reason` is the first one's.
    pub fn tell(
        &mut self,
        log: &slog::Logger,
        now: Instant,
        store: &str,
        events: usize,
        place: impl Display,
        reason: &str,
    ) {
        if let Some(before) = self.0.tell(now) {
            let more = left_out(before);
            slog::error!(
                log,
                "{store} never takes {events} events of this batch, which are now in {place}: {reason}{more}"
            );
        }
    }
}

const PAUSE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;
    use flow::testing::Heard;

    #[test]
    fn it_is_said_with_the_place_and_the_reason_and_how_often_it_was_not_said() {
        let (heard, mut news, start) = (Heard::default(), News::default(), runtime::clock::now());
        let log = slog::Logger::root(heard.clone(), slog::o!());
        for (second, events) in [(0, 2), (1, 5), (59, 1), (60, 3)] {
            let now = start + Duration::from_secs(second);
            news.tell(&log, now, "Kafka at h:1", events, "/d/k.dead.json", "too large");
        }
        assert_eq!(
            heard.lines(),
            [
                "Kafka at h:1 never takes 2 events of this batch, which are now in /d/k.dead.json: too large",
                "Kafka at h:1 never takes 3 events of this batch, which are now in /d/k.dead.json: too large (2 such lines were left out)",
            ]
        );
    }
}

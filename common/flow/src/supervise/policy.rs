//! How long to wait before a dead actor is built anew.

use runtime::clock::{Duration, Instant};

/// The rest grows with each death that comes soon after the one before.
#[derive(Default)]
pub(crate) struct RestartPolicy {
    deaths: u32,
    last: Option<Instant>,
}

impl RestartPolicy {
    /// The pause before the next start, for a death at `now`: 100 ms, doubled with each death within a minute of the
    /// last one, 10 s at most.
    pub(crate) fn died(&mut self, now: Instant) -> Duration {
        if self.last.is_some_and(|last| now.duration_since(last) > FORGIVEN_AFTER) {
            self.deaths = 0;
        }
        self.last = Some(now);
        let pause = FIRST_PAUSE.saturating_mul(2u32.saturating_pow(self.deaths)).min(LONGEST_PAUSE);
        self.deaths = self.deaths.saturating_add(1);
        pause
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
const FORGIVEN_AFTER: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pauses_double_up_to_ten_seconds_and_a_quiet_minute_forgives() {
        let (mut policy, start) = (RestartPolicy::default(), runtime::clock::now());
        let pauses: Vec<u128> =
            (0..9).map(|n| policy.died(start + Duration::from_secs(n)).as_millis()).collect();
        assert_eq!(pauses, [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
        assert_eq!(policy.died(start + Duration::from_secs(70)).as_millis(), 100);
    }
}

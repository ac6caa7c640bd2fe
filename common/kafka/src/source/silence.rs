//! A consumer to which nothing comes: "no error, only silence" is judged by time.

use runtime::clock::{Duration, Instant};

/// What is to be looked at, or said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// It has no partition, for so long.
    NoPartition(Duration),
    /// It has some, and nothing has come for so long: are there records?
    Nothing(Duration),
}

/// Since when it is silent, and when that was looked at.
#[derive(Debug)]
pub(crate) struct Silence {
    since: Instant,
    assigned: bool,
    looked: Option<Instant>,
}

impl Silence {
    /// It begins.
    pub(crate) fn new(now: Instant) -> Silence {
        Silence { since: now, assigned: false, looked: None }
    }

    /// Records have come.
    pub(crate) fn broken(&mut self, now: Instant) {
        self.since = now;
        self.looked = None;
    }

    /// It has partitions now, or none.
    pub(crate) fn assigned(&mut self, assigned: bool, now: Instant) {
        self.assigned = assigned;
        self.broken(now);
    }

    /// What is in doubt now.
    pub(crate) fn doubt(&mut self, now: Instant) -> Option<Doubt> {
        let (silent, limit) = match self.assigned {
            false => (now.saturating_duration_since(self.since), NO_PARTITION),
            true => (now.saturating_duration_since(self.since), NOTHING),
        };
        let pause = if self.looked.is_none() { limit } else { AGAIN };
        if now.saturating_duration_since(self.looked.unwrap_or(self.since)) < pause {
            return None;
        }
        self.looked = Some(now);
        Some(if self.assigned { Doubt::Nothing(silent) } else { Doubt::NoPartition(silent) })
    }
}

const NO_PARTITION: Duration = Duration::from_secs(30);
const NOTHING: Duration = Duration::from_secs(60);
const AGAIN: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::clock;

    #[test]
    fn silence_is_doubted_after_its_time_and_again_much_later() {
        let begun = clock::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let mut silence = Silence::new(begun);
        assert_eq!(silence.doubt(at(29)), None);
        assert_eq!(silence.doubt(at(30)), Some(Doubt::NoPartition(Duration::from_secs(30))));
        assert_eq!(silence.doubt(at(60)), None);
        assert_eq!(silence.doubt(at(330)), Some(Doubt::NoPartition(Duration::from_secs(330))));
        silence.assigned(true, at(340));
        assert_eq!(silence.doubt(at(399)), None);
        assert_eq!(silence.doubt(at(400)), Some(Doubt::Nothing(Duration::from_secs(60))));
        silence.broken(at(410));
        assert_eq!(silence.doubt(at(469)), None);
    }
}

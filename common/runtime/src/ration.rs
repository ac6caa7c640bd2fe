//! So many lines in each period: often enough to be seen, seldom enough to be read.

use crate::clock::{Duration, Instant};

/// Counts what is not told.
#[derive(Default)]
pub struct Ration {
    since: Option<Instant>,
    told: u32,
    untold: u64,
}

impl Ration {
    /// Whether to tell, and how many were passed over before.
    pub fn ask(&mut self, most: u32, now: Instant) -> Option<u64> {
        if self.since.is_none_or(|since| now - since >= PERIOD) {
            self.since = Some(now);
            self.told = 0;
        }
        if self.told == most {
            self.untold += 1;
            return None;
        }
        self.told += 1;
        Some(std::mem::take(&mut self.untold))
    }
}

/// What stands behind a line that stands for others besides.
pub fn and_more(untold: u64) -> String {
    if untold == 0 {
        String::new()
    } else {
        format!(" ({untold} more of this kind were not told one by one)")
    }
}

const PERIOD: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_a_period_is_counted() {
        let now = crate::clock::now();
        let mut ration = Ration::default();
        let asked: Vec<_> = (0..4).map(|_| ration.ask(2, now)).collect();
        assert_eq!(asked, [Some(0), Some(0), None, None]);
        assert_eq!(ration.ask(2, now + PERIOD), Some(2));
    }
}

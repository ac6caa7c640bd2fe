//! When a new file begins, and what it is called.

use jiff::{Timestamp, tz::TimeZone};
use runtime::clock::{Duration, Instant};

/// When to start a new file. Deadlines keep their beat however late they are noticed.
#[derive(Debug)]
pub(super) struct RollPolicy {
    interval: Duration, // more than zero
    due: Instant,
}

impl RollPolicy {
    /// Rolls each `interval` from `start` on; `None` when that never comes: for no time at all (Flume's rule), and for
    /// more than a clock can count.
    pub(super) fn new(interval: Duration, start: Instant) -> Option<RollPolicy> {
        let due = start.checked_add(interval).filter(|_| !interval.is_zero())?;
        Some(RollPolicy { interval, due })
    }

    /// When the next file is due.
    pub(super) fn due(&self) -> Instant {
        self.due
    }

    /// Whether a new file is due at `now`; if so, the next one is due on the first beat after `now`.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        let Some(late) = now.checked_duration_since(self.due) else { return false };
        let into_the_beat = late.as_nanos() % self.interval.as_nanos();
        // Less than the interval, which is 2^64 seconds at most; as far ahead as that no clock goes either.
        let left = self.interval - nanos(into_the_beat);
        self.due = now.checked_add(left).unwrap_or(self.due);
        true
    }
}

fn nanos(nanos: u128) -> Duration {
    const SECOND: u128 = 1_000_000_000;
    Duration::new((nanos / SECOND) as u64, (nanos % SECOND) as u32)
}

/// What files are called: Flume's path managers. No name comes twice from one of these, but a file of that name may be
/// there already: then the next name is asked for.
#[derive(Debug)]
pub(super) struct Names {
    prefix: String,
    suffix: String, // with its dot
    series: Series,
    index: u64,
}

/// What stands between prefix and number.
#[derive(Debug)]
enum Series {
    /// The time at which the sink was made, milliseconds since 1970.
    Start(i64),
    /// The time at which the file is made, local time, and that of the file before.
    RollTime { zone: TimeZone, last: String },
}

/// Flume's `sink.pathManager`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PathManager {
    /// `DEFAULT`: `<prefix><epoch ms of the start>-<n>[.<extension>]`, `n` from 1.
    Default,
    /// `ROLLTIME`: `<prefix><yyyyMMddHHmmss>-<n>[.<extension>]`, `n` from 1 in each second.
    RollTime,
}

impl Names {
    /// Names of files of a sink that starts at `now`, milliseconds since 1970; `zone` is the local one.
    pub(super) fn new(
        manager: PathManager,
        prefix: &str,
        extension: &str,
        now: i64,
        zone: TimeZone,
    ) -> Names {
        let suffix = if extension.is_empty() { String::new() } else { format!(".{extension}") };
        let series = match manager {
            PathManager::Default => Series::Start(now),
            PathManager::RollTime => Series::RollTime { zone, last: String::new() },
        };
        // Java takes a child's path as relative, whatever it begins with.
        Names { prefix: prefix.trim_start_matches('/').to_owned(), suffix, series, index: 0 }
    }

    /// The name of a file that begins at `now`, milliseconds since 1970.
    pub(super) fn next(&mut self, now: i64) -> String {
        let series = match &mut self.series {
            Series::Start(start) => start.to_string(),
            Series::RollTime { zone, last } => {
                let time = Timestamp::from_millisecond(now).unwrap_or_default().to_zoned(zone.clone());
                let second = time.strftime("%Y%m%d%H%M%S").to_string();
                if *last != second {
                    self.index = 0;
                    last.clone_from(&second);
                }
                second
            }
        };
        self.index += 1;
        format!("{}{series}-{}{}", self.prefix, self.index, self.suffix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::clock;

    fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn a_late_look_rolls_once_and_keeps_the_beat() {
        let start = clock::now();
        let mut roll = RollPolicy::new(secs(30), start).unwrap();
        let due: Vec<bool> = [29, 95, 119, 120].map(|at| roll.is_due(start + secs(at))).into();
        assert_eq!(due, [false, true, false, true]);
        assert_eq!(roll.due(), start + secs(150));
    }

    #[test]
    fn no_interval_and_one_without_an_end_never_roll() {
        let start = clock::now();
        assert!(RollPolicy::new(Duration::ZERO, start).is_none());
        assert!(RollPolicy::new(Duration::MAX, start).is_none());
        let mut slow = RollPolicy::new(secs(u64::from(u32::MAX)), start).unwrap();
        assert!(!slow.is_due(start + secs(1_000_000)));
    }

    fn names(manager: PathManager, prefix: &str, extension: &str) -> Names {
        Names::new(manager, prefix, extension, 1_795_364_843_779, TimeZone::fixed(jiff::tz::offset(8)))
    }

    #[test]
    fn default_names_bear_the_start_and_a_number() {
        let mut plain = names(PathManager::Default, "", "");
        assert_eq!([plain.next(5), plain.next(6)], ["1795364843779-1", "1795364843779-2"]);
        let mut dressed = names(PathManager::Default, "/pre", "log");
        assert_eq!(dressed.next(5), "pre1795364843779-1.log");
    }

    #[test]
    fn roll_time_names_bear_local_time_and_count_within_a_second() {
        let mut names = names(PathManager::RollTime, "p-", "txt");
        let at = [0, 999, 1000, 1001].map(|millis| names.next(1_795_364_843_000 + millis));
        let expected = ["20261123002723-1", "20261123002723-2", "20261123002724-1", "20261123002724-2"];
        assert_eq!(at, expected.map(|name| format!("p-{name}.txt")));
    }
}

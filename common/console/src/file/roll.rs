//! When a log file is rolled. No file, no clock.

use java::DatePrinter;

/// What rolls a file.
#[derive(Debug, Clone, Default)]
pub struct Triggers {
    /// How many bytes it may have.
    pub size: Option<Size>,
    /// As long as this prints the same of the time, it is the same file.
    pub period: Option<DatePrinter>,
    /// Whether a file that an earlier program left, from an earlier period, is rolled before the first line. Otherwise its
    /// lines count as those of today.
    pub old_at_start: bool,
    /// Whether a file that an earlier program left is rolled: when it has so many bytes.
    pub at_start: Option<u64>,
}

/// How many bytes a file may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// log4j 1.2: with the line that brings it to so many, it is full.
    Reached(u64),
    /// log4j 2: a line that finds more than so many goes to the next file.
    Passed(u64),
}

impl Size {
    /// With how many bytes it is full.
    fn full(self) -> u64 {
        match self {
            Size::Reached(bytes) => bytes.max(1),
            Size::Passed(bytes) => bytes.saturating_add(1),
        }
    }
}

/// Follows one file. All times are milliseconds since 1970.
#[derive(Debug)]
pub(super) struct Roller {
    triggers: Triggers,
    bytes: u64,
    /// From when its first lines are, as far as its name is concerned.
    since: i64,
    period: String,
    /// The second in which the period was last looked at.
    looked: i64,
    /// Below so many bytes it is not rolled again: that failed.
    patience: u64,
    left_over: bool,
}

impl Roller {
    pub(super) fn new(triggers: Triggers) -> Roller {
        let (period, left_over) = (String::new(), false);
        Roller { triggers, bytes: 0, since: 0, period, looked: i64::MIN, patience: 0, left_over }
    }

    /// The file is open: so big, last written at `modified` when it was there before. `first` is the first time in this
    /// program.
    pub(super) fn opened(&mut self, bytes: u64, modified: Option<i64>, first: bool, now: i64) {
        let old = modified.filter(|_| first && bytes > 0);
        self.bytes = bytes;
        self.since = old.filter(|_| self.triggers.old_at_start).unwrap_or(now);
        self.period = self.print(self.since);
        self.looked = i64::MIN;
        self.left_over = old.is_some() && self.triggers.at_start.is_some_and(|least| bytes >= least);
    }

    /// Whether it is to be rolled before the next line.
    pub(super) fn is_due(&mut self, now: i64) -> bool {
        if self.left_over {
            return true;
        }
        let full = self.triggers.size.is_some_and(|size| self.bytes >= size.full().max(self.patience));
        full || self.period_is_over(now)
    }

    fn period_is_over(&mut self, now: i64) -> bool {
        let second = now.div_euclid(1000);
        // A clock that was set back begins no other period: its file would take the place of the one kept before.
        if self.triggers.period.is_none() || second == self.looked || now < self.since {
            return false;
        }
        self.looked = second;
        let period = self.print(now);
        if period == self.period {
            return false;
        }
        if self.bytes > 0 {
            self.looked = i64::MIN; // it stays over until it is rolled
            return true;
        }
        (self.period, self.since) = (period, now); // an empty file is not kept
        false
    }

    /// Whether it is rolled behind a line that has filled it, and does not wait for the next.
    pub(super) fn is_due_at_once(&self) -> bool {
        matches!(self.triggers.size, Some(size @ Size::Reached(_)) if self.bytes >= size.full().max(self.patience))
    }

    /// How many bytes of `lines`, whole lines, go into this file.
    pub(super) fn fitting(&self, lines: &[u8]) -> usize {
        let Some(size) = self.triggers.size else { return lines.len() };
        let left = size.full().max(self.patience).saturating_sub(self.bytes).max(1);
        let from = usize::try_from(left - 1).unwrap_or(usize::MAX);
        let end = lines.get(from..).and_then(|rest| rest.iter().position(|byte| *byte == b'\n'));
        end.map_or(lines.len(), |end| from + end + 1)
    }

    pub(super) fn wrote(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }

    /// Of which time the name of the rolled file tells.
    pub(super) fn named_by(&self, now: i64) -> i64 {
        if self.triggers.period.is_some() { self.since } else { now }
    }

    /// Rolling has failed: all goes on in the same file, and it is tried again when as much as it may have has been
    /// written once more, or in the next period.
    pub(super) fn failed(&mut self, now: i64) {
        let more = self.triggers.size.map_or(0, Size::full);
        self.patience = self.bytes.saturating_add(more);
        self.left_over = false;
        (self.period, self.since) = (self.print(now), now);
    }

    pub(super) fn rolled(&mut self) {
        (self.patience, self.left_over) = (0, false);
    }

    fn print(&self, millis: i64) -> String {
        let mut text = String::new();
        if let Some(period) = &self.triggers.period {
            period.push(millis, &mut text);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;

    fn daily(old_at_start: bool) -> Roller {
        let period = Some(DatePrinter::compile("yyyy-MM-dd", TimeZone::UTC).unwrap());
        Roller::new(Triggers { period, old_at_start, ..Triggers::default() })
    }

    const DAY: i64 = 86_400_000;

    #[test]
    fn by_size_the_line_that_fills_it_is_its_last() {
        let mut roller = Roller::new(Triggers { size: Some(Size::Reached(10)), ..Triggers::default() });
        roller.opened(0, None, true, 0);
        let lines = b"12345\n12345\n12345\n";
        assert_eq!(roller.fitting(lines), 12);
        roller.wrote(12);
        assert!(roller.is_due_at_once() && roller.is_due(0));
        roller.rolled();
        roller.opened(0, None, false, 0);
        assert!(!roller.is_due(0) && roller.fitting(&lines[12..]) == 6);
        // One that had nine bytes before takes one line more.
        roller.opened(9, Some(0), true, 0);
        assert_eq!(roller.fitting(lines), 6);
    }

    #[test]
    fn in_log4j_2_ten_bytes_are_not_more_than_ten() {
        let mut roller = Roller::new(Triggers { size: Some(Size::Passed(10)), ..Triggers::default() });
        roller.opened(0, None, true, 0);
        assert_eq!(roller.fitting(b"123456789\n12\n34\n"), 13);
        roller.wrote(10);
        assert!(!roller.is_due(0));
        roller.wrote(3);
        assert!(roller.is_due(0) && !roller.is_due_at_once());
    }

    #[test]
    fn a_day_ends_with_the_first_line_of_the_next() {
        let mut roller = daily(true);
        roller.opened(0, None, true, DAY - 1);
        assert!(!roller.is_due(DAY), "an empty file is not kept");
        roller.wrote(5);
        assert!(!roller.is_due(2 * DAY - 1));
        assert!(roller.is_due(2 * DAY) && roller.is_due(2 * DAY), "until it is done");
        assert_eq!(roller.named_by(2 * DAY), DAY);
        roller.rolled();
        roller.opened(0, None, false, 2 * DAY);
        assert!(!roller.is_due(2 * DAY));
        roller.wrote(5);
        assert!(!roller.is_due(2 * DAY - 1), "a clock that was set back");
        assert!(!roller.is_due(2 * DAY + 1) && roller.is_due(3 * DAY));
    }

    #[test]
    fn a_file_of_yesterday_is_rolled_at_the_start_or_goes_on() {
        let mut roller = daily(true);
        roller.opened(7, Some(0), true, 3 * DAY);
        assert!(roller.is_due(3 * DAY) && roller.named_by(3 * DAY) == 0);
        let mut roller = daily(false);
        roller.opened(7, Some(0), true, 3 * DAY);
        assert!(!roller.is_due(3 * DAY));
        let mut roller = Roller::new(Triggers { at_start: Some(1), ..Triggers::default() });
        roller.opened(7, Some(0), true, 0);
        assert!(roller.is_due(0));
        roller.rolled();
        roller.opened(7, Some(0), false, 0);
        assert!(!roller.is_due(0));
    }

    #[test]
    fn what_cannot_be_rolled_grows_by_as_much_again() {
        let mut roller = Roller::new(Triggers { size: Some(Size::Reached(10)), ..Triggers::default() });
        roller.opened(12, None, true, 0);
        roller.failed(0);
        assert!(!roller.is_due(0) && roller.fitting(b"12345\n12345\n1\n") == 12);
        roller.wrote(12);
        assert!(roller.is_due(0));
    }
}

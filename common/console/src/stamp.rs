//! The time in front of a line.

use jiff::{Timestamp, tz::TimeZone};
use std::time::{Duration, Instant, SystemTime};

/// Writes times as log4j's `%d` does (`2018-11-13 16:32:01,813`, local) or as JSON wants them
/// (`2018-11-13T16:32:01.813+08:00`). Works out the date anew once a second at most.
pub(crate) struct Stamp {
    second: i64,
    text: String, // `2018-11-13 16:32:01+08:00`
    zone: Option<TimeZone>,
}

impl Stamp {
    /// Times of `zone`, or of the system's own when none is given.
    pub(crate) fn new(zone: Option<TimeZone>) -> Stamp {
        Stamp { second: i64::MIN, text: String::new(), zone }
    }

    /// Appends `2018-11-13 16:32:01,813`.
    pub(crate) fn log4j(&mut self, out: &mut Vec<u8>, now: SystemTime) {
        let millis = self.at(now);
        out.extend_from_slice(&self.text.as_bytes()[..DATE_AND_TIME]);
        out.push(b',');
        out.extend_from_slice(&three_digits(millis));
    }

    /// Appends `2018-11-13T16:32:01.813+08:00`.
    pub(crate) fn rfc3339(&mut self, out: &mut Vec<u8>, now: SystemTime) {
        let millis = self.at(now);
        let (time, offset) = self.text.as_bytes().split_at(DATE_AND_TIME);
        out.extend_from_slice(&time[..DATE]);
        out.push(b'T');
        out.extend_from_slice(&time[DATE + 1..]);
        out.push(b'.');
        out.extend_from_slice(&three_digits(millis));
        out.extend_from_slice(offset);
    }

    /// Makes `text` that of `now`'s second and gives the milliseconds within it.
    fn at(&mut self, now: SystemTime) -> u16 {
        let millis = millis(now);
        let second = millis.div_euclid(1000);
        if self.second != second {
            self.second = second;
            self.text = self.format(second);
        }
        millis.rem_euclid(1000) as u16
    }

    fn format(&self, second: i64) -> String {
        let zone = self.zone.clone().unwrap_or_else(TimeZone::system);
        // A clock outside of jiff's years -9999 to 9999 prints as 1970 rather than not at all.
        let zoned = Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone);
        let text = zoned.strftime("%Y-%m-%d %H:%M:%S%:z").to_string();
        if text.len() < DATE_AND_TIME { "0000-00-00 00:00:00+00:00".to_owned() } else { text }
    }
}

/// So much later; a century, where the system cannot add that up.
pub(crate) fn later(now: Instant, by: Duration) -> Instant {
    now.checked_add(by).unwrap_or(now + CENTURY)
}

/// Milliseconds since 1970, below zero before.
pub(crate) fn millis(now: SystemTime) -> i64 {
    let whole = |d: Duration| i64::try_from(d.as_millis()).unwrap_or(i64::MAX);
    match now.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => whole(since),
        Err(before) => -whole(before.duration()),
    }
}

fn three_digits(n: u16) -> [u8; 3] {
    [n / 100, n / 10 % 10, n % 10].map(|digit| b'0' + digit as u8)
}

const DATE: usize = "2018-11-13".len();
const DATE_AND_TIME: usize = "2018-11-13 16:32:01".len();

const CENTURY: Duration = Duration::from_secs(100 * 365 * 86_400);

#[cfg(test)]
mod tests {
    use super::*;

    fn both(millis: u64) -> (String, String) {
        let mut stamp = Stamp::new(Some(TimeZone::fixed(jiff::tz::offset(8))));
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
        let (mut log4j, mut json) = (Vec::new(), Vec::new());
        stamp.log4j(&mut log4j, now);
        stamp.rfc3339(&mut json, now);
        (String::from_utf8(log4j).unwrap(), String::from_utf8(json).unwrap())
    }

    #[test]
    fn prints_as_log4j_and_as_rfc_3339() {
        let lesson = ("2018-11-13 16:32:01,813".into(), "2018-11-13T16:32:01.813+08:00".into());
        assert_eq!(both(1_542_097_921_813), lesson);
        assert_eq!(both(1_542_097_922_007).0, "2018-11-13 16:32:02,007");
    }

    #[test]
    fn the_second_turns_in_one_stamp() {
        let mut stamp = Stamp::new(Some(TimeZone::UTC));
        let mut out = Vec::new();
        for millis in [999, 1000, 60_000] {
            stamp.log4j(&mut out, SystemTime::UNIX_EPOCH + Duration::from_millis(millis));
            out.push(b' ');
        }
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "1970-01-01 00:00:00,999 1970-01-01 00:00:01,000 1970-01-01 00:01:00,000 "
        );
    }
}

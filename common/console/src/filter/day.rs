//! A part of each day.

use jiff::{Timestamp, civil::Time, tz::TimeZone};

/// From one time of the day to another, which may be on the next day; both are within.
///
/// Source: log4j 2.18 `TimeFilter`. One difference: a program that begins after midnight is within a part that began the evening
/// before, which log4j sees only from the next evening on.
#[derive(Debug, Clone)]
pub struct PartOfDay {
    start: Time,
    length_millis: i64,
    zone: TimeZone,
}

impl PartOfDay {
    /// From `start` to `end`, as `HH:mm:ss`, each in an operator's words; without them it is the whole day. `zone` is a name;
    /// without one it is the computer's.
    ///
    /// # Errors
    /// Which of them is none.
    pub fn parse(start: Option<&str>, end: Option<&str>, zone: Option<&str>) -> Result<PartOfDay, String> {
        let zone =
            zone.map_or_else(|| Ok(TimeZone::system()), TimeZone::get).map_err(|error| error.to_string())?;
        let start = start.map_or(Ok(Time::midnight()), time)?;
        let end = end.map_or(Ok(Time::MAX), time)?;
        let length_millis = since_midnight(end) - since_midnight(start);
        let length_millis = if end > start { length_millis } else { length_millis + DAY_MILLIS };
        Ok(PartOfDay { start, length_millis, zone })
    }

    /// Whether a time, in milliseconds since 1970, is within.
    pub(super) fn has(&self, millis: i64) -> bool {
        let Ok(now) = Timestamp::from_millisecond(millis) else { return false };
        let today = now.to_zoned(self.zone.clone()).date();
        let begins = |day: jiff::civil::Date| {
            let start = day.to_datetime(self.start).to_zoned(self.zone.clone()).ok()?;
            Some(start.timestamp().as_millisecond())
        };
        let within = |start: i64| (start..=start.saturating_add(self.length_millis)).contains(&millis);
        begins(today).is_some_and(within) || today.yesterday().ok().and_then(begins).is_some_and(within)
    }
}

/// `HH:mm:ss`, and nothing else, as log4j's.
fn time(text: &str) -> Result<Time, String> {
    let two = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<i8> =
        text.split(':').filter(|part| two(part)).filter_map(|part| part.parse().ok()).collect();
    match parts[..] {
        [hour, minute, second] if text.len() == "HH:mm:ss".len() => Time::new(hour, minute, second, 0).ok(),
        _ => None,
    }
    .ok_or_else(|| format!("`{text}` is no time such as 08:30:00"))
}

fn since_midnight(time: Time) -> i64 {
    let [hour, minute, second] = [time.hour(), time.minute(), time.second()].map(i64::from);
    ((hour * 60 + minute) * 60 + second) * 1000 + i64::from(time.millisecond())
}

const DAY_MILLIS: i64 = 86_400_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_may_go_over_midnight() {
        let hours = |start, end| {
            let part = PartOfDay::parse(start, end, Some("UTC")).unwrap();
            (0..24).filter(|hour| part.has((17_000 * 24 + hour) * 3_600_000)).collect::<Vec<_>>()
        };
        assert_eq!(hours(Some("08:00:00"), Some("10:30:00")), [8, 9, 10]);
        assert_eq!(hours(Some("22:00:00"), Some("02:00:00")), [0, 1, 2, 22, 23]);
        assert_eq!(hours(None, None).len(), 24);
        assert_eq!(hours(Some("09:00:00"), Some("09:00:00")).len(), 24);
        assert_eq!(hours(Some("20:00:00"), None), [20, 21, 22, 23]);
    }

    #[test]
    fn a_part_has_its_length_when_clocks_are_changed() {
        // On 2018-03-25 in Berlin 02:30 is 03:30.
        let part = PartOfDay::parse(Some("02:30:00"), Some("03:00:00"), Some("Europe/Berlin")).unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond();
        assert!(part.has(at("2018-03-25T01:30:00Z")) && part.has(at("2018-03-25T02:00:00Z")));
        assert!(!part.has(at("2018-03-25T01:29:59Z")) && !part.has(at("2018-03-25T02:00:01Z")));
    }

    #[test]
    fn what_is_no_time_is_told() {
        for text in ["8:00:00", "08:00", "24:00:00", "08:00:00 ", ""] {
            assert!(PartOfDay::parse(Some(text), None, None).is_err(), "{text}");
        }
        assert!(PartOfDay::parse(None, None, Some("Nowhere")).is_err());
    }
}

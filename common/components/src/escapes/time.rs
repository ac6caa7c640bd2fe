//! The time of an event as text.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use std::fmt::Write;
use std::ops::Range;

/// A one-letter escape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeField {
    /// `%a`
    DayName,
    /// `%A`
    FullDayName,
    /// `%b`
    MonthName,
    /// `%B`
    FullMonthName,
    /// `%c`
    DateAndTime,
    /// `%d`
    Day,
    /// `%e`
    ShortDay,
    /// `%D`
    Date,
    /// `%H`
    Hour,
    /// `%I`
    HalfDayHour,
    /// `%j`
    DayOfYear,
    /// `%k`
    ShortHour,
    /// `%l`
    ShortHalfDayHour,
    /// `%m`
    Month,
    /// `%n`
    ShortMonth,
    /// `%M`
    Minute,
    /// `%p`
    HalfDay,
    /// `%S`
    Second,
    /// `%y`
    YearOfCentury,
    /// `%Y`
    Year,
    /// `%z`
    Offset,
    /// `%s`
    EpochSeconds,
    /// `%t`: as it came, never rounded.
    EpochMillis,
}

impl TimeField {
    /// The escape with this letter.
    pub fn of(letter: char) -> Option<TimeField> {
        Some(match letter {
            'a' => TimeField::DayName,
            'A' => TimeField::FullDayName,
            'b' => TimeField::MonthName,
            'B' => TimeField::FullMonthName,
            'c' => TimeField::DateAndTime,
            'd' => TimeField::Day,
            'e' => TimeField::ShortDay,
            'D' => TimeField::Date,
            'H' => TimeField::Hour,
            'I' => TimeField::HalfDayHour,
            'j' => TimeField::DayOfYear,
            'k' => TimeField::ShortHour,
            'l' => TimeField::ShortHalfDayHour,
            'm' => TimeField::Month,
            'n' => TimeField::ShortMonth,
            'M' => TimeField::Minute,
            'p' => TimeField::HalfDay,
            'S' => TimeField::Second,
            'y' => TimeField::YearOfCentury,
            'Y' => TimeField::Year,
            'z' => TimeField::Offset,
            's' => TimeField::EpochSeconds,
            't' => TimeField::EpochMillis,
            _ => return None,
        })
    }

    /// How many milliseconds, beginning at a multiple of them, it is the same for at least. Offsets of zones are whole
    /// minutes since 1972; before that every second counts for itself.
    pub fn same_for(self) -> i64 {
        match self {
            TimeField::EpochMillis => 1,
            TimeField::DateAndTime | TimeField::Second | TimeField::EpochSeconds => SECOND,
            _ => MINUTE,
        }
    }

    /// Appends itself. `text` is the time as the event has it.
    pub fn push(self, time: &Zoned, text: &str, out: &mut String) {
        let half_day_hour = (time.hour() + 11) % 12 + 1;
        let written = match self {
            TimeField::EpochMillis => {
                out.push_str(text);
                Ok(())
            }
            TimeField::EpochSeconds => write!(out, "{}", time.timestamp().as_millisecond() / 1000),
            TimeField::HalfDayHour => write!(out, "{half_day_hour:02}"),
            TimeField::ShortHalfDayHour => write!(out, "{half_day_hour}"),
            TimeField::ShortDay => write!(out, "{}", time.day()),
            TimeField::ShortHour => write!(out, "{}", time.hour()),
            TimeField::ShortMonth => write!(out, "{}", time.month()),
            _ => write!(out, "{}", time.strftime(self.pattern())),
        };
        debug_assert!(written.is_ok(), "memory takes all text");
    }

    fn pattern(self) -> &'static str {
        match self {
            TimeField::DayName => "%a",
            TimeField::FullDayName => "%A",
            TimeField::MonthName => "%b",
            TimeField::FullMonthName => "%B",
            TimeField::DateAndTime => "%a %b %-d %H:%M:%S %Y",
            TimeField::Day => "%d",
            TimeField::Date => "%m/%d/%y",
            TimeField::Hour => "%H",
            TimeField::DayOfYear => "%j",
            TimeField::Month => "%m",
            TimeField::Minute => "%M",
            TimeField::HalfDay => "%p",
            TimeField::Second => "%S",
            TimeField::YearOfCentury => "%y",
            TimeField::Year => "%Y",
            TimeField::Offset => "%z",
            _ => "",
        }
    }
}

/// `hdfs.round`, `hdfs.roundValue` and `hdfs.roundUnit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rounding {
    /// Which field is rounded down; those below it become zero.
    pub unit: Unit,
    /// To a multiple of this.
    pub value: i8,
}

/// A field of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// `second`
    Second,
    /// `minute`
    Minute,
    /// `hour`
    Hour,
}

/// The moment `millis` in a zone, rounded down; the nearest there is of one that no calendar has.
pub fn local(millis: i64, zone: &TimeZone, rounding: Option<Rounding>) -> Zoned {
    let nearest = if millis < 0 { Timestamp::MIN } else { Timestamp::MAX };
    let time = Timestamp::from_millisecond(millis).unwrap_or(nearest).to_zoned(zone.clone());
    let Some(Rounding { unit, value }) = rounding else { return time };
    let down = |field: i8| field - field % value.max(1);
    let whole = time.with().subsec_nanosecond(0);
    let rounded = match unit {
        Unit::Second => whole.second(down(time.second())),
        Unit::Minute => whole.second(0).minute(down(time.minute())),
        Unit::Hour => whole.second(0).minute(0).hour(down(time.hour())),
    };
    rounded.build().unwrap_or(time)
}

/// The moments around `millis` that give the same text in fields that stay the same for `same_for`.
pub fn window(millis: i64, same_for: i64) -> Range<i64> {
    let same_for = if millis < ZONES_ARE_WHOLE_MINUTES { same_for.min(SECOND) } else { same_for };
    let from = millis.saturating_sub(millis.rem_euclid(same_for));
    from..from.saturating_add(same_for)
}

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
/// 1972; Liberia was the last.
const ZONES_ARE_WHOLE_MINUTES: i64 = 2 * 366 * 24 * 60 * MINUTE;

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(letters: &str, millis: i64, zone: &str, rounding: Option<Rounding>) -> String {
        let zone = TimeZone::get(zone).unwrap();
        let (time, text, mut out) = (local(millis, &zone, rounding), millis.to_string(), String::new());
        for letter in letters.chars() {
            TimeField::of(letter).unwrap().push(&time, &text, &mut out);
            out.push('|');
        }
        out
    }

    /// 2023-11-14 22:13:20.123 UTC, and 2024-02-05 08:05:09 UTC. What `BucketPath` of Flume 1.11 writes.
    #[test]
    fn each_letter_is_what_flume_writes() {
        assert_eq!(
            shown("aAbBcdeDHIjklmMnpSyYzst", 1_700_000_000_123, "UTC", None),
            "Tue|Tuesday|Nov|November|Tue Nov 14 22:13:20 2023|14|14|11/14/23|22|10|318|22|10|11|13|11|PM|20|23|2023|\
             +0000|1700000000|1700000000123|"
        );
        assert_eq!(
            shown("adeHIjklmnMpSz", 1_707_120_309_000, "Europe/Berlin", None),
            "Mon|05|5|09|09|036|9|9|02|2|05|AM|09|+0100|"
        );
        assert_eq!(shown("HIkl", 1_700_006_400_000, "UTC", None), "00|12|0|12|");
    }

    #[test]
    fn rounding_lowers_one_field_and_clears_those_below() {
        let rounded = |unit, value| shown("HMSst", 1_700_000_000_123, "UTC", Some(Rounding { unit, value }));
        assert_eq!(rounded(Unit::Second, 15), "22|13|15|1699999995|1700000000123|");
        assert_eq!(rounded(Unit::Minute, 10), "22|10|00|1699999800|1700000000123|");
        assert_eq!(rounded(Unit::Hour, 24), "00|00|00|1699920000|1700000000123|");
        assert_eq!(rounded(Unit::Hour, 1), "22|00|00|1699999200|1700000000123|");
    }

    #[test]
    fn a_window_holds_its_moment_and_begins_at_a_multiple() {
        for (millis, same_for, expected) in [
            (1_700_000_000_123, MINUTE, 1_699_999_980_000..1_700_000_040_000),
            (1_700_000_000_123, SECOND, 1_700_000_000_000..1_700_000_001_000),
            (1_700_000_000_123, 1, 1_700_000_000_123..1_700_000_000_124),
            (-1, MINUTE, -1000..0),
        ] {
            assert_eq!(window(millis, same_for), expected);
        }
        assert!(!local(i64::MAX, &TimeZone::UTC, None).to_string().is_empty());
    }
}

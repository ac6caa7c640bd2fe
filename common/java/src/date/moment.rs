//! From a date's fields to the moment it names.

use super::Field;
use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use jiff::{Span, Timestamp, ToSpan};

/// Fields that were read; what is missing is that of midnight, the first of January 1970.
#[derive(Debug, Default)]
pub(super) struct Moment {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    weekday: Option<i64>,
    half: i64,
    hour: Option<i64>,
    hour_of_half: Option<i64>,
    minute: i64,
    second: i64,
    pub(super) millis: i64,
    pub(super) offset: Option<i64>, // seconds east of UTC
    pub(super) zone: Option<TimeZone>,
}

impl Moment {
    /// Sets one field, or nothing when it has no such value.
    pub(super) fn set(&mut self, field: Field, value: i64) -> Option<()> {
        let within = |least: i64, most: i64| (least..=most).contains(&value).then_some(value);
        match field {
            Field::Year => self.year = Some(within(-9998, 9998)?),
            Field::YearOfEra => self.year = Some(within(1, 9998)?),
            Field::Month => self.month = Some(within(1, 12)?),
            Field::Day => self.day = Some(within(1, 31)?),
            Field::DayOfYear => self.day_of_year = Some(within(1, 366)?),
            Field::Weekday => self.weekday = Some(within(1, 7)?),
            Field::Half => self.half = value,
            Field::Hour => self.hour = Some(within(0, 23)?),
            Field::HourFromOne => self.hour = Some(within(1, 24)? % 24),
            Field::HourOfHalf => self.hour_of_half = Some(within(0, 11)?),
            Field::HourOfHalfFromOne => self.hour_of_half = Some(within(1, 12)? % 12),
            Field::Minute => self.minute = within(0, 59)?,
            Field::Second => self.second = within(0, 59)?,
        }
        Some(())
    }

    /// Milliseconds since 1970 UTC; nothing for a date or a local time that does not exist. A local time that exists
    /// twice is the first one.
    pub(super) fn millis(&self, machine: &TimeZone) -> Option<i64> {
        let local = self.local()?;
        if let Some(offset) = self.offset {
            let offset = Offset::from_seconds(i32::try_from(offset).ok()?).ok()?;
            return offset.to_timestamp(local).ok().map(Timestamp::as_millisecond);
        }
        let ambiguous = self.zone.as_ref().unwrap_or(machine).to_ambiguous_timestamp(local);
        if matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. }) {
            return None;
        }
        ambiguous.earlier().ok().map(Timestamp::as_millisecond)
    }

    fn local(&self) -> Option<DateTime> {
        let hour = self.hour.unwrap_or(12 * self.half);
        let hour = self.hour_of_half.map_or(hour, |of_half| hour / 12 * 12 + of_half);
        let seconds = (hour * 60 + self.minute) * 60 + self.second;
        let into_day = Span::new().try_seconds(seconds).ok()?.try_milliseconds(self.millis).ok()?;
        self.date()?.to_datetime(jiff::civil::Time::midnight()).checked_add(into_day).ok()
    }

    fn date(&self) -> Option<Date> {
        let of_year = [self.month, self.day, self.day_of_year, self.weekday].iter().any(Option::is_some);
        let year = self.year.unwrap_or(if of_year { LEAP_YEAR } else { 1970 });
        let small = |value: i64| i8::try_from(value).ok();
        let mut date = Date::new(i16::try_from(year).ok()?, small(self.month.unwrap_or(1))?, 1).ok()?;
        if let Some(day) = self.day_of_year {
            date = date.with().day_of_year(i16::try_from(day).ok()?).build().ok()?;
        }
        if let Some(day) = self.day {
            date = date.with().day(small(day)?).build().ok()?;
        }
        match self.weekday {
            // As in Joda-Time, a day of the week moves the date within its week.
            Some(weekday) => {
                let days = weekday - i64::from(date.weekday().to_monday_one_offset());
                date.checked_add(days.days()).ok()
            }
            None => Some(date),
        }
    }
}

/// The year of a date that names none, but a month or a day.
const LEAP_YEAR: i64 = 2000;

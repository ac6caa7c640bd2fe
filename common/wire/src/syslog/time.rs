//! The dates of syslog.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// A date of RFC 5424 at the front of a text, and what follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Iso {
    /// Seconds since 1970 if it were UTC.
    pub(super) seconds: i64,
    pub(super) millis: i64,
    /// Digits of the fraction.
    pub(super) fraction: usize,
    /// Seconds east of UTC, where it says so.
    pub(super) offset: Option<i64>,
    /// Bytes of it.
    pub(super) length: usize,
}

/// `yyyy-MM-ddTHH:mm:ss`, a fraction of any number of digits, `Z` or `+hh:mm`. Numbers may be out of range: the 60th second is
/// the next minute's first.
pub(super) fn iso(text: &[u8]) -> Option<Iso> {
    let form = b"0000-00-00T00:00:00";
    let head = text.get(..form.len())?;
    let fits = |(byte, form): (&u8, &u8)| if *form == b'0' { byte.is_ascii_digit() } else { byte == form };
    if !head.iter().zip(form).all(fits) {
        return None;
    }
    let part = |from: usize, to: usize| number(&head[from..to]);
    let date = days(part(0, 4), part(5, 7), part(8, 10));
    let seconds = date * 86_400 + part(11, 13) * 3600 + part(14, 16) * 60 + part(17, 19);
    let mut iso = Iso { seconds, millis: 0, fraction: 0, offset: None, length: head.len() };
    if let Some((b'.', digits)) = text[iso.length..].split_first() {
        iso.fraction = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if iso.fraction == 0 {
            return Some(iso);
        }
        let three = digits[..iso.fraction].iter().copied().chain(*b"000").take(3);
        iso.millis = three.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
        iso.length += 1 + iso.fraction;
    }
    let zone = &text[iso.length..];
    match zone.first() {
        Some(b'Z') => (iso.offset, iso.length) = (Some(0), iso.length + 1),
        Some(sign @ (b'+' | b'-')) => {
            if let Some(offset) = offset(&zone[1..]) {
                iso.offset = Some(if *sign == b'-' { -offset } else { offset });
                iso.length += 6;
            }
        }
        _ => {}
    }
    Some(iso)
}

/// `hh:mm` at the front, in seconds.
fn offset(text: &[u8]) -> Option<i64> {
    let [h, hh, b':', m, mm, ..] = text else { return None };
    let digits = [h, hh, m, mm].iter().all(|byte| byte.is_ascii_digit());
    digits.then(|| number(&[*h, *hh]) * 3600 + number(&[*m, *mm]) * 60)
}

impl Iso {
    /// Milliseconds since 1970; `zone` counts where it names none.
    pub(super) fn in_zone(&self, zone: &TimeZone) -> Option<i64> {
        let seconds = match self.offset {
            Some(offset) => self.seconds - offset,
            None => local(self.seconds, zone)?,
        };
        Some(seconds * 1000 + self.millis)
    }

    /// Whether every number is within its range.
    pub(super) fn is_strict(text: &[u8]) -> bool {
        std::str::from_utf8(&text[..text.len().min(19)])
            .is_ok_and(|text| text.parse::<DateTime>().is_ok_and(|_| !text.ends_with("60")))
    }
}

/// A date of RFC 3164, which has no year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Yearless {
    month: i64,
    day: i64,
    second: i64,
}

/// `MMM d HH:mm:ss`; a day of one digit may have two spaces before it. With how many bytes it has; the date itself is missing
/// when there is no such month.
pub(super) fn yearless(text: &[u8]) -> Option<(Option<Yearless>, usize)> {
    let [first, second, third, rest @ ..] = text else { return None };
    if !first.is_ascii_uppercase() || !second.is_ascii_lowercase() || !third.is_ascii_lowercase() {
        return None;
    }
    let spaces = rest.iter().take_while(|byte| is_space(**byte)).count();
    let digits = rest.get(spaces..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=2).contains(&spaces) || !(1..=2).contains(&digits) {
        return None;
    }
    let day = number(&rest[spaces..spaces + digits]);
    let time = rest.get(spaces + digits..spaces + digits + 9)?;
    let [space, h, hh, b':', m, mm, b':', s, ss] = time else { return None };
    if !is_space(*space) || ![h, hh, m, mm, s, ss].iter().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let second = number(&[*h, *hh]) * 3600 + number(&[*m, *mm]) * 60 + number(&[*s, *ss]);
    let month = MONTHS.iter().position(|month| month.as_bytes() == &text[..3]);
    let date = month.map(|month| Yearless { month: month as i64 + 1, day, second });
    Some((date, 3 + spaces + digits + 9))
}

impl Yearless {
    /// Milliseconds since 1970 of that date in `zone`: within the eleven months before `now` and the month behind it.
    pub(super) fn near(&self, now_millis: i64, zone: &TimeZone) -> Option<i64> {
        let now = Timestamp::from_millisecond(now_millis).ok()?;
        let year = i64::from(now.to_zoned(TimeZone::UTC).year());
        let at = |year: i64| local(days(year, self.month, self.day) * 86_400 + self.second, zone);
        let this = at(year)?;
        let date = Timestamp::from_second(this).ok()?.to_zoned(zone.clone());
        let year = if date.checked_sub(1.month()).ok()?.timestamp() > now {
            year - 1
        } else if date.checked_add(11.months()).ok()?.timestamp() < now {
            year + 1
        } else {
            return Some(this * 1000);
        };
        Some(at(year)? * 1000)
    }

    /// Whether every number is within its range.
    pub(super) fn is_strict(&self) -> bool {
        let most = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let (hour, rest) = (self.second / 3600, self.second % 3600);
        (1..=most[self.month as usize - 1]).contains(&self.day) && hour < 24 && rest < 3600
    }
}

/// The moment of a local time that is given as seconds since 1970. One that exists twice is the second, as for Java.
fn local(seconds: i64, zone: &TimeZone) -> Option<i64> {
    if *zone == TimeZone::UTC {
        return Some(seconds);
    }
    let civil = Timestamp::from_second(seconds).ok()?.to_zoned(TimeZone::UTC).datetime();
    zone.to_ambiguous_timestamp(civil).later().ok().map(Timestamp::as_second)
}

/// Days from 1970 to a date of the Gregorian calendar, whose month and day may be out of range.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year + (month - 1).div_euclid(12);
    let month = (month - 1).rem_euclid(12); // from January
    let march = (month + 10) % 12; // from March
    let year = if march >= 10 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * march + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn number(digits: &[u8]) -> i64 {
    digits.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'))
}

/// What Java's `\s` is.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

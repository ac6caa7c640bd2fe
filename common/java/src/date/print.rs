//! Java's date patterns, as they print dates.

use super::{Token, tokens};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::fmt::Write;

/// A pattern, ready to print moments.
///
/// Source: Commons Lang 2.5 `FastDateFormat`. Names of months and days are English. The letters `F`, `G`, `K`, `k`, `W`, `w`
/// and `z` are refused.
#[derive(Debug, Clone)]
pub struct DatePrinter {
    /// As `strftime` has it.
    format: String,
    zone: TimeZone,
}

impl DatePrinter {
    /// Reads `pattern`.
    ///
    /// # Errors
    /// The letter that cannot be printed, in an operator's words.
    pub fn compile(pattern: &str, zone: TimeZone) -> Result<DatePrinter, String> {
        let mut format = String::new();
        for token in tokens(pattern) {
            match token {
                Token::Literal(text) => format.push_str(&text.replace('%', "%%")),
                Token::Letters(letter, count) => format.push_str(field(letter, count)?),
            }
        }
        Ok(DatePrinter { format, zone })
    }

    /// Appends the moment `millis` since 1970; the nearest there is of one that no calendar has.
    pub fn push(&self, millis: i64, out: &mut String) {
        let nearest = if millis < 0 { Timestamp::MIN } else { Timestamp::MAX };
        let time = Timestamp::from_millisecond(millis).unwrap_or(nearest).to_zoned(self.zone.clone());
        let written = write!(out, "{}", time.strftime(&self.format));
        debug_assert!(written.is_ok(), "its fields are known");
    }
}

fn field(letter: char, count: usize) -> Result<&'static str, String> {
    Ok(match (letter, count) {
        ('y', 2) => "%y",
        ('y', _) => "%Y",
        ('M', 1) => "%-m",
        ('M', 2) => "%m",
        ('M', 3) => "%b",
        ('M', _) => "%B",
        ('d', 1) => "%-d",
        ('d', _) => "%d",
        ('D', 1) => "%-j",
        ('D', 3) => "%j",
        ('E', 1..=3) => "%a",
        ('E', _) => "%A",
        ('a', _) => "%p",
        ('H', 1) => "%-H",
        ('H', _) => "%H",
        ('h', 1) => "%-I",
        ('h', _) => "%I",
        ('m', 1) => "%-M",
        ('m', _) => "%M",
        ('s', 1) => "%-S",
        ('s', _) => "%S",
        ('S', 3) => "%3f",
        ('Z', _) => "%z",
        _ => {
            let run: String = std::iter::repeat_n(letter, count).collect();
            return Err(format!("`{run}` is not known in a date; `yyyy`, `MM`, `dd`, `HH` and `mm` are"));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2023-11-14 22:13:20.123 UTC, and 2024-02-05 08:05:09 UTC.
    #[test]
    fn dates_are_those_of_java() {
        for (pattern, expected) in [
            ("yyyy-MM-dd", "2023-11-14 2024-02-05"),
            ("yy.M.d'T'H'''h''%Y'", "23.11.14T22'h'%Y 24.2.5T8'h'%Y"),
            ("EEE EEEE MMM MMMM", "Tue Tuesday Nov November Mon Monday Feb February"),
            ("DDD.HH:mm:ss.SSSZ", "318.22:13:20.123+0000 036.08:05:09.000+0000"),
            ("hh a h", "10 PM 10 08 AM 8"),
        ] {
            let printer = DatePrinter::compile(pattern, TimeZone::UTC).unwrap();
            let mut out = String::new();
            printer.push(1_700_000_000_123, &mut out);
            out.push(' ');
            printer.push(1_707_120_309_000, &mut out);
            assert_eq!(out, expected, "{pattern}");
            printer.push(i64::MIN, &mut out);
        }
        for bad in ["ww", "yyyy-WW", "z", "SS"] {
            assert!(DatePrinter::compile(bad, TimeZone::UTC).unwrap_err().contains("is not known in a date"));
        }
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let mut out = String::new();
        DatePrinter::compile("yyyy-MM-dd HH", berlin).unwrap().push(1_700_004_000_000, &mut out);
        assert_eq!(out, "2023-11-15 00");
    }
}

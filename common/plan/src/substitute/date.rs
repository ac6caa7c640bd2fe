//! `${date:FORMAT}`: the letters of Java's `SimpleDateFormat`, English names.

use jiff::Zoned;
use jiff::fmt::strtime;

/// The text of `now`; `None` for an empty format and for a letter that Java does not have either.
pub(super) fn format(pattern: &str, now: &Zoned) -> Option<String> {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        if first == '\'' {
            rest = quoted(&rest[1..], &mut out)?;
            continue;
        }
        let run = rest.len() - rest.trim_start_matches(first).len();
        if first.is_ascii_alphabetic() {
            out.push_str(&field(first, run, now)?);
        } else {
            out.push_str(&rest[..run]);
        }
        rest = &rest[run..];
    }
    (!pattern.is_empty()).then_some(out)
}

/// Copies up to the closing quote; two quotes are one. Answers what follows.
fn quoted<'a>(text: &'a str, out: &mut String) -> Option<&'a str> {
    if let Some(rest) = text.strip_prefix('\'') {
        out.push('\'');
        return Some(rest);
    }
    let mut rest = text;
    loop {
        let end = rest.find('\'')?;
        out.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        let Some(more) = rest.strip_prefix('\'') else { return Some(rest) };
        out.push('\'');
        rest = more;
    }
}

fn field(letter: char, run: usize, now: &Zoned) -> Option<String> {
    let padded = |number: i64| Some(format!("{number:0run$}"));
    let named = |format: &str| strtime::format(format, now).ok();
    let hour = i64::from(now.hour());
    match letter {
        'y' | 'Y' if run == 2 => Some(format!("{:02}", now.year().rem_euclid(100))),
        'y' | 'Y' => padded(now.year().into()),
        'M' | 'L' if run >= 4 => named("%B"),
        'M' | 'L' if run == 3 => named("%b"),
        'M' | 'L' => padded(now.month().into()),
        'd' => padded(now.day().into()),
        'D' => padded(now.day_of_year().into()),
        'E' if run >= 4 => named("%A"),
        'E' => named("%a"),
        'u' => padded(now.weekday().to_monday_one_offset().into()),
        'a' => Some(if hour < 12 { "AM" } else { "PM" }.into()),
        'H' => padded(hour),
        'k' => padded(if hour == 0 { 24 } else { hour }),
        'K' => padded(hour % 12),
        'h' => padded(if hour % 12 == 0 { 12 } else { hour % 12 }),
        'm' => padded(now.minute().into()),
        's' => padded(now.second().into()),
        'S' => padded(now.millisecond().into()),
        'G' => Some("AD".into()),
        'z' => named("%Z"),
        'Z' => named("%z"),
        'X' if now.offset().is_zero() => Some("Z".into()),
        'X' => named(if run >= 3 { "%:z" } else { "%z" })
            .map(|zone| if run == 1 { zone[..3].into() } else { zone }),
        _ => None,
    }
}

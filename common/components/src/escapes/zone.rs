//! Time zones by Java's names.

use jiff::tz::{Offset, TimeZone};

/// A name of the zone database, or `GMT+2`, `GMT-03:30`.
pub fn named_zone(name: &str) -> Option<TimeZone> {
    if let Ok(zone) = TimeZone::get(name) {
        return Some(zone);
    }
    let offset = name.strip_prefix("GMT").or_else(|| name.strip_prefix("UTC"))?;
    let (sign, digits) = match offset.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() > 2 => digits.split_at_checked(digits.len() - 2)?,
        None => (digits, "0"),
    };
    let (hours, minutes) = (hours.parse::<i16>().ok()?, minutes.parse::<i16>().ok()?);
    let seconds = sign * (i32::from(hours) * 60 + i32::from(minutes)) * 60;
    Some(TimeZone::fixed(Offset::from_seconds(seconds).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_named_as_in_java() {
        let offset =
            |name| named_zone(name).map(|zone| zone.to_offset(jiff::Timestamp::UNIX_EPOCH).seconds());
        assert_eq!(offset("GMT+2"), Some(7200));
        assert_eq!(offset("GMT-03:30"), Some(-12600));
        assert_eq!(offset("UTC"), Some(0));
        assert_eq!(offset("Europe/Berlin"), Some(3600));
        assert_eq!(offset("Nowhere/Land"), None);
        assert_eq!(offset("GMT+999999"), None);
        assert_eq!(offset("GMT+32000"), None);
    }
}

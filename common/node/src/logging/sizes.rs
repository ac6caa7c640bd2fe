//! Sizes, times and schedules as log4j writes them.

/// Bytes of `100MB` or `1.5 GB`: K, M, G, T, with or without B.
pub(super) fn bytes(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_uppercase();
    let end = text.find(|sign: char| !sign.is_ascii_digit() && sign != '.').unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let unit = unit.trim();
    let shift = match unit.strip_suffix('B').unwrap_or(unit) {
        "" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        _ => return None,
    };
    match digits.parse::<u64>() {
        Ok(whole) => whole.checked_mul(1 << shift),
        // A fraction of bytes more or less is nothing.
        Err(_) => digits.parse::<f64>().ok().map(|number| (number * (1u64 << shift) as f64) as u64),
    }
}

/// Milliseconds of an ISO duration of days and less: `P30D`, `PT12H`, or log4j's short form `30d`.
pub(super) fn millis(text: &str) -> Option<i64> {
    let text = text.trim().to_ascii_uppercase();
    let (mut sum, mut digits, mut in_time) = (0i64, String::new(), !text.starts_with('P'));
    for sign in text.trim_start_matches('P').chars() {
        let unit = match (sign, in_time) {
            ('0'..='9', _) => {
                digits.push(sign);
                continue;
            }
            ('T', _) => {
                in_time = true;
                continue;
            }
            ('D', _) => 86_400_000,
            ('H', true) => 3_600_000,
            ('M', true) => 60_000,
            ('S', true) => 1000,
            _ => return None,
        };
        sum = sum.checked_add(digits.parse::<i64>().ok()?.checked_mul(unit)?)?;
        digits.clear();
    }
    (digits.is_empty() && sum > 0).then_some(sum)
}

/// What stays the same between two times of a schedule, as a date's pattern.
pub(super) fn cron(schedule: &str) -> Option<&'static str> {
    let fields: Vec<&str> = schedule.split_whitespace().collect();
    let every = |field: &str| field == "*" || field == "?";
    match fields[..] {
        ["0", minute, hour, day, month, weekday, ..] if every(month) && every(weekday) => {
            match (minute, hour, day) {
                ("0", "0", "1") => Some("yyyyMM"),
                ("0", "0", day) if every(day) => Some("yyyyMMdd"),
                ("0", "*", day) if every(day) => Some("yyyyMMddHH"),
                ("*", "*", day) if every(day) => Some("yyyyMMddHHmm"),
                _ => None,
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_read() {
        let sizes = ["100MB", "1 GB", "512", "1.5K", "2t", "many", "99999999999999999999", ""];
        let mebi = 1 << 20;
        let read = sizes.map(bytes);
        assert_eq!(read[..5], [Some(100 * mebi), Some(1 << 30), Some(512), Some(1536), Some(2 << 40)]);
        assert_eq!((read[5], read[7]), (None, None));
        let times = ["P30D", "30d", "PT12H", "P1DT1M", "P1M", "", "7"];
        let day = 86_400_000;
        let expected = [Some(30 * day), Some(30 * day), Some(day / 2), Some(day + 60_000), None, None, None];
        assert_eq!(times.map(millis), expected);
        let schedules =
            ["0 0 0 * * ?", "0 0 * * * ?", "0 * * ? * *", "0 0 0 1 * ?", "0 30 2 * * ?", "0 0 0 ? * MON", ""];
        let expected =
            [Some("yyyyMMdd"), Some("yyyyMMddHH"), Some("yyyyMMddHHmm"), Some("yyyyMM"), None, None, None];
        assert_eq!(schedules.map(cron), expected);
    }
}

use super::*;

/// What Joda-Time 2.9.9 reads in Europe/Berlin: pattern, text, milliseconds.
#[rustfmt::skip]
const READ_BY_JODA: &[(&str, &str, Option<i64>)] = &[
    ("yyyy-MM-dd HH:mm:ss", "2012-10-17 03:34:44", Some(1350437684000)),
    ("yyyy-MM-dd HH:mm:ss,SSS", "2012-10-17 03:34:44,5", Some(1350437684500)),
    ("yyyy-MM-dd HH:mm:ss,SSS", "2012-10-17 03:34:44,1234", None),
    ("yyyy-MM-dd'T'HH:mm:ss.SSSSSS", "2012-10-17t03:34:44.123456", Some(1350437684123)),
    ("yyyyMMddHHmmss", "20121017033444", Some(1350437684000)),
    ("yyyyMMddHHmmssSSS", "20121017033444123", Some(1350437684123)),
    ("yyyy-M-d", "2012-1-7", Some(1325890800000)),
    ("yyyy-MM-dd", "12-01-07", Some(-61788012808000)),
    ("yy-MM-dd", "12-01-07", Some(1325890800000)),
    ("yy-MM-dd", "2012-01-07", Some(1325890800000)),
    ("yyMMdd", "120107", Some(1325890800000)),
    ("yyMMdd", "990107", Some(915663600000)),
    ("yy-MM-dd", "60-01-07", Some(-315104400000)),
    ("yy", "5", Some(-62009369608000)),
    ("dd/MMM/yyyy:HH:mm:ss Z", "17/Oct/2012:03:34:44 +0200", Some(1350437684000)),
    ("dd/MMM/yyyy:HH:mm:ss Z", "17/october/2012:03:34:44 -05:30", Some(1350464684000)),
    ("dd/MMMM/yyyy", "17/OCT/2012", Some(1350424800000)),
    ("yyyy-MM-dd'T'HH:mm:ssZ", "2012-10-17T03:34:44Z", Some(1350444884000)),
    ("yyyy-MM-dd'T'HH:mm:ssZZ", "2012-10-17T03:34:44+02", Some(1350437684000)),
    ("yyyy-MM-dd HH:mm ZZZ", "2012-10-17 03:34 America/New_York", Some(1350459240000)),
    ("MMM d HH:mm:ss", "Oct 7 03:34:44", Some(970882484000)),
    ("MMM dd HH:mm:ss", "Feb 29 03:34:44", Some(951791684000)),
    ("HH:mm", "03:34", Some(9240000)),
    ("yyyy", "2012", Some(1325372400000)),
    ("EEE MMM dd HH:mm:ss yyyy", "Wed Oct 17 03:34:44 2012", Some(1350437684000)),
    ("EEE MMM dd HH:mm:ss yyyy", "Monday Oct 17 03:34:44 2012", Some(1350264884000)),
    ("yyyy-DDD", "2012-366", Some(1356908400000)),
    ("yyyy-DDD", "2013-366", None),
    ("hh:mm a", "12:30 AM", Some(-1800000)),
    ("hh:mm a", "12:30 pm", Some(41400000)),
    ("KK a", "11 PM", Some(79200000)),
    ("kk", "24", Some(-3600000)),
    ("HH", "24", None),
    ("yyyy-MM-dd", "2012-13-01", None),
    ("yyyy-MM-dd", "2013-02-29", None),
    ("yyyy-MM-dd HH:mm", "2012-03-25 02:30", None),
    ("yyyy-MM-dd HH:mm", "2012-10-28 02:30", Some(1351384200000)),
    ("yyyy-MM-dd", "2012-10-17 ", None),
    ("yyyy-MM-dd", "x", None),
    ("yyyy-MM-dd", "", None),
    ("yyyy 'o''clock' H", "2012 o'clock 5", Some(1325390400000)),
    ("''yyyy", "'2012", Some(1325372400000)),
    ("YYYY", "2012", Some(1325372400000)),
    ("YYYY", "-5", None),
    ("e yyyy-MM-dd", "1 2012-10-17", Some(1350252000000)),
    ("yyyy-MM-dd", "+2012-10-17", Some(1350424800000)),
    ("H:mm", "3:4", Some(7440000)),
    ("ss", "60", None),
    ("yyyy-MM-dd HH:mm:ss.S", "2012-10-17 03:34:44.123", None),
    ("hh", "13", None),
    ("a", "PM", Some(39600000)),
    ("H a", "3 PM", Some(7200000)),
    ("dd", "31", Some(949273200000)),
];

fn berlin() -> Zone {
    Zone { zone: TimeZone::get("Europe/Berlin").expect("the machine has a time zone database"), year: 2026 }
}

#[test]
fn reads_what_joda_reads() {
    for (pattern, text, expected) in READ_BY_JODA {
        let format = DateFormat::compile(pattern, &berlin()).expect(pattern);
        assert_eq!(format.millis(text.as_bytes()), *expected, "{pattern}: {text}");
    }
}

#[test]
fn a_letter_that_cannot_be_read_is_named() {
    for pattern in ["yyyy z", "xxxx", "ww", "G", "CC", "Q", "yyyyTHH"] {
        let error = DateFormat::compile(pattern, &berlin()).expect_err(pattern);
        let letter = pattern.chars().find(|letter| "zxwGCQT".contains(*letter)).expect("one of them");
        assert!(error.starts_with(&format!("`{letter}`")), "{pattern}: {error}");
    }
}

#[test]
fn no_text_is_too_odd() {
    let format =
        DateFormat::compile("yyyy-MM-dd HH:mm:ss.SSSSSSSSSSSSSSSSSSSSSSS ZZ", &berlin()).expect("valid");
    for text in [
        &b"\xff"[..],
        "日本".as_bytes(),
        b"999999999-01-01",
        b"2012-10-17 00:00:00.99999999999999999999999 +99:99:99",
    ] {
        assert_eq!(format.millis(text), None);
    }
}

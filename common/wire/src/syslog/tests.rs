use super::*;
use java::Charset;
use jiff::tz::TimeZone;
use proptest::prelude::*;

/// 2026-11-22T00:00:00Z, about when the recordings were made.
const NOW: i64 = 1_795_305_600_000;

fn line(text: &[u8]) -> Line<'_> {
    Line { bytes: text, cut: false }
}

fn printed(builder: BatchBuilder) -> Vec<String> {
    let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
    let batch = builder.finish();
    let events = batch.events().map(|event| {
        let mut headers: Vec<_> =
            event.headers().map(|(key, value)| format!("{}={}", text(key), text(value))).collect();
        headers.sort();
        format!("{{{}}} {}", headers.join(", "), text(event.body()))
    });
    events.collect()
}

fn classic_with(mut reader: Classic, bytes: &[u8]) -> (Found, String) {
    let mut out = BatchBuilder::default();
    let found = reader.push(line(bytes), NOW, &[], &mut out);
    (found, printed(out).remove(0))
}

fn classic(bytes: &[u8]) -> (Found, String) {
    classic_with(Classic::new(Keep::default(), None, TimeZone::UTC), bytes)
}

fn multiport_with(mut reader: Multiport, bytes: &[u8]) -> (Found, String) {
    let mut out = BatchBuilder::default();
    let found = reader.push(line(bytes), NOW, &[], &mut out);
    (found, printed(out).remove(0))
}

fn multiport(bytes: &[u8]) -> (Found, String) {
    multiport_with(Multiport::new(Charset::UTF_8, Keep::default()), bytes)
}

/// What Flume 1.11 was seen to give, but for the faults that stand at [`Classic`].
#[test]
fn the_classic_parser_reads_as_flume_does() {
    for (sent, expected) in [
        (
            &b"<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - hello"[..],
            "{Facility=4, Severity=2, host=mymachine.example.com, priority=34, timestamp=1065910455003, version=1} su - ID47 - hello",
        ),
        (
            b"<34>Oct 11 22:14:15 mymachine su: failed",
            "{Facility=4, Severity=2, host=mymachine, priority=34, timestamp=1791756855000} su: failed",
        ),
        (
            b"<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - micro",
            "{Facility=20, Severity=5, host=192.0.2.1, priority=165, timestamp=1061727255000, version=1} myproc 8710 - - micro",
        ),
        (b"<13>no timestamp here", "{Facility=1, Severity=5} <13>no timestamp here"),
        (b"<0>", "{Facility=0, Severity=0} <0>"),
        (b"<999>x", "{Facility=124, Severity=7} <999>x"),
        (b"<34>1 - - body null ts", "{Facility=4, Severity=2, priority=34, version=1} body null ts"),
        (
            b"<34>1 2003-10-11T22:14:15Z host cr at end\r",
            "{Facility=4, Severity=2} <34>1 2003-10-11T22:14:15Z host cr at end\\r",
        ),
        (
            b"<34>Oct 11 22:14:15 h \xff\xfe bad utf8",
            "{Facility=4, Severity=2, host=h, priority=34, timestamp=1791756855000} \\xef\\xbf\\xbd\\xef\\xbf\\xbd bad utf8",
        ),
        (
            b"<34>1 2003-10-11T22:14:15.1Z host tenth",
            "{Facility=4, Severity=2, host=host, priority=34, timestamp=1065910455100, version=1} tenth",
        ),
        (
            b"<34>2003-10-11T22:14:15 host no version",
            "{Facility=4, Severity=2, host=host, priority=34, timestamp=1065910455000} no version",
        ),
        (
            b"<34>1 2003-10-11T22:14:15Z ::1 no host of RFC 5424",
            "{Facility=4, Severity=2} <34>1 2003-10-11T22:14:15Z ::1 no host of RFC 5424",
        ),
        (
            b"<34>Foo 11 22:14:15 h no such month",
            "{Facility=4, Severity=2, host=h, priority=34} no such month",
        ),
    ] {
        assert_eq!(classic(sent), (Found::Message, expected.to_owned()));
    }
    for sent in ["no priority", "<>x", "<1234>x", "<a>x", "<34", "<"] {
        let expected = format!("{{Facility=0, Severity=0, flume.syslog.status=Invalid}} {sent}");
        assert_eq!(classic(sent.as_bytes()), (Found::Invalid, expected));
    }
}

#[test]
fn the_multiport_parser_reads_as_flume_does() {
    for (sent, expected) in [
        (
            &b"<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - hello"[..],
            "{Facility=4, Priority=34, Severity=2, Version=1, host=mymachine.example.com, timestamp=1065910455003} su - ID47 - hello",
        ),
        (
            b"<34>Oct 11 22:14:15 mymachine su: failed",
            "{Facility=4, Priority=34, Severity=2, host=mymachine, timestamp=1791756855000} su: failed",
        ),
        (
            b"<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - micro",
            "{Facility=20, Priority=165, Severity=5, Version=1, host=192.0.2.1, timestamp=1061727255000} myproc 8710 - - micro",
        ),
        (
            b"<34>1 - - body null ts",
            "{Facility=4, Priority=34, Severity=2, Version=1, host=-, timestamp=1795305600000} body null ts",
        ),
        (
            b"<34>1 2003-10-11T22:14:15Z host cr at end\r",
            "{Facility=4, Priority=34, Severity=2, Version=1, host=host, timestamp=1065910455000} cr at end\\r",
        ),
        (
            b"<34>1 2003-10-11T22:14:15.1Z host tenth",
            "{Facility=4, Priority=34, Severity=2, Version=1, host=host, timestamp=1065910455100} tenth",
        ),
        (
            b"<34>Oct 41 22:14:15 host no date",
            "{Facility=4, Priority=34, Severity=2, host=host, timestamp=0} no date",
        ),
        (
            b"<34>1 2003-10-11T22:14:15Z host ",
            "{Facility=4, Priority=34, Severity=2, Version=1, host=host, timestamp=1065910455000} <34>1 2003-10-11T22:14:15Z host ",
        ),
    ] {
        assert_eq!(multiport(sent), (Found::Message, expected.to_owned()));
    }
    for sent in [
        &b"<13>no timestamp here"[..],
        b"no priority",
        b"<0>",
        b"<34>1 ",
        b"<34>1 -",
        b"<34>1 - ",
        b"<34>1 2003-10-11T22:14:15 host notz",
        b"<34>1 2003-10-11T22:14:15.5 host no zone behind a fraction",
        b"<34>1 2003-02-31T22:14:15Z host no such day",
        b"<34>1 2003-10-11T22:14:15+0200 host no such zone",
        b"<34>Oct 11 22:14:15 h \xff\xfe bad utf8",
        b"<34>Oct 11 22:14:15",
        b"<123456>Oct 11 22:14:15 h x",
        b"<-5>Oct 11 22:14:15 h x",
    ] {
        let body = sent.escape_ascii();
        assert_eq!(multiport(sent), (Found::Invalid, format!("{{flume.syslog.status=Invalid}} {body}")));
    }
}

#[test]
fn a_date_without_a_zone_is_local_for_the_classic_parser_alone() {
    let zone = || TimeZone::fixed(jiff::tz::offset(8));
    for (sent, millis) in [
        (&b"<34>1 2003-10-11T22:14:15 h x"[..], 1_065_881_655_000),
        (b"<34>1 2003-10-11T22:14:15.5 h x", 1_065_881_655_500),
        (b"<34>1 2003-10-11T22:14:15.5Z h x", 1_065_910_455_500),
        (b"<34>Oct 11 22:14:15 h x", 1_791_728_055_000_i64),
    ] {
        let (_, event) = classic_with(Classic::new(Keep::default(), None, zone()), sent);
        assert!(event.contains(&format!("timestamp={millis}")), "{event}");
    }
}

/// A year of RFC 3164 is the one that brings the date nearest: eleven months back, one ahead.
#[test]
fn a_date_without_a_year_lies_near_now() {
    let near = |stamp: &[u8]| {
        let (date, length) = time::yearless(stamp).unwrap();
        assert_eq!(length, stamp.len());
        date.unwrap().near(NOW, &TimeZone::UTC).unwrap()
    };
    for (stamp, millis) in [
        (&b"Nov 21 00:00:00"[..], 1_795_219_200_000),
        (b"Dec 21 00:00:00", 1_797_811_200_000), // ahead, by less than a month
        (b"Dec 24 00:00:00", 1_766_534_400_000), // of the year before
        (b"Jan  1 00:00:00", 1_767_225_600_000),
    ] {
        assert_eq!(near(stamp), millis, "{}", stamp.escape_ascii());
    }
}

#[test]
fn days_of_any_month_are_counted_as_the_calendar_does() {
    for year in [1600, 1899, 1970, 1999, 2000, 2004, 2026, 2100] {
        for month in 1..=12 {
            for day in [1, 28, 31] {
                let text = format!("{year:04}-{month:02}-{day:02}T12:34:56Z");
                let Ok(expected) = text.parse::<jiff::Timestamp>() else { continue };
                assert_eq!(time::iso(text.as_bytes()).unwrap().seconds, expected.as_second(), "{text}");
            }
        }
    }
    let leap = |text: &[u8]| time::iso(text).unwrap().seconds;
    assert_eq!(leap(b"2016-12-31T23:59:60Z"), leap(b"2017-01-01T00:00:00Z"));
}

#[test]
fn what_is_kept_stands_before_the_body() {
    let sent = b"<34>1 2003-10-11T22:14:15Z host su - hello";
    for (keep, body) in [
        ("none", "su - hello"),
        ("FALSE", "su - hello"),
        ("all", "<34>1 2003-10-11T22:14:15Z host su - hello"),
        ("true", "<34>1 2003-10-11T22:14:15Z host su - hello"),
        ("priority version timestamp hostname", "<34>1 2003-10-11T22:14:15Z host su - hello"),
        ("priority", "<34>su - hello"),
        ("hostname,version", "1 host su - hello"),
        ("something", "su - hello"),
    ] {
        let keep = Keep::parse(keep);
        let ends = |event: String| assert!(event.ends_with(&format!("}} {body}")), "{keep:?}: {event}");
        ends(classic_with(Classic::new(keep, None, TimeZone::UTC), sent).1);
        ends(multiport_with(Multiport::new(Charset::UTF_8, keep), sent).1);
    }
    let none =
        classic_with(Classic::new(Keep::parse("timestamp hostname"), None, TimeZone::UTC), b"<34>1 - - x").1;
    assert!(none.ends_with("} - - x"), "{none}");
}

#[test]
fn a_form_of_the_operators_own_is_tried_first() {
    let format = || {
        let search = Some(("/", "-"));
        let regex = r"<(\d+)>(\d?) ?\[(\S+)\] (\S+): (.*)";
        Format::compile(regex, search, Some("yyyy-MM-dd'X'HH:mm:ssXXX"), &TimeZone::UTC).unwrap()
    };
    let reader = || Classic::new(Keep::default(), Some(format()), TimeZone::UTC);
    assert_eq!(
        classic_with(reader(), b"<34>1 [2003/10/11X22:14:15+02:00] web-1: GET").1,
        "{Facility=4, Severity=2, host=web-1, priority=34, timestamp=1065903255000, version=1} GET"
    );
    assert_eq!(
        classic_with(reader(), b"<34>Oct 11 22:14:15 h built in").1,
        "{Facility=4, Severity=2, host=h, priority=34, timestamp=1791756855000} built in"
    );
    let bad = |regex, search, date| Format::compile(regex, search, date, &TimeZone::UTC).err().unwrap().key;
    assert_eq!(bad("(", None, None), "regex");
    assert_eq!(bad("x", Some(("[", "")), None), "search");
    assert_eq!(bad("x", Some(("a", "$7")), None), "replace");
    assert_eq!(bad("x", None, Some("yyyy w")), "dateFormat");
}

#[test]
fn other_charsets_are_read_and_written_back() {
    let gbk = Charset::for_name("GBK").unwrap();
    let (found, event) =
        multiport_with(Multiport::new(gbk, Keep::default()), b"<34>Oct 11 22:14:15 h \xc4\xe3\xba\xc3");
    assert_eq!(found, Found::Message);
    assert!(event.ends_with("} \\xc4\\xe3\\xba\\xc3"), "{event}");
    let ascii = Charset::for_name("US-ASCII").unwrap();
    let (found, event) =
        multiport_with(Multiport::new(ascii, Keep::default()), b"<34>Oct 11 22:14:15 h \xc4\xe3");
    assert_eq!((found, event.starts_with("{flume.syslog.status=Invalid}")), (Found::Invalid, true));
}

#[test]
fn a_header_of_the_source_takes_the_place_of_the_messages() {
    let mut out = BatchBuilder::default();
    let mut reader = Classic::new(Keep::default(), None, TimeZone::UTC);
    let sent = Line { bytes: b"<34>1 - h x", cut: true };
    assert_eq!(reader.push(sent, NOW, &[("host", "10.0.0.1")], &mut out), Found::Incomplete);
    assert_eq!(
        printed(out),
        ["{Facility=4, Severity=2, flume.syslog.status=Incomplete, host=10.0.0.1, priority=34, version=1} x"]
    );
}

/// All lines of a stream read in pieces of so many bytes, and what is left of it.
fn lines(limit: usize, stream: &[u8], piece: usize) -> (Vec<(Vec<u8>, bool)>, Vec<u8>) {
    let (mut lines, mut found, mut input) = (Lines::new(limit), Vec::new(), Vec::new());
    for piece in stream.chunks(piece) {
        input.extend_from_slice(piece);
        let mut at = 0;
        while let Some(line) = lines.next(&input, &mut at) {
            found.push((line.bytes.to_vec(), line.cut));
        }
        input.drain(..at);
        assert!(input.len() < limit, "what is held is bounded");
    }
    (found, input)
}

#[test]
fn lines_end_at_lf_and_at_the_limit() {
    let whole = |text: &str| (text.as_bytes().to_vec(), false);
    let cut = |text: &str| (text.as_bytes().to_vec(), true);
    let stream = b"\n\nab\n12345\n1234567\r\n\n1234512345end";
    for piece in 1..=stream.len() {
        let (found, rest) = lines(5, stream, piece);
        let expected = [whole("ab"), cut("12345"), cut("12345"), whole("67\r"), cut("12345"), cut("12345")];
        assert_eq!((found, &rest[..]), (expected.to_vec(), &b"end"[..]), "pieces of {piece}");
    }
}

proptest! {
    #[test]
    fn any_stream_gives_the_same_lines_however_it_is_cut(
        stream in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'a')], 0..60),
        limit in 1..9usize,
        piece in 1..20usize,
    ) {
        prop_assert_eq!(lines(limit, &stream, piece), lines(limit, &stream, 1));
    }

    #[test]
    fn any_text_near_syslog_makes_one_event(
        text in "<[0-9]{0,4}>?1? ?([A-Z][a-z]{2} [ 0-9]{2}|[0-9]{4}-[0-9]{2}-[0-9]{2}T)?[ 0-9:.Z+-]{0,12}[ -]\\PC{0,12}",
    ) {
        for (_, event) in [classic(text.as_bytes()), multiport(text.as_bytes())] {
            prop_assert_eq!(event.chars().next(), Some(char::from(123)));
        }
    }
}

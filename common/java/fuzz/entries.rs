//! What the fuzz targets do with their input; `cargo test` replays `testdata/fuzz/TARGET/` through the same functions.
//!
//! Each takes any bytes and panics when a promise is broken, be it only that no input panics.

use java::{Charset, DateFormat, OnMalformed, Pattern, Replacement, Zone};

/// A target's name and function.
pub type Entry = (&'static str, fn(&[u8]));

/// All targets.
pub const ENTRIES: &[Entry] =
    &[("date", date), ("regex", regex), ("replacement", replacement), ("charset", charset)];

/// A date pattern, a line feed, and a text that it reads.
pub fn date(data: &[u8]) {
    let (pattern, text) = parts(data);
    let zone = Zone { zone: jiff::tz::TimeZone::UTC, year: 2026 };
    match DateFormat::compile(&pattern, &zone) {
        Ok(format) => drop(format.millis(text)),
        Err(what) => assert!(!what.is_empty()),
    }
}

/// A regex, a line feed, and a text that it looks through.
pub fn regex(data: &[u8]) {
    let (pattern, text) = parts(data);
    let text = String::from_utf8_lossy(text);
    match Pattern::compile(&pattern) {
        Ok(pattern) => look_through(&pattern, &text),
        Err(refused) => {
            let refused = refused.to_string();
            assert!(!refused.is_empty() && !refused.contains("panicked"));
        }
    }
    if let Ok(whole) = Pattern::compile_whole(&pattern) {
        let mut groups = whole.groups();
        let found = whole.find_at(text.as_bytes(), 0, &mut groups);
        assert!(!found || groups.get(0) == Some((0, text.len())), "a whole match");
    }
}

/// A replacement, a line feed, and the regex whose groups it may name.
pub fn replacement(data: &[u8]) {
    let (replacement, pattern) = parts(data);
    let Ok(pattern) = Pattern::compile(&String::from_utf8_lossy(pattern)) else { return };
    if let Ok(replacement) = Replacement::compile(&replacement, &pattern) {
        for part in replacement.parts() {
            if let java::Part::Group(group) = part {
                assert!(*group <= pattern.group_count());
            }
        }
    }
}

/// The first byte chooses a charset; the rest is the same text in whatever pieces it is read.
pub fn charset(data: &[u8]) {
    let Some((first, bytes)) = data.split_first() else { return };
    let names: Vec<_> = Charset::names().collect();
    let charset = Charset::for_name(names[usize::from(*first) % names.len()]).expect("its own name");
    for policy in [OnMalformed::Report, OnMalformed::Replace, OnMalformed::Ignore] {
        let whole = read(charset, bytes, usize::MAX, policy);
        assert!(std::str::from_utf8(&whole).is_ok());
        for piece in [1, 3] {
            assert_eq!(read(charset, bytes, piece, policy), whole, "{} in pieces of {piece}", charset.name());
        }
    }
    charset.encode(&charset.decode(bytes));
}

fn read(charset: Charset, bytes: &[u8], piece: usize, policy: OnMalformed) -> Vec<u8> {
    let (mut decoder, mut out) = (charset.decoder(policy), Vec::new());
    for piece in bytes.chunks(piece.min(bytes.len()).max(1)) {
        if decoder.decode(piece, false, &mut out).is_err() {
            return out;
        }
    }
    let _end = decoder.decode(&[], true, &mut out);
    out
}

/// Every find lies in the text, on the borders of characters, behind the one before.
fn look_through(pattern: &Pattern, text: &str) {
    let (mut groups, mut start) = (pattern.groups(), 0);
    let found = pattern.is_found(text.as_bytes());
    let mut finds = 0;
    while start <= text.len() && finds < 100 && pattern.find_at(text.as_bytes(), start, &mut groups) {
        let (from, to) = groups.get(0).expect("the whole match");
        assert!(start <= from && from <= to && text.is_char_boundary(from) && text.is_char_boundary(to));
        assert_eq!(groups.len(), pattern.group_count() + 1);
        let step = text[to..].chars().next().map_or(1, char::len_utf8);
        start = if from == to { to + step } else { to };
        finds += 1;
    }
    assert!(found == (finds > 0) || pattern.take_given_up() > 0);
}

fn parts(data: &[u8]) -> (String, &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let rest = data.get(end + 1..).unwrap_or_default();
    (String::from_utf8_lossy(&data[..end]).into_owned(), rest)
}

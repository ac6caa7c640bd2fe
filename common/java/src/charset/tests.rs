use super::*;
use proptest::prelude::*;

const TABLE: &str = include_str!("../../testdata/java_charsets.tsv");

fn rows(kind: &str) -> impl Iterator<Item = Vec<&'static str>> {
    TABLE.lines().map(|line| line.split('\t').collect::<Vec<_>>()).filter(move |row| row[0] == kind)
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads `bytes` in pieces of `size`.
fn read(charset: Charset, bytes: &[u8], size: usize, on_malformed: OnMalformed) -> (Vec<u8>, bool) {
    let (mut decoder, mut out) = (charset.decoder(on_malformed), Vec::new());
    for piece in bytes.chunks(size) {
        if decoder.decode(piece, false, &mut out).is_err() {
            return (out, false);
        }
    }
    let good = decoder.decode(&[], true, &mut out).is_ok();
    (out, good)
}

#[test]
fn a_charset_has_all_of_its_names_in_java() {
    let mut known = 0;
    for row in rows("name") {
        let Some(charset) = Charset::for_name(row[1]) else { continue };
        known += 1;
        for name in row[2].split(' ').filter(|name| !name.is_empty()) {
            assert_eq!(Charset::for_name(&name.to_lowercase()), Some(charset), "{name}");
        }
    }
    assert_eq!(known, names::CHARSETS.len(), "each is one that Java has");
    for (name, expected) in [
        ("latin1", "ISO-8859-1"),
        ("ISO_8859-1", "ISO-8859-1"),
        ("8859_1", "ISO-8859-1"),
        ("Cp1252", "windows-1252"),
    ] {
        assert_eq!(Charset::for_name(name).map(|charset| charset.name()), Some(expected));
    }
    for unknown in ["", "UTF-9", "windows-1259", " utf-8"] {
        assert_eq!(Charset::for_name(unknown), None);
    }
}

/// The texts were made by testdata/JavaCharsets.java with the seed 7.
#[test]
fn what_java_reads_is_read_alike_and_in_any_pieces() {
    let mut wrong = Vec::new();
    for row in rows("read") {
        let charset = Charset::for_name(row[1]).unwrap_or_else(|| panic!("{} is missing", row[1]));
        let input = bytes(row[2]);
        for (on_malformed, expected) in [(OnMalformed::Replace, row[3]), (OnMalformed::Ignore, row[4])] {
            for size in 1..=input.len().max(1) {
                let (found, good) = read(charset, &input, size, on_malformed);
                assert!(good);
                if hex(&found) != expected && !is_the_webs(row[1], row[2]) {
                    wrong.push(format!(
                        "{} {} in pieces of {size}: {} and not {expected}",
                        row[1],
                        row[2],
                        hex(&found)
                    ));
                }
            }
        }
        let (found, good) = read(charset, &input, 3, OnMalformed::Report);
        if good && hex(&found) != row[3] && !is_the_webs(row[1], row[2]) {
            wrong.push(format!("{row:?} is reported as {}", hex(&found)));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_java_writes_is_written_alike() {
    let mut wrong = Vec::new();
    for row in rows("write") {
        let charset = Charset::for_name(row[1]).unwrap();
        let text = String::from_utf8(bytes(row[2])).unwrap();
        let found = hex(&charset.encode(&text));
        if found != row[3] && !is_the_webs(row[1], row[3]) {
            wrong.push(format!("{} {text:?}: {found} and not {}", row[1], row[3]));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// Where the Web's charset is not Java's, as the module's description has it.
fn is_the_webs(charset: &str, bytes: &str) -> bool {
    let has = |marks: &[&str]| marks.iter().any(|mark| bytes.contains(mark));
    match charset {
        "Big5" | "Big5-HKSCS" | "x-windows-950" => {
            has(&["c6", "c7", "c8", "613f3fa7"]) || bytes == "61ff620a"
        }
        "EUC-JP" => has(&["8f"]) || bytes == "61ff620a",
        "ISO-2022-JP" => has(&["2129"]),
        _ => false,
    }
}

#[test]
fn malformed_bytes_end_a_stream_that_reports_them_behind_what_stands_before() {
    for (name, input, before) in [
        ("UTF-8", &b"ab\xc3(x"[..], "ab"),
        ("US-ASCII", b"a\xe4b", "a"),
        ("GBK", b"a\xff\xffb", "a"),
        ("windows-1252", b"\x80\x81", "\u{20ac}"),
        ("UTF-16", b"\xfe\xff\0a\xde\0\0b", "a"),
    ] {
        for size in 1..=input.len() {
            let charset = Charset::for_name(name).unwrap();
            let (found, good) = read(charset, input, size, OnMalformed::Report);
            assert_eq!(
                (std::str::from_utf8(&found), good),
                (Ok(before), false),
                "{name} in pieces of {size}"
            );
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_in_any_pieces_are_the_same_text(
        row in 0..names::CHARSETS.len(),
        input in proptest::collection::vec(any::<u8>(), 0..60),
        size in 1..20usize,
    ) {
        let charset = Charset::for_name(names::CHARSETS[row].0).unwrap();
        for policy in [OnMalformed::Report, OnMalformed::Replace, OnMalformed::Ignore] {
            let whole = read(charset, &input, usize::MAX, policy);
            prop_assert!(std::str::from_utf8(&whole.0).is_ok());
            prop_assert_eq!(read(charset, &input, size, policy), whole);
        }
        let text = charset.decode(&input).into_owned();
        let again = charset.decode(&charset.encode(&text)).into_owned();
        prop_assert_eq!(again.is_empty(), text.is_empty());
    }
}

#[test]
fn lines_are_found_behind_the_byte_order_mark_of_a_stream() {
    let text = "a\u{a0a}\u{10a}\nb\n";
    for (name, front, behind) in [
        ("UTF-16", &[0xfe, 0xff][..], "UTF-16BE"),
        ("UTF-16", &[0xff, 0xfe], "UTF-16LE"),
        ("UTF-16", &[], "UTF-16BE"),
        ("x-UTF-16LE-BOM", &[], "UTF-16LE"),
        ("UTF-16LE", &[], "UTF-16LE"),
        ("UTF-32", &[0xff, 0xfe, 0, 0], "UTF-32LE"),
        ("UTF-32BE", &[0, 0, 0xfe, 0xff], "UTF-32BE"),
        ("UTF-32LE", &[], "UTF-32LE"),
        ("GBK", &[], "GBK"),
        ("UTF-8", &[], "UTF-8"),
    ] {
        let charset = Charset::for_name(name).unwrap();
        let (settled, mark) = charset.settle(front);
        assert_eq!((settled.name(), mark), (behind, front.len()), "{name}");
        assert!(mark == 0 || charset.may_be_marked());
        let bytes = settled.encode(text);
        let first = settled.line_feed(&bytes, 0).unwrap();
        let (line, rest) = bytes.split_at(first);
        assert_eq!(settled.decode(line), settled.decode(&settled.encode("a\u{a0a}\u{10a}")), "{name}");
        let second = settled.line_feed(&bytes, first + settled.unit()).unwrap();
        assert_eq!(second, bytes.len() - settled.unit());
        assert_eq!(settled.line_feed(rest, 0), Some(0));
        assert_eq!(settled.line_feed(&bytes[..second], second), None);
        if settled.unit() > 1 {
            assert_eq!(settled.line_feed(&bytes[..first + 1], 0), None, "half a line feed");
        }
    }
}

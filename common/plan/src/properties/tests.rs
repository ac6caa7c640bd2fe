use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// One question to a JDK 17 and its answer; `testdata/properties/Answers.java` made the table.
#[derive(serde::Deserialize)]
struct Case {
    input: String,
    utf8: bool,
    pairs: Option<Vec<(String, String)>>,
}

fn read(bytes: &[u8]) -> (Vec<Entry>, Report) {
    let mut report = Report::default();
    let entries = parse("t", bytes, &mut report);
    (entries, report)
}

#[test]
fn answers_like_the_jdk() {
    let table = include_str!("../../testdata/properties/answers.json");
    let cases: Vec<Case> = serde_json::from_str(table).unwrap();
    assert!(cases.len() > 1500);
    for case in cases {
        let bytes: Vec<u8> = case.input.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
        // Text that happens to be UTF-8 is read as such here; the JDK was asked for the other reading.
        if !case.utf8 && !bytes.is_ascii() && std::str::from_utf8(&bytes).is_ok() {
            continue;
        }
        let (entries, report) = read(&bytes);
        let Some(expected) = case.pairs else {
            assert!(report.has_errors(), "{:?} is malformed to a JDK", case.input);
            continue;
        };
        let pairs: BTreeMap<String, String> =
            entries.into_iter().map(|entry| (entry.key, entry.value)).collect();
        assert_eq!(Vec::from_iter(pairs), expected, "{:?}", case.input);
        assert!(!report.has_errors(), "{:?}", case.input);
    }
}

#[test]
fn places_are_exact() {
    let (entries, _) = read(b"#c\r\n  a.b = c\\\n   d # e\rx y\n\xc3\xa4\\ = \xc3\xa4 z\n");
    let shown: Vec<String> = entries
        .iter()
        .map(|e| {
            format!(
                "{} {} {:?} {} {:?}",
                e.key_at,
                e.key,
                e.value,
                e.value_at,
                e.comment.as_ref().map(|c| c.at.to_string())
            )
        })
        .collect();
    let expected = [
        "t:2:3 a.b \"cd # e\" t:2:9 Some(\"t:3:6\")",
        "t:4:1 x \"y\" t:4:3 None",
        "t:5:1 ä  \"ä z\" t:5:7 None",
    ];
    assert_eq!(shown, expected);
}

#[test]
fn what_reads_like_a_comment_is_told_apart() {
    let comment =
        |text: &str| read(text.as_bytes()).0[0].comment.clone().map(|found| (found.value, found.text));
    let some = |value: &str, text: &str| Some((value.to_string(), text.to_string()));
    assert_eq!(comment("a = b   #此处"), some("b", "#此处"));
    assert_eq!(comment("a=b\t# c # d"), some("b", "# c # d"));
    assert_eq!(comment("a = # c"), some("", "# c"));
    assert_eq!(comment("a = b#c"), None);
    assert_eq!(comment("a = b \\# c"), None);
    assert_eq!(comment("a = b\\ # c"), None); // an escaped blank is meant
    assert_eq!(comment("a = #b # c"), some("", "#b # c"));
}

#[test]
fn a_byte_order_mark_is_skipped_and_told() {
    let (entries, report) = read(b"\xef\xbb\xbfa = b\nc = d");
    assert_eq!((entries[0].key.as_str(), entries[0].value_at.column), ("a", 8));
    assert_eq!(entries[1].value_at, Place::at("t", 2, 5));
    assert_eq!(report.problems[0].code, "byte-order-mark");
}

#[test]
fn other_bytes_are_read_as_latin1_and_told_once() {
    let (entries, report) = read(b"a = 1\nb = \xe9\nc = \xe9");
    assert_eq!(entries[1].value, "é");
    assert_eq!(report.problems.len(), 1);
    assert_eq!(
        (report.problems[0].code, report.problems[0].place.to_string()),
        ("iso-8859-1", "t:2:5".into())
    );
}

#[test]
fn a_malformed_escape_costs_its_line_only() {
    let (entries, report) = read(b"a = \\u00zz\nb = 1\nc = \\ud83d");
    assert_eq!(entries.len(), 1);
    let places: Vec<String> = report.problems.iter().map(|problem| problem.place.to_string()).collect();
    assert_eq!(places, ["t:1:5", "t:3:5"]);
}

#[test]
fn a_word_alone_is_bare() {
    let bare = |text: &str| read(text.as_bytes()).0[0].bare;
    assert!(bare("a1.sources"));
    assert!(!bare("a1.sources ="));
    assert!(!bare("a b"));
}

proptest! {
    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), proptest::sample::select(b"\\u#=: \r\n".to_vec())], 0..400)) {
        let (entries, _) = read(&bytes);
        for entry in entries {
            prop_assert!(entry.key_at.line >= 1 && entry.value_at.column >= 1);
        }
    }
}

use super::*;
use std::collections::BTreeSet;

/// `%a;` back to a line feed, and so on.
fn unescaped(text: &str) -> String {
    let mut parts = text.split('%');
    let mut out = parts.next().unwrap().to_owned();
    for part in parts {
        let (number, rest) = part.split_once(';').unwrap();
        out.push(char::from_u32(u32::from_str_radix(number, 16).unwrap()).unwrap());
        out.push_str(rest);
    }
    out
}

/// All finds, as the table spells them.
fn finds(pattern: &Pattern, text: &str) -> String {
    let (mut finds, mut groups, mut start) = (Vec::new(), pattern.groups(), 0);
    while start <= text.len() && pattern.find_at(text.as_bytes(), start, &mut groups) {
        let spell = |group| groups.get(group).map_or("-".to_owned(), |(from, to)| format!("{from}-{to}"));
        finds.push((0..groups.len()).map(spell).collect::<Vec<_>>().join(","));
        let (from, to) = groups.get(0).unwrap();
        let step = text[to..].chars().next().map_or(1, char::len_utf8);
        start = if from == to { to + step } else { to };
    }
    if finds.is_empty() { ".".to_owned() } else { finds.join(";") }
}

/// The table was printed by testdata/JavaRegex.java, whose random part has the seed 7.
#[test]
fn each_pattern_of_the_table_finds_what_a_real_java_finds() {
    let table = include_str!("../../testdata/java_regex.tsv");
    let (mut wrong, mut rows, mut exact) = (Vec::new(), 0, BTreeSet::new());
    for line in table.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        let [java, text, expected] = columns[..] else { panic!("three columns: {line}") };
        let (java, text) = (unescaped(java), unescaped(text));
        let found = match Pattern::compile(&java) {
            Ok(pattern) => {
                if matches!(pattern.engines, Engines::Exact(_)) {
                    exact.insert(java.clone());
                }
                let found = finds(&pattern, &text);
                assert_eq!(pattern.is_found(text.as_bytes()), found != ".", "{line}");
                found
            }
            Err(_) if expected == "!" => continue,
            Err(error) => error.to_string(),
        };
        rows += 1;
        if found != expected && !DIFFERS.contains(&java.as_str()) {
            wrong.push(format!("{line}\n  here: {found}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {rows} rows differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(rows > 1_000 && exact.len() > 200, "{rows} rows, {} patterns for the exact engine", exact.len());
}

/// What the module's description says is not as in Java.
const DIFFERS: &[&str] = &[
    r"\p{javaMirrored}",
    "(a|b*)*",
    // Java leaves what a group held in a way that it gave up.
    r"(?U)(?>([a-c&&[^b]]\B[^a]*[A-Zé])++[ab]{2}(?=A)|\B(é[\w&&[^1]]*?\Qa.\E++|b\1)*+)",
    r"(?U)(?>(\w\W|b\1).*)[^a]+|\n*+",
    r"(?im)(?i:[ab]).[a-c&&[^b]]??|(?<=[a-c&&[^b]][ab])|\d([\w&&[^1]]\s{1,2}+|b[^\sÉ]+(a\B)++)*?$",
];

/// What `java.util.regex` 17 finds first: pattern, text, the match and its groups.
#[rustfmt::skip]
const FOUND_BY_JAVA: &[(&str, &str, &[Option<&str>])] = &[
    ("\\d+", "ab\u{663} 42", &[Some("42")]),
    ("\\w+", "\u{e9}a_1-", &[Some("a_1")]),
    ("\\s", "a\u{a0}b c", &[Some(" ")]),
    ("\\bfoo\\b", "xfoo foo.", &[Some("foo")]),
    (".+", "ab\u{85}cd", &[Some("ab")]),
    (".+", "\r\nab\rcd", &[Some("ab")]),
    ("(?s).+", "\r\nab\n", &[Some("\r\nab\n")]),
    ("abc$", "abc\n", &[Some("abc")]),
    ("abc$", "abc\r\n", &[Some("abc")]),
    ("abc$", "abc\n\n", &[]),
    ("(.*)$", "abc\n", &[Some("abc"), Some("abc")]),
    ("(?s)(.*)$", "abc\n", &[Some("abc\n"), Some("abc\n")]),
    ("\\s*$", "ab \n", &[Some(" \n")]),
    ("$", "ab\n", &[Some("")]),
    ("b\\Z", "ab\n", &[Some("b")]),
    ("b\\z", "ab\n", &[]),
    ("(?m)^b$", "a\rb\rc", &[Some("b")]),
    ("(?m)^(\\w+)$", "\r\nx y\r\nzz\r\n", &[Some("zz"), Some("zz")]),
    ("(?d)a.b", "a\rb", &[Some("a\rb")]),
    ("(?dm)^b", "a\rb\nb", &[Some("b")]),
    ("[a-c&&[^b]]+", "bcab", &[Some("ca")]),
    ("[a[x-z]]+", "bxay", &[Some("xay")]),
    ("[\\w-.]+", "*a-b.c*", &[Some("a-b.c")]),
    ("[a-]+", "b-a", &[Some("-a")]),
    ("[-a]+", "b-a", &[Some("-a")]),
    ("[]a]+", "b]a", &[Some("]a")]),
    ("[^]a]+", "]ab", &[Some("b")]),
    ("[~~a]+", "b~a", &[Some("~a")]),
    ("[[:alpha:]]+", "xyz:alp", &[Some(":alp")]),
    ("\\Qa.b\\E+", "aab a.bb", &[Some("a.bb")]),
    ("[\\Q^-]\\E]+", "a^-]", &[Some("^-]")]),
    ("\\x41\\u0042\\x{43}\\0104", "ABCD", &[Some("ABCD")]),
    ("\\uD83D\\uDE00", "x\u{1f600}", &[Some("\u{1f600}")]),
    ("\\t\\e\\a\\cA", "\t\u{1b}\u{7}\u{1}", &[Some("\t\u{1b}\u{7}\u{1}")]),
    ("\\p{Alpha}+", "\u{e9}ab", &[Some("ab")]),
    ("\\p{L}+", "1\u{e9}ab", &[Some("\u{e9}ab")]),
    ("\\p{IsHan}+", "a\u{4f60}\u{597d}", &[Some("\u{4f60}\u{597d}")]),
    ("\\pL\\PL", "1a2", &[Some("a2")]),
    ("\\p{Punct}+", "a[~]b", &[Some("[~]")]),
    ("\\P{Digit}+", "12ab3", &[Some("ab")]),
    ("[\\D]+", "12ab3", &[Some("ab")]),
    ("[^\\W_]+", "__ab", &[Some("ab")]),
    ("\\h+\\v", "a \t\n", &[Some(" \t\n")]),
    ("a\\Rb", "a\r\nb", &[Some("a\r\nb")]),
    ("(?x) a b # c (\n c", "abc", &[Some("abc")]),
    ("(?x: a [ b ] )c", "xabc", &[Some("abc")]),
    ("(?i)abc", "xABC", &[Some("ABC")]),
    ("(?i:a)b", "AB Ab", &[Some("Ab")]),
    ("((?i)a)b", "Ab", &[Some("Ab"), Some("A")]),
    ("(?<y>\\d{4})-(?<m>\\d\\d)", "at 2024-05", &[Some("2024-05"), Some("2024"), Some("05")]),
    ("a|ab", "ab", &[Some("a")]),
    ("(a)|(b)", "b", &[Some("b"), None, Some("b")]),
    ("a{2}", "aaa", &[Some("aa")]),
    ("a{1,2}?", "aa", &[Some("a")]),
    ("\\/\\-\\ \\<\\>", "/- <>", &[Some("/- <>")]),
    ("(?U)\\w+", "\u{e9}a", &[Some("\u{e9}a")]),
    ("^b", "a\nb", &[]),
    ("", "abc", &[Some("")]),
    ("x*", "aab", &[Some("")]),
    ("[a-z&&def]+", "abdef", &[Some("def")]),
    ("a#b", "a#b", &[Some("a#b")]),
    ("]}", "]}", &[Some("]}")]),
];

#[test]
fn finds_what_java_finds() {
    for (java, text, expected) in FOUND_BY_JAVA {
        let pattern = Pattern::compile(java).unwrap_or_else(|error| panic!("{java}: {error}"));
        let mut groups = pattern.groups();
        let found = pattern.find_at(text.as_bytes(), 0, &mut groups);
        let count = if found { groups.len() } else { 0 };
        let read: Vec<_> =
            (0..count).map(|group| groups.get(group).map(|(from, to)| &text[from..to])).collect();
        assert_eq!(read, *expected, "{java} in {text:?}");
        assert_eq!(pattern.is_found(text.as_bytes()), found, "{java} in {text:?}");
    }
}

#[test]
fn what_java_refuses_or_the_crate_cannot_do_is_said_in_words() {
    let cases = [
        ("(", "column 1: a `(` has no `)`"),
        ("ab)", "column 3: a `)` has no `(`"),
        ("a{", "column 2: `{` begins a repeat count"),
        ("a{x}", "column 2: `{` begins a repeat count such as `{2,5}`; write `[{]` for the character"),
        ("[0-9]{4]-[0-9]{2}", "column 6: `{` begins a repeat count such as `{2,5}`; this one ends with `]`"),
        ("a{3,2}", "column 2: a repeat count ends before it begins"),
        ("x[a", "column 2: a `[` has no `]`"),
        ("[z-a]", "column 4: a range in a class ends before it begins"),
        ("[a&&]", "column 5: nothing stands between `&&` and `]`"),
        (r"ab\y", "column 3: `\\y` means nothing"),
        ("*a", "column 1: `*` stands behind nothing"),
        ("a\\", "column 2: the regex ends in a single `\\`"),
        (r"a\Gb", "column 2: `\\G`, the end of the match before is not supported, unlike in Java"),
        (r"\X", "column 1: `\\X`"),
        (r"\N{DIGIT ONE}", "column 1: `\\N{...}`"),
        (r"\b{g}", "column 1: `\\b{g}`"),
        (r"a\p{javaMirrored}", "column 2: `\\p{javaMirrored}` is not supported"),
        (r"\p{InThai}", "column 1: `\\p{InThai}` is not supported"),
        (r"\p{Nonsense}", "column 1: `\\p{Nonsense}`"),
        (r"\p{IsNonsense}", "column 1: not a valid set of characters"),
        (r"(a)\k<b>", "column 4: no group in front of `\\k` is called `b`"),
        (r"(?<b>a)\kb>", "column 8: `\\k` is followed by no name"),
        ("(?<a>b)(?<a>c)", "column 8: there are two groups called `a`"),
        ("(?y)", "column 1: `y` behind `(?` is no flag"),
        (r"\ud83d", "column 1: `\\u` is not followed by the number of a character"),
        ("(?:a{1000}){1000}", "too much memory"),
    ];
    for (java, expected) in cases {
        let error = Pattern::compile(java).expect_err(java).to_string();
        assert!(error.contains(expected), "{java}: {error}");
        assert!(!error.contains('\n'), "{java}: {error}");
    }
}

#[test]
fn a_search_without_end_is_given_up_and_counts_as_not_found() {
    let pattern = Pattern::compile(r"^(?:(a|aa)(?!b))+\1c$").expect("valid");
    let text = "a".repeat(60) + "!c";
    assert!(!pattern.is_found(text.as_bytes()));
    assert!(!pattern.find_at(text.as_bytes(), 0, &mut pattern.groups()));
    assert_eq!((pattern.take_given_up(), pattern.take_given_up()), (2, 0));
    assert!(pattern.is_found(b"aaac"));
    let long = Pattern::compile("^((?!ebooks).)*$").expect("valid");
    assert!(long.is_found(&b"x".repeat(300_000)));
    assert_eq!(long.take_given_up(), 0);
}

#[test]
fn classes_within_classes_have_a_limit() {
    for pattern in ["[".repeat(100_000), "(".repeat(100_000), "(?=".repeat(10_000), "[a&&".repeat(100_000)] {
        assert!(Pattern::compile(&pattern).is_err());
    }
    let deep = "(?=".repeat(10_000) + &")".repeat(10_000);
    assert!(Pattern::compile(&deep).is_err());
}

#[test]
fn a_whole_match_is_about_the_whole_text() {
    let pattern = Pattern::compile_whole("a|ab").expect("valid");
    let matches = ["a", "ab", "abc", "a\n"].map(|text| pattern.is_found(text.as_bytes()));
    assert_eq!(matches, [true, true, false, false]);
    let pattern = Pattern::compile_whole("a$").expect("valid");
    assert_eq!(["a", "a\n"].map(|text| pattern.is_found(text.as_bytes())), [true, false]);
}

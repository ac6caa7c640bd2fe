use super::*;

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
        ("(", "not a valid regex"),
        ("a{", "repeat count"),
        ("a{x}", "repeat count"),
        ("[a", "has no `]`"),
        (r"\y", "means nothing"),
        ("*a", "not a valid regex"),
        ("a\\", "single `\\`"),
        ("(?=a)", "look-around"),
        ("(?<!a)b", "look-around"),
        ("(?>a)", "atomic"),
        ("a*+", "possessive"),
        (r"(a)\1", "back-references"),
        (r"(?<n>a)\k<n>", "back-references"),
        (r"\p{javaLowerCase}", "name a script"),
        (r"\p{Nonsense}", "not a valid regex"),
        ("(?y)", "does not know"),
        (r"\ud83d", "number of a character"),
        ("a{1000}{1000}{1000}", "too much memory"),
    ];
    for (java, expected) in cases {
        let error = Pattern::compile(java).expect_err(java);
        assert!(error.contains(expected), "{java}: {error}");
        assert!(!error.contains('\n'), "{java}: {error}");
    }
}

#[test]
fn a_whole_match_is_about_the_whole_text() {
    let pattern = Pattern::compile_whole("a|ab").expect("valid");
    let matches = ["a", "ab", "abc", "a\n"].map(|text| pattern.is_found(text.as_bytes()));
    assert_eq!(matches, [true, true, false, false]);
    let pattern = Pattern::compile_whole("a$").expect("valid");
    assert_eq!(["a", "a\n"].map(|text| pattern.is_found(text.as_bytes())), [true, false]);
}

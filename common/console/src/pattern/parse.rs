//! From a pattern's text to its words.

use super::{Date, Dialect, Item, Pattern, Width, Word};
use java::DatePrinter;
use jiff::tz::TimeZone;

/// Reads what of a pattern may be read: it is an operator's, and still no end of it may keep the start busy.
pub(super) fn parse(text: &str, dialect: Dialect, wrong: &mut Vec<String>) -> Pattern {
    let short = &text[..text.floor_char_boundary(MOST_BYTES)];
    if short.len() < text.len() {
        wrong.push(format!(
            "it has {} bytes, and what stands behind the first {MOST_BYTES} is left out; write a shorter one",
            text.len()
        ));
    }
    within(short, At { dialect, depth: 0 }, wrong)
}

/// Where in a pattern a part of it stands.
#[derive(Clone, Copy)]
struct At {
    dialect: Dialect,
    /// In so many words.
    depth: usize,
}

/// A pattern that is part of a word.
fn part(text: &str, at: At, wrong: &mut Vec<String>) -> Pattern {
    if at.depth < DEEPEST {
        return within(text, At { depth: at.depth + 1, ..at }, wrong);
    }
    let told = format!("words stand within words more than {DEEPEST} deep; the innermost stand in each line");
    if !wrong.contains(&told) {
        wrong.push(told);
    }
    let mut items = Vec::new();
    push_text(&mut items, text);
    Pattern { items }
}

fn within(text: &str, here: At, wrong: &mut Vec<String>) -> Pattern {
    let dialect = here.dialect;
    let mut items = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        push_text(&mut items, &rest[..at]);
        rest = &rest[at + 1..];
        if let Some(behind) = rest.strip_prefix('%') {
            push_text(&mut items, "%");
            rest = behind;
            continue;
        }
        let (width, behind) = width(rest);
        let (name, behind) = name(behind, dialect);
        let mut options = Options { rest: behind };
        match word(name, &mut options, here, wrong) {
            Some(Word::Text(text)) => push_text(&mut items, &text),
            Some(word) => items.push(Item { word, width }),
            None => {
                let written = &rest[..rest.len() - behind.len()];
                wrong.push(format!(
                    "`%{written}` is no word of it that is known here, and stands in each line"
                ));
                push_text(&mut items, &format!("%{written}"));
            }
        }
        rest = options.rest;
    }
    push_text(&mut items, rest);
    Pattern { items }
}

/// Text next to text is one text.
fn push_text(items: &mut Vec<Item>, text: &str) {
    if let Some(Item { word: Word::Text(last), .. }) = items.last_mut() {
        last.push_str(text);
    } else if !text.is_empty() {
        items.push(Item { word: Word::Text(text.to_owned()), width: Width::ANY });
    }
}

/// `-5.30` and what stands behind it. A number that is too long for a line is no number.
fn width(text: &str) -> (Width, &str) {
    let number = |text: &str| {
        let end = text.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(text.len());
        let (digits, behind) = text.split_at(end);
        (digits.parse::<usize>().ok().map(|number| number.min(MOST_WIDTH)), behind.len())
    };
    let mut width = Width::ANY;
    let mut rest = text;
    if let Some(behind) = rest.strip_prefix('-') {
        (width.left, rest) = (true, behind);
    }
    let (least, left) = number(rest);
    width.least = least.unwrap_or(0);
    rest = &rest[rest.len() - left..];
    if let Some(behind) = rest.strip_prefix('.') {
        let (most, left) = number(behind);
        width.most = most.unwrap_or(usize::MAX);
        rest = &behind[behind.len() - left..];
    }
    (width, rest)
}

/// A word's name: one letter in log4j 1.2, the longest that is known in log4j 2.
fn name(text: &str, dialect: Dialect) -> (&str, &str) {
    let one = text.chars().next().map_or(0, char::len_utf8);
    let end = match dialect {
        Dialect::One => one,
        Dialect::Two => {
            let known = NAMES.iter().filter(|name| text.starts_with(**name)).map(|name| name.len());
            known.max().unwrap_or(one)
        }
    };
    text.split_at(end)
}

/// What stands in braces behind a word.
struct Options<'a> {
    rest: &'a str,
}

impl<'a> Options<'a> {
    /// The next pair of braces; those within belong to it.
    fn next(&mut self) -> Option<&'a str> {
        let inside = self.rest.strip_prefix('{')?;
        let mut depth = 1;
        for (at, sign) in inside.char_indices() {
            depth += match sign {
                '{' => 1,
                '}' => -1,
                _ => 0,
            };
            if depth == 0 {
                self.rest = &inside[at + 1..];
                return Some(&inside[..at]);
            }
        }
        None
    }

    fn count(&mut self) -> usize {
        self.next().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
    }

    fn skip(&mut self) {
        while self.next().is_some() {}
    }
}

fn word(name: &str, options: &mut Options<'_>, at: At, wrong: &mut Vec<String>) -> Option<Word> {
    let dialect = at.dialect;
    let two = dialect == Dialect::Two;
    Some(match name {
        "d" | "date" => Word::Date(date(options, dialect, wrong)),
        "p" | "level" => {
            options.skip();
            Word::Level
        }
        "t" | "tn" | "thread" | "threadName" => Word::Thread,
        "c" | "logger" => Word::Logger(options.count()),
        "C" | "class" => Word::Class(options.count()),
        "M" | "method" => Word::Method,
        "F" | "file" => Word::File,
        "L" | "line" => Word::Line,
        "l" | "location" => Word::Location,
        "m" | "msg" | "message" => {
            options.skip();
            Word::Message
        }
        "n" => Word::Text("\n".to_owned()),
        "r" | "relative" => Word::Elapsed,
        "x" | "NDC" => empty(if two { "[]" } else { "" }),
        "X" | "mdc" | "MDC" => empty(if options.next().is_some() { "" } else { "{}" }),
        // A stack stands in the message.
        "ex" | "exception" | "throwable" | "rEx" | "rException" | "rThrowable" | "xEx" | "xException"
        | "xThrowable" | "marker" => {
            options.skip();
            empty("")
        }
        "equals" => {
            let mut next = || options.next().unwrap_or_default();
            let (of, test, text) = (next(), next().to_owned(), next());
            Word::Equals { of: part(of, at, wrong), test, text: part(text, at, wrong) }
        }
        "highlight" | "style" => {
            let pattern = part(options.next().unwrap_or_default(), at, wrong);
            options.skip();
            Word::Plain(pattern)
        }
        _ => return None,
    })
}

/// Always the same, and still as wide as it is asked to be.
fn empty(text: &str) -> Word {
    let items = vec![Item { word: Word::Text(text.to_owned()), width: Width::ANY }];
    Word::Plain(Pattern { items })
}

fn date(options: &mut Options<'_>, dialect: Dialect, wrong: &mut Vec<String>) -> Date {
    let pattern = options.next().unwrap_or_default().trim();
    let zone = options.next().map(str::trim).filter(|name| !name.is_empty());
    let zone = zone.and_then(|name| match TimeZone::get(name) {
        Ok(zone) => Some(zone),
        Err(_) => {
            wrong.push(format!("the time zone `{name}` of `%d` is not known; times are local"));
            None
        }
    });
    let java = match (pattern, dialect) {
        ("" | "DEFAULT", _) | ("ISO8601", Dialect::One) if zone.is_none() => return Date::Log4j,
        ("UNIX", Dialect::Two) => return Date::Seconds,
        ("UNIX_MILLIS", Dialect::Two) => return Date::Millis,
        ("" | "DEFAULT", _) | ("ISO8601", Dialect::One) => "yyyy-MM-dd HH:mm:ss,SSS",
        ("ISO8601", Dialect::Two) => "yyyy-MM-dd'T'HH:mm:ss,SSS",
        ("ISO8601_BASIC", _) => "yyyyMMdd'T'HHmmss,SSS",
        ("COMPACT", _) => "yyyyMMddHHmmssSSS",
        ("ABSOLUTE", _) => "HH:mm:ss,SSS",
        ("DATE", _) => "dd MMM yyyy HH:mm:ss,SSS",
        (pattern, _) => pattern,
    };
    match DatePrinter::compile(java, zone.unwrap_or_else(TimeZone::system)) {
        Ok(printer) => Date::Java(printer),
        Err(why) => {
            wrong.push(format!("`%d{{{java}}}`: {why}; times stand as 2018-11-13 16:32:01,813"));
            Date::Log4j
        }
    }
}

/// log4j 2's names.
const NAMES: &[&str] = &[
    "d",
    "date",
    "p",
    "level",
    "t",
    "tn",
    "thread",
    "threadName",
    "c",
    "logger",
    "C",
    "class",
    "M",
    "method",
    "F",
    "file",
    "L",
    "line",
    "l",
    "location",
    "m",
    "msg",
    "message",
    "n",
    "r",
    "relative",
    "x",
    "NDC",
    "X",
    "mdc",
    "MDC",
    "ex",
    "exception",
    "throwable",
    "rEx",
    "rException",
    "rThrowable",
    "xEx",
    "xException",
    "xThrowable",
    "marker",
    "equals",
    "highlight",
    "style",
];

/// No word is made wider than this.
const MOST_WIDTH: usize = 1000;

/// Bytes of a pattern.
const MOST_BYTES: usize = 4 << 10;

/// Words within words within words.
const DEEPEST: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_and_length_have_an_end() {
        let deep = |times| format!("{}%m{}%n", "%style{".repeat(times), "}{red}".repeat(times));
        let wrong = |text: &str| Pattern::parse(text, Dialect::Two).1;
        assert_eq!(wrong(&deep(DEEPEST)), Vec::<String>::new());
        let told = wrong(&deep(DEEPEST + 1));
        assert!(told.len() == 1 && told[0].contains("16 deep"), "{told:?}");
        let told = wrong(&deep(100_000));
        assert!(told.iter().any(|what| what.contains("left out")), "{}", told.len());
        assert!(wrong(&"%equals{".repeat(100_000)).iter().any(|what| what.contains("left out")));
    }
}

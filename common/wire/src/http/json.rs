//! Events in JSON: an array of `{"headers": {…}, "body": "…"}`.

use event::BatchBuilder;
use java::Charset;
use std::borrow::Cow;
use thiserror::Error;

/// A text that is no array of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{what}, at byte {at} of the body")]
pub struct BadJson {
    /// Where in the text, in bytes.
    pub at: usize,
    /// What is wrong there.
    pub what: &'static str,
}

/// Puts the events of `text` into `out`, with bodies in `charset`, and says how many there are.
///
/// The text is read as leniently as Flume has Gson read it: names and texts may stand in single quotes or in none, `;` may
/// stand for `,` and `=` for `:`, and there may be comments. Numbers and truth values are taken for their text. Differences:
/// a header whose value is `null` is left out (no sink of Flume's but the local ones can carry one), and what Flume answers
/// with its own failure, an empty text or an event that is `null`, is a fault of the text.
///
/// # Errors
/// [`BadJson`]; what was put into `out` is of no use then.
pub fn events(text: &str, charset: Charset, out: &mut BatchBuilder) -> Result<usize, BadJson> {
    let mut reader = Reader { text, at: 0 };
    if reader.peek()?.is_none() {
        return Err(reader.bad("there is no body, where an array of events is expected"));
    }
    reader.expect("[", "an array of events is expected")?;
    let (mut events, mut pairs) = (0, Vec::new());
    if !reader.closes(']')? {
        loop {
            event(&mut reader, charset, &mut pairs, out)?;
            events += 1;
            if reader.closes(']')? {
                break;
            }
            reader.expect(",;", "the end of the array or a comma is expected")?;
        }
    }
    match reader.peek()? {
        None => Ok(events),
        Some(_) => Err(reader.bad("something stands behind the array")),
    }
}

type Pair<'t> = (Cow<'t, str>, Cow<'t, str>);

fn event<'t>(
    reader: &mut Reader<'t>,
    charset: Charset,
    headers: &mut Vec<Pair<'t>>,
    out: &mut BatchBuilder,
) -> Result<(), BadJson> {
    headers.clear();
    let mut body = None;
    reader.expect("{", "an event is expected: {\"headers\": {...}, \"body\": \"...\"}")?;
    reader.members(|reader, name| {
        match &*name {
            "headers" => {
                headers.clear();
                match reader.peek()? {
                    Some('{') => reader.headers(headers)?,
                    _ => reader.null("headers are an object of texts")?,
                }
            }
            "body" => body = reader.scalar("a body is a text")?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    let pairs = headers.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
    let body = body.unwrap_or_default();
    out.push_received(pairs, headers.len() as u32, &charset.encode(&body));
    Ok(())
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn bad(&self, what: &'static str) -> BadJson {
        BadJson { at: self.at, what }
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    /// The next character that is no white space and in no comment; it stays.
    fn peek(&mut self) -> Result<Option<char>, BadJson> {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches([' ', '\t', '\n', '\r', '\u{feff}']);
            self.at += rest.len() - trimmed.len();
            let ends = if trimmed.starts_with("//") || trimmed.starts_with('#') {
                trimmed.find(['\n', '\r']).or(Some(trimmed.len()))
            } else if let Some(comment) = trimmed.strip_prefix("/*") {
                comment.find("*/").map(|end| end + 4)
            } else {
                return Ok(trimmed.chars().next());
            };
            self.at += ends.ok_or(self.bad("a comment has no end"))?;
        }
    }

    /// Takes one of these characters.
    fn expect(&mut self, wanted: &str, what: &'static str) -> Result<(), BadJson> {
        match self.peek()? {
            Some(found) if wanted.contains(found) => {
                self.at += 1;
                Ok(())
            }
            _ => Err(self.bad(what)),
        }
    }

    /// Takes the end of an array or object if it comes next.
    fn closes(&mut self, end: char) -> Result<bool, BadJson> {
        let closes = self.peek()? == Some(end);
        self.at += usize::from(closes);
        Ok(closes)
    }

    /// The members of an object whose `{` was taken.
    fn members(
        &mut self,
        mut each: impl FnMut(&mut Reader<'t>, Cow<'t, str>) -> Result<(), BadJson>,
    ) -> Result<(), BadJson> {
        if self.closes('}')? {
            return Ok(());
        }
        loop {
            let name = self.text_or_word("the name of a member is expected")?;
            self.expect(":=", "a colon is expected")?;
            self.at += usize::from(self.text.as_bytes()[self.at - 1] == b'=' && self.rest().starts_with('>'));
            each(self, name)?;
            if self.closes('}')? {
                return Ok(());
            }
            self.expect(",;", "the end of the object or a comma is expected")?;
        }
    }

    fn headers(&mut self, headers: &mut Vec<Pair<'t>>) -> Result<(), BadJson> {
        self.expect("{", "headers are an object of texts")?;
        self.members(|reader, name| {
            // The console keeps a header's first place: a name that comes twice is refused, as Gson does it.
            if headers.len() < MOST_COMPARED && headers.iter().any(|(other, _)| *other == name) {
                return Err(reader.bad("a header is there twice"));
            }
            if let Some(value) = reader.scalar("the value of a header is a text")? {
                headers.push((name, value));
            }
            Ok(())
        })
    }

    /// A text, number or truth value as text; `None` for `null`.
    fn scalar(&mut self, what: &'static str) -> Result<Option<Cow<'t, str>>, BadJson> {
        let quoted = matches!(self.peek()?, Some('"' | '\''));
        let text = self.text_or_word(what)?;
        Ok(Some(text).filter(|text| quoted || !text.eq_ignore_ascii_case("null")))
    }

    fn null(&mut self, what: &'static str) -> Result<(), BadJson> {
        let at = self.at;
        match self.scalar(what)? {
            None => Ok(()),
            Some(_) => Err(BadJson { at, what }),
        }
    }

    fn text_or_word(&mut self, what: &'static str) -> Result<Cow<'t, str>, BadJson> {
        match self.peek()? {
            Some(quote @ ('"' | '\'')) => self.quoted(quote),
            _ => {
                let rest = self.rest();
                let word = &rest[..rest.find(WORD_ENDS).unwrap_or(rest.len())];
                if word.is_empty() {
                    return Err(self.bad(what));
                }
                self.at += word.len();
                Ok(Cow::Borrowed(word))
            }
        }
    }

    fn quoted(&mut self, quote: char) -> Result<Cow<'t, str>, BadJson> {
        self.at += 1;
        let mut text = Cow::Borrowed("");
        loop {
            let rest = self.rest();
            let end = rest.find([quote, '\\']).ok_or(self.bad("a text has no end"))?;
            match &mut text {
                Cow::Borrowed("") => text = Cow::Borrowed(&rest[..end]),
                text => text.to_mut().push_str(&rest[..end]),
            }
            self.at += end + 1;
            if rest[end..].starts_with(quote) {
                return Ok(text);
            }
            let escaped = self.escaped()?;
            text.to_mut().push(escaped);
        }
    }

    /// The character behind a backslash.
    fn escaped(&mut self) -> Result<char, BadJson> {
        let next = self.rest().chars().next().ok_or(self.bad("a text has no end"))?;
        self.at += next.len_utf8();
        Ok(match next {
            'u' => {
                let high = self.unit()?;
                let pair = (0xd800..0xdc00).contains(&high) && self.rest().starts_with("\\u");
                let before = self.at;
                let mut code = u32::from(high);
                if pair {
                    self.at += 2;
                    let low = self.unit()?;
                    if (0xdc00..0xe000).contains(&low) {
                        code = 0x10000 + ((code - 0xd800) << 10) + (u32::from(low) - 0xdc00);
                    } else {
                        self.at = before;
                    }
                }
                // Half a character: Java writes `?` for it.
                char::from_u32(code).unwrap_or('?')
            }
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            '\n' | '\'' | '"' | '\\' | '/' => next,
            _ => return Err(self.bad("there is no such escape")),
        })
    }

    fn unit(&mut self) -> Result<u16, BadJson> {
        let digits =
            self.rest().get(..4).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let unit = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok());
        self.at += 4 * usize::from(unit.is_some());
        unit.ok_or(self.bad("four hexadecimal digits are expected"))
    }

    /// Passes over any value.
    fn skip(&mut self) -> Result<(), BadJson> {
        let mut open = Vec::new();
        loop {
            match self.peek()? {
                Some(opens @ ('{' | '[')) if open.len() < MOST_NESTED => {
                    self.at += 1;
                    open.push(if opens == '{' { '}' } else { ']' });
                }
                Some('{' | '[') => return Err(self.bad("values are nested too deep")),
                Some(end) if open.last() == Some(&end) => {
                    self.at += 1;
                    open.pop();
                }
                Some(',' | ';' | ':' | '=' | '>') if !open.is_empty() => {
                    self.at += 1;
                    continue;
                }
                _ => drop(self.text_or_word("a value is expected")?),
            }
            if open.is_empty() {
                return Ok(());
            }
        }
    }
}

const WORD_ENDS: [char; 16] =
    ['{', '}', '[', ']', ':', ',', ' ', '\t', '\u{c}', '\r', '\n', '/', '\\', ';', '#', '='];
/// As Gson's.
const MOST_NESTED: usize = 255;
/// Headers of one event that are compared with each other: more would take time without bound.
const MOST_COMPARED: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Vec<String>, String> {
        let mut out = BatchBuilder::default();
        let count = events(text, Charset::UTF_8, &mut out).map_err(|bad| bad.to_string())?;
        let batch = out.finish();
        assert_eq!(batch.len(), count);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Ok(batch
            .events()
            .map(|event| {
                let headers: Vec<_> =
                    event.headers().map(|(k, v)| format!("{}={}", text(k), text(v))).collect();
                format!("{{{}}} {}", headers.join(", "), text(event.body()))
            })
            .collect())
    }

    #[test]
    fn events_are_read_as_leniently_as_by_flume() {
        for (text, expected) in [
            ("[]", vec![]),
            (r#"[{"headers":{"a":"b","c":"d"},"body":"x"},{"body":"y"}]"#, vec!["{a=b, c=d} x", "{} y"]),
            (r#"[{}, {"body": null, "headers": null}]"#, vec!["{} ", "{} "]),
            (r#"[{"headers":{"n":5,"t":true,"x":-1.50e3},"body":12}]"#, vec!["{n=5, t=true, x=-1.50e3} 12"]),
            (r#"[{"headers":{"none":null,"text":"null"},"body":"null"}]"#, vec!["{text=null} null"]),
            ("[{headers:{a:'b'},body:'single \" quotes'}]", vec!["{a=b} single \" quotes"]),
            ("[{body=1;headers=>{a=b}};{body:2}]", vec!["{a=b} 1", "{} 2"]),
            ("// one\n[ /* two */ {'body': word} # three", vec![]),
            (r#"[{"other":[1,{"a":[]},"]"],"body":"x","more":{}}]"#, vec!["{} x"]),
            (r#"[{"body":"\u00e9\n\ud83d\ude00\t\"\\\/\'\ud83dx"}]"#, vec!["{} é\n😀\t\"\\/'?x"]),
            ("[{\"body\":\"line\nbreak\"}]", vec!["{} line\nbreak"]),
        ] {
            match read(text) {
                Ok(found) => assert_eq!(found, expected, "{text}"),
                Err(why) => assert!(
                    text.contains("three") && why.starts_with("the end of the array"),
                    "{text}: {why}"
                ),
            }
        }
    }

    #[test]
    fn what_is_no_array_of_events_is_told() {
        for (text, why) in [
            ("", "there is no body"),
            ("  ", "there is no body"),
            ("{}", "an array of events"),
            ("null", "an array of events"),
            ("[null]", "an event is expected"),
            ("[{},]", "an event is expected"),
            ("[1]", "an event is expected"),
            ("[{}] x", "something stands behind"),
            ("[{}", "the end of the array"),
            ("[{\"body\":\"x}]", "a text has no end"),
            ("[{\"body\":{}}]", "a body is a text"),
            ("[{\"headers\":{\"a\":[]}}]", "the value of a header"),
            ("[{\"headers\":\"a\"}]", "headers are an object"),
            ("[{\"headers\":{\"a\":1,\"a\":2}}]", "a header is there twice"),
            ("[{\"body\":\"\\x\"}]", "there is no such escape"),
            ("[{\"body\":\"\\u12g4\"}]", "four hexadecimal"),
            ("[{\"body\" 1}]", "a colon"),
            ("/* [", "a comment has no end"),
        ] {
            let found = read(text).unwrap_err();
            assert!(found.starts_with(why), "{text}: {found}");
        }
        let deep = format!("[{{\"x\":{}", "[".repeat(100_000));
        assert!(read(&deep).unwrap_err().starts_with("values are nested"));
    }

    #[test]
    fn bodies_are_in_the_charset_of_the_request() {
        let mut out = BatchBuilder::default();
        events("[{\"body\":\"é\"}]", Charset::for_name("UTF-16").unwrap(), &mut out).unwrap();
        assert_eq!(out.finish().events().next().unwrap().body(), b"\xfe\xff\x00\xe9");
    }

    proptest! {
        #[test]
        fn what_serde_writes_is_read(
            events in proptest::collection::vec((proptest::collection::btree_map("\\PC{0,9}", "(?s).{0,20}", 0..5), "(?s).{0,99}"), 0..5)
        ) {
            let json: Vec<_> =
                events.iter().map(|(headers, body)| serde_json::json!({"headers": headers, "body": body})).collect();
            let expected: Vec<_> = events.iter().map(|(headers, body)| {
                let headers: Vec<_> = headers.iter().map(|(k, v)| format!("{k}={v}")).collect();
                format!("{{{}}} {body}", headers.join(", "))
            }).collect();
            prop_assert_eq!(read(&serde_json::to_string(&json).unwrap()), Ok(expected));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\[\\{(['\"\\\\{}\\[\\]:,;=>#/*u0-9a-f ]|headers|body){0,40}") {
            drop(read(&text));
        }
    }
}

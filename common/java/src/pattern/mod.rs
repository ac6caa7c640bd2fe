//! Java's regular expressions.
//!
//! [`translate`](translate::translate) rewrites a pattern for two engines. The `regex` crate takes the same time for
//! each byte of a text, whatever the pattern; it cannot do look-around, back-references, and possessive and atomic
//! groups. Patterns that have them run on `fancy-regex`, which tries one way after another, as Java does. It gives up
//! after a million ways in one text, or when it would have to remember that many at a time: then the text counts as
//! one that does not match, and [`Pattern::take_given_up`] tells. Java goes on trying, or overflows its stack.
//!
//! `$` and `(?m)^` of Java need look-around in texts with some line ends: only for such a text a pattern with them
//! runs on `fancy-regex`, any other on the faster one.
//!
//! What differs from JDK 17: in words that have combining marks, `\b` goes by Unicode's definition; a back-reference
//! with `(?i)` compares all of Unicode; with `(?iu)` a range does not hold the i's without and with a dot; the groups
//! in a repeat whose body can be empty; a look-behind without a limit to its length is taken (Java refuses some).
//! `\G`, `\X`, `\N{...}`, `\b{g}` and most blocks (`\p{In...}`) are refused.

mod class;
mod escape;
mod exact;
mod property;
mod reader;
mod replacement;
mod translate;

pub use reader::Refused;
pub use replacement::{Part, Replacement};

use crate::Charset;
use exact::{Exact, Spans};
use reader::engine;
use regex::bytes::{CaptureLocations, Regex};
use std::borrow::Cow;
use translate::{Differs, Translated};

/// A pattern as `java.util.regex.Pattern` understands it.
#[derive(Debug, Clone)]
pub struct Pattern {
    java: String,
    engines: Engines,
    groups: Vec<Option<String>>, // their names
}

#[derive(Debug, Clone)]
enum Engines {
    /// The fast one, always.
    Fast(Regex),
    /// The fast one but for some texts.
    Both(Regex, Differs, Box<Exact>),
    Exact(Box<Exact>),
}

/// Where a match and its groups stand in the text; used again from match to match.
#[derive(Debug, Clone)]
pub struct Groups {
    fast: Option<CaptureLocations>,
    exact: Option<Spans>, // the last match is the exact engine's
    count: usize,
}

impl Groups {
    /// From where to where group `group` matched; 0 is the whole match. None for one that took no part.
    #[inline]
    pub fn get(&self, group: usize) -> Option<(usize, usize)> {
        match &self.exact {
            None => self.fast.as_ref()?.get(group),
            Some(spans) => *spans.get(group)?,
        }
    }

    /// How many groups the pattern has, the whole match among them.
    #[expect(clippy::len_without_is_empty, reason = "there is always the whole match")]
    pub fn len(&self) -> usize {
        self.count
    }
}

impl Pattern {
    /// Compiles `java`.
    ///
    /// # Errors
    /// What is wrong with it, or cannot be done here, in an operator's words.
    pub fn compile(java: &str) -> Result<Pattern, Refused> {
        Pattern::build(java, translate::translate(java)?)
    }

    /// Compiles `java` to match whole texts only, as `Matcher.matches`.
    ///
    /// # Errors
    /// As [`Pattern::compile`].
    pub fn compile_whole(java: &str) -> Result<Pattern, Refused> {
        let whole = |regex: String| format!(r"\A(?:{regex})\z");
        let translated = translate::translate(java)?;
        let (fast, exact) = (translated.fast.map(whole), whole(translated.exact));
        Pattern::build(java, Translated { fast, exact, ..translated })
    }

    fn build(java: &str, translated: Translated) -> Result<Pattern, Refused> {
        let Translated { fast, exact, differs, groups } = translated;
        let engines = match fast {
            None => Engines::Exact(Box::new(Exact::compile(&exact).map_err(engine)?)),
            Some(fast) => {
                let fast = Regex::new(&fast).map_err(|error| engine(reason(&error)))?;
                if differs == Differs::default() {
                    Engines::Fast(fast)
                } else {
                    Engines::Both(fast, differs, Box::new(Exact::compile(&exact).map_err(engine)?))
                }
            }
        };
        Ok(Pattern { java: java.to_owned(), engines, groups })
    }

    /// Whether it is found anywhere in `text`.
    #[inline]
    pub fn is_found(&self, text: &[u8]) -> bool {
        match self.engine(text) {
            Engine::Fast(regex) => regex.is_match(text),
            Engine::Exact(exact) => exact.is_found(text),
        }
    }

    /// The first match in `text`, which is UTF-8, that begins at `start` or behind; its groups go to `groups`.
    #[inline]
    pub fn find_at(&self, text: &[u8], start: usize, groups: &mut Groups) -> bool {
        match (self.engine(text), &mut groups.fast) {
            (Engine::Fast(regex), Some(fast)) => {
                groups.exact = None;
                regex.captures_read_at(fast, text, start).is_some()
            }
            (Engine::Exact(exact), _) => {
                groups.exact = exact.find_at(text, start);
                groups.exact.is_some()
            }
            (Engine::Fast(_), None) => false, // groups of another pattern
        }
    }

    #[inline]
    fn engine(&self, text: &[u8]) -> Engine<'_> {
        match &self.engines {
            Engines::Fast(regex) => Engine::Fast(regex),
            Engines::Both(regex, differs, exact) => {
                if differs.about(text) {
                    Engine::Exact(exact)
                } else {
                    Engine::Fast(regex)
                }
            }
            Engines::Exact(exact) => Engine::Exact(exact),
        }
    }

    /// `text` in parts between matches, as `String.split`: no empty part at the end, nor in front of an empty match there.
    pub fn split<'t>(&self, text: &'t str) -> Vec<&'t str> {
        let (mut parts, mut groups) = (Vec::new(), self.groups());
        let (mut done, mut start) = (0, 0);
        while start <= text.len() && self.find_at(text.as_bytes(), start, &mut groups) {
            let Some((from, to)) = groups.get(0) else { break };
            if to > 0 {
                parts.push(&text[done..from]);
                done = to;
            }
            let step = text[to..].chars().next().map_or(1, char::len_utf8);
            start = if from == to { to + step } else { to };
        }
        parts.push(&text[done..]);
        while parts.len() > 1 && parts.last().is_some_and(|part| part.is_empty()) {
            parts.pop();
        }
        parts
    }

    /// Room for the groups of one match.
    pub fn groups(&self) -> Groups {
        let fast = match &self.engines {
            Engines::Fast(regex) | Engines::Both(regex, ..) => Some(regex.capture_locations()),
            Engines::Exact(_) => None,
        };
        Groups { fast, exact: None, count: self.groups.len() + 1 }
    }

    /// How many groups it has, the whole match not counted.
    pub fn group_count(&self) -> usize {
        self.groups.len()
    }

    /// The number of the group called `name`.
    pub fn group_named(&self, name: &str) -> Option<usize> {
        let named = |group: &Option<String>| group.as_deref() == Some(name);
        self.groups.iter().position(named).map(|index| index + 1)
    }

    /// In how many texts the search was given up since this was asked last: they counted as texts that do not match.
    pub fn take_given_up(&self) -> u64 {
        match &self.engines {
            Engines::Fast(_) => 0,
            Engines::Both(_, _, exact) | Engines::Exact(exact) => exact.take_given_up(),
        }
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.java
    }
}

enum Engine<'p> {
    Fast(&'p Regex),
    Exact(&'p Exact),
}

impl Differs {
    /// Whether the fast engine may be wrong about `text`.
    fn about(self, text: &[u8]) -> bool {
        let Some(last) = text.last() else { return self.empty };
        let ends = match last {
            b'\n' | b'\r' => true,
            0x80.. => ODD_ENDS.iter().any(|end| text.ends_with(end)),
            _ => false,
        };
        self.final_end && ends || self.odd_ends && !text.is_ascii() && has_odd_end(text)
    }
}

/// Line ends that few texts have.
const ODD_ENDS: [&[u8]; 3] = ["\u{85}".as_bytes(), "\u{2028}".as_bytes(), "\u{2029}".as_bytes()];

fn has_odd_end(text: &[u8]) -> bool {
    text.windows(2).any(|two| two == [0xc2, 0x85] || two == [0xe2, 0x80])
}

/// `bytes` as Java decodes UTF-8: each malformed part becomes U+FFFD.
#[inline]
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| Charset::UTF_8.decode(bytes), Cow::Borrowed)
}

fn reason(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => {
            "the regex takes too much memory; use smaller repeat counts".into()
        }
        // The crate draws the pattern with a marker below: only its last line says what is wrong.
        error => {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            format!("not a valid regex ({})", last.trim_start_matches("error: "))
        }
    }
}

#[cfg(test)]
mod tests;

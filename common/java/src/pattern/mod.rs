//! Java's regular expressions on the `regex` crate.
//!
//! [`translate`] rewrites what the two spell differently. What the crate cannot do (look-around, back-references,
//! possessive and atomic groups) is refused when the chain is built, with a word on what to write instead. Left out:
//! `(?i)` folds all of Unicode here and ASCII only in Java, and `(?m)^` also matches behind the last line end.

mod escape;
mod replacement;
mod translate;

pub use replacement::{Part, Replacement};

use regex::bytes::{CaptureLocations, Regex};
use std::borrow::Cow;

/// A pattern as `java.util.regex.Pattern` understands it.
#[derive(Debug, Clone)]
pub struct Pattern {
    regex: Regex,
    /// It says `$` outside of multi-line mode, which in Java also matches in front of a final line end.
    dollar: bool,
}

/// Where a match and its groups stand in the text; used again from match to match.
#[derive(Debug, Clone)]
pub struct Groups(CaptureLocations);

impl Groups {
    /// From where to where group `group` matched; 0 is the whole match. None for one that took no part.
    pub fn get(&self, group: usize) -> Option<(usize, usize)> {
        self.0.get(group)
    }

    /// How many groups the pattern has, the whole match among them.
    #[expect(clippy::len_without_is_empty, reason = "there is always the whole match")]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl Pattern {
    /// Compiles `java`.
    ///
    /// # Errors
    /// What is wrong with it, or cannot be done here, in an operator's words.
    pub fn compile(java: &str) -> Result<Pattern, String> {
        Pattern::build(java, |rust| rust)
    }

    /// Compiles `java` to match whole texts only, as `Matcher.matches`.
    ///
    /// # Errors
    /// As [`Pattern::compile`].
    pub fn compile_whole(java: &str) -> Result<Pattern, String> {
        let pattern = Pattern::build(java, |rust| format!(r"\A(?:{rust})\z"))?;
        Ok(Pattern { dollar: false, ..pattern })
    }

    fn build(java: &str, wrap: impl FnOnce(String) -> String) -> Result<Pattern, String> {
        let translated = translate::translate(java)?;
        let regex = Regex::new(&wrap(translated.regex)).map_err(|error| reason(&error))?;
        Ok(Pattern { regex, dollar: translated.dollar })
    }

    /// Whether it is found anywhere in `text`, which is UTF-8.
    pub fn is_found(&self, text: &[u8]) -> bool {
        self.regex.is_match(text) || self.shorter(text).is_some_and(|text| self.regex.is_match(text))
    }

    /// The first match in `text` that begins at `start` or behind; its groups go to `groups`.
    pub fn find_at(&self, text: &[u8], start: usize, groups: &mut Groups) -> bool {
        let groups = &mut groups.0;
        let found = self.regex.captures_read_at(groups, text, start).map(|found| found.start());
        let Some(shorter) = self.shorter(text).filter(|shorter| start <= shorter.len()) else {
            return found.is_some();
        };
        let earlier =
            self.regex.find_at(shorter, start).filter(|early| found.is_none_or(|at| early.start() < at));
        match earlier {
            Some(_) => self.regex.captures_read_at(groups, shorter, start).is_some(),
            None => found.is_some(),
        }
    }

    /// `text` in parts between matches, as `String.split`: no empty part at the end, nor in front of an empty match there.
    pub fn split<'t>(&self, text: &'t str) -> Vec<&'t str> {
        let mut parts = Vec::new();
        let mut done = 0;
        // The crate finds empty matches between the bytes of one character, too.
        let whole = |at: usize| text.is_char_boundary(at);
        let matches =
            self.regex.find_iter(text.as_bytes()).filter(|found| whole(found.start()) && found.end() > 0);
        for found in matches {
            parts.push(&text[done..found.start()]);
            done = found.end();
        }
        parts.push(&text[done..]);
        while parts.len() > 1 && parts.last().is_some_and(|part| part.is_empty()) {
            parts.pop();
        }
        parts
    }

    /// Room for the groups of one match.
    pub fn groups(&self) -> Groups {
        Groups(self.regex.capture_locations())
    }

    /// How many groups it has, the whole match not counted.
    pub fn group_count(&self) -> usize {
        self.regex.captures_len() - 1
    }

    /// The number of the group called `name`.
    pub fn group_named(&self, name: &str) -> Option<usize> {
        self.regex.capture_names().position(|group| group == Some(name))
    }

    /// `text` without its final line end, where that makes a difference.
    fn shorter<'t>(&self, text: &'t [u8]) -> Option<&'t [u8]> {
        if self.dollar { LINE_ENDS.iter().find_map(|end| text.strip_suffix(*end)) } else { None }
    }
}

/// `bytes` as Java decodes UTF-8: each malformed part becomes U+FFFD.
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    // Text that is well-formed is checked many bytes at a time only by the first.
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// What Java takes for the end of a line, the long one first.
const LINE_ENDS: [&[u8]; 6] =
    [b"\r\n", b"\n", b"\r", "\u{85}".as_bytes(), "\u{2028}".as_bytes(), "\u{2029}".as_bytes()];

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

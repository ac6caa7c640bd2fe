//! What looks at the body or rewrites it: `regex_filter`, `search_replace`.

use super::draft::{Draft, Text};
use flow::interceptor::Oversized;
use java::{Charset, Groups, Part, Pattern, Replacement, decode};
use plan::Properties;
use runtime::build::BuildError;
use std::borrow::Cow;

/// `regex_filter`: lets the events pass in whose body the regex is found, or is not found.
#[derive(Debug)]
pub(crate) struct RegexFilter {
    regex: Pattern,
    exclude: bool,
}

impl RegexFilter {
    /// `regex` (`.*`), `excludeEvents` (false).
    ///
    /// # Errors
    /// [`BuildError`] for a regex that is none.
    pub(crate) fn build(properties: &Properties, prefix: &str) -> Result<RegexFilter, BuildError> {
        let regex = Pattern::compile(properties.word("regex"));
        let regex = regex.map_err(|what| BuildError::new(properties, prefix, "regex", what))?;
        Ok(RegexFilter { regex, exclude: properties.flag("excludeEvents") })
    }

    /// What it looks for.
    pub(crate) fn pattern(&self) -> &Pattern {
        &self.regex
    }

    /// Whether an event with this body passes. The body is read as UTF-8, whatever the machine's own charset is.
    pub(crate) fn passes(&self, body: &[u8]) -> bool {
        self.regex.is_found(decode(body).as_bytes()) != self.exclude
    }
}

/// `search_replace`: replaces what the regex finds in the body.
#[derive(Debug)]
pub(crate) struct SearchReplace {
    search: Pattern,
    replacement: Replacement,
    charset: Charset,
    groups: Groups,
}

impl SearchReplace {
    /// `searchPattern` (required), `replaceString` (empty; with `$1`, `${name}` and `\` as in Java), `charset` (UTF-8).
    ///
    /// # Errors
    /// [`BuildError`].
    pub(crate) fn build(properties: &Properties, prefix: &str) -> Result<SearchReplace, BuildError> {
        let wrong = |key| move |what: String| BuildError::new(properties, prefix, key, what);
        let search = properties.text("searchPattern").filter(|search| !search.is_empty());
        let search = search
            .ok_or_else(|| "name the regex to search for".to_owned())
            .and_then(|search| Ok(Pattern::compile(search)?));
        let search = search.map_err(wrong("searchPattern"))?;
        let replacement = Replacement::compile(properties.word("replaceString"), &search);
        let charset = Charset::for_name(properties.word("charset"))
            .ok_or_else(|| "is no charset of Java's that can be read here, as UTF-8 or GBK".to_owned());
        Ok(SearchReplace {
            replacement: replacement.map_err(wrong("replaceString"))?,
            charset: charset.map_err(wrong("charset"))?,
            groups: search.groups(),
            search,
        })
    }

    /// What it looks for.
    pub(crate) fn pattern(&self) -> &Pattern {
        &self.search
    }

    /// Rewrites the body, as Java does: what is malformed in its charset is lost even where nothing is found.
    ///
    /// # Errors
    /// [`Oversized`].
    pub(crate) fn apply(&mut self, draft: &mut Draft<'_>) -> Result<(), Oversized> {
        let text = decoded(self.charset, draft.body(), draft)?;
        let replaced = self.replace(text, draft)?;
        let body = encoded(self.charset, replaced, draft)?;
        draft.set_body(body);
        Ok(())
    }

    fn replace(&mut self, text: Text, draft: &mut Draft<'_>) -> Result<Text, Oversized> {
        let length = draft.read(text).len();
        let (mut done, mut start, mark) = (0, 0, draft.mark());
        while start <= length && self.search.find_at(draft.read(text), start, &mut self.groups) {
            let (from, to) = self.groups.get(0).unwrap_or((length, length));
            draft.copy(text.part(done, from))?;
            replace(&self.replacement, text, &self.groups, draft)?;
            done = to;
            // Java looks on behind an empty match, and for an empty one right behind a match that was not.
            start = if from == to { to + char_length(draft.read(text), to) } else { to };
        }
        if mark == draft.mark() && done == 0 {
            return Ok(text);
        }
        draft.copy(text.part(done, length))?;
        Ok(draft.since(mark))
    }
}

/// `body` as UTF-8: itself where that is the same bytes.
fn decoded(charset: Charset, body: Text, draft: &mut Draft<'_>) -> Result<Text, Oversized> {
    let text = match charset.decode(draft.read(body)) {
        Cow::Borrowed(_) => return Ok(body),
        Cow::Owned(text) => text,
    };
    draft.write(text.as_bytes())
}

/// UTF-8 `text` in `charset`; a character that it does not have becomes `?`.
fn encoded(charset: Charset, text: Text, draft: &mut Draft<'_>) -> Result<Text, Oversized> {
    if charset == Charset::UTF_8 {
        return Ok(text);
    }
    let utf_8 = decode(draft.read(text));
    let bytes = match charset.encode(&utf_8) {
        Cow::Borrowed(_) => return Ok(text),
        Cow::Owned(bytes) => bytes,
    };
    draft.write(&bytes)
}

/// Appends what comes in place of the match `groups` in `text`.
fn replace(
    replacement: &Replacement,
    text: Text,
    groups: &Groups,
    draft: &mut Draft<'_>,
) -> Result<(), Oversized> {
    for part in replacement.parts() {
        match part {
            Part::Literal(literal) => {
                draft.write(literal.as_bytes())?;
            }
            Part::Group(group) => {
                if let Some((from, to)) = groups.get(*group) {
                    draft.copy(text.part(from, to))?;
                }
            }
        }
    }
    Ok(())
}

/// Bytes of the character at `at`; 1 at the end.
fn char_length(text: &[u8], at: usize) -> usize {
    match text.get(at) {
        None | Some(..0xc0) => 1,
        Some(..0xe0) => 2,
        Some(..0xf0) => 3,
        Some(_) => 4,
    }
}

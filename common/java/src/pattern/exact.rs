//! The engine that can do all that Java's can: it tries one way after another, up to a limit.

use fancy_regex::{Error, Regex, RegexBuilder};
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Where a match and its groups stand; the first is the whole match.
pub(super) type Spans = Vec<Option<(usize, usize)>>;

/// A pattern for `fancy-regex`.
#[derive(Debug, Clone)]
pub(super) struct Exact {
    regex: Regex,
    given_up: Arc<AtomicU64>,
}

impl Exact {
    /// # Errors
    /// What is wrong with it, in an operator's words.
    pub(super) fn compile(pattern: &str) -> Result<Exact, String> {
        let regex = RegexBuilder::new(pattern)
            .backtrack_limit(MOST_STEPS)
            .max_prog_size(MOST_PROGRAM)
            .build()
            .map_err(|error| reason(&error))?;
        Ok(Exact { regex, given_up: Arc::default() })
    }

    /// Whether it is found anywhere in `text`.
    pub(super) fn is_found(&self, text: &[u8]) -> bool {
        let found = self.regex.is_match(&*readable(text));
        self.unless_given_up(found).unwrap_or_default()
    }

    /// The first match in `text`, which is UTF-8, at `start` or behind.
    pub(super) fn find_at(&self, text: &[u8], start: usize) -> Option<Spans> {
        let text = readable(text);
        let found = self.regex.captures_from_pos(&*text, start);
        let groups = self.unless_given_up(found)??;
        Some(groups.iter().map(|group| group.map(|group| (group.start(), group.end()))).collect())
    }

    /// In how many texts the search was given up since this was asked last.
    pub(super) fn take_given_up(&self) -> u64 {
        // The swap writes; to look first is cheaper where several ask.
        if self.given_up.load(Ordering::Relaxed) == 0 { 0 } else { self.given_up.swap(0, Ordering::Relaxed) }
    }

    fn unless_given_up<T>(&self, found: fancy_regex::Result<T>) -> Option<T> {
        found
            .inspect_err(|_| {
                self.given_up.fetch_add(1, Ordering::Relaxed);
            })
            .ok()
    }
}

/// Names of files need not be UTF-8.
fn readable(text: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(text)
}

fn reason(error: &Error) -> String {
    match error {
        Error::CompileError(_) => "the regex takes too much memory; use smaller repeat counts".into(),
        error => format!("not a valid regex ({error})"),
    }
}

/// Ways that are tried in one text, which takes some ten milliseconds. Java has no limit: it goes on, maybe for years.
const MOST_STEPS: usize = 1_000_000;

/// Instructions of a compiled pattern.
const MOST_PROGRAM: usize = 1 << 17;

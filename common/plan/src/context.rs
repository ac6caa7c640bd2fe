//! One component's keys, with the component's prefix removed.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::place::Place;
use crate::report::cut;
use crate::secret::{HIDDEN, is_secret, without_log_ins};

/// The keys of one component, in the order in which the file has them.
///
/// Values are what the file says after substitution and trimming. Getters answer the default for text that does
/// not parse: the check has reported it before a component is built.
#[derive(Clone, Debug, Default)]
pub struct Context {
    entries: Vec<Entry>,
    index: HashMap<String, usize>,
}

#[derive(Clone)]
struct Entry {
    key: String,
    value: String,
    secret: bool,
    place: Option<Place>,
}

impl fmt::Debug for Entry {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} = {}", self.key, self.shown())
    }
}

impl Entry {
    fn shown(&self) -> String {
        if self.secret { HIDDEN.to_string() } else { cut(&without_log_ins(&self.value), MOST_SHOWN) }
    }
}

/// Bytes of a value in a message.
const MOST_SHOWN: usize = 400;

impl Context {
    /// Keys and values without a place, for tests and for components made by hand. The last of equal keys wins.
    pub fn from_pairs<K: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (K, V)>) -> Context {
        let mut context = Context::default();
        for (key, value) in pairs {
            let key = key.into();
            let secret = is_secret(&key);
            context.put(key, value.into(), secret, None);
        }
        context
    }

    /// Adds a key, or gives it another value.
    pub(crate) fn push(&mut self, key: String, value: String, secret: bool, place: Place) {
        self.put(key, value, secret, Some(place));
    }

    fn put(&mut self, key: String, value: String, secret: bool, place: Option<Place>) {
        let next = self.entries.len();
        let index = *self.index.entry(key.clone()).or_insert(next);
        let entry = Entry { key, value, secret, place };
        match self.entries.get_mut(index) {
            Some(there) => *there = entry,
            None => self.entries.push(entry),
        }
    }

    /// The value of `key` as it stands.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.find(key).map(|entry| entry.value.as_str())
    }

    /// The value of `key` for a message: cut when it is long, and not there when it is a secret.
    pub fn shown(&self, key: &str) -> Option<String> {
        self.find(key).map(Entry::shown)
    }

    /// The value of `key`, or `default`.
    pub fn text_or<'a>(&'a self, key: &str, default: &'a str) -> &'a str {
        self.text(key).unwrap_or(default)
    }

    /// A number, read as Java does: blanks around it are ignored, a leading `+` is allowed.
    pub fn number<T: FromStr + Copy>(&self, key: &str, default: T) -> T {
        self.text(key).and_then(|text| text.trim().parse().ok()).unwrap_or(default)
    }

    /// `true` in any case is true, every other text is false. Source: Flume's `Context.getBoolean`.
    pub fn flag(&self, key: &str, default: bool) -> bool {
        self.text(key).map_or(default, |text| text.trim().eq_ignore_ascii_case("true"))
    }

    /// A number of milliseconds.
    pub fn millis(&self, key: &str, default: Duration) -> Duration {
        self.text(key).and_then(|text| text.trim().parse().ok()).map_or(default, Duration::from_millis)
    }

    /// A number of whole seconds.
    pub fn seconds(&self, key: &str, default: Duration) -> Duration {
        self.text(key).and_then(|text| text.trim().parse().ok()).map_or(default, Duration::from_secs)
    }

    /// A list, split at blanks; empty when the key is missing.
    pub fn words(&self, key: &str) -> Vec<&str> {
        self.text(key).map(|text| words(text).collect()).unwrap_or_default()
    }

    /// The sub-properties below `prefix`, without it: with `headers.a = 1`, `under("headers.")` gives `("a", "1")`.
    /// The prefix may be given with or without its dot.
    pub fn under(&self, prefix: &str) -> impl Iterator<Item = (&str, &str)> {
        let prefix = prefix.strip_suffix('.').unwrap_or(prefix);
        self.entries.iter().filter_map(move |entry| {
            let key = entry.key.strip_prefix(prefix)?.strip_prefix('.')?;
            Some((key, entry.value.as_str()))
        })
    }

    /// Where the value of `key` was set; `None` for a missing key and for one made by hand.
    pub fn place(&self, key: &str) -> Option<&Place> {
        self.find(key).and_then(|entry| entry.place.as_ref())
    }

    /// All keys and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries.iter().map(|entry| (entry.key.as_str(), entry.value.as_str()))
    }

    fn find(&self, key: &str) -> Option<&Entry> {
        self.entries.get(*self.index.get(key)?)
    }
}

/// Splits a list as Flume does, at Java's `\s+`: ASCII blanks only, a no-break space is part of a name.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', '\t', '\n', '\u{b}', '\u{c}', '\r']).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Context {
        Context::from_pairs([
            ("batchSize", " 20 "),
            ("restart", "TRUE"),
            ("logStdErr", "yes"),
            ("wait", "x"),
            ("pause", "7"),
            ("channels", "c1  c2\tc3"),
            ("headers.f1.a", "1"),
            ("headersX.f1", "no"),
            ("headers.f1.a.b", "2"),
        ])
    }

    #[test]
    fn text_becomes_values_as_in_java() {
        let context = sample();
        assert_eq!(context.number("batchSize", 1u32), 20);
        assert!(context.flag("restart", false));
        assert!(!context.flag("logStdErr", true));
        assert!(context.flag("absent", true));
        assert_eq!(context.millis("wait", Duration::from_millis(5)), Duration::from_millis(5));
        assert_eq!(context.seconds("pause", Duration::ZERO), Duration::from_secs(7));
        assert_eq!(context.words("channels"), ["c1", "c2", "c3"]);
        assert_eq!(context.text_or("absent", "d"), "d");
    }

    #[test]
    fn sub_properties_keep_their_order_and_lose_their_prefix() {
        let context = sample();
        let expected = [("f1.a", "1"), ("f1.a.b", "2")];
        assert_eq!(context.under("headers.").collect::<Vec<_>>(), expected);
        assert_eq!(context.under("headers").collect::<Vec<_>>(), expected);
        assert_eq!(context.under("headers.f1").collect::<Vec<_>>(), [("a", "1"), ("a.b", "2")]);
    }

    #[test]
    fn the_last_of_equal_keys_wins() {
        let context = Context::from_pairs([("a", "1"), ("b", "2"), ("a", "3")]);
        assert_eq!(context.text("a"), Some("3"));
        assert_eq!(context.iter().count(), 2);
    }
}

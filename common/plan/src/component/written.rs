//! What a file has written for a component, before it is decided where the component runs.

/// The keys of a component with their values, which are trimmed and have no comment behind them.
#[derive(Debug)]
pub struct Written<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Written<'a> {
    /// These; the last of equal keys wins.
    pub fn new(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Written<'a> {
        Written(pairs.into_iter().map(|(key, value)| (key, value.trim())).collect())
    }

    /// The value of `key`, if it has one that is not empty.
    pub fn get(&self, key: &str) -> Option<&'a str> {
        let found = self.0.iter().rev().find(|(known, _)| *known == key);
        found.map(|(_, value)| *value).filter(|value| !value.is_empty())
    }

    /// Whether `key` is `true`, as Java reads it.
    pub fn is_on(&self, key: &str) -> bool {
        self.get(key).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// The keys that begin with `prefix`, without it, and their values.
    pub fn under(&self, prefix: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().filter_map(move |(key, value)| Some((key.strip_prefix(prefix)?, *value)))
    }
}

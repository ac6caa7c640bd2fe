//! Which topics a source reads: those that are named, or those whose names match.
//!
//! librdkafka's own patterns are not Java's, so names are matched here, and looked at again once in a while.

use super::consumer::Ear;
use java::Pattern;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use runtime::clock::{Duration, Instant};
use std::fmt;
use std::sync::Arc;

/// Topics, as the file has them.
#[derive(Clone)]
pub(crate) struct Topics {
    wanted: Wanted,
    /// Those that are subscribed.
    now: Option<Vec<String>>,
    looked: Option<Instant>,
}

#[derive(Clone)]
enum Wanted {
    Named(Vec<String>),
    Matching(Arc<Pattern>),
}

impl Topics {
    /// Those between commas.
    pub(crate) fn named(text: &str) -> Topics {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned);
        Topics { wanted: Wanted::Named(names.collect()), now: None, looked: None }
    }

    /// Those whose whole name matches.
    pub(crate) fn matching(pattern: Pattern) -> Topics {
        Topics { wanted: Wanted::Matching(Arc::new(pattern)), now: None, looked: None }
    }

    /// The one that is named, if it is one.
    pub(crate) fn only(&self) -> Option<&str> {
        match &self.wanted {
            Wanted::Named(names) if names.len() == 1 => names.first().map(String::as_str),
            Wanted::Named(_) | Wanted::Matching(_) => None,
        }
    }

    /// What is to be subscribed from now on, if that is something else.
    pub(crate) fn changed(
        &mut self,
        consumer: &BaseConsumer<Ear>,
        now: Instant,
    ) -> Option<KafkaResult<Vec<String>>> {
        let pattern = match &self.wanted {
            Wanted::Named(_) if self.now.is_some() => return None,
            Wanted::Named(names) => {
                self.now = Some(names.clone());
                return Some(Ok(names.clone()));
            }
            Wanted::Matching(pattern) => pattern.clone(),
        };
        let pause = if self.now.is_some() { LOOK } else { SOON };
        if self.looked.is_some_and(|looked| now.saturating_duration_since(looked) < pause) {
            return None;
        }
        self.looked = Some(now);
        let known = match consumer.fetch_metadata(None, ASK_LIMIT) {
            Ok(known) => known,
            Err(error) => return Some(Err(error)),
        };
        let found = matching(&pattern, known.topics().iter().map(|topic| topic.name()));
        if self.now.as_ref() == Some(&found) {
            return None;
        }
        self.now = Some(found.clone());
        Some(Ok(found))
    }
}

/// Those that match, in order. Kafka's own are meant only by a pattern that says so.
fn matching<'a>(pattern: &Pattern, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let own = pattern.as_str().contains("__");
    let mut found: Vec<String> = names
        .filter(|name| (own || !name.starts_with("__")) && pattern.is_found(name.as_bytes()))
        .map(str::to_owned)
        .collect();
    found.sort_unstable();
    found
}

impl fmt::Display for Topics {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.wanted {
            Wanted::Named(names) => write!(out, "`{}`", names.join(",")),
            Wanted::Matching(pattern) => write!(out, "`{}`", pattern.as_str()),
        }
    }
}

const LOOK: Duration = Duration::from_secs(60);
const SOON: Duration = Duration::from_secs(5);
const ASK_LIMIT: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_name_matches_and_kafkas_own_are_not_meant() {
        let found = |pattern: &str| {
            let pattern = Pattern::compile_whole(pattern).unwrap();
            matching(&pattern, ["b-logs", "a-logs", "logs", "logs-old", "__consumer_offsets"].into_iter())
        };
        assert_eq!(found(".*logs"), ["a-logs", "b-logs", "logs"]);
        assert_eq!(found(r"\w-logs"), ["a-logs", "b-logs"]);
        assert_eq!(found(".*s").len(), 3);
        assert_eq!(found("__.*"), ["__consumer_offsets"]);
    }
}

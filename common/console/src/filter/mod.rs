//! log4j's filters: they look at a line and say yes, no, or that they do not mind. No clock: the times are arguments.
//!
//! Source: log4j 2.18 `core.filter`, log4j 1.2.17 `varia`. A message is filtered as it is printed, with its keys and values.

mod burst;
mod day;

pub use day::PartOfDay;

use burst::Burst;
use java::Pattern;
use slog::Level;
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// What a filter says of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is printed, and nobody behind this filter is asked.
    Accept,
    /// The next one decides; behind the last it is printed.
    Neutral,
    /// It is not printed.
    Deny,
}

/// A line, as far as filters look at it.
#[derive(Clone, Copy)]
pub(crate) struct Line<'a> {
    pub(crate) level: Level,
    pub(crate) message: &'a [u8],
    /// Since 1970.
    pub(crate) millis: i64,
    pub(crate) now: Instant,
    /// Takes what is to be said of a filter, each thing once.
    pub(crate) tell: &'a dyn Fn(&str),
}

/// One filter, or several in their order.
#[derive(Debug, Clone)]
pub struct Filter(Kind);

#[derive(Debug, Clone)]
enum Kind {
    One { test: Test, on_match: Outcome, on_mismatch: Outcome },
    All(Vec<Filter>),
}

/// What a filter asks of a line.
#[derive(Debug, Clone)]
pub struct Test(Asked);

#[derive(Debug, Clone)]
enum Asked {
    /// Levels from the most to the least severe one, by their ranks.
    Levels(usize, usize),
    Contains(Vec<u8>),
    /// And whether it was told that the search was given up.
    Matches(Box<Pattern>, Arc<AtomicBool>),
    /// Lines of this rank and less severe ones.
    Burst(usize, Arc<Mutex<Burst>>),
    PartOfDay(PartOfDay),
    Always(bool),
}

impl Test {
    /// Whether it is of `least` or more severe; `None` is OFF, which no line is.
    pub fn threshold(least: Option<Level>) -> Test {
        Test(Asked::Levels(0, rank(least)))
    }

    /// Whether it is between two levels, or of one of them.
    pub fn levels(most: Option<Level>, least: Option<Level>) -> Test {
        Test(Asked::Levels(rank(most), rank(least)))
    }

    /// Whether the message has this text.
    pub fn contains(text: &str) -> Test {
        Test(Asked::Contains(text.as_bytes().to_vec()))
    }

    /// Whether the whole message is like this pattern of Java's.
    ///
    /// # Errors
    /// What is wrong with it, in an operator's words.
    pub fn matches(regex: &str) -> Result<Test, String> {
        let whole = Pattern::compile_whole(regex).map_err(|refused| refused.to_string())?;
        Ok(Test(Asked::Matches(Box::new(whole), Arc::default())))
    }

    /// Whether a line of `level`, or a less severe one, is among the `most` of an `interval`. More severe ones always are.
    pub fn burst(level: Option<Level>, most: usize, interval: Duration) -> Test {
        Test(Asked::Burst(rank(level), Arc::new(Mutex::new(Burst::new(most, interval)))))
    }

    /// Whether it is said in this part of a day.
    pub fn part_of_day(part: PartOfDay) -> Test {
        Test(Asked::PartOfDay(part))
    }

    /// The same for each line: what is asked of markers and contexts, which no line here has.
    pub fn always(answer: bool) -> Test {
        Test(Asked::Always(answer))
    }

    fn holds(&self, line: &Line<'_>) -> bool {
        match &self.0 {
            Asked::Levels(most, least) => (*most..=*least).contains(&rank(Some(line.level))),
            Asked::Contains(text) => {
                text.is_empty() || line.message.windows(text.len()).any(|part| part == &text[..])
            }
            Asked::Matches(whole, is_told) => {
                let is_found = whole.is_found(line.message);
                if whole.take_given_up() > 0 && !is_told.swap(true, Relaxed) {
                    (line.tell)(&given_up(whole));
                }
                is_found
            }
            Asked::Burst(level, burst) => {
                *level > rank(Some(line.level))
                    || burst.lock().unwrap_or_else(PoisonError::into_inner).take(line.now)
            }
            Asked::PartOfDay(part) => part.has(line.millis),
            Asked::Always(answer) => *answer,
        }
    }
}

impl Filter {
    /// One that says one thing of a line that passes `test`, and another of one that does not.
    pub fn new(test: Test, on_match: Outcome, on_mismatch: Outcome) -> Filter {
        Filter(Kind::One { test, on_match, on_mismatch })
    }

    /// Several: the first that minds decides.
    pub fn all(filters: Vec<Filter>) -> Filter {
        Filter(Kind::All(filters))
    }

    pub(crate) fn decide(&self, line: &Line<'_>) -> Outcome {
        match &self.0 {
            Kind::One { test, on_match, on_mismatch } => {
                if test.holds(line) {
                    *on_match
                } else {
                    *on_mismatch
                }
            }
            Kind::All(filters) => {
                let mut outcomes = filters.iter().map(|filter| filter.decide(line));
                outcomes.find(|outcome| *outcome != Outcome::Neutral).unwrap_or(Outcome::Neutral)
            }
        }
    }

    /// Whether it may accept a line whatever its logger's level is.
    pub fn may_accept(&self) -> bool {
        match &self.0 {
            Kind::One { on_match, on_mismatch, .. } => [on_match, on_mismatch].contains(&&Outcome::Accept),
            Kind::All(filters) => filters.iter().any(Filter::may_accept),
        }
    }
}

fn given_up(whole: &Pattern) -> String {
    let regex: String = whole.as_str().chars().take(MOST_SHOWN).collect();
    format!(
        "the regex {regex} of a log filter tries too many ways on some log lines and gives up; they count as lines that do not match (Flume goes on for as long as it takes). Write it so that only one way can match"
    )
}

/// Characters of a regex.
const MOST_SHOWN: usize = 100;

/// 0 is OFF, 6 is TRACE.
fn rank(level: Option<Level>) -> usize {
    level.map_or(0, |level| level.as_usize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use Outcome::{Accept, Deny, Neutral};

    fn line(level: Level, message: &str) -> Line<'_> {
        Line { level, message: message.as_bytes(), millis: 0, now: Instant::now(), tell: &|_| {} }
    }

    fn held(test: &Test) -> Vec<Level> {
        use Level::{Critical, Debug, Error, Info, Trace, Warning};
        let levels = [Critical, Error, Warning, Info, Debug, Trace];
        levels.into_iter().filter(|level| test.holds(&line(*level, "x"))).collect()
    }

    #[test]
    fn levels_are_held_from_one_to_the_other() {
        use Level::{Critical, Debug, Error, Info, Warning};
        assert_eq!(held(&Test::threshold(Some(Warning))), [Critical, Error, Warning]);
        assert_eq!(held(&Test::threshold(None)), []);
        assert_eq!(held(&Test::levels(Some(Error), Some(Info))), [Error, Warning, Info]);
        assert_eq!(held(&Test::levels(None, Some(Error))), [Critical, Error]);
        assert_eq!(held(&Test::levels(Some(Debug), Some(Info))), [], "the wrong way round");
        assert_eq!(held(&Test::burst(Some(Warning), 1, Duration::MAX)), [Critical, Error, Warning]);
    }

    #[test]
    fn a_message_has_a_text_or_is_all_of_a_pattern() {
        let holds = |test: &Test, message| test.holds(&line(Level::Info, message));
        let text = Test::contains("started");
        assert!(holds(&text, "r1 started") && !holds(&text, "r1 start") && !holds(&text, ""));
        assert!(holds(&Test::contains(""), ""));
        let whole = Test::matches("r\\d .*").unwrap();
        assert!(holds(&whole, "r1 started") && !holds(&whole, "source r1 started"));
        assert!(!holds(&whole, "r1 started\non two lines"), "in Java neither");
    }

    #[test]
    fn a_pattern_that_is_given_up_is_told_once() {
        let (told, message) = (std::cell::Cell::new(0), "a".repeat(60) + "!c");
        let count = |text: &str| told.set(told.get() + usize::from(text.contains("(a|aa)")));
        let whole = Test::matches(r"(?:(a|aa)(?!b))+\1c").unwrap();
        for _ in 0..2 {
            let line = Line { tell: &count, ..line(Level::Info, &message) };
            assert!(!whole.holds(&line) && !whole.clone().holds(&line));
        }
        assert_eq!(told.get(), 1);
    }

    #[test]
    fn the_first_that_minds_decides() {
        let one = |text, on_match, on_mismatch| Filter::new(Test::contains(text), on_match, on_mismatch);
        let all = Filter::all(vec![
            one("a", Accept, Neutral),
            Filter::all(vec![one("b", Deny, Neutral), one("c", Neutral, Neutral)]),
            one("d", Neutral, Deny),
        ]);
        let said = ["a b", "b d", "c d", "c"].map(|message| all.decide(&line(Level::Info, message)));
        assert_eq!(said, [Accept, Deny, Neutral, Deny]);
        assert!(all.may_accept() && !one("a", Neutral, Deny).may_accept());
        assert_eq!(Filter::all(vec![]).decide(&line(Level::Info, "")), Neutral);
    }
}

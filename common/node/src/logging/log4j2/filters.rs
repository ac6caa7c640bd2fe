//! `<ThresholdFilter>` and its like: what appenders, references, loggers or the whole configuration hold back.
//!
//! Source: log4j 2.18 `core.filter`, the builders. No line here has a marker, a context or a map: what asks for these says what
//! log4j's says of lines without.

use super::{
    super::model::{Appender, Lack, MOST_NAME, stricter},
    Reader, elements, is, kind,
};
use console::{Filter, Outcome, PartOfDay, Test};
use roxmltree::Node;
use slog::Level;
use std::{sync::Arc, time::Duration};

/// What is wrong with filters.
#[derive(Default)]
pub(super) struct Wrong {
    pub(super) notices: Vec<String>,
    /// What only log4j itself can do.
    pub(super) lacks: Vec<Lack>,
}

impl Wrong {
    fn push(&mut self, text: String) {
        self.notices.push(text);
    }

    fn lack(&mut self, what: String, said: String) {
        self.lacks.push(Lack { what, said });
    }
}

/// Whether an element is a filter, known or not.
pub(super) fn is_filter(node: Node<'_, '_>) -> bool {
    let name = kind(node).to_ascii_lowercase();
    name.ends_with("filter") || name == "filters"
}

/// The filter of an element, which has one: log4j takes the first.
fn first_filter<'a, 'i>(node: Node<'a, 'i>, wrong: &mut Wrong) -> Option<Node<'a, 'i>> {
    let mut filters = elements(node).filter(|element| is_filter(*element));
    let first = filters.next()?;
    for other in filters {
        wrong.push(format!(
            "<{}> has no effect, in Flume neither: of several filters the first counts; write <Filters> around them",
            kind(other)
        ));
    }
    Some(first)
}

impl Reader<'_> {
    /// Reads what an appender holds back. A plain threshold, which most have, is no filter that lines are asked for.
    pub(super) fn hold_back(&mut self, node: Node<'_, '_>, appender: &mut Appender) {
        let mut wrong = Wrong::default();
        let first = first_filter(node, &mut wrong);
        if let Some(plain) = first.filter(|filter| self.is_plain_threshold(*filter)) {
            let text = self.get(plain, "level").unwrap_or_else(|| "ERROR".to_owned());
            appender.threshold = stricter(appender.threshold, self.level(&text, Level::Error));
        } else {
            appender.filter = first.and_then(|first| self.one_filter(first, &mut wrong)).map(Arc::new);
        }
        wrong.notices.into_iter().for_each(|what| appender.say(format_args!("its {what}")));
        wrong.lacks.into_iter().for_each(|lack| appender.lack(&lack.what, format_args!("its {}", lack.said)));
    }

    fn is_plain_threshold(&self, node: Node<'_, '_>) -> bool {
        let says = |name, default: &str| self.get(node, name).unwrap_or_else(|| default.to_owned());
        is(node, "ThresholdFilter")
            && !says("onMatch", "NEUTRAL").eq_ignore_ascii_case("DENY")
            && says("onMismatch", "DENY").eq_ignore_ascii_case("DENY")
    }

    /// The filter of an element.
    pub(super) fn filter(&mut self, node: Node<'_, '_>, wrong: &mut Wrong) -> Option<Filter> {
        first_filter(node, wrong).and_then(|first| self.one_filter(first, wrong))
    }

    /// `None` for one that holds nothing back, since it is not there or is not whole; then it is told.
    pub(super) fn one_filter(&mut self, node: Node<'_, '_>, wrong: &mut Wrong) -> Option<Filter> {
        self.filter_within(node, wrong, DEEPEST)
    }

    fn filter_within(&mut self, node: Node<'_, '_>, wrong: &mut Wrong, depth: usize) -> Option<Filter> {
        let name = plan::cut(kind(node), MOST_NAME);
        if is(node, "Filters") {
            if depth == 0 {
                wrong.lack(
                    name.to_string(),
                    format!(
                        "<Filters> within {DEEPEST} others are not read: what they would hold back is written"
                    ),
                );
                return None;
            }
            let all = elements(node).filter_map(|one| self.filter_within(one, wrong, depth - 1));
            return Some(Filter::all(all.collect()));
        }
        let test = match self.test(node, wrong) {
            Ok(test) => test,
            Err(why) => {
                let said = format!("<{name}> {why}: what it would hold back is written");
                if why == NOT_THERE {
                    wrong.lack(format!("<{name}>"), said);
                } else {
                    wrong.push(said);
                }
                return None;
            }
        };
        let mut outcome = |attribute, default| match self.get(node, attribute) {
            None => default,
            Some(text) => match text.trim().to_ascii_uppercase().as_str() {
                "ACCEPT" => Outcome::Accept,
                "NEUTRAL" => Outcome::Neutral,
                "DENY" => Outcome::Deny,
                _ => {
                    let text = plan::cut(&text, MOST_NAME);
                    wrong.push(format!("<{name}>: {attribute}={text} is none of ACCEPT, NEUTRAL and DENY; log4j's own is taken"));
                    default
                }
            },
        };
        let (on_match, on_mismatch) =
            (outcome("onMatch", Outcome::Neutral), outcome("onMismatch", Outcome::Deny));
        Some(match kind(node).to_ascii_lowercase().as_str() {
            "denyallfilter" => Filter::new(test, Outcome::Deny, Outcome::Deny),
            // No message is a map, and no context has a value: log4j does not mind.
            "mapfilter" | "structureddatafilter" | "dynamicthresholdfilter" => {
                Filter::new(test, Outcome::Neutral, Outcome::Neutral)
            }
            _ => Filter::new(test, on_match, on_mismatch),
        })
    }

    fn test(&mut self, node: Node<'_, '_>, wrong: &mut Wrong) -> Result<Test, String> {
        Ok(match kind(node).to_ascii_lowercase().as_str() {
            "thresholdfilter" => Test::threshold(self.named_level(node, "level", Level::Error)),
            "levelmatchfilter" => {
                let level = self.named_level(node, "level", Level::Error);
                Test::levels(level, level)
            }
            "levelrangefilter" => {
                let most = self.named_level(node, "minLevel", Level::Error);
                Test::levels(most, self.named_level(node, "maxLevel", Level::Error))
            }
            "stringmatchfilter" => Test::contains(&self.get(node, "text").unwrap_or_default()),
            "regexfilter" => {
                if elements(node).next().is_some() {
                    wrong.push(
                        "<RegexFilter>: elements in it have no effect; write flags into the pattern, as (?i)"
                            .to_owned(),
                    );
                }
                let regex = self.get(node, "regex").ok_or("has no regex")?;
                Test::matches(&regex).map_err(|why| format!("has a regex that cannot be read ({why})"))?
            }
            "burstfilter" => self.burst(node, wrong),
            "timefilter" => {
                let [start, end, zone] = ["start", "end", "timezone"].map(|name| self.get(node, name));
                let part = PartOfDay::parse(start.as_deref(), end.as_deref(), zone.as_deref());
                Test::part_of_day(part.map_err(|why| format!("is not whole ({why})"))?)
            }
            "denyallfilter"
            | "mapfilter"
            | "structureddatafilter"
            | "dynamicthresholdfilter"
            | "nomarkerfilter" => Test::always(true),
            "markerfilter" if self.get(node, "marker").is_none() => return Err("has no marker".to_owned()),
            "threadcontextmapfilter" | "contextmapfilter" if elements(node).next().is_none() => {
                return Err("has no keys".to_owned());
            }
            "markerfilter" | "threadcontextmapfilter" | "contextmapfilter" => Test::always(false),
            _ => return Err(NOT_THERE.to_owned()),
        })
    }

    fn named_level(&mut self, node: Node<'_, '_>, name: &str, default: Level) -> Option<Level> {
        self.get(node, name).map_or(Some(default), |text| self.level(&text, default))
    }

    fn burst(&mut self, node: Node<'_, '_>, wrong: &mut Wrong) -> Test {
        let level = self.named_level(node, "level", Level::Warning);
        let mut number = |name: &str| {
            let text = self.get(node, name)?;
            let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
            if number.is_none() {
                let text = plan::cut(&text, MOST_NAME);
                wrong.push(format!("<BurstFilter>: {name}={text} is no number; log4j's own is taken"));
            }
            number.filter(|number| *number > 0.0)
        };
        let rate = number("rate").unwrap_or(10.0);
        let most = number("maxBurst").unwrap_or(rate * 100.0).trunc();
        if most > MOST_BURST {
            wrong.push(format!(
                "<BurstFilter>: a burst of more than {MOST_BURST} lines is not counted; that many are taken"
            ));
        }
        let (most, interval) = counted(most, rate);
        Test::burst(level, most, interval)
    }
}

/// How many lines are counted, and in which time so many come at `rate` lines a second.
fn counted(most: f64, rate: f64) -> (usize, Duration) {
    let most = most.min(MOST_BURST);
    (most as usize, Duration::try_from_secs_f64(most / rate).unwrap_or(Duration::MAX))
}

/// Of a filter that only log4j has.
const NOT_THERE: &str = "is not there";

/// Filters within filters.
const DEEPEST: usize = 16;

/// Each that is counted takes memory for a while.
const MOST_BURST: f64 = 100_000.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_that_is_cut_has_the_same_rate() {
        assert_eq!(counted(1000.0, 10.0), (1000, Duration::from_secs(100)));
        assert_eq!(counted(1e9, 10.0), (100_000, Duration::from_secs(10_000)));
        assert_eq!(counted(1.0, 1e-300), (1, Duration::MAX));
    }
}

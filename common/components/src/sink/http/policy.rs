//! What follows from the status of an answer.

use plan::Properties;
use std::collections::BTreeMap;

/// `rollback`, `backoff` and `incrementMetrics`, by status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rules {
    rollback: Rule,
    backoff: Rule,
    count: Rule,
}

/// One of them: what is said for a status (`503`), for its class (`5XX`), and by default.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    special: BTreeMap<String, bool>,
    default: bool,
}

/// What to do with an event after the answer to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    /// It is to be sent again.
    pub(super) again: bool,
    /// A pause comes before the next one.
    pub(super) pause: bool,
    /// It counts as delivered, also when it is sent again.
    pub(super) counts: bool,
}

impl Rules {
    pub(super) fn new(properties: &Properties) -> Rules {
        let rule = |name: &str, default: &str| Rule {
            special: properties
                .under(name)
                .map(|(status, value)| (status.to_owned(), value.trim().eq_ignore_ascii_case("true")))
                .collect(),
            default: properties.flag(default),
        };
        Rules {
            rollback: rule("rollback.", "defaultRollback"),
            backoff: rule("backoff.", "defaultBackoff"),
            count: rule("incrementMetrics.", "defaultIncrementMetrics"),
        }
    }

    pub(super) fn verdict(&self, status: u16) -> Verdict {
        Verdict {
            again: self.rollback.says(status),
            pause: self.backoff.says(status),
            counts: self.count.says(status),
        }
    }
}

impl Rule {
    fn says(&self, status: u16) -> bool {
        let class = format!("{}XX", status / 100);
        let special = self.special.get(&status.to_string()).or_else(|| self.special.get(&class));
        special.copied().unwrap_or(self.default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_goes_before_its_class_and_that_before_the_default() {
        let pairs = [
            ("defaultBackoff", "false"),
            ("rollback.2XX", "false"),
            ("rollback.207", "true"),
            ("backoff.503", "TRUE"),
            ("backoff.5xx", "true"), // Flume knows no small x
        ];
        let properties = Properties::of(&super::super::COMPONENT.descriptor, pairs);
        let rules = Rules::new(&properties);
        let verdict = |status| (rules.verdict(status).again, rules.verdict(status).pause);
        assert_eq!([200, 204, 207].map(verdict), [(false, false), (false, false), (true, false)]);
        assert_eq!([500, 503].map(verdict), [(true, false), (true, true)]);
    }

    #[test]
    fn without_a_word_every_answer_means_again() {
        let rules = Rules::new(&Properties::new(&super::super::COMPONENT.descriptor));
        assert_eq!(rules.verdict(200), Verdict { again: true, pause: true, counts: false });
    }

    #[test]
    fn only_what_is_to_be_counted_counts() {
        let pairs =
            [("incrementMetrics.2XX", "true"), ("incrementMetrics.204", "false"), ("rollback.2XX", "false")];
        let counts = |pairs: &[(&str, &str)], status| {
            let properties = Properties::of(&super::super::COMPONENT.descriptor, pairs.iter().copied());
            Rules::new(&properties).verdict(status).counts
        };
        assert_eq!([200, 204, 500].map(|status| counts(&pairs, status)), [true, false, false]);
        let all = [("defaultIncrementMetrics", "true"), ("incrementMetrics.5XX", "false")];
        assert_eq!([200, 404, 503].map(|status| counts(&all, status)), [true, true, false]);
    }
}

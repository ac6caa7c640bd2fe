//! What follows from the status of an answer.

use plan::Properties;
use std::collections::BTreeMap;

/// `rollback`, `backoff` and `incrementMetrics`, by status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rules {
    rollback: Rule,
    backoff: Rule,
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
        Rules { rollback: rule("rollback.", "defaultRollback"), backoff: rule("backoff.", "defaultBackoff") }
    }

    pub(super) fn verdict(&self, status: u16) -> Verdict {
        Verdict { again: self.rollback.says(status), pause: self.backoff.says(status) }
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
        assert_eq!(rules.verdict(200), Verdict { again: true, pause: true });
    }
}

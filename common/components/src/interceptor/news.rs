//! What a chain says in the log of the texts that it has read, once in a while.

use super::step::Step;
use java::Pattern;
use runtime::clock::{self, Duration};
use runtime::told::Told;
use slog::{Logger, warn};

/// When each of it was said.
#[derive(Debug)]
pub(super) struct News {
    unparsed: Told,
    pub(super) given_up: Told,
    log: Logger,
}

impl News {
    /// Nothing was said yet.
    pub(super) fn new(log: &Logger) -> News {
        News { unparsed: Told::every(PAUSE), given_up: Told::every(PAUSE), log: log.clone() }
    }

    /// Says what has come up in `steps` since it was last said.
    pub(super) fn tell(&mut self, steps: &mut [Step]) {
        let now = clock::now();
        if self.unparsed.is_due(now) {
            let extractors = steps.iter_mut().filter_map(Step::take_unparsed);
            for unparsed in extractors {
                self.unparsed.tell(now);
                warn!(self.log, "regex_extractor cannot read dates by its serializer's pattern; these events pass \
                    without that header (Flume fails the whole batch)"; "dates" => unparsed.count, "first" => unparsed.example);
            }
        }
        if self.given_up.is_due(now) {
            for (pattern, texts) in steps.iter().filter_map(Step::pattern).filter_map(given_up) {
                self.given_up.tell(now);
                warn!(self.log, "the regex tries too many ways on some texts and gives up; they count as texts that do \
                    not match (Flume goes on for as long as it takes). Write it so that only one way can match";
                    "regex" => pattern.as_str(), "texts" => texts);
            }
        }
    }
}

/// In how many texts it was given up.
fn given_up(pattern: &Pattern) -> Option<(&Pattern, u64)> {
    let texts = pattern.take_given_up();
    (texts > 0).then_some((pattern, texts))
}

/// Between two lines about the same.
const PAUSE: Duration = Duration::from_secs(60);

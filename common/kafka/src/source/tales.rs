//! What a reader has said already: of each thing it speaks once in a while.

use runtime::clock::{self, Duration};
use runtime::told::Told;

/// What was said, and when.
pub(super) struct Tales {
    trouble: Told,
    in_trouble: bool,
    last: Option<String>,
    pub(super) malformed: Told,
    pub(super) headers: Told,
    pub(super) uncommitted: Told,
}

impl Default for Tales {
    fn default() -> Tales {
        let often = || Told::every(NEWS_PAUSE);
        Tales {
            trouble: often(),
            in_trouble: false,
            last: None,
            malformed: often(),
            headers: often(),
            uncommitted: often(),
        }
    }
}

impl Tales {
    /// Records do not come; whether it is time to say so.
    pub(super) fn trouble(&mut self, words: &str) -> bool {
        self.in_trouble = true;
        self.last = Some(words.to_owned());
        self.trouble.tell(clock::now()).is_some()
    }

    /// Records come; whether they did not before.
    pub(super) fn recovered(&mut self, log: &slog::Logger) -> bool {
        let recovered = std::mem::take(&mut self.in_trouble);
        if recovered {
            slog::info!(log, "records come again");
            self.last = None;
            self.trouble = Told::every(NEWS_PAUSE);
        }
        recovered
    }

    /// The trouble that records did not come behind.
    pub(super) fn last(&self) -> Option<&str> {
        self.last.as_deref()
    }
}

const NEWS_PAUSE: Duration = Duration::from_secs(60);

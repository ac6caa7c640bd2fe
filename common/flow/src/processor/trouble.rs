//! What is said of a sink in trouble: one line when it begins, one when it is over.

use runtime::clock::{Duration, Instant};
use runtime::told::Told;

/// The trouble of one sink, from its first failure until events have arrived there again. However often it fails and
/// connects meanwhile, that is one trouble.
pub(super) struct Trouble {
    /// `None` while the sink was never up.
    since: Option<Instant>,
    /// The worst that was told.
    matter: Option<Matter>,
    connected: Told,
}

/// What is the matter with a sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Matter {
    /// Its connection fails.
    Connection,
    /// It does not take a batch, which is more: told even if the other was.
    Batch,
}

/// How a trouble ended that was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// After so long.
    Back(Duration),
    /// It is up for the first time.
    Up,
}

impl Trouble {
    /// None.
    pub(super) fn new() -> Trouble {
        Trouble { since: None, matter: None, connected: Told::once() }
    }

    /// A sink that was up failed at `now`.
    pub(super) fn failed(&mut self, now: Instant) {
        self.since.get_or_insert(now);
    }

    /// Whether it is to be told that `what` is the matter.
    pub(super) fn tells(&mut self, what: Matter) -> bool {
        let is_news = self.matter < Some(what);
        self.matter = self.matter.max(Some(what));
        is_news
    }

    /// Whether it is to be told that it is connected, which does not end its trouble.
    pub(super) fn tells_connected(&mut self, now: Instant) -> bool {
        self.matter.is_some() && self.connected.tell(now).is_some()
    }

    /// Whether the sink was up before this trouble.
    pub(super) fn is_after_better_days(&self) -> bool {
        self.since.is_some()
    }

    /// It is over at `now`; how, if that is to be told.
    pub(super) fn ends(&mut self, now: Instant) -> Option<End> {
        let Trouble { since, matter, .. } = std::mem::replace(self, Trouble::new());
        matter.map(|_| since.map_or(End::Up, |since| End::Back(now - since)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trouble_is_told_once_when_it_begins_once_when_it_gets_worse_and_once_when_it_is_over() {
        let start = runtime::clock::now();
        let later = |secs| start + Duration::from_secs(secs);
        let mut trouble = Trouble::new();
        assert!(!trouble.tells_connected(start) && trouble.ends(start).is_none(), "there is none");
        for (at, is_news) in [(0, true), (1, false), (2, false)] {
            trouble.failed(later(at));
            assert_eq!(
                (trouble.tells(Matter::Connection), trouble.tells_connected(later(at))),
                (is_news, is_news)
            );
        }
        assert!(
            trouble.tells(Matter::Batch)
                && !trouble.tells(Matter::Batch)
                && !trouble.tells(Matter::Connection)
        );
        assert_eq!(trouble.ends(later(9)), Some(End::Back(Duration::from_secs(9))));
        assert!(trouble.tells(Matter::Connection), "the next one");
        assert_eq!(trouble.ends(later(10)), Some(End::Up), "it was never up before");
    }
}

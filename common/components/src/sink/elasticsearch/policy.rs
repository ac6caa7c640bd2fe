//! Which host is asked, and what becomes of a document after the answer to it.

use runtime::clock::{Duration, Instant};

/// The hosts: one after the other is asked, and one that failed rests.
#[derive(Debug)]
pub(super) struct Hosts {
    hosts: Vec<Host>,
    next: usize,
}

#[derive(Debug, Clone, Default)]
struct Host {
    failures: u32,
    rests_until: Option<Instant>,
}

impl Hosts {
    pub(super) fn new(count: usize) -> Hosts {
        Hosts { hosts: vec![Host::default(); count], next: 0 }
    }

    /// The host to ask at `now`, of those that were not `tried`: the next one that does not rest. When all rest, the first one
    /// is that which has rested longest.
    pub(super) fn pick(&self, tried: &[usize], now: Instant) -> Option<usize> {
        let count = self.hosts.len();
        let mut ring = (self.next..self.next + count).map(|place| place % count);
        let is_up = |place: &usize| self.hosts[*place].rests_until.is_none_or(|until| until <= now);
        ring.find(|place| is_up(place) && !tried.contains(place)).or_else(|| {
            let rested = || (0..count).min_by_key(|place| self.hosts[*place].rests_until);
            tried.is_empty().then(rested).flatten()
        })
    }

    /// It answered: the next request goes to the one behind it.
    pub(super) fn answered(&mut self, place: usize) {
        self.hosts[place] = Host::default();
        self.next = (place + 1) % self.hosts.len();
    }

    /// It did not; it rests from `now`, longer after each failure in a row.
    pub(super) fn failed(&mut self, place: usize, now: Instant) {
        let host = &mut self.hosts[place];
        host.failures = host.failures.saturating_add(1);
        let rest = FIRST_REST.saturating_mul(2u32.saturating_pow(host.failures - 1)).min(LONGEST_REST);
        host.rests_until = Some(now + rest);
    }
}

const FIRST_REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(30);

/// What becomes of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is there.
    Stored,
    /// It is sent again: the store has no room or no time for it now.
    Again,
    /// It is sent again, for an operator can mend what is wrong: the index is missing or closed, its name is none, or the
    /// account may not write to it.
    Place,
    /// It is never taken.
    Never,
}

/// What follows from an item's status, and the type of its error.
pub(super) fn fate(status: u16, error: &str) -> Fate {
    match status {
        // The ids are the sink's own: what is there already is this document, of a request whose answer was lost.
        200..=299 | 409 => Fate::Stored,
        429 | 500..=599 => Fate::Again,
        // Of the whole cluster: it is read-only, as where a disk is full.
        _ if error == "cluster_block_exception" => Fate::Again,
        401 | 403 | 404 => Fate::Place,
        _ if PLACE.contains(&error) => Fate::Place,
        _ => Fate::Never,
    }
}

/// What a request as a whole may come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Each item has its own status.
    Read,
    /// Too large: its halves are sent.
    Halve,
    /// The host is busy or broken: another one may take it.
    Elsewhere,
    /// No host will take it before an operator has done something.
    Refused,
}

pub(super) fn verdict(status: u16) -> Verdict {
    match status {
        200..=299 => Verdict::Read,
        413 => Verdict::Halve,
        429 | 500..=599 => Verdict::Elsewhere,
        _ => Verdict::Refused,
    }
}

/// How long to wait before a request's documents are sent for the `tries`th time again, the first being 1; `None`: the delivery
/// has failed.
pub(super) fn pause(tries: u32) -> Option<Duration> {
    (tries <= MOST_TRIES).then(|| FIRST_PAUSE * 2u32.pow(tries - 1))
}

/// Together three seconds: what waits longer, the group of the sink waits for.
const MOST_TRIES: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Deliveries in a row after which an event whose headers name its index has named one that will not be there.
pub(super) const PATIENCE: u32 = 3;

/// Errors with the status 400 that are not about the document.
const PLACE: [&str; 4] = [
    "index_not_found_exception",
    "index_closed_exception",
    "invalid_index_name_exception",
    "validation_exception",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_take_turns_and_one_that_failed_rests_longer_each_time() {
        let start = runtime::clock::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut hosts = Hosts::new(3);
        let mut turns = Vec::new();
        for _ in 0..4 {
            let place = hosts.pick(&[], start).unwrap();
            hosts.answered(place);
            turns.push(place);
        }
        assert_eq!(turns, [0, 1, 2, 0]);
        hosts.failed(1, start);
        assert_eq!(hosts.pick(&[], start), Some(2));
        assert_eq!(hosts.pick(&[2, 0], start), None, "it rests");
        assert_eq!(hosts.pick(&[], at(1)), Some(1), "it has rested");
        hosts.failed(1, at(1));
        assert_eq!([hosts.pick(&[], at(2)), hosts.pick(&[], at(3))], [Some(2), Some(1)]);
        (0..40).for_each(|_| hosts.failed(2, at(2)));
        assert_eq!(hosts.pick(&[0, 1], at(32)), Some(2), "thirty seconds are the longest rest");
    }

    #[test]
    fn when_all_rest_the_one_that_has_rested_longest_is_asked_first_and_no_other() {
        let start = runtime::clock::now();
        let mut hosts = Hosts::new(2);
        hosts.failed(1, start);
        hosts.failed(0, start + Duration::from_millis(1));
        assert_eq!(hosts.pick(&[], start), Some(1));
        assert_eq!(hosts.pick(&[1], start), None);
    }

    #[test]
    fn each_status_has_its_fate() {
        for (status, error, expected) in [
            (201, "", Fate::Stored),
            (409, "version_conflict_engine_exception", Fate::Stored),
            (429, "es_rejected_execution_exception", Fate::Again),
            (503, "unavailable_shards_exception", Fate::Again),
            (403, "cluster_block_exception", Fate::Again),
            (403, "security_exception", Fate::Place),
            (404, "index_not_found_exception", Fate::Place),
            (400, "index_closed_exception", Fate::Place),
            (400, "mapper_parsing_exception", Fate::Never),
            (413, "", Fate::Never),
        ] {
            assert_eq!(fate(status, error), expected, "{status} {error}");
        }
        assert_eq!([200, 413, 429, 502, 400, 401].map(verdict), {
            use Verdict::{Elsewhere, Halve, Read, Refused};
            [Read, Halve, Elsewhere, Elsewhere, Refused, Refused]
        });
        let pauses: Vec<u128> = (1..).map_while(pause).map(|pause| pause.as_millis()).collect();
        assert_eq!(pauses, [200, 400, 800, 1600]);
    }
}

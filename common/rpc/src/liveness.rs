//! Whether the peer of a connection is still there.

use runtime::clock::{Duration, Instant};
use runtime::net::Backlog;

/// Tells a dead peer from a slow one, and a slow way to it from either. Holds no clock and no socket.
///
/// Two things are signs of life: a byte that comes, and bytes that leave so slowly that they can be watched. A link that
/// needs a minute for a batch has a minute. A peer that is stopped has a kernel that takes a batch at once, or as much as
/// fits and then nothing more: neither counts.
///
/// A native node answers a ping at once, also while a batch waits for room in its channel; so silence means that it, or
/// the way to it, is dead: stopped, cut off, gone without a word. Of a Flume only `request-timeout` can tell.
pub(crate) struct Liveness {
    pings: bool,
    request_timeout: Duration,
    /// When a byte last came.
    heard: Instant,
    /// When bytes were last seen to leave slowly.
    drained: Instant,
    pinged: Option<Instant>,
    calls: std::collections::VecDeque<Instant>,
    last: Option<(Instant, Unsent)>,
}

/// What has not reached the peer's kernel yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Unsent {
    /// Something waits in this process.
    pub(crate) waiting: bool,
    /// What the kernel holds, where it tells.
    pub(crate) backlog: Option<Backlog>,
}

impl Unsent {
    fn is_empty(self) -> bool {
        !self.waiting && self.backlog.is_none_or(|backlog| backlog.queued == 0)
    }

    /// Whether bytes have left since `before`, and so slowly that some of those of that time are still here.
    fn drains_since(self, before: Unsent) -> bool {
        let (Some(then), Some(now)) = (before.backlog, self.backlog) else { return false };
        let has_moved = now.acknowledged != then.acknowledged || now.arrived != then.arrived;
        has_moved && (before.waiting || now.acknowledged < then.acknowledged + then.queued)
    }
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing, and look again then.
    Fine(Instant),
    /// Ask whether it is there, and look again then.
    Ping(Instant),
    /// It has given no sign of life for so long.
    Dead(Duration),
}

impl Liveness {
    /// For a connection that shook hands at `now`.
    pub(crate) fn new(pings: bool, request_timeout: Duration, now: Instant) -> Liveness {
        let (calls, last) = Default::default();
        Liveness { pings, request_timeout, heard: now, drained: now, pinged: None, calls, last }
    }

    /// Bytes came.
    pub(crate) fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.pinged = None;
    }

    /// A call was sent.
    pub(crate) fn called(&mut self, now: Instant) {
        self.calls.push_back(now);
    }

    /// The oldest call was answered.
    pub(crate) fn answered(&mut self) {
        self.calls.pop_front();
    }

    /// What to do at `now`, when so much has not reached the peer's kernel.
    pub(crate) fn look(&mut self, now: Instant, unsent: Unsent) -> Verdict {
        let before = self.last.replace((now, unsent)).filter(|(then, _)| now < *then + STALE);
        let is_new = before.is_none_or(|(_, before)| before.is_empty());
        if let Some((then, before)) = before
            && unsent.drains_since(before)
        {
            // They have left at some time since then: the earliest counts, so that nobody dead gets more time.
            self.drained = then;
            self.pinged = None;
        }
        // The clock of the oldest call starts when what was on its way to the peer is there.
        let call_until = self.calls.front().map(|sent| self.drained.max(*sent) + self.request_timeout);
        if call_until.is_some_and(|until| until <= now) {
            return Verdict::Dead(self.request_timeout);
        }
        let next = now
            + match unsent.is_empty() {
                false => TICK,
                true if self.pings => self.request_timeout,
                true => QUIET, // also without a call: the next one may be slow
            };
        let earlier = |at: Instant| at.min(next).min(call_until.unwrap_or(next));
        if !self.pings {
            return Verdict::Fine(earlier(next));
        }
        let life = self.heard.max(self.drained);
        let patience = unsent.backlog.map_or(PATIENCE, |backlog| PATIENCE.max(backlog.round_trip * 2));
        match self.pinged {
            Some(pinged) if pinged + patience <= now => Verdict::Dead(now - life),
            Some(pinged) => Verdict::Fine(earlier(pinged + patience)),
            // It takes two looks to see whether it drains: a question would stand behind what is on its way.
            None if life + QUIET <= now && is_new && !unsent.is_empty() => Verdict::Fine(earlier(now + TICK)),
            None if life + QUIET <= now => {
                // The second look has cost a moment, which the peer does not get.
                let asked = (life + QUIET).max(now - 2 * TICK);
                self.pinged = Some(asked);
                Verdict::Ping(earlier(asked + patience))
            }
            None => Verdict::Fine(earlier(life + QUIET)),
        }
    }
}

/// After so long without a sign of life the peer is asked whether it is there.
const QUIET: Duration = Duration::from_millis(500);
/// And so long it may take to answer, or twice as long as an acknowledgement takes on a slow link. Together they stay well
/// below the two seconds within which events are to be with the standby.
const PATIENCE: Duration = Duration::from_millis(1000);
/// Between two looks while something is on its way.
const TICK: Duration = Duration::from_millis(100);
/// A look that is so old tells nothing about what has drained since.
const STALE: Duration = Duration::from_millis(1000);

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    const NONE: Unsent = Unsent { waiting: false, backlog: None };

    /// So much has arrived, so much is in our kernel.
    fn kernel(acknowledged: u64, queued: u64) -> Unsent {
        let backlog = Backlog { acknowledged, queued, ..Backlog::default() };
        Unsent { waiting: false, backlog: Some(backlog) }
    }

    /// Looks at the times that it asks for, from `from` milliseconds on, and tells when it called the peer dead and how
    /// often it asked before; `None` when that is not by `end`.
    fn played(
        peer: &mut Liveness,
        start: Instant,
        from: u64,
        end: u64,
        unsent: impl Fn(u64) -> Unsent,
    ) -> (Option<u64>, usize) {
        let (mut at, mut pings) = (from, 0);
        while at < end {
            let next = match peer.look(start + ms(at), unsent(at)) {
                Verdict::Dead(_) => return (Some(at), pings),
                Verdict::Ping(next) => {
                    pings += 1;
                    next
                }
                Verdict::Fine(next) => next,
            };
            let next = u64::try_from((next - start).as_millis()).expect("it is soon");
            assert!(next > at, "it looks again at once, at {at} ms");
            at = next;
        }
        (None, pings)
    }

    /// One megabyte at 125 bytes a millisecond: 8 s.
    fn slowly(at: u64) -> Unsent {
        let gone = (at * 125).min(1_000_000);
        kernel(gone, 1_000_000 - gone)
    }

    #[test]
    fn a_batch_that_takes_eight_seconds_is_a_sign_of_life_as_long_as_it_drains_and_no_ping_stands_behind_it()
    {
        let start = runtime::clock::now();
        for from in [0, 500] {
            let mut peer = Liveness::new(true, ms(2_000), start);
            peer.called(start);
            assert_eq!(played(&mut peer, start, from, 8_000, slowly), (None, 0));
            // Then the clock runs: it is pinged and, silent, dead.
            let (dead, pings) = played(&mut peer, start, 8_000, 20_000, slowly);
            assert!(pings == 1 && (9_300..=9_500).contains(&dead.expect("it is dead")), "{dead:?}");
        }
    }

    #[test]
    fn a_flumes_request_timeout_starts_when_the_last_byte_has_arrived() {
        let start = runtime::clock::now();
        let mut peer = Liveness::new(false, ms(2_000), start);
        peer.called(start);
        let (dead, pings) = played(&mut peer, start, 0, 20_000, slowly);
        assert!(pings == 0 && (9_800..=10_000).contains(&dead.expect("it is dead")), "{dead:?}");
    }

    #[test]
    fn a_stopped_peer_is_noticed_as_soon_whatever_its_kernel_takes() {
        let start = runtime::clock::now();
        // Everything at once; two megabytes of fourteen; those, and the rest waits in this process; nothing at all.
        let all: fn(u64) -> Unsent = |at| if at == 0 { kernel(0, 1000) } else { kernel(1000, 0) };
        let part: fn(u64) -> Unsent =
            |at| if at == 0 { kernel(0, 14 << 20) } else { kernel(2 << 20, 12 << 20) };
        let waiting: fn(u64) -> Unsent =
            |at| Unsent { waiting: true, ..kernel((2 << 20).min(at << 20), 1 << 20) };
        let nothing: fn(u64) -> Unsent = |_| kernel(0, 1000);
        for (name, unsent) in [("all", all), ("part", part), ("waiting", waiting), ("nothing", nothing)] {
            for from in [0, 500] {
                let mut peer = Liveness::new(true, ms(20_000), start);
                peer.called(start);
                let (dead, pings) = played(&mut peer, start, from, 20_000, unsent);
                assert!(pings == 1 && dead.is_some_and(|dead| dead <= 1_500), "{name} from {from}: {dead:?}");
            }
        }
    }

    /// Its kernel takes each small batch within a moment, 40 ms when it delays the acknowledgement: no look may take that
    /// for a slow link.
    #[test]
    fn small_batches_that_a_stopped_peers_kernel_takes_give_it_no_more_time() {
        let start = runtime::clock::now();
        for phase in 0..100 {
            let trickle = |at: u64| {
                let at = at + phase;
                kernel(at / 100 * 50 + u64::from(at % 100 >= 40) * 50, u64::from(at % 100 < 40) * 50)
            };
            let mut peer = Liveness::new(true, ms(20_000), start);
            peer.called(start);
            assert_eq!(played(&mut peer, start, 0, 20_000, trickle).0, Some(1_500), "from {phase}");
        }
    }

    #[test]
    fn a_hole_in_what_arrives_is_no_standstill() {
        let start = runtime::clock::now();
        let mut peer = Liveness::new(true, ms(20_000), start);
        peer.called(start);
        // One segment is missing for five seconds, those behind it arrive.
        let hole = |at: u64| {
            let arrived = u32::try_from(at / 12).expect("a few seconds");
            let backlog = Backlog { acknowledged: 10, arrived, queued: 1_000_000, ..Backlog::default() };
            Unsent { waiting: false, backlog: Some(backlog) }
        };
        assert_eq!(played(&mut peer, start, 0, 5_000, hole), (None, 0));
    }

    #[test]
    fn a_link_whose_acknowledgements_take_three_seconds_has_six_to_answer() {
        let start = runtime::clock::now();
        let mut peer = Liveness::new(true, ms(20_000), start);
        let far = |_| {
            let backlog = Backlog { round_trip: ms(3_000), ..Backlog::default() };
            Unsent { waiting: false, backlog: Some(backlog) }
        };
        assert_eq!(played(&mut peer, start, 0, 20_000, far), (Some(6_500), 1));
    }

    #[test]
    fn silence_is_asked_about_and_then_final() {
        let start = runtime::clock::now();
        let mut peer = Liveness::new(true, ms(20_000), start);
        assert_eq!(peer.look(start, NONE), Verdict::Fine(start + QUIET));
        assert_eq!(peer.look(start + QUIET, NONE), Verdict::Ping(start + QUIET + PATIENCE));
        assert_eq!(peer.look(start + ms(900), NONE), Verdict::Fine(start + QUIET + PATIENCE));
        assert_eq!(peer.look(start + ms(1500), NONE), Verdict::Dead(ms(1500)));
    }

    #[test]
    fn any_byte_is_a_sign_of_life() {
        let start = runtime::clock::now();
        let mut peer = Liveness::new(true, ms(20_000), start);
        peer.look(start + QUIET, NONE);
        peer.heard(start + ms(1400));
        assert_eq!(peer.look(start + ms(1500), NONE), Verdict::Fine(start + ms(1900)));
    }

    #[test]
    fn a_flume_is_given_its_request_timeout_and_never_pinged() {
        let start = runtime::clock::now();
        let mut peer = Liveness::new(false, ms(20_000), start);
        assert_eq!(played(&mut peer, start, 0, 60_000, |_| NONE), (None, 0));
        peer.called(start + ms(60_000));
        assert_eq!(played(&mut peer, start, 60_000, 79_999, |_| NONE), (None, 0));
        assert_eq!(peer.look(start + ms(80_000), NONE), Verdict::Dead(ms(20_000)));
    }

    #[test]
    fn a_peer_that_answers_pings_but_no_call_is_dead_after_the_request_timeout() {
        let start = runtime::clock::now();
        let mut peer = Liveness::new(true, ms(2_000), start);
        peer.called(start);
        peer.heard(start + ms(1_900));
        assert_eq!(peer.look(start + ms(2_000), NONE), Verdict::Dead(ms(2_000)));
        peer.answered();
        assert_eq!(peer.look(start + ms(2_000), NONE), Verdict::Fine(start + ms(2_400)));
    }
}

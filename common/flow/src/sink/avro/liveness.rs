//! Whether the peer of a connection is still there.

use crate::clock::{Duration, Instant};

/// Tells a dead peer from a slow one. Holds no clock and no socket.
///
/// A peer of ours answers a ping at once, also while a batch waits for room in its channel; so silence means that it, or
/// the way to it, is dead: stopped, cut off, gone without a word. Of a Flume only `request-timeout` can tell.
pub(crate) struct Liveness {
    pings: bool,
    request_timeout: Duration,
    heard: Instant,
    pinged: Option<Instant>,
    calls: std::collections::VecDeque<Instant>,
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing, and look again then.
    Fine(Instant),
    /// Ask whether it is there, and look again then.
    Ping(Instant),
    /// It has not answered for so long.
    Dead(Duration),
}

impl Liveness {
    /// For a connection that shook hands at `now`.
    pub(crate) fn new(pings: bool, request_timeout: Duration, now: Instant) -> Liveness {
        Liveness { pings, request_timeout, heard: now, pinged: None, calls: Default::default() }
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

    /// What to do at `now`.
    pub(crate) fn look(&mut self, now: Instant) -> Verdict {
        let call_until = self.calls.front().map(|sent| *sent + self.request_timeout);
        if call_until.is_some_and(|until| until <= now) {
            return Verdict::Dead(self.request_timeout);
        }
        let idle_until = now + self.request_timeout;
        let earlier = |at: Instant| at.min(call_until.unwrap_or(idle_until));
        if !self.pings {
            return Verdict::Fine(call_until.unwrap_or(idle_until));
        }
        match self.pinged {
            Some(pinged) if pinged + PATIENCE <= now => Verdict::Dead(now - self.heard),
            Some(pinged) => Verdict::Fine(earlier(pinged + PATIENCE)),
            None if self.heard + QUIET <= now => {
                self.pinged = Some(now);
                Verdict::Ping(earlier(now + PATIENCE))
            }
            None => Verdict::Fine(earlier(self.heard + QUIET)),
        }
    }
}

/// After so long without a byte the peer is asked whether it is there.
const QUIET: Duration = Duration::from_millis(500);
/// And so long it may take to answer. Together they stay well below the two seconds within which events are to be with
/// the standby.
const PATIENCE: Duration = Duration::from_millis(1000);

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn silence_is_asked_about_and_then_final() {
        let start = crate::clock::now();
        let mut peer = Liveness::new(true, ms(20_000), start);
        assert_eq!(peer.look(start), Verdict::Fine(start + QUIET));
        assert_eq!(peer.look(start + QUIET), Verdict::Ping(start + QUIET + PATIENCE));
        assert_eq!(peer.look(start + ms(900)), Verdict::Fine(start + QUIET + PATIENCE));
        assert_eq!(peer.look(start + ms(1500)), Verdict::Dead(ms(1500)));
    }

    #[test]
    fn any_byte_is_a_sign_of_life() {
        let start = crate::clock::now();
        let mut peer = Liveness::new(true, ms(20_000), start);
        peer.look(start + QUIET);
        peer.heard(start + ms(1400));
        assert_eq!(peer.look(start + ms(1500)), Verdict::Fine(start + ms(1900)));
    }

    #[test]
    fn a_flume_is_given_its_request_timeout_and_never_pinged() {
        let start = crate::clock::now();
        let mut peer = Liveness::new(false, ms(20_000), start);
        assert_eq!(peer.look(start + ms(60_000)), Verdict::Fine(start + ms(80_000)));
        peer.called(start + ms(60_000));
        assert_eq!(peer.look(start + ms(70_000)), Verdict::Fine(start + ms(80_000)));
        assert_eq!(peer.look(start + ms(80_000)), Verdict::Dead(ms(20_000)));
    }

    #[test]
    fn a_peer_that_answers_pings_but_no_call_is_dead_after_the_request_timeout() {
        let start = crate::clock::now();
        let mut peer = Liveness::new(true, ms(2_000), start);
        peer.called(start);
        peer.heard(start + ms(1_900));
        assert_eq!(peer.look(start + ms(2_000)), Verdict::Dead(ms(2_000)));
        peer.answered();
        assert_eq!(peer.look(start + ms(2_000)), Verdict::Fine(start + ms(2_400)));
    }
}

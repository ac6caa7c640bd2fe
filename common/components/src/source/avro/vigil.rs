//! Whether the peer of a connection is still there, seen from the source. No socket, no clock.

use runtime::clock::{Duration, Instant};

/// Watches one connection.
pub(super) struct Vigil {
    idle_limit: Option<Duration>,
    /// Bytes written in all, when that last changed while more waited.
    written: Option<(u64, Instant)>,
}

/// What is known of the connection at a moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signs {
    /// It is a native node, which pings when it hears nothing.
    pub(super) native: bool,
    /// When bytes last came, or were last waited for.
    pub(super) heard: Instant,
    /// Bytes written in all, if more waits to be.
    pub(super) written: Option<u64>,
}

/// What to do now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing, and look again then.
    Fine(Instant),
    /// It is gone; this is said of it.
    Gone(String),
}

impl Vigil {
    pub(super) fn new(idle_limit: Option<Duration>) -> Vigil {
        Vigil { idle_limit, written: None }
    }

    /// What to do at `now`.
    pub(super) fn look(&mut self, signs: Signs, now: Instant) -> Verdict {
        self.written = signs.written.map(|bytes| match self.written {
            Some((before, since)) if before == bytes => (before, since),
            _ => (bytes, now),
        });
        if self.written.is_some_and(|(_, since)| since + UNREAD <= now) {
            let seconds = UNREAD.as_secs();
            return Verdict::Gone(format!(
                "it has read none of its answers for {seconds} s; its connection is closed"
            ));
        }
        let silent = now.saturating_duration_since(signs.heard);
        if signs.native && silent >= NATIVE_SILENCE {
            let seconds = silent.as_secs();
            return Verdict::Gone(format!(
                "a native node that has not pinged for {seconds} s is gone; its connection is closed"
            ));
        }
        if self.idle_limit.is_some_and(|limit| silent >= limit) {
            let seconds = silent.as_secs();
            return Verdict::Gone(format!(
                "it has sent nothing for {seconds} s, as long as maxIdleSeconds allows; its connection is closed"
            ));
        }
        let native = signs.native.then_some(signs.heard + NATIVE_SILENCE);
        let idle = self.idle_limit.map(|limit| signs.heard + limit);
        let next = native.into_iter().chain(idle).fold(now + LOOK_AGAIN, Instant::min);
        Verdict::Fine(next)
    }
}

/// A native node pings twice a second.
pub(super) const NATIVE_SILENCE: Duration = Duration::from_secs(10);
/// Longer than a JVM collects its garbage.
pub(super) const UNREAD: Duration = Duration::from_secs(60);
/// A connection is looked at so often at the least.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_native_node_that_misses_its_pings_is_gone_and_another_may_be_idle() {
        let start = runtime::clock::now();
        let (native, other) = (
            Signs { native: true, heard: start, written: None },
            Signs { native: false, heard: start, written: None },
        );
        let mut vigil = Vigil::new(Some(s(3600)));
        assert_eq!(vigil.look(native, start + s(4)), Verdict::Fine(start + s(10)));
        assert!(
            matches!(vigil.look(native, start + s(10)), Verdict::Gone(why) if why.contains("pinged for 10 s"))
        );
        assert_eq!(
            vigil.look(Signs { heard: start + s(9), ..native }, start + s(10)),
            Verdict::Fine(start + s(19))
        );
        assert_eq!(vigil.look(other, start + s(3595)), Verdict::Fine(start + s(3600)));
        assert!(
            matches!(vigil.look(other, start + s(3600)), Verdict::Gone(why) if why.contains("maxIdleSeconds"))
        );
        assert_eq!(Vigil::new(None).look(other, start + s(99_999)), Verdict::Fine(start + s(100_059)));
    }

    #[test]
    fn who_reads_none_of_its_answers_is_gone_and_who_reads_some_is_not() {
        let start = runtime::clock::now();
        let mut vigil = Vigil::new(None);
        let mut look = |second, written| {
            let signs = Signs { native: false, heard: start + s(second), written };
            matches!(vigil.look(signs, start + s(second)), Verdict::Gone(_))
        };
        let looks = [
            (0, Some(5)),
            (50, Some(5)),
            (59, Some(6)),
            (118, Some(6)),
            (119, Some(6)),
            (120, None),
            (121, Some(6)),
            (180, Some(6)),
        ];
        let gone = looks.map(|(second, written)| look(second, written));
        assert_eq!(gone, [false, false, false, false, true, false, false, false]);
    }
}

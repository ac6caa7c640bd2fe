//! What is said once, or once in a while, however often there is a reason to.

use crate::clock::{Duration, Instant};

/// Remembers when something was said, and how often it was not.
#[derive(Debug)]
pub struct Told {
    pause: Option<Duration>,
    last: Option<Instant>,
    left_out: u64,
}

impl Told {
    /// To be said once.
    pub fn once() -> Told {
        Told { pause: None, last: None, left_out: 0 }
    }

    /// To be said at once, and again when `pause` has passed since the last time.
    pub fn every(pause: Duration) -> Told {
        Told { pause: Some(pause), last: None, left_out: 0 }
    }

    /// Whether it would be said at `now`.
    pub fn is_due(&self, now: Instant) -> bool {
        match (self.last, self.pause) {
            (None, _) => true,
            (Some(last), Some(pause)) => now.saturating_duration_since(last) >= pause,
            (Some(_), None) => false,
        }
    }

    /// There is a reason to say it at `now`. `Some`: it is to be said, and was left out so often since the last time.
    pub fn tell(&mut self, now: Instant) -> Option<u64> {
        if !self.is_due(now) {
            self.left_out += 1;
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.left_out))
    }

    /// Whether it was said and is not over.
    pub fn is_on(&self) -> bool {
        self.last.is_some()
    }

    /// There is no reason any more: the next one is said at once. Answers whether it had been said.
    pub fn over(&mut self) -> bool {
        self.left_out = 0;
        self.last.take().is_some()
    }
}

/// How often something was not said `before`, for the end of a line.
pub fn left_out(before: u64) -> String {
    if before > 0 { format!(" ({before} such lines were left out)") } else { String::new() }
}

/// Remembers what was said, and says it again only when it is something else.
#[derive(Debug, Default)]
pub struct LastTold(Option<String>);

impl LastTold {
    /// Whether `text` is to be said.
    pub fn tell(&mut self, text: &str) -> bool {
        let is_news = self.0.as_deref() != Some(text);
        if is_news {
            self.0 = Some(text.to_owned());
        }
        is_news
    }

    /// Whether something was said that is not over.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// There is no reason any more. Answers whether anything had been said.
    pub fn over(&mut self) -> bool {
        self.0.take().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_something_else_is_said() {
        let mut told = LastTold::default();
        assert_eq!(["a", "a", "b", "a"].map(|text| told.tell(text)), [true, false, true, true]);
        assert!(told.is_on());
        assert_eq!([told.over(), told.over(), told.is_on(), told.tell("a")], [true, false, false, true]);
    }

    #[test]
    fn what_is_said_in_a_while_is_counted_meanwhile() {
        let (mut told, start) = (Told::every(Duration::from_secs(10)), crate::clock::now());
        let heard: Vec<Option<u64>> =
            [0, 1, 9, 10, 11, 40].map(|second| told.tell(start + Duration::from_secs(second))).to_vec();
        assert_eq!(heard, [Some(0), None, None, Some(2), None, Some(1)]);
    }

    #[test]
    fn what_is_said_once_is_not_said_again() {
        let (mut told, now) = (Told::once(), crate::clock::now());
        assert_eq!(
            [told.tell(now), told.tell(now), told.tell(now + Duration::from_secs(9999))],
            [Some(0), None, None]
        );
        assert!(told.is_on());
        assert_eq!([told.over(), told.over(), told.is_on()], [true, false, false]);
        assert_eq!(told.tell(now), Some(0));
    }
}

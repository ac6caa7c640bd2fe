//! What time it is: the only file that asks.

pub(crate) use tokio::time::Instant;

/// Now, on the clock that timers run on.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

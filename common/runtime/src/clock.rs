//! What time it is: the only file that asks.
//!
//! Waits and deadlines use tokio's clock, which a test pauses and a simulation drives; the wall clock is only for what
//! people and peers read.

pub use std::time::Duration;
pub use tokio::time::Instant;

/// Now, on the clock that timers run on.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn now() -> Instant {
    Instant::now()
}

/// Milliseconds since 1970 UTC, as the `timestamp` interceptor writes them.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn epoch_millis() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

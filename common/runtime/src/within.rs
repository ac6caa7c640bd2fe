//! Waits with a limit, for tests: a fault makes a test fail and say what it waited for, not hang.

use std::panic::Location;
use std::time::Duration;
use tokio::time::timeout;

/// Far longer than anything takes on a loaded machine, and far less than a test may take in all.
pub const LIMIT: Duration = Duration::from_secs(60);

/// Any future, waited for with a limit.
pub trait Within: Future + Sized {
    /// What comes of it, or a panic that names `what` and the line of the test.
    #[track_caller]
    fn within(self, what: &str) -> impl Future<Output = Self::Output> {
        let test = Location::caller();
        async move {
            match timeout(LIMIT, self).await {
                Ok(output) => output,
                Err(_) => panic!("{test}: waited {LIMIT:?} for {what}"),
            }
        }
    }
}

impl<F: Future> Within for F {}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    #[should_panic(expected = "waited 60s for something that never comes")]
    async fn a_wait_ends_and_says_what_it_waited_for() {
        std::future::pending::<()>().within("something that never comes").await;
    }
}

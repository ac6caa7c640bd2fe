//! How much of a command's output is asked for at a time, and what comes after it has ended.

use runtime::clock::Duration;

/// Lines in a batch, given `batchSize` where it is set and what the channels take in a transaction.
pub(super) fn batch_lines(batch_size: Option<usize>, transaction: usize) -> usize {
    batch_size.unwrap_or(MOST_LINES).min(transaction)
}

/// What the pipe is to hold: about a batch. Linux gives 64 KiB unless asked, and the command and we wait for each other at
/// each; what is far more than is stored at a time has left the processor's cache when it is read.
pub(super) fn pipe_bytes(batch_lines: usize) -> usize {
    batch_lines.saturating_mul(USUAL_LINE).clamp(128 << 10, 256 << 10)
}

/// What to do when the command has ended, or could not be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// The source stops.
    Stop,
    /// The source stays, and nothing comes from it any more.
    Idle,
    /// The same command again, after a pause.
    RunAgain(Duration),
}

/// Decides it. Source: Flume 1.11 `ExecSource`.
pub(super) fn next(stopping: bool, restart: bool, throttle: Duration) -> Next {
    match (stopping, restart) {
        (true, _) => Next::Stop,
        (false, true) => Next::RunAgain(throttle),
        (false, false) => Next::Idle,
    }
}

/// Lines in a batch, where the channel's transactions do not bound it sooner.
const MOST_LINES: usize = 1000;

/// Bytes of a line, for want of better knowledge.
const USUAL_LINE: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_what_was_asked_for_and_no_more_than_a_transaction() {
        assert_eq!(batch_lines(None, 100), 100);
        assert_eq!(batch_lines(None, 10_000), 1000);
        assert_eq!(batch_lines(Some(20), 100), 20);
        assert_eq!(batch_lines(Some(500), 100), 100);
    }

    #[test]
    fn the_pipe_grows_with_the_batch_within_bounds() {
        assert_eq!([1, 100, 1000, usize::MAX].map(pipe_bytes), [131_072, 131_072, 256_000, 262_144]);
    }
}

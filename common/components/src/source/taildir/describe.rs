//! What a TAILDIR source is doing, in words.

use super::follow::Follower;
use super::tail::Tail;
use runtime::clock::Instant;

impl Follower {
    /// Answers whoever has asked.
    pub(super) fn answer(&mut self, now: Instant) {
        while let Ok(question) = self.asked.try_recv() {
            let _gone = question.send(self.describe(now));
        }
    }

    pub(super) fn describe(&self, now: Instant) -> String {
        let under_way =
            |tail: &&Tail| !tail.progress.is_settled() || tail.reading.is_queued() || tail.is_parked();
        let mut busy = self.catalog.tails.values().filter(under_way);
        let first: Vec<String> = busy.by_ref().take(MOST_FILES).map(file).collect();
        let more = match busy.count() {
            0 => String::new(),
            more => format!(", and {more} files more"),
        };
        let what = if self.outbound.is_busy() {
            "waits for its channel to store what it has read"
        } else if self.catalog.is_scanning() {
            "looks for files"
        } else if self.catalog.queue.is_empty() {
            "waits for something new in its files"
        } else {
            "reads"
        };
        let files = match first.is_empty() {
            true => String::new(),
            false => format!(": {}{more}", first.join(", ")),
        };
        format!(
            "{what}; {} files, {} of them open; next look for files in {:.1} s{files}",
            self.catalog.tails.len(),
            self.catalog.open.len(),
            self.scan_due.saturating_duration_since(now).as_secs_f64()
        )
    }
}

fn file(tail: &Tail) -> String {
    let state = if tail.is_parked() { " (cannot be sent on)" } else { "" };
    let (next, stored) = (tail.progress.next(), tail.progress.stored());
    format!("{} read to {next}, stored to {stored}{state}", tail.spot.path)
}

/// Files that are named.
const MOST_FILES: usize = 8;

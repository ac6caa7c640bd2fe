//! A file is taken up, or left alone because this agent writes it itself.

use super::catalog::Catalog;
use super::progress::Progress;
use super::tail::{Facts, Spot, Tail};
use runtime::clock::Instant;
use std::fs;
use std::path::Path;

impl Catalog {
    /// Whether this agent writes the file itself.
    pub(super) fn is_own(&mut self, path: &Path, about: &fs::Metadata) -> bool {
        if self.tails.contains_key(&Facts::of(about).id) {
            return false;
        }
        let Some(own) = self.config.own.find(path, about) else { return false };
        if !self.told_own.contains(&own) {
            self.told_own.push(own);
            slog::warn!(
                self.log,
                "{} matches a pattern and is not followed: {} (reported once)",
                path.display(),
                own.reason()
            );
        }
        true
    }

    /// A file is followed from now on, from `position` on.
    pub(super) fn follow_from(
        &mut self,
        spot: Spot,
        facts: &Facts,
        position: u64,
        now: Instant,
    ) -> &mut Tail {
        let shown = self.counters.files.follow(facts.id.inode, spot.place.clone());
        let progress = Progress::new(position, self.next_generation(), shown);
        let tail = Tail::new(spot, facts, self.scans, progress, now);
        self.changed = true;
        self.tails.entry(facts.id).or_insert(tail)
    }
}

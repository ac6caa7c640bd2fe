//! Keeps the position file up to date, on a thread of its own: what reads must not wait for a disk.

use super::catalog::Catalog;
use super::config::TailDirConfig;
use super::policy::SaveBeat;
use super::position;
use super::shared::Share;
use futures_util::FutureExt;
use runtime::clock::{self, Duration, Instant};
use runtime::files::Written;
use runtime::told::{LastTold, Told};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::task::{JoinHandle, spawn_blocking};

/// Writes positions, one file after the other.
pub(super) struct Saver {
    path: PathBuf,
    share: Arc<Share>,
    log: slog::Logger,
    beat: SaveBeat,
    under_way: Option<UnderWay>,
    outcome: Option<io::Result<Written>>,
    fault: LastTold,
    /// That it cannot be written as it should be.
    poorly: Told,
}

struct UnderWay {
    begun: Instant,
    prepared: Duration,
    writing: JoinHandle<io::Result<Written>>,
}

impl Saver {
    /// Writes to `share`, which is held.
    pub(super) fn new(config: &TailDirConfig, share: Share, log: slog::Logger) -> Saver {
        let path = config.position_file.clone();
        let beat = SaveBeat::new(config.write_interval);
        let share = Arc::new(share);
        let (fault, poorly) = (LastTold::default(), Told::once());
        Saver { path, share, log, beat, under_way: None, outcome: None, fault, poorly }
    }

    /// Whether other sources of this agent write to the same file.
    pub(super) fn is_shared(&self) -> bool {
        self.share.is_shared()
    }

    /// Positions have changed.
    pub(super) fn changed(&mut self, now: Instant) {
        self.beat.changed(now);
    }

    /// When [`Saver::poll`] has something to do.
    pub(super) fn due(&self) -> Option<Instant> {
        if self.under_way.is_some() { None } else { self.beat.due() }
    }

    /// Begins to write when it is time to, and hears how it went.
    pub(super) fn poll(&mut self, now: Instant, catalog: &Catalog) {
        let _still_writing = self.ended().now_or_never();
        if let Some(outcome) = self.outcome.take() {
            self.tell(outcome, now);
        }
        if self.due().is_some_and(|due| due <= now) {
            let text = position::encode(catalog.entries());
            let (begun, share) = (clock::now(), self.share.clone());
            self.beat.begun();
            let writing = spawn_blocking(move || share.save(text?));
            self.under_way = Some(UnderWay { begun, prepared: begun - now, writing });
        }
    }

    /// Waits until writing has ended; for ever while nothing is written. May be dropped.
    pub(super) async fn ended(&mut self) {
        let Some(under_way) = &mut self.under_way else { return std::future::pending().await };
        let outcome = (&mut under_way.writing).await.unwrap_or_else(|panic| Err(io::Error::other(panic)));
        self.beat.ended(clock::now(), under_way.prepared, clock::now() - under_way.begun);
        self.under_way = None;
        self.outcome = Some(outcome);
    }

    fn tell(&mut self, outcome: io::Result<Written>, now: Instant) {
        let path = self.path.display();
        match outcome {
            Ok(written) => {
                if self.fault.over() {
                    slog::info!(self.log, "the position file {path} can be written again");
                }
                let how = match written {
                    Written::Whole(_) => None,
                    Written::InPlace => Some(
                        "can only be written in place (its directory takes no file beside it, or it is somebody else's): a crash of the machine at that moment may leave it broken",
                    ),
                    Written::ToDevice => Some(
                        "is a device, which keeps no positions: every start begins at the beginning of all files, or at their ends with skipToEnd",
                    ),
                };
                if let Some(how) = how.filter(|_| self.poorly.tell(now).is_some()) {
                    slog::warn!(self.log, "the position file {path} {how}");
                }
            }
            Err(error) => {
                self.beat.changed(now);
                let text = error.to_string();
                if self.fault.tell(&text) {
                    slog::error!(
                        self.log,
                        "cannot write the position file {path}: {text}; it is tried again, and until then a start would read again what has been sent since"
                    );
                }
            }
        }
    }

    /// Writes what has changed, and returns when it is on the disk; `false` when it could not be written.
    pub(super) async fn finish(mut self, catalog: &Catalog) -> bool {
        if self.under_way.is_some() {
            self.ended().await;
        }
        if let Some(outcome) = self.outcome.take() {
            self.tell(outcome, clock::now());
        }
        if self.beat.is_dirty() {
            let outcome = position::encode(catalog.entries()).and_then(|text| self.share.save(text));
            let is_saved = outcome.is_ok();
            self.tell(outcome, clock::now());
            return is_saved;
        }
        true
    }
}

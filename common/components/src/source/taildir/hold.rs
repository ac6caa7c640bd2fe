//! Before a source reads anything: its position file is its own.

use super::config::TailDirConfig;
use super::position::Positions;
use super::shared::{Claim, Share};
use super::{Question, Stage};
use flow::source::SourceContext;
use runtime::clock::{self, Duration};
use runtime::told::Told;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

/// Takes the position file, and waits while another process has it: two that write one file would send files again.
/// `None`: the source is stopped before that.
pub(super) async fn hold(
    config: &TailDirConfig,
    context: &mut SourceContext,
    asked: &mut mpsc::UnboundedReceiver<Question>,
    stage: &mut watch::Receiver<Stage>,
) -> Option<(Share, Positions)> {
    let path = config.position_file.display();
    if let Some(parent) = config.position_file.parent()
        && let Err(error) = std::fs::create_dir_all(parent)
    {
        slog::error!(context.log, "cannot make {} for the position file: {error}", parent.display());
    }
    let mut taken = Told::once();
    loop {
        match config.own.shared.claim(&config.position_file) {
            Claim::Ours(share, positions) => {
                if taken.over() {
                    slog::info!(
                        context.log,
                        "source {}: the position file {path} is free now: it starts",
                        context.name
                    );
                }
                return Some((share, positions));
            }
            Claim::Taken(by) => {
                if taken.tell(clock::now()).is_some() {
                    let by = by.map_or_else(|| "another process".to_owned(), |id| format!("process {id}"));
                    slog::error!(
                        context.log,
                        "source {}: the position file {path} is in use by {by}; this source reads nothing until that has ended, since two that write one position file send files again: give each agent a positionFile of its own",
                        context.name
                    );
                }
                context.ready.done();
            }
            Claim::Soon => {}
        }
        tokio::select! { biased;
            _ = stage.wait_for(|stage| *stage != Stage::Run) => return None,
            Some(question) = asked.recv() => {
                let _gone = question.send(format!("waits for its position file {path}, which another process has"));
            }
            () = sleep(PAUSE) => {}
        }
    }
}

/// Between two looks at a position file that another process has.
const PAUSE: Duration = Duration::from_millis(500);

//! `TAILDIR`: follows files that grow, are rotated and come and go, and takes each of their lines for an event.
//!
//! A file is its inode: under whatever name it goes on where it was. Its position, the bytes whose events are stored in
//! the channel, is kept in Flume's position file. [`Wake`](wake::Wake) hears of changes, a scan finds what was not
//! heard; [`Catalog`](catalog::Catalog) knows the files; [`Follower`](follow::Follower) reads and sends.
//!
//! Other than Flume: a renamed file is not sent again; a file that was truncated and has grown since is known by its last
//! bytes; what is unread of a file that was renamed away or deleted is read to its end; the position file is replaced, not
//! overwritten.

mod catalog;
mod config;
mod deliver;
mod describe;
mod enter;
mod follow;
mod hear;
mod hold;
mod known;
mod names;
mod open;
mod open_files;
mod own;
mod pass;
mod policy;
pub(crate) mod position;
mod progress;
mod read;
mod rules;
mod save;
mod scan;
mod shared;
#[cfg(test)]
mod slow_tests;
mod stop;
mod tail;
#[cfg(test)]
mod tests;
mod trace;
#[cfg(test)]
mod unusual_tests;
mod wake;

pub(crate) use config::{TailDirConfig, position_file};
pub(crate) use own::{OwnFiles, Rolled, console_is_a_file};
pub(crate) use shared::PositionFiles;

pub(crate) use rules::COMPONENT;

use flow::source::{Pausing, Question, Source, SourceContext, Stage, Stopping};
use follow::Follower;
use futures_util::future::LocalBoxFuture;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// A TAILDIR source. At a stop, what is under way is stored and the position file written.
struct TailDir(Arc<TailDirConfig>);

impl Source for TailDir {
    fn run(self: Box<Self>, mut context: SourceContext, stop: Stopping) -> LocalBoxFuture<'static, ()> {
        Box::pin(async move {
            let Some(Pausing { stage, paused, asked }) = context.pausing.take() else { return };
            follow(self.0, context, asked, stage, paused).await;
            drop(stop);
        })
    }

    fn is_rereadable(&self) -> bool {
        true
    }
}

async fn follow(
    config: Arc<TailDirConfig>,
    mut context: SourceContext,
    mut asked: mpsc::UnboundedReceiver<Question>,
    mut stage: watch::Receiver<Stage>,
    paused: watch::Sender<bool>,
) {
    match hold::hold(&config, &mut context, &mut asked, &mut stage).await {
        Some((share, positions)) => {
            Follower::new(config, context, share, positions, asked).run(stage, paused).await;
        }
        None => {
            paused.send_replace(true);
            // What follows a pause is a stop.
            let _gone = stage.wait_for(|stage| matches!(stage, Stage::Stop { .. })).await;
        }
    }
}

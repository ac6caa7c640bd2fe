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
mod open;
mod policy;
pub(crate) mod position;
mod read;
mod save;
mod scan;
mod shared;
mod tail;
#[cfg(test)]
mod tests;
mod trace;
#[cfg(test)]
mod unusual_tests;
mod wake;

pub(crate) use config::{TailDirConfig, position_file};
pub(crate) use shared::PositionFiles;

use super::Seat;
use crate::message::{Describe, Pause, Stop};
use actix::prelude::*;
use follow::Follower;
use tokio::sync::{mpsc, oneshot, watch};

/// The actor of a TAILDIR source; the work is in the task it starts.
pub(crate) struct TailDir {
    work: Option<(TailDirConfig, Seat, mpsc::UnboundedReceiver<Question>)>,
    stage: watch::Sender<Stage>,
    paused: watch::Sender<bool>,
    questions: mpsc::UnboundedSender<Question>,
}

/// Asks what the source is doing.
type Question = oneshot::Sender<String>;

/// What a source is told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// To follow.
    Run,
    /// To read no more.
    Pause,
    /// To end; after a pause, its positions go back to what was not delivered.
    Stop { goes_back: bool },
}

impl TailDir {
    pub(crate) fn new(config: TailDirConfig, seat: Seat) -> TailDir {
        let (questions, asked) = mpsc::unbounded_channel();
        TailDir {
            work: Some((config, seat, asked)),
            questions,
            stage: watch::Sender::new(Stage::Run),
            paused: watch::Sender::new(false),
        }
    }
}

impl Actor for TailDir {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let Some((config, seat, asked)) = self.work.take() else { return };
        // The seat's guard lives in this task: should it panic, the source has died.
        let (stage, paused) = (self.stage.subscribe(), self.paused.clone());
        let following = follow(config, seat, asked, stage, paused).into_actor(self);
        ctx.spawn(following.map(|(), _, ctx| ctx.stop()));
    }
}

async fn follow(
    config: TailDirConfig,
    mut seat: Seat,
    mut asked: mpsc::UnboundedReceiver<Question>,
    mut stage: watch::Receiver<Stage>,
    paused: watch::Sender<bool>,
) {
    match hold::hold(&config, &mut seat, &mut asked, &mut stage).await {
        Some((share, positions)) => {
            Follower::new(config, seat, share, positions, asked).run(stage, paused).await;
        }
        None => {
            paused.send_replace(true);
            // What follows a pause is a stop.
            let _gone = stage.wait_for(|stage| matches!(stage, Stage::Stop { .. })).await;
            seat.guard.release();
        }
    }
}

impl Handler<Describe> for TailDir {
    type Result = ResponseFuture<String>;

    fn handle(&mut self, _: Describe, _: &mut Self::Context) -> Self::Result {
        let (question, answer) = oneshot::channel();
        let _answered_then = self.questions.send(question);
        Box::pin(async move { answer.await.unwrap_or_else(|_| "has ended".to_owned()) })
    }
}

impl Handler<Pause> for TailDir {
    type Result = ResponseFuture<()>;

    /// What is under way is stored, if that does not take long.
    fn handle(&mut self, _: Pause, _: &mut Self::Context) -> Self::Result {
        self.stage.send_replace(Stage::Pause);
        let mut paused = self.paused.subscribe();
        Box::pin(async move {
            let _paused_or_gone = paused.wait_for(|paused| *paused).await;
        })
    }
}

impl Handler<Stop> for TailDir {
    type Result = ResponseFuture<()>;

    /// What is under way is stored and the position file written.
    fn handle(&mut self, _: Stop, _: &mut Self::Context) -> Self::Result {
        let goes_back = *self.stage.borrow() != Stage::Run;
        self.stage.send_replace(Stage::Stop { goes_back });
        let stage = self.stage.clone();
        Box::pin(async move { stage.closed().await })
    }
}

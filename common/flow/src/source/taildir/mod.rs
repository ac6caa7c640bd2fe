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
mod follow;
mod hear;
mod known;
mod open;
mod policy;
pub(crate) mod position;
mod read;
mod save;
mod scan;
mod tail;
#[cfg(test)]
mod tests;
mod wake;

pub(crate) use config::TailDirConfig;

use super::Seat;
use crate::message::Stop;
use actix::prelude::*;
use follow::Follower;
use tokio::sync::watch;

/// The actor of a TAILDIR source; the work is in the task it starts.
pub(crate) struct TailDir {
    work: Option<(TailDirConfig, Seat)>,
    stop: watch::Sender<bool>,
}

impl TailDir {
    pub(crate) fn new(config: TailDirConfig, seat: Seat) -> TailDir {
        TailDir { work: Some((config, seat)), stop: watch::Sender::new(false) }
    }
}

impl Actor for TailDir {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let Some((config, seat)) = self.work.take() else { return };
        // The seat's guard lives in this task: should it panic, the source has died.
        let following = Follower::new(config, seat).run(self.stop.subscribe()).into_actor(self);
        ctx.spawn(following.map(|(), _, ctx| ctx.stop()));
    }
}

impl Handler<Stop> for TailDir {
    type Result = ResponseFuture<()>;

    /// What is under way is stored and the position file written.
    fn handle(&mut self, _: Stop, _: &mut Self::Context) -> Self::Result {
        self.stop.send_replace(true);
        let stop = self.stop.clone();
        Box::pin(async move { stop.closed().await })
    }
}

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
mod position;
mod read;
mod rules;
mod save;
mod scan;
mod tail;
#[cfg(test)]
mod tests;
mod wake;

pub(crate) use rules::COMPONENT;

use config::TailDirConfig;

use super::{Seat, Source, Stopping};
use follow::Follower;
use futures_util::future::LocalBoxFuture;
use std::sync::Arc;

/// A TAILDIR source. At a stop, what is under way is stored and the position file written.
struct TailDir(Arc<TailDirConfig>);

impl Source for TailDir {
    fn run(self: Box<Self>, seat: Seat, stop: Stopping) -> LocalBoxFuture<'static, ()> {
        Box::pin(Follower::new(self.0, seat).run(stop))
    }
}

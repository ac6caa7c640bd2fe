//! The actor that every source lives in.

use super::Seat;
use crate::message::Stop;
use crate::supervise::Guard;
use actix::prelude::*;
use futures_util::future::LocalBoxFuture;
use tokio::sync::watch;

/// A source: takes events in and stores them through its [`Seat`]'s intake.
pub(crate) trait Source {
    /// Runs until it is told to stop; then stores what it has under way, and ends. Tasks that it has started keep a copy of
    /// `stop` for as long as they run: the source has stopped when the last copy is gone.
    fn run(self: Box<Self>, seat: Seat, stop: Stopping) -> LocalBoxFuture<'static, ()>;
}

/// How a source hears that it is to stop: the value changes to `true`.
pub(crate) type Stopping = watch::Receiver<bool>;

/// The actor of a source.
pub(crate) struct SourceActor {
    work: Option<Work>,
    stop: watch::Sender<bool>,
}

struct Work {
    source: Box<dyn Source>,
    seat: Seat,
    guard: Guard,
}

impl SourceActor {
    pub(crate) fn new(source: Box<dyn Source>, seat: Seat, guard: Guard) -> SourceActor {
        SourceActor { work: Some(Work { source, seat, guard }), stop: watch::Sender::new(false) }
    }
}

impl Actor for SourceActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let Some(Work { source, seat, mut guard }) = self.work.take() else { return };
        let stop = self.stop.subscribe();
        // The guard lives in this task: should it panic, the source has died.
        let running = async move {
            source.run(seat, stop).await;
            guard.release();
        };
        ctx.spawn(running.into_actor(self).map(|(), _, ctx| ctx.stop()));
    }
}

impl Handler<Stop> for SourceActor {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Stop, _: &mut Self::Context) -> Self::Result {
        self.stop.send_replace(true);
        let stop = self.stop.clone();
        Box::pin(async move { stop.closed().await })
    }
}

//! What sinks that wait for somebody else have in common: each works in a task on the thread of its actor.

use super::{Member, SinkContext};
use crate::error::DeliveryError;
use crate::message::{Deliver, PendingDelivery, Probe, State, Stop, Window};
use crate::processor::SinkAddress;
use crate::supervise::DeathWatch;
use actix::prelude::*;
use event::Batch;
use std::collections::VecDeque;
use std::future::{pending, ready};
use tokio::sync::{mpsc, watch};

/// A sink whose work is awaited. It bounds its own waits: nobody else ends one of its calls.
pub trait AsyncSink: Unpin + 'static {
    /// Whether what waits behind a delivery is delivered with it, in one call: for a sink whose calls cost as much for little as
    /// for much, such as one that syncs. Where several fail together, each comes again alone: one that is refused costs the others
    /// no more.
    const TOGETHER: bool = false;

    /// Gets ready, and says how much may wait for it at a time. Called before the first batches and again after each failure.
    fn open(&mut self) -> impl Future<Output = Result<Window, DeliveryError>>;

    /// Sends `batches` on their way, for a sink that need not wait for one delivery before it sends the next; whether it did. What
    /// was sent is settled by [`AsyncSink::deliver`], in the order in which it was sent, and all of it before anything that was not.
    fn send(&mut self, _: &[Batch]) -> impl Future<Output = bool> {
        ready(false)
    }

    /// Resolves when it is known what became of the first that was sent and is not settled. It is dropped when work comes.
    fn landed(&mut self) -> impl Future<Output = ()> {
        pending()
    }

    /// Delivers all of `batches`, in order, or fails; then all of them will come again. They have been taken in one
    /// transaction (in several with [`AsyncSink::TOGETHER`]), and are settled as soon as this returns. What was sent is only
    /// waited for.
    fn deliver(&mut self, batches: &[Batch]) -> impl Future<Output = Result<(), DeliveryError>>;

    /// Resolves when what was opened has come to its end though nothing is delivered. It is dropped when work comes.
    fn ended(&mut self) -> impl Future<Output = DeliveryError> {
        pending()
    }

    /// No more will come.
    fn close(&mut self) -> impl Future<Output = ()> {
        ready(())
    }
}

/// The actor of such a sink: hands pending deliveries to its task, which settles them itself.
pub struct RemoteSink<S> {
    sink: Option<S>,
    work: Option<mpsc::UnboundedSender<Work>>, // bounded by the window
    todo: Option<mpsc::UnboundedReceiver<Work>>,
    end: Option<watch::Sender<()>>,
    ended: watch::Receiver<()>, // its sender goes with the task, however that ends
    member: Member,
    death_watch: DeathWatch,
}

enum Work {
    Probe,
    Deliver(PendingDelivery),
}

impl<S: AsyncSink> RemoteSink<S> {
    /// An actor for `sink`.
    pub fn new(sink: S, member: Member, death_watch: DeathWatch) -> RemoteSink<S> {
        let (work, todo) = mpsc::unbounded_channel();
        let (end, ended) = watch::channel(());
        let (work, todo, end) = (Some(work), Some(todo), Some(end));
        RemoteSink { sink: Some(sink), work, todo, end, ended, member, death_watch }
    }

    fn give(&self, work: Work) {
        // A pending delivery that finds nobody says of itself that it failed.
        if let Some(task) = &self.work {
            let _nobody = task.send(work);
        }
    }
}

/// Starts `sink`.
pub fn start(sink: impl AsyncSink, context: SinkContext) -> SinkAddress {
    SinkAddress::of(&RemoteSink::new(sink, context.member, context.death_watch).start())
}

impl<S: AsyncSink> Actor for RemoteSink<S> {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(0); // bounded by the window
        self.member.tell(State::Started);
        let (Some(sink), Some(todo), end) = (self.sink.take(), self.todo.take(), self.end.take()) else {
            return;
        };
        let member = self.member.clone();
        let worker = Worker { sink, member, todo, next: None, sent: VecDeque::new(), alone: 0, open: false };
        let running = async move {
            let _end = end;
            worker.run().await;
        };
        ctx.spawn(running.into_actor(self).map(|(), _, ctx| ctx.stop()));
    }
}

impl<S: AsyncSink> Handler<Probe> for RemoteSink<S> {
    type Result = ();

    fn handle(&mut self, _: Probe, _: &mut Self::Context) {
        self.give(Work::Probe);
    }
}

impl<S: AsyncSink> Handler<Deliver> for RemoteSink<S> {
    type Result = ();

    fn handle(&mut self, Deliver(pending_delivery): Deliver, _: &mut Self::Context) {
        self.give(Work::Deliver(pending_delivery));
    }
}

impl<S: AsyncSink> Handler<Stop> for RemoteSink<S> {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Stop, _: &mut Self::Context) -> Self::Result {
        self.death_watch.release();
        self.work = None; // the task ends when it has done what it was given, and the actor with it
        let mut ended = self.ended.clone();
        Box::pin(async move { while ended.changed().await.is_ok() {} })
    }
}

struct Worker<S> {
    sink: S,
    member: Member,
    todo: mpsc::UnboundedReceiver<Work>,
    /// What was found behind deliveries that went together.
    next: Option<Work>,
    /// Deliveries that are on their way.
    sent: VecDeque<PendingDelivery>,
    /// Deliveries that go alone, as they have failed together.
    alone: usize,
    open: bool,
}

impl<S: AsyncSink> Worker<S> {
    async fn run(mut self) {
        loop {
            let next = self.next.take();
            let news = async {
                if !self.sent.is_empty() {
                    self.sink.landed().await;
                    return None;
                }
                Some(if self.open { self.sink.ended().await } else { pending().await })
            };
            let work = tokio::select! { biased;
                work = async { if next.is_some() { next } else { self.todo.recv().await } } => work,
                ended = news => {
                    match ended {
                        None => self.settle_first().await,
                        Some(error) => self.down(error),
                    }
                    continue;
                }
            };
            match work {
                Some(Work::Probe) => self.open().await,
                Some(Work::Deliver(pending_delivery)) => self.deliver(pending_delivery).await,
                None => {
                    self.settle_all().await;
                    return self.sink.close().await;
                }
            }
        }
    }

    async fn open(&mut self) {
        if self.open {
            return; // it is up, or about to be heard of
        }
        match self.sink.open().await {
            Ok(window) => {
                self.open = true;
                self.member.tell(State::Up(window));
            }
            Err(error) => self.down(error),
        }
    }

    async fn deliver(&mut self, pending_delivery: PendingDelivery) {
        if !self.open {
            return pending_delivery.failed(DeliveryError::Gone); // it failed a moment ago; this was on its way already
        }
        if self.sink.send(pending_delivery.batches()).await {
            return self.sent.push_back(pending_delivery);
        }
        self.settle_all().await;
        if !self.open {
            return pending_delivery.failed(DeliveryError::Gone);
        }
        let all = self.with_waiting(pending_delivery);
        let outcome = match &all[..] {
            [one] => self.sink.deliver(one.batches()).await,
            several => {
                let batches: Vec<Batch> =
                    several.iter().flat_map(PendingDelivery::batches).cloned().collect();
                self.sink.deliver(&batches).await
            }
        };
        match outcome {
            Ok(()) => {
                self.alone = self.alone.saturating_sub(all.len());
                PendingDelivery::done(all);
            }
            Err(error) => {
                self.alone = self.alone.max(all.len());
                all.into_iter().for_each(|pending_delivery| pending_delivery.failed(error.clone()));
                self.down(error);
            }
        }
    }

    /// The first that was sent, and if that has failed, all others: nothing is sent behind it.
    async fn settle_first(&mut self) {
        let Some(first) = self.sent.pop_front() else { return };
        let Err(error) = self.settle(first).await else { return };
        while let Some(next) = self.sent.pop_front() {
            let _told_with_the_first = self.settle(next).await;
        }
        self.down(error);
    }

    async fn settle_all(&mut self) {
        while !self.sent.is_empty() {
            self.settle_first().await;
        }
    }

    async fn settle(&mut self, pending_delivery: PendingDelivery) -> Result<(), DeliveryError> {
        let outcome = self.sink.deliver(pending_delivery.batches()).await;
        match &outcome {
            Ok(()) => PendingDelivery::done(vec![pending_delivery]),
            Err(error) => pending_delivery.failed(error.clone()),
        }
        outcome
    }

    /// A delivery, and those that wait behind it where they go together.
    fn with_waiting(&mut self, first: PendingDelivery) -> Vec<PendingDelivery> {
        let mut all = vec![first];
        while S::TOGETHER && self.alone == 0 && self.next.is_none() {
            match self.todo.try_recv() {
                Ok(Work::Deliver(next)) => all.push(next),
                Ok(Work::Probe) => self.next = Some(Work::Probe),
                Err(_) => break,
            }
        }
        all
    }

    fn down(&mut self, error: DeliveryError) {
        self.open = false;
        self.member.tell(State::Down(error));
    }
}

#[cfg(test)]
mod tests;

//! What sinks that wait for somebody else have in common: each works in a task on the thread of its actor.

use super::{Member, SinkContext};
use crate::error::DeliveryError;
use crate::message::{Deliver, PendingDelivery, Probe, State, Stop, Window};
use crate::processor::SinkAddress;
use crate::supervise::DeathWatch;
use actix::prelude::*;
use event::Batch;
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

    /// Delivers all of `batches`, in order, or fails; then all of them will come again. They have been taken in one
    /// transaction (in several with [`AsyncSink::TOGETHER`]), and are settled as soon as this returns.
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
        let worker = Worker { sink, member: self.member.clone(), todo, next: None, alone: 0, open: false };
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
    /// Deliveries that go alone, as they have failed together.
    alone: usize,
    open: bool,
}

impl<S: AsyncSink> Worker<S> {
    async fn run(mut self) {
        loop {
            let next = self.next.take();
            let ended = async { if self.open { self.sink.ended().await } else { pending().await } };
            let work = tokio::select! { biased;
                work = async { if next.is_some() { next } else { self.todo.recv().await } } => work,
                error = ended => {
                    self.down(error);
                    continue;
                }
            };
            match work {
                Some(Work::Probe) => self.open().await,
                Some(Work::Deliver(pending_delivery)) => self.deliver(pending_delivery).await,
                None => return self.sink.close().await,
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
mod tests {
    use super::*;
    use crate::sink::stage::Stage;
    use crate::testing::{numbers, take_now};
    use runtime::within::Within;
    use std::cell::RefCell;
    use std::collections::VecDeque;
    use std::rc::Rc;
    use tokio::sync::Notify;

    /// What a sink is to do, and what it did.
    #[derive(Default)]
    struct Script {
        opens: RefCell<VecDeque<bool>>,
        /// For each delivery: it succeeds, fails, or panics.
        delivers: RefCell<VecDeque<Option<bool>>>,
        ends: Notify,
        did: RefCell<Vec<String>>,
    }

    struct Scripted<const TOGETHER: bool>(Rc<Script>);

    fn broken() -> DeliveryError {
        DeliveryError::Lost { peer: "it".to_owned(), reason: "scripted".to_owned() }
    }

    impl<const TOGETHER: bool> AsyncSink for Scripted<TOGETHER> {
        const TOGETHER: bool = TOGETHER;

        async fn open(&mut self) -> Result<Window, DeliveryError> {
            let opens = self.0.opens.borrow_mut().pop_front().unwrap_or(true);
            if opens { Ok(Window::LOCAL) } else { Err(broken()) }
        }

        async fn deliver(&mut self, batches: &[Batch]) -> Result<(), DeliveryError> {
            tokio::task::yield_now().await;
            let delivers =
                self.0.delivers.borrow_mut().pop_front().unwrap_or(Some(true)).expect("as scripted");
            self.0.did.borrow_mut().push(format!("{:?}", numbers(batches)));
            if delivers { Ok(()) } else { Err(broken()) }
        }

        async fn ended(&mut self) -> DeliveryError {
            self.0.ends.notified().await;
            broken()
        }

        async fn close(&mut self) {
            self.0.did.borrow_mut().push("closed".to_owned());
        }
    }

    async fn start(script: Script) -> (Stage<RemoteSink<Scripted<false>>>, Rc<Script>) {
        start_one(script).await
    }

    async fn start_one<const TOGETHER: bool>(
        script: Script,
    ) -> (Stage<RemoteSink<Scripted<TOGETHER>>>, Rc<Script>) {
        let script = Rc::new(script);
        let sink = Scripted::<TOGETHER>(script.clone());
        let mut stage = Stage::new(|member| RemoteSink::new(sink, member, DeathWatch::unwatched()).start());
        assert_eq!(stage.hear().await, "started");
        (stage, script)
    }

    #[actix::test]
    async fn delivers_in_order_what_it_has_and_closes_when_it_is_stopped() {
        let (mut stage, script) = start(Script::default()).await;
        assert_eq!(stage.probe().await, "up");
        for event in 0..3 {
            stage.deliver(event).await;
        }
        stage.sink.send(Stop).within("the stop").await.unwrap();
        for _ in 0..3 {
            assert_eq!(stage.hear().await, "arrived");
        }
        assert_eq!(*script.did.borrow(), ["[0]", "[1]", "[2]", "closed"]);
    }

    #[actix::test]
    async fn what_waits_goes_together_where_a_sink_has_it_so_and_fails_together() {
        let delivers = RefCell::new([true, false, true, false].map(Some).into());
        let (mut stage, script) = start_one::<true>(Script { delivers, ..Script::default() }).await;
        assert_eq!(stage.probe().await, "up");
        let mut deliveries = VecDeque::new();
        for event in 0..7 {
            deliveries.push_back(stage.delivery(event).await);
        }
        deliveries.drain(..3).for_each(|delivery| stage.send(delivery));
        for _ in 0..3 {
            assert_eq!(stage.hear().await, "arrived");
        }
        // What is asked in between is answered in its turn.
        deliveries.drain(..1).for_each(|delivery| stage.send(delivery));
        stage.sink.do_send(Probe);
        deliveries.drain(..1).for_each(|delivery| stage.send(delivery));
        let lost = broken().to_string();
        for expected in [&lost, "down", "up", "arrived"] {
            assert_eq!(stage.hear().await, expected);
        }
        deliveries.drain(..).for_each(|delivery| stage.send(delivery));
        for expected in [&lost, &lost, "down"] {
            assert_eq!(stage.hear().await, expected);
        }
        assert_eq!(*script.did.borrow(), ["[0, 1, 2]", "[3]", "[4]", "[5, 6]"]);
        assert_eq!(take_now(&stage.channel).await, [3, 5, 6]);
    }

    #[actix::test]
    async fn what_has_failed_together_goes_alone_until_as_many_have_arrived() {
        let delivers = RefCell::new([Some(false)].into());
        let (mut stage, script) = start_one::<true>(Script { delivers, ..Script::default() }).await;
        assert_eq!(stage.probe().await, "up");
        for round in [0..2, 2..6] {
            let mut deliveries = Vec::new();
            for event in round {
                deliveries.push(stage.delivery(event).await);
            }
            deliveries.into_iter().for_each(|delivery| stage.send(delivery));
            stage.sink.do_send(Probe);
        }
        let lost = broken().to_string();
        for expected in [&*lost, &lost, "down", "up", "arrived", "arrived", "arrived", "arrived"] {
            assert_eq!(stage.hear().await, expected);
        }
        assert_eq!(*script.did.borrow(), ["[0, 1]", "[0]", "[1]", "[2, 3]"]);
    }

    #[actix::test]
    async fn a_failure_gives_back_what_waits_until_a_probe_succeeds() {
        let delivers = RefCell::new([Some(true), Some(false)].into());
        let (mut stage, _) = start(Script { delivers, ..Script::default() }).await;
        assert_eq!(stage.probe().await, "up");
        for event in 0..3 {
            stage.deliver(event).await;
        }
        let (lost, gone) = (broken().to_string(), DeliveryError::Gone.to_string());
        for expected in ["arrived", &lost, "down", &gone] {
            assert_eq!(stage.hear().await, expected);
        }
        assert_eq!(stage.probe().await, "up");
        assert_eq!(take_now(&stage.channel).await, [1, 2]);
    }

    #[actix::test]
    async fn what_cannot_be_opened_is_told_and_tried_again() {
        let (mut stage, _) = start(Script { opens: RefCell::new([false].into()), ..Script::default() }).await;
        assert_eq!([stage.probe().await, stage.probe().await], ["down", "up"]);
    }

    #[actix::test]
    async fn an_end_while_nothing_is_delivered_is_told() {
        let (mut stage, script) = start(Script::default()).await;
        assert_eq!(stage.probe().await, "up");
        script.ends.notify_one();
        assert_eq!(stage.hear().await, "down");
        assert_eq!(stage.probe().await, "up");
    }

    #[actix::test]
    async fn a_panic_loses_no_event_and_ends_the_actor() {
        let (mut stage, _) =
            start(Script { delivers: RefCell::new([None].into()), ..Script::default() }).await;
        assert_eq!(stage.probe().await, "up");
        stage.deliver(0).await;
        stage.deliver(1).await;
        for _ in 0..2 {
            assert_eq!(stage.hear().await, DeliveryError::Gone.to_string());
        }
        assert_eq!(take_now(&stage.channel).await, [0, 1]);
        while stage.sink.send(Probe).within("an answer of the sink, or its end").await.is_ok() {}
    }
}

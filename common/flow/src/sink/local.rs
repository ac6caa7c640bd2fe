//! What sinks on this machine have in common: they block, so each works on a thread of its own.

use super::{Member, SinkContext};
use crate::error::DeliveryError;
use crate::message::{Deliver, PendingDelivery, Probe, State, Stop, Window};
use crate::processor::SinkAddress;
use crate::supervise::DeathWatch;
use actix::prelude::*;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use event::Batch;
use runtime::clock::{self, Instant};
use std::io;
use tokio::sync::watch;

/// A sink that may block.
pub trait Blocking: Send + 'static {
    /// Gets ready: opens what must be open. Called before the first batches and again after each failure.
    fn open(&mut self) -> Result<(), DeliveryError>;

    /// Delivers all of `batches`, in order, or fails; then all of them will come again.
    fn deliver(&mut self, batches: &mut dyn Iterator<Item = &Batch>) -> Result<(), DeliveryError>;

    /// When [`Blocking::wake`] is to be called though nothing came.
    fn wake_at(&self) -> Option<Instant> {
        None
    }

    /// The time said before has come. A failure counts as one of a delivery: it is told, and [`Blocking::open`] is called
    /// until it succeeds.
    fn wake(&mut self) -> Result<(), DeliveryError> {
        Ok(())
    }

    /// No more will come.
    fn close(&mut self) {}
}

/// The actor of such a sink: hands pending deliveries to its thread, which settles them itself.
pub struct LocalSink {
    work: Option<Sender<Work>>,
    ended: watch::Receiver<()>, // its sender goes with the thread, however that ends
    member: Member,
    death_watch: DeathWatch,
}

enum Work {
    Probe,
    Deliver(PendingDelivery),
}

impl LocalSink {
    /// Starts a thread called `name` for `sink`.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn new(
        name: &str,
        sink: impl Blocking,
        member: Member,
        death_watch: DeathWatch,
    ) -> io::Result<LocalSink> {
        // Never more than the window, and a probe: a full queue cannot be.
        let (work, todo) = bounded(Window::LOCAL.deliveries + 2);
        let (end, ended) = watch::channel(());
        let of_worker = member.clone();
        std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            let _end = end;
            Worker { sink, member: of_worker, todo, open: false }.run();
        })?;
        Ok(LocalSink { work: Some(work), ended, member, death_watch })
    }

    fn give(&mut self, work: Work, ctx: &mut Context<Self>) {
        // A thread that is gone (it panicked) takes its actor with it, which drops the pending deliveries that wait for
        // it: they say of themselves that they failed. The supervisor builds both anew.
        if self.work.as_ref().is_none_or(|thread| thread.try_send(work).is_err()) {
            ctx.stop();
        }
    }
}

impl Actor for LocalSink {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(0); // bounded by the window
        self.member.tell(State::Started);
        let mut ended = self.ended.clone();
        let end = async move { ended.changed().await.is_err() }.into_actor(self);
        ctx.spawn(end.map(|_, _, ctx| ctx.stop()));
    }
}

impl Handler<Probe> for LocalSink {
    type Result = ();

    fn handle(&mut self, _: Probe, ctx: &mut Self::Context) {
        self.give(Work::Probe, ctx);
    }
}

impl Handler<Deliver> for LocalSink {
    type Result = ();

    fn handle(&mut self, Deliver(pending): Deliver, ctx: &mut Self::Context) {
        self.give(Work::Deliver(pending), ctx);
    }
}

impl Handler<Stop> for LocalSink {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Stop, _: &mut Self::Context) -> Self::Result {
        self.death_watch.release();
        self.work = None; // the thread ends when it has done what it was given, and the actor with it
        let mut ended = self.ended.clone();
        Box::pin(async move { while ended.changed().await.is_ok() {} })
    }
}

/// Starts `sink` on a thread of its own.
///
/// # Errors
/// When the operating system gives no thread.
pub fn start(sink: impl Blocking, context: SinkContext) -> Result<SinkAddress, String> {
    let SinkContext { name, member, death_watch, .. } = context;
    match LocalSink::new(&name, sink, member, death_watch) {
        Ok(sink) => Ok(SinkAddress::of(&sink.start())),
        Err(error) => Err(format!("no thread for it: {error}")),
    }
}

struct Worker<S> {
    sink: S,
    member: Member,
    todo: Receiver<Work>,
    open: bool,
}

impl<S: Blocking> Worker<S> {
    fn run(mut self) {
        while let Some(work) = self.next() {
            // What has come meanwhile is written together: fewer calls of the system, and one flush for all.
            let mut all_pending = Vec::with_capacity(Window::LOCAL.deliveries);
            let mut more = Some(work);
            while let Some(work) = more {
                match work {
                    Work::Probe => self.open(),
                    Work::Deliver(pending) => all_pending.push(pending),
                }
                more = self.todo.try_recv().ok();
            }
            if !all_pending.is_empty() {
                self.deliver(all_pending);
            }
        }
        self.sink.close();
    }

    fn next(&mut self) -> Option<Work> {
        loop {
            let Some(at) = self.sink.wake_at() else { return self.todo.recv().ok() };
            match self.todo.recv_timeout(at.saturating_duration_since(clock::now())) {
                Ok(work) => return Some(work),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {
                    if let Err(error) = self.sink.wake() {
                        self.open = false;
                        self.member.tell(State::Down(error));
                    }
                }
            }
        }
    }

    fn open(&mut self) {
        if !self.open
            && let Err(error) = self.sink.open()
        {
            return self.member.tell(State::Down(error));
        }
        self.open = true;
        self.member.tell(State::Up(Window::LOCAL));
    }

    fn deliver(&mut self, all_pending: Vec<PendingDelivery>) {
        let result = if self.open {
            self.sink.deliver(&mut all_pending.iter().flat_map(|pending| pending.batches()))
        } else {
            Err(DeliveryError::Gone) // it failed a moment ago; these were on their way already
        };
        match result {
            Ok(()) => PendingDelivery::done(all_pending),
            Err(error) => {
                self.open = false;
                all_pending.into_iter().for_each(|pending| pending.failed(error.clone()));
                self.member.tell(State::Down(error));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::stage::Stage;
    use crate::testing::{numbers, take_now};
    use runtime::within::Within;
    use std::sync::{Arc, Mutex};

    /// What a sink is to do, and what it did.
    #[derive(Default)]
    struct Script {
        broken: bool,
        panics: bool,
        wake_at: Option<Instant>,
        delivered: Vec<u64>,
        closed: bool,
    }

    struct Scripted(Arc<Mutex<Script>>);

    impl Scripted {
        fn answer(&self) -> Result<(), DeliveryError> {
            let script = self.0.lock().unwrap();
            assert!(!script.panics, "as scripted");
            let broken = || DeliveryError::Write { what: "it".to_owned(), reason: "scripted".to_owned() };
            if script.broken { Err(broken()) } else { Ok(()) }
        }
    }

    impl Blocking for Scripted {
        fn open(&mut self) -> Result<(), DeliveryError> {
            self.answer()
        }

        fn deliver(&mut self, batches: &mut dyn Iterator<Item = &Batch>) -> Result<(), DeliveryError> {
            self.answer()?;
            let batches: Vec<Batch> = batches.cloned().collect();
            self.0.lock().unwrap().delivered.extend(numbers(&batches));
            Ok(())
        }

        fn wake_at(&self) -> Option<Instant> {
            self.0.lock().unwrap().wake_at
        }

        fn wake(&mut self) -> Result<(), DeliveryError> {
            self.0.lock().unwrap().wake_at = None;
            self.answer()
        }

        fn close(&mut self) {
            self.0.lock().unwrap().closed = true;
        }
    }

    fn start(script: Script) -> (Stage<LocalSink>, Arc<Mutex<Script>>) {
        let script = Arc::new(Mutex::new(script));
        let sink = Scripted(script.clone());
        let start = |member| LocalSink::new("k1", sink, member, DeathWatch::unwatched()).unwrap().start();
        (Stage::new(start), script)
    }

    #[actix::test]
    async fn delivers_in_order_and_closes_when_it_is_stopped() {
        let (mut stage, script) = start(Script::default());
        assert_eq!(stage.hear().await, "started");
        assert_eq!(stage.probe().await, "up");
        for event in 0..4 {
            stage.deliver(event).await;
        }
        for _ in 0..4 {
            assert_eq!(stage.hear().await, "arrived");
        }
        stage.sink.send(Stop).within("the stop").await.unwrap();
        let script = script.lock().unwrap();
        assert_eq!((&script.delivered[..], script.closed), (&[0, 1, 2, 3][..], true));
    }

    #[actix::test]
    async fn a_failure_gives_all_back_until_a_probe_succeeds() {
        let (mut stage, script) = start(Script::default());
        stage.hear().await;
        assert_eq!(stage.probe().await, "up");
        script.lock().unwrap().broken = true;
        stage.deliver(0).await;
        assert_eq!([stage.hear().await, stage.hear().await], ["cannot write it: scripted", "down"]);
        assert_eq!(stage.probe().await, "down");
        script.lock().unwrap().broken = false;
        stage.deliver(1).await;
        let gone = DeliveryError::Gone.to_string();
        assert_eq!([stage.hear().await, stage.hear().await], [gone.as_str(), "down"], "it was not probed");
        assert_eq!(stage.probe().await, "up");
        assert_eq!(take_now(&stage.channel).await, [0, 1]);
        assert!(script.lock().unwrap().delivered.is_empty());
    }

    #[actix::test]
    async fn a_wake_up_that_fails_is_told() {
        let (mut stage, script) =
            start(Script { wake_at: Some(clock::now()), broken: true, ..Script::default() });
        let mut heard = [stage.hear().await, stage.hear().await];
        heard.sort_unstable(); // the actor's first word, and that of the wake-up, which its own thread says
        assert_eq!(heard, ["down", "started"]);
        script.lock().unwrap().broken = false;
        assert_eq!(stage.probe().await, "up");
    }

    #[actix::test]
    async fn a_panic_loses_no_event_and_ends_the_actor() {
        let (mut stage, script) = start(Script::default());
        stage.hear().await;
        assert_eq!(stage.probe().await, "up");
        script.lock().unwrap().panics = true;
        stage.deliver(0).await;
        stage.deliver(1).await; // reaches the thread, or its queue when there is nobody any more, or an actor that is gone
        for _ in 0..2 {
            assert_eq!(stage.hear().await, DeliveryError::Gone.to_string());
        }
        assert_eq!(take_now(&stage.channel).await, [0, 1]);
        while stage.sink.send(Probe).within("an answer of the sink, or its end").await.is_ok() {}
    }
}

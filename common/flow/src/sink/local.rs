//! What sinks on this machine have in common: they block, so each works on a thread of its own.

use super::Member;
use crate::clock::{self, Instant};
use crate::error::DeliveryError;
use crate::message::{Deliver, Errand, Probe, State, Stop, Window};
use crate::supervise::Guard;
use actix::prelude::*;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use event::Batch;
use std::io;
use tokio::sync::oneshot;

/// A sink that may block.
pub(crate) trait Blocking: Send + 'static {
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

/// The actor of such a sink: hands errands to its thread, which settles them itself.
pub(crate) struct LocalSink {
    work: Option<Sender<Work>>,
    ended: Option<oneshot::Receiver<()>>,
    member: Member,
    guard: Guard,
}

enum Work {
    Probe,
    Deliver(Errand),
}

impl LocalSink {
    /// Starts a thread called `name` for `sink`.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub(crate) fn new(name: &str, sink: impl Blocking, member: Member, guard: Guard) -> io::Result<LocalSink> {
        // Never more than the window, and a probe: a full queue cannot be.
        let (work, todo) = bounded(Window::LOCAL.parcels + 2);
        let (end, ended) = oneshot::channel();
        let of_worker = member.clone();
        std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            Worker { sink, member: of_worker, todo, open: false }.run();
            let _nobody_waits = end.send(());
        })?;
        Ok(LocalSink { work: Some(work), ended: Some(ended), member, guard })
    }

    fn give(&mut self, work: Work, ctx: &mut Context<Self>) {
        // A thread that is gone (it panicked) takes its actor with it; the supervisor builds both anew, and the errand,
        // dropped, says of itself that it failed.
        if self.work.as_ref().is_none_or(|thread| thread.try_send(work).is_err()) {
            ctx.stop();
        }
    }
}

impl Actor for LocalSink {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(0); // bounded by the window
        // To the group this is either news or the answer to a probe that died with our forerunner.
        self.member.tell(State::Down(DeliveryError::Gone));
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

    fn handle(&mut self, Deliver(errand): Deliver, ctx: &mut Self::Context) {
        self.give(Work::Deliver(errand), ctx);
    }
}

impl Handler<Stop> for LocalSink {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Stop, ctx: &mut Self::Context) -> Self::Result {
        self.guard.release();
        self.work = None; // the thread ends when it has done what it was given
        let ended = self.ended.take();
        ctx.stop();
        Box::pin(async move {
            if let Some(ended) = ended {
                let _panicked = ended.await;
            }
        })
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
            let mut errands = Vec::with_capacity(Window::LOCAL.parcels);
            let mut more = Some(work);
            while let Some(work) = more {
                match work {
                    Work::Probe => self.open(),
                    Work::Deliver(errand) => errands.push(errand),
                }
                more = self.todo.try_recv().ok();
            }
            if !errands.is_empty() {
                self.deliver(errands);
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

    fn deliver(&mut self, errands: Vec<Errand>) {
        let result = if self.open {
            self.sink.deliver(&mut errands.iter().flat_map(|errand| errand.batches()))
        } else {
            Err(DeliveryError::Gone) // it failed a moment ago; these were on their way already
        };
        match result {
            Ok(()) => errands.into_iter().for_each(Errand::done),
            Err(error) => {
                self.open = false;
                errands.into_iter().for_each(|errand| errand.failed(error.clone()));
                self.member.tell(State::Down(error));
            }
        }
    }
}

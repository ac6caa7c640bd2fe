//! A sink in the JVM, as a member of a native group: deliveries go in ahead of need, commits come back by number.

use crate::aside::{self, Why};
use crate::bare::Bare;
use crate::deliveries::Deliveries;
use crate::host::Host;
use actix::prelude::*;
use bridge::{BridgeError, Outcome, Poison, Sink, SinkEvent, Spec};
use flow::counters::SinkCounters;
use flow::error::DeliveryError;
use flow::message::{Deliver, PendingDelivery, Probe, State, Stop, Window};
use flow::processor::SinkAddress;
use flow::sink::{Member, SinkContext};
use flow::supervise::DeathWatch;
use runtime::clock::{self, Duration, Instant};
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep_until, timeout};

/// The actor: hands what it is asked to its task.
struct HostedSink {
    work: Option<mpsc::UnboundedSender<Work>>,
    task: Option<Task>,
    ended: watch::Receiver<()>,
    death_watch: DeathWatch,
}

enum Work {
    Probe,
    Deliver(PendingDelivery),
}

/// Starts the actor of a sink that `spec` describes.
pub(crate) fn start(host: Arc<Host>, spec: Spec, context: SinkContext) -> SinkAddress {
    let SinkContext { member, counters, death_watch, log, .. } = context;
    let (work, todo) = mpsc::unbounded_channel();
    let (end, ended) = watch::channel(());
    let task = Task {
        host,
        spec,
        member,
        counters,
        log,
        todo,
        live: None,
        poison: Poison::default(),
        bare: Bare::default(),
        window: Window::LOCAL,
        last_end: String::new(),
        _end: end,
    };
    SinkAddress::of(&HostedSink { work: Some(work), task: Some(task), ended, death_watch }.start())
}

impl HostedSink {
    fn give(&mut self, work: Work) {
        // A pending delivery that nobody takes says so itself.
        if let Some(task) = &self.work {
            let _nobody = task.send(work);
        }
    }
}

impl Actor for HostedSink {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(0); // bounded by the window
        let Some(task) = self.task.take() else { return };
        task.member.tell(State::Started);
        ctx.spawn(task.run().into_actor(self).map(|(), _, ctx| ctx.stop()));
    }
}

impl Handler<Probe> for HostedSink {
    type Result = ();

    fn handle(&mut self, _: Probe, _: &mut Self::Context) {
        self.give(Work::Probe);
    }
}

impl Handler<Deliver> for HostedSink {
    type Result = ();

    fn handle(&mut self, Deliver(pending): Deliver, _: &mut Self::Context) {
        self.give(Work::Deliver(pending));
    }
}

impl Handler<Stop> for HostedSink {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Stop, _: &mut Self::Context) -> Self::Result {
        self.death_watch.release();
        self.work = None; // the task ends, and the actor with it
        let mut ended = self.ended.clone();
        Box::pin(async move { while ended.changed().await.is_ok() {} })
    }
}

/// What does the sink's work.
struct Task {
    host: Arc<Host>,
    spec: Spec,
    member: Member,
    counters: Arc<SinkCounters>,
    log: slog::Logger,
    todo: mpsc::UnboundedReceiver<Work>,
    live: Option<Live>,
    poison: Poison,
    /// Deliveries without the objects that they came with, when the class has failed.
    bare: Bare,
    /// One delivery after the other while some are under suspicion.
    window: Window,
    /// Why the last JVM has ended.
    last_end: String,
    _end: watch::Sender<()>,
}

/// A sink that has been started in a JVM.
struct Live {
    sink: Sink,
    deliveries: Deliveries,
    /// Why it takes no more until it is probed.
    failed: Option<DeliveryError>,
    /// Its thread is gone: it is made anew.
    dead: bool,
    backoffs: u32,
    /// When it is to run though nothing has come.
    run_at: Option<Instant>,
}

enum Happened {
    Work(Option<Work>),
    Said(Option<SinkEvent>),
    Time,
}

impl Task {
    async fn run(mut self) {
        loop {
            match self.happens().await {
                Happened::Work(None) => break,
                Happened::Work(Some(Work::Probe)) => {
                    if !self.probe().await {
                        break;
                    }
                }
                Happened::Work(Some(Work::Deliver(pending))) => self.deliver(pending).await,
                Happened::Said(Some(event)) => self.heard(event),
                Happened::Said(None) => self.jvm_is_gone(),
                Happened::Time => self.live.iter_mut().for_each(Live::run),
            }
            self.bury();
        }
        self.stop().await;
    }

    async fn happens(&mut self) -> Happened {
        let Some(live) = &mut self.live else { return Happened::Work(self.todo.recv().await) };
        let run_at = live.run_at;
        let time = async {
            match run_at {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            event = live.sink.next() => Happened::Said(event),
            work = self.todo.recv() => Happened::Work(work),
            () = time => Happened::Time,
        }
    }

    /// Makes the sink when there is none, and tells the group how it is. `false` when it is to stop.
    async fn probe(&mut self) -> bool {
        if let Some(live) = &mut self.live {
            // A dead one still gives back what it has; then it is made anew.
            if !live.dead {
                live.failed = None;
            }
            self.member.tell(live.failed.clone().map_or(State::Up(self.window), State::Down));
            return true;
        }
        let opened = {
            let mut opening = std::pin::pin!(open(&self.host, &self.spec, &self.log));
            loop {
                tokio::select! {
                    opened = &mut opening => break opened,
                    work = self.todo.recv() => match work {
                        None => return false,
                        Some(Work::Deliver(pending)) => pending.failed(DeliveryError::Gone),
                        Some(Work::Probe) => {}
                    },
                }
            }
        };
        match opened {
            Ok(sink) => {
                let mut live = Live {
                    sink,
                    deliveries: Deliveries::default(),
                    failed: None,
                    dead: false,
                    backoffs: 0,
                    run_at: None,
                };
                live.run(); // some roll files or send heartbeats when they run, also without events
                self.live = Some(live);
                self.member.tell(State::Up(self.window));
            }
            Err(error) => self.member.tell(State::Down(class_failed(&error))),
        }
        true
    }

    async fn deliver(&mut self, pending: PendingDelivery) {
        let Some(live) = self.live.as_mut().filter(|live| !live.dead) else {
            return pending.failed(DeliveryError::Gone); // it was on its way already
        };
        if let Some(error) = &live.failed {
            return pending.failed(error.clone());
        }
        if pending.id().is_some_and(|id| self.poison.is_poison(id.sequence) || self.bare.holds(id.sequence)) {
            return self.set_aside(pending).await;
        }
        let before = live.sink.next_number();
        for batch in pending.batches() {
            if let Err(error) = live.sink.push(batch) {
                live.failed = Some(class_failed(&error));
                break;
            }
        }
        live.deliveries.sent(pending, before..live.sink.next_number());
        match &live.failed {
            Some(error) => {
                let error = error.clone();
                self.fail(error);
            }
            None if live.run_at.is_none() || live.backoffs == 0 => live.run(),
            None => {} // it has asked for a pause
        }
    }

    fn heard(&mut self, event: SinkEvent) {
        let Some(live) = &mut self.live else { return };
        match event {
            SinkEvent::Delivered(ranges) => {
                live.backoffs = 0;
                let done = live.deliveries.delivered(&ranges);
                for sequence in done.iter().map(|pending| pending.id().map(|id| id.sequence)) {
                    self.poison.passed(sequence);
                    sequence.into_iter().for_each(|sequence| self.bare.forget(sequence));
                }
                PendingDelivery::done(done);
                self.widen();
            }
            SinkEvent::Returned(ranges) => {
                let error = live.failed.clone().unwrap_or(DeliveryError::Gone);
                live.deliveries.returned(&ranges, &error);
            }
            SinkEvent::Paused { outcome: Outcome::Ready | Outcome::Backoff, runs, starved } => {
                live.paused(runs, starved);
            }
            SinkEvent::Paused { outcome: Outcome::Exception(thrown), .. } => {
                let reason = thrown.to_string();
                if thrown.is_a_cast() {
                    let lacking = live.deliveries.with(|batch| live.sink.lacks_objects(batch));
                    self.bare.failed(lacking, live.deliveries.is_one(), clock::now());
                    self.set_window();
                }
                slog::debug!(self.log, "sink {} has thrown\n{}", self.spec.name, thrown.stack);
                self.fail(DeliveryError::Class { reason });
            }
            SinkEvent::Paused { outcome: Outcome::Dead(thrown), .. } => {
                live.dead = true;
                let reason = format!("{thrown}: an Error ends its thread, so it is made anew");
                slog::error!(self.log, "sink {} has thrown an Error: {}", self.spec.name, thrown.stack);
                self.fail(DeliveryError::Class { reason });
            }
        }
    }

    /// It takes no more for now; what it has comes back.
    fn fail(&mut self, error: DeliveryError) {
        if let Some(live) = &mut self.live {
            live.failed = Some(error.clone());
            live.run_at = None;
            live.sink.recall();
            live.deliveries.returned(&[], &error); // what never got there
        }
        self.member.tell(State::Down(error));
    }

    /// Keeps a batch on disk that has ended one JVM after the other, or lacks what it came with; it counts as one that could not
    /// be written.
    async fn set_aside(&mut self, pending: PendingDelivery) {
        let who = format!("sink {}", self.spec.name);
        let is_bare = pending.id().is_some_and(|id| self.bare.holds(id.sequence));
        let why = match is_bare {
            true => Why::LacksObjects(&self.last_end),
            false => Why::EndsEveryJvm(&self.last_end),
        };
        let kept = match self.host.settings() {
            Ok(settings) => aside::set_aside(&settings.aside, &who, why, pending.batches(), &self.log).await,
            Err(error) => Err(error.to_owned()),
        };
        match kept {
            Ok(()) => {
                if let Some(id) = pending.id() {
                    self.bare.forget(id.sequence);
                    self.poison.set_aside(id.sequence);
                }
                self.counters.event_write_fail.add(pending.events());
                PendingDelivery::done(vec![pending]);
                self.widen();
            }
            Err(reason) => {
                let error = DeliveryError::Class { reason };
                pending.failed(error.clone());
                self.fail(error);
            }
        }
    }

    /// Several deliveries at a time again, when none is under suspicion any more.
    fn widen(&mut self) {
        if self.window == Window::LOCK_STEP {
            self.set_window();
            if self.window != Window::LOCK_STEP {
                self.member.tell(State::Up(self.window));
            }
        }
    }

    /// One delivery at a time while any is under suspicion.
    fn set_window(&mut self) {
        let now = clock::now();
        let is_calm = self.poison.is_calm(now) & self.bare.is_calm(now);
        self.window = if is_calm { Window::LOCAL } else { Window::LOCK_STEP };
    }

    fn jvm_is_gone(&mut self) {
        let Some(mut live) = self.live.take() else { return };
        let (under_way, now) = (live.deliveries.sequences(), clock::now());
        for batch in &under_way {
            self.poison.died(*batch, under_way.len() == 1, live.sink.fault(), now);
        }
        self.set_window();
        self.last_end = live.sink.gone().to_string();
        let (peer, reason) = ("the JVM".to_owned(), self.last_end.clone());
        live.deliveries.lost(&DeliveryError::Lost { peer: peer.clone(), reason: reason.clone() });
        self.member.tell(State::Down(DeliveryError::Unreachable { peer, reason }));
    }

    /// A dead sink goes when it has given everything back.
    fn bury(&mut self) {
        self.live.take_if(|live| live.dead && live.deliveries.is_empty());
    }

    async fn stop(&mut self) {
        let Some(mut live) = self.live.take() else { return };
        let name = &self.spec.name;
        match timeout(STOP_WITHIN, live.sink.stop()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => slog::warn!(self.log, "{error}"),
            Err(_) => slog::warn!(
                self.log,
                "sink {name} has not stopped within {} s; its JVM is ended with the agent",
                STOP_WITHIN.as_secs()
            ),
        }
        while let Some(event) = live.sink.try_next() {
            if let SinkEvent::Delivered(ranges) = event {
                PendingDelivery::done(live.deliveries.delivered(&ranges));
            }
        }
        live.deliveries.lost(&DeliveryError::Gone);
    }
}

impl Live {
    fn run(&mut self) {
        self.run_at = None;
        if self.failed.is_none() && !self.dead {
            self.sink.process();
        }
    }

    /// It has stopped running. Flume's runner waits a second more after each back-off; it does so with events in the
    /// channel too. One that found its channel empty runs again as soon as there is something.
    fn paused(&mut self, runs: u64, starved: bool) {
        if self.failed.is_some() || self.dead {
            return;
        }
        self.backoffs = if runs > 1 { 1 } else { self.backoffs + 1 };
        if starved && !self.deliveries.is_empty() {
            self.backoffs = 0;
            return self.run();
        }
        let pause = (BACKOFF * self.backoffs).min(LONGEST_BACKOFF);
        self.run_at = Some(clock::now() + pause);
        if starved {
            self.backoffs = 0;
        }
    }
}

async fn open(host: &Arc<Host>, spec: &Spec, log: &slog::Logger) -> Result<Sink, BridgeError> {
    let jvm = host.jvm(log).await?;
    let sink = Sink::create(&jvm, spec).await?;
    sink.start().await?;
    Ok(sink)
}

fn class_failed(error: &BridgeError) -> DeliveryError {
    DeliveryError::Class { reason: error.to_string() }
}

/// As Flume's `SinkRunner` has it.
const BACKOFF: Duration = Duration::from_secs(1);
const LONGEST_BACKOFF: Duration = Duration::from_secs(5);
/// Less than what the agent's stop gives to sinks.
const STOP_WITHIN: Duration = Duration::from_secs(4);

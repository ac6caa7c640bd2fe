//! A sink: events are pushed ahead, acknowledgements come back by number.

use crate::{
    BridgeError, ComponentKind, Fault, Jvm, Made, Outcome, Ranges, Spec, clock,
    clock::Instant,
    component::Component,
    jvm::Inbox,
    life::Cause,
    policy::Verdict,
    protocol::{FromJvm, to_jvm},
};
use event::Batch;
use std::{
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::mpsc;

mod leases;

use leases::Leases;

/// A sink in a JVM.
///
/// Its holder pushes events within a window of his own, calls [`Sink::process`] to have it run, and takes what comes from
/// [`Sink::next`]. When that ends, what [`Sink::unsettled`] says is the holder's again.
pub struct Sink {
    component: Component,
    leases: Leases,
    events: mpsc::UnboundedReceiver<FromJvm>,
    running: bool,
    silent_since: Instant,
    told: bool,
}

/// What a sink says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SinkEvent {
    /// It has committed these: they are delivered.
    Delivered(Ranges),
    /// It has not taken these, or rolled them back: they are the holder's again.
    Returned(Ranges),
    /// It has stopped running and waits for the next [`Sink::process`].
    Paused {
        /// Why.
        outcome: Outcome,
        /// How often `process()` was called.
        runs: u64,
        /// Whether the last run found its channel empty: a back-off then means no more than that.
        starved: bool,
    },
}

struct Passes(Mutex<Option<mpsc::UnboundedSender<FromJvm>>>);

impl Sink {
    /// Creates it.
    ///
    /// # Errors
    /// When a class is missing or `configure` has failed.
    pub async fn create(jvm: &Jvm, spec: &Spec) -> Result<Sink, BridgeError> {
        debug_assert_eq!(spec.kind, ComponentKind::Sink);
        let (inbox, events) = passes();
        let component = Component::create(jvm, spec, inbox).await?;
        let leases = Leases::default();
        Ok(Sink { component, leases, events, running: false, silent_since: clock::now(), told: false })
    }

    /// What is known of it.
    pub fn made(&self) -> &Made {
        &self.component.made
    }

    /// Starts it.
    ///
    /// # Errors
    /// When it fails. Make a new one for the next try: some of Flume's start once only.
    pub async fn start(&self) -> Result<(), BridgeError> {
        self.component.start().await
    }

    /// Sends it events and says which numbers they have. They are not copied.
    ///
    /// # Errors
    /// When they are too large for the JVM. When that is gone they count as unsettled.
    pub fn push(&mut self, batch: &Batch) -> Result<Range<u64>, BridgeError> {
        let Component { id, jvm, .. } = &self.component;
        let frame = to_jvm::events(*id, self.leases.next(), batch, jvm.objects(batch));
        self.component.check_size(frame.bytes())?;
        if self.leases.is_empty() {
            self.heard();
        }
        let numbers = self.leases.lease(batch.len() as u64);
        self.component.jvm.send(frame);
        Ok(numbers)
    }

    /// Whether `batch` came with objects that have ended with the JVM of then: this sink gets headers and bodies alone.
    pub fn lacks_objects(&self, batch: &Batch) -> bool {
        self.component.jvm.has_lost_objects(batch)
    }

    /// The number that the next event gets.
    pub fn next_number(&self) -> u64 {
        self.leases.next()
    }

    /// Lets it run until it wants a pause; then [`SinkEvent::Paused`] comes.
    pub fn process(&mut self) {
        if !self.running {
            self.running = true;
            self.heard();
            self.component.jvm.send(to_jvm::plain(to_jvm::PROCESS, self.component.id));
        }
    }

    /// Whether it runs.
    pub fn is_running(&self) -> bool {
        self.running
    }

    /// Asks for all events back that it has not taken; they come as [`SinkEvent::Returned`]. What it has in a transaction
    /// comes when that ends. A run ends as soon as the sink lets it.
    pub fn recall(&mut self) {
        self.component.jvm.send(to_jvm::plain(to_jvm::RECALL, self.component.id));
    }

    /// What it says next; `None` when its JVM is gone. May be dropped and called again.
    pub async fn next(&mut self) -> Option<SinkEvent> {
        loop {
            let message = self.receive().await?;
            self.heard();
            if let Some(event) = self.understand(message) {
                return Some(event);
            }
        }
    }

    fn understand(&mut self, message: FromJvm) -> Option<SinkEvent> {
        match message {
            FromJvm::Ack(ranges) => self.settle(ranges).map(SinkEvent::Delivered),
            FromJvm::Nack(ranges) | FromJvm::Recalled(ranges) => self.settle(ranges).map(SinkEvent::Returned),
            FromJvm::Done { outcome, runs, starved } => {
                self.running = false;
                Some(SinkEvent::Paused { outcome, runs, starved })
            }
            _ => None,
        }
    }

    /// The next message; tells about silence while there is something to do.
    async fn receive(&mut self) -> Option<FromJvm> {
        loop {
            if !self.running || self.leases.is_empty() {
                return self.events.recv().await;
            }
            let Component { id, title, jvm, .. } = &self.component;
            let silence_limits = jvm.silence_limits();
            match silence_limits.judge(self.silent_since, self.told, clock::now()) {
                Verdict::Wait(pause) => {
                    if let Ok(message) = tokio::time::timeout(pause, self.events.recv()).await {
                        return message;
                    }
                }
                Verdict::Tell => {
                    self.told = true;
                    jvm.tell_silence(*id, title, WHAT, self.silent_since).await;
                }
                Verdict::End => {
                    let silent = clock::now().saturating_duration_since(self.silent_since).as_secs();
                    jvm.kill_for(Cause::hang(
                        title,
                        format!("{title} has not answered {WHAT} for {silent} s"),
                    ));
                    return self.events.recv().await;
                }
            }
        }
    }

    /// Stops it: wakes it, waits for the end of its run, closes it. Then takes what still comes from [`Sink::next`], which
    /// has all events that it did not deliver. A sink that does not stop is told about, and its JVM ended, like any other.
    ///
    /// # Errors
    /// When it fails.
    pub async fn stop(&mut self) -> Result<(), BridgeError> {
        self.running = false;
        self.component.stop().await
    }

    /// What has come already; for after [`Sink::stop`].
    pub fn try_next(&mut self) -> Option<SinkEvent> {
        loop {
            let message = self.events.try_recv().ok()?;
            if let Some(event) = self.understand(message) {
                return Some(event);
            }
        }
    }

    /// Events that it was sent and that have not come back, in order.
    pub fn unsettled(&self) -> Ranges {
        self.leases.open()
    }

    /// Why its JVM has ended.
    pub fn gone(&self) -> BridgeError {
        self.component.jvm.gone()
    }

    /// What it has to do with that.
    pub fn fault(&self) -> Fault {
        self.component.jvm.fault(&self.component.title)
    }

    /// Takes numbers off the books; `None` when there are none, or the sink does not have them.
    fn settle(&mut self, ranges: Ranges) -> Option<Ranges> {
        if let Err(number) = self.leases.settle(&ranges) {
            let title = &self.component.title;
            self.component.jvm.kill(&format!("{title} settles event {number}, which it does not have"));
            return None;
        }
        Some(ranges).filter(|ranges| !ranges.is_empty())
    }

    fn heard(&mut self) {
        self.silent_since = clock::now();
        self.told = false;
    }
}

/// An inbox that hands all on to one receiver.
pub(crate) fn passes() -> (Arc<dyn Inbox>, mpsc::UnboundedReceiver<FromJvm>) {
    let (tell, told) = mpsc::unbounded_channel();
    (Arc::new(Passes(Mutex::new(Some(tell)))), told)
}

impl Inbox for Passes {
    fn take(&self, message: FromJvm) {
        if let Some(tell) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = tell.send(message); // nobody listens to a component that is dropped
        }
    }

    fn ended(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

const WHAT: &str = "process()";

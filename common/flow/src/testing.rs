//! What tests of several components share: a channel, batches of numbers, scripted sinks.

mod paper;
mod plain;

pub use paper::Paper;
pub use plain::PlainStore;

use crate::channel::ChannelRef;
use crate::channel::lease::Lease;
use crate::channel::{ChannelContext, NewChannel};
use crate::component::{Component, Configure, Site};
use crate::error::DeliveryError;
use crate::interceptor::{Interceptors, Oversized};
use crate::message::{Deliver, Health, PendingDelivery, Probe, PutTimeout, State, Stop, Window};
use crate::processor::SinkAddress;
use crate::selector::{ChannelSelector, Selected};
use crate::source::NewSource;
use crate::source::{ChannelProcessor, Doing, SourceActor, SourceContext};
use crate::supervise::DeathWatch;
use crate::supervise::address::{AddressCell, AddressSetter, address_cell};
use actix::prelude::*;
use bytes::BytesMut;
use event::{Batch, BatchBuilder, Recycler};
use plan::{Findings, Owner, Properties, Report};
use runtime::ready::Ready;
use runtime::within::Within;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use tokio::sync::{Notify, mpsc};

/// A logger that says nothing.
pub fn silent() -> slog::Logger {
    slog::Logger::root(slog::Discard, slog::o!())
}

/// What a logger was told.
#[derive(Clone, Default)]
pub struct Heard(Arc<(Mutex<Vec<String>>, Notify)>);

impl Heard {
    pub fn lines(&self) -> Vec<String> {
        self.0.0.lock().expect("no test panics within").clone()
    }

    /// Waits for so many lines.
    pub async fn wait(&self, lines: usize) {
        while self.lines().len() < lines {
            self.0.1.notified().within("one more line in the log").await;
        }
    }
}

impl slog::Drain for Heard {
    type Ok = ();
    type Err = slog::Never;

    fn log(&self, record: &slog::Record<'_>, _: &slog::OwnedKVList) -> Result<(), slog::Never> {
        if record.level() <= slog::Level::Warning {
            self.0.0.lock().expect("no test panics within").push(record.msg().to_string());
            self.0.1.notify_one();
        }
        Ok(())
    }
}

/// A channel called `c1` with a plain store, with the keys and values given: those of a memory channel.
pub fn plain_channel(settings: &[(&str, &str)]) -> ChannelRef {
    let properties = PlainStore::properties(settings);
    let store = PlainStore::new(&properties);
    let settings = store.settings(&properties);
    started("c1", NewChannel::of(store, settings))
}

/// Starts a channel that lives as long as its test.
pub fn started(name: &str, channel: NewChannel) -> ChannelRef {
    let NewChannel { transaction, fits, held, start } = channel;
    let (setter, cell) = address_cell();
    setter.set(start(ChannelContext {
        name: name.into(),
        log: silent(),
        death_watch: DeathWatch::unwatched(),
    }));
    std::mem::forget(setter);
    ChannelRef::new(name, transaction, cell).of(fits, held)
}

/// All goes to the first channel.
#[derive(Debug)]
struct OneChannel;

/// A selector for a source with one channel.
pub fn one_channel() -> Box<dyn ChannelSelector> {
    Box::new(OneChannel)
}

/// Makes interceptors that let everything pass.
///
/// # Errors
/// None.
pub fn plain_chain(
    _: &[plan::ComponentPlan],
    _: &slog::Logger,
) -> Result<Box<dyn Interceptors>, runtime::build::BuildError> {
    Ok(Box::new(NoInterceptors))
}

impl ChannelSelector for OneChannel {
    fn is_plain(&self) -> bool {
        true
    }

    fn required(&self) -> &[usize] {
        &[0]
    }

    fn select(&mut self, batch: &Batch) -> Selected {
        Selected { required: vec![(0, batch.clone())], ..Selected::default() }
    }
}

/// Batches pass as they are.
struct NoInterceptors;

impl Interceptors for NoInterceptors {
    fn process(&mut self, batch: Batch, _: i64, _: &mut Recycler) -> Result<Batch, Oversized> {
        Ok(batch)
    }

    fn prefix(&self, headers: &[(&str, &str)], _: i64, out: &mut BytesMut) -> bool {
        let pairs: Vec<(&[u8], &[u8])> =
            headers.iter().map(|(key, value)| (key.as_bytes(), value.as_bytes())).collect();
        event::encode_headers(out, pairs);
        true
    }

    fn leaves_out(&self) -> bool {
        false
    }
}

/// A context for a source called `r1` without interceptors that stores into `channel`, and what hears that it is ready.
pub fn source_context(channel: &ChannelRef) -> (SourceContext, mpsc::UnboundedReceiver<()>) {
    let source = NewSource {
        name: "r1".to_owned(),
        blocks: false,
        channels: vec![channel.name.to_string()],
        make: Box::new(|| unreachable!("a test starts its source itself")),
        selector: Box::new(one_channel),
        interceptors: Vec::new(),
        chain: plain_chain,
        elsewhere: None,
    };
    let channels = HashMap::from([(channel.name.to_string(), channel.clone())]);
    let processor =
        ChannelProcessor::build(&source, &channels, &silent()).expect("there is nothing to refuse");
    let (tell, ready) = mpsc::unbounded_channel();
    let (name, log, doing) = ("r1".into(), silent(), Doing::new(processor.clone()));
    (SourceContext { name, log, processor, ready: Ready::new(tell), doing, pausing: None }, ready)
}

/// Starts a source as its component configures it; panics when it cannot be made.
pub fn start_source<K: Into<String>, V: Into<String>>(
    component: &'static Component,
    pairs: impl IntoIterator<Item = (K, V)>,
    context: SourceContext,
) -> Addr<SourceActor> {
    start_source_at(component, pairs, context, &Site::new(&[]))
}

/// The same in a process of which this is known.
pub fn start_source_at<K: Into<String>, V: Into<String>>(
    component: &'static Component,
    pairs: impl IntoIterator<Item = (K, V)>,
    context: SourceContext,
    site: &Site,
) -> Addr<SourceActor> {
    let properties = Properties::of(&component.descriptor, pairs);
    let Configure::Source(configure) = component.configure else { panic!("it is no source") };
    let (owner, mut report) = (Owner::nobody(), Report::default());
    let made = configure(&properties, site, &mut Findings::new(&owner, &properties, &mut report));
    let make = made.unwrap_or_else(|| panic!("{report}"));
    SourceActor::new(make(), context, DeathWatch::unwatched()).start()
}

/// Events whose bodies are these numbers.
pub fn batch(numbers: Range<u64>) -> Batch {
    let mut builder = BatchBuilder::default();
    for number in numbers {
        builder.push([], number.to_string().as_bytes());
    }
    builder.finish()
}

/// The numbers that are the bodies of these events.
pub fn numbers(batches: &[Batch]) -> Vec<u64> {
    let number = |body: &[u8]| String::from_utf8_lossy(body).parse().expect("a number");
    batches
        .iter()
        .flat_map(|batch| batch.events().map(|event| number(event.body())).collect::<Vec<_>>())
        .collect()
}

/// Stores the numbers, one event a batch.
pub async fn put(channel: &ChannelRef, events: Range<u64>) {
    for number in events {
        channel
            .put(batch(number..number + 1), PutTimeout::KeepAlive)
            .within("room in the channel")
            .await
            .expect("there is room");
    }
}

/// Takes and forgets all that is there now.
pub async fn take_now(channel: &ChannelRef) -> Vec<u64> {
    let mut taken = Vec::new();
    while channel.fill().within("the fill of the channel").await.is_some_and(|fill| fill.events > 0) {
        let lease: Lease =
            channel.take(usize::MAX).within("events from the channel").await.expect("the channel lives");
        taken.extend(numbers(lease.batches()));
        lease.commit();
    }
    taken
}

/// What a scripted sink does, and what came of it. Its test changes `up` and `answers` as it goes.
pub struct Script {
    /// Whether a probe succeeds.
    pub up: bool,
    /// Whether it answers at all; if not it keeps pending deliveries, as a stopped process does.
    pub answers: bool,
    /// Whether it answers FAILED to every batch.
    pub refuses: bool,
    /// Whether a batch of so many bytes or more never gets an answer, though the connection comes up: its network loses
    /// large packets.
    pub swallows: usize,
    pub window: Window,
    /// Whether a probe gets no answer at all, as from a host that drops what it is sent.
    pub silent: bool,
    /// What arrived, in order, and by which name.
    pub arrived: Vec<(u64, Vec<u64>)>,
    /// The same events, with those of other sinks that share this log.
    pub log: Rc<RefCell<Vec<u64>>>,
    pub held: Vec<PendingDelivery>,
    pub probes: usize,
    /// Batches that it was given, whatever came of them.
    pub given: usize,
}

/// A sink that does what its script says.
pub struct Scripted {
    script: Rc<RefCell<Script>>,
    index: usize,
    group: AddressCell<Recipient<Health>>,
}

/// A script for a sink that is up, answers, and takes one delivery at a time.
pub fn script() -> Rc<RefCell<Script>> {
    Rc::new(RefCell::new(Script {
        up: true,
        answers: true,
        refuses: false,
        swallows: usize::MAX,
        window: Window::LOCK_STEP,
        silent: false,
        arrived: Vec::new(),
        log: Rc::default(),
        held: Vec::new(),
        probes: 0,
        given: 0,
    }))
}

/// Starts a scripted sink as member `index` of `group`.
pub fn scripted(
    script: &Rc<RefCell<Script>>,
    index: usize,
    group: AddressCell<Recipient<Health>>,
) -> (AddressSetter<SinkAddress>, AddressCell<SinkAddress>, Addr<Scripted>) {
    let address = Scripted { script: script.clone(), index, group }.start();
    let (setter, cell) = address_cell();
    setter.set(SinkAddress {
        deliver: address.clone().recipient(),
        probe: address.clone().recipient(),
        stop: address.clone().recipient(),
    });
    (setter, cell, address)
}

pub fn unreachable() -> DeliveryError {
    DeliveryError::Unreachable { peer: "test".to_owned(), reason: "scripted".to_owned() }
}

/// The connection breaks: what is held comes back, oldest first, and the group hears of it.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Break;

impl Script {
    /// The sink acknowledges this one.
    pub fn arrive(&mut self, pending: PendingDelivery) {
        let (name, events) = (pending.id().map_or(0, |id| id.sequence), numbers(pending.batches()));
        self.log.borrow_mut().extend(&events);
        self.arrived.push((name, events));
        PendingDelivery::done(vec![pending]);
    }
}

fn bytes(pending: &PendingDelivery) -> usize {
    pending.batches().iter().map(Batch::event_bytes).sum()
}

impl Scripted {
    fn tell(&self, state: State) {
        self.group.with(|group| group.do_send(Health { sink: self.index, state }));
    }
}

impl Actor for Scripted {
    type Context = Context<Self>;
}

impl Handler<Probe> for Scripted {
    type Result = ();

    fn handle(&mut self, _: Probe, _: &mut Self::Context) {
        let (up, window) = {
            let mut script = self.script.borrow_mut();
            script.probes += 1;
            if script.silent {
                return;
            }
            (script.up, script.window)
        };
        self.tell(if up { State::Up(window) } else { State::Down(unreachable()) });
    }
}

impl Handler<Deliver> for Scripted {
    type Result = ();

    fn handle(&mut self, Deliver(pending): Deliver, _: &mut Self::Context) {
        let mut script = self.script.borrow_mut();
        script.given += 1;
        if !script.up {
            pending.failed(unreachable());
        } else if script.refuses {
            let (peer, reason) = ("test".to_owned(), "scripted".to_owned());
            let refused = DeliveryError::Refused { peer, events: pending.events(), reason };
            pending.failed(refused.clone());
            self.tell(State::Down(refused));
        } else if script.answers && bytes(&pending) < script.swallows {
            script.arrive(pending);
        } else {
            script.held.push(pending);
        }
    }
}

impl Handler<Break> for Scripted {
    type Result = ();

    fn handle(&mut self, _: Break, _: &mut Self::Context) {
        self.script.borrow_mut().up = false;
        for pending in self.script.borrow_mut().held.drain(..) {
            pending.failed(DeliveryError::Lost { peer: "test".to_owned(), reason: "scripted".to_owned() });
        }
        self.tell(State::Down(unreachable()));
    }
}

impl Handler<Stop> for Scripted {
    type Result = ();

    fn handle(&mut self, _: Stop, ctx: &mut Self::Context) {
        ctx.stop();
    }
}

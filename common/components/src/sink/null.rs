//! `null`: takes events and forgets them, for tests and for measuring what comes before it.

use actix::prelude::*;
use flow::component::{Component, Configure};
use flow::message::{Deliver, PendingDelivery, Probe, State, Stop, Window};
use flow::processor::SinkAddress;
use flow::sink::{Member, SinkContext};
use flow::supervise::DeathWatch;
use plan::{Descriptor, Kind, Property, Value};

/// Its row in the catalogue.
pub(crate) const COMPONENT: Component = Component {
    descriptor: Descriptor::new(Kind::Sink, "null", "org.apache.flume.sink.NullSink", &[PROPERTIES])
        .batch("batchSize"),
    configure: Configure::Sink(|properties, _, _| {
        let config = NullConfig::new(properties);
        Some(Box::new(move |context| Ok(SinkAddress::of(&NullSink::new(config, context).start()))))
    }),
};

const PROPERTIES: &[Property] = &[
    Property::with("batchSize", Value::at_least(1, "events"), "100"),
    Property::with("logEveryNEvents", Value::at_least(1, "events"), "10000"),
];

/// Keys, units and defaults are Flume's: User Guide, "Null Sink". `batchSize`, events, 100 unless set, is its group's to
/// heed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NullConfig {
    /// `logEveryNEvents`, events; 10,000 unless set: a line at INFO whenever so many more have come.
    pub(crate) log_every: u64,
}

impl NullConfig {
    pub(crate) fn new(properties: &plan::Properties) -> NullConfig {
        NullConfig { log_every: properties.count("logEveryNEvents") }
    }
}

/// The actor of a null sink. It waits for nothing, so it settles each pending delivery where it is given.
pub(crate) struct NullSink {
    name: String,
    log: slog::Logger,
    count: Count,
    member: Member,
    death_watch: DeathWatch,
}

impl NullSink {
    fn new(config: NullConfig, context: SinkContext) -> NullSink {
        let SinkContext { name, log, member, death_watch, .. } = context;
        NullSink { name, log, count: Count { events: 0, every: config.log_every }, member, death_watch }
    }
}

impl Actor for NullSink {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(0); // bounded by the window it gives to its group
        slog::info!(self.log, #STARTED, "Null sink {} started.", self.name);
        // The answer to a probe that may have died with our forerunner.
        self.member.tell(State::Up(Window::LOCAL));
    }
}

impl Handler<Probe> for NullSink {
    type Result = ();

    fn handle(&mut self, _: Probe, _: &mut Self::Context) {
        self.member.tell(State::Up(Window::LOCAL));
    }
}

impl Handler<Deliver> for NullSink {
    type Result = ();

    fn handle(&mut self, Deliver(pending): Deliver, _: &mut Self::Context) {
        for reached in self.count.add(pending.events() as u64) {
            slog::info!(self.log, #COUNTED, "Null sink {} successful processed {reached} events.", self.name);
        }
        PendingDelivery::done(vec![pending]);
    }
}

impl Handler<Stop> for NullSink {
    type Result = ();

    fn handle(&mut self, _: Stop, ctx: &mut Self::Context) {
        self.death_watch.release();
        slog::info!(self.log, #STOPPED, "Null sink {} stopped. Event metrics: {{ name:{} counters:{{events.success={}}} }}",
            self.name, self.name, self.count.events);
        ctx.stop();
    }
}

/// Events so far, and after how many of them there is something to say.
struct Count {
    events: u64,
    every: u64, // more than 0
}

impl Count {
    /// Counts `events` more and gives the multiples of `every` that were reached on the way.
    fn add(&mut self, events: u64) -> impl Iterator<Item = u64> + use<> {
        let (before, every) = (self.events, self.every);
        self.events += events;
        (before / every + 1..=self.events / every).map(move |times| times * every)
    }
}

/// Source: the console of Flume 1.9.0.
const STARTED: &str = "lifecycleSupervisor-1-0|org.apache.flume.sink.NullSink.start(NullSink.java:123)";
const STOPPED: &str = "agent-shutdown-hook|org.apache.flume.sink.NullSink.stop(NullSink.java:132)";
const COUNTED: &str =
    "SinkRunner-PollingRunner-DefaultSinkProcessor|org.apache.flume.sink.NullSink.process(NullSink.java:94)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_each_multiple_once_and_nothing_between() {
        let mut count = Count { events: 0, every: 10 };
        let mut said = |events| count.add(events).collect::<Vec<_>>();
        assert_eq!((said(9), said(1), said(25), said(4)), (vec![], vec![10], vec![20, 30], vec![]));
        assert_eq!(said(1), [40]);
    }

    #[test]
    fn settings_as_flumes() {
        let every = |pairs: &[(&str, &str)]| {
            NullConfig::new(&plan::Properties::of(&COMPONENT.descriptor, pairs.to_vec())).log_every
        };
        assert_eq!((every(&[]), every(&[("logEveryNEvents", "5")])), (10_000, 5));
    }
}

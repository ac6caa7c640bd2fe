//! Plan → actors: channels, then sinks, then sources; stops in reverse.

use crate::channel::NewChannel;
use crate::channel::{ChannelContext, ChannelRef};
use crate::component::NewSink;
use crate::configure::{Assembly, NewGroup};
use crate::counters::{GroupEntry, Life, Registry, SinkCounters, SinkEntry, SourceCounters, SourceEntry};
use crate::message::{Describe, Health, Stop};
use crate::placement;
use crate::processor::{Group, GroupConfig, GroupContext, Grouping, MakeGroup, MemberRef, SinkAddress};
use crate::sink::{Member, SinkContext};
use crate::source::{ChannelProcessor, Doing, NewSource, SourceActor, SourceAddress, SourceContext};
use crate::supervise::address::{AddressCell, AddressSetter, address_cell};
use crate::supervise::{Supervisor, Watch};
use actix::prelude::*;
use console::fact::{self, ComponentType};
use runtime::clock::Duration;
use runtime::random::Random;
use runtime::ready::Ready;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::time::timeout;
use wire::avro::BatchId;

/// What all components of a flow share.
pub struct Environment {
    /// Where all log.
    pub log: slog::Logger,
    /// Where logger sinks print.
    pub console: Arc<console::Console>,
    /// Where all count.
    pub counters: Registry,
}

/// What a group of sinks can be asked, by others than its sinks.
pub(crate) struct GroupAddress {
    pub(crate) stop: Recipient<Stop>,
    pub(crate) describe: Recipient<Describe>,
}

/// The actors of a running flow.
pub struct Flow {
    pub(crate) log: slog::Logger,
    pub(crate) counters: Registry,
    _supervisors: HashMap<String, Addr<Supervisor>>,
    pub(crate) channels: Vec<ChannelRef>,
    pub(crate) groups: Vec<(String, AddressCell<GroupAddress>)>,
    pub(crate) sources: Vec<(String, AddressCell<SourceAddress>)>,
    ready: mpsc::UnboundedReceiver<()>,
    not_ready: usize,
}

impl Flow {
    /// Starts all of it: channels, then sinks, then sources.
    pub async fn start(assembly: Assembly, environment: &Environment) -> Flow {
        let Assembly { channels, sources, groups } = assembly;
        let log = environment.log.clone();
        let mut starting = Starting {
            environment,
            supervisors: placement::supervisors(&channels, &sources, &log),
            random: Random::from_system(),
            channels: HashMap::new(),
            order: Vec::new(),
        };
        starting.channels(channels).await;
        let groups = starting.groups(groups).await;
        let (tell, ready) = mpsc::unbounded_channel();
        let sources = starting.sources(sources, &tell).await;
        Flow {
            log,
            counters: environment.counters.clone(),
            _supervisors: starting.supervisors,
            channels: starting.order,
            groups,
            not_ready: sources.len(),
            sources,
            ready,
        }
    }

    /// Waits until every source has opened its way in, or has said why it could not. May be dropped and called again.
    pub async fn ready(&mut self) {
        while self.not_ready > 0 {
            self.ready.recv().await;
            self.not_ready -= 1;
        }
    }

    /// Events that have left its channels for good.
    #[cfg(any(test, feature = "testing"))]
    pub async fn taken(&self) -> u64 {
        let fills = futures_util::future::join_all(self.channels.iter().map(ChannelRef::fill)).await;
        fills.into_iter().flatten().map(|fill| fill.taken).sum()
    }
}

struct Starting<'a> {
    environment: &'a Environment,
    /// By channel.
    supervisors: HashMap<String, Addr<Supervisor>>,
    random: Random,
    channels: HashMap<String, ChannelRef>,
    order: Vec<ChannelRef>,
}

impl Starting<'_> {
    /// Has a component built, and built again, where `channel` lives.
    async fn watch(&self, channel: &str, name: String, life: &Arc<Life>, build: crate::supervise::Build) {
        // A supervisor lives as long as the flow.
        if let Some(supervisor) = self.supervisors.get(channel) {
            let build = living(life.clone(), build);
            let started = supervisor.send(Watch { name: name.as_str().into(), build });
            if timeout(START_WITHIN, started).await.is_err() {
                slog::warn!(
                    self.environment.log,
                    "{name} has not started after {} s: something makes it wait, such as a disk; the others go on",
                    START_WITHIN.as_secs()
                );
            }
        }
    }

    async fn channels(&mut self, channels: Vec<(String, NewChannel)>) {
        let log = &self.environment.log;
        for (name, channel) in channels {
            fact::starting(log, ComponentType::Channel, &name);
            let NewChannel { transaction, fits, held, start } = channel;
            let (setter, cell) = address_cell();
            let reference = ChannelRef::new(&name, transaction, cell).of(fits, held);
            let counters = reference.counters.clone();
            let (child, child_log): (Arc<str>, _) = (name.as_str().into(), log.clone());
            let build = move |death_watch| {
                setter.set(start(ChannelContext {
                    name: child.clone(),
                    log: child_log.clone(),
                    death_watch,
                }));
                Ok(())
            };
            self.watch(&name, format!("channel {name}"), &counters.life, Box::new(build)).await;
            self.environment.counters.add_channel(reference.entry());
            self.order.push(reference.clone());
            fact::component_started(log, ComponentType::Channel, &name);
            self.channels.insert(name, reference);
        }
    }

    async fn groups(&mut self, groups: Vec<NewGroup>) -> Vec<(String, AddressCell<GroupAddress>)> {
        let mut started = Vec::new();
        for group in groups {
            // Every channel of an assembly is among its channels.
            if let Some(channel) = self.channels.get(&group.channel).cloned() {
                started.push(self.group(group, channel).await);
            }
        }
        started
    }

    async fn group(&mut self, group: NewGroup, channel: ChannelRef) -> (String, AddressCell<GroupAddress>) {
        let (health_setter, health) = address_cell();
        let (mut members, mut sinks) = (Vec::new(), Vec::new());
        for (index, sink) in group.sinks.into_iter().enumerate() {
            fact::starting(&self.environment.log, ComponentType::Sink, &sink.name);
            let member = Member { index, group: health.clone() };
            let (name, batch_size) = (sink.name.clone(), sink.batch_size);
            let counters = self.environment.counters.of_a_sink();
            let cell = self.sink(sink, &channel.name, member, group.processor, counters.clone()).await;
            sinks.push(SinkEntry { name: name.clone(), counters: counters.clone() });
            members.push(MemberRef { name, batch_size, cell, counters });
        }
        let (stop_setter, stop) = address_cell();
        let name = group.name;
        let build = self.group_builder(
            &name,
            (group.grouping, group.elsewhere),
            members,
            channel.clone(),
            health_setter,
            stop_setter,
        );
        let life = Arc::new(Life::default());
        self.watch(&channel.name, format!("sink group {name}"), &life, build).await;
        let (processor, channel) = (group.processor, channel.name.to_string());
        self.environment.counters.add_group(GroupEntry {
            name: name.clone(),
            processor,
            channel,
            life,
            sinks,
        });
        (name, stop)
    }

    fn group_builder(
        &mut self,
        name: &str,
        (grouping, elsewhere): (Grouping, Option<MakeGroup>),
        members: Vec<MemberRef>,
        channel: ChannelRef,
        health: AddressSetter<Recipient<Health>>,
        setter: AddressSetter<GroupAddress>,
    ) -> crate::supervise::Build {
        let (log, agent, name) = (self.environment.log.clone(), self.random.next(), name.to_owned());
        let mut random = Random::seeded(self.random.next());
        Box::new(move |death_watch| {
            let stream = random.next(); // a group that is built anew counts its batches anew
            let group = match &elsewhere {
                Some(make) => {
                    let first = BatchId { agent, stream, sequence: 0 };
                    make(
                        members.clone(),
                        channel.clone(),
                        GroupContext { first, log: log.clone(), death_watch },
                    )
                }
                None => {
                    let config = GroupConfig {
                        name: name.clone(),
                        backoff: grouping.backoff,
                        selection: grouping.selection(members.len(), random.next()),
                        members: members.clone(),
                        agent,
                        stream,
                    };
                    Group::new(config, channel.clone(), log.clone(), death_watch).begin()
                }
            };
            health.set(group.health);
            setter.set(GroupAddress { stop: group.stop, describe: group.describe });
            Ok(())
        })
    }

    async fn sink(
        &self,
        sink: NewSink,
        channel: &str,
        member: Member,
        processor: &'static str,
        counters: Arc<SinkCounters>,
    ) -> AddressCell<SinkAddress> {
        let (setter, cell) = address_cell();
        let life = counters.life.clone();
        let (log, console) = (self.environment.log.clone(), self.environment.console.clone());
        let NewSink { name, make, .. } = sink;
        let what = format!("sink {name}");
        let build = move |death_watch| {
            setter.set(make(SinkContext {
                name: name.clone(),
                member: member.clone(),
                counters: counters.clone(),
                death_watch,
                log: log.clone(),
                console: console.clone(),
                processor,
            })?);
            Ok(())
        };
        self.watch(channel, what, &life, Box::new(build)).await;
        cell
    }

    async fn sources(
        &self,
        sources: Vec<NewSource>,
        ready: &mpsc::UnboundedSender<()>,
    ) -> Vec<(String, AddressCell<SourceAddress>)> {
        let mut started = Vec::new();
        for source in sources {
            let name = source.name.clone();
            fact::starting(&self.environment.log, ComponentType::Source, &name);
            let (setter, cell) = address_cell();
            let (channels, log, ready) = (self.channels.clone(), self.environment.log.clone(), ready.clone());
            let channel = source.channels.first().cloned().unwrap_or_default();
            let counters = Arc::new(SourceCounters::default());
            let (life, entry) = (counters.life.clone(), counters.clone());
            self.environment.counters.add_source(SourceEntry { name: name.clone(), counters: entry });
            let build = move |death_watch| {
                let processor = ChannelProcessor::build(&source, &channels, &log)
                    .map_err(|error| error.to_string())?
                    .counting(counters.clone());
                let context = SourceContext {
                    name: source.name.as_str().into(),
                    log: log.clone(),
                    doing: Doing::new(processor.clone()),
                    processor,
                    ready: Ready::new(ready.clone()),
                    pausing: None,
                };
                setter.set(SourceActor::new((source.make)(), context, death_watch).begin());
                Ok(())
            };
            self.watch(&channel, format!("source {name}"), &life, Box::new(build)).await;
            started.push((name, cell));
        }
        started
    }
}

/// Notes the start of a component in `life`, and each time that it is built again.
fn living(life: Arc<Life>, mut build: crate::supervise::Build) -> crate::supervise::Build {
    Box::new(move |death_watch| {
        match life.started.get() {
            0 => life.start(),
            _ => life.restarts.increment(),
        }
        build(death_watch)
    })
}

/// A component that takes longer to start (a disk makes it wait) is not waited for.
const START_WITHIN: Duration = Duration::from_secs(2);

//! Plan → actors: channels, then sinks, then sources; stops in reverse.

use crate::channel::{ChannelContext, ChannelRef, NewChannel};
use crate::component::NewSink;
use crate::configure::{Assembly, NewGroup};
use crate::counters::{GroupEntry, Life, Registry, SinkCounters, SinkEntry, SourceCounters, SourceEntry};
use crate::message::{Describe, Finish, Health, Stop};
use crate::placement::{self, Child, Place};
use crate::processor::{Group, GroupConfig, GroupContext, Grouping, MakeGroup, MemberRef, SinkAddress};
use crate::sink::{Member, SinkContext};
use crate::source::{ChannelProcessor, Doing, NewSource, SourceActor, SourceAddress, SourceContext};
use crate::supervise::address::{AddressCell, AddressSetter, address_cell};
use actix::prelude::*;
use console::fact::{self, ComponentType};
use plan::{Plan, Ties};
use runtime::clock::Duration;
use runtime::random::Random;
use runtime::ready::Ready;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::time::timeout;
use wire::avro::BatchId;

/// What all components of a flow share.
#[derive(Clone)]
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
    /// Of one that can finish what it has begun.
    pub(crate) finish: Option<Recipient<Finish>>,
}

/// A channel that runs.
pub(crate) struct RunningChannel {
    pub(crate) at: ChannelRef,
    pub(crate) place: Arc<Place>,
    pub(crate) child: Child,
}

/// A source that runs.
pub(crate) struct RunningSource {
    pub(crate) name: String,
    pub(crate) at: AddressCell<SourceAddress>,
    pub(crate) child: Child,
}

/// A group that runs, with its sinks.
pub(crate) struct RunningGroup {
    pub(crate) name: String,
    pub(crate) at: AddressCell<GroupAddress>,
    pub(crate) sinks: Vec<String>,
    /// Its own, and those of its sinks.
    pub(crate) children: Vec<Child>,
}

/// The actors of a running flow.
pub struct Flow {
    pub(crate) log: slog::Logger,
    pub(crate) environment: Environment,
    pub(crate) counters: Registry,
    /// What runs.
    pub(crate) plan: Plan,
    pub(crate) ties: Ties,
    pub(crate) first: Arc<Place>,
    pub(crate) channels: Vec<RunningChannel>,
    pub(crate) groups: Vec<RunningGroup>,
    pub(crate) sources: Vec<RunningSource>,
    pub(crate) tell_ready: mpsc::UnboundedSender<()>,
    ready: mpsc::UnboundedReceiver<()>,
    not_ready: usize,
}

impl Flow {
    /// Starts all of it: channels, then sinks, then sources.
    pub async fn start(assembly: Assembly, environment: &Environment) -> Flow {
        let Assembly { plan, ties, channels, sources, groups } = assembly;
        let log = environment.log.clone();
        let (tell_ready, ready) = mpsc::unbounded_channel();
        let mut flow = Flow {
            first: Place::here(&log),
            log,
            environment: environment.clone(),
            counters: environment.counters.clone(),
            plan,
            ties,
            channels: Vec::new(),
            groups: Vec::new(),
            sources: Vec::new(),
            tell_ready,
            ready,
            not_ready: sources.len(),
        };
        let places = flow.places(&channels, &sources);
        flow.start_channels(channels, &places).await;
        flow.start_groups(groups).await;
        flow.start_sources(sources).await;
        flow
    }

    /// Where `channels`, which are new, are to live, with all `sources` that are to run.
    pub(crate) fn places(
        &self,
        channels: &[(String, NewChannel)],
        sources: &[NewSource],
    ) -> HashMap<String, Arc<Place>> {
        let fresh: Vec<String> = channels.iter().map(|(name, _)| name.clone()).collect();
        let fills: Vec<_> =
            sources.iter().map(|source| (source.channels.as_slice(), source.blocks)).collect();
        let kept = self.channels.iter();
        let kept = kept.map(|channel| (channel.at.name.to_string(), channel.place.clone())).collect();
        placement::places(&fresh, &kept, &fills, &self.first, &self.log)
    }

    fn starting(&self) -> Starting<'_> {
        Starting { environment: &self.environment, random: Random::from_system() }
    }

    /// Starts `channels`, each in its place.
    pub(crate) async fn start_channels(
        &mut self,
        channels: Vec<(String, NewChannel)>,
        places: &HashMap<String, Arc<Place>>,
    ) {
        for (name, channel) in channels {
            let place = places.get(&name).unwrap_or(&self.first).clone();
            let channel = self.starting().channel(name, channel, place).await;
            self.channels.push(channel);
        }
    }

    /// Starts `groups`, each where its channel lives.
    pub(crate) async fn start_groups(&mut self, groups: Vec<NewGroup>) {
        let mut starting = self.starting();
        let mut started = Vec::new();
        for group in groups {
            // Every channel of an assembly is among its channels.
            if let Some(channel) = self.channels.iter().find(|channel| *channel.at.name == *group.channel) {
                started.push(starting.group(group, channel).await);
            }
        }
        self.groups.extend(started);
    }

    /// Starts `sources`, each where its first channel lives, unless it may keep others waiting there.
    pub(crate) async fn start_sources(&mut self, sources: Vec<NewSource>) {
        let mut started = Vec::new();
        for source in sources {
            let first = source.channels.first();
            let with =
                self.channels.iter().find(|channel| Some(&*channel.at.name) == first.map(String::as_str));
            let place = match with.map_or(&self.first, |channel| &channel.place) {
                place if source.blocks && place.is_shared() => Place::of_its_own(&self.log),
                place => place.clone(),
            };
            let channels =
                self.channels.iter().map(|channel| (channel.at.name.to_string(), channel.at.clone()));
            let starting = self.starting();
            started.push(starting.source(source, channels.collect(), &place, &self.tell_ready).await);
        }
        self.sources.extend(started);
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
        let fills = self.channels.iter().map(|channel| channel.at.fill());
        let fills = futures_util::future::join_all(fills).await;
        fills.into_iter().flatten().map(|fill| fill.taken).sum()
    }
}

struct Starting<'a> {
    environment: &'a Environment,
    random: Random,
}

impl Starting<'_> {
    /// Has a component built, and built again, at `place`.
    async fn watch(
        &self,
        place: &Arc<Place>,
        name: String,
        life: &Arc<Life>,
        build: crate::supervise::Build,
    ) -> Child {
        let (child, started) =
            Child::start(place, &name, living(life.clone(), self.environment.counters.clone(), build));
        if timeout(START_WITHIN, started).await.is_err() {
            slog::warn!(
                self.environment.log,
                "{name} has not started after {} s: something makes it wait, such as a disk; the others go on",
                START_WITHIN.as_secs()
            );
        }
        child
    }

    async fn channel(&self, name: String, channel: NewChannel, place: Arc<Place>) -> RunningChannel {
        let log = &self.environment.log;
        fact::starting(log, ComponentType::Channel, &name);
        let NewChannel { transaction, fits, held, start } = channel;
        let (setter, cell) = address_cell();
        let at = ChannelRef::new(&name, transaction, cell).of(fits, held);
        let counters = at.counters.clone();
        let (own_name, own_log): (Arc<str>, _) = (name.as_str().into(), log.clone());
        let build = move |death_watch| {
            let (name, log) = (own_name.clone(), own_log.clone());
            setter.set(start(ChannelContext { name, log, death_watch }));
            Ok(())
        };
        let child = self.watch(&place, format!("channel {name}"), &counters.life, Box::new(build)).await;
        self.environment.counters.add_channel(at.entry());
        fact::component_started(log, ComponentType::Channel, &name);
        RunningChannel { at, place, child }
    }

    async fn group(&mut self, group: NewGroup, channel: &RunningChannel) -> RunningGroup {
        let (place, channel) = (&channel.place, channel.at.clone());
        let (health_setter, health) = address_cell();
        let (mut members, mut sinks, mut children) = (Vec::new(), Vec::new(), Vec::new());
        for (index, sink) in group.sinks.into_iter().enumerate() {
            fact::starting(&self.environment.log, ComponentType::Sink, &sink.name);
            let member = Member { index, group: health.clone() };
            let (name, batch_size) = (sink.name.clone(), sink.batch_size);
            let counters = self.environment.counters.of_a_sink();
            let (cell, child) = self.sink(sink, place, member, group.processor, counters.clone()).await;
            children.push(child);
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
        children.push(self.watch(place, format!("sink group {name}"), &life, build).await);
        let names = sinks.iter().map(|sink| sink.name.clone()).collect();
        let (processor, channel) = (group.processor, channel.name.to_string());
        self.environment.counters.add_group(GroupEntry {
            name: name.clone(),
            processor,
            channel,
            life,
            sinks,
        });
        RunningGroup { name, at: stop, sinks: names, children }
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
            setter.set(GroupAddress { stop: group.stop, describe: group.describe, finish: group.finish });
            Ok(())
        })
    }

    async fn sink(
        &self,
        sink: NewSink,
        place: &Arc<Place>,
        member: Member,
        processor: &'static str,
        counters: Arc<SinkCounters>,
    ) -> (AddressCell<SinkAddress>, Child) {
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
        let child = self.watch(place, what, &life, Box::new(build)).await;
        (cell, child)
    }

    async fn source(
        &self,
        source: NewSource,
        channels: HashMap<String, ChannelRef>,
        place: &Arc<Place>,
        ready: &mpsc::UnboundedSender<()>,
    ) -> RunningSource {
        let name = source.name.clone();
        fact::starting(&self.environment.log, ComponentType::Source, &name);
        let (setter, at) = address_cell();
        let (log, ready) = (self.environment.log.clone(), ready.clone());
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
        let child = self.watch(place, format!("source {name}"), &life, Box::new(build)).await;
        RunningSource { name, at, child }
    }
}

/// Notes the start of a component in `life`, and each time that it is built again.
fn living(
    life: Arc<Life>,
    counters: Registry,
    mut build: crate::supervise::Build,
) -> crate::supervise::Build {
    Box::new(move |death_watch| {
        match life.started.get() {
            0 => {
                life.start();
                counters.changed();
            }
            _ => life.restarts.increment(),
        }
        build(death_watch)
    })
}

/// A component that takes longer to start (a disk makes it wait) is not waited for.
const START_WITHIN: Duration = Duration::from_secs(2);

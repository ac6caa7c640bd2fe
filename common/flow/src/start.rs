//! Plan → actors: channels, then sinks, then sources; stops in reverse.

use crate::channel::{ChannelContext, ChannelRef};
use crate::clock::{self, Duration};
use crate::component::NewChannel;
use crate::configure::{Assembly, NewGroup, NewSink, NewSource};
use crate::drain::{Drain, Verdict};
use crate::message::{Fill, Health, Stop};
use crate::placement;
use crate::processor::{Group, GroupConfig, Grouping, MemberRef, SinkAddress};
use crate::random::Random;
use crate::sink::{Member, SinkContext};
use crate::source::{Intake, Ready, Seat, SourceActor};
use crate::supervise::slot::{Post, Slot, slot};
use crate::supervise::{Boss, Watch};
use actix::prelude::*;
use futures_util::future::join_all;
use journal::fact::{self, Kind};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

/// What all components of a flow share.
pub(crate) struct Surroundings {
    pub(crate) log: slog::Logger,
    pub(crate) console: Arc<journal::Console>,
}

/// The actors of a running flow.
pub(crate) struct Flow {
    log: slog::Logger,
    bosses: HashMap<String, Addr<Boss>>,
    channels: Vec<ChannelRef>,
    groups: Vec<(String, Slot<Recipient<Stop>>)>,
    sources: Vec<(String, Slot<Recipient<Stop>>)>,
    ready: mpsc::UnboundedReceiver<()>,
}

impl Flow {
    /// Starts all of it: channels, then sinks, then sources.
    pub(crate) async fn start(assembly: Assembly, around: &Surroundings) -> Flow {
        let Assembly { channels, sources, groups } = assembly;
        let log = around.log.clone();
        let mut starting = Starting {
            around,
            bosses: placement::bosses(&channels, &sources, &log),
            random: Random::from_system(),
            channels: HashMap::new(),
            order: Vec::new(),
        };
        starting.channels(channels).await;
        let groups = starting.groups(groups).await;
        let (tell, ready) = mpsc::unbounded_channel();
        let sources = starting.sources(sources, &tell).await;
        Flow { log, bosses: starting.bosses, channels: starting.order, groups, sources, ready }
    }

    /// Waits until every source has opened its way in, or has said why it could not.
    pub(crate) async fn ready(&mut self) {
        for _ in &self.sources {
            self.ready.recv().await;
        }
    }

    /// Events that have left its channels for good.
    #[cfg(test)]
    pub(crate) async fn taken(&self) -> u64 {
        let fills = join_all(self.channels.iter().map(ChannelRef::fill)).await;
        fills.into_iter().flatten().map(|fill| fill.taken).sum()
    }

    /// Sources stop, channels drain, sinks finish.
    pub(crate) async fn stop(self, drain_timeout: Duration) {
        for (name, _) in &self.sources {
            fact::stopping(&self.log, Kind::Source, name);
        }
        stop_all(&self.sources, drain_timeout).await;
        self.drain(drain_timeout).await;
        for (name, _) in &self.groups {
            fact::stopping(&self.log, Kind::Sink, name);
        }
        stop_all(&self.groups, SINKS_FINISH_WITHIN).await;
        drop(self.bosses);
    }

    async fn drain(&self, at_most: Duration) {
        let mut drain = Drain::new(at_most, clock::now());
        loop {
            let fills: Vec<Fill> =
                join_all(self.channels.iter().map(ChannelRef::fill)).await.into_iter().flatten().collect();
            let held = fills.iter().map(|fill| fill.events).sum();
            let taken = fills.iter().map(|fill| fill.taken).sum();
            match drain.look(held, taken, clock::now()) {
                Verdict::Dry => return,
                Verdict::Wait => sleep(DRAIN_LOOK).await,
                Verdict::GiveUp => break,
            }
        }
        for channel in &self.channels {
            if let Some(fill) = channel.fill().await.filter(|fill| fill.events > 0) {
                slog::error!(
                    self.log,
                    "channel {}: its sinks did not take the last {} events in time; they were in memory only and are lost (--drain-timeout says how long a stop waits)",
                    channel.name,
                    fill.events
                );
            }
        }
    }
}

async fn stop_all(who: &[(String, Slot<Recipient<Stop>>)], within: Duration) {
    let asked = who.iter().filter_map(|(_, slot)| slot.with(|actor| actor.send(Stop)));
    let _some_take_longer = timeout(within, join_all(asked)).await;
}

struct Starting<'a> {
    around: &'a Surroundings,
    /// By channel.
    bosses: HashMap<String, Addr<Boss>>,
    random: Random,
    channels: HashMap<String, ChannelRef>,
    order: Vec<ChannelRef>,
}

impl Starting<'_> {
    /// Has a component built, and built again, where `channel` lives.
    async fn watch(&self, channel: &str, name: String, build: crate::supervise::Build) {
        // A boss lives as long as the flow.
        if let Some(boss) = self.bosses.get(channel) {
            let _never = boss.send(Watch { name: name.into(), build }).await;
        }
    }

    async fn channels(&mut self, channels: Vec<(String, NewChannel)>) {
        let log = &self.around.log;
        for (name, channel) in channels {
            fact::starting(log, Kind::Channel, &name);
            let NewChannel { transaction, start } = channel;
            let (post, slot) = slot();
            let (child, child_log): (Arc<str>, _) = (name.as_str().into(), log.clone());
            let build = move |guard| {
                post.set(start(ChannelContext { name: child.clone(), log: child_log.clone(), guard }));
                Ok(())
            };
            self.watch(&name, format!("channel {name}"), Box::new(build)).await;
            let reference = ChannelRef::new(&name, transaction, slot);
            self.order.push(reference.clone());
            fact::component_started(log, Kind::Channel, &name);
            self.channels.insert(name, reference);
        }
    }

    async fn groups(&mut self, groups: Vec<NewGroup>) -> Vec<(String, Slot<Recipient<Stop>>)> {
        let mut started = Vec::new();
        for group in groups {
            // Every channel of an assembly is among its channels.
            if let Some(channel) = self.channels.get(&group.channel).cloned() {
                started.push(self.group(group, channel).await);
            }
        }
        started
    }

    async fn group(&mut self, group: NewGroup, channel: ChannelRef) -> (String, Slot<Recipient<Stop>>) {
        let (health_post, health) = slot();
        let mut members = Vec::new();
        for (index, sink) in group.sinks.into_iter().enumerate() {
            fact::starting(&self.around.log, Kind::Sink, &sink.name);
            let member = Member { index, group: health.clone() };
            let (name, batch_size) = (sink.name.clone(), sink.batch_size);
            let slot = self.sink(sink, &channel.name, member, group.processor).await;
            members.push(MemberRef { name, batch_size, slot });
        }
        let (stop_post, stop) = slot();
        let name = group.name;
        let build =
            self.group_builder(&name, group.grouping, members, channel.clone(), health_post, stop_post);
        self.watch(&channel.name, format!("sink group {name}"), build).await;
        (name, stop)
    }

    fn group_builder(
        &mut self,
        name: &str,
        grouping: Grouping,
        members: Vec<MemberRef>,
        channel: ChannelRef,
        health: Post<Recipient<Health>>,
        stop: Post<Recipient<Stop>>,
    ) -> crate::supervise::Build {
        let (log, agent, name) = (self.around.log.clone(), self.random.next(), name.to_owned());
        let mut random = Random::seeded(self.random.next());
        Box::new(move |guard| {
            let config = GroupConfig {
                name: name.clone(),
                rest: grouping.rest,
                choice: grouping.choice(members.len(), random.next()),
                members: members.clone(),
                agent,
                stream: random.next(), // a group that is built anew counts its batches anew
            };
            let group = Group::new(config, channel.clone(), log.clone(), guard).start();
            health.set(group.clone().recipient());
            stop.set(group.recipient());
            Ok(())
        })
    }

    async fn sink(
        &self,
        sink: NewSink,
        channel: &str,
        member: Member,
        processor: &'static str,
    ) -> Slot<SinkAddress> {
        let (post, slot) = slot();
        let (log, console) = (self.around.log.clone(), self.around.console.clone());
        let NewSink { name, make, .. } = sink;
        let what = format!("sink {name}");
        let build = move |guard| {
            post.set(make(SinkContext {
                name: name.clone(),
                member: member.clone(),
                guard,
                log: log.clone(),
                console: console.clone(),
                processor,
            })?);
            Ok(())
        };
        self.watch(channel, what, Box::new(build)).await;
        slot
    }

    async fn sources(
        &self,
        sources: Vec<NewSource>,
        ready: &mpsc::UnboundedSender<()>,
    ) -> Vec<(String, Slot<Recipient<Stop>>)> {
        let mut started = Vec::new();
        for source in sources {
            let name = source.name.clone();
            fact::starting(&self.around.log, Kind::Source, &name);
            let (post, slot) = slot();
            let (channels, log, ready) = (self.channels.clone(), self.around.log.clone(), ready.clone());
            let channel = source.channels.first().cloned().unwrap_or_default();
            let build = move |guard| {
                let intake = Intake::build(&source, &channels, &log).map_err(|error| error.to_string())?;
                let (name, ready) = (source.name.as_str().into(), Ready::new(ready.clone()));
                let seat = Seat { name, log: log.clone(), intake, ready };
                post.set(SourceActor::new((source.make)(), seat, guard).start().recipient());
                Ok(())
            };
            self.watch(&channel, format!("source {name}"), Box::new(build)).await;
            started.push((name, slot));
        }
        started
    }
}

/// Between two looks at channels that are to run dry.
const DRAIN_LOOK: Duration = Duration::from_millis(5);
const SINKS_FINISH_WITHIN: Duration = Duration::from_secs(5);

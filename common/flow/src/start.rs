//! Plan → actors: channels, then sinks, then sources; stops in reverse.

use crate::build::BuildError;
use crate::channel::ChannelRef;
use crate::channel::memory::{Books, MemoryChannel, MemoryConfig};
use crate::clock::Duration;
use crate::error::StartError;
use crate::message::{Describe, Health, Pause, Stop};
use crate::net::Globals;
use crate::placement;
use crate::processor::{Group, GroupConfig, MemberRef, SinkAddress};
use crate::random::Random;
use crate::registry::{self, SinkSeat, SourceStart};
use crate::sink::Member;
use crate::source::{Intake, Ready};
use crate::supervise::slot::{Post, Slot, slot};
use crate::supervise::{Boss, Watch};
use actix::prelude::*;
use journal::fact::{self, Kind};
use plan::{GroupPlan, Plan, SinkPlan};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// What all components of a flow share.
pub(crate) struct Surroundings {
    pub(crate) log: slog::Logger,
    pub(crate) console: Arc<journal::Console>,
    pub(crate) globals: Arc<Globals>,
}

/// What a source can be asked.
pub(crate) struct SourceAddress {
    pub(crate) stop: Recipient<Stop>,
    /// Of one that can read its events again.
    pub(crate) pause: Option<Recipient<Pause>>,
    pub(crate) describe: Recipient<Describe>,
}

/// What a group of sinks can be asked, by others than its sinks.
pub(crate) struct GroupAddress {
    pub(crate) stop: Recipient<Stop>,
    pub(crate) describe: Recipient<Describe>,
}

/// The actors of a running flow.
pub(crate) struct Flow {
    pub(crate) log: slog::Logger,
    _bosses: HashMap<String, Addr<Boss>>,
    pub(crate) channels: Vec<ChannelRef>,
    pub(crate) groups: Vec<(String, Slot<GroupAddress>)>,
    pub(crate) sources: Vec<(String, Slot<SourceAddress>)>,
    ready: mpsc::UnboundedReceiver<()>,
    not_ready: usize,
}

impl Flow {
    /// Starts all that `plan` says, or nothing.
    ///
    /// # Errors
    /// [`StartError`], before anything is started.
    pub(crate) async fn start(plan: Plan, around: &Surroundings) -> Result<Flow, StartError> {
        let log = around.log.clone();
        let mut starting = Starting {
            around,
            bosses: placement::bosses(&plan, &log),
            random: Random::from_system(),
            channels: HashMap::new(),
            order: Vec::new(),
        };
        starting.channels(&plan).await;
        check_sources(&plan, &starting.channels, around)?;
        check_sinks(&plan, around)?;
        let groups = starting.sinks(&plan).await;
        let (tell, ready) = mpsc::unbounded_channel();
        let sources = starting.sources(&plan, &tell).await;
        Ok(Flow {
            log,
            _bosses: starting.bosses,
            channels: starting.order,
            groups,
            not_ready: sources.len(),
            sources,
            ready,
        })
    }

    /// Waits until every source has opened its way in, or has said why it could not. May be dropped and called again.
    pub(crate) async fn ready(&mut self) {
        while self.not_ready > 0 {
            self.ready.recv().await;
            self.not_ready -= 1;
        }
    }

    /// Events that have left its channels for good.
    #[cfg(test)]
    pub(crate) async fn taken(&self) -> u64 {
        let fills = futures_util::future::join_all(self.channels.iter().map(ChannelRef::fill)).await;
        fills.into_iter().flatten().map(|fill| fill.taken).sum()
    }
}

/// Interceptors and selectors are built once for a look, so that nothing is started when one cannot be.
fn check_sources(
    plan: &Plan,
    channels: &HashMap<String, ChannelRef>,
    around: &Surroundings,
) -> Result<(), StartError> {
    for source in &plan.sources {
        let checked = registry::check_source(source, &around.globals);
        let built = Intake::build(source, channels, &around.log);
        told(format!("source {}", source.name), built.and(checked), &around.log)?;
    }
    Ok(())
}

/// The same for sinks: stores of keys are opened.
fn check_sinks(plan: &Plan, around: &Surroundings) -> Result<(), StartError> {
    for sink in &plan.sinks {
        told(format!("sink {}", sink.name), registry::check_sink(sink, &around.globals), &around.log)?;
    }
    Ok(())
}

fn told(
    component: String,
    checked: Result<Vec<String>, BuildError>,
    log: &slog::Logger,
) -> Result<(), StartError> {
    match checked {
        Ok(notes) => notes.iter().for_each(|note| slog::warn!(log, "{component}: {note}")),
        Err(error) => return Err(StartError::Component { component, reason: error.to_string() }),
    }
    Ok(())
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
            let started = boss.send(Watch { name: name.as_str().into(), build });
            if timeout(START_WITHIN, started).await.is_err() {
                slog::warn!(
                    self.around.log,
                    "{name} has not started after {} s: something makes it wait, such as a disk; the others go on",
                    START_WITHIN.as_secs()
                );
            }
        }
    }

    async fn channels(&mut self, plan: &Plan) {
        let log = &self.around.log;
        for channel in &plan.channels {
            fact::starting(log, Kind::Channel, &channel.name);
            let config = MemoryConfig::new(&channel.context);
            let (post, slot) = slot();
            let (books, name, child_log) = (Books::new(config), channel.name.clone(), log.clone());
            let held = books.clone();
            let build = move |guard| {
                post.set(MemoryChannel::start(&name, config, books.clone(), child_log.clone(), guard));
                Ok(())
            };
            self.watch(&channel.name, format!("channel {}", channel.name), Box::new(build)).await;
            let reference = ChannelRef::new(&channel.name, config.limits.transaction, slot).holding(held);
            self.channels.insert(channel.name.clone(), reference.clone());
            self.order.push(reference);
            fact::component_started(log, Kind::Channel, &channel.name);
        }
    }

    /// Groups first, as written, then each sink that is in none as a group of its own.
    async fn sinks(&mut self, plan: &Plan) -> Vec<(String, Slot<GroupAddress>)> {
        let grouped: HashSet<&String> = plan.groups.iter().flat_map(|group| &group.sinks).collect();
        let alone = plan.sinks.iter().filter(|sink| !grouped.contains(&sink.name)).map(|sink| GroupPlan {
            name: sink.name.clone(),
            kind: "default",
            context: plan::Context::default(),
            sinks: vec![sink.name.clone()],
        });
        let groups: Vec<GroupPlan> = plan.groups.iter().cloned().chain(alone).collect();
        let mut started = Vec::new();
        for group in groups {
            // One channel for all of a group: that of its first sink, as Flume has it too.
            let members: Vec<&SinkPlan> = group
                .sinks
                .iter()
                .filter_map(|name| plan.sinks.iter().find(|sink| sink.name == *name))
                .collect();
            let Some(channel) = members.first().and_then(|sink| self.channels.get(&sink.channel)).cloned()
            else {
                continue;
            };
            started.push(self.group(&group, &members, channel).await);
        }
        started
    }

    async fn group(
        &mut self,
        plan: &GroupPlan,
        sinks: &[&SinkPlan],
        channel: ChannelRef,
    ) -> (String, Slot<GroupAddress>) {
        let (health_post, health) = slot();
        let mut members = Vec::new();
        for (index, sink) in sinks.iter().enumerate() {
            fact::starting(&self.around.log, Kind::Sink, &sink.name);
            let member = Member { index, group: health.clone() };
            let slot = self.sink((*sink).clone(), &channel.name, member, plan.kind).await;
            members.push(MemberRef { name: sink.name.clone(), batch_size: registry::batch_size(sink), slot });
        }
        let (stop_post, stop) = slot();
        let build = self.group_builder(plan.clone(), members, channel.clone(), health_post, stop_post);
        self.watch(&channel.name, format!("sink group {}", plan.name), build).await;
        (plan.name.clone(), stop)
    }

    fn group_builder(
        &mut self,
        plan: GroupPlan,
        members: Vec<MemberRef>,
        channel: ChannelRef,
        health: Post<Recipient<Health>>,
        post: Post<GroupAddress>,
    ) -> crate::supervise::Build {
        let (log, agent) = (self.around.log.clone(), self.random.next());
        let mut random = Random::seeded(self.random.next());
        Box::new(move |guard| {
            let (rest, choice) = registry::processor(&plan, random.next());
            let config = GroupConfig {
                name: plan.name.clone(),
                rest,
                choice,
                members: members.clone(),
                agent,
                stream: random.next(), // a group that is built anew counts its batches anew
            };
            let group = Group::new(config, channel.clone(), log.clone(), guard).start();
            health.set(group.clone().recipient());
            let (stop, describe) = (group.clone().recipient(), group.recipient());
            post.set(GroupAddress { stop, describe });
            Ok(())
        })
    }

    async fn sink(
        &self,
        plan: SinkPlan,
        channel: &str,
        member: Member,
        processor: &'static str,
    ) -> Slot<SinkAddress> {
        let (post, slot) = slot();
        let (log, console, name) = (self.around.log.clone(), self.around.console.clone(), plan.name.clone());
        let globals = self.around.globals.clone();
        let build = move |guard| {
            let seat = SinkSeat {
                member: member.clone(),
                guard,
                log: log.clone(),
                console: console.clone(),
                processor,
                globals: globals.clone(),
            };
            post.set(registry::start_sink(&plan, seat)?);
            Ok(())
        };
        self.watch(channel, format!("sink {name}"), Box::new(build)).await;
        slot
    }

    async fn sources(
        &self,
        plan: &Plan,
        ready: &mpsc::UnboundedSender<()>,
    ) -> Vec<(String, Slot<SourceAddress>)> {
        let mut started = Vec::new();
        for source in &plan.sources {
            fact::starting(&self.around.log, Kind::Source, &source.name);
            let (post, slot) = slot();
            let (plan, channels, log, ready) =
                (source.clone(), self.channels.clone(), self.around.log.clone(), ready.clone());
            let globals = self.around.globals.clone();
            let build = move |guard| {
                let start = SourceStart {
                    globals: globals.clone(),
                    plan: plan.clone(),
                    channels: channels.clone(),
                    log: log.clone(),
                    ready: Ready::new(ready.clone()),
                    guard,
                };
                post.set(registry::start_source(start)?);
                Ok(())
            };
            let channel = source.channels.first().map_or("", String::as_str);
            self.watch(channel, format!("source {}", source.name), Box::new(build)).await;
            started.push((source.name.clone(), slot));
        }
        started
    }
}

/// A component that takes longer to start (a disk makes it wait) is not waited for.
const START_WITHIN: Duration = Duration::from_secs(2);

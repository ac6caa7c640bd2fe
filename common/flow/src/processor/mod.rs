//! Groups of sinks: the failover supervisor, the load balancer, and a lone sink as a group of one.
//!
//! A group leases events from its channel, gives them a name and hands them to the sink that is to have them. It learns
//! of its sinks' health from connections, acknowledgements and probes, not only when a delivery fails: the standby is
//! connected before it is needed, and what a dead sink did not acknowledge goes to the next one at once, in order.

mod choice;
mod describe;
mod roster;
#[cfg(test)]
mod tests;

pub(crate) use choice::Choice;
pub(crate) use roster::Rest;

use crate::channel::ChannelRef;
use crate::channel::lease::Lease;
use crate::clock::{self, Instant};
use crate::error::DeliveryError;
use crate::message::{Deliver, Delivered, Errand, Health, Parcel, Probe, State, Stop, Window};
use crate::supervise::Guard;
use crate::supervise::slot::Slot;
use actix::prelude::*;
use roster::Roster;
use std::collections::BTreeMap;
use wire::avro::BatchId;

/// What a sink can be asked.
pub(crate) struct SinkAddress {
    pub(crate) deliver: Recipient<Deliver>,
    pub(crate) probe: Recipient<Probe>,
    pub(crate) stop: Recipient<Stop>,
}

/// A member of a group, as the group is told of it.
#[derive(Clone)]
pub(crate) struct MemberRef {
    /// The sink's name in the configuration.
    pub(crate) name: String,
    /// Events it wants at a time.
    pub(crate) batch_size: usize,
    pub(crate) slot: Slot<SinkAddress>,
}

/// How a group is to behave.
pub(crate) struct GroupConfig {
    /// The group's name, or the sink's where it stands alone.
    pub(crate) name: String,
    pub(crate) rest: Rest,
    pub(crate) choice: Choice,
    pub(crate) members: Vec<MemberRef>,
    /// This process and this group, for the names of batches.
    pub(crate) agent: u64,
    pub(crate) stream: u64,
}

/// The actor of a group.
pub(crate) struct Group {
    log: slog::Logger,
    name: String,
    channel: ChannelRef,
    choice: Choice,
    roster: Roster,
    members: Vec<Member>,
    batch_size: usize,
    next_id: BatchId,
    /// Parcels that are with no sink, by sequence: they go out before anything new is leased.
    waiting: BTreeMap<u64, Parcel>,
    taking: bool,
    starting: bool,
    alarm: Option<(Instant, SpawnHandle)>,
    _guard: Guard,
}

struct Member {
    at: MemberRef,
    window: Window,
    parcels: usize,
    bytes: usize,
    probing: bool,
    /// Why it rests, told once; and since when, if events had ever reached it.
    down_since: Option<Instant>,
    told_down: bool,
}

impl Member {
    fn has_credit(&self) -> bool {
        self.parcels < self.window.parcels && (self.parcels == 0 || self.bytes < self.window.bytes)
    }

    /// What is left of its window.
    fn credit(&self) -> Window {
        let Window { parcels, bytes } = self.window;
        Window {
            parcels: parcels.saturating_sub(self.parcels),
            bytes: bytes.saturating_sub(self.bytes).max(1),
        }
    }
}

impl Group {
    pub(crate) fn new(config: GroupConfig, channel: ChannelRef, log: slog::Logger, guard: Guard) -> Group {
        let count = config.members.len();
        let batch_size = config.members.iter().map(|member| member.batch_size).min().unwrap_or(1);
        let member = |at| Member {
            at,
            window: Window::LOCK_STEP,
            parcels: 0,
            bytes: 0,
            probing: false,
            down_since: None,
            told_down: false,
        };
        Group {
            log,
            name: config.name,
            batch_size: batch_size.min(channel.transaction),
            channel,
            choice: config.choice,
            roster: Roster::new(count, config.rest, clock::now()),
            members: config.members.into_iter().map(member).collect(),
            next_id: BatchId { agent: config.agent, stream: config.stream, sequence: 0 },
            waiting: BTreeMap::new(),
            taking: false,
            starting: true,
            alarm: None,
            _guard: guard,
        }
    }

    /// Moves what can be moved: first what has come back, then what the channel has.
    fn pump(&mut self, ctx: &mut Context<Self>) {
        while let Some(sink) = self.next_sink().filter(|sink| !self.is_older_elsewhere(*sink)) {
            match self.waiting.pop_first() {
                Some((_, parcel)) => self.hand_over(parcel, sink, ctx),
                None => return self.take(self.members[sink].credit(), ctx),
            }
        }
    }

    /// Whether another sink holds something that must be settled before `sink` is given what is newer: what a failed one
    /// holds comes back in a moment; and a group that prefers one sink keeps order when it changes to another, whose
    /// connection (or peer: two may lead to the same host) could be the faster one.
    fn is_older_elsewhere(&self, sink: usize) -> bool {
        let failing = |other| !self.roster.is_live(other) && self.members[other].down_since.is_some();
        (0..self.members.len())
            .filter(|other| *other != sink && self.members[*other].parcels > 0)
            .any(|other| self.choice.keeps_order() || failing(other))
    }

    fn next_sink(&mut self) -> Option<usize> {
        // A look at the clock for each batch is spared: after the first moments nobody is awaited.
        let now = self.starting.then(clock::now);
        self.starting = now.is_some_and(|now| now < self.roster.patient_until());
        let awaited = |sink| now.is_some_and(|now| self.roster.is_awaited(sink, now));
        self.choice.next_awaiting(
            |sink| self.roster.is_live(sink),
            awaited,
            |sink| self.members[sink].has_credit(),
        )
    }

    fn take(&mut self, credit: Window, ctx: &mut Context<Self>) {
        if self.taking {
            return;
        }
        self.taking = true;
        let (channel, max) = (self.channel.clone(), self.batch_size);
        let leased = async move { channel.take_some(max, credit).await }.into_actor(self);
        ctx.spawn(leased.map(|leases, group, ctx| {
            group.taking = false;
            if let Some(leases) = leases {
                leases.into_iter().for_each(|lease| group.name_it(lease));
                group.pump(ctx);
            }
        }));
    }

    /// From here on the events are one parcel with one name, whoever gets them and however often.
    fn name_it(&mut self, lease: Lease) {
        let id = self.next_id;
        self.next_id.sequence += 1;
        self.waiting.insert(id.sequence, Parcel { id, lease, doubt: false });
    }

    fn hand_over(&mut self, parcel: Parcel, sink: usize, ctx: &mut Context<Self>) {
        let member = &mut self.members[sink];
        member.parcels += 1;
        member.bytes += bytes(&parcel);
        self.choice.given(sink);
        let errand = Errand::new(parcel, sink, ctx.address().recipient());
        // A sink that is gone drops the errand, which then says so itself.
        member.at.slot.with(|sink| sink.deliver.do_send(Deliver(errand)));
    }

    /// A sink has failed at `now`, with events or without.
    fn down(&mut self, sink: usize, error: &DeliveryError, now: Instant) {
        let Some(rest) = self.roster.failed(sink, now) else { return };
        let alone = self.members.len() == 1;
        let next = (0..self.members.len())
            .find(|other| self.roster.is_live(*other))
            .map(|other| self.members[other].at.name.clone());
        let member = &mut self.members[sink];
        member.down_since = Some(now);
        if !member.told_down {
            member.told_down = true;
            let then = match next {
                Some(next) => format!("its events go to {next} at once"),
                None if alone => "events wait in the channel".to_owned(),
                None => "no other sink of the group is up, events wait in the channel".to_owned(),
            };
            let why = format!(
                "{error}; {then}; tried again in the background, first in {:.1} s",
                rest.as_secs_f32()
            );
            match (&self.choice, alone) {
                (Choice::Priority(_), false) => {
                    journal::fact::failover_sink_failed(&self.log, &member.at.name, &why)
                }
                _ => slog::warn!(self.log, "sink {}: {why}", member.at.name),
            }
        }
    }

    fn up(&mut self, sink: usize, window: Window) {
        let now = clock::now();
        self.roster.recovered(sink);
        let member = &mut self.members[sink];
        member.window = window;
        let since = member.down_since.take();
        if std::mem::take(&mut member.told_down) {
            match since {
                Some(since) => slog::info!(
                    self.log,
                    "sink {} is back after {:.1} s",
                    member.at.name,
                    (now - since).as_secs_f64()
                ),
                None => slog::info!(self.log, "sink {} is up", member.at.name),
            }
        }
    }

    /// Probes whom it is time to probe, and comes back when it is time again.
    fn look_after(&mut self, ctx: &mut Context<Self>) {
        let now = clock::now();
        for sink in self.roster.due(now).collect::<Vec<_>>() {
            let member = &mut self.members[sink];
            if !member.probing {
                member.probing = member.at.slot.with(|sink| sink.probe.do_send(Probe)).is_some();
            }
            if !member.probing {
                self.roster.probe_failed(sink, now);
            }
        }
        // One that is being probed is due until its answer comes, which brings us back here.
        let next =
            self.roster.next_due(|sink| !self.members[sink].probing).map(|at| at.max(now + LEAST_PAUSE));
        if let Some((_, alarm)) = self.alarm.take_if(|(at, _)| Some(*at) != next) {
            ctx.cancel_future(alarm);
        }
        if let (Some(at), None) = (next, &self.alarm) {
            let alarm = ctx.run_later(at - now, |group, ctx| {
                group.alarm = None;
                group.look_after(ctx);
            });
            self.alarm = Some((at, alarm));
        }
    }
}

fn bytes(parcel: &Parcel) -> usize {
    parcel.lease.batches().iter().map(event::Batch::event_bytes).sum()
}

impl Actor for Group {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(0); // bounded by the windows of its sinks
        self.look_after(ctx);
        // By then whoever was awaited has answered, or is not waited for any longer.
        ctx.run_later(self.roster.patient_until() - clock::now(), |group, ctx| group.pump(ctx));
    }
}

impl Handler<Delivered> for Group {
    type Result = ();

    fn handle(&mut self, delivered: Delivered, ctx: &mut Self::Context) {
        let Delivered { sink, parcels, outcome } = delivered;
        let member = &mut self.members[sink];
        member.parcels -= parcels.len();
        member.bytes -= parcels.iter().map(bytes).sum::<usize>();
        match outcome {
            Ok(()) => {
                parcels.into_iter().for_each(|parcel| parcel.lease.commit());
                self.roster.delivered(sink);
            }
            Err(error) => {
                for mut parcel in parcels {
                    parcel.doubt |= error.leaves_doubt();
                    self.waiting.insert(parcel.id.sequence, parcel);
                }
                self.down(sink, &error, clock::now());
                self.look_after(ctx);
            }
        }
        self.pump(ctx);
    }
}

impl Handler<Health> for Group {
    type Result = ();

    fn handle(&mut self, health: Health, ctx: &mut Self::Context) {
        let Health { sink, state } = health;
        let probed = std::mem::take(&mut self.members[sink].probing);
        let now = clock::now();
        match state {
            State::Up(window) => self.up(sink, window),
            State::Leaving => self.leave(sink, now),
            State::Down(error) if self.roster.is_live(sink) => self.down(sink, &error, now),
            State::Down(error) if probed => self.still_down(sink, &error, now),
            State::Down(_) => {}
        }
        self.look_after(ctx);
        self.pump(ctx);
    }
}

impl Group {
    fn still_down(&mut self, sink: usize, error: &DeliveryError, now: Instant) {
        self.roster.probe_failed(sink, now);
        let member = &mut self.members[sink];
        if !member.told_down {
            member.told_down = true;
            slog::warn!(
                self.log,
                "sink {} is not up yet: {error}; it is tried again in the background until it is",
                member.at.name
            );
        }
    }

    fn leave(&mut self, sink: usize, now: Instant) {
        if self.roster.failed(sink, now).is_some() {
            let member = &mut self.members[sink];
            member.told_down = true;
            slog::info!(
                self.log,
                "sink {}: its peer says that it is stopping; new events go elsewhere",
                member.at.name
            );
        }
    }
}

impl Handler<Stop> for Group {
    type Result = ResponseFuture<()>;

    /// Called when the channel has run dry or time is up: what is still under way is rolled back into the channel.
    fn handle(&mut self, _: Stop, ctx: &mut Self::Context) -> Self::Result {
        self._guard.release();
        self.waiting.clear();
        let stops: Vec<_> = self
            .members
            .iter()
            .filter_map(|member| member.at.slot.with(|sink| sink.stop.send(Stop)))
            .collect();
        slog::debug!(self.log, "group {} stops", self.name);
        ctx.stop();
        Box::pin(async move {
            for stop in stops {
                let _gone_already = stop.await;
            }
        })
    }
}

/// Two looks at the group's health are at least so far apart.
const LEAST_PAUSE: clock::Duration = clock::Duration::from_millis(10);

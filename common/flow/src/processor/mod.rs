//! Groups of sinks: the failover supervisor, the load balancer, and a lone sink as a group of one.
//!
//! A group leases events from its channel, gives them a name and hands them to the sink that is to have them. It learns
//! of its sinks' health from connections, acknowledgements and probes, not only when a delivery fails: the standby is
//! connected before it is needed, and what a dead sink did not acknowledge goes to the next one at once, in order.

mod config;
mod contact;
mod describe;
mod health;
mod member;
mod selection;
mod standing;
#[cfg(test)]
mod tests;
mod trouble;

pub use config::{Grouping, LONE, Order};
pub use contact::{GroupContext, GroupRecipients, MakeGroup, MemberRef, SinkAddress};
pub use health::Backoff;
pub(crate) use selection::SinkSelection;

use crate::channel::ChannelRef;
use crate::channel::lease::Lease;
use crate::error::DeliveryError;
use crate::message::{
    Deliver, Delivered, Delivery, Finish, Health, PendingDelivery, Probe, State, Stop, Window,
};
use crate::supervise::DeathWatch;
use actix::prelude::*;
use health::{Failure, SinkHealth};
use member::Member;
use runtime::clock::{self, Instant};
use std::collections::BTreeMap;
use tokio::sync::oneshot;
use trouble::Matter;
use wire::avro::BatchId;

/// How a group is to behave.
pub(crate) struct GroupConfig {
    /// The group's name, or the sink's where it stands alone.
    pub(crate) name: String,
    pub(crate) backoff: Backoff,
    pub(crate) selection: SinkSelection,
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
    selection: SinkSelection,
    health: SinkHealth,
    members: Vec<Member>,
    batch_size: usize,
    next_id: BatchId,
    /// Deliveries that are with no sink, by sequence: they go out before anything new is leased.
    waiting: BTreeMap<u64, Delivery>,
    taking: bool,
    starting: bool,
    /// Who waits for the end of what is under way; nothing new is begun then.
    finishing: Option<oneshot::Sender<()>>,
    alarm: Option<(Instant, SpawnHandle)>,
    _death_watch: DeathWatch,
}

impl Group {
    pub(crate) fn new(
        config: GroupConfig,
        channel: ChannelRef,
        log: slog::Logger,
        death_watch: DeathWatch,
    ) -> Group {
        let count = config.members.len();
        let batch_size = config.members.iter().map(|member| member.batch_size).min().unwrap_or(1);
        Group {
            log,
            name: config.name,
            batch_size: batch_size.min(channel.transaction),
            channel,
            selection: config.selection,
            health: SinkHealth::new(count, config.backoff, clock::now()),
            members: config.members.into_iter().map(Member::new).collect(),
            next_id: BatchId { agent: config.agent, stream: config.stream, sequence: 0 },
            waiting: BTreeMap::new(),
            taking: false,
            starting: true,
            finishing: None,
            alarm: None,
            _death_watch: death_watch,
        }
    }

    /// Starts it.
    pub(crate) fn begin(self) -> GroupRecipients {
        let group = self.start();
        GroupRecipients {
            health: group.clone().recipient(),
            stop: group.clone().recipient(),
            describe: group.clone().recipient(),
            finish: Some(group.recipient()),
        }
    }

    /// Moves what can be moved: first what has come back, then what the channel has.
    fn pump(&mut self, ctx: &mut Context<Self>) {
        if self.finishing.is_some() {
            return self.look_whether_finished();
        }
        while let Some(sink) = self.next_sink().filter(|sink| !self.is_older_elsewhere(*sink)) {
            match self.waiting.pop_first() {
                Some((_, delivery)) => self.hand_over(delivery, sink, ctx),
                None => {
                    let mut credit = self.members[sink].credit(self.health.is_on_trial(sink));
                    if self.channel.one_by_one() {
                        if self.members.iter().any(|member| member.deliveries > 0) {
                            return;
                        }
                        credit.deliveries = 1;
                    }
                    return self.take(credit, ctx);
                }
            }
        }
    }

    /// Whether another sink holds something that must be settled before `sink` is given what is newer: what a failed one
    /// holds comes back in a moment; and a group that prefers one sink keeps order when it changes to another, whose
    /// connection (or peer: two may lead to the same host) could be the faster one.
    fn is_older_elsewhere(&self, sink: usize) -> bool {
        let failing =
            |other| !self.health.is_live(other) && self.members[other].trouble.is_after_better_days();
        (0..self.members.len())
            .filter(|other| *other != sink && self.members[*other].deliveries > 0)
            .any(|other| self.selection.keeps_order() || failing(other))
    }

    fn next_sink(&mut self) -> Option<usize> {
        // A look at the clock for each batch is spared: after the first moments nobody is awaited.
        let now = self.starting.then(clock::now);
        self.starting = now.is_some_and(|now| now < self.health.patient_until());
        let awaited = |sink| now.is_some_and(|now| self.health.is_awaited(sink, now));
        self.selection.next_awaiting(
            |sink| self.health.is_live(sink),
            awaited,
            |sink| self.members[sink].has_credit(self.health.is_on_trial(sink)),
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

    /// From here on the events are one delivery with one name, whoever gets them and however often.
    fn name_it(&mut self, lease: Lease) {
        let id = self.next_id;
        self.next_id.sequence += 1;
        self.waiting.insert(id.sequence, Delivery { id, lease, doubt: false });
    }

    fn hand_over(&mut self, delivery: Delivery, sink: usize, ctx: &mut Context<Self>) {
        let member = &mut self.members[sink];
        member.given(&delivery, self.batch_size);
        self.selection.given(sink);
        let pending =
            PendingDelivery::new(delivery, sink, ctx.address().recipient()).timed(&member.at.counters);
        // A sink that is gone drops the pending delivery, which then says so itself.
        member.at.cell.with(|sink| sink.deliver.do_send(Deliver(pending)));
    }

    /// A sink has failed at `now`, with a batch of so many bytes or without one.
    fn down(&mut self, sink: usize, error: &DeliveryError, bytes: usize, now: Instant) {
        let is_lost_again = matches!(error, DeliveryError::Lost { .. }) && self.health.is_on_trial(sink);
        let failure = match error {
            DeliveryError::Refused { .. } | DeliveryError::Write { .. } | DeliveryError::Class { .. } => {
                Failure::Batch(bytes)
            }
            _ if is_lost_again => Failure::Batch(bytes),
            _ => Failure::Connection(bytes),
        };
        if !self.health.failed(sink, now, failure) {
            return;
        }
        self.members[sink].at.count_failed(true);
        let tell = match failure {
            Failure::Connection(_) => Matter::Connection,
            Failure::Batch(_) => Matter::Batch,
        };
        self.members[sink].trouble.failed(now);
        if self.members[sink].trouble.tells(tell) {
            self.tell_down(sink, error, if is_lost_again { LOST_AGAIN } else { "" });
        }
    }

    fn tell_down(&self, sink: usize, error: &DeliveryError, hint: &str) {
        let alone = self.members.len() == 1;
        let next = (0..self.members.len()).find(|other| self.health.is_live(*other));
        let then = match next {
            Some(next) => format!("its events go to {} at once", self.members[next].at.name),
            None if alone => "events wait in the channel".to_owned(),
            None => "no other sink of the group is up, events wait in the channel".to_owned(),
        };
        let why = format!(
            "{error}{hint}; {then}; it is tried again in the background, less and less often while it takes no events"
        );
        let name = &self.members[sink].at.name;
        match (&self.selection, alone) {
            (SinkSelection::Priority(_), false) => console::fact::failover_sink_failed(&self.log, name, &why),
            _ => slog::warn!(self.log, "sink {name}: {why}"),
        }
    }

    fn up(&mut self, sink: usize, window: Window) {
        let now = clock::now();
        if !self.health.is_live(sink) {
            self.selection.back(sink);
            self.members[sink].at.count_up();
        }
        self.health.recovered(sink, now);
        let on_trial = self.health.is_on_trial(sink);
        let member = &mut self.members[sink];
        member.window = window;
        match on_trial {
            true => member.tell_connected(&self.log, now),
            false => member.tell_back(&self.log, now),
        }
    }

    /// Probes whom it is time to probe, and comes back when it is time again.
    fn look_after(&mut self, ctx: &mut Context<Self>) {
        let now = clock::now();
        for sink in self.health.due(now).collect::<Vec<_>>() {
            let member = &mut self.members[sink];
            if !member.probing {
                member.probing = member.at.cell.with(|sink| sink.probe.do_send(Probe)).is_some();
            }
            if !member.probing {
                self.health.probe_failed(sink, now, false);
            }
        }
        // One that is being probed is due until its answer comes, which brings us back here.
        let next =
            self.health.next_due(|sink| !self.members[sink].probing).map(|at| at.max(now + LEAST_PAUSE));
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
        self.show_standing(now);
    }
}

impl Actor for Group {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(0); // bounded by the windows of its sinks
        self.look_after(ctx);
        // By then whoever was awaited has answered, or is not waited for any longer.
        ctx.run_later(self.health.patient_until() - clock::now(), |group, ctx| group.pump(ctx));
    }
}

impl Handler<Delivered> for Group {
    type Result = ();

    fn handle(&mut self, delivered: Delivered, ctx: &mut Self::Context) {
        let Delivered { sink, deliveries, outcome } = delivered;
        self.members[sink].settled(&deliveries);
        match outcome {
            Ok(()) => {
                if self.health.is_on_trial(sink) {
                    let (largest, now) = (deliveries.iter().map(member::bytes).max(), clock::now());
                    if self.health.delivered(sink, largest.unwrap_or_default(), now) {
                        self.members[sink].tell_back(&self.log, now);
                    }
                }
                let events = deliveries.iter().map(Delivery::events).sum();
                self.members[sink].at.count_arrived(events);
                self.channel.counters.take_success.add(events);
                deliveries.into_iter().for_each(|delivery| delivery.lease.commit());
            }
            Err(error) => {
                let largest = deliveries.iter().map(member::bytes).max().unwrap_or_default();
                for mut delivery in deliveries {
                    delivery.doubt |= error.leaves_doubt();
                    self.waiting.insert(delivery.id.sequence, delivery);
                }
                self.down(sink, &error, largest, clock::now());
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
            // Another actor than the one that was up: that one has died.
            State::Started if self.health.is_live(sink) => self.down(sink, &DeliveryError::Gone, 0, now),
            State::Started => {} // it is probed below, whether or not it was before
            State::Down(error) if self.health.is_live(sink) => self.down(sink, &error, 0, now),
            State::Down(error) if probed => self.still_down(sink, &error, now),
            State::Down(_) => {}
        }
        self.look_after(ctx);
        self.pump(ctx);
    }
}

impl Group {
    fn still_down(&mut self, sink: usize, error: &DeliveryError, now: Instant) {
        self.health.probe_failed(sink, now, matches!(error, DeliveryError::Unreachable { .. }));
        self.members[sink].at.count_failed(false);
        self.members[sink].tell_not_up(&self.log, error);
    }

    fn leave(&mut self, sink: usize, now: Instant) {
        if self.health.failed(sink, now, Failure::Connection(0)) {
            self.members[sink].tell_leaving(&self.log);
        }
    }
}

impl Group {
    /// What has not been handed over, or has come back, is the channel's again.
    fn look_whether_finished(&mut self) {
        self.waiting.clear();
        if self.members.iter().all(|member| member.deliveries == 0)
            && let Some(finished) = self.finishing.take()
        {
            let _nobody_waits_any_more = finished.send(());
            self.finishing = Some(oneshot::channel().0);
        }
    }
}

impl Handler<Finish> for Group {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Finish, _: &mut Self::Context) -> Self::Result {
        let (tell, finished) = oneshot::channel();
        self.finishing = Some(tell);
        self.look_whether_finished();
        Box::pin(async move {
            let _finished_or_gone = finished.await;
        })
    }
}

impl Handler<Stop> for Group {
    type Result = ResponseFuture<()>;

    /// Called when the channel has run dry or time is up: what is still under way is rolled back into the channel.
    fn handle(&mut self, _: Stop, ctx: &mut Self::Context) -> Self::Result {
        self._death_watch.release();
        self.waiting.clear();
        let stops: Vec<_> = self
            .members
            .iter()
            .filter_map(|member| member.at.cell.with(|sink| sink.stop.send(Stop)))
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
/// What may be the matter with a batch that brings down a connection which was made for it alone.
const LOST_AGAIN: &str = "; the batch before was lost as well, though it went alone: see whether its log tells of a frame \
    larger than maxFrameBytes, and whether the network between passes large packets";

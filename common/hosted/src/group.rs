//! A group of sinks whose processor is in the JVM: that says which sink is next; the sinks, native or not, are asked here.

use crate::host::Host;
use actix::prelude::*;
use bridge::{BridgeError, Outcome, Spec, Thrown};
use flow::channel::ChannelRef;
use flow::channel::lease::Lease;
use flow::error::DeliveryError;
use flow::message::{
    Deliver, Delivered, Delivery, Describe, Health, PendingDelivery, Probe, State, Stop, Window,
};
use flow::processor::{GroupContext, GroupRecipients, MemberRef};
use flow::supervise::DeathWatch;
use runtime::clock::{self, Duration};
use runtime::told::Told;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};
use wire::avro::BatchId;

/// Starts the actor of a group that `spec` describes.
pub(crate) fn start(
    host: Arc<Host>,
    spec: Spec,
    members: Vec<MemberRef>,
    channel: ChannelRef,
    context: GroupContext,
) -> GroupRecipients {
    let GroupContext { first, log, death_watch } = context;
    let (tell, heard) = mpsc::unbounded_channel();
    let (stop, stopping) = watch::channel(false);
    let addresses = members.clone();
    let group = HostedGroup { addresses, tell, stop, task: None, death_watch };
    let group = HostedGroup::create(move |ctx| {
        let batch_size = members.iter().map(|member| member.batch_size).min().unwrap_or(1);
        let sinks = Sinks {
            batch_size: batch_size.min(channel.transaction),
            up: vec![false; members.len()],
            next: first,
            members,
            channel,
            heard,
            supervisor: ctx.address().recipient(),
            waiting: None,
        };
        HostedGroup { task: Some(Task { host, spec, log, sinks, stopping }), ..group }
    });
    GroupRecipients {
        health: group.clone().recipient(),
        stop: group.clone().recipient(),
        describe: group.recipient(),
        finish: None, // of what is under way, one batch at most, it may be that it comes again
    }
}

/// The actor: passes on what it hears, and holds the task that does the work.
struct HostedGroup {
    addresses: Vec<MemberRef>,
    tell: mpsc::UnboundedSender<Heard>,
    stop: watch::Sender<bool>,
    task: Option<Task>,
    death_watch: DeathWatch,
}

/// What sinks say.
enum Heard {
    Health(Health),
    Delivered(Delivered),
}

impl Actor for HostedGroup {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(0); // one delivery is under way
        if let Some(task) = self.task.take() {
            ctx.spawn(task.run().into_actor(self));
        }
    }
}

impl Handler<Health> for HostedGroup {
    type Result = ();

    fn handle(&mut self, health: Health, _: &mut Self::Context) {
        let _task_has_ended = self.tell.send(Heard::Health(health));
    }
}

impl Handler<Delivered> for HostedGroup {
    type Result = ();

    fn handle(&mut self, delivered: Delivered, _: &mut Self::Context) {
        // Should the task have ended, the deliveries are rolled back.
        let _task_has_ended = self.tell.send(Heard::Delivered(delivered));
    }
}

impl Handler<Describe> for HostedGroup {
    type Result = MessageResult<Describe>;

    fn handle(&mut self, _: Describe, _: &mut Self::Context) -> Self::Result {
        let names: Vec<&str> = self.addresses.iter().map(|member| member.name.as_str()).collect();
        MessageResult(format!("its processor runs in the JVM and chooses among {}", names.join(", ")))
    }
}

impl Handler<Stop> for HostedGroup {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Stop, ctx: &mut Self::Context) -> Self::Result {
        self.death_watch.release();
        self.stop.send_replace(true);
        let stops: Vec<_> = self
            .addresses
            .iter()
            .filter_map(|member| member.cell.with(|sink| sink.stop.send(Stop)))
            .collect();
        ctx.stop(); // what is under way is rolled back
        Box::pin(async move {
            for stop in stops {
                let _gone_already = stop.await;
            }
        })
    }
}

/// What does the group's work.
struct Task {
    host: Arc<Host>,
    spec: Spec,
    log: slog::Logger,
    sinks: Sinks,
    stopping: watch::Receiver<bool>,
}

impl Task {
    async fn run(mut self) {
        let mut told = Told::every(TELL_EVERY);
        let mut stopping = self.stopping.clone();
        tokio::select! {
            biased;
            _ = stopping.wait_for(|stops| *stops) => {}
            () = async {
                loop {
                    let Err(error) = self.drive(&mut told).await;
                    if told.tell(clock::now()).is_some() {
                        slog::error!(self.log, "{error}; events wait in the channel, it is made again");
                    }
                    sleep(RETRY).await;
                }
            } => {}
        }
    }

    /// Runs the processor, as Flume's `SinkRunner` does, until its JVM is gone.
    async fn drive(&mut self, told: &mut Told) -> Result<std::convert::Infallible, BridgeError> {
        let jvm = self.host.jvm(&self.log).await?;
        let mut group = bridge::Group::create(&jvm, &self.spec).await?;
        group.start().await?;
        let mut backoffs = 0;
        loop {
            let sinks = &mut self.sinks;
            match group.process(async |index| sinks.ask(index).await).await? {
                Outcome::Ready => backoffs = 0,
                Outcome::Backoff => {
                    backoffs += 1;
                    sleep((BACKOFF * backoffs).min(RETRY)).await;
                }
                Outcome::Exception(thrown) | Outcome::Dead(thrown) => {
                    if told.tell(clock::now()).is_some() {
                        slog::warn!(
                            self.log,
                            "sink group {}: {thrown}; events wait in the channel",
                            self.spec.name
                        );
                    }
                    sleep(RETRY).await;
                }
            }
        }
    }
}

/// The group's sinks, and the one delivery that is under way.
struct Sinks {
    members: Vec<MemberRef>,
    batch_size: usize,
    channel: ChannelRef,
    up: Vec<bool>,
    heard: mpsc::UnboundedReceiver<Heard>,
    supervisor: Recipient<Delivered>,
    next: BatchId,
    /// A delivery that no sink has taken yet.
    waiting: Option<Delivery>,
}

impl Sinks {
    /// Has a sink deliver a batch, as its `process()` would.
    async fn ask(&mut self, index: usize) -> Outcome {
        if index >= self.members.len() {
            return failed("the group has no such sink");
        }
        if !self.up[index]
            && let Err(reason) = self.get_ready(index).await
        {
            return failed(&reason);
        }
        let Some(delivery) = self.delivery().await else { return Outcome::Backoff };
        let pending = PendingDelivery::new(delivery, index, self.supervisor.clone());
        // One that is dropped, since the sink is gone, says so itself.
        self.members[index].cell.with(|sink| sink.deliver.do_send(Deliver(pending)));
        loop {
            match self.heard.recv().await {
                Some(Heard::Health(health)) => self.note(health),
                Some(Heard::Delivered(Delivered { deliveries, outcome: Ok(()), .. })) => {
                    deliveries.into_iter().for_each(|delivery| delivery.lease.commit());
                    return Outcome::Ready;
                }
                Some(Heard::Delivered(Delivered { deliveries, outcome: Err(error), sink })) => {
                    self.up[sink] = false;
                    self.waiting = deliveries.into_iter().next().map(|delivery| Delivery {
                        doubt: delivery.doubt || error.leaves_doubt(),
                        ..delivery
                    });
                    return failed(&error.to_string());
                }
                None => return failed("the group is stopping"),
            }
        }
    }

    /// Probes a sink and waits for its word.
    async fn get_ready(&mut self, index: usize) -> Result<(), String> {
        self.members[index].cell.with(|sink| sink.probe.do_send(Probe));
        let word = async {
            while let Some(heard) = self.heard.recv().await {
                let Heard::Health(health) = heard else { continue };
                let of_it = health.sink == index;
                match &health.state {
                    State::Down(error) if of_it => {
                        let error: DeliveryError = error.clone();
                        return Err(error.to_string());
                    }
                    // Another actor than the one that was probed.
                    State::Started if of_it => {
                        self.members[index].cell.with(|sink| sink.probe.do_send(Probe));
                    }
                    _ => {}
                }
                self.note(health);
                if self.up[index] {
                    return Ok(());
                }
            }
            Err("the group is stopping".to_owned())
        };
        timeout(READY_WITHIN, word).await.unwrap_or_else(|_| Err("it does not say whether it is up".into()))
    }

    fn note(&mut self, health: Health) {
        self.up[health.sink] = matches!(health.state, State::Up(_));
    }

    /// What is to be delivered next; `None` when the channel is empty for as long as Flume's would wait.
    async fn delivery(&mut self) -> Option<Delivery> {
        if let Some(delivery) = self.waiting.take() {
            return Some(delivery);
        }
        let taking = self.channel.take_some(self.batch_size, Window::LOCK_STEP);
        let lease: Lease = timeout(KEEP_ALIVE, taking).await.ok()??.pop()?;
        let id = self.next;
        self.next.sequence += 1;
        Some(Delivery { id, lease, doubt: false })
    }
}

fn failed(reason: &str) -> Outcome {
    Outcome::Exception(Thrown { message: reason.to_owned(), ..Thrown::default() })
}

/// As Flume's `SinkRunner` and memory channel have it.
const BACKOFF: Duration = Duration::from_secs(1);
const RETRY: Duration = Duration::from_secs(5);
const KEEP_ALIVE: Duration = Duration::from_secs(3);
/// A sink in the JVM, or one that connects, takes a moment.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// Between two lines about a group that fails.
const TELL_EVERY: Duration = Duration::from_secs(60);

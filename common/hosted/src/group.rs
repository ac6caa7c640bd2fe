//! A group of sinks whose processor is in the JVM: that says which sink is next; the sinks, native or not, are asked here.

use crate::asked::{Heard, Sinks};
use crate::host::Host;
use actix::prelude::*;
use bridge::{BridgeError, Outcome, Spec};
use flow::channel::ChannelRef;
use flow::message::{Delivered, Describe, Health, Stop};
use flow::processor::{GroupContext, GroupRecipients, MemberRef};
use flow::supervise::DeathWatch;
use runtime::clock::{self, Duration};
use runtime::told::Told;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

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
        let supervisor = ctx.address().recipient();
        let sinks = Sinks::new(members, channel, heard, supervisor, (first, &spec.class));
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
        self.sinks.probe_all();
        tokio::select! {
            biased;
            _ = stopping.wait_for(|stops| *stops) => {}
            () = async {
                loop {
                    let Err(error) = self.drive(&mut told).await;
                    self.sinks.nobody_asks();
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

/// As Flume's `SinkRunner` has it.
const BACKOFF: Duration = Duration::from_secs(1);
const RETRY: Duration = Duration::from_secs(5);
/// Between two lines about a group that fails.
const TELL_EVERY: Duration = Duration::from_secs(60);

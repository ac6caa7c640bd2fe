//! The sinks of a group whose processor is in the JVM: which are up, what is counted of them, and the one delivery that is under way.

use actix::Recipient;
use bridge::{Outcome, Thrown};
use flow::channel::ChannelRef;
use flow::channel::lease::Lease;
use flow::message::{Deliver, Delivered, Delivery, Health, PendingDelivery, Probe, State, Window};
use flow::processor::MemberRef;
use runtime::clock::{self, Duration, Instant};
use tokio::sync::mpsc;
use tokio::time::timeout;
use wire::avro::BatchId;

/// What sinks say.
pub(crate) enum Heard {
    Health(Health),
    Delivered(Delivered),
}

/// The group's sinks, and the one delivery that is under way.
pub(crate) struct Sinks {
    members: Vec<Asked>,
    batch_size: usize,
    channel: ChannelRef,
    heard: mpsc::UnboundedReceiver<Heard>,
    supervisor: Recipient<Delivered>,
    next: BatchId,
    /// A delivery that no sink has taken yet.
    waiting: Option<Delivery>,
    /// Whether all goes to one of them, until that fails.
    prefers_one: bool,
}

/// A sink, and how it stands.
struct Asked {
    at: MemberRef,
    is_up: bool,
    /// The processor chooses it.
    is_active: bool,
    /// Its answer to a probe is awaited.
    is_probed: bool,
    /// When one that is down is probed again.
    probe_at: Option<Instant>,
}

impl Sinks {
    /// All are down; `first` is the name of the first batch, `processor` the alias or class of what chooses.
    pub(crate) fn new(
        members: Vec<MemberRef>,
        channel: ChannelRef,
        heard: mpsc::UnboundedReceiver<Heard>,
        supervisor: Recipient<Delivered>,
        (first, processor): (BatchId, &str),
    ) -> Sinks {
        let batch_size = members.iter().map(|member| member.batch_size).min().unwrap_or(1);
        let asked = |at| Asked { at, is_up: false, is_active: false, is_probed: false, probe_at: None };
        Sinks {
            batch_size: batch_size.min(channel.transaction),
            members: members.into_iter().map(asked).collect(),
            channel,
            heard,
            supervisor,
            next: first,
            waiting: None,
            prefers_one: processor.to_ascii_lowercase().contains("failover"),
        }
    }

    /// Has all of them get ready, as Flume starts all sinks of a group: a standby is up before it is needed.
    pub(crate) fn probe_all(&mut self) {
        self.members.iter_mut().filter(|member| !member.is_up).for_each(Asked::probe);
    }

    /// The processor is gone for a while.
    pub(crate) fn nobody_asks(&mut self) {
        for member in &mut self.members {
            member.is_active = false;
            member.show();
        }
    }

    /// Has a sink deliver a batch, as its `process()` would.
    pub(crate) async fn ask(&mut self, index: usize) -> Outcome {
        if index >= self.members.len() {
            return failed("the group has no such sink");
        }
        self.catch_up();
        if !self.members[index].is_up
            && let Err(reason) = self.get_ready(index).await
        {
            return failed(&reason);
        }
        // A failover's processor also asks one that has failed before, to see whether it is back: that chooses it when it delivers.
        if !self.prefers_one || self.members.iter().all(|member| !member.is_active) {
            self.is_chosen(index);
        }
        let Some(delivery) = self.delivery().await else { return Outcome::Backoff };
        self.hand_over(delivery, index);
        loop {
            let Some(heard) = self.heard.recv().await else { return failed("the group is stopping") };
            if let Some(outcome) = self.hear(heard) {
                return outcome;
            }
        }
    }

    /// Hears what was said while nobody was asked, and probes whom it is time to probe.
    fn catch_up(&mut self) {
        while let Ok(heard) = self.heard.try_recv() {
            let _of_no_ask = self.hear(heard);
        }
        let now = clock::now();
        let is_due = |member: &&mut Asked| member.probe_at.is_some_and(|at| at <= now);
        self.members.iter_mut().filter(is_due).for_each(Asked::probe);
    }

    fn hand_over(&mut self, delivery: Delivery, index: usize) {
        let at = &self.members[index].at;
        at.count_given(delivery.events(), self.batch_size);
        let pending = PendingDelivery::new(delivery, index, self.supervisor.clone()).timed(&at.counters);
        // One that is dropped, since the sink is gone, says so itself.
        at.cell.with(|sink| sink.deliver.do_send(Deliver(pending)));
    }

    /// Probes a sink, unless it is being probed, and waits for its word.
    async fn get_ready(&mut self, index: usize) -> Result<(), String> {
        if !self.members[index].is_probed {
            self.members[index].probe();
        }
        let word = async {
            while let Some(heard) = self.heard.recv().await {
                let refusal = match &heard {
                    Heard::Health(Health { sink, state: State::Down(error) }) if *sink == index => {
                        Some(error.to_string())
                    }
                    _ => None,
                };
                let _of_no_ask = self.hear(heard);
                match refusal {
                    Some(refusal) => return Err(refusal),
                    None if self.members[index].is_up => return Ok(()),
                    None => {}
                }
            }
            Err("the group is stopping".to_owned())
        };
        let word = timeout(READY_WITHIN, word).await;
        word.unwrap_or_else(|_| {
            self.members[index].fails();
            Err("it does not say whether it is up".into())
        })
    }

    /// The outcome, where that is the end of a delivery.
    fn hear(&mut self, heard: Heard) -> Option<Outcome> {
        match heard {
            Heard::Delivered(delivered) => Some(self.settle(delivered)),
            Heard::Health(Health { sink, state }) => {
                let member = &mut self.members[sink];
                match state {
                    State::Up(_) => member.gets_up(),
                    State::Leaving => member.leaves(),
                    State::Down(_) => member.fails(),
                    // Another actor than the one that was up or was probed.
                    State::Started => {
                        if member.is_up {
                            member.fails();
                        }
                        member.probe();
                    }
                }
                None
            }
        }
    }

    fn settle(&mut self, Delivered { sink, deliveries, outcome }: Delivered) -> Outcome {
        match outcome {
            Ok(()) => {
                let events = deliveries.iter().map(Delivery::events).sum();
                self.members[sink].at.count_arrived(events);
                self.is_chosen(sink);
                self.channel.counters.take_success.add(events);
                deliveries.into_iter().for_each(|delivery| delivery.lease.commit());
                Outcome::Ready
            }
            Err(error) => {
                self.members[sink].fails();
                self.waiting = deliveries
                    .into_iter()
                    .next()
                    .map(|delivery| Delivery { doubt: delivery.doubt || error.leaves_doubt(), ..delivery });
                failed(&error.to_string())
            }
        }
    }

    /// The processor gives this one events from now on.
    fn is_chosen(&mut self, index: usize) {
        for (other, member) in self.members.iter_mut().enumerate() {
            let is_active = other == index || (member.is_active && !self.prefers_one);
            if is_active != member.is_active {
                member.is_active = is_active;
                member.show();
            }
        }
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

impl Asked {
    /// Asks it to get ready.
    fn probe(&mut self) {
        self.probe_at = None;
        self.is_probed = self.at.cell.with(|sink| sink.probe.do_send(Probe)).is_some();
        self.show();
    }

    fn gets_up(&mut self) {
        if !self.is_up {
            self.at.count_up();
        }
        (self.is_up, self.is_probed, self.probe_at) = (true, false, None);
        self.show();
    }

    /// It has failed; that it is still down counts as a try that failed.
    fn fails(&mut self) {
        if self.is_up || self.is_probed {
            self.at.count_failed(self.is_up);
        }
        self.leaves();
    }

    /// It takes no more for now.
    fn leaves(&mut self) {
        (self.is_up, self.is_active, self.is_probed) = (false, false, false);
        self.probe_at = Some(clock::now() + RETRY);
        self.show();
    }

    fn show(&self) {
        let next_try = self.probe_at.map(|at| at.saturating_duration_since(clock::now()));
        self.at.show(self.is_up, self.is_active, next_try);
    }
}

fn failed(reason: &str) -> Outcome {
    Outcome::Exception(Thrown { message: reason.to_owned(), ..Thrown::default() })
}

/// As Flume's memory channel has it.
const KEEP_ALIVE: Duration = Duration::from_secs(3);
/// A sink in the JVM, or one that connects, takes a moment.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// Between two probes of a sink that is down, at least.
const RETRY: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests;

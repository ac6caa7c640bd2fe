//! The end of a flow: sources first, then channels run dry, then sinks. No wait in it is without a limit, and whoever is in
//! the way is named: a component whose thread hangs in the system never answers.

use crate::Ended;
use crate::channel::ChannelRef;
use crate::drain::{Drain, Verdict};
use crate::message::{Fill, Pause, Stop};
use crate::source::SourceAddress;
use crate::start::{Flow, GroupAddress, RunningGroup, RunningSource};
use crate::supervise::address::AddressCell;
use actix::dev::RecipientRequest;
use actix::prelude::*;
use console::fact::{self, ComponentType};
use futures_util::future::join_all;
use runtime::clock::{self, Duration, Instant};
use std::collections::BTreeSet;
use tokio::time::{sleep, timeout_at};

impl Flow {
    /// Stops in order, within `drain_timeout` and [`A_LITTLE`].
    pub async fn stop(&self, drain_timeout: Duration) -> Ended {
        let begun = clock::now();
        let end = begun + drain_timeout;
        for source in &self.sources {
            fact::stopping(&self.log, ComponentType::Source, &source.name);
        }
        let sources_until = begun + drain_timeout.clamp(LEAST_WAIT, SOURCES_WITHIN);
        let mut hung = self.end_sources(sources_until).await;
        hung.extend(self.drain(end).await);
        self.counters.sources().iter().for_each(|source| source.counters.life.stop());
        for group in &self.groups {
            fact::stopping(&self.log, ComponentType::Sink, &group.name);
        }
        let groups_until = (end + A_LITTLE / 2).min(clock::now() + SINKS_FINISH_WITHIN);
        let groups = asked(groups(&self.groups), |group| Some(group.stop.send(Stop)));
        hung.extend(silent("sink group", groups, groups_until).await);
        let channels = self
            .channels
            .iter()
            .filter_map(|channel| Some((channel.at.name.to_string(), channel.at.stop()?)));
        let channels_until = (end + A_LITTLE).min(clock::now() + SINKS_FINISH_WITHIN);
        hung.extend(silent("channel", channels.collect(), channels_until).await);
        let groups = self.counters.groups();
        groups.iter().flat_map(|group| &group.sinks).for_each(|sink| sink.counters.life.stop());
        self.counters.channels().iter().for_each(|channel| channel.counters.life.stop());
        hung.extend(self.settle_sources((end + A_LITTLE).min(clock::now() + SINKS_FINISH_WITHIN)).await);
        self.tell_the_end(&hung)
    }

    /// Stops at once: only sources that can read again say where.
    pub(crate) async fn cut(&self) {
        self.settle_sources(clock::now() + CUT_WITHIN).await;
    }

    /// Nothing comes from sources any more. Those that can read again wait to hear what was delivered.
    async fn end_sources(&self, until: Instant) -> Vec<String> {
        let readers =
            asked(sources(&self.sources), |source| source.pause.as_ref().map(|pause| pause.send(Pause)));
        let others =
            asked(sources(&self.sources), |source| source.pause.is_none().then(|| source.stop.send(Stop)));
        let (hung, more) = tokio::join!(silent("source", readers, until), silent("source", others, until));
        for who in hung.iter().chain(&more) {
            slog::warn!(self.log, "{who} has not stopped yet; the stop goes on without it");
        }
        // Readers are asked once more in the end.
        more
    }

    /// Waits for their positions.
    async fn settle_sources(&self, until: Instant) -> Vec<String> {
        let stop = |source: &SourceAddress| source.pause.as_ref().map(|_| source.stop.send(Stop));
        silent("source", asked(sources(&self.sources), stop), until).await
    }

    /// Waits until all channels are empty, as long as events leave.
    async fn drain(&self, until: Instant) -> Vec<String> {
        let channels: Vec<&ChannelRef> = self.channels.iter().map(|channel| &channel.at).collect();
        drain(&channels, until).await
    }

    /// What was lost, and who was in the way.
    fn tell_the_end(&self, hung: &[String]) -> Ended {
        let mut lost = 0;
        for channel in self.channels.iter().map(|channel| &channel.at) {
            let events: usize = channel.origins().into_iter().map(|(_, events)| events).sum();
            lost += events;
            if events > 0 {
                slog::error!(
                    self.log,
                    "channel {}: its sinks did not take the last {events} events in time; they were in memory only and are lost (--drain-timeout says how long a stop waits)",
                    channel.name
                );
            }
        }
        let hung: BTreeSet<&String> = hung.iter().collect();
        for who in &hung {
            slog::error!(
                self.log,
                "{who} did not stop in time, and the stop goes on without it: it hangs, usually in a system call (a disk, or a network file system that does not answer)"
            );
        }
        if lost == 0 && hung.is_empty() { Ended::Stopped } else { Ended::Lost }
    }
}

/// Waits until `channels` are empty, as long as events leave; who hangs is named.
pub(crate) async fn drain(channels: &[&ChannelRef], until: Instant) -> Vec<String> {
    let now = clock::now();
    let mut drain = Drain::new(until.saturating_duration_since(now), now);
    let mut hung = BTreeSet::new();
    loop {
        let looks = channels.iter().filter(|channel| !hung.contains(&*channel.name));
        let looks = join_all(looks.map(|channel| async move { (channel, fill(channel, until).await) })).await;
        let (mut held, mut taken) = (0, 0);
        for (channel, fill) in looks {
            match fill {
                Ok(fill) => (held, taken) = (held + fill.events, taken + fill.taken),
                Err(Hangs) => {
                    hung.insert(channel.name.to_string());
                }
            }
        }
        match drain.look(held, taken, clock::now()) {
            Verdict::Wait => sleep(DRAIN_LOOK).await,
            Verdict::Dry | Verdict::GiveUp => break,
        }
    }
    hung.into_iter().map(|name| format!("channel {name}")).collect()
}

/// A component that does not answer.
struct Hangs;

async fn fill(channel: &ChannelRef, until: Instant) -> Result<Fill, Hangs> {
    let until = until.max(clock::now() + LEAST_WAIT).min(clock::now() + ANSWER_WITHIN);
    match timeout_at(until, channel.fill()).await {
        Ok(fill) => Ok(fill.unwrap_or(Fill { events: 0, taken: 0 })),
        Err(_) => Err(Hangs),
    }
}

/// Each of them, with where it is.
pub(crate) fn sources(all: &[RunningSource]) -> impl Iterator<Item = (&String, &AddressCell<SourceAddress>)> {
    all.iter().map(|source| (&source.name, &source.at))
}

/// Each of them, with where it is.
pub(crate) fn groups(all: &[RunningGroup]) -> impl Iterator<Item = (&String, &AddressCell<GroupAddress>)> {
    all.iter().map(|group| (&group.name, &group.at))
}

/// What `ask` asks of each that is there.
pub(crate) fn asked<'a, A: 'a, M>(
    who: impl Iterator<Item = (&'a String, &'a AddressCell<A>)>,
    ask: impl Fn(&A) -> Option<RecipientRequest<M>>,
) -> Vec<(String, RecipientRequest<M>)>
where
    M: Message + Send + 'static,
    M::Result: Send,
{
    let request = |(name, cell): (&String, &AddressCell<A>)| {
        cell.with(&ask).flatten().map(|request| (name.clone(), request))
    };
    who.filter_map(request).collect()
}

/// Those that have not answered `until` then, by their names.
pub(crate) async fn silent<M>(
    kind: &str,
    asked: Vec<(String, RecipientRequest<M>)>,
    until: Instant,
) -> Vec<String>
where
    M: Message + Send + 'static,
    M::Result: Send,
{
    let answers = asked.into_iter().map(|(name, request)| async move {
        timeout_at(until, request).await.is_err().then(|| format!("{kind} {name}"))
    });
    join_all(answers).await.into_iter().flatten().collect()
}

/// Between two looks at channels that are to run dry.
const DRAIN_LOOK: Duration = Duration::from_millis(5);
/// How long the first channel, source or sink that hangs keeps all others waiting.
pub(crate) const SOURCES_WITHIN: Duration = Duration::from_secs(5);
pub(crate) const SINKS_FINISH_WITHIN: Duration = Duration::from_secs(5);
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
const LEAST_WAIT: Duration = Duration::from_millis(500);
/// What a stop takes beyond its time to drain, at most.
const A_LITTLE: Duration = Duration::from_secs(2);
/// What a second signal waits for positions.
const CUT_WITHIN: Duration = Duration::from_millis(500);

//! A flow takes over a new configuration while it runs: `plan::diff` says what becomes of each component, and the steps are
//! taken here. What is not named in a step goes on as if nothing had happened.

use crate::channel::{ChannelRef, NewChannel};
use crate::configure::{Assembly, NewGroup};
use crate::message::{Finish, Pause, Stop};
use crate::source::{NewSource, SourceAddress};
use crate::start::{Flow, RunningGroup, RunningSource};
use crate::stop::{SINKS_FINISH_WITHIN, SOURCES_WITHIN, asked, drain, groups, silent, sources};
use crate::supervise::Order;
use console::fact::{self, ComponentType};
use futures_util::future::join_all;
use plan::{Action, Change, Part, Step, Turn};
use runtime::clock::{self, Duration};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// New configurations for a flow that runs.
pub struct Reloading {
    /// What is to run from then on.
    pub assemblies: tokio::sync::mpsc::Receiver<Assembly>,
    /// Is called when somebody asks for a look at the configuration now.
    pub look: Box<dyn Fn() + Send>,
}

/// What is left of an assembly to start.
struct Parts {
    channels: Vec<(String, NewChannel)>,
    sources: Vec<NewSource>,
    groups: Vec<NewGroup>,
}

impl Flow {
    /// Goes over to what `assembly` says. Channels that end are emptied by their sinks within `drain_timeout`; where that
    /// cannot be done, or `hurry` turns true meanwhile, the flow goes on as it was: `false`.
    pub async fn reload(
        &mut self,
        assembly: Assembly,
        drain_timeout: Duration,
        hurry: watch::Receiver<bool>,
    ) -> bool {
        let Assembly { plan, ties, channels, sources, groups } = assembly;
        let changes = plan::diff(&self.plan, &plan, ties);
        let steps = plan::steps(&self.plan, &changes);
        self.tell(&changes);
        let mut parts = Parts { channels, sources, groups };
        let mut resting = Vec::new();
        let mut drains = steps.iter().any(|step| step.action == Action::Drain);
        for step in steps.chunk_by(|one, next| one.action == next.action && one.part == next.part) {
            let names: Vec<&str> = step.iter().map(|step| step.name.as_str()).collect();
            if !step[0].can_be_undone() {
                self.forget(&mut resting);
            }
            match step[0] {
                Step { action: Action::Stop, part: Part::Source, .. } => {
                    resting.extend(self.stop_sources(&names, drains).await);
                }
                Step { action: Action::Stop, part: Part::Sink, .. } => self.stop_groups(&names).await,
                Step { action: Action::Stop, part: Part::Channel, .. } => self.stop_channels(&names).await,
                Step { action: Action::Drain, .. } => {
                    self.leave(&changes);
                    let full = self.empty(&names, drain_timeout, hurry.clone()).await;
                    self.end_sources_that_rest(&resting).await;
                    drains = false;
                    if let Some(why) = full {
                        self.call_off(resting, &why).await;
                        return false;
                    }
                }
                Step { action: Action::Resize, .. } => self.resize(&names, &parts.channels),
                Step { action: Action::Start, part, .. } => self.start_step(part, &names, &mut parts).await,
            }
        }
        self.forget(&mut resting);
        (self.plan, self.ties) = (plan, ties);
        if !steps.is_empty() {
            slog::info!(self.log, "the new configuration runs");
        }
        true
    }

    /// One line for each component that does not go on as it is.
    fn tell(&self, changes: &[Change]) {
        let (kept, others): (Vec<_>, Vec<_>) = changes.iter().partition(|change| change.turn == Turn::Kept);
        if others.is_empty() {
            slog::info!(self.log, "the configuration was read again: nothing has changed");
            return;
        }
        slog::info!(
            self.log,
            "the configuration has changed: {} of {} components do, the others go on",
            others.len(),
            others.len() + kept.len()
        );
        for change in others {
            slog::info!(self.log, "reload: {change}");
        }
    }

    /// Stops these sources; they can still be started again as they were. One that can read again only pauses when its channel
    /// `drains`, or stands still: at its stop, its successor is left what the channel still holds then.
    async fn stop_sources(&mut self, names: &[&str], drains: bool) -> Vec<RunningSource> {
        let mut pausing = Vec::new();
        for name in names {
            if let Some(channel) = self.only_channel(name)
                && (drains || stands_still(channel).await)
            {
                pausing.push(*name);
            }
        }
        let (ending, going_on): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.sources).into_iter().partition(|source| names.contains(&&*source.name));
        self.sources = going_on;
        for source in &ending {
            fact::stopping(&self.log, ComponentType::Source, &source.name);
            source.child.order(Order::Rest);
        }
        let until = clock::now() + SOURCES_WITHIN;
        let (pausing, others): (Vec<_>, Vec<_>) =
            sources(&ending).partition(|(name, _)| pausing.contains(&name.as_str()));
        let pause = |source: &SourceAddress| source.pause.as_ref().map(|pause| pause.send(Pause));
        let stop = |source: &SourceAddress| source.pause.is_none().then(|| source.stop.send(Stop));
        let pauses = asked(pausing.iter().copied(), pause);
        let stops = asked(pausing.iter().copied(), stop)
            .into_iter()
            .chain(asked(others.into_iter(), |source| Some(source.stop.send(Stop))));
        let (hung, more) =
            tokio::join!(silent("source", pauses, until), silent("source", stops.collect(), until));
        self.tell_hung(&hung);
        self.tell_hung(&more);
        if !drains {
            self.end_sources_that_rest(&ending).await;
        }
        ending
    }

    /// Ends those that have only paused; the others have ended already.
    async fn end_sources_that_rest(&self, resting: &[RunningSource]) {
        let stop = |source: &SourceAddress| source.pause.as_ref().map(|_| source.stop.send(Stop));
        let until = clock::now() + SOURCES_WITHIN;
        let hung = silent("source", asked(sources(resting), stop), until).await;
        self.tell_hung(&hung);
    }

    /// The channel of this source, if it has one and no more: with several, what one of them still holds may have arrived
    /// by way of another.
    fn only_channel(&self, source: &str) -> Option<&ChannelRef> {
        let plan = self.plan.sources.iter().find(|plan| plan.component.name == source)?;
        let [channel] = &plan.channels[..] else { return None };
        self.channels.iter().map(|known| &known.at).find(|known| *known.name == **channel)
    }

    /// Channels that end, and whose events nobody would find again where they are, have to be empty before.
    fn leave(&self, changes: &[Change]) {
        let for_good = |channel: &ChannelRef| {
            let is_it = |change: &Change| change.part == Part::Channel && *change.name == *channel.name;
            changes.iter().any(|change| is_it(change) && change.ends() && !change.keeps)
        };
        self.channels
            .iter()
            .map(|channel| &channel.at)
            .filter(|at| for_good(at))
            .for_each(|at| at.leaves(true));
    }

    /// Waits until these channels are empty; otherwise says why the reload cannot go on.
    async fn empty(
        &self,
        names: &[&str],
        drain_timeout: Duration,
        mut hurry: watch::Receiver<bool>,
    ) -> Option<String> {
        let ending = self.channels.iter().filter(|channel| names.contains(&&*channel.at.name));
        let ending: Vec<&ChannelRef> = ending.map(|channel| &channel.at).collect();
        tokio::select! {
            biased;
            Ok(_) = hurry.wait_for(|hurry| *hurry) => return Some("the agent is to stop".to_owned()),
            _hung = drain(&ending, clock::now() + drain_timeout) => {}
        }
        // What a channel keeps on a disk is not lost with it.
        let left = |channel: &&ChannelRef| channel.origins().into_iter().map(|(_, events)| events).sum();
        let held: Vec<(&str, usize)> = ending.iter().map(|channel| (&*channel.name, left(channel))).collect();
        let (name, events) = held.into_iter().find(|(_, events)| *events > 0)?;
        Some(format!(
            "channel {name} was to end and still holds {events} events, which its sinks do not take"
        ))
    }

    /// Sources that have stopped do so for good. Their successors count from nothing.
    fn forget(&self, resting: &mut Vec<RunningSource>) {
        for source in resting.drain(..) {
            source.child.order(Order::Forget);
            self.counters.remove_source(&source.name);
        }
    }

    async fn call_off(&mut self, resting: Vec<RunningSource>, why: &str) {
        slog::error!(
            self.log,
            "the new configuration is not taken: {why}; the one before goes on, and nothing is lost. Change the file or send SIGHUP to try again"
        );
        self.channels.iter().for_each(|channel| channel.at.leaves(false));
        let resumed = join_all(resting.iter().map(|source| source.child.resume()));
        let _others_are_not_kept_waiting = timeout(SOURCES_WITHIN, resumed).await;
        self.sources.extend(resting);
    }

    /// Stops the groups of these sinks, when what is under way has arrived or has come back.
    async fn stop_groups(&mut self, sinks: &[&str]) {
        let is_ending = |group: &RunningGroup| group.sinks.iter().any(|sink| sinks.contains(&&**sink));
        let (ending, going_on): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.groups).into_iter().partition(is_ending);
        self.groups = going_on;
        for group in &ending {
            fact::stopping(&self.log, ComponentType::Sink, &group.name);
            group.children.iter().for_each(|child| child.order(Order::Forget));
        }
        let until = clock::now() + SINKS_FINISH_WITHIN;
        let finish = asked(groups(&ending), |group| Some(group.finish.as_ref()?.send(Finish)));
        for who in silent("sink group", finish, until).await {
            slog::warn!(
                self.log,
                "{who}: what it has sent is not acknowledged in time; it is sent again, and may arrive twice"
            );
        }
        let until = clock::now() + SINKS_FINISH_WITHIN;
        let stop = asked(groups(&ending), |group| Some(group.stop.send(Stop)));
        let hung = silent("sink group", stop, until).await;
        self.tell_hung(&hung);
        ending.iter().for_each(|group| self.counters.remove_group(&group.sinks));
    }

    async fn stop_channels(&mut self, names: &[&str]) {
        let (ending, going_on): (Vec<_>, Vec<_>) = std::mem::take(&mut self.channels)
            .into_iter()
            .partition(|channel| names.contains(&&*channel.at.name));
        self.channels = going_on;
        ending.iter().for_each(|channel| channel.child.order(Order::Forget));
        let stops =
            ending.iter().filter_map(|channel| Some((channel.at.name.to_string(), channel.at.stop()?)));
        let hung = silent("channel", stops.collect(), clock::now() + SINKS_FINISH_WITHIN).await;
        self.tell_hung(&hung);
        ending.iter().for_each(|channel| self.counters.remove_channel(&channel.at.name));
    }

    fn resize(&self, names: &[&str], new: &[(String, NewChannel)]) {
        for (name, new) in new.iter().filter(|(name, _)| names.contains(&&**name)) {
            let Some(channel) = self.channels.iter().find(|channel| *channel.at.name == **name) else {
                continue;
            };
            if !channel.at.resize(new) {
                slog::warn!(self.log, "channel {name} keeps its capacity until the next start");
            }
            self.counters.remove_channel(name);
            self.counters.add_channel(channel.at.entry());
        }
    }

    async fn start_step(&mut self, part: Part, names: &[&str], parts: &mut Parts) {
        match part {
            Part::Channel => {
                let fresh = take(&mut parts.channels, |(name, _)| names.contains(&&**name));
                let places = self.places(&fresh, &parts.sources);
                self.start_channels(fresh, &places).await;
            }
            Part::Sink => {
                let is_new = |group: &NewGroup| group.sinks.iter().any(|sink| names.contains(&&*sink.name));
                let fresh = take(&mut parts.groups, is_new);
                self.start_groups(fresh).await;
            }
            Part::Source => {
                let fresh = take(&mut parts.sources, |source| names.contains(&&*source.name));
                self.start_sources(fresh).await;
            }
        }
    }

    fn tell_hung(&self, hung: &[String]) {
        for who in hung {
            slog::error!(
                self.log,
                "{who} did not stop in time, and the reload goes on without it: it hangs, usually in a system call (a disk, or a network file system that does not answer)"
            );
        }
    }
}

/// Whether a channel holds events and none of them leaves.
async fn stands_still(channel: &ChannelRef) -> bool {
    let look = || async { timeout(ANSWER_WITHIN, channel.fill()).await.ok().flatten() };
    let Some(before) = look().await else { return false };
    let until = clock::now() + STANDS_STILL_AFTER;
    let mut now = before;
    while now.events > 0 && now.taken == before.taken {
        if clock::now() >= until {
            return true;
        }
        sleep(LOOK_EVERY).await;
        match look().await {
            Some(fill) => now = fill,
            None => return false,
        }
    }
    false
}

/// A channel from which nothing has left for so long has nobody who takes its events.
const STANDS_STILL_AFTER: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_millis(20);
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// Takes those out of `all` for which `is_wanted` holds.
fn take<T>(all: &mut Vec<T>, is_wanted: impl Fn(&T) -> bool) -> Vec<T> {
    let (wanted, others) = std::mem::take(all).into_iter().partition(is_wanted);
    *all = others;
    wanted
}

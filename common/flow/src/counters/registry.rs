//! Where the counters of all components are found.

use super::{ChannelCounters, Latency, Life, SinkCounters, SourceCounters};
use futures_util::future::{BoxFuture, join_all};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// The counters of a process. A clone is the same registry.
#[derive(Clone, Default)]
pub struct Registry(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// Somebody looks: what costs a look at the clock per batch is kept, too.
    watched: bool,
    lists: Mutex<Lists>,
    /// Components come, start and go.
    changes: watch::Sender<()>,
}

#[derive(Default)]
struct Lists {
    sources: Vec<SourceEntry>,
    channels: Vec<ChannelEntry>,
    groups: Vec<GroupEntry>,
    elsewhere: Vec<Elsewhere>,
}

/// Counters that components in another process keep themselves, as Flume shows them: by `SINK.k1` and by key.
pub type Figures = BTreeMap<String, BTreeMap<String, String>>;

/// Asks another process for them; the answer is empty when none comes in time.
pub type AskElsewhere = Arc<dyn Fn() -> BoxFuture<'static, Figures> + Send + Sync>;

/// Another process with components of this one.
#[derive(Clone)]
pub struct Elsewhere {
    /// What they count themselves.
    pub figures: AskElsewhere,
    /// How often the process was started again because it had died, or had not come up.
    pub restarts: Arc<dyn Fn() -> u64 + Send + Sync>,
}

/// A source.
#[derive(Clone)]
pub struct SourceEntry {
    /// Its name in the configuration.
    pub name: String,
    /// What it has done.
    pub counters: Arc<SourceCounters>,
}

/// A channel.
#[derive(Clone)]
pub struct ChannelEntry {
    /// Its name in the configuration.
    pub name: String,
    /// Says how many events it takes at most, where that is known: a reload may change it, and a JVM may tell it later.
    pub capacity: Arc<dyn Fn() -> Option<usize> + Send + Sync>,
    /// Says how many events it holds; asks its books, not its actor.
    pub size: Arc<dyn Fn() -> usize + Send + Sync>,
    /// What only this type of channel counts, by its key in Flume.
    pub more: Arc<dyn Fn() -> Vec<(&'static str, String)> + Send + Sync>,
    /// What it has done.
    pub counters: Arc<ChannelCounters>,
}

/// A group of sinks, or a sink that stands alone.
#[derive(Clone)]
pub struct GroupEntry {
    /// The group's name, or the sink's.
    pub name: String,
    /// Flume's alias of its processor.
    pub processor: &'static str,
    /// The name of the channel that it empties.
    pub channel: String,
    /// When it started, and how often.
    pub life: Arc<Life>,
    /// Its sinks.
    pub sinks: Vec<SinkEntry>,
}

/// A sink.
#[derive(Clone)]
pub struct SinkEntry {
    /// Its name in the configuration.
    pub name: String,
    /// What it has done.
    pub counters: Arc<SinkCounters>,
}

impl Registry {
    /// One that somebody looks at.
    pub fn watched() -> Registry {
        Registry(Arc::new(Inner { watched: true, ..Inner::default() }))
    }

    /// Counters for a sink.
    pub fn of_a_sink(&self) -> Arc<SinkCounters> {
        let latency = self.0.watched.then(Latency::default);
        Arc::new(SinkCounters { latency, ..SinkCounters::default() })
    }

    /// One more source.
    pub fn add_source(&self, source: SourceEntry) {
        self.open().sources.push(source);
        self.changed();
    }

    /// One more channel.
    pub fn add_channel(&self, channel: ChannelEntry) {
        self.open().channels.push(channel);
        self.changed();
    }

    /// One more group of sinks.
    pub fn add_group(&self, group: GroupEntry) {
        self.open().groups.push(group);
        self.changed();
    }

    /// One more process with components that count themselves.
    pub fn add_elsewhere(&self, elsewhere: Elsewhere) {
        self.open().elsewhere.push(elsewhere);
    }

    /// How often such processes were started again.
    pub fn restarts_elsewhere(&self) -> u64 {
        let all = self.open().elsewhere.clone();
        all.iter().map(|elsewhere| (elsewhere.restarts)()).sum()
    }

    /// What components in other processes count now.
    pub async fn elsewhere(&self) -> Figures {
        let all = self.open().elsewhere.clone();
        join_all(all.iter().map(|elsewhere| (elsewhere.figures)())).await.into_iter().flatten().collect()
    }

    /// All sources, in the order in which they were started.
    pub fn sources(&self) -> Vec<SourceEntry> {
        self.open().sources.clone()
    }

    /// All channels.
    pub fn channels(&self) -> Vec<ChannelEntry> {
        self.open().channels.clone()
    }

    /// All groups of sinks.
    pub fn groups(&self) -> Vec<GroupEntry> {
        self.open().groups.clone()
    }

    /// The source of this name has ended.
    pub fn remove_source(&self, name: &str) {
        self.open().sources.retain(|source| source.name != name);
        self.changed();
    }

    /// The channel of this name has ended.
    pub fn remove_channel(&self, name: &str) {
        self.open().channels.retain(|channel| channel.name != name);
        self.changed();
    }

    /// The group of these sinks has ended.
    pub fn remove_group(&self, sinks: &[String]) {
        self.open().groups.retain(|group| !group.sinks.iter().any(|sink| sinks.contains(&sink.name)));
        self.changed();
    }

    /// Hears of each component that comes, starts or goes.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.0.changes.subscribe()
    }

    /// A component has come, started or gone.
    pub(crate) fn changed(&self) {
        self.0.changes.send_replace(());
    }

    fn open(&self) -> MutexGuard<'_, Lists> {
        self.0.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_follows_hears_of_what_comes_starts_and_goes() {
        let registry = Registry::default();
        let mut changes = registry.changes();
        let mut heard = || {
            let heard = changes.has_changed().unwrap_or_default();
            changes.mark_unchanged();
            heard
        };
        assert!(!heard());
        registry.add_source(SourceEntry { name: "r1".into(), counters: Arc::default() });
        assert!(heard() && !heard());
        registry.changed();
        assert!(heard());
        registry.remove_source("r1");
        assert!(heard() && registry.sources().is_empty());
    }
}

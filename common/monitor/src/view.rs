//! What is known of the agent at this moment: its counters, and what looks at its channels have shown.

use crate::health::{self, Behind, Judged};
use crate::lag::Followed;
use crate::trend::{Look, Trend};
use flow::counters::{ChannelCounters, ChannelEntry, Registry, SourceCounters};
use runtime::clock::{self, Duration, Instant};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The agent, as the monitor sees it.
pub(crate) struct View {
    pub(crate) registry: Registry,
    /// By a channel's name, with whose counters they are: a reload may put another channel in its place.
    trends: BTreeMap<String, (Arc<ChannelCounters>, Trend)>,
    /// By a source's name, with its counters: the events that it has stored, and since when it has stored no more.
    stored: BTreeMap<String, (Arc<SourceCounters>, u64, Instant)>,
    /// The looks at the files that sources follow.
    pub(crate) files: Followed,
    patience: Duration,
}

impl View {
    pub(crate) fn new(registry: Registry, patience: Duration) -> View {
        View {
            registry,
            trends: BTreeMap::new(),
            stored: BTreeMap::new(),
            files: Followed::default(),
            patience,
        }
    }

    /// Looks at all channels and sources.
    pub(crate) fn look(&mut self, now: Instant) {
        let mut before = std::mem::take(&mut self.trends);
        for channel in self.registry.channels() {
            let look = look(&channel, now);
            let same = before.remove(&channel.name).filter(|(of, _)| Arc::ptr_eq(of, &channel.counters));
            let trend = match same {
                Some((_, mut trend)) => {
                    trend.look(look);
                    trend
                }
                None => Trend::new(look),
            };
            self.trends.insert(channel.name, (channel.counters, trend));
        }
        let mut before = std::mem::take(&mut self.stored);
        for source in self.registry.sources() {
            let events = source.counters.event_accepted.get();
            let same = before
                .remove(&source.name)
                .filter(|(of, known, _)| Arc::ptr_eq(of, &source.counters) && *known == events);
            let since = same.map_or(now, |(_, _, since)| since);
            self.stored.insert(source.name, (source.counters, events, since));
        }
    }

    /// What the looks at this channel have shown.
    pub(crate) fn trend(&self, channel: &str) -> Option<&Trend> {
        self.trends.get(channel).map(|(_, trend)| trend)
    }

    /// Why the agent is not well; nothing when it is.
    pub(crate) fn complaints(&self, now: Instant) -> Vec<String> {
        let channels = self.registry.channels();
        if channels.is_empty() {
            return vec!["the agent is starting".to_owned()];
        }
        let groups = self.registry.groups();
        let epoch = u64::try_from(clock::epoch_millis()).unwrap_or_default();
        let judged = |channel: &ChannelEntry| {
            let sinks = groups.iter().filter(|group| group.channel == channel.name);
            let sink = |sink: &flow::counters::SinkEntry| {
                let health = &sink.counters.health;
                let next = health.next_try.get().saturating_sub(epoch) as f64 / 1_000.0;
                (sink.name.clone(), health.up_since.get() > 0, next)
            };
            Judged {
                name: channel.name.clone(),
                events: (channel.size)() as u64,
                stuck_for: self.trend(&channel.name).map(|trend| trend.stuck_for(now)).unwrap_or_default(),
                sinks: sinks.flat_map(|group| &group.sinks).map(sink).collect(),
            }
        };
        let judged: Vec<Judged> = channels.iter().map(judged).collect();
        let unread = health::unread(&self.behind(now), self.patience);
        [health::complaints(&judged, self.patience), unread].concat()
    }
}

impl View {
    /// The files with lines that are in no channel.
    fn behind(&self, now: Instant) -> Vec<Behind<'_>> {
        let lags = self.files.lags(now).iter().filter(|lag| lag.has_line);
        let behind = lags.filter_map(|lag| {
            let (_, _, since) = self.stored.get(&lag.source)?;
            let idle_for = now.saturating_duration_since(*since);
            Some(Behind { source: &lag.source, path: &lag.path, age: lag.age, idle_for })
        });
        behind.collect()
    }
}

fn look(channel: &ChannelEntry, at: Instant) -> Look {
    let counters = &channel.counters;
    Look {
        at,
        size: (channel.size)() as u64,
        put: counters.put_success.get(),
        taken: counters.take_success.get(),
    }
}

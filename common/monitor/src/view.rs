//! What is known of the agent at this moment: its counters, and what looks at its channels have shown.

use crate::health::{self, Judged};
use crate::lag::Followed;
use crate::trend::{Look, Trend};
use flow::counters::{ChannelCounters, ChannelEntry, Registry};
use runtime::clock::{self, Duration, Instant};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The agent, as the monitor sees it.
pub(crate) struct View {
    pub(crate) registry: Registry,
    /// By a channel's name, with whose counters they are: a reload may put another channel in its place.
    trends: BTreeMap<String, (Arc<ChannelCounters>, Trend)>,
    /// The looks at the files that sources follow.
    pub(crate) files: Followed,
    patience: Duration,
}

impl View {
    pub(crate) fn new(registry: Registry, patience: Duration) -> View {
        View { registry, trends: BTreeMap::new(), files: Followed::default(), patience }
    }

    /// Looks at all channels.
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
        health::complaints(&judged, self.patience)
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

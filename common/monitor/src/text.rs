//! All that is known, as Prometheus reads it.

use crate::lag::Lag;
use crate::prometheus::{Families, counter_name};
use crate::view::View;
use flow::counters::{BOUNDS_MS, Figures, GroupEntry, Latency, Life, SinkEntry};
use runtime::clock::Instant;

/// The page.
pub(crate) fn text(view: &View, mut elsewhere: Figures, now: Instant) -> String {
    let mut families = Families::default();
    let own = &mut elsewhere;
    let well = view.complaints(now).is_empty();
    families.gauge(
        "flume_healthy",
        "1 while events move or none wait, in channels and in followed files.",
        &[],
        f64::from(u8::from(well)),
    );
    let help = "How often the JVM of the Java components died, or did not come up, and was started again.";
    families.counter("flume_jvm_restarts_total", help, &[], view.registry.restarts_elsewhere() as f64);
    sources(&mut families, view, own);
    channels(&mut families, view, own, now);
    for group in view.registry.groups() {
        life(&mut families, "group", &group.name, &group.life);
        group.sinks.iter().for_each(|sink| of_sink(&mut families, &group, sink, own));
    }
    view.files.lags(now).iter().for_each(|lag| behind(&mut families, lag));
    what_only_classes_count(&mut families, elsewhere);
    families.text()
}

fn behind(families: &mut Families, lag: &Lag) {
    let labels = [("kind", "source"), ("name", &*lag.source), ("path", &*lag.path)];
    let help = "Bytes of a followed file whose events are not in a channel yet.";
    families.gauge("flume_followed_file_lag_bytes", help, &labels, lag.bytes as f64);
    let help = "For how long the first of these bytes has been in the file, at least.";
    families.gauge("flume_followed_file_lag_seconds", help, &labels, lag.age.as_secs_f64());
}

fn sources(families: &mut Families, view: &View, own: &mut Figures) {
    for source in view.registry.sources() {
        let counters = &source.counters;
        life(families, "source", &source.name, &counters.life);
        let mut figures = counters.figures();
        figures.retain(|(key, _)| *key != "OpenConnectionCount");
        counted(families, "source", &source.name, &[figures, counters.more.figures()].concat(), own);
        families.gauge(
            "flume_open_connections",
            "Connections that are open.",
            &[("kind", "source"), ("name", &source.name)],
            counters.open_connections.get() as f64,
        );
    }
}

fn channels(families: &mut Families, view: &View, own: &mut Figures, now: Instant) {
    for channel in view.registry.channels() {
        let (counters, labels) = (&channel.counters, [("kind", "channel"), ("name", &*channel.name)]);
        life(families, "channel", &channel.name, &counters.life);
        let more = (channel.more)();
        let numbers = more.iter().filter_map(|(key, value)| Some((*key, value.parse().ok()?)));
        let figures: Vec<_> = counters.figures().into_iter().chain(numbers).collect();
        counted(families, "channel", &channel.name, &figures, own);
        let (size, capacity) = ((channel.size)() as f64, (channel.capacity)());
        families.gauge("flume_channel_events", "Events in a channel.", &labels, size);
        if let Some(capacity) = capacity {
            let help = "Events that a channel takes at most.";
            families.gauge("flume_channel_capacity_events", help, &labels, capacity as f64);
        }
        let Some(trend) = view.trend(&channel.name) else { continue };
        let help = "How long the oldest event of a channel has waited, at least.";
        families.gauge("flume_channel_oldest_event_seconds", help, &labels, trend.oldest(now).as_secs_f64());
        let help = "For how long events wait in a channel and none leaves it.";
        families.gauge("flume_channel_stuck_seconds", help, &labels, trend.stuck_for(now).as_secs_f64());
        if let Some(capacity) = capacity {
            let help = "When a channel is full at the rate of the last minute; +Inf when it does not fill.";
            let full = trend.full_in(capacity as u64).unwrap_or(f64::INFINITY);
            families.gauge("flume_channel_time_to_full_seconds", help, &labels, full);
        }
    }
}

fn of_sink(families: &mut Families, group: &GroupEntry, sink: &SinkEntry, own: &mut Figures) {
    let counters = &sink.counters;
    life(families, "sink", &sink.name, &counters.life);
    counted(families, "sink", &sink.name, &[counters.figures(), counters.more.figures()].concat(), own);
    let labels =
        [("kind", "sink"), ("name", &*sink.name), ("group", &*group.name), ("processor", group.processor)];
    let (health, seconds) = (&counters.health, |millis: u64| millis as f64 / 1_000.0);
    let is = |since: u64| f64::from(u8::from(since > 0));
    let (up, active, next) = (health.up_since.get(), health.active_since.get(), health.next_try.get());
    families.gauge("flume_sink_up", "1 while a sink takes events.", &labels, is(up));
    families.gauge("flume_sink_active", "1 while its group gives a sink events.", &labels, is(active));
    let help = "Since when its group gives a sink events; 0 while it does not.";
    families.gauge("flume_sink_active_since_timestamp_seconds", help, &labels, seconds(active));
    let help = "When a sink that rests is tried again; 0 while it is up.";
    families.gauge("flume_sink_next_try_timestamp_seconds", help, &labels, seconds(next));
    if let Some(latency) = &counters.latency {
        acknowledgements(families, &labels, latency);
    }
}

fn acknowledgements(families: &mut Families, labels: &[(&str, &str)], latency: &Latency) {
    let (up_to, count, micros) = latency.read();
    let buckets: Vec<(f64, u64)> =
        BOUNDS_MS.iter().zip(up_to).map(|(bound, up_to)| (*bound as f64 / 1_000.0, up_to)).collect();
    families.histogram(
        "flume_sink_acknowledgement_seconds",
        "From handing a batch to a sink until it was stored or acknowledged.",
        labels,
        &buckets,
        (count, micros as f64 / 1e6),
    );
}

fn life(families: &mut Families, kind: &str, name: &str, life: &Life) {
    let labels = [("kind", kind), ("name", name)];
    let started = life.started.get() as f64 / 1_000.0;
    families.gauge("flume_start_timestamp_seconds", "When a component started.", &labels, started);
    let help =
        "How often a native component crashed and was started again; for others: flume_jvm_restarts_total.";
    families.counter("flume_restarts_total", help, &labels, life.restarts.get() as f64);
}

/// What a class in another process counts as well is the larger of the two: its counters begin again with its process.
fn counted(
    families: &mut Families,
    kind: &str,
    name: &str,
    figures: &[(&'static str, u64)],
    own: &mut Figures,
) {
    let mut own = own.get_mut(&format!("{}.{name}", kind.to_ascii_uppercase()));
    for (key, value) in figures {
        let theirs = own.as_mut().and_then(|own| own.remove(*key)).and_then(|value| value.parse().ok());
        let value = theirs.unwrap_or(0).max(*value);
        let (metric, divisor) = counter_name(key);
        families.counter(&metric, key, &[("kind", kind), ("name", name)], value as f64 / divisor);
    }
}

/// Counters with keys that no native component has.
fn what_only_classes_count(families: &mut Families, own: Figures) {
    for (component, figures) in own {
        let (kind, name) = component.split_once('.').unwrap_or(("class", &component));
        let kind = kind.to_ascii_lowercase();
        for (key, value) in figures.iter().filter(|(key, _)| !SHOWN_OTHERWISE.contains(&key.as_str())) {
            let is_name = key.chars().all(|sign| sign.is_ascii_alphanumeric() || sign == '_');
            if let (true, Ok(value)) = (is_name, value.parse::<f64>()) {
                let (metric, divisor) = counter_name(key);
                let labels = [("kind", &*kind), ("name", name)];
                families.counter(&metric, "Counted by a Java class.", &labels, value / divisor);
            }
        }
    }
}

/// Keys of Flume that have a name of their own here.
const SHOWN_OTHERWISE: &[&str] = &[
    "StartTime",
    "StopTime",
    "OpenConnectionCount",
    "ChannelSize",
    "ChannelCapacity",
    "ChannelFillPercentage",
];

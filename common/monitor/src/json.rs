//! Counters as Flume serves them: an object for each component, all values strings.

use flow::counters::{ChannelEntry, Figures, Life, Registry};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// `{"SOURCE.r1":{"EventReceivedCount":"0",…},…}`. A component that has not started is absent.
pub(crate) fn text(registry: &Registry, elsewhere: Figures) -> String {
    Value::Object(components(registry, elsewhere)).to_string()
}

/// The same of this process alone, component by component.
pub fn figures(registry: &Registry) -> Figures {
    let texts = |figures: Value| match figures {
        Value::Object(figures) => {
            figures.into_iter().filter_map(|(key, value)| Some((key, value.as_str()?.to_owned()))).collect()
        }
        _ => BTreeMap::new(),
    };
    let all = components(registry, Figures::new());
    all.into_iter().map(|(component, figures)| (component, texts(figures))).collect()
}

/// By `TYPE.name` the counters of each component, all strings. What one in another process counts itself stands in place of
/// what is counted for it here.
pub(crate) fn components(registry: &Registry, elsewhere: Figures) -> Map<String, Value> {
    let mut all = Map::new();
    for source in registry.sources() {
        let counters = &source.counters;
        let figures = [counters.figures(), counters.more.figures()].concat();
        put(&mut all, "SOURCE", &source.name, &counters.life, figures, Vec::new());
    }
    for channel in registry.channels() {
        let counters = &channel.counters;
        let more = [filled(&channel), (channel.more)()].concat();
        put(&mut all, "CHANNEL", &channel.name, &counters.life, counters.figures(), more);
    }
    for sink in registry.groups().into_iter().flat_map(|group| group.sinks) {
        let counters = &sink.counters;
        let figures = [counters.figures(), counters.more.figures()].concat();
        put(&mut all, "SINK", &sink.name, &counters.life, figures, Vec::new());
    }
    for (component, figures) in elsewhere {
        let figures = figures.into_iter().map(|(key, value)| (key, Value::String(value)));
        all.insert(component, Value::Object(figures.collect()));
    }
    all
}

fn put(
    all: &mut Map<String, Value>,
    kind: &str,
    name: &str,
    life: &Life,
    figures: Vec<(&'static str, u64)>,
    more: Vec<(&'static str, String)>,
) {
    if life.started.get() == 0 {
        return;
    }
    let times = [("StartTime", life.started.get()), ("StopTime", life.stopped.get())];
    let mut entries: Map<String, Value> = figures
        .into_iter()
        .chain(times)
        .map(|(key, value)| (key, value.to_string()))
        .chain(more)
        .map(|(key, value)| (key.to_owned(), Value::String(value)))
        .collect();
    entries.insert("Type".to_owned(), Value::String(kind.to_owned()));
    all.insert(format!("{kind}.{name}"), Value::Object(entries));
}

fn filled(channel: &ChannelEntry) -> Vec<(&'static str, String)> {
    let (size, capacity) = ((channel.size)(), (channel.capacity)().unwrap_or_default());
    let percentage = match capacity {
        0 => JAVA_MAX.to_owned(),
        // In Flume's order: the last digit of a double depends on it.
        _ => format!("{:?}", size as f64 / capacity as f64 * 100.0),
    };
    vec![
        ("ChannelSize", size.to_string()),
        ("ChannelCapacity", capacity.to_string()),
        ("ChannelFillPercentage", percentage),
    ]
}

/// `Double.MAX_VALUE`, as Java writes it.
const JAVA_MAX: &str = "1.7976931348623157E308";

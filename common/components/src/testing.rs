//! What tests of several components share: plans and assemblies of a few keys.

pub(crate) use flow::testing::*;

use crate::LIGHT;
use crate::channel::memory::{MemoryConfig, new_channel};
use flow::channel::ChannelRef;
use flow::{Assembly, Site, configure};
use plan::{Options, Plan, Sources};

/// What comes of an agent `a` with these keys, whose names are without `a.`; the errors as they are told.
pub(crate) fn assembly(keys: &[(&str, &str)]) -> Result<Assembly, String> {
    let mut loaded = load(keys);
    let plan = loaded.plan.expect("there is such an agent");
    let assembly = configure(&plan, &LIGHT, &Site::new(&[]), &mut loaded.report);
    assembly.filter(|_| !loaded.report.has_errors()).ok_or_else(|| loaded.report.to_string())
}

/// The plan of an agent `a` with these keys; the errors as they are told.
pub(crate) fn plan(keys: &[(&str, &str)]) -> Result<Plan, String> {
    let loaded = load(keys);
    let plan = loaded.plan.filter(|_| !loaded.report.has_errors());
    plan.ok_or_else(|| loaded.report.to_string())
}

fn load(keys: &[(&str, &str)]) -> plan::Loaded {
    let escaped = |value: &str| value.replace('\\', "\\\\").replace('\n', "\\n").replace(" #", "\\u0020\\#");
    let line = |(key, value): &(&str, &str)| format!("a.{key} = {}\n", escaped(value));
    let text: String = keys.iter().map(line).collect();
    let text = plan::Text { name: "f".into(), bytes: text.into_bytes() };
    plan::load_texts(&[text], &Sources::default(), "a", &Options::new(LIGHT.names()))
}

/// The plan of one `file_roll` sink `k` with these keys.
pub(crate) fn file_roll_plan(keys: &[(&str, &str)]) -> Result<Plan, String> {
    let keys: Vec<(String, &str)> =
        keys.iter().map(|(key, value)| (format!("sinks.k.{key}"), *value)).collect();
    let mut all = vec![
        ("channels", "c"),
        ("channels.c.type", "memory"),
        ("sinks", "k"),
        ("sinks.k.type", "file_roll"),
        ("sinks.k.channel", "c"),
    ];
    all.extend(keys.iter().map(|(key, value)| (key.as_str(), *value)));
    plan(&all)
}

/// A memory channel called `c1`, with the keys and values given.
pub(crate) fn memory_channel(settings: &[(&str, &str)]) -> ChannelRef {
    let config = MemoryConfig::new(&plan::Properties::from_pairs(settings.iter().copied()));
    started("c1", new_channel(config))
}

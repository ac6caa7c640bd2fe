//! `PseudoTxnMemoryChannel`, as a memory channel.

use super::memory::{self, Limits, MemoryConfig, new_channel};
use flow::component::{Component, Configure};
use plan::{Descriptor, Kind, Problem, Properties, Property, Value};

/// Its row in the catalogue.
pub(crate) const COMPONENT: Component = Component {
    descriptor: Descriptor::new(
        Kind::Channel,
        "",
        "org.apache.flume.channel.PseudoTxnMemoryChannel",
        &[PROPERTIES],
    ),
    configure: Configure::Channel(|properties, _, findings| {
        let what = format!("the {} is one whose transactions do nothing in Flume", findings.owner.noun);
        let note = Problem::note("pseudo-transactions", &findings.owner.at, what)
            .flume("loses what a sink has taken and did not deliver")
            .here(format!("as `memory`: nothing of that is lost; it has room for {LEAST_CAPACITY} events at least, so that a batch fits in"));
        let fix = format!("`{} = memory`", findings.key("type"));
        findings.add(note.fix(fix));
        let capacity = properties.count::<usize>("capacity").max(LEAST_CAPACITY);
        let mut config = MemoryConfig::new(&Properties::new(&memory::COMPONENT.descriptor));
        config.limits = Limits { capacity, transaction: capacity, ..config.limits };
        config.keep_alive = properties.seconds("keep-alive");
        Some(new_channel(config))
    }),
};

const PROPERTIES: &[Property] = &[
    Property::with("capacity", Value::at_least(1, "events"), "50"),
    Property::with("keep-alive", Value::at_least(0, "s"), "3"),
];

/// Room of such a channel, which Flume fills event by event.
const LEAST_CAPACITY: usize = 1000;

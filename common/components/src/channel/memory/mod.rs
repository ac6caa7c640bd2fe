//! `memory`: events wait in memory, at most so many and so large.

mod ledger;

use event::{Batch, Origin};
use flow::channel::NewChannel;
use flow::channel::store::{Bell, ChannelSettings, Level, Store, StoreRefusal, Stored};
use flow::component::{Component, Configure};
pub(crate) use ledger::{Ledger, Limits};
use ledger::{Refused, SLOT_BYTES};
use plan::{Descriptor, Findings, Kind, Problem, Properties, Property, Value};
use runtime::clock::Duration;
use std::sync::Arc;

/// Its row in the catalogue.
pub(crate) const COMPONENT: Component = Component {
    descriptor: Descriptor::new(
        Kind::Channel,
        "memory",
        "org.apache.flume.channel.MemoryChannel",
        &[PROPERTIES],
    )
    .mistaken(&[("ram", ""), ("mem", "")])
    .transaction("transactionCapacity")
    .resizes("capacity"),
    configure: Configure::Channel(|properties, _, findings| {
        let config = MemoryConfig::new(properties);
        transaction_fits(config.limits, properties, findings)?;
        Some(new_channel(config))
    }),
};

const PROPERTIES: &[Property] = &[
    Property::with("capacity", Value::at_least(1, "events"), "100").lenient(),
    Property::with("transactionCapacity", Value::at_least(1, "events"), "100").lenient(),
    Property::with("keep-alive", Value::at_least(0, "s"), "3").lenient(),
    Property::optional("byteCapacity", Value::long(0, "bytes")).lenient(),
    Property::with("byteCapacityBufferPercentage", Value::Number { min: 0, max: 100, unit: "percent" }, "20")
        .lenient(),
];

/// A transaction has to fit into the channel. Source: `MemoryChannel.configure`.
fn transaction_fits(limits: Limits, properties: &Properties, findings: &mut Findings<'_>) -> Option<()> {
    let Limits { capacity, transaction, .. } = limits;
    if transaction <= capacity {
        return Some(());
    }
    let by_default = |key| if properties.text(key).is_some() { "" } else { " (the default)" };
    let set = ["transactionCapacity", "capacity"].into_iter().find(|key| properties.text(key).is_some());
    let what = format!(
        "the {} has `transactionCapacity` {transaction}{} and `capacity` {capacity}{}",
        findings.owner.noun,
        by_default("transactionCapacity"),
        by_default("capacity"),
    );
    let problem = Problem::error("transaction-too-large", findings.at(set.unwrap_or("capacity")), what)
        .flume(&findings.owner.dropped);
    let fix = format!("`{} = {transaction}` or more", findings.key("capacity"));
    findings.add(problem.fix(fix));
    None
}

/// Keys, units and defaults are Flume's: User Guide, "Memory Channel".
#[derive(Debug, Clone, Copy)]
pub(crate) struct MemoryConfig {
    /// What it takes.
    pub(crate) limits: Limits,
    /// `keep-alive`, whole seconds; 3 unless set.
    pub(crate) keep_alive: Duration,
}

impl MemoryConfig {
    /// As configured.
    pub(crate) fn new(properties: &plan::Properties) -> MemoryConfig {
        let bytes: u64 = properties.given("byteCapacity").unwrap_or(DEFAULT_BYTE_CAPACITY);
        let share = 100u64.saturating_sub(properties.count("byteCapacityBufferPercentage"));
        let slots = usize::try_from(bytes as u128 * u128::from(share) / 100 / SLOT_BYTES as u128);
        MemoryConfig {
            limits: Limits {
                capacity: properties.count("capacity"),
                transaction: properties.count("transactionCapacity"),
                // Flume: less than one slot means no limit.
                slots: slots.ok().filter(|slots| *slots > 0).unwrap_or(usize::MAX),
            },
            keep_alive: properties.seconds("keep-alive"),
        }
    }
}

/// A channel that can be started.
pub(crate) fn new_channel(config: MemoryConfig) -> NewChannel {
    let MemoryConfig { limits, keep_alive } = config;
    let settings = ChannelSettings {
        transaction: limits.transaction,
        keep_alive,
        fits: Some(Arc::new(move |batch| limits.fit(batch))),
    };
    NewChannel::of(Ledger::new(limits), settings)
}

/// It answers at once, and never fails.
impl Store for Ledger {
    fn start(&mut self, bell: Bell, _: &str, _: &slog::Logger) {
        self.on_room = Some(bell);
    }

    fn resize(&mut self, capacity: usize) -> bool {
        self.set_capacity(capacity);
        self.on_room.iter().for_each(Bell::ring);
        true
    }

    fn put(&mut self, batches: &[Batch]) -> Result<Stored, StoreRefusal> {
        match self.put_some(batches) {
            Ok(batches) => Ok(Stored::now(batches)),
            Err(Refused::NoRoom) => Err(StoreRefusal::NoRoom),
            Err(Refused::TooManyEvents) => Err(StoreRefusal::TooManyEvents),
            Err(Refused::TooManyBytes) => Err(StoreRefusal::TooManyBytes),
        }
    }

    fn take(&mut self, max: usize, bytes: usize) -> Option<(u64, Vec<Batch>)> {
        Ledger::take(self, max, bytes)
    }

    fn settle(&mut self, lease: u64, commit: bool) {
        if commit { self.commit(lease) } else { self.rollback(lease) }
    }

    fn bytes(&self) -> usize {
        Ledger::bytes(self)
    }

    fn level(&self) -> Level {
        Level {
            held: self.held(),
            leased: self.leased(),
            bytes: Ledger::bytes(self),
            taken: self.taken(),
            capacity: self.limits().capacity,
        }
    }

    fn origins(&self) -> Vec<(Option<Origin>, usize)> {
        Ledger::origins(self).collect()
    }

    fn give_back(&mut self, again: &dyn Fn(Origin) -> bool) {
        Ledger::give_back(self, again);
    }
}

/// Flume takes 80 % of the JVM's heap, which is 20 MB as `flume-ng` starts it: too little to be meant. Ours is a bound
/// against running out of memory, like Flume's.
const DEFAULT_BYTE_CAPACITY: u64 = 512 << 20;

//! Where events come from; and what several sources say of their properties.

pub(crate) mod avro;
pub(crate) mod exec;
pub(crate) mod netcat;
pub(crate) mod netcat_udp;
pub(crate) mod seq;
pub(crate) mod spooldir;
pub(crate) mod stress;
pub(crate) mod taildir;

use plan::{Bad, Property, Value};

/// What Flume does with an address that it cannot listen at.
pub(crate) const NO_BIND: Bad = Bad::Says("never opens the port, and tries again every 3 s for ever");

/// What Flume does with properties of ours.
pub(crate) const IGNORED: Bad = Bad::Says("has no such property and ignores it");

/// Ours: Flume keeps a silent connection for ever. A day; 0 is for ever.
pub(crate) const MAX_IDLE_SECONDS: Property =
    Property::with("maxIdleSeconds", Value::at_least(0, "seconds"), "86400").bad(IGNORED);

const NO_PAUSE: Bad = Bad::Says("starts, and fails where it should pause");

/// Properties of all sources that Flume polls.
pub(crate) const POLLED: &[Property] = &[
    Property::with("backoffSleepIncrement", Value::long(0, "ms"), "1000").outside(NO_PAUSE),
    Property::with("maxBackoffSleep", Value::long(0, "ms"), "5000").outside(NO_PAUSE),
];

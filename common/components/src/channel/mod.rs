//! Where events wait between a source and a sink.

pub(crate) mod memory;
pub(crate) mod pseudo_txn;
pub(crate) mod storm;

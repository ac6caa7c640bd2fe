//! Real stores from Maven Central, each a process on loopback.

mod kafka;
mod storm;

pub use kafka::{Broker, flumes_parts};
pub use storm::Storm;

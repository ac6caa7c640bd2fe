//! Real stores from Maven Central, each a process on loopback.

mod kafka;

pub use kafka::{Broker, flumes_parts};

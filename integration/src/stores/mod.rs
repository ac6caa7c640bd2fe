//! Real stores from Maven Central, each a process on loopback.

mod hbase;
mod kafka;
mod node;

pub use hbase::{Hbase, flumes_hbase};
pub use kafka::{Broker, flumes_parts};
pub use node::{Node, append, lines, post, until};

//! Real stores from Maven Central, each a process on loopback.

mod kafka;
mod opensearch;

pub use kafka::{Broker, flumes_parts};
pub use opensearch::OpenSearch;

//! Real stores from Maven Central, each a process on loopback.

mod hbase;
mod hdfs;
mod jvm;
mod kafka;
mod node;
mod opensearch;
mod storm;

pub use hbase::{Hbase, flumes_hbase};
pub use hdfs::{Files, Hdfs, hadoop_java};
pub use jvm::Jvm;
pub use kafka::{Broker, PASSWORD, Secured, USER, flumes_parts, key_store};
pub use node::{Node, append, lines, post, until};
pub use opensearch::OpenSearch;
pub use storm::Storm;

//! Real stores from Maven Central, each a process on loopback.

mod hdfs;
mod jvm;
mod kafka;

pub use hdfs::{Files, Hdfs, hadoop_java};
pub use jvm::Jvm;
pub use kafka::{Broker, flumes_parts};

//! The Avro client: a connection to a collector, how it is seen to live, and `avro-client`, which sends lines. The Thrift client, and ZooKeeper's.

pub mod client;
mod config;
mod connection;
mod liveness;
mod thrift;
pub mod zookeeper;

pub use config::AvroSinkConfig;
pub use connection::{Cargo, Connection, End};
pub use thrift::{ThriftClient, ThriftConfig};

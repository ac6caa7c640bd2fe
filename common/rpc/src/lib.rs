//! The Avro client: a connection to a collector, how it is seen to live, and `avro-client`, which sends lines.

pub mod client;
mod config;
mod connection;
mod liveness;

pub use config::AvroSinkConfig;
pub use connection::{Cargo, Connection, End};

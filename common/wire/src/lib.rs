//! Bytes to events and back. No clock, file, socket or task: the caller brings the bytes and takes them away.
//!
//! - [`avro`]: Flume's Avro RPC, both sides of it.
//! - [`http`]: what Flume's HTTP handlers make of a request.
//! - [`container`]: Avro's container files, with all codecs of Avro's.
//! - [`mod@line`]: text cut at its newlines.
//! - [`syslog`]: what Flume's two syslog parsers make of a line.
//! - [`thrift`]: Flume's Thrift protocol, both sides of it.
//! - [`zookeeper`]: ZooKeeper's protocol, a client's side of it.

pub mod avro;
pub mod container;
pub mod http;
pub mod line;
pub mod syslog;
pub mod thrift;
pub mod zookeeper;

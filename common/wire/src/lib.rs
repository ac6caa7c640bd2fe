//! Bytes to events and back. No clock, file, socket or task: the caller brings the bytes and takes them away.
//!
//! - [`avro`]: Flume's Avro RPC, both sides of it.
//! - [`mod@line`]: text cut at its newlines.
//! - [`syslog`]: what Flume's two syslog parsers make of a line.
//! - [`thrift`]: Flume's Thrift protocol, both sides of it.

pub mod avro;
pub mod line;
pub mod syslog;
pub mod thrift;

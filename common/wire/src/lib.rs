//! Bytes to events and back. No clock, file, socket or task: the caller brings the bytes and takes them away.
//!
//! - [`avro`]: Flume's Avro RPC, both sides of it.
//! - [`container`]: Avro's container files, with all codecs of Avro's.
//! - [`mod@line`]: text cut at its newlines.

pub mod avro;
pub mod container;
pub mod line;

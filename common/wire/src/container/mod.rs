//! Avro's container files: a head with a schema, then blocks of records, each with its count and its size, perhaps packed.
//!
//! Source: Avro 1.11's specification, "Object Container Files".

mod codec;
mod read;
mod schema;

pub use codec::{Codec, Packer};
pub use read::{Block, Fault, Head, block, head, push_head};
pub use schema::Schema;

/// What a file begins with.
pub const MAGIC: &[u8; 4] = b"Obj\x01";

/// The schema of an event, as Flume writes it into `avro.schema`.
pub const FLUME_EVENT: &[u8] = br#"{"type":"record","name":"Event","fields":[{"name":"headers","type":{"type":"map","values":"string"}},{"name":"body","type":"bytes"}]}"#;

/// Bytes that stand behind the head and behind each block; each file has its own.
pub type Marker = [u8; 16];

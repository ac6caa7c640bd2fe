//! Events in their Avro form, many in one buffer: the unit that moves through the cluster is a [`Batch`].
//!
//! An event is encoded once, by the source that took it in, as Avro's `AvroFlumeEvent` (header map, body). The same
//! bytes then stand in a channel, on the wire and on disk; headers that are set later may stand beside them. [`Event`] is a
//! view of one event.

mod batch;
mod beside;
mod builder;
mod recycle;
mod varint;
mod view;

pub use batch::{Batch, Origin, Span};
pub use builder::{BatchBuilder, encode_headers};
pub use recycle::Recycler;
pub use varint::{Zigzag, push_zigzag, read_length, read_zigzag};
pub use view::{Event, Headers, Malformed, Scanner, read_block, scan_map};

//! Where an event goes: its path and prefix, and the names of files.
//!
//! Source: Flume 1.11 `BucketPath` and `BucketWriter`, with this difference: an event without a usable `timestamp` has the
//! time of its arrival at the sink.

mod names;
mod resolve;

pub(crate) use names::{FileNames, Names};
pub(crate) use resolve::{Buckets, Place, timestamp};

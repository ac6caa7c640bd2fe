//! Where an event goes: escapes in a path and a prefix, and the names of files.
//!
//! Source: Flume 1.11 `BucketPath`, `TimestampRoundDownUtil` and `BucketWriter`, with these differences: the names of days
//! and months are English; an event without a usable `timestamp` has the time of its arrival at the sink; `%%` needs none.

mod names;
mod resolve;
mod template;
mod time;

pub(crate) use names::{FileNames, Names};
pub(crate) use resolve::{Buckets, Place, timestamp};
pub(crate) use template::Template;
pub(crate) use time::{Rounding, Unit};

//! What stands in a file: plain text or containers, compressed streams, sequence files.
//!
//! A batch is encoded whole, and what is encoded up to its end can be read again without what follows.

mod codec;
mod sequence;
mod vint;

pub(crate) use codec::Codec;
pub(crate) use sequence::{SequenceFile, WriteFormat};

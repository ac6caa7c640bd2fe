//! What tests of several modules make.

use event::{Batch, BatchBuilder};

/// A batch of events, each with a body.
pub(crate) fn bodies<'a>(bodies: impl IntoIterator<Item = &'a str>) -> Batch {
    let mut builder = BatchBuilder::default();
    for body in bodies {
        builder.push([], body.as_bytes());
    }
    builder.finish()
}

/// A batch of one.
pub(crate) fn event(headers: &[(&str, &str)], body: &str) -> Batch {
    let mut builder = BatchBuilder::default();
    builder.push(headers.iter().copied(), body.as_bytes());
    builder.finish()
}

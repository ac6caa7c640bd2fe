//! What tests of several modules make.

use event::{Batch, BatchBuilder};

/// A batch of events, with headers and a body each.
pub(crate) fn events<'a>(events: impl IntoIterator<Item = (&'a [(&'a str, &'a str)], &'a str)>) -> Batch {
    let mut builder = BatchBuilder::default();
    for (headers, body) in events {
        builder.push(headers.iter().copied(), body.as_bytes());
    }
    builder.finish()
}

/// A batch of one.
pub(crate) fn event(headers: &[(&str, &str)], body: &str) -> Batch {
    events([(headers, body)])
}

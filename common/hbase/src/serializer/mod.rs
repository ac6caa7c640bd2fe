//! What of an event becomes what of a table.
//!
//! Source: Flume 1.11 `SimpleHBase2EventSerializer` and `RegexHBase2EventSerializer`; those of the older sinks do the same.

mod columns;
mod simple;

pub(crate) use columns::Columns;
use simple::Simple;
pub(crate) use simple::{SimpleRecipe, Suffix};

use bytes::Bytes;
use event::{Batch, Event};

/// A row to be written: its key, and its columns with their values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Put {
    pub(crate) row: Bytes,
    pub(crate) cells: Vec<(Bytes, Bytes)>,
}

/// A counter to be increased by one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Counter {
    pub(crate) row: Bytes,
    pub(crate) column: Bytes,
}

/// What an event becomes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Made {
    Rows(Option<Put>, Option<Counter>),
    /// Nothing: it is not what the serializer is for. Why.
    Nothing(String),
    /// It should be a row, and cannot be one. Why.
    Never(String),
}

/// What the file says of one.
#[derive(Debug, Clone)]
pub(crate) enum Recipe {
    Simple(SimpleRecipe),
    Columns(Columns),
}

/// One of them, at work.
#[derive(Debug)]
pub(crate) enum Serializer {
    Simple(Simple),
    Columns(Columns),
}

impl Serializer {
    pub(crate) fn new(recipe: &Recipe) -> Serializer {
        match recipe {
            Recipe::Simple(recipe) => Serializer::Simple(Simple::new(recipe.clone())),
            Recipe::Columns(columns) => Serializer::Columns(columns.anew()),
        }
    }

    /// A batch begins, at `millis` since 1970.
    pub(crate) fn begin(&mut self, millis: i64) {
        match self {
            Serializer::Simple(simple) => simple.begin(millis),
            Serializer::Columns(columns) => columns.begin(millis),
        }
    }

    /// What `event` of `batch` becomes; `clock` says how many milliseconds have passed since 1970.
    pub(crate) fn make(&mut self, batch: &Batch, event: &Event<'_>, clock: impl Fn() -> i64) -> Made {
        let made = match self {
            Serializer::Simple(simple) => simple.make(batch, event, clock),
            Serializer::Columns(columns) => columns.make(batch, event),
        };
        match &made {
            Made::Rows(Some(put), _) => match wrong(put) {
                Some(why) => Made::Never(why),
                None => made,
            },
            _ => made,
        }
    }
}

/// Why HBase takes no such row.
fn wrong(put: &Put) -> Option<String> {
    match put.row.len() {
        0 => Some("its row key is empty".to_owned()),
        length if length > LONGEST_ROW_KEY => {
            Some(format!("its row key has {length} bytes, and HBase takes {LONGEST_ROW_KEY}"))
        }
        _ if put.cells.is_empty() => Some("its row has no column".to_owned()),
        _ => None,
    }
}

/// HBase's `HConstants.MAX_ROW_LENGTH`.
const LONGEST_ROW_KEY: usize = i16::MAX as usize;

/// `part` of a body as bytes of its batch's buffer, where it stands there.
fn shared(batch: &Batch, part: &[u8]) -> Bytes {
    let buffer = batch.buffer();
    let within = buffer.as_ptr_range();
    if !part.is_empty() && within.contains(&part.as_ptr()) {
        buffer.slice_ref(part)
    } else {
        Bytes::copy_from_slice(part)
    }
}

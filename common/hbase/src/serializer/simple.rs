//! One row for each event, with its body in a column, and a counter of events.

use super::{Counter, Made, Put, shared};
use bytes::{BufMut, Bytes, BytesMut};
use event::{Batch, Event};
use runtime::random::Unique;
use std::io::Write;

/// What a row key ends in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Suffix {
    Uuid,
    Random,
    Timestamp,
    Nano,
}

/// What the file says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SimpleRecipe {
    /// `payloadColumn`
    pub(crate) payload: Option<Bytes>,
    /// `incrementRow`, `incrementColumn`
    pub(crate) counter: Option<Counter>,
    /// `rowPrefix`
    pub(crate) prefix: Bytes,
    /// `suffix`
    pub(crate) suffix: Suffix,
}

/// The serializer.
#[derive(Debug)]
pub(crate) struct Simple {
    recipe: SimpleRecipe,
    keys: Keys,
}

/// Where numbers for keys come from.
#[derive(Debug)]
struct Keys {
    unique: Unique,
    nanos: i64,
}

impl Simple {
    pub(super) fn new(recipe: SimpleRecipe) -> Simple {
        Simple { recipe, keys: Keys { unique: Unique::from_system(), nanos: 0 } }
    }

    pub(super) fn begin(&mut self, millis: i64) {
        self.keys.nanos = self.keys.nanos.max(millis.saturating_mul(1_000_000));
    }

    pub(super) fn make(&mut self, batch: &Batch, event: &Event<'_>, clock: impl Fn() -> i64) -> Made {
        let put = self.recipe.payload.clone().map(|column| Put {
            row: self.keys.row(&self.recipe.prefix, self.recipe.suffix, clock),
            cells: vec![(column, shared(batch, event.body()))],
        });
        Made::Rows(put, self.recipe.counter.clone())
    }
}

impl Keys {
    fn row(&mut self, prefix: &[u8], suffix: Suffix, clock: impl Fn() -> i64) -> Bytes {
        let mut row = BytesMut::with_capacity(prefix.len() + UUID_CHARS);
        row.put_slice(prefix);
        let mut out = (&mut row).writer();
        let _always = match suffix {
            Suffix::Uuid => {
                let uuid = uuid(self.unique.draw());
                let [a, b, c, d, e] = [(96, 32), (80, 16), (64, 16), (48, 16), (0, 48)]
                    .map(|(from, bits)| (uuid >> from) as u64 & ((1u64 << bits) - 1));
                write!(out, "{a:08x}-{b:04x}-{c:04x}-{d:04x}-{e:012x}")
            }
            Suffix::Random => write!(out, "{}", self.unique.draw() as i64),
            Suffix::Timestamp => write!(out, "{}", clock()),
            // Java's counts from any time on; this one never gives two events one row.
            Suffix::Nano => {
                self.nanos += 1;
                write!(out, "{}", self.nanos)
            }
        };
        row.freeze()
    }
}

/// `number` as a UUID of version 4, the one of random numbers (RFC 9562).
fn uuid(number: u128) -> u128 {
    number & !(0xf << 76 | 0x3 << 62) | 4 << 76 | 0b10 << 62
}

const UUID_CHARS: usize = 36;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::event;

    fn simple(suffix: Suffix) -> Simple {
        Simple::new(SimpleRecipe {
            payload: Some("pCol".into()),
            counter: Some(Counter { row: "incRow".into(), column: "iCol".into() }),
            prefix: "p".into(),
            suffix,
        })
    }

    fn made(simple: &mut Simple) -> (String, Vec<(Bytes, Bytes)>, Option<Counter>) {
        let batch = event(&[("k", "v")], "hello");
        simple.begin(1_700_000_000_000);
        let event = batch.events().next().unwrap();
        match simple.make(&batch, &event, || 1_700_000_000_007) {
            Made::Rows(Some(put), counter) => {
                (String::from_utf8(put.row.to_vec()).unwrap(), put.cells, counter)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_row_is_the_body_below_a_key_of_its_own() {
        let mut simple = simple(Suffix::Uuid);
        let (row, cells, counter) = made(&mut simple);
        assert_eq!(cells, [(Bytes::from("pCol"), Bytes::from("hello"))]);
        assert_eq!(counter, Some(Counter { row: "incRow".into(), column: "iCol".into() }));
        let parts: Vec<&str> = row.strip_prefix('p').unwrap().split('-').collect();
        assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert!(parts[2].starts_with('4') && "89ab".contains(&parts[3][..1]), "{row}");
        assert_ne!(made(&mut simple).0, row);
    }

    #[test]
    fn keys_end_as_flumes_do() {
        assert_eq!(made(&mut simple(Suffix::Timestamp)).0, "p1700000000007");
        let mut nano = simple(Suffix::Nano);
        assert_eq!(made(&mut nano).0, "p1700000000000000001");
        assert_eq!(made(&mut nano).0, "p1700000000000000002");
        let (row, ..) = made(&mut simple(Suffix::Random));
        assert!(row[1..].parse::<i64>().is_ok(), "{row}");
    }

    #[test]
    fn a_column_that_is_switched_off_is_not_written() {
        let mut simple = simple(Suffix::Uuid);
        simple.recipe.payload = None;
        let batch = event(&[], "x");
        let event = batch.events().next().unwrap();
        assert!(matches!(simple.make(&batch, &event, || 0), Made::Rows(None, Some(_))));
    }
}

//! Sorts the events of a delivery by the file that they go to.

use crate::format::{Found, Schemas};
use crate::path::{Buckets, Place};
use event::{Batch, Span};
use std::collections::HashMap;
use std::sync::Arc;

/// What one file is about: a place, and the schema of its events where they have one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) place: Arc<Place>,
    pub(crate) schema: Option<Arc<str>>,
}

/// A delivery, sorted. Each batch is what one transaction has for one file.
#[derive(Debug, Default)]
pub(crate) struct Sorted {
    pub(crate) parts: Vec<(Key, Vec<Batch>)>,
    /// Events that can go nowhere, with the reason.
    pub(crate) hopeless: Vec<(Batch, String)>,
    /// Where schemas are to be read first. Nothing is to be written then.
    pub(crate) unread: Vec<String>,
}

/// Sorts `batches`, which have arrived at `arrival` and are [in place](Batch::in_place); events with schemas where there are
/// `schemas`.
pub(crate) fn sort(
    batches: &[Batch],
    arrival: i64,
    buckets: &mut Buckets,
    mut schemas: Option<&mut Schemas>,
) -> Sorted {
    let mut sorted = Sorted::default();
    let mut index: HashMap<Key, usize> = HashMap::new();
    for batch in batches {
        let mut spans: Vec<Vec<Span>> = vec![Vec::new(); sorted.parts.len()];
        for (event, span) in batch.events().zip(batch.spans()) {
            let schema = match schemas.as_deref_mut().map(|schemas| schemas.of(&event)) {
                None => None,
                Some(Found::Schema(schema)) => Some(schema),
                Some(Found::At(url)) => {
                    if !sorted.unread.contains(&url) {
                        sorted.unread.push(url);
                    }
                    continue;
                }
                Some(Found::Nowhere(reason)) => {
                    sorted.bury(batch, *span, reason);
                    continue;
                }
            };
            let place = match buckets.place(&event, arrival) {
                Ok(place) => place,
                Err(reason) => {
                    sorted.bury(batch, *span, reason);
                    continue;
                }
            };
            let key = Key { place, schema };
            let at = match index.get(&key) {
                Some(at) => *at,
                None => {
                    index.insert(key.clone(), sorted.parts.len());
                    sorted.parts.push((key, Vec::new()));
                    spans.push(Vec::new());
                    sorted.parts.len() - 1
                }
            };
            spans[at].push(*span);
        }
        for ((_, part), spans) in sorted.parts.iter_mut().zip(spans) {
            if !spans.is_empty() {
                part.push(Batch::from_parts(batch.buffer().clone(), spans, None));
            }
        }
    }
    sorted
}

impl Sorted {
    fn bury(&mut self, batch: &Batch, span: Span, reason: String) {
        let one = Batch::from_parts(batch.buffer().clone(), vec![span], None);
        self.hopeless.push((one, reason));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{configured, events};

    #[test]
    fn events_are_together_by_file_and_transaction_in_their_order() {
        let config = configured(&[("hdfs.path", "/x/%{h}")]).unwrap();
        let [a, b, bad] = ["a", "b", ".."].map(|host| [("h", host)]);
        let one = events([(&a[..], "1"), (&b[..], "2"), (&a[..], "3"), (&bad[..], "4")]);
        let two = events([(&b[..], "5")]);
        let sorted = sort(&[one, two], 0, &mut config.buckets(), None);
        let seen: Vec<(&str, Vec<Vec<&[u8]>>)> = sorted
            .parts
            .iter()
            .map(|(key, batches)| {
                let batches = batches.iter().map(|batch| batch.events().map(|event| event.body()).collect());
                (key.place.directory.as_str(), batches.collect())
            })
            .collect();
        assert_eq!(
            seen,
            [("/x/a", vec![vec![&b"1"[..], b"3"]]), ("/x/b", vec![vec![&b"2"[..]], vec![&b"5"[..]]])]
        );
        assert_eq!(sorted.hopeless.len(), 1);
    }
}

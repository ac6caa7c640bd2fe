//! What interceptors have made of a batch. No I/O.

use crate::protocol::Reader;
use bytes::Bytes;
use event::{Batch, BatchBuilder, Malformed, Scanner, Span, scan_map};
use std::ops::Range;

/// A batch after its interceptors, with the channels that a custom selector has named.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What is left of the batch, in order.
    pub batch: Batch,
    /// Where its events go; `None` without a custom selector.
    pub routes: Option<Routes>,
}

/// For each event of an answer the channels it goes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routes {
    sets: Vec<Route>,
    of: Vec<u32>,
}

/// Channels by their index among the source's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Route {
    /// Each must take the event.
    pub required: Vec<u32>,
    /// Each gets the event if it can.
    pub optional: Vec<u32>,
}

impl Routes {
    /// One for each event, in their order.
    pub fn new(routes: impl IntoIterator<Item = Route>) -> Routes {
        let sets: Vec<Route> = routes.into_iter().collect();
        let of = (0..sets.len() as u32).collect();
        Routes { sets, of }
    }

    /// The channels of the event at `index`.
    pub fn of(&self, index: usize) -> Option<&Route> {
        self.sets.get(*self.of.get(index)? as usize)
    }

    /// The channels of all events, if all have the same.
    pub fn same(&self) -> Option<&Route> {
        if let [only] = &self.sets[..] { Some(only) } else { None }
    }
}

/// An event of an answer.
enum Item {
    /// Event so-and-so of the call, as it was.
    Unchanged(usize),
    /// Event so-and-so of the call with other headers, which stand there in the answer.
    Headers(usize, Range<usize>),
    /// An event that stands in the answer as a whole.
    New(Span),
}

/// Reads an answer to the call that sent `batch`. Where bodies have not changed, they are those of `batch`.
///
/// # Errors
/// [`Malformed`].
pub(crate) fn read(batch: &Batch, channels: usize, answer: Bytes) -> Result<Answer, Malformed> {
    let mut reader = Reader::new(answer);
    let has_routes = reader.number()? == 1;
    let count = reader.size()?;
    let mut items = Vec::with_capacity(count.min(batch.len()));
    let mut routes = has_routes.then(Routes::default);
    let mut map = 0..0;
    for _ in 0..count {
        items.push(item(&mut reader, batch.len(), &mut map)?);
        if let Some(routes) = &mut routes {
            route(&mut reader, channels, routes)?;
        }
    }
    Ok(Answer { batch: assemble(batch, &items, reader.bytes()), routes })
}

fn item(reader: &mut Reader, events: usize, map: &mut Range<usize>) -> Result<Item, Malformed> {
    let origin = reader.size()?;
    let bytes = reader.bytes().clone();
    let at = reader.at();
    if origin == 0 {
        let from = *at;
        let mut span = Scanner::new(&bytes).scan(at)?;
        span.received = Span::BORN_HERE;
        let mut end = from;
        scan_map(&bytes, &mut end)?;
        *map = from..end;
        return Ok(Item::New(span));
    }
    let index = origin - 1;
    if index >= events {
        return Err(Malformed::Choice);
    }
    match reader.number()? {
        0 => Ok(Item::Unchanged(index)),
        1 => {
            let from = *reader.at();
            scan_map(&bytes, reader.at())?;
            *map = from..*reader.at();
            Ok(Item::Headers(index, map.clone()))
        }
        2 if map.end > map.start => Ok(Item::Headers(index, map.clone())),
        _ => Err(Malformed::Choice),
    }
}

fn route(reader: &mut Reader, channels: usize, routes: &mut Routes) -> Result<(), Malformed> {
    match reader.number()? {
        0 if !routes.sets.is_empty() => {}
        1 => {
            let mut list = || -> Result<Vec<u32>, Malformed> {
                let mut indexes = Vec::new();
                for _ in 0..reader.size()? {
                    let index = reader.size()?;
                    if index >= channels {
                        return Err(Malformed::Choice);
                    }
                    indexes.push(index as u32);
                }
                Ok(indexes)
            };
            let set = Route { required: list()?, optional: list()? };
            // A selector goes to and fro between few sets: it is one of the last ones, mostly.
            if let Some(known) = routes.sets.iter().rposition(|known| *known == set) {
                routes.of.push(known as u32);
                return Ok(());
            }
            routes.sets.push(set);
            routes.of.push(routes.sets.len() as u32 - 1);
            return Ok(());
        }
        _ => return Err(Malformed::Choice),
    }
    let same = routes.of.last().copied().unwrap_or_default();
    routes.of.push(same);
    Ok(())
}

/// Puts the batch together, without copying bodies where that can be.
fn assemble(batch: &Batch, items: &[Item], answer: &Bytes) -> Batch {
    unchanged(batch, items)
        .or_else(|| one_map(batch, items, answer))
        .or_else(|| new(items, answer))
        .unwrap_or_else(|| copied(batch, items, answer))
}

/// Events that were dropped and no more: the same buffer.
fn unchanged(batch: &Batch, items: &[Item]) -> Option<Batch> {
    let mut indexes = Vec::with_capacity(items.len());
    for item in items {
        match item {
            Item::Unchanged(index) if indexes.last().is_none_or(|last| last < index) => indexes.push(*index),
            _ => return None,
        }
    }
    if indexes.len() == batch.len() {
        return Some(batch.clone());
    }
    let (mut at, mut kept) = (0..batch.len(), indexes.into_iter().peekable());
    Some(batch.filter(|_| at.next().is_some_and(|index| kept.next_if_eq(&index).is_some())))
}

/// All events with the same new headers, where the batch allows them to stand beside it.
fn one_map(batch: &Batch, items: &[Item], answer: &Bytes) -> Option<Batch> {
    batch.model()?;
    let (mut map, mut next) = (None, 0);
    for item in items {
        match item {
            Item::Headers(index, at) if *index == next && *map.get_or_insert(at) == at => next += 1,
            _ => return None,
        }
    }
    let map = answer.slice(map?.clone());
    (next == batch.len()).then(|| batch.clone().with_headers(map))
}

/// New events only: slices of the answer.
fn new(items: &[Item], answer: &Bytes) -> Option<Batch> {
    let spans: Option<Vec<Span>> =
        items.iter().map(|item| if let Item::New(span) = item { Some(*span) } else { None }).collect();
    Some(Batch::from_parts(answer.clone(), spans?, None))
}

fn copied(batch: &Batch, items: &[Item], answer: &Bytes) -> Batch {
    let events: Vec<_> = batch.events().collect();
    let mut builder = BatchBuilder::default();
    builder.reserve(batch.event_bytes() + answer.len());
    for item in items {
        match item {
            Item::Unchanged(index) => {
                let event = &events[*index];
                builder.push_encoded(event.header_bytes(), event.received(), event.body());
            }
            Item::Headers(index, map) => {
                let event = &events[*index];
                builder.push_encoded(&answer[map.clone()], event.received(), event.body());
            }
            Item::New(span) => {
                let (start, body, end) = (span.start as usize, span.body as usize, span.end as usize);
                let mut map = start;
                // It was checked when it was read.
                let _ = scan_map(answer, &mut map);
                builder.push_encoded(&answer[start..map], span.received, &answer[body..end]);
            }
        }
    }
    builder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::BytesMut;
    use event::{encode_headers, push_zigzag};

    fn batch(bodies: &[&str], alike: bool) -> Batch {
        let mut builder = BatchBuilder::default();
        bodies.iter().for_each(|body| builder.push([("k", "v")], body.as_bytes()));
        let batch = builder.finish();
        if alike { Batch::parse(batch.buffer().clone()).expect("own bytes") } else { batch }
    }

    fn told(batch: &Batch) -> Vec<String> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let one = |event: event::Event<'_>| {
            let headers: Vec<String> =
                event.headers().map(|(key, value)| format!("{}={}", text(key), text(value))).collect();
            format!("{} {}", headers.join(","), text(event.body()))
        };
        batch.events().map(one).collect()
    }

    struct Written(BytesMut);

    impl Written {
        fn new(routes: bool, events: i64) -> Written {
            Written(BytesMut::new()).number(routes.into()).number(events)
        }
        fn number(mut self, number: i64) -> Written {
            push_zigzag(&mut self.0, number);
            self
        }
        fn map(mut self, value: &str) -> Written {
            encode_headers(&mut self.0, [(&b"n"[..], value.as_bytes())]);
            self
        }
        fn body(self, body: &str) -> Written {
            let mut written = self.number(body.len() as i64);
            written.0.extend_from_slice(body.as_bytes());
            written
        }
        fn unchanged(self, index: i64) -> Written {
            self.number(index + 1).number(0)
        }
        fn read(self, batch: &Batch) -> Result<Answer, Malformed> {
            read(batch, 2, self.0.freeze())
        }
    }

    #[test]
    fn what_has_not_changed_is_not_copied() {
        let batch = batch(&["a", "b", "c"], false);
        let all =
            Written::new(false, 3).unchanged(0).unchanged(1).unchanged(2).read(&batch).expect("an answer");
        assert_eq!((told(&all.batch), all.batch.buffer().as_ptr()), (told(&batch), batch.buffer().as_ptr()));
        let some = Written::new(false, 2).unchanged(0).unchanged(2).read(&batch).expect("an answer");
        assert_eq!(told(&some.batch), ["k=v a", "k=v c"]);
        let none = Written::new(false, 0).read(&batch).expect("an answer");
        assert!(none.batch.is_empty() && none.routes.is_none());
    }

    #[test]
    fn one_header_map_for_all_is_set_without_a_copy() {
        let one_for_all = |batch: &Batch| {
            let written = Written::new(false, 2).number(1).number(1).map("x").number(2).number(2);
            written.read(batch).expect("an answer").batch
        };
        let received = batch(&["a", "b"], true);
        let set = one_for_all(&received);
        assert_eq!(told(&set), ["n=x a", "n=x b"]);
        assert_eq!(set.buffer().as_ptr(), received.buffer().as_ptr());
        assert_eq!(told(&one_for_all(&batch(&["a", "b"], false))), ["n=x a", "n=x b"]);
    }

    #[test]
    fn all_kinds_go_together_in_any_order() {
        let batch = batch(&["a", "b"], true);
        let written = Written::new(false, 5).unchanged(1).number(0).map("y").body("new");
        let written = written.number(1).number(2).unchanged(1).number(2).number(1).map("z");
        let answer = written.read(&batch).expect("an answer");
        assert_eq!(told(&answer.batch), ["k=v b", "n=y new", "n=y a", "k=v b", "n=z b"]);
        let new = Written::new(false, 2).number(0).map("1").body("one").number(0).map("2").body("");
        assert_eq!(told(&new.read(&batch).expect("an answer").batch), ["n=1 one", "n=2 "]);
    }

    #[test]
    fn each_event_has_its_channels() {
        let batch = batch(&["a", "b", "c", "d"], false);
        let written = Written::new(true, 4).unchanged(0).number(1).number(1).number(0).number(0);
        let written = written.unchanged(1).number(0).unchanged(2).number(1).number(0).number(1).number(1);
        let written = written.unchanged(3).number(1).number(1).number(0).number(0);
        let routes = written.read(&batch).expect("an answer").routes.expect("routes");
        let first = Route { required: vec![0], optional: vec![] };
        let third = Route { required: vec![], optional: vec![1] };
        let all: Vec<_> = (0..5).map(|index| routes.of(index)).collect();
        assert_eq!(all, [Some(&first), Some(&first), Some(&third), Some(&first), None]);
        assert_eq!((routes.sets.len(), routes.same()), (2, None));
    }

    #[test]
    fn an_answer_that_cannot_be_is_refused_and_no_cut_or_damage_panics() {
        let batch = batch(&["a", "b"], true);
        let written = || {
            let written = Written::new(true, 3).unchanged(0).number(1).number(1).number(1).number(0);
            let written = written.number(2).number(1).map("x").number(0).number(0).map("y").body("new");
            written.number(0)
        };
        assert_eq!(written().read(&batch).expect("an answer").batch.len(), 3);
        let bytes = written().0.freeze();
        for cut in 0..bytes.len() {
            assert!(read(&batch, 2, bytes.slice(..cut)).is_err(), "cut at {cut}");
            for damage in [1, 2, 4, 0x80, 0xff] {
                let mut damaged = bytes.to_vec();
                damaged[cut] ^= damage;
                let _ = read(&batch, 2, damaged.into());
            }
        }
        assert!(
            Written::new(false, 1).unchanged(2).read(&batch).is_err(),
            "an event that was not in the call"
        );
        assert!(Written::new(false, 1).number(1).number(2).read(&batch).is_err(), "no headers before");
        let channel = Written::new(true, 1).unchanged(0).number(1).number(1).number(2).number(0);
        assert!(channel.read(&batch).is_err(), "a channel that is not the source's");
    }
}

//! What of a record becomes what of an event.
//!
//! Source: Flume 1.11 `KafkaSource.doProcess`.

use bytes::BytesMut;
use event::{BatchBuilder, Headers, Malformed, Span, encode_headers, read_length, scan_map};

/// How a source makes events of records.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shape {
    /// `topicHeader`, where `setTopicHeader` is true.
    pub(crate) topic_header: Option<String>,
    /// `header.`: of the event, and of the record.
    pub(crate) headers: Vec<(String, String)>,
    /// `useFlumeEventFormat`
    pub(crate) flume_format: bool,
    /// No header says where the record stood.
    pub(crate) bare: bool,
}

/// A record.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Taken<'a> {
    pub(crate) topic: &'a str,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    /// Milliseconds since 1970; -1 for none, as in Java.
    pub(crate) timestamp: i64,
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) value: &'a [u8],
}

/// Memory that is used for one record after the other.
#[derive(Default)]
pub(crate) struct Space {
    map: BytesMut,
    numbers: [itoa::Buffer; 3],
    /// Whose headers are in `map`, if they can be those of the next record.
    like: Option<Like>,
}

/// A record without a key and without headers of its own. Another one that is like it has other headers only in its offset, which
/// stands last.
struct Like {
    timestamp: i64,
    partition: i32,
    topic: String,
    /// Of the offset.
    digits: usize,
}

impl Space {
    /// Makes the headers of the last record those of this one, if that is like it.
    fn follow(&mut self, record: &Taken<'_>) -> bool {
        let digits = self.numbers[2].format(record.offset).as_bytes();
        let is_like = self.like.as_ref().is_some_and(|like| {
            like.timestamp == record.timestamp
                && like.partition == record.partition
                && like.digits == digits.len()
                && like.topic == record.topic
        });
        if is_like {
            let end = self.map.len() - 1; // of the map
            self.map[end - digits.len()..end].copy_from_slice(digits);
        }
        is_like
    }

    /// The headers are those of this record.
    fn is_of(&mut self, record: &Taken<'_>) {
        let &Taken { timestamp, partition, offset, .. } = record;
        let digits = self.numbers[2].format(offset).len();
        let mut topic = self.like.take().map(|like| like.topic).unwrap_or_default();
        topic.clear();
        topic.push_str(record.topic);
        self.like = Some(Like { timestamp, partition, topic, digits });
    }
}

/// A header's name and value.
type Pair<'a> = (&'a [u8], &'a [u8]);

impl Shape {
    /// Appends the event of a record; `header` finds one of its headers, the last of a name.
    ///
    /// # Errors
    /// Why the value is no event; nothing is appended then.
    pub(crate) fn push<'a>(
        &self,
        record: &Taken<'a>,
        header: impl Fn(&str) -> Option<&'a [u8]>,
        builder: &mut BatchBuilder,
        space: &mut Space,
    ) -> Result<(), Malformed> {
        let (map, body) = if self.flume_format { whole(record.value)? } else { (NO_HEADERS, record.value) };
        let is_plain = map == NO_HEADERS && self.headers.is_empty() && !self.bare && record.key.is_none();
        if !is_plain {
            space.like = None;
            self.encode(record, map, header, space);
        } else if !space.follow(record) {
            self.encode(record, map, header, space);
            space.is_of(record);
        }
        builder.push_encoded(&space.map, Span::BORN_HERE, body);
        Ok(())
    }

    /// Writes the headers of the event of a record that came with `map`.
    fn encode<'a>(
        &self,
        record: &Taken<'a>,
        map: &[u8],
        header: impl Fn(&str) -> Option<&'a [u8]>,
        space: &mut Space,
    ) {
        let key_text = record.key.map(String::from_utf8_lossy);
        let Space { map: out, numbers: [time, partition, offset], .. } = space;
        let numbers: [Pair<'_>; 2] = [
            (b"timestamp", time.format(record.timestamp).as_bytes()),
            (b"partition", partition.format(record.partition).as_bytes()),
        ];
        let offset: Pair<'_> = (b"offset", offset.format(record.offset).as_bytes());
        let key: Option<Pair<'_>> = key_text.as_ref().map(|key| (&b"key"[..], key.as_bytes()));
        let is_key = |name: &[u8]| key.is_some() && name == b"key";
        let topic = self.topic_header.as_deref().map(|name| (name.as_bytes(), record.topic.as_bytes()));
        let topic = topic.filter(|(name, _)| !is_key(name));
        let bare = self.bare;
        let place = numbers.into_iter().filter(move |_| !bare).chain(topic).chain((!bare).then_some(offset));
        out.clear();
        if map == NO_HEADERS && self.headers.is_empty() {
            encode_headers(out, place.chain(key)); // nothing to compare for each of them
        } else {
            let given = self.headers.iter();
            let given: Vec<Pair<'_>> = given
                .filter_map(|(of_event, of_record)| Some((of_event.as_bytes(), header(of_record)?)))
                .collect();
            let own = || Headers::of(map);
            let has = |name: &[u8]| own().any(|(known, _)| known == name);
            let gives = |name: &[u8]| given.iter().any(|(known, _)| *known == name);
            // What is given here takes the place of what came with the event.
            let kept = own().filter(|(name, _)| !is_key(name) && !gives(name));
            let place = place.filter(|(name, _)| !has(name) && !gives(name));
            let given = given.iter().copied().filter(|(name, _)| !is_key(name));
            encode_headers(out, kept.chain(place).chain(given).chain(key));
        }
    }
}

/// The header map and the body of a whole event.
pub(crate) fn whole(value: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    let mut at = 0;
    scan_map(value, &mut at)?;
    let map = &value[..at];
    let length = read_length(value, &mut at)?;
    let end = at.checked_add(length).ok_or(Malformed::Large)?;
    value.get(at..end).map(|body| (map, body)).ok_or(Malformed::Short)
}

const NO_HEADERS: &[u8] = &[0];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn event(
        shape: &Shape,
        record: &Taken<'_>,
        headers: &[(&str, &'static str)],
    ) -> (BTreeMap<String, String>, String) {
        let mut builder = BatchBuilder::default();
        let header = |wanted: &str| {
            headers.iter().rev().find(|(name, _)| *name == wanted).map(|(_, value)| value.as_bytes())
        };
        shape.push(record, header, &mut builder, &mut Space::default()).unwrap();
        let batch = builder.finish();
        let event = batch.events().next().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let map: Vec<_> = event.headers().map(|(name, value)| (text(name), text(value))).collect();
        let entries = map.len();
        let map: BTreeMap<_, _> = map.into_iter().collect();
        assert_eq!(map.len(), entries, "no name stands twice");
        (map, text(event.body()))
    }

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    const RECORD: Taken<'_> = Taken {
        topic: "t",
        partition: 2,
        offset: 17,
        timestamp: 1_700_000_000_000,
        key: Some(b"k1"),
        value: b"hello",
    };

    #[test]
    fn a_plain_record_has_the_headers_of_its_place() {
        let shape = Shape {
            topic_header: Some("topic".to_owned()),
            headers: vec![
                ("trace".to_owned(), "X-Trace".to_owned()),
                ("none".to_owned(), "X-None".to_owned()),
            ],
            ..Shape::default()
        };
        let (headers, body) = event(&shape, &RECORD, &[("X-Trace", "t-0"), ("X-Trace", "t-1")]);
        let expected = [
            ("trace", "t-1"),
            ("topic", "t"),
            ("partition", "2"),
            ("offset", "17"),
            ("key", "k1"),
            ("timestamp", "1700000000000"),
        ];
        assert_eq!((headers, body.as_str()), (map(&expected), "hello"));
        let bare = event(&Shape::default(), &Taken { key: None, ..RECORD }, &[]).0;
        assert_eq!(bare, map(&[("partition", "2"), ("offset", "17"), ("timestamp", "1700000000000")]));
    }

    /// The headers of an event keep their values, but for its key.
    #[test]
    fn a_whole_event_keeps_its_own_headers() {
        let shape = Shape { topic_header: Some("topic".to_owned()), flume_format: true, ..Shape::default() };
        let mut value = BytesMut::new();
        let own: [Pair<'_>; 3] = [(b"timestamp", b"5"), (b"key", b"old"), (b"topic", b"mine")];
        encode_headers(&mut value, own);
        value.extend_from_slice(b"\x04hi");
        let (headers, body) = event(&shape, &Taken { value: &value, ..RECORD }, &[]);
        let expected =
            [("timestamp", "5"), ("key", "k1"), ("topic", "mine"), ("partition", "2"), ("offset", "17")];
        assert_eq!((headers, body.as_str()), (map(&expected), "hi"));
    }

    #[test]
    fn a_record_behind_another_has_its_own_headers() {
        let shape = Shape { topic_header: Some("topic".to_owned()), flume_format: true, ..Shape::default() };
        let mut whole = BytesMut::new();
        encode_headers(&mut whole, [(&b"a"[..], &b"b"[..])]);
        whole.extend_from_slice(b"\x04hi");
        let plain = Taken { key: None, value: b"\x00\x04hi", ..RECORD };
        let next = Taken { offset: 18, ..plain };
        let all = [
            plain,
            next,
            Taken { partition: 3, ..next },
            next,
            Taken { timestamp: -1, ..next },
            Taken { topic: "u", ..next },
            Taken { offset: 99, ..next },
            Taken { offset: 100, ..next },
            Taken { key: Some(b"k"), ..next },
            next,
            Taken { value: &whole, ..next },
            next,
        ];
        let (mut builder, mut alone, mut space) = <(BatchBuilder, BatchBuilder, Space)>::default();
        for record in &all {
            shape.push(record, |_| None, &mut builder, &mut space).unwrap();
            shape.push(record, |_| None, &mut alone, &mut Space::default()).unwrap();
        }
        let (all, alone) = (builder.finish(), alone.finish());
        for (one, other) in all.events().zip(alone.events()) {
            assert!(one.headers().eq(other.headers()) && one.body() == other.body());
        }
    }

    #[test]
    fn a_value_that_is_no_event_is_none_wherever_it_is_cut() {
        let value = b"\x02\x06key\x04k1\x00\x0ahello";
        assert_eq!(whole(value).unwrap().1, b"hello");
        for end in 0..value.len() {
            assert!(whole(&value[..end]).is_err(), "{end}");
        }
        let shape = Shape { flume_format: true, ..Shape::default() };
        let mut builder = BatchBuilder::default();
        let pushed =
            shape.push(&Taken { value: b"plain", ..RECORD }, |_| None, &mut builder, &mut Space::default());
        assert!(pushed.is_err() && builder.is_empty());
    }
}

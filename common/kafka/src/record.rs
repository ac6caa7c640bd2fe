//! What of an event becomes what of a record: topic, partition, key, timestamp, headers, value.
//!
//! Source: Flume 1.11 `KafkaSink.process`.

use crate::topic::Topic;
use bytes::BytesMut;
use event::{Event, push_zigzag};
use std::borrow::Cow;

/// How a sink makes records of events.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    /// `kafka.topic`
    pub(crate) topic: Topic,
    /// `topicHeader`, where `allowTopicOverride` is true.
    pub(crate) topic_header: Option<String>,
    /// `defaultPartitionId`
    pub(crate) partition: Option<i32>,
    /// `partitionIdHeader`
    pub(crate) partition_header: Option<String>,
    /// `timestampHeader`
    pub(crate) timestamp_header: Option<String>,
    /// `header.`: of an event, and of the record.
    pub(crate) headers: Vec<(String, String)>,
    /// `useFlumeEventFormat`
    pub(crate) flume_format: bool,
}

/// Where an event goes, and with what.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Route<'a> {
    pub(crate) topic: Cow<'a, str>,
    /// Whether the event itself names its topic or its partition.
    pub(crate) own: bool,
    pub(crate) partition: Option<i32>,
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) timestamp: Option<i64>,
    /// What `timestampHeader` holds that is no time.
    pub(crate) no_time: bool,
}

impl Recipe {
    /// Where `event` goes.
    ///
    /// # Errors
    /// Why it can go nowhere, ever.
    pub(crate) fn route<'a>(&'a self, event: &Event<'a>) -> Result<Route<'a>, String> {
        let mut found = Found::default();
        for (name, value) in event.headers() {
            let is =
                |wanted: &Option<String>| wanted.as_ref().is_some_and(|wanted| wanted.as_bytes() == name);
            if name == b"key" {
                found.key = Some(value);
            }
            if is(&self.topic_header) {
                found.topic = Some(value);
            }
            if is(&self.partition_header) {
                found.partition = Some(value);
            }
            if is(&self.timestamp_header) {
                found.timestamp = Some(value);
            }
        }
        let topic = match found.topic {
            Some(topic) => Cow::Borrowed(std::str::from_utf8(topic).map_err(|_| no_topic(topic))?),
            None if self.topic_header.is_some() => self.topic.of(event)?,
            None => Cow::Borrowed(self.topic.text()),
        };
        if !is_topic(&topic) {
            return Err(no_topic(topic.as_bytes()));
        }
        let partition = match found.partition {
            Some(text) => Some(partition(text)?),
            None => self.partition,
        };
        let timestamp = found.timestamp.map(|text| number::<i64>(text).filter(|time| *time > 0));
        Ok(Route {
            own: found.topic.is_some() || found.partition.is_some() || self.topic.varies(),
            topic,
            partition,
            key: found.key,
            timestamp: timestamp.flatten(),
            no_time: timestamp == Some(None),
        })
    }

    /// The record's headers: those that the event has, in the order of the file.
    pub(crate) fn headers<'a>(&'a self, event: &Event<'a>) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        let event = *event;
        self.headers.iter().filter_map(move |(of_event, of_record)| {
            let found = event.headers().filter(|(name, _)| *name == of_event.as_bytes()).last();
            found.map(|(_, value)| (of_record.as_str(), value))
        })
    }

    /// Bytes of the record, without what says how long its parts are.
    pub(crate) fn size(&self, event: &Event<'_>) -> usize {
        let key = event.headers().filter(|(name, _)| *name == b"key").last().map_or(0, |(_, key)| key.len());
        let headers = self.headers(event).map(|(name, value)| name.len() + value.len());
        let own = if self.flume_format { event.header_bytes().len() } else { 0 };
        key + headers.sum::<usize>() + own + event.body().len()
    }

    /// The record's value: the body, or all of the event, as Flume writes it; `space` is used for that.
    pub(crate) fn value<'a>(&self, event: &Event<'a>, space: &'a mut BytesMut) -> &'a [u8] {
        if !self.flume_format {
            return event.body();
        }
        space.clear();
        space.extend_from_slice(event.header_bytes());
        push_zigzag(space, event.body().len() as i64); // a batch is at most 4 GiB
        space.extend_from_slice(event.body());
        space
    }
}

/// What the headers say; the last one of a name counts.
#[derive(Default)]
struct Found<'a> {
    topic: Option<&'a [u8]>,
    partition: Option<&'a [u8]>,
    key: Option<&'a [u8]>,
    timestamp: Option<&'a [u8]>,
}

fn partition(text: &[u8]) -> Result<i32, String> {
    number::<i32>(text).filter(|partition| *partition >= 0).ok_or_else(|| {
        format!("its header names a partition `{}`, which is no number of one", String::from_utf8_lossy(text))
    })
}

/// As `Integer.parseInt` and `Long.parseLong` read it: no blanks.
fn number<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn no_topic(name: &[u8]) -> String {
    let name: String = String::from_utf8_lossy(name).chars().take(SHOWN).collect();
    format!("`{name}` cannot be the name of a topic")
}

/// Source: `Topic.validate` of kafka-clients.
pub(crate) fn is_topic(name: &str) -> bool {
    let may_stand = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    !matches!(name, "" | "." | "..") && name.len() <= LONGEST_TOPIC && name.bytes().all(may_stand)
}

const LONGEST_TOPIC: usize = 249;
const SHOWN: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;
    use event::{Batch, BatchBuilder};

    fn recipe() -> Recipe {
        Recipe {
            topic: Topic::parse("t").unwrap(),
            topic_header: Some("topic".to_owned()),
            partition: Some(7),
            partition_header: Some("pid".to_owned()),
            timestamp_header: Some("timestamp".to_owned()),
            headers: vec![
                ("traceid".to_owned(), "X-Trace".to_owned()),
                ("none".to_owned(), "X-None".to_owned()),
            ],
            flume_format: false,
        }
    }

    fn one(headers: &[(&str, &str)], body: &[u8]) -> Batch {
        let mut builder = BatchBuilder::default();
        builder.push(headers.iter().copied(), body);
        builder.finish()
    }

    #[test]
    fn headers_say_where_an_event_goes() {
        let batch =
            one(&[("key", "k1"), ("pid", "2"), ("traceid", "t-1"), ("timestamp", "1700000000000")], b"hello");
        let (recipe, event) = (recipe(), batch.events().next().unwrap());
        let route = recipe.route(&event).unwrap();
        let expected = Route {
            topic: "t".into(),
            own: true,
            partition: Some(2),
            key: Some(b"k1"),
            timestamp: Some(1_700_000_000_000),
            no_time: false,
        };
        assert_eq!(route, expected);
        assert_eq!(recipe.headers(&event).collect::<Vec<_>>(), [("X-Trace", &b"t-1"[..])]);
        assert_eq!(recipe.value(&event, &mut BytesMut::new()), b"hello");
    }

    #[test]
    fn without_headers_the_file_says_it() {
        let batch = one(&[], b"plain");
        let recipe = recipe();
        let route = recipe.route(&batch.events().next().unwrap()).unwrap();
        let expected = Route {
            topic: "t".into(),
            own: false,
            partition: Some(7),
            key: None,
            timestamp: None,
            no_time: false,
        };
        assert_eq!(route, expected);
    }

    #[test]
    fn a_topic_header_counts_where_it_may_only() {
        let batch = one(&[("topic", "over")], b"");
        let event = batch.events().next().unwrap();
        assert_eq!(recipe().route(&event).unwrap().topic, "over");
        let fixed = Recipe { topic_header: None, ..recipe() };
        assert_eq!(fixed.route(&event).unwrap().topic, "t");
    }

    #[test]
    fn what_can_never_go_is_told() {
        for (headers, said) in [
            (&[("pid", "x")][..], "its header names a partition `x`, which is no number of one"),
            (&[("pid", "-1")], "its header names a partition `-1`, which is no number of one"),
            (&[("topic", "a b")], "`a b` cannot be the name of a topic"),
            (&[("topic", "")], "`` cannot be the name of a topic"),
        ] {
            let batch = one(headers, b"");
            assert_eq!(recipe().route(&batch.events().next().unwrap()).unwrap_err(), said);
        }
    }

    #[test]
    fn a_time_that_is_none_is_left_out() {
        for text in ["now", "-5", "0", " 1"] {
            let batch = one(&[("timestamp", text)], b"");
            let recipe = recipe();
            let route = recipe.route(&batch.events().next().unwrap()).unwrap();
            assert_eq!((route.timestamp, route.no_time), (None, true), "{text}");
        }
    }

    /// What a released Flume 1.11 wrote to a topic for this event, with one header here: their order is a hash's.
    #[test]
    fn a_value_in_flumes_format_has_flumes_bytes() {
        let recipe = Recipe { flume_format: true, ..recipe() };
        let mut space = BytesMut::new();
        let value = |batch: &Batch, space: &mut BytesMut| {
            recipe.value(&batch.events().next().unwrap(), space).to_vec()
        };
        let plain = value(&one(&[], b"plain"), &mut space);
        assert_eq!(plain, [0x00, 0x0a, 0x70, 0x6c, 0x61, 0x69, 0x6e]);
        let keyed = value(&one(&[("key", "k1")], b"hello"), &mut space);
        let expected = [2, 6, b'k', b'e', b'y', 4, b'k', b'1', 0, 0x0a, b'h', b'e', b'l', b'l', b'o'];
        assert_eq!(keyed, expected);
    }
}

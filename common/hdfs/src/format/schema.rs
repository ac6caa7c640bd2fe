//! `AvroEventSerializer`: bodies that are Avro data already, in containers with their schema.
//!
//! Source: Flume 1.11 `AvroEventSerializer`, with one difference: events of different schemas go to different files, where
//! Flume writes them below the first one's.

use components::serializer::AvroConfig;
use event::{Batch, Event, Zigzag};
use std::collections::HashMap;
use std::sync::Arc;
use wire::container::{Codec, Marker, Packer, Schema, push_head};

/// `serializer.schemaURL`, `serializer.syncIntervalBytes` and `serializer.compressionCodec`.
pub(crate) type SchemaConfig = AvroConfig;

/// One container.
#[derive(Debug)]
pub(crate) struct SchemaContainer {
    sync_interval: usize,
    packer: Option<Packer>,
    schema: Arc<str>,
    sync: Marker,
    block: Vec<u8>,
}

impl SchemaContainer {
    /// Of events with this schema.
    pub(crate) fn new(config: SchemaConfig, schema: Arc<str>, sync: Marker) -> SchemaContainer {
        let packer = config.codec.map(Packer::new);
        SchemaContainer { sync_interval: config.sync_interval, packer, schema, sync, block: Vec::new() }
    }

    /// Appends the head.
    pub(crate) fn begin(&self, out: &mut Vec<u8>) {
        let mut pairs: Vec<(&[u8], &[u8])> = vec![(b"avro.schema", self.schema.as_bytes())];
        if let Some(packer) = &self.packer {
            pairs.push((b"avro.codec", packer.codec().name().as_bytes()));
        }
        push_head(&pairs, &self.sync, out);
    }

    /// Appends the bodies of `batch` as one block or more.
    pub(crate) fn write(&mut self, batch: &Batch, out: &mut Vec<u8>) {
        let mut events = 0;
        for event in batch.events() {
            self.block.extend_from_slice(event.body());
            events += 1;
            if self.block.len() >= self.sync_interval {
                self.end(std::mem::take(&mut events), out);
            }
        }
        if events > 0 {
            self.end(events, out);
        }
    }

    fn end(&mut self, events: i64, out: &mut Vec<u8>) {
        out.extend_from_slice(&Zigzag::new(events));
        let packed = match &mut self.packer {
            Some(packer) if packer.codec() != Codec::Null => {
                packer.pack([&self.block]).expect("a codec takes any bytes")
            }
            _ => &self.block,
        };
        out.extend_from_slice(&Zigzag::new(packed.len() as i64));
        out.extend_from_slice(packed);
        out.extend_from_slice(&self.sync);
        self.block.clear();
    }
}

/// The schemas that were met so far.
#[derive(Debug, Default)]
pub(crate) struct Schemas {
    /// `serializer.schemaURL`
    usual: Option<String>,
    /// By URL, and by literal.
    known: HashMap<String, Result<Arc<str>, String>>,
}

/// Where the schema of an event stands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Schema(Arc<str>),
    /// It is to be read there first.
    At(String),
    /// Nowhere; why, in an operator's words.
    Nowhere(String),
}

impl Schemas {
    /// None yet; events without one of their own have what stands at `usual`.
    pub(crate) fn new(usual: Option<String>) -> Schemas {
        Schemas { usual, ..Schemas::default() }
    }

    /// The schema of `event`.
    pub(crate) fn of(&mut self, event: &Event<'_>) -> Found {
        let url = event.header(URL);
        let literal = event.header(LITERAL).filter(|_| url.is_none());
        if let Some(literal) = literal {
            if let Some(known) = self.known.get(literal) {
                return known.clone().map_or_else(Found::Nowhere, Found::Schema);
            }
            return self.learn(literal, checked(literal)).map_or_else(Found::Nowhere, Found::Schema);
        }
        let Some(url) = url.or(self.usual.as_deref()) else {
            return Found::Nowhere(format!(
                "it has no schema: neither `{URL}` nor `{LITERAL}` is among its headers"
            ));
        };
        match self.known.get(url) {
            Some(known) => known.clone().map_or_else(Found::Nowhere, Found::Schema),
            None => Found::At(url.to_owned()),
        }
    }

    /// What was read at `url`, or why nothing was.
    pub(crate) fn read(&mut self, url: &str, text: Result<String, String>) {
        let place = plan::quoted(&plan::secret::without_log_ins(url));
        let schema = text.and_then(|text| checked(&text).map_err(|reason| format!("{place}: {reason}")));
        let _known = self.learn(url, schema);
    }

    fn learn(&mut self, name: &str, schema: Result<Arc<str>, String>) -> Result<Arc<str>, String> {
        if self.known.len() >= MOST_SCHEMAS {
            self.known.clear();
        }
        self.known.insert(name.to_owned(), schema.clone());
        schema
    }

    /// Forgets what could not be read: it may be there now.
    pub(crate) fn forget_failures(&mut self) {
        self.known.retain(|_, schema| schema.is_ok());
    }
}

fn checked(text: &str) -> Result<Arc<str>, String> {
    Schema::parse(text).map_err(|reason| format!("its schema cannot be used: {reason}"))?;
    Ok(compact(text).into())
}

/// JSON without blanks between its parts, as Java prints a schema.
fn compact(json: &str) -> String {
    let (mut in_text, mut escaped) = (false, false);
    json.chars()
        .filter(|sign| {
            let keep = in_text || !sign.is_whitespace();
            match sign {
                '"' if !escaped => in_text = !in_text,
                _ => {}
            }
            escaped = in_text && *sign == '\\' && !escaped;
            keep
        })
        .collect()
}

/// Names the place of the schema.
const URL: &str = "flume.avro.schema.url";
/// Holds the schema.
const LITERAL: &str = "flume.avro.schema.literal";
/// Schemas that are kept: a stream of ever new ones takes no memory without bound.
const MOST_SCHEMAS: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{event, events};

    const LONG: &str = "{ \"type\" : \"record\", \"name\": \"a \\\" b\",\n \"fields\": [] }";

    #[test]
    fn a_schema_is_found_as_flume_finds_it() {
        let mut schemas = Schemas::new(Some("file:///usual".to_owned()));
        let of = |schemas: &mut Schemas, headers: &[(&str, &str)]| {
            schemas.of(&event(headers, "x").events().next().unwrap())
        };
        assert_eq!(of(&mut schemas, &[]), Found::At("file:///usual".to_owned()));
        assert_eq!(of(&mut schemas, &[(LITERAL, " \"string\" ")]), Found::Schema("\"string\"".into()));
        let both = [(LITERAL, "\"string\""), (URL, "hdfs://nn/s")];
        assert_eq!(of(&mut schemas, &both), Found::At("hdfs://nn/s".to_owned()));
        schemas.read("hdfs://nn/s", Ok("\"long\"".to_owned()));
        assert_eq!(of(&mut schemas, &both), Found::Schema("\"long\"".into()));
        schemas.read("file:///usual", Err("it is not there".to_owned()));
        assert_eq!(of(&mut schemas, &[]), Found::Nowhere("it is not there".to_owned()));
        schemas.forget_failures();
        assert_eq!(of(&mut schemas, &[]), Found::At("file:///usual".to_owned()));
        assert!(matches!(of(&mut schemas, &[(LITERAL, "{nonsense")]), Found::Nowhere(_)));
        schemas.usual = None;
        assert!(matches!(of(&mut schemas, &[]), Found::Nowhere(why) if why.contains("it has no schema")));
    }

    #[test]
    fn blanks_are_left_out_between_parts_and_kept_in_names() {
        assert_eq!(compact(LONG), "{\"type\":\"record\",\"name\":\"a \\\" b\",\"fields\":[]}");
    }

    #[test]
    fn a_container_has_the_schema_and_the_bodies_as_they_are() {
        let config = SchemaConfig { sync_interval: 6, codec: Some(Codec::Null) };
        let mut container = SchemaContainer::new(config, "\"long\"".into(), *b"0123456789abcdef");
        let mut out = Vec::new();
        container.begin(&mut out);
        let head = wire::container::head(&out).unwrap().unwrap();
        assert_eq!(head.meta("avro.schema"), Some(&b"\"long\""[..]));
        container.write(&events([(&[][..], "abc"), (&[], "def"), (&[], "g")]), &mut out);
        let marker = b"0123456789abcdef";
        assert_eq!(out[head.size..], [b"\x04\x0cabcdef", &marker[..], b"\x02\x02g", marker].concat());
    }
}

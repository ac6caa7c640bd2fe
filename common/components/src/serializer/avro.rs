//! `avro_event`: events in an Avro container file.
//!
//! Source: the container files of Avro's specification, and what `FlumeEventAvroEventSerializer` of Flume 1.11 writes:
//! a block ends when it has `syncIntervalBytes` or with its batch. An event of ours already is a record of Flume's
//! schema, so a block is its events' bytes.

use event::{Batch, Span, Zigzag};
use java::hash_order;
use plan::{Bad, Findings, Problem, Properties, Property, Value, nearest, quoted};
use runtime::random::Random;
use wire::container::{Codec, FLUME_EVENT, Marker, Packer, push_head};

/// Those of all serializers that write containers.
pub const PROPERTIES: &[Property] = &[
    Property::with(
        "syncIntervalBytes",
        Value::Number { min: LEAST_INTERVAL as i64, max: MOST_INTERVAL as i64, unit: "bytes" },
        "2048000",
    )
    .bad(Bad::Says("fails at the first event, and tries again every 5 s for ever")),
    Property::with("compressionCodec", Value::Text, "null"),
];

/// `syncIntervalBytes` and `compressionCodec`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AvroConfig {
    /// Bytes of events in a block, at least.
    pub sync_interval: usize,
    /// `None` as Flume does with a codec that it does not know: nothing is compressed, and the head names no codec.
    pub codec: Option<Codec>,
}

/// Says which codec is none.
pub fn judge(properties: &Properties, findings: &mut Findings<'_>) {
    let name = properties.word("compressionCodec");
    if Codec::for_name(name).is_some() {
        return;
    }
    let (key, known) = (findings.key("compressionCodec"), Codec::ALL.map(Codec::name));
    let what = format!("`{key}` is {}: not one of {}", quoted(name), known.join(", "));
    let problem = Problem::warning("bad-value", findings.at("compressionCodec"), what)
        .flume("does not know the codec and compresses nothing")
        .here("nothing is compressed");
    findings.add(problem.fix(match nearest(name, known) {
        Some(meant) => format!("`{key} = {meant}`"),
        None => format!("`{key} = WORD`, one of {}", known.join(", ")),
    }));
}

impl AvroConfig {
    /// As the properties say.
    pub fn new(properties: &Properties) -> AvroConfig {
        AvroConfig {
            sync_interval: properties.count("syncIntervalBytes"),
            codec: Codec::for_name(properties.word("compressionCodec")),
        }
    }
}

/// One container file after another.
#[derive(Debug)]
pub struct AvroContainer {
    sync_interval: usize,
    packer: Option<Packer>,
    random: Random,
    sync: Marker,
}

impl AvroContainer {
    /// An empty one.
    pub(crate) fn new(config: AvroConfig, random: Random) -> AvroContainer {
        let AvroConfig { sync_interval, codec } = config;
        AvroContainer { sync_interval, packer: codec.map(Packer::new), random, sync: Marker::default() }
    }

    /// Appends the head of a new file.
    pub(crate) fn begin(&mut self, out: &mut Vec<u8>) {
        for half in self.sync.chunks_exact_mut(8) {
            half.copy_from_slice(&self.random.next().to_be_bytes());
        }
        let codec = self.packer.as_ref().map(|packer| packer.codec().name());
        let mut pairs: Vec<(&[u8], &[u8])> =
            codec.map(|codec| (&b"avro.codec"[..], codec.as_bytes())).into_iter().collect();
        pairs.push((b"avro.schema", FLUME_EVENT));
        let mut order = Vec::new();
        hash_order(&pairs, Span::BORN_HERE, &mut order);
        let ordered: Vec<_> = order.iter().map(|pair| (pairs[pair.key].0, pairs[pair.value].1)).collect();
        push_head(&ordered, &self.sync, out);
    }

    /// Appends the events of `batch` as one block or more.
    pub(crate) fn write(&mut self, batch: &Batch, out: &mut Vec<u8>) {
        let mut rest = batch.in_place();
        while !rest.is_empty() {
            let mut bytes = 0;
            let full = rest.spans().iter().position(|span| {
                bytes += (span.end - span.start) as usize;
                bytes >= self.sync_interval
            });
            let block = rest.split_to(full.map_or(rest.len(), |last| last + 1));
            self.write_block(&block, bytes, out);
        }
    }

    fn write_block(&mut self, block: &Batch, bytes: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(&Zigzag::new(block.len() as i64));
        match &mut self.packer {
            Some(packer) if packer.codec() != Codec::Null => {
                let packed = packer.pack(block.runs()).expect("a codec takes any bytes");
                out.extend_from_slice(&Zigzag::new(packed.len() as i64));
                out.extend_from_slice(packed);
            }
            _ => {
                out.extend_from_slice(&Zigzag::new(bytes as i64));
                out.reserve(bytes + self.sync.len());
                block.runs().for_each(|run| out.extend_from_slice(&run));
            }
        }
        out.extend_from_slice(&self.sync);
    }
}

/// Avro's `DataFileWriter.setSyncInterval` takes no less.
const LEAST_INTERVAL: usize = 32;

/// And no more.
const MOST_INTERVAL: usize = 1 << 30;

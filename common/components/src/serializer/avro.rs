//! `avro_event`: events in an Avro container file.
//!
//! Source: the container files of Avro's specification, and what `FlumeEventAvroEventSerializer` of Flume 1.11 writes:
//! a block ends when it has `syncIntervalBytes` or with its batch. An event of ours already is a record of Flume's
//! schema, so a block is its events' bytes.

use event::{Batch, Span, Zigzag};
use flate2::{Compress, Compression, FlushCompress, Status};
use java::hash_order;
use plan::{Bad, Findings, Problem, Properties, Property, Value, quoted};
use runtime::random::Random;

pub(super) const PROPERTIES: &[Property] = &[
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
pub(crate) struct AvroConfig {
    sync_interval: usize,
    codec: CodecConfig,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CodecConfig {
    Null,
    Deflate,
    /// As Flume does with a codec that it does not know: nothing is compressed, and the head names no codec.
    None,
}

/// Says which codec is none.
pub(super) fn judge(properties: &Properties, findings: &mut Findings<'_>) {
    let name = properties.text_or("compressionCodec", "null");
    if CODECS.contains(&name) {
        return;
    }
    let key = findings.key("compressionCodec");
    let what = format!("`{key}` is {}: not one of {}", quoted(name), CODECS.join(", "));
    let problem = Problem::warning("bad-value", findings.at("compressionCodec"), what)
        .flume(match FLUMES.contains(&name) {
            true => format!("compresses with {name}"),
            false => format!(
                "does not know the codec and compresses nothing; it has {} and {}",
                CODECS.join(", "),
                FLUMES.join(", ")
            ),
        })
        .here("nothing is compressed");
    findings.add(problem.fix(format!("`{key} = WORD`, one of {}", CODECS.join(", "))));
}

const CODECS: [&str; 2] = ["null", "deflate"];
/// What Flume's Avro has besides.
const FLUMES: [&str; 4] = ["snappy", "bzip2", "xz", "zstandard"];

impl AvroConfig {
    pub(super) fn new(properties: &Properties) -> AvroConfig {
        AvroConfig {
            sync_interval: properties.number("syncIntervalBytes", 2_048_000),
            codec: match properties.text_or("compressionCodec", "null") {
                "null" => CodecConfig::Null,
                "deflate" => CodecConfig::Deflate,
                _ => CodecConfig::None,
            },
        }
    }
}

/// One container file after another.
#[derive(Debug)]
pub(crate) struct AvroContainer {
    sync_interval: usize,
    codec: Option<Codec>,
    random: Random,
    sync: [u8; 16],
    packed: Vec<u8>, // a block, compressed
}

#[derive(Debug)]
enum Codec {
    Null,
    Deflate(Box<Compress>),
}

impl AvroContainer {
    /// An empty one.
    pub(crate) fn new(config: AvroConfig, random: Random) -> AvroContainer {
        let codec = match config.codec {
            CodecConfig::Null => Some(Codec::Null),
            CodecConfig::Deflate => {
                Some(Codec::Deflate(Box::new(Compress::new(Compression::default(), false))))
            }
            CodecConfig::None => None,
        };
        let sync_interval = config.sync_interval;
        AvroContainer { sync_interval, codec, random, sync: [0; 16], packed: Vec::new() }
    }

    /// Appends the head of a new file.
    pub(crate) fn begin(&mut self, out: &mut Vec<u8>) {
        for half in self.sync.chunks_exact_mut(8) {
            half.copy_from_slice(&self.random.next().to_be_bytes());
        }
        let codec: Option<&[u8]> = self.codec.as_ref().map(|codec| match codec {
            Codec::Null => &b"null"[..],
            Codec::Deflate(_) => &b"deflate"[..],
        });
        let mut pairs: Vec<(&[u8], &[u8])> =
            codec.map(|codec| (&b"avro.codec"[..], codec)).into_iter().collect();
        pairs.push((b"avro.schema", SCHEMA));
        let mut order = Vec::new();
        hash_order(&pairs, Span::BORN_HERE, &mut order);
        out.extend_from_slice(b"Obj\x01");
        out.extend_from_slice(&Zigzag::new(pairs.len() as i64));
        for text in order.iter().flat_map(|pair| [pairs[pair.key].0, pairs[pair.value].1]) {
            out.extend_from_slice(&Zigzag::new(text.len() as i64));
            out.extend_from_slice(text);
        }
        out.push(0);
        out.extend_from_slice(&self.sync);
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
        if let Some(Codec::Deflate(compress)) = &mut self.codec {
            deflate(compress, block, bytes, &mut self.packed);
            out.extend_from_slice(&Zigzag::new(self.packed.len() as i64));
            out.extend_from_slice(&self.packed);
        } else {
            out.extend_from_slice(&Zigzag::new(bytes as i64));
            out.reserve(bytes + self.sync.len());
            block.runs().for_each(|run| out.extend_from_slice(&run));
        }
        out.extend_from_slice(&self.sync);
    }
}

/// Packs `block` into `packed`, replacing what that held.
fn deflate(compress: &mut Compress, block: &Batch, bytes: usize, packed: &mut Vec<u8>) {
    compress.reset();
    packed.clear();
    packed.reserve(bytes / 4 + 64);
    for run in block.runs() {
        let begin = compress.total_in();
        loop {
            let rest = &run[(compress.total_in() - begin) as usize..];
            if rest.is_empty() {
                break;
            }
            step(compress, rest, packed, FlushCompress::None);
        }
    }
    while step(compress, &[], packed, FlushCompress::Finish) != Status::StreamEnd {}
}

/// Packs what there is room for, and sees to it that there is some.
fn step(compress: &mut Compress, rest: &[u8], packed: &mut Vec<u8>, flush: FlushCompress) -> Status {
    if packed.capacity() == packed.len() {
        packed.reserve(packed.len().max(64));
    }
    compress.compress_vec(rest, packed, flush).expect("a deflate stream that is begun anew takes any bytes")
}

/// What Flume writes into `avro.schema`.
const SCHEMA: &[u8] = br#"{"type":"record","name":"Event","fields":[{"name":"headers","type":{"type":"map","values":"string"}},{"name":"body","type":"bytes"}]}"#;

/// Avro's `DataFileWriter.setSyncInterval` takes no less.
const LEAST_INTERVAL: usize = 32;

/// And no more.
const MOST_INTERVAL: usize = 1 << 30;

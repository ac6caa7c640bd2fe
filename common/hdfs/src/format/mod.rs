//! What stands in a file: plain text or containers, compressed streams, sequence files.
//!
//! A batch is encoded whole, and what is encoded up to its end can be read again without what follows.

mod codec;
pub(crate) mod lzop;
mod schema;
mod sequence;
mod vint;

pub(crate) use codec::Codec;
use schema::SchemaContainer;
pub(crate) use schema::{Found, SchemaConfig, Schemas};
pub(crate) use sequence::{SequenceFile, WriteFormat};

use components::serializer::{Serializer, SerializerConfig};
use event::Batch;
use runtime::random::Random;
use std::sync::Arc;

/// `hdfs.fileType`, with all that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// `SequenceFile`
    Sequence(WriteFormat, Option<Codec>),
    /// `DataStream`, and `CompressedStream` with its codec.
    Stream(SerializerConfig, Option<Codec>),
    /// The same with `AvroEventSerializer`.
    Container(SchemaConfig, Option<Codec>),
}

impl Content {
    /// The codec of whole files.
    pub(crate) fn codec(&self) -> Option<Codec> {
        match self {
            Content::Sequence(_, codec) | Content::Stream(_, codec) | Content::Container(_, codec) => *codec,
        }
    }

    /// Encodes a new file; `schema` is that of its events, where they have one.
    pub(crate) fn encoder(&self, schema: Option<&Arc<str>>, random: &mut Random) -> Encoder {
        let mut sync = [0; 16];
        sync.chunks_exact_mut(8).for_each(|half| half.copy_from_slice(&random.next().to_be_bytes()));
        match self {
            Content::Sequence(format, codec) => Encoder::Sequence(SequenceFile::new(*format, *codec, sync)),
            Content::Stream(config, codec) => {
                let serializer = Serializer::new(*config, Random::seeded(random.next()));
                Encoder::Stream(Stream { inner: Inner::Events(serializer), codec: *codec, raw: Vec::new() })
            }
            Content::Container(config, codec) => {
                let schema = schema.cloned().unwrap_or_else(|| "\"bytes\"".into());
                let container = Box::new(SchemaContainer::new(*config, schema, sync));
                Encoder::Stream(Stream { inner: Inner::Datums(container), codec: *codec, raw: Vec::new() })
            }
        }
    }
}

/// Encodes the events of one file.
#[derive(Debug)]
pub(crate) enum Encoder {
    Sequence(SequenceFile),
    Stream(Stream),
}

/// Serialized events, compressed or not.
#[derive(Debug)]
pub(crate) struct Stream {
    inner: Inner,
    codec: Option<Codec>,
    raw: Vec<u8>,
}

#[derive(Debug)]
enum Inner {
    Events(Serializer),
    Datums(Box<SchemaContainer>),
}

impl Encoder {
    /// Appends what a file begins with.
    pub(crate) fn begin(&mut self, out: &mut Vec<u8>) {
        match self {
            Encoder::Sequence(file) => file.begin(out),
            Encoder::Stream(stream) => {
                stream.codec.iter().for_each(|codec| codec.begin(out));
                stream.with(out, |inner, out| match inner {
                    Inner::Events(serializer) => serializer.begin(out),
                    Inner::Datums(container) => container.begin(out),
                });
            }
        }
    }

    /// Appends what a file ends with. Without it all of its events can be read, too.
    pub(crate) fn end(&self, out: &mut Vec<u8>) {
        if let Encoder::Stream(Stream { codec: Some(codec), .. }) = self {
            codec.end(out);
        }
    }

    /// Appends the events of `batch`, which have arrived at `arrival`, whole.
    pub(crate) fn write(&mut self, batch: &Batch, arrival: i64, out: &mut Vec<u8>) {
        match self {
            Encoder::Sequence(file) => {
                batch.events().for_each(|event| file.write(&event, arrival, out));
                file.flush(out);
            }
            Encoder::Stream(stream) => {
                stream.with(out, |inner, out| match inner {
                    Inner::Events(serializer) => serializer.write(batch, out),
                    Inner::Datums(container) => container.write(batch, out),
                });
                stream.flush(out);
            }
        }
    }
}

impl Stream {
    /// Has `write` append to the file, or to what is compressed at the next flush.
    fn with(&mut self, out: &mut Vec<u8>, write: impl FnOnce(&mut Inner, &mut Vec<u8>)) {
        let out = if self.codec.is_some() { &mut self.raw } else { out };
        write(&mut self.inner, out);
    }

    fn flush(&mut self, out: &mut Vec<u8>) {
        if let Some(codec) = self.codec.filter(|_| !self.raw.is_empty()) {
            codec.pack(&self.raw, out);
            self.raw.clear();
            self.raw.shrink_to(KEPT_BYTES);
        }
    }
}

/// Bytes that a buffer keeps between two batches.
pub(crate) const KEPT_BYTES: usize = 256 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::event;

    #[test]
    fn each_batch_of_a_compressed_stream_is_a_member_of_its_own() {
        let text = SerializerConfig::Text { newline: true };
        let mut random = Random::seeded(1);
        for (codec, expected) in [(None, 2 * 6), (Some(Codec::Gzip), 2 * 26)] {
            let mut encoder = Content::Stream(text, codec).encoder(None, &mut random);
            let mut out = Vec::new();
            encoder.begin(&mut out);
            assert!(out.is_empty());
            encoder.write(&event(&[], "hello"), 0, &mut out);
            encoder.write(&event(&[], "world"), 0, &mut out);
            assert_eq!(out.len(), expected, "{codec:?}");
        }
    }
}

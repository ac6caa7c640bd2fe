//! Event deserializers: what a source that reads files makes of their bytes.
//!
//! Each is shown the bytes at the front of a window over a file, and says what it takes off them: no file is touched here.

mod avro;
mod blob;
mod line;
#[cfg(test)]
mod tests;

use avro::Records;
use blob::Blobs;
use flow::component::{Component, PART};
use java::{Charset, OnMalformed};
use line::Lines;
use plan::{ComponentPlan, Descriptor, Kind, Properties};

/// Their rows in the catalogue.
pub(crate) const COMPONENTS: &[&Component] = &[
    &Component {
        descriptor: Descriptor::new(
            Kind::Deserializer,
            "line",
            "org.apache.flume.serialization.LineDeserializer$Builder",
            &[line::PROPERTIES],
        )
        .spelled("LINE"),
        configure: PART,
    },
    &Component {
        descriptor: Descriptor::new(
            Kind::Deserializer,
            "avro",
            "org.apache.flume.serialization.AvroEventDeserializer$Builder",
            &[avro::PROPERTIES],
        )
        .spelled("AVRO"),
        configure: PART,
    },
    &Component {
        descriptor: Descriptor::new(
            Kind::Deserializer,
            "",
            "org.apache.flume.sink.solr.morphline.BlobDeserializer$Builder",
            &[blob::PROPERTIES],
        )
        .mistaken(&[("blob", "")]),
        configure: PART,
    },
];

/// Which deserializer, and how.
#[derive(Debug, Clone)]
pub(crate) enum DeserializerConfig {
    /// A line is an event.
    Line(line::LineConfig),
    /// A record of a container file is an event.
    Avro(avro::AvroConfig),
    /// A file is an event.
    Blob(blob::BlobConfig),
}

impl DeserializerConfig {
    /// Of the part that a source's `deserializer` names, lines where there is none. `most_chars` is the limit of a line that the source itself sets.
    pub(crate) fn new(
        part: Option<&ComponentPlan>,
        input: Charset,
        on_malformed: OnMalformed,
        most_chars: Option<usize>,
    ) -> DeserializerConfig {
        let line = |properties: &Properties| {
            DeserializerConfig::Line(line::LineConfig::new(properties, input, on_malformed, most_chars))
        };
        let Some(part) = part else { return line(&Properties::of(&COMPONENTS[0].descriptor, NOTHING)) };
        let properties = &part.properties;
        match part.kind() {
            "line" => line(properties),
            "avro" => DeserializerConfig::Avro(avro::AvroConfig::new(properties)),
            _ => DeserializerConfig::Blob(blob::BlobConfig::new(properties)),
        }
    }
}

const NOTHING: [(&str, &str); 0] = [];

/// What is taken off the front of a window.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Cut<'a> {
    /// An event with this body; so many bytes are used up.
    Event(&'a [u8], usize),
    /// So many bytes that are no event.
    Skip(usize),
    /// Go on at this place of the file.
    Jump(u64),
    /// More bytes are needed; at the end of a file, all is read.
    More,
}

/// Reads one file.
#[derive(Debug)]
pub(crate) enum Deserializer {
    /// Lines.
    Line(Box<Lines>),
    /// Records.
    Avro(Box<Records>),
    /// Blobs.
    Blob(Blobs),
}

impl Deserializer {
    /// For a file that is read from `position` on, which [`Deserializer::mark`] gave. Where its bytes are wanted from
    /// comes with it.
    pub(crate) fn new(config: &DeserializerConfig, position: u64) -> (Deserializer, u64) {
        match config {
            DeserializerConfig::Line(config) => {
                let lines = Lines::new(config, position);
                let from = lines.begins_at();
                (Deserializer::Line(Box::new(lines)), from)
            }
            DeserializerConfig::Avro(config) => {
                (Deserializer::Avro(Box::new(Records::new(*config, position))), 0)
            }
            DeserializerConfig::Blob(config) => (Deserializer::Blob(Blobs::new(*config)), position),
        }
    }

    /// Takes the next piece off `bytes`, which begin at `at` in the file; `last` when the file ends with them.
    ///
    /// # Errors
    /// Why the file cannot be read on, in words.
    #[inline]
    pub(crate) fn cut<'a>(&'a mut self, bytes: &'a [u8], at: u64, last: bool) -> Result<Cut<'a>, String> {
        match self {
            Deserializer::Line(lines) => lines.cut(bytes, at, last),
            Deserializer::Avro(records) => records.cut(bytes, at, last),
            Deserializer::Blob(blobs) => Ok(blobs.cut(bytes, last)),
        }
    }

    /// Whether it is known what all its events have: the head of the file, if there is one, is read.
    pub(crate) fn is_ready(&self) -> bool {
        match self {
            Deserializer::Avro(records) => records.header().is_some(),
            Deserializer::Line(_) | Deserializer::Blob(_) => true,
        }
    }

    /// Where a new start is to read on, when all events that were cut are stored, and `at` is where the bytes begin that
    /// are not used up.
    pub(crate) fn mark(&self, at: u64) -> u64 {
        match self {
            Deserializer::Avro(records) => records.mark(),
            Deserializer::Line(_) | Deserializer::Blob(_) => at,
        }
    }

    /// Bytes that a window must be able to hold.
    pub(crate) fn window(&self) -> usize {
        match self {
            Deserializer::Line(lines) => lines.window(),
            Deserializer::Avro(_) => avro::MOST_BLOCK + 64,
            Deserializer::Blob(blobs) => blobs.most(),
        }
    }

    /// A header that all its events have.
    pub(crate) fn header(&self) -> Option<(&'static str, &str)> {
        match self {
            Deserializer::Avro(records) => records.header(),
            Deserializer::Line(_) | Deserializer::Blob(_) => None,
        }
    }

    /// What was cut in two for its length, if anything was.
    pub(crate) fn split(&self) -> Option<String> {
        match self {
            Deserializer::Line(lines) => lines.split(),
            Deserializer::Blob(blobs) => blobs.split(),
            Deserializer::Avro(_) => None,
        }
    }
}

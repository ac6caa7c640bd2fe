//! Event serializers: how a sink writes batches into a file.

mod avro;
mod header_text;

use avro::AvroContainer;
pub use avro::{AvroConfig, PROPERTIES as CONTAINER_PROPERTIES, judge as judge_container};
use event::Batch;
use flow::component::{Component, Configure, PART};
use header_text::HeaderText;
use plan::{ComponentPlan, Descriptor, Kind, Property, Value};
use runtime::random::Random;

/// Their rows in the catalogue.
pub(crate) const COMPONENTS: &[&Component] = &[
    &Component {
        descriptor: Descriptor::new(
            Kind::Serializer,
            "text",
            "org.apache.flume.serialization.BodyTextEventSerializer$Builder",
            &[NEWLINE],
        ),
        configure: PART,
    },
    &Component {
        descriptor: Descriptor::new(
            Kind::Serializer,
            "header_and_text",
            "org.apache.flume.serialization.HeaderAndBodyTextEventSerializer$Builder",
            &[NEWLINE],
        ),
        configure: PART,
    },
    &Component {
        descriptor: Descriptor::new(
            Kind::Serializer,
            "avro_event",
            "org.apache.flume.serialization.FlumeEventAvroEventSerializer$Builder",
            &[avro::PROPERTIES],
        ),
        configure: Configure::Part(avro::judge),
    },
];

const NEWLINE: &[Property] = &[Property::with("appendNewline", Value::Flag, "true")];

/// Which serializer, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SerializerConfig {
    /// `text`
    Text {
        /// `appendNewline`
        newline: bool,
    },
    /// `header_and_text`
    HeaderAndText {
        /// `appendNewline`
        newline: bool,
    },
    /// `avro_event`
    Avro(AvroConfig),
}

impl SerializerConfig {
    /// Whether the part is one of these: a store's crate has others, for itself.
    pub fn knows(part: &ComponentPlan) -> bool {
        COMPONENTS.iter().any(|known| known.descriptor.names.class == part.descriptor.names.class)
    }

    /// Of the part that a sink's `serializer` names.
    pub fn new(part: &ComponentPlan) -> SerializerConfig {
        match part.kind() {
            "header_and_text" => {
                SerializerConfig::HeaderAndText { newline: part.properties.flag("appendNewline") }
            }
            "avro_event" => SerializerConfig::Avro(AvroConfig::new(&part.properties)),
            _ => SerializerConfig::Text { newline: part.properties.flag("appendNewline") },
        }
    }
}

/// Turns batches into the bytes of a file.
#[derive(Debug)]
pub enum Serializer {
    /// `text`: the body, and `\n` if asked for.
    Text {
        /// `appendNewline`; true unless set.
        newline: bool,
    },
    /// `header_and_text`: the header map as Java prints it, a blank, the body, and `\n` if asked for.
    HeaderAndText {
        /// What the header maps of neighbours look like.
        headers: HeaderText,
        /// `appendNewline`; true unless set.
        newline: bool,
    },
    /// `avro_event`: an Avro container file.
    Avro(Box<AvroContainer>),
}

impl Serializer {
    /// Makes one as `config` says; `random` is for what a container separates its blocks by.
    pub fn new(config: SerializerConfig, random: Random) -> Serializer {
        match config {
            SerializerConfig::Text { newline } => Serializer::Text { newline },
            SerializerConfig::HeaderAndText { newline } => {
                Serializer::HeaderAndText { headers: HeaderText::default(), newline }
            }
            SerializerConfig::Avro(config) => Serializer::Avro(Box::new(AvroContainer::new(config, random))),
        }
    }

    /// Appends what a new file begins with.
    pub fn begin(&mut self, out: &mut Vec<u8>) {
        if let Serializer::Avro(container) = self {
            container.begin(out);
        }
    }

    /// Appends the events of `batch`, whole: what is written up to here can be read again without what follows.
    pub fn write(&mut self, batch: &Batch, out: &mut Vec<u8>) {
        match self {
            Serializer::Text { newline } => write_text(batch, *newline, out),
            Serializer::HeaderAndText { headers, newline } => headers.write(batch, *newline, out),
            Serializer::Avro(container) => container.write(batch, out),
        }
    }
}

fn write_text(batch: &Batch, newline: bool, out: &mut Vec<u8>) {
    let buffer = batch.buffer();
    let bodies: usize = batch.spans().iter().map(|span| (span.end - span.body) as usize).sum();
    out.reserve(bodies + batch.len());
    for span in batch.spans() {
        out.extend_from_slice(&buffer[span.body as usize..span.end as usize]);
        if newline {
            out.push(b'\n');
        }
    }
}

#[cfg(test)]
mod tests;

//! Event serializers: how a sink writes batches into a file.

mod avro;
mod header_text;

use crate::build::BuildError;
use crate::random::Random;
use avro::AvroContainer;
use event::Batch;
use header_text::HeaderText;
use plan::Context;
use slog::Logger;

/// Turns batches into the bytes of a file.
#[derive(Debug)]
pub(crate) enum Serializer {
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
    /// Builds what `key` of a sink's `context` names (`text` when it is missing), with the properties below `key`.
    ///
    /// # Errors
    /// [`BuildError`] for a serializer that does not exist here, and for properties it cannot work with.
    pub(crate) fn build(
        context: &Context,
        key: &str,
        random: Random,
        log: &Logger,
    ) -> Result<Serializer, BuildError> {
        let below = Context::from_pairs(context.under(key));
        let newline = below.flag("appendNewline", true);
        let name = context.text_or(key, "text").to_ascii_lowercase();
        match name.strip_prefix("org.apache.flume.serialization.").unwrap_or(&name) {
            "text" | "bodytexteventserializer$builder" => Ok(Serializer::Text { newline }),
            "header_and_text" | "headerandbodytexteventserializer$builder" => {
                Ok(Serializer::HeaderAndText { headers: HeaderText::default(), newline })
            }
            "avro_event" | "flumeeventavroeventserializer$builder" => {
                Ok(Serializer::Avro(Box::new(AvroContainer::build(context, key, random, log)?)))
            }
            _ => {
                let what = "there is no such serializer here; there are text, header_and_text and avro_event";
                Err(BuildError::new(context, "", key, what))
            }
        }
    }

    /// Appends what a new file begins with.
    pub(crate) fn begin(&mut self, out: &mut Vec<u8>) {
        if let Serializer::Avro(container) = self {
            container.begin(out);
        }
    }

    /// Appends the events of `batch`, whole: what is written up to here can be read again without what follows.
    pub(crate) fn write(&mut self, batch: &Batch, out: &mut Vec<u8>) {
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

//! `BlobDeserializer`: a whole file is an event.

use super::Cut;
use plan::{Bad, Properties, Property, Value};

pub(super) const PROPERTIES: &[Property] =
    &[Property::with("maxBlobLength", Value::at_least(1, "bytes"), "100000000")
        .outside(Bad::Says("ends the source at its first file, until the agent is started again"))];

/// `maxBlobLength`, bytes; 100,000,000 unless set. A longer file becomes several events.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlobConfig {
    most: usize,
}

impl BlobConfig {
    pub(super) fn new(properties: &Properties) -> BlobConfig {
        BlobConfig { most: properties.count("maxBlobLength") }
    }
}

/// One file.
#[derive(Debug)]
pub(crate) struct Blobs {
    most: usize,
    is_split: bool,
}

impl Blobs {
    pub(super) fn new(config: BlobConfig) -> Blobs {
        Blobs { most: config.most, is_split: false }
    }

    pub(super) fn cut<'a>(&mut self, bytes: &'a [u8], last: bool) -> Cut<'a> {
        if bytes.len() >= self.most {
            self.is_split = true;
            return Cut::Event(&bytes[..self.most], self.most);
        }
        if last && !bytes.is_empty() { Cut::Event(bytes, bytes.len()) } else { Cut::More }
    }

    pub(super) fn most(&self) -> usize {
        self.most
    }

    pub(super) fn split(&self) -> Option<String> {
        let told = || {
            format!(
                "is longer than {} bytes and becomes several events: see deserializer.maxBlobLength",
                self.most
            )
        };
        self.is_split.then(told)
    }
}

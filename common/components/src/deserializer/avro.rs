//! `AVRO`: each record of an Avro container file is an event, without its schema.
//!
//! Source: Flume 1.11 `AvroEventDeserializer`. A body is the record as it stands in the file; Flume reads and writes it
//! anew, which may change the order of a map.

use super::Cut;
use plan::{Bad, Properties, Property, Value};
use wire::container::{self, Codec, Marker, Schema};

pub(super) const PROPERTIES: &[Property] =
    &[Property::with("schemaType", Value::Choice(&["HASH", "LITERAL"]), "HASH")
        .bad(Bad::Says("ends the source at its first file, until the agent is started again"))];

/// `schemaType`; `HASH` unless set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AvroConfig {
    literal: bool,
}

impl AvroConfig {
    pub(super) fn new(properties: &Properties) -> AvroConfig {
        AvroConfig { literal: properties.word("schemaType").eq_ignore_ascii_case("LITERAL") }
    }
}

/// One file.
#[derive(Debug)]
pub(crate) struct Records {
    config: AvroConfig,
    /// Where it is read on from: the marker in front of a block.
    position: u64,
    /// Its head was read.
    file: Option<File>,
    /// The next marker is looked for.
    seeks: bool,
    block: Vec<u8>, // unpacked
    at: usize,
    left: u64,
    mark: u64,
    next_mark: u64,
}

#[derive(Debug)]
struct File {
    schema: Schema,
    codec: Codec,
    sync: Marker,
    /// What its events carry about the schema.
    header: (&'static str, String),
}

impl Records {
    pub(super) fn new(config: AvroConfig, position: u64) -> Records {
        Records {
            config,
            position,
            file: None,
            seeks: false,
            block: Vec::new(),
            at: 0,
            left: 0,
            mark: 0,
            next_mark: 0,
        }
    }

    pub(super) fn cut<'a>(&'a mut self, bytes: &'a [u8], at: u64, last: bool) -> Result<Cut<'a>, String> {
        let Some(file) = &self.file else { return self.head(bytes, last) };
        if self.left > 0 {
            let (start, end) = (self.at, file.schema.end_of(&self.block, self.at));
            let end = end.map_err(|error| format!("a record is none of its schema: {error}"))?;
            (self.at, self.left) = (end, self.left - 1);
            if self.left == 0 {
                self.mark = self.next_mark;
            }
            return Ok(Cut::Event(&self.block[start..end], 0));
        }
        if self.seeks {
            let found = memchr::memmem::find(bytes, &file.sync);
            self.seeks = found.is_none();
            let kept = file.sync.len() - 1;
            return Ok(match found {
                Some(found) => {
                    self.mark = at + found as u64;
                    Cut::Skip(found + file.sync.len())
                }
                None if bytes.len() > kept => Cut::Skip(bytes.len() - kept),
                None => Cut::More,
            });
        }
        match container::block(bytes, &file.sync, MOST_BLOCK).map_err(|fault| fault.to_string())? {
            Some(block) => {
                let unpacked = file.codec.unpack(&bytes[block.data], MOST_UNPACKED, &mut self.block);
                unpacked.map_err(|error| {
                    format!("a block cannot be unpacked ({}): {error}", file.codec.name())
                })?;
                if block.records > self.block.len() as u64 + MOST_EMPTY {
                    return Err(format!("a block says that it has {} records", block.records));
                }
                (self.at, self.left) = (0, block.records);
                self.next_mark = at + (block.end - file.sync.len()) as u64;
                if self.left == 0 {
                    self.mark = self.next_mark;
                }
                Ok(Cut::Skip(block.end))
            }
            None if last && !bytes.is_empty() => Err("it ends in the middle of a block".into()),
            None => Ok(Cut::More),
        }
    }

    fn head(&mut self, bytes: &[u8], last: bool) -> Result<Cut<'static>, String> {
        let Some(head) = container::head(bytes).map_err(|fault| fault.to_string())? else {
            return match last || bytes.len() > MOST_HEAD {
                true => Err("it is no whole Avro container file: it ends in the middle of its head".into()),
                false => Ok(Cut::More),
            };
        };
        let text = head.meta("avro.schema").ok_or("it has no schema")?;
        let text = String::from_utf8_lossy(text);
        let schema = Schema::parse(&text)?;
        let header = match self.config.literal {
            true => ("flume.avro.schema.literal", without_blanks(&text)),
            false => ("flume.avro.schema.hash", schema.fingerprint()),
        };
        self.file = Some(File { schema, codec: head.codec, sync: head.sync, header });
        self.mark = (head.size - head.sync.len()) as u64;
        if self.position <= self.mark {
            return Ok(Cut::Skip(head.size));
        }
        self.seeks = true;
        self.mark = self.position;
        Ok(Cut::Jump(self.position))
    }

    pub(super) fn mark(&self) -> u64 {
        self.mark
    }

    pub(super) fn header(&self) -> Option<(&'static str, &str)> {
        self.file.as_ref().map(|file| (file.header.0, &*file.header.1))
    }
}

/// JSON as Java prints it: without the blanks between its signs.
fn without_blanks(json: &str) -> String {
    let (mut quoted, mut escaped) = (false, false);
    let keeps = |sign: &char| {
        let was_escaped = std::mem::take(&mut escaped);
        match sign {
            '"' if !was_escaped => quoted = !quoted,
            '\\' if quoted => escaped = !was_escaped,
            _ => {}
        }
        quoted || !sign.is_ascii_whitespace()
    };
    json.chars().filter(keeps).collect()
}

/// The largest block that is read, as it stands in the file: many times what Avro writes unless told otherwise.
pub(super) const MOST_BLOCK: usize = 128 << 20;
/// And unpacked.
const MOST_UNPACKED: usize = 256 << 20;
/// A head holds a schema.
const MOST_HEAD: usize = 16 << 20;
/// Records without a byte in one block.
const MOST_EMPTY: u64 = 1 << 20;

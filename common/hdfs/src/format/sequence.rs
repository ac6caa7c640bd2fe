//! Hadoop's sequence files, version 6.
//!
//! Source: Hadoop 3.3.6 `SequenceFile.Writer` and `BlockCompressWriter`, as Flume 1.11 `HDFSSequenceFile` uses them: the key
//! is the event's time, and what was written since the last flush ends with a sync marker, or is a block.

use super::Codec;
use super::vint;
use crate::path::timestamp;
use event::Event;

/// `hdfs.writeFormat`: of which class the values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WriteFormat {
    Writable,
    Text,
}

/// One sequence file.
#[derive(Debug)]
pub(crate) struct SequenceFile {
    format: WriteFormat,
    sync: [u8; 16],
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// Bytes written so far, and where the last marker ended.
    Plain {
        written: u64,
        synced: u64,
    },
    Blocks {
        codec: Codec,
        block: Block,
    },
}

/// Records that wait to be packed together.
#[derive(Debug, Default)]
struct Block {
    records: i64,
    key_lengths: Vec<u8>,
    keys: Vec<u8>,
    value_lengths: Vec<u8>,
    values: Vec<u8>,
    packed: Vec<u8>,
}

impl SequenceFile {
    /// A new file, with the marker that stands between its parts.
    pub(crate) fn new(format: WriteFormat, codec: Option<Codec>, sync: [u8; 16]) -> SequenceFile {
        let kind = match codec {
            None => Kind::Plain { written: 0, synced: 0 },
            Some(codec) => Kind::Blocks { codec, block: Block::default() },
        };
        SequenceFile { format, sync, kind }
    }

    /// Appends the head.
    pub(crate) fn begin(&mut self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(b"SEQ\x06");
        push_text(LONG_WRITABLE, out);
        push_text(
            match self.format {
                WriteFormat::Writable => BYTES_WRITABLE,
                WriteFormat::Text => TEXT,
            },
            out,
        );
        match &self.kind {
            Kind::Plain { .. } => out.extend_from_slice(&[0, 0]),
            Kind::Blocks { codec, .. } => {
                out.extend_from_slice(&[1, 1]);
                push_text(codec.class(), out);
            }
        }
        out.extend_from_slice(&[0; 4]); // no metadata
        out.extend_from_slice(&self.sync);
        if let Kind::Plain { written, .. } = &mut self.kind {
            *written += (out.len() - start) as u64;
        }
    }

    /// Appends `event`, which has arrived at `arrival`, or keeps it for the block.
    pub(crate) fn write(&mut self, event: &Event<'_>, arrival: i64, out: &mut Vec<u8>) {
        let key = timestamp(event).unwrap_or(arrival).to_be_bytes();
        let (start, body) = (out.len(), event.body());
        match &mut self.kind {
            Kind::Plain { written, synced } => {
                if *written >= *synced + SYNC_INTERVAL {
                    push_sync(&self.sync, out);
                    *synced = *written + SYNC_BYTES;
                }
                let mut value = Vec::with_capacity(9);
                push_value_head(self.format, body.len(), &mut value);
                let record = key.len() + value.len() + body.len();
                out.extend_from_slice(&(record as u32).to_be_bytes());
                out.extend_from_slice(&(key.len() as u32).to_be_bytes());
                out.extend_from_slice(&key);
                out.extend_from_slice(&value);
                out.extend_from_slice(body);
                *written += (out.len() - start) as u64;
            }
            Kind::Blocks { codec, block } => {
                if block.keys.len() + block.values.len() >= BLOCK_BYTES {
                    block.write(*codec, &self.sync, out);
                }
                block.push(self.format, key, body);
            }
        }
    }

    /// Ends what was written since the last time, if anything was.
    pub(crate) fn flush(&mut self, out: &mut Vec<u8>) {
        match &mut self.kind {
            Kind::Plain { written, synced } if written != synced => {
                push_sync(&self.sync, out);
                *written += SYNC_BYTES;
                *synced = *written;
            }
            Kind::Plain { .. } => {}
            Kind::Blocks { codec, block } => block.write(*codec, &self.sync, out),
        }
    }
}

impl Block {
    fn push(&mut self, format: WriteFormat, key: [u8; 8], body: &[u8]) {
        vint::push(key.len() as i64, &mut self.key_lengths);
        self.keys.extend_from_slice(&key);
        let start = self.values.len();
        push_value_head(format, body.len(), &mut self.values);
        self.values.extend_from_slice(body);
        vint::push((self.values.len() - start) as i64, &mut self.value_lengths);
        self.records += 1;
    }

    fn write(&mut self, codec: Codec, sync: &[u8; 16], out: &mut Vec<u8>) {
        if self.records == 0 {
            return;
        }
        push_sync(sync, out);
        vint::push(self.records, out);
        self.records = 0;
        for part in [&mut self.key_lengths, &mut self.keys, &mut self.value_lengths, &mut self.values] {
            self.packed.clear();
            codec.begin(&mut self.packed);
            codec.pack(part, &mut self.packed);
            codec.end(&mut self.packed);
            vint::push(self.packed.len() as i64, out);
            out.extend_from_slice(&self.packed);
            part.clear();
        }
    }
}

fn push_value_head(format: WriteFormat, length: usize, out: &mut Vec<u8>) {
    match format {
        WriteFormat::Writable => out.extend_from_slice(&(length as u32).to_be_bytes()),
        WriteFormat::Text => vint::push(length as i64, out),
    }
}

fn push_text(text: &str, out: &mut Vec<u8>) {
    vint::push(text.len() as i64, out);
    out.extend_from_slice(text.as_bytes());
}

fn push_sync(sync: &[u8; 16], out: &mut Vec<u8>) {
    out.extend_from_slice(&[0xff; 4]);
    out.extend_from_slice(sync);
}

const LONG_WRITABLE: &str = "org.apache.hadoop.io.LongWritable";
const BYTES_WRITABLE: &str = "org.apache.hadoop.io.BytesWritable";
const TEXT: &str = "org.apache.hadoop.io.Text";
/// `SequenceFile.SYNC_SIZE`: the escape and the marker.
const SYNC_BYTES: u64 = 20;
/// `SequenceFile.SYNC_INTERVAL`
const SYNC_INTERVAL: u64 = 5 * 1024 * SYNC_BYTES;
/// `io.seqfile.compress.blocksize`, unless set.
const BLOCK_BYTES: usize = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::events;

    const SYNC: [u8; 16] = *b"0123456789abcdef";

    fn file(format: WriteFormat, codec: Option<Codec>, batches: &[&[(&str, &str)]]) -> Vec<u8> {
        let (mut file, mut out) = (SequenceFile::new(format, codec, SYNC), Vec::new());
        file.begin(&mut out);
        for batch in batches {
            let headers: Vec<_> = batch.iter().map(|(time, _)| [("timestamp", *time)]).collect();
            let batch =
                events(headers.iter().map(|headers| &headers[..]).zip(batch.iter().map(|(_, body)| *body)));
            batch.events().for_each(|event| file.write(&event, 1, &mut out));
            file.flush(&mut out);
        }
        out
    }

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits
            .chunks(2)
            .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
            .collect()
    }

    const TWO: &[(&str, &str)] = &[("1700000000000", "hello"), ("1700000001000", "world")];

    /// Recorded from Flume 1.11 with Hadoop 3.3.6, with another marker.
    #[test]
    fn plain_files_are_those_of_flume_byte_by_byte() {
        let written = file(WriteFormat::Writable, None, &[TWO]);
        let head = [
            &b"SEQ\x06\x21org.apache.hadoop.io.LongWritable\x22org.apache.hadoop.io.BytesWritable\0\0\0\0\0\0"[..],
            &SYNC,
        ]
        .concat();
        let records = hex(
            "00000011 00000008 0000018bcfe56800 00000005 68656c6c6f 00000011 00000008 0000018bcfe56be8 00000005 776f726c64 ffffffff",
        );
        assert_eq!(written, [&head[..], &records, &SYNC].concat());
        assert_eq!(written.len(), 165);
        let text = file(WriteFormat::Text, None, &[&TWO[..1]]);
        let record = hex("0000000e 00000008 0000018bcfe56800 05 68656c6c6f ffffffff");
        assert!(text.ends_with(&[&record[..], &SYNC].concat()));
        assert!(
            text.starts_with(
                b"SEQ\x06\x21org.apache.hadoop.io.LongWritable\x19org.apache.hadoop.io.Text\0\0"
            )
        );
    }

    #[test]
    fn a_block_has_four_packed_parts_for_each_flush() {
        let written = file(WriteFormat::Writable, Some(Codec::Default), &[TWO, &TWO[1..]]);
        let head =
            b"SEQ\x06\x21org.apache.hadoop.io.LongWritable\x22org.apache.hadoop.io.BytesWritable\x01\x01\
                     \x2aorg.apache.hadoop.io.compress.DefaultCodec\0\0\0\0";
        let mut rest = written.strip_prefix(&head[..]).unwrap().strip_prefix(&SYNC[..]).unwrap();
        for (records, values) in [(2, &b"\0\0\0\x05hello\0\0\0\x05world"[..]), (1, b"\0\0\0\x05world")] {
            rest = rest.strip_prefix(&[0xff; 4][..]).unwrap().strip_prefix(&SYNC[..]).unwrap();
            assert_eq!(rest[0], records);
            rest = &rest[1..];
            let mut parts = Vec::new();
            for _ in 0..4 {
                let (part, after) = rest[1..].split_at(rest[0].into());
                let mut out = Vec::new();
                std::io::Read::read_to_end(&mut flate2::read::ZlibDecoder::new(part), &mut out).unwrap();
                parts.push(out);
                rest = after;
            }
            assert_eq!(parts[0], vec![8; records.into()]);
            assert_eq!(parts[1].len(), 8 * usize::from(records));
            assert_eq!(parts[2], vec![9; records.into()]);
            assert_eq!(parts[3], values);
        }
        assert!(rest.is_empty());
    }

    #[test]
    fn a_long_file_has_a_marker_now_and_then_and_an_idle_flush_writes_none() {
        let body = "x".repeat(60_000);
        let batch: Vec<(&str, &str)> = vec![("1", &body); 4];
        let written = file(WriteFormat::Writable, None, &[&batch, &[]]);
        let marks = written.windows(20).filter(|bytes| bytes[..4] == [0xff; 4] && bytes[4..] == SYNC).count();
        assert_eq!(marks, 2, "one in the middle, one at the end");
    }
}

//! Both forms of Thrift, written.

use super::{HEAD_BYTES, Protocol};
use bytes::BytesMut;

/// Writes one frame behind what is in a buffer.
pub(super) struct Writer<'o> {
    pub(super) protocol: Protocol,
    out: &'o mut BytesMut,
    start: usize,
}

/// A type's number in the binary form and in the compact one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind(u8, u8);

pub(super) const INT: Kind = Kind(8, 5);
pub(super) const BINARY: Kind = Kind(11, 8);
pub(super) const STRUCT: Kind = Kind(12, 12);
pub(super) const MAP: Kind = Kind(13, 11);
pub(super) const LIST: Kind = Kind(15, 9);

impl<'o> Writer<'o> {
    /// The frame of a message with this head.
    pub(super) fn begin(
        protocol: Protocol,
        out: &'o mut BytesMut,
        (name, kind, sequence): (&[u8], u8, i32),
    ) -> Writer<'o> {
        let start = out.len();
        out.extend_from_slice(&[0; HEAD_BYTES]);
        let mut writer = Writer { protocol, out, start };
        match protocol {
            Protocol::Binary => {
                writer.put(&[0x80, 0x01, 0, kind]);
                writer.binary(name);
                writer.put(&sequence.to_be_bytes());
            }
            Protocol::Compact => {
                writer.put(&[0x82, kind << 5 | 1]);
                writer.varint(u64::from(sequence.cast_unsigned()));
                writer.binary(name);
            }
        }
        writer
    }

    /// Writes its length in front of the frame.
    pub(super) fn finish(self) {
        let bytes = self.out.len() - self.start - HEAD_BYTES;
        let length = u32::try_from(bytes).unwrap_or(u32::MAX).to_be_bytes();
        self.out[self.start..self.start + HEAD_BYTES].copy_from_slice(&length);
    }

    /// The head of a field that stands `step` behind the one before it, 1 to 15.
    pub(super) fn field(&mut self, number: i16, step: u8, kind: Kind) {
        match self.protocol {
            Protocol::Binary => {
                self.put(&[kind.0]);
                self.put(&number.to_be_bytes());
            }
            Protocol::Compact if step > 0 => self.put(&[step << 4 | kind.1]),
            Protocol::Compact => {
                self.put(&[kind.1]);
                self.varint(u64::from((i32::from(number) << 1 ^ i32::from(number) >> 15).cast_unsigned()));
            }
        }
    }

    pub(super) fn list(&mut self, kind: Kind, count: usize) {
        match self.protocol {
            Protocol::Binary => {
                self.put(&[kind.0]);
                self.length(count);
            }
            Protocol::Compact if count < 15 => self.put(&[(count as u8) << 4 | kind.1]),
            Protocol::Compact => {
                self.put(&[0xf0 | kind.1]);
                self.length(count);
            }
        }
    }

    /// A map of texts to texts.
    pub(super) fn texts(&mut self, count: usize) {
        match self.protocol {
            Protocol::Binary => {
                self.put(&[BINARY.0, BINARY.0]);
                self.length(count);
            }
            Protocol::Compact => {
                self.length(count);
                if count > 0 {
                    self.put(&[BINARY.1 << 4 | BINARY.1]);
                }
            }
        }
    }

    pub(super) fn binary(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.put(bytes);
    }

    pub(super) fn int(&mut self, value: i32) {
        match self.protocol {
            Protocol::Binary => self.put(&value.to_be_bytes()),
            Protocol::Compact => self.varint(u64::from((value << 1 ^ value >> 31).cast_unsigned())),
        }
    }

    /// The end of a structure.
    pub(super) fn stop(&mut self) {
        self.put(&[0]);
    }

    fn length(&mut self, length: usize) {
        match self.protocol {
            Protocol::Binary => self.put(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes()),
            Protocol::Compact => self.varint(length as u64),
        }
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.put(&[value as u8 | 0x80]);
            value >>= 7;
        }
        self.put(&[value as u8]);
    }

    fn put(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }
}

//! Java's charsets: bytes to text and back.
//!
//! The large tables are those of `encoding_rs`, which has the Web's charsets. Where Java's differ, this is Java's:
//! US-ASCII and ISO-8859-1 are no windows-1252, ISO-8859-9 is no windows-1254, bytes that a Windows charset leaves free
//! are malformed, and UTF-16 and UTF-32 obey their byte order marks. What stays the Web's: GB2312 is read and written as
//! GBK, GBK is read as GB18030, Shift_JIS as windows-31j, EUC-KR as x-windows-949, Big5 with the characters of
//! Big5-HKSCS. Each of them reads what Java's reads, and more, but for the Japanese and Cyrillic letters of Big5 (the
//! bytes from C6A1 to C8FE). EUC-JP does not write what JIS X 0212 alone has. How many U+FFFD stand for malformed bytes of
//! these may differ.

mod decode;
mod encode;
mod names;
mod single;

pub use decode::{Decoder, MalformedBytes, OnMalformed};

use single::{Single, Unassigned};
use std::borrow::Cow;

/// A charset, by any name that `Charset.forName` knows for it.
#[derive(Debug, Clone, Copy)]
pub struct Charset {
    name: &'static str,
    kind: Coding,
}

/// How bytes stand for characters.
#[derive(Debug, Clone, Copy)]
enum Coding {
    Ascii,
    Latin1,
    Utf8,
    Utf16(Order),
    Utf32(Order),
    /// One byte for each character.
    Single(&'static encoding_rs::Encoding, Unassigned),
    /// Up to four.
    Many(&'static encoding_rs::Encoding),
}

/// Which byte of a unit comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Big,
    Little,
    /// As the byte order mark says; without one the high byte if `true`.
    Marked(bool),
}

impl Charset {
    /// UTF-8.
    pub const UTF_8: Charset = Charset { name: "UTF-8", kind: Coding::Utf8 };

    /// The charset that Java calls `name`, in any case; none if Java knows it not, or it is not here.
    pub fn for_name(name: &str) -> Option<Charset> {
        let known = |known: &str| known.eq_ignore_ascii_case(name);
        let mut rows = names::CHARSETS.iter();
        let row = rows.find(|(first, _, others)| known(first) || others.iter().any(|other| known(other)));
        row.map(|(name, kind, _)| Charset { name, kind: *kind })
    }

    /// The first names of all charsets.
    pub fn names() -> impl Iterator<Item = &'static str> {
        names::CHARSETS.iter().map(|(name, ..)| *name)
    }

    /// Its first name in Java.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Reads a stream of it.
    pub fn decoder(&self, on_malformed: OnMalformed) -> Decoder {
        Decoder::new(self.kind, on_malformed)
    }

    /// The text that `bytes` are; U+FFFD stands for what is malformed.
    pub fn decode<'b>(&self, bytes: &'b [u8]) -> Cow<'b, str> {
        // Text that is well-formed is checked many bytes at a time.
        if (self.keeps_ascii() && bytes.is_ascii() || matches!(self.kind, Coding::Utf8))
            && let Ok(text) = std::str::from_utf8(bytes)
        {
            return Cow::Borrowed(text);
        }
        let mut text = Vec::with_capacity(bytes.len() + bytes.len() / 2);
        // Nothing is reported where it is replaced.
        let _replaced = self.decoder(OnMalformed::Replace).decode(bytes, true, &mut text);
        Cow::Owned(
            String::from_utf8(text)
                .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
        )
    }

    /// The bytes that `text` is in it; `?` stands for what it has not.
    pub fn encode<'t>(&self, text: &'t str) -> Cow<'t, [u8]> {
        if self.keeps_ascii() && text.is_ascii() || matches!(self.kind, Coding::Utf8) {
            return Cow::Borrowed(text.as_bytes());
        }
        Cow::Owned(encode::encode(self.kind, text))
    }

    /// Whether a line feed is one byte that stands for nothing else, so that lines can be told apart without decoding.
    pub fn keeps_lines(&self) -> bool {
        !matches!(self.kind, Coding::Utf16(_) | Coding::Utf32(_))
    }

    /// How many bytes a line feed takes.
    pub fn unit(&self) -> usize {
        match self.kind {
            Coding::Utf16(_) => 2,
            Coding::Utf32(_) => 4,
            _ => 1,
        }
    }

    /// Whether the bytes at the front of a stream may be a byte order mark, which is no text.
    pub fn may_be_marked(&self) -> bool {
        matches!(self.kind, Coding::Utf16(Order::Marked(_)) | Coding::Utf32(_))
    }

    /// What the byte order mark at the `front` of a stream says: the charset of the bytes behind it, and how many bytes it
    /// takes; without one, this charset without one. `front` needs no more than [`Charset::unit`] bytes.
    pub fn settle(&self, front: &[u8]) -> (Charset, usize) {
        let named = |wide: bool, big: bool| match (wide, big) {
            (false, true) => Charset { name: "UTF-16BE", kind: Coding::Utf16(Order::Big) },
            (false, false) => Charset { name: "UTF-16LE", kind: Coding::Utf16(Order::Little) },
            (true, true) => Charset { name: "UTF-32BE", kind: Coding::Utf32(Order::Big) },
            (true, false) => Charset { name: "UTF-32LE", kind: Coding::Utf32(Order::Little) },
        };
        let (wide, order) = match self.kind {
            Coding::Utf16(order) if self.may_be_marked() => (false, order),
            Coding::Utf32(order) => (true, order),
            _ => return (*self, 0),
        };
        let marks: [&[u8]; 2] =
            if wide { [&[0, 0, 0xfe, 0xff], &[0xff, 0xfe, 0, 0]] } else { [&[0xfe, 0xff], &[0xff, 0xfe]] };
        let marked = marks.iter().position(|mark| front.starts_with(mark)).map(|place| place == 0);
        match (order, marked) {
            (Order::Marked(_), Some(big)) => (named(wide, big), self.unit()),
            (Order::Marked(big), None) => (named(wide, big), 0),
            (order, marked) => (*self, if marked == Some(order == Order::Big) { self.unit() } else { 0 }),
        }
    }

    /// Where the first line feed begins in whole units of `bytes`, which begin with one; looked for from `from` on.
    pub fn line_feed(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let (unit, big) = match self.kind {
            Coding::Utf16(order) => (2, order == Order::Big),
            Coding::Utf32(order) => (4, order == Order::Big),
            _ => return memchr::memchr(b'\n', bytes.get(from..)?).map(|found| from + found),
        };
        let mut from = from - from % unit;
        while let Some(found) = memchr::memchr(b'\n', bytes.get(from..)?) {
            let start = (from + found) / unit * unit;
            let whole = bytes.get(start..start + unit)?.iter();
            let digit = |code: u32, byte: &u8| code << 8 | u32::from(*byte);
            let code = if big { whole.fold(0, digit) } else { whole.rfold(0, digit) };
            if code == u32::from(b'\n') {
                return Some(start);
            }
            from = start + unit;
        }
        None
    }

    /// Whether text of ASCII alone has the same bytes in it.
    fn keeps_ascii(&self) -> bool {
        match self.kind {
            Coding::Ascii | Coding::Latin1 | Coding::Utf8 | Coding::Single(..) => true,
            Coding::Utf16(_) | Coding::Utf32(_) => false,
            // A sign that switches to another charset is ASCII.
            Coding::Many(encoding) => encoding != encoding_rs::ISO_2022_JP,
        }
    }
}

impl PartialEq for Charset {
    fn eq(&self, other: &Charset) -> bool {
        self.name == other.name
    }
}

impl Eq for Charset {}

#[cfg(test)]
mod tests;

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

use single::{Rest, Single};
use std::borrow::Cow;

/// A charset, by any name that `Charset.forName` knows for it.
#[derive(Debug, Clone, Copy)]
pub struct Charset {
    name: &'static str,
    kind: Kind,
}

/// How bytes stand for characters.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Ascii,
    Latin1,
    Utf8,
    Utf16(Order),
    Utf32(Order),
    /// One byte for each character.
    Single(&'static encoding_rs::Encoding, Rest),
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
    pub const UTF_8: Charset = Charset { name: "UTF-8", kind: Kind::Utf8 };

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
        if (self.keeps_ascii() && bytes.is_ascii() || matches!(self.kind, Kind::Utf8))
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
        if self.keeps_ascii() && text.is_ascii() || matches!(self.kind, Kind::Utf8) {
            return Cow::Borrowed(text.as_bytes());
        }
        Cow::Owned(encode::encode(self.kind, text))
    }

    /// Whether a line feed is one byte that stands for nothing else, so that lines can be told apart without decoding.
    pub fn keeps_lines(&self) -> bool {
        !matches!(self.kind, Kind::Utf16(_) | Kind::Utf32(_))
    }

    /// Whether text of ASCII alone has the same bytes in it.
    fn keeps_ascii(&self) -> bool {
        match self.kind {
            Kind::Ascii | Kind::Latin1 | Kind::Utf8 | Kind::Single(..) => true,
            Kind::Utf16(_) | Kind::Utf32(_) => false,
            // A sign that switches to another charset is ASCII.
            Kind::Many(encoding) => encoding != encoding_rs::ISO_2022_JP,
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

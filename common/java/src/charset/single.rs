//! Charsets with one byte for each character.

use encoding_rs::{Encoding, KOI8_U, WINDOWS_1255};

/// What each byte from 128 on stands for.
#[derive(Debug)]
pub(super) struct Single([Option<char>; 128]);

/// What Java has where the Web takes a byte from 128 to 159 for the control character of that number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unassigned {
    /// The control characters, all of them.
    Controls,
    /// Nothing.
    Free,
    /// Nothing, nor for any other byte up to 159.
    Empty,
}

impl Single {
    pub(super) fn new(encoding: &'static Encoding, unassigned: Unassigned) -> Single {
        Single(std::array::from_fn(|index| Single::char(encoding, unassigned, index as u8 | 0x80)))
    }

    fn char(encoding: &'static Encoding, unassigned: Unassigned, byte: u8) -> Option<char> {
        match (unassigned, byte) {
            (Unassigned::Controls, ..0xa0) => return Some(byte.into()),
            (Unassigned::Empty, ..0xa0) => return None,
            _ => {}
        }
        if let Some((.., char)) = JAVAS.iter().find(|(other, at, _)| *other == encoding && *at == byte) {
            return *char;
        }
        let bytes = [byte];
        let text = encoding.decode_without_bom_handling_and_without_replacement(&bytes)?;
        text.chars().next().filter(|char| !char.is_control())
    }

    /// The character of a byte; none if it stands for none.
    pub(super) fn decode(&self, byte: u8) -> Option<char> {
        if byte.is_ascii() { Some(byte.into()) } else { self.0[usize::from(byte & 0x7f)] }
    }

    /// The byte of a character.
    pub(super) fn encode(&self, char: char) -> Option<u8> {
        if char.is_ascii() {
            return Some(char as u8);
        }
        self.0.iter().position(|known| *known == Some(char)).map(|index| index as u8 | 0x80)
    }
}

/// What else differs between Java's charset and the Web's.
static JAVAS: [(&Encoding, u8, Option<char>); 3] =
    [(KOI8_U, 0xae, Some('╝')), (KOI8_U, 0xbe, Some('╬')), (WINDOWS_1255, 0xca, None)];

//! From UTF-8 to the bytes of a charset.

use super::{Coding, Order, Single};
use encoding_rs::{EncoderResult, Encoding};

/// The bytes of `text`; `?` stands for what the charset has not.
pub(super) fn encode(kind: Coding, text: &str) -> Vec<u8> {
    let byte = |most: u32| {
        text.chars().map(move |char| match u32::from(char) {
            code if code <= most => code as u8,
            _ => b'?',
        })
    };
    match kind {
        Coding::Ascii => byte(0x7f).collect(),
        Coding::Latin1 => byte(0xff).collect(),
        Coding::Utf8 => text.as_bytes().to_vec(),
        Coding::Utf16(order) => {
            // Java begins with a byte order mark where one decides.
            let mark = matches!(order, Order::Marked(_)).then_some(0xfeff);
            let units = mark.into_iter().filter(|_| !text.is_empty()).chain(text.encode_utf16());
            units
                .flat_map(|unit| if order.is_big() { unit.to_be_bytes() } else { unit.to_le_bytes() })
                .collect()
        }
        Coding::Utf32(order) => {
            let codes = text.chars().map(u32::from);
            codes
                .flat_map(|code| if order.is_big() { code.to_be_bytes() } else { code.to_le_bytes() })
                .collect()
        }
        Coding::Single(encoding, rest) => {
            let table = Single::new(encoding, rest);
            text.chars().map(|char| table.encode(char).unwrap_or(b'?')).collect()
        }
        Coding::Many(encoding) => many(encoding, text),
    }
}

fn many(encoding: &'static Encoding, mut text: &str) -> Vec<u8> {
    let (mut encoder, mut out) = (encoding.new_encoder(), Vec::with_capacity(2 * text.len() + 16));
    loop {
        let (result, read) = encoder.encode_from_utf8_to_vec_without_replacement(text, &mut out, true);
        text = &text[read..];
        match result {
            EncoderResult::InputEmpty => return out,
            EncoderResult::OutputFull => out.reserve(2 * text.len() + 16),
            EncoderResult::Unmappable(_) => out.push(b'?'),
        }
    }
}

impl Order {
    fn is_big(self) -> bool {
        matches!(self, Order::Big | Order::Marked(true))
    }
}

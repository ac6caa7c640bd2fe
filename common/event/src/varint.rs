//! Avro's zig-zag variable-length integers.

use crate::Malformed;
use bytes::BytesMut;

/// A number in Avro's form for `int` and `long`: zig-zag, seven bits a byte, least significant first.
#[derive(Debug, Clone, Copy)]
pub struct Zigzag {
    bytes: [u8; MAX_VARINT_BYTES],
    used: usize,
}

impl Zigzag {
    /// Encodes `value`.
    #[inline]
    pub fn new(value: i64) -> Zigzag {
        let mut rest = ((value << 1) ^ (value >> 63)) as u64;
        let mut bytes = [0; MAX_VARINT_BYTES];
        let mut used = 0;
        while rest >= 0x80 {
            bytes[used] = rest as u8 | 0x80;
            rest >>= 7;
            used += 1;
        }
        bytes[used] = rest as u8;
        Zigzag { bytes, used: used + 1 }
    }
}

impl std::ops::Deref for Zigzag {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.bytes[..self.used]
    }
}

/// Appends `value` in Avro's form.
#[inline]
pub fn push_zigzag(out: &mut BytesMut, value: i64) {
    out.extend_from_slice(&Zigzag::new(value));
}

/// Reads a `long` at `*at` and moves `at` behind it.
///
/// # Errors
/// [`Malformed::Short`] when the bytes end within it, [`Malformed::Number`] when it has more than ten bytes.
#[inline]
pub fn read_zigzag(bytes: &[u8], at: &mut usize) -> Result<i64, Malformed> {
    // Nearly all numbers of an event have one byte or two.
    let value = match bytes.get(*at..).unwrap_or_default() {
        [low, ..] if *low < 0x80 => {
            *at += 1;
            u64::from(*low)
        }
        [low, high, ..] if *high < 0x80 => {
            *at += 2;
            u64::from(*low & 0x7f) | u64::from(*high) << 7
        }
        rest => read_varint(rest, at)?,
    };
    Ok((value >> 1) as i64 ^ -((value & 1) as i64))
}

/// A number of any length at the front of `rest`.
#[inline(never)]
fn read_varint(rest: &[u8], at: &mut usize) -> Result<u64, Malformed> {
    let mut value = 0;
    for (place, byte) in rest.iter().take(MAX_VARINT_BYTES).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            *at += place + 1;
            return Ok(value);
        }
    }
    Err(if rest.len() < MAX_VARINT_BYTES { Malformed::Short } else { Malformed::Number })
}

/// Reads a length (of a string, of bytes) and checks that so many bytes follow.
///
/// # Errors
/// As [`read_zigzag`]; [`Malformed::Length`] when it is negative, [`Malformed::Short`] when fewer bytes follow.
#[inline]
pub fn read_length(bytes: &[u8], at: &mut usize) -> Result<usize, Malformed> {
    let length = usize::try_from(read_zigzag(bytes, at)?).map_err(|_| Malformed::Length)?;
    if bytes.len() - *at < length { Err(Malformed::Short) } else { Ok(length) }
}

/// 64 bits in groups of seven.
const MAX_VARINT_BYTES: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_number_reads_back_and_every_cut_is_short(value: i64) {
            let bytes = Zigzag::new(value);
            let mut at = 0;
            prop_assert_eq!(read_zigzag(&bytes, &mut at), Ok(value));
            prop_assert_eq!(at, bytes.len());
            for cut in 0..bytes.len() {
                prop_assert_eq!(read_zigzag(&bytes[..cut], &mut 0), Err(Malformed::Short));
            }
        }
    }

    #[test]
    fn more_than_ten_bytes_are_no_number() {
        assert_eq!(read_zigzag(&[0xff; 11], &mut 0), Err(Malformed::Number));
        assert_eq!(read_length(&[0x01], &mut 0), Err(Malformed::Length));
    }
}

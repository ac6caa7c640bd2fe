//! Avro's types that occur in a handshake and around a call, read in place.

use event::{Malformed, read_block, read_length, read_zigzag};

/// A string, or bytes: they look alike.
pub(crate) fn string<'a>(bytes: &'a [u8], at: &mut usize) -> Result<&'a [u8], Malformed> {
    let length = read_length(bytes, at)?;
    let start = *at;
    *at += length;
    Ok(&bytes[start..*at])
}

/// `N` bytes as they stand.
pub(crate) fn fixed<const N: usize>(bytes: &[u8], at: &mut usize) -> Result<[u8; N], Malformed> {
    let found = bytes.get(*at..).and_then(|rest| rest.first_chunk()).ok_or(Malformed::Short)?;
    *at += N;
    Ok(*found)
}

/// Something that may be null: a union of null and one other type.
pub(crate) fn nullable<T>(
    bytes: &[u8],
    at: &mut usize,
    read: impl FnOnce(&mut usize) -> Result<T, Malformed>,
) -> Result<Option<T>, Malformed> {
    match read_zigzag(bytes, at)? {
        0 => Ok(None),
        1 => read(at).map(Some),
        _ => Err(Malformed::Choice),
    }
}

/// Each entry of a map of strings or bytes, in any number of blocks.
pub(crate) fn map<'a>(
    bytes: &'a [u8],
    at: &mut usize,
    mut entry: impl FnMut(&'a [u8], &'a [u8]),
) -> Result<(), Malformed> {
    loop {
        let count = read_block(bytes, at)?;
        if count == 0 {
            return Ok(());
        }
        // Each entry takes two bytes or more: a count that lies runs out of bytes.
        for _ in 0..count {
            let key = string(bytes, at)?;
            entry(key, string(bytes, at)?);
        }
    }
}

//! One event, looked at in place.

use crate::{
    batch::Span,
    varint::{read_length, read_zigzag},
};

/// A view of one event of a [`crate::Batch`]: nothing is copied, headers are walked and not parsed.
#[derive(Clone, Copy)]
pub struct Event<'a> {
    pub(crate) bytes: &'a [u8], // the event alone as it came, from its header map to the end of its body
    pub(crate) body: usize,
    pub(crate) map: &'a [u8], // begins with its header map
    pub(crate) received: u32,
}

impl<'a> Event<'a> {
    /// The body, as it was born.
    pub fn body(&self) -> &'a [u8] {
        self.bytes.get(self.body..).unwrap_or_default()
    }

    /// Bytes that begin with the header map.
    pub fn map(&self) -> &'a [u8] {
        self.map
    }

    /// The headers in the order in which they were written.
    pub fn headers(&self) -> Headers<'a> {
        Headers::of(self.map)
    }

    /// The value of `key`, the last one where a peer wrote it twice.
    pub fn header(&self, key: &str) -> Option<&'a str> {
        self.headers()
            .filter(|(name, _)| *name == key.as_bytes())
            .last()
            .and_then(|(_, value)| std::str::from_utf8(value).ok())
    }

    /// The header map in its Avro form, with its final `00`.
    pub fn header_bytes(&self) -> &'a [u8] {
        let mut at = 0;
        match scan_map(self.map, &mut at) {
            Ok(_) => &self.map[..at],
            Err(_) => &[],
        }
    }

    /// Whether [`Event::header_bytes`] is `map`; never, when that is empty. Does not walk it.
    #[inline]
    pub fn has_header_bytes(&self, map: &[u8]) -> bool {
        // A header map says itself where it ends, so none is the beginning of another one.
        !map.is_empty() && self.map.starts_with(map)
    }

    /// How many headers it had when it was decoded from a peer; [`Span::BORN_HERE`] when it was not.
    pub fn received(&self) -> u32 {
        self.received
    }
}

/// A header's name and value.
type Header<'a> = (&'a [u8], &'a [u8]);

/// The headers of an event. Ends early, without a word, at bytes that are no header map: whoever made the batch has
/// checked them.
pub struct Headers<'a> {
    bytes: &'a [u8],
    at: usize,
    left: u64,
    ended: bool,
}

impl<'a> Headers<'a> {
    /// Those of the header map that `bytes` begin with; [`scan_map`] has checked it.
    pub fn of(bytes: &'a [u8]) -> Headers<'a> {
        Headers { bytes, at: 0, left: 0, ended: false }
    }

    fn step(&mut self) -> Result<Option<Header<'a>>, Malformed> {
        if self.left == 0 {
            self.left = read_block(self.bytes, &mut self.at)?;
        }
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let key = string(self.bytes, &mut self.at)?;
        Ok(Some((key, string(self.bytes, &mut self.at)?)))
    }
}

impl<'a> Iterator for Headers<'a> {
    type Item = Header<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let item = self.step().ok().flatten();
        self.ended = item.is_none();
        item
    }
}

/// Why bytes are not what they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// They end too early.
    Short,
    /// A number of more than 64 bits.
    Number,
    /// A length below zero.
    Length,
    /// More than a batch can hold: 4 GiB, or 2^32 entries in a header map.
    Large,
    /// A choice (of a union, of an enum) that does not exist.
    Choice,
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Malformed::Short => "the bytes end within an event",
            Malformed::Number => "a number has more than 64 bits",
            Malformed::Length => "a length is negative",
            Malformed::Large => "more than one batch can hold",
            Malformed::Choice => "a choice that does not exist",
        })
    }
}

impl std::error::Error for Malformed {}

/// Checks events that stand in one buffer. Neighbours mostly have the same headers: a map that is, byte for byte, the one
/// of the event before is not walked again.
pub struct Scanner<'a> {
    bytes: &'a [u8],
    map: &'a [u8],
    received: u32,
    maps: u32, // that differed from the one before
}

impl<'a> Scanner<'a> {
    /// For events in `bytes`.
    pub fn new(bytes: &'a [u8]) -> Scanner<'a> {
        Scanner { bytes, map: &[], received: 0, maps: 0 }
    }

    /// The bytes of a header map, if all events so far had the same one.
    pub fn alike(&self) -> Option<u32> {
        (self.maps == 1).then_some(self.map.len() as u32) // as long as a span says, or less
    }

    /// Checks one event that begins at `*at`, moves `at` behind it and says where its parts are.
    ///
    /// # Errors
    /// [`Malformed`], with `at` somewhere within the event.
    #[inline(always)] // into the loop over a batch, where all of this stays in registers
    pub fn scan(&mut self, at: &mut usize) -> Result<Span, Malformed> {
        let start = *at;
        // A header map says itself where it ends, so none is the beginning of another one.
        if !self.map.is_empty() && self.bytes.get(start..).is_some_and(|rest| rest.starts_with(self.map)) {
            *at += self.map.len();
        } else {
            self.received = scan_map(self.bytes, at)?;
            self.map = &self.bytes[start..*at];
            self.maps = self.maps.saturating_add(1);
        }
        let length = read_length(self.bytes, at)?;
        let body = *at;
        *at += length;
        let small = |n: usize| u32::try_from(n).map_err(|_| Malformed::Large);
        Ok(Span { start: small(start)?, body: small(body)?, end: small(*at)?, received: self.received })
    }
}

/// Checks a map of strings (or of bytes: they look alike) at `*at`, moves `at` behind it, and counts its entries.
///
/// # Errors
/// [`Malformed`].
#[inline]
pub fn scan_map(bytes: &[u8], at: &mut usize) -> Result<u32, Malformed> {
    let mut entries = 0u32;
    loop {
        let count = read_block(bytes, at)?;
        if count == 0 {
            return Ok(entries);
        }
        // Each entry takes two bytes or more, so a count that lies runs out of bytes, not of memory or time.
        for _ in 0..count {
            string(bytes, at)?;
            string(bytes, at)?;
            entries = entries.checked_add(1).ok_or(Malformed::Large)?;
        }
    }
}

/// Reads the head of a block of a map or an array at `*at`: how many items follow, none at its end. A negative count
/// has the block's size in bytes behind it, which is passed over.
///
/// # Errors
/// [`Malformed`].
#[inline]
pub fn read_block(bytes: &[u8], at: &mut usize) -> Result<u64, Malformed> {
    let count = read_zigzag(bytes, at)?;
    if count < 0 {
        read_zigzag(bytes, at)?;
    }
    Ok(count.unsigned_abs())
}

#[inline]
fn string<'a>(bytes: &'a [u8], at: &mut usize) -> Result<&'a [u8], Malformed> {
    let length = read_length(bytes, at)?;
    let start = *at;
    *at += length;
    Ok(&bytes[start..*at])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BatchBuilder;

    #[test]
    fn a_scanner_sees_each_event_as_if_it_stood_alone() {
        let mut builder = BatchBuilder::default();
        let maps: [&[(&str, &str)]; 6] =
            [&[("k", "v")], &[("k", "v")], &[("k", "v"), ("l", "w")], &[], &[], &[("k", "w")]];
        maps.iter().for_each(|map| builder.push(map.iter().copied(), b"body"));
        let batch = builder.finish();
        let (mut scanner, mut at, mut alone) = (Scanner::new(batch.buffer()), 0, 0);
        for map in maps {
            let span = scanner.scan(&mut at).expect("own bytes");
            assert_eq!(span, Scanner::new(batch.buffer()).scan(&mut alone).expect("own bytes"));
            assert_eq!(span.received as usize, map.len());
        }
        assert_eq!(scanner.scan(&mut at), Err(Malformed::Short), "there are no more");
    }
}

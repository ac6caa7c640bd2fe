//! Files of `lzop`, as the codec of hadoop-lzo writes them: a head, blocks without checksums, an end.

use runtime::clock;

/// What a file begins with.
pub(super) fn begin(out: &mut Vec<u8>) {
    out.extend_from_slice(&MAGIC);
    let head = out.len();
    for word in [VERSION, LIBRARY_VERSION, NEEDED_VERSION] {
        out.extend_from_slice(&word.to_be_bytes());
    }
    out.extend_from_slice(&[METHOD, LEVEL]);
    let seconds = clock::epoch_millis() / 1000;
    for word in [FLAGS, MODE, seconds as u32, (seconds >> 32) as u32] {
        out.extend_from_slice(&word.to_be_bytes());
    }
    out.push(0); // the length of a name
    let sum = adler32(&out[head..]);
    out.extend_from_slice(&sum.to_be_bytes());
}

/// Appends blocks: each the length of its bytes, the length of what they are packed to, and that. What does not shrink
/// stands there as it is.
pub(super) fn blocks(bytes: &[u8], out: &mut Vec<u8>) {
    let mut dict = lzokay::compress::Dict::new();
    for block in bytes.chunks(BLOCK) {
        let packed = lzokay::compress::compress_with_dict(block, &mut dict).ok();
        let stored = packed.as_deref().filter(|packed| packed.len() < block.len()).unwrap_or(block);
        for length in [block.len(), stored.len()] {
            out.extend_from_slice(&(length as u32).to_be_bytes());
        }
        out.extend_from_slice(stored);
    }
}

/// What a file ends with: a block of no bytes.
pub(super) fn end(out: &mut Vec<u8>) {
    out.extend_from_slice(&[0; 4]);
}

/// The checksum of a head, which is short.
fn adler32(bytes: &[u8]) -> u32 {
    let (low, high) = bytes.iter().fold((1, 0), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % ADLER;
        (low, (high + low) % ADLER)
    });
    high << 16 | low
}

const MAGIC: [u8; 9] = [0x89, b'L', b'Z', b'O', 0, b'\r', b'\n', 0x1a, b'\n'];
/// Of lzop, of its library, and the oldest lzop that can read it.
const VERSION: u16 = 0x1010;
const LIBRARY_VERSION: u16 = 0x2080;
const NEEDED_VERSION: u16 = 0x0940;
/// LZO1X-1 at its usual level.
const METHOD: u8 = 1;
const LEVEL: u8 = 5;
/// No checksums: HDFS has its own.
const FLAGS: u32 = 0;
/// A plain file, `rw-r--r--`.
const MODE: u32 = 0o100_644;
/// `io.compression.codec.lzo.buffersize`, unless set.
const BLOCK: usize = 256 << 10;
const ADLER: u32 = 65521;

/// What is in a whole file.
#[cfg(test)]
pub(crate) fn unpack(packed: &[u8]) -> Vec<u8> {
    let (head, mut rest) = packed.split_at(MAGIC.len() + 29);
    assert_eq!(head[..MAGIC.len()], MAGIC);
    let (words, sum) = head[MAGIC.len()..].split_at(25);
    assert_eq!(sum, adler32(words).to_be_bytes());
    let mut out = Vec::new();
    loop {
        let (length, after) = number(rest);
        if length == 0 {
            assert!(after.is_empty());
            return out;
        }
        let (size, after) = number(after);
        let (block, after) = after.split_at(size);
        let at = out.len();
        out.resize(at + length, 0);
        match size == length {
            true => out[at..].copy_from_slice(block),
            false => assert_eq!(lzokay::decompress::decompress(block, &mut out[at..]), Ok(length)),
        }
        rest = after;
    }
}

#[cfg(test)]
fn number(bytes: &[u8]) -> (usize, &[u8]) {
    let (number, rest) = bytes.split_first_chunk::<4>().expect("a length");
    (u32::from_be_bytes(*number) as usize, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_do_not_shrink_stand_as_they_are() {
        let mut out = Vec::new();
        blocks(b"ab", &mut out);
        assert_eq!(out, b"\0\0\0\x02\0\0\0\x02ab");
        let mut out = Vec::new();
        blocks(&[b'a'; BLOCK + 1], &mut out);
        let (length, rest) = number(&out);
        let (size, rest) = number(rest);
        assert!(length == BLOCK && size < BLOCK / 50, "{length} to {size}");
        assert_eq!(rest[size..], *b"\0\0\0\x01\0\0\0\x01a");
    }

    #[test]
    fn the_sum_is_adlers() {
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
    }
}

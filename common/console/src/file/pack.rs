//! What a rolled file is compressed to: gzip, or a zip archive with one file. No name of a file is decided here.
//!
//! Source: RFC 1952; PKWARE's APPNOTE, sections 4.3.7 to 4.3.16, as Java's `ZipOutputStream` writes it.

use flate2::{
    Compression, Crc,
    write::{DeflateEncoder, GzEncoder},
};
use jiff::{Timestamp, tz::TimeZone};
use std::io::{self, ErrorKind, Read, Write};

/// How rolled files are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Compress {
    pub(super) into: Archive,
    /// 0 to 9, as zlib has it.
    pub(super) level: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Archive {
    Gzip,
    Zip,
}

impl Compress {
    /// What the end of a name asks for.
    pub(super) fn asked(name: &str) -> Option<Compress> {
        let into = [Archive::Gzip, Archive::Zip].into_iter().find(|into| name.ends_with(into.end()))?;
        Some(Compress { into, level: USUAL_LEVEL })
    }

    /// Compresses `from`, which is called `name`, at `millis` since 1970.
    ///
    /// # Errors
    /// What the system said, or that the file is too large for a zip archive.
    pub(super) fn pack(
        self,
        from: &mut impl Read,
        to: &mut impl Write,
        name: &str,
        millis: i64,
    ) -> io::Result<()> {
        let level = Compression::new(self.level);
        match self.into {
            Archive::Gzip => {
                let mut packed = GzEncoder::new(to, level);
                copy(from, &mut packed)?;
                packed.finish().map(drop)
            }
            Archive::Zip => zip(from, to, level, &Entry::new(name, millis)?),
        }
    }
}

impl Archive {
    /// What the names of such files end in.
    pub(super) fn end(self) -> &'static str {
        match self {
            Archive::Gzip => ".gz",
            Archive::Zip => ".zip",
        }
    }
}

/// The one file of an archive.
struct Entry<'a> {
    name: &'a str,
    name_bytes: u16,
    /// Date and time as DOS has them, local.
    stamp: u32,
}

impl<'a> Entry<'a> {
    fn new(name: &'a str, millis: i64) -> io::Result<Entry<'a>> {
        let name_bytes = name.len().try_into().map_err(|_| too_large())?;
        Ok(Entry { name, name_bytes, stamp: dos_stamp(millis) })
    }

    /// What the header in front of the file and the entry in the directory have in common.
    fn push(&self, out: &mut Vec<u8>, crc: u32, packed: u32, plain: u32) {
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&FLAGS.to_le_bytes());
        out.extend_from_slice(&DEFLATED.to_le_bytes());
        for number in [self.stamp, crc, packed, plain] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&self.name_bytes.to_le_bytes());
        out.extend_from_slice(&[0; 2]); // no more fields
    }
}

fn zip(from: &mut impl Read, to: &mut impl Write, level: Compression, entry: &Entry<'_>) -> io::Result<()> {
    let mut head = b"PK\x03\x04".to_vec();
    entry.push(&mut head, 0, 0, 0); // they stand behind the file
    head.extend_from_slice(entry.name.as_bytes());
    to.write_all(&head)?;

    let mut packed = DeflateEncoder::new(&mut *to, level);
    let (crc, plain_bytes) = copy(from, &mut packed)?;
    packed.try_finish()?;
    let packed_bytes = packed.total_out();
    drop(packed);
    let small = |bytes: u64| u32::try_from(bytes).map_err(|_| too_large());
    let (packed, plain) = (small(packed_bytes)?, small(plain_bytes)?);

    let mut tail = b"PK\x07\x08".to_vec();
    for number in [crc, packed, plain] {
        tail.extend_from_slice(&number.to_le_bytes());
    }
    let directory_at = small(head.len() as u64 + packed_bytes + tail.len() as u64)?;
    let before = tail.len();
    tail.extend_from_slice(b"PK\x01\x02");
    tail.extend_from_slice(&VERSION.to_le_bytes());
    entry.push(&mut tail, crc, packed, plain);
    tail.extend_from_slice(&[0; 14]); // no comment, the first disk, no attributes, at the very beginning
    tail.extend_from_slice(entry.name.as_bytes());
    let directory_bytes = small((tail.len() - before) as u64)?;
    tail.extend_from_slice(b"PK\x05\x06\0\0\0\0\x01\0\x01\0"); // one disk, one entry
    tail.extend_from_slice(&directory_bytes.to_le_bytes());
    tail.extend_from_slice(&directory_at.to_le_bytes());
    tail.extend_from_slice(&[0; 2]); // no comment
    to.write_all(&tail)
}

/// Copies all, and gives its checksum and how many bytes it has.
fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<(u32, u64)> {
    let (mut crc, mut bytes, mut buffer) = (Crc::new(), 0, vec![0; BUFFER_BYTES]);
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => return Ok((crc.sum(), bytes)),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        crc.update(&buffer[..read]);
        bytes += read as u64;
        to.write_all(&buffer[..read])?;
    }
}

/// The date in the upper half, the time, to two seconds, in the lower one. Nothing is older than 1980.
fn dos_stamp(millis: i64) -> u32 {
    let time = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH);
    let time = time.to_zoned(TimeZone::system());
    let part = |number: i8| u32::from(number.unsigned_abs());
    let Some(year) = u32::try_from(time.year()).ok().and_then(|year| year.checked_sub(1980)) else {
        return 1 << 21 | 1 << 16;
    };
    let date = year << 9 | part(time.month()) << 5 | part(time.day());
    date << 16 | part(time.hour()) << 11 | part(time.minute()) << 5 | (part(time.second()) / 2)
}

fn too_large() -> io::Error {
    io::Error::new(ErrorKind::FileTooLarge, "it is too large for a zip archive (4 GiB)")
}

/// zlib's own, which log4j takes when nothing is said.
const USUAL_LEVEL: u32 = 6;

/// Of the format: 2.0.
const VERSION: u16 = 20;

/// Sizes stand behind the file, and its name is UTF-8.
const FLAGS: u16 = 0x0808;

const DEFLATED: u16 = 8;

const BUFFER_BYTES: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::{DeflateDecoder, GzDecoder};

    fn packed(into: Archive, level: u32, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        Compress { into, level }.pack(&mut &*text, &mut out, "flume.log.1", 1_542_097_921_007).unwrap();
        out
    }

    fn text() -> Vec<u8> {
        (0..20_000).flat_map(|line| format!("line {line}\n").into_bytes()).collect()
    }

    #[test]
    fn what_is_packed_is_there_again() {
        for level in [0, 6, 9] {
            let mut plain = Vec::new();
            GzDecoder::new(&packed(Archive::Gzip, level, &text())[..]).read_to_end(&mut plain).unwrap();
            assert_eq!(plain, text());
            let zipped = packed(Archive::Zip, level, &text());
            let (mut plain, front) = (Vec::new(), 30 + "flume.log.1".len());
            DeflateDecoder::new(&zipped[front..]).read_to_end(&mut plain).unwrap();
            assert_eq!(plain, text());
        }
        assert!(packed(Archive::Gzip, 9, &text()).len() < packed(Archive::Gzip, 1, &text()).len());
    }

    #[test]
    fn a_directory_tells_of_the_one_file() {
        let zipped = packed(Archive::Zip, 6, &text());
        let number = |at: usize| u32::from_le_bytes(zipped[at..at + 4].try_into().unwrap()) as usize;
        let end = zipped.len() - 22;
        let (bytes, at) = (number(end + 12), number(end + 16));
        assert_eq!((&zipped[at..at + 4], at + bytes), (&b"PK\x01\x02"[..], end));
        assert_eq!((number(at + 24), &zipped[at + 46..end]), (text().len(), &b"flume.log.1"[..]));
        assert_eq!(&zipped[at - 16..at - 12], b"PK\x07\x08");
        assert_eq!(zipped[at - 12..at], zipped[at + 16..at + 28]);
    }

    #[test]
    fn only_two_ends_ask_for_it() {
        let end = |name| Compress::asked(name).map(|compress| compress.into.end());
        assert_eq!(["a.gz", "a.zip", "a.bz2", "a"].map(end), [Some(".gz"), Some(".zip"), None, None]);
    }
}

//! How blocks are packed.

use bzip2::read::BzDecoder;
use bzip2::write::BzEncoder;
use flate2::read::DeflateDecoder;
use flate2::{Compress, Compression, Crc, FlushCompress, Status};
use lzma_rust2::{XzOptions, XzReader, XzWriter};
use ruzstd::decoding::StreamingDecoder;
use ruzstd::encoding::{CompressionLevel, compress};
use std::io::{self, Read, Write};

/// What a file's blocks are packed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// Nothing.
    Null,
    /// Deflate, without a head of zlib's.
    Deflate,
    /// Snappy, and the CRC-32 of what was packed.
    Snappy,
    /// bzip2.
    Bzip2,
    /// xz.
    Xz,
    /// Zstandard.
    Zstandard,
}

impl Codec {
    /// All that Avro 1.11 has.
    pub const ALL: [Codec; 6] =
        [Codec::Null, Codec::Deflate, Codec::Snappy, Codec::Bzip2, Codec::Xz, Codec::Zstandard];

    /// As a file names it; Avro knows no other case.
    pub fn for_name(name: &str) -> Option<Codec> {
        Codec::ALL.into_iter().find(|codec| codec.name() == name)
    }

    /// As a file names it.
    pub fn name(self) -> &'static str {
        match self {
            Codec::Null => "null",
            Codec::Deflate => "deflate",
            Codec::Snappy => "snappy",
            Codec::Bzip2 => "bzip2",
            Codec::Xz => "xz",
            Codec::Zstandard => "zstandard",
        }
    }

    /// Replaces what `out` holds by what was packed into `packed`, `most` bytes at most.
    ///
    /// # Errors
    /// It was not packed with this codec, or is larger than that.
    pub fn unpack(self, packed: &[u8], most: usize, out: &mut Vec<u8>) -> io::Result<()> {
        out.clear();
        match self {
            Codec::Null => read_to(packed, most, out),
            Codec::Deflate => read_to(DeflateDecoder::new(packed), most, out),
            Codec::Snappy => unpack_snappy(packed, most, out),
            Codec::Bzip2 => read_to(BzDecoder::new(packed), most, out),
            Codec::Xz => read_to(XzReader::new_mem_limit(packed, false, MOST_XZ_KIB), most, out),
            Codec::Zstandard => {
                let reader = StreamingDecoder::new_with_max_window_size(packed, MOST_ZSTD_WINDOW);
                read_to(reader.map_err(io::Error::other)?, most, out)
            }
        }
    }
}

fn read_to(reader: impl Read, most: usize, out: &mut Vec<u8>) -> io::Result<()> {
    reader.take(most as u64 + 1).read_to_end(out)?;
    if out.len() > most { Err(too_large(most)) } else { Ok(()) }
}

fn unpack_snappy(packed: &[u8], most: usize, out: &mut Vec<u8>) -> io::Result<()> {
    let Some((packed, sum)) = packed.split_last_chunk::<4>() else {
        return Err(io::ErrorKind::UnexpectedEof.into());
    };
    let length = snap::raw::decompress_len(packed)?;
    if length > most {
        return Err(too_large(most));
    }
    out.resize(length, 0);
    let length = snap::raw::Decoder::new().decompress(packed, out)?;
    out.truncate(length);
    if checksum(out) != *sum {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "its checksum is another one"));
    }
    Ok(())
}

fn too_large(most: usize) -> io::Error {
    let text = format!("it unpacks to more than {} MiB", most >> 20);
    io::Error::new(io::ErrorKind::InvalidData, text)
}

fn checksum(bytes: &[u8]) -> [u8; 4] {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum().to_be_bytes()
}

/// Packs blocks, at the levels that Java's Avro takes unless told otherwise; Zstandard at the one that is here, its
/// fastest.
#[derive(Debug)]
pub struct Packer {
    codec: Codec,
    deflate: Option<Box<Compress>>,
    block: Vec<u8>,
    packed: Vec<u8>,
}

impl Packer {
    /// For the blocks of one file after another.
    pub fn new(codec: Codec) -> Packer {
        let deflate =
            (codec == Codec::Deflate).then(|| Box::new(Compress::new(Compression::default(), false)));
        Packer { codec, deflate, block: Vec::new(), packed: Vec::new() }
    }

    /// What packs them.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// The block that `pieces` make up together, packed.
    ///
    /// # Errors
    /// The codec's; none is known for bytes that are written to memory.
    pub fn pack<P: AsRef<[u8]>>(&mut self, pieces: impl IntoIterator<Item = P>) -> io::Result<&[u8]> {
        self.packed.clear();
        if let Some(compress) = &mut self.deflate {
            deflate(compress, pieces, &mut self.packed)?;
        } else {
            self.block.clear();
            pieces.into_iter().for_each(|piece| self.block.extend_from_slice(piece.as_ref()));
            pack_whole(self.codec, &self.block, &mut self.packed)?;
        }
        Ok(&self.packed)
    }
}

fn pack_whole(codec: Codec, block: &[u8], mut out: &mut Vec<u8>) -> io::Result<()> {
    match codec {
        Codec::Null | Codec::Deflate => out.extend_from_slice(block), // the latter is packed piece by piece
        Codec::Snappy => {
            out.resize(snap::raw::max_compress_len(block.len()), 0);
            let length = snap::raw::Encoder::new().compress(block, out)?;
            out.truncate(length);
            out.extend_from_slice(&checksum(block));
        }
        Codec::Bzip2 => {
            let mut encoder = BzEncoder::new(out, bzip2::Compression::best());
            encoder.write_all(block)?;
            encoder.finish()?;
        }
        Codec::Xz => {
            let mut options = XzOptions::with_preset(XZ_PRESET);
            // A dictionary larger than the block takes memory and finds nothing more.
            let enough = u32::try_from(block.len().next_power_of_two()).unwrap_or(u32::MAX);
            let dictionary = &mut options.lzma_options.dict_size;
            *dictionary = enough.max(LEAST_DICTIONARY).min(*dictionary);
            let mut writer = XzWriter::new(out, options)?;
            writer.write_all(block)?;
            writer.finish()?;
        }
        Codec::Zstandard => compress(block, &mut out, CompressionLevel::Fastest),
    }
    Ok(())
}

fn deflate<P: AsRef<[u8]>>(
    compress: &mut Compress,
    pieces: impl IntoIterator<Item = P>,
    packed: &mut Vec<u8>,
) -> io::Result<()> {
    compress.reset();
    for piece in pieces {
        let (piece, begin) = (piece.as_ref(), compress.total_in());
        loop {
            let rest = &piece[(compress.total_in() - begin) as usize..];
            if rest.is_empty() {
                break;
            }
            step(compress, rest, packed, FlushCompress::None)?;
        }
    }
    while step(compress, &[], packed, FlushCompress::Finish)? != Status::StreamEnd {}
    Ok(())
}

/// Packs what there is room for, and sees to it that there is some.
fn step(
    compress: &mut Compress,
    rest: &[u8],
    packed: &mut Vec<u8>,
    flush: FlushCompress,
) -> io::Result<Status> {
    if packed.capacity() == packed.len() {
        packed.reserve(packed.len().max(64));
    }
    compress.compress_vec(rest, packed, flush).map_err(io::Error::other)
}

/// `CodecFactory.DEFAULT_XZ_LEVEL`.
const XZ_PRESET: u32 = 6;
/// Of LZMA2.
const LEAST_DICTIONARY: u32 = 4 << 10;
/// What reading xz may take, in KiB: the largest preset, 9, needs 64 MiB and a little.
const MOST_XZ_KIB: u32 = 80 << 10;
/// What readers of Zstandard accept unless told otherwise: 8 MiB by the standard, 128 MiB by the tool.
const MOST_ZSTD_WINDOW: u64 = 128 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn samples() -> Vec<Vec<u8>> {
        let mut state = 7u64;
        let mut noise = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 40) as u8
        };
        let text = b"Header, body, header, body. ".repeat(3000);
        vec![vec![], b"a".to_vec(), text, (0..70_000).map(|_| noise()).collect()]
    }

    #[test]
    fn what_is_packed_comes_out_again() {
        for codec in Codec::ALL {
            let mut packer = Packer::new(codec);
            for sample in samples() {
                let (one, two) = sample.split_at(sample.len() / 3);
                let packed = packer.pack([one, two]).unwrap();
                let mut back = b"what was there before".to_vec();
                codec.unpack(packed, sample.len(), &mut back).unwrap();
                assert!(back == sample, "{codec:?}, {} bytes", sample.len());
                assert_eq!(Codec::for_name(codec.name()), Some(codec));
            }
        }
    }

    #[test]
    fn what_is_cut_or_too_large_is_refused() {
        let text = b"the same again ".repeat(1000);
        for codec in Codec::ALL {
            let mut packer = Packer::new(codec);
            let packed = packer.pack([&text]).unwrap();
            let error = codec.unpack(packed, text.len() - 1, &mut Vec::new()).unwrap_err();
            assert!(error.to_string().contains("more than 0 MiB"), "{codec:?}: {error}");
            if codec == Codec::Null {
                continue;
            }
            for cut in (0..packed.len()).step_by(7) {
                let mut out = Vec::new();
                let refused = codec.unpack(&packed[..cut], text.len(), &mut out).is_err() || out != text;
                assert!(refused, "{codec:?} cut at {cut}");
            }
        }
    }
}

//! Hadoop's codecs: what is written between two flushes is packed on its own, so that a file that was cut off can be read up
//! to its last batch.

use super::lzop;
use bzip2::write::BzEncoder;
use flate2::write::{DeflateEncoder, ZlibEncoder};
use flate2::{Compression, Crc};
use ruzstd::encoding::{CompressionLevel, compress};
use std::io::Write;

/// A codec of Hadoop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    Default,
    Deflate,
    Gzip,
    Bzip2,
    Snappy,
    Lz4,
    Zstandard,
    Lzo,
    Lzop,
}

impl Codec {
    /// All that there are.
    pub(crate) const ALL: [Codec; 9] = [
        Codec::Default,
        Codec::Deflate,
        Codec::Gzip,
        Codec::Bzip2,
        Codec::Snappy,
        Codec::Lz4,
        Codec::Zstandard,
        Codec::Lzo,
        Codec::Lzop,
    ];

    /// As `hdfs.codeC` names it: by its class, by the class without its package, or by that without `Codec`, the latter two in
    /// any case.
    pub(crate) fn for_name(name: &str) -> Option<Codec> {
        Codec::ALL.into_iter().find(|codec| {
            let simple = codec.class().rsplit('.').next().unwrap_or_default();
            let stem = simple.strip_suffix("Codec").unwrap_or(simple);
            name == codec.class() || name.eq_ignore_ascii_case(simple) || name.eq_ignore_ascii_case(stem)
        })
    }

    /// Its Java class, as a sequence file names it.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Codec::Default => "org.apache.hadoop.io.compress.DefaultCodec",
            Codec::Deflate => "org.apache.hadoop.io.compress.DeflateCodec",
            Codec::Gzip => "org.apache.hadoop.io.compress.GzipCodec",
            Codec::Bzip2 => "org.apache.hadoop.io.compress.BZip2Codec",
            Codec::Snappy => "org.apache.hadoop.io.compress.SnappyCodec",
            Codec::Lz4 => "org.apache.hadoop.io.compress.Lz4Codec",
            Codec::Zstandard => "org.apache.hadoop.io.compress.ZStandardCodec",
            Codec::Lzo => "com.hadoop.compression.lzo.LzoCodec",
            Codec::Lzop => "com.hadoop.compression.lzo.LzopCodec",
        }
    }

    /// What the names of its files end with.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Codec::Default | Codec::Deflate => ".deflate",
            Codec::Gzip => ".gz",
            Codec::Bzip2 => ".bz2",
            Codec::Snappy => ".snappy",
            Codec::Lz4 => ".lz4",
            Codec::Zstandard => ".zst",
            Codec::Lzo => ".lzo_deflate",
            Codec::Lzop => ".lzo",
        }
    }

    /// Appends what a file begins with.
    pub(crate) fn begin(self, out: &mut Vec<u8>) {
        if self == Codec::Lzop {
            lzop::begin(out);
        }
    }

    /// Appends what a file ends with.
    pub(crate) fn end(self, out: &mut Vec<u8>) {
        if self == Codec::Lzop {
            lzop::end(out);
        }
    }

    /// Appends `bytes`, packed. What several calls append may stand in one file, one behind the other.
    pub(crate) fn pack(self, bytes: &[u8], out: &mut Vec<u8>) {
        let packed = match self {
            Codec::Default | Codec::Deflate => {
                let mut encoder = ZlibEncoder::new(out, Compression::default());
                encoder.write_all(bytes).and_then(|()| encoder.finish().map(drop))
            }
            Codec::Gzip => gzip(bytes, out),
            Codec::Bzip2 => {
                let mut encoder = BzEncoder::new(out, bzip2::Compression::best());
                encoder.write_all(bytes).and_then(|()| encoder.finish().map(drop))
            }
            Codec::Snappy => {
                let mut encoder = snap::raw::Encoder::new();
                chunks(bytes, SNAPPY_CHUNK, out, |chunk, out| {
                    let at = out.len();
                    out.resize(at + snap::raw::max_compress_len(chunk.len()), 0);
                    let length = encoder.compress(chunk, &mut out[at..]).unwrap_or_default();
                    out.truncate(at + length);
                });
                Ok(())
            }
            Codec::Lz4 => {
                chunks(bytes, LZ4_CHUNK, out, |chunk, out| {
                    out.extend_from_slice(&lz4_flex::block::compress(chunk));
                });
                Ok(())
            }
            Codec::Zstandard => {
                compress(bytes, out, CompressionLevel::Fastest);
                Ok(())
            }
            Codec::Lzo => {
                let mut dict = lzokay::compress::Dict::new();
                chunks(bytes, LZO_CHUNK, out, |chunk, out| {
                    let packed = lzokay::compress::compress_with_dict(chunk, &mut dict);
                    out.extend_from_slice(&packed.unwrap_or_default());
                });
                Ok(())
            }
            Codec::Lzop => {
                lzop::blocks(bytes, out);
                Ok(())
            }
        };
        debug_assert!(packed.is_ok(), "memory takes all bytes");
    }
}

/// As Java writes it since 16: no name, no time, an unknown system.
fn gzip(bytes: &[u8], out: &mut Vec<u8>) -> std::io::Result<()> {
    out.extend_from_slice(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
    let mut encoder = DeflateEncoder::new(&mut *out, Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()?;
    let mut crc = Crc::new();
    crc.update(bytes);
    out.extend_from_slice(&crc.sum().to_le_bytes());
    out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    Ok(())
}

/// Hadoop's `BlockCompressorStream`: for each chunk its length, the length of what it is packed to, and that.
fn chunks(bytes: &[u8], most: usize, out: &mut Vec<u8>, mut pack: impl FnMut(&[u8], &mut Vec<u8>)) {
    for chunk in bytes.chunks(most) {
        out.extend_from_slice(&(chunk.len() as u32).to_be_bytes());
        let length_at = out.len();
        out.extend_from_slice(&[0; 4]);
        pack(chunk, out);
        let length = (out.len() - length_at - 4) as u32;
        out[length_at..length_at + 4].copy_from_slice(&length.to_be_bytes());
    }
}

/// Buffers of 256 KiB, less what a chunk may grow by.
const SNAPPY_CHUNK: usize = BUFFER - (BUFFER / 6 + 32);
const LZ4_CHUNK: usize = BUFFER - (BUFFER / 255 + 16);
const LZO_CHUNK: usize = BUFFER - (BUFFER / 16 + 64 + 3);
const BUFFER: usize = 256 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    /// Unpacks with other code than that which packs.
    fn unpack(codec: Codec, mut packed: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        match codec {
            Codec::Default | Codec::Deflate => {
                flate2::read::ZlibDecoder::new(packed).read_to_end(&mut out).unwrap();
            }
            Codec::Gzip => {
                flate2::read::MultiGzDecoder::new(packed).read_to_end(&mut out).unwrap();
            }
            Codec::Bzip2 => {
                bzip2::read::MultiBzDecoder::new(packed).read_to_end(&mut out).unwrap();
            }
            Codec::Zstandard => {
                while !packed.is_empty() {
                    ruzstd::decoding::StreamingDecoder::new(&mut packed)
                        .unwrap()
                        .read_to_end(&mut out)
                        .unwrap();
                }
            }
            Codec::Lzop => out = lzop::unpack(packed),
            Codec::Snappy | Codec::Lz4 | Codec::Lzo => {
                while let Some((lengths, rest)) = packed.split_first_chunk::<8>() {
                    let [length, size] =
                        [0, 4].map(|at| u32::from_be_bytes(lengths[at..at + 4].try_into().unwrap()));
                    let (chunk, after) = rest.split_at(size as usize);
                    let bytes = match codec {
                        Codec::Snappy => snap::raw::Decoder::new().decompress_vec(chunk).unwrap(),
                        Codec::Lzo => {
                            let mut bytes = vec![0; length as usize];
                            lzokay::decompress::decompress(chunk, &mut bytes).unwrap();
                            bytes
                        }
                        _ => lz4_flex::block::decompress(chunk, length as usize).unwrap(),
                    };
                    assert_eq!(bytes.len(), length as usize);
                    out.extend_from_slice(&bytes);
                    packed = after;
                }
                assert!(packed.is_empty());
            }
        }
        out
    }

    #[test]
    fn what_is_packed_twice_in_a_row_comes_out_as_one() {
        let long: Vec<u8> = (0..700_000u32).flat_map(|n| (n / 7).to_le_bytes()).collect();
        for codec in Codec::ALL {
            for (one, two) in [(&b"hello\n"[..], &b"world\n"[..]), (&long, b"end")] {
                let mut packed = Vec::new();
                codec.begin(&mut packed);
                codec.pack(one, &mut packed);
                if codec == Codec::Default || codec == Codec::Deflate {
                    // Readers of zlib end with the first stream: each is read on its own.
                    assert!(unpack(codec, &packed) == one);
                    packed.clear();
                    codec.pack(two, &mut packed);
                    assert!(unpack(codec, &packed) == two);
                    continue;
                }
                codec.pack(two, &mut packed);
                codec.end(&mut packed);
                assert!(unpack(codec, &packed) == [one, two].concat(), "{codec:?}");
            }
        }
    }

    #[test]
    fn a_codec_is_named_as_in_flume() {
        for (name, expected) in [
            ("gzip", Some(Codec::Gzip)),
            ("GZipCodec", Some(Codec::Gzip)),
            ("org.apache.hadoop.io.compress.SnappyCodec", Some(Codec::Snappy)),
            ("default", Some(Codec::Default)),
            ("bzip2", Some(Codec::Bzip2)),
            ("ZStandard", Some(Codec::Zstandard)),
            ("lz4", Some(Codec::Lz4)),
            ("lzo", Some(Codec::Lzo)),
            ("lzop", Some(Codec::Lzop)),
            ("com.hadoop.compression.lzo.LzopCodec", Some(Codec::Lzop)),
            ("brotli", None),
            ("None", None),
        ] {
            assert_eq!(Codec::for_name(name), expected, "{name}");
        }
    }

    #[test]
    fn gzip_begins_as_java_writes_it() {
        let mut out = Vec::new();
        Codec::Gzip.pack(b"x", &mut out);
        assert_eq!(out[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
    }
}

//! A container, read in place.

use super::{Codec, MAGIC, Marker};
use crate::avro::read::{fixed, map};
use event::{Malformed, Zigzag, read_zigzag};
use std::ops::Range;
use thiserror::Error;

/// Why a file cannot be read on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// It begins with something else.
    #[error("it is no Avro container file: it does not begin with `Obj` and 1")]
    NoContainer,
    /// Bytes that cannot stand there.
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
    /// It is packed with something that Avro 1.11 has not.
    #[error("its codec is `{0}`, which is none of Avro's")]
    Codec(String),
}

/// What stands in front of the blocks.
#[derive(Debug, Clone)]
pub struct Head {
    /// Bytes up to the first block.
    pub size: usize,
    /// What packs the blocks.
    pub codec: Codec,
    /// What stands behind each of them.
    pub sync: Marker,
    meta: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Head {
    /// What the file says of itself under `key`.
    pub fn meta(&self, key: &str) -> Option<&[u8]> {
        self.meta.iter().find(|(known, _)| known == key.as_bytes()).map(|(_, value)| &value[..])
    }
}

/// One block of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Records in it.
    pub records: u64,
    /// Where they stand, perhaps packed.
    pub data: Range<usize>,
    /// Where the next block begins.
    pub end: usize,
}

/// Reads the head at the front of `bytes`; `None` when more bytes are needed.
///
/// # Errors
/// [`Fault`].
pub fn head(bytes: &[u8]) -> Result<Option<Head>, Fault> {
    let known = bytes.len().min(MAGIC.len());
    if bytes[..known] != MAGIC[..known] {
        return Err(Fault::NoContainer);
    }
    let (mut at, mut meta) = (MAGIC.len(), Vec::new());
    let read = map(bytes, &mut at, |key, value| meta.push((key.to_vec(), value.to_vec())))
        .and_then(|()| fixed(bytes, &mut at));
    let sync = match read {
        Ok(sync) => sync,
        Err(Malformed::Short) => return Ok(None),
        Err(_) => return Err(Fault::Damaged("its head is no map of texts")),
    };
    let mut head = Head { size: at, codec: Codec::Null, sync, meta };
    if let Some(name) = head.meta("avro.codec").map(|name| String::from_utf8_lossy(name).into_owned()) {
        head.codec = Codec::for_name(&name).ok_or(Fault::Codec(name))?;
    }
    Ok(Some(head))
}

/// Appends a head to `out`, with these pairs in their order.
pub fn push_head(pairs: &[(&[u8], &[u8])], sync: &Marker, out: &mut Vec<u8>) {
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&Zigzag::new(pairs.len() as i64));
    for text in pairs.iter().flat_map(|(key, value)| [key, value]) {
        out.extend_from_slice(&Zigzag::new(text.len() as i64));
        out.extend_from_slice(text);
    }
    out.push(0);
    out.extend_from_slice(sync);
}

/// Finds the block at the front of `bytes`; `None` when more bytes are needed to see all of it.
///
/// # Errors
/// [`Fault`]; also when the block is larger than `most` bytes.
pub fn block(bytes: &[u8], sync: &Marker, most: usize) -> Result<Option<Block>, Fault> {
    let mut at = 0;
    let mut number = || match read_zigzag(bytes, &mut at) {
        Ok(number) => {
            u64::try_from(number).map(Some).map_err(|_| Fault::Damaged("a block has a negative size"))
        }
        Err(Malformed::Short) => Ok(None),
        Err(_) => Err(Fault::Damaged("a block begins with no number")),
    };
    let (Some(records), Some(size)) = (number()?, number()?) else { return Ok(None) };
    let Some(size) = usize::try_from(size).ok().filter(|size| *size <= most) else {
        return Err(Fault::Damaged("a block says that it is larger than any that is read here"));
    };
    let data = at..at + size;
    let Some(found) = bytes.get(data.end..data.end + sync.len()) else { return Ok(None) };
    if found != sync {
        return Err(Fault::Damaged("a block does not end with the marker of its file"));
    }
    Ok(Some(Block { records, end: data.end + sync.len(), data }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYNC: Marker = [7; 16];

    #[test]
    fn a_file_is_read_wherever_it_is_cut() {
        let mut file = Vec::new();
        let pairs: [(&[u8], &[u8]); 2] = [(b"avro.codec", b"deflate"), (b"file", b"/a")];
        push_head(&pairs, &SYNC, &mut file);
        let size = file.len();
        file.extend([4, 6, b'a', b'b', b'c']);
        file.extend(SYNC);
        for cut in 0..size {
            assert!(head(&file[..cut]).unwrap().is_none(), "cut at {cut}");
        }
        let found = head(&file).unwrap().unwrap();
        assert_eq!((found.size, found.codec, found.sync), (size, Codec::Deflate, SYNC));
        assert_eq!((found.meta("file"), found.meta("other")), (Some(&b"/a"[..]), None));
        let rest = &file[size..];
        for cut in 0..rest.len() {
            assert_eq!(block(&rest[..cut], &SYNC, 100), Ok(None), "cut at {cut}");
        }
        assert_eq!(block(rest, &SYNC, 100), Ok(Some(Block { records: 2, data: 2..5, end: rest.len() })));
    }

    #[test]
    fn files_of_javas_avro_are_read() {
        let files: [&[u8]; 4] = [
            include_bytes!("../../testdata/container/deflate.avro"),
            include_bytes!("../../testdata/container/snappy.avro"),
            include_bytes!("../../testdata/container/bzip2.avro"),
            include_bytes!("../../testdata/container/xz.avro"),
        ];
        for (file, codec) in files.into_iter().zip(&Codec::ALL[1..]) {
            let head = head(file).unwrap().unwrap();
            assert_eq!(head.codec, *codec);
            let schema = std::str::from_utf8(head.meta("avro.schema").unwrap()).unwrap();
            let schema = crate::container::Schema::parse(schema).unwrap();
            let (mut rest, mut records, mut blocks) = (&file[head.size..], Vec::new(), Vec::new());
            while !rest.is_empty() {
                let block = block(rest, &head.sync, 1000).unwrap().unwrap();
                codec.unpack(&rest[block.data], 10_000, &mut records).unwrap();
                let mut at = 0;
                (0..block.records).for_each(|_| at = schema.end_of(&records, at).unwrap());
                assert_eq!(at, records.len(), "{codec:?}");
                blocks.push(block.records);
                rest = &rest[block.end..];
            }
            assert_eq!(blocks, [20, 20]);
            assert!(records.ends_with(b"body body body 39"));
        }
    }

    #[test]
    fn what_is_no_container_is_told() {
        assert_eq!(head(b"Obx").unwrap_err(), Fault::NoContainer);
        let mut file = Vec::new();
        push_head(&[(b"avro.codec", b"lzo")], &SYNC, &mut file);
        assert_eq!(head(&file).unwrap_err(), Fault::Codec("lzo".into()));
        let told = |bytes: &[u8]| block(bytes, &SYNC, 100).unwrap_err().to_string();
        assert!(told(&[1, 0]).contains("negative"));
        assert!(told(&[0, 0xd0, 0x0f]).contains("larger"));
        assert!(told(&[0; 30]).contains("marker"));
    }
}

//! Flume's `.flumespool-main.meta`: an Avro container that names a file and has an offset for each time it was stored.
//!
//! What Flume does not write, the file's inode, stands beside the name; Flume passes over it.

use super::policy::Identity;
use event::Zigzag;
use runtime::random::Random;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use wire::container::{self, Marker, push_head};

/// What a meta file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Meta {
    /// The file that is read, below `spoolDir` as that is written.
    pub(super) path: PathBuf,
    /// Which one; Flume's meta files do not say.
    pub(super) id: Option<Identity>,
    /// Bytes whose events are stored.
    pub(super) offset: u64,
}

/// Reads a meta file. A record that was not written to its end is left out.
///
/// # Errors
/// What it is, if it is none.
pub(super) fn decode(bytes: &[u8]) -> Result<Meta, String> {
    let head = container::head(bytes).map_err(|fault| fault.to_string())?;
    let head = head.ok_or("it ends in the middle of its head")?;
    let path = head.meta("file").ok_or("it names no file")?;
    let id = head.meta("inode").and_then(|text| {
        let mut numbers = std::str::from_utf8(text).ok()?.split(':');
        let (device, inode) = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
        Some(Identity { device, inode, born: numbers.next().and_then(|born| born.parse().ok()) })
    });
    let mut meta = Meta { path: Path::new(OsStr::from_bytes(path)).to_owned(), id, offset: 0 };
    let mut rest = &bytes[head.size..];
    let mut record = Vec::new();
    while let Ok(Some(block)) = container::block(rest, &head.sync, bytes.len()) {
        if head.codec.unpack(&rest[block.data], MOST_BYTES, &mut record).is_ok() {
            let mut at = 0;
            for _ in 0..block.records {
                let Ok(offset) = event::read_zigzag(&record, &mut at) else { break };
                meta.offset = u64::try_from(offset).unwrap_or(0);
            }
        }
        rest = &rest[block.end..];
    }
    Ok(meta)
}

/// A new meta file, with the marker that its records end with.
pub(super) fn encode(meta: &Meta) -> (Vec<u8>, Marker) {
    let (mut random, mut sync) = (Random::from_system(), Marker::default());
    sync.chunks_exact_mut(8).for_each(|half| half.copy_from_slice(&random.next().to_be_bytes()));
    let inode = meta.id.map(|Identity { device, inode, born }| match born {
        Some(born) => format!("{device}:{inode}:{born}"),
        None => format!("{device}:{inode}"),
    });
    let mut pairs: Vec<(&[u8], &[u8])> =
        vec![(b"file", meta.path.as_os_str().as_bytes()), (b"avro.schema", SCHEMA.as_bytes())];
    pairs.extend(inode.as_ref().map(|inode| (&b"inode"[..], inode.as_bytes())));
    let mut bytes = Vec::new();
    push_head(&pairs, &sync, &mut bytes);
    push_record(meta.offset, &sync, &mut bytes);
    (bytes, sync)
}

/// Appends a record.
pub(super) fn push_record(offset: u64, sync: &Marker, out: &mut Vec<u8>) {
    let offset = Zigzag::new(offset as i64); // no file is larger
    out.extend_from_slice(&[2, 2 * offset.len() as u8]);
    out.extend_from_slice(&offset);
    out.extend_from_slice(sync);
}

/// Source: `TransferStateFileMeta` of Flume 1.11.
const SCHEMA: &str = r#"{"type":"record","name":"TransferStateFileMeta","namespace":"org.apache.flume.serialization","fields":[{"name":"offset","type":"long"}]}"#;

/// Of the records of one block; Flume writes one.
const MOST_BYTES: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_whole_record_counts_wherever_the_file_is_cut() {
        let id = Some(Identity { device: 3, inode: 4, born: Some(-5) });
        let mut meta = Meta { path: "/spool/a b".into(), id, offset: 0 };
        let (mut bytes, sync) = encode(&meta);
        let mut ends = vec![(bytes.len(), 0)];
        for offset in [7, 300, 70_000] {
            push_record(offset, &sync, &mut bytes);
            ends.push((bytes.len(), offset));
        }
        for cut in ends[0].0..=bytes.len() {
            meta.offset = ends.iter().rfind(|(end, _)| *end <= cut).unwrap().1;
            assert_eq!(decode(&bytes[..cut]), Ok(meta.clone()), "cut at {cut}");
        }
        for cut in 0..ends[0].0 - 19 {
            assert!(decode(&bytes[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn flumes_own_file_is_read() {
        let bytes = include_bytes!("../../../testdata/flumespool-main.meta");
        let meta = Meta { path: "/tmp/spool/big.log".into(), id: None, offset: 4096 };
        assert_eq!(decode(bytes), Ok(meta));
    }
}

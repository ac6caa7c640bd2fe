//! Cells behind a message, in HBase's `KeyValueCodec`: a server takes them in about half the time that it needs for those within.

use bytes::{BufMut, BytesMut};

/// What a connection with such cells names.
pub(crate) const CODEC: &str = "org.apache.hadoop.hbase.codec.KeyValueCodec";

/// A cell's place and what it holds. A row and a family are as long as HBase takes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell<'a> {
    pub(crate) row: &'a [u8],
    pub(crate) family: &'a [u8],
    pub(crate) qualifier: &'a [u8],
    pub(crate) value: &'a [u8],
}

impl Cell<'_> {
    fn key(&self) -> usize {
        KEY + self.row.len() + self.family.len() + self.qualifier.len()
    }

    /// Bytes that it takes.
    pub(crate) fn length(&self) -> usize {
        HEAD + self.key() + self.value.len()
    }

    /// Writes it, as a put at the server's time.
    pub(crate) fn write(&self, out: &mut BytesMut) {
        let (key, value) = (self.key(), self.value.len());
        out.put_u32((8 + key + value) as u32);
        out.put_u32(key as u32);
        out.put_u32(value as u32);
        out.put_u16(self.row.len() as u16);
        out.put_slice(self.row);
        out.put_u8(self.family.len() as u8);
        out.put_slice(self.family);
        out.put_slice(self.qualifier);
        out.put_u64(SERVERS_TIME);
        out.put_u8(PUT);
        out.put_slice(self.value);
    }

    /// The first of `bytes`, and those behind it.
    #[cfg(test)]
    pub(crate) fn read(bytes: &[u8]) -> Option<(Cell<'_>, &[u8])> {
        let word = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().expect("four bytes")) as usize;
        let (head, rest) = bytes.split_at_checked(HEAD)?;
        let (key, value) = (word(&head[4..8]), word(&head[8..]));
        assert_eq!(word(&head[..4]), 8 + key + value);
        let (key, rest) = rest.split_at_checked(key)?;
        let (value, rest) = rest.split_at_checked(value)?;
        let (row, key) = key[2..].split_at(usize::from(u16::from_be_bytes([key[0], key[1]])));
        let (family, key) = key[1..].split_at(usize::from(key[0]));
        let (qualifier, key) = key.split_at(key.len() - 9);
        assert_eq!(key, [&SERVERS_TIME.to_be_bytes()[..], &[PUT]].concat());
        Some((Cell { row, family, qualifier, value }, rest))
    }
}

/// Three lengths.
const HEAD: usize = 12;
/// Two lengths, a time and a kind.
const KEY: usize = 2 + 1 + 8 + 1;
const SERVERS_TIME: u64 = i64::MAX as u64;
const PUT: u8 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_written_as_javas_client_does() {
        let cell = Cell { row: b"row1", family: b"cf", qualifier: b"pCol", value: b"hello" };
        let mut out = BytesMut::new();
        cell.write(&mut out);
        let expected =
            b"\0\0\0\x23\0\0\0\x16\0\0\0\x05\0\x04row1\x02cfpCol\x7f\xff\xff\xff\xff\xff\xff\xff\x04hello";
        assert_eq!((&out[..], cell.length()), (&expected[..], out.len()));
        assert_eq!(Cell::read(&out), Some((cell, &b""[..])));
        for end in 0..out.len() {
            assert_eq!(Cell::read(&out[..end]), None, "cut at {end}");
        }
    }
}

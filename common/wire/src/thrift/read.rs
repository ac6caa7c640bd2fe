//! Both forms of Thrift, read.

use super::{MOST_NESTED, Malformed, Protocol};

/// Types of fields and elements, in either form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    /// In the compact form a field of it has no bytes besides its type.
    Bool,
    Byte,
    Short,
    Int,
    Long,
    Double,
    Binary,
    List,
    Map,
    Struct,
    Uuid,
}

/// Walks through one message.
pub(super) struct Reader<'b> {
    pub(super) protocol: Protocol,
    rest: &'b [u8],
}

/// The head of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head<'b> {
    pub(super) name: &'b [u8],
    pub(super) kind: u8,
    pub(super) sequence: i32,
}

impl<'b> Reader<'b> {
    pub(super) fn new(protocol: Protocol, message: &'b [u8]) -> Reader<'b> {
        Reader { protocol, rest: message }
    }

    pub(super) fn head(&mut self) -> Result<Head<'b>, Malformed> {
        let foreign = Malformed::Protocol { expected: self.protocol };
        match self.protocol {
            Protocol::Compact => {
                let [0x82, second] = self.array()? else { return Err(foreign) };
                if second & 0x1f != 1 {
                    return Err(foreign);
                }
                let sequence = self.varint()? as i32;
                Ok(Head { kind: second >> 5, sequence, name: self.binary()? })
            }
            Protocol::Binary => {
                let first: [u8; 4] = self.array()?;
                let (name, kind) = match first {
                    [0x80, 0x01, _, kind] => (self.binary()?, kind),
                    // Without a version: the length of the name comes first.
                    [0, 0, _, _] => {
                        let name = self.take(i64::from(i32::from_be_bytes(first)))?;
                        (name, self.byte()?)
                    }
                    _ => return Err(foreign),
                };
                Ok(Head { name, kind, sequence: i32::from_be_bytes(self.array()?) })
            }
        }
    }

    /// The next field of a structure: its number and type. `last` is the number of the one before, 0 at first.
    pub(super) fn field(&mut self, last: &mut i16) -> Result<Option<(i16, Type)>, Malformed> {
        let kind = self.byte()?;
        if kind == 0 {
            return Ok(None);
        }
        let (number, kind) = match self.protocol {
            Protocol::Binary => (i16::from_be_bytes(self.array()?), self.kind(kind)?),
            Protocol::Compact => {
                let number = match kind >> 4 {
                    0 => self.zigzag()? as i16,
                    step => last.wrapping_add(i16::from(step)),
                };
                (number, self.kind(kind & 0xf)?)
            }
        };
        *last = number;
        Ok(Some((number, kind)))
    }

    /// The head of a list or a set: its elements' type, and how many follow.
    pub(super) fn list(&mut self) -> Result<(Type, usize), Malformed> {
        let head = self.byte()?;
        let (kind, count) = match self.protocol {
            Protocol::Binary => (head, i64::from(i32::from_be_bytes(self.array()?))),
            Protocol::Compact => {
                let count = if head >> 4 == 15 { self.varint()? } else { i64::from(head >> 4) };
                (head & 0xf, count)
            }
        };
        let count = self.count(count, 1)?;
        // Of an empty list the type is not to be relied upon.
        Ok((if count == 0 { Type::Struct } else { self.kind(kind)? }, count))
    }

    /// The head of a map: types of keys and values, and how many pairs follow.
    pub(super) fn map(&mut self) -> Result<(Type, Type, usize), Malformed> {
        let (key, value, count) = match self.protocol {
            Protocol::Binary => {
                let [key, value] = self.array()?;
                (key, value, i64::from(i32::from_be_bytes(self.array()?)))
            }
            Protocol::Compact => {
                let count = self.varint()?;
                let kinds = if count == 0 { 0 } else { self.byte()? };
                (kinds >> 4, kinds & 0xf, count)
            }
        };
        let count = self.count(count, 2)?;
        if count == 0 {
            return Ok((Type::Binary, Type::Binary, 0));
        }
        Ok((self.kind(key)?, self.kind(value)?, count))
    }

    pub(super) fn binary(&mut self) -> Result<&'b [u8], Malformed> {
        let length = match self.protocol {
            Protocol::Binary => i64::from(i32::from_be_bytes(self.array()?)),
            Protocol::Compact => self.varint()?,
        };
        self.take(length)
    }

    pub(super) fn int(&mut self) -> Result<i32, Malformed> {
        match self.protocol {
            Protocol::Binary => Ok(i32::from_be_bytes(self.array()?)),
            Protocol::Compact => Ok(self.zigzag()? as i32),
        }
    }

    /// Passes over a field's value; `nested` is how deep it stands.
    pub(super) fn skip(&mut self, kind: Type, nested: usize) -> Result<(), Malformed> {
        if kind == Type::Bool && self.protocol == Protocol::Compact {
            return Ok(()); // it is in the type
        }
        self.skip_element(kind, nested)
    }

    fn skip_element(&mut self, kind: Type, nested: usize) -> Result<(), Malformed> {
        if nested > MOST_NESTED {
            return Err(Malformed::Nested);
        }
        let fixed = match (kind, self.protocol) {
            (Type::Bool | Type::Byte, _) => 1,
            (Type::Short, Protocol::Binary) => 2,
            (Type::Int, Protocol::Binary) => 4,
            (Type::Double, _) | (Type::Long, Protocol::Binary) => 8,
            (Type::Uuid, _) => 16,
            (Type::Short | Type::Int | Type::Long, Protocol::Compact) => return self.varint().map(drop),
            (Type::Binary, _) => return self.binary().map(drop),
            (Type::List, _) => {
                let (kind, count) = self.list()?;
                return (0..count).try_for_each(|_| self.skip_element(kind, nested + 1));
            }
            (Type::Map, _) => {
                let (key, value, count) = self.map()?;
                return (0..count).try_for_each(|_| {
                    self.skip_element(key, nested + 1)?;
                    self.skip_element(value, nested + 1)
                });
            }
            (Type::Struct, _) => {
                let mut last = 0;
                while let Some((_, kind)) = self.field(&mut last)? {
                    self.skip(kind, nested + 1)?;
                }
                return Ok(());
            }
        };
        self.take(fixed).map(drop)
    }

    fn kind(&self, number: u8) -> Result<Type, Malformed> {
        let kind = match (self.protocol, number) {
            (Protocol::Binary, 2) | (Protocol::Compact, 1 | 2) => Type::Bool,
            (_, 3) => Type::Byte,
            (Protocol::Binary, 4) | (Protocol::Compact, 7) => Type::Double,
            (Protocol::Binary, 6) | (Protocol::Compact, 4) => Type::Short,
            (Protocol::Binary, 8) | (Protocol::Compact, 5) => Type::Int,
            (Protocol::Binary, 10) | (Protocol::Compact, 6) => Type::Long,
            (Protocol::Binary, 11) | (Protocol::Compact, 8) => Type::Binary,
            (Protocol::Binary, 12) | (Protocol::Compact, 12) => Type::Struct,
            (Protocol::Binary, 13) | (Protocol::Compact, 11) => Type::Map,
            (Protocol::Binary, 14 | 15) | (Protocol::Compact, 9 | 10) => Type::List,
            (Protocol::Binary, 16) | (Protocol::Compact, 13) => Type::Uuid,
            (_, other) => return Err(Malformed::Type(other)),
        };
        Ok(kind)
    }

    /// So many elements of at least `bytes` each, if that is possible.
    fn count(&self, count: i64, bytes: usize) -> Result<usize, Malformed> {
        let possible = usize::try_from(count).ok().filter(|count| *count <= self.rest.len() / bytes);
        possible.ok_or(Malformed::Length(count))
    }

    fn byte(&mut self) -> Result<u8, Malformed> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (array, rest) = self.rest.split_first_chunk().ok_or(Malformed::Short)?;
        self.rest = rest;
        Ok(*array)
    }

    fn take(&mut self, length: i64) -> Result<&'b [u8], Malformed> {
        let split = usize::try_from(length).ok().and_then(|length| self.rest.split_at_checked(length));
        let (taken, rest) = split.ok_or(Malformed::Length(length))?;
        self.rest = rest;
        Ok(taken)
    }

    fn zigzag(&mut self) -> Result<i64, Malformed> {
        let value = self.varint()? as u64;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    fn varint(&mut self) -> Result<i64, Malformed> {
        let mut value = 0u64;
        for place in 0..MOST_VARINT_BYTES {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                return Ok(value as i64);
            }
        }
        Err(Malformed::Length(value as i64))
    }
}

const MOST_VARINT_BYTES: u32 = 10;

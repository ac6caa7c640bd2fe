//! As much of DER (X.690) as stores need: elements, one behind the other and one within the other.

use super::StoreError;

/// Elements that have not been looked at yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Der<'a> {
    rest: &'a [u8],
}

/// One element.
#[derive(Debug, Clone, Copy)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) body: &'a [u8],
    /// With its tag and length.
    pub(super) whole: &'a [u8],
}

impl<'a> Der<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Der<'a> {
        Der { rest: bytes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next element, whatever it is.
    pub(super) fn next(&mut self) -> Result<Element<'a>, StoreError> {
        let (tag, head, length) = head(self.rest)?;
        let end = head.checked_add(length).filter(|end| *end <= self.rest.len());
        let (whole, rest) = self.rest.split_at(end.ok_or(StoreError::Cut(self.rest.len()))?);
        self.rest = rest;
        Ok(Element { tag, body: &whole[head..], whole })
    }

    /// The next element, which must be of this kind.
    pub(super) fn expect(&mut self, tag: u8) -> Result<Element<'a>, StoreError> {
        let element = self.next()?;
        if element.tag == tag {
            Ok(element)
        } else {
            Err(StoreError::Damaged("an element is not of the kind that belongs there"))
        }
    }

    /// The next element if there is one and it is of this kind.
    pub(super) fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>, StoreError> {
        if self.rest.first() == Some(&tag) { self.next().map(Some) } else { Ok(None) }
    }
}

impl<'a> Element<'a> {
    /// What is in it.
    pub(super) fn inside(self) -> Der<'a> {
        Der::new(self.body)
    }

    /// A number that is not negative and not large.
    pub(super) fn number(self) -> Result<u32, StoreError> {
        let digits = self.body.iter().skip_while(|byte| **byte == 0);
        if self.tag != INTEGER
            || self.body.first().is_none_or(|first| *first > 127)
            || digits.clone().count() > 4
        {
            return Err(StoreError::Damaged("a number is out of range"));
        }
        Ok(digits.fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }
}

/// Kind, bytes of kind and length, and length.
fn head(bytes: &[u8]) -> Result<(u8, usize, usize), StoreError> {
    let cut = StoreError::Cut(bytes.len());
    match *bytes {
        [_, 0x80, ..] => Err(StoreError::Unsupported("BER's indefinite lengths".to_owned())),
        [tag, length @ 0..=0x7f, ..] => Ok((tag, 2, usize::from(length))),
        [tag, long @ 0x81..=0x84, ..] => {
            let head = 2 + usize::from(long - 0x80);
            let Some(digits) = bytes.get(2..head) else { return Err(cut) };
            Ok((tag, head, digits.iter().fold(0, |length, byte| length << 8 | usize::from(*byte))))
        }
        [_, _, ..] => Err(StoreError::Damaged("an element is longer than any store")),
        [_] | [] => Err(cut),
    }
}

/// Issuer and subject of a certificate, as they stand.
pub(super) fn names(certificate: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut tbs = from_issuer(certificate)?;
    let issuer = tbs.expect(SEQUENCE).ok()?.whole;
    tbs.expect(SEQUENCE).ok()?; // validity
    Some((issuer, tbs.expect(SEQUENCE).ok()?.whole))
}

/// The public key of a certificate, as the content of a bit string.
pub(super) fn public_key(certificate: &[u8]) -> Option<&[u8]> {
    let mut tbs = from_issuer(certificate)?;
    for _issuer_validity_subject in 0..3 {
        tbs.expect(SEQUENCE).ok()?;
    }
    let mut info = tbs.expect(SEQUENCE).ok()?.inside();
    info.expect(SEQUENCE).ok()?; // algorithm
    Some(info.expect(BIT_STRING).ok()?.body)
}

fn from_issuer(certificate: &[u8]) -> Option<Der<'_>> {
    let mut tbs = Der::new(certificate).expect(SEQUENCE).ok()?.inside().expect(SEQUENCE).ok()?.inside();
    tbs.optional(CONTEXT).ok()?; // version
    tbs.expect(INTEGER).ok()?; // serial number
    tbs.expect(SEQUENCE).ok()?; // signature algorithm
    Some(tbs)
}

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTETS: u8 = 0x04;
pub(super) const OID: u8 = 0x06;
pub(super) const BMP: u8 = 0x1e;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;
/// `[0]` around an element.
pub(super) const CONTEXT: u8 = 0xa0;
/// `[1]` around an element.
pub(super) const CONTEXT_1: u8 = 0xa1;
/// `[0]` in place of an octet string's own tag.
pub(super) const CONTEXT_OCTETS: u8 = 0x80;

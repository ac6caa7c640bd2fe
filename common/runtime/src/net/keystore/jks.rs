//! JKS: Sun's own format, in no standard. Big-endian numbers, Java's strings, certificates and keys as DER, and at the
//! end a SHA-1 over the password, a sentence and all that stands before.

use super::{KeyEntry, Sealed, Store, StoreError};
use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA1_OUTPUT_LEN};
use rustls::pki_types::CertificateDer;

/// Reads a store. Its keys stay sealed.
pub(crate) fn parse(bytes: &[u8], password: Option<&str>) -> Result<Store, StoreError> {
    let mut input = Input { bytes, at: MAGIC_BYTES };
    let version = input.number()?;
    if !(1..=2).contains(&version) {
        return Err(StoreError::Damaged("its version is neither 1 nor 2"));
    }
    let mut store = Store::default();
    for _ in 0..input.number()? {
        let kind = input.number()?;
        let alias = input.string()?;
        input.take(DATE_BYTES)?;
        match kind {
            1 => {
                let key = Sealed::Encrypted(input.sized()?.to_vec());
                let mut chain = Vec::new();
                for _ in 0..input.number()? {
                    chain.push(input.certificate(version)?);
                }
                store.keys.push(KeyEntry { alias, key, chain });
            }
            2 => store.certificates.push(input.certificate(version)?),
            _ => return Err(StoreError::Damaged("an entry is neither a key nor a certificate")),
        }
    }
    let end = input.at;
    let digest = input.take(SHA1_OUTPUT_LEN)?;
    match password {
        Some(password) if integrity(password, &bytes[..end]) != digest => Err(StoreError::Password),
        _ => Ok(store),
    }
}

pub(super) fn integrity(password: &str, bytes: &[u8]) -> Vec<u8> {
    let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    context.update(&password_bytes(password));
    context.update(WHITENER);
    context.update(bytes);
    context.finish().as_ref().to_vec()
}

/// Takes the key out of its seal: a stream of SHA-1 values, each of the password and the one before, from a random
/// start; behind it a SHA-1 of password and key.
pub(crate) fn unseal(sealed: &[u8], password: &str) -> Result<Vec<u8>, StoreError> {
    if sealed.len() < 2 * SHA1_OUTPUT_LEN {
        return Err(StoreError::Damaged("a key is too short"));
    }
    let (start, rest) = sealed.split_at(SHA1_OUTPUT_LEN);
    let (hidden, check) = rest.split_at(rest.len() - SHA1_OUTPUT_LEN);
    let password = password_bytes(password);
    let sha1 = |more: &[u8]| {
        let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
        context.update(&password);
        context.update(more);
        context.finish()
    };
    let mut key = hidden.to_vec();
    let mut mask = sha1(start);
    for part in key.chunks_mut(SHA1_OUTPUT_LEN) {
        part.iter_mut().zip(mask.as_ref()).for_each(|(byte, mask)| *byte ^= mask);
        mask = sha1(mask.as_ref());
    }
    if sha1(&key).as_ref() == check { Ok(key) } else { Err(StoreError::Password) }
}

/// As Java has characters: UTF-16, the high byte first.
fn password_bytes(password: &str) -> Vec<u8> {
    password.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

/// What is left of a store's bytes.
pub(super) struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Input<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Input<'a> {
        Input { bytes, at: 0 }
    }

    /// How many bytes have been taken.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The next byte, which is not taken.
    pub(super) fn peek(&self) -> Result<u8, StoreError> {
        self.bytes.get(self.at).copied().ok_or(StoreError::Cut(self.bytes.len()))
    }

    pub(super) fn take(&mut self, bytes: usize) -> Result<&'a [u8], StoreError> {
        let end = self.at.checked_add(bytes);
        let taken =
            end.and_then(|end| self.bytes.get(self.at..end)).ok_or(StoreError::Cut(self.bytes.len()))?;
        self.at += bytes;
        Ok(taken)
    }

    pub(super) fn number(&mut self) -> Result<u32, StoreError> {
        Ok(self.take(4)?.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }

    pub(super) fn sized(&mut self) -> Result<&'a [u8], StoreError> {
        let bytes = self.number()? as usize;
        self.take(bytes)
    }

    /// Aliases and names of formats. Java's own UTF-8 differs from everybody's in characters that nobody uses there.
    pub(super) fn string(&mut self) -> Result<String, StoreError> {
        let bytes = self.take(2)?.iter().fold(0, |number, byte| number << 8 | usize::from(*byte));
        Ok(String::from_utf8_lossy(self.take(bytes)?).into_owned())
    }

    pub(super) fn certificate(&mut self, version: u32) -> Result<CertificateDer<'static>, StoreError> {
        if version == 2 && self.string()? != "X.509" {
            return Err(StoreError::Unsupported("certificates other than X.509".to_owned()));
        }
        Ok(CertificateDer::from(self.sized()?.to_vec()))
    }
}

const MAGIC_BYTES: usize = 4;
const DATE_BYTES: usize = 8;
/// From Sun's `JavaKeyStore`.
const WHITENER: &[u8] = b"Mighty Aphrodite";

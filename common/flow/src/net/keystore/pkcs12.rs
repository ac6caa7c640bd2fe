//! PKCS12 (RFC 7292): bags in safes, most of them encrypted, under one integrity check.

use super::der::{BMP, CONTEXT, CONTEXT_OCTETS, Der, INTEGER, OCTETS, OID, SEQUENCE, SET, names};
use super::{KeyEntry, Sealed, Store, StoreError, pbe};
use rustls::pki_types::CertificateDer;

/// Reads a store. Its keys stay sealed.
pub(super) fn parse(bytes: &[u8], password: Option<&str>) -> Result<Store, StoreError> {
    let mut outer = Der::new(bytes).expect(SEQUENCE)?.inside();
    let foreign = StoreError::Foreign("DER of another kind (a bare certificate or key?)");
    match outer.next() {
        Ok(version) if version.tag == INTEGER && version.body == [3] => {}
        _ => return Err(foreign),
    }
    let (kind, content) = content(outer.expect(SEQUENCE)?.inside())?;
    if kind != DATA {
        return Err(StoreError::Unsupported("integrity by a public key".to_owned()));
    }
    let safes = Der::new(content).expect(OCTETS)?.body;
    if let (Some(password), false) = (password, outer.is_empty()) {
        check(outer.expect(SEQUENCE)?.inside(), safes, password)?;
    }
    let mut bags = Bags::default();
    let mut safes = Der::new(safes).expect(SEQUENCE)?.inside();
    while !safes.is_empty() {
        bags.safe(safes.expect(SEQUENCE)?.inside(), password)?;
    }
    Ok(bags.into_store())
}

/// The integrity check, a `MacData`.
fn check(mut mac: Der<'_>, safes: &[u8], password: &str) -> Result<(), StoreError> {
    let mut digest = mac.expect(SEQUENCE)?.inside();
    let hash = digest.expect(SEQUENCE)?.inside().expect(OID)?.body;
    let expected = digest.expect(OCTETS)?.body;
    let salt = mac.expect(OCTETS)?.body;
    let rounds = mac.optional(INTEGER)?.map_or(Ok(1), |rounds| rounds.number())?;
    if pbe::is_intact(hash, expected, salt, rounds, safes, password)? {
        Ok(())
    } else {
        Err(StoreError::Password)
    }
}

/// A `ContentInfo`: what kind it is of, and what stands in its `[0]`.
fn content<'a>(mut info: Der<'a>) -> Result<(&'a [u8], &'a [u8]), StoreError> {
    Ok((info.expect(OID)?.body, info.expect(CONTEXT)?.body))
}

#[derive(Default)]
struct Bags {
    keys: Vec<KeyBag>,
    certificates: Vec<CertificateBag>,
}

struct KeyBag {
    name: String,
    local_id: Option<Vec<u8>>,
    key: Sealed,
}

struct CertificateBag {
    local_id: Option<Vec<u8>>,
    /// Java's mark of a trusted certificate.
    trusted: bool,
    certificate: CertificateDer<'static>,
}

impl Bags {
    fn safe(&mut self, info: Der<'_>, password: Option<&str>) -> Result<(), StoreError> {
        let (kind, content) = content(info)?;
        match kind {
            DATA => self.bags(Der::new(content).expect(OCTETS)?.body),
            ENCRYPTED_DATA => {
                let password = password.ok_or(StoreError::NoPassword)?;
                let mut data = Der::new(content).expect(SEQUENCE)?.inside();
                data.expect(INTEGER)?;
                let mut content = data.expect(SEQUENCE)?.inside();
                content.expect(OID)?;
                let algorithm = content.expect(SEQUENCE)?;
                let sealed = content.expect(CONTEXT_OCTETS)?.body;
                self.bags(&pbe::decrypt(algorithm, sealed, password)?)
            }
            _ => Err(StoreError::Unsupported("encryption by a public key".to_owned())),
        }
    }

    fn bags(&mut self, bags: &[u8]) -> Result<(), StoreError> {
        let mut bags = Der::new(bags).expect(SEQUENCE)?.inside();
        while !bags.is_empty() {
            let mut bag = bags.expect(SEQUENCE)?.inside();
            let kind = bag.expect(OID)?.body;
            let value = bag.expect(CONTEXT)?.body;
            let attributes = Attributes::read(bag.optional(SET)?.map(|set| set.inside()))?;
            match kind {
                [front @ .., 1] if front == BAG => self.key(Sealed::Open(value.to_vec()), attributes),
                [front @ .., 2] if front == BAG => self.key(Sealed::Encrypted(value.to_vec()), attributes),
                [front @ .., 3] if front == BAG => self.certificate(Der::new(value), attributes)?,
                _ => {} // revocation lists, secrets: of no use here
            }
        }
        Ok(())
    }

    fn key(&mut self, key: Sealed, attributes: Attributes) {
        let name = attributes.name.unwrap_or_else(|| "without a name".to_owned());
        self.keys.push(KeyBag { name, local_id: attributes.local_id, key });
    }

    fn certificate(&mut self, mut value: Der<'_>, attributes: Attributes) -> Result<(), StoreError> {
        let mut value = value.expect(SEQUENCE)?.inside();
        if value.expect(OID)?.body == X509 {
            let der = Der::new(value.expect(CONTEXT)?.body).expect(OCTETS)?.body;
            self.certificates.push(CertificateBag {
                local_id: attributes.local_id,
                trusted: attributes.trusted,
                certificate: CertificateDer::from(der.to_vec()),
            });
        }
        Ok(())
    }

    /// Certificates that Java would trust, or all those of no key when none is marked so: OpenSSL does not know the mark.
    fn into_store(self) -> Store {
        let Bags { keys, certificates } = self;
        let keys: Vec<KeyEntry> = keys
            .into_iter()
            .map(|bag| KeyEntry {
                chain: chain(bag.local_id.as_deref(), &certificates),
                alias: bag.name,
                key: bag.key,
            })
            .collect();
        let marked = certificates.iter().any(|bag| bag.trusted);
        let is_trusted = |bag: &CertificateBag| match marked {
            true => bag.trusted,
            false => !keys.iter().any(|key| key.chain.contains(&bag.certificate)),
        };
        let certificates =
            certificates.iter().filter(|bag| is_trusted(bag)).map(|bag| bag.certificate.clone()).collect();
        Store { keys, certificates }
    }
}

/// A key's own certificate, found by its number, and from there each one's issuer.
fn chain(local_id: Option<&[u8]>, bags: &[CertificateBag]) -> Vec<CertificateDer<'static>> {
    let own = bags.iter().find(|bag| local_id.is_some() && bag.local_id.as_deref() == local_id);
    let mut chain = Vec::new();
    let mut next = own.or(bags.iter().find(|bag| !bag.trusted)).map(|bag| &bag.certificate);
    while let Some(certificate) = next.filter(|certificate| !chain.contains(*certificate)) {
        chain.push(certificate.clone());
        let issuer = names(certificate).map(|(issuer, _)| issuer);
        next = bags
            .iter()
            .map(|bag| &bag.certificate)
            .find(|other| issuer.is_some() && names(other).map(|(_, subject)| subject) == issuer);
    }
    chain
}

#[derive(Default)]
struct Attributes {
    name: Option<String>,
    local_id: Option<Vec<u8>>,
    trusted: bool,
}

impl Attributes {
    fn read(set: Option<Der<'_>>) -> Result<Attributes, StoreError> {
        let mut attributes = Attributes::default();
        let Some(mut set) = set else { return Ok(attributes) };
        while !set.is_empty() {
            let mut attribute = set.expect(SEQUENCE)?.inside();
            let kind = attribute.expect(OID)?.body;
            let mut values = attribute.expect(SET)?.inside();
            match kind {
                FRIENDLY_NAME => attributes.name = values.optional(BMP)?.map(|name| utf16(name.body)),
                LOCAL_KEY_ID => attributes.local_id = values.optional(OCTETS)?.map(|id| id.body.to_vec()),
                TRUSTED_KEY_USAGE => attributes.trusted = true,
                _ => {}
            }
        }
        Ok(attributes)
    }
}

fn utf16(bytes: &[u8]) -> String {
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
    String::from_utf16_lossy(&units)
}

/// 1.2.840.113549.1.7.1 and .6
const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
const ENCRYPTED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x06];
/// 1.2.840.113549.1.12.10.1: 1 key, 2 sealed key, 3 certificate.
const BAG: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01];
/// 1.2.840.113549.1.9.22.1
const X509: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x16, 0x01];
/// 1.2.840.113549.1.9.20 and .21
const FRIENDLY_NAME: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x14];
const LOCAL_KEY_ID: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x15];
/// 2.16.840.1.113894.746875.1.1, Oracle's.
const TRUSTED_KEY_USAGE: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x86, 0xf9, 0x66, 0xad, 0xca, 0x7b, 0x01, 0x01];

//! Java's EC keys, made whole.
//!
//! Java writes an EC key without its public half, which RFC 5915 allows and `ring` does not take. The certificate has
//! it, so it is put where it belongs.

use super::StoreError;
use super::der::{BIT_STRING, CONTEXT_1, Der, INTEGER, OCTETS, OID, SEQUENCE, public_key};

/// `key`, which is PKCS8, with the public half of `certificate` if it is an EC key without one.
pub(super) fn completed(key: Vec<u8>, certificate: Option<&[u8]>) -> Vec<u8> {
    let point = certificate.and_then(public_key);
    point.and_then(|point| complete(&key, point).ok().flatten()).unwrap_or(key)
}

fn complete(key: &[u8], point: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
    let mut info = Der::new(key).expect(SEQUENCE)?.inside();
    let version = info.expect(INTEGER)?;
    let algorithm = info.expect(SEQUENCE)?;
    let own = Der::new(info.expect(OCTETS)?.body).expect(SEQUENCE)?;
    let mut parts = own.inside();
    let is_ec = algorithm.inside().expect(OID)?.body == EC_PUBLIC_KEY;
    while is_ec && !parts.is_empty() {
        if parts.next()?.tag == CONTEXT_1 {
            return Ok(None);
        }
    }
    let public = element(CONTEXT_1, &[&element(BIT_STRING, &[point])]);
    let own = element(OCTETS, &[&element(SEQUENCE, &[own.body, &public])]);
    Ok(is_ec.then(|| element(SEQUENCE, &[version.whole, algorithm.whole, &own])))
}

/// An element of some hundred bytes at most.
fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut bytes = vec![tag];
    match u8::try_from(length) {
        Ok(short @ 0..=0x7f) => bytes.push(short),
        Ok(long) => bytes.extend([0x81, long]),
        Err(_) => bytes.extend([0x82, (length >> 8) as u8, (length & 0xff) as u8]),
    }
    parts.iter().for_each(|part| bytes.extend_from_slice(part));
    bytes
}

/// 1.2.840.10045.2.1
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];

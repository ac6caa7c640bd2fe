//! Java's EC keys, made whole.
//!
//! Java writes an EC key without its public half, which RFC 5915 allows and `ring` does not take. The certificate has
//! it, so it is put where it belongs.

use pkcs12::safe_bag::PrivateKeyInfo;
use sec1::EcPrivateKey;
use x509_cert::Certificate;
use x509_cert::der::asn1::{ObjectIdentifier, OctetString};
use x509_cert::der::{self, Decode, Encode};

/// `key`, which is PKCS8, with the public half of `certificate` if it is an EC key without one.
pub(crate) fn completed(key: Vec<u8>, certificate: Option<&[u8]>) -> Vec<u8> {
    certificate.and_then(|certificate| complete(&key, certificate).ok().flatten()).unwrap_or(key)
}

fn complete(key: &[u8], certificate: &[u8]) -> der::Result<Option<Vec<u8>>> {
    let info = PrivateKeyInfo::from_der(key)?;
    if info.algorithm.oid != EC_PUBLIC_KEY {
        return Ok(None);
    }
    let own = EcPrivateKey::from_der(info.private_key.as_bytes())?;
    if own.public_key.is_some() {
        return Ok(None);
    }
    let certificate = Certificate::from_der(certificate)?;
    let public_key = certificate.tbs_certificate.subject_public_key_info.subject_public_key.as_bytes();
    let own = EcPrivateKey { public_key, ..own };
    let private_key = OctetString::new(own.to_der()?)?;
    PrivateKeyInfo { private_key, attributes: None, ..info }.to_der().map(Some)
}

const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

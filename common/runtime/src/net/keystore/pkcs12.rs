//! PKCS12 (RFC 7292): bags in safes, most of them encrypted, under one integrity check.
//!
//! Grammar, derivation and ciphers are RustCrypto's. `p12-keystore` does the rest as well, but refuses two-key triple DES,
//! drops the certificates of a trust store made by OpenSSL, and opens nothing without a password (0.4.1).

use super::{KeyEntry, Sealed, Store, StoreError, pbe};
use cms::content_info::ContentInfo;
use cms::encrypted_data::EncryptedData;
use pkcs12::authenticated_safe::AuthenticatedSafe;
use pkcs12::cert_type::CertBag;
use pkcs12::pfx::Pfx;
use pkcs12::safe_bag::{SafeBag, SafeContents};
use pkcs12::{PKCS_12_CERT_BAG_OID, PKCS_12_KEY_BAG_OID, PKCS_12_PKCS8_KEY_BAG_OID, PKCS_12_X509_CERT_OID};
use rustls::pki_types::CertificateDer;
use x509_cert::Certificate;
use x509_cert::attr::Attributes as Set;
use x509_cert::der::asn1::{Any, BmpString, ContextSpecific, ObjectIdentifier, OctetString};
use x509_cert::der::oid::db::rfc5911::{ID_DATA, ID_ENCRYPTED_DATA};
use x509_cert::der::{self, Decode, Encode, ErrorKind, Reader, SliceReader};
use x509_cert::name::Name;

/// Reads a store. Its keys stay sealed.
pub(crate) fn parse(bytes: &[u8], password: Option<&str>) -> Result<Store, StoreError> {
    let whole = SliceReader::new(bytes).and_then(|mut reader| reader.tlv_bytes());
    let whole = whole.map_err(|error| match error.kind() {
        ErrorKind::Incomplete { .. } => StoreError::Cut(bytes.len()),
        _ => error.into(),
    })?;
    if !Any::from_der(whole)?.value().starts_with(VERSION_3) {
        return Err(StoreError::Foreign("DER of another kind (a bare certificate or key?)"));
    }
    let Pfx { auth_safe, mac_data, .. } = Pfx::from_der(whole)?;
    if auth_safe.content_type != ID_DATA {
        return Err(StoreError::Unsupported("integrity by a public key".to_owned()));
    }
    let safes: OctetString = auth_safe.content.decode_as()?;
    if let (Some(password), Some(mac)) = (password, &mac_data)
        && !pbe::is_intact(mac, safes.as_bytes(), password)?
    {
        return Err(StoreError::Password);
    }
    let mut bags = Bags::default();
    for safe in AuthenticatedSafe::from_der(safes.as_bytes())? {
        bags.safe(&safe, password)?;
    }
    Ok(bags.into_store())
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
    fn safe(&mut self, safe: &ContentInfo, password: Option<&str>) -> Result<(), StoreError> {
        match safe.content_type {
            ID_DATA => self.bags(safe.content.decode_as::<OctetString>()?.as_bytes()),
            ID_ENCRYPTED_DATA => {
                let password = password.ok_or(StoreError::NoPassword)?;
                let info = safe.content.decode_as::<EncryptedData>()?.enc_content_info;
                let sealed = info.encrypted_content.ok_or(StoreError::Damaged("a safe has no content"))?;
                self.bags(&pbe::decrypt(&info.content_enc_alg, sealed.as_bytes(), password)?)
            }
            _ => Err(StoreError::Unsupported("encryption by a public key".to_owned())),
        }
    }

    fn bags(&mut self, bags: &[u8]) -> Result<(), StoreError> {
        for SafeBag { bag_id, bag_value, bag_attributes } in SafeContents::from_der(bags)? {
            let attributes = Attributes::read(bag_attributes);
            match bag_id {
                PKCS_12_KEY_BAG_OID => self.key(Sealed::Open(inner(&bag_value)?), attributes),
                PKCS_12_PKCS8_KEY_BAG_OID => self.key(Sealed::Encrypted(inner(&bag_value)?), attributes),
                PKCS_12_CERT_BAG_OID => self.certificate(&inner(&bag_value)?, attributes)?,
                _ => {} // revocation lists, secrets: of no use here
            }
        }
        Ok(())
    }

    fn key(&mut self, key: Sealed, attributes: Attributes) {
        let name = attributes.name.unwrap_or_else(|| "without a name".to_owned());
        self.keys.push(KeyBag { name, local_id: attributes.local_id, key });
    }

    fn certificate(&mut self, bag: &[u8], attributes: Attributes) -> Result<(), StoreError> {
        let CertBag { cert_id, cert_value } = CertBag::from_der(bag)?;
        if cert_id == PKCS_12_X509_CERT_OID {
            self.certificates.push(CertificateBag {
                local_id: attributes.local_id,
                trusted: attributes.trusted,
                certificate: CertificateDer::from(cert_value.into_bytes()),
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

/// What stands in the `[0]` of a bag.
fn inner(value: &[u8]) -> der::Result<Vec<u8>> {
    ContextSpecific::<Any>::from_der(value)?.value.to_der()
}

/// Issuer and subject of a certificate.
fn names(certificate: &[u8]) -> Option<(Name, Name)> {
    let signed = Certificate::from_der(certificate).ok()?.tbs_certificate;
    Some((signed.issuer, signed.subject))
}

#[derive(Default)]
struct Attributes {
    name: Option<String>,
    local_id: Option<Vec<u8>>,
    trusted: bool,
}

impl Attributes {
    fn read(set: Option<Set>) -> Attributes {
        let mut attributes = Attributes::default();
        for attribute in set.iter().flat_map(|set| set.iter()) {
            let value = attribute.values.get(0);
            match attribute.oid {
                FRIENDLY_NAME => {
                    let name = value.and_then(|value| value.decode_as::<BmpString>().ok());
                    attributes.name = name.map(|name| name.to_string());
                }
                LOCAL_KEY_ID => {
                    let id = value.and_then(|value| value.decode_as::<OctetString>().ok());
                    attributes.local_id = id.map(OctetString::into_bytes);
                }
                TRUSTED_KEY_USAGE => attributes.trusted = true,
                _ => {}
            }
        }
        attributes
    }
}

impl From<der::Error> for StoreError {
    fn from(error: der::Error) -> StoreError {
        match error.kind() {
            ErrorKind::IndefiniteLength => StoreError::Unsupported("BER's indefinite lengths".to_owned()),
            ErrorKind::OidUnknown { oid } => pbe::unsupported(oid),
            _ => StoreError::Damaged("an element is not of the kind that belongs there"),
        }
    }
}

/// How a store begins, within its outermost element.
const VERSION_3: &[u8] = &[0x02, 0x01, 0x03];
const FRIENDLY_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.20");
const LOCAL_KEY_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.21");
/// Oracle's.
const TRUSTED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.113894.746875.1.1");

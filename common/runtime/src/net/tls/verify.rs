//! Whom a sink believes.
//!
//! As Flume's clients do, it checks that the certificate is signed by somebody it trusts, and not that it names the host
//! it connects to unless `verify-hostname` says so: Flume never does, and fleets run with one certificate for all
//! collectors. A certificate that stands in the trust store itself is believed as it is, also when it has expired, is an
//! authority's or of X.509 version 1: so does Java. With `trust-all-certs` every certificate is.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::sync::Arc;

/// The judge of a collector's certificate.
#[derive(Debug)]
pub(crate) struct Judge {
    pub(crate) trust: Trust,
    /// `verify-hostname`: the certificate must name the host, whoever is trusted.
    pub(crate) names: bool,
    pub(crate) algorithms: WebPkiSupportedAlgorithms,
}

/// Who is trusted.
#[derive(Debug)]
pub(crate) enum Trust {
    /// `trust-all-certs`: whoever it is, as long as it holds the key of the certificate that it shows.
    Anybody,
    /// These, and whom they have signed.
    Listed { roots: RootCertStore, certificates: Vec<CertificateDer<'static>> },
}

impl Trust {
    /// `None` when not one of the certificates can be used.
    pub(crate) fn listed(certificates: Vec<CertificateDer<'static>>) -> Option<Trust> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates.iter().cloned());
        (!certificates.is_empty()).then_some(Trust::Listed { roots, certificates })
    }
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Trust::Listed { roots, certificates } = &self.trust
            && !certificates.contains(end_entity)
        {
            let certificate = ParsedCertificate::try_from(end_entity)?;
            verify_server_cert_signed_by_trust_anchor(
                &certificate,
                roots,
                intermediates,
                now,
                self.algorithms.all,
            )?;
        }
        if self.names {
            verify_server_name(&ParsedCertificate::try_from(&as_version_3(end_entity))?, server_name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, &as_version_3(cert), signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, &as_version_3(cert), signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// An own key with its certificates, of which the first may be of X.509 version 1. It is sent as it is, and read as if it
/// were of version 3 to see that the key is its own.
pub(crate) fn certified(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    provider: &CryptoProvider,
) -> Result<Arc<SingleCertAndKey>, Error> {
    let first = chain.first().map(|first| as_version_3(first).into_owned());
    let mut own = CertifiedKey::from_der(first.into_iter().collect(), key, provider)?;
    own.cert = chain;
    Ok(Arc::new(SingleCertAndKey::from(own)))
}

/// A certificate of X.509 version 1 as if it were of version 3, which is all that its key is read from; others as they are.
/// The seal of its authority does not fit any more: whoever is trusted by that is judged before.
fn as_version_3<'a>(certificate: &'a CertificateDer<'_>) -> CertificateDer<'a> {
    let version_3 = |bytes: &[u8]| {
        let (outer, _) = element(bytes)?;
        let (inner, behind) = element(outer)?;
        // Version 1 is the one that is not written down: the serial number comes first.
        (inner.first() == Some(&INTEGER)).then(|| {
            let inner = sequence(&[&VERSION_3, inner]);
            sequence(&[&inner, behind])
        })
    };
    match version_3(certificate) {
        Some(bytes) => CertificateDer::from(bytes),
        None => CertificateDer::from(certificate.as_ref()),
    }
}

/// What is in the DER sequence at the start of `bytes`, and what is behind it.
fn element(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[SEQUENCE, first], rest) = bytes.split_first_chunk::<2>()? else { return None };
    let (length, rest) = match first {
        0..=127 => (usize::from(first), rest),
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    let length = parts.iter().map(|part| part.len()).sum::<usize>();
    let [.., high, middle, low] = length.to_be_bytes();
    let head: &[u8] = match length {
        0..=127 => &[SEQUENCE, low],
        128..=255 => &[SEQUENCE, 0x81, low],
        256..=0xffff => &[SEQUENCE, 0x82, middle, low],
        _ => &[SEQUENCE, 0x83, high, middle, low],
    };
    [&[head], parts].concat().concat()
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const VERSION_3: [u8; 5] = [0xa0, 3, INTEGER, 1, 2];

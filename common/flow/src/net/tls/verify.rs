//! Whom a sink believes.
//!
//! As Flume's clients do, it checks that the certificate is signed by somebody it trusts, and not that it names the host
//! it connects to: neither does Flume, and fleets run with one certificate for all collectors. A certificate that stands
//! in the trust store itself is believed as it is, also when it has expired or is an authority's: so does Java.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

/// The judge of a collector's certificate.
#[derive(Debug)]
pub(super) struct Judge {
    pub(super) trust: Trust,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
}

/// Who is trusted.
#[derive(Debug)]
pub(super) enum Trust {
    /// `trust-all-certs`: whoever it is, as long as it holds the key of the certificate that it shows.
    Anybody,
    /// These, and whom they have signed.
    Listed { roots: RootCertStore, certificates: Vec<CertificateDer<'static>> },
}

impl Trust {
    /// `None` when not one of the certificates can be used.
    pub(super) fn listed(certificates: Vec<CertificateDer<'static>>) -> Option<Trust> {
        let mut roots = RootCertStore::empty();
        let (usable, _) = roots.add_parsable_certificates(certificates.iter().cloned());
        (usable > 0).then_some(Trust::Listed { roots, certificates })
    }
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
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
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

//! What went wrong between two ends of TLS, in an operator's words.

use rustls::{AlertDescription, CertificateError, Error, PeerIncompatible};
use std::io;

/// A handshake that a source saw fail.
pub(crate) fn refused_by_server(error: &io::Error) -> String {
    let Some(cause) = cause(error) else { return plain(error) };
    match cause {
        Error::InvalidMessage(_) => NO_TLS.to_owned(),
        Error::AlertReceived(AlertDescription::UnknownCA | AlertDescription::CertificateUnknown | AlertDescription::BadCertificate) => {
            "the peer does not trust the certificate of this source: it, or its authority, must be in the truststore there, and with verify-hostname it must name this host".to_owned()
        }
        Error::NoCertificatesPresented => "the peer shows no certificate, which need-client-auth asks for: set `keystore` on its sink".to_owned(),
        Error::InvalidCertificate(why) => format!("the peer's certificate is not good enough for the truststore of this source: {}", certificate(why)),
        Error::PeerIncompatible(why) => incompatible(why),
        other => format!("no TLS with the peer: {other}"),
    }
}

/// A handshake that a sink saw fail.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub text: String,
    /// Nothing that was said was TLS.
    pub foreign: bool,
}

/// A handshake that a sink saw fail.
pub(crate) fn refused_by_client(error: &io::Error) -> Refusal {
    match cause(error) {
        None => Refusal { text: plain(error), foreign: true },
        Some(cause) => Refusal { text: refused(cause), foreign: matches!(cause, Error::InvalidMessage(_)) },
    }
}

fn refused(cause: &Error) -> String {
    match cause {
        Error::InvalidMessage(_) => NO_TLS.to_owned(),
        Error::InvalidCertificate(why) => format!("its certificate is not trusted: {}", certificate(why)),
        Error::AlertReceived(alert) => {
            format!("it breaks the TLS handshake off ({alert:?}): {}", alerted(*alert))
        }
        Error::PeerIncompatible(why) => incompatible(why),
        other => format!("no TLS with it: {other}"),
    }
}

/// With `verify-hostname`, a host whose name no certificate can have.
pub(crate) fn no_name(host: &str) -> Refusal {
    let host = plan::cut(host, MOST_SHOWN);
    Refusal {
        text: format!(
            "`{host}` is no name that a certificate can have, which verify-hostname asks for: write the name or the address that is in the collector's certificate"
        ),
        foreign: false,
    }
}

/// A key that cannot serve.
pub(crate) fn bad_key(alias: &str, error: &Error) -> String {
    format!(
        "its key {alias} cannot be used: {error}; RSA of 2,048 bits or more, EC (secp256r1, secp384r1) and Ed25519 can"
    )
}

/// An error on a connection that was open already, with its cause in words.
pub(crate) fn in_words(error: io::Error) -> io::Error {
    let text = match cause(&error) {
        Some(Error::AlertReceived(alert)) => format!("the peer ends TLS ({alert:?}): {}", alerted(*alert)),
        Some(cause) => format!("the TLS stream is broken: {cause}"),
        None => return error,
    };
    io::Error::new(error.kind(), text)
}

fn cause(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
            "it closed the connection during the TLS handshake: are `ssl` and `compression-type` the same on both sides?".to_owned()
        }
        _ => error.to_string(),
    }
}

fn alerted(alert: AlertDescription) -> &'static str {
    match alert {
        AlertDescription::CertificateRequired => "it wants a certificate, set `keystore` on this sink",
        AlertDescription::HandshakeFailure
        | AlertDescription::ProtocolVersion
        | AlertDescription::InsufficientSecurity => NOTHING_IN_COMMON,
        AlertDescription::UnknownCA
        | AlertDescription::CertificateUnknown
        | AlertDescription::BadCertificate => "it does not trust this end's certificate",
        _ => "its log may say why",
    }
}

fn incompatible(why: &PeerIncompatible) -> String {
    format!("{NOTHING_IN_COMMON} ({why:?})")
}

fn certificate(why: &CertificateError) -> String {
    match why {
        CertificateError::UnknownIssuer => {
            "neither it nor its authority is in the truststore; `keytool -importcert` puts it there"
                .to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired".to_owned(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet; are both clocks right?".to_owned()
        }
        CertificateError::NotValidForName => {
            "it does not name this host, which verify-hostname asks for".to_owned()
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names = match &presented[..] {
                [] => "none (only subjectAltName counts)".to_owned(),
                names => names.join(", "),
            };
            format!(
                "it does not name {}, which verify-hostname asks for; its names: {}",
                plan::cut(&expected.to_str(), MOST_SHOWN),
                plan::cut(&names, MOST_NAMES)
            )
        }
        CertificateError::BadSignature => {
            "its signature is not good; one by an RSA key under 2,048 bits never is here: make a longer key"
                .to_owned()
        }
        other => other.to_string(),
    }
}

/// Bytes of a host's name that are shown, and of the names that a peer's certificate has.
const MOST_SHOWN: usize = 80;
const MOST_NAMES: usize = 300;
const NO_TLS: &str = "the peer does not speak TLS, this end does: set `ssl` on both sides or on neither";
const NOTHING_IN_COMMON: &str = "no protocol or cipher suite in common; TLS 1.3 and 1.2 are offered here, less what include- and exclude- lists leave out";

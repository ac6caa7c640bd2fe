//! Java's key stores as PEM text, for libraries that read nothing else.

use super::{Store, StoreError};
use std::path::Path;

/// The certificates that the store at `path` trusts.
///
/// # Errors
/// What is wrong with the store, to be read behind its name.
pub fn trusted_as_pem(path: &Path, password: Option<&str>) -> Result<String, String> {
    let trusted = Store::open(path, password).and_then(Store::trusted).map_err(|error| said(path, &error))?;
    Ok(trusted.iter().map(|certificate| block("CERTIFICATE", certificate)).collect())
}

/// The first key of the store at `path`, and its certificates.
///
/// # Errors
/// What is wrong with the store, to be read behind its name.
pub fn identity_as_pem(path: &Path, password: &str) -> Result<(String, String), String> {
    let opened = Store::open(path, Some(password)).and_then(|store| store.identity(password));
    let identity = opened.map_err(|error| said(path, &error))?;
    let chain = identity.chain.iter().map(|certificate| block("CERTIFICATE", certificate)).collect();
    Ok((block("PRIVATE KEY", identity.key.secret_der()), chain))
}

fn said(path: &Path, error: &StoreError) -> String {
    format!("{} {error}", path.display())
}

fn block(label: &str, bytes: &[u8]) -> String {
    let text = base64(bytes);
    let lines: Vec<&str> =
        (0..text.len()).step_by(LINE).map(|at| &text[at..text.len().min(at + LINE)]).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits =
            group.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let sign = SIGNS[(bits >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= group.len() { sign as char } else { '=' });
        }
    }
    text
}

const LINE: usize = 64;
const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_as_rfc_4648_has_it() {
        for (bytes, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn stores_of_java_become_pem() {
        let store = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/stores").join(name);
        for (own, trust) in [("server.jks", "trust.jks"), ("named.p12", "trust.p12")] {
            let (key, chain) = identity_as_pem(&store(own), "changeit").unwrap();
            // What follows is DER's SEQUENCE, of an RSA key or an elliptic one.
            assert!(key.starts_with("-----BEGIN PRIVATE KEY-----\nM"), "{own}");
            assert!(chain.matches("-----BEGIN CERTIFICATE-----").count() >= 1, "{own}");
            assert!(chain.lines().all(|line| line.len() <= LINE), "{own}");
            let trusted = trusted_as_pem(&store(trust), Some("changeit")).unwrap();
            assert!(trusted.ends_with("-----END CERTIFICATE-----\n"), "{trust}");
        }
        let said = trusted_as_pem(&store("absent"), None).unwrap_err();
        assert!(said.contains("cannot be read"), "{said}");
    }
}

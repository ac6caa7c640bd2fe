//! Stores made by keytool and OpenSSL; `testdata/stores/make.sh` says how.

use super::*;

const PASSWORD: Option<&str> = Some("changeit");

fn file(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap()
}

fn path(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/stores").join(name)
}

fn identity(name: &str) -> Identity {
    Store::open(&path(name), PASSWORD).unwrap().identity("changeit").unwrap()
}

fn pem(name: &str) -> CertificateDer<'static> {
    use rustls::pki_types::pem::PemObject;
    CertificateDer::from_pem_file(path(name)).unwrap()
}

#[test]
fn a_key_comes_with_its_certificates() {
    let authority = pem("authority.pem");
    for (name, alias, certificates) in [
        ("server.jks", "server", 1),
        ("chain.p12", "chain", 2),
        ("legacy.p12", "legacy", 2),
        ("two-keys-des.p12", "old", 2),
    ] {
        let identity = identity(name);
        assert_eq!(
            (identity.alias.as_str(), identity.chain.len(), identity.of),
            (alias, certificates, 1),
            "{name}"
        );
        let certified = rustls::sign::CertifiedKey::from_der(
            identity.chain.clone(),
            identity.key,
            &rustls::crypto::ring::default_provider(),
        );
        assert!(certified.unwrap().keys_match().is_ok(), "{name}");
        assert!(certificates == 1 || identity.chain[1] == authority, "{name}");
    }
    assert_eq!(identity("server.jks").chain[0], pem("server.pem"));
}

#[test]
fn trust_stores_of_every_kind() {
    let trusted = |name, password| Store::open(&path(name), password).unwrap().trusted().unwrap();
    let (server, authority) = (pem("server.pem"), pem("authority.pem"));
    for (name, expected) in [
        ("trust.jks", &server),
        ("trust.p12", &server),
        ("server.jks", &server),
        ("authority-trust.p12", &authority),
        ("openssl-trust.p12", &authority),
    ] {
        assert_eq!(trusted(name, PASSWORD), std::slice::from_ref(expected), "{name}");
    }
    assert_eq!(trusted("trust.jks", None), [server]);
    assert_eq!(trusted("chain.p12", PASSWORD).len(), 2, "the authority, and the key's own");
}

#[test]
fn what_is_wrong_is_said_in_words() {
    let said = |name, password: &str| {
        let error = Store::open(&path(name), Some(password))
            .and_then(|store| store.identity(password).map(|_| ()))
            .unwrap_err();
        error.to_string()
    };
    for name in ["server.jks", "chain.p12", "legacy.p12", "two-keys-des.p12"] {
        for password in ["wrong", "", "changeit "] {
            assert!(
                said(name, password).contains("the password is wrong"),
                "{name}: {}",
                said(name, password)
            );
        }
    }
    assert!(said("trust.jks", "changeit").contains("no private key, only 1 certificates"));
    assert!(said("key-password.jks", "changeit").contains("keytool -keypasswd -alias server"));
    assert!(said("server.jceks", "changeit").contains("JCEKS"));
    assert!(said("server.pem", "changeit").contains("openssl pkcs12"));
    assert!(said("nowhere.jks", "changeit").contains("No such file"));
    assert!(matches!(Store::parse(&pem("server.pem"), PASSWORD), Err(StoreError::Foreign(_))));
    assert!(matches!(Store::open(&path("trust.p12"), None), Err(StoreError::NoPassword)));
    assert!(matches!(Store::open(Path::new("/dev/zero"), None), Err(StoreError::Foreign(_))));
}

#[test]
fn a_file_cut_anywhere_is_an_error() {
    for name in ["server.jks", "trust.jks", "trust.p12", "chain.p12", "legacy.p12"] {
        let whole = file(name);
        for cut in 0..whole.len() {
            for password in [PASSWORD, None] {
                let error = Store::parse(&whole[..cut], password).unwrap_err();
                assert!(
                    matches!(error, StoreError::Cut(_) | StoreError::Foreign(_)),
                    "{name} cut at {cut}: {error}"
                );
            }
        }
    }
}

/// Anything may come out but a panic; with a password, a changed byte is never taken for the real thing.
#[test]
fn a_changed_byte_is_found() {
    for name in ["server.jks", "trust.jks", "trust.p12"] {
        let whole = file(name);
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0x41;
            let _whatever = Store::parse(&changed, None);
            // Rounds beyond count: a changed count may take a minute, but no more than Java's limit.
            if !(name.ends_with("p12")) {
                assert!(Store::parse(&changed, PASSWORD).is_err(), "{name} changed at {at}");
            }
        }
    }
}

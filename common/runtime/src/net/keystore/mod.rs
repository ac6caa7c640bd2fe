//! Java's key stores and trust stores: JKS and PKCS12, told by content whatever the configuration calls them.
//!
//! A JVM since Java 9 opens either kind under either name, so files exist that say `JKS` and point at PKCS12. JCEKS
//! and the stores of other providers are refused with the command that converts them. Nothing is kept of a password.

pub(crate) mod jceks;
mod jks;
mod pbe;
pub(crate) mod pem;
mod pkcs12;
mod pkcs8;
mod serialized;
#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use thiserror::Error;

/// What a store holds.
#[derive(Debug, Default)]
pub(crate) struct Store {
    keys: Vec<KeyEntry>,
    certificates: Vec<CertificateDer<'static>>,
}

/// A private key, sealed by the password, with the certificates that go with it.
#[derive(Debug)]
struct KeyEntry {
    alias: String,
    key: Sealed,
    /// Its own certificate first, then each one's issuer.
    chain: Vec<CertificateDer<'static>>,
}

#[derive(Debug)]
enum Sealed {
    /// PKCS8, as it is.
    Open(Vec<u8>),
    /// PKCS8's `EncryptedPrivateKeyInfo`; the form of both kinds of store.
    Encrypted(Vec<u8>),
}

/// A key with its certificates, ready to be used.
pub(crate) struct Identity {
    pub alias: String,
    pub key: PrivateKeyDer<'static>,
    pub chain: Vec<CertificateDer<'static>>,
    /// How many keys the store holds; the first one is used.
    pub of: usize,
}

/// Why a store cannot be used.
#[derive(Debug, Error)]
pub(crate) enum StoreError {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Read(#[from] io::Error),
    /// It ends within something.
    #[error("ends in the middle, after {0} bytes: copy it again from where it was made")]
    Cut(usize),
    /// It says what it cannot say.
    #[error("is damaged: {0}; copy it again from where it was made")]
    Damaged(&'static str),
    /// The integrity check failed, or what was decrypted makes no sense.
    #[error("does not open: the password is wrong, or the file was changed since it was made")]
    Password,
    /// The key has its own password, which Flume cannot be told either.
    #[error(
        "has a key, {0}, that the store's password does not open: give both the same password, `keytool -keypasswd -alias {0} -keystore FILE`"
    )]
    KeyPassword(String),
    /// It is encrypted.
    #[error("is encrypted, and no password is set for it")]
    NoPassword,
    /// It is something else.
    #[error("is no JKS or PKCS12 store but {0}")]
    Foreign(&'static str),
    /// It is something else than a credential store.
    #[error(
        "is no credential store of Hadoop but {0}: make one with `hadoop credential create NAME -provider jceks://file/PATH`"
    )]
    NoCredentials(&'static str),
    /// It uses something that is not known here.
    #[error(
        "uses {0}, which is not supported here: make it anew with `keytool -importkeystore -srckeystore FILE -destkeystore NEW -deststoretype PKCS12`"
    )]
    Unsupported(String),
    /// It has no private key.
    #[error("holds no private key, only {0} certificates: is it a trust store?")]
    NoKey(usize),
    /// It has no certificate.
    #[error("holds no certificate")]
    Empty,
}

impl Store {
    /// Reads the store at `path`. Without a password its integrity is not checked, as in Java.
    ///
    /// # Errors
    /// [`StoreError`]
    pub(crate) fn open(path: &Path, password: Option<&str>) -> Result<Store, StoreError> {
        let bytes = plan::input::read(path, MOST_BYTES, PATIENCE_SECONDS, &|_| {})?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(StoreError::Foreign("a file of more than 16 MiB"));
        }
        Store::parse(&bytes, password)
    }

    pub(crate) fn parse(bytes: &[u8], password: Option<&str>) -> Result<Store, StoreError> {
        match bytes {
            [0xfe, 0xed, 0xfe, 0xed, ..] => jks::parse(bytes, password),
            [0xce, 0xce, 0xce, 0xce, ..] => Err(StoreError::Unsupported("the format JCEKS".to_owned())),
            [0x30, ..] => pkcs12::parse(bytes, password),
            [] => Err(StoreError::Foreign("an empty file")),
            _ if bytes.starts_with(b"-----BEGIN") => Err(StoreError::Foreign(
                "PEM text: make a store of it with `openssl pkcs12 -export -inkey KEY -in CERTIFICATES -out FILE`",
            )),
            [0xfe, ..] | [0xfe, 0xed, ..] if bytes.len() < 4 => Err(StoreError::Cut(bytes.len())),
            _ => Err(StoreError::Foreign("something unknown")),
        }
    }

    /// The first key, which is the one that Java would most likely choose.
    ///
    /// # Errors
    /// [`StoreError::NoKey`], [`StoreError::KeyPassword`], and what a sealed key may be besides.
    pub(crate) fn identity(&self, password: &str) -> Result<Identity, StoreError> {
        let Some(entry) = self.keys.first() else { return Err(StoreError::NoKey(self.certificates.len())) };
        let key = match &entry.key {
            Sealed::Open(key) => key.clone(),
            Sealed::Encrypted(info) => pbe::open_key(info, password).map_err(|error| match error {
                StoreError::Password => StoreError::KeyPassword(entry.alias.clone()),
                error => error,
            })?,
        };
        let key = pkcs8::completed(key, entry.chain.first().map(|certificate| certificate.as_ref()));
        Ok(Identity {
            alias: entry.alias.clone(),
            key: PrivatePkcs8KeyDer::from(key).into(),
            chain: entry.chain.clone(),
            of: self.keys.len(),
        })
    }

    /// Whom this store trusts: its certificates, and as in Java the own certificate of each key.
    ///
    /// # Errors
    /// [`StoreError::Empty`]
    pub(crate) fn trusted(self) -> Result<Vec<CertificateDer<'static>>, StoreError> {
        let own = self.keys.into_iter().filter_map(|entry| entry.chain.into_iter().next());
        let trusted: Vec<_> = self.certificates.into_iter().chain(own).collect();
        if trusted.is_empty() { Err(StoreError::Empty) } else { Ok(trusted) }
    }
}

/// No store of any use is larger.
const MOST_BYTES: u64 = 16 << 20;
/// A pipe in its place may keep its component, and others on that thread, waiting for so long.
const PATIENCE_SECONDS: u32 = 2;

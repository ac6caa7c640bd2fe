//! Encryption by a password, as PKCS12 stores of the last twenty years have it (RFC 7292 and RFC 8018), and the seal of
//! JKS's keys. What is computed comes from `pkcs12` and `pkcs5`; here stands which algorithms there are.
//!
//! Java 8 and OpenSSL 1 seal keys with triple DES and certificates with RC2 of 40 bits; later ones use AES.

use super::StoreError;
use super::jks;
use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipher, BlockDecryptMut, KeyInit, KeyIvInit};
use md5::{Digest, Md5};
use pkcs5::pbes2::{Kdf, Parameters};
use pkcs12::kdf::{Pkcs12KeyType, derive_key};
use pkcs12::mac_data::MacData;
use pkcs12::pbe_params::{EncryptedPrivateKeyInfo, Pkcs12PbeParams};
use pkcs12::{
    PKCS_12_PBE_WITH_SHAAND2_KEY_TRIPLE_DES_CBC as TWO_KEYS_DES,
    PKCS_12_PBE_WITH_SHAAND3_KEY_TRIPLE_DES_CBC as TRIPLE_DES,
    PKCS_12_PBE_WITH_SHAAND128_BIT_RC2_CBC as RC2_128, PKCS_12_PBEWITH_SHAAND40_BIT_RC2_CBC as RC2_40,
};
use ring::hmac;
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};
use x509_cert::der::asn1::{Any, AnyRef, ObjectIdentifier};
use x509_cert::der::oid::db::rfc5912::{ID_SHA_1, ID_SHA_256, ID_SHA_384, ID_SHA_512};
use x509_cert::der::{Decode, Tag, Tagged};
use x509_cert::spki::AlgorithmIdentifierOwned;

/// Takes a key out of its `EncryptedPrivateKeyInfo`.
///
/// # Errors
/// [`StoreError::Password`] when it is wrong.
pub(crate) fn open_key(info: &[u8], password: &str) -> Result<Vec<u8>, StoreError> {
    let info = EncryptedPrivateKeyInfo::from_der(info)?;
    let key = decrypt(&info.encryption_algorithm, info.encrypted_data.as_bytes(), password)?;
    // A wrong password may by chance leave a good padding behind.
    if AnyRef::from_der(&key).is_ok_and(|element| element.tag() == Tag::Sequence) {
        Ok(key)
    } else {
        Err(StoreError::Password)
    }
}

/// Decrypts `sealed` by the algorithm, with its parameters.
///
/// # Errors
/// [`StoreError::Password`] when it is wrong.
pub(crate) fn decrypt(
    algorithm: &AlgorithmIdentifierOwned,
    sealed: &[u8],
    password: &str,
) -> Result<Vec<u8>, StoreError> {
    if algorithm.oid == JKS_SEAL {
        return jks::unseal(sealed, password);
    }
    let none = StoreError::Damaged("an algorithm has no parameters");
    let parameters = algorithm.parameters.as_ref().ok_or(none)?;
    match algorithm.oid {
        pkcs5::pbes2::PBES2_OID => scheme2(parameters, sealed, password),
        TRIPLE_DES => scheme1::<des::TdesEde3>(24, parameters, sealed, password),
        TWO_KEYS_DES => scheme1::<des::TdesEde2>(16, parameters, sealed, password),
        RC2_128 => scheme1::<rc2::Rc2>(16, parameters, sealed, password),
        RC2_40 => scheme1::<rc2::Rc2>(5, parameters, sealed, password),
        other => Err(unsupported(other)),
    }
}

/// Whether the integrity check of PKCS12, an HMAC under `password`, holds for `bytes`.
pub(crate) fn is_intact(mac: &MacData, bytes: &[u8], password: &str) -> Result<bool, StoreError> {
    let (password, salt) = (characters(password), mac.mac_salt.as_bytes());
    let rounds = checked(i64::from(mac.iterations))?;
    let (algorithm, key) = match mac.mac.algorithm.oid {
        ID_SHA_1 => {
            let key = derive_key::<Sha1>(&password, salt, Pkcs12KeyType::Mac, rounds, 20);
            (hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key)
        }
        ID_SHA_256 => {
            (hmac::HMAC_SHA256, derive_key::<Sha256>(&password, salt, Pkcs12KeyType::Mac, rounds, 32))
        }
        ID_SHA_384 => {
            (hmac::HMAC_SHA384, derive_key::<Sha384>(&password, salt, Pkcs12KeyType::Mac, rounds, 48))
        }
        ID_SHA_512 => {
            (hmac::HMAC_SHA512, derive_key::<Sha512>(&password, salt, Pkcs12KeyType::Mac, rounds, 64))
        }
        other => return Err(unsupported(other)),
    };
    Ok(hmac::verify(&hmac::Key::new(algorithm, &key), bytes, mac.mac.digest.as_bytes()).is_ok())
}

/// PKCS12's own schemes: key and start of the cipher from one derivation.
fn scheme1<C>(
    key_bytes: usize,
    parameters: &Any,
    sealed: &[u8],
    password: &str,
) -> Result<Vec<u8>, StoreError>
where
    C: BlockCipher + BlockDecryptMut + KeyInit,
{
    let parameters: Pkcs12PbeParams = parameters.decode_as()?;
    let (password, salt) = (characters(password), parameters.salt.as_bytes());
    let rounds = checked(i64::from(parameters.iterations))?;
    let key = derive_key::<Sha1>(&password, salt, Pkcs12KeyType::EncryptionKey, rounds, key_bytes);
    let start = derive_key::<Sha1>(&password, salt, Pkcs12KeyType::Iv, rounds, C::block_size());
    let cipher = Decryptor::<C>::new_from_slices(&key, &start)
        .map_err(|_| StoreError::Damaged("a cipher's key has a wrong length"))?;
    cipher.decrypt_padded_vec_mut::<Pkcs7>(sealed).map_err(|_| StoreError::Password)
}

/// PBES2 of PKCS5: PBKDF2 and a cipher of one's choice.
fn scheme2(parameters: &Any, sealed: &[u8], password: &str) -> Result<Vec<u8>, StoreError> {
    let parameters = Parameters::try_from(AnyRef::from(parameters))?;
    match &parameters.kdf {
        Kdf::Pbkdf2(derivation) => checked(i64::from(derivation.iteration_count))?,
        other => return Err(unsupported(other.oid())),
    };
    parameters.decrypt(password, sealed).map_err(|error| match error {
        pkcs5::Error::DecryptFailed => StoreError::Password,
        pkcs5::Error::UnsupportedAlgorithm { oid } => unsupported(oid),
        _ => StoreError::Damaged("a cipher's key or start has a wrong length"),
    })
}

/// The content of one of Java's sealed objects under `PBEWithMD5AndTripleDES`: key and start of the cipher are MD5 values, each
/// of a half of the salt and the password, again and again.
///
/// Source: `PBES1Core` of the JDK.
///
/// # Errors
/// [`StoreError::Password`] when it is wrong.
pub(super) fn open_sealed_object(
    parameters: &[u8],
    sealed: &[u8],
    password: &str,
) -> Result<Vec<u8>, StoreError> {
    let parameters = Pkcs12PbeParams::from_der(parameters)?;
    let rounds = checked(i64::from(parameters.iterations))?;
    let wrong = |_| StoreError::Damaged("a salt has a wrong length");
    let mut salt: [u8; 8] = parameters.salt.as_bytes().try_into().map_err(wrong)?;
    if salt[..4] == salt[4..] {
        // The JDK means to turn the first half round, and this is what it does.
        (salt[0], salt[1], salt[2]) = (salt[3], salt[0], salt[1]);
    }
    let mut derived = [0; 32];
    for (half, derived) in salt.chunks(4).zip(derived.chunks_mut(16)) {
        let mut mixed = half.to_vec();
        for _ in 0..rounds {
            mixed = Md5::new().chain_update(&mixed).chain_update(password).finalize().to_vec();
        }
        derived.copy_from_slice(&mixed);
    }
    let (key, start) = derived.split_at(24);
    let cipher = Decryptor::<des::TdesEde3>::new_from_slices(key, start)
        .map_err(|_| StoreError::Damaged("a cipher's key has a wrong length"))?;
    cipher.decrypt_padded_vec_mut::<Pkcs7>(sealed).map_err(|_| StoreError::Password)
}

/// A password as PKCS12 has it: characters of two bytes, with a zero at the end.
fn characters(password: &str) -> Vec<u8> {
    password.encode_utf16().chain([0]).flat_map(u16::to_be_bytes).collect()
}

fn checked(rounds: i64) -> Result<i32, StoreError> {
    let rounds = i32::try_from(rounds).ok().filter(|rounds| (1..=MOST_ROUNDS).contains(rounds));
    rounds.ok_or(StoreError::Damaged("a number of rounds is out of range"))
}

pub(crate) fn unsupported(name: ObjectIdentifier) -> StoreError {
    StoreError::Unsupported(format!("an algorithm (object identifier {name})"))
}

/// Java's own limit. A fuzzer has no time for it.
const MOST_ROUNDS: i32 = if cfg!(fuzzing) { 20_000 } else { 5_000_000 };

const JKS_SEAL: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.42.2.17.1.1");

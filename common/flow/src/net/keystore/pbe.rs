//! Encryption by a password, as PKCS12 stores of the last twenty years have it (RFC 7292 and RFC 8018), and the seal of
//! JKS's keys.
//!
//! Java 8 and OpenSSL 1 seal keys with triple DES and certificates with RC2 of 40 bits; later ones use AES.

use super::StoreError;
use super::der::{Der, Element, INTEGER, OCTETS, OID, SEQUENCE};
use super::jks;
use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt, InnerIvInit, KeyInit};
use ring::{digest, hmac, pbkdf2};
use std::num::NonZeroU32;

/// Takes a key out of its `EncryptedPrivateKeyInfo`.
///
/// # Errors
/// [`StoreError::Password`] when it is wrong.
pub(super) fn open_key(info: &[u8], password: &str) -> Result<Vec<u8>, StoreError> {
    let mut info = Der::new(info).expect(SEQUENCE)?.inside();
    let algorithm = info.expect(SEQUENCE)?;
    let sealed = info.expect(OCTETS)?.body;
    let key = decrypt(algorithm, sealed, password)?;
    // A wrong password may by chance leave a good padding behind.
    if Der::new(&key).expect(SEQUENCE).is_ok_and(|element| element.whole.len() == key.len()) {
        Ok(key)
    } else {
        Err(StoreError::Password)
    }
}

/// Decrypts by the algorithm, with its parameters, that stands in front of `sealed`.
///
/// # Errors
/// [`StoreError::Password`] when it is wrong.
pub(super) fn decrypt(algorithm: Element<'_>, sealed: &[u8], password: &str) -> Result<Vec<u8>, StoreError> {
    let mut algorithm = algorithm.inside();
    let name = algorithm.expect(OID)?.body;
    if name == JKS_SEAL {
        return jks::unseal(sealed, password);
    }
    let parameters = algorithm.expect(SEQUENCE)?.inside();
    match name {
        PBES2 => scheme2(parameters, sealed, password),
        [front @ .., which] if front == PKCS12_PBE => {
            let (cipher, key_bytes) = match which {
                3 => (Cipher::TripleDes, 24),
                4 => (Cipher::TripleDes, 16),
                5 => (Cipher::Rc2, 16),
                6 => (Cipher::Rc2, 5),
                _ => return Err(unsupported(name)),
            };
            scheme1(cipher, key_bytes, parameters, sealed, password)
        }
        _ => Err(unsupported(name)),
    }
}

/// Whether `mac` is the HMAC of `bytes` under `password`: PKCS12's integrity check.
pub(super) fn is_intact(
    hash: &[u8],
    mac: &[u8],
    salt: &[u8],
    rounds: u32,
    bytes: &[u8],
    password: &str,
) -> Result<bool, StoreError> {
    let (hash, algorithm) = match hash {
        SHA1 => (&digest::SHA1_FOR_LEGACY_USE_ONLY, hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
        SHA256 => (&digest::SHA256, hmac::HMAC_SHA256),
        SHA384 => (&digest::SHA384, hmac::HMAC_SHA384),
        SHA512 => (&digest::SHA512, hmac::HMAC_SHA512),
        _ => return Err(unsupported(hash)),
    };
    let key = derive(hash, Purpose::Mac, password, salt, checked(rounds)?, hash.output_len());
    Ok(hmac::verify(&hmac::Key::new(algorithm, &key), bytes, mac).is_ok())
}

/// PKCS12's own schemes: everything from one derivation.
fn scheme1(
    cipher: Cipher,
    key_bytes: usize,
    mut parameters: Der<'_>,
    sealed: &[u8],
    password: &str,
) -> Result<Vec<u8>, StoreError> {
    let salt = parameters.expect(OCTETS)?.body;
    let rounds = checked(parameters.expect(INTEGER)?.number()?)?;
    let hash = &digest::SHA1_FOR_LEGACY_USE_ONLY;
    let mut key = derive(hash, Purpose::Key, password, salt, rounds, key_bytes);
    if let (Cipher::TripleDes, 16) = (cipher, key_bytes) {
        key.extend_from_within(..8); // the third key is the first
    }
    cipher.decrypt(&key, &derive(hash, Purpose::Iv, password, salt, rounds, IV_BYTES), sealed)
}

/// PBES2 of PKCS5: PBKDF2 and a cipher of one's choice.
fn scheme2(mut parameters: Der<'_>, sealed: &[u8], password: &str) -> Result<Vec<u8>, StoreError> {
    let mut derivation = parameters.expect(SEQUENCE)?.inside();
    let mut encryption = parameters.expect(SEQUENCE)?.inside();
    let name = derivation.expect(OID)?.body;
    if name != PBKDF2 {
        return Err(unsupported(name));
    }
    let cipher_name = encryption.expect(OID)?.body;
    let (cipher, key_bytes) = match cipher_name {
        AES_128_CBC => (Cipher::Aes128, 16),
        AES_192_CBC => (Cipher::Aes192, 24),
        AES_256_CBC => (Cipher::Aes256, 32),
        TRIPLE_DES_CBC => (Cipher::TripleDes, 24),
        _ => return Err(unsupported(cipher_name)),
    };
    let iv = encryption.expect(OCTETS)?.body;
    let mut derivation = derivation.expect(SEQUENCE)?.inside();
    let salt = derivation.expect(OCTETS)?.body;
    let rounds = checked(derivation.expect(INTEGER)?.number()?)?;
    let _key_length = derivation.optional(INTEGER)?;
    let prf = match derivation.optional(SEQUENCE)? {
        Some(prf) => pseudo_random(prf.inside().expect(OID)?.body)?,
        None => pbkdf2::PBKDF2_HMAC_SHA1,
    };
    let mut key = vec![0; key_bytes];
    pbkdf2::derive(prf, rounds, salt, password.as_bytes(), &mut key);
    cipher.decrypt(&key, iv, sealed)
}

fn pseudo_random(name: &[u8]) -> Result<pbkdf2::Algorithm, StoreError> {
    match name {
        [front @ .., which] if front == HMAC => match which {
            7 => Ok(pbkdf2::PBKDF2_HMAC_SHA1),
            9 => Ok(pbkdf2::PBKDF2_HMAC_SHA256),
            10 => Ok(pbkdf2::PBKDF2_HMAC_SHA384),
            11 => Ok(pbkdf2::PBKDF2_HMAC_SHA512),
            _ => Err(unsupported(name)),
        },
        _ => Err(unsupported(name)),
    }
}

#[derive(Clone, Copy)]
enum Cipher {
    Aes128,
    Aes192,
    Aes256,
    TripleDes,
    Rc2,
}

impl Cipher {
    fn decrypt(self, key: &[u8], iv: &[u8], sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        match self {
            Cipher::Aes128 => decrypt_with::<aes::Aes128>(key, iv, sealed),
            Cipher::Aes192 => decrypt_with::<aes::Aes192>(key, iv, sealed),
            Cipher::Aes256 => decrypt_with::<aes::Aes256>(key, iv, sealed),
            Cipher::TripleDes => decrypt_with::<des::TdesEde3>(key, iv, sealed),
            Cipher::Rc2 => decrypt_with::<rc2::Rc2>(key, iv, sealed),
        }
    }
}

fn decrypt_with<C: BlockCipherDecrypt + KeyInit>(
    key: &[u8],
    iv: &[u8],
    sealed: &[u8],
) -> Result<Vec<u8>, StoreError> {
    let cipher =
        C::new_from_slice(key).map_err(|_| StoreError::Damaged("a cipher's key has a wrong length"))?;
    let cbc = Decryptor::inner_iv_slice_init(cipher, iv)
        .map_err(|_| StoreError::Damaged("a cipher's start has a wrong length"))?;
    cbc.decrypt_padded_vec::<Pkcs7>(sealed).map_err(|_| StoreError::Password)
}

/// What derived bytes are for.
#[derive(Clone, Copy)]
enum Purpose {
    Key = 1,
    Iv = 2,
    Mac = 3,
}

/// PKCS12's derivation, RFC 7292, appendix B.
fn derive(
    hash: &'static digest::Algorithm,
    purpose: Purpose,
    password: &str,
    salt: &[u8],
    rounds: NonZeroU32,
    bytes: usize,
) -> Vec<u8> {
    let block = hash.block_len();
    // Characters of two bytes, with a zero at the end.
    let password: Vec<u8> = password.encode_utf16().chain([0]).flat_map(u16::to_be_bytes).collect();
    let mut state = filled(salt, block);
    state.extend(filled(&password, block));
    let mut derived = Vec::new();
    while derived.len() < bytes {
        let mut context = digest::Context::new(hash);
        context.update(&vec![purpose as u8; block]);
        context.update(&state);
        let mut value = context.finish();
        for _ in 1..rounds.get() {
            value = digest::digest(hash, value.as_ref());
        }
        derived.extend_from_slice(value.as_ref());
        let mut step = filled(value.as_ref(), block);
        step.truncate(block);
        state.chunks_exact_mut(block).for_each(|part| add(part, &step));
    }
    derived.truncate(bytes);
    derived
}

/// `bytes` again and again, to a multiple of `block`.
fn filled(bytes: &[u8], block: usize) -> Vec<u8> {
    bytes.iter().copied().cycle().take(bytes.len().div_ceil(block) * block).collect()
}

/// `number + step + 1`, both big-endian and of one length.
fn add(number: &mut [u8], step: &[u8]) {
    let mut carry = 1;
    for (digit, step) in number.iter_mut().zip(step).rev() {
        let sum = u16::from(*digit) + u16::from(*step) + carry;
        *digit = (sum & 0xff) as u8;
        carry = sum >> 8;
    }
}

fn checked(rounds: u32) -> Result<NonZeroU32, StoreError> {
    NonZeroU32::new(rounds)
        .filter(|rounds| rounds.get() <= MOST_ROUNDS)
        .ok_or(StoreError::Damaged("a number of rounds is out of range"))
}

fn unsupported(name: &[u8]) -> StoreError {
    let name: Vec<String> = name.iter().map(|byte| format!("{byte:02x}")).collect();
    StoreError::Unsupported(format!("an algorithm (object identifier {})", name.join(" ")))
}

/// Java's own limit.
const MOST_ROUNDS: u32 = 5_000_000;
/// A block of triple DES and of RC2.
const IV_BYTES: usize = 8;

/// 1.3.6.1.4.1.42.2.17.1.1
const JKS_SEAL: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x2a, 0x02, 0x11, 0x01, 0x01];
/// 1.2.840.113549.1.12.1
const PKCS12_PBE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01];
/// 1.2.840.113549.1.5.13
const PBES2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d];
/// 1.2.840.113549.1.5.12
const PBKDF2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0c];
/// 1.2.840.113549.2
const HMAC: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02];
/// 1.2.840.113549.3.7
const TRIPLE_DES_CBC: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x03, 0x07];
/// 2.16.840.1.101.3.4.1.2, .22, .42
const AES_128_CBC: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x02];
const AES_192_CBC: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x16];
const AES_256_CBC: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2a];
/// 1.3.14.3.2.26
const SHA1: &[u8] = &[0x2b, 0x0e, 0x03, 0x02, 0x1a];
/// 2.16.840.1.101.3.4.2.1, .2, .3
const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
const SHA384: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02];
const SHA512: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03];

//! JCEKS: as JKS, with secret keys besides. Hadoop keeps passwords in them, each as a key's bytes.

use super::jks::{Input, integrity};
use super::pbe::open_sealed_object;
use super::serialized::{Value, object};
use super::{MOST_BYTES, PATIENCE_SECONDS, StoreError};
use plan::Secret;
use ring::digest::SHA1_OUTPUT_LEN;
use std::path::Path;

/// The secret called `name` in Hadoop's credential store at `path`; `None`: it has none of that name.
///
/// # Errors
/// Why the store cannot be used, in an operator's words.
pub fn credential(path: &Path, password: &str, name: &str) -> Result<Option<Secret>, String> {
    let read = || {
        let bytes = plan::input::read(path, MOST_BYTES, PATIENCE_SECONDS, &|_| {})?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(StoreError::NoCredentials("a file of more than 16 MiB"));
        }
        find(&bytes, password, name)
    };
    read().map_err(|error| format!("{} {error}", path.display()))
}

/// Java keeps names in lower case.
fn find(bytes: &[u8], password: &str, name: &str) -> Result<Option<Secret>, StoreError> {
    let mut input = Input::new(bytes);
    if input.number()? != MAGIC {
        return Err(StoreError::NoCredentials("another file (JCEKS is its format)"));
    }
    let version = input.number()?;
    let (wanted, mut found) = (name.to_lowercase(), None);
    for _ in 0..input.number()? {
        let kind = input.number()?;
        let alias = input.string()?;
        input.take(8)?; // its date
        match kind {
            1 => {
                input.sized()?;
                for _ in 0..input.number()? {
                    input.certificate(version)?;
                }
            }
            2 => drop(input.certificate(version)?),
            3 => {
                let sealed = object(&mut input)?;
                found = found.or_else(|| (alias.to_lowercase() == wanted).then_some(sealed));
            }
            _ => return Err(StoreError::Damaged("an entry is neither a key nor a certificate")),
        }
    }
    let end = input.at();
    if input.take(SHA1_OUTPUT_LEN)? != integrity(password, &bytes[..end]) {
        return Err(StoreError::Password);
    }
    found.map(|sealed| open(&sealed, password)).transpose()
}

fn open(sealed: &Value<'_>, password: &str) -> Result<Secret, StoreError> {
    let algorithm = sealed.text("sealAlg");
    if algorithm != "PBEWithMD5AndTripleDES" {
        return Err(StoreError::NoCredentials(
            "one whose secrets are sealed by another algorithm than PBEWithMD5AndTripleDES",
        ));
    }
    let (parameters, content) = (sealed.bytes("encodedParams")?, sealed.bytes("encryptedContent")?);
    let text = open_sealed_object(parameters, content, password)?;
    let key = object(&mut Input::new(&text)).and_then(|key| key.bytes("key"));
    let secret = String::from_utf8(key.map_err(|_| StoreError::Password)?.to_vec());
    Ok(Secret::new(secret.map_err(|_| StoreError::Damaged("a secret is no UTF-8"))?))
}

const MAGIC: u32 = 0xcece_cece;

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str) -> Vec<u8> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/stores").join(name);
        std::fs::read(path).unwrap()
    }

    fn shown(bytes: &[u8], password: &str, name: &str) -> String {
        match find(bytes, password, name) {
            Ok(Some(secret)) => secret.reveal().to_owned(),
            Ok(None) => "-".to_owned(),
            Err(error) => format!("!{error}"),
        }
    }

    #[test]
    fn hadoops_secrets_are_read() {
        let plain = file("hadoop.jceks");
        let found = ["db.password", "SINK-key", "no"].map(|name| shown(&plain, "none", name));
        assert_eq!(found, ["wörd: 1", "k2", "-"]);
        assert_eq!(shown(&file("hadoop-password.jceks"), "test word", "db.password"), "other");
        let secret = find(&plain, "none", "db.password").unwrap();
        assert_eq!(format!("{secret:?}"), "Some(***)");
    }

    #[test]
    fn a_wrong_password_and_a_file_that_is_cut_or_changed_are_told() {
        let whole = file("hadoop.jceks");
        assert!(shown(&whole, "other", "k").contains("the password is wrong"));
        for end in 0..whole.len() {
            assert!(shown(&whole[..end], "none", "k").starts_with('!'), "{end}");
        }
        for place in 0..whole.len() {
            let mut changed = whole.clone();
            changed[place] ^= 0x55;
            assert!(shown(&changed, "none", "k").starts_with('!'), "{place}");
        }
        assert!(shown(&file("server.jks"), "changeit", "k").contains("JCEKS is its format"));
    }
}

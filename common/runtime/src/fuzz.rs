//! What the fuzz targets do with their input: any bytes, and a panic when a promise is broken, be it only that no input
//! panics. `tests` replays `testdata/fuzz/TARGET/` through the same functions.
#![allow(missing_docs, unreachable_pub, reason = "for tests and for `fuzz/`, which is a crate of its own")]

use crate::net::keystore::{Store, StoreError};

/// A key store opens or is refused with one line, whatever is in it; the same bytes with and without a password.
pub fn key_store(data: &[u8]) {
    for password in [Some("changeit"), Some(""), None] {
        let store = || Store::parse(data, password);
        let used = store().and_then(|store| store.identity(password.unwrap_or_default()));
        if let Ok(identity) = &used {
            assert!(identity.of > 0 && identity.chain.len() <= data.len());
        }
        if let Ok(trusted) = store().and_then(Store::trusted) {
            let bytes: usize = trusted.iter().map(|certificate| certificate.len()).sum();
            // A key's own certificate may be trusted as well.
            assert!(!trusted.is_empty() && bytes <= 2 * data.len());
        }
        if let Err(error) = used {
            one_line(&error);
        }
    }
}

fn one_line(error: &StoreError) {
    let text = error.to_string();
    assert!(!text.is_empty() && !text.contains('\n'), "{text:?}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    type Target = (&'static str, fn(&[u8]));

    #[test]
    fn every_input_of_every_target_keeps_the_promises() {
        let targets: [Target; 1] = [("key_store", key_store)];
        for (target, entry) in targets {
            let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/fuzz").join(target);
            let files = fs::read_dir(&directory).unwrap();
            let inputs: Vec<Vec<u8>> = files.map(|file| fs::read(file.unwrap().path()).unwrap()).collect();
            assert!(!inputs.is_empty(), "{target} has no inputs");
            inputs.iter().for_each(|input| replay(entry, input));
        }
    }

    /// Each as it is, doubled, cut short and damaged a little.
    fn replay(entry: fn(&[u8]), input: &[u8]) {
        entry(input);
        entry(&input.repeat(2));
        for cut in (0..input.len()).step_by(input.len() / 20 + 1) {
            entry(&input[..cut]);
            for damage in [0x01, 0x80, 0xff] {
                let mut bytes = input.to_vec();
                bytes[cut] ^= damage;
                entry(&bytes);
            }
        }
    }
}

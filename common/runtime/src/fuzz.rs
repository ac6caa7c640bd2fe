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
#[path = "../../wire/tests/replay/mod.rs"]
mod replay;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_input_of_every_target_keeps_the_promises() {
        replay::replay_all(env!("CARGO_MANIFEST_DIR"), &[("key_store", key_store)]);
    }
}
